package priority

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

const (
	openVector  = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	localVector = "CVSS:3.1/AV:L/AC:L/PR:L/UI:R/S:U/C:L/I:N/A:N"
)

// anExploit is one of the kinds that the feeds know.
func anExploit(rng *rand.Rand) intel.Exploit {
	switch rng.IntN(3) {
	case 0:
		return intel.Exploit{Source: "exploitdb", Kind: []string{"remote", "local", "webapps", "dos"}[rng.IntN(4)], Verified: rng.IntN(2) == 0}
	case 1:
		return intel.Exploit{Source: "metasploit", Kind: "exploit", Rank: []string{"excellent", "great", "good", "normal", "low", "manual", ""}[rng.IntN(7)]}
	default:
		return intel.Exploit{Source: "nuclei", Kind: "template"}
	}
}

func TestAnExploitNeverLowersTheEstimate(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		var e Evidence
		if rng.IntN(4) > 0 {
			e.Metric = &cve.Metric{Vector: []string{openVector, localVector, ""}[rng.IntN(3)], Score: float64(rng.IntN(101)) / 10}
		}
		e.CWEs = [][]string{nil, {"CWE-79"}, {"CWE-78"}, {"CWE-787", "CWE-79"}}[rng.IntN(4)]
		before, known := Estimate(e)
		for range 12 {
			e.Exploits = append(slices.Clone(e.Exploits), anExploit(rng))
			after, ok := Estimate(e)
			if !ok || known && after < before {
				t.Fatalf("%v -> %v (%v) by %+v", before, after, ok, e.Exploits[len(e.Exploits)-1])
			}
			before, known = after, true
		}
	}
}

func TestTheEstimateRisesWithWhatAnAttackerGains(t *testing.T) {
	exploit := func(source, kind, rank string) intel.Exploit {
		return intel.Exploit{Source: source, Kind: kind, Rank: rank}
	}
	metric := &cve.Metric{Version: "3.1", Vector: openVector, Score: 9.8}
	rising := []Evidence{
		{Metric: &cve.Metric{Vector: localVector, Score: 2.8}, CWEs: []string{"CWE-200"}},
		{Metric: metric, CWEs: []string{"CWE-89"}},
		{Metric: metric},
		{Metric: metric, CWEs: []string{"CWE-502"}},
		{Metric: metric, CWEs: []string{"CWE-502"}, Exploits: []intel.Exploit{exploit("nuclei", "template", "")}},
		{Metric: metric, CWEs: []string{"CWE-502"}, Exploits: []intel.Exploit{exploit("exploitdb", "remote", "")}},
		{Metric: metric, CWEs: []string{"CWE-502"}, Exploits: []intel.Exploit{exploit("exploitdb", "remote", ""), exploit("metasploit", "exploit", "normal")}},
		{Metric: metric, CWEs: []string{"CWE-502"}, Exploits: []intel.Exploit{exploit("exploitdb", "remote", ""), exploit("metasploit", "exploit", "excellent")}},
	}
	last := 0.0
	for i, e := range rising {
		v, ok := Estimate(e)
		if !ok || v <= last || v >= 1 {
			t.Errorf("step %d: %v after %v", i, v, last)
		}
		last = v
	}
}

func TestEPSSIsTakenWhereItIsKnown(t *testing.T) {
	record := &cve.Record{ID: cve.NewID(2024, 1), Metrics: []cve.Metric{{Version: "3.1", Vector: openVector, Score: 9.8}}}
	facts := intel.Facts{EPSS: &intel.EPSS{Score: 0.0004}, Exploits: []intel.Exploit{{Source: "metasploit", Rank: "excellent"}}}
	v := Assess(Input{Record: record, Facts: facts, Now: date("2026-11-21")})
	if v.LikelihoodSource != FromEPSS || *v.Likelihood != 0.0004 {
		t.Errorf("%v from %s", *v.Likelihood, v.LikelihoodSource)
	}
	facts.EPSS = nil
	v = Assess(Input{Record: record, Facts: facts, Now: date("2026-11-21")})
	if v.LikelihoodSource != FromEstimate || *v.Likelihood < 0.1 || v.EPSS != nil {
		t.Errorf("%v from %s, EPSS %v", v.Likelihood, v.LikelihoodSource, v.EPSS)
	}
}

func TestNothingIsEstimatedFromNothing(t *testing.T) {
	published := cve.Record{ID: cve.NewID(2026, 1), Published: date("2026-11-01"), Description: "A flaw."}
	scored := published
	scored.Metrics = []cve.Metric{{Version: "3.1", Vector: openVector, Score: 9.8}}
	rejected := scored
	rejected.Status = "Rejected"
	exploits := []intel.Exploit{{Source: "exploitdb", Kind: "remote"}}
	for _, c := range []struct {
		name string
		in   Input
		want bool
	}{
		{"a CVE with a description only", Input{Record: &published}, false},
		{"a CVE in KEV without anything else", Input{Record: &published, Facts: intel.Facts{KEV: &intel.KEV{}}}, false},
		{"a withdrawn CVE", Input{Record: &rejected, Facts: intel.Facts{Exploits: exploits}}, false},
		{"a check without a CVE", Input{Vector: openVector, VectorSource: "nuclei"}, false},
		{"a CVE with an assessment", Input{Record: &scored}, true},
		{"a CVE with a weakness", Input{Record: &cve.Record{ID: published.ID, CWEs: []string{"CWE-78"}}}, true},
		{"a CVE that only an exploit names", Input{Facts: intel.Facts{Exploits: exploits}}, true},
		{"a CVE that only a scanner scores", Input{Record: &published, Vector: openVector, VectorSource: "nessus"}, true},
	} {
		v := Assess(c.in)
		if (v.Likelihood != nil) != c.want || (v.LikelihoodSource == FromEstimate) != c.want {
			t.Errorf("%s: %v from %q", c.name, v.Likelihood, v.LikelihoodSource)
		}
	}
}

func TestASlimRecordIsEstimatedLikeAFullOne(t *testing.T) {
	full := &cve.Record{
		ID: cve.NewID(2021, 41773), Published: date("2021-10-05"), Title: "Path traversal", Description: "A flaw was found",
		Metrics: []cve.Metric{
			{Version: "2.0", Vector: "AV:N/AC:M/Au:N/C:P/I:N/A:N", Score: 4.3, Provider: cve.ProviderNVD},
			{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", Score: 7.5, Provider: cve.ProviderNVD},
		},
		CWEs: []string{"CWE-22"}, References: []cve.Reference{{URL: "https://httpd.apache.org/", Tags: []string{"Exploit"}}},
	}
	slim := &cve.Record{ID: full.ID, Published: full.Published, Metrics: full.Metrics[1:], CWEs: full.CWEs}
	facts := intel.Facts{Exploits: []intel.Exploit{{Source: "exploitdb", Kind: "webapps"}}}
	a, b := Assess(Input{Record: full, Facts: facts}), Assess(Input{Record: slim, Facts: facts})
	if *a.Likelihood != *b.Likelihood {
		t.Errorf("full %v, slim %v", *a.Likelihood, *b.Likelihood)
	}
}

func TestWhatIsNotKnownIsNeitherYesNorNo(t *testing.T) {
	at := func(e Evidence) float64 { v, _ := Estimate(e); return v }
	worst, mildest := &cve.Metric{Vector: openVector}, &cve.Metric{Vector: localVector}
	cwe := []string{"CWE-787"}
	if a, b, c := at(Evidence{Metric: mildest, CWEs: cwe}), at(Evidence{CWEs: cwe}), at(Evidence{Metric: worst, CWEs: cwe}); a >= b || b >= c {
		t.Errorf("CVSS mild %v, unknown %v, worst %v", a, b, c)
	}
	if a, b, c := at(Evidence{Metric: worst, CWEs: []string{"CWE-79"}}), at(Evidence{Metric: worst}), at(Evidence{Metric: worst, CWEs: []string{"CWE-78"}}); a >= b || b >= c {
		t.Errorf("seldom %v, unknown %v, code %v", a, b, c)
	}
}

func TestSignalsOfEveryVersionOfCVSS(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		metric cve.Metric
		want   [4]float64 // network, no account, no click, total
	}{
		{cve.Metric{Vector: openVector}, [4]float64{1, 1, 1, 1}},
		{cve.Metric{Vector: "CVSS:3.0/AV:L/AC:L/PR:L/UI:R/S:C/C:H/I:H/A:L"}, [4]float64{0, 0, 0, 0}},
		{cve.Metric{Vector: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}, [4]float64{1, 1, 0, 1}},
		{cve.Metric{Vector: "(AV:N/AC:L/Au:N/C:C/I:C/A:C)"}, [4]float64{1, 1, nan, 1}},
		{cve.Metric{Vector: "AV:N/AC:L/Au:S/C:P/I:P/A:P"}, [4]float64{1, 0, nan, 0}},
		{cve.Metric{Vector: "CVSS:3.1/AV:N/AV:L/C:H"}, [4]float64{1, nan, nan, nan}},
		{cve.Metric{Score: 9.8}, [4]float64{1, 1, 1, 1}},
		{cve.Metric{Score: 7.5}, [4]float64{nan, nan, nan, nan}},
		{cve.Metric{Vector: "nonsense", Score: 5}, [4]float64{nan, nan, nan, 0}},
	} {
		s := SignalsOf(Evidence{Metric: &c.metric})
		got := [4]float64{s[SignalNetwork], s[SignalNoAccount], s[SignalNoClick], s[SignalTotal]}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%+v: %v, want %v", c.metric, got, c.want)
		}
	}
}

func TestTheScaleRisesEverywhere(t *testing.T) {
	for i := 1; i < len(shipped.Knots); i++ {
		if a, b := shipped.Knots[i-1], shipped.Knots[i]; a.LogOdds >= b.LogOdds || a.EPSS >= b.EPSS {
			t.Errorf("knot %d: %v, %v", i, a, b)
		}
	}
	last := 0.0
	for x := -12.0; x < 1; x += 0.01 { // no signals reach beyond
		y := shipped.Scale(x)
		if y <= last || y >= 1 {
			t.Fatalf("at %v: %v after %v", x, y, last)
		}
		last = y
	}
	for _, x := range []float64{math.Inf(-1), -1e9, 1e9, math.Inf(1)} {
		if y := shipped.Scale(x); !(y >= leastEstimate && y <= mostEstimate) {
			t.Errorf("at %v: %v", x, y)
		}
	}
}

func TestEstimateAllocatesNothing(t *testing.T) {
	e := Evidence{Metric: &cve.Metric{Vector: openVector, Score: 9.8}, CWEs: []string{"CWE-78"},
		Exploits: []intel.Exploit{{Source: "exploitdb", Kind: "remote"}, {Source: "metasploit", Rank: "good"}}}
	if n := testing.AllocsPerRun(100, func() { Estimate(e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestExploitedNamesItsSource(t *testing.T) {
	said := &cve.Record{ExploitedBy: []string{"acme-advisories", "other"}}
	kev, active := &intel.KEV{}, &intel.SSVC{Exploitation: "Active"}
	for _, c := range []struct {
		facts  intel.Facts
		record *cve.Record
		want   string
	}{
		{intel.Facts{KEV: kev, SSVC: active}, said, "kev"},
		{intel.Facts{SSVC: active}, said, "ssvc"},
		{intel.Facts{SSVC: &intel.SSVC{Exploitation: "poc"}}, said, "acme-advisories"},
		{intel.Facts{}, &cve.Record{}, ""},
		{intel.Facts{}, nil, ""},
	} {
		yes, source := Exploited(c.facts, c.record)
		if source != c.want || yes != (c.want != "") {
			t.Errorf("%+v: %v by %q, want %q", c.facts, yes, source, c.want)
		}
	}
	v := Assess(Input{Record: said, Now: date("2026-11-21")})
	if !v.Exploited || v.ExploitedSource != "acme-advisories" || *v.Score != exploitedWeight || v.KEV {
		t.Errorf("%+v", v)
	}
}

func BenchmarkEstimate(b *testing.B) {
	e := Evidence{Metric: &cve.Metric{Vector: openVector, Score: 9.8}, CWEs: []string{"CWE-78"},
		Exploits: []intel.Exploit{{Source: "exploitdb", Kind: "remote"}}}
	for b.Loop() {
		Estimate(e)
	}
}

func FuzzSignals(f *testing.F) {
	f.Add(openVector, 9.8, "CWE-78", "remote")
	f.Add("(AV:N/AC:L/Au:N/C:C/I:C/A:C)", 10.0, "CWE-79", "webapps")
	f.Add("AV:/:N//C:H/VC:C/I:H", math.NaN(), "", "")
	f.Fuzz(func(t *testing.T, vector string, score float64, cwe, kind string) {
		v, ok := Estimate(Evidence{Metric: &cve.Metric{Vector: vector, Score: score}, CWEs: []string{cwe},
			Exploits: []intel.Exploit{{Source: "exploitdb", Kind: kind}}})
		if !ok || !(v >= leastEstimate && v <= mostEstimate) {
			t.Errorf("%q %v: %v, %v", vector, score, v, ok)
		}
	})
}
