// Command bench prints the figures that PatchScout holds itself to, measured on feed files of yours: make bench FEEDS=dir.
// Ratios are taken within one run: against gzip -dc over the same NVD files, of PostgreSQL against SQLite, and against
// nmap -sV on the same ports. It measures the built command as a user runs it and never reaches into its parts.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if output := os.Getenv(childMarker); output != "" {
		if err := measureHere(ctx, output, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	patchscout := flag.String("patchscout", "bin/patchscout", "the built command")
	feeds := flag.String("feeds", "", "folder that holds the feed files")
	only := flag.String("only", "", "some of feeds, postgres, daily, search, match, scan, import, estate, load, live, server, scans, paths, vectors, ask, with commas; all if empty")
	findings := flag.Int("findings", 1_000_000, "how many findings the estate of parts estate and load has")
	keep := flag.String("data-dir", "", "keep the loaded SQLite here, and use what is there (default a folder that is removed)")
	estate := flag.String("estate-dir", "", "keep the SQLite estate of part load here, and use what is there (default a folder that is removed)")
	walkHosts := flag.Int("walk-hosts", 0, "print what attack paths of a generated estate of so many hosts take, as JSON, and end: part paths starts itself so")
	walkFlat := flag.Bool("walk-flat", false, "of walk-hosts: every site reaches every other")
	vectorsIn := flag.String("vectors-in", "", "print what searching the vectors of a folder takes, as JSON, and end: part vectors starts itself so")
	flag.Parse()
	for _, own := range []struct {
		asked bool
		run   func() error
	}{
		{*walkHosts > 0, func() error { return walk(ctx, *walkHosts, *walkFlat, os.Stdout) }},
		{*vectorsIn != "", func() error { return searchVectors(ctx, *vectorsIn, os.Stdout) }},
	} {
		if !own.asked {
			continue
		}
		if err := own.run(); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	b := &bench{patchscout: *patchscout, feeds: *feeds, keep: *keep, findings: *findings, estateDir: *estate}
	if err := b.runAll(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run. Its parts load what they need, once, and leave the rest of the run the databases that they changed.
type bench struct {
	patchscout string
	feeds      string
	keep       string // "": nothing is kept
	findings   int    // of parts estate and load
	estateDir  string // of part load; "": it is removed
	work       string // a folder that is removed
	missed     int
	slack      float64 // by how much figures of lists may be beyond their limits: 0 is not at all

	first  *usage    // the first sync of all feeds into SQLite; nil before
	lite   *database // nil before it is loaded
	server *postgres // nil before it is started
}

func (b *bench) runAll(ctx context.Context, only string) (err error) {
	if b.patchscout, err = filepath.Abs(b.patchscout); err != nil {
		return err
	}
	parts, err := b.parts(only)
	if err != nil {
		return err
	}
	if b.work, err = os.MkdirTemp("", "patchscout-bench-*"); err != nil {
		return err
	}
	defer os.RemoveAll(b.work)
	defer b.stopPostgres()
	for _, p := range parts {
		if err := p.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if b.missed > 0 {
		fmt.Printf("\n%d of the figures above are beyond their limit\n", b.missed)
	}
	return nil
}

type part struct {
	name string
	run  func(context.Context) error
}

// parts lists what is to be measured, in the order of the list below; only names some with commas, "" is all.
func (b *bench) parts(only string) (asked []part, err error) {
	all := []part{
		{"feeds", b.sync}, {"postgres", b.postgres}, {"daily", b.daily}, {"search", b.search}, {"match", b.match}, {"scan", b.scan},
		{"import", b.imports}, {"estate", b.estate}, {"load", b.busyServer}, {"live", b.live},
		{"server", b.idleServer}, {"scans", b.scans}, {"paths", b.paths}, {"vectors", b.vectors}, {"ask", b.assistant},
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(only, ",") {
		wanted[name] = name != ""
	}
	for _, p := range all {
		if only == "" || wanted[p.name] {
			asked = append(asked, p)
		}
		delete(wanted, p.name)
	}
	for name, unknown := range wanted {
		if unknown {
			return nil, fmt.Errorf("-only %s: want feeds, postgres, daily, search, match, scan, import, estate, load, live, server, scans, paths, vectors or ask", name)
		}
	}
	return asked, nil
}

// figure prints one measured value beside its limit.
func (b *bench) figure(name string, value, limit float64, unit string) {
	mark := "ok"
	if value > limit {
		mark = "BEYOND"
		b.missed++
	}
	fmt.Printf("  %-46s %10.4g %-6s limit %8.4g  %s\n", name, value, unit, limit, mark)
}

func (b *bench) note(name string, value float64, unit string) {
	fmt.Printf("  %-46s %10.4g %s\n", name, value, unit)
}

const mega = 1e6

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
