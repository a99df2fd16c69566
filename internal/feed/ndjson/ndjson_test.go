package ndjson_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/cvelist"
	"github.com/patchscout/patchscout/internal/feed/feedtest"
	"github.com/patchscout/patchscout/internal/feed/ndjson"
	"github.com/patchscout/patchscout/internal/feed/nvd"
	"github.com/patchscout/patchscout/internal/match"
)

var update = flag.Bool("update", false, "rewrite golden files")

// reader is as the product puts it together.
func reader(name string) ndjson.Reader {
	return ndjson.Reader{Name: name, Shapes: []ndjson.Shape{
		{Is: cvelist.IsRecord, Read: cvelist.ReadRecord},
		{Is: nvd.IsRecord, Read: nvd.ReadRecord},
	}}
}

func TestEveryShapeIsKnownByItsMembers(t *testing.T) {
	text, err := os.ReadFile("testdata/mixed.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	var s feedtest.Sink
	if err := s.Read(reader("house"), "mixed.ndjson", "\xef\xbb\xbf"+strings.ReplaceAll(string(text), "\n", "\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if len(s.Rejected) > 0 {
		t.Errorf("rejected: %v", s.Rejected)
	}
	got, err := json.MarshalIndent(map[string]any{"cves": s.CVEs, "ssvc": s.SSVCs}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/mixed.golden.json"
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
}

func TestABadLineIsRejectedWithItsPlaceAndTheRestGoesOn(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`{"cve_id":"CVE-2024-0002"`, ", byte 25: the file breaks off"},
		{`{"cve_id":"CVE-2024-0002"}}`, ", byte 26: text after the end of the document"},
		{`["CVE-2024-0002"]`, ", byte 0: want an object"},
		{`{"name":"x"}`, ": an object of no known shape: neither cve_id nor the members of an NVD or CVE record"},
		{`{"cve_id":"CVE-2024"}`, " cve_id, byte 20: malformed CVE id"},
		{`{"cve_id":null}`, " cve_id, byte 14: malformed CVE id"},
		{`{"cve_id":"CVE-2024-0002","title":7}`, " (CVE-2024-0002) title, byte 34: want a string"},
		{`{"cve_id":"CVE-2024-0002","published_at":"May"}`, " (CVE-2024-0002) published_at, byte 46: malformed time"},
		{`{"cve_id":"CVE-2024-0002","cvss_score":10.1}`, " (CVE-2024-0002) cvss_score, byte 44: CVSS score outside 0 to 10"},
		{`{"cve_id":"CVE-2024-0002","cvss_score":-1}`, " (CVE-2024-0002) cvss_score, byte 42: CVSS score outside 0 to 10"},
		{`{"cve_id":"CVE-2024-0002","cvss_score":"9.8"}`, " (CVE-2024-0002) cvss_score, byte 39: want a number"},
		{`{"cve_id":"CVE-2024-0002","cvss_vector":"AV:N"}`, " (CVE-2024-0002) cvss_vector, byte 47: malformed CVSS vector"},
		{`{"cve_id":"CVE-2024-0002","cvss_score":5,"cvss_vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}`,
			" (CVE-2024-0002) cvss_vector, byte 102: the CVSS vector contradicts the score"},
		{`{"cve_id":"CVE-2024-0002","severity":"severe"}`,
			" (CVE-2024-0002) severity, byte 46: severity is none of low, medium, high, critical"},
		{`{"cve_id":"CVE-2024-0002","cwe_ids":["79"]}`, " (CVE-2024-0002) cwe_ids, byte 42: malformed CWE id"},
		{`{"cve_id":"CVE-2024-0002","affected":[{"cpe":"nginx"}]}`,
			" (CVE-2024-0002) affected, byte 53: affected cpe names no vendor and product"},
		{`{"cve_id":"CVE-2024-0002","affected":[{}]}`,
			" (CVE-2024-0002) affected, byte 40: affected product without cpe, vendor and product"},
		{`{"cve_id":"CVE-2024-0002","affected":[{"vendor":"a","product":"b","versions":[{}]}]}`,
			" (CVE-2024-0002) affected, byte 80: affected version without version, introduced, fixed and last_affected"},
		{`{"cve_id":"CVE-2024-0002","affected":[{"vendor":"a","product":"b","versions":[{"fixed":"2","last_affected":"1"}]}]}`,
			" (CVE-2024-0002) affected, byte 111: affected version with more than one end"},
		{`{"cve_id":"CVE-2024-0002","affected":[{"vendor":"a","product":"b","versions":[{"fixed":"next summer"}]}]}`,
			" (CVE-2024-0002) affected, byte 101: malformed version of a range"},
		{`{"cve_id":"CVE-2024-0002","description":"` + strings.Repeat("x", 2<<20) + `"}`,
			" (CVE-2024-0002) description, byte 2097193: string is too long"},
		{`{"cve":{"id":"CVE-2024-0002","published":"soon"}}`, " (CVE-2024-0002) published, byte 47: malformed time"},
		{`{"cveMetadata":{"cveId":"CVE-2024-0002"},"dataVersion":"4.0"}`, " (CVE-2024-0002), byte 61: a format that is not 5.x"},
		{strings.Repeat(" ", 33<<20) + "{}", ": line is too long"},
	} {
		var s feedtest.Sink
		if err := s.Read(reader("house"), "x.ndjson", `{"cve_id":"CVE-2024-0001"}`+"\n"+c.line+"\n"+`{"cve_id":"CVE-2024-0003"}`); err != nil {
			t.Errorf("%.100s: %v", c.line, err)
			continue
		}
		if len(s.CVEs) != 2 || s.CVEs[1].ID != cve.NewID(2024, 3) {
			t.Errorf("%.100s: the other records are %v", c.line, s.CVEs)
		}
		if diff := cmp.Diff([]string{"x.ndjson line 2" + c.want}, s.Rejected); diff != "" {
			t.Errorf("%.100s: %s", c.line, diff)
		}
	}
}

func TestWhatIsNoListIsAnError(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "\n", "x.ndjson: the file is empty"},
		{"HTML", "<html>", "x.ndjson: an HTML or XML page, not the feed (a login or error page?)"},
		{"CSV", "cve_id,title\nCVE-2024-1,x\n", "x.ndjson: no line in it is a record that can be used"},
		{"UTF-16", "\xff\xfe{\x00", "x.ndjson: UTF-16 text, want UTF-8"},
	} {
		var s feedtest.Sink
		err := s.Read(reader(""), "x.ndjson", c.text)
		if err == nil || err.Error() != c.want || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestScoreVectorAndSeverity(t *testing.T) {
	for _, c := range []struct {
		members string
		metrics []cve.Metric
		ratings []cve.Rating
	}{
		{`"severity":"Important"`, nil, []cve.Rating{{Level: "high", Source: "house"}}},
		{`"severity":"unknown","cvss_score":null`, nil, nil},
		{`"severity":"high","cvss_score":7.5`, []cve.Metric{{Score: 7.5, Source: "house", Provider: cve.ProviderOther}}, nil},
		{`"cvss_score":0`, []cve.Metric{{Source: "house", Provider: cve.ProviderOther}}, nil},
		{`"cvss_vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"`, []cve.Metric{{Version: "3.1", Score: 9.8,
			Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Source: "house", Provider: cve.ProviderOther}}, nil},
		{`"cvss_vector":"AV:N/AC:L/Au:N/C:P/I:P/A:P","cvss_score":7.5`, []cve.Metric{{Version: "2.0", Score: 7.5,
			Vector: "AV:N/AC:L/Au:N/C:P/I:P/A:P", Source: "house", Provider: cve.ProviderOther}}, nil},
	} {
		var s feedtest.Sink
		if err := s.Read(reader("house"), "x.ndjson", `{"cve_id":"CVE-2024-0001",`+c.members+`}`); err != nil {
			t.Fatal(err, s.Rejected)
		}
		if diff := cmp.Diff(c.metrics, s.CVEs[0].Metrics); diff != "" {
			t.Errorf("%s: %s", c.members, diff)
		}
		if diff := cmp.Diff(c.ratings, s.CVEs[0].Ratings); diff != "" {
			t.Errorf("%s: %s", c.members, diff)
		}
	}
}

func TestVersionsOfAFlatRecordMatchAsMeant(t *testing.T) {
	var s feedtest.Sink
	err := s.Read(reader("house"), "x.ndjson", `{"cve_id":"CVE-2024-0001","affected":[`+
		`{"vendor":"Acme","product":"Web Server","versions":["1.0.5",{"introduced":"2.0","fixed":"2.3.1"},`+
		`{"introduced":"3","last_affected":"3.4"},"old ones","5.x"]},`+
		`{"cpe":"cpe:2.3:a:acme:proxy:1.1:*:*:*:*:*:*:*"},{"vendor":"Acme","product":"Router"}]}`)
	if err != nil {
		t.Fatal(err, s.Rejected)
	}
	for name, want := range map[string]bool{
		"web_server:1.0.5": true, "web_server:1.0.4": false, "web_server:2.0": true, "web_server:2.3": true,
		"web_server:2.3.1": false, "web_server:3.4": true, "web_server:3.4.1": false, "web_server:5.1": false,
		"proxy:1.1": true, "proxy:1.2": false, "router:1": false,
	} {
		if got := len(feedtest.Matches(t, "cpe:2.3:a:acme:"+name, s.CVEs...)) > 0; got != want {
			t.Errorf("%s: matched %v, want %v", name, got, want)
		}
	}
	want := []cve.Affected{
		{Vendor: "Acme", Product: "Web Server", Versions: []string{"1.0.5", "2.0 before 2.3.1", "3 up to 3.4", "old ones", "5.x"}},
		{Vendor: "acme", Product: "proxy", Versions: []string{"1.1"}}, {Vendor: "Acme", Product: "Router"},
	}
	if diff := cmp.Diff(want, s.CVEs[0].Affected); diff != "" {
		t.Error(diff)
	}
}

func TestCompressedFileIsReadByItsPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "house.ndjson.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	_, err = z.Write([]byte(`{"cve_id":"CVE-2024-0001"}`))
	if err != nil || z.Close() != nil || f.Close() != nil {
		t.Fatal(err)
	}
	file, err := feed.Local(context.Background(), "house", path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var s feedtest.Sink
	if err := feed.ReadFile(context.Background(), reader("house"), file, &s); err != nil || len(s.CVEs) != 1 || file.Name != "house.ndjson" {
		t.Errorf("%+v, %v", file, err)
	}
}

func FuzzRead(f *testing.F) {
	text, err := os.ReadFile("testdata/mixed.ndjson")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f.Add(line)
	}
	f.Add(`{"cve_id":"CVE-2024-1","affected":[{"cpe":"cpe:/a:a:b","versions":["1",{"introduced":"0","fixed":"2"}]}],"vendors":["a"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var s feedtest.Sink
		if err := s.Read(reader("house"), "x.ndjson", text); err != nil && fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("error of kind %q: %v", fault.KindOf(err), err)
		}
		for _, r := range s.CVEs {
			if r.ID == 0 {
				t.Error("record without id")
			}
			_ = match.NewBuilder().Add(r)
		}
	})
}
