package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/report"
)

// techniques answers about ATT&CK.
func (k *desk) techniques(ctx context.Context) (bool, error) {
	if len(k.CVEs) > 0 {
		return true, k.facts(ctx, k.CVEs)
	}
	ids := k.Question.Techniques
	if len(ids) == 0 && (k.Those || k.Ordinal != 0) {
		for _, thing := range k.Context.Shown {
			if thing.Kind == "technique" {
				ids = append(ids, thing.ID)
			}
		}
		if n := k.Ordinal; n > 0 && n <= len(ids) {
			ids = ids[n-1 : n]
		}
	}
	if k.unsynced("attack") {
		return true, nil
	}
	k.data("attack")
	if len(ids) == 0 {
		return k.techniqueList(ctx)
	}
	for _, id := range ids[:min(len(ids), fewItems)] {
		t, err := k.Desk.Technique(ctx, id)
		if isMissing(err) {
			n := k.d.Cite(report.Source{Kind: "catalogue", ID: "techniques", Title: "ATT&CK", URL: "/threats?tab=attack", Text: quoted(id, 20) + " was looked up in ATT&CK: there is no such technique."})
			k.refuse("ATT&CK, as it was loaded, has no such technique", "Check the id, such as T1190, or ask with its name.", "the technique that was asked for", n)
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if err := k.technique(ctx, &t); err != nil {
			return false, err
		}
	}
	k.aged()
	return true, nil
}

func techniqueSource(t *report.Technique) report.Source {
	s := report.Source{Kind: "technique", ID: t.ID, Title: t.ID + " " + quoted(string(t.Name), 100), URL: "/threats/" + t.ID, From: "MITRE ATT&CK",
		API: report.Text("/api/v1/techniques/" + t.ID), Text: quoted(tacticNames(t)+". "+readableText(string(t.Description)), 480)}
	if !t.Modified.IsZero() {
		at := t.Modified.Time
		s.At = &at
	}
	return s
}

func tacticNames(t *report.Technique) string {
	var names []string
	for _, x := range t.Tactics {
		name := string(x.Name)
		if name == "" {
			name = x.Short
		}
		names = append(names, quoted(name, 60))
	}
	return and(names)
}

// readableText takes from MITRE's Markdown what only a browser needs.
func readableText(text string) string {
	for {
		at := strings.Index(text, "(Citation:")
		if at < 0 {
			break
		}
		end := strings.IndexByte(text[at:], ')')
		if end < 0 {
			break
		}
		text = text[:at] + text[at+end+1:]
	}
	for {
		mid := strings.Index(text, "](http")
		if mid < 0 {
			return text
		}
		end := strings.IndexByte(text[mid:], ')')
		start := strings.LastIndexByte(text[:mid], '[')
		if end < 0 || start < 0 {
			return text
		}
		text = text[:start] + text[start+1:mid] + text[mid+end+1:]
	}
}

// sentencesOf is the beginning of a text, as many whole sentences as fit.
func sentencesOf(text string, most int) string {
	text = quoted(text, 500)
	if len([]rune(text)) <= most {
		return text
	}
	end := 0
	for i := 0; i+1 < len(text) && i < most; i++ {
		if text[i] == '.' && text[i+1] == ' ' {
			end = i + 1
		}
	}
	if end == 0 {
		return quoted(text, most)
	}
	return text[:end]
}

func (k *desk) technique(ctx context.Context, t *report.Technique) error {
	n := k.d.Cite(techniqueSource(t))
	k.d.Link, k.d.Command = "/threats/"+t.ID, "patchscout technique "+t.ID
	name := "**" + t.ID + " " + quoted(string(t.Name), 100) + "**"
	if t.Asked != "" {
		k.d.Say([]int{n}, "%s was revoked; its successor is %s.", quoted(string(t.Asked), 20), name)
	}
	if asksParts.MatchString(k.Text) {
		return k.techniqueParts(ctx, t, n)
	}
	if k.techniqueUse(t, n) {
		return nil
	}
	switch {
	case k.Attribute == understand.Tactic:
		k.d.Facts.Value = report.Text(tacticNames(t))
		k.d.Say([]int{n}, "%s belongs to %s.", name, tacticNames(t))
		return nil
	case k.Attribute == understand.Mitigation || k.Attribute == understand.Remedy || k.Measure == understand.How || asksDefend.MatchString(k.Text):
		k.d.Facts.Count = numbered(len(t.Mitigations))
		if len(t.Mitigations) == 0 {
			k.d.Say([]int{n}, "ATT&CK names no mitigation of %s.", name)
			return nil
		}
		k.d.Say([]int{n}, "Against %s ATT&CK names %s:", name, boldNumber(len(t.Mitigations), "mitigation", "mitigations"))
		for _, m := range t.Mitigations[:min(len(t.Mitigations), k.most())] {
			k.d.Item([]int{n}, "%s %s: %s", m.ID, quoted(string(m.Name), 80), sentencesOf(readableText(string(m.Note)), 220))
			k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: "mitigation", ID: m.ID, Name: string(m.Name)})
		}
		return nil
	case k.Measure == understand.Count || k.Measure == understand.List || k.Measure == understand.Whether:
		return k.techniqueCVEs(ctx, t, n)
	}
	k.d.Facts.Value = t.Name
	k.d.Say([]int{n}, "%s is an ATT&CK technique of %s: %s", name, tacticNames(t), sentencesOf(readableText(string(t.Description)), 420))
	if len(t.Mitigations) > 0 {
		var names []string
		for _, m := range t.Mitigations[:min(len(t.Mitigations), 5)] {
			names = append(names, quoted(string(m.Name), 60))
		}
		k.d.Say([]int{n}, "Against it: %s.", and(names))
	}
	return k.techniqueCVEs(ctx, t, n)
}

// techniqueCVEs says how many CVEs are linked to a technique, and which come first.
func (k *desk) techniqueCVEs(ctx context.Context, t *report.Technique, n int) error {
	f := catalogue.Filter{Technique: t.ID, Limit: k.most()}
	page, err := k.Desk.SearchCVEs(ctx, f, true)
	if err != nil {
		return err
	}
	link := "/catalogue?technique=" + t.ID
	list := k.d.Cite(report.Source{Kind: "list", ID: "catalogue?technique=" + t.ID, Title: "CVEs linked to " + t.ID, URL: link, API: "/api/v1/cves",
		Text: fmt.Sprintf("%d CVEs are linked to %s; %d mappings are published by CTID.", *page.Total, t.ID, len(t.CVEs))})
	asked := k.Measure == understand.Count || k.Measure == understand.List || k.Measure == understand.Whether
	if asked {
		k.d.Facts.Count = page.Total
		if k.Measure == understand.Whether {
			k.d.Facts.Yes = truth(*page.Total > 0)
		}
		k.d.Link = link
	}
	k.d.Say([]int{n, list}, "%s linked to %s: %d by a mapping that CTID publishes, the others by rules from weakness and vector.",
		sentenceCount(*page.Total, "CVE is", "CVEs are"), t.ID, mappedCVEs(t))
	if k.Measure != understand.List {
		return nil
	}
	top, err := k.Desk.TopCVEs(ctx, f, k.order(), k.least(), k.most())
	if err != nil {
		return err
	}
	k.show(top, *page.Total)
	return nil
}

func mappedCVEs(t *report.Technique) int {
	seen := map[string]bool{}
	for _, m := range t.CVEs {
		seen[m.CVE] = true
	}
	return len(seen)
}

func sentenceCount(n int, one, many string) string { return boldNumber(n, one, many) }

// techniqueList finds techniques by words and tactic.
func (k *desk) techniqueList(ctx context.Context) (bool, error) {
	if done, err := k.ofTactic(ctx); done || err != nil {
		return done, err
	}
	words := k.topic()
	if words == "" && k.Measure != understand.Count && k.Measure != understand.List {
		return false, nil
	}
	page, err := k.Desk.Techniques(ctx, catalogue.TechniqueFilter{Words: words, Limit: 1000})
	if err != nil {
		return false, err
	}
	if len(page.Items) == 0 {
		return false, nil
	}
	list := k.d.Cite(report.Source{Kind: "list", ID: "threats?tab=attack", Title: "ATT&CK techniques", URL: "/threats?tab=attack", API: "/api/v1/techniques",
		Text: report.Plural(len(page.Items), "technique", "techniques") + " about “" + quoted(words, 80) + "”."})
	about := ""
	if words != "" {
		about = " about “" + quoted(words, 80) + "”"
	}
	k.d.Facts.Count, k.d.Link = numbered(len(page.Items)), "/threats?tab=attack"
	shown := page.Items[:min(len(page.Items), k.most())]
	k.d.Say([]int{list}, "ATT&CK has %s%s.", boldNumber(len(page.Items), "technique", "techniques"), about)
	if k.Measure == understand.Count {
		shown = shown[:min(len(shown), 3)]
	}
	for _, t := range shown {
		n := k.d.Cite(report.Source{Kind: "technique", ID: t.ID, Title: t.ID + " " + quoted(string(t.Name), 100), Text: strings.Join(t.Tactics, ", "), URL: "/threats/" + t.ID, From: "MITRE ATT&CK"})
		k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: "technique", ID: t.ID, Name: string(t.Name)})
		if k.Measure != understand.Count {
			k.d.Item([]int{n}, "%s %s", t.ID, quoted(string(t.Name), 100))
		}
	}
	k.d.Facts.More = len(page.Items) - len(shown)
	k.aged()
	return true, nil
}

// weaknesses answers about CWE.
func (k *desk) weaknesses(ctx context.Context) (bool, error) {
	if len(k.CVEs) > 0 {
		return true, k.facts(ctx, k.CVEs)
	}
	if len(k.CWEs) > 0 && (k.Measure == understand.Count || k.Measure == understand.List || k.Measure == understand.Group || k.Measure == understand.Whether) {
		return true, k.list(ctx, nil)
	}
	if k.Measure == understand.Group {
		k.GroupBy = "cwe"
		return true, k.list(ctx, nil)
	}
	all, err := k.Desk.CWEs(ctx)
	if err != nil {
		return false, err
	}
	if len(all) == 0 {
		k.unsynced("cwe")
		return true, nil
	}
	k.data("cwe")
	if len(k.CWEs) == 0 {
		return k.weaknessByName(ctx, all)
	}
	for _, id := range k.CWEs {
		i := slices.IndexFunc(all, func(w intel.Weakness) bool { return w.ID == id })
		if i < 0 {
			n := k.d.Cite(report.Source{Kind: "catalogue", ID: "cwe", Title: "CWE", URL: "/catalogue", Text: quoted(id, 20) + " was looked up in CWE: there is no such entry."})
			k.refuse("CWE, as it was loaded, has no such entry", "Check the number.", "the weakness that was asked for", n)
			return true, nil
		}
		if err := k.weakness(ctx, &all[i]); err != nil {
			return false, err
		}
	}
	k.aged()
	return true, nil
}

func (k *desk) weaknessByName(ctx context.Context, all []intel.Weakness) (bool, error) {
	words := strings.Fields(strings.ToLower(k.topic()))
	if len(words) == 0 {
		return false, nil
	}
	best := -1
	for i := range all {
		name := strings.ToLower(all[i].Name)
		if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(name, w) }) {
			continue
		}
		if best < 0 || len(all[i].Name) < len(all[best].Name) {
			best = i
		}
	}
	if best < 0 {
		return false, nil
	}
	return true, k.weakness(ctx, &all[best])
}

func (k *desk) weakness(ctx context.Context, w *intel.Weakness) error {
	page, err := k.Desk.SearchCVEs(ctx, catalogue.Filter{CWE: w.ID, Limit: 1}, true)
	if err != nil {
		return err
	}
	n := k.d.Cite(report.Source{Kind: "weakness", ID: w.ID, Title: w.ID + " " + quoted(w.Name, 140), URL: "/catalogue?cwe=" + w.ID, From: "MITRE CWE",
		Text: quoted(fmt.Sprintf("%s Parents: %s. %d CVEs of the catalogue have it.", w.Description, strings.Join(w.Parents, ", "), *page.Total), 480)})
	k.d.Facts.Value, k.d.Facts.Count = report.Text(w.Name), page.Total
	k.d.Say([]int{n}, "**%s** is %s: %s", w.ID, quoted(w.Name, 140), sentencesOf(w.Description, 360))
	if asksDefend.MatchString(k.Text) {
		k.d.Say([]int{n}, "What CWE says against it is not part of what was loaded; the entry itself has it at cwe.mitre.org.")
		k.d.Missing = append(k.d.Missing, "countermeasures of CWE")
	}
	k.d.Say([]int{n}, "%s of the catalogue %s it.", boldNumber(*page.Total, "CVE", "CVEs"), map[bool]string{true: "has", false: "have"}[*page.Total == 1])
	k.d.Link, k.d.Command = "/catalogue?cwe="+w.ID, "patchscout cve search --cwe "+w.ID
	return nil
}
