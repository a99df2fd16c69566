package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
)

// fewPaths is up to how many paths are shown with their steps.
const fewPaths = 3

// PathTable writes attack paths for people: first what it comes to, then the jewels, then the ranked paths, then always what
// is assumed. steps shows the steps of each path even where there are many; fixes may be nil.
func PathTable(w io.Writer, p Paths, fixes *PathFixes, steps bool, v View) error {
	out := &printer{w: w, view: v}
	steps = steps || len(p.Paths) <= fewPaths
	out.text(p.Sentence(fixes))
	out.incomplete(p.Complete, p.Incomplete)
	out.jewels(p.Jewels)
	out.paths(p, steps)
	out.assumptions(p)
	out.line("")
	if steps && len(p.Paths) > 0 {
		out.faint(correctable)
	}
	out.faint(p.Scenario.sentence(p.things()))
	out.fewNotices(p.Notices)
	return out.err
}

// maxNotices is how many notices stand below an answer.
const maxNotices = 6

// fewNotices writes the first of them, which say what is assumed.
func (p *printer) fewNotices(list []string) {
	rest := len(list) - maxNotices
	if rest <= 1 {
		p.notices(list)
		return
	}
	p.notices(list[:maxNotices])
	p.faint(fmt.Sprintf("… and %d more notices: --format json has them", rest))
}

// Sentence is what the answer comes to.
func (p Paths) Sentence(fixes *PathFixes) string {
	t, from := p.Totals, p.Scenario.from()
	switch {
	case t.Hosts == 0:
		return "No host is known yet: scan, or import a report, first."
	case t.Jewels == 0:
		return "There is no host to look for paths to."
	case t.JewelsReached == 0 && t.Jewels == 1:
		return fmt.Sprintf("The %s cannot be reached from %s.", p.thing(), from)
	case t.JewelsReached == 0:
		return fmt.Sprintf("None of the %s %s can be reached from %s.", Thousands(t.Jewels), p.things(), from)
	}
	text := fmt.Sprintf("%s of %s %s can be reached from %s", Thousands(t.JewelsReached), Thousands(t.Jewels), p.things(), from)
	if t.Jewels == 1 {
		text = fmt.Sprintf("The %s can be reached from %s", p.thing(), from)
	}
	if fixes != nil {
		text += fixes.ends()
	}
	return text + "."
}

// ends says what stops all of it.
func (f PathFixes) ends() string {
	switch n := f.All.count(); {
	case n == 0:
		return ""
	case n == 1:
		return "; 1 fix ends all of it"
	case f.All.gathered() && len(f.All.Actions) == 1:
		return fmt.Sprintf("; 1 thing to do ends all of it (%s findings)", Thousands(n))
	case f.All.gathered():
		return fmt.Sprintf("; %d things to do end all of it (%s findings)", len(f.All.Actions), Thousands(n))
	default:
		return fmt.Sprintf("; %s fixes end all of it", Thousands(n))
	}
}

// thing is what the paths lead to: jewels where somebody named some.
func (p Paths) thing() string  { return strings.TrimSuffix(p.things(), "s") }
func (p Paths) things() string { return thingsOf(p.Jewels) }

func thingsOf(jewels []PathJewel) string {
	if slices.ContainsFunc(jewels, func(j PathJewel) bool { return j.Jewel }) {
		return "jewels"
	}
	return "hosts"
}

// from is where attackers begin.
func (s PathScenario) from() string {
	names := []string{}
	for _, e := range s.Entries {
		names = append(names, Plain(e.Name))
	}
	switch n := len(names); {
	case n == 0:
		return "nowhere"
	case n == 1:
		return names[0]
	case n <= 3:
		return strings.Join(names[:n-1], ", ") + " or " + names[n-1]
	default:
		return fmt.Sprintf("%s or %d other places", names[0], n-1)
	}
}

// sentence says what the other assumption of sites comes to; what is assumed is in the notices.
func (s PathScenario) sentence(things string) string {
	other := "Were every site taken to reach every other (--assume flat)"
	if s.Assume == "flat" {
		other = "Were a site taken to reach only itself (--assume site)"
	}
	return fmt.Sprintf("%s, %d of the %s would be reached. %s in force.", other, s.OtherReached, things, declared(s.Policy, s.Corrections))
}

func declared(rules, corrections int) string {
	text := "No declared rule"
	if rules > 0 {
		text = Plural(rules, "declared rule", "declared rules")
	}
	if corrections > 0 {
		text += " and " + Plural(corrections, "correction", "corrections")
	}
	return text
}

func (p *printer) incomplete(complete bool, why Text) {
	if !complete {
		p.text("Incomplete: " + orMissing(string(why)) + ".")
	}
}

// jewels lists the hosts that matter, and how they stand.
func (p *printer) jewels(list []PathJewel) {
	if len(list) == 0 || p.err != nil {
		return
	}
	p.line("")
	g := &grid{columns: []column{{Title: "HOST", Flex: 16}, {Title: "SITE", Flex: 6, Optional: 2}, {Title: "MATTERS", Flex: 8, Optional: 1}, {Title: "CHANCE"},
		{Title: "PATHS", Right: true}, {Title: "ALL LEAD OVER", Flex: 10, Optional: 3}}}
	shown := list
	if p.view.Limit > 0 && len(shown) > p.view.Limit {
		shown = shown[:p.view.Limit]
	}
	for _, j := range shown {
		row := plainCells(j.Name, j.Site, j.matters(), j.Chance.text(j.Reached), strconv.Itoa(j.Paths), hostNames(j.Chokes))
		row[3].tone = j.tone()
		g.add(row...)
	}
	g.leaveEmpty(list)
	p.err = g.draw(p.w, p.view.Terminal)
	if rest := len(list) - len(shown); rest > 0 {
		p.faint(fmt.Sprintf("… and %s more", Thousands(rest)))
	}
}

// leaveEmpty takes the columns away that say nothing of any host.
func (g *grid) leaveEmpty(list []PathJewel) {
	if !slices.ContainsFunc(list, func(j PathJewel) bool { return len(j.Chokes) > 0 }) {
		g.remove(5)
	}
	if !slices.ContainsFunc(list, func(j PathJewel) bool { return j.Jewel || j.Criticality != nil }) {
		g.remove(2) // the notices say that nobody said what matters
	}
}

func (j PathJewel) tone() tone {
	switch {
	case !j.Reached:
		return toneFaint
	case j.Chance.High >= 0.5:
		return toneUrgent
	}
	return toneHigh
}

// matters says how much a host does, and why it is taken to.
func (j PathJewel) matters() string {
	switch {
	case j.Criticality == nil:
		return j.Why
	case j.Jewel:
		return fmt.Sprintf("%d of 5", *j.Criticality)
	}
	return fmt.Sprintf("%d of 5, %s", *j.Criticality, j.Why)
}

func hostNames(list []PathChoke) string {
	names := []string{}
	for _, c := range list {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// text is a chance with its bounds: "52 % (41 % to 63 %)".
func (c PathChance) text(reached bool) string {
	low, high := Percent(c.Low), Percent(c.High)
	switch {
	case !reached:
		return "not reached"
	case c.Sampled != nil && low != high:
		return fmt.Sprintf("about %s (%s to %s)", Percent(*c.Sampled), low, high)
	case low != high:
		return low + " to " + high
	}
	return low
}

// paths lists the walks.
func (p *printer) paths(doc Paths, steps bool) {
	for i, path := range doc.Paths {
		if i == 0 || steps {
			p.line("")
		}
		p.hanging(fmt.Sprintf("%3d  %5s  ", i+1, Percent(path.Chance)), path.line(doc.assumed()))
		if steps {
			p.steps(path.Steps)
		}
	}
}

// line is a path on one line: what falls, by what, and what it rests on.
func (path Path) line(assumed []string) string {
	parts := []string{path.From}
	for _, h := range path.Hosts {
		part := h.Name
		if means := path.means(h.ID); means != "" {
			part += " (" + means + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " → ") + "  [" + path.rests(assumed) + "]"
}

// means is by what a host is taken, one after the other.
func (path Path) means(host int64) string {
	list := []string{}
	for _, s := range path.Steps {
		if s.Host != nil && s.Host.ID == host && acts(s.Kind) {
			list = join(list, s.means())
		}
	}
	return strings.Join(list, ", ")
}

// rests says from where the weakest step is known; assumptions by their numbers below the list.
func (path Path) rests(assumed []string) string {
	numbers := []string{}
	for _, a := range path.Assumed {
		numbers = join(numbers, strconv.Itoa(slices.Index(assumed, a)+1))
	}
	switch {
	case len(numbers) == 0:
		return path.Known
	case path.Known == "assumed":
		return "assumed: " + strings.Join(numbers, ", ")
	}
	return path.Known + "; assumes " + strings.Join(numbers, ", ")
}

// assumed is everything that any of the paths assumes, each once.
func (p Paths) assumed() (list []string) {
	for _, path := range p.Paths {
		list = join(list, path.Assumed...)
	}
	return list
}

func (p *printer) assumptions(doc Paths) {
	for i, a := range doc.assumed() {
		if i == 0 {
			p.line("")
			p.line("Assumed:")
		}
		p.hanging(fmt.Sprintf("%3d  ", i+1), a)
	}
}

// steps lists what is done one after the other, with evidence and what to do against it.
func (p *printer) steps(steps []PathStep) {
	for _, s := range steps {
		p.hanging(fmt.Sprintf("     %2d. ", s.N), s.Says)
		if s.Why != "" {
			p.detail(s.Known + ": " + s.Why + s.edge())
		}
		if s.Kind == "exploit" || s.Chance < 1 {
			p.detail(fmt.Sprintf("%s: %s", Percent(s.Chance), orMissing(s.ChanceWhy)))
		}
		if s.Fix != "" {
			p.hanging("         ", "fix: "+string(s.Fix))
		}
	}
}

// edge names what can be corrected.
func (s PathStep) edge() string {
	if s.Edge == "" {
		return ""
	}
	return " (edge " + s.Edge + ")"
}

// correctable tells how, where edges were named.
const correctable = "What you know better of an edge: patchscout paths correct EDGE never|always|0.3"

// detail is something less about a step.
func (p *printer) detail(text string) { p.painted(toneFaint, "         ", text) }

// hanging writes a sentence behind a mark, below which further lines are empty.
func (p *printer) hanging(mark, text string) { p.painted(toneNone, mark, text) }

// leastText is how narrow text gets beside a mark: on smaller terminals the terminal wraps.
const leastText = 24

func (p *printer) painted(how tone, mark, text string) {
	width := 0
	if p.view.Width > 0 {
		width = max(p.view.Width-lipgloss.Width(mark), leastText)
	}
	for i, line := range wrap(text, width) {
		if i > 0 {
			mark = strings.Repeat(" ", lipgloss.Width(mark))
		}
		p.line("%s%s", mark, p.view.paint(how, line))
	}
}
