// Package scantest holds the cases that every scanner's reader must pass: recorded output becomes the expected events,
// cut output its complete part, hostile output an error. It never runs a tool and is imported by tests only.
package scantest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

var update = flag.Bool("update", false, "rewrite golden files")

// Reader is the half of a scan.Scanner or scan.Reader that is tried here.
type Reader interface {
	Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error
}

// Golden reads every report that matches pattern and compares what it becomes with the file beside it, its name plus
// ".golden": one event a line, then the ledger and the error.
func Golden(t *testing.T, s Reader, pattern string) {
	t.Helper()
	for _, path := range reports(t, pattern) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			events, err := Read(t, s, load(t, path))
			got := describe(events, err)
			golden := path + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(strings.Split(string(load(t, golden)), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Truncated cuts every report that matches pattern at many places: the events must be a beginning of the whole
// report's, an incomplete report must say so (scan.ErrTruncated), and must cover nothing that the cut may have taken.
// One that is complete although its last bytes are missing may pass without an error.
func Truncated(t *testing.T, s Reader, pattern string) {
	t.Helper()
	for _, path := range reports(t, pattern) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			whole := load(t, path)
			want, wholeErr := Read(t, s, whole)
			step := max(1, len(whole)/400)
			for n := 0; n < len(whole); n += step {
				got, err := Read(t, s, whole[:n])
				if len(got) > len(want) || cmp.Diff(lines(want)[:len(got)], lines(got)) != "" {
					t.Fatalf("cut at byte %d: other events than the whole report's:\n%s", n, cmp.Diff(lines(want), lines(got)))
				}
				if len(got) < len(want) && err == nil {
					t.Fatalf("cut at byte %d: %d of %d events and no error", n, len(got), len(want))
				}
				if err != nil && !errors.Is(err, scan.ErrTruncated) && wholeErr == nil && len(got) > 0 {
					t.Fatalf("cut at byte %d: %v", n, err)
				}
			}
		})
	}
}

// Read runs s over a report and checks what holds for every report, also for a hostile one: each event is exactly one
// thing, a host comes before what was seen on it, counts are positive, names are canonical, and text is bounded.
func Read(t testing.TB, s Reader, raw []byte) ([]finding.Event, error) {
	t.Helper()
	var events []finding.Event
	known := map[string]bool{}
	err := s.Read(t.Context(), bytes.NewReader(raw), func(e finding.Event) error {
		if problem := check(e, known); problem != "" {
			t.Errorf("event %d: %s\n%s", len(events), problem, line(e))
		}
		events = append(events, e)
		return nil
	})
	return events, err
}

// Stops checks that an error of emit ends the reading and comes back.
func Stops(t *testing.T, s Reader, pattern string) {
	t.Helper()
	enough := errors.New("enough")
	for _, path := range reports(t, pattern) {
		n := 0
		err := s.Read(t.Context(), bytes.NewReader(load(t, path)), func(finding.Event) error { n++; return enough })
		if n > 1 || n == 1 && !errors.Is(err, enough) {
			t.Errorf("%s: %d calls after an error, %v", filepath.Base(path), n, err)
		}
	}
}

// maxText is what a reader may keep of one text; the store keeps 16 KiB of an output.
const maxText = 16 << 10

func check(e finding.Event, known map[string]bool) string {
	switch {
	case e.Host != nil:
		h := e.Host
		if !h.Address.IsValid() && len(h.Names) == 0 {
			return "a host without an address or name"
		}
		known[h.Address.String()] = true
		for _, n := range h.Names {
			known[n] = true
		}
		if !slices.Contains([]string{"up", "down", "unknown"}, h.Status) {
			return "host status " + h.Status
		}
		return firstOf(only(e), checkCPEs(h.CPEs), checkText(h.OS, h.Reason, h.SSHKey))
	case e.Service != nil:
		s := e.Service
		if s.Port == 0 || s.Protocol != "tcp" && s.Protocol != "udp" {
			return "no port"
		}
		if len(s.Banner) > 1024 {
			return "a banner of more than 1 KiB"
		}
		return firstOf(only(e), seen(known, s.Address, s.HostName), checkCPEs(s.CPEs), checkText(s.Name, s.Product, s.Version, s.Extra))
	case e.Observation != nil:
		o := e.Observation
		if o.Check == "" || o.Confidence < 0 || o.Confidence > 100 {
			return "an observation without a check or confidence"
		}
		return firstOf(only(e), seen(known, o.Address, o.HostName), checkText(o.Title, o.Output, o.Location, o.Remedy))
	case e.Coverage != nil && !e.Coverage.Address.IsValid() && e.Coverage.HostName == "":
		return "coverage of no host"
	case e.Coverage != nil:
		return firstOf(only(e), seen(known, e.Coverage.Address, e.Coverage.HostName))
	case e.Statement != nil:
		s := e.Statement
		if s.CVE == 0 || !slices.Contains([]finding.VEXStatus{finding.VEXNotAffected, finding.VEXAffected, finding.VEXFixed, finding.VEXPending}, s.Status) {
			return "a statement without a CVE or status"
		}
		return firstOf(only(e), checkText(append(s.Products, s.Reason, s.Author)...))
	case e.Drop != nil && (e.Drop.Count <= 0 || e.Drop.Reason == ""):
		return "a drop of nothing"
	}
	return only(e)
}

func only(e finding.Event) string {
	n := 0
	for _, set := range []bool{e.Host != nil, e.Service != nil, e.Observation != nil, e.Coverage != nil, e.Drop != nil, e.Statement != nil} {
		if set {
			n++
		}
	}
	if n != 1 {
		return fmt.Sprintf("%d things in one event", n)
	}
	return ""
}

// seen says that a record's host was told of before. One that names no host is the importer's to name.
func seen(known map[string]bool, addr netip.Addr, name string) string {
	if !addr.IsValid() && name == "" {
		return ""
	}
	if addr.IsValid() && !known[addr.String()] || !addr.IsValid() && !known[name] {
		return "its host was not seen before"
	}
	return ""
}

func checkCPEs(cpes []string) string {
	for _, c := range cpes {
		n, err := cpe.Parse(c)
		if err != nil || n.String() != c {
			return fmt.Sprintf("CPE %s is not canonical: %v", c, err)
		}
	}
	return ""
}

func checkText(texts ...string) string {
	for _, text := range texts {
		if len(text) > maxText {
			return "a text of more than 16 KiB"
		}
	}
	return ""
}

func firstOf(problems ...string) string {
	for _, p := range problems {
		if p != "" {
			return p
		}
	}
	return ""
}

// describe prints events, ledger and error.
func describe(events []finding.Event, err error) string {
	records, expanded, informational := 0, 0, 0
	dropped := map[string]int{}
	for _, e := range events {
		records += scan.Records(e)
		switch {
		case e.Observation != nil:
			expanded += max(0, len(e.Observation.CVEs)-1)
		case e.Drop != nil && e.Drop.Informational:
			informational += e.Drop.Count
		case e.Drop != nil:
			dropped[e.Drop.Reason] += e.Drop.Count
		}
	}
	out := lines(events)
	out = append(out, fmt.Sprintf("ledger records %d expanded %d informational %d", records, expanded, informational))
	for _, reason := range slices.Sorted(maps.Keys(dropped)) {
		out = append(out, fmt.Sprintf("dropped %d: %s", dropped[reason], reason))
	}
	return strings.Join(append(out, fmt.Sprintf("error %v", err)), "\n") + "\n"
}

func lines(events []finding.Event) []string {
	out := make([]string, 0, len(events)+4)
	for _, e := range events {
		out = append(out, line(e))
	}
	return out
}

// line prints an event without its empty fields.
func line(e finding.Event) string {
	var kind string
	var v any
	switch {
	case e.Host != nil:
		kind, v = "host", e.Host
	case e.Service != nil:
		kind, v = "service", e.Service
	case e.Observation != nil:
		kind, v = "observation", e.Observation
	case e.Coverage != nil:
		kind, v = "coverage", e.Coverage
	case e.Drop != nil:
		kind, v = "drop", e.Drop
	case e.Statement != nil:
		kind, v = "statement", e.Statement
	}
	raw, _ := json.Marshal(v)
	var fields map[string]any
	json.Unmarshal(raw, &fields)
	maps.DeleteFunc(fields, func(_ string, v any) bool {
		return v == nil || v == "" || v == 0.0 || v == false || v == "0001-01-01T00:00:00Z"
	})
	raw, _ = json.Marshal(fields)
	return kind + " " + string(raw)
}

func reports(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no report matches %s: %v", pattern, err)
	}
	return paths
}

func load(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
