package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/attackpath/graph/exact"
)

// shownWays are how many paths and sets of fixes a table lists of a goal; the JSON document has all.
const shownWays = 20

// CaseTable prints the answers for a network of facts and actions: one line a goal, then each goal's paths and fixes.
func CaseTable(w io.Writer, a exact.Answer, t Terminal) error {
	g := &grid{columns: []column{{Title: "GOAL", Flex: 20}, {Title: "REACHED"}, {Title: "CHANCE", Right: true}, {Title: "PATHS", Right: true},
		{Title: "LIKELIEST", Right: true}, {Title: "FEWEST FIXES", Flex: 20}}}
	for _, goal := range a.Goals {
		reached := cellValue{text: "no"}
		if goal.Reachable {
			reached = cellValue{"yes", toneHigh}
		}
		g.add(cellValue{text: goal.Goal}, reached, cellValue{text: caseChance(goal)}, cellValue{text: casePaths(goal)},
			cellValue{text: caseNumber(goal.MaxPathProbability)}, cellValue{text: caseCut(goal)})
	}
	if err := g.draw(w, t); err != nil {
		return err
	}
	for _, goal := range a.Goals {
		if err := caseGoal(w, goal, t); err != nil {
			return err
		}
	}
	return nil
}

func caseGoal(w io.Writer, goal exact.GoalAnswer, t Terminal) error {
	if !goal.Reachable {
		return nil
	}
	out := &printer{w: w}
	out.line("")
	out.line("%s", t.paint(toneTitle, Plain(goal.Goal)))
	for i, p := range goal.MinimalPaths {
		if i == shownWays {
			out.line("  and %d more paths: --format json lists them", len(goal.MinimalPaths)-shownWays)
			break
		}
		out.line("  %-10s %s", caseNumber(p.Probability), Plain(caseSteps(p)))
	}
	for i, cut := range goal.AllMinimalFixCuts {
		if i == shownWays {
			out.line("  and %d more sets of fixes: --format json lists them", len(goal.AllMinimalFixCuts)-shownWays)
			break
		}
		out.line("  %-10s %s", "fix", Plain(strings.Join(cut, " + ")))
	}
	for _, why := range goal.Incomplete {
		out.line("  incomplete: %s", Plain(why))
	}
	return out.err
}

func caseSteps(p exact.Path) string {
	if len(p.Steps) == 0 {
		return "holds from the beginning"
	}
	return strings.Join(p.Steps, " > ")
}

// caseNumber has six digits: the document has all.
func caseNumber(p float64) string { return strconv.FormatFloat(p, 'g', 6, 64) }

func caseChance(goal exact.GoalAnswer) string {
	if goal.ExactProbability != nil {
		return caseNumber(*goal.ExactProbability)
	}
	if len(goal.ProbabilityBounds) == 2 {
		return caseNumber(goal.ProbabilityBounds[0]) + " to " + caseNumber(goal.ProbabilityBounds[1])
	}
	return ""
}

func casePaths(goal exact.GoalAnswer) string {
	if goal.Complete {
		return strconv.Itoa(goal.PathCount)
	}
	for _, why := range goal.Incomplete {
		if strings.HasPrefix(why, "minimal_paths") {
			return "> " + strconv.Itoa(goal.PathCount-1)
		}
	}
	return strconv.Itoa(goal.PathCount)
}

func caseCut(goal exact.GoalAnswer) string {
	switch cut := goal.MinFixCut; {
	case cut == nil && goal.Complete:
		return "none is enough"
	case cut == nil:
		return "not known"
	case cut.Size == 0:
		return "none needed"
	case len(cut.Sets) > 1:
		return fmt.Sprintf("%d: %s, or %d others", cut.Size, strings.Join(cut.Sets[0], " + "), len(cut.Sets)-1)
	default:
		return fmt.Sprintf("%d: %s", cut.Size, strings.Join(cut.Sets[0], " + "))
	}
}

// CaseDOT draws a network for Graphviz, left to right: facts are round, those that hold from the beginning dashed, goals have
// two borders; actions are boxes with their chance, those of the likeliest path to a goal are bold.
func CaseDOT(w io.Writer, c exact.Case, a exact.Answer) error {
	out := &printer{w: w}
	d := newCaseDrawing(c, a)
	out.line("digraph %s {", dotText(c.Name))
	out.line(`  graph [rankdir=LR, fontname="Helvetica"];`)
	out.line(`  node [shape=box, fontname="Helvetica", fontsize=11];`)
	out.line(`  edge [fontname="Helvetica", fontsize=9];`)
	for i, f := range d.facts {
		out.line("  f%d [label=%s, shape=ellipse%s];", i, dotText(f), d.style(f))
	}
	for i, action := range c.Actions {
		d.action(out, i, action)
	}
	out.line("}")
	return out.err
}

type caseDrawing struct {
	facts  []string
	number map[string]int
	start  map[string]bool
	goals  map[string]bool
	best   map[string]bool // actions
}

func newCaseDrawing(c exact.Case, a exact.Answer) *caseDrawing {
	d := &caseDrawing{number: map[string]int{}, start: map[string]bool{}, goals: map[string]bool{}, best: map[string]bool{}}
	for _, action := range c.Actions { // facts that no action names are of no matter
		d.name(action.Pre)
		d.name(action.Post)
	}
	d.name(c.Goals)
	for _, f := range c.Init {
		d.start[f] = true
	}
	for _, goal := range a.Goals {
		d.goals[goal.Goal] = true
		if len(goal.MinimalPaths) == 0 {
			continue
		}
		for _, step := range goal.MinimalPaths[0].Steps {
			d.best[step] = true
		}
	}
	return d
}

func (d *caseDrawing) name(facts []string) {
	for _, f := range facts {
		if _, known := d.number[f]; !known {
			d.number[f] = len(d.facts)
			d.facts = append(d.facts, f)
		}
	}
}

func (d *caseDrawing) style(f string) string {
	text := ""
	if d.start[f] {
		text += ", style=dashed"
	}
	if d.goals[f] {
		text += ", peripheries=2"
	}
	return text
}

func (d *caseDrawing) action(out *printer, i int, a exact.Action) {
	lines := []string{a.ID}
	if a.P != 1 {
		lines = append(lines, caseNumber(a.P))
	}
	if len(a.Fix) > 0 {
		lines = append(lines, "fix: "+strings.Join(a.Fix, " or "))
	}
	width := 1
	if d.best[a.ID] {
		width = 2
	}
	out.line("  a%d [label=%s, penwidth=%d];", i, dotText(lines...), width)
	for _, f := range a.Pre {
		out.line("  f%d -> a%d [penwidth=%d];", d.number[f], i, width)
	}
	for _, f := range a.Post {
		out.line("  a%d -> f%d [penwidth=%d];", i, d.number[f], width)
	}
}
