package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

func report(out io.Writer, all []attackpath.Flawed) {
	began := time.Now()
	effects := make([]*attackpath.Effect, len(all))
	for i := range all {
		effects[i] = attackpath.EffectOf(all[i])
	}
	fmt.Fprintf(out, "%d CVEs, %.1f us each\n\n", len(all), float64(time.Since(began).Microseconds())/float64(len(all)))
	counts(out, all, effects)
	agreeCTID(out, all)
	agreeVersions(out, all)
}

// counts tells how many CVEs come out how, apart for those with a vector and without.
func counts(out io.Writer, all []attackpath.Flawed, effects []*attackpath.Effect) {
	for _, part := range []struct {
		name string
		has  bool
	}{{"with a CVSS vector", true}, {"without", false}} {
		table, total := map[string]int{}, 0
		for i, e := range effects {
			if (len(all[i].Metrics) > 0) != part.has {
				continue
			}
			total++
			table["reach "+e.Reach.String()]++
			table["needs "+e.Needs.String()]++
			table["gain  "+e.Gain.String()]++
			if e.Lures {
				table["lures"]++
			}
		}
		fmt.Fprintf(out, "%s: %d\n", part.name, total)
		printCounts(out, table, total)
	}
}

func printCounts(out io.Writer, table map[string]int, total int) {
	keys := slices.SortedFunc(maps.Keys(table), func(a, b string) int {
		return cmp.Or(strings.Compare(group(a), group(b)), table[b]-table[a])
	})
	for _, k := range keys {
		fmt.Fprintf(out, "  %-18s %7d  %5.1f %%\n", k, table[k], 100*float64(table[k])/float64(max(total, 1)))
	}
}

func group(key string) string { g, _, _ := strings.Cut(key, " "); return g }

// expectation is what a mapping of CTID's says of reach or gain in our words.
type expectation struct {
	name      string
	kind      string
	technique string
	holds     func(*attackpath.Effect) bool
}

func steps(e *attackpath.Effect) bool {
	return e.Gain == attackpath.AsService || e.Gain == attackpath.AsUser || e.Gain == attackpath.AsRoot
}

var expectations = []expectation{
	{"exploits a public-facing application: over the network, nobody lured", intel.MappingExploitation, "T1190",
		func(e *attackpath.Effect) bool { return e.Reach == attackpath.OverNetwork && !e.Lures }},
	{"exploits remote services: over the network", intel.MappingExploitation, "T1210",
		func(e *attackpath.Effect) bool {
			return e.Reach == attackpath.OverNetwork || e.Reach == attackpath.OverLink
		}},
	{"exploits privilege escalation: a user of the host becomes root", intel.MappingExploitation, "T1068",
		func(e *attackpath.Effect) bool { return e.Gain == attackpath.AsRoot }},
	{"leads to privilege escalation: root", intel.MappingPrimary, "T1068",
		func(e *attackpath.Effect) bool { return e.Gain == attackpath.AsRoot }},
	{"exploits client execution: somebody opens it", intel.MappingExploitation, "T1203",
		func(e *attackpath.Effect) bool { return e.Lures }},
	{"drive-by: somebody opens it", intel.MappingExploitation, "T1189",
		func(e *attackpath.Effect) bool { return e.Lures }},
	{"user execution: somebody opens it", intel.MappingExploitation, "T1204",
		func(e *attackpath.Effect) bool { return e.Lures }},
	{"leads to running commands: user or more", intel.MappingPrimary, "T1059", steps},
	{"leads to client execution: user or more", intel.MappingPrimary, "T1203", steps},
}

// agreeCTID asks the rules without showing them CTID's mappings.
func agreeCTID(out io.Writer, all []attackpath.Flawed) {
	right, asked := make([]int, len(expectations)), make([]int, len(expectations))
	var wrong []string
	for _, f := range all {
		mappings := f.Mappings
		f.Mappings, f.Techniques = nil, nil
		if len(mappings) == 0 || len(f.Metrics) == 0 && f.Description == "" {
			continue
		}
		e := attackpath.EffectOf(f)
		for i, x := range expectations {
			if !slices.ContainsFunc(mappings, func(m intel.Mapping) bool {
				return m.Kind == x.kind && strings.HasPrefix(m.Technique, x.technique)
			}) {
				continue
			}
			asked[i]++
			if x.holds(e) {
				right[i]++
			} else {
				wrong = append(wrong, x.technique+" "+x.kind+" "+f.Weakness)
			}
		}
	}
	fmt.Fprintf(out, "\nagreement with CTID, whose mappings the rules did not see:\n")
	for i, x := range expectations {
		fmt.Fprintf(out, "  %s %-24s %3d of %3d  %s\n", x.technique, x.kind, right[i], asked[i], x.name)
	}
	slices.Sort(wrong)
	fmt.Fprintf(out, "  not: %s\n", strings.Join(wrong, "; "))
}

// agreeVersions compares the answers for CVEs that have both a version 2 and a version 3 vector, each asked alone.
func agreeVersions(out io.Writer, all []attackpath.Flawed) {
	both, same := 0, map[string]int{}
	pairs := map[string]int{}
	for _, f := range all {
		old, young := only(f, "2"), only(f, "3")
		if len(old.Metrics) == 0 || len(young.Metrics) == 0 {
			continue
		}
		both++
		a, b := attackpath.EffectOf(old), attackpath.EffectOf(young)
		for name, equal := range map[string]bool{
			"reach": a.Reach == b.Reach, "needs": a.Needs == b.Needs, "lures": a.Lures == b.Lures,
			"gain":         a.Gain == b.Gain,
			"gains a step": steps(a) == steps(b),
			"all":          a.Reach == b.Reach && a.Needs == b.Needs && a.Lures == b.Lures && a.Gain == b.Gain,
		} {
			if equal {
				same[name]++
			}
		}
		if a.Gain != b.Gain {
			pairs[a.Gain.String()+" / "+b.Gain.String()]++
		}
	}
	fmt.Fprintf(out, "\nthe same CVE by CVSS 2 alone and by CVSS 3 alone: %d\n", both)
	printCounts(out, same, both)
	fmt.Fprintln(out, "  gain by 2 / by 3 where they differ:")
	for _, k := range slices.SortedFunc(maps.Keys(pairs), func(a, b string) int { return pairs[b] - pairs[a] })[:min(12, len(pairs))] {
		fmt.Fprintf(out, "  %-22s %6d\n", k, pairs[k])
	}
}

// only leaves the vectors of one version.
func only(f attackpath.Flawed, version string) attackpath.Flawed {
	var kept []cve.Metric
	for _, m := range f.Metrics {
		if strings.HasPrefix(m.Version, version) && m.Vector != "" {
			kept = append(kept, m)
		}
	}
	f.Metrics, f.Mappings = kept, nil
	return f
}
