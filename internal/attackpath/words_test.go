package attackpath

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// way is the best derivation of a fact, its steps in the order in which they happen.
func way(m *Model, to Fact) (out Path) {
	n := m.Network()
	p := make([]float64, len(n.Facts))
	by := make([]int32, len(n.Facts))
	for _, f := range n.Start {
		p[f], by[f] = 1, -1
	}
	for changed := true; changed; {
		changed = false
		for i, a := range n.Actions {
			q := a.P
			for _, f := range a.Pre {
				q *= p[f]
			}
			if q > p[a.Post] {
				p[a.Post], by[a.Post], changed = q, int32(i), true
			}
		}
	}
	if p[to] == 0 {
		return Path{}
	}
	done := map[Fact]bool{}
	var walk func(f Fact)
	walk = func(f Fact) {
		if done[f] || by[f] < 0 {
			return
		}
		done[f] = true
		for _, g := range n.Actions[by[f]].Pre {
			walk(g)
		}
		out.Steps = append(out.Steps, PathStep{Action: by[f]})
	}
	walk(to)
	out.P = p[to]
	return out
}

// told is a path in words: what each step gives, from where it is known, and its edge.
func told(m *Model, p Path) (out []string) {
	edges := m.Edges(p)
	for i, s := range p.Steps {
		a := m.Network().Actions[s.Action]
		out = append(out, fmt.Sprintf("%s | %s | %s | %s", m.Describe(a.Post), a.Known, m.Network().Reasons[a.Why], edges[i]))
	}
	return out
}

func sameLines(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAPathIsToldStepByStep(t *testing.T) {
	s := tell(t, "dmz", "inside")
	web := s.host(1, "dmz", "203.0.113.9", "https 443")
	web.Flaws, web.Exposed, web.ExposedWhy = []Flaw{hole(11, 443, AsUser)}, true, "203.0.113.9 is a public address"
	s.host(2, "dmz", "203.0.113.10", "https 443")
	s.host(3, "inside", "10.0.0.3", "microsoft-ds 445").Flaws = []Flaw{hole(31, 445, AsService)}
	s.host(4, "inside", "10.0.0.4", "microsoft-ds 445").Flaws = []Flaw{hole(41, 445, AsUser)}
	s.policy("site:dmz,10.0.0.3,tcp/445,allow")
	m := s.build()
	goal, _ := m.Fact(3, Root)
	p := way(m, goal)
	sameLines(t, "steps", told(m, p),
		"can send from the internet | observed | anybody can send from the internet | ",
		"can reach tcp/443 in site dmz (203.0.113.9) | assumed | its address suggests that the internet reaches it | reach:internet>1:tcp/443",
		"user on 203.0.113.9 | observed | nuclei found it; scan 3 of site dmz saw tcp/443 open | finding:11",
		"can send from site dmz | observed | whoever holds a host sends from its place | ",
		"can reach tcp/445 in site inside (10.0.0.3) | policy | rule 1 of policy.csv: site:dmz -> 10.0.0.3/32 tcp/445 allow | reach:dmz>3:tcp/445",
		"root on 10.0.0.3 | observed | nuclei found it; scan 3 of site inside saw tcp/445 open; SMB servers run as root, on Windows in the kernel | finding:31")
	sameLines(t, "assumptions", m.Assumptions(p),
		"The internet is taken to reach 203.0.113.9: 203.0.113.9 is a public address.",
		"tcp/445 on 10.0.0.3 is taken to run as root: SMB servers run as root, on Windows in the kernel.")

	goal, _ = m.Fact(4, User)
	p = way(m, goal)
	sameLines(t, "last steps", told(m, p)[len(p.Steps)-2:],
		"can reach tcp/445 in site inside (10.0.0.4) | observed | the port was seen open in site inside, and hosts of one site are taken to reach each other where no rule says otherwise | reach:inside>4:tcp/445",
		"user on 10.0.0.4 | observed | nuclei found it; scan 3 of site inside saw tcp/445 open | finding:41")
	if a := m.Assumptions(p); a[len(a)-1] != "Hosts of site inside are taken to reach each other where no rule says otherwise." {
		t.Errorf("assumptions %q", a)
	}
}

// Over a hub too, a step can be corrected: the path knows who sends and to which host.
func TestEdgesAreNamedOverHubs(t *testing.T) {
	var sites []string
	for i := range 20 {
		sites = append(sites, fmt.Sprintf("s%02d", i))
	}
	s := tell(t, sites...)
	for i, site := range sites {
		s.host(int64(i+1), site, fmt.Sprintf("10.%d.0.1", i), "http 80").Flaws = []Flaw{hole(int64(i+1), 80, AsUser)}
		s.host(int64(i+101), site, fmt.Sprintf("10.%d.0.2", i), "http 80").Flaws = []Flaw{hole(int64(i+101), 80, AsUser)}
	}
	s.e.Assume.From = fromSite("s03")
	s.policy("any,any,80,allow")
	m := s.build()
	goal, _ := m.Fact(107, User)
	p := way(m, goal)
	sameLines(t, "steps", told(m, p),
		"can send from site s03 | policy | the question begins there: inside site s03, at any place in it | ",
		"can send where rule 1 of policy.csv: any -> any 80 allow lets it | policy | rule 1 of policy.csv: any -> any 80 allow | ",
		"can reach tcp/80 in site s06 | policy | rule 1 of policy.csv: any -> any 80 allow | reach:s03>107:tcp/80",
		"user on 10.6.0.2 | observed | nuclei found it; scan 3 of site s06 saw tcp/80 open | finding:107")
	s.e.Corrections = []Correction{{ID: 1, Edge: m.Edges(p)[2], Says: SaysNever}}
	s.e.Assume.From = fromSite("s03")
	m = s.build()
	goal, _ = m.Fact(107, User)
	if n := len(way(m, goal).Steps); n < 5 {
		t.Errorf("after the correction it is still reached in %d steps", n)
	}
}

func TestEdgesOfCorrectionsAreChecked(t *testing.T) {
	for edge, ok := range map[EdgeKey]bool{
		"finding:12": true, "finding:0": false, "finding:+1": false, "finding:x": false, "reach:internet>7:tcp/443": true, "reach:branch>7:udp/53": true,
		"reach:branch>7:tcp/0": false, "reach:branch>7:tcp": false, "reach:>7:tcp/1": false, "reach:site:internet>7:tcp/1": true, "reach:site:branch>7:tcp/1": false, "": false,
		"reach:a\x00b>7:tcp/1": false, "reach: >7:tcp/1": false, "reach:\xff>7:tcp/1": false, "reach:a>b>7:tcp/1": true, EdgeKey("reach:" + strings.Repeat("x", 1<<20) + ">7:tcp/1"): false,
	} {
		if err := edge.Validate(); (err == nil) != ok || err != nil && len(err.Error()) > 500 {
			t.Errorf("%.100q: %.600v", edge, err)
		}
	}
	for _, c := range []Correction{{Edge: "finding:1", Says: SaysChance}, {Edge: "finding:1", Says: SaysChance, P: 1.5}, {Edge: "finding:1", Says: "maybe"}} {
		if c.Validate() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

func TestCorrectionsAreToldInWords(t *testing.T) {
	s := tell(t, "a")
	s.host(1, "a", "10.0.0.1", "http 80").Flaws = []Flaw{hole(11, 80, AsUser)}
	m := s.build()
	for edge, want := range map[EdgeKey]string{
		"finding:11": "CVE-2024-0011 on 10.0.0.1", "finding:12": "", "reach:internet>1:tcp/80": "the internet reaches tcp/80 of 10.0.0.1",
		"reach:a>1:tcp/80": "site a reaches tcp/80 of 10.0.0.1", "reach:b>1:tcp/80": "", "reach:a>2:tcp/80": "",
	} {
		if got := m.About(edge); got != want {
			t.Errorf("%s is about %q, want %q", edge, got, want)
		}
	}
}

func TestNoticesSayWhatIsAssumedOfTheWhole(t *testing.T) {
	s := tell(t, "a")
	f := hole(11, 80, AsUser)
	f.Effect.Lures = true
	s.host(1, "a", "10.0.0.1", "http 80").Flaws = []Flaw{f, {Finding: 12, Weakness: "x"}, {Finding: 13, Weakness: "y"}}
	s.e.Corrections = []Correction{{ID: 1, Edge: "finding:404", Says: SaysNever}}
	sameLines(t, "notices", s.build().Network().Notices,
		"Hosts of one site are taken to reach each other's open ports where no rule says otherwise.",
		"No network policy is declared: a site is taken to reach only itself (assume=site). A policy says what else is let through.",
		"The internet reaches no open port, so that attackers are taken to stand inside 1 site. Name an entry point to ask otherwise.",
		"No host is tagged jewel or of high criticality: all hosts count alike. Tag what matters with: patchscout assets tag HOST jewel",
		"2 findings give attackers no step: they stop a service at most, or nothing is known of what they do.",
		"1 finding gives attackers no step: somebody must open something, and nobody is known to sit at the host. The policy's clients say where people sit.",
		"1 correction is about nothing that is there now; it is kept, since it may return.")
}

// Several people read one model at once.
func TestAModelIsReadByMany(t *testing.T) {
	m := mustBuild(t, randomEstate(4))
	var w sync.WaitGroup
	for range 4 {
		w.Go(func() {
			for f := range m.Network().Facts {
				m.Describe(Fact(f))
			}
			for a := range m.Network().Actions {
				m.Edge(int32(a))
			}
			m.Entries()
			m.Stale()
			m.About("finding:5")
		})
	}
	w.Wait()
}

func TestWhoAsksFromTheInternetIsToldHowToAskFromWithin(t *testing.T) {
	s := tell(t, "a")
	s.host(1, "a", "10.0.0.1", "http 80").Exposed = true
	want := "Attackers begin in the internet, which reaches open ports of 1 host. What one could do who is inside is asked with: --from site:NAME"
	if got := s.build().Network().Notices; !slices.Contains(got, want) {
		t.Errorf("notices %q, want %q", got, want)
	}
	s.e.Assume.From = fromSite("a")
	if got := s.build().Network().Notices; slices.Contains(got, want) {
		t.Errorf("notices %q though an entry point was named", got)
	}
}

func TestWhoIsTakenToSitThereIsSaid(t *testing.T) {
	s := tell(t, "a")
	f := hole(11, 0, AsUser)
	f.Effect.Lures = true
	h := s.host(1, "a", "10.0.0.1")
	h.Flaws, h.OS = []Flaw{f}, "Windows 11"
	sits := func() (said, known bool) {
		m := s.build()
		goal, _ := m.Fact(1, User)
		p := way(m, goal)
		says := func(t string) bool { return strings.HasPrefix(t, "People are taken to sit at 10.0.0.1: ") }
		return slices.ContainsFunc(m.Assumptions(p), says), len(p.Steps) > 0
	}
	if said, known := sits(); !said || !known {
		t.Errorf("said %v, reached %v: its system is no proof", said, known)
	}
	h.Tags = []string{"workstation"}
	if said, known := sits(); said || !known {
		t.Errorf("said %v, reached %v: somebody tagged it", said, known)
	}
}
