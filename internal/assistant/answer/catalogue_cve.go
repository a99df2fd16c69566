package answer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/report"
)

// facts answers what is asked of CVEs that are named: a fact, whether something is so, what it is, why.
func (k *desk) facts(ctx context.Context, ids []cve.ID) error {
	found, missing, err := k.records(ctx, ids)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		k.missing(missing)
		return nil
	}
	asked := k.attributes()
	if k.Audience == "manager" && (k.Measure == understand.Why || k.Measure == understand.Explain) {
		asked = nil
	}
	if taken.MatchString(k.Text) && len(asked) == 0 {
		asked = []understand.Attribute{understand.Status}
	}
	if len(asked) == 0 || asked[0] == understand.Vector {
		if gained.MatchString(k.Text) && len(found) == 1 && !rejected(&found[0]) {
			return k.gains(&found[0])
		}
	}
	for i := range found {
		c := &found[i]
		switch {
		case rejected(c):
			k.withdrawn(c)
		case len(asked) == 0:
			err = k.explain(ctx, c)
		default:
			err = k.tell(c, asked, len(found) > 1)
		}
		if err != nil || k.d.Refused {
			return err
		}
	}
	if len(missing) > 0 {
		n := k.d.Cite(report.Source{Kind: "catalogue", ID: "cves", Title: "Catalogue", URL: "/catalogue", API: "/api/v1/cves",
			Text: missing[0].String() + " was looked up in the catalogue: there is no record of it."})
		k.d.Say([]int{n}, "The catalogue has no record of %s of the CVEs that you name.", report.Thousands(len(missing)))
		k.d.Missing = append(k.d.Missing, "a record that was asked for")
	}
	k.d.Link, k.d.Command = "/catalogue/"+found[0].ID, "patchscout cve "+found[0].ID
	k.data("nvd")
	k.aged()
	k.next(found[0].ID, asked)
	return nil
}

// records reads CVEs; missing are those that the catalogue does not have.
func (k *desk) records(ctx context.Context, ids []cve.ID) (found []report.CVE, missing []cve.ID, err error) {
	for _, id := range ids[:min(len(ids), fewItems)] {
		c, _, err := k.Desk.CVE(ctx, id)
		switch {
		case isMissing(err):
			missing = append(missing, id)
		case err != nil:
			return nil, nil, err
		default:
			found = append(found, c)
		}
	}
	return found, missing, nil
}

func rejected(c *report.CVE) bool { return c.Status == cve.StatusRejected }

func (k *desk) withdrawn(c *report.CVE) {
	n := k.d.Cite(recordSource(c))
	reason := ""
	if len(c.Explanation) > 0 {
		reason = " " + quoted(c.Explanation[0].Text, 300)
	}
	k.d.Facts.Value, k.d.Facts.Yes = "rejected", truth(false)
	before := ""
	if taken.MatchString(k.Text) {
		before = "Yes: "
		k.d.Facts.Yes = truth(true)
	}
	k.d.Say([]int{n}, before+"**%s** was rejected by its assigner: it is no vulnerability and matches nothing.%s", c.ID, reason)
}

// attributes are the facts that the question asks for: the one that it names, and those that its conditions are about.
func (k *desk) attributes() (asked []understand.Attribute) {
	add := func(a understand.Attribute, when bool) {
		if when && !slices.Contains(asked, a) {
			asked = append(asked, a)
		}
	}
	add(k.Attribute, k.Attribute != "")
	add(understand.KEVAttr, k.KEV != nil)
	add(understand.ExploitedBy, k.Exploited != nil)
	add(understand.Ransom, k.Ransomware != nil)
	add(understand.Exploits, k.Exploit != "")
	add(understand.CVSS, k.MinCVSS != nil || k.MaxCVSS != nil)
	add(understand.EPSS, k.MinEPSS != nil || k.MaxEPSS != nil)
	add(understand.Severity, len(k.Severities) > 0)
	add(understand.Decision, len(k.Decisions) > 0)
	if len(asked) > 0 {
		return asked
	}
	add(understand.Technique, k.Subject == understand.Techniques || len(k.Question.Techniques) > 0)
	add(understand.Weakness, k.Subject == understand.Weaknesses || len(k.CWEs) > 0)
	add(understand.Affected, len(k.Products) > 0 || k.Subject == understand.Software)
	add(understand.Remedy, k.Measure == understand.How)
	add(understand.Decision, k.Measure == understand.Why)
	return asked
}

// known is one fact of a CVE in a sentence.
type known struct {
	text  string // begins with the CVE's name as subject, or is a sentence of its own
	value string
	count *int
	yes   *bool
	items []string
	feeds []string
	gap   string // why it is not known: a feed
}

// tell says facts of one CVE.
func (k *desk) tell(c *report.CVE, asked []understand.Attribute, several bool) error {
	n := k.d.Cite(recordSource(c))
	for i, a := range asked {
		f := k.fact(c, a)
		if f.gap != "" && len(asked) == 1 && !several {
			k.unsynced(f.gap)
			return nil
		}
		k.data(f.feeds...)
		text := f.text
		if f.yes != nil && (k.Measure == understand.Whether || k.Measure == understand.Fact && i == 0) && k.asksYes(a) {
			text = yesText(*f.yes) + ": " + text
		}
		if i == 0 {
			k.d.Facts.Value, k.d.Facts.Count = report.Text(f.value), f.count
			if f.yes != nil && (k.Measure == understand.Whether || k.asksYes(a)) {
				k.d.Facts.Yes = f.yes
			}
			k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: "cve", ID: c.ID, Name: string(c.Title), Value: report.Text(f.value)})
		}
		if several {
			k.d.Item([]int{n}, "%s", text)
			continue
		}
		k.d.Say([]int{n}, "%s", text)
		for _, item := range f.items[:min(len(f.items), k.most())] {
			k.d.Item([]int{n}, "%s", item)
		}
		if more := len(f.items) - k.most(); more > 0 {
			k.d.Say([]int{n}, "And %s more.", report.Thousands(more))
			k.d.Facts.More = more
		}
	}
	return nil
}

// asksYes are facts that are so or are not.
func (k *desk) asksYes(a understand.Attribute) bool {
	switch a {
	case understand.KEVAttr, understand.ExploitedBy, understand.Ransom:
		return true
	}
	return k.Measure == understand.Whether
}

// most is how many items of a list are told: all of one that is short enough.
func (k *desk) most() int {
	if k.whole && k.Limit <= 0 {
		return manyItems
	}
	return k.limit()
}

// recordSource is a CVE's record as a source: what an answer may say of it stands in its text.
func recordSource(c *report.CVE) report.Source {
	at := c.Modified.Time
	s := report.Source{Kind: "cve", ID: c.ID, Title: c.ID + ": " + quoted(string(c.Title), 160), Text: cveText(c), From: report.Text(recordOf(c)),
		URL: "/catalogue/" + c.ID, API: report.Text("/api/v1/cves/" + c.ID)}
	if !at.IsZero() {
		s.At = &at
	}
	return s
}

// recordOf names who published the record.
func recordOf(c *report.CVE) string {
	for _, field := range []string{"description", "status", "severity", "published"} {
		for _, p := range c.Provenance {
			if p.Field == field && p.Source != "generated" {
				return report.FeedTitle(p.Source)
			}
		}
	}
	return "NVD"
}

func cveText(c *report.CVE) string {
	parts := []string{string(c.Title), "Severity " + c.Severity}
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+" "+value)
		}
	}
	if c.CVSS != nil {
		add("CVSS", fmt.Sprintf("%.1f (%s, %s, by %s)", *c.CVSS, c.CVSSVersion, c.CVSSVector, c.CVSSSource))
	}
	if c.EPSS != nil {
		add("EPSS", fmt.Sprintf("%s (%s of %s)", shortNumber(*c.EPSS, 5), inPercent(*c.EPSS), dayText(c.EPSSDate)))
	}
	if c.KEV != nil {
		add("KEV", kevText(c))
	}
	if !c.Published.IsZero() {
		add("published", dayText(c.Published))
	}
	if !c.Modified.IsZero() {
		add("changed", dayText(c.Modified))
	}
	add("decision", string(c.Decision))
	if c.PriorityScore != nil {
		add("priority_score", shortNumber(*c.PriorityScore, 3))
	}
	add("weakness", strings.Join(c.CWEs, ", "))
	var rules []string
	for _, a := range c.Affected[:min(len(c.Affected), 6)] {
		rules = append(rules, strings.TrimSpace(a.CPE+" "+string(a.Versions)))
	}
	add("affects", strings.Join(rules, "; "))
	return quoted(strings.Join(parts, ". "), 450) + ". " + quoted(string(c.Description), 400)
}

func kevText(c *report.CVE) string {
	if c.KEV == nil || !*c.KEV {
		return "no"
	}
	text := "yes"
	if !c.KEVAdded.IsZero() {
		text += " since " + dayText(c.KEVAdded)
	}
	if !c.KEVDue.IsZero() {
		text += ", due " + dayText(c.KEVDue)
	}
	if c.Ransomware != nil && *c.Ransomware {
		text += ", used by ransomware"
	}
	return text
}

// explain says what a CVE is: short for anybody, with what it means here for a manager, with the metrics for technicians.
func (k *desk) explain(ctx context.Context, c *report.CVE) error {
	n := k.d.Cite(recordSource(c))
	k.data("kev", "epss")
	k.d.Facts.Value = c.Title
	if k.Audience == "manager" {
		if err := k.plainly(ctx, c, n); err != nil {
			return err
		}
		return k.here(ctx, c.ID, n)
	}
	var text []string
	for _, s := range c.Explanation {
		text = append(text, quoted(s.Text, 500))
	}
	k.d.Say([]int{n}, "**%s**: %s", c.ID, strings.Join(text, " "))
	if k.Audience == "technical" {
		for _, a := range []understand.Attribute{understand.Vector, understand.Weakness, understand.FixedIn, understand.Exploits, understand.Technique} {
			k.d.Item([]int{n}, "%s", k.fact(c, a).text)
		}
	}
	return k.here(ctx, c.ID, n)
}

// here says what a CVE means for the asker's own hosts.
func (k *desk) here(ctx context.Context, id string, n int) error {
	touched, err := k.Desk.TouchedByCVEs(ctx, []string{id})
	if err != nil {
		return err
	}
	t, own := touched.CVEs[id]
	list := report.Source{Kind: "list", ID: "findings?cve=" + id, Title: "Open findings of " + id, URL: "/findings?cve=" + id,
		Text: fmt.Sprintf("%s: %s on %s.", id, report.Plural(t.Findings, "open finding", "open findings"), report.Plural(t.Hosts, "host", "hosts"))}
	switch {
	case own:
		k.d.Say([]int{k.d.Cite(list)}, "For you: %s of it on %s.", boldNumber(t.Findings, "open finding", "open findings"), boldNumber(t.Hosts, "host", "hosts"))
	case touched.Scanned:
		k.d.Say([]int{k.d.Cite(list)}, "For you: no open, confirmed finding of it on the hosts that were scanned.")
	default:
		k.d.Say([]int{n}, "Whether it concerns you is not known: none of your hosts was scanned yet.")
		k.d.Missing = append(k.d.Missing, "a scan of your hosts")
	}
	return nil
}

func (k *desk) next(id string, asked []understand.Attribute) {
	for _, q := range []struct {
		about understand.Attribute
		text  string
	}{
		{understand.ExploitedBy, "Is " + id + " exploited?"}, {understand.FixedIn, "In which version is " + id + " fixed?"},
		{"hosts", "Which of my hosts have " + id + "?"}, {understand.Exploits, "Are there exploits for " + id + "?"},
	} {
		if !slices.Contains(asked, q.about) && len(k.d.Next) < 3 {
			k.d.Next = append(k.d.Next, q.text)
		}
	}
}

// compare says which of several CVEs is worse, and why.
func (k *desk) compare(ctx context.Context, ids []cve.ID) error {
	found, missing, err := k.records(ctx, ids)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		k.missing(missing)
		return nil
	}
	k.weighedBy()
	sorted := slices.Clone(found)
	by, why := k.worse()
	asked := why != ""
	slices.SortStableFunc(sorted, func(a, b report.CVE) int { return by(&b, &a) })
	if k.first() {
		slices.Reverse(sorted)
	}
	first := &sorted[0]
	for i := range found { // those that were named, in their order
		k.d.Cite(recordSource(&found[i]))
	}
	cites := []int{k.d.Cite(recordSource(first))}
	switch {
	case by(first, &sorted[1]) == 0:
		if !asked {
			why = "decision, known exploitation, likelihood and score"
		}
		k.d.Say(k.cited(found), "They are equal in %s.", why)
	default:
		if !asked {
			why = reason(first, &sorted[1])
		}
		word := "the worse one"
		if len(found) > 2 {
			word = "the worst"
		}
		if k.first() {
			word = strings.NewReplacer("worse", "less bad", "worst", "least bad").Replace(word)
		}
		if say := k.leads(); say != "" {
			k.d.Say(append(cites, k.d.Cite(recordSource(&sorted[1]))), "**%s** %s.", first.ID, say)
		} else {
			k.d.Say(append(cites, k.d.Cite(recordSource(&sorted[1]))), "**%s** is %s, by %s.", first.ID, word, why)
		}
		k.d.Facts.Value = report.Text(first.ID)
	}
	for i := range sorted {
		c := &sorted[i]
		k.d.Item([]int{k.d.Cite(recordSource(c))}, "**%s**: %s", c.ID, brief(c))
		k.d.Facts.Items = append(k.d.Facts.Items, report.Figure{Kind: "cve", ID: c.ID, Name: string(c.Title), Value: c.Decision})
	}
	k.data("nvd", "kev", "epss")
	k.aged()
	k.d.Link = "/catalogue/" + first.ID
	return nil
}

func (k *desk) cited(list []report.CVE) (cites []int) {
	for i := range list {
		cites = append(cites, k.d.Cite(recordSource(&list[i])))
	}
	return cites
}

// brief is a CVE in a line.
func brief(c *report.CVE) string {
	if rejected(c) {
		return "rejected by its assigner"
	}
	var parts []string
	if c.Decision != "" {
		parts = append(parts, "decision "+string(c.Decision))
	}
	if c.KEV != nil && *c.KEV {
		parts = append(parts, "in KEV since "+dayText(c.KEVAdded))
	} else if c.KEV != nil {
		parts = append(parts, "not in KEV")
	}
	if c.CVSS != nil {
		parts = append(parts, fmt.Sprintf("CVSS %.1f (%s)", *c.CVSS, c.Severity))
	} else {
		parts = append(parts, "no CVSS score")
	}
	if c.EPSS != nil {
		parts = append(parts, "EPSS "+inPercent(*c.EPSS))
	}
	return strings.Join(parts, ", ") + ": " + quoted(string(c.Title), 110)
}

// worse compares two CVEs by what the question names, else by the decision and what stands behind it.
func (k *desk) worse() (by func(a, b *report.CVE) int, why string) {
	number := func(get func(*report.CVE) *float64) func(a, b *report.CVE) int {
		return func(a, b *report.CVE) int { return cmp.Compare(orNone(get(a)), orNone(get(b))) }
	}
	switch k.Attribute {
	case understand.CVSS, understand.Severity:
		return number(func(c *report.CVE) *float64 { return c.CVSS }), "CVSS"
	case understand.EPSS, understand.Likelihood:
		return number(func(c *report.CVE) *float64 { return c.Likelihood }), "EPSS"
	case understand.Score:
		return number(func(c *report.CVE) *float64 { return c.PriorityScore }), "priority score"
	case understand.Published:
		return func(a, b *report.CVE) int { return a.Published.Compare(b.Published.Time) }, "the day of publication"
	case understand.KEVAttr, understand.Due:
		return func(a, b *report.CVE) int { return a.KEVAdded.Compare(b.KEVAdded.Time) }, "the day on which CISA added it to KEV"
	case understand.Exploits:
		return func(a, b *report.CVE) int { return cmp.Compare(len(a.Exploits), len(b.Exploits)) }, "the number of public exploits"
	}
	return func(a, b *report.CVE) int {
		return cmp.Or(cmp.Compare(decisionRank(b), decisionRank(a)), cmp.Compare(inKEV(a), inKEV(b)),
			cmp.Compare(orNone(a.Likelihood), orNone(b.Likelihood)), cmp.Compare(orNone(a.PriorityScore), orNone(b.PriorityScore)))
	}, ""
}

// reason is the first thing in which two CVEs differ.
func reason(a, b *report.CVE) string {
	switch {
	case decisionRank(a) != decisionRank(b):
		return fmt.Sprintf("the decision: %s against %s", cmp.Or(string(a.Decision), "none"), cmp.Or(string(b.Decision), "none"))
	case inKEV(a) != inKEV(b):
		return "known exploitation: one is in KEV, the other is not"
	case orNone(a.Likelihood) != orNone(b.Likelihood):
		return fmt.Sprintf("the likelihood of attacks: %s against %s", share(a.Likelihood), share(b.Likelihood))
	}
	return "the priority score"
}

func share(v *float64) string {
	if v == nil {
		return "unknown"
	}
	return inPercent(*v)
}

func orNone(v *float64) float64 {
	if v == nil {
		return -1
	}
	return *v
}

func decisionRank(c *report.CVE) int {
	if i := slices.Index([]string{"act", "attend", "plan", "track"}, string(c.Decision)); i >= 0 {
		return i
	}
	return 9
}

func inKEV(c *report.CVE) int {
	if c.KEV != nil && *c.KEV {
		return 1
	}
	return 0
}
