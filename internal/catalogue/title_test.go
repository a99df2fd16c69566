package catalogue

import (
	"testing"

	"github.com/patchscout/patchscout/internal/cve"
)

func TestTitleSaysWhatIsAffectedAndHow(t *testing.T) {
	regresshion := &cve.Record{
		ID: cve.NewID(2024, 6387), CWEs: []string{"CWE-364"},
		Metrics: []cve.Metric{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 8.1, Provider: cve.ProviderCNA}},
		Configurations: []cve.Node{{Matches: []cve.CPEMatch{
			{Vulnerable: true, Criteria: "cpe:2.3:a:openbsd:openssh:*:*:*:*:*:*:*:*", StartIncluding: "8.6", EndExcluding: "9.8"},
			{Vulnerable: true, Criteria: "cpe:2.3:a:openbsd:openssh:8.5:p1:*:*:*:*:*:*"},
		}}},
	}
	heartbleed := &cve.Record{
		ID: cve.NewID(2014, 160), CWEs: []string{"CWE-125"},
		Metrics: []cve.Metric{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", Score: 7.5, Provider: cve.ProviderNVD}},
		Configurations: []cve.Node{{Matches: []cve.CPEMatch{
			{Vulnerable: true, Criteria: "cpe:2.3:a:openssl:openssl:*:*:*:*:*:*:*:*", StartIncluding: "1.0.1", EndExcluding: "1.0.1g"},
			{Vulnerable: true, Criteria: "cpe:2.3:a:filezilla-project:filezilla_server:*:*:*:*:*:*:*:*", EndExcluding: "0.9.44"},
			{Vulnerable: true, Criteria: "cpe:2.3:o:siemens:simatic_s7-1500_firmware:1.5:*:*:*:*:*:*:*"},
		}}},
	}
	for _, c := range []struct {
		record *cve.Record
		want   string
	}{
		{regresshion, "OpenSSH 8.5p1 to before 9.8: signal handler race condition, remote code execution, CVSS 8.1"},
		{heartbleed, "OpenSSL 1.0.1 to before 1.0.1g and 2 more products: out-of-bounds read, information disclosure, CVSS 7.5"},
		{&cve.Record{ID: cve.NewID(2024, 1), Status: "Rejected", Description: "x"}, "Withdrawn: CVE-2024-0001"},
		{&cve.Record{ID: cve.NewID(2024, 1)}, "No details published yet"},
		{&cve.Record{ID: cve.NewID(2024, 1), CWEs: []string{"CWE-89"}}, "SQL injection"},
		{&cve.Record{Description: "The frobnicator of Example Ltd. crashes. More text."}, "The frobnicator of Example Ltd"},
		{&cve.Record{Description: "** UNSUPPORTED WHEN ASSIGNED **\n\nThe frobnicator crashes."}, "The frobnicator crashes"},
		{&cve.Record{Description: "** DISPUTED ** The frobnicator crashes."}, "** DISPUTED ** The frobnicator crashes"},
		{&cve.Record{Description: "** RESERVED **"}, "** RESERVED **"},
		{&cve.Record{Configurations: []cve.Node{{Matches: []cve.CPEMatch{
			{Vulnerable: true, Criteria: `cpe:2.3:a:acme_project:web\:mail_server:2.0:-:*:*:*:*:*:*`},
		}}}}, "Acme Web:mail Server 2.0: weakness not yet described"},
	} {
		if got := Title(c.record); got != c.want {
			t.Errorf("title\n got %q\nwant %q", got, c.want)
		}
	}
}

func TestDisplayNameDoesNotSayTheSameTwice(t *testing.T) {
	for in, want := range map[string]string{
		"openbsd:openssh":          "OpenSSH",
		"gitea:gitea":              "Gitea",
		"zohocorp:manageengine":    "Zohocorp Manageengine",
		"libtiff_project:libtiff":  "Libtiff",
		"acme:ssh_server":          "Acme SSH Server",
		"":                         "",
		"vendor_only":              "Vendor Only",
		`joomla:joomla\!`:          "Joomla",
		"qnap:qnap_music_station":  "QNAP Music Station",
		"oracle:http_server_plus+": "Oracle HTTP Server Plus+",
	} {
		if got := DisplayName(in); got != want {
			t.Errorf("DisplayName(%q) = %q, want %q", in, got, want)
		}
	}
}
