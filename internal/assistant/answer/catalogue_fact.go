package answer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/report"
)

// fact is one attribute of a CVE in words.
func (k *desk) fact(c *report.CVE, a understand.Attribute) known {
	id := "**" + c.ID + "**"
	switch a {
	case understand.Severity:
		return k.severityFact(c)
	case understand.CVSS:
		return k.cvssFact(c)
	case understand.Vector:
		return vectorFact(c)
	case understand.EPSS, understand.Likelihood:
		return k.epssFact(c)
	case understand.KEVAttr, understand.Due:
		return k.kevFact(c)
	case understand.Ransom:
		return k.ransomFact(c)
	case understand.ExploitedBy:
		return k.exploitedFact(c)
	case understand.Exploits, understand.Evidence:
		return k.exploitsFact(c)
	case understand.Published, understand.FirstSeen, understand.Age:
		return dated(id+" was published on **%s**.", c.Published, "nobody says when "+id+" was published.")
	case understand.Modified, understand.LastSeen:
		return dated(id+"'s record was last changed on **%s**.", c.Modified, "nobody says when the record of "+id+" was changed.")
	case understand.Affected, understand.Version, understand.Runs:
		return k.affectedFact(c)
	case understand.FixedIn, understand.Remedy, understand.Mitigation:
		return k.fixFact(c)
	case understand.Weakness:
		return weaknessFact(c)
	case understand.Technique, understand.Tactic:
		return k.techniqueFact(c)
	case understand.References:
		return referencesFact(c)
	case understand.Decision:
		return k.decisionFact(c)
	case understand.Score, understand.Risk:
		return k.scoreFact(c)
	case understand.State, understand.Status, understand.History:
		return known{text: fmt.Sprintf("%s has the status **%s** at NVD; published %s, changed %s.", id, quoted(string(c.Status), 40), dayText(c.Published), dayText(c.Modified)), value: string(c.Status)}
	default:
		return known{text: id + ": " + quoted(string(c.Description), 450), value: string(c.Title)}
	}
}

func dated(format string, d report.Date, none string) known {
	if d.IsZero() {
		return known{text: strings.ToUpper(none[:1]) + none[1:]}
	}
	return known{text: fmt.Sprintf(format, dayText(d)), value: dayText(d)}
}

func (k *desk) severityFact(c *report.CVE) known {
	f := known{value: c.Severity, text: fmt.Sprintf("**%s** is **%s**", c.ID, c.Severity)}
	switch {
	case c.CVSS != nil:
		f.text += fmt.Sprintf(": CVSS %s %.1f by %s.", c.CVSSVersion, *c.CVSS, quoted(string(c.CVSSSource), 60))
	case c.Severity == "unknown" || c.Severity == "":
		f = known{value: "unknown", text: fmt.Sprintf("**%s** has no severity: nobody has rated it yet.", c.ID)}
	default:
		f.text += ", in the words of " + quoted(string(c.SeveritySource), 60) + "; nobody gave a score."
	}
	if len(k.Severities) > 0 {
		f.yes = truth(slices.Contains(k.Severities, c.Severity))
	}
	return f
}

func (k *desk) cvssFact(c *report.CVE) known {
	if c.CVSS == nil {
		return known{text: fmt.Sprintf("**%s** has no CVSS score: nobody has scored it yet.", c.ID)}
	}
	f := known{value: fmt.Sprintf("%.1f", *c.CVSS), text: fmt.Sprintf("**%s** has a CVSS score of **%.1f** (%s), version %s, by %s.",
		c.ID, *c.CVSS, c.Severity, c.CVSSVersion, quoted(string(c.CVSSSource), 60))}
	for _, s := range c.Scores {
		if s.Score != *c.CVSS || s.Version != string(c.CVSSVersion) {
			f.items = append(f.items, fmt.Sprintf("CVSS %s: %.1f (%s) by %s", s.Version, s.Score, s.Severity, quoted(s.Source, 60)))
		}
	}
	if k.MinCVSS != nil || k.MaxCVSS != nil {
		f.yes = truth((k.MinCVSS == nil || *c.CVSS >= *k.MinCVSS) && (k.MaxCVSS == nil || *c.CVSS <= *k.MaxCVSS))
	}
	return f
}

// metricWords are the metrics of CVSS with their values in words, in the order in which they are told. Those of version 4
// that say the same have the words of version 3.
var metricWords = []struct {
	name, says string
	values     map[string]string
}{
	{"AV", "reached", map[string]string{"N": "over the network", "A": "from the same network segment", "L": "from the system itself", "P": "with the device in hand"}},
	{"AC", "attack complexity", map[string]string{"L": "low", "M": "medium", "H": "high"}},
	{"AT", "needs", map[string]string{"N": "no special circumstances", "P": "special circumstances"}},
	{"PR", "privileges needed", map[string]string{"N": "none", "L": "a user's", "H": "an administrator's"}},
	{"Au", "authentication needed", map[string]string{"N": "none", "S": "once", "M": "several times"}},
	{"UI", "somebody's help needed", map[string]string{"N": "no", "R": "yes", "P": "passive", "A": "active"}},
	{"S", "reaches beyond the component", map[string]string{"U": "no", "C": "yes"}},
	{"C", "confidentiality", harm}, {"I", "integrity", harm}, {"A", "availability", harm},
	{"VC", "confidentiality", harm}, {"VI", "integrity", harm}, {"VA", "availability", harm},
}

var harm = map[string]string{"H": "all lost", "L": "partly lost", "N": "not touched", "C": "all lost", "P": "partly lost"}

func vectorFact(c *report.CVE) known {
	vector := string(c.CVSSVector)
	if vector == "" {
		return known{text: fmt.Sprintf("**%s** has no CVSS vector: nobody has published one.", c.ID)}
	}
	values := map[string]string{}
	for part := range strings.SplitSeq(vector, "/") {
		name, value, _ := strings.Cut(part, ":")
		values[name] = value
	}
	var words []string
	for _, m := range metricWords {
		if say := m.values[values[m.name]]; say != "" {
			words = append(words, m.says+" "+say)
		}
	}
	return known{value: vector, text: fmt.Sprintf("The CVSS vector of **%s** is %s: %s.", c.ID, quoted(vector, 200), strings.Join(words, ", "))}
}

func (k *desk) epssFact(c *report.CVE) known {
	f := known{feeds: []string{"epss"}}
	switch {
	case c.EPSS == nil && !k.cat.Synced("epss"):
		f.gap = "epss"
	case c.EPSS == nil:
		f.text = fmt.Sprintf("EPSS gives **%s** no score.", c.ID)
		if c.Likelihood != nil {
			f.text += fmt.Sprintf(" PatchScout's own estimate on its scale is %s.", inPercent(*c.Likelihood))
		}
	default:
		f.value = shortNumber(*c.EPSS, 5)
		f.text = fmt.Sprintf("The EPSS score of **%s** is **%s** (%s)", c.ID, f.value, inPercent(*c.EPSS))
		if !c.EPSSDate.IsZero() {
			f.text += ", of " + dayText(c.EPSSDate)
		}
		f.text += ": how likely it is attacked within 30 days."
		if c.EPSSPercentile != nil {
			f.text += fmt.Sprintf(" That is higher than %s of all CVEs.", inPercent(min(*c.EPSSPercentile, 0.999)))
		}
		if k.MinEPSS != nil || k.MaxEPSS != nil {
			f.yes = truth((k.MinEPSS == nil || *c.EPSS >= *k.MinEPSS) && (k.MaxEPSS == nil || *c.EPSS <= *k.MaxEPSS))
		}
	}
	return f
}

func (k *desk) kevFact(c *report.CVE) known {
	f := known{feeds: []string{"kev"}, yes: c.KEV}
	switch {
	case c.KEV == nil:
		return known{gap: "kev"}
	case !*c.KEV:
		f.value = "no"
		f.text = fmt.Sprintf("**%s** is not in KEV, CISA's list of exploited vulnerabilities.", c.ID)
		if k.Attribute == understand.Due {
			f.text += " So CISA names no day by which it is due."
		}
		return f
	}
	f.value = dayText(c.KEVAdded)
	f.text = fmt.Sprintf("**%s** is in KEV, CISA's list of exploited vulnerabilities, since **%s**", c.ID, dayText(c.KEVAdded))
	if !c.KEVDue.IsZero() {
		f.text += fmt.Sprintf(", due on **%s**", dayText(c.KEVDue))
		if k.Attribute == understand.Due {
			f.value = dayText(c.KEVDue)
		}
	}
	if c.Ransomware != nil && *c.Ransomware {
		f.text += ", with known use by ransomware"
	}
	f.text += "."
	if k.KEV != nil && !*k.KEV {
		f.yes = truth(false)
	}
	return f
}

func (k *desk) ransomFact(c *report.CVE) known {
	f := known{feeds: []string{"kev"}}
	switch {
	case c.KEV == nil:
		f.gap = "kev"
	case c.Ransomware != nil && *c.Ransomware:
		f.yes, f.value = truth(true), "yes"
		f.text = fmt.Sprintf("CISA knows that ransomware campaigns use **%s** (in KEV since %s).", c.ID, dayText(c.KEVAdded))
	case *c.KEV:
		f.yes, f.value = truth(false), "no"
		f.text = fmt.Sprintf("**%s** is in KEV, but CISA knows of no use by ransomware.", c.ID)
	default:
		f.yes, f.value = truth(false), "no"
		f.text = fmt.Sprintf("no use of **%s** by ransomware is known: it is not in KEV.", c.ID)
	}
	return f
}

func (k *desk) exploitedFact(c *report.CVE) known {
	f := known{feeds: []string{"kev"}}
	var by []string
	if c.KEV != nil && *c.KEV {
		by = append(by, "CISA (KEV, since "+dayText(c.KEVAdded)+")")
	}
	if c.SSVC != nil && strings.EqualFold(string(c.SSVC.Exploitation), "active") {
		by = append(by, "CISA's SSVC assessment ("+quoted(string(c.SSVC.Source), 40)+")")
	}
	for _, b := range c.ExploitedBy {
		by = append(by, quoted(b, 40))
	}
	switch {
	case len(by) > 0:
		f.yes, f.value = truth(true), "yes"
		f.text = fmt.Sprintf("**%s** is exploited in the wild, says %s.", c.ID, and(by))
		if c.Ransomware != nil && *c.Ransomware {
			f.text += " Ransomware campaigns use it."
		}
	case c.KEV == nil:
		f.gap = "kev"
	default:
		f.yes, f.value = truth(false), "no"
		f.text = fmt.Sprintf("no source that was loaded says that **%s** is exploited; it is not in KEV.", c.ID)
	}
	if n := len(c.Exploits); n > 0 && f.text != "" {
		f.text += " Public exploits: " + report.Thousands(n) + "."
	}
	return f
}

// exploitTitles are the sources of exploits in their order.
var exploitTitles = []struct{ source, one, many string }{
	{"exploitdb", "Exploit-DB entry", "Exploit-DB entries"}, {"metasploit", "Metasploit module", "Metasploit modules"}, {"nuclei", "Nuclei template", "Nuclei templates"},
}

func (k *desk) exploitsFact(c *report.CVE) known {
	f := known{feeds: []string{"exploitdb", "metasploit", "nuclei"}}
	var parts []string
	n := 0
	for _, t := range exploitTitles {
		if k.Exploit != "" && k.Exploit != "any" && k.Exploit != "none" && k.Exploit != t.source {
			continue
		}
		of := 0
		for _, x := range c.Exploits {
			if x.Source != t.source {
				continue
			}
			of++
			line := t.one + " " + quoted(x.ID, 90)
			if x.Title != "" {
				line += ": " + quoted(string(x.Title), 110)
			}
			if x.Rank != "" {
				line += " (" + quoted(string(x.Rank), 20) + ")"
			}
			f.items = append(f.items, line)
		}
		if n += of; of > 0 {
			parts = append(parts, report.Plural(of, t.one, t.many))
		}
	}
	f.count, f.yes, f.value = numbered(n), truth(n > 0), fmt.Sprint(n)
	switch {
	case n > 0:
		f.text = fmt.Sprintf("there are %s for **%s**: %s.", boldNumber(n, "public exploit", "public exploits"), c.ID, and(parts))
		if n == 1 {
			f.text = strings.Replace(f.text, "there are", "there is", 1)
		}
	case !k.cat.Synced("exploitdb") && !k.cat.Synced("metasploit") && !k.cat.Synced("nuclei"):
		f.gap = "exploitdb"
	default:
		f.text = fmt.Sprintf("no public exploit for **%s** is in the lists that were loaded.", c.ID)
	}
	if k.Exploit == "none" {
		f.yes = truth(n == 0)
	}
	if k.Measure != understand.Whether && f.text != "" {
		f.text = strings.ToUpper(f.text[:1]) + f.text[1:]
	}
	return f
}

func weaknessFact(c *report.CVE) known {
	var names []string
	for _, w := range c.Weaknesses {
		names = append(names, strings.TrimSpace(w.ID+" "+quoted(string(w.Name), 120)))
	}
	if len(names) == 0 {
		names = c.CWEs
	}
	if len(names) == 0 {
		return known{text: fmt.Sprintf("No CWE is recorded for **%s**.", c.ID), count: numbered(0)}
	}
	return known{text: fmt.Sprintf("The weakness behind **%s** is %s.", c.ID, and(names)), value: strings.Join(c.CWEs, ", "), count: numbered(len(c.CWEs))}
}

func (k *desk) techniqueFact(c *report.CVE) known {
	f := known{feeds: []string{"attack", "ctid"}, count: numbered(len(c.Techniques))}
	var ids []string
	for _, t := range c.Techniques {
		ids = append(ids, t.ID)
		line := t.ID + " " + quoted(string(t.Name), 80)
		if t.Source == "derived" {
			line += fmt.Sprintf(" (derived from its weakness and vector, confidence %d %%)", t.Confidence)
		} else {
			line += " (published by " + report.FeedTitle(t.Source) + ")"
		}
		f.items = append(f.items, line)
	}
	f.value = strings.Join(ids, ", ")
	if len(ids) == 0 {
		f.text = fmt.Sprintf("No ATT&CK technique is linked to **%s**.", c.ID)
		return f
	}
	f.text = fmt.Sprintf("**%s** is linked to %s:", c.ID, boldNumber(len(ids), "ATT&CK technique", "ATT&CK techniques"))
	if len(k.Question.Techniques) > 0 {
		f.yes = truth(slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(k.Question.Techniques, id) }))
	}
	return f
}

func referencesFact(c *report.CVE) known {
	f := known{count: numbered(len(c.References))}
	for _, r := range c.References {
		line := quoted(r.URL, 200)
		if len(r.Tags) > 0 {
			line += " (" + quoted(strings.Join(r.Tags, ", "), 80) + ")"
		}
		f.items = append(f.items, line)
	}
	if len(f.items) == 0 {
		f.text = fmt.Sprintf("The record of **%s** has no references.", c.ID)
		return f
	}
	f.text = fmt.Sprintf("The record of **%s** has %s:", c.ID, boldNumber(len(f.items), "reference", "references"))
	return f
}

// decisionFact says what the decision rests on: the inputs of the table of design decision 7.
func (k *desk) decisionFact(c *report.CVE) known {
	if c.Decision == "" {
		return known{text: fmt.Sprintf("**%s** has no decision: too little is known of it.", c.ID)}
	}
	f := known{value: string(c.Decision), feeds: []string{"kev"}}
	f.text = fmt.Sprintf("The decision on **%s** is **%s**, on a host that the internet can reach", c.ID, c.Decision)
	var why []string
	switch {
	case inKEV(c) == 1:
		why = append(why, "it is known to be exploited (KEV since "+dayText(c.KEVAdded)+")")
	case c.KEV != nil:
		why = append(why, "it is not in KEV")
	}
	if s := c.SSVC; s != nil {
		if s.Automatable != "" {
			why = append(why, "an attack can be automated: "+quoted(string(s.Automatable), 10))
		}
		if s.TechnicalImpact != "" {
			why = append(why, "the technical impact is "+quoted(string(s.TechnicalImpact), 10))
		}
	} else if c.CVSSVector != "" {
		why = append(why, "what can be automated and how much an attacker gains follow from the CVSS vector "+quoted(string(c.CVSSVector), 120))
	}
	if len(why) > 0 {
		f.text += ": " + and(why)
	}
	f.text += "."
	if len(c.DecisionAssumed) > 0 {
		f.text += " Assumed, since it is not known: " + quoted(strings.Join(c.DecisionAssumed, ", "), 120) + "."
	}
	if len(k.Decisions) > 0 {
		f.yes = truth(slices.Contains(k.Decisions, string(c.Decision)))
	}
	return f
}

// scoreFact says what priority_score is made of.
func (k *desk) scoreFact(c *report.CVE) known {
	if c.PriorityScore == nil {
		return known{text: fmt.Sprintf("**%s** has no priority score: too little is known of it.", c.ID)}
	}
	f := known{value: shortNumber(*c.PriorityScore, 3), feeds: []string{"kev"}}
	f.text = fmt.Sprintf("The priority score of **%s** is **%s**. It is made of ", c.ID, f.value)
	parts := []string{"known exploitation: " + map[bool]string{true: "yes", false: "no"}[inKEV(c) == 1 || len(c.ExploitedBy) > 0]}
	if c.CVSS != nil {
		parts = append(parts, fmt.Sprintf("CVSS %.1f", *c.CVSS))
	}
	if !c.Published.IsZero() {
		parts = append(parts, "how new it is (published "+dayText(c.Published)+")")
	}
	f.text += and(parts) + "."
	if len(c.ScoreMissing) > 0 {
		f.text += " Without a term for " + and(c.ScoreMissing) + ", which is not known."
	}
	return f
}

// affectedFact lists products with versions.
func (k *desk) affectedFact(c *report.CVE) known {
	ranges := k.ranges(c)
	f := known{count: numbered(len(ranges))}
	for _, r := range ranges {
		f.items = append(f.items, r.text())
	}
	var names []string
	for _, r := range ranges {
		if !slices.Contains(names, r.name) {
			names = append(names, r.name)
		}
	}
	f.value = strings.Join(names[:min(len(names), fewItems)], ", ")
	switch {
	case len(ranges) > 0:
		f.text = fmt.Sprintf("**%s** affects:", c.ID)
		if len(names) > 1 {
			f.text = fmt.Sprintf("**%s** affects %s:", c.ID, boldNumber(len(names), "product", "products"))
		}
	case len(k.Products) > 0 && len(c.Affected) > 0:
		f.yes = truth(false)
		f.text = fmt.Sprintf("the record of **%s** does not name %s.", c.ID, k.productNames())
	default:
		f.text = fmt.Sprintf("The record of **%s** names no products.", c.ID)
	}
	if len(k.Products) > 0 && len(ranges) > 0 {
		f.yes = truth(true)
		f.text = fmt.Sprintf("**%s** affects %s in these versions:", c.ID, k.productNames())
	}
	return f
}

// fixFact says from which version on a CVE is fixed.
func (k *desk) fixFact(c *report.CVE) known {
	var f known
	var values []string
	for _, r := range k.ranges(c) {
		switch {
		case r.before != "":
			f.items = append(f.items, fmt.Sprintf("%s: fixed in **%s**%s", r.name, quoted(r.before, 60), r.since()))
			values = append(values, r.before)
		case r.last != "":
			f.items = append(f.items, fmt.Sprintf("%s: every version up to %s is affected%s; a later one is not", r.name, quoted(r.last, 60), r.since()))
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	f.value = strings.Join(values, ", ")
	remedy := ""
	for _, s := range c.Explanation {
		if s.Topic == "do" {
			remedy = quoted(s.Text, 400)
		}
	}
	switch {
	case len(f.items) == 1:
		f.text = fmt.Sprintf("**%s**, %s.", c.ID, f.items[0])
		f.items = nil
	case len(f.items) > 0:
		f.text = fmt.Sprintf("**%s** is fixed, as its record says, in:", c.ID)
	default:
		f.text = fmt.Sprintf("No record says in which version **%s** is fixed.", c.ID)
	}
	if k.Attribute != understand.FixedIn || len(f.items) == 0 && f.value == "" {
		f.text = strings.TrimSpace(f.text + " " + remedy)
	}
	return f
}

// span is a range of versions of one product that a record names.
type span struct {
	name                      string // as people write the product
	vendor, product           string
	exact, from, before, last string
	versions                  string
}

func (s span) since() string {
	if s.from == "" {
		return ""
	}
	return " (of the line from " + quoted(s.from, 40) + " on)"
}

func (s span) text() string {
	switch {
	case s.versions != "":
		return s.name + " " + quoted(strings.NewReplacer("<= ", "up to ", ">= ", "from ", "< ", "before ", "> ", "after ").Replace(s.versions), 120)
	case s.exact != "":
		return s.name + " " + quoted(s.exact, 60)
	}
	return s.name + ", all versions"
}

// ranges are what a record names as affected; of the question's products, where it names some.
func (k *desk) ranges(c *report.CVE) (out []span) {
	seen := map[string]bool{}
	for _, a := range c.Affected {
		s, ok := spanOf(a)
		if !ok || len(k.Products) > 0 && !k.meansProduct(s.vendor, s.product) || seen[s.text()] {
			continue
		}
		seen[s.text()] = true
		out = append(out, s)
	}
	if len(c.Affected) > 0 {
		return out
	}
	for _, a := range c.AffectedText {
		s := span{name: quoted(strings.TrimSpace(a.Vendor+" "+a.Product), 80), vendor: strings.ToLower(a.Vendor), product: strings.ToLower(a.Product)}
		s.exact = quoted(strings.Join(a.Versions, ", "), 120)
		if len(k.Products) == 0 || k.meansProduct(s.vendor, s.product) {
			out = append(out, s)
		}
	}
	return out
}

func (k *desk) meansProduct(vendor, product string) bool {
	return slices.ContainsFunc(k.Products, func(p understand.ProductName) bool {
		return (anyName(p.Vendor) == "" || sameName(p.Vendor, vendor)) && (anyName(p.Product) == "" || sameName(p.Product, product)) || sameProduct(p, vendor, product)
	})
}
