package assess_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/match"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// memory is a catalogue of a few records: true facts, cut small.
type memory struct {
	records map[cve.ID]*cve.Record
	facts   map[cve.ID]intel.Facts
	packs   map[cpe.Product][]byte
}

func (m *memory) CVEs(_ context.Context, ids []cve.ID) (map[cve.ID]*cve.Record, error) {
	out := map[cve.ID]*cve.Record{}
	for _, id := range ids {
		if r := m.records[id]; r != nil {
			out[id] = r
		}
	}
	return out, nil
}

func (m *memory) Facts(_ context.Context, ids []cve.ID) (map[cve.ID]intel.Facts, error) {
	out := map[cve.ID]intel.Facts{}
	for _, id := range ids {
		if f, ok := m.facts[id]; ok {
			out[id] = f
		}
	}
	return out, nil
}

func (m *memory) Packs(_ context.Context, products []cpe.Product) ([][]byte, error) {
	out := make([][]byte, len(products))
	for i, p := range products {
		out[i] = m.packs[p]
	}
	return out, nil
}

func catalogue(t testing.TB, records ...*cve.Record) *memory {
	t.Helper()
	m := &memory{records: map[cve.ID]*cve.Record{}, facts: map[cve.ID]intel.Facts{}, packs: map[cpe.Product][]byte{}}
	b := match.NewBuilder()
	for _, r := range records {
		m.records[r.ID] = r
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	for p, pack := range packs(b.Packs()) {
		m.packs[p] = pack.Bytes
	}
	return m
}

func packs(seq iter.Seq2[cpe.Product, match.Pack]) map[cpe.Product]match.Pack {
	return maps.Collect(seq)
}

func record(id, published, vector string, score float64, matches ...cve.CPEMatch) *cve.Record {
	parsed, err := cve.ParseID(id)
	if err != nil {
		panic(err)
	}
	day, err := time.Parse(time.DateOnly, published)
	if err != nil {
		panic(err)
	}
	return &cve.Record{ID: parsed, Status: "Analyzed", Published: day, Title: "Title of " + id,
		Metrics:        []cve.Metric{{Version: "3.1", Vector: vector, Score: score, Source: "nvd@nist.gov", Primary: true, Provider: cve.ProviderNVD}},
		Configurations: []cve.Node{{Operator: cve.Or, Matches: matches}}}
}

func below(criteria, end string) cve.CPEMatch {
	return cve.CPEMatch{Vulnerable: true, Criteria: criteria, EndExcluding: end}
}

const (
	anySSH    = "cpe:2.3:a:openbsd:openssh:*:*:*:*:*:*:*:*"
	anyApache = "cpe:2.3:a:apache:http_server:*:*:*:*:*:*:*:*"
	openVec   = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
)

var (
	regreSSHion = record("CVE-2024-6387", "2024-07-01", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", 8.1,
		cve.CPEMatch{Vulnerable: true, Criteria: anySSH, StartIncluding: "8.6", EndExcluding: "9.8"})
	agent     = record("CVE-2016-10009", "2017-01-05", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 7.3, below(anySSH, "7.4"))
	traversal = record("CVE-2021-41773", "2021-10-05", openVec, 7.5,
		cve.CPEMatch{Vulnerable: true, Criteria: "cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*"})
	smuggling = record("CVE-2022-22720", "2022-03-14", openVec, 9.8, below(anyApache, "2.4.53"))
)

// world is an estate with a pipeline over it and a clock.
type world struct {
	t   *testing.T
	e   *store.Estate
	a   *assess.Assessor
	cat *memory
	now time.Time
}

func newWorld(t *testing.T, eng *storetest.Engine, records ...*cve.Record) *world {
	if len(records) == 0 {
		records = []*cve.Record{regreSSHion, agent, traversal, smuggling}
	}
	w := &world{t: t, e: eng.Open(t).Estate(), now: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)}
	w.use(catalogue(t, records...))
	return w
}

func (w *world) use(cat *memory) {
	w.cat = cat
	w.a = assess.New(w.e, cat, match.New(cat), func() time.Time { return w.now })
}

// scan runs events of one sensor through the pipeline, a day later than the scan before.
func (w *world) scan(sensor string, events ...finding.Event) assess.Result {
	w.t.Helper()
	w.now = w.now.AddDate(0, 0, 1)
	return w.scanAt(w.now, sensor, assess.End{}, events...)
}

func (w *world) scanAt(at time.Time, sensor string, end assess.End, events ...finding.Event) assess.Result {
	w.t.Helper()
	ctx := context.Background()
	run, err := w.a.Begin(ctx, finding.Scan{Kind: finding.KindScan, Site: asset.DefaultSite, Targets: []string{"10.0.0.0/24"}})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range events {
		if err := run.Emit(sensor, dated(e, at)); err != nil {
			w.t.Fatal(err)
		}
	}
	res, err := run.Finish(ctx, end)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, l := range res.Ledgers {
		if !l.Balanced() {
			w.t.Errorf("the ledger does not balance: %+v", l)
		}
	}
	return res
}

// dated gives an event its time, a few seconds apart as in real reports.
func dated(e finding.Event, at time.Time) finding.Event {
	switch {
	case e.Host != nil:
		h := *e.Host
		h.At = at.Add(-5 * time.Second)
		e.Host = &h
	case e.Service != nil:
		s := *e.Service
		s.At = at.Add(-3 * time.Second)
		e.Service = &s
	case e.Observation != nil:
		o := *e.Observation
		o.At = at.Add(-2 * time.Second)
		e.Observation = &o
	case e.Coverage != nil:
		c := *e.Coverage
		c.At = at
		e.Coverage = &c
	}
	return e
}

func (w *world) findings() map[string]finding.Listed {
	w.t.Helper()
	list, err := w.e.Findings(context.Background(), auth.Everything(), finding.Filter{ShowHidden: true})
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]finding.Listed{}
	for _, l := range list {
		out[string(l.Weakness)] = l
	}
	if len(out) != len(list) {
		w.t.Errorf("%d findings of %d weaknesses", len(list), len(out))
	}
	return out
}

func (w *world) finding(weakness string) finding.Listed {
	w.t.Helper()
	f, ok := w.findings()[weakness]
	if !ok {
		w.t.Fatalf("no finding of %s", weakness)
	}
	shown, err := w.e.Finding(context.Background(), auth.Everything(), f.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return shown
}

var addr = netip.MustParseAddr("10.0.0.1")

func up() finding.Event {
	return finding.Event{Host: &finding.HostSeen{Address: addr, Status: "up", Reason: "syn-ack"}}
}

func ssh(version string) finding.Event {
	return service(22, "ssh", "OpenSSH", version, "openbsd", "openssh")
}

func httpd(version string) finding.Event {
	return service(80, "http", "Apache httpd", version, "apache", "http_server")
}

func service(port uint16, name, product, version, vendor, cpeProduct string) finding.Event {
	base, update, _ := strings.Cut(version, "p")
	if update != "" {
		update = "p" + update
	}
	return finding.Event{Service: &finding.ServiceSeen{Address: addr, Protocol: "tcp", Port: port, Name: name, Product: product, Version: version,
		CPEs: []string{cpe.New('a', vendor, cpeProduct, base, update).String()}, Banner: product + " " + version}}
}

func covered(first, last uint16, checks ...string) finding.Event {
	return finding.Event{Coverage: &finding.Coverage{Address: addr, Protocol: "tcp", Ports: []finding.PortRange{{First: first, Last: last}}, Checks: checks}}
}

func TestAScanBecomesRatedFindings(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		w := newWorld(t, eng)
		added, _ := time.Parse(time.DateOnly, "2021-11-03")
		w.cat.facts[traversal.ID] = intel.Facts{KEV: &intel.KEV{CVE: traversal.ID, Added: added},
			EPSS: &intel.EPSS{CVE: traversal.ID, Score: 0.94, Percentile: 0.99}}
		res := w.scan("native", up(), ssh("7.2p2"), httpd("2.4.49"), covered(1, 1024))
		l := res.Ledgers[0]
		if l.Records != 2 || l.Expanded != 1 || l.New != 3 || l.Matched != 3 || l.CVEs != 0 || l.Services != 2 || l.HostsUp != 1 {
			t.Errorf("ledger %+v", l)
		}
		if res.Scan.Totals != (finding.ScanTotals{Hosts: 1, Services: 2, Findings: 3}) {
			t.Errorf("totals %+v", res.Scan.Totals)
		}
		f := w.finding("CVE-2021-41773")
		if !f.KEV || f.Decision != "act" || !f.Forensics || f.EPSS == nil || f.LikelihoodSource != "epss" || f.State != finding.Open || !f.Confirmed() ||
			f.Title != "Title of CVE-2021-41773" || f.Exposed || f.Due.Format(time.DateOnly) != "2026-11-05" || f.Product != "Apache httpd" {
			t.Errorf("%+v", f)
		}
		if len(f.Evidence) != 1 || f.Evidence[0].Output != "Apache httpd 2.4.49" || f.Evidence[0].LastScan != res.Scan.ID {
			t.Errorf("%+v", f.Evidence)
		}
		if f := w.findings()["CVE-2016-10009"]; f.EPSS != nil || f.Likelihood == nil || f.LikelihoodSource != "estimated" {
			t.Errorf("an unknown EPSS is not 0, and an estimate is called one: %+v", f)
		}
		list, err := w.e.Findings(context.Background(), auth.Everything(), finding.Filter{Scan: res.Scan.ID})
		if err != nil || len(list) != 3 || list[0].Weakness != "CVE-2021-41773" {
			t.Errorf("the most urgent comes first: %v %v", list, err)
		}
	})
}

func TestARescanKeepsIdsAndTriageAndAddsNothing(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		w := newWorld(t, eng)
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		before := w.finding("CVE-2016-10009")
		if err := w.e.Triage(context.Background(), before.ID, finding.Triage{State: finding.Accepted, By: "local:anna", At: w.now}); err != nil {
			t.Fatal(err)
		}
		res := w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		if l := res.Ledgers[0]; l.New != 0 || l.Merged != 1 {
			t.Errorf("%+v", l)
		}
		after := w.finding("CVE-2016-10009")
		if after.ID != before.ID || after.Triage.State != finding.Accepted || len(after.Evidence) != 1 || !after.Due.Equal(before.Due) ||
			!after.LastSeen.After(before.LastSeen) || !after.FirstSeen.Equal(before.FirstSeen) {
			t.Errorf("before %+v\nafter %+v", before, after)
		}
		w.scan("native", up(), ssh("9.9"), covered(1, 1024))
		if f := w.finding("CVE-2016-10009"); f.State != finding.Fixed || f.Triage.State != finding.Accepted {
			t.Errorf("%+v", f)
		}
	})
}

func TestOnlyWhatWasLookedAtAgainIsClosed(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		w := newWorld(t, eng)
		w.scan("native", up(), ssh("7.2p2"), httpd("2.4.49"), covered(1, 1024))
		w.scan("native", up(), httpd("2.4.49"), covered(80, 80))
		if f := w.finding("CVE-2016-10009"); f.State != finding.Open {
			t.Errorf("a scan of port 80 closed it: %+v", f.Life)
		}
		w.now = w.now.AddDate(0, 0, 1)
		w.scanAt(w.now, "native", assess.End{Scanners: []finding.ScannerRun{{Name: "native", Status: "failed"}}}, up(), covered(1, 1024))
		if f := w.finding("CVE-2016-10009"); f.State != finding.Open {
			t.Errorf("a failed scan closed it: %+v", f.Life)
		}
		w.scan("native", finding.Event{Host: &finding.HostSeen{Address: addr, Status: "down"}}, covered(1, 1024))
		if f := w.finding("CVE-2016-10009"); f.State != finding.Open {
			t.Errorf("a silent host closed it: %+v", f.Life)
		}
		w.scan("native", up(), httpd("2.4.62"), covered(1, 1024))
		if f := w.finding("CVE-2016-10009"); f.State != finding.Fixed || f.Closing != finding.ServiceGone {
			t.Errorf("the port is closed: %+v", f.Life)
		}
		if f := w.finding("CVE-2021-41773"); f.State != finding.Fixed || f.Closing != finding.NotSeen {
			t.Errorf("the server was updated: %+v", f.Life)
		}
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		if f := w.finding("CVE-2016-10009"); f.State != finding.Reopened || len(f.History) != 3 {
			t.Errorf("%+v", f.Life)
		}
	})
}

func TestAnOldReportDecidesNothing(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		w := newWorld(t, eng)
		w.scan("native", up(), ssh("9.9"), httpd("2.4.49"), covered(1, 1024))
		w.scanAt(w.now.AddDate(-1, 0, 0), "native", assess.End{File: "old.xml"}, up(), ssh("7.2p2"), covered(1, 1024))
		if f := w.finding("CVE-2016-10009"); f.State != finding.Fixed {
			t.Errorf("an old report opened it: %+v", f.Life)
		}
		if f := w.finding("CVE-2021-41773"); f.State != finding.Open {
			t.Errorf("an old report closed it: %+v", f.Life)
		}
		services, err := w.e.Services(context.Background(), auth.Everything(), []int64{w.finding("CVE-2021-41773").HostID})
		if err != nil || services[0].Version != "9.9" {
			t.Errorf("%+v %v", services[0], err)
		}
	})
}

func TestTwoScannersOfOneCVEAreOneFinding(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		w := newWorld(t, eng)
		w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
		script := finding.Event{Observation: &finding.Observation{Address: addr, Protocol: "tcp", Port: 22, Check: "nmap:vulners",
			CVEs: []cve.ID{agent.ID, regreSSHion.ID, agent.ID}, Title: "by vulners", Output: "raw", Confidence: 80}}
		own := finding.Event{Observation: &finding.Observation{Address: addr, Protocol: "tcp", Port: 22, Check: "nmap:ssh-weak", Title: "Weak keys",
			Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N", Confidence: 95}}
		res := w.scan("nmap", up(), ssh("7.2p2"), script, own, covered(1, 1024, "nmap:vulners"))
		if l := res.Ledgers[0]; l.Records != 3 || l.Expanded != 1 || l.New != 2 || l.Merged != 2 || l.CVEs != 2 || l.Matched != 0 {
			t.Errorf("%+v", l)
		}
		if f := w.finding("CVE-2016-10009"); len(f.Evidence) != 3 || f.Title != "Title of CVE-2016-10009" {
			t.Errorf("%+v", f.Evidence)
		}
		if f := w.finding("nmap:ssh-weak"); f.Severity != "medium" || f.CVSSSource != "nmap" || f.Decision != "plan" || f.Title != "Weak keys" || f.KEV {
			t.Errorf("%+v", f)
		}
	})
}

func TestAVersionThatIsNotKnownGivesCandidatesOnly(t *testing.T) {
	w := newWorld(t, storetest.NewSQLite(t))
	res := w.scan("native", up(), service(22, "ssh", "OpenSSH", "", "openbsd", "openssh"), covered(1, 1024))
	if l := res.Ledgers[0]; l.Informational != 1 || l.Unknown != 2 || len(w.findings()) != 0 {
		t.Errorf("%+v %v", l, w.findings())
	}
	hosts, err := w.e.Hosts(context.Background(), auth.Everything(), store.HostFilter{})
	if err != nil {
		t.Fatal(err)
	}
	services, err := w.e.Services(context.Background(), auth.Everything(), []int64{hosts[0].ID})
	if err != nil || services[0].Candidates != 2 {
		t.Errorf("%+v %v", services, err)
	}
}

func TestABackportingDistributionMakesPotentialFindings(t *testing.T) {
	w := newWorld(t, storetest.NewSQLite(t))
	e := ssh("7.2p2")
	e.Service.Backport = "Debian"
	w.scan("native", up(), e, covered(1, 1024))
	if f := w.finding("CVE-2016-10009"); f.Confirmed() || f.Confidence != 30 {
		t.Errorf("%+v", f)
	}
}

func TestTheCatalogueWithdrawsAddsAndReturns(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng, agent, traversal)
		w.scan("native", up(), ssh("7.2p2"), httpd("2.4.49"), covered(1, 1024))
		id := w.finding("CVE-2016-10009").ID
		for _, step := range []struct {
			records []*cve.Record
			want    assess.Rematched
			state   finding.State
		}{
			{[]*cve.Record{agent, traversal}, assess.Rematched{Hosts: 1}, finding.Open},
			{[]*cve.Record{traversal, smuggling}, assess.Rematched{Hosts: 1, New: 1, Withdrawn: 1}, finding.Closed},
			{[]*cve.Record{traversal, smuggling, agent}, assess.Rematched{Hosts: 1, Returned: 1}, finding.Open},
		} {
			w.now = w.now.AddDate(0, 0, 1)
			w.use(catalogue(t, step.records...))
			got, err := w.a.Rematch(ctx)
			if err != nil || got != step.want {
				t.Fatalf("%+v, want %+v (%v)", got, step.want, err)
			}
			if f := w.finding("CVE-2016-10009"); f.State != step.state || f.ID != id || len(f.Evidence) != 1 {
				t.Errorf("%+v", f)
			}
		}
		if f := w.finding("CVE-2022-22720"); !f.FirstSeen.Before(w.now.AddDate(0, 0, -1)) {
			t.Errorf("nothing was looked at: first seen %s", f.FirstSeen)
		}
	})
}

func TestANewFactEscalatesWithoutMovingTheDueDateLater(t *testing.T) {
	w := newWorld(t, storetest.NewSQLite(t))
	w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
	before := w.finding("CVE-2016-10009")
	w.now = w.now.AddDate(0, 0, 5)
	w.cat.facts[agent.ID] = intel.Facts{KEV: &intel.KEV{CVE: agent.ID, Added: w.now}}
	if _, err := w.a.Rematch(context.Background()); err != nil {
		t.Fatal(err)
	}
	after := w.finding("CVE-2016-10009")
	if before.Decision != "track" || after.Decision != "attend" || after.Due.Sub(w.now.Truncate(24*time.Hour)) != 14*24*time.Hour {
		t.Errorf("%s %s -> %s %s", before.Decision, before.Due, after.Decision, after.Due)
	}
}

func TestEveryRecordIsAccountedForWhateverTheEvents(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		rng := rand.New(rand.NewPCG(1, 9))
		w := newWorld(t, eng)
		for range 60 {
			events, records := randomEvents(rng)
			res := w.scan([]string{"native", "nmap"}[rng.IntN(2)], events...)
			got := 0
			for _, l := range res.Ledgers {
				got += l.Records
			}
			if got != records {
				t.Fatalf("%d records, want %d", got, records)
			}
		}
	})
}

// nasty gives texts that no database, terminal or limit should meet raw.
func nasty(rng *rand.Rand) string {
	return []string{"", "a.example", "b\x00", "\xff\xfe", "c\nd", strings.Repeat("é", 700), "'; DROP TABLE host; --"}[rng.IntN(7)]
}

// randomEvents makes a report of anything, sensible or not, and counts its records.
func randomEvents(rng *rand.Rand) (events []finding.Event, records int) {
	versions := []string{"7.2p2", "9.7", "", "2.4.49", "2.4.62"}
	for range rng.IntN(40) {
		e := finding.Event{}
		switch rng.IntN(6) {
		case 0:
			e = up()
			e.Host.Address, e.Host.Names, e.Host.MAC, e.Host.SSHKey = randomAddr(rng), []string{nasty(rng), nasty(rng)}, nasty(rng), nasty(rng)
			e.Host.OS, e.Host.CPEs, e.Host.Status, e.Host.Reason = nasty(rng), []string{nasty(rng)}, []string{"up", "down", nasty(rng)}[rng.IntN(3)], nasty(rng)
		case 1:
			e = ssh(versions[rng.IntN(len(versions))])
			e.Service.Address, e.Service.Port = randomAddr(rng), uint16(rng.IntN(4))
			e.Service.Banner, e.Service.Name, e.Service.SSHKey = nasty(rng), nasty(rng), nasty(rng)
			e.Service.CPEs = append(e.Service.CPEs, nasty(rng))
			records++
		case 2:
			e = httpd(versions[rng.IntN(len(versions))])
			e.Service.HostName, e.Service.Address = nasty(rng), netip.Addr{}
			records++
		case 3:
			o := finding.Observation{Address: randomAddr(rng), Protocol: "tcp", Port: uint16(rng.IntN(3)), Confidence: rng.IntN(300) - 100,
				Check: []string{"", "nmap:x", "nmap:y"}[rng.IntN(3)], Output: "\xff\x00" + strings.Repeat("o", rng.IntN(20000))}
			o.Title, o.Location, o.Remedy, o.Vector, o.Component = nasty(rng), nasty(rng), nasty(rng), nasty(rng), nasty(rng)
			o.Protocol = []string{"tcp", nasty(rng)}[rng.IntN(2)]
			for range rng.IntN(4) {
				o.CVEs = append(o.CVEs, cve.NewID(2024, uint32(rng.IntN(5)+1)))
			}
			e.Observation = &o
			records++
		case 4:
			n := rng.IntN(5)
			e.Drop = &finding.Drop{Reason: fmt.Sprint("reason ", rng.IntN(3)), Count: n, Informational: rng.IntN(2) == 0}
			records += n
		case 5:
			e = covered(0, 65535, "nmap:x", nasty(rng))
			e.Coverage.Address = randomAddr(rng)
		}
		events = append(events, e)
	}
	return events, records
}

func randomAddr(rng *rand.Rand) netip.Addr {
	return []netip.Addr{{}, addr, netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("::ffff:10.0.0.1"),
		netip.MustParseAddr("fe80::1").WithZone("\xff\x00")}[rng.IntN(6)]
}

func TestSilentHostsAreInTheScanAndNotInTheEstate(t *testing.T) {
	w := newWorld(t, storetest.NewSQLite(t))
	ctx := context.Background()
	w.now = w.now.AddDate(0, 0, 1)
	res := w.scanAt(w.now, "native", assess.End{Silent: []finding.ScanHost{
		{Name: "gone.example", Status: "unknown", Reason: "did not resolve"},
		{Address: addr.String(), Name: "quiet.example", Status: "unknown", Reason: "did not answer"}}},
		finding.Event{Host: &finding.HostSeen{Address: addr, Status: "down", Reason: "no answer"}})
	hosts, err := w.e.Hosts(ctx, auth.Everything(), store.HostFilter{})
	if err != nil || len(hosts) != 0 {
		t.Errorf("%v %v", hosts, err)
	}
	lines, err := w.e.ScanHosts(ctx, auth.Everything(), res.Scan.ID)
	if err != nil || len(lines) != 2 || res.Scan.Totals.Silent != 2 || res.Scan.Totals.Hosts != 0 {
		t.Errorf("%+v %+v %v", lines, res.Scan.Totals, err)
	}
	if lines[0].Name != "quiet.example" && lines[1].Name != "quiet.example" {
		t.Errorf("the silent address lost its name: %+v", lines)
	}
}

func TestASensorWithoutAnAnswerDoesNotContradictOneOfTheSameScan(t *testing.T) {
	w := newWorld(t, storetest.NewSQLite(t))
	ctx := context.Background()
	run, err := w.a.Begin(ctx, finding.Scan{Site: asset.DefaultSite})
	if err != nil {
		t.Fatal(err)
	}
	silent := finding.Event{Host: &finding.HostSeen{Address: addr, Status: "down", Reason: "no answer"}}
	for _, said := range []struct {
		sensor string
		event  finding.Event
		after  time.Duration
	}{{"native", up(), 0}, {"native", ssh("7.2p2"), 0}, {"nmap", silent, time.Minute}} {
		if err := run.Emit(said.sensor, dated(said.event, w.now.Add(said.after))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := run.Finish(ctx, assess.End{}); err != nil {
		t.Fatal(err)
	}
	hosts, err := w.e.Hosts(ctx, auth.Everything(), store.HostFilter{})
	if err != nil || len(hosts) != 1 || hosts[0].Status != asset.Up {
		t.Errorf("%+v %v", hosts, err)
	}
}

func TestTwentyThousandFindingsAreAssessedInSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	var records []*cve.Record
	for i := range 100 {
		records = append(records, record(fmt.Sprintf("CVE-2019-%04d", 1000+i), "2019-01-01", openVec, 9.8, below(anySSH, "9.0")))
	}
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		w := newWorld(t, eng, records...)
		for round := range 2 {
			var events []finding.Event
			for i := range 200 {
				e := ssh("7.2p2")
				e.Service.Address = netip.AddrFrom4([4]byte{10, 0, 1, byte(i)})
				c := covered(1, 1024)
				c.Coverage.Address = e.Service.Address
				events = append(events, e, c)
			}
			began := time.Now()
			res := w.scan("native", events...)
			took := time.Since(began)
			t.Logf("round %d: %d new, %d merged: %s", round, res.Ledgers[0].New, res.Ledgers[0].Merged, took.Round(time.Millisecond))
			if res.Ledgers[0].New+res.Ledgers[0].Merged != 20000 || took > time.Minute {
				t.Errorf("%+v in %s", res.Ledgers[0], took)
			}
		}
		began := time.Now()
		got, err := w.a.Rematch(context.Background())
		if err != nil || got != (assess.Rematched{Hosts: 200}) {
			t.Errorf("%+v %v", got, err)
		}
		t.Logf("rematch: %s", time.Since(began).Round(time.Millisecond))
	})
}

func TestAFailingCatalogueKeepsServicesForTheNextRematch(t *testing.T) {
	w := newWorld(t, storetest.NewSQLite(t))
	ctx := context.Background()
	w.scan("native", up(), ssh("7.2p2"), covered(1, 1024))
	working := w.a
	w.a = assess.New(w.e, broken{w.cat}, match.New(w.cat), func() time.Time { return w.now })
	run, err := w.a.Begin(ctx, finding.Scan{Site: asset.DefaultSite})
	if err != nil {
		t.Fatal(err)
	}
	other := httpd("2.4.49")
	other.Service.Address = netip.MustParseAddr("10.0.0.2")
	script := finding.Event{Observation: &finding.Observation{Address: addr, Check: "nmap:x"}}
	for _, e := range []finding.Event{other, covered(1, 1024), script} {
		if err := run.Emit("native", dated(e, w.now.AddDate(0, 0, 1))); err != nil {
			t.Fatal(err)
		}
	}
	third := ssh("9.2p1")
	third.Service.Address = netip.MustParseAddr("10.0.0.3")
	if err := run.Emit("nmap", dated(third, w.now.AddDate(0, 0, 1))); err != nil {
		t.Fatal(err)
	}
	res, err := run.Finish(ctx, assess.End{})
	if !errors.Is(err, errBroken) || len(res.Ledgers) != 2 || !res.Ledgers[0].Balanced() || res.Ledgers[0].Records != 2 {
		t.Fatalf("%v %+v", err, res.Ledgers)
	}
	if hosts, err := w.e.Hosts(ctx, auth.Everything(), store.HostFilter{}); err != nil || len(hosts) != 3 {
		t.Errorf("the second sensor's host was lost: %d hosts, %v", len(hosts), err)
	}
	if s, err := w.e.Scan(ctx, auth.Everything(), run.ScanID()); err != nil || s.Status != finding.Failed || !strings.Contains(s.Reason, "broken") {
		t.Errorf("%+v %v", s, err)
	}
	if f := w.finding("CVE-2016-10009"); f.State != finding.Open || f.Decision == "" {
		t.Errorf("%+v", f)
	}
	if got, err := working.Rematch(ctx); err != nil || got.New != 3 {
		t.Errorf("%+v %v", got, err)
	}
}

var errBroken = errors.New("the catalogue is broken")

type broken struct{ *memory }

func (broken) CVEs(context.Context, []cve.ID) (map[cve.ID]*cve.Record, error) { return nil, errBroken }

func TestACheckThatPassedEndsWhatItSawAndOpensNothing(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		w := newWorld(t, eng)
		check := func(id string, passed bool, c *finding.Compliance, cves ...cve.ID) finding.Event {
			return finding.Event{Observation: &finding.Observation{Address: addr, Protocol: "tcp", Port: 443, Check: id, Title: id, Severity: "high",
				Confidence: 95, Passed: passed, Compliance: c, CVEs: cves}}
		}
		heartbleed, item := cve.NewID(2014, 160), &finding.Compliance{Result: "passed", Benchmark: "CIS Debian 12", Reference: "5.2.8"}
		res := w.scan("testssl", up(), check("testssl:heartbleed", true, nil, heartbleed), check("nessus:21156:5.2.8", true, item))
		if l := res.Ledgers[0]; l.New != 1 || l.Informational != 1 || l.Expanded != 0 {
			t.Errorf("the ledger of passed checks: %+v", l)
		}
		if f := w.finding("nessus:21156:5.2.8"); f.State != finding.Closed || f.Closing != finding.Passed || f.Kind != finding.KindCompliance || f.Result != "passed" {
			t.Errorf("a passed item is %s (%s), kind %s, result %s", f.State, f.Closing, f.Kind, f.Result)
		}
		w.scan("testssl", up(), check("testssl:heartbleed", false, nil, heartbleed))
		if f := w.finding("CVE-2014-0160"); f.State != finding.Open {
			t.Fatalf("seen, and %s", f.State)
		}
		w.scan("testssl", up(), check("testssl:heartbleed", true, nil, heartbleed))
		if f := w.finding("CVE-2014-0160"); f.State != finding.Fixed || f.Closing != finding.NotSeen {
			t.Errorf("passed after it was seen, and %s (%s)", f.State, f.Closing)
		}
		w.scan("testssl", up(), check("testssl:heartbleed", false, nil, heartbleed))
		if f := w.finding("CVE-2014-0160"); f.State != finding.Reopened {
			t.Errorf("seen again, and %s", f.State)
		}
		failed := *item
		failed.Result = "failed"
		w.scan("nessus", up(), check("nessus:21156:5.2.8", false, &failed))
		if f := w.finding("nessus:21156:5.2.8"); !f.State.Live() || f.Result != "failed" {
			t.Errorf("a failed item is %s with result %s", f.State, f.Result)
		}
	})
}
