package report

import (
	"encoding/xml"
	"io"
	"strconv"
	"strings"
)

// graphKey is an attribute that GraphML declares before it is used.
type graphKey struct{ about, name, kind string }

// graphKeys are the attributes of the file. Their ids are what they are about and their names.
var graphKeys = []graphKey{
	{"graph", "assume", "string"}, {"graph", "notices", "string"}, {"graph", "complete", "boolean"}, {"graph", "at", "string"},
	{"node", "label", "string"}, {"node", "kind", "string"}, {"node", "host", "long"}, {"node", "site", "string"}, {"node", "os", "string"},
	{"node", "jewel", "boolean"}, {"node", "criticality", "int"}, {"node", "paths", "int"},
	{"edge", "label", "string"}, {"edge", "kind", "string"}, {"edge", "says", "string"}, {"edge", "chance", "double"}, {"edge", "chance_why", "string"},
	{"edge", "known", "string"}, {"edge", "why", "string"}, {"edge", "weakness", "string"}, {"edge", "finding", "long"}, {"edge", "title", "string"},
	{"edge", "protocol", "string"}, {"edge", "port", "int"}, {"edge", "service", "string"}, {"edge", "technique", "string"}, {"edge", "fix", "string"},
	{"edge", "correction", "string"}, {"edge", "alternatives", "string"}, {"edge", "paths", "int"},
}

// PathsGraphML writes the listed paths as a graph of hosts for yEd, Gephi, networkx and others
// (http://graphml.graphdrawing.org). What is not known has no attribute.
func PathsGraphML(w io.Writer, p Paths) error {
	g := p.Graph()
	out := &printer{w: w}
	out.line(`<?xml version="1.0" encoding="UTF-8"?>`)
	out.line(`<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`)
	out.line(`  xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">`)
	for _, k := range graphKeys {
		out.line(`  <key id="%s_%s" for="%s" attr.name="%s" attr.type="%s"/>`, k.about, k.name, k.about, k.name, k.kind)
	}
	out.line(`  <graph id="attack_paths" edgedefault="directed">`)
	out.data("graph", "    ", p.graphData())
	for _, n := range g.Nodes {
		out.line(`    <node id="%s">`, n.ID)
		out.data("node", "      ", n.data())
		out.line(`    </node>`)
	}
	for i, e := range g.Edges {
		out.line(`    <edge id="e%d" source="%s" target="%s">`, i+1, e.From, e.To)
		out.data("edge", "      ", e.data())
		out.line(`    </edge>`)
	}
	out.line("  </graph>")
	out.line("</graphml>")
	return out.err
}

// data writes the attributes that there are, in the order of their keys.
func (p *printer) data(about, indent string, values map[string]string) {
	for _, k := range graphKeys {
		if value := values[k.name]; k.about == about && value != "" {
			p.line(`%s<data key="%s_%s">%s</data>`, indent, k.about, k.name, xmlText(value))
		}
	}
}

// xmlText is text between tags. What XML cannot hold is replaced.
func xmlText(s string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(Plain(s))) // a Builder takes everything
	return out.String()
}

func (p Paths) graphData() map[string]string {
	return map[string]string{"assume": p.Scenario.Assume, "notices": strings.Join(p.Notices, " "), "complete": strconv.FormatBool(p.Complete), "at": stamp(p.At)}
}

func (n PathGraphNode) data() map[string]string {
	values := map[string]string{"label": n.Name, "kind": n.Kind, "site": n.Site, "os": string(n.OS), "paths": strconv.Itoa(n.Paths)}
	if n.Kind == "entry" {
		return values
	}
	values["jewel"] = strconv.FormatBool(n.Jewel)
	if n.PathHost.ID != 0 {
		values["host"] = strconv.FormatInt(n.PathHost.ID, 10)
	}
	if n.Criticality != nil {
		values["criticality"] = strconv.Itoa(*n.Criticality)
	}
	return values
}

func (e PathGraphEdge) data() map[string]string {
	s := e.Step
	values := map[string]string{
		"label": s.means(), "kind": s.Kind, "says": s.Says, "chance": strconv.FormatFloat(s.Chance, 'g', -1, 64), "chance_why": s.ChanceWhy,
		"known": e.Known, "why": strings.Join(e.Why, "; "), "weakness": string(s.Weakness), "title": string(s.Title),
		"protocol": string(s.Protocol), "service": string(s.Service), "fix": string(s.Fix), "correction": s.Edge, "paths": strconv.Itoa(e.Paths),
	}
	if s.Finding != nil {
		values["finding"] = strconv.FormatInt(*s.Finding, 10)
	}
	if s.place() != "" {
		values["port"] = port(s.Port)
	}
	if s.Technique != nil {
		values["technique"] = s.Technique.ID
	}
	alternatives := []string{}
	for _, a := range s.Alternatives {
		alternatives = append(alternatives, a.Weakness)
	}
	values["alternatives"] = strings.Join(alternatives, " ")
	return values
}
