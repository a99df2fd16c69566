package attackpath

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// story is a small estate in the making.
type story struct {
	t *testing.T
	e Estate
}

func tell(t *testing.T, sites ...string) *story {
	s := &story{t: t}
	for _, n := range sites {
		name, external := strings.CutSuffix(n, " outside")
		s.e.Sites = append(s.e.Sites, Site{Name: name, External: external})
	}
	return s
}

// host adds a host with an address in a site and services such as "ssh 22".
func (s *story) host(id int64, site, address string, services ...string) *Host {
	h := Host{ID: id, Site: site, Name: address, Addresses: []netip.Addr{netip.MustParseAddr(address)}}
	for _, text := range services {
		var x Service
		if _, err := fmt.Sscanf(text, "%s %d", &x.Name, &x.Port); err != nil {
			s.t.Fatal(err)
		}
		x.Protocol, x.Scan = "tcp", 3
		h.Services = append(h.Services, x)
	}
	s.e.Hosts = append(s.e.Hosts, h)
	return &s.e.Hosts[len(s.e.Hosts)-1]
}

// hole is a weakness of a port that anybody who reaches it uses.
func hole(finding int64, port uint16, gain Gain) Flaw {
	return Flaw{Finding: finding, Weakness: fmt.Sprintf("CVE-2024-%04d", finding), Protocol: "tcp", Port: port, Scanner: "nuclei", Effect: &Effect{Reach: OverNetwork, Gain: gain, P: 0.5}}
}

// local is a weakness that makes a user of a host its administrator.
func local(finding int64) Flaw {
	return Flaw{Finding: finding, Weakness: "CVE-2024-9999", Component: "linux@5", Scanner: "nessus", Effect: &Effect{Reach: OnHost, Needs: User, Gain: AsRoot, P: 0.8}}
}

func (s *story) policy(lines ...string) {
	p, err := ReadPolicy("policy.csv", []byte("from,to,ports,action\n"+strings.Join(lines, "\n")))
	if err != nil {
		s.t.Fatal(err)
	}
	p.Same, p.Clients = s.e.Policy.Same, s.e.Policy.Clients
	s.e.Policy = p
}

func (s *story) build() *Model {
	s.t.Helper()
	m, err := Build(context.Background(), s.e)
	if err != nil {
		s.t.Fatal(err)
	}
	checkNetwork(s.t, m.Network())
	return m
}

// checkNetwork checks what graphs rely on.
func checkNetwork(t *testing.T, n *Network) {
	t.Helper()
	for i, a := range n.Actions {
		ok := len(a.Pre) > 0 && a.P > 0 && a.P <= 1 && int(a.Post) < len(n.Facts) && int(a.Weakness) < len(n.Weaknesses) && int(a.Why) < len(n.Reasons)
		for _, f := range a.Pre {
			ok = ok && f >= 0 && int(f) < len(n.Facts)
		}
		if a.Kind == Exploit {
			ok = ok && a.Flaw != nil && a.Weakness >= 0 && n.Weaknesses[a.Weakness] == a.Flaw.Weakness && a.Finding == a.Flaw.Finding && n.Reasons[a.Why] != ""
		}
		if !ok {
			t.Fatalf("action %d is not sound: %+v", i, a)
		}
	}
}

// best is the simplest way to tell the best chance of each fact, where what is needed twice is paid twice.
func best(n *Network) []float64 {
	p := make([]float64, len(n.Facts))
	for _, f := range n.Start {
		p[f] = 1
	}
	for changed := true; changed; {
		changed = false
		for _, a := range n.Actions {
			q := a.P
			for _, f := range a.Pre {
				q *= p[f]
			}
			if q > p[a.Post] {
				p[a.Post], changed = q, true
			}
		}
	}
	return p
}

// reached lists what holds on hosts: "user 2", "root 2".
func reached(m *Model) (out []string) {
	p := best(m.Network())
	for _, h := range m.hosts {
		for _, v := range []Privilege{User, Root} {
			if f, ok := m.Fact(h.ID, v); ok && p[f] > 0 {
				out = append(out, fmt.Sprintf("%s %d", v, h.ID))
			}
		}
	}
	return out
}

func (s *story) reaches(want ...string) {
	s.t.Helper()
	if got := reached(s.build()); !slices.Equal(got, want) {
		s.t.Errorf("attackers become %q, want %q", got, want)
	}
}

func fromSite(site string) []Entry { return []Entry{{Kind: FromSite, Site: site}} }

func TestAttackersWalkWithinASiteAndNotBeyond(t *testing.T) {
	s := tell(t, "office", "plant")
	s.host(1, "office", "10.0.0.1", "http 80").Flaws = []Flaw{hole(11, 80, AsUser), local(12)}
	s.host(2, "plant", "10.1.0.1", "http 80").Flaws = []Flaw{hole(21, 80, AsUser)}
	s.e.Assume.From = fromSite("office")
	s.reaches("user 1", "root 1")
	s.e.Assume.Flat = true
	s.reaches("user 1", "root 1", "user 2")
}

func TestTheInternetComesOverTheDMZ(t *testing.T) {
	s := tell(t, "dmz", "inside")
	web := s.host(1, "dmz", "192.0.2.1", "https 443")
	web.Flaws, web.Exposed, web.ExposedSure = []Flaw{hole(11, 443, AsUser)}, true, true
	s.host(2, "inside", "10.0.0.2", "sql 5432", "http 80").Flaws = []Flaw{hole(21, 5432, AsUser), hole(22, 80, AsRoot)}
	s.reaches("user 1")
	s.policy("site:dmz,10.0.0.0/24,tcp/5432,allow")
	s.reaches("user 1", "user 2", "root 2") // from within, he reaches its other port too
	s.policy("internet,any,,deny", "site:dmz,10.0.0.0/24,tcp/5432,allow")
	s.e.Assume.From = []Entry{{Kind: FromInternet}}
	s.reaches()
}

func TestTheFirstRuleDecides(t *testing.T) {
	s := tell(t, "a", "b")
	s.host(1, "a", "10.0.0.1", "http 80")
	s.host(2, "b", "10.1.0.2", "http 80").Flaws = []Flaw{hole(21, 80, AsUser)}
	s.e.Assume.From = fromSite("a")
	s.policy("site:a,10.1.0.2,tcp/80,deny", "site:a,site:b,80,allow")
	s.reaches()
	s.policy("site:a,site:b,80,allow", "site:a,10.1.0.2,tcp/80,deny")
	s.reaches("user 2")
	s.e.Assume.Flat = true
	s.policy("site:a,site:b,,deny")
	s.reaches()
}

func TestADenyRuleEndsReachWithinASiteToo(t *testing.T) {
	s := tell(t, "a")
	s.host(1, "a", "10.0.0.1", "http 80").Flaws = []Flaw{hole(11, 80, AsUser)}
	s.host(2, "a", "10.0.9.2", "http 80").Flaws = []Flaw{hole(21, 80, AsUser)}
	s.e.Assume.From = []Entry{{Kind: FromHost, Host: 1}}
	s.reaches("user 1", "user 2")
	s.policy("10.0.0.0/24,10.0.9.0/24,,deny")
	s.reaches("user 1")
	s.e.Assume.From = fromSite("a") // any place in it, that of host 2 too
	s.reaches("user 1", "user 2")
}

func TestAHostWithAnAddressBesideARuleIsNotRefused(t *testing.T) {
	s := tell(t, "a", "b")
	s.host(1, "a", "10.0.0.1")
	h := s.host(2, "b", "10.1.0.2", "http 80")
	h.Flaws, h.Addresses = []Flaw{hole(21, 80, AsUser)}, append(h.Addresses, netip.MustParseAddr("172.16.0.2"))
	s.e.Assume = Assumptions{From: fromSite("a"), Flat: true}
	s.policy("site:a,10.1.0.0/16,,deny")
	s.reaches("user 2")
	s.policy("site:a,10.1.0.0/16,,deny", "site:a,172.16.0.0/12,,deny")
	s.reaches("user 2") // no rule holds both of its addresses
	s.policy("site:a,site:b,,deny")
	s.reaches()
}

func TestAStolenUserNeedsALoginService(t *testing.T) {
	s := tell(t, "a")
	s.host(1, "a", "10.0.0.1", "ssh 22", "http 80")
	s.host(2, "a", "10.0.0.2", "http 80")
	s.e.Assume.From = []Entry{{Kind: FromUser, Site: "a"}}
	s.reaches()
	s.e.Hosts[0].Exposed = true
	s.reaches("user 1")
	s.e.Assume.From = []Entry{{Kind: FromUser, Host: 2}}
	s.reaches()
}

func TestCredentialReuseIsAScenario(t *testing.T) {
	s := tell(t, "a", "b")
	s.host(1, "a", "10.0.0.1", "http 80").Flaws = []Flaw{hole(11, 80, AsRoot)}
	s.host(2, "a", "10.0.0.2", "ssh 22")
	s.host(3, "b", "10.1.0.3", "ssh 22")
	s.e.Assume.From = fromSite("a")
	s.reaches("user 1", "root 1")
	s.e.Assume.Reuse = true
	s.reaches("user 1", "root 1", "user 2")
	s.policy("any,any,tcp/22,deny")
	s.reaches("user 1", "root 1")
}

func TestReadSecretsAreAScenario(t *testing.T) {
	s := tell(t, "a")
	s.host(1, "a", "10.0.0.1", "http 80", "ssh 22").Flaws = []Flaw{hole(11, 80, ReadsFiles)}
	s.e.Assume.From = fromSite("a")
	s.reaches()
	s.e.Assume.Secrets = true
	s.reaches("user 1")
}

func TestAFoundLoginOpensTheLoginService(t *testing.T) {
	s := tell(t, "a")
	h := s.host(1, "a", "10.0.0.1", "http 80", "ssh 22")
	h.Flaws = []Flaw{hole(11, 80, ALogin)}
	s.e.Assume.From = fromSite("a")
	s.reaches("user 1")
	authed := hole(12, 80, AsRoot)
	authed.Effect.Needs = User
	h.Flaws = []Flaw{authed}
	s.reaches() // nobody gave the login that it needs
	h.Flaws = []Flaw{hole(11, 80, ALogin), authed}
	s.reaches("user 1", "root 1")
	authed.Effect = &Effect{Reach: OverNetwork, Needs: Root, Gain: AsRoot, P: 1}
	h.Flaws = []Flaw{hole(11, 80, ALogin), authed}
	s.reaches("user 1")
}

func TestWhoAdministersAnApplicationUsesWhatAsksForAnAccountOfIt(t *testing.T) {
	s := tell(t, "a")
	h := s.host(1, "a", "10.0.0.1", "https 443", "http 80")
	s.e.Assume.From = fromSite("a")
	for _, needs := range []Privilege{User, Root} {
		runs := hole(12, 443, AsUser)
		runs.Effect.Needs = needs
		h.Flaws = []Flaw{runs}
		s.reaches()
		h.Flaws = []Flaw{hole(11, 443, AppAdmin), runs}
		s.reaches("user 1")
		h.Flaws = []Flaw{hole(11, 80, AppAdmin), runs} // another application
		s.reaches()
		h.Flaws = []Flaw{hole(11, 443, AppAdmin), runs}
		s.e.Corrections = []Correction{{Edge: FindingEdge(11), Says: SaysNever}}
		s.reaches()
		s.e.Corrections = nil
	}
	alone := hole(13, 443, AppAdmin) // what asks for an account does not let itself in
	alone.Effect.Needs = User
	runs := hole(12, 443, AsUser)
	runs.Effect.Needs = User
	h.Flaws = []Flaw{alone, runs}
	s.reaches()
}

func TestOneMachineInTwoSites(t *testing.T) {
	s := tell(t, "a", "b")
	s.host(1, "a", "10.0.0.1", "http 80").Flaws = []Flaw{hole(11, 80, AsRoot)}
	s.host(2, "b", "10.1.0.1", "http 80")
	s.host(3, "b", "10.1.0.3", "http 80").Flaws = []Flaw{hole(31, 80, AsUser)}
	s.e.Assume.From = fromSite("a")
	s.reaches("user 1", "root 1")
	s.e.Policy.Same = [][]HostRef{{{"a", "10.0.0.1"}, {"b", "10.1.0.1"}}}
	s.reaches("user 1", "root 1", "user 2", "root 2", "user 3")
}

func TestCorrectionsAreObeyed(t *testing.T) {
	s := tell(t, "a", "b")
	s.host(1, "a", "10.0.0.1", "http 80").Flaws = []Flaw{hole(11, 80, AsUser)}
	s.host(2, "a", "10.0.0.2", "http 80").Flaws = []Flaw{hole(21, 80, AsUser)}
	s.host(3, "b", "10.1.0.3", "http 80").Flaws = []Flaw{hole(31, 80, AsUser)}
	s.e.Assume.From = fromSite("a")
	say := func(edge EdgeKey, says Says, p float64) {
		s.e.Corrections = append(s.e.Corrections, Correction{ID: int64(len(s.e.Corrections) + 1), Edge: edge, Says: says, P: p, By: "ann", At: time.Unix(0, 0)})
	}
	say("finding:11", SaysNever, 0)
	s.reaches("user 2")
	say("reach:a>2:tcp/80", SaysNever, 0)
	s.reaches()
	say("reach:a>3:tcp/80", SaysAlways, 0)
	s.reaches("user 3")
	say("reach:a>3:tcp/80", SaysChance, 0.25)
	say("finding:31", SaysChance, 0.5)
	m := s.build()
	f, _ := m.Fact(3, User)
	if got := best(m.Network())[f]; got != 0.125 {
		t.Errorf("chance %v, want 0.25 x 0.5", got)
	}
	say("finding:404", SaysNever, 0)
	say("reach:c>3:tcp/80", SaysNever, 0)
	if got := s.build().Stale(); len(got) != 2 || got[0].Edge != "finding:404" || got[1].Edge != "reach:c>3:tcp/80" {
		t.Errorf("stale corrections %+v", got)
	}
}

func TestAnInstalledPackageIsNoWayIn(t *testing.T) {
	s := tell(t, "a")
	h := s.host(1, "a", "10.0.0.1", "ssh 22")
	h.Services[0].Product = "OpenSSH"
	s.e.Assume.From = fromSite("a")
	for component, want := range map[string]bool{
		"openssl@3.0.2": false, "openssh-server@8.9p1": true, "openssh-client@8.9p1": false, "libssh-4@0.9": false, "golang.org/x/crypto/ssh@0.1": false,
		"": true,
	} {
		f := hole(11, 0, AsUser)
		f.Component = component
		h.Flaws = []Flaw{f}
		if got := len(reached(s.build())) == 1; got != want {
			t.Errorf("%q is a way in: %v, want %v", component, got, want)
		}
	}
	h.Flaws, h.Services = []Flaw{hole(11, 0, AsUser)}, nil
	s.reaches()
	if n := s.build().Network().Notices; !slices.ContainsFunc(n, func(t string) bool { return strings.Contains(t, "no open port of the host is known") }) {
		t.Errorf("notices %q say nothing of it", n)
	}
}

func TestAWeaknessWithoutAPortIsTriedOnceOverAnyOpenPort(t *testing.T) {
	s := tell(t, "a", "b")
	s.host(1, "a", "10.0.0.1")
	s.host(2, "b", "10.1.0.2", "http 80", "ssh 22", "sql 5432").Flaws = []Flaw{hole(21, 0, AsUser)}
	s.e.Assume.From = fromSite("a")
	s.policy("site:a,site:b,22,deny")
	s.reaches()
	s.policy("site:a,site:b,22,allow")
	s.reaches("user 2")
	n := 0
	for _, a := range s.build().Network().Actions {
		if a.Finding == 21 {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d actions for one finding: its chance would count more than once", n)
	}
}

func TestNeighboursUseTheLink(t *testing.T) {
	s := tell(t, "a", "b")
	link := hole(21, 80, AsUser)
	link.Effect.Reach = OverLink
	s.host(1, "a", "10.0.0.1", "http 80").Flaws = []Flaw{hole(11, 80, AsUser)}
	s.host(2, "b", "10.1.0.2", "http 80").Flaws = []Flaw{link}
	s.host(3, "b", "10.1.0.3", "http 80").Flaws = []Flaw{hole(31, 80, AsUser)}
	s.e.Assume.From = fromSite("a")
	s.policy("site:a,10.1.0.2,80,allow")
	s.reaches("user 1") // reaching its port is not standing beside it
	s.policy("site:a,10.1.0.3,80,allow")
	s.reaches("user 1", "user 2", "user 3")
}

func TestHostsOfAnExternalSiteStandInTheInternet(t *testing.T) {
	s := tell(t, "cloud outside", "a")
	s.host(1, "cloud", "203.0.113.1", "http 80").Flaws = []Flaw{hole(11, 80, AsUser)}
	s.host(2, "a", "10.0.0.2", "http 80").Flaws = []Flaw{hole(21, 80, AsUser)}
	s.reaches("user 1")
	s.e.Hosts[1].Exposed = true
	s.e.Assume.From = []Entry{{Kind: FromHost, Host: 1}}
	s.reaches("user 1", "user 2")
}

func TestWhoHoldsAHostOfAnExternalSiteReachesTheOthersWhereAllIsFlat(t *testing.T) {
	s := tell(t, "dmz outside", "a")
	s.host(1, "dmz", "203.0.113.1", "http 80").Flaws = []Flaw{hole(11, 80, AsUser)}
	s.host(2, "a", "10.0.0.2", "http 80", "http 81").Flaws = []Flaw{hole(21, 80, AsUser)}
	s.reaches("user 1")
	s.e.Assume.Flat = true
	s.reaches("user 1", "user 2")
	s.e.Hosts[0].Flaws = nil // the internet itself is no place inside
	s.reaches()
}

func TestDefaultEntriesAreTheInternetAndElseTheSites(t *testing.T) {
	s := tell(t, "b", "a", "cloud outside")
	s.host(1, "a", "10.0.0.1", "http 80")
	s.host(2, "b", "10.1.0.2", "http 80", "ssh 22")
	refs := func() (out []string) {
		for _, e := range s.build().Entries() {
			out = append(out, fmt.Sprintf("%s %v %d", e.Ref, e.Assumed, e.Reaches))
		}
		return out
	}
	if got := refs(); !slices.Equal(got, []string{"internet false 0", "site:a true 1", "site:b true 1"}) {
		t.Errorf("entries %q", got)
	}
	s.e.Hosts[0].Exposed = true
	if got := refs(); !slices.Equal(got, []string{"internet false 1"}) {
		t.Errorf("entries %q", got)
	}
	s.e.Assume.From = []Entry{{Kind: FromUser, Host: 2}, {Kind: FromSite, Site: "b"}}
	if got := refs(); !slices.Equal(got, []string{"user:2 false 1", "site:b false 1"}) {
		t.Errorf("entries %q", got)
	}
	s.e.Assume.From = fromSite("nowhere")
	if _, err := Build(context.Background(), s.e); err == nil || !strings.Contains(err.Error(), `"nowhere"`) {
		t.Errorf("error %v", err)
	}
}

func TestGoalsAreJewelsElseWhatIsCritical(t *testing.T) {
	s := tell(t, "a")
	for i := range 3 {
		s.host(int64(i+1), "a", fmt.Sprintf("10.0.0.%d", i+1))
	}
	goals := func() (out []string) {
		for _, g := range s.build().Network().Goals {
			out = append(out, fmt.Sprintf("%d %.1f", g.Host, g.Weight))
		}
		return out
	}
	check := func(want ...string) {
		t.Helper()
		if got := goals(); !slices.Equal(got, want) {
			t.Errorf("goals %q, want %q", got, want)
		}
	}
	check("1 0.6", "2 0.6", "3 0.6")
	s.e.Hosts[0].Criticality = 4
	s.e.Hosts[1].Criticality = 2
	check("1 0.8")
	s.e.Hosts[1].Jewel = true
	check("2 0.4")
	s.e.Assume.To = []int64{3}
	check("3 0.6")
}

func TestEqualEstatesGiveEqualNetworks(t *testing.T) {
	for seed := range uint64(20) {
		a, b := randomEstate(seed), randomEstate(seed)
		m, n := mustBuild(t, a), mustBuild(t, b)
		if !reflect.DeepEqual(m.Network(), n.Network()) {
			t.Fatalf("seed %d: two networks of one estate differ", seed)
		}
	}
}

func mustBuild(t *testing.T, e Estate) *Model {
	t.Helper()
	m, err := Build(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	checkNetwork(t, m.Network())
	return m
}

func TestAFindingMoreNeverLowersWhatIsReached(t *testing.T) {
	for seed := range uint64(60) {
		e := randomEstate(seed)
		r := rand.New(rand.NewPCG(seed, 99))
		before := chances(mustBuild(t, e))
		h := &e.Hosts[r.IntN(len(e.Hosts))]
		h.Flaws = append(slices.Clone(h.Flaws), randomFlaw(r, 100_000, h))
		after := chances(mustBuild(t, e))
		for what, p := range before {
			if after[what] < p-1e-12 {
				t.Fatalf("seed %d: %s fell from %v to %v with a finding more", seed, what, p, after[what])
			}
		}
	}
}

// chances tells what holds, and how likely at best, in words that do not depend on how facts are numbered.
func chances(m *Model) map[string]float64 {
	p := best(m.Network())
	out := map[string]float64{}
	for f, i := range m.Network().Facts {
		if p[f] == 0 {
			continue
		}
		switch i.Kind {
		case Holds, HasLogin, Administers, Reads, Writes, Reuses, EntryAt:
			key := fmt.Sprint(i.Kind, i.Privilege, i.Host, i.Site, i.Protocol, i.Port)
			out[key] = math.Max(out[key], p[f])
		}
	}
	return out
}
