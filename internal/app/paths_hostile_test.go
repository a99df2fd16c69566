package app

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/request"
)

func TestQuestionsMadeToBreakThingsAreRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		built(t, a)
		ctx := context.Background()
		paths := func(req request.Paths) error { _, err := a.Paths(ctx, req); return err }
		whatIf := func(req request.WhatIf) error { _, err := a.PathWhatIf(ctx, req); return err }
		for _, odd := range []string{"a\x00b", "\xff\xfe", "<script>", "'; DROP TABLE host; --", "\u202eevil", strings.Repeat("x", 1<<16), "999999999999999999999999"} {
			for name, err := range map[string]error{
				"from site":      paths(request.Paths{From: []string{"site:" + odd}}),
				"from user site": paths(request.Paths{From: []string{"user:site:" + odd}}),
				"from host":      paths(request.Paths{From: []string{"host:" + odd}}),
				"to":             paths(request.Paths{To: []string{odd}}),
				"site":           paths(request.Paths{Site: odd}),
				"what if host":   whatIf(request.WhatIf{Hosts: []string{odd}}),
				"what if patch":  whatIf(request.WhatIf{Weaknesses: []string{odd}}),
				"what if rule":   whatIf(request.WhatIf{Rules: []request.PathRule{{From: "site:" + odd, To: "any"}}}),
				"what if note":   whatIf(request.WhatIf{Rules: []request.PathRule{{From: "any", To: "any", Note: odd}}}),
				"reach": func() error {
					_, err := a.PathReach(ctx, request.Paths{}, odd, true)
					return err
				}(),
				"edge": func() error {
					_, err := a.CorrectPath(ctx, request.PathCorrection{Edge: "reach:" + odd + ">1:tcp/80", Says: "never"})
					return err
				}(),
				"note": func() error {
					_, err := a.CorrectPath(ctx, request.PathCorrection{Edge: "reach:inside>1:tcp/80", Says: "never", Note: odd})
					return err
				}(),
				"policy's name": func() error {
					_, err := a.SetPathPolicy(ctx, odd, []byte(townPolicy))
					return err
				}(),
			} {
				if err != nil && fault.KindOf(err) == fault.KindInternal {
					t.Errorf("%s %.20q: %v", name, odd, err)
				}
				if err != nil && len(err.Error()) > 2000 {
					t.Errorf("%s %.20q: an error of %d bytes", name, odd, len(err.Error()))
				}
			}
		}
	})
}

func TestWhatNobodyWaitsForIsNotMade(t *testing.T) {
	var p pathService
	var running, made atomic.Int32
	hold := make(chan struct{})
	work := func(context.Context) (any, error) {
		if n := running.Add(1); n > makingAtOnce {
			t.Errorf("%d at once", n)
		}
		<-hold
		running.Add(-1)
		return made.Add(1), nil
	}
	ctx, leave := context.WithCancel(context.Background())
	left := make(chan error)
	for i := range 50 {
		go func() {
			_, err := p.once(ctx, fmt.Sprint(i), work)
			left <- err
		}()
	}
	for running.Load() < makingAtOnce {
		runtime.Gosched()
	}
	leave()
	for range 50 {
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("who left is told %v", err)
		}
	}
	close(hold)
	p.work.Wait()
	if made.Load() != makingAtOnce || len(p.making) != 0 {
		t.Errorf("%d made, %d left", made.Load(), len(p.making))
	}
	if v, err := p.once(context.Background(), "0", work); err != nil || v == nil {
		t.Errorf("whoever asks later gets %v %v", v, err)
	}
	p.stop()
}

// Whoever asks on the machine itself also keeps the risk of findings, beside a scan that writes them.
func TestBothAnswersToAssumeAreAskedWhileSomebodyScans(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		built(t, a)
		asking, done := sync.WaitGroup{}, make(chan struct{})
		for i := range 4 {
			asking.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					if _, err := a.Paths(context.Background(), request.Paths{K: i + 1, Assume: []string{"site", "flat"}[i%2]}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		for range 6 {
			look(t, a, "inside", town, "10.0.0.20")
			look(t, a, "inside", town)
		}
		close(done)
		asking.Wait()
		pathsOf(t, a, request.Paths{})
		risk, err := a.store.Estate().RiskState(context.Background())
		if err != nil || risk.Written == 0 {
			t.Errorf("the risk was not kept: %+v %v", risk, err)
		}
	})
}

func TestWhoSeesOneSiteLearnsNoNetworksOfOthers(t *testing.T) {
	a := open(t)
	built(t, a)
	ctx := context.Background()
	if _, err := a.SetPathPolicy(ctx, "town.yaml", []byte(townPolicy+`  - {from: 192.0.2.0/24, to: 10.0.0.0/24, ports: [tcp/22], action: allow, note: out of the secret edge}
  - {from: internet, to: 192.0.2.10, action: allow, note: the secret edge}
  - {from: 10.0.0.0/25, to: 10.0.0.0/24, action: allow, note: among us}
clients: [192.0.2.128/25, 10.0.0.0/24]
`)); err != nil {
		t.Fatal(err)
	}
	inside := a.For(auth.Identity{Kind: auth.Session, Name: "eve", User: 7, Role: auth.Viewer, View: auth.OfSites("inside")})
	policy, err := inside.PathPolicy(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(policy.Rules) != 1 || policy.Rules[0].Note != "among us" || len(policy.Clients) != 1 {
		t.Errorf("%+v", policy)
	}
	if doc := pathsOf(t, inside, request.Paths{}); doc.Scenario.Policy != 1 {
		t.Errorf("%d rules count", doc.Scenario.Policy)
	}
}
