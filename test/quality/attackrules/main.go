// The program attackrules is the quality protocol of the rules that say what a weakness does for an attacker: it weighs
// every CVE of a real catalogue, counts what comes out, and compares the rules with people who mapped the same CVEs (CTID)
// and with themselves on the same CVE under another version of CVSS. It changes nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/store"
)

func main() {
	dir := flag.String("data", os.Getenv("PATCHSCOUT_DATA_DIR"), "data folder with a filled catalogue (or PATCHSCOUT_DATA_DIR)")
	n := flag.Int("sample", 0, "print so many CVEs with what the rules say, to be judged by a person")
	seed := flag.Uint64("seed", 1, "of the sample")
	only := flag.String("only", "", "print these CVEs, separated by commas")
	flag.Parse()
	if *dir == "" {
		fmt.Fprintln(os.Stderr, "say where the catalogue is: -data dir")
		os.Exit(2)
	}
	all, err := load(context.Background(), *dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	switch {
	case *only != "":
		named := strings.Split(*only, ",")
		show(os.Stdout, slices.DeleteFunc(all, func(f attackpath.Flawed) bool { return !slices.Contains(named, f.Weakness) }))
	case *n > 0:
		show(os.Stdout, draw(all, *n, *seed))
	default:
		report(os.Stdout, all)
	}
}

// load reads the whole catalogue without the withdrawn CVEs.
func load(ctx context.Context, dir string) (all []attackpath.Flawed, err error) {
	s, err := store.Open(ctx, store.Options{DataDir: dir, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	c := s.Catalogue()
	digests, err := c.Digests(ctx)
	if err != nil {
		return nil, err
	}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(digests)), 2000) {
		records, err := c.CVEs(ctx, ids)
		if err != nil {
			return nil, err
		}
		facts, err := c.Facts(ctx, ids)
		if err != nil {
			return nil, err
		}
		all = append(all, weighable(ids, records, func(id cve.ID, r *cve.Record) attackpath.Flawed {
			return attackpath.FlawedOf(r, facts[id])
		})...)
	}
	return all, nil
}

func weighable(ids []cve.ID, records map[cve.ID]*cve.Record, of func(cve.ID, *cve.Record) attackpath.Flawed) (out []attackpath.Flawed) {
	for _, id := range ids {
		if r := records[id]; r != nil && !r.Rejected() {
			out = append(out, of(id, r))
		}
	}
	return out
}

func draw(all []attackpath.Flawed, n int, seed uint64) []attackpath.Flawed {
	out := make([]attackpath.Flawed, 0, n)
	for _, at := range rand.New(rand.NewPCG(seed, 7)).Perm(len(all))[:min(n, len(all))] {
		out = append(out, all[at])
	}
	return out
}

func show(out io.Writer, list []attackpath.Flawed) {
	for _, f := range list {
		e := attackpath.EffectOf(f)
		fmt.Fprintf(out, "%s reach=%v needs=%v lures=%v gain=%v p=%.2f %s/%s\n", f.Weakness, e.Reach, e.Needs, e.Lures, e.Gain, e.P, e.Technique, e.TechniqueSource)
		fmt.Fprintf(out, "  %.300s\n", strings.ReplaceAll(f.Description, "\n", " "))
		fmt.Fprintf(out, "  %s %s %.80v | %s\n\n", vectors(f), strings.Join(f.CWEs, " "), f.Products[:min(3, len(f.Products))], strings.Join(e.Why, " | "))
	}
}

func vectors(f attackpath.Flawed) string {
	var out []string
	for _, m := range f.Metrics {
		out = append(out, m.Vector)
	}
	return strings.Join(out, " ")
}
