package report

import (
	"fmt"
	"io"
	"strings"
)

// CVE is one vulnerability with everything that is known of its use.
type CVE struct {
	ID            string         `json:"id"`
	Title         Text           `json:"title"`
	Description   Text           `json:"description"`
	Status        Text           `json:"status"` // NVD's vulnStatus
	Published     Date           `json:"published"`
	Modified      Date           `json:"modified"`
	Severity      string         `json:"severity"`
	CVSS          *float64       `json:"cvss"`
	CVSSVersion   Text           `json:"cvss_version"`
	CVSSSource    Text           `json:"cvss_source"`
	CVSSVector    Text           `json:"cvss_vector"`
	EPSS          *float64       `json:"epss"`
	EPSSDate      Date           `json:"epss_date"`
	KEV           *bool          `json:"kev"`
	KEVAdded      Date           `json:"kev_added"`
	KEVDue        Date           `json:"kev_due"`
	Ransomware    *bool          `json:"ransomware"`
	Decision      Text           `json:"decision"` // assuming that the host is exposed
	PriorityScore *float64       `json:"priority_score"`
	CWEs          []string       `json:"cwes"`
	Affected      []AffectedRule `json:"affected"`
	Exploits      []Exploit      `json:"exploits"`
	References    []Reference    `json:"references"`
}

// AffectedRule is one vulnerable leaf of the configurations, for people: the whole tree is what `match` evaluates.
type AffectedRule struct {
	CPE      string `json:"cpe"`
	Versions Text   `json:"versions"` // ">= 8.5, < 9.8"; null is what the CPE says
}

// Exploit is a public exploit.
type Exploit struct {
	Source   string `json:"source"`
	ID       string `json:"id"`
	Title    Text   `json:"title"`
	Verified bool   `json:"verified"`
	URL      Text   `json:"url"`
}

// Reference is a link with the publisher's tags.
type Reference struct {
	URL  string   `json:"url"`
	Tags []string `json:"tags"`
}

// Search is the answer to `cve search`.
type Search struct {
	Query string     `json:"query"`
	Items []CVEBrief `json:"items"`
	More  bool       `json:"more"` // there are others beyond the limit
}

// CVEBrief is a CVE as lists show it.
type CVEBrief struct {
	ID        string   `json:"id"`
	Title     Text     `json:"title"`
	Published Date     `json:"published"`
	Severity  string   `json:"severity"`
	CVSS      *float64 `json:"cvss"`
	EPSS      *float64 `json:"epss"`
	KEV       *bool    `json:"kev"`
}

// shownRules and shownLinks bound what a person wants to read of one CVE; JSON has all.
const (
	shownRules = 12
	shownLinks = 8
)

// CVETable shows one CVE to a person.
func CVETable(w io.Writer, c CVE, cat Catalogue, v View) error {
	p := &printer{w: w, view: v}
	p.line("%s  %s", v.paint(toneTitle, c.ID), Plain(string(c.Title)))
	for _, row := range cveRows(c, cat) {
		p.pair(row[0], row[1])
	}
	if c.Description != "" {
		p.line("")
		p.text(string(c.Description))
	}
	p.section("Affected", len(c.Affected), shownRules, func(i int) string {
		return strings.TrimSpace(c.Affected[i].CPE + "  " + string(c.Affected[i].Versions))
	})
	p.section("Public exploits", len(c.Exploits), shownLinks, func(i int) string {
		e := c.Exploits[i]
		return strings.TrimSpace(fmt.Sprintf("%s %s %s", e.ID, e.Title, e.URL))
	})
	p.section("References", len(c.References), shownLinks, func(i int) string {
		return strings.TrimSpace(c.References[i].URL + " " + strings.Join(c.References[i].Tags, ", "))
	})
	p.catalogue(cat)
	return p.err
}

func (p *printer) pair(name, value string) { p.line("  %-12s %s", name, Plain(value)) }

func (p *printer) section(title string, n, limit int, entry func(int) string) {
	if n == 0 {
		return
	}
	p.line("")
	p.line("%s", p.view.paint(toneTitle, title))
	for i := range min(n, limit) {
		p.item("  ", entry(i))
	}
	if n > limit {
		p.line("  … and %s more (--format json)", Thousands(n-limit))
	}
}

func cveRows(c CVE, cat Catalogue) [][2]string {
	absent := func(value, feed string) string {
		if value == "" && !cat.Synced(feed) {
			return "not synced"
		}
		return orMissing(value)
	}
	cvss := number(c.CVSS, 1)
	if c.CVSS != nil {
		cvss = fmt.Sprintf("%s %s (%s by %s)", cvss, c.Severity, c.CVSSVector, c.CVSSSource)
	}
	epss := number(c.EPSS, 5)
	if c.EPSS != nil && !c.EPSSDate.IsZero() {
		epss += " (of " + c.EPSSDate.String() + ")"
	}
	kev := yesNo(c.KEV)
	if c.KEV != nil && *c.KEV {
		kev = "yes, since " + c.KEVAdded.String()
		if c.Ransomware != nil && *c.Ransomware {
			kev += ", used by ransomware"
		}
	}
	rows := [][2]string{
		{"Published", c.Published.String() + ", changed " + c.Modified.String()},
		{"CVSS", orMissing(cvss)},
		{"EPSS", absent(epss, "epss")},
		{"KEV", absent(kev, "kev")},
		{"Decision", orMissing(string(c.Decision)) + " (on a host that the internet can reach)"},
		{"Score", orMissing(number(c.PriorityScore, 3))},
		{"Weakness", orMissing(strings.Join(c.CWEs, ", "))},
	}
	if c.Status == "Rejected" {
		rows = append(rows, [2]string{"Status", "rejected by its assigner: matches nothing"})
	}
	return rows
}

// SearchTable lists what was found.
func SearchTable(w io.Writer, s Search, cat Catalogue, v View) error {
	p := &printer{w: w, view: v}
	if len(s.Items) == 0 {
		p.text("Nothing found for “" + s.Query + "”.")
		p.catalogue(cat)
		return p.err
	}
	g := &grid{columns: []column{
		{Title: "CVE"}, {Title: "PUBLISHED", Optional: 1}, {Title: "CVSS", Right: true}, {Title: "EPSS", Right: true}, {Title: "KEV"},
		{Title: "TITLE", Flex: 20},
	}}
	for _, c := range s.Items {
		noEPSS, noKEV := missing, missing
		if !cat.Synced("epss") && !v.narrow() {
			noEPSS = "not synced"
		}
		g.add(cellValue{text: c.ID}, cellValue{text: c.Published.String()},
			cellValue{orMissing(number(c.CVSS, 1)), severityTone(c.Severity)}, either(number(c.EPSS, 4), noEPSS, toneNone),
			kevCell(Finding{KEV: c.KEV}, noKEV), cellValue{text: orMissing(string(c.Title))})
	}
	if p.err = g.draw(w, v.Terminal); p.err == nil && s.More {
		p.line("%s", v.paint(toneFaint, "… there are more: narrow the search, or --limit N"))
	}
	p.catalogue(cat)
	return p.err
}
