package report

import (
	"fmt"
	"testing"

	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestCSAF(t *testing.T) { try(t, csaf{}, "testdata/csaf-*.json") }

func TestCSAFLarge(t *testing.T) {
	large(t, csaf{}, scantest.Large{
		Head: `{"document":{"csaf_version":"2.0"},"product_tree":{"full_product_names":[{"product_id":"P","name":"n 1.0"}]},"vulnerabilities":[{"cve":"CVE-2020-1000"}`,
		Item: func(n int) string {
			return fmt.Sprintf(`,{"cve":"CVE-2021-%d","product_status":{"known_not_affected":["P"]},"flags":[{"label":"component_not_present","product_ids":["P"]}],"notes":[{"category":"description","text":"what it is, %d"}]}`, 1000+n%9000, n)
		},
		Tail: `]}`,
	}, 1, 1)
}

func FuzzCSAF(f *testing.F) { fuzz(f, csaf{}, "testdata/csaf-*.json") }
