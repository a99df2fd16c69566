package finding_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/finding"
)

func TestCVEsInReadsWhatToolsAndPeopleWrite(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Log4Shell (CVE-2021-44228), see cve-2021-45046.", "CVE-2021-44228 CVE-2021-45046"},
		{"CVE\u20102014\u20110160 cve\u20132014\u20140160 CVE\u22122017\uff0d0144", "CVE-2014-0160 CVE-2017-0144"},
		{"http-vuln-cve2017-5638", "CVE-2017-5638"},
		{"exploit/multi/cve_2021_44228_log4shell", "CVE-2021-44228"},
		{"CVE: 2017-5638, CVE 2018-11776, CVE:CVE-2019-0230", "CVE-2017-5638 CVE-2018-11776 CVE-2019-0230"},
		{"CVE-2021-44228/45046/45105", "CVE-2021-44228 CVE-2021-45046 CVE-2021-45105"},
		{"CVE-2021-44228/CVE-2021-45046", "CVE-2021-44228 CVE-2021-45046"},
		{"https://nvd.example/CVE-2021-44228/45046", "CVE-2021-44228"},
		{"CVE-2021-44228/2021 and CVE-2021-44228/45046.html", "CVE-2021-44228"},
		{"fixed CVE-2021-44228/45046.", "CVE-2021-44228 CVE-2021-45046"},
		{"CAN-2003-0132 is old, CAN-2021-44228 is nothing", "CVE-2003-0132"},
		{`line\nCVE-2014-0160\nline`, "CVE-2014-0160"},
		{"CVE-2014-0160漏洞", "CVE-2014-0160"},
		{"CVE-2014-0160 CVE-2014-0160 cve-2014-0160", "CVE-2014-0160"},
		{"CVE-1999-0001 CVE-2024-1000000", "CVE-1999-0001 CVE-2024-1000000"},
		// none
		{"CVE-0000-0001 CVE-1998-0001 CVE-2021-0000 CVE-2021-123 CVE-2021-12345678", ""},
		{"CVE 2021 44228 and 2021-44228 and CVE-2021 44228", ""},
		{"CVE-2021-12xx CVE-2021-XXXX CVE-2021-00044 MCVE-2021-44228 cve", ""},
		{"CVE-2021-06-12", ""},
		{"", ""},
	} {
		var got []string
		for _, id := range finding.CVEsIn(c.text) {
			got = append(got, id.String())
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q: have %s, want %s", c.text, s, c.want)
		}
	}
}

func TestCVEsInIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "CVE-2021-%d CVE-2020-1000 ", 10_000+i)
	}
	ids := finding.CVEsIn(b.String())
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id.String()] {
			t.Fatalf("%s twice", id)
		}
		seen[id.String()] = true
	}
	if len(ids) > finding.MaxExtracted || len(ids) < 1000 {
		t.Errorf("%d ids", len(ids))
	}
}

func TestCWEsIn(t *testing.T) {
	for text, want := range map[string][]int{
		"CWE-79, cwe-89 (CWE 79)": {79, 89},
		"external/cwe/cwe-022":    {22},
		"CWE:200 CWE_611 CWE352":  {200, 611, 352},
		"NVD-CWE-noinfo CWE-Other CWE-0 CWE-123456 CWE-4.12 scwe-79": nil,
		"see CWE-79.": {79},
	} {
		if diff := cmp.Diff(want, finding.CWEsIn(text)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	for field, want := range map[string]int{"79": 79, " CWE-079 ": 79, "": 0, "none": 0, "-1": 0, "99999": 0, "CWE-79: XSS": 79} {
		if got := finding.CWEOf(field); got != want {
			t.Errorf("%q: have %d, want %d", field, got, want)
		}
	}
}

func TestVectorInTakesTheNewestInFull(t *testing.T) {
	const v2, v3, v4 = "AV:N/AC:L/Au:N/C:P/I:P/A:P", "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"
	for text, want := range map[string]string{
		"CVSS:3.1/" + v3:                               "CVSS:3.1/" + v3,
		"CVSS:3.0/" + v3 + "/E:P/RL:O/RC:C":            "CVSS:3.0/" + v3,
		"CVSS2#" + v2 + "/E:U/RL:OF/RC:C":              v2,
		"(" + v2 + ") and " + v3:                       "CVSS:3.1/" + v3,
		"CVSS:3.1/" + v3 + " CVSS:4.0/" + v4:           "CVSS:4.0/" + v4,
		v4:                                             "CVSS:4.0/" + v4,
		strings.ToLower("CVSS:3.1/" + v3):              "CVSS:3.1/" + v3,
		"AC:L/AV:N/PR:N/UI:N/S:U/C:H/I:H/A:H":          "CVSS:3.1/" + v3,
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H":     "",
		"CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H": "",
		"CVSS:3.1/" + v2:                               "",
		"no vector at all, but AV:N":                   "",
	} {
		if got := finding.VectorIn(text); got != want {
			t.Errorf("%s: have %q, want %q", text, got, want)
		}
	}
}

func TestComponentIsTheSameFromEveryTool(t *testing.T) {
	for _, c := range []struct{ purl, name, version, want string }{
		{"pkg:deb/debian/openssl@3.0.11-1~deb12u1?arch=amd64&distro=debian-12", "openssl", "3.0.11", "openssl@3.0.11-1~deb12u1"},
		{"pkg:rpm/redhat/bind-libs@9.11.4-26.P2.el7?arch=x86_64&epoch=32", "", "", "bind-libs@32:9.11.4-26.P2.el7"},
		{"pkg:npm/%40angular/core@16.2.0", "core", "", "@angular/core@16.2.0"},
		{"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", "log4j-core", "2.14.1", "org.apache.logging.log4j:log4j-core@2.14.1"},
		{"pkg:golang/github.com/gin-gonic/gin@v1.9.0#ginS", "", "", "github.com/gin-gonic/gin@1.9.0"},
		{"pkg:pypi/PyYAML@5.3", "", "", "pyyaml@5.3"},
		{"pkg:composer/symfony/http-kernel", "", "v5.4", "symfony/http-kernel@v5.4"},
		{"", "openssl", "1.1.1k", "openssl@1.1.1k"},
		{"pkg:", "libc6", "", "libc6"},
		{"pkg:npm/", "left-pad", "", "left-pad"},
		{"pkg:npm/a%zzb%00@1", "", "", "a%zzb%00@1"},
	} {
		if got := finding.Component(c.purl, c.name, c.version); got != c.want {
			t.Errorf("%s: have %s, want %s", c.purl, got, c.want)
		}
	}
}

func FuzzExtract(f *testing.F) {
	f.Add("CVE-2021-44228/45046 CWE-79 CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
	f.Add("pkg:npm/%40a/b@1 cve\u20132021_44228 CAN-2003-0132")
	f.Fuzz(func(t *testing.T, text string) {
		for _, id := range finding.CVEsIn(text) {
			if id.Year() < 1999 || id.Year() > 2099 || len(id.String()) > len("CVE-2021-1234567") {
				t.Errorf("%q gives %s", text, id)
			}
		}
		for _, n := range finding.CWEsIn(text) {
			if n <= 0 || n > 9999 {
				t.Errorf("%q gives CWE-%d", text, n)
			}
		}
		if v := finding.VectorIn(text); v != "" && finding.VectorIn(v) != v {
			t.Errorf("%q gives %q, which is not canonical", text, v)
		}
		finding.Component(text, text, text)
	})
}
