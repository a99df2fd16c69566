package nessus

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
	"github.com/patchscout/patchscout/internal/scan/scantest"
)

var reader = &Scanner{}

func TestReportsBecomeTheExpectedEvents(t *testing.T) {
	scantest.Golden(t, reader, "testdata/*.nessus")
	scantest.Golden(t, reader, "testdata/*.csv")
}

func TestCutReportsGiveTheirCompletePartAndCoverNothing(t *testing.T) {
	scantest.Truncated(t, reader, "testdata/*.nessus")
}

func TestErrorOfTheCallerEndsTheReading(t *testing.T) {
	scantest.Stops(t, reader, "testdata/*.nessus")
	scantest.Stops(t, reader, "testdata/*.csv")
}

// A cut at the end of a row cannot be seen. Elsewhere it is said, and up to the row that was cut nothing changes.
func TestCutTableKeepsTheRowsBefore(t *testing.T) {
	paths, _ := filepath.Glob("testdata/*.csv")
	for _, path := range paths {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := scantest.Read(t, reader, whole)
		for n := bytes.IndexByte(whole, '\n') + 2; n < len(whole); n += 7 {
			got, err := scantest.Read(t, reader, whole[:n])
			if err != nil && !errors.Is(err, scan.ErrTruncated) {
				t.Fatalf("%s cut at %d: %v", path, n, err)
			}
			if len(got) > len(want) {
				t.Fatalf("%s cut at %d: %d events of %d", path, n, len(got), len(want))
			}
		}
	}
}

func TestEveryDialectIsRecognisedAndNothingElse(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.[cn]s*")
	for _, path := range files {
		if strings.HasSuffix(path, ".golden") {
			continue
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if head, _ := intake.Head(bytes.NewReader(raw)); !reader.Detect(head) {
			t.Errorf("%s is not recognised", path)
		}
	}
	for _, other := range []string{
		"", "<", "<?xml version=\"1.0\"?><nmaprun>", "<!-- <NessusClientData_v2> --><report>", "ID,Name,Severity,Host\n", "Plugin ID,Name\n",
		"{\"a\":1}", "IP,Hostname,Port,Port Protocol,CVSS,Severity,Solution Type,NVT Name,Summary\n", "Plugin,Version\nx,1\n",
	} {
		if reader.Detect([]byte(other)) {
			t.Errorf("%q is taken for a Nessus report", other)
		}
	}
}

func TestAllCVEsOfAnItemAreKept(t *testing.T) {
	for _, path := range []string{"testdata/network-10.8.nessus", "testdata/tenable-sc.csv"} {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		events, err := scantest.Read(t, reader, raw)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, e := range events {
			if e.Observation != nil {
				for _, id := range e.Observation.CVEs {
					found[id.String()] = true
				}
			}
		}
		want := finding.CVEsIn(string(raw))
		for _, id := range want {
			if !found[id.String()] {
				t.Errorf("%s: %s is lost", path, id)
			}
		}
		if len(want) < 2 {
			t.Errorf("%s names %d CVEs", path, len(want))
		}
	}
}

func TestEncodingsGiveTheSameEvents(t *testing.T) {
	for _, path := range []string{"testdata/network-10.8.nessus", "testdata/classic.csv"} {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := scantest.Read(t, reader, raw)
		for name, coded := range map[string][]byte{
			"byte order mark": append([]byte("\xef\xbb\xbf"), raw...), "UTF-16LE": sixteen(raw, binary.LittleEndian), "UTF-16BE": sixteen(raw, binary.BigEndian),
			"CRLF": bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n")),
		} {
			got, err := scantest.Read(t, reader, coded)
			if err != nil || len(got) != len(want) {
				t.Errorf("%s as %s: %d events of %d, %v", path, name, len(got), len(want), err)
			}
		}
	}
}

func sixteen(text []byte, order binary.ByteOrder) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + string(text))) {
		out = append(out, 0, 0)
		order.PutUint16(out[len(out)-2:], unit)
	}
	return out
}

const (
	begin = `<NessusClientData_v2><Policy><policyName>P</policyName></Policy><Report name="r"><ReportHost name="192.0.2.1"><HostProperties>`
	end   = `</ReportHost></Report></NessusClientData_v2>`
	done  = `<tag name="HOST_END">Mon Jul  1 11:40:48 2024</tag></HostProperties>`
	info  = `<ReportItem port="0" svc_name="general" protocol="tcp" severity="0" pluginID="19506"/>`
	weak  = `<ReportItem port="80" svc_name="www" protocol="tcp" severity="2" pluginID="1"/>`
)

func TestOnlyACompleteScanOfAHostCovers(t *testing.T) {
	dead := `<ReportItem port="0" protocol="tcp" severity="0" pluginID="10180"><plugin_output>The remote host is considered as dead - not scanning</plugin_output></ReportItem>`
	died := `<ReportItem port="80" protocol="tcp" severity="0" pluginID="10919"/>`
	in := `<tag name="Credentialed_Scan">true</tag>`
	for _, c := range []struct {
		name, report string
		want         []string
	}{
		{"complete", begin + done + info + weak + end, []string{""}},
		{"logged in", begin + in + done + info + weak + end, []string{"", withLogin}},
		{"did not end", begin + `</HostProperties>` + info + weak + end, nil},
		{"exported with a filter", begin + done + weak + end, nil},
		{"dead", begin + done + info + dead + end, nil},
		{"a port stopped answering", begin + done + info + died + weak + end, nil},
		{"no policy", strings.Replace(begin, "<policyName>P</policyName>", "", 1) + done + info + end, nil},
		{"twice, once not to the end", begin + done + info + `</ReportHost><ReportHost name="192.0.2.1"><HostProperties></HostProperties>` + weak + end, nil},
	} {
		events, err := scantest.Read(t, reader, []byte(c.report))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var got []string
		for _, e := range events {
			if e.Coverage != nil {
				name, _ := strings.CutPrefix(e.Coverage.Policy, (&policy{name: "P"}).identity())
				got = append(got, name)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: covers %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPolicyIsTheSameWhenOnlyThePluginsWereUpdated(t *testing.T) {
	of := func(settings string) string {
		report := `<NessusClientData_v2><Policy><policyName>P</policyName><Preferences><ServerPreferences>` + settings +
			`</ServerPreferences></Preferences></Policy><Report name="r"><ReportHost name="192.0.2.1">` + weak + end
		events, err := scantest.Read(t, reader, []byte(report))
		if err != nil || len(events) != 2 {
			t.Fatal(events, err)
		}
		return events[1].Observation.Policy
	}
	preference := func(name, value string) string {
		return "<preference><name>" + name + "</name><value>" + value + "</value></preference>"
	}
	week1 := of(preference("plugin_set", "1;2") + preference("port_range", "default"))
	week2 := of(preference("plugin_set", "1;2;3") + preference("port_range", "default") + preference("TARGET", "192.0.2.0/24"))
	narrow := of(preference("plugin_set", "1;2;3") + preference("port_range", "80"))
	if week1 != week2 || week1 == narrow || !strings.HasPrefix(week1, "P ") {
		t.Errorf("%q, %q, %q", week1, week2, narrow)
	}
}

func TestConfidenceFollowsFromHowItWasFound(t *testing.T) {
	for _, c := range []struct {
		it   item
		want int
	}{
		{item{exploited: true, kind: "local"}, 99},
		{item{kind: "local", description: "Nessus has not tested for this issue"}, 97},
		{item{family: "Ubuntu Local Security Checks"}, 97},
		{item{kind: "remote", description: "Note that Nessus has not\n tested for this issue but has instead relied"}, 80},
		{item{kind: "remote", description: "Nessus was able to log in with a default password."}, 98},
		{item{kind: "remote"}, 90},
	} {
		if got := c.it.confidence(); got != c.want {
			t.Errorf("%+v: %d, want %d", c.it, got, c.want)
		}
	}
}

func TestHostileReportsAreErrorsOrDrops(t *testing.T) {
	for name, c := range map[string]struct{ report, want string }{
		"external entity": {`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + strings.Replace(begin, `name="r"`, `name="&x;"`, 1) + done + end, "entity"},
		"entity bomb":     {`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><NessusClientData_v2><Report><ReportHost name="a"><ReportItem pluginID="1" severity="2" port="0"><description>&b;</description></ReportItem>` + end, "entity"},
		"deep":            {"<NessusClientData_v2>" + strings.Repeat("<a>", 1000), "nested"},
		"version 1":       {"<NessusClientData><Report/></NessusClientData>", "version 2"},
		"no hosts":        {`<NessusClientData_v2><Report name="r"></Report></NessusClientData_v2>`, "no host"},
		"other table":     {"a,b,c\n1,2,3\n", "not a table of Nessus"},
		"other XML":       {"<nmaprun/>", "not a nessus report"},
	} {
		_, err := scantest.Read(t, reader, []byte(c.report))
		if err == nil || !strings.Contains(err.Error(), c.want) || fault.KindOf(err) == fault.KindInternal {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	names := begin + "<tag name=\"host-ip\">not-an-address</tag><tag name=\"host-fqdn\">../../etc\x01; rm</tag><tag name=\"cpe-0\">cpe:/o:&lt;script&gt;</tag>" + done +
		"<ReportItem port=\"80\" protocol=\"tcp\" severity=\"9\" pluginID=\"7\" pluginName=\"\x00&#x1;" + strings.Repeat("n", 1<<20) + "\"><cve>CVE-0000-1</cve><cve>CVE-2024-0001</cve><plugin_output>" +
		strings.Repeat("o", 1<<20) + "\xff</plugin_output></ReportItem>" + end
	events, err := scantest.Read(t, reader, []byte(names))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if o := e.Observation; o != nil && (len(o.CVEs) != 1 || len(o.Title) > maxShort) {
			t.Errorf("%d CVEs, title of %d bytes", len(o.CVEs), len(o.Title))
		}
	}
}

func TestLargeReportsAreReadInBoundedMemory(t *testing.T) {
	size := 100 << 20
	if testing.Short() {
		size = 8 << 20
	}
	scantest.Bounded(t, reader, large(size), 1, 0)
	scantest.Bounded(t, reader, largeTable(size), 1, 0)
}

func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.[cn]s*")
	for _, path := range files {
		if raw, err := os.ReadFile(path); err == nil && !strings.HasSuffix(path, ".golden") {
			f.Add(raw)
		}
	}
	f.Add([]byte(begin + done + info + weak + end))
	f.Fuzz(func(t *testing.T, raw []byte) {
		head, _ := intake.Head(bytes.NewReader(raw))
		reader.Detect(head)
		_, _ = scantest.Read(t, reader, raw) // an error is as good as events, a panic is not
	})
}
