package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/telemetry"
)

// hostileName is what a host, a service or a person could be called so that a file or a terminal shows something else.
const hostileName = "db\"];\nx [label=\"\x1b[2J</data><node id='n9'/>]]>&amp;\u202e\\"

func pathHost(id int64, name string, jewel int) PathHost {
	h := PathHost{ID: id, Name: name, Site: "default", OS: "Linux"}
	if jewel > 0 {
		h.Jewel, h.Criticality = true, &jewel
	}
	return h
}

func enters() PathStep {
	return PathStep{N: 1, Kind: "enters", Needs: []string{}, Gains: "the attacker is on the internet", Chance: 1, Known: "observed", Says: "The attacker begins on the internet."}
}

func moves(n int, needs, gains string, known, why string) PathStep {
	return PathStep{N: n, Kind: "moves", Edge: "reach:x", Needs: []string{needs}, Gains: gains, Chance: 1, Known: known, Why: why, ChanceWhy: "nothing stands in the way once he is there",
		Says: "He goes on to " + gains + "."}
}

func exploit(n int, on PathHost, needs, gains, weakness string, p float64) PathStep {
	port, finding := uint16(443), int64(10+n)
	return PathStep{N: n, Kind: "exploit", Edge: "finding:12", Needs: []string{needs}, Gains: gains, Host: &on, Port: &port, Protocol: "tcp", Service: "https",
		Chance: p, ChanceWhy: "low attack complexity, exploited in the wild", Known: "observed", Why: "nmap saw it on 2026-11-20", Weakness: Text(weakness),
		Finding: &finding, Title: "a flaw", Scanner: "nmap", Rules: []string{"AV:N"}, Technique: &PathTechnique{"T1190", "Exploit Public-Facing Application", "ctid"},
		Fix: "update it to 2.4.51 or later", Says: "Over tcp/443, the attacker uses " + weakness + " on " + on.Name + " and is user then.", Alternatives: []PathAlternative{}}
}

// twoPaths lead over a web server to a database, the second one over a file server, to which a login of both others is needed.
func twoPaths() Paths {
	web, files, db := pathHost(1, "203.0.113.5", 0), pathHost(2, "files & <more>", 0), pathHost(3, hostileName, 5)
	flat := "hosts of site default are taken to reach each other: no rule says otherwise"
	toWeb := []PathStep{enters(), moves(2, "the attacker is on the internet", "reaching tcp/443 of 203.0.113.5", "policy", "rule 1 of policy.yaml: the shop"),
		exploit(3, web, "reaching tcp/443 of 203.0.113.5", "user on 203.0.113.5", "CVE-2021-41773", 0.9)}
	first := append(toWeb[:3:3], moves(4, "user on 203.0.113.5", "reaching tcp/5432 of db", "assumed", flat), exploit(5, db, "reaching tcp/5432 of db", "user on db", "CVE-2017-0144", 0.45))
	second := append(toWeb[:3:3], moves(4, "user on 203.0.113.5", "reaching tcp/445 of files", "assumed", flat), exploit(5, files, "reaching tcp/445 of files", "a login", hostileName, 0.6),
		PathStep{N: 6, Kind: "logs_in", Needs: []string{"a login", "user on 203.0.113.5"}, Gains: "user on db", Host: &db, Chance: 1, Known: "assumed", Why: "the scenario of reuse", Says: "He logs in.",
			Technique: &PathTechnique{"T1021.004", "SSH", "rule"}})
	bad := &PathTechnique{"T9999<x>", hostileName, "rule"}
	second[4].Technique = bad
	half, err := 0.41, 0.01
	criticality := 2
	jewel := PathJewel{PathHost: db, Why: "tagged jewel", Reached: true, Chance: PathChance{Low: 0.405, High: 0.63, Sampled: &half, Error: &err, Samples: 2000}, Paths: 2,
		Chokes: []PathChoke{{web, 1}}}
	safe := PathJewel{PathHost: PathHost{ID: 4, Name: "10.0.9.1", Site: "vault", Jewel: true, Criticality: &criticality}, Why: "tagged jewel"}
	return Paths{
		Scenario: PathScenario{Assume: "site", Entries: []PathEntry{{Kind: "internet", Name: "the internet", Ref: "internet", Reaches: 1}}, Policy: 1, OtherReached: 2},
		Jewels:   []PathJewel{jewel, safe},
		Paths: []Path{
			{ID: "a", To: db, From: "the internet", Chance: 0.405, Weight: 1, Hosts: []PathHost{web, db}, Known: "assumed", Assumed: []string{flat}, Says: "…", Steps: first},
			{ID: "b", To: db, From: "the internet", Chance: 0.0004, Weight: 1, Hosts: []PathHost{web, files, db}, Known: "assumed", Assumed: []string{flat, "what can be read on " + hostileName + " is taken to hold a login"}, Says: "…", Steps: second},
		},
		Totals:  PathTotals{Hosts: 4, Reached: 3, Jewels: 2, JewelsReached: 1, Paths: 2},
		Notices: []string{"No rule says what hosts of site default reach: all of each other is assumed (see docs/attack-paths.md). " + hostileName},
		At:      time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), Complete: true,
	}
}

func someFixes() PathFixes {
	web, finding, removes := pathHost(1, "203.0.113.5", 0), int64(13), 0.41
	fix := Fix{Weakness: "CVE-2021-41773", Finding: &finding, Host: &web, Title: "Apache \x1b[31mhttpd", Do: "update Apache httpd to 2.4.51 or later", Findings: 1, Cuts: 2, RiskRemoved: &removes}
	patch := Fix{Weakness: "CVE-2021-41773", Do: fix.Do, Findings: 3, Cuts: 2}
	return PathFixes{All: &FixSet{Fixes: []Fix{fix}, Smallest: true, Verified: true, Complete: true}, Patches: &FixSet{Fixes: []Fix{patch}, Smallest: true, Verified: true, Complete: true}, Ranked: []Fix{fix}, Notices: twoPaths().Notices, Complete: true}
}

func TestPathTableAtSeveralWidths(t *testing.T) {
	fixes := someFixes()
	for name, width := range map[string]int{"paths_0.txt": 0, "paths_60.txt": 60} {
		var out bytes.Buffer
		if err := PathTable(&out, twoPaths(), &fixes, width > 0, View{Terminal: Terminal{Width: width}}); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.Bytes())
		noEscapes(t, name, out.String())
	}
}

func TestManyPathsAreOneLineEachAndSayWhatTheyAssume(t *testing.T) {
	doc := twoPaths()
	doc.Paths = append(doc.Paths, doc.Paths...)
	var out bytes.Buffer
	if err := PathTable(&out, doc, nil, false, View{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"1 of 2 jewels can be reached from the internet.\n",
		"  1   41 %  the internet → 203.0.113.5 (CVE-2021-41773) → ",
		"[assumed: 1, 2]",
		"Assumed:\n  1  hosts of site default are taken to reach each other",
		"(--assume flat), 2 of the jewels would be reached. 1 declared rule in force.",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "edge finding:12") {
		t.Errorf("steps are shown of many paths:\n%s", out.String())
	}
}

func TestPathAnswersForPeople(t *testing.T) {
	var out bytes.Buffer
	port := 0.3
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	v := View{Terminal: Terminal{Width: 100}}
	db := pathHost(3, hostileName, 5)
	err := errors.Join(
		PathFixTable(&out, twoPaths(), someFixes(), v),
		PathFixTable(&out, twoPaths(), PathFixes{Complete: false, Incomplete: "the time was over"}, v),
		WhatIfTable(&out, WhatIf{Says: "1 of 2 paths is gone; 1 of 2 jewels is still reached.", Risk: 0.41, RiskAfter: 0.1, Before: PathTotals{Reached: 3}, After: PathTotals{Reached: 2},
			Jewels: []WhatIfJewel{{db, PathChance{Low: 0.4, High: 0.6}, PathChance{}}}, New: twoPaths().Paths[1:], Notices: []string{"a notice"}}, v),
		PathReachTable(&out, PathReach{Host: pathHost(1, "203.0.113.5", 0), Direction: "forward", Hosts: []PathReached{{db, "root", 0.45}}, Total: 12, Notices: []string{"a notice"}, Complete: true}, v),
		PathReachTable(&out, PathReach{Host: pathHost(1, "203.0.113.5", 0), Direction: "backward", Complete: true}, v),
		PathReachTable(&out, PathReach{Host: pathHost(1, "203.0.113.5", 0), Direction: "backward", Incomplete: "the time was over"}, v),
		PathPolicyTable(&out, PathPolicy{}, v),
		PathPolicyTable(&out, PathPolicy{Rules: []PathRule{{1, "internet", "10.0.0.0/24", []string{"tcp/443"}, true, hostileName}, {2, "any", "site:vault", nil, false, ""}},
			Same: [][]string{{"default/10.0.0.1", "vault/10.0.9.1"}}, Clients: []string{"10.0.5.0/24"}, Source: "policy.yaml", At: &at, By: "anna"}, v),
		PathCorrectionTable(&out, PathCorrections{}, v),
		PathCorrectionTable(&out, PathCorrections{[]PathCorrection{{3, "finding:12", "chance", &port, "CVE-2021-41773 on " + hostileName, "behind a proxy", "anna", at}, {4, "finding:9", "never", nil, "", "", "anna", at}}}, v),
	)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "paths_answers.txt", out.Bytes())
	noEscapes(t, "answers", out.String())
}

func TestFixesThatAreOneThingToDoAreOneLine(t *testing.T) {
	web := pathHost(1, "203.0.113.5", 0)
	one, two, three := int64(3), int64(4), int64(5)
	set := &FixSet{Fixes: []Fix{{Weakness: "CVE-2017-14746", Finding: &one, Host: &web}, {Weakness: "CVE-2017-11103", Finding: &two, Host: &web}, {Weakness: "CVE-2024-6387", Finding: &three, Host: &web, Title: "a race"}},
		Smallest: true, Verified: true, Complete: true, Total: 3, Actions: []FixAction{{Do: "Update Samba to 4.7.3 or later.", Host: &web, Findings: []int64{3, 4}, Weaknesses: []string{"CVE-2017-14746", "CVE-2017-11103"}},
			{Do: "Update OpenSSH to 9.8 or later.", Host: &web, Findings: []int64{5}, Weaknesses: []string{"CVE-2024-6387"}}}}
	var out bytes.Buffer
	if err := PathFixTable(&out, twoPaths(), PathFixes{All: set, Complete: true, Notices: []string{"1", "2", "3", "4", "5", "6", "7", "8"}}, View{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"; 2 things to do end all of it (3 findings).\n",
		"3 findings, 2 things to do, put an end to every path (no fewer findings do; checked",
		"  1. 203.0.113.5: Update Samba to 4.7.3 or later.\n     CVE-2017-14746 (finding 3), CVE-2017-11103 (finding 4)\n",
		"  2. 203.0.113.5: Update OpenSSH to 9.8 or later.\n     CVE-2024-6387 (finding 5): a race\n",
		"\n6\n… and 2 more notices",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	set.Total = 4000
	for i := range 500 {
		set.Actions = append(set.Actions, FixAction{Do: "Close a port.", Host: &web, Findings: []int64{int64(i)}, Weaknesses: []string{"nuclei:x"}})
	}
	out.Reset()
	if err := PathFixTable(&out, twoPaths(), PathFixes{All: set, Complete: true}, View{}); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "; 4,000 fixes end all of it.") || !strings.Contains(text, " 40. 203") || strings.Contains(text, " 41. ") || !strings.Contains(text, "… and 3,959 more") {
		t.Error(text)
	}
}

func TestAChanceNeverReadsSurerThanItIs(t *testing.T) {
	for p, want := range map[float64]string{0: "0 %", 0.0004: "<1 %", 0.405: "41 %", 0.9951: ">99 %", 0.9999999: ">99 %", 1: "100 %"} {
		if got := Percent(p); got != want {
			t.Errorf("%g: %s, want %s", p, got, want)
		}
	}
}

func TestPathFiles(t *testing.T) {
	for name, write := range map[string]func(io.Writer, Paths) error{"paths.dot": PathsDOT, "paths.graphml": PathsGraphML, "paths.layer.json": PathsNavigator} {
		var out, empty bytes.Buffer
		if err := errors.Join(write(&out, twoPaths()), write(&empty, Paths{})); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.Bytes())
		noEscapes(t, name, out.String())
		check := map[string]func(*testing.T, []byte){"paths.dot": checkDOT, "paths.graphml": checkGraphML, "paths.layer.json": checkLayer}[name]
		check(t, out.Bytes())
		check(t, empty.Bytes())
	}
}

// noEscapes: nothing that a terminal acts on.
func noEscapes(t *testing.T, name, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && telemetry.Harmful(r) {
			t.Errorf("%s has %q", name, r)
		}
	}
}

// dotLine is a statement of ours: quoted texts end where they should.
var dotLine = regexp.MustCompile(`^  ((graph|node|edge|n\d+|n\d+ -> n\d+) )?\[([a-z]+=("([^"\\]|\\.)*"|[A-Za-z0-9.]+)(, )?)+\];$`)

func checkDOT(t *testing.T, text []byte) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if lines[0] != `digraph "attack paths" {` || lines[len(lines)-1] != "}" {
		t.Errorf("begins with %s, ends with %s", lines[0], lines[len(lines)-1])
	}
	for _, line := range lines[1 : len(lines)-1] {
		if !dotLine.MatchString(line) {
			t.Errorf("no statement: %s", line)
		}
	}
}

// checkGraphML reads the file as tools do: declared attributes only, edges between nodes that there are.
func checkGraphML(t *testing.T, text []byte) {
	t.Helper()
	type data struct {
		Key   string `xml:"key,attr"`
		Value string `xml:",chardata"`
	}
	var doc struct {
		Keys []struct {
			ID   string `xml:"id,attr"`
			For  string `xml:"for,attr"`
			Type string `xml:"attr.type,attr"`
		} `xml:"key"`
		Graph struct {
			Nodes []struct {
				ID   string `xml:"id,attr"`
				Data []data `xml:"data"`
			} `xml:"node"`
			Edges []struct {
				Source string `xml:"source,attr"`
				Target string `xml:"target,attr"`
				Data   []data `xml:"data"`
			} `xml:"edge"`
		} `xml:"graph"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	keys, nodes := map[string]string{}, map[string]bool{}
	for _, k := range doc.Keys {
		keys[k.ID] = k.For
	}
	for _, n := range doc.Graph.Nodes {
		nodes[n.ID] = true
		for _, d := range n.Data {
			if keys[d.Key] != "node" {
				t.Errorf("node %s has %s", n.ID, d.Key)
			}
			if d.Key == "node_label" && n.ID == "n3" && d.Value != Plain(hostileName) {
				t.Errorf("the host is called %q", d.Value)
			}
		}
	}
	for _, e := range doc.Graph.Edges {
		if !nodes[e.Source] || !nodes[e.Target] {
			t.Errorf("an edge from %s to %s", e.Source, e.Target)
		}
		for _, d := range e.Data {
			if keys[d.Key] != "edge" {
				t.Errorf("an edge has %s", d.Key)
			}
		}
	}
}

// checkLayer wants what LAYERFORMATv4_5.md demands.
func checkLayer(t *testing.T, text []byte) {
	t.Helper()
	var layer struct {
		Name     string            `json:"name"`
		Domain   string            `json:"domain"`
		Versions map[string]string `json:"versions"`
		Gradient struct {
			Colors   []string `json:"colors"`
			Min, Max float64
		} `json:"gradient"`
		Techniques []struct {
			ID    string  `json:"techniqueID"`
			Score float64 `json:"score"`
		} `json:"techniques"`
		Legend []struct{ Label, Color string } `json:"legendItems"`
	}
	if err := json.Unmarshal(text, &layer); err != nil {
		t.Fatal(err)
	}
	if layer.Name == "" || layer.Domain != "enterprise-attack" || layer.Versions["layer"] != "4.5" || layer.Versions["navigator"] != "5.1.0" || layer.Techniques == nil {
		t.Errorf("%+v", layer)
	}
	colour := regexp.MustCompile(`^#[0-9a-f]{6}$`)
	for _, c := range layer.Gradient.Colors {
		if !colour.MatchString(c) {
			t.Errorf("colour %q", c)
		}
	}
	for _, one := range layer.Techniques {
		if !enterpriseTechnique.MatchString(one.ID) || one.Score <= 0 {
			t.Errorf("technique %+v", one)
		}
	}
}

func TestAStepThatNeedsTwoHostsHasAnEdgeFromBoth(t *testing.T) {
	g := twoPaths().Graph()
	froms := ""
	for _, e := range g.Edges {
		if e.Step.Kind == "logs_in" {
			froms += e.From + " "
		}
	}
	if len(g.Nodes) != 4 || len(g.Edges) != 5 || froms != "n4 n2 " {
		t.Errorf("%d nodes, %d edges, the login comes from %s", len(g.Nodes), len(g.Edges), froms)
	}
	if e := g.Edges[1]; e.Known != "assumed" || e.From != "n2" || e.To != "n3" {
		t.Errorf("what is assumed of the way belongs to the step: %+v", e)
	}
	if e := g.Edges[0]; e.Paths != 2 || e.Known != "policy" {
		t.Errorf("the first step is of both paths: %+v", e)
	}
}
