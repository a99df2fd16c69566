package nessus

import (
	"fmt"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/scantest"
)

// large is a .nessus file with hosts of 200 items, of about 3.7 KB each as in real reports.
func large(size int) *scantest.Large {
	text := strings.Repeat("The version of the package that is installed on the remote host is prior to the tested version. "+
		"It is, therefore, affected by several weaknesses as the advisory says.\n\n  - A flaw &amp; its consequences &lt;here&gt;.\n", 6)
	return &scantest.Large{Size: size,
		Head: `<?xml version="1.0" ?><NessusClientData_v2><Policy><policyName>Large</policyName></Policy><Report name="large" xmlns:cm="http://www.nessus.org/cm">`,
		Item: func(n int) string {
			var b strings.Builder
			if n%200 == 0 {
				if n > 0 {
					b.WriteString("</ReportHost>\n")
				}
				host := n / 200
				fmt.Fprintf(&b, "<ReportHost name=\"10.%d.%d.%d\"><HostProperties>\n<tag name=\"host-ip\">10.%d.%d.%d</tag>\n<tag name=\"HOST_END\">Thu Oct 16 10:00:00 2025</tag>\n"+
					"<tag name=\"operating-system\">Linux Kernel 6.1</tag>\n</HostProperties>\n", host>>16, host>>8&255, host&255, host>>16, host>>8&255, host&255)
			}
			fmt.Fprintf(&b, "<ReportItem port=\"0\" svc_name=\"general\" protocol=\"tcp\" severity=\"%d\" pluginID=\"%d\" pluginName=\"Package %d &lt; 2.0 several weaknesses\" pluginFamily=\"Debian Local Security Checks\">\n",
				1+n%4, 100000+n%200, n)
			for i := range 4 {
				fmt.Fprintf(&b, "<cve>CVE-2024-%d</cve>\n", 10000+n%200*4+i)
			}
			b.WriteString("<cvss3_base_score>9.8</cvss3_base_score>\n<cvss3_vector>CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H</cvss3_vector>\n" +
				"<cvss_base_score>10.0</cvss_base_score>\n<cvss_vector>CVSS2#AV:N/AC:L/Au:N/C:C/I:C/A:C</cvss_vector>\n<description>" + text + "</description>\n" +
				"<exploit_available>true</exploit_available>\n<exploitability_ease>Exploits are available</exploitability_ease>\n<fname>package.nasl</fname>\n" +
				"<patch_publication_date>2024/02/12</patch_publication_date>\n<plugin_modification_date>2024/02/13</plugin_modification_date>\n" +
				"<plugin_name>Package several weaknesses</plugin_name>\n<plugin_type>local</plugin_type>\n<risk_factor>Critical</risk_factor>\n<script_version>1.3</script_version>\n" +
				"<see_also>https://www.debian.org/security/</see_also>\n<solution>Upgrade the affected packages.</solution>\n<synopsis>The remote host is missing an update.</synopsis>\n" +
				"<vpr_score>6.7</vpr_score>\n<xref>IAVA:2024-A-0001</xref>\n<xref>CWE:79</xref>\n<plugin_output>\n  Remote package installed : package_1.9\n  Fixed version : 2.0\n</plugin_output>\n</ReportItem>\n")
			return b.String()
		},
		Tail: "</ReportHost></Report></NessusClientData_v2>",
	}
}

// largeTable is a CSV report whose rows each name one CVE.
func largeTable(size int) *scantest.Large {
	text := strings.Repeat("The remote host is affected, as the \"\"advisory\"\" says.\n", 40)
	return &scantest.Large{Size: size, Head: "Plugin ID,CVE,CVSS,Risk,Host,Protocol,Port,Name,Synopsis,Description,Solution,See Also,Plugin Output\n",
		Item: func(n int) string {
			host := n / 200
			return fmt.Sprintf("%d,CVE-2024-%d,7.5,High,10.%d.%d.%d,tcp,443,Example,Old.,\"%s\",Upgrade.,https://example.org/,\"Installed version : 1.0\"\n",
				100000+n%200, 10000+n%5000, host>>16, host>>8&255, host&255, text)
		}}
}

func BenchmarkRead(b *testing.B) {
	size := 48 << 20
	b.SetBytes(int64(size))
	for b.Loop() {
		if err := (&Scanner{}).Read(b.Context(), large(size), func(finding.Event) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
