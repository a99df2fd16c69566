package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/priority"
)

// protocol is what the program was asked to do.
type protocol struct {
	feeds     string
	from, to  int
	day       time.Time
	resamples int
}

// fits says whether this is the protocol that the weights are fitted by.
func (p protocol) fits() bool {
	return p.from == fitFrom && p.to == fitTo && p.day.Format(time.DateOnly) == fitDay
}

// run prints everything. same is false when the weights in internal/priority are not what this run has fitted.
func (p protocol) run(ctx context.Context, out io.Writer) (same bool, err error) {
	w, err := p.load(ctx)
	if err != nil {
		return false, err
	}
	t := newTable(w.rows())
	if w.n.positives == 0 || w.n.positives == len(t.rows) {
		return false, fault.Invalid("no CVE of %d to %d that entered KEV after %s: nothing to measure", p.from, p.to,
			p.day.Format(time.DateOnly))
	}
	w.note(out, len(t.rows))
	if !p.fits() {
		t.tryShipped()
		t.print(out, p.resamples)
		return true, nil
	}
	model := t.fitted()
	t.print(out, p.resamples)
	t.reliability(out, model)
	return compare(out, model), nil
}

// table is the rows with the arms that order them.
type table struct {
	rows     []row
	positive []bool
	signals  []priority.Signals
	arms     []arm
	ours     []float64 // log-odds
}

// arm is one way of ordering the rows.
type arm struct {
	name   string
	scores []float64
	kind   kind
}

type kind int

const (
	baseline kind = iota
	ourArm
	aside // printed for comparison; neither ours nor one to beat
)

func newTable(rows []row) *table {
	t := &table{rows: rows}
	for _, r := range rows {
		t.positive = append(t.positive, r.entered)
		t.signals = append(t.signals, signalsOf(r, r.exploits))
	}
	t.add("CVSS", baseline, func(r row) float64 { return r.metric.Score })
	t.add("EPSS", baseline, func(r row) float64 { return r.epss })
	t.add("exploits, then CVSS", baseline, func(r row) float64 { return float64(len(r.exploits)) + r.metric.Score/100 })
	t.add("exploits, then EPSS", baseline, func(r row) float64 { return float64(len(r.exploits)) + r.epss/100 })
	return t
}

func (t *table) add(name string, k kind, score func(row) float64) {
	scores := make([]float64, len(t.rows))
	for i, r := range t.rows {
		scores[i] = score(r)
	}
	t.arms = append(t.arms, arm{name, scores, k})
}

func signalsOf(r row, exploits []intel.Exploit) priority.Signals {
	return priority.SignalsOf(priority.Evidence{Metric: &r.metric, CWEs: r.cwes, Exploits: exploits})
}

// tryShipped adds our arms with the weights as they stand in the product.
func (t *table) tryShipped() {
	m := priority.Shipped()
	t.ours = make([]float64, len(t.rows))
	for i := range t.rows {
		t.ours[i] = m.LogOdds(t.signals[i])
	}
	t.arms = append(t.arms, arm{"ours: the estimate, as shipped", t.ours, ourArm})
	t.product()
}

// product adds the order of the product, which takes the estimate only where EPSS is not known.
func (t *table) product() {
	t.add("ours: likelihood (EPSS where known)", aside, func(r row) float64 { return r.epss })
}

// fitted adds our arms out of fold and returns the model of all rows.
func (t *table) fitted() priority.Model {
	byID, byDay := make([]int, len(t.rows)), make([]int, len(t.rows))
	proven := make([]priority.Signals, len(t.rows))
	for i, r := range t.rows {
		byID[i] = foldOf(r.id.String())
		byDay[i] = foldOf(r.published.Format(time.DateOnly))
		proven[i] = signalsOf(r, r.proven)
	}
	t.ours = outOfFold(t.signals, t.positive, byID)
	t.arms = append(t.arms, arm{"ours: the estimate", t.ours, ourArm})
	t.product()
	t.arms = append(t.arms,
		arm{"EPSS and the estimate in one regression", t.combined(byID), aside},
		arm{"the estimate, folds by day of publication", outOfFold(t.signals, t.positive, byDay), aside},
		arm{"the estimate, modules proven only", outOfFold(proven, t.positive, byID), aside})
	t.add("exploits proven only, then CVSS", aside, func(r row) float64 {
		return float64(len(r.proven)) + r.metric.Score/100
	})
	m := fit(t.signals, t.positive)
	logOdds, epss := make([]float64, len(t.rows)), make([]float64, len(t.rows))
	for i, r := range t.rows {
		logOdds[i], epss[i] = m.LogOdds(t.signals[i]), r.epss
	}
	m.Knots = knots(logOdds, epss)
	return m
}

// combined fits the log-odds of EPSS beside our signals: what one would gain if the likelihood were not EPSS alone.
func (t *table) combined(fold []int) []float64 {
	x := make([]priority.Signals, len(t.rows))
	for i, r := range t.rows {
		p := min(max(r.epss, 1e-5), 1-1e-5)
		x[i][0], x[i][1] = math.Log(p/(1-p)), t.ours[i]
	}
	return outOfFold(x, t.positive, fold)
}

// print measures all arms on the same rows and the same resamples.
func (t *table) print(out io.Writer, resamples int) {
	orders, point := make([]order, len(t.arms)), make([]result, len(t.arms))
	for i, a := range t.arms {
		orders[i] = newOrder(a.scores)
		point[i] = orders[i].measure(t.positive, nil)
	}
	boot := bootstrap(orders, t.positive, resamples)
	fmt.Fprintf(out, "\nrecall within the first 1, 5, 10 %% of the list; AUC; in brackets the middle 95 %% of %d resamples of the CVEs\n",
		resamples)
	best := -1
	for i, a := range t.arms {
		at5 := middle(boot[i], func(_ int, r result) float64 { return r.recall[1] })
		auc := middle(boot[i], func(_ int, r result) float64 { return r.auc })
		fmt.Fprintf(out, "  %-42s %.3f  %.3f [%.3f %.3f]  %.3f  %.3f [%.3f %.3f]\n", a.name, point[i].recall[0],
			point[i].recall[1], at5.low, at5.high, point[i].recall[2], point[i].auc, auc.low, auc.high)
		if a.kind == baseline && (best < 0 || point[i].recall[1] > point[best].recall[1]) {
			best = i
		}
	}
	ours := slices.IndexFunc(t.arms, func(a arm) bool { return a.kind == ourArm })
	fmt.Fprintln(out)
	for i, a := range t.arms {
		if a.kind == baseline {
			t.difference(out, ours, i, i == best, point, boot)
		}
	}
}

func (t *table) difference(out io.Writer, ours, other int, best bool, point []result, boot [][]result) {
	wins := 0.0
	gap := middle(boot[ours], func(i int, r result) float64 {
		d := r.recall[1] - boot[other][i].recall[1]
		if d > 0 {
			wins++
		}
		return d
	})
	mark := ""
	if best {
		mark = " (the best of the others)"
	}
	fmt.Fprintf(out, "at 5 %%, ours minus %s%s: %+.3f [%+.3f %+.3f], ahead in %.0f %% of the resamples\n", t.arms[other].name, mark,
		point[ours].recall[1]-point[other].recall[1], gap.low, gap.high, 100*wins/float64(len(boot[ours])))
}

// reliability shows, for parts of the list by our order, what the estimate says, what EPSS says and what happened.
func (t *table) reliability(out io.Writer, m priority.Model) {
	fmt.Fprint(out, "\nreliability, out of fold: parts of the list, mean estimate, mean EPSS, part that entered KEV since\n")
	o := newOrder(t.ours)
	from := 0
	for _, part := range []float64{0.01, 0.05, 0.10, 0.25, 0.50, 1} {
		to := int(part * float64(len(o.rows)))
		var estimate, epss, entered float64
		for _, i := range o.rows[from:to] {
			estimate += m.Scale(t.ours[i])
			epss += t.rows[i].epss
			entered += number(t.positive[i])
		}
		n := max(float64(to-from), 1)
		fmt.Fprintf(out, "  to %3.0f %%  %6.0f CVEs  estimate %.4f  EPSS %.4f  entered %.4f\n", 100*part, n, estimate/n, epss/n, entered/n)
		from = to
	}
}
