package report

import (
	"fmt"
	"testing"

	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestCycloneDXJSON(t *testing.T) { try(t, cyclonedx{}, "testdata/cyclonedx-*.json") }
func TestCycloneDXXML(t *testing.T)  { try(t, cyclonedx{}, "testdata/cyclonedx-*.xml") }

func TestCycloneDXLarge(t *testing.T) {
	large(t, cyclonedx{}, scantest.Large{
		Head: `{"bomFormat":"CycloneDX","specVersion":"1.5","vulnerabilities":[{"id":"CVE-2021-1000","affects":[{"ref":"r1"},{"ref":"r2"}]}],"components":[{"name":"a"}`,
		Item: func(n int) string {
			return fmt.Sprintf(`,{"type":"library","bom-ref":"r%d","name":"p%d","version":"1.%d","purl":"pkg:deb/debian/p%d@1.%d?arch=amd64","licenses":[{"license":{"id":"MIT"}}],"properties":[{"name":"aquasecurity:trivy:PkgID","value":"p%d"}]}`, n, n, n, n, n, n)
		},
		Tail: `]}`,
	}, 1, 3)
}

// Every vulnerability affects another component: no more than their names are kept.
func TestCycloneDXLargeVulnerabilities(t *testing.T) {
	large(t, cyclonedx{}, scantest.Large{
		Head: `{"bomFormat":"CycloneDX","specVersion":"1.5","vulnerabilities":[{"id":"CVE-2021-1000"}`,
		Item: func(n int) string {
			return fmt.Sprintf(`,{"id":"CVE-2021-%d","affects":[{"ref":"reference-%d"}]}`, 1000+n%90000, n)
		},
		Tail: `],"components":[]}`,
	}, 1, 1)
}

func TestCycloneDXLargeXML(t *testing.T) {
	large(t, cyclonedx{}, scantest.Large{
		Head: `<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components><component type="library" bom-ref="r"><name>a</name></component>`,
		Item: func(n int) string {
			return fmt.Sprintf(`<component type="library" bom-ref="r%d"><name>p%d</name><version>1.%d</version><purl>pkg:deb/debian/p%d@1.%d</purl></component>`, n, n, n, n, n)
		},
		Tail: `</components></bom>`,
	}, 1, 1)
}

func FuzzCycloneDX(f *testing.F) { fuzz(f, cyclonedx{}, "testdata/cyclonedx-*.*") }
