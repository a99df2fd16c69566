package app

import (
	"context"
	"fmt"
	"time"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graph"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/store"
)

// How the risk of findings is worked out, and when.
const (
	riskTime     = 5 * time.Minute
	riskSamples  = 2000
	rememberTime = 20 * time.Second // of a command, after its answer
	leastTrials  = 100              // fewer say nothing
	riskActions  = 5_000_000

	pathsLook  = 2 * time.Second  // how often the server looks whether the data changed
	pathsQuiet = 5 * time.Second  // without a change before paths are worked out anew
	pathsLate  = 60 * time.Second // at most after the first change
)

// riskDone is what working the risk out came to.
type riskDone struct {
	Findings   int     `json:"findings"`      // that take risk away when they are fixed
	Samples    int     `json:"samples"`       // random trials
	Expected   float64 `json:"expected_loss"` // weight of jewels that fall
	Reached    int     `json:"jewels_reached"`
	Jewels     int     `json:"jewels"`
	Generation int64   `json:"generation"`
	Left       string  `json:"left,omitempty"` // why nothing was kept
}

// pathsJob works out what fixing each finding takes off the risk.
func (a *App) pathsJob(ctx context.Context, r *job.Run) error {
	r.Progress(0, "reading the estate")
	m, err := a.pathModel(ctx, 0, attackpath.Assumptions{})
	if err != nil {
		return err
	}
	r.Progress(30, "working out what each fix takes off the risk")
	limited, cancel := context.WithTimeout(ctx, riskTime)
	defer cancel()
	done, err := a.keepRisk(limited, m)
	if err != nil && !tooSlow(ctx, err) {
		return err
	}
	if err != nil {
		done.Left = "it took longer than " + riskTime.String()
	}
	if done.Left != "" {
		a.log.Warn("the risk of findings was not worked out", "reason", done.Left)
	}
	r.Progress(80, "writing to the graph database")
	a.mirrorPaths(ctx, m, mirrorJobTime)
	return r.Result(done)
}

// rememberRisk keeps the risk of findings when a command asked for the default scenario of everything and no server has
// worked it out for this state. That it could not be kept does not keep anybody from the answer.
func (a *App) rememberRisk(ctx context.Context, req request.Paths) {
	if a.who.Kind != auth.Local || !a.who.View.All() || !isDefault(req) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, rememberTime)
	defer cancel()
	err := func() error {
		state, err := a.pathState(ctx)
		if err != nil {
			return err
		}
		risk, err := a.store.Estate().RiskState(ctx)
		if err != nil || risk.Written != 0 && risk.Generation == state.estate {
			return err
		}
		m, err := a.pathModel(ctx, 0, attackpath.Assumptions{})
		if err != nil {
			return err
		}
		_, err = a.keepRisk(ctx, m)
		return err
	}()
	if err != nil {
		a.log.Debug("the risk of findings was not kept", "error", err)
	}
}

// keepRisk works the risk of findings out and keeps it beside them. The model must be that of everything, with the default
// scenario: figures of different scenarios cannot be compared.
func (a *App) keepRisk(ctx context.Context, m *pathModel) (done riskDone, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	net := m.model.Network()
	done.Generation, done.Jewels = m.estate.state.estate, len(net.Goals)
	if len(net.Actions) > riskActions {
		done.Left = fmt.Sprintf("the network of the estate is too large: %d actions, at most %d", len(net.Actions), riskActions)
		return done, nil
	}
	reached, err := m.graph.Reached(ctx, attackpath.Removal{})
	if err != nil {
		return done, err
	}
	done.Reached = reached.Goals
	removed, expected, err := m.graph.Risk(ctx, graph.RiskOptions{Samples: riskSamples, Seed: pathSeed})
	if err != nil {
		return done, err
	}
	done.Samples, done.Expected = expected.Samples, expected.Weight
	if !expected.Complete && expected.Samples < leastTrials {
		done.Left = "only " + report.Plural(expected.Samples, "trial", "trials") + " fitted into the time"
		return done, nil
	}
	figures := map[int64]float64{}
	for i := range m.estate.Hosts {
		for j := range m.estate.Hosts[i].Flaws {
			figures[m.estate.Hosts[i].Flaws[j].Finding] = 0
		}
	}
	for _, r := range removed {
		if r.Drop > 0 {
			figures[r.Finding] = r.Drop
			done.Findings++
		}
	}
	return done, a.store.Estate().SetRisk(ctx, a.now().UTC(), m.estate.state.estate, figures)
}

// followPaths has the risk of findings worked out anew after the estate or the catalogue changed, until ctx ends: when nobody
// has written for a while, or when somebody always writes. Of several servers each may ask; one job does it.
func (a *App) followPaths(ctx context.Context) {
	s := a.For(auth.ForSystem())
	tick := time.NewTicker(pathsLook)
	defer tick.Stop()
	var w pathsWatch
	for {
		if err := s.lookAtPaths(ctx, &w); err != nil && ctx.Err() == nil {
			a.log.Warn("it could not be told whether paths are to be worked out anew", "error", err) // the next time it may
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// pathsWatch is what a server knows of how the data changed.
type pathsWatch struct {
	asked   dataState // for which the work was asked
	seen    dataState // last
	changed time.Time // when seen was seen first
	since   time.Time // when the first change was seen that nobody asked about, zero for none
}

// done says whether the work is done for a state: before this server began, or by another one. Of the catalogue that it was done
// with only the time tells.
func (w *pathsWatch) done(state dataState, risk store.RiskState) bool {
	if risk.Written == 0 || risk.Generation != state.estate {
		return false
	}
	return w.asked == (dataState{}) || w.asked.catalogue == state.catalogue || !w.since.IsZero() && risk.At.After(w.since)
}

// due says whether it is time to ask for the work, when the data is in a state that differs from the one of the last time.
func (w *pathsWatch) due(state dataState, now time.Time) bool {
	if state == w.asked {
		w.since = time.Time{}
		return false
	}
	if w.since.IsZero() {
		w.since, w.changed, w.seen = now, now, state
	}
	if state != w.seen {
		w.seen, w.changed = state, now
	}
	return now.Sub(w.changed) >= pathsQuiet || now.Sub(w.since) >= pathsLate
}

func (a *App) lookAtPaths(ctx context.Context, w *pathsWatch) error {
	state, err := a.pathState(ctx)
	if err != nil {
		return err
	}
	risk, err := a.store.Estate().RiskState(ctx)
	if err != nil {
		return err
	}
	if w.done(state, risk) {
		w.asked = state
	}
	if !w.due(state, a.now()) {
		return nil
	}
	if _, err := a.store.Jobs().Enqueue(ctx, job.Job{Kind: job.Paths, Key: "paths", By: a.who.Name}); err != nil {
		return err
	}
	w.asked, w.since = state, time.Time{}
	a.wake()
	return nil
}
