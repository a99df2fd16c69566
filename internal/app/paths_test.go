package app

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// rce is a vector by which anybody who reaches a port runs code.
const rce = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"

// netHost is a host with one service, and what a scan finds there.
type netHost struct {
	site, address string
	port          uint16
	check         string // "" is none
	vector        string
}

// town is two sites: a web server in the edge, a file server and a database inside.
var town = []netHost{
	{"edge", "192.0.2.10", 80, "native:web-hole", rce},
	{"inside", "10.0.0.20", 445, "native:file-hole", rce},
	{"inside", "10.0.0.30", 5432, "native:db-hole", rce},
	{"inside", "10.0.0.40", 22, "", ""},
}

const townPolicy = `rules:
  - {from: internet, to: "site:edge", ports: [tcp/80], action: allow, note: the shop}
  - {from: "site:edge", to: "site:inside", ports: [tcp/445], action: allow}
`

// look scans the hosts of a site; those of fixed have nothing wrong any more.
func look(t *testing.T, a *App, site string, hosts []netHost, fixed ...string) int64 {
	t.Helper()
	ctx := context.Background()
	run, err := a.assessor().Begin(ctx, finding.Scan{Kind: finding.KindScan, Site: site, Targets: []string{"10.0.0.0/8"}, By: "anna", Created: a.now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hosts {
		if h.site != site {
			continue
		}
		addr, at := netip.MustParseAddr(h.address), a.now().UTC()
		events := []finding.Event{
			{Host: &finding.HostSeen{Address: addr, Status: "up", At: at}},
			{Service: &finding.ServiceSeen{Address: addr, Protocol: "tcp", Port: h.port, Name: "service", Product: "Product", At: at}},
		}
		if h.check != "" && !slices.Contains(fixed, h.address) {
			events = append(events, finding.Event{Observation: &finding.Observation{Address: addr, Protocol: "tcp", Port: h.port, Check: h.check, CWEs: []int{78},
				Title: "remote code execution in " + h.address, Remedy: "Install the fix for " + h.address, Vector: h.vector, Severity: "critical", Confidence: 99, At: at}})
		}
		events = append(events, finding.Event{Coverage: &finding.Coverage{Address: addr, Protocol: "tcp", Ports: []finding.PortRange{{First: 1, Last: 65535}}, Checks: []string{"web-hole", "file-hole", "db-hole"}, At: at}})
		for _, e := range events {
			if err := run.Emit("native", e); err != nil {
				t.Fatal(err)
			}
		}
	}
	done, err := run.Finish(ctx, assess.End{Status: finding.Completed, Scanners: []finding.ScannerRun{{Name: "native", Status: "completed"}}})
	if err != nil {
		t.Fatal(err)
	}
	return done.Scan.ID
}

// built makes the town, with its policy and the database as its jewel.
func built(t *testing.T, a *App) {
	t.Helper()
	ctx := context.Background()
	for _, site := range []string{"edge", "inside"} {
		if err := a.AddSite(ctx, site, false); err != nil {
			t.Fatal(err)
		}
		look(t, a, site, town)
	}
	if _, err := a.Tag(ctx, TagRequest{Hosts: []string{"10.0.0.30"}, Tags: []string{"jewel"}, Criticality: new("critical")}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.SetPathPolicy(ctx, "town.yaml", []byte(townPolicy)); err != nil {
		t.Fatal(err)
	}
}

func pathsOf(t *testing.T, a *App, req request.Paths) report.Paths {
	t.Helper()
	doc, err := a.Paths(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	if !doc.Complete {
		t.Fatalf("incomplete: %v", doc.Incomplete)
	}
	return doc
}

func route(p report.Path) string {
	names := []string{p.From}
	for _, h := range p.Hosts {
		names = append(names, h.Name)
	}
	return strings.Join(names, " > ")
}

func TestAWalkIsToldStepByStepAndEndsWithTheFix(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		built(t, a)
		doc := pathsOf(t, a, request.Paths{Fixes: true})
		if len(doc.Paths) != 1 || route(doc.Paths[0]) != "the internet > 192.0.2.10 > 10.0.0.20 > 10.0.0.30" {
			t.Fatalf("%+v", doc.Paths)
		}
		p := doc.Paths[0]
		var kinds []string
		for _, s := range p.Steps {
			kinds = append(kinds, s.Kind)
			if s.Says == "" || s.Gains == "" || s.Why == "" || s.ChanceWhy == "" {
				t.Errorf("step %d says too little: %+v", s.N, s)
			}
			if s.Kind == "exploit" && (s.Finding == nil || !strings.HasPrefix(string(s.Fix), "Install the fix for") || len(s.Rules) == 0 || !strings.HasPrefix(s.Edge, "finding:")) {
				t.Errorf("step %d: %+v", s.N, s)
			}
		}
		if got := strings.Join(kinds, " "); got != "enters moves exploit moves exploit moves exploit" {
			t.Error(got)
		}
		if p.Known != "policy" || len(p.Assumed) == 0 || !strings.Contains(p.Says, "a crown jewel") {
			t.Errorf("%s %q %q", p.Known, p.Assumed, p.Says)
		}
		j := doc.Jewels[0]
		if !j.Reached || j.Why != "tagged jewel" || len(j.Chokes) != 2 || j.Fixes == nil || len(j.Fixes.Fixes) != 1 || !j.Fixes.Verified || j.Chance.Low > j.Chance.High || j.Chance.High == 0 {
			t.Errorf("%+v %+v", j, j.Fixes)
		}
		if doc.Totals.JewelsReached != 1 || doc.Totals.Reached != 3 || doc.Scenario.OtherReached != 1 || doc.Scenario.Policy != 2 {
			t.Errorf("%+v %+v", doc.Totals, doc.Scenario)
		}
		again := pathsOf(t, a, request.Paths{Fixes: true})
		if again.Paths[0].ID != p.ID {
			t.Errorf("the same path is called %s, then %s", p.ID, again.Paths[0].ID)
		}
	})
}

func TestAFixEndsThePathAndARescanBringsItBack(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		built(t, a)
		before := pathsOf(t, a, request.Paths{})
		look(t, a, "inside", town, "10.0.0.20")
		after := pathsOf(t, a, request.Paths{})
		if len(after.Paths) != 0 || after.Jewels[0].Reached || after.Generation <= before.Generation {
			t.Errorf("%d paths after the fix, reached %t, generation %d then %d", len(after.Paths), after.Jewels[0].Reached, before.Generation, after.Generation)
		}
		look(t, a, "inside", town)
		if back := pathsOf(t, a, request.Paths{}); len(back.Paths) != 1 || back.Paths[0].ID != before.Paths[0].ID {
			t.Errorf("%+v", back.Paths)
		}
	})
}

func TestWhatIfSaysWhatDoingItDoes(t *testing.T) {
	a := open(t)
	built(t, a)
	ctx := context.Background()
	before := pathsOf(t, a, request.Paths{})
	hole := *before.Paths[0].Steps[4].Finding
	for name, c := range map[string]struct {
		req  request.WhatIf
		does func()
	}{
		"fix a finding":        {request.WhatIf{Findings: []int64{hole}}, func() { look(t, a, "inside", town, "10.0.0.20") }},
		"patch it everywhere":  {request.WhatIf{Weaknesses: []string{"native:file-hole"}}, nil},
		"take a host away":     {request.WhatIf{Hosts: []string{"10.0.0.20"}}, nil},
		"close the way inside": {request.WhatIf{Rules: []request.PathRule{{From: "site:edge", To: "site:inside"}}}, nil},
	} {
		doc, err := a.PathWhatIf(ctx, c.req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if doc.Says != "The only path is gone; no jewel is reached any more." || doc.After.JewelsReached != 0 || doc.RiskAfter != 0 || doc.Risk == 0 ||
			!slices.Equal(doc.Gone, []string{before.Paths[0].ID}) || len(doc.Jewels) != 1 || doc.Jewels[0].After.High != 0 {
			t.Errorf("%s: %+v", name, doc)
		}
	}
	none, err := a.PathWhatIf(ctx, request.WhatIf{Weaknesses: []string{"CVE-1999-0001"}})
	if err != nil || none.Says != "The only path stays; the jewel is still reached." || none.Risk != none.RiskAfter {
		t.Errorf("%+v %v", none, err)
	}
	if text := strings.Join(none.Notices, " "); !strings.Contains(text, "CVE-1999-0001") {
		t.Errorf("who mistypes a CVE is not told: %s", text)
	}
	if _, err := a.PathWhatIf(ctx, request.WhatIf{Findings: []int64{hole}}); err != nil {
		t.Fatal(err)
	}
	look(t, a, "inside", town, "10.0.0.20")
	if after := pathsOf(t, a, request.Paths{}); after.Totals.JewelsReached != 0 {
		t.Errorf("what was tried was not what happened: %+v", after.Totals)
	}
	opened, err := a.PathWhatIf(ctx, request.WhatIf{Rules: []request.PathRule{{From: "internet", To: "site:inside", Ports: []string{"tcp/5432"}, Allow: true}}})
	if err != nil || len(opened.New) != 1 || route(opened.New[0]) != "the internet > 10.0.0.30" {
		t.Errorf("%+v %v", opened, err)
	}
	for _, bad := range []request.WhatIf{{Rules: []request.PathRule{{From: "nowhere", To: "any"}}}, {Rules: []request.PathRule{{From: "site:none", To: "any"}}}} {
		if _, err := a.PathWhatIf(ctx, bad); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := a.PathWhatIf(ctx, request.WhatIf{Findings: []int64{99999}}); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("a finding that is not there: %v", err)
	}
}

func TestAWordOnAnEdgeOutlivesARescan(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		built(t, a)
		ctx := context.Background()
		before := pathsOf(t, a, request.Paths{})
		step := before.Paths[0].Steps[3]
		if !strings.HasPrefix(step.Edge, "reach:edge>") {
			t.Fatal(step.Edge)
		}
		said, err := a.CorrectPath(ctx, request.PathCorrection{Edge: step.Edge, Says: "never", Note: "a firewall"})
		if err != nil || said.About == "" || said.By == "" {
			t.Fatalf("%+v %v", said, err)
		}
		for range 2 {
			if doc := pathsOf(t, a, request.Paths{}); len(doc.Paths) != 0 || doc.Scenario.Corrections != 1 {
				t.Errorf("%d paths, %d corrections", len(doc.Paths), doc.Scenario.Corrections)
			}
			look(t, a, "inside", town)
		}
		if err := a.UncorrectPath(ctx, said.ID); err != nil {
			t.Fatal(err)
		}
		finding := before.Paths[0].Steps[2].Edge
		if _, err := a.CorrectPath(ctx, request.PathCorrection{Edge: finding, Says: "chance", Chance: new(0.01)}); err != nil {
			t.Fatal(err)
		}
		doc := pathsOf(t, a, request.Paths{})
		if len(doc.Paths) != 1 || doc.Paths[0].Steps[2].Chance != 0.01 || doc.Paths[0].Steps[2].ChanceWhy != "somebody said so" {
			t.Errorf("%+v", doc.Paths)
		}
		for _, bad := range []request.PathCorrection{
			{Edge: "finding:x", Says: "never"}, {Edge: "host:1", Says: "never"}, {Edge: finding, Says: "perhaps"}, {Edge: finding, Says: "chance"},
			{Edge: finding, Says: "chance", Chance: new(0.0)}, {Edge: finding, Says: "never", Chance: new(0.5)}, {Edge: "reach:edge>1:tcp/99999", Says: "never"},
		} {
			if _, err := a.CorrectPath(ctx, bad); fault.KindOf(err) != fault.KindInvalid {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		for _, edge := range []string{"finding:99999", "reach:edge>99999:tcp/1", "reach:nosite>1:tcp/1"} {
			if _, err := a.CorrectPath(ctx, request.PathCorrection{Edge: edge, Says: "never"}); fault.KindOf(err) != fault.KindNotFound {
				t.Errorf("%s: %v", edge, err)
			}
		}
	})
}

func TestWhoSeesOneSiteLearnsNothingOfOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		built(t, a)
		ctx := context.Background()
		pathsOf(t, a, request.Paths{}) // what others asked is kept
		inside := a.For(auth.Identity{Kind: auth.Session, Name: "eve", User: 7, Role: auth.Analyst, View: auth.OfSites("inside")})
		doc := pathsOf(t, inside, request.Paths{From: []string{"site:inside"}})
		if len(doc.Paths) == 0 || doc.Totals.Hosts != 3 {
			t.Fatalf("%+v", doc.Totals)
		}
		drawn, err := inside.PathMap(ctx, request.Paths{})
		if err != nil {
			t.Fatal(err)
		}
		policy, err := inside.PathPolicy(ctx)
		if err != nil {
			t.Fatal(err)
		}
		fixes, err := inside.PathFixes(ctx, request.Paths{From: []string{"site:inside"}})
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprintf("%+v %+v %+v %+v", doc, drawn, policy, fixes); strings.Contains(text, "edge\"") || strings.Contains(text, "site edge") || strings.Contains(text, "site:edge") || strings.Contains(text, "192.0.2.10") {
			t.Errorf("tells of the other site: %s", text)
		}
		web, err := a.hostID(ctx, "192.0.2.10", "")
		if err != nil {
			t.Fatal(err)
		}
		hole := *pathsOf(t, a, request.Paths{}).Paths[0].Steps[2].Finding
		for name, ask := range map[string]func() error{
			"to":      func() error { _, err := inside.Paths(ctx, request.Paths{To: []string{"192.0.2.10"}}); return err },
			"from":    func() error { _, err := inside.Paths(ctx, request.Paths{From: []string{"site:edge"}}); return err },
			"site":    func() error { _, err := inside.Paths(ctx, request.Paths{Site: "edge"}); return err },
			"reach":   func() error { _, err := inside.PathReach(ctx, request.Paths{}, fmt.Sprint(web), true); return err },
			"what if": func() error { _, err := inside.PathWhatIf(ctx, request.WhatIf{Findings: []int64{hole}}); return err },
			"correct": func() error {
				_, err := inside.CorrectPath(ctx, request.PathCorrection{Edge: fmt.Sprintf("finding:%d", hole), Says: "never"})
				return err
			},
			"correct reach": func() error {
				_, err := inside.CorrectPath(ctx, request.PathCorrection{Edge: fmt.Sprintf("reach:internet>%d:tcp/80", web), Says: "never"})
				return err
			},
		} {
			if err := ask(); fault.KindOf(err) != fault.KindNotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := inside.SetPathPolicy(ctx, "p.yaml", []byte("rules: []")); fault.KindOf(err) != fault.KindDenied {
			t.Errorf("a policy takes all sites: %v", err)
		}
		if err := inside.ClearPathPolicy(ctx); fault.KindOf(err) != fault.KindDenied {
			t.Errorf("so does clearing it: %v", err)
		}
		nobody := a.For(auth.Identity{Kind: auth.Session, Name: "nobody", User: 8, Role: auth.Viewer})
		if doc := pathsOf(t, nobody, request.Paths{}); doc.Totals.Hosts != 0 || len(doc.Jewels) != 0 || doc.Scenario.Policy != 0 {
			t.Errorf("%+v", doc)
		}
	})
}

func TestAPolicyChangesTheAnswer(t *testing.T) {
	a := open(t)
	built(t, a)
	ctx := context.Background()
	kept, err := a.PathPolicy(ctx)
	if err != nil || len(kept.Rules) != 2 || kept.Rules[0].From != "internet" || kept.Rules[0].To != "site:edge" || kept.Source != "town.yaml" || kept.By == "" || kept.At == nil {
		t.Fatalf("%+v %v", kept, err)
	}
	if err := a.ClearPathPolicy(ctx); err != nil {
		t.Fatal(err)
	}
	doc := pathsOf(t, a, request.Paths{})
	for _, p := range doc.Paths {
		if p.From == "the internet" {
			continue
		}
		if p.Known != "assumed" || len(p.Assumed) == 0 {
			t.Errorf("%s is not said to be assumed: %s %q", route(p), p.Known, p.Assumed)
		}
	}
	if flat := pathsOf(t, a, request.Paths{Assume: "flat", From: []string{"site:edge"}}); len(flat.Paths) == 0 {
		t.Error("with assume=flat the edge reaches the inside")
	}
	if site := pathsOf(t, a, request.Paths{From: []string{"site:edge"}}); len(site.Paths) != 0 || site.Scenario.OtherReached != 1 {
		t.Errorf("%d paths from the edge, %d jewels reached if flat", len(site.Paths), site.Scenario.OtherReached)
	}
	for _, bad := range []string{"rules: [{from: x}]", "rules:\n  - {from: internet, to: \"site:nowhere\", action: allow}\n", "{"} {
		if _, err := a.SetPathPolicy(ctx, "bad.yaml", []byte(bad)); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestQuestionsThatMakeNoSenseAreRefused(t *testing.T) {
	a := open(t)
	built(t, a)
	for _, req := range []request.Paths{
		{Assume: "maybe"}, {K: 51}, {K: -1}, {Limit: 1001}, {Samples: -2}, {Samples: 100_001}, {From: []string{"mars"}}, {From: []string{"site:"}}, {From: []string{""}},
	} {
		if _, err := a.Paths(context.Background(), req); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%+v: %v", req, err)
		}
	}
	for _, req := range []request.Paths{
		{Scan: 999}, {Site: "none"}, {From: []string{"site:none"}}, {From: []string{"host:10.9.9.9"}}, {To: []string{"10.9.9.9"}}, {From: []string{"user:site:none"}}, {From: []string{"user:site:"}},
	} {
		if _, err := a.Paths(context.Background(), req); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("%+v: %v", req, err)
		}
	}
}

func TestPathsOfAScanKnowOnlyWhatItSaw(t *testing.T) {
	a := open(t)
	built(t, a)
	scan := look(t, a, "edge", town)
	doc := pathsOf(t, a, request.Paths{Scan: scan})
	if doc.Totals.Hosts != 1 || doc.Scan == nil || *doc.Scan != scan {
		t.Errorf("%+v", doc.Totals)
	}
}

func TestWhatAHostExposesAndWhatLeadsToIt(t *testing.T) {
	a := open(t)
	built(t, a)
	ctx := context.Background()
	names := func(r report.PathReach) (out []string) {
		for _, h := range r.Hosts {
			out = append(out, h.Name+" "+h.Privilege)
		}
		slices.Sort(out)
		return out
	}
	forward, err := a.PathReach(ctx, request.Paths{}, "192.0.2.10", true)
	if err != nil || len(forward.Hosts) != 2 || forward.Total != 2 {
		t.Errorf("forward: %v %v", names(forward), err)
	}
	backward, err := a.PathReach(ctx, request.Paths{}, "10.0.0.30", false)
	if err != nil || !backward.Complete || !slices.Equal(names(backward), []string{"10.0.0.20 user", "10.0.0.40 user", "192.0.2.10 user"}) {
		t.Errorf("backward: %v %v", names(backward), err)
	}
	steps := pathsOf(t, a, request.Paths{}).Paths[0].Steps
	files, db := steps[4].Chance, steps[6].Chance
	if db == 1 || files == 1 {
		t.Fatalf("steps that always work show nothing: %+v", steps)
	}
	for name, want := range map[string]float64{"10.0.0.20": db, "10.0.0.40": db, "192.0.2.10": files * db} { // over the file server
		for direction, list := range map[string][]report.PathReached{"backward": backward.Hosts, "forward": reachFrom(t, a, name)} {
			goal := map[string]string{"backward": name, "forward": "10.0.0.30"}[direction]
			at := slices.IndexFunc(list, func(h report.PathReached) bool { return h.Name == goal })
			if at < 0 || math.Abs(list[at].Chance-want) > 1e-9 {
				t.Errorf("%s from %s: %+v, want %.3f", direction, name, list, want)
			}
		}
	}
	if slices.ContainsFunc(forward.Notices, func(n string) bool { return strings.Contains(n, "begin in the internet") }) {
		t.Errorf("the question begins on the host: %q", forward.Notices)
	}
	if lonely, err := a.PathReach(ctx, request.Paths{}, "10.0.0.40", false); err != nil || lonely.Total != 0 {
		t.Errorf("to a host without a hole: %+v %v", lonely, err)
	}
}

func reachFrom(t *testing.T, a *App, host string) []report.PathReached {
	t.Helper()
	r, err := a.PathReach(context.Background(), request.Paths{}, host, true)
	if err != nil {
		t.Fatal(err)
	}
	return r.Hosts
}

func TestARuleThatIsTriedDoesNotMoveTheAttackerInside(t *testing.T) {
	a := open(t)
	built(t, a)
	doc, err := a.PathWhatIf(context.Background(), request.WhatIf{Rules: []request.PathRule{{From: "internet", To: "any"}}})
	if err != nil || !doc.Complete || doc.RiskAfter != 0 || doc.After.Reached != 0 || len(doc.New) != 0 || doc.Says != "The only path is gone; no jewel is reached any more." {
		t.Errorf("%+v %v", doc, err)
	}
}

func TestWhatIsTakenAwayNeverMakesAJewelLikelierToFall(t *testing.T) {
	a := open(t)
	hosts := append([]netHost{}, town...)
	for i := range 12 { // many ways, so that not all are united for a lower bound
		hosts = append(hosts, netHost{"edge", fmt.Sprintf("192.0.2.%d", 20+i), 80, "native:web-hole", rce}, netHost{"inside", fmt.Sprintf("10.0.1.%d", 20+i), 445, "native:file-hole", rce})
	}
	ctx := context.Background()
	for _, site := range []string{"edge", "inside"} {
		if err := a.AddSite(ctx, site, false); err != nil {
			t.Fatal(err)
		}
		look(t, a, site, hosts)
	}
	if _, err := a.SetPathPolicy(ctx, "town.yaml", []byte(townPolicy)); err != nil {
		t.Fatal(err)
	}
	asked := request.Paths{To: []string{"10.0.0.30"}, Samples: 200}
	for _, j := range pathsOf(t, a, asked).Jewels {
		if c := j.Chance; c.Sampled == nil || *c.Sampled < c.Low || *c.Sampled > c.High {
			t.Errorf("%+v", c)
		}
	}
	for _, req := range []request.WhatIf{{Paths: asked, Hosts: []string{"192.0.2.20"}}, {Paths: asked, Hosts: []string{"192.0.2.20", "192.0.2.21", "10.0.1.20", "10.0.1.21"}}} {
		doc, err := a.PathWhatIf(ctx, req)
		if err != nil || len(doc.Jewels) != 1 {
			t.Fatalf("%+v %v", doc, err)
		}
		b, c := doc.Jewels[0].Before, doc.Jewels[0].After
		if c.Low > b.Low || c.High > b.High || *c.Sampled > *b.Sampled || doc.RiskAfter > doc.Risk || *b.Sampled > b.High || *c.Sampled > c.High {
			t.Errorf("before %+v (%g), after %+v (%g)", b, *b.Sampled, c, *c.Sampled)
		}
	}
}

func TestADifferenceThatWasNotWorkedOutSaysSo(t *testing.T) {
	a := open(t)
	built(t, a)
	ctx := context.Background()
	req := request.Paths{K: 1, Limit: 1}
	m, err := a.pathModel(ctx, 0, attackpath.Assumptions{})
	if err != nil {
		t.Fatal(err)
	}
	q := newPathsAsked(a, req, m, attackpath.Assumptions{})
	q.say("the time was over")
	doc, err := q.whatIf(ctx, attackpath.Removal{}, []attackpath.PolicyRule{{N: 1}})
	if err != nil || doc.Complete || doc.Incomplete != "the time was over" || !slices.Contains(doc.Notices, "The time was over.") {
		t.Errorf("%+v %v", doc, err)
	}
}

func TestBoundsOfADifferenceAgree(t *testing.T) {
	less := report.PathChance{Low: 0.4, High: 0.9}
	sampled := 0.35
	more := report.PathChance{Low: 0.3, High: 0.8, Sampled: &sampled}
	agree(&less, &more)
	if more.Low != 0.4 || less.High != 0.8 || *more.Sampled != 0.4 || sampled != 0.35 {
		t.Errorf("%+v %+v", less, more)
	}
}

func TestFixesAreRankedAndEndThePaths(t *testing.T) {
	a := open(t)
	built(t, a)
	doc, err := a.PathFixes(context.Background(), request.Paths{})
	if err != nil || doc.All == nil || len(doc.All.Fixes) != 1 || !doc.All.Verified || doc.Patches == nil || len(doc.Patches.Fixes) != 1 {
		t.Fatalf("%+v %v", doc, err)
	}
	if f := doc.All.Fixes[0]; f.Cuts != 1 || f.Host == nil || !strings.HasPrefix(string(f.Do), "Install the fix") {
		t.Errorf("%+v", f)
	}
	if none, err := a.PathFixes(context.Background(), request.Paths{Samples: -1}); err != nil || len(none.Ranked) != 0 || none.All == nil {
		t.Errorf("a ranking without trials is luck: %+v %v", none, err)
	}
	if len(doc.Ranked) != 3 || doc.Ranked[0].RiskRemoved == nil || *doc.Ranked[0].RiskRemoved < *doc.Ranked[2].RiskRemoved {
		t.Errorf("%+v", doc.Ranked)
	}
}

func TestAMapFoldsHostsThatAreAlike(t *testing.T) {
	a := open(t)
	built(t, a)
	many := slices.Clone(town)
	for i := range 40 {
		many = append(many, netHost{"inside", fmt.Sprintf("10.0.1.%d", i+1), 22, "", ""})
	}
	look(t, a, "inside", many)
	doc, err := a.PathMap(context.Background(), request.Paths{})
	if err != nil || !doc.Complete {
		t.Fatalf("%+v %v", doc.Incomplete, err)
	}
	kinds, ids := map[string]int{}, map[string]bool{}
	for _, n := range doc.Nodes {
		kinds[n.Kind]++
		ids[n.ID] = true
		if n.Jewel && (!n.Reached || n.Name != "10.0.0.30" || !n.OnPath) {
			t.Errorf("%+v", n)
		}
	}
	if kinds["entry"] != 1 || kinds["site"] < 2 || kinds["group"] == 0 || doc.Folded < 40 {
		t.Errorf("%v, %d folded", kinds, doc.Folded)
	}
	onPath := 0
	for _, e := range doc.Edges {
		if e.From == "site:edge" && e.To == "site:inside" && e.Known != "policy" {
			t.Errorf("what a rule lets through is known by the policy: %+v", e)
		}
		if !ids[e.From] || !ids[e.To] {
			t.Errorf("%+v leads nowhere", e)
		}
		if e.OnPath {
			onPath++
		}
	}
	if onPath < 3 {
		t.Errorf("%d lines of the best path: %+v", onPath, doc.Edges)
	}
}

func TestTheJobWorksRiskOutAndIsNotWokenByItself(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		built(t, a)
		ctx := context.Background()
		s := a.For(auth.ForSystem())
		m, err := s.pathModel(ctx, 0, attackpath.Assumptions{})
		if err != nil {
			t.Fatal(err)
		}
		done, err := s.keepRisk(ctx, m)
		if err != nil || done.Findings != 3 || done.Left != "" {
			t.Fatalf("%+v %v", done, err)
		}
		found, err := a.Findings(ctx, FindingRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found.Findings {
			if f.RiskRemoved == nil || *f.RiskRemoved <= 0 {
				t.Errorf("%s at %s removes %v", f.Check, f.Host, f.RiskRemoved)
			}
		}
		state, err := a.pathState(ctx)
		if err != nil || state != m.estate.state {
			t.Errorf("writing the risk changed the state: %v, then %v (%v)", m.estate.state, state, err)
		}
		var w pathsWatch
		if err := s.lookAtPaths(ctx, &w); err != nil || w.asked != state {
			t.Errorf("work that is done is asked for again: %+v %v", w, err)
		}
	})
}

func TestPathsAreWorkedOutWhenNobodyWritesOrSomebodyAlwaysDoes(t *testing.T) {
	var w pathsWatch
	begin := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	state := func(n int64) dataState { return dataState{1, n} }
	for second := range 5 {
		if w.due(state(7), at(second)) {
			t.Fatalf("due after %d s", second)
		}
	}
	if !w.due(state(7), at(5)) {
		t.Error("not due after 5 quiet seconds")
	}
	w.asked = state(7)
	if w.due(state(7), at(100)) {
		t.Error("due though nothing changed")
	}
	for second := 200; second < 260; second++ {
		if w.due(state(int64(second)), at(second)) {
			t.Fatalf("due in the middle of writing, after %d s", second-200)
		}
	}
	if !w.due(state(260), at(260)) {
		t.Error("not due after a minute of writing")
	}
}

func TestAModelFollowsAHostThatWasLookedAtAgain(t *testing.T) {
	a := open(t)
	var hosts []netHost
	for i := range 60 {
		hosts = append(hosts, netHost{asset.DefaultSite, fmt.Sprintf("10.0.2.%d", i+1), 80, "native:web-hole", rce})
	}
	look(t, a, asset.DefaultSite, hosts)
	ctx := context.Background()
	ask := request.Paths{From: []string{"site:" + asset.DefaultSite}}
	pathsOf(t, a, ask)
	assume := attackpath.Assumptions{From: []attackpath.Entry{{Kind: attackpath.FromSite, Site: asset.DefaultSite}}}
	before, err := a.pathModel(ctx, 0, assume)
	if err != nil {
		t.Fatal(err)
	}
	look(t, a, asset.DefaultSite, hosts[:1], hosts[0].address)
	after, err := a.pathModel(ctx, 0, assume)
	if err != nil || after != before {
		t.Errorf("the model was made anew (%v)", err)
	}
	fresh, err := newPathModel(ctx, "", after.estate, assume)
	if err != nil {
		t.Fatal(err)
	}
	x, err := after.graph.Reached(ctx, attackpath.Removal{})
	if err != nil {
		t.Fatal(err)
	}
	y, err := fresh.graph.Reached(ctx, attackpath.Removal{})
	if err != nil || x.Hosts != y.Hosts || x.Goals != y.Goals || x.Hosts != 59 {
		t.Errorf("%d hosts and %d goals are reached, anew %d and %d (%v)", x.Hosts, x.Goals, y.Hosts, y.Goals, err)
	}
}

func TestManyAskWhileSomebodyScans(t *testing.T) {
	a := open(t)
	built(t, a)
	ctx, asking := context.Background(), sync.WaitGroup{}
	done := make(chan struct{})
	for i := range 4 {
		asking.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				doc, err := a.Paths(ctx, request.Paths{K: i + 1, Fixes: n%2 == 0})
				if err != nil || len(doc.Paths) > 1 || len(doc.Paths) == 1 && route(doc.Paths[0]) != "the internet > 192.0.2.10 > 10.0.0.20 > 10.0.0.30" {
					t.Errorf("%+v %v", doc.Paths, err)
					return
				}
				if _, err := a.PathMap(ctx, request.Paths{}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 6 {
		look(t, a, "inside", town, "10.0.0.20")
		look(t, a, "inside", town)
	}
	close(done)
	asking.Wait()
	if doc := pathsOf(t, a, request.Paths{}); len(doc.Paths) != 1 {
		t.Errorf("%d paths in the end", len(doc.Paths))
	}
}

func TestTheBestWayToEachJewelComesFirst(t *testing.T) {
	a := open(t)
	ctx := context.Background()
	hosts := append([]netHost{{"inside", "10.0.0.50", 3306, "native:hard-hole", "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"}}, town...)
	for i := range 4 {
		hosts = append(hosts, netHost{"edge", fmt.Sprintf("192.0.2.%d", 20+i), 80, "native:web-hole", rce})
	}
	for _, site := range []string{"edge", "inside"} {
		if err := a.AddSite(ctx, site, false); err != nil {
			t.Fatal(err)
		}
		look(t, a, site, hosts)
	}
	if _, err := a.SetPathPolicy(ctx, "town.yaml", []byte(townPolicy)); err != nil {
		t.Fatal(err)
	}
	doc := pathsOf(t, a, request.Paths{To: []string{"10.0.0.30", "10.0.0.50"}, K: 4})
	var to []string
	for _, p := range doc.Paths {
		to = append(to, p.To.Name)
	}
	if got := strings.Join(to, " "); !strings.HasPrefix(got, "10.0.0.30 10.0.0.50 10.0.0.30 10.0.0.50 ") || len(to) != 8 {
		t.Errorf("%s", got)
	}
	if doc.Paths[0].Chance <= doc.Paths[1].Chance {
		t.Errorf("the more dangerous jewel stands second: %g, %g", doc.Paths[0].Chance, doc.Paths[1].Chance)
	}
	// With fewer listed than there are, those that were not listed are nothing new.
	what, err := a.PathWhatIf(ctx, request.WhatIf{Paths: request.Paths{To: []string{"10.0.0.30", "10.0.0.50"}, K: 4, Limit: 2}, Weaknesses: []string{"CVE-1999-0001"}})
	if err != nil || len(what.New) != 0 || what.Says != "None of the 2 paths is gone; 2 of 2 jewels are still reached." {
		t.Errorf("%+v %v", what, err)
	}
}

// leaky finds several CVEs in one service of a host, as a scanner that reads versions does.
func leaky(t *testing.T, a *App, address string, flaws []finding.Observation) {
	t.Helper()
	run, err := a.assessor().Begin(context.Background(), finding.Scan{Kind: finding.KindScan, Site: asset.DefaultSite, Targets: []string{address}, By: "anna", Created: a.now()})
	if err != nil {
		t.Fatal(err)
	}
	addr, at := netip.MustParseAddr(address), a.now().UTC()
	events := []finding.Event{{Host: &finding.HostSeen{Address: addr, Status: "up", At: at}}, {Service: &finding.ServiceSeen{Address: addr, Protocol: "tcp", Port: 445, Name: "smb", Product: "Samba smbd", At: at}}}
	for i := range flaws {
		o := flaws[i]
		o.Address, o.Protocol, o.Port, o.CWEs, o.Vector, o.Severity, o.Confidence, o.At = addr, "tcp", 445, []int{78}, rce, "critical", 99, at
		events = append(events, finding.Event{Observation: &o})
	}
	for _, e := range events {
		if err := run.Emit("native", e); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := run.Finish(context.Background(), assess.End{Status: finding.Completed, Scanners: []finding.ScannerRun{{Name: "native", Status: "completed"}}}); err != nil {
		t.Fatal(err)
	}
}

func TestFindingsThatOneUpdateEndsAreOneThingToDo(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		leaky(t, a, "198.51.100.7", []finding.Observation{
			{Check: "smb-1", CVEs: []cve.ID{cve.NewID(2017, 11103)}, Title: "Samba before 4.5.12", Remedy: "Update Samba to 4.5.12 or later", FixedIn: "4.5.12"},
			{Check: "smb-2", CVEs: []cve.ID{cve.NewID(2017, 14746)}, Title: "Samba before 4.13.3", Remedy: "Update Samba to 4.13.3 or later", FixedIn: "4.13.3"},
			{Check: "smb-3", CVEs: []cve.ID{cve.NewID(2017, 7494)}, Title: "a library is loaded from a share"},
		})
		doc, err := a.PathFixes(context.Background(), request.Paths{})
		if err != nil || doc.All == nil || doc.All.Total != 3 || len(doc.All.Fixes) != 3 || len(doc.All.Actions) != 2 {
			t.Fatalf("%+v %+v %v", doc, doc.All, err)
		}
		said := map[string]int{}
		for _, action := range doc.All.Actions {
			said[string(action.Do)] = len(action.Findings)
			if action.Host == nil || action.Host.Name != "198.51.100.7" || len(action.Weaknesses) != len(action.Findings) {
				t.Errorf("%+v", action)
			}
		}
		want := map[string]int{"Update Samba to 4.13.3 or later.": 2, "Update Samba smbd to a version without CVE-2017-7494.": 1}
		if !maps.Equal(said, want) {
			t.Errorf("%v, want %v", said, want)
		}
		for _, s := range pathsOf(t, a, request.Paths{}).Paths[0].Steps {
			if s.Kind == "exploit" && !strings.HasPrefix(string(s.Fix), "Update Samba") {
				t.Errorf("against a step that an update ends: %s", s.Fix)
			}
		}
	})
}

func TestASetOfManyFixesListsTheFirst(t *testing.T) {
	a := open(t)
	var flaws []finding.Observation
	for i := range maxFixes + 20 {
		flaws = append(flaws, finding.Observation{Check: fmt.Sprintf("hole-%d", i), Title: fmt.Sprintf("hole %d", i)})
	}
	leaky(t, a, "198.51.100.7", flaws)
	doc, err := a.PathFixes(context.Background(), request.Paths{})
	if err != nil || doc.All == nil || doc.All.Total != len(flaws) || len(doc.All.Fixes) != maxFixes {
		t.Fatalf("%+v %v", doc.All, err)
	}
}

func TestTheDemoEstateShowsAWayToItsJewel(t *testing.T) {
	doc := pathsOf(t, known(t).app, request.Paths{})
	if doc.Totals.JewelsReached != 1 || len(doc.Paths) == 0 || route(doc.Paths[0]) != "the internet > 192.0.2.30 > 192.0.2.20 > 2001:db8::40" {
		t.Fatalf("%+v", doc.Totals)
	}
	if !slices.Contains(doc.Paths[0].Assumed, "2001:db8::40: who administers what answers there by one flaw is taken to have the account that another one asks for.") {
		t.Errorf("%+v", doc.Paths[0].Assumed)
	}
}
