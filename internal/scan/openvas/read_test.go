package openvas

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestReportsBecomeEvents(t *testing.T) {
	scantest.Golden(t, &Scanner{}, "testdata/*.xml")
	scantest.Golden(t, &Scanner{}, "testdata/*.csv")
}

func TestTruncatedReportsKeepTheirCompletePart(t *testing.T) {
	scantest.Truncated(t, &Scanner{}, "testdata/*.xml")
}

// A table that is cut behind a row looks like a shorter one: anywhere else it must say that it is cut.
func TestATableThatIsCutWithinARowSaysSo(t *testing.T) {
	whole, err := os.ReadFile("testdata/csv-2.csv")
	if err != nil {
		t.Fatal(err)
	}
	all, _ := scantest.Read(t, &Scanner{}, whole)
	for n := range whole {
		got, err := scantest.Read(t, &Scanner{}, whole[:n])
		_, uneven := csv.NewReader(bytes.NewReader(whole[:n])).ReadAll()
		if err == nil && uneven != nil || err != nil && !errors.Is(err, scan.ErrTruncated) && len(got) > 0 {
			t.Errorf("cut at byte %d: %d of %d events, %v", n, len(got), len(all), err)
		}
		if len(got) == 0 {
			continue
		}
		if diff := cmp.Diff(all[:len(got)], got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Fatalf("cut at byte %d: other events:\n%s", n, diff)
		}
	}
}

func TestReadingStopsWhenTold(t *testing.T) {
	scantest.Stops(t, &Scanner{}, "testdata/*.xml")
	scantest.Stops(t, &Scanner{}, "testdata/*.csv")
}

func TestTheEncodingChangesNothing(t *testing.T) {
	for _, pair := range [][2]string{{"omp-7.xml", "omp-7-utf16.xml"}, {"csv-1.csv", "csv-utf16.csv"}, {"csv-2.csv", "csv-semicolon.csv"}} {
		if diff := cmp.Diff(golden(t, pair[0]), golden(t, pair[1])); diff != "" {
			t.Errorf("%s and %s:\n%s", pair[0], pair[1], diff)
		}
	}
}

func golden(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".golden")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReportsAreKnownByTheirHead(t *testing.T) {
	paths, _ := filepath.Glob("testdata/*.[xc][ms][lv]")
	s := &Scanner{}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		head, _ := headOf(f)
		if !s.Detect(head) {
			t.Errorf("%s is not known", path)
		}
	}
	for _, other := range []string{"", "IP,Host", "<report>", `<report name="jacoco"><package>`, `<?xml version="1.0"?><nmaprun scanner="nmap">`, "IP,Port,Name\n",
		`{"report":1}`, "<NessusClientData_v2><Report name='nvt oid'>", "<html>nvt oid", `<!DOCTYPE report PUBLIC "-//JACOCO//DTD"><report name="x">`,
		"<issues burpVersion='2'><!-- nvt name -->"} {
		if s.Detect([]byte(other)) {
			t.Errorf("%q is taken for ours", other)
		}
	}
}

// wrap makes a whole report of results and what follows them.
func wrap(results, rest string) string {
	return `<report id="1" format_id="x"><report id="1"><gmp><version>22.4</version></gmp><filters><term>levels=chml</term></filters>` +
		`<scan_run_status>Done</scan_run_status><task id="7"><name>t</name></task><scan_start>2024-01-01T00:00:00Z</scan_start>` +
		`<results start="1" max="-1">` + results + `</results>` + rest + `<scan_end>2024-01-01T01:00:00Z</scan_end></report></report>`
}

const plainResult = `<result id="1"><host>192.0.2.1</host><port>80/tcp</port><nvt oid="1.2.3"><name>n</name></nvt><severity>5.0</severity></result>`
const ended = `<host><ip>192.0.2.1</ip><end>2024-01-01T00:30:00Z</end></host>`

func coverage(t *testing.T, raw string) []finding.Coverage {
	t.Helper()
	events, err := scantest.Read(t, &Scanner{}, []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	var out []finding.Coverage
	for _, e := range events {
		if e.Coverage != nil {
			out = append(out, *e.Coverage)
		}
	}
	return out
}

func TestOnlyAWholeLookCovers(t *testing.T) {
	whole := wrap(plainResult, ended)
	if got := coverage(t, whole); len(got) != 1 || got[0].Policy != "task 7 filter levels=chlm" || got[0].Address.String() != "192.0.2.1" {
		t.Fatalf("a whole report covers %v", got)
	}
	for name, raw := range map[string]string{
		"stopped":              strings.Replace(whole, "Done", "Stopped", 1),
		"interrupted":          strings.Replace(whole, "Done", "Interrupted", 1),
		"running":              strings.Replace(whole, "Done", "Running", 1),
		"host without an end":  wrap(plainResult, strings.Replace(ended, "2024-01-01T00:30:00Z", "", 1)),
		"no host element":      wrap(plainResult, ""),
		"a later page":         strings.Replace(whole, `start="1"`, `start="11"`, 1),
		"the first page":       wrap(plainResult, "<result_count>9<full>9</full><filtered>9</filtered></result_count>"+ended),
		"a check timed out":    wrap(plainResult, ended+`<errors><error><host>192.0.2.1<asset/></host><description>timed out</description></error></errors>`),
		"an error as a result": wrap(plainResult+strings.Replace(plainResult, "5.0", "-3.0", 1), ended),
		"a silent host":        wrap("", ended),
		"a dead host":          wrap("", strings.Replace(ended, "<end>", "<detail><name>Host dead</name><value>1</value></detail><end>", 1)),
		"no task":              strings.Replace(whole, `<task id="7">`, "<task>", 1),
		"delta":                strings.Replace(whole, `<report id="1">`, `<report id="1" type="delta">`, 1),
	} {
		if got := coverage(t, raw); len(got) != 0 {
			t.Errorf("%s covers %v", name, got)
		}
	}
}

func TestAnotherFilterIsAnotherPolicy(t *testing.T) {
	same := [][2]string{{"levels=hml rows=10 first=1 sort=name", "levels=lmh rows=-1"}, {"min_qod=70 levels=h", "levels=h min_qod=70 notes=1"}}
	for _, p := range same {
		if a, b := policyOf("", "", "t", p[0]), policyOf("", "", "t", p[1]); a != b {
			t.Errorf("%q and %q differ for filters that show the same", a, b)
		}
	}
	for _, p := range [][2]string{{"levels=hml", "levels=h"}, {"min_qod=70", "min_qod=30"}, {"", "host=192.0.2.1"}} {
		if a, b := policyOf("", "", "t", p[0]), policyOf("", "", "t", p[1]); a == b {
			t.Errorf("%q for filters that show different things", a)
		}
	}
	if p := policyOf("", "", "t", strings.Repeat("severity>7 ", 100)); len(p) > 300 {
		t.Errorf("a policy of %d bytes", len(p))
	}
}

func TestManyCVEsInOneFieldStayWhole(t *testing.T) {
	var ids []string
	for n := range 2500 {
		ids = append(ids, fmt.Sprintf("CVE-2024-%d", 10000+n))
	}
	list := strings.Join(ids, ",")
	table := "IP,NVT OID,CVEs,Severity\n192.0.2.1,1.2.3,\"" + list + "\",High\n"
	old := wrap(strings.Replace(plainResult, "<name>n</name>", "<cve>"+list+"</cve>", 1), "")
	for _, raw := range []string{table, old} {
		events, err := scantest.Read(t, &Scanner{}, []byte(raw))
		if err != nil || len(events) < 2 || events[1].Observation == nil || len(events[1].Observation.CVEs) != 2500 {
			t.Errorf("%v, %d events", err, len(events))
		}
	}
}

func TestTheSolutionBehindALongInsightIsKept(t *testing.T) {
	raw := wrap(strings.Replace(plainResult, "<name>n</name>", "<tags>insight="+strings.Repeat("flaw, ", 10000)+"|solution=Upgrade|impact=x</tags>", 1), "")
	events, err := scantest.Read(t, &Scanner{}, []byte(raw))
	if err != nil || events[1].Observation.Remedy != "Upgrade" {
		t.Fatalf("%v %v", err, events)
	}
}

func TestOneRecordIsOneEvent(t *testing.T) {
	for _, c := range []struct{ result, want string }{
		{plainResult, "observation"},
		{strings.Replace(plainResult, "5.0", "0.0", 1), "informational: " + reasonLog},
		{strings.Replace(plainResult, "5.0", "-1.0", 1), reasonFalsePositive},
		{strings.Replace(plainResult, "5.0", "-99.0", 1), reasonError},
		{strings.Replace(plainResult, "192.0.2.1", "", 1), reasonNoHost},
		{strings.Replace(plainResult, "192.0.2.1", "<b/>", 1), reasonNoHost},
		{strings.Replace(plainResult, "192.0.2.1", "a b", 1), reasonBadHost},
		{"<result/>", reasonNoHost},
		{"<result><host>192.0.2.1</host></result>", reasonNoCheck},
		{"<result><host>192.0.2.1</host><threat>Log</threat></result>", "informational: " + reasonLog},
		{"<result><host>192.0.2.1</host><name>only a name</name></result>", "observation"},
	} {
		events, err := scantest.Read(t, &Scanner{}, []byte(wrap(c.result, "")))
		if err != nil {
			t.Fatal(err)
		}
		n, got := 0, ""
		for _, e := range events {
			if scan.Records(e) > 0 {
				n += scan.Records(e)
				got = kind(e)
			}
		}
		if n != 1 || got != c.want {
			t.Errorf("%s\nbecomes %d records, %q, want %q", c.result, n, got, c.want)
		}
	}
}

func kind(e finding.Event) string {
	switch {
	case e.Observation != nil:
		return "observation"
	case e.Drop.Informational:
		return "informational: " + e.Drop.Reason
	}
	return e.Drop.Reason
}

func TestOutputTellsTheRest(t *testing.T) {
	raw := wrap(strings.Replace(plainResult, "</result>", "<description>Installed version: 1.3.2\n  Fixed version:     1.6.3\nInstallation\npath / port:       /app/jquery.js</description></result>", 1)+
		`<result><host>192.0.2.1</host><port>general/tcp</port><nvt oid="CVE-2021-26690"/><severity>7.5</severity><description>The host carries the product: cpe:/a:apache:http_server:2.4.7
It is vulnerable according to: CVE-2021-26690.
The product was found at: 80/tcp.</description></result>`, "")
	events, err := scantest.Read(t, &Scanner{}, []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if o := events[1].Observation; o.FixedIn != "1.6.3" || o.Location != "/app/jquery.js" {
		t.Errorf("fixed in %q, at %q", o.FixedIn, o.Location)
	}
	if o := events[2].Observation; o.Port != 80 || o.Protocol != "tcp" || len(o.CVEs) != 1 {
		t.Errorf("%+v", o)
	}
}

func TestAResultAloneIsAReport(t *testing.T) {
	for _, raw := range []string{plainResult, "<results>" + plainResult + "</results>", "<get_results_response status='200'>" + plainResult + "</get_results_response>"} {
		if events, err := scantest.Read(t, &Scanner{}, []byte(raw)); err != nil || len(events) != 2 || !(&Scanner{}).Detect([]byte(raw)) {
			t.Errorf("%s: %d events, %v", raw, len(events), err)
		}
	}
}

func TestPorts(t *testing.T) {
	for text, want := range map[string]string{"512/tcp": "tcp 512", "53/udp": "udp 53", "https (443/tcp)": "tcp 443", "general/tcp": " 0",
		"general/CPE-T": " 0", "general/icmp": " 0", "package": " 0", "": " 0", "70000/tcp": " 0", "0/tcp": " 0", "cpe:/a:x:y:1/2/tcp": " 0"} {
		protocol, port := portOf(text)
		if got := fmt.Sprintf("%s %d", protocol, port); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestHostileReportsAreRefusedOrCut(t *testing.T) {
	big := strings.Repeat("A", 10<<20)
	for name, raw := range map[string]string{
		"external entity": `<!DOCTYPE report [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + wrap(strings.Replace(plainResult, "<name>n", "<name>&x;", 1), ""),
		"entity bomb":     `<!DOCTYPE report [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>` + wrap(strings.Replace(plainResult, "<name>n", "<name>&b;", 1), ""),
		"huge text":       wrap(strings.Replace(plainResult, "<name>n", "<name>"+big, 1), ""),
		"deep":            wrap(strings.Repeat("<results>", 1000), ""),
		"endless record":  wrap("<result>"+strings.Repeat("<a>"+strings.Repeat("b", 1000)+"</a>", 40000)+"</result>", ""),
		"other root":      `<html><report format_id="1"/></html>`,
		"wrong nesting":   "<report format_id='1'><results></report></results>",
	} {
		if _, err := scantest.Read(t, &Scanner{}, []byte(raw)); err == nil || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	names := wrap(strings.NewReplacer("<name>n", "<name>\x00\x1b[31m\xff&#x1;"+strings.Repeat("é", 5000), "192.0.2.1", "192.0.2.1<hostname>$(reboot); </hostname>",
		"1.2.3", "1.2.3&quot;&#10;evil").Replace(plainResult), `<host><ip>-rf</ip></host><host><ip>192.0.2.1</ip><detail><name>App</name><value>cpe:/a:%00</value></detail></host>`)
	events, err := scantest.Read(t, &Scanner{}, []byte(names))
	if err != nil {
		t.Fatal(err)
	}
	o := events[1].Observation
	if len(o.Title) > maxTitle || strings.ContainsAny(o.Title+o.Check, "\x00\x1b\n") || len(events[0].Host.Names) != 0 {
		t.Errorf("%q %q %v", o.Title[:40], o.Check, events[0].Host.Names)
	}
	if events, err := scantest.Read(t, &Scanner{}, []byte("IP,NVT OID,Specific Result\n192.0.2.1,1.2.3,\""+big+"\"\n")); err != nil || len(events[1].Observation.Output) > 16<<10 {
		t.Errorf("a field of 10 MB: %v", err)
	}
}

func TestAFileThatIsNoReportSaysSo(t *testing.T) {
	for _, raw := range []string{"hello", "a,b,c\n1,2,3\n", "IP,Port\n1,2\n"} {
		if _, err := scantest.Read(t, &Scanner{}, []byte(raw)); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q: %v", raw, err)
		}
	}
	if _, err := scantest.Read(t, &Scanner{}, nil); !errors.Is(err, scan.ErrTruncated) {
		t.Errorf("an empty file: %v", err)
	}
}

func TestARowWithTooFewFieldsIsCountedOrCutOff(t *testing.T) {
	events, err := scantest.Read(t, &Scanner{}, []byte("IP,NVT OID,Severity\n192.0.2.1\n192.0.2.1,1.2.3,High\n"))
	if err != nil || len(events) != 3 || events[0].Drop == nil || events[0].Drop.Reason != reasonShort {
		t.Errorf("%v %v", events, err)
	}
	if _, err := scantest.Read(t, &Scanner{}, []byte("IP,NVT OID,Severity\n192.0.2.1,1.2.3,High\n192.0.2.1,1.2")); !errors.Is(err, scan.ErrTruncated) {
		t.Errorf("a last row that is cut off: %v", err)
	}
}

// repeat is a report of n results without holding it.
func repeat(head, one, tail string, n int) io.Reader {
	readers := make([]io.Reader, 0, n+2)
	readers = append(readers, strings.NewReader(head))
	for range n {
		readers = append(readers, strings.NewReader(one))
	}
	return io.MultiReader(append(readers, strings.NewReader(tail))...)
}

func TestAHundredMegabytesAreReadInLittleMemory(t *testing.T) {
	size := 100 << 20
	if testing.Short() {
		size = 10 << 20
	}
	one := strings.Replace(plainResult, "</nvt>", "<tags>summary="+strings.Repeat("words of a summary ", 200)+"</tags></nvt>", 1)
	head, tail, _ := strings.Cut(wrap("@", ended), "@")
	row := "192.0.2.1,1.2.3,High,\"" + strings.Repeat("words of a result ", 200) + "\"\n"
	for name, raw := range map[string]io.Reader{
		"XML": repeat(head, one, tail, size/len(one)),
		"CSV": repeat("IP,NVT OID,Severity,Specific Result\n", row, "", size/len(row)),
	} {
		runtime.GC() // what other tests left
		began := time.Now()
		peak, n := uint64(0), 0
		err := (&Scanner{}).Read(context.Background(), raw, func(e finding.Event) error {
			if n += scan.Records(e); n%2000 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse)
			}
			return nil
		})
		t.Logf("%s: %d records, %d MiB at most, %.0f MB/s", name, n, peak>>20, float64(size)/1e6/time.Since(began).Seconds())
		if err != nil || n == 0 || peak > 100<<20 {
			t.Errorf("%s: %d records, %d MiB, %v", name, n, peak>>20, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*.[xc][ms][lv]")
	for _, path := range paths {
		if raw, err := os.ReadFile(path); err == nil {
			f.Add(raw)
		}
	}
	f.Add([]byte(wrap(plainResult, ended)))
	f.Add([]byte("IP,NVT OID,CVEs\n1.1.1.1,2,\"CVE-2020-1234"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		(&Scanner{}).Detect(raw)
		scantest.Read(t, &Scanner{}, raw)
	})
}

func headOf(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, 8<<10))
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if len(b) > 2 && (b[0] == 0xfe || b[0] == 0xff) {
		b = bytes.ReplaceAll(b[2:], []byte{0}, nil)
	}
	return b, err
}
