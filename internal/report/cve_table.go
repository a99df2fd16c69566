package report

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// shownRules and shownLinks bound what a person wants to read of one CVE; JSON has all.
const (
	shownRules = 12
	shownLinks = 8
)

// CVETable shows one CVE to a person: plain words first, then the facts. sources adds where each field comes from.
func CVETable(w io.Writer, c CVE, cat Catalogue, v View, sources bool) error {
	p := &printer{w: w, view: v}
	p.line("%s  %s", v.paint(toneTitle, c.ID), Plain(string(c.Title)))
	p.explanation(c.Explanation)
	p.facts(cveRows(c, cat))
	if c.Description != "" {
		p.line("")
		p.text(string(c.Description))
	}
	p.scores(c)
	p.affected(c)
	p.section("Public exploits", len(c.Exploits), shownLinks, func(i int) string { return c.Exploits[i].line() })
	p.section("ATT&CK techniques", len(c.Techniques), shownRules, func(i int) string { return c.Techniques[i].line() })
	p.section("References", len(c.References), shownLinks, func(i int) string {
		return strings.TrimSpace(c.References[i].URL + " " + strings.Join(c.References[i].Tags, ", "))
	})
	p.provenance(c, sources)
	p.line("")
	p.text(catalogueSentence(cat, v.Now))
	p.notices(c.Notices)
	return p.err
}

// explanation is one paragraph, apart from the facts by blank lines.
func (p *printer) explanation(sentences []Sentence) {
	if len(sentences) == 0 {
		return
	}
	var text []string
	for _, s := range sentences {
		text = append(text, s.Text)
	}
	p.line("")
	p.text(strings.Join(text, " "))
	p.line("")
}

// facts writes names and values; a long value goes on below itself.
func (p *printer) facts(rows [][2]string) {
	for _, row := range rows {
		p.pair(row[0], row[1])
	}
}

const pairIndent = 15

func (p *printer) pair(name, value string) {
	width := p.view.Width
	if width > 0 {
		width = max(width-pairIndent, 20)
	}
	for i, line := range wrap(value, width) {
		if i > 0 {
			name = ""
		}
		p.line("  %-12s %s", name, line)
	}
}

func (p *printer) section(title string, n, limit int, entry func(int) string) {
	if n == 0 {
		return
	}
	p.line("")
	p.line("%s", p.view.paint(toneTitle, title))
	for i := range min(n, limit) {
		p.item("  ", entry(i))
	}
	if n > limit {
		p.line("  … and %s more (--format json)", Thousands(n-limit))
	}
}

// scores lists all assessments side by side where there is more than the one that stands for the record.
func (p *printer) scores(c CVE) {
	if len(c.Scores)+len(c.Ratings) < 2 {
		return
	}
	n := len(c.Scores)
	p.section("All assessments", n+len(c.Ratings), shownRules, func(i int) string {
		if i >= n {
			return c.Ratings[i-n].Level + ", without a score, by " + c.Ratings[i-n].Source
		}
		s := c.Scores[i]
		return fmt.Sprintf("CVSS %s  %4.1f %s  %s  by %s (%s)", s.Version, s.Score, s.Severity, s.Vector, s.Source, s.Provider)
	})
}

// affected shows rules where there are some, else what the assigner wrote.
func (p *printer) affected(c CVE) {
	p.section("Affected", len(c.Affected), shownRules, func(i int) string {
		return strings.TrimSpace(c.Affected[i].CPE + "  " + string(c.Affected[i].Versions))
	})
	p.section("Affected, as its assigner says", len(c.AffectedText), shownRules, func(i int) string {
		a := c.AffectedText[i]
		versions := a.Versions
		if len(versions) > shownRules {
			versions = append(versions[:shownRules:shownRules], "…")
		}
		return strings.TrimSpace(a.Vendor + " " + a.Product + "  " + strings.Join(versions, ", "))
	})
}

func (x Exploit) line() string {
	var notes []string
	for _, note := range []string{string(x.Kind), string(x.Rank), map[bool]string{true: "verified"}[x.Verified]} {
		if note != "" {
			notes = append(notes, note)
		}
	}
	if !x.Published.IsZero() {
		notes = append(notes, x.Published.String())
	}
	text := x.Source + " " + x.ID
	if len(notes) > 0 {
		text += " (" + strings.Join(notes, ", ") + ")"
	}
	return strings.TrimSpace(text + " " + string(x.Title) + " " + string(x.URL))
}

// kinds are CTID's in words.
var kinds = map[string]string{
	"exploitation_technique": "how it is exploited", "primary_impact": "what it leads to",
	"secondary_impact": "what that leads to",
}

func (t TechniqueLink) line() string {
	text := strings.TrimSpace(t.ID + " " + string(t.Name))
	if say := kinds[t.Kind]; say != "" {
		text += ", " + say
	}
	if t.Source == "derived" {
		return fmt.Sprintf("%s (derived, confidence %d%%: %s)", text, t.Confidence, t.Reason)
	}
	return text + " (published by " + feedTitle(t.Source) + ")"
}

// provenance says where fields come from when asked to; that sources contradict each other is always said.
func (p *printer) provenance(c CVE, all bool) {
	if !all {
		if n := len(c.Conflicts); n > 0 {
			p.line("")
			p.text(fmt.Sprintf("The sources contradict each other in %s: see --sources.", Plural(n, "place", "places")))
		}
		return
	}
	p.section("Where each field comes from", len(c.Provenance), len(c.Provenance), func(i int) string {
		o := c.Provenance[i]
		return fmt.Sprintf("%-15s %s%s", o.Field, o.Source, ofDay(o.Date))
	})
	p.section("What other sources say instead", len(c.Conflicts), len(c.Conflicts), func(i int) string {
		o := c.Conflicts[i]
		return fmt.Sprintf("%-15s %s%s: %s", o.Field, o.Source, ofDay(o.Date), o.Value)
	})
}

func ofDay(d Date) string {
	if d.IsZero() {
		return ""
	}
	return " (" + d.String() + ")"
}

func cveRows(c CVE, cat Catalogue) [][2]string {
	rows := [][2]string{
		{"Published", c.Published.String() + ", changed " + c.Modified.String()},
		{"CVSS", cvssLine(c)},
		{"EPSS", epssLine(c, cat)},
		{"KEV", absent(kevLine(c), "kev", cat)},
	}
	if len(c.ExploitedBy) > 0 {
		rows = append(rows, [2]string{"Exploited", "as asserted by " + strings.Join(c.ExploitedBy, ", ")})
	}
	if c.SSVC != nil {
		rows = append(rows, [2]string{"SSVC", ssvcLine(*c.SSVC)})
	}
	if estimated(c.EPSS, c.Likelihood, c.LikelihoodSource) {
		rows = append(rows, [2]string{"Likelihood", "~" + number(c.Likelihood, 4) + " (estimated on EPSS's scale from what else is known)"})
	}
	rows = append(rows,
		[2]string{"Decision", decisionLine(c)},
		[2]string{"Score", scoreLine(c)},
		[2]string{"Weakness", weaknessLine(c)})
	if c.Status == "Rejected" {
		rows = append(rows, [2]string{"Status", "rejected by its assigner: matches nothing"})
	}
	return rows
}

func decisionLine(c CVE) string {
	if c.Decision == "" {
		return missing
	}
	return string(c.Decision) + " (on a host that the internet can reach)"
}

// absent shows a fact that is not known: its feed was never loaded, or knows nothing.
func absent(value, feed string, cat Catalogue) string {
	if value == "" && !cat.Synced(feed) {
		return "not synced"
	}
	return orMissing(value)
}

func cvssLine(c CVE) string {
	switch {
	case c.CVSS != nil:
		vector := strings.TrimLeft(string(c.CVSSVector)+" by "+string(c.CVSSSource), " ")
		return fmt.Sprintf("%s %s (%s)", number(c.CVSS, 1), c.Severity, vector)
	case c.Severity != "" && c.Severity != "unknown":
		return "no score; " + c.Severity + " in the words of " + orMissing(string(c.SeveritySource))
	}
	return missing + " nobody has scored it yet"
}

func epssLine(c CVE, cat Catalogue) string {
	if c.EPSS == nil {
		return absent("", "epss", cat)
	}
	text := number(c.EPSS, 5)
	var notes []string
	if c.EPSSPercentile != nil {
		notes = append(notes, fmt.Sprintf("higher than %.1f %% of all CVEs", shareBelow(*c.EPSSPercentile)))
	}
	if !c.EPSSDate.IsZero() {
		notes = append(notes, "of "+c.EPSSDate.String())
	}
	if len(notes) > 0 {
		text += " (" + strings.Join(notes, ", ") + ")"
	}
	if was := c.was(); was != "" {
		text += " " + was
	}
	return text
}

// shareBelow is a percentile in percent, rounded down: nothing is higher than all.
func shareBelow(percentile float64) float64 { return min(math.Floor(percentile*1000)/10, 99.9) }

// was is the value before the current one: "(was 0.42 on 2021-06-01)".
func (c CVE) was() string {
	for i := len(c.EPSSHistory) - 1; i >= 0; i-- {
		if d := c.EPSSHistory[i]; d.Date.Before(c.EPSSDate.Time) && d.EPSS != *c.EPSS {
			return fmt.Sprintf("(was %s on %s)", number(&d.EPSS, 5), d.Date)
		}
	}
	return ""
}

func kevLine(c CVE) string {
	if c.KEV == nil || !*c.KEV {
		return yesNo(c.KEV)
	}
	text := "yes, since " + c.KEVAdded.String()
	if c.Ransomware != nil && *c.Ransomware {
		text += ", used by ransomware"
	}
	return text
}

func ssvcLine(s SSVC) string {
	return fmt.Sprintf("exploitation %s, automatable %s, technical impact %s (%s%s)", orMissing(string(s.Exploitation)),
		orMissing(string(s.Automatable)), orMissing(string(s.TechnicalImpact)), orMissing(string(s.Source)),
		map[bool]string{true: ", " + s.Date.String()}[!s.Date.IsZero()])
}

func scoreLine(c CVE) string {
	if c.PriorityScore == nil {
		return missing
	}
	if len(c.ScoreMissing) == 0 {
		return number(c.PriorityScore, 3)
	}
	return "≥" + number(c.PriorityScore, 3) + " (without the term for " + strings.Join(c.ScoreMissing, " and ") + ", which is not known)"
}

func weaknessLine(c CVE) string {
	if len(c.Weaknesses) == 0 {
		return orMissing(strings.Join(c.CWEs, ", "))
	}
	var parts []string
	for _, w := range c.Weaknesses {
		parts = append(parts, strings.TrimSpace(w.ID+" "+string(w.Name)))
	}
	return strings.Join(parts, "; ")
}
