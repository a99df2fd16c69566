package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
)

// The limits of lists over a million findings, of one process that is running.
const (
	maxList   = 50   // ms, p95: four filters and an order, a page of 100
	maxText   = 150  // ms, p95: words, two filters and an order
	maxCounts = 300  // ms, p95
	maxGroups = 1000 // ms, p95: 50 groups
)

// How many questions of each kind are asked.
const (
	listQueries  = 500
	textQueries  = 100
	countQueries = 60
	groupQueries = 42
	cliQueries   = 40
	estatePage   = 100
)

// estate builds an estate in each database and asks both the same.
func (b *bench) estate(ctx context.Context) error {
	fmt.Printf("lists of %d findings\n", b.findings)
	lite := &database{name: "SQLite", dir: filepath.Join(b.work, "estate")}
	onLite, err := b.askEstate(ctx, lite)
	if err != nil {
		return err
	}
	if err := b.askCommand(ctx, lite); err != nil {
		return err
	}
	server, err := b.startPostgres()
	if err != nil || server == nil {
		return err
	}
	beside := &database{name: "PostgreSQL", dir: filepath.Join(b.work, "estate-postgres"), url: server.url}
	onServer, err := b.askEstate(ctx, beside)
	if err != nil {
		return err
	}
	if err := b.askCommand(ctx, beside); err != nil {
		return err
	}
	same := 0
	for i := range onLite {
		if onLite[i] == onServer[i] {
			same++
		}
	}
	if same < len(onLite) {
		b.missed++
	}
	b.note("same answers on both", float64(same), fmt.Sprintf("of %d", len(onLite)))
	return nil
}

// askEstate returns every answer as text.
func (b *bench) askEstate(ctx context.Context, on *database) (answers []string, err error) {
	s, err := store.Open(ctx, store.Options{DataDir: on.dir, DatabaseURL: on.url})
	if err != nil {
		return nil, err
	}
	defer s.Close() //nolint:errcheck // nothing is pending
	e := s.Estate()
	begin := time.Now()
	if err := newEstateMaker(b.findings).fill(ctx, e); err != nil {
		return nil, err
	}
	b.note(on.name+", filled within", time.Since(begin).Seconds(), "s")
	a := &asker{e: e, rng: rand.New(rand.NewPCG(estateSeed, 1)), answers: &answers}
	if err := a.sample(ctx, b.findings); err != nil {
		return nil, err
	}
	for _, kind := range []struct {
		name  string
		n     int
		limit float64
		ask   func(context.Context) error
	}{
		{"four filters and an order, first pages", listQueries, maxList, a.firstPage},
		{"four filters and an order, deep pages", listQueries / 2, maxList, a.deepPage},
		{"words, two filters and an order", textQueries, maxText, a.text},
		{"total and kinds of what four filters leave", countQueries, maxCounts, a.counts},
		{"total and kinds of everything", 10, maxCounts, a.countAll},
		{"groups of what two filters leave", groupQueries, maxGroups, a.groups},
		{"groups of everything", len(finding.GroupBys()), maxGroups, a.groupAll},
	} {
		if err := b.askOften(ctx, on, kind.name, kind.n, kind.limit, a, kind.ask); err != nil {
			return nil, fmt.Errorf("%s: %w", kind.name, err)
		}
	}
	return answers, nil
}

func (b *bench) askOften(ctx context.Context, on *database, name string, n int, limit float64, a *asker, ask func(context.Context) error) error {
	var walls, cpus []time.Duration
	worst := ""
	for range n {
		before := cpuOfUs()
		if err := ask(ctx); err != nil {
			return fmt.Errorf("%s: %w", a.asked, err)
		}
		cpus = append(cpus, cpuOfUs()-before)
		if len(walls) == 0 || a.took > slices.Max(walls) {
			worst = a.asked
		}
		walls = append(walls, a.took)
	}
	name = on.name + ", " + name
	b.note(name+", p50", ms(quantile(walls, 0.5)), "ms")
	b.figure(name+", p95", ms(quantile(walls, 0.95)), limit*max(b.slack, 1), "ms")
	b.note(name+", p95 of our CPU time", ms(quantile(cpus, 0.95)), "ms")
	b.note(name+", worst", ms(slices.Max(walls)), "ms     "+worst)
	return nil
}

// askCommand asks the built command, a process each.
func (b *bench) askCommand(ctx context.Context, on *database) error {
	var walls []time.Duration
	for i := range cliQueries {
		args := []string{"findings", "--format", "json", "--limit", "20", "--sort", string(finding.SortFields()[i%len(finding.SortFields())]),
			"--site", "default", "--severity", "high", "--owner", "web", "--confirmed"}
		u, err := b.own(ctx, on, nil, args...)
		if err != nil {
			return err
		}
		if !json.Valid(u.stdout) {
			return fmt.Errorf("%v: no JSON", args)
		}
		walls = append(walls, u.wall)
	}
	b.note(on.name+", the command, four filters, p50", ms(quantile(walls, 0.5)), "ms")
	b.note(on.name+", the command, four filters, p95", ms(quantile(walls, 0.95)), "ms")
	return nil
}

// asker asks random questions, the same for the same seed.
type asker struct {
	e       *store.Estate
	rng     *rand.Rand
	some    []finding.Listed // random findings, to ask for what there is
	answers *[]string
	asked   string
	took    time.Duration
}

// sample reads findings at random: the rows behind random cursors.
func (a *asker) sample(ctx context.Context, findings int) error {
	for range 50 {
		page, err := a.e.Findings(ctx, auth.Everything(), finding.Filter{Sort: finding.Sort{By: finding.ByFirstSeen}, ShowHidden: true, Limit: 4,
			After: finding.Cursor{Key: finding.Key{1: finding.TimeKey(estateDay.Add(-time.Duration(a.rng.IntN(399*24)) * time.Hour))}, ID: 1}})
		if err != nil {
			return err
		}
		a.some = append(a.some, page...)
	}
	if len(a.some) == 0 {
		return fmt.Errorf("no findings among %d", findings)
	}
	return nil
}

func (a *asker) time(what string, fn func() (string, error)) error {
	begin := time.Now()
	answer, err := fn()
	a.took, a.asked = time.Since(begin), what
	*a.answers = append(*a.answers, answer)
	return err
}

func (a *asker) firstPage(ctx context.Context) error { return a.list(ctx, a.filter(4)) }

func (a *asker) deepPage(ctx context.Context) error {
	f := a.filter(4)
	l := a.some[a.rng.IntN(len(a.some))]
	f.After = f.CursorOf(&l)
	return a.list(ctx, f)
}

func (a *asker) text(ctx context.Context) error {
	f := a.filter(2)
	l := a.some[a.rng.IntN(len(a.some))]
	words := strings.Fields(l.Title)
	f.Text = [...]string{
		words[a.rng.IntN(len(words))], words[0] + " " + words[a.rng.IntN(len(words))], string(l.Weakness), l.HostAddress, "example openssh",
		l.HostNames[0], "overflow component", "cve-2024", "nothing of the kind",
	}[a.rng.IntN(9)]
	return a.list(ctx, f)
}

func (a *asker) list(ctx context.Context, f finding.Filter) error {
	f.Limit = estatePage
	return a.time(describe(f), func() (string, error) {
		page, err := a.e.Findings(ctx, auth.Everything(), f)
		var ids []int64
		for _, l := range page {
			ids = append(ids, l.ID)
		}
		return fmt.Sprint(ids), err
	})
}

func (a *asker) counts(ctx context.Context) error   { return a.count(ctx, a.filter(4)) }
func (a *asker) countAll(ctx context.Context) error { return a.count(ctx, finding.Filter{}) }

func (a *asker) count(ctx context.Context, f finding.Filter) error {
	return a.time(describe(f), func() (string, error) {
		counts, err := a.e.CountFindings(ctx, auth.Everything(), f)
		return fmt.Sprint(counts), err
	})
}

func (a *asker) groups(ctx context.Context) error {
	return a.group(ctx, a.filter(2), finding.GroupBys()[a.rng.IntN(len(finding.GroupBys()))])
}

func (a *asker) groupAll(ctx context.Context) error {
	return a.group(ctx, finding.Filter{ShowHidden: true}, finding.GroupBys()[len(*a.answers)%len(finding.GroupBys())])
}

func (a *asker) group(ctx context.Context, f finding.Filter, by finding.GroupBy) error {
	return a.time(describe(f)+" by "+string(by), func() (string, error) {
		groups, total, err := a.e.FindingGroups(ctx, auth.Everything(), f, by, finding.GroupCursor{}, 50)
		return fmt.Sprint(groups, total), err
	})
}

// filter narrows by n different things, to what some finding has, and draws an order.
func (a *asker) filter(n int) (f finding.Filter) {
	rng := a.rng
	l := &a.some[rng.IntN(len(a.some))]
	yes, half, tenth := true, 7.0, 0.1
	assignee, owner := l.Assignee, l.Owner
	choices := []func(){
		func() { f.HostID = l.HostID }, func() { f.Site = l.Site }, func() { f.States = []finding.State{l.State} },
		func() { f.Live = true }, func() { f.Triage = []finding.TriageState{l.Triage.State} },
		func() { f.Severities = [][]string{{l.Severity}, {"critical", "high"}}[rng.IntN(2)] },
		func() { f.Decisions = []string{l.Decision} }, func() { f.KEV = &yes }, func() { f.Exploited = &yes }, func() { f.MinConfidence = 80 },
		func() { f.Confirmed = true }, func() { f.Statuses = []finding.Status{l.Status} }, func() { f.Kinds = []finding.Kind{l.Kind} },
		func() { f.Weakness = string(l.Weakness) }, func() { f.Sensor = estateSensors[rng.IntN(len(estateSensors))] },
		func() { f.Ports = []uint16{l.Port} }, func() { f.Protocols = []string{"tcp"} }, func() { f.Component = "openssl" },
		func() { f.Product = "openssh" }, func() { f.Labels = []string{"waiting"} }, func() { f.Assignee = &assignee },
		func() { f.Owner = &owner }, func() { f.Tags = []string{"pci"} }, func() { f.Criticality = []string{"high", "critical"} },
		func() { f.Remedy = l.RemedyKey }, func() { f.DueBefore = estateDay }, func() { f.Overdue = true }, func() { f.SLAOverdue = true },
		func() { f.FirstSeenAfter = estateDay.AddDate(0, -3, 0) }, func() { f.FirstSeenBefore = estateDay.AddDate(0, -1, 0) },
		func() { f.LastSeenAfter = estateDay.AddDate(0, 0, -7) }, func() { f.MinEPSS = &tenth }, func() { f.MinCVSS = &half },
	}
	for _, i := range rng.Perm(len(choices))[:n] {
		choices[i]()
	}
	fields := finding.SortFields()
	f.Sort = finding.Sort{By: fields[rng.IntN(len(fields))], Reverse: rng.IntN(2) == 0}
	return f
}

// describe names what a filter asks, for the worst of a kind.
func describe(f finding.Filter) string {
	var parts []string
	for part := range strings.FieldsSeq(strings.Trim(fmt.Sprintf("%+v", f), "{}")) {
		name, value, _ := strings.Cut(part, ":")
		if value != "" && value != "0" && value != "false" && value != "[]" && value != "<nil>" && !strings.HasPrefix(value, "0001-01-01") && name != "After" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " ")
}
