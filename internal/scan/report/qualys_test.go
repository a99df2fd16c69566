package report

import (
	"fmt"
	"testing"

	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestQualys(t *testing.T)       { try(t, qualys{}, "testdata/qualys-*.xml") }
func TestQualysTables(t *testing.T) { tryTables(t, qualys{}, "testdata/qualys-*.csv") }
func FuzzQualys(f *testing.F)       { fuzz(f, qualys{}, "testdata/qualys-*"+raw) }

func TestQualysLarge(t *testing.T) {
	large(t, qualys{}, scantest.Large{
		Head: `<ASSET_DATA_REPORT><HEADER><GENERATION_DATETIME>2021-05-06T07:08:09Z</GENERATION_DATETIME></HEADER><HOST_LIST>`,
		Item: func(n int) string {
			return fmt.Sprintf(`<HOST><IP>10.%d.%d.%d</IP><VULN_INFO_LIST><VULN_INFO><QID id="qid_91360">91360</QID><TYPE>Vuln</TYPE><PORT>445</PORT><PROTOCOL>tcp</PROTOCOL><RESULT><![CDATA[what was seen on the port, at some length]]></RESULT><VULN_STATUS>Active</VULN_STATUS></VULN_INFO></VULN_INFO_LIST></HOST>`, n>>16&255, n>>8&255, n&255)
		},
		Tail: `</HOST_LIST><GLOSSARY><VULN_DETAILS_LIST><VULN_DETAILS><QID>91360</QID><TITLE>MS17-010</TITLE><SEVERITY>5</SEVERITY><CVE_ID_LIST><CVE_ID><ID>CVE-2017-0143</ID></CVE_ID></CVE_ID_LIST></VULN_DETAILS></VULN_DETAILS_LIST></GLOSSARY></ASSET_DATA_REPORT>`,
	}, 1, 0)
}

func TestQualysLargeTables(t *testing.T) {
	large(t, qualys{}, scantest.Large{
		Head: "IP,DNS,OS,QID,Title,Type,Severity,Port,Protocol,CVE ID,Solution,Results\n",
		Item: func(n int) string {
			return fmt.Sprintf("10.%d.%d.%d,,Debian,91360,\"MS17-010, of SMB\",Vuln,5,445,tcp,\"CVE-2017-0143,CVE-2017-0144\",Install the update that the vendor has made,what was seen\n", n>>16&255, n>>8&255, n&255)
		},
		Tail: "",
	}, 1, 0)
}
