package report

import (
	"fmt"
	"testing"

	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestOpenVEX(t *testing.T) { try(t, openvex{}, "testdata/openvex-*.json") }

func TestOpenVEXLarge(t *testing.T) {
	large(t, openvex{}, scantest.Large{
		Head: `{"@context":"https://openvex.dev/ns/v0.2.0","statements":[null`,
		Item: func(n int) string {
			return fmt.Sprintf(`,{"vulnerability":{"name":"CVE-2021-%d"},"products":[{"@id":"pkg:deb/debian/p%d@1.%d?arch=amd64"}],"status":"not_affected","justification":"component_not_present"}`, 1000+n%90000, n, n)
		},
		Tail: `],"author":"A","timestamp":"2026-01-01T00:00:00Z"}`,
	}, 1, 1)
}

func FuzzOpenVEX(f *testing.F) { fuzz(f, openvex{}, "testdata/openvex-*.json") }
