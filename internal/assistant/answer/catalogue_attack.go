package answer

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/report"
)

// What a question about a technique wants of it, by words that people use.
var (
	asksParts    = regexp.MustCompile(`(?i)\bsub-?\s?techniques?\b`)
	techniqueIDs = regexp.MustCompile(`\bT\d{4}(?:\.\d{3})?\b`)
	asksNotice   = regexp.MustCompile(`(?i)\b(?:detect\w*|noticed?|spot|recogni[sz]e|discover(?:ed)? it|see it coming)\b`)
	asksGroups   = regexp.MustCompile(`(?i)\b(?:groups?|actors?|gangs?|apts?|who uses|adversaries|used by whom)\b`)
	asksTools    = regexp.MustCompile(`(?i)\b(?:malware|tools?|software)\b`)
	asksDefend   = regexp.MustCompile(`(?i)\b(?:mitigat\w*|prevent\w*|defend\w*|protect\w*|stop(?:ped)?|counter\w*|against)\b`)
)

// tactics of ATT&CK for enterprises by the names that people write; the value is ATT&CK's short name.
var tactics = []struct{ name, short string }{
	{"reconnaissance", "reconnaissance"}, {"resource development", "resource-development"}, {"initial access", "initial-access"}, {"execution", "execution"},
	{"persistence", "persistence"}, {"privilege escalation", "privilege-escalation"}, {"defense evasion", "defense-evasion"}, {"defence evasion", "defense-evasion"},
	{"credential access", "credential-access"}, {"discovery", "discovery"}, {"lateral movement", "lateral-movement"}, {"collection", "collection"},
	{"command and control", "command-and-control"}, {"exfiltration", "exfiltration"}, {"impact", "impact"},
}

// tacticOf is the tactic that a question names, "" if none.
func (k *desk) tacticOf() (name, short string) {
	text := strings.ReplaceAll(bareWords(k.Text), "-", " ")
	for _, t := range tactics {
		if strings.Contains(text, " "+t.name+" ") {
			return t.name, t.short
		}
	}
	return "", ""
}

// techniqueParts lists the sub-techniques of a technique.
func (k *desk) techniqueParts(ctx context.Context, t *report.Technique, n int) error {
	page, err := k.Desk.Techniques(ctx, catalogue.TechniqueFilter{Words: t.ID + ".", Domain: t.Domain, Limit: 1000})
	if err != nil {
		return err
	}
	name := "**" + t.ID + " " + quoted(string(t.Name), 100) + "**"
	items := slices.DeleteFunc(page.Items, func(b report.TechniqueBrief) bool { return !strings.HasPrefix(b.ID, t.ID+".") })
	k.d.Facts.Count = numbered(len(items))
	if len(items) == 0 {
		k.d.Say([]int{n}, "%s has no sub-techniques.", name)
		return nil
	}
	shown := items[:min(len(items), max(k.most(), 15))]
	k.d.Say([]int{n}, "%s has %s:", name, boldNumber(len(items), "sub-technique", "sub-techniques"))
	k.tellTechniques(shown, len(items))
	return nil
}

func (k *desk) tellTechniques(shown []report.TechniqueBrief, total int) {
	for _, b := range shown {
		m := k.d.Cite(report.Source{Kind: "technique", ID: b.ID, Title: b.ID + " " + quoted(string(b.Name), 100), Text: quoted(strings.Join(b.Tactics, ", "), 200), URL: "/threats/" + b.ID, From: "MITRE ATT&CK"})
		k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: "technique", ID: b.ID, Name: string(b.Name)})
		k.d.Item([]int{m}, "%s %s", b.ID, quoted(string(b.Name), 100))
	}
	if k.d.Facts.More = total - len(shown); k.d.Facts.More > 0 {
		k.d.Say([]int{1}, "And %s more.", report.Thousands(k.d.Facts.More))
	}
}

// techniqueUse answers who uses a technique, with what, and how it is noticed; false: none of that was asked.
func (k *desk) techniqueUse(t *report.Technique, n int) bool {
	name := "**" + t.ID + " " + quoted(string(t.Name), 100) + "**"
	tell := func(list []report.Named, one, many string) bool {
		k.d.Facts.Count = numbered(len(list))
		if len(list) == 0 {
			k.d.Say([]int{n}, "ATT&CK names no %s that use %s.", many, name)
			return true
		}
		k.d.Say([]int{n}, "ATT&CK names %s that use %s:", boldNumber(len(list), one, many), name)
		for _, g := range list[:min(len(list), k.most())] {
			k.d.Item([]int{n}, "%s %s", g.ID, quoted(string(g.Name), 80))
			k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: one, ID: g.ID, Name: string(g.Name)})
		}
		if k.d.Facts.More = len(list) - min(len(list), k.most()); k.d.Facts.More > 0 {
			k.d.Say([]int{n}, "And %s more.", report.Thousands(k.d.Facts.More))
		}
		return true
	}
	switch {
	case asksNotice.MatchString(k.Text):
		text := sentencesOf(readableText(string(t.Detection)), 460)
		if text == "" {
			k.d.Say([]int{n}, "ATT&CK says nothing about how %s is noticed.", name)
			return true
		}
		k.d.Facts.Value = report.Text(text)
		k.d.Say([]int{n}, "How %s is noticed, as ATT&CK says: %s", name, text)
		return true
	case asksGroups.MatchString(k.Text):
		return tell(t.Groups, "group", "groups")
	case asksTools.MatchString(k.Text) && k.Measure != understand.Explain:
		return tell(t.Software, "piece of malware or tool", "pieces of malware and tools")
	}
	return false
}

// ofTactic lists the techniques of the tactic that the question names; false: it names none.
func (k *desk) ofTactic(ctx context.Context) (bool, error) {
	name, short := k.tacticOf()
	if short == "" {
		return false, nil
	}
	page, err := k.Desk.Techniques(ctx, catalogue.TechniqueFilter{Tactic: short, Domain: "enterprise", Limit: 1000})
	if err != nil || len(page.Items) == 0 {
		return false, err
	}
	top := slices.DeleteFunc(slices.Clone(page.Items), func(b report.TechniqueBrief) bool { return strings.Contains(b.ID, ".") })
	list := k.d.Cite(report.Source{Kind: "list", ID: "threats?tab=attack", Title: "ATT&CK techniques of " + name, URL: "/threats?tab=attack", API: "/api/v1/techniques",
		Text: report.Plural(len(top), "technique", "techniques") + " of the tactic " + name + ", with " + report.Plural(len(page.Items)-len(top), "sub-technique", "sub-techniques") + "."})
	k.d.Facts.Count, k.d.Link = numbered(len(top)), "/threats?tab=attack"
	k.d.Say([]int{list}, "The tactic **%s** has %s (and %s):", name, boldNumber(len(top), "technique", "techniques"), report.Plural(len(page.Items)-len(top), "sub-technique", "sub-techniques"))
	if k.Measure != understand.Count {
		k.tellTechniques(top[:min(len(top), k.most())], len(top))
	}
	k.aged()
	return true, nil
}
