package report

import (
	"fmt"
	"io"
	"strings"
)

// PathsDOT draws the listed paths for Graphviz, left to right: jewels have two borders, what is assumed a dashed line, what
// a rule declares a dotted one.
func PathsDOT(w io.Writer, p Paths) error {
	out := &printer{w: w}
	g := p.Graph()
	out.line(`digraph "attack paths" {`)
	out.line(`  graph [rankdir=LR, fontname="Helvetica", labelloc=b, labeljust=l, fontsize=10, label=%s];`, dotText(dotNotices(p.Notices)...))
	out.line(`  node [shape=box, style=rounded, fontname="Helvetica", fontsize=11];`)
	out.line(`  edge [fontname="Helvetica", fontsize=9];`)
	for _, n := range g.Nodes {
		out.line("  %s [%s];", n.ID, n.dot())
	}
	for _, e := range g.Edges {
		out.line("  %s -> %s [%s];", e.From, e.To, e.dot())
	}
	out.line("}")
	return out.err
}

// dotNotices stand below the drawing, in lines that are no wider than it.
func dotNotices(list []string) (lines []string) {
	for _, n := range list {
		lines = append(lines, wrap(n, 120)...)
	}
	return lines
}

func (n PathGraphNode) dot() string {
	lines := []string{n.Name}
	if n.Site != "" {
		lines = append(lines, "site "+n.Site)
	}
	text := "label=" + dotText(lines...)
	switch {
	case n.Kind == "entry":
		text += ", shape=ellipse, style=solid"
	case n.Jewel:
		text += ", peripheries=2, penwidth=1.5"
	}
	return text
}

// lineStyles tell from where an edge is known.
var lineStyles = map[string]string{"observed": "solid", "policy": "dotted", "assumed": "dashed"}

func (e PathGraphEdge) dot() string {
	second := []string{}
	if place := e.Step.place(); place != "" {
		second = append(second, place)
	}
	second = append(second, Percent(e.Step.Chance))
	return fmt.Sprintf("label=%s, style=%s, tooltip=%s", dotText(e.Step.means(), strings.Join(second, ", ")), lineStyles[e.Known],
		dotText(append([]string{e.Step.Says}, e.Why...)...))
}

// dotEscapes: a label's backslash begins an escape of its own, and Graphviz reads entities of HTML in it.
var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;", "<", "&lt;", ">", "&gt;")

// dotText quotes lines as one text. It cannot end early, whatever is in it.
func dotText(lines ...string) string {
	quoted := make([]string, len(lines))
	for i, line := range lines {
		quoted[i] = dotEscapes.Replace(Plain(line))
	}
	return `"` + strings.Join(quoted, `\n`) + `"`
}
