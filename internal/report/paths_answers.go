package report

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// PathFixTable writes for people which fixes stop the walk. p is the same question's answer: what there is to stop.
func PathFixTable(w io.Writer, p Paths, f PathFixes, v View) error {
	out := &printer{w: w, view: v}
	out.text(p.Sentence(&f))
	out.incomplete(f.Complete, f.Incomplete)
	out.line("")
	none := "Nothing has to be fixed."
	if p.Totals.JewelsReached > 0 {
		none = "No set of fixes was found that ends every path: some steps need no finding that could be fixed, or the time was over."
	}
	out.fixSet(f.All, none, "to every path")
	if f.Patches.count() > 0 {
		out.line("")
		out.fixSet(f.Patches, "", "to every path, where each is patched everywhere")
	}
	out.ranked(f.Ranked)
	out.line("")
	out.faint(p.Scenario.sentence(p.things()))
	out.fewNotices(f.Notices)
	return out.err
}

// maxActions is how many things to do a table lists.
const maxActions = 40

func (p *printer) fixSet(set *FixSet, none, what string) {
	if set.count() == 0 {
		p.text(none)
		return
	}
	p.text(fmt.Sprintf("%s an end %s%s:", set.puts(), what, set.how()))
	list := set.things()
	rest := set.count() // of fixes
	for i, a := range list[:min(len(list), maxActions)] {
		p.hanging(fmt.Sprintf("%3d. ", i+1), a.line())
		p.painted(toneFaint, "     ", a.about(set.Fixes))
		rest -= len(a.Weaknesses)
	}
	if set.gathered() {
		rest = len(list) - maxActions
	}
	if rest > 0 {
		p.faint(fmt.Sprintf("… and %s more", Thousands(rest)))
	}
}

// count is how many fixes a set has; not all of them need be listed.
func (s *FixSet) count() int {
	if s == nil {
		return 0
	}
	return max(s.Total, len(s.Fixes))
}

// gathered says whether the things to do are fewer than the findings that they end, and all known.
func (s *FixSet) gathered() bool {
	return s.count() == len(s.Fixes) && len(s.Actions) > 0 && len(s.Actions) < len(s.Fixes)
}

// things are what is to be done: of an answer that does not gather fixes, each.
func (s *FixSet) things() []FixAction {
	if len(s.Actions) > 0 {
		return s.Actions
	}
	out := []FixAction{}
	for _, f := range s.Fixes {
		a := FixAction{Do: f.Do, Host: f.Host, Weaknesses: []string{f.Weakness}}
		if f.Finding != nil {
			a.Findings = []int64{*f.Finding}
		}
		out = append(out, a)
	}
	return out
}

// kind is what fixes of a set end.
func (s *FixSet) kind() string {
	if s.Fixes[0].Finding == nil {
		return "weaknesses"
	}
	return "findings"
}

func (s *FixSet) puts() string {
	switch n := s.count(); {
	case n == 1:
		return "1 fix puts"
	case !s.gathered():
		return Thousands(n) + " fixes put"
	default:
		return fmt.Sprintf("%d %s, %s, put", n, s.kind(), Plural(len(s.Actions), "thing to do", "things to do"))
	}
}

// line says what is done, and where.
func (a FixAction) line() string {
	where := "Everywhere"
	if a.Host != nil {
		where = a.Host.Name
	}
	return where + ": " + cmp.Or(string(a.Do), strings.Join(a.Weaknesses, ", "))
}

// maxEnded is how many weaknesses are named that one action ends.
const maxEnded = 8

// about says what an action ends: of one finding, what it is.
func (a FixAction) about(fixes []Fix) string {
	if len(a.Weaknesses) == 1 {
		for _, f := range fixes {
			if f.is(a) {
				return f.line()
			}
		}
	}
	names := []string{}
	for i, w := range a.Weaknesses[:min(len(a.Weaknesses), maxEnded)] {
		if i < len(a.Findings) {
			w += fmt.Sprintf(" (finding %d)", a.Findings[i])
		}
		names = append(names, w)
	}
	text := strings.Join(names, ", ")
	if rest := len(a.Weaknesses) - len(names); rest > 0 {
		text += fmt.Sprintf(" and %s more", Thousands(rest))
	}
	return text
}

// is says whether an action is about a fix alone.
func (f Fix) is(a FixAction) bool {
	if f.Finding != nil {
		return len(a.Findings) == 1 && a.Findings[0] == *f.Finding
	}
	return len(a.Findings) == 0 && a.Weaknesses[0] == f.Weakness
}

func (s FixSet) smallest() string {
	if s.gathered() { // fewest of these, which need not be the fewest things to do
		return "no fewer " + s.kind() + " do"
	}
	return "no smaller set does"
}

// how says how far a set can be relied on.
func (s FixSet) how() string {
	words := []string{}
	if s.Smallest {
		words = append(words, s.smallest())
	} else {
		words = append(words, "a smaller set may")
	}
	if s.Verified {
		words = append(words, "checked by asking again without them")
	}
	if !s.Complete {
		words = append(words, "not worked out to the end")
	}
	return " (" + strings.Join(words, "; ") + ")"
}

// line says what is fixed: where is told before.
func (f Fix) line() string {
	text := f.Weakness
	switch {
	case f.Finding != nil:
		text += fmt.Sprintf(" (finding %d)", *f.Finding)
	case f.Findings > 0:
		text += " (" + Plural(f.Findings, "finding", "findings") + ")"
	}
	if f.Title != "" && string(f.Title) != f.Weakness {
		text += ": " + string(f.Title)
	}
	return text
}

// ranked lists findings by what their fix takes away of the danger.
func (p *printer) ranked(list []Fix) {
	if len(list) == 0 || p.err != nil {
		return
	}
	p.line("")
	p.text("Single fixes by the risk that they remove (the expected drop in the weight of compromised jewels):")
	g := &grid{columns: []column{{Title: "REMOVES", Right: true}, {Title: "FINDING", Right: true}, {Title: "HOST", Flex: 16}, {Title: "WEAKNESS", Flex: 16},
		{Title: "ENDS PATHS", Right: true, Optional: 2}, {Title: "WHAT TO DO", Flex: 20, Optional: 1}}}
	shown := list
	if p.view.Limit > 0 && len(shown) > p.view.Limit {
		shown = shown[:p.view.Limit]
	}
	for _, f := range shown {
		host, finding := "everywhere", ""
		if f.Host != nil {
			host = f.Host.Name
		}
		if f.Finding != nil {
			finding = strconv.FormatInt(*f.Finding, 10)
		}
		g.add(plainCells(number(f.RiskRemoved, 3), finding, host, f.Weakness, strconv.Itoa(f.Cuts), string(f.Do))...)
	}
	p.err = g.draw(p.w, p.view.Terminal)
	if rest := len(list) - len(shown); rest > 0 {
		p.faint(fmt.Sprintf("… and %s more", Thousands(rest)))
	}
}

// WhatIfTable writes for people what difference something would make.
func WhatIfTable(w io.Writer, doc WhatIf, v View) error {
	out := &printer{w: w, view: v}
	out.text(doc.Says)
	out.text(fmt.Sprintf("Expected weight of compromised jewels: %.2f now, %.2f then. Hosts in reach: %d now, %d then.",
		doc.Risk, doc.RiskAfter, doc.Before.Reached, doc.After.Reached))
	if len(doc.Jewels) > 0 {
		out.line("")
		g := &grid{columns: []column{{Title: "HOST", Flex: 16}, {Title: "SITE", Flex: 6, Optional: 1}, {Title: "CHANCE NOW"}, {Title: "THEN"}}}
		for _, j := range doc.Jewels {
			g.add(plainCells(j.Name, j.Site, j.Before.text(j.Before.High > 0), j.After.text(j.After.High > 0))...)
		}
		if out.err == nil {
			out.err = g.draw(w, v.Terminal)
		}
	}
	if len(doc.New) > 0 {
		out.line("")
		out.line("Other ways that are the best ones then:")
		out.paths(Paths{Paths: doc.New}, false)
		out.assumptions(Paths{Paths: doc.New})
	}
	out.line("")
	out.fewNotices(doc.Notices)
	return out.err
}

// PathReachTable writes for people what a host exposes, or what leads to it.
func PathReachTable(w io.Writer, doc PathReach, v View) error {
	out := &printer{w: w, view: v}
	out.incomplete(doc.Complete, doc.Incomplete)
	switch {
	case doc.Total == 0 && !doc.Complete:
	case doc.Direction == "backward" && doc.Total == 0:
		out.text(fmt.Sprintf("Nothing leads to %s.", doc.Host.Name))
	case doc.Direction == "backward":
		out.text(fmt.Sprintf("%s to %s, each as likely as the best way from it:", Plural(doc.Total, "host leads", "hosts lead"), doc.Host.Name))
	case doc.Total == 0:
		out.text(fmt.Sprintf("Who holds %s can take no other host from it.", doc.Host.Name))
	default:
		out.text(fmt.Sprintf("Who holds %s can take %s from it:", doc.Host.Name, Plural(doc.Total, "other host", "other hosts")))
	}
	if len(doc.Hosts) > 0 {
		out.line("")
		g := &grid{columns: []column{{Title: "HOST", Flex: 16}, {Title: "SITE", Flex: 6, Optional: 1}, {Title: "AS"}, {Title: "CHANCE", Right: true}, {Title: "JEWEL"}}}
		for _, h := range doc.Hosts {
			g.add(plainCells(h.Name, h.Site, h.Privilege, Percent(h.Chance), jewelWord(h.Jewel))...)
		}
		if out.err == nil {
			out.err = g.draw(w, v.Terminal)
		}
		if rest := doc.Total - len(doc.Hosts); rest > 0 {
			out.faint(fmt.Sprintf("… and %s more", Thousands(rest)))
		}
	}
	out.line("")
	out.fewNotices(doc.Notices)
	return out.err
}

func jewelWord(jewel bool) string {
	if jewel {
		return "yes"
	}
	return ""
}

// PathPolicyTable writes for people what was declared of the network.
func PathPolicyTable(w io.Writer, doc PathPolicy, v View) error {
	out := &printer{w: w, view: v}
	if len(doc.Rules)+len(doc.Same)+len(doc.Clients) == 0 {
		out.text("Nothing is declared: a site is taken to reach itself and no other, and this is said with every path. Declare rules with patchscout paths policy set FILE.")
		return out.err
	}
	set := cmp.Or(string(doc.Source), "a file")
	if doc.At != nil {
		set += ", set " + stamp(*doc.At) + " by " + orMissing(string(doc.By))
	}
	out.text(Plural(len(doc.Rules), "rule", "rules") + " of " + set + "; the first that says anything of a connection decides.")
	if len(doc.Rules) > 0 {
		out.line("")
		g := &grid{columns: []column{{Title: "N", Right: true}, {Title: "FROM", Flex: 10}, {Title: "TO", Flex: 10}, {Title: "PORTS", Flex: 7}, {Title: "RULE"}, {Title: "NOTE", Flex: 10, Optional: 1}}}
		for _, r := range doc.Rules {
			rule := "deny"
			if r.Allow {
				rule = "allow"
			}
			g.add(plainCells(strconv.Itoa(r.N), r.From, r.To, cmp.Or(strings.Join(r.Ports, " "), "every"), rule, string(r.Note))...)
		}
		if out.err == nil {
			out.err = g.draw(w, v.Terminal)
		}
	}
	for _, group := range doc.Same {
		out.item("", "One machine: "+strings.Join(group, ", "))
	}
	if len(doc.Clients) > 0 {
		out.item("", "People open what they are sent in: "+strings.Join(doc.Clients, ", "))
	}
	return out.err
}

// PathCorrectionTable lists for people what people said of single steps.
func PathCorrectionTable(w io.Writer, doc PathCorrections, v View) error {
	out := &printer{w: w, view: v}
	if len(doc.Corrections) == 0 {
		out.text("Nobody has corrected a step. Say of one what you know with patchscout paths correct EDGE never|always|0.3")
		return out.err
	}
	g := &grid{columns: []column{{Title: "ID", Right: true}, {Title: "EDGE", Flex: 14}, {Title: "SAYS"}, {Title: "ABOUT", Flex: 16}, {Title: "BY", Flex: 6, Optional: 2},
		{Title: "AT", Optional: 3}, {Title: "NOTE", Flex: 10, Optional: 1}}}
	for _, c := range doc.Corrections {
		g.add(plainCells(strconv.FormatInt(c.ID, 10), c.Edge, c.word(), cmp.Or(c.About, "nothing that is there any more"), c.By, c.At.UTC().Format("2006-01-02"), string(c.Note))...)
	}
	out.err = g.draw(w, v.Terminal)
	return out.err
}

// Sentence says what was said.
func (c PathCorrection) Sentence() string {
	text := fmt.Sprintf("correction %d: %s %s", c.ID, c.Edge, c.word())
	if c.About != "" {
		text += " (" + c.About + ")"
	}
	return Plain(text)
}

func (c PathCorrection) word() string {
	if c.Says == "chance" && c.Chance != nil {
		return Percent(*c.Chance)
	}
	return c.Says
}
