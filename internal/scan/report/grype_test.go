package report

import (
	"fmt"
	"testing"

	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestGrype(t *testing.T) { try(t, grype{}, "testdata/grype-*.json") }

func TestGrypeLarge(t *testing.T) {
	large(t, grype{}, scantest.Large{
		Head: `{"matches":[{"vulnerability":{"id":"CVE-2020-1000"},"artifact":{"name":"a"}}`,
		Item: func(n int) string {
			return fmt.Sprintf(`,{"vulnerability":{"id":"CVE-2021-%d","severity":"High","urls":["https://a.example/%d"],"cvss":[{"version":"3.1","vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"fix":{"versions":["2.%d"],"state":"fixed"}},`+
				`"matchDetails":[{"type":"exact-direct-match"}],"artifact":{"name":"p%d","version":"1.%d","type":"deb","purl":"pkg:deb/debian/p%d@1.%d?arch=amd64"}}`, 1000+n%90000, n, n, n, n, n, n)
		},
		Tail: `],"source":{"type":"image","target":{"userInput":"web:1"}},"descriptor":{"name":"grype"}}`,
	}, 1, 1)
}

func FuzzGrype(f *testing.F) { fuzz(f, grype{}, "testdata/grype-*.json") }
