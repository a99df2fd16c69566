// The program explain is the quality protocol of the plain-language explanations: it explains CVEs of five eras and many
// kinds from real feeds and fails every sentence that says more than the fields it cites. It checks with its own reading
// of the fields and never asks the generator.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/explain"
)

func main() {
	dir := flag.String("feeds", os.Getenv("FEEDS"), "folder with the feed files (or FEEDS)")
	n := flag.Int("n", 200, "how many CVEs to explain")
	seed := flag.Uint64("seed", 3, "of the sample")
	show := flag.Int("print", 0, "print so many explanations, to be read aloud")
	only := flag.String("only", "", "explain these CVEs instead, separated by commas")
	flag.Parse()
	if *dir == "" {
		fmt.Fprintln(os.Stderr, "say where the feed files are: FEEDS=dir or -feeds dir")
		os.Exit(2)
	}
	w := newWorld(*seed)
	if err := w.want(*only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if err := w.load(context.Background(), *dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if failures := w.judge(os.Stdout, w.draw(*n), *show); failures > 0 {
		os.Exit(1)
	}
}

// judge explains every record, prints what was asked for and what is wrong, and returns how many sentences are.
func (w *world) judge(out io.Writer, records []*cve.Record, show int) (failures int) {
	now := time.Now()
	sentences, fields := 0, 0
	kinds, cwes := map[string]int{}, map[string]bool{}
	every := max(len(records)/max(show, 1), 1)
	for i, r := range records {
		in := w.input(r, now)
		e := explain.CVE(in)
		kinds[w.kindOf(r)]++
		for _, id := range r.CWEs {
			cwes[id] = true
		}
		if show > 0 && i%every == 0 {
			read(out, in, e, w.kindOf(r))
		}
		problems := Shape(in, e)
		for _, s := range e.Sentences {
			sentences++
			fields += len(s.Fields)
			problems = append(problems, Check(in, s)...)
		}
		problems = append(problems, Check(in, explain.Short(in))...)
		for _, p := range problems {
			failures++
			fmt.Fprintf(out, "FAIL %s: %s\n", r.ID, p)
		}
	}
	fmt.Fprintf(out, "%d CVEs of %d kinds (%s) with %d CWEs; %d sentences resting on %d fields; %d failures\n",
		len(records), len(kinds), counts(kinds), len(cwes), sentences, fields, failures)
	return failures
}

func counts(kinds map[string]int) string {
	var parts []string
	for kind, n := range kinds {
		parts = append(parts, fmt.Sprintf("%s %d", kind, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// read prints an explanation as a person reads it.
func read(out io.Writer, in explain.Input, e explain.Explanation, kind string) {
	fmt.Fprintf(out, "%s [%s] %s\n", in.ID, kind, explain.Short(in).Text)
	for _, s := range e.Sentences {
		fmt.Fprintf(out, "  %s\n", s.Text)
	}
	fmt.Fprintln(out)
}
