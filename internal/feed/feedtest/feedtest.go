// Package feedtest keeps what a feed's reader gives, for the tests of readers. It never fetches and is imported by tests
// only.
package feedtest

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
)

// Sink is a feed.Sink that remembers everything in order. The zero value is ready.
type Sink struct {
	CVEs       []*cve.Record
	KEVs       []intel.KEV
	Scores     []intel.EPSS
	Exploits   []intel.Exploit
	SSVCs      []intel.SSVC
	Techniques []intel.Technique
	Tactics    []intel.Tactic
	Mappings   []intel.Mapping
	Weaknesses []intel.Weakness
	Indicators []intel.Indicator
	Rejected   []string // "place: reason"
}

var _ feed.Sink = (*Sink)(nil)

// CVE implements feed.Sink.
func (s *Sink) CVE(r *cve.Record) error { s.CVEs = append(s.CVEs, r); return nil }

// KEV implements feed.Sink.
func (s *Sink) KEV(k intel.KEV) error { s.KEVs = append(s.KEVs, k); return nil }

// EPSS implements feed.Sink.
func (s *Sink) EPSS(e intel.EPSS) error { s.Scores = append(s.Scores, e); return nil }

// Exploit implements feed.Sink.
func (s *Sink) Exploit(e intel.Exploit) error { s.Exploits = append(s.Exploits, e); return nil }

// SSVC implements feed.Sink.
func (s *Sink) SSVC(v intel.SSVC) error { s.SSVCs = append(s.SSVCs, v); return nil }

// Technique implements feed.Sink.
func (s *Sink) Technique(v intel.Technique) error { s.Techniques = append(s.Techniques, v); return nil }

// Tactic implements feed.Sink.
func (s *Sink) Tactic(v intel.Tactic) error { s.Tactics = append(s.Tactics, v); return nil }

// Mapping implements feed.Sink.
func (s *Sink) Mapping(v intel.Mapping) error { s.Mappings = append(s.Mappings, v); return nil }

// Weakness implements feed.Sink.
func (s *Sink) Weakness(v intel.Weakness) error { s.Weaknesses = append(s.Weaknesses, v); return nil }

// Indicator implements feed.Sink.
func (s *Sink) Indicator(v intel.Indicator) error { s.Indicators = append(s.Indicators, v); return nil }

// Reject implements feed.Sink.
func (s *Sink) Reject(place, reason string) { s.Rejected = append(s.Rejected, place+": "+reason) }

// Read has a reader read text as the file of a name.
func (s *Sink) Read(r feed.Reader, name, text string) error {
	return r.Read(context.Background(), feed.File{Feed: r.Feed(), Name: name}, strings.NewReader(text), s)
}

// Golden compares all that the sink holds with a golden file, as JSON without what is empty; update rewrites the file.
func (s *Sink) Golden(t *testing.T, golden string, update bool) {
	t.Helper()
	all := map[string]any{}
	for name, list := range map[string]any{
		"cves": s.CVEs, "kevs": s.KEVs, "scores": s.Scores, "exploits": s.Exploits, "ssvcs": s.SSVCs,
		"techniques": s.Techniques, "tactics": s.Tactics, "mappings": s.Mappings, "weaknesses": s.Weaknesses,
		"indicators": s.Indicators, "rejected": s.Rejected,
	} {
		if text, err := json.Marshal(list); err == nil && string(text) != "null" {
			all[name] = list
		}
	}
	got, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: %s", golden, diff)
	}
}
