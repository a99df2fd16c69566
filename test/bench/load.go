package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/store"
)

// The load of the API: half pages of findings, half details of single ones.
const (
	loadRate  = 200 // requests a second
	loadWarm  = 10 * time.Second
	loadLasts = 60 * time.Second
	maxLoad   = 50 // ms, p99
)

// busyServer asks a server over a large estate, on both databases, as a client with a token.
func (b *bench) busyServer(ctx context.Context) error {
	fmt.Printf("load (%d requests/s over %d findings; the driver runs on the same machine)\n", loadRate, b.findings)
	lite, err := b.filled(ctx)
	if err != nil {
		return err
	}
	if err := b.loadOn(ctx, lite); err != nil {
		return err
	}
	server, err := b.filledPostgres(ctx)
	if err != nil || server == nil {
		return err
	}
	return b.loadOn(ctx, &server.database)
}

func (b *bench) loadOn(ctx context.Context, on *database) error {
	token, err := b.token(ctx, on)
	if err != nil {
		return err
	}
	s, err := b.serve(ctx, on)
	if err != nil {
		return err
	}
	defer s.stop() //nolint:errcheck // what it did was measured
	m := newMixture(b.findings)
	d := newDriver(s.url, token, estateSeed, m.next)
	rate := loadRate
	if b.slack > 0 { // a test, on a machine that does much else
		rate /= 10
	}
	d.run(ctx, rate, b.lasts(loadWarm), m.learn)
	before, err := b.working(s, on)
	if err != nil {
		return err
	}
	answers, behind := d.run(ctx, rate, b.lasts(loadLasts), m.learn)
	after, err := b.working(s, on)
	if err != nil {
		return err
	}
	b.tellLoad(on.name, answers, behind, after.since(before))
	return ctx.Err()
}

// lasts shortens the load for tests.
func (b *bench) lasts(d time.Duration) time.Duration {
	if b.slack > 0 {
		return d / 20
	}
	return d
}

func (b *bench) tellLoad(name string, answers []reply, behind time.Duration, w worked) {
	for _, kind := range []string{"list", "details", ""} {
		times, statuses := quick(answers, kind)
		what := fmt.Sprintf("%s, %s", name, map[string]string{"": "all"}[kind]+kind)
		b.note(what+", p50", ms(quantile(times, 0.5)), "ms")
		b.figure(what+", p99", ms(quantile(times, 0.99)), maxLoad*max(1, b.slack), "ms")
		b.note(what+", max", ms(times[len(times)-1]), "ms")
		if kind == "" {
			b.figure(name+", answers that are not 200", float64(len(answers)-statuses[200]), 0, "     "+saidOf(statuses))
		}
	}
	each := func(d time.Duration) float64 { return ms(d) / float64(len(answers)) }
	b.note(name+", the server's CPU a request", each(w.server), "ms")
	if w.database > 0 {
		b.note(name+", the database's CPU a request", each(w.database), "ms")
	}
	b.note(name+", the driver's CPU a request", each(w.driver), "ms")
	b.note(name+", the driver was late by at most", ms(behind), "ms")
	b.note(name+", resident after the load", w.resident/mega, "MB")
}

// worked is the CPU that the parties of a load have used.
type worked struct {
	server, database, driver time.Duration
	resident                 float64 // of the server, bytes
}

func (b *bench) working(s *served, on *database) (w worked, err error) {
	if w.server, err = cpuOf(s.pid); err != nil {
		return w, err
	}
	if on.url != "" {
		w.database, err = cpuOf(b.server.pid)
	}
	w.driver, w.resident = cpuOfUs(), residentOf(s.pid)
	return w, err
}

func (w worked) since(before worked) worked {
	return worked{w.server - before.server, w.database - before.database, w.driver - before.driver, w.resident}
}

// filled is a data folder with the estate of the lists, and all CVEs where there are feeds.
func (b *bench) filled(ctx context.Context) (*database, error) {
	if b.estateDir == "" {
		b.estateDir = filepath.Join(b.work, "estate")
	}
	on := &database{name: "SQLite", dir: b.estateDir}
	if err := b.fill(ctx, on); err != nil {
		return nil, err
	}
	if b.feeds == "" && b.keep == "" || holdsCatalogue(on.dir) {
		return on, nil
	}
	from, err := b.loaded(ctx)
	if err != nil {
		return nil, err
	}
	// The catalogue's file can be copied: no process has it open.
	return on, copyFile(filepath.Join(from.dir, "catalogue.db"), filepath.Join(on.dir, "catalogue.db"))
}

// filledPostgres is the same in this run's PostgreSQL; nil where there is none.
func (b *bench) filledPostgres(ctx context.Context) (*postgres, error) {
	server, err := b.startPostgres()
	if err != nil || server == nil {
		return nil, err
	}
	if b.feeds != "" {
		if server, err = b.loadedPostgres(ctx); err != nil {
			return nil, err
		}
	}
	return server, b.fill(ctx, &server.database)
}

// fill makes the estate unless it is there already.
func (b *bench) fill(ctx context.Context, on *database) error {
	s, err := store.Open(ctx, store.Options{DataDir: on.dir, DatabaseURL: on.url})
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // nothing is pending
	if err := s.Init(ctx); err != nil {
		return err
	}
	if ids, err := s.Estate().HostIDs(ctx, auth.Everything(), 0, 1); err != nil || len(ids) > 0 {
		return err
	}
	begin := time.Now()
	if err := newEstateMaker(b.findings).fill(ctx, s.Estate()); err != nil {
		return err
	}
	b.note(on.name+", filled within", time.Since(begin).Seconds(), "s")
	return nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

// token makes a user who may read everything, and a token of his.
func (b *bench) token(ctx context.Context, on *database) (string, error) {
	name := "load" + strconv.FormatInt(time.Now().UnixNano(), 36)
	if _, err := b.own(ctx, on, nil, "user", "add", name, "--role", "viewer", "--keep-password"); err != nil {
		return "", err
	}
	u, err := b.own(ctx, on, nil, "token", "create", name, "--user", name, "--format", "json")
	if err != nil {
		return "", err
	}
	var made struct{ Token string }
	if err := json.Unmarshal(u.stdout, &made); err != nil || made.Token == "" {
		return "", fmt.Errorf("answer of token create: %w", err)
	}
	return made.Token, nil
}

// mixture draws questions as people ask them: mostly the first page, with a filter or two, then the next pages.
type mixture struct {
	findings int
	cves     []cve.ID
	further  []string // pages that follow those that were answered
}

// maxNext is how many further pages are remembered.
const maxNext = 200

func newMixture(findings int) *mixture {
	m := &mixture{findings: findings}
	maker := newEstateMaker(0)
	for range 200 {
		m.cves = append(m.cves, maker.cves[maker.popular.Uint64()].id)
	}
	return m
}

func (m *mixture) next(rng *rand.Rand) question {
	if rng.IntN(2) == 0 {
		return question{"details", fmt.Sprintf("/api/v1/vulnerabilities/%d/details", 1+rng.IntN(m.findings))}
	}
	return question{"list", "/api/v1/findings?" + m.list(rng)}
}

// list is a query: a third the page that everybody opens, a third with a filter or two, a third what follows a page.
func (m *mixture) list(rng *rand.Rand) string {
	if len(m.further) > 0 && rng.IntN(3) == 0 {
		return m.further[rng.IntN(len(m.further))]
	}
	q := url.Values{"limit": {[]string{"50", "100"}[rng.IntN(2)]}}
	filters := m.filters(rng)
	for _, i := range rng.Perm(len(filters))[:rng.IntN(3)] {
		q.Set(filters[i][0], filters[i][1])
	}
	if q.Has("host") {
		q.Del("site") // of another site it is no host: 404
	}
	if rng.IntN(3) == 0 {
		fields := []string{"rank", "severity", "cvss", "epss", "likelihood", "score", "due", "sla", "first_seen", "last_seen", "host"}
		q.Set("sort", fields[rng.IntN(len(fields))])
	}
	return q.Encode()
}

// filters are what people narrow a list by.
func (m *mixture) filters(rng *rand.Rand) [][2]string {
	pick := func(words ...string) string { return words[rng.IntN(len(words))] }
	host := rng.IntN(max(1, m.findings/findingsPerHost/2))
	return [][2]string{
		{"severity", pick("critical", "critical,high", "high")}, {"decision", pick("act", "act,attend", "plan")}, {"kev", "true"},
		{"exploited", "true"}, {"state", pick("open", "fixed", "all", "reopened")}, {"site", pick(estateSites...)},
		{"owner", pick(estateOwners[1:]...)}, {"assignee", pick("anna", "ben", "nobody")}, {"confirmed", "true"},
		{"scanner", pick(estateSensors...)}, {"port", pick("22", "443", "80,443", "3306")}, {"product", pick("openssh", "nginx", "samba")},
		{"component", pick(estatePackages...)}, {"label", "waiting"}, {"tag", pick("pci", "production")}, {"criticality", "high,critical"},
		{"min_cvss", pick("7", "9")}, {"min_epss", "0.1"}, {"overdue", "true"}, {"hidden", "true"}, {"triage", pick("none", "confirmed")},
		{"cve", m.cves[rng.IntN(len(m.cves))].String()}, {"host", fmt.Sprintf("10.%d.%d.%d", host>>16, host>>8&255, host&255)},
		{"first_seen_after", "2026-09-01"}, {"last_seen_before", "2026-10-20"}, {"due_before", "2026-12-01"},
		{"search", pick("overflow openssl", "nginx", "path traversal", "cve-2024", "use after free")},
	}
}

// learn remembers how a list goes on.
func (m *mixture) learn(q question, body []byte) {
	cursor := cursorOf(body)
	if q.kind != "list" || cursor == "" {
		return
	}
	u, err := url.Parse(q.path)
	if err != nil {
		return
	}
	query := u.Query()
	query.Set("cursor", cursor)
	m.further = append(m.further, query.Encode())
	if len(m.further) > maxNext {
		m.further = m.further[1:]
	}
}
