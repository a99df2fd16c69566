package cvelist_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/cvelist"
	"github.com/patchscout/patchscout/internal/feed/feedtest"
	"github.com/patchscout/patchscout/internal/match"
)

var update = flag.Bool("update", false, "rewrite golden files")

func facts(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/facts.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReadKeepsEveryFact(t *testing.T) {
	text := facts(t)
	var s feedtest.Sink
	if err := s.Read(cvelist.Reader{}, "cve5-facts.ndjson", "\xef\xbb\xbf"+text); err != nil {
		t.Fatal(err)
	}
	if len(s.Rejected) > 0 {
		t.Errorf("rejected: %v", s.Rejected)
	}
	got, err := json.MarshalIndent(map[string]any{"cves": s.CVEs, "ssvc": s.SSVCs}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/facts.golden.json"
	if *update {
		if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(want)), string(got)); diff != "" {
		t.Error(diff)
	}
	var slow feedtest.Sink
	r := iotest.OneByteReader(strings.NewReader(text))
	if err := (cvelist.Reader{}).Read(context.Background(), feed.File{Name: "cve5-facts.ndjson"}, r, &slow); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.CVEs, slow.CVEs); diff != "" {
		t.Errorf("a byte at a time reads differently: %s", diff)
	}
}

// record is a CVE record with one affected product.
func record(affected string) string {
	return `{"dataVersion":"5.1","cveMetadata":{"cveId":"CVE-2024-1000","state":"PUBLISHED"},"containers":{"cna":{"affected":[` +
		affected + `]}}}`
}

func read(t testing.TB, text string) *cve.Record {
	t.Helper()
	var s feedtest.Sink
	if err := cvelist.ReadRecord("x", []byte(text), &s); err != nil || len(s.CVEs) != 1 {
		t.Fatalf("%v, rejected %v", err, s.Rejected)
	}
	return s.CVEs[0]
}

// TestWhatIsAffectedMatches follows versions all the way to a match: names of products with a version each, of which
// those before the bar must match and those behind it must not.
func TestWhatIsAffectedMatches(t *testing.T) {
	const acme = `"vendor":"Acme Inc.","product":"Acme Server",`
	for _, c := range []struct{ name, affected, versions string }{
		{"one version", acme + `"versions":[{"version":"1.2","status":"affected"}]`, "1.2 | 1.1 1.3"},
		{"v", acme + `"versions":[{"version":"v1.2","status":"affected"}]`, "1.2 | 1.1"},
		{"below", acme + `"versions":[{"version":"1.0","lessThan":"1.2","status":"affected"}]`, "1.0 1.1 | 0.9 1.2"},
		{"up to", acme + `"versions":[{"version":"0","lessThanOrEqual":"1.2","status":"affected"}]`, "0.1 1.2 | 1.3"},
		{"open start", acme + `"versions":[{"version":"unspecified","lessThan":"1.2","status":"affected"}]`, "0.1 1.1 | 1.2"},
		{"star start", acme + `"versions":[{"version":"*","lessThanOrEqual":"1.2","status":"affected"}]`, "0.1 1.2 | 1.3"},
		{"open end", acme + `"versions":[{"version":"5.0","lessThan":"*","status":"affected"}]`, "5.0 9 | 4.9"},
		{"unspecified end", acme + `"versions":[{"version":"5.0","lessThan":"unspecified","status":"affected"}]`, "5.0 9 | 4.9"},
		{"branch", acme + `"versions":[{"version":"5.10.3","lessThanOrEqual":"5.10.*","status":"affected"}]`, "5.10.3 5.10.99 | 5.10.2 5.11"},
		{"all", acme + `"versions":[{"version":"*","status":"affected"}]`, "1 2 |"},
		{"comparison", acme + `"versions":[{"version":"< 1.2.3","status":"affected"}]`, "1.2.2 | 1.2.3"},
		{"comparisons", acme + `"versions":[{"version":">= 1.0, < 2.0","status":"affected"},{"version":">=3.0,<=3.1","status":"affected"}]`,
			"1.0 1.9 3.1 | 0.9 2.0 3.2"},
		{"exactly", acme + `"versions":[{"version":"= 1.2","status":"affected"}]`, "1.2 | 1.1"},
		{"all versions below", acme + `"versions":[{"version":"All versions >= V1.0 < V3.0","status":"affected"}]`, "1.0 2.9 | 0.9 3.0"},
		{"changes", acme + `"versions":[{"version":"1.0","lessThan":"2.0","status":"affected","changes":[{"at":"1.6","status":"affected"},` +
			`{"at":"1.4","status":"unaffected"},{"at":"2.5","status":"affected"}]}]`, "1.0 1.3 1.6 1.9 | 1.4 1.5 2.0 2.6"},
		{"fixed by a change", acme + `"versions":[{"version":"1.0","status":"affected","changes":[{"at":"1.4","status":"unaffected"}]}]`,
			"1.0 1.3 | 0.9 1.4"},
		{"a fix within", acme + `"defaultStatus":"unaffected","versions":[{"version":"1.0","lessThan":"3.0","status":"affected"},` +
			`{"version":"2.0.5","lessThan":"2.1","status":"unaffected"}]`, "1.0 2.0.4 2.1 2.9 | 2.0.5 2.0.9 3.0"},
		{"all but", acme + `"defaultStatus":"affected","versions":[{"version":"0","lessThan":"1.0","status":"unaffected"},` +
			`{"version":"1.5","lessThanOrEqual":"1.*","status":"unaffected"},{"version":"2.2","lessThanOrEqual":"*","status":"unaffected"}]`,
			"1.0 1.4 2.0 2.1 | 0.9 1.5 1.9 2.2 3"},
		{"all but one", acme + `"defaultStatus":"affected","versions":[{"version":"1.5","status":"unaffected"}]`, "1.4 1.6 | 1.5"},
		{"everything", acme + `"defaultStatus":"affected"`, "1 2 |"},
		{"nothing said", acme + `"defaultStatus":"unknown"`, "| 1 2"},
		{"only what is not", acme + `"defaultStatus":"unaffected","versions":[{"version":"1.0","status":"unaffected"}]`, "| 0.9 1.0 1.1"},
		{"unknown", acme + `"versions":[{"version":"1.0","status":"unknown"}]`, "| 1.0"},
		{"a fix in words", acme + `"defaultStatus":"affected","versions":[{"version":"since spring","status":"unaffected"}]`, "| 1 2"},

		{"prose", acme + `"versions":[{"version":"before 2.3","status":"affected"},{"version":"n/a","status":"affected"},` +
			`{"version":"1.0, 1.1","status":"affected"},{"version":"2.7.x","status":"affected"},{"version":"All versions","status":"affected"},` +
			`{"version":"1.0 to 1.4","status":"affected"},{"version":"1.0.0-1.4.0","status":"affected"},{"version":"0","status":"affected"},` +
			`{"version":"1.0","lessThan":"publication","status":"affected"},{"version":"5.5.58 and prior","status":"affected"},` +
			`{"version":"-","status":"affected"}]`, "| 0 1.0 1.1 2.0 2.7.1 5.5.58"},
		{"commits", acme + `"versions":[{"version":"1.0","lessThan":"2.0","status":"affected","versionType":"git"},` +
			`{"version":"97bc3683c249","status":"affected"}]`, "| 1.0 97bc3683c249"},
		{"upside down", acme + `"versions":[{"version":"2.0","lessThan":"1.0","status":"affected"}]`, "| 0.9 1.5 2.0"},
		{"packages", acme + `"versions":[{"version":"0:1.0-5.el9","lessThan":"*","status":"affected","versionType":"rpm"}]`, "| 1.0 2.0"},
		{"no vendor", `"vendor":"n/a","product":"Acme Server","versions":[{"version":"1.0","status":"affected"}]`, "| 1.0"},
		{"no product", `"vendor":"Acme","product":"","versions":[{"version":"1.0","status":"affected"}]`, "| 1.0"},

		{"published name", `"vendor":"x","product":"y","cpes":["cpe:2.3:a:acme:server:*:*:*:*:*:*:*:*"],"versions":[{"version":"1.0","lessThan":"2","status":"affected"}]`,
			"1.0 1.9 | 2"},
		{"published name in the old binding", `"vendor":"x","product":"y","cpes":["cpe:/a:acme:server"],"versions":[{"version":"1.0","lessThan":"2","status":"affected"}]`,
			"1.0 1.9 | 2"},
		{"published name and update", `"vendor":"x","product":"y","cpes":["cpe:2.3:a:acme:server:2020.2:hotfix1:*:*:*:*:*:*"],"versions":[{"version":"2020.2","status":"affected"}]`,
			"2020.2:hotfix1 | 2020.2:hotfix2 2020.1"},
		{"published name alone", `"vendor":"x","product":"y","cpes":["cpe:2.3:a:acme:server:1.5:*:*:*:*:*:*:*"],"defaultStatus":"affected"`, "1.5 | 1.4"},
		{"a package of a distribution", `"vendor":"Acme","product":"Acme Server 9","packageName":"httpd","cpes":["cpe:/a:acme:server:9::appstream"],"defaultStatus":"affected"`,
			"| 9 10"},
	} {
		rec := read(t, record("{"+c.affected+"}"))
		in, out, _ := strings.Cut(c.versions, "|")
		for want, versions := range map[bool]string{true: in, false: out} {
			for version := range strings.FieldsSeq(versions) {
				if got := len(feedtest.Matches(t, "cpe:2.3:a:acme:server:"+version, rec)) > 0; got != want {
					t.Errorf("%s: %s matched %v, want %v; rules %+v", c.name, version, got, want, rec.Configurations)
				}
			}
		}
		if len(rec.Affected) != 1 && c.name != "no vendor" {
			t.Errorf("%s: for people %+v", c.name, rec.Affected)
		}
	}
}

func TestLinuxKernelsAreMatchedByTheirBranches(t *testing.T) {
	var s feedtest.Sink
	if err := s.Read(cvelist.Reader{}, "cve5.ndjson", facts(t)); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]string{"6.4.9": "", "6.5": "6.6.17", "6.6.16": "6.6.17", "6.6.17": "", "6.7.1": "6.8", "6.8": ""} {
		fixed := ""
		for _, m := range feedtest.Matches(t, "cpe:2.3:o:linux:linux_kernel:"+version, s.CVEs...) {
			fixed = m.FixedIn
			if m.Status != match.Affected {
				t.Errorf("%s: %s", version, m.Status)
			}
		}
		if fixed != want {
			t.Errorf("%s: fixed in %q, want %q", version, fixed, want)
		}
	}
}

func TestNamesAreMadeAsNVDMakesThem(t *testing.T) {
	for _, c := range []struct{ vendor, product, want string }{
		{"Apache Software Foundation", "Apache HTTP Server", "a:apache:http_server"},
		{"Apache Software Foundation", "Apache Log4j2", "a:apache:log4j"},
		{"Oracle Corporation", "MySQL Server", "a:oracle:mysql_server"},
		{"Google", "Chrome", "a:google:chrome"},
		{"Jenkins Project", "Jenkins", "a:jenkins:jenkins"},
		{"The Tcpdump Group", "tcpdump", "a:tcpdump_group:tcpdump"},
		{"Red Hat, Inc.", "Red Hat Ansible", "a:redhat:ansible"},
		{"Linux", "Linux", "o:linux:linux_kernel"},
		{"Fortinet", "FortiOS", "a:fortinet:fortios"},
		{"Project", "Project", "a:project:project"},
		{"SAP SE", "SAP Commerce", "a:sap:commerce"},
		{"Microsoft", "C:\\*?", `a:microsoft:c\:\\\*\?`},
		{"N/A", "x", ""}, {"x", "unspecified", ""}, {"", "", ""}, {"Acme", strings.Repeat("x", 101), ""}, {",", ",", ""},
	} {
		vendor, _ := json.Marshal(c.vendor)
		product, _ := json.Marshal(c.product)
		rec := read(t, record(fmt.Sprintf(`{"vendor":%s,"product":%s,"versions":[{"version":"1.0","status":"affected"}]}`, vendor, product)))
		got := ""
		for _, n := range rec.Configurations {
			for _, m := range n.Matches {
				got = strings.TrimSuffix(strings.TrimPrefix(m.Criteria, "cpe:2.3:"), ":1.0:*:*:*:*:*:*:*")
				if !m.Derived {
					t.Errorf("%s: not marked as derived", m.Criteria)
				}
			}
		}
		if got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.vendor, c.product, got, c.want)
		}
	}
}

func TestTextForPeopleIsBounded(t *testing.T) {
	versions := strings.Repeat(`,{"version":"`+strings.Repeat("ä", 400)+`","status":"affected"}`, 60)[1:]
	products := strings.Repeat(`,{"vendor":"v","product":"p","versions":[`+versions+`]}`, 210)[1:]
	rec := read(t, record(products))
	if len(rec.Affected) != 200 || len(rec.Affected[0].Versions) != 50 || len(rec.Affected[0].Versions[0]) > 300 ||
		!strings.HasSuffix(rec.Affected[0].Versions[0], "ä…") {
		t.Errorf("%d products with %d versions", len(rec.Affected), len(rec.Affected[0].Versions))
	}
}

func TestTooManyVersionsMakeNoRuleInsteadOfSome(t *testing.T) {
	var b bytes.Buffer
	for i := range 16_000 {
		fmt.Fprintf(&b, `,{"version":"1.%d","status":"affected"}`, i)
	}
	rec := read(t, record(`{"vendor":"v","product":"p","versions":[`+b.String()[1:]+`]}`))
	if len(rec.Configurations) > 0 || len(rec.Affected) != 1 {
		t.Errorf("%d rules", len(rec.Configurations))
	}
}

func TestAnExpressionThatLostAPartIsNotTaken(t *testing.T) {
	rec := read(t, `{"dataVersion":"5.1","cveMetadata":{"cveId":"CVE-2024-1000","state":"PUBLISHED"},"containers":{"cna":{`+
		`"affected":[{"vendor":"Acme","product":"Server","versions":[{"version":"1.0","status":"affected"}]}],`+
		`"cpeApplicability":[{"operator":"AND","nodes":[{"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:o:acme:fw:*:*:*:*:*:*:*:*"}]},`+
		`{"cpeMatch":[{"vulnerable":false,"criteria":"no name"}]}]}]}}}`)
	if len(feedtest.Matches(t, "cpe:2.3:o:acme:fw:1", rec)) > 0 || len(feedtest.Matches(t, "cpe:2.3:a:acme:server:1.0", rec)) == 0 {
		t.Errorf("rules %+v", rec.Configurations)
	}
}

func TestOneBadRecordIsRejectedAndTheFileGoesOn(t *testing.T) {
	good := func(n int) string {
		return fmt.Sprintf(`{"cveMetadata":{"cveId":"CVE-2024-000%d","state":"PUBLISHED"}}`, n)
	}
	for _, c := range []struct{ bad, want string }{
		{`{"cveMetadata":{"cveId":"CVE-20X4-1"}}`, " cveId, byte 36: malformed CVE id"},
		{`{"containers":{}}`, ", byte 17: record without a CVE id"},
		{`{"cveMetadata":{"cveId":"CVE-2024-0002","state":"RESERVED"}}`, " (CVE-2024-0002), byte 60: state is neither PUBLISHED nor REJECTED"},
		{`{"cveMetadata":{"cveId":"CVE-2024-0002","dateUpdated":"soon"}}`, " (CVE-2024-0002) dateUpdated, byte 60: malformed time"},
		{`{"data_version":"4.0","CVE_data_meta":{"ID":"CVE-2024-0002"}}`, ", byte 61: record without a CVE id"},
		{`{"dataVersion":"6.0","cveMetadata":{"cveId":"CVE-2024-0002","state":"PUBLISHED"}}`, " (CVE-2024-0002), byte 81: a format that is not 5.x"},
		{`{"containers":{"cna":{"metrics":[{"cvssV3_1":{"baseScore":11}}]}}}`, " cna metrics, byte 61: CVSS score outside 0 to 10"},
		{`{"containers":{"adp":[{"title":7}]}}`, " adp title, byte 31: want a string"},
		{`{"containers":{"cna":{"descriptions":[{"lang":"en","value":"` + strings.Repeat("x", 2<<20) + `"}]}}}`,
			" cna descriptions, byte 2097212: string is too long"},
		{`{"cveMetadata":{"` + strings.Repeat("k", 1000) + `":}}`, " cveMetadata, byte 1019: want a value"},
		{`{"cveMetadata"`, ", byte 14: the file breaks off"},
		{`[1]`, ", byte 0: want an object"},
	} {
		var s feedtest.Sink
		if err := s.Read(cvelist.Reader{}, "cve5.ndjson", good(1)+"\n"+c.bad+"\n"+good(3)); err != nil {
			t.Errorf("%.100s: %v", c.bad, err)
			continue
		}
		if len(s.CVEs) != 2 || s.CVEs[1].ID != cve.NewID(2024, 3) {
			t.Errorf("%.100s: the other records are %v", c.bad, s.CVEs)
		}
		if diff := cmp.Diff([]string{"cve5.ndjson line 2" + c.want}, s.Rejected); diff != "" {
			t.Errorf("%.100s: %s", c.bad, diff)
		}
	}
}

func TestBrokenFileIsAnErrorThatNamesIt(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"cve5.ndjson", "<html>", "cve5.ndjson: an HTML or XML page, not the feed (a login or error page?)"},
		{"cve5.ndjson", "", "cve5.ndjson: the file is empty"},
		{"cve5.ndjson", "{}\n{}", "cve5.ndjson: no CVE record of format 5 in it that can be used"},
		{"CVE-2024-1000.json", `{"cveMetadata":`, "CVE-2024-1000.json: no CVE record of format 5 in it that can be used"},
		{"cvelistV5-main.zip", `{"message":"Not found"}`, "cvelistV5-main.zip: no CVE record of format 5 in it that can be used"},
	} {
		var s feedtest.Sink
		err := s.Read(cvelist.Reader{}, c.name, c.text)
		if err == nil || err.Error() != c.want || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestFilesAreKnownByTheirNames(t *testing.T) {
	r := cvelist.Reader{}
	for name, want := range map[string]bool{
		"cve5-sample.ndjson": true, "cve5.ndjson": true, "CVE-2024-1000.json": true, "CVE-1999-0001.json": true,
		"CVE-2024-12xxx.json": true, "cvelistV5-main.zip": true, "2024-06-10_all_CVEs_at_midnight.zip.zip": true,
		"2024-06-10_all_CVEs_at_midnight.zip": true, "2024-06-10_delta_CVEs_at_1200Z.zip": true,
		"2024-06-10_delta_CVEs_at_end_of_day.zip": true, "cves.json": false, "CVE-2024.json": false, "other.zip": false,
		"delta.json": false, "nvdcve-2.0-2024.json": false,
	} {
		if r.Owns(name) != want {
			t.Errorf("%s: owned %v", name, !want)
		}
		if want && !r.Partial(name) {
			t.Errorf("%s would take away what it does not hold", name)
		}
	}
	if got := r.Group("CVE-2024-12345.json"); got != "CVE-2024-12xxx.json" || !r.Owns(got) {
		t.Errorf("grouped as %s", got)
	}
	if !r.Less("cvelistV5-main.zip", "2024-06-10_delta_CVEs_at_1200Z.zip") {
		t.Error("what changed is read before the whole")
	}
}

func FuzzReadRecord(f *testing.F) {
	for line := range strings.Lines(facts(f)) {
		f.Add(line)
	}
	f.Add(record(`{"vendor":"a","product":"a b","defaultStatus":"affected","versions":[{"version":"1","lessThan":"*","status":"unaffected","changes":[{"at":"2","status":"affected"}]}]}`))
	f.Add(record(`{"vendor":"a","product":"b","versions":[{"version":">= 1, < 2","status":"affected"},{"version":"1.5.*","status":"affected"}]}`))
	f.Fuzz(func(t *testing.T, text string) {
		var s feedtest.Sink
		if err := cvelist.ReadRecord("x", []byte(text), &s); err != nil {
			t.Fatal(err)
		}
		if len(s.CVEs)+len(s.Rejected) != 1 {
			t.Errorf("%d records, %d rejections", len(s.CVEs), len(s.Rejected))
		}
		for _, r := range s.CVEs {
			if r.ID == 0 {
				t.Error("record without id")
			}
			if err := match.NewBuilder().Add(r); err != nil {
				t.Errorf("a rule that cannot be read: %v", err)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	text := facts(b)
	list := strings.Repeat(text, 200)
	b.SetBytes(int64(len(list)))
	for b.Loop() {
		if err := (cvelist.Reader{}).Read(context.Background(), feed.File{Name: "cve5.ndjson"}, strings.NewReader(list), feed.Nothing{}); err != nil {
			b.Fatal(err)
		}
	}
}
