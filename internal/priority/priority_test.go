package priority

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

func p(x float64) *float64 { return &x }

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestScoreFollowsTheContract(t *testing.T) {
	now := date("2026-11-21").Add(13 * time.Hour)
	daysAgo := func(n int) time.Time { return date("2026-11-21").AddDate(0, 0, -n).Add(23 * time.Hour) }
	for _, c := range []struct {
		name      string
		exploited bool
		cvss      *float64
		published time.Time
		want      *float64
		partial   bool
	}{
		{"exploited, 9.8, five days old", true, p(9.8), daysAgo(5), p(0.5 + 0.392 + 0.1*25/30), false},
		{"not exploited, 7.5, sixty days old", false, p(7.5), daysAgo(60), p(0.3), false},
		{"published today", false, p(5), daysAgo(0), p(0.3), false},
		{"published tomorrow counts as today", false, p(5), daysAgo(-1), p(0.3), false},
		{"the thirtieth day is the first without recency", false, p(5), daysAgo(30), p(0.2), false},
		{"no CVSS is left out", true, nil, daysAgo(60), p(0.5), true},
		{"no date is left out", false, p(10), time.Time{}, p(0.4), true},
		{"a score of 0 is a known score", false, p(0), daysAgo(40), p(0), false},
		{"nothing known", false, nil, time.Time{}, nil, true},
	} {
		got, partial := Score(c.exploited, c.cvss, c.published, now)
		if partial != c.partial || (got == nil) != (c.want == nil) || got != nil && math.Abs(*got-*c.want) > 1e-12 {
			t.Errorf("%s: got %v, partial %v", c.name, got, partial)
		}
	}
}

func TestDecideIsTheTableOfBOD2604(t *testing.T) {
	const yes, no = true, false
	for _, row := range []struct {
		kev, exposed, automatable bool
		total                     Decision
		forensics                 bool
		partial                   Decision
	}{
		{yes, yes, yes, Act, true, Act},
		{yes, yes, no, Act, true, Attend},
		{yes, no, yes, Act, true, Attend},
		{yes, no, no, Attend, false, Attend},
		{no, yes, yes, Act, false, Attend},
		{no, yes, no, Attend, false, Plan},
		{no, no, yes, Plan, false, Plan},
		{no, no, no, Track, false, Track},
	} {
		if d, f := Decide(row.kev, row.exposed, row.automatable, true); d != row.total || f != row.forensics {
			t.Errorf("%+v total: got %s, forensics %v", row, d, f)
		}
		if d, f := Decide(row.kev, row.exposed, row.automatable, false); d != row.partial || f {
			t.Errorf("%+v partial: got %s, forensics %v", row, d, f)
		}
	}
}

func TestAnUnknownInputTakesTheEarlierDateAndIsNamed(t *testing.T) {
	v := Assess(Input{Now: date("2026-11-21")})
	if v.Decision != Act || !slices.Equal(v.Assumed, []string{"exposed", "automatable", "technical_impact"}) {
		t.Errorf("nothing known: %s, assumed %v", v.Decision, v.Assumed)
	}
	if v.Severity != cve.SeverityUnknown || v.CVSS != nil || v.EPSS != nil || v.Likelihood != nil || v.Score != nil {
		t.Errorf("missing facts were filled in: %+v", v)
	}
	// "Earlier" must hold for every input alone, whatever the others are.
	for i := range 8 {
		a, b, c := i&1 != 0, i&2 != 0, i&4 != 0
		for _, pair := range [][2]func() (Decision, bool){
			{func() (Decision, bool) { return Decide(a, true, b, c) }, func() (Decision, bool) { return Decide(a, false, b, c) }},
			{func() (Decision, bool) { return Decide(a, b, true, c) }, func() (Decision, bool) { return Decide(a, b, false, c) }},
			{func() (Decision, bool) { return Decide(a, b, c, true) }, func() (Decision, bool) { return Decide(a, b, c, false) }},
		} {
			with, _ := pair[0]()
			without, _ := pair[1]()
			if with.rank() > without.rank() {
				t.Errorf("row %d: yes gives %s, no gives %s", i, with, without)
			}
		}
	}
}

func TestAWithdrawnCVEHasNoDecision(t *testing.T) {
	in := Input{Record: &cve.Record{Status: "Rejected"}, Facts: intel.Facts{KEV: &intel.KEV{}}, Exposure: Exposure{Exposed: true, Known: true}}
	v := Assess(in)
	if v.Decision != "" || v.Forensics || len(v.Assumed) != 0 {
		t.Errorf("decision %q, forensics %v, assumed %v", v.Decision, v.Forensics, v.Assumed)
	}
	urgent := Assess(Input{Record: &cve.Record{Status: "Analyzed"}})
	if RankKey(v.Decision, v.Likelihood, v.Score) < RankKey(Track, urgent.Likelihood, urgent.Score) {
		t.Error("stands before what is to be done some day")
	}
}

func TestSSVCSpeaksBeforeTheVector(t *testing.T) {
	open := "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
	ssvc := &intel.SSVC{Automatable: "No", TechnicalImpact: "partial"}
	if a := Automatable(ssvc, open); a != (Answer{Known: true}) {
		t.Errorf("automatable: %+v", a)
	}
	if a := TechnicalImpact(ssvc, open); a != (Answer{Known: true}) {
		t.Errorf("impact: %+v", a)
	}
}

func TestVectorsOfEveryVersionAreUnderstood(t *testing.T) {
	yes, no := Answer{true, true, true}, Answer{false, true, true}
	for _, c := range []struct {
		vector             string
		automatable, total Answer
	}{
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", yes, yes},
		{"CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:H/VA:L/SC:N/SI:N/SA:N", no, no},
		{"CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:H/VA:L/SC:N/SI:N/SA:N/AU:Y", yes, no},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", yes, yes},
		{"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", no, yes},
		{"CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N", no, no},
		{"AV:N/AC:L/Au:N/C:C/I:C/A:C", yes, yes},
		{"(AV:N/AC:M/Au:N/C:P/I:P/A:P)", no, no},
		{"", Answer{}, Answer{}},
		{"CVSS:3.1/AV:N", Answer{}, Answer{}},
		{"nonsense", Answer{}, Answer{}},
	} {
		if got := Automatable(nil, c.vector); got != c.automatable {
			t.Errorf("%s: automatable %+v", c.vector, got)
		}
		if got := TechnicalImpact(nil, c.vector); got != c.total {
			t.Errorf("%s: impact %+v", c.vector, got)
		}
	}
}

func TestBaseScoreOfKnownVectors(t *testing.T) {
	for _, c := range []struct {
		vector, version string
		score           float64
	}{
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.1", 9.8},                    // CVE-2021-41773
		{"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "3.0", 7.5},                    // CVE-2014-0160
		{"AV:N/AC:L/Au:N/C:C/I:C/A:C", "2.0", 10},                                       // CVE-2014-6271
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "4.0", 9.3}, // CVE-2024-0012
	} {
		version, score, ok := BaseScore(c.vector)
		if !ok || version != c.version || score != c.score {
			t.Errorf("%s: %s %v %v", c.vector, version, score, ok)
		}
	}
	if _, _, ok := BaseScore("CVSS:3.1/AV:N/AC:L"); ok {
		t.Error("an incomplete vector has a score")
	}
}

func TestOnlyPublicAddressesAreExposed(t *testing.T) {
	for a, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true,
		"10.1.2.3": false, "127.0.0.1": false, "192.168.1.1": false, "100.64.0.1": false, "169.254.1.1": false,
		"192.0.2.7": false, "198.51.100.1": false, "203.0.113.9": false, "224.0.0.1": false, "255.255.255.255": false,
		"0.1.2.3": false, "::1": false, "fe80::1%eth0": false, "fd00::1": false, "2001:db8::1": false, "ff02::1": false,
	} {
		if got := Routable(netip.MustParseAddr(a)); got != want {
			t.Errorf("%s: %v", a, got)
		}
	}
	no := false
	public := []netip.Addr{netip.MustParseAddr("8.8.8.8")}
	if Exposed(true, public, &no).Exposed {
		t.Error("a person's word must win")
	}
	if Exposed(false, nil, nil).Known {
		t.Error("a host known only by name is neither exposed nor not")
	}
	if !Exposed(true, nil, nil).Exposed {
		t.Error("an external site exposes")
	}
}

func TestDueNeverMovesLater(t *testing.T) {
	first := date("2026-11-01")
	attend := Verdict{Decision: Attend, Arose: date("2026-10-01")}
	term := Term{}.Next(attend, first, date("2026-11-01"))
	if !term.Due.Equal(date("2026-11-15")) {
		t.Fatalf("first decision: due %s", term.Due)
	}
	if again := term.Next(attend, first, date("2026-11-20")); again != term {
		t.Errorf("a rescan moved it: %+v", again)
	}
	if milder := term.Next(Verdict{Decision: Plan}, first, date("2026-11-10")); !milder.Due.Equal(term.Due) {
		t.Errorf("a milder verdict moved it to %s", milder.Due)
	}
	act := Verdict{Decision: Act, KEV: true, KEVAdded: date("2026-11-05"), Arose: date("2026-11-05")}
	if up := term.Next(act, first, date("2026-11-07")); !up.Due.Equal(date("2026-11-08")) {
		t.Errorf("escalation by KEV: due %s", up.Due)
	}
	if late := term.Next(Verdict{Decision: Act}, first, date("2026-11-14")); !late.Due.Equal(date("2026-11-15")) {
		t.Errorf("an escalation must not move it later: %s", late.Due)
	}
	if old := (Term{}).Next(act, date("2026-11-10"), date("2026-11-12")); !old.Due.Equal(date("2026-11-13")) {
		t.Errorf("first seen after the KEV entry: due %s", old.Due)
	}
	if check := (Term{}).Next(Verdict{Decision: Plan}, first, date("2026-12-20")); !check.Due.Equal(date("2026-12-31")) {
		t.Errorf("a check in a report that was imported late: due %s", check.Due)
	}
	if none := term.Next(Verdict{Decision: Track}, first, date("2026-11-20")); !none.Due.IsZero() {
		t.Errorf("track has a due date: %s", none.Due)
	}
}

func TestDueProperty(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	decisions := []Decision{Act, Attend, Plan, Track}
	for range 2000 {
		first, now := date("2026-01-01"), date("2026-01-01")
		term := Term{}
		for range 20 {
			now = now.AddDate(0, 0, rng.IntN(10))
			v := Verdict{Decision: decisions[rng.IntN(4)], KEV: rng.IntN(2) == 0, Arose: now.AddDate(0, 0, -rng.IntN(50))}
			v.KEVAdded = v.Arose
			next := term.Next(v, first, now)
			if !term.Due.IsZero() && !next.Due.IsZero() && next.Due.After(term.Due) {
				t.Fatalf("moved later: %+v -> %+v by %+v", term, next, v)
			}
			if next.Due.IsZero() != (next.Decision == Track) {
				t.Fatalf("due and decision disagree: %+v", next)
			}
			term = next
		}
	}
}

func TestRankKeySortsAsListsDo(t *testing.T) {
	type row struct {
		d    Decision
		l, s *float64
	}
	less := func(a, b row) bool {
		if a.d.rank() != b.d.rank() {
			return a.d.rank() < b.d.rank()
		}
		for _, pair := range [][2]*float64{{a.l, b.l}, {a.s, b.s}} {
			x, y := -1.0, -1.0
			if pair[0] != nil {
				x = *pair[0]
			}
			if pair[1] != nil {
				y = *pair[1]
			}
			if x != y {
				return x > y
			}
		}
		return false
	}
	rng := rand.New(rand.NewPCG(3, 4))
	maybe := func() *float64 {
		if rng.IntN(4) == 0 {
			return nil
		}
		return p(float64(rng.IntN(100001)) / 100000)
	}
	rows := make([]row, 3000)
	for i := range rows {
		rows[i] = row{[]Decision{Act, Attend, Plan, Track, ""}[rng.IntN(5)], maybe(), maybe()}
	}
	key := func(r row) string { return RankKey(r.d, r.l, r.s) }
	sort.Slice(rows, func(i, j int) bool { return key(rows[i]) < key(rows[j]) })
	for i := 1; i < len(rows); i++ {
		if less(rows[i], rows[i-1]) {
			t.Fatalf("row %d is out of order: %s before %s", i, key(rows[i-1]), key(rows[i]))
		}
		if len(key(rows[i])) != 15 {
			t.Fatalf("key %q", key(rows[i]))
		}
	}
}

func FuzzVector(f *testing.F) {
	f.Add("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
	f.Add("AV:N/AC:L/Au:N/C:C/I:C/A:C")
	f.Add("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/AU:Y")
	f.Fuzz(func(t *testing.T, s string) {
		if _, score, ok := BaseScore(s); ok && (score < 0 || score > 10 || math.IsNaN(score)) {
			t.Errorf("%q scores %v", s, score)
		}
		Automatable(nil, s)
		TechnicalImpact(nil, s)
	})
}
