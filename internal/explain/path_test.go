package explain_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/explain"
)

// What the walks of these tests are made of.
var (
	internet = explain.PathFact{Kind: attackpath.EntryAt, Entry: attackpath.FromInternet}
	outside  = explain.PathFact{Kind: attackpath.Stands}
	webPort  = explain.PathFact{Kind: attackpath.Reaches, Host: "192.0.2.10", Site: "dmz", Protocol: "tcp", Port: 80}
	webUser  = explain.PathFact{Kind: attackpath.Holds, Privilege: attackpath.User, Host: "192.0.2.10", Site: "dmz"}
	dbPort   = explain.PathFact{Kind: attackpath.Reaches, Host: "10.0.0.5", Site: "office", Protocol: "tcp", Port: 6379}
	dbRoot   = explain.PathFact{Kind: attackpath.Holds, Privilege: attackpath.Root, Host: "10.0.0.5", Site: "office"}
	fileRoot = explain.PathFact{Kind: attackpath.Holds, Privilege: attackpath.Root, Host: "10.0.0.9", Site: "office", OS: "Microsoft Windows Server 2019"}
)

func flaw(weakness, title, remedy string, e attackpath.Effect) *attackpath.Flaw {
	return &attackpath.Flaw{Weakness: weakness, Title: title, Remedy: remedy, Effect: &e}
}

var walk = []explain.PathStep{
	{Kind: attackpath.Enters, From: internet, Needs: []explain.PathFact{internet}, Gains: outside, Chance: 1},
	{Kind: attackpath.Moves, Known: attackpath.Policy, Why: "Rule 2 of network.yaml allows it.", From: outside, Needs: []explain.PathFact{outside}, Gains: webPort, Chance: 1},
	{Kind: attackpath.Exploit, From: outside, Needs: []explain.PathFact{webPort}, Gains: webUser, Chance: 0.9, Protocol: "tcp", Port: 80, Product: "Apache httpd", Others: 2,
		Flaw: flaw("CVE-2021-41773", "path traversal", "Update Apache httpd to 2.4.51 or later", attackpath.Effect{Reach: attackpath.OverNetwork, PWhy: "easy to use, and exploited in the wild (KEV)"})},
	{Kind: attackpath.Moves, Known: attackpath.Assumed, From: webUser, Needs: []explain.PathFact{webUser}, Gains: dbPort, Chance: 1},
	{Kind: attackpath.Exploit, From: webUser, Needs: []explain.PathFact{dbPort}, Gains: dbRoot, Chance: 0.72, Protocol: "tcp", Port: 6379, Product: "Redis", Jewel: true,
		Flaw: flaw("native:redis-open", "Redis answers without a password", "", attackpath.Effect{Reach: attackpath.OverNetwork})},
}

func words(steps []explain.PathStep, chance float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", explain.Walk(steps, chance))
	for i, s := range steps {
		w := explain.Path(s)
		fmt.Fprintf(&b, "  %d. %s\n     needs %s; gains %s; likely: %s\n", i+1, w.Says, strings.Join(w.Needs, " and "), w.Gains, w.ChanceWhy)
		if w.Fix != "" {
			fmt.Fprintf(&b, "     fix: %s\n", w.Fix)
		}
	}
	return b.String()
}

// odd are steps that few walks have.
func odd() []explain.PathStep {
	onDB := explain.PathFact{Kind: attackpath.Holds, Privilege: attackpath.User, Host: "10.0.0.5", Site: "office"}
	inside := explain.PathFact{Kind: attackpath.EntryAt, Entry: attackpath.FromSite, Site: "office"}
	local := flaw("CVE-2021-4034", "pkexec", "", attackpath.Effect{Reach: attackpath.OnHost})
	lure := flaw("CVE-2017-11882", "", "", attackpath.Effect{Reach: attackpath.OnHost, Lures: true})
	link := flaw("CVE-2020-0001", "", "", attackpath.Effect{Reach: attackpath.OverLink})
	login := explain.PathFact{Kind: attackpath.HasLogin, Host: "10.0.0.5", Site: "office"}
	return []explain.PathStep{
		{Kind: attackpath.Enters, Known: attackpath.Assumed, From: inside, Gains: explain.PathFact{Kind: attackpath.Stands, Site: "office"}, Chance: 1},
		{Kind: attackpath.Exploit, Flaw: local, From: onDB, Needs: []explain.PathFact{onDB}, Gains: dbRoot, Chance: 0.9, Update: "Update polkit to 0.120 or later."},
		{Kind: attackpath.Exploit, Flaw: lure, Gains: fileRoot, Chance: 0.45, Corrected: true},
		{Kind: attackpath.Exploit, Flaw: link, Gains: onDB, Port: 161, Protocol: "udp", Chance: 0.3, Others: 1},
		{Kind: attackpath.Exploit, Flaw: flaw("native:default-login", "root has no password", "", attackpath.Effect{Reach: attackpath.OverNetwork}), Gains: login, Port: 22, Protocol: "tcp", Chance: 1},
		{Kind: attackpath.LogsIn, From: login, Needs: []explain.PathFact{login}, Gains: onDB, Port: 22, Protocol: "tcp", Chance: 1},
		{Kind: attackpath.Reusing, Known: attackpath.Assumed, From: dbRoot, Gains: fileRoot, Chance: 1},
		{Kind: attackpath.SameHost, Known: attackpath.Policy, From: dbRoot, Gains: webUser, Chance: 1},
		{Kind: attackpath.Implies, From: dbRoot, Gains: onDB, Chance: 1},
		{Kind: attackpath.Exploit, Flaw: flaw("CVE-2022-0002", "", "", attackpath.Effect{Reach: attackpath.OverNetwork}), Port: 8080, Protocol: "tcp", Chance: 0.5,
			Gains: explain.PathFact{Kind: attackpath.Administers, Host: "10.0.0.5", Site: "office", Protocol: "tcp", Port: 8080}},
		{Kind: attackpath.Exploit, Flaw: flaw("CVE-2022-0003", "", "", attackpath.Effect{Reach: attackpath.OverNetwork}), Port: 8080, Protocol: "tcp", Chance: 0.5,
			Gains: explain.PathFact{Kind: attackpath.Reads, Host: "10.0.0.5", Site: "office"}},
		{Kind: attackpath.Step, Gains: explain.PathFact{Text: "execCode(db, root)"}, Chance: 0.8},
	}
}

func TestPathsAreToldInPlainWords(t *testing.T) {
	var long []explain.PathStep
	for i := range 8 {
		s := walk[2]
		s.Gains.Host = fmt.Sprintf("10.0.1.%d", i)
		long = append(long, s)
	}
	got := "# two hosts\n" + words(walk, 0.648) + "\n# eight hosts\n" + explain.Walk(long, 0.43) + "\n\n# single steps\n" + words(odd(), 0.1)
	file := filepath.Join("testdata", "paths.txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestHostileTextOfFindingsStaysText(t *testing.T) {
	evil := "x\x1b[31m\n“\u202e<script>{gain}⟨" + strings.Repeat("a", 20_000)
	s := walk[2]
	s.Flaw = &attackpath.Flaw{Weakness: evil, Title: evil, Remedy: evil, Component: evil, Effect: &attackpath.Effect{PWhy: evil}}
	s.Product, s.Why, s.Gains.Host, s.Gains.Site, s.Gains.OS, s.Update = evil, evil, evil, evil, evil, evil
	s.Known = attackpath.Assumed
	w := explain.Path(s)
	for _, text := range []string{w.Says, w.Gains, w.ChanceWhy, w.Fix, explain.Walk([]explain.PathStep{s, s}, 0.5), explain.Line(evil)} {
		if len(text) > 4096 || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == '\u202e' || r == '⟨' }) {
			t.Errorf("%.200q", text)
		}
	}
}

func TestWhatIfIsOneSentence(t *testing.T) {
	for want, d := range map[string]explain.Difference{
		"41 of 43 paths are gone; 1 of 3 jewels is still reached.":                                       {Paths: 43, Gone: 41, Jewels: 3, Left: 1},
		"All 5 paths are gone; no jewel is reached any more.":                                            {Paths: 5, Gone: 5, Jewels: 2},
		"None of the 5 paths is gone; 2 of 2 jewels are still reached.":                                  {Paths: 5, Jewels: 2, Left: 2},
		"There was no path before.":                                                                      {},
		"1 of 5 paths is gone; the jewel is still reached.":                                              {Paths: 5, Gone: 1, Jewels: 1, Left: 1},
		"All 5 paths are gone; the jewel is still reached; 2 other paths take their place.":              {Paths: 5, Gone: 5, New: 2, Jewels: 1, Left: 1},
		"The only path is gone; the jewel is still reached; another path takes its place.":               {Paths: 1, Gone: 1, New: 1, Jewels: 1, Left: 1},
		"None of the 5 paths is gone; the jewel is still reached; another path is one of the best then.": {Paths: 5, New: 1, Jewels: 1, Left: 1},
		"There was no path before; one more jewel is reached than before.":                               {Left: 1},
	} {
		if got := explain.WhatIf(d); got != want {
			t.Errorf("%+v:\n%s, want\n%s", d, got, want)
		}
	}
}

func TestAnUpdateIsNamedWhereTheRecordKnowsIt(t *testing.T) {
	r := &cve.Record{ID: cve.NewID(2024, 6387), Configurations: []cve.Node{{Matches: []cve.CPEMatch{
		{Vulnerable: true, Criteria: "cpe:2.3:a:openbsd:openssh:*:*:*:*:*:*:*:*", StartIncluding: "8.6", EndExcluding: "9.8p1"}}}}}
	name := func(string) string { return "OpenSSH" }
	if got := explain.Update(explain.Input{Record: r, Name: name}); got != "Update OpenSSH to 9.8p1 or later." {
		t.Error(got)
	}
	r.Configurations[0].Matches[0].EndExcluding = ""
	if got := explain.Update(explain.Input{Record: r, Name: name}); got != "" {
		t.Error(got)
	}
}

func TestAnUpdateStandsBeforeAClosedPort(t *testing.T) {
	step := func(weakness, remedy string) explain.PathStep {
		return explain.PathStep{Kind: attackpath.Exploit, Flaw: &attackpath.Flaw{Weakness: weakness, Title: "a hole", Remedy: remedy}, Protocol: "tcp", Port: 445,
			Gains: explain.PathFact{Kind: attackpath.Holds, Host: "10.0.0.5"}}
	}
	with := func(s explain.PathStep, software, fixedIn, update, product string) explain.PathStep {
		s.Software, s.FixedIn, s.Update, s.Product = software, fixedIn, update, product
		return s
	}
	const id = "CVE-2017-7494"
	for _, c := range []struct {
		step explain.PathStep
		want string
	}{
		{with(step(id, "Disable wide links"), "Samba", "4.6.4", "Update Samba to 4.4 or later.", "Samba smbd"), "Disable wide links."},
		{with(step(id, "The vendor has released updates. Please see the references."), "Samba", "4.6.4", "Update Samba to 4.4 or later.", "Samba smbd"), "Update Samba to 4.6.4 or later."},
		{with(step(id, ""), "Samba", "", "Update Samba to 4.4 or later.", "Samba smbd"), "Update Samba to 4.4 or later."},
		{with(step(id, "No solution is known"), "Samba", "", "", "Samba smbd"), "Update Samba to a version without CVE-2017-7494."},
		{with(step(id, ""), "", "", "", "Samba smbd"), "Update Samba smbd to a version without CVE-2017-7494."},
		{step(id, "The vendor has released updates."), "The vendor has released updates."},
		{step(id, ""), "Close tcp/445 of 10.0.0.5 to all who do not need it."},
		{with(step("nuclei:open-share", "n/a"), "", "", "", "Samba smbd"), "Close tcp/445 of 10.0.0.5 to all who do not need it."},
	} {
		if got := explain.Path(c.step).Fix; got != c.want {
			t.Errorf("%+v:\n%s, want\n%s", c.step, got, c.want)
		}
	}
	if got := explain.Everywhere(step("nuclei:open-share", "")); got != "Deal with “a hole” on every host that has it." {
		t.Error(got)
	}
	older, newer, open := with(step("CVE-2017-11103", "Update Samba smbd to 4.5.12 or later"), "Samba", "4.5.12", "", ""), with(step("CVE-2017-14746", "Update Samba smbd to 4.13.3 or later"), "Samba", "4.13.3", "", ""),
		with(step(id, ""), "Samba", "", "", "")
	for _, c := range []struct {
		steps []explain.PathStep
		want  string
	}{
		{[]explain.PathStep{newer, older}, "Update Samba smbd to 4.13.3 or later."},
		{[]explain.PathStep{older, open, newer}, "Update Samba smbd to 4.13.3 or later, to a version without CVE-2017-7494 too."},
		{[]explain.PathStep{open, with(step("CVE-2015-0240", ""), "Samba", "", "", "")}, "Update Samba to a version without CVE-2015-0240 and CVE-2017-7494."},
	} {
		if got := explain.Together(c.steps); got != c.want {
			t.Errorf("%s, want\n%s", got, c.want)
		}
	}
	evil := strings.Repeat("\x1b[31m\u202e{gain}", 5000)
	if got := explain.Together([]explain.PathStep{with(step(evil, evil), evil, evil, evil, evil), with(step(evil, ""), evil, "", evil, evil)}); len(got) > 4096 || strings.ContainsAny(got, "\x1b\u202e") {
		t.Errorf("%.200q", got)
	}
}
