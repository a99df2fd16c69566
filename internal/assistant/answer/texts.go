package answer

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/retrieve"
	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/report"
)

// leastPart of a question's words, weighed by rarity, must stand in the best record for an answer.
const leastPart = 0.45

// ofUs are questions about the asker's own.
var ofUs = regexp.MustCompile(`(?i)\b(?:we|us|our|ours|my|mine|i)\b`)

// pointing are questions that name nothing: "what is this?"
var pointing = regexp.MustCompile(`(?i)^\W*(?:what|who|which|why|how)(?:'s| is| are| was)? (?:this|that|it|these|those|here)\W*$`)

// texts answers from what the texts have, where no query can: which record do the words describe.
func texts(ctx context.Context, q *Asked, d *Draft) (bool, error) {
	if q.Search == nil || q.Act != "" || q.Outside != "" || q.Subject == understand.Nothing && (q.Measure == understand.Count || ofUs.MatchString(q.Text) || pointing.MatchString(q.Text)) {
		return false, nil // no text knows how many of something there are, or what somebody's own is like
	}
	k := &desk{Asked: q, d: d}
	var err error
	if k.cat, err = q.Desk.Catalogue(ctx); err != nil {
		return false, err
	}
	kinds := kindsOf(q.Subject)
	found, err := q.Search.Search(ctx, retrieve.Query{Text: describing(q.Text), Kinds: kinds, View: q.View, Limit: candidates})
	if err != nil {
		return false, err
	}
	if err := k.rank(ctx, found.Passages[retrieve.CVE]); err != nil {
		return false, err
	}
	kind := bestKind(kinds, found)
	list := found.Passages[kind]
	if len(list) == 0 {
		if len(found.Notes) == 0 {
			return false, nil
		}
		k.refuse("the texts are still being indexed, and nothing was found without that", "Ask again in some seconds.", found.Notes[0])
		return true, nil
	}
	best := list[0]
	d.Features.Score, d.Features.Words, d.Features.Margin, d.Features.Near = best.Score, best.Part, marginOf(list), best.Near
	d.Features.Product = k.holdsProduct(best)
	d.Missing = append(d.Missing, found.Notes...)
	d.Understood, d.Corrected, d.Rest = q.Understood, len(q.Corrected), len(q.Question.Rest)
	if best.Part < k.leastPart(kind) || best.Words < 2 && len(tellingWords(q.Text)) > 2 {
		n := d.Cite(k.passageSource(best))
		for _, p := range list[1:min(len(list), fewItems)] { // who asked may know it when he sees it
			d.Cite(k.passageSource(p))
		}
		k.refuse("no record fits well: the nearest is "+quoted(nameOf(best), 140), "Ask with other words, with an id, or with a product's name.", "", n)
		return true, nil
	}
	if err := k.described(kind, list); err != nil || len(found.Notes) == 0 {
		return true, err
	}
	d.Say(nil, "%s", found.Notes[0])
	return true, nil
}

// leastPart is the part that the best record must hold: more where the question does not even say of what kind it is.
func (k *desk) leastPart(kind retrieve.Kind) float64 {
	switch {
	case k.Subject != understand.Nothing:
		return leastPart
	case kind == retrieve.CVE:
		return 0.7
	}
	return 0.9
}

// kindsOf are the kinds of records that a question may be about.
func kindsOf(s understand.Subject) []retrieve.Kind {
	switch s {
	case understand.CVEs:
		return []retrieve.Kind{retrieve.CVE}
	case understand.Findings, understand.Fixes:
		return []retrieve.Kind{retrieve.Finding, retrieve.CVE}
	case understand.Hosts, understand.Services, understand.Software:
		return []retrieve.Kind{retrieve.Host, retrieve.Finding}
	case understand.Techniques:
		return []retrieve.Kind{retrieve.Technique}
	case understand.Scans:
		return []retrieve.Kind{retrieve.Scan}
	case understand.Product:
		return []retrieve.Kind{retrieve.Doc}
	}
	return []retrieve.Kind{retrieve.CVE, retrieve.Finding, retrieve.Technique, retrieve.Doc}
}

// bestKind is the kind whose best record holds clearly more of the question than that of the kinds before it.
func bestKind(kinds []retrieve.Kind, found retrieve.Found) retrieve.Kind {
	best, part := kinds[0], -1.0
	for _, kind := range kinds {
		list := found.Passages[kind]
		if len(list) > 0 && (part < 0 || part < 0.6 && list[0].Part > part+0.15) {
			best, part = kind, list[0].Part
		}
	}
	return best
}

// candidates of a kind are ranked anew by what the question names.
const candidates = 60

// noted is what collections of exploits note behind a title: it is about the exploit, not about the flaw.
var noted = regexp.MustCompile(`(?i)\s*\((?:metasploit|poc|[0-9]{1,2}|msf)\)`)

// describing leaves words out of a question that describe the question and not what is looked for.
func describing(text string) string {
	text = strings.TrimSpace(noted.ReplaceAllString(text, " "))
	lower := strings.ToLower(text)
	for _, lead := range []string{"which cve is", "what cve is", "which cve", "what cve", "is there a cve", "find the cve", "which vulnerability", "what vulnerability", "what is the cve for", "cve for"} {
		if rest, ok := strings.CutPrefix(lower, lead+" "); ok {
			return text[len(text)-len(rest):]
		}
	}
	return text
}

func marginOf(list []retrieve.Passage) float64 {
	if len(list) == 0 || list[0].Raw <= 0 {
		return 0
	}
	if len(list) == 1 {
		return 1
	}
	return min(max((list[0].Raw-list[1].Raw)/list[0].Raw, 0), 1)
}

func nameOf(p retrieve.Passage) string {
	if strings.Contains(p.Title, p.ID) || p.Kind != retrieve.CVE && p.Kind != retrieve.Technique {
		return p.Title
	}
	return p.ID + ": " + p.Title
}

func (k *desk) passageSource(p retrieve.Passage) report.Source {
	s := report.Source{Kind: string(p.Kind), ID: p.ID, Title: quoted(nameOf(p), 180), Text: quoted(p.Text, 480)}
	if !p.At.IsZero() {
		at := p.At
		s.At = &at
	}
	switch p.Kind {
	case retrieve.CVE:
		s.URL, s.API, s.From = "/catalogue/"+p.ID, report.Text("/api/v1/cves/"+p.ID), "NVD"
	case retrieve.Finding:
		s.URL, s.API = "/findings/"+p.ID, report.Text("/api/v1/findings/"+p.ID)
	case retrieve.Host:
		s.URL, s.API = "/assets/"+p.ID, report.Text("/api/v1/assets/"+p.ID)
	case retrieve.Technique:
		s.URL, s.API, s.From = "/threats/"+p.ID, report.Text("/api/v1/techniques/"+p.ID), "MITRE ATT&CK"
	case retrieve.Scan:
		s.URL, s.API = "/scans/"+p.ID, report.Text("/api/v1/scans/"+p.ID)
	case retrieve.Doc:
		return docSource(p)
	}
	return s
}

// kindNames are what a record of a kind is called.
var kindNames = map[retrieve.Kind]string{
	retrieve.CVE: "CVE", retrieve.Finding: "finding", retrieve.Host: "host", retrieve.Technique: "technique", retrieve.Scan: "scan", retrieve.Doc: "page",
}

// described names the record that fits best, with the words that it holds, and those that come next.
func (k *desk) described(kind retrieve.Kind, list []retrieve.Passage) error {
	best := list[0]
	n := k.d.Cite(k.passageSource(best))
	if kind == retrieve.Doc {
		for _, s := range fitting(best.Text, k.Text, 3) {
			k.d.Say([]int{n}, "%s", s)
		}
		k.d.Link = docURL(best.ID)
		return nil
	}
	k.d.Say([]int{n}, "The %s that fits best is **%s**.", kindNames[kind], quoted(nameOf(best), 200))
	if held := k.held(best); len(held) > 0 {
		k.d.Say([]int{n}, "It holds %s of what you describe: %s.", inPercent(best.Part), quoted(and(held), 200))
	}
	if text := sentencesOf(best.Text, 280); text != "" && !strings.Contains(best.Title, text) {
		k.d.Say([]int{n}, "Its record says: “%s”", text)
	}
	k.d.Facts.Value = report.Text(best.ID)
	k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: string(kind), ID: best.ID, Name: best.Title})
	others := list[1:min(len(list), 10)]
	for i, p := range others {
		m := k.d.Cite(k.passageSource(p))
		k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: string(kind), ID: p.ID, Name: p.Title})
		if i == 0 {
			k.d.Say(nil, "Others that may be meant:")
		}
		if i < 4 {
			k.d.Item([]int{m}, "%s", quoted(nameOf(p), 140))
		}
	}
	k.d.Link = k.d.Sources[0].URL
	if kind == retrieve.CVE {
		k.d.Command = "patchscout cve " + best.ID
		k.d.Next = append(k.d.Next, "Is "+best.ID+" exploited?", "Which of my hosts have "+best.ID+"?")
		k.data("nvd")
		k.aged()
	}
	return nil
}

// held are the question's words that a record has.
func (k *desk) held(p retrieve.Passage) (out []string) {
	text := strings.ToLower(p.Title + " " + p.Text)
	for _, w := range tellingWords(describing(k.Text)) {
		if strings.Contains(text, w) {
			out = append(out, w)
		}
	}
	return out
}

// holdsProduct says that the record's title or text names a product that the question names.
func (k *desk) holdsProduct(p retrieve.Passage) bool {
	text := bareWords(p.Title + " " + p.Text)
	return slices.ContainsFunc(k.Products, func(n understand.ProductName) bool {
		return n.Product != "" && strings.Contains(text, bareWords(n.Product))
	})
}

func bareWords(text string) string {
	return " " + strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 0x80)
	}), " ") + " "
}

// rank puts CVEs in order by what the question names beside its words: the product in the title, the version within it, the year.
// What is known to be exploited counts a little more, as it does in searches: of two that fit alike it is the one that people ask about.
func (k *desk) rank(ctx context.Context, list []retrieve.Passage) error {
	exploited, err := k.exploitedOf(ctx, list)
	if err != nil {
		return err
	}
	years := yearsOf(k.Text)
	for i := range list {
		p := &list[i]
		factor := 1.0
		if id, err := cve.ParseID(p.ID); err == nil && slices.Contains(years, id.Year()) {
			factor += yearWorth
		}
		if title := bareWords(p.Title); slices.ContainsFunc(k.Products, func(n understand.ProductName) bool {
			return n.Product != "" && strings.Contains(title, bareWords(n.Product))
		}) {
			factor += productWorth
		}
		if exploited[p.ID] {
			factor += exploitedWorth
		}
		p.Raw *= factor
	}
	slices.SortStableFunc(list, func(a, b retrieve.Passage) int {
		switch {
		case a.Raw > b.Raw:
			return -1
		case a.Raw < b.Raw:
			return 1
		}
		return 0
	})
	return nil
}

// exploitedOf are those of the records that are in KEV.
func (k *desk) exploitedOf(ctx context.Context, list []retrieve.Passage) (map[string]bool, error) {
	if len(list) == 0 {
		return nil, nil
	}
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = p.ID
	}
	page, err := k.Desk.SearchCVEs(ctx, catalogue.Filter{Words: strings.Join(ids, " "), KEV: true, Limit: len(ids)}, false)
	out := map[string]bool{}
	for _, c := range page.Items {
		out[c.ID] = true
	}
	return out, err
}

// What a record gains by what the question names.
const (
	yearWorth      = 0.05
	productWorth   = 0.08
	exploitedWorth = 0.28
)

// yearsOf are the years that a text names.
func yearsOf(text string) (years []int) {
	for _, w := range strings.Fields(bareWords(text)) {
		if len(w) != 4 || w[0] != '1' && w[0] != '2' {
			continue
		}
		y := 0
		for _, c := range w {
			if c < '0' || c > '9' {
				y = 0
				break
			}
			y = y*10 + int(c-'0')
		}
		if y >= 1990 && y < 2100 {
			years = append(years, y)
		}
	}
	return years
}
