package scan

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// result sums up what the tasks came to.
func (w *work) result(ctx context.Context) Result {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	res := Result{Silent: w.plan.silent(), Paused: w.pausing}
	for ci := range w.plan.Choices {
		res.Scanners = append(res.Scanners, w.outcome(ctx, ci))
	}
	seen := map[netip.Addr]bool{}
	for _, t := range w.plan.Tasks {
		for _, s := range t.Skipped {
			if !seen[s.Address] {
				seen[s.Address] = true
				res.Skipped = append(res.Skipped, s)
			}
		}
	}
	return res
}

// outcome: a scanner completed when all its tasks did. Otherwise its error is the first that failed, by number.
func (w *work) outcome(ctx context.Context, ci int) Outcome {
	o := Outcome{Scanner: w.plan.Choices[ci].Scanner.Name(), Version: w.versions[ci], Dropped: map[string]int{}}
	count := map[TaskStatus]int{}
	tasks := 0
	for _, t := range w.plan.Tasks {
		if t.Scanner != o.Scanner {
			continue
		}
		tasks++
		o.add(t)
		count[t.Status]++
	}
	switch {
	case w.reasons[ci] != nil && ctx.Err() == nil && count[TaskDone] == 0:
		o.Status, o.Err = Unavailable, w.reasons[ci]
	case count[TaskCancelled]+count[TaskPending] > 0, tasks == 0 && ctx.Err() != nil:
		o.Status, o.Err = Cancelled, context.Cause(ctx)
	case tasks == 0 && w.plan.Choices[ci].stage() == WebStage && w.blind(ci):
		o.Status, o.Err = Failed, errors.New("nothing was found for it to look at, since the scanners before it did not complete")
	case count[TaskFailed] == 0 && o.Err == nil:
		o.Status = Completed
	case count[TaskDone] > 0:
		o.Status = Partial
		if failed := count[TaskFailed]; failed > 0 {
			o.Err = fmt.Errorf("%d of %d tasks failed, the first: %w", failed, tasks, o.Err)
		}
	default:
		o.Status = Failed
	}
	return o
}

// blind says whether no scanner of the earlier stages saw everything.
func (w *work) blind(ci int) bool {
	stage := w.plan.Choices[ci].stage()
	return !slices.ContainsFunc(w.plan.Choices, func(c Choice) bool {
		return c.stage() < stage && !w.plan.off[w.plan.byName[c.Scanner.Name()]] && !slices.ContainsFunc(w.plan.Tasks, func(t *Task) bool {
			return t.Scanner == c.Scanner.Name() && t.Status != TaskDone
		})
	})
}

// add notes one more task.
func (o *Outcome) add(t *Task) {
	if !t.Started.IsZero() && (o.Started.IsZero() || t.Started.Before(o.Started)) {
		o.Started = t.Started
	}
	if t.Finished.After(o.Completed) {
		o.Completed = t.Finished
	}
	if o.Version == "" {
		o.Version = t.Version
	}
	for reason, n := range t.Dropped {
		o.Dropped[reason] += n
	}
	switch {
	case o.Err != nil:
	case t.Status == TaskFailed:
		o.Err = errors.New(t.Error)
	case len(t.Skipped) > 0:
		s := t.Skipped[0]
		who := s.Address.String()
		if s.Name != "" {
			who = s.Name + " (" + who + ")"
		}
		o.Err = fmt.Errorf("%s was not scanned: %s", who, s.Reason)
	}
}
