package report

import (
	"fmt"
	"testing"

	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestSSHAudit(t *testing.T) { try(t, sshaudit{}, "testdata/sshaudit-*"+raw) }
func FuzzSSHAudit(f *testing.F) { fuzz(f, sshaudit{}, "testdata/sshaudit-*"+raw) }

func TestSSHAuditLarge(t *testing.T) {
	large(t, sshaudit{}, scantest.Large{
		Head: `[{"banner":{"raw":"SSH-2.0-x"},"kex":[],"target":"192.0.2.1"}`,
		Item: func(n int) string {
			return fmt.Sprintf(`,{"banner":{"raw":"SSH-2.0-OpenSSH_8.2p1"},"enc":[{"algorithm":"aes128-ctr","notes":{"info":["available since OpenSSH 3.7"]}}],"kex":[{"algorithm":"diffie-hellman-group14-sha1","notes":{"fail":["using broken SHA-1 hash algorithm"],"warn":["2048-bit modulus only provides 112-bits of symmetric strength"]}}],"key":[],"mac":[],"cves":[{"name":"CVE-2020-15778","description":"command injection"}],"fingerprints":[],"target":"192.0.%d.%d:22"}`, n/256%256, n%256)
		},
		Tail: `]`,
	}, 4, 1)
}
