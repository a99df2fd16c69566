package nvd_test

import (
	"context"
	"encoding/json"
	"errors"
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
	"github.com/patchscout/patchscout/internal/feed/nvd"
	"github.com/patchscout/patchscout/internal/intel"
)

var update = flag.Bool("update", false, "rewrite golden files")

// collector keeps what a reader gives.
type collector struct {
	feed.Nothing
	records  []*cve.Record
	rejected []string
	full     error // what CVE answers
}

func (c *collector) CVE(r *cve.Record) error     { c.records = append(c.records, r); return c.full }
func (c *collector) KEV(intel.KEV) error         { return errors.New("no KEV here") }
func (c *collector) EPSS(intel.EPSS) error       { return errors.New("no EPSS here") }
func (c *collector) Exploit(intel.Exploit) error { return errors.New("no exploit here") }
func (c *collector) Reject(place, reason string) { c.rejected = append(c.rejected, place+": "+reason) }
func (c *collector) read(text string) error      { return c.readAs("nvdcve-2.0-2024.json", text) }
func (c *collector) readAs(name, text string) error {
	return nvd.Reader{}.Read(context.Background(), feed.File{Feed: "nvd", Name: name}, strings.NewReader(text), c)
}

func TestReadKeepsEveryFact(t *testing.T) {
	text, err := os.ReadFile("testdata/facts.json")
	if err != nil {
		t.Fatal(err)
	}
	var c collector
	if err := c.readAs("facts.json", "\xef\xbb\xbf"+string(text)); err != nil {
		t.Fatal(err)
	}
	if len(c.rejected) > 0 {
		t.Errorf("rejected: %v", c.rejected)
	}
	got, err := json.MarshalIndent(c.records, "", "  ")
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

	var slow collector
	r := iotest.OneByteReader(strings.NewReader(string(text)))
	if err := (nvd.Reader{}).Read(context.Background(), feed.File{Name: "facts.json"}, r, &slow); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.records, slow.records); diff != "" {
		t.Errorf("a byte at a time reads differently: %s", diff)
	}
}

// list makes a file of the given cve members.
func list(cves ...string) string {
	var b strings.Builder
	for i, text := range cves {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"cve":%s}`, text)
	}
	return `{"vulnerabilities":[` + b.String() + `]}`
}

func TestOneBadRecordIsRejectedAndTheFileGoesOn(t *testing.T) {
	for _, c := range []struct{ bad, want string }{
		{`{"id":"CVE-20X4-1"}`, " id, byte 76: malformed CVE id"},
		{`{"sourceIdentifier":"x"}`, ", byte 83: record without a CVE id"},
		{`{"id":"CVE-2024-0002","published":"yesterday"}`, " (CVE-2024-0002) published, byte 103: malformed time"},
		{`{"id":"CVE-2024-0002","published":"2024-02-30T00:00:00.000"}`, " (CVE-2024-0002) published, byte 117: malformed time"},
		{`{"id":"CVE-2024-0002","descriptions":"text"}`, " (CVE-2024-0002) descriptions, byte 95: want an array"},
		{`{"id":"CVE-2024-0002","metrics":{"cvssMetricV31":[{"cvssData":{"baseScore":11}}]}}`,
			" (CVE-2024-0002) metrics, byte 137: CVSS score outside 0 to 10"},
		{`{"id":"CVE-2024-0002","configurations":[{"nodes":[{"operator":"XOR"}]}]}`,
			" (CVE-2024-0002) configurations, byte 125: operator is neither AND nor OR"},
		{`{"id":"CVE-2024-0002","configurations":[{"nodes":[{"cpeMatch":[{"criteria":"cpe:2.3:a:b:c:1:*:*:*:*:*:*:*"}]}]}]}`,
			" (CVE-2024-0002) configurations, byte 165: CPE match without a CPE name or without vulnerable"},
		{`{"id":"CVE-2024-0002","references":[{"url":"https://example.org/` + "\x00" + `"}]}`,
			" (CVE-2024-0002) references, byte 122: control character in a string"},
		{`{"id":"CVE-2024-0002","descriptions":[{"lang":"en","value":"` + strings.Repeat("x", 3<<20) + `"}]}`,
			" (CVE-2024-0002) descriptions, byte 2097269: string is too long"},
		{`{"id":"CVE-2024-0002","configurations":` + strings.Repeat(`[{"nodes":`, 90) + `[]` + strings.Repeat(`}]`, 90) + `}`,
			" (CVE-2024-0002) configurations, byte 397: nested too deep"},
		{`{"id":"CVE-2024-0002" "published":null}`, " (CVE-2024-0002) id, byte 80: want a comma or the end of an object or array"},
	} {
		var got collector
		if err := got.read(list(`{"id":"CVE-2024-0001"}`, c.bad, `{"id":"CVE-2024-0003"}`)); err != nil {
			t.Errorf("%.100s: %v", c.bad, err)
			continue
		}
		if len(got.records) != 2 || got.records[0].ID.String() != "CVE-2024-0001" || got.records[1].ID.String() != "CVE-2024-0003" {
			t.Errorf("%.100s: the other records are %v", c.bad, got.records)
		}
		if diff := cmp.Diff([]string{"nvdcve-2.0-2024.json record 2" + c.want}, got.rejected); diff != "" {
			t.Errorf("%.100s: %s", c.bad, diff)
		}
	}
}

func TestBrokenFileIsAnErrorThatNamesThePlace(t *testing.T) {
	whole := list(`{"id":"CVE-2024-0001"}`, `{"id":"CVE-2024-0002"}`)
	for _, c := range []struct{ name, text, want string }{
		{"truncated", whole[:len(whole)-12], "read nvdcve-2.0-2024.json at record 2: the file breaks off at byte 71"},
		{"truncated between", whole[:len(whole)-2], "read nvdcve-2.0-2024.json at record 2: the file breaks off at byte 81"},
		{"empty", " \n", "nvdcve-2.0-2024.json: the file is empty"},
		{"HTML", "\n<!DOCTYPE html><html>Log in", "nvdcve-2.0-2024.json: an HTML or XML page, not the feed (a login or error page?)"},
		{"other JSON", `{"message":"Invalid apiKey"}`, "nvdcve-2.0-2024.json: no list of vulnerabilities in it, this is no NVD 2.0 file"},
		{"two documents", whole + whole, "read nvdcve-2.0-2024.json at record 2: text after the end of the document at byte 83"},
		{"still compressed", "\x1f\x8b\x08", "nvdcve-2.0-2024.json: compressed twice"},
	} {
		var got collector
		err := got.read(c.text)
		if err == nil || err.Error() != c.want || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestSinkAndContextStopTheFile(t *testing.T) {
	full := errors.New("disk full")
	c := collector{full: full}
	if err := c.read(list(`{"id":"CVE-2024-0001"}`, `{"id":"CVE-2024-0002"}`)); !errors.Is(err, full) || len(c.records) != 1 {
		t.Errorf("error %v after %d records", err, len(c.records))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := nvd.Reader{}.Read(ctx, feed.File{Name: "x.json"}, strings.NewReader(list(`{"id":"CVE-2024-0001"}`)), &c)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func FuzzRead(f *testing.F) {
	text, err := os.ReadFile("testdata/facts.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(list(`{"id":"CVE-2024-1"}`, `{"id":7}`, `null`))
	f.Add(`{"vulnerabilities":[{"cve":{"id":"CVE-2024-1","configurations":[{"children":[{"children":[{}]}]}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var c collector
		err := c.read(text)
		for _, r := range c.records {
			if r.ID == 0 {
				t.Error("record without id")
			}
		}
		if err != nil && fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("error of kind %q: %v", fault.KindOf(err), err)
		}
	})
}
