// Command bench prints the figures that PatchScout holds itself to, measured on feed files of yours: make bench FEEDS=dir.
// Ratios are taken against gzip -dc over the same NVD files, and against nmap -sV on the same ports, in the same run. It
// measures the built command as a user runs it and never reaches into its parts.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	if output := os.Getenv(childMarker); output != "" {
		if err := measureHere(output, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	patchscout := flag.String("patchscout", "bin/patchscout", "the built command")
	feeds := flag.String("feeds", "", "folder that holds the feed files")
	only := flag.String("only", "", "feeds, match or scan; all if empty")
	keep := flag.String("data-dir", "", "keep the loaded data here, and use what is there (default a folder that is removed)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *patchscout, *feeds, *keep, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	patchscout string
	feeds      string
	dataDir    string
	missed     int
}

func run(ctx context.Context, patchscout, feeds, dataDir, only string) error {
	patchscout, err := filepath.Abs(patchscout)
	if err != nil {
		return err
	}
	b := &bench{patchscout: patchscout, feeds: feeds, dataDir: dataDir}
	if dataDir == "" {
		if b.dataDir, err = os.MkdirTemp("", "patchscout-bench-*"); err != nil {
			return err
		}
		defer os.RemoveAll(b.dataDir)
	}
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"feeds", b.sync}, {"match", b.match}, {"scan", b.scan}} {
		if only != "" && only != part.name {
			continue
		}
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if b.missed > 0 {
		fmt.Printf("\n%d of the figures above are beyond their limit\n", b.missed)
	}
	return nil
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
