package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
	"github.com/patchscout/patchscout/internal/version"
)

// world is an estate of random hosts and findings, and what a plain reader of all rows makes of them.
type world struct {
	t     *testing.T
	e     *store.Estate
	rng   *rand.Rand
	hosts map[int64]*asset.Host
	rows  []reference
	risk  map[int64]float64 // what the last run found, of those that have counted ever since
}

// reference is one finding with all that a filter may ask.
type reference struct {
	finding.Listed
	host *asset.Host
}

var worldSites = []string{"default", "branch", "dmz"}

func pick[T any](rng *rand.Rand, items ...T) T { return items[rng.IntN(len(items))] }

func maybe[T any](rng *rand.Rand, v T) *T {
	if rng.IntN(4) == 0 {
		return nil
	}
	return &v
}

func newWorld(t *testing.T, e *store.Estate, seed uint64, hosts, perHost int) *world {
	w := &world{t: t, e: e, rng: rand.New(rand.NewPCG(seed, 7)), hosts: map[int64]*asset.Host{}}
	for _, site := range worldSites[1:] {
		if _, _, err := e.CreateSite(context.Background(), asset.Site{Name: site}); err != nil {
			t.Fatal(err)
		}
	}
	for range hosts / 20 {
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			for range 20 {
				if err := w.addHost(ctx, tx, perHost); err != nil {
					return err
				}
			}
			return nil
		})
	}
	w.reread()
	return w
}

func (w *world) addHost(ctx context.Context, tx *store.EstateTx, findings int) error {
	rng := w.rng
	address := netip.AddrFrom4([4]byte{10, 0, byte(rng.IntN(3)), byte(rng.IntN(250))})
	if rng.IntN(5) == 0 {
		address = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: byte(rng.IntN(200))})
	}
	h := &asset.Host{Site: pick(rng, worldSites...), Status: asset.Up}
	names := []string{fmt.Sprintf("%s%d.example", pick(rng, "web", "db", "mail"), rng.IntN(40))}
	if rng.IntN(8) > 0 {
		h.Note(asset.Sighting{Site: h.Site, Address: address, Names: names, Sensor: "nmap", At: day1})
	} else {
		h.Note(asset.Sighting{Site: h.Site, Names: names, Sensor: "nmap", At: day1})
	}
	h.Owner, h.Criticality = pick(rng, "", "anna", "ben"), pick(rng, "", "low", "high")
	h.Own = asset.Own{Owner: h.Owner, Criticality: h.Criticality}
	h.Tags = pick(rng, nil, []string{"pci"}, []string{"pci", "web\"x"}, []string{"PCI"})
	h.Own.Tags = h.Tags
	if err := tx.SaveHost(ctx, h); err != nil {
		return err
	}
	for _, port := range []uint16{22, 80, 443} {
		if rng.IntN(3) == 0 {
			continue
		}
		s := &asset.Service{HostID: h.ID, Protocol: "tcp", Port: port, Name: pick(rng, "ssh", "http", ""), Product: pick(rng, "OpenSSH", "nginx", "Apache httpd", "")}
		if err := tx.SaveService(ctx, s); err != nil {
			return err
		}
	}
	seen := map[finding.Fingerprint]bool{}
	for range findings {
		f := w.finding(h)
		if seen[f.Fingerprint] {
			continue
		}
		seen[f.Fingerprint] = true
		if err := tx.SaveFinding(ctx, f, nil); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) finding(h *asset.Host) *finding.Finding {
	rng := w.rng
	f := &finding.Finding{Fingerprint: finding.Fingerprint{Site: h.Site, HostID: h.ID, Protocol: pick(rng, "tcp", "tcp", "udp", ""), Component: pick(rng, "", "", "openssl", "lodash")}}
	if f.Protocol != "" {
		f.Port = pick[uint16](rng, 22, 80, 443, 8080)
	}
	f.Weakness = finding.OfCVE(cve.NewID(2024, uint32(1000+rng.IntN(60))))
	if rng.IntN(4) == 0 {
		f.Weakness = finding.Weakness(fmt.Sprintf("nikto:%d GET /Admin", rng.IntN(20)))
	}
	w.vary(f)
	for _, sensor := range []string{"nmap", "nessus", "Own tool"} {
		if rng.IntN(2) == 0 {
			f.Evidence = append(f.Evidence, finding.Evidence{Sensor: sensor, Check: "c", FirstSeen: day1, LastSeen: day1, FirstScan: 1, LastScan: 1, Status: finding.Affected})
		}
	}
	return f
}

// vary gives a finding facts as reports and people might.
func (w *world) vary(f *finding.Finding) {
	rng := w.rng
	day := func() time.Time {
		if rng.IntN(4) == 0 {
			return time.Time{}
		}
		return day1.Truncate(24*time.Hour).AddDate(0, 0, rng.IntN(60)-30)
	}
	f.State = pick(rng, finding.Open, finding.Open, finding.Reopened, finding.Fixed, finding.Closed)
	f.Triage = finding.Triage{State: pick(rng, finding.Untriaged, finding.Untriaged, finding.Confirmed, finding.FalsePositive, finding.Accepted, finding.OutOfScope)}
	if f.Triage.State == finding.Accepted || f.Triage.State == finding.OutOfScope {
		f.Triage.Until = day()
	}
	f.Title = pick(rng, "OpenSSH before 9.8", "100% of _it_", "Weak Äpfel\nand pears", "SQL injection", "")
	f.Status = pick(rng, finding.Affected, finding.Affected, finding.Conditional, finding.Uncertain)
	f.Kind = pick(rng, finding.KindVulnerability, finding.KindVulnerability, finding.KindCompliance)
	f.Confidence = rng.IntN(101)
	f.Severity = pick(rng, "critical", "high", "medium", "low", "info", "unknown")
	f.CVSS, f.EPSS = maybe(rng, float64(rng.IntN(101))/10), maybe(rng, float64(rng.IntN(100001))/100000)
	f.Likelihood, f.Score = maybe(rng, float64(rng.IntN(1000001))/1e6), maybe(rng, float64(rng.IntN(1000001))/1e6)
	f.KEV, f.Exploited = rng.IntN(5) == 0, rng.IntN(4) == 0
	f.Decision = pick(rng, "act", "attend", "plan", "track", "")
	f.Due, f.SLADue = day(), day()
	f.RankKey = fmt.Sprintf("%d%07d%07d", rng.IntN(5), rng.IntN(20), rng.IntN(3))
	f.FirstSeen = day1.Add(-time.Duration(rng.IntN(1000)) * time.Hour)
	f.LastSeen = f.FirstSeen.Add(time.Duration(rng.IntN(100)) * time.Minute)
	f.ClosedAt, f.Closing, f.Lapses = time.Time{}, "", nil
	if !f.State.Live() {
		f.ClosedAt, f.Closing = day1.Add(-time.Duration(rng.IntN(400))*time.Hour), pick(rng, finding.NotSeen, finding.HostRetired, finding.Passed)
	}
	for range rng.IntN(3) {
		at := day1.Add(-time.Duration(rng.IntN(1000)) * time.Hour)
		f.Lapses = append(f.Lapses, finding.Lapse{From: at, To: at.Add(time.Hour), Fixed: rng.IntN(2) == 0})
	}
	f.RemedyKey = pick(rng, "", "upgrade:openbsd:openssh", "upgrade:f5:nginx", "text:1234")
	f.RemedyName = map[string]string{"upgrade:openbsd:openssh": pick(rng, "OpenSSH", "openssh"), "upgrade:f5:nginx": "nginx", "text:1234": "Disable it"}[f.RemedyKey]
	f.FixedIn = pick(rng, "", "9.8", "9.10", "1.0")
	f.Assignee = pick(rng, "", "anna", "ben")
	f.Labels = pick(rng, nil, []string{"a"}, []string{"a", "b"}, []string{"A<b>", "b"})
}

// reread reads all rows in the plainest way.
func (w *world) reread() {
	ctx := context.Background()
	hosts, err := w.e.Hosts(ctx, auth.Everything(), store.HostFilter{})
	if err != nil {
		w.t.Fatal(err)
	}
	var ids []int64
	clear(w.hosts)
	for _, h := range hosts {
		ids = append(ids, h.ID)
		w.hosts[h.ID] = h
	}
	services, err := w.e.Services(ctx, auth.Everything(), ids)
	if err != nil {
		w.t.Fatal(err)
	}
	type at struct {
		host     int64
		protocol string
		port     uint16
	}
	byPlace := map[at]*asset.Service{}
	for _, s := range services {
		byPlace[at{s.HostID, s.Protocol, s.Port}] = s
	}
	w.rows = nil
	update(w.t, w.e, func(ctx context.Context, tx *store.EstateTx) error {
		found, err := tx.Findings(ctx, ids)
		for _, f := range found {
			r := reference{Listed: finding.Listed{Finding: *f}, host: w.hosts[f.HostID]}
			if r.host.Address.IsValid() {
				r.HostAddress = r.host.Address.String()
			}
			r.HostNames, r.Owner = r.host.Names(), r.host.Owner
			if risk, known := w.risk[f.ID]; known && r.onPaths() {
				r.RiskRemoved = &risk
			} else {
				delete(w.risk, f.ID)
			}
			if s := byPlace[at{f.HostID, f.Protocol, f.Port}]; s != nil {
				r.Service, r.Product = s.Name, s.Product
			}
			w.rows = append(w.rows, r)
		}
		return err
	})
}

// onPaths says whether attack paths may lead over it.
func (r *reference) onPaths() bool {
	return r.State.Live() && r.Finding.Confirmed() && r.Kind == finding.KindVulnerability && (r.Triage.State == finding.Untriaged || r.Triage.State == finding.Confirmed)
}

// workOutRisk is a run of attack paths, which also has figures of what has ended meanwhile.
func (w *world) workOutRisk() {
	w.t.Helper()
	w.risk = map[int64]float64{}
	for i := range w.rows {
		r := &w.rows[i]
		if r.Triage.State == finding.Untriaged || r.Triage.State == finding.Confirmed || r.Triage.State == finding.FalsePositive {
			w.risk[r.ID] = pick(w.rng, 0, 0, 0.25, 1e-9, 0.6*w.rng.Float64(), 300*w.rng.Float64())
			w.risk[r.ID] = float64(float32(w.risk[r.ID]))
		}
	}
	if err := w.e.SetRisk(context.Background(), day1, 1, w.risk); err != nil {
		w.t.Fatal(err)
	}
	w.reread()
}

// passes is the filter in plain words.
func (r *reference) passes(f finding.Filter, now time.Time) bool {
	today := now.UTC().Truncate(24 * time.Hour)
	oneOf := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	before := func(t, limit time.Time) bool { return limit.IsZero() || !t.IsZero() && t.Before(limit) }
	after := func(t, limit time.Time) bool { return limit.IsZero() || !t.IsZero() && !t.Before(limit) }
	atLeast := func(v, limit *float64) bool { return limit == nil || v != nil && *v >= *limit }
	fold := func(text, part string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(part)) }
	hidden := r.Triage.Hidden(now)
	protocol := r.Protocol
	if protocol == "" {
		protocol = "host"
	}
	for _, ok := range []bool{
		f.HostID == 0 || f.HostID == r.HostID,
		f.Site == "" || f.Site == r.Site,
		len(f.States) == 0 || slices.Contains(f.States, r.State),
		!f.Live || r.State.Live(),
		len(f.Triage) == 0 || slices.Contains(f.Triage, r.Triage.State),
		f.ShowHidden || len(f.Triage) > 0 || !hidden,
		oneOf(f.Severities, r.Severity), oneOf(f.Decisions, r.Decision), oneOf(f.Protocols, protocol), oneOf(f.Criticality, r.host.Criticality),
		f.KEV == nil || *f.KEV == r.KEV, f.Exploited == nil || *f.Exploited == r.Exploited,
		len(f.Statuses) == 0 || slices.Contains(f.Statuses, r.Status),
		len(f.Kinds) == 0 || slices.Contains(f.Kinds, r.Kind),
		r.Confidence >= f.MinConfidence,
		!f.Confirmed || r.Finding.Confirmed(), !f.Potential || !r.Finding.Confirmed(),
		atLeast(r.CVSS, f.MinCVSS), atLeast(r.EPSS, f.MinEPSS), atLeast(r.RiskRemoved, f.MinRisk),
		f.Weakness == "" || f.Weakness == string(r.Weakness),
		f.Remedy == "" || f.Remedy == r.RemedyKey,
		f.Sensor == "" || slices.ContainsFunc(r.Evidence, func(e finding.Evidence) bool { return e.Sensor == f.Sensor }),
		len(f.Ports) == 0 || slices.Contains(f.Ports, r.Port),
		f.Component == "" || f.Component == r.Component,
		f.Product == "" || fold(r.Product, f.Product) || fold(r.Component, f.Product),
		f.Assignee == nil || *f.Assignee == r.Assignee,
		f.Owner == nil || *f.Owner == r.host.Owner,
		!slices.ContainsFunc(f.Labels, func(l string) bool { return !slices.Contains(r.Labels, l) }),
		!slices.ContainsFunc(f.Tags, func(l string) bool { return !slices.Contains(r.host.Tags, l) }),
		before(r.Due, f.DueBefore), before(r.SLADue, f.SLABefore), !f.Overdue || r.Overdue(now),
		!f.SLAOverdue || r.State.Live() && !r.SLADue.IsZero() && r.SLADue.Before(today),
		after(r.FirstSeen, f.FirstSeenAfter), before(r.FirstSeen, f.FirstSeenBefore),
		after(r.LastSeen, f.LastSeenAfter), before(r.LastSeen, f.LastSeenBefore),
		after(r.ended(), f.ClosedAfter), after(r.returned(), f.ReturnedAfter),
		r.hasWords(strings.Fields(strings.ToLower(f.Text))),
	} {
		if !ok {
			return false
		}
	}
	return true
}

// ended is when a finding that is not open was last seen to be there no more; what only ever passed did not end.
func (r *reference) ended() time.Time {
	if r.State.Live() || r.Closing == finding.Passed {
		return time.Time{}
	}
	return r.ClosedAt
}

func (r *reference) returned() time.Time {
	if len(r.Lapses) == 0 {
		return time.Time{}
	}
	return r.Lapses[len(r.Lapses)-1].To
}

func (r *reference) hasWords(words []string) bool {
	read := append([]string{r.Title, string(r.Weakness), r.Component, r.Service, r.Product, r.HostAddress}, r.HostNames...)
	return !slices.ContainsFunc(words, func(word string) bool {
		return !slices.ContainsFunc(read, func(text string) bool { return strings.Contains(strings.ToLower(text), word) })
	})
}

// less is the order of a list in plain words.
func less(s finding.Sort, a, b *reference) int {
	value := func(r *reference) (float64, bool) {
		number := func(p *float64) (float64, bool) {
			if p == nil {
				return 0, false
			}
			return *p, true
		}
		at := func(t time.Time) (float64, bool) { return float64(t.UnixMilli()), !t.IsZero() }
		switch s.By {
		case finding.BySeverity:
			i := slices.Index([]string{"info", "low", "medium", "high", "critical"}, r.Severity)
			return float64(i), i >= 0
		case finding.ByCVSS:
			return number(r.CVSS)
		case finding.ByEPSS:
			return number(r.EPSS)
		case finding.ByLikelihood:
			return number(r.Likelihood)
		case finding.ByScore:
			return number(r.Score)
		case finding.ByRisk:
			return number(r.RiskRemoved)
		case finding.ByDue:
			return at(r.Due)
		case finding.BySLA:
			return at(r.SLADue)
		case finding.ByFirstSeen:
			return at(r.FirstSeen)
		case finding.ByLastSeen:
			return at(r.LastSeen)
		default:
			return 0, true
		}
	}
	x, xKnown := value(a)
	y, yKnown := value(b)
	if s.By == finding.ByHost {
		xKnown, yKnown = a.HostAddress != "", b.HostAddress != ""
	}
	if xKnown != yKnown {
		return map[bool]int{true: -1, false: 1}[xKnown]
	}
	order := 0
	switch {
	case !xKnown:
	case s.By == finding.ByHost:
		order = netip.MustParseAddr(a.HostAddress).Compare(netip.MustParseAddr(b.HostAddress))
	case s.Field() == finding.ByRank:
		order = strings.Compare(a.RankKey, b.RankKey)
	case x != y:
		order = map[bool]int{true: -1, false: 1}[x < y]
	}
	if s.Descending() {
		order = -order
	}
	if order != 0 {
		return order
	}
	return int(a.ID - b.ID)
}

func (w *world) want(f finding.Filter) (ids []int64) {
	var rows []*reference
	for i := range w.rows {
		if w.rows[i].passes(f, time.Now()) {
			rows = append(rows, &w.rows[i])
		}
	}
	slices.SortFunc(rows, func(a, b *reference) int { return less(f.Sort, a, b) })
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

// randomFilter narrows by n things.
func (w *world) randomFilter(n int) (f finding.Filter) {
	rng := w.rng
	when := func() time.Time { return day1.Add(time.Duration(rng.IntN(2000)-1500) * time.Hour) }
	choices := []func(){
		func() { f.HostID = pick(rng, w.rows...).HostID }, func() { f.Site = pick(rng, worldSites...) },
		func() {
			f.States = pick(rng, []finding.State{finding.Fixed}, []finding.State{finding.Open, finding.Closed})
		},
		func() { f.Live = true }, func() { f.ShowHidden = true },
		func() {
			f.Triage = []finding.TriageState{pick(rng, finding.Accepted, finding.FalsePositive, finding.Untriaged)}
		},
		func() {
			f.Severities = pick(rng, []string{"critical"}, []string{"high", "unknown"}, []string{"none such"})
		},
		func() { f.Decisions = pick(rng, []string{"act"}, []string{"plan", "track"}) },
		func() { f.KEV = pick(rng, new(bool), func() *bool { yes := true; return &yes }()) }, func() { f.Exploited = new(bool) },
		func() { f.Statuses = []finding.Status{pick(rng, finding.Affected, finding.Uncertain)} },
		func() { f.Kinds = []finding.Kind{pick(rng, finding.KindVulnerability, finding.KindCompliance)} },
		func() { f.MinConfidence = rng.IntN(101) }, func() { f.Confirmed = true }, func() { f.Potential = true },
		func() { v := float64(rng.IntN(101)) / 10; f.MinCVSS = &v }, func() { v := float64(rng.IntN(101)) / 100; f.MinEPSS = &v },
		func() { f.MinRisk = pick(rng, ptr(0.0), ptr(finding.LeastRisk), ptr(0.25)) },
		func() { f.Weakness = string(pick(rng, w.rows...).Weakness) }, func() { f.Remedy = pick(rng, "upgrade:f5:nginx", "none such") },
		func() { f.Sensor = pick(rng, "nmap", "own tool", "Own tool") }, func() { f.Ports = pick(rng, []uint16{22}, []uint16{0, 443}) },
		func() { f.Protocols = []string{pick(rng, "tcp", "udp", "host")} }, func() { f.Component = pick(rng, "openssl", "OpenSSL") },
		func() { f.Product = pick(rng, "openss", "nginx", "HTTPD", "lodash", "nobody's") },
		func() {
			f.Text = pick(rng, "ssh", "SSH before", "example web", "10.0.", "äpfel AND", "cve-2024-10", "nikto:1", "_it_", "nothing at all")
		},
		func() { f.Assignee = pick(rng, new(string), func() *string { s := "anna"; return &s }()) },
		func() { f.Labels = pick(rng, []string{"a"}, []string{"b", "a"}, []string{"A<b>"}, []string{"c"}) },
		func() { f.Owner = pick(rng, new(string), func() *string { s := "ben"; return &s }()) },
		func() { f.Tags = pick(rng, []string{"pci"}, []string{"web\"x", "pci"}, []string{"x"}) },
		func() { f.Criticality = pick(rng, []string{"high"}, []string{"", "low"}) },
		func() { f.DueBefore = when() }, func() { f.Overdue = true }, func() { f.SLABefore = when() }, func() { f.SLAOverdue = true },
		func() { f.FirstSeenAfter = when() }, func() { f.FirstSeenBefore = when() },
		func() { f.LastSeenAfter = when() }, func() { f.LastSeenBefore = when() },
		func() { f.ClosedAfter = when() }, func() { f.ReturnedAfter = when() },
	}
	for _, i := range rng.Perm(len(choices))[:n] {
		choices[i]()
	}
	f.Sort = finding.Sort{By: pick(rng, finding.SortFields()...), Reverse: rng.IntN(2) == 0}
	return f
}

// check asks the store for every page and compares with the plain reader.
func (w *world) check(f finding.Filter) {
	w.t.Helper()
	ctx := context.Background()
	want := w.want(f)
	counts, err := w.e.CountFindings(ctx, auth.Everything(), f)
	if err != nil || counts.Total != len(want) {
		w.t.Fatalf("%+v: counted %d, want %d (%v)", f, counts.Total, len(want), err)
	}
	var got []int64
	for f.Limit = 1 + w.rng.IntN(2*len(want)+3); ; {
		page, err := w.e.Findings(ctx, auth.Everything(), f)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, l := range page {
			got = append(got, l.ID)
		}
		if len(page) < f.Limit {
			break
		}
		if f.After, err = finding.ParseCursor(f.CursorOf(&page[len(page)-1]).String(), f.Sort); err != nil {
			w.t.Fatal(err)
		}
	}
	if !slices.Equal(got, want) {
		w.t.Fatalf("%+v\n got %d %v\nwant %d %v", f, len(got), head(got), len(want), head(want))
	}
}

func head(ids []int64) []int64 { return ids[:min(len(ids), 30)] }

func (w *world) checkMany(n int) {
	w.t.Helper()
	for i := range n {
		w.check(w.randomFilter(i % 5))
	}
}

func TestListsAreWhatAPlainReaderFinds(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		size, changes := 1, 2
		if os.Getenv("TEST_LONG") != "" {
			size, changes = 3, 8
		}
		w := newWorld(t, eng.Open(t).Estate(), 1, 120*size, 40) // more than one block of ids
		w.workOutRisk()
		w.checkMany(60 * size)
		w.checkGroups(20 * size)
		for range changes {
			w.change()
			w.reread()
			w.checkMany(20 * size)
			w.checkGroups(7 * size)
			w.workOutRisk()
			w.checkMany(10 * size)
		}
	})
}

// change does to the estate what reports and people do.
func (w *world) change() {
	rng := w.rng
	ctx := context.Background()
	for range 5 {
		if err := w.e.Triage(ctx, pick(rng, w.rows...).ID, finding.Triage{State: finding.FalsePositive, By: "anna", At: day1}); err != nil {
			w.t.Fatal(err)
		}
	}
	update(w.t, w.e, func(ctx context.Context, tx *store.EstateTx) error {
		r := pick(rng, w.rows...)
		found, err := tx.Findings(ctx, []int64{r.HostID})
		if err != nil {
			return err
		}
		for _, f := range found {
			w.vary(f)
			if err := tx.SaveFinding(ctx, f, nil); err != nil {
				return err
			}
		}
		services, err := tx.Services(ctx, []int64{pick(rng, w.rows...).HostID})
		if err != nil {
			return err
		}
		for _, s := range services {
			s.Product = pick(rng, "Renamed one", "nginx", "")
			if err := tx.SaveService(ctx, s); err != nil {
				return err
			}
		}
		return w.addHost(ctx, tx, 30)
	})
	update(w.t, w.e, func(ctx context.Context, tx *store.EstateTx) error {
		gone := map[int64]bool{}
		for range 20 {
			gone[pick(rng, w.rows...).ID] = true
		}
		var ids []int64
		for id := range gone {
			ids = append(ids, id)
		}
		return tx.DeleteFindings(ctx, ids)
	})
	update(w.t, w.e, func(ctx context.Context, tx *store.EstateTx) error {
		h := pick(rng, w.rows...).host
		h.Owner = pick(rng, "carl", "")
		h.Own.Owner = h.Owner
		h.Note(asset.Sighting{Site: h.Site, Address: netip.MustParseAddr("10.9.9.9"), Names: []string{"moved.example"}, Sensor: "nmap", At: day1.AddDate(0, 0, 1)})
		return tx.SaveHost(ctx, h)
	})
}

func (w *world) checkGroups(n int) {
	w.t.Helper()
	ctx := context.Background()
	for i := range n {
		f, by := w.randomFilter(i%4), pick(w.rng, finding.GroupBys()...)
		want := w.wantGroups(f, by)
		var got []finding.Group
		var after finding.GroupCursor
		for limit := 1 + w.rng.IntN(20); ; {
			page, total, err := w.e.FindingGroups(ctx, auth.Everything(), f, by, after, limit)
			if err != nil || total != len(want) {
				w.t.Fatalf("%s %+v: %d groups, want %d (%v)", by, f, total, len(want), err)
			}
			got = append(got, page...)
			if len(page) < limit {
				break
			}
			if after, err = finding.ParseGroupCursor(page[len(page)-1].Cursor(by).String(), by); err != nil {
				w.t.Fatal(err)
			}
		}
		if !slices.IsSortedFunc(got, func(a, b finding.Group) int { return a.Cursor(by).Compare(b.Cursor(by)) }) {
			w.t.Fatalf("%s: not in order", by)
		}
		for _, g := range got {
			g.Place = 0
			if g != want[g.Key] {
				w.t.Fatalf("%s %+v\n got %+v\nwant %+v", by, f, g, want[g.Key])
			}
			delete(want, g.Key)
		}
		if len(want) > 0 {
			w.t.Fatalf("%s: missing %v", by, want)
		}
	}
}

// wantGroups makes groups in the plainest way.
func (w *world) wantGroups(f finding.Filter, by finding.GroupBy) map[string]finding.Group {
	groups := map[string]finding.Group{}
	cves, hosts := map[string]bool{}, map[string]bool{}
	for i := range w.rows {
		r := &w.rows[i]
		if !r.passes(f, time.Now()) {
			continue
		}
		key, name := r.group(by)
		g := groups[key]
		g.Key, g.Name = key, name
		if by == finding.GroupRemedy {
			g.Name = r.RemedyName
			if old := groups[key].Name; old != "" && old < g.Name {
				g.Name = old
			}
			if key != "" && version.Compare(r.FixedIn, g.FixedIn) > 0 {
				g.FixedIn = r.FixedIn
			}
		}
		g.Findings++
		if r.KEV {
			g.KEV++
		}
		if id := key + "\x00" + string(r.Weakness); r.Weakness.CVE() != 0 && !cves[id] {
			cves[id] = true
			g.CVEs++
		}
		if id := fmt.Sprint(key, "\x00", r.HostID); !hosts[id] {
			hosts[id] = true
			g.Hosts++
		}
		ranks := []string{"", "track", "plan", "attend", "act"}
		g.Decision = ranks[max(slices.Index(ranks, g.Decision), slices.Index(ranks, r.Decision))]
		if !r.Due.IsZero() && (g.Due.IsZero() || r.Due.Before(g.Due)) {
			g.Due = r.Due
		}
		if n := finding.RankNumber(r.RankKey); g.RankKey == 0 || n < g.RankKey {
			g.RankKey = n
		}
		groups[key] = g
	}
	return groups
}

func (r *reference) group(by finding.GroupBy) (key, name string) {
	switch by {
	case finding.GroupHost:
		if r.HostAddress == "" {
			return fmt.Sprint(r.HostID), slices.Min(r.HostNames)
		}
		return fmt.Sprint(r.HostID), r.HostAddress
	case finding.GroupWeakness:
		return string(r.Weakness), string(r.Weakness)
	case finding.GroupProduct:
		if r.Product == "" {
			return r.Component, r.Component
		}
		return r.Product, r.Product
	case finding.GroupSite:
		return r.Site, r.Site
	case finding.GroupAssignee:
		return r.Assignee, r.Assignee
	case finding.GroupOwner:
		return r.Owner, r.Owner
	default:
		return r.RemedyKey, r.RemedyName
	}
}

func TestPagesGoOnWhenTheListChangesMeanwhile(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng.Open(t).Estate(), 2, 20, 40)
		for _, by := range finding.SortFields() {
			f := finding.Filter{Sort: finding.Sort{By: by}, ShowHidden: true, Limit: 37}
			seen, before := map[int64]bool{}, w.want(finding.Filter{ShowHidden: true})
			for {
				page, err := w.e.Findings(ctx, auth.Everything(), f)
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range page {
					if seen[l.ID] && !slices.Contains(before, l.ID) {
						t.Errorf("%s: %d came twice", by, l.ID)
					}
					seen[l.ID] = true
				}
				if len(page) < f.Limit {
					break
				}
				f.After = f.CursorOf(&page[len(page)-1])
				last := page[len(page)-1].ID // even the finding that the cursor names may go
				update(t, w.e, func(ctx context.Context, tx *store.EstateTx) error { return tx.DeleteFindings(ctx, []int64{last}) })
			}
			for _, id := range before {
				if !seen[id] {
					t.Errorf("%s: %d was passed over", by, id)
				}
			}
			w.reread()
		}
	})
}

func TestListsOfAnOlderEstateAreMadeWhenItIsRead(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		s := eng.Open(t)
		w := newWorld(t, s.Estate(), 3, 20, 40)
		if err := store.ForgetLists(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		w.checkMany(10) // from memory, since no write has followed yet
		if err := w.e.Triage(context.Background(), w.rows[0].ID, finding.Triage{State: finding.FalsePositive, At: day1}); err != nil {
			t.Fatal(err)
		}
		w.reread()
		w.checkMany(10)
	})
}
