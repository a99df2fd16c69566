package report

import (
	"io"
	"regexp"
	"slices"
	"strings"
)

// Technique is one ATT&CK technique with the CVEs that are mapped to it.
type Technique struct {
	ID          string      `json:"id"`
	Domain      string      `json:"domain"` // enterprise, mobile, ics
	Name        Text        `json:"name"`
	Asked       Text        `json:"asked"` // the revoked technique that was asked for and that this one replaces; else null
	Revoked     bool        `json:"revoked"`
	Deprecated  bool        `json:"deprecated"`
	ReplacedBy  Text        `json:"replaced_by"`
	Parent      Text        `json:"parent"`
	Tactics     []Tactic    `json:"tactics"`
	Platforms   []string    `json:"platforms"`
	Description Text        `json:"description"`
	Detection   Text        `json:"detection"`
	Mitigations []Named     `json:"mitigations"`
	Groups      []Named     `json:"groups"`
	Software    []Named     `json:"software"`
	CVEs        []MappedCVE `json:"cves"`
	Modified    Date        `json:"modified"`
	URL         Text        `json:"url"`
	Notices     []string    `json:"notices"`
}

// Tactic is what an attacker wants to reach.
type Tactic struct {
	ID    Text   `json:"id"`
	Short string `json:"short_name"`
	Name  Text   `json:"name"`
}

// Named is a mitigation, group or software with what ATT&CK says of it in this place.
type Named struct {
	ID   string `json:"id"`
	Name Text   `json:"name"`
	Note Text   `json:"note"`
}

// MappedCVE is a CVE that a publisher maps to the technique.
type MappedCVE struct {
	CVE       string `json:"cve"`
	Technique string `json:"technique"` // this one, or one of its sub-techniques
	Kind      string `json:"kind"`
	Source    string `json:"source"`
	Comment   Text   `json:"comment"`
}

// TechniqueList is the document of `technique search`.
type TechniqueList struct {
	Query   string           `json:"query"`
	Items   []TechniqueBrief `json:"items"`
	More    bool             `json:"more"`
	Next    Text             `json:"next"` // the cursor of the next page; null at the end
	Notices []string         `json:"notices"`
}

// TechniqueBrief is a technique as lists show it.
type TechniqueBrief struct {
	ID         string   `json:"id"`
	Domain     string   `json:"domain"`
	Name       Text     `json:"name"`
	Tactics    []string `json:"tactics"` // short names
	Platforms  []string `json:"platforms"`
	Revoked    bool     `json:"revoked"`
	Deprecated bool     `json:"deprecated"`
	ReplacedBy Text     `json:"replaced_by"`
}

// TechniqueTable shows one technique to a person.
func TechniqueTable(w io.Writer, t Technique, cat Catalogue, v View) error {
	p := &printer{w: w, view: v}
	if t.Asked != "" {
		p.text(string(t.Asked) + " was revoked; its successor is " + t.ID + ".")
		p.line("")
	}
	p.line("%s  %s", v.paint(toneTitle, t.ID), Plain(string(t.Name)))
	p.facts(techniqueRows(t))
	if t.Description != "" {
		p.line("")
		p.text(readable(string(t.Description)))
	}
	if t.Detection != "" {
		p.line("")
		p.line("%s", v.paint(toneTitle, "Detection"))
		p.item("  ", readable(string(t.Detection)))
	}
	for _, list := range []struct {
		title string
		names []Named
	}{{"Mitigation", t.Mitigations}, {"Groups that use it", t.Groups}, {"Software that uses it", t.Software}} {
		p.section(list.title, len(list.names), shownRules, func(i int) string { return list.names[i].line() })
	}
	p.section("CVEs that are mapped to it", len(t.CVEs), shownRules, func(i int) string {
		c := t.CVEs[i]
		return strings.TrimSpace(c.CVE + " (" + kindWords(c.Kind) + ", by " + feedTitle(c.Source) + ") " + string(c.Comment))
	})
	if !cat.Synced("ctid") {
		p.line("")
		p.text("CTID's mappings were never loaded, so it is not known which CVEs are mapped to it: patchscout feeds sync --feed ctid")
	}
	p.line("")
	p.notices(t.Notices)
	return p.err
}

func kindWords(kind string) string {
	if say := kinds[kind]; say != "" {
		return say
	}
	return kind
}

var (
	citations = regexp.MustCompile(`\(Citation: [^()]*\)`)
	links     = regexp.MustCompile(`\[([^\[\]]*)\]\(https?://[^()\s]*\)`)
	code      = strings.NewReplacer("<code>", "", "</code>", "")
)

// readable takes from MITRE's Markdown what only a browser needs.
func readable(text string) string {
	return code.Replace(links.ReplaceAllString(citations.ReplaceAllString(text, ""), "$1"))
}

// shownNote is how much of a note a person reads in a list.
const shownNote = 200

func (n Named) line() string {
	text := strings.TrimSpace(n.ID + " " + string(n.Name))
	if n.Note != "" {
		text += ": " + clip(Plain(readable(string(n.Note))), shownNote)
	}
	return text
}

func techniqueRows(t Technique) [][2]string {
	var tactics []string
	for _, tactic := range t.Tactics {
		tactics = append(tactics, orElse(string(tactic.Name), tactic.Short))
	}
	rows := [][2]string{
		{"Domain", t.Domain},
		{"Tactics", orMissing(strings.Join(tactics, ", "))},
		{"Platforms", orMissing(strings.Join(t.Platforms, ", "))},
	}
	switch {
	case t.Revoked:
		rows = append(rows, [2]string{"Status", "revoked, no successor is known"})
	case t.Deprecated:
		rows = append(rows, [2]string{"Status", "deprecated: MITRE no longer keeps it up"})
	}
	if t.Parent != "" {
		rows = append(rows, [2]string{"Part of", string(t.Parent)})
	}
	if t.URL != "" {
		rows = append(rows, [2]string{"Link", string(t.URL)})
	}
	return rows
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// TechniqueListTable lists techniques.
func TechniqueListTable(w io.Writer, doc TechniqueList, v View) error {
	p := &printer{w: w, view: v}
	if len(doc.Items) == 0 {
		p.text(nothingFound(doc.Query))
		return p.err
	}
	g := &grid{columns: []column{
		{Title: "TECHNIQUE"}, {Title: "DOMAIN", Optional: 1}, {Title: "NAME", Flex: 20}, {Title: "TACTICS", Flex: 12}, {Title: "PLATFORMS", Flex: 8, Optional: 2},
	}}
	for _, t := range doc.Items {
		name := string(t.Name)
		switch {
		case t.Revoked && t.ReplacedBy != "":
			name += " (revoked, now " + string(t.ReplacedBy) + ")"
		case t.Revoked:
			name += " (revoked)"
		case t.Deprecated:
			name += " (deprecated)"
		}
		g.add(plainCells(t.ID, t.Domain, name, strings.Join(t.Tactics, ", "), strings.Join(slices.Sorted(slices.Values(t.Platforms)), ", "))...)
	}
	if p.err = g.draw(w, v.Terminal); p.err == nil && doc.More {
		p.line("%s", v.paint(toneFaint, "… there are more: narrow the search, or --limit N"))
	}
	p.line("")
	p.notices(doc.Notices)
	return p.err
}
