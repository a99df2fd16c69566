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
	if f.Patches != nil && len(f.Patches.Fixes) > 0 {
		out.line("")
		out.fixSet(f.Patches, "", "to every path, where each is patched everywhere")
	}
	out.ranked(f.Ranked)
	out.line("")
	out.faint(p.Scenario.sentence(p.things()))
	out.notices(f.Notices)
	return out.err
}

func (p *printer) fixSet(set *FixSet, none, what string) {
	if set == nil || len(set.Fixes) == 0 {
		p.text(none)
		return
	}
	p.text(fmt.Sprintf("%s an end %s%s:", puts(len(set.Fixes)), what, set.how()))
	for i, fix := range set.Fixes {
		p.hanging(fmt.Sprintf("%3d. ", i+1), fix.line())
		if fix.Do != "" {
			p.painted(toneFaint, "     ", string(fix.Do))
		}
	}
}

func puts(n int) string {
	if n == 1 {
		return "1 fix puts"
	}
	return strconv.Itoa(n) + " fixes put"
}

// how says how far a set can be relied on.
func (s FixSet) how() string {
	words := []string{}
	if s.Smallest {
		words = append(words, "no smaller set does")
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

// line says what is fixed, and where.
func (f Fix) line() string {
	text := f.Weakness
	switch {
	case f.Host != nil:
		text += " on " + f.Host.Name
	case f.Findings > 0:
		text += ", everywhere (" + Plural(f.Findings, "finding", "findings") + ")"
	}
	if f.Finding != nil {
		text += fmt.Sprintf(", finding %d", *f.Finding)
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
	out.notices(doc.Notices)
	return out.err
}

// PathReachTable writes for people what a host exposes, or what leads to it.
func PathReachTable(w io.Writer, doc PathReach, v View) error {
	out := &printer{w: w, view: v}
	switch {
	case doc.Direction == "backward" && doc.Total == 0:
		out.text(fmt.Sprintf("Nothing leads to %s.", doc.Host.Name))
	case doc.Direction == "backward":
		out.text(fmt.Sprintf("%s on the way to %s:", Plural(doc.Total, "host is", "hosts are"), doc.Host.Name))
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
	out.notices(doc.Notices)
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
