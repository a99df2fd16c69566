package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestBurp(t *testing.T) { try(t, burp{}, "testdata/burp-*"+raw) }
func FuzzBurp(f *testing.F) { fuzz(f, burp{}, "testdata/burp-*"+raw) }

func TestBurpLarge(t *testing.T) {
	large(t, burp{}, scantest.Large{
		Head: `<?xml version="1.0"?><issues burpVersion="2021.8.1" exportTime="Tue Aug 31 12:31:15 UTC 2021">`,
		Item: func(n int) string {
			return fmt.Sprintf(`<issue><serialNumber>%d</serialNumber><type>1049088</type><name>SQL injection</name><host ip="192.0.2.80">https://shop.example.org</host><path><![CDATA[/item/%d]]></path><location><![CDATA[/item/%d]]></location><severity>High</severity><confidence>Certain</confidence><issueBackground><![CDATA[<p>SQL injection vulnerabilities arise when data is put into queries in an unsafe way.</p>]]></issueBackground><requestresponse><request base64="true"><![CDATA[%s]]></request></requestresponse></issue>`, n, n, n, strings.Repeat("QUJD", 500))
		},
		Tail: `</issues>`,
	}, 1, 0)
}
