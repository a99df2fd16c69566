package nikto

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/scantest"
)

var recorded = []string{"testdata/*.xml", "testdata/*.json", "testdata/*.csv", "testdata/*.txt"}

func recordedPaths(t testing.TB) (paths []string) {
	for _, pattern := range recorded {
		found, _ := filepath.Glob(pattern)
		paths = append(paths, found...)
	}
	if len(paths) == 0 {
		t.Fatal("no reports")
	}
	return paths
}

func TestRecordedReports(t *testing.T) {
	for _, pattern := range recorded {
		scantest.Golden(t, &Scanner{}, pattern)
	}
}

// Lines do not tell where a report ends: CSV and text are not among these.
func TestTruncatedXML(t *testing.T)  { scantest.Truncated(t, &Scanner{}, "testdata/run-*.xml") }
func TestTruncatedJSON(t *testing.T) { scantest.Truncated(t, &Scanner{}, "testdata/*-2.6.1.json") }

func TestReadStopsOnError(t *testing.T) {
	for _, pattern := range recorded {
		scantest.Stops(t, &Scanner{}, pattern)
	}
}

func TestDetectKnowsItsOwn(t *testing.T) {
	for _, path := range recordedPaths(t) {
		b, err := os.ReadFile(path)
		if err != nil || !(&Scanner{}).Detect(b[:min(len(b), 8192)]) {
			t.Errorf("%s: not detected, %v", path, err)
		}
	}
	for _, other := range []string{"", "<nmaprun>", "{}", `[{"host":"a","port":"1"}]`, `{"vulnerabilities":[]}`, "- text", `"Host","Port"`} {
		if (&Scanner{}).Detect([]byte(other)) {
			t.Errorf("%q detected", other)
		}
	}
}

// checks are what a report's observations say, by host.
func checks(t *testing.T, raw string) (out []string, events []finding.Event, err error) {
	t.Helper()
	events, err = scantest.Read(t, &Scanner{}, []byte(raw))
	for _, e := range events {
		if o := e.Observation; o != nil {
			out = append(out, fmt.Sprint(o.Address, o.HostName, ":", o.Port, " ", o.Check, " ", o.Severity, " ", o.CVEs))
		}
	}
	return out, events, err
}

func TestTheSameScanSaysTheSameInXMLAndJSON(t *testing.T) {
	all := map[string]map[string]bool{}
	for _, path := range []string{"testdata/run-2.6.1.xml", "testdata/run-2.6.1.json"} {
		b, _ := os.ReadFile(path)
		got, _, err := checks(t, string(b))
		if err != nil {
			t.Error(err)
		}
		all[filepath.Ext(path)] = map[string]bool{}
		for _, c := range got {
			all[filepath.Ext(path)][c] = true
		}
	}
	if diff := cmp.Diff(all[".xml"], all[".json"]); diff != "" || len(all[".xml"]) != 9 {
		t.Errorf("%d, -xml +json:\n%s", len(all[".xml"]), diff)
	}
}

func TestScanThatDidNotHappenIsNotClean(t *testing.T) {
	for raw, want := range map[string]error{
		"":    scan.ErrTruncated,
		" \n": scan.ErrTruncated,
		`[{"host":"127.0.0.1","ip":"127.0.0.1","port":"81","server_banner":null,"vulnerabilities":[{"id":"FAIL","method":"GET","msg":"Unable to connect to 127.0.0.1:81.","url":"/"}],"end_time":"2026-11-21 19:36:44 +0000"}]`: ErrNotScanned,
		`"Nikto - v2.6.1/"` + "\n" + `"127.0.0.1","127.0.0.1","81","","","",""` + "\n" + `"127.0.0.1","127.0.0.1","81","","GET","/","Unable to connect to 127.0.0.1:81."` + "\n":                                                ErrNotScanned,
		"]}\n": ErrNotScanned,
		"<?xml version=\"1.0\" ?>\n<!DOCTYPE niktoscan SYSTEM \"docs/nikto.dtd\">\n\n</niktoscan>\n": ErrNotScanned,
		`{"host":"127.0.0.1","ip":"127.0.0.1","port":"81","banner":"x","vulnerabilities":[`:          scan.ErrTruncated,
	} {
		events, err := scantest.Read(t, &Scanner{}, []byte(raw))
		if !errors.Is(err, want) {
			t.Errorf("%.40q: %v, want %v", raw, err, want)
		}
		for _, e := range events {
			if e.Coverage != nil || e.Observation != nil || e.Host != nil && e.Host.Status == "up" {
				t.Errorf("%.40q: %+v", raw, e)
			}
		}
	}
	if fault.KindOf(ErrNotScanned) != fault.KindUnavailable {
		t.Error("a scan that did not happen has no kind")
	}
}

func TestOneHostThatFailsCoversNothingAndTheOtherStays(t *testing.T) {
	raw := `[{"host":"127.0.0.1","ip":"127.0.0.1","port":"81","vulnerabilities":[{"id":"FAIL","msg":"Unable to connect"}],"end_time":"2026-11-21 19:36:44 +0000"},
{"host":"127.0.0.2","ip":"127.0.0.2","port":"80","vulnerabilities":[],"end_time":"2026-11-21 19:36:44 +0000"}]`
	_, events, err := checks(t, raw)
	var said []string
	for _, e := range events {
		switch {
		case e.Host != nil:
			said = append(said, e.Host.Address.String()+" "+e.Host.Status)
		case e.Coverage != nil:
			said = append(said, "covered "+e.Coverage.Address.String()+" "+finding.PrintPorts(e.Coverage.Ports))
		}
	}
	if want := []string{"127.0.0.1 unknown", "127.0.0.2 up", "covered 127.0.0.2 80"}; err != nil || cmp.Diff(want, said) != "" {
		t.Errorf("%q, %v", said, err)
	}
}

func TestPiecesOfARunAreReadOneByOne(t *testing.T) {
	whole, _ := os.ReadFile("testdata/run-2.6.1.xml")
	piece := string(whole)
	count := func(raw string) (observations, coverage int, err error) {
		events, err := scantest.Read(t, &Scanner{}, []byte(raw))
		for _, e := range events {
			if e.Observation != nil {
				observations++
			}
			if e.Coverage != nil {
				coverage++
			}
		}
		return observations, coverage, err
	}
	for _, c := range []struct {
		name, raw              string
		observations, coverage int
		err                    error
	}{
		{"two", piece + finished + "\n" + piece + "\n" + finished + "\n", 18, 2, nil},
		{"one ended", piece + finished + piece + unfinished, 18, 0, scan.ErrTruncated},
		{"one cut", piece[:len(piece)/2] + "\n" + unfinished + "\n" + piece + finished, 12, 0, scan.ErrTruncated},
	} {
		o, n, err := count(c.raw)
		if o != c.observations || n != c.coverage || !errors.Is(err, c.err) {
			t.Errorf("%s: %d observations, %d covered, %v", c.name, o, n, err)
		}
	}
}

func TestPolicyIsWhatWasLookedFor(t *testing.T) {
	for _, c := range []struct{ version, options, name, want string }{
		{"2.6.1", "-h http://127.0.0.1:80/ -p 80 -ask no -nocheck -Format xml -output x.xml -maxtime 1h", "", "nikto 2.6"},
		{"2.5.0", "-h x -Tuning 3 -Plugins a;b -id anna:secret -useproxy http://u:p@proxy/", "www.example.org", "nikto 2.5 id plugins=a;b tuning=3 useproxy host=www.example.org"},
		{"2.6.0", "-host http://192.0.2.1:80/ -Add-header Host:www.example.org -Add-header Authorization:x", "", "nikto 2.6 add-header host=www.example.org"},
		{"2.6.0", "-host http://192.0.2.1:80/ -root /app", "", "nikto 2.6 root=/app"},
		{"", "-h x", "", "nikto of an unknown version"},
	} {
		if got := policyOf(c.version, c.options, c.name); got != c.want {
			t.Errorf("%s: got %q, want %q", c.options, got, c.want)
		}
	}
	long := policyOf("2.6", strings.Repeat("-mutate 1 -x"+strings.Repeat("y", 40)+" ", 100), "")
	if len(long) > 300 || !strings.HasPrefix(long, "nikto 2.6 ") {
		t.Errorf("%d bytes: %s", len(long), long)
	}
}

func TestReportsThatAreNone(t *testing.T) {
	begin := `<niktoscans><niktoscan version="2.6.1" options=""><scandetails targetip="192.0.2.1" targetport="80">`
	for raw, want := range map[string]string{
		"hello":         "begins like none",
		"<nmaprun/>":    "root is <nmaprun>",
		"<html></html>": "HTML report",
		begin + `<item id="1"><description>&xxe;</description></item>`:                                                     "line 1",
		`<!DOCTYPE x [<!ENTITY a "b">]>` + begin + `<item><description>&a;</description></item></scandetails></niktoscan>`: "line 1",
		begin + "</wrong>": "line 1",
		begin + `<item id="1"><description>` + strings.Repeat("x", 5<<20): "larger than",
		`{"host":}`: "want a value",
	} {
		_, err := scantest.Read(t, &Scanner{}, []byte(raw))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", raw, err, want)
		}
	}
}

func TestEncodingsAreOne(t *testing.T) {
	for _, path := range []string{"testdata/run-2.5.0.xml", "testdata/run-2.6.1.json", "testdata/run-2.6.1.csv", "testdata/run-2.6.1.txt"} {
		b, _ := os.ReadFile(path)
		want, _, _ := checks(t, string(b))
		wide := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(strings.Replace(string(b), "UTF-8", "UTF-16", 1))) {
			wide = append(wide, byte(u), byte(u>>8))
		}
		for name, raw := range map[string]string{"UTF-16": string(wide), "BOM": "\xef\xbb\xbf" + string(b), "CRLF": strings.ReplaceAll(string(b), "\n", "\r\n")} {
			got, _, err := checks(t, raw)
			if diff := cmp.Diff(want, got); diff != "" || err != nil || len(want) == 0 {
				t.Errorf("%s in %s: %v\n%s", path, name, err, diff)
			}
		}
	}
}

func TestHostileTextStaysText(t *testing.T) {
	raw := `{"host":"-oX\u0000 evil","ip":"192.0.2.1","port":"99999","banner":"","vulnerabilities":[{"id":"../../x","method":"GET / HTTP/1.1\r\nX: y","url":"/` +
		strings.Repeat("a", 20_000) + `","msg":"\u001b[31mred ` + strings.Repeat("CVE-2020-1234 CVE-2020-0001 ", 3000) + `"}]}`
	got, events, err := checks(t, raw)
	if err != nil || len(got) != 1 {
		t.Fatalf("%v %v", got, err)
	}
	for _, e := range events {
		if o := e.Observation; o != nil && (len(o.Check) > 1000 || len(o.Title) > 1000 || strings.ContainsAny(o.Check+o.Title+o.Location, "\x1b\r\n") || len(o.CVEs) != 2 || o.Port != 0) {
			t.Errorf("%+v", o)
		}
		if e.Host != nil && len(e.Host.Names) > 0 {
			t.Errorf("a host is called %q", e.Host.Names)
		}
	}
}

const largeSize = 100 << 20

func size(t *testing.T) int {
	if testing.Short() {
		return 4 << 20
	}
	return largeSize
}

func TestLargeReportsAreStreamed(t *testing.T) {
	text := strings.Repeat("A server may send <b>much</b> text; ", 40)
	scantest.Bounded(t, &Scanner{}, &scantest.Large{Size: size(t),
		Head: `[{"host":"192.0.2.1","ip":"192.0.2.1","port":"80","end_time":"2026-11-21 19:36:44 +0000","vulnerabilities":[`,
		Item: func(n int) string {
			comma := ","
			if n == 0 {
				comma = ""
			}
			return fmt.Sprintf(`%s{"id":"%06d","method":"GET","url":"/%d","msg":"%s"}`, comma, n%10000, n, text)
		}, Tail: "]}]"}, 1, 0)
	scantest.Bounded(t, &Scanner{}, &scantest.Large{Size: size(t),
		Head: `<niktoscans><niktoscan version="2.6.1"><scandetails targetip="192.0.2.1" targetport="80">`,
		Item: func(n int) string {
			return fmt.Sprintf(`<item id="%06d" method="GET"><description><![CDATA[%s]]></description><uri>/%d</uri></item>`, n%10000, text, n)
		}, Tail: `<statistics endtime="2026-11-22 03:56:47"/></scandetails></niktoscan></niktoscans>`}, 1, 0)
	scantest.Bounded(t, &Scanner{}, &scantest.Large{Size: size(t), Head: "\"Nikto - v2.6.1/\"\n\"h\",\"192.0.2.1\",\"80\",\"\",\"\",\"\",\"\"\n",
		Item: func(n int) string {
			return fmt.Sprintf("\"h\",\"192.0.2.1\",\"80\",\"\",\"GET\",\"/%d\",\"%s\"\n", n, text)
		}}, 1, 0)
	scantest.Bounded(t, &Scanner{}, &scantest.Large{Size: size(t), Head: "- Nikto v2.6.1/\n+ Target Host: 192.0.2.1\n+ Target Port: 80\n",
		Item: func(n int) string { return fmt.Sprintf("+ GET /%d: %s\n", n, text) }}, 1, 0)
}

func FuzzRead(f *testing.F) {
	for _, path := range recordedPaths(f) {
		if b, err := os.ReadFile(path); err == nil {
			f.Add(b[:min(len(b), 2000)])
			f.Add(b[max(0, len(b)-1500):])
		}
	}
	f.Add([]byte(`{"host":"h","ip":"::1","port":1,"vulnerabilities":]{"host":"x\'`))
	f.Add([]byte("<niktoscan>" + unfinished + "- Nikto v2\n+ Target Host: x\n+ y"))
	f.Fuzz(func(t *testing.T, raw []byte) { scantest.Read(t, &Scanner{}, raw) })
}
