package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph"
	"github.com/patchscout/patchscout/internal/attackpath/graphtest"
)

// The limits of attack paths, on generated estates of 100 sites with 5 vulnerabilities a host.
const (
	maxPathAnswers = 5    // s: 10 best paths to each of 50 jewels in 10,000 hosts, and the cuts of each
	maxPathMemory  = 150  // MB: of the process that does so, with the estate
	maxPathBest    = 100  // ms: the best path to every jewel of 10,000 hosts
	maxPathAll     = 1000 // ms: the best paths to all of 100,000 hosts
	maxPathUpdate  = 50   // ms: after one host was scanned again, the best paths anew
)

const (
	pathJewels  = 50
	pathsAsked  = 10
	pathUpdates = 20
)

// paths measures the engine in processes of its own, so that their memory is theirs alone: once as the estate's policy has it,
// where little is reached, and once flat, where nearly everything is.
func (b *bench) paths(ctx context.Context) error {
	for _, flat := range []bool{false, true} {
		if err := b.pathsOf(ctx, 10_000, flat); err != nil {
			return err
		}
	}
	return b.pathsOf(ctx, 100_000, true)
}

func (b *bench) pathsOf(ctx context.Context, hosts int, flat bool) error {
	w, u, err := walkApart(ctx, hosts, flat)
	if err != nil {
		return err
	}
	assumed := "a site reaches itself"
	if flat {
		assumed = "flat"
	}
	fmt.Printf("attack paths, %s: %d hosts, %d facts, %d actions, %d of %d jewels reached\n", assumed, hosts, w.Facts, w.Actions, w.Reached, pathJewels)
	b.note("the network is made", w.Build, "s")
	b.note("it is packed", w.Pack, "s")
	if hosts > 10_000 {
		b.figure("best paths to all hosts", w.Best, maxPathAll, "ms")
		b.note("a host is scanned again, best paths anew, worst", w.Update, "ms")
		b.note("peak", u.peak/1e6, "MB")
		return nil
	}
	b.figure("best path to each jewel", w.Best, maxPathBest, "ms")
	b.figure("10 best to each, smallest cuts of both kinds", w.Answers, maxPathAnswers, "s")
	b.note("paths found", float64(w.Paths), fmt.Sprintf("of %d", w.Reached*pathsAsked))
	b.note("cuts found, verified", float64(w.Cuts), fmt.Sprintf("of %d, %d of them proven smallest", 2*w.Reached, w.Proven))
	b.figure("a host is scanned again, best paths anew, worst", w.Update, maxPathUpdate, "ms")
	b.note("chances of all hosts, 1,000 trials", w.Chances, "s")
	b.note("risk removed by every finding, 1,000 trials", w.Risk, "s")
	b.figure("peak", u.peak/1e6, maxPathMemory, "MB")
	return nil
}

// walked are the figures of one estate.
type walked struct {
	Facts, Actions       int
	Build, Pack, Answers float64 // s
	Chances, Risk        float64 // s
	Best, Update         float64 // ms
	Reached, Paths       int
	Cuts, Proven         int
}

func walkApart(ctx context.Context, hosts int, flat bool) (w walked, u usage, err error) {
	self, err := os.Executable()
	if err != nil {
		return w, u, err
	}
	if u, err = measure(ctx, nil, nil, self, "-walk-hosts", strconv.Itoa(hosts), "-walk-flat="+strconv.FormatBool(flat)); err != nil {
		return w, u, err
	}
	return w, u, json.Unmarshal(u.stdout, &w)
}

// walk is the process that walkApart starts. Of estates above 10,000 hosts only the best paths are asked for.
func walk(ctx context.Context, hosts int, flat bool, out io.Writer) error {
	var w walked
	begin := time.Now()
	took := func() float64 { defer func() { begin = time.Now() }(); return time.Since(begin).Seconds() }

	estate := graphtest.Generate(graphtest.GenerateOptions{Hosts: hosts, Sites: 100, FlawsPerHost: 5, Jewels: pathJewels, Seed: 1})
	estate.Assume.Flat = flat
	took()
	model, err := attackpath.Build(ctx, estate)
	if err != nil {
		return err
	}
	w.Build = took()
	net := model.Network()
	w.Facts, w.Actions = len(net.Facts), len(net.Actions)
	g := graph.New(net)
	w.Pack = took()
	best, err := g.Best(ctx, attackpath.Removal{})
	if err != nil {
		return err
	}
	for _, goal := range net.Goals {
		if _, found := best.Path(goal.Fact); found {
			w.Reached++
		}
	}
	w.Best = took() * 1000
	if hosts <= 10_000 {
		if err := w.answer(ctx, g, net, took); err != nil {
			return err
		}
	}
	if err := w.update(ctx, g, model, estate.Hosts); err != nil {
		return err
	}
	runtime.KeepAlive(estate)
	return json.NewEncoder(out).Encode(w)
}

func (w *walked) answer(ctx context.Context, g *graph.Graph, net *attackpath.Network, took func() float64) error {
	for _, goal := range net.Goals {
		found, err := g.Paths(ctx, attackpath.Question{To: goal.Fact, K: pathsAsked})
		if err != nil {
			return err
		}
		w.Paths += len(found.Paths)
		for _, by := range []graph.By{graph.ByFinding, graph.ByWeakness} {
			cut, err := g.Cut(ctx, graph.CutQuestion{Goals: []attackpath.Fact{goal.Fact}, By: by})
			if err != nil {
				return err
			}
			if cut.Possible && cut.Verified && len(cut.Reached) > 0 {
				w.Cuts++
			}
			if cut.Smallest && len(cut.Reached) > 0 {
				w.Proven++
			}
		}
	}
	w.Answers = took()
	if _, err := g.Chances(ctx, graph.ChanceOptions{Samples: 1000, Seed: 1}); err != nil {
		return err
	}
	w.Chances = took()
	if _, _, err := g.Risk(ctx, graph.RiskOptions{Samples: 1000, Seed: 1}); err != nil {
		return err
	}
	w.Risk = took()
	return nil
}

// update has hosts looked at again, one after the other: each has lost what was found first on it.
func (w *walked) update(ctx context.Context, g *graph.Graph, model *attackpath.Model, hosts []attackpath.Host) error {
	for i := range pathUpdates {
		h := hosts[i*len(hosts)/pathUpdates]
		if len(h.Flaws) > 0 {
			h.Flaws = h.Flaws[1:]
		}
		begin := time.Now()
		change, err := model.Replace(ctx, []attackpath.Host{h})
		if err != nil {
			return err
		}
		if err := g.Apply(ctx, change); err != nil {
			return err
		}
		best, err := g.Best(ctx, attackpath.Removal{})
		if err != nil {
			return err
		}
		for _, goal := range model.Network().Goals {
			best.Path(goal.Fact)
		}
		w.Update = max(w.Update, float64(time.Since(begin).Microseconds())/1000)
	}
	return nil
}
