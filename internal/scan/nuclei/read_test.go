package nuclei

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestRecordedReports(t *testing.T) {
	scantest.Golden(t, &Scanner{}, "testdata/*.jsonl")
	scantest.Golden(t, &Scanner{}, "testdata/*.json")
}

// Lines do not tell where a report ends: only the array is cut here.
func TestTruncatedArray(t *testing.T) { scantest.Truncated(t, &Scanner{}, "testdata/export-v3.json") }

func TestReadStopsOnError(t *testing.T) {
	scantest.Stops(t, &Scanner{}, "testdata/*.jsonl")
	scantest.Stops(t, &Scanner{}, "testdata/*.json")
}

func read(t *testing.T, raw string) (checks, covered []string, err error) {
	t.Helper()
	events, err := scantest.Read(t, &Scanner{}, []byte(raw))
	for _, e := range events {
		if o := e.Observation; o != nil {
			checks = append(checks, fmt.Sprint(o.Address, o.HostName, ":", o.Port, " ", o.Check, " ", o.Severity, " ", o.CVEs))
		}
		if c := e.Coverage; c != nil {
			covered = append(covered, fmt.Sprint(c.Address, " ", finding.PrintPorts(c.Ports), " ", c.Policy))
		}
	}
	return checks, covered, err
}

func load(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDetectKnowsItsOwn(t *testing.T) {
	paths, _ := filepath.Glob("testdata/*.json*")
	for _, path := range paths {
		b := []byte(load(t, path))
		if !strings.HasSuffix(path, ".golden") && !(&Scanner{}).Detect(b[:min(len(b), 8192)]) {
			t.Errorf("%s: not detected", path)
		}
	}
	for _, other := range []string{"", "{}", "[]", `{"version":"2.1.0","runs":[]}`, `{"info":{},"type":"x"}`, "template-id"} {
		if (&Scanner{}).Detect([]byte(other)) {
			t.Errorf("%q detected", other)
		}
	}
}

func TestCutLinesLoseOnlyTheLast(t *testing.T) {
	whole := load(t, "testdata/v2.jsonl")
	want, _, _ := read(t, whole)
	for n := 1; n < len(whole); n++ {
		got, covered, err := read(t, whole[:n])
		if len(got) > len(want) || !slices.Equal(want[:len(got)], got) || len(covered) > 0 {
			t.Fatalf("cut at %d: %q, %q, %v", n, got, want, err)
		}
		if inLine := whole[n] != '\n' && whole[n-1] != '\n'; inLine != errors.Is(err, scan.ErrTruncated) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}

func TestOnlyARunOfOursThatEndedCovers(t *testing.T) {
	ours := load(t, "testdata/ours.jsonl")
	checks, covered, err := read(t, ours)
	want := []string{"192.0.2.10 8080 nuclei templates 0123456789abcdef", "2001:db8::5 8443 nuclei templates 0123456789abcdef",
		"192.0.2.10 8080 nuclei templates 0123456789abcdef host=www.example.org"}
	if err != nil || len(checks) != 1 || cmp.Diff(want, covered) != "" {
		t.Errorf("%v, %q, %s", err, checks, cmp.Diff(want, covered))
	}
	rows := strings.SplitAfter(strings.TrimSpace(ours), "\n")
	for name, raw := range map[string]string{
		"without its end":        strings.Join(rows[:2], ""),
		"the second without end": strings.Join(rows[:4], ""),
		"cancelled":              load(t, "testdata/cancelled.jsonl"),
		"begun twice":            rows[0] + rows[0] + rows[2],
	} {
		if _, covered, err := read(t, raw); !errors.Is(err, scan.ErrTruncated) || len(covered) > 0 {
			t.Errorf("%s: %v, covered %q", name, err, covered)
		}
	}
	for _, raw := range []string{rows[1], rows[1] + rows[2]} {
		if checks, covered, err := read(t, raw); err != nil || len(checks) != 1 || len(covered) > 0 {
			t.Errorf("a report of somebody else's: %v, %q, covered %q", err, checks, covered)
		}
	}
	for _, raw := range []string{"", " \n"} {
		if _, _, err := read(t, raw); !errors.Is(err, scan.ErrTruncated) {
			t.Errorf("an empty report: %v", err)
		}
	}
	if _, _, err := read(t, "[]"); err != nil {
		t.Errorf("an empty array: %v", err)
	}
}

func TestCredentialsAreMasked(t *testing.T) {
	events, _ := scantest.Read(t, &Scanner{}, []byte(load(t, "testdata/v3.jsonl")))
	text := ""
	for _, e := range events {
		if e.Observation != nil {
			text += e.Observation.Output + e.Observation.Location
		}
	}
	for _, secret := range []string{"YW5uYTpzZWNyZXQ", "session=", "anna:secret"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is there:\n%s", secret, text)
		}
	}
	if !strings.Contains(text, "Authorization: ***") || !strings.Contains(text, "root:x:0:0") {
		t.Errorf("the rest is not:\n%s", text)
	}
}

func TestEndpoints(t *testing.T) {
	for text, want := range map[string]string{
		"https://www.Example.org/a?b":  "www.example.org invalid IP 443",
		"http://u:p@192.0.2.1:8080/@x": " 192.0.2.1 8080",
		"192.0.2.1":                    " 192.0.2.1 0",
		"[2001:db8::1]:22":             " 2001:db8::1 22",
		"2001:db8::1":                  " 2001:db8::1 0",
		"https://[::ffff:192.0.2.1]/":  " 192.0.2.1 443",
		"host:99999":                   "host invalid IP 0",
		"a b":                          " invalid IP 0",
		"":                             " invalid IP 0",
	} {
		name, addr, port := endpoint(text)
		if got := fmt.Sprint(name, " ", addr, " ", port); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestEncodingsAreOne(t *testing.T) {
	for _, path := range []string{"testdata/v3.jsonl", "testdata/export-v3.json"} {
		plain := load(t, path)
		want, _, _ := read(t, plain)
		wide := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(plain)) {
			wide = append(wide, byte(u), byte(u>>8))
		}
		for name, raw := range map[string]string{"UTF-16": string(wide), "BOM": "\xef\xbb\xbf" + plain, "CRLF": strings.ReplaceAll(plain, "\n", "\r\n")} {
			if got, _, err := read(t, raw); cmp.Diff(want, got) != "" || err != nil || len(want) < 5 {
				t.Errorf("%s in %s: %v\n%s", path, name, err, cmp.Diff(want, got))
			}
		}
	}
}

func TestHostileTextStaysText(t *testing.T) {
	raw := `{"template-id":"a\u0000b\r\n` + strings.Repeat("x", 9000) + `","info":{"name":["no"],"severity":{"a":1},"reference":5,"classification":[]},"matcher-name":7,"type":null,"host":"192.0.2.1",
"port":-5,"matched-at":"http://192.0.2.1/\u001b[31m` + strings.Repeat("y", 9000) + `","request":{"a":[]},"response":"` + strings.Repeat("z", 10<<20) + `","timestamp":"never","matcher-status":"yes"}`
	got, _, err := read(t, strings.ReplaceAll(raw, "\n", ""))
	if err != nil || len(got) != 1 || len(got[0]) > 2000 || strings.ContainsAny(got[0], "\x1b\r\n\x00") {
		t.Errorf("%.300q, %v", got, err)
	}
	for _, raw := range []string{"hello", `"x"`, "<xml/>"} {
		if _, _, err := read(t, raw); err == nil || !strings.Contains(err.Error(), "not a nuclei report") {
			t.Errorf("%s: %v", raw, err)
		}
	}
	if _, _, err := read(t, `{"a":`+strings.Repeat(`{"a":`, 1000)); err == nil {
		t.Error("half of a deep document is one")
	}
}

func TestLargeReportsAreStreamed(t *testing.T) {
	size := 100 << 20
	if testing.Short() {
		size = 4 << 20
	}
	body := strings.Repeat("<p>hello</p>", 300)
	row := func(n int) string {
		return fmt.Sprintf(`{"template-id":"t-%d","info":{"name":"n","severity":"high","classification":{"cve-id":["CVE-2021-%d"]}},"type":"http","host":"192.0.2.1","matched-at":"http://192.0.2.1/%d","request":"GET / HTTP/1.1","response":"%s","matcher-status":true}`, n%500, 1000+n%9000, n, body)
	}
	scantest.Bounded(t, &Scanner{}, &scantest.Large{Size: size, Item: func(n int) string { return row(n) + "\n" }}, 1, 0)
	scantest.Bounded(t, &Scanner{}, &scantest.Large{Size: size, Head: "[", Tail: "]", Item: func(n int) string {
		if n == 0 {
			return row(n)
		}
		return "," + row(n)
	}}, 1, 0)
}

func FuzzRead(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*.json*")
	for _, path := range paths {
		if b, err := os.ReadFile(path); err == nil && !strings.HasSuffix(path, ".golden") {
			f.Add(b)
			f.Add(bytes.ReplaceAll(b, []byte("\n"), nil))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) { scantest.Read(t, &Scanner{}, raw) })
}
