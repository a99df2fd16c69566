package intel_test

import (
	"context"
	"encoding/json"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/ctid"
	"github.com/patchscout/patchscout/internal/feed/nvd"
	"github.com/patchscout/patchscout/internal/intel"
)

// record is a CVE with a vector and weaknesses.
func record(vector string, cwes ...string) *cve.Record {
	r := &cve.Record{ID: cve.NewID(2024, 1), CWEs: cwes}
	if vector != "" {
		version := "2.0"
		if rest, ok := strings.CutPrefix(vector, "CVSS:"); ok {
			version, _, _ = strings.Cut(rest, "/")
		}
		r.Metrics = []cve.Metric{{Version: version, Vector: vector, Provider: cve.ProviderNVD}}
	}
	return r
}

// short writes links as "technique kind confidence", the kind by its first letter.
func short(links []intel.TechniqueLink) []string {
	out := []string{}
	for _, l := range links {
		out = append(out, l.Technique+" "+l.Kind[:1])
	}
	return out
}

func TestTechniquesAreDerivedFromWeaknessAndVector(t *testing.T) {
	for _, c := range []struct {
		name, vector, cwe string
		want              []string
	}{
		{"Log4Shell", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "CWE-502", []string{"T1190 e", "T1059 p"}},
		{"Heartbleed", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "CWE-125", []string{"T1190 e", "T1005 p"}},
		{"Heartbleed, as version 2 had it", "AV:N/AC:L/Au:N/C:P/I:N/A:N", "CWE-119", []string{"T1005 p"}},
		{"Dirty COW", "CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:H", "CWE-362", []string{"T1068 e", "T1078 e"}},
		{"a browser", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", "CWE-416", []string{"T1204 e", "T1189 e", "T1203 p"}},
		{"a document reader, in version 2", "(AV:N/AC:M/Au:N/C:C/I:C/A:C)", "CWE-119", []string{"T1204 e", "T1189 e", "T1203 p"}},
		{"stored scripting", "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N", "CWE-79", []string{"T1059.007 p", "T1204.001 e", "T1078 e"}},
		{"no vector", "", "CWE-79", []string{"T1059.007 p", "T1204.001 e"}},
		{"a wrong bypass, version 4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "CWE-288", []string{"T1190 e", "T1059 p"}},
		{"a passive user, version 4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "", []string{"T1204 e"}},
		{"a user of the service", "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "CWE-89", []string{"T1059 p", "T1190 e", "T1078 e"}},
		{"a service that stops", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "CWE-400", []string{"T1190 e", "T1499.004 p"}},
		{"forged requests", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:H/A:N", "CWE-352", []string{"T1204.001 e"}},
		{"an open redirect", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "CWE-601", []string{"T1566.002 e"}},
		{"a phone in the hand", "CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "", []string{}},
		{"nothing known", "", "", []string{}},
		{"an odd vector", "CVSS:3.1/AV/PR:X//:::", "CWE-9999", []string{}},
	} {
		if diff := cmp.Diff(c.want, short(intel.DeriveTechniques(record(c.vector, c.cwe)))); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestARejectedRecordHasNoTechniques(t *testing.T) {
	r := record("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "CWE-502")
	r.Status = "Rejected"
	if intel.RuleBits(r) != 0 || intel.DeriveTechniques(r) != nil || intel.RuleBits(nil) != 0 {
		t.Error(intel.DeriveTechniques(r))
	}
}

func TestPublishedTechniquesComeFirstAndSilenceGuesses(t *testing.T) {
	r := record("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "CWE-502")
	got := intel.Techniques(r, []intel.Mapping{
		{Technique: "T1133", Kind: intel.MappingExploitation, Source: "ctid", Comment: "by VPN"},
		{Technique: "T1133", Kind: intel.MappingExploitation, Source: "ctid", Comment: "again"},
	})
	want := []intel.TechniqueLink{
		{Technique: "T1133", Kind: intel.MappingExploitation, Source: "ctid", Confidence: 100, Reason: "by VPN"},
		{Technique: "T1059", Kind: intel.MappingPrimary, Source: intel.DerivedSource, Confidence: 70, Reason: intel.Rules()[9].Text},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRulesAreNumberedAndSound(t *testing.T) {
	for i, r := range intel.Rules() {
		if r.Bit != uint(i) || r.Bit > 31 || !intel.IsTechniqueID(r.Technique) || r.Confidence < 20 || r.Confidence > 80 || r.Text == "" ||
			r.Kind != intel.MappingExploitation && r.Kind != intel.MappingPrimary {
			t.Errorf("rule %d: %+v", i, r)
		}
	}
	all := intel.RuleBits(record("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "CWE-502"))
	if bits.OnesCount32(all) != 2 || all != 1<<0|1<<9 {
		t.Errorf("bits %b", all)
	}
}

func BenchmarkRuleBits(b *testing.B) {
	r := record("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", "CWE-416", "CWE-787")
	for b.Loop() {
		intel.RuleBits(r)
	}
}

// TestMeasureRules prints for each rule how often CTID agrees, from NVD, KEV and CTID below $FEEDS. It is run by hand;
// docs/techniques.md and the rules' confidence have its figures.
func TestMeasureRules(t *testing.T) {
	dir := os.Getenv("FEEDS")
	if dir == "" {
		t.Skip("FEEDS names no folder of feeds")
	}
	c := collected{mappings: map[cve.ID][]intel.Mapping{}, records: map[cve.ID]*cve.Record{}}
	each(t, filepath.Join(dir, "attack", "kev-*_attack-*-enterprise.json"), ctid.Reader{}, &c)
	each(t, filepath.Join(dir, "nvd", "nvdcve-2.0-*.json.gz"), nvd.Reader{}, &c)
	c.addCWEs(t, filepath.Join(dir, "kev", "known_exploited_vulnerabilities.json"))
	t.Logf("%d CVEs with mappings, %d records of them", len(c.mappings), len(c.records))
	fired := map[uint]int{}
	for _, r := range c.records {
		for _, rule := range intel.Rules() {
			if intel.RuleBits(r)&(1<<rule.Bit) != 0 {
				fired[rule.Bit]++
			}
		}
	}
	for _, rule := range intel.Rules() {
		cases, agree := 0, 0
		for id, r := range c.records {
			if names, ok := c.of(id, rule.Kind); ok && intel.RuleBits(r)&(1<<rule.Bit) != 0 {
				cases++
				if related(rule.Technique, names) {
					agree++
				}
			}
		}
		t.Logf("rule %2d %-9s %-22s %d: fires %d, %d of %d = %.2f", rule.Bit, rule.Technique, rule.Kind, rule.Confidence,
			fired[rule.Bit], agree, cases, float64(agree)/float64(max(1, cases)))
	}
}

// collected is what is known of the CVEs that CTID maps.
type collected struct {
	feed.Nothing
	mappings map[cve.ID][]intel.Mapping
	records  map[cve.ID]*cve.Record
}

func (c *collected) Mapping(m intel.Mapping) error {
	c.mappings[m.CVE] = append(c.mappings[m.CVE], m)
	return nil
}

func (c *collected) CVE(r *cve.Record) error {
	if c.mappings[r.ID] != nil {
		c.records[r.ID] = r
	}
	return nil
}

// addCWEs takes CISA's weaknesses where NVD has none.
func (c *collected) addCWEs(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var kev struct {
		Vulnerabilities []struct {
			CVE  cve.ID `json:"cveID"`
			CWEs []string
		}
	}
	if err := json.Unmarshal(text, &kev); err != nil {
		t.Fatal(err)
	}
	for _, v := range kev.Vulnerabilities {
		if r := c.records[v.CVE]; r != nil && len(r.CWEs) == 0 {
			r.CWEs = v.CWEs
		}
	}
}

// of lists the techniques of one kind.
func (c *collected) of(id cve.ID, kind string) (names []string, ok bool) {
	for _, m := range c.mappings[id] {
		if m.Kind == kind {
			names = append(names, m.Technique)
		}
	}
	return names, names != nil
}

// related says whether the names hold the technique, its parent or a sub-technique of it.
func related(technique string, names []string) bool {
	for _, name := range names {
		if name == technique || strings.HasPrefix(name, technique+".") || strings.HasPrefix(technique, name+".") {
			return true
		}
	}
	return false
}

func each(t *testing.T, pattern string, reader feed.Reader, sink feed.Sink) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		base, zipped := strings.CutSuffix(filepath.Base(name), ".gz")
		file := feed.File{Feed: reader.Feed(), Name: base}
		if zipped {
			z, err := gzip.NewReader(f)
			if err != nil {
				t.Fatal(err)
			}
			err = reader.Read(context.Background(), file, z, sink)
			if err != nil {
				t.Fatal(err)
			}
		} else if err := reader.Read(context.Background(), file, f, sink); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
}

func FuzzDeriveTechniques(f *testing.F) {
	f.Add("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "CWE-502")
	f.Add("AV:N/AC:M/Au:N/C:C/I:C/A:C", "CWE-79")
	f.Fuzz(func(t *testing.T, vector, cwe string) {
		r := record(vector, cwe)
		seen := map[string]bool{}
		for _, l := range intel.DeriveTechniques(r) {
			if seen[l.Technique+l.Kind] || l.Confidence < 20 || l.Source != intel.DerivedSource {
				t.Errorf("%q %q: %+v", vector, cwe, l)
			}
			seen[l.Technique+l.Kind] = true
		}
	})
}
