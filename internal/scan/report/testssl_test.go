package report

import (
	"fmt"
	"testing"

	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestTestSSL(t *testing.T)       { try(t, testssl{}, "testdata/testssl-*.json") }
func TestTestSSLTables(t *testing.T) { tryTables(t, testssl{}, "testdata/testssl-*.csv") }
func FuzzTestSSL(f *testing.F)       { fuzz(f, testssl{}, "testdata/testssl-*"+raw) }

func TestTestSSLLarge(t *testing.T) {
	large(t, testssl{}, scantest.Large{
		Head: `[{"id":"service","ip":"a.example/192.0.2.5","port":"443","severity":"INFO","finding":"HTTP"}`,
		Item: func(n int) string {
			return fmt.Sprintf(`,{"id":"RC4","ip":"h%d.example/192.0.2.%d","port":"443","severity":"HIGH","cve":"CVE-2013-2566 CVE-2015-2808","cwe":"CWE-310","finding":"VULNERABLE, Detected ciphers: RC4-SHA RC4-MD5"}`, n/200%250, n/200%250)
		},
		Tail: `]`,
	}, 1, 1)
}
