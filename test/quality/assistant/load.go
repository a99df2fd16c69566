package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/request"
)

// builder loads the estate through the product, as a user would.
type builder struct {
	ctx  context.Context
	app  *app.App
	work string
	now  time.Time
	err  error
}

// openApp opens the product on a data folder.
func openApp(ctx context.Context, dir string) (*app.App, error) {
	cfg := config.Default()
	cfg.DataDir = dir
	cfg.Nmap.Path = brokenNmap(dir)
	return app.Open(ctx, cfg, slog.New(slog.DiscardHandler))
}

// brokenNmap is an nmap that says its version and then fails: one scan of the estate is a failed one.
func brokenNmap(dir string) string {
	path, err := filepath.Abs(filepath.Join(dir, "nmap-that-fails"))
	if err != nil {
		return ""
	}
	_ = os.MkdirAll(dir, 0o700)
	_ = os.WriteFile(path, []byte("#!/bin/sh\ncase \"$*\" in *--version*|*-V*) echo 'Nmap version 7.95 ( https://nmap.org )';; *) echo 'nmap: out of memory' >&2; exit 1;; esac\n"), 0o700) //nolint:gosec // it is run
	return path
}

// build loads the catalogue of feeds ("" is the starter catalogue, and one that is there stays) and the estate.
func build(ctx context.Context, dir, feeds string) error {
	a, err := openApp(ctx, dir)
	if err != nil {
		return err
	}
	defer a.Close()
	if _, err := a.Init(ctx); err != nil {
		return err
	}
	doc, err := a.Catalogue(ctx)
	if err != nil {
		return err
	}
	switch {
	case doc.Records > 0:
	case feeds == "":
		err = a.Prepare(ctx, func(app.Progress) {})
	default:
		_, err = a.SyncFeeds(ctx, app.SyncRequest{From: feeds}, func(app.Progress) {})
	}
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "patchscout-estate-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b := &builder{ctx: ctx, app: a, work: work, now: time.Now().UTC().Truncate(time.Hour)}
	b.sites()
	b.reports()
	b.words()
	b.judge()
	b.fail()
	b.undo()
	return b.err
}

// do goes on unless something failed before.
func (b *builder) do(what string, f func() error) {
	if b.err == nil {
		if err := f(); err != nil {
			b.err = fmt.Errorf("%s: %w", what, err)
		}
	}
}

func (b *builder) sites() {
	for _, p := range places {
		b.do("site "+p.name, func() error { return b.app.AddSite(b.ctx, p.name, p.external) })
	}
}

func (b *builder) ago(days int) time.Time { return b.now.AddDate(0, 0, -days) }

func (b *builder) reports() {
	for round := range rounds {
		at := b.ago(daysAgo[round])
		for _, p := range places {
			if p.rounds[round] {
				b.load(p.name, fmt.Sprintf("%s-%d.xml", p.name, round+1), "nmap", at, nmapReport(p.name, round, at))
			}
		}
		switch round {
		case 0:
			b.load("branch", "branch-openvas.xml", "openvas", at, openvasReport(at))
		case 1:
			b.load("servers", "servers.csv", "nessus", b.ago(8), nessusReport(b.ago(8)))
		default:
			b.load("dmz", "dmz.jsonl", "nuclei", at, nucleiReport(at))
			b.load("dmz", "blog.json", "nikto", at, niktoReport(at))
		}
	}
	b.do("bill of materials", func() error {
		return b.take("servers", "orders.cdx.json", "cyclonedx", "app2.corp.example.org", b.ago(5), billReport(b.ago(5)))
	})
}

func (b *builder) load(site, name, tool string, at time.Time, body []byte) {
	b.do(name, func() error { return b.take(site, name, tool, "", at, body) })
}

func (b *builder) take(site, name, tool, host string, at time.Time, body []byte) error {
	path := filepath.Join(b.work, name)
	if err := os.WriteFile(path, body, 0o600); err != nil {
		return err
	}
	if err := os.Chtimes(path, at, at); err != nil { // reports without a time of their own are as old as their file
		return err
	}
	_, err := b.app.Import(b.ctx, app.ImportRequest{Files: []string{path}, Tool: tool, Site: site, Host: host})
	return err
}

// words are owners, tags and what matters how much.
func (b *builder) words() {
	for _, w := range []struct {
		hosts    string
		tags     string
		owner    string
		critical string
	}{
		{"10.20.0.5 10.20.0.16", "jewel production", "Ines", "critical"},
		{"10.20.0.18", "jewel", "Omar", "critical"},
		{"10.20.0.6 10.20.0.7 10.20.0.8 10.20.0.9", "production", "Ines", "high"},
		{"10.20.0.10 10.20.0.11 10.20.0.12", "production", "Omar", "high"},
		{"203.0.113.10 203.0.113.11 203.0.113.12 203.0.113.13", "web", "webteam", "high"},
		{"203.0.113.15 203.0.113.16", "", "Omar", "high"},
		{"10.10.0.200 10.10.0.201", "printer", "", "low"},
		{"10.30.0.10 10.30.0.11", "pos", "Branch IT", "medium"},
	} {
		b.do("words of "+w.hosts, func() error {
			t := request.Tag{Hosts: strings.Fields(w.hosts), Tags: strings.Fields(w.tags), Criticality: &w.critical}
			if w.owner != "" {
				t.Owner = &w.owner
			}
			_, err := b.app.Tag(b.ctx, t)
			return err
		})
	}
	b.do("policy", func() error {
		_, err := b.app.SetPathPolicy(b.ctx, "policy.yaml", []byte(policyFile))
		return err
	})
}

// judge says of some findings what people made of them.
func (b *builder) judge() {
	until := b.now.AddDate(0, 3, 0).Format(time.DateOnly)
	for _, t := range []struct {
		filter request.Findings
		says   request.Triage
	}{
		{request.Findings{Host: "10.20.0.18", Text: "Self-Signed"}, request.Triage{State: "accepted", Until: until, Reason: "replaced in spring"}},
		{request.Findings{Site: "branch", Text: "Telnet"}, request.Triage{State: "accepted", Until: until, Reason: "no other way in"}},
		{request.Findings{Host: "10.20.0.14", Site: "servers"}, request.Triage{State: "false_positive", Reason: "patched by hand"}},
		{request.Findings{Host: "10.10.0.201", Site: "office"}, request.Triage{State: "out_of_scope", Reason: "leased"}},
		{request.Findings{Host: "10.20.0.16", Weakness: "CVE-2020-1472"}, request.Triage{State: "confirmed", Reason: "seen by hand"}},
		{request.Findings{Host: "10.20.0.5"}, request.Triage{Assign: ptr("Ines"), Labels: []string{"january"}}},
		{request.Findings{Host: "203.0.113.10", KEV: true}, request.Triage{Assign: ptr("Max"), Labels: []string{"urgent", "january"}}},
	} {
		b.do("triage", func() error {
			says := t.says
			says.Filter, says.Confirm = &t.filter, func(int) bool { return true }
			done, err := b.app.Triage(b.ctx, says)
			if err == nil && done.Selected == 0 {
				return fmt.Errorf("%+v selects nothing", t.filter)
			}
			return err
		})
	}
}

// fail scans a host with a tool that breaks.
func (b *builder) fail() {
	if runtime.GOOS == "windows" {
		return
	}
	b.do("failed scan", func() error {
		_, err := b.app.Scan(b.ctx, app.ScanRequest{Targets: []string{"10.20.0.98"}, Scanners: []string{"nmap"}, Ports: "80", Site: "servers"}, nil)
		return err
	})
}

// undo imports a report of somebody else's hosts and takes it back.
func (b *builder) undo() {
	b.do("undo", func() error {
		path := filepath.Join(b.work, "mistake.json")
		at := b.ago(1)
		if err := os.WriteFile(path, niktoReport(at), 0o600); err != nil {
			return err
		}
		doc, err := b.app.Import(b.ctx, app.ImportRequest{Files: []string{path}, Tool: "nikto", Site: "office"})
		if err != nil {
			return err
		}
		_, err = b.app.UndoImport(b.ctx, doc.Files[0].ID, true)
		return err
	})
}

func ptr[T any](v T) *T { return &v }
