package report

import (
	"fmt"
	"io"
	"strings"
	"time"
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

// Sync is the document of `feeds sync`.
type Sync struct {
	Runs    []FeedRun `json:"runs"`
	Unknown []string  `json:"unknown_files"`
}

// Feeds is the document of `feeds status`.
type Feeds struct {
	Catalogue Catalogue `json:"catalogue"`
	Feeds     []FeedRun `json:"feeds"` // the last run of each feed, one without Status never ran
}

// FeedRun is one run of one feed.
type FeedRun struct {
	Feed      string        `json:"feed"`
	Source    Text          `json:"source"`
	Status    Text          `json:"status"` // ok, unchanged, failed; null: never ran
	Seen      int           `json:"seen"`
	Inserted  int           `json:"inserted"`
	Updated   int           `json:"updated"`
	Unchanged int           `json:"unchanged"`
	Rejected  int           `json:"rejected"`
	Reasons   []Dropped     `json:"reasons"`
	Started   *time.Time    `json:"started_at"`
	Finished  *time.Time    `json:"finished_at"`
	Error     Text          `json:"error"`
	Enabled   bool          `json:"enabled"`
	LastGood  *time.Time    `json:"last_good_at"`
	Records   int           `json:"records"` // in the catalogue now
	Took      time.Duration `json:"-"`
}

// SyncTable shows what each run did.
func SyncTable(w io.Writer, s Sync, v View) error {
	p := &printer{w: w, view: v}
	p.err = feedGrid(s.Runs, v, true).draw(w, v.Terminal)
	p.feedNotes(s.Runs)
	if len(s.Unknown) > 0 {
		p.line("")
		p.text(Plural(len(s.Unknown), "file", "files") + " of no known feed, left alone: " + strings.Join(s.Unknown[:min(len(s.Unknown), 10)], ", ") +
			map[bool]string{true: ", …"}[len(s.Unknown) > 10])
	}
	return p.err
}

// FeedTable shows the state of each feed.
func FeedTable(w io.Writer, f Feeds, v View) error {
	p := &printer{w: w, view: v}
	p.err = feedGrid(f.Feeds, v, false).draw(w, v.Terminal)
	p.feedNotes(f.Feeds)
	p.catalogue(f.Catalogue)
	return p.err
}

func feedGrid(runs []FeedRun, v View, sync bool) *grid {
	g := &grid{columns: []column{
		{Title: "FEED"}, {Title: "STATUS"}, {Title: "SEEN", Right: true}, {Title: "NEW", Right: true}, {Title: "CHANGED", Right: true},
		{Title: "SAME", Right: true}, {Title: "REJECTED", Right: true}, {Title: "TIME", Right: true}, {Title: "SOURCE", Flex: 12, Optional: 1},
	}}
	if !sync {
		g.columns[7] = column{Title: "LAST GOOD RUN"}
	}
	for _, r := range runs {
		when := r.Took.Round(100 * time.Millisecond).String()
		if !sync {
			when = missing
			if r.LastGood != nil {
				when = Age(v.Now.Sub(*r.LastGood))
			}
		}
		g.add(cellValue{text: r.Feed}, feedStatus(r), cellValue{text: Thousands(r.Seen)}, cellValue{text: Thousands(r.Inserted)},
			cellValue{text: Thousands(r.Updated)}, cellValue{text: Thousands(r.Unchanged)}, cellValue{text: Thousands(r.Rejected)},
			cellValue{text: when}, cellValue{text: orMissing(string(r.Source))})
	}
	return g
}

func feedStatus(r FeedRun) cellValue {
	switch {
	case r.Status == "failed":
		return cellValue{"failed", toneUrgent}
	case r.Status == "" && !r.Enabled:
		return cellValue{"off", toneFaint}
	case r.Status == "":
		return cellValue{"not synced", toneFaint}
	}
	return cellValue{string(r.Status), toneNone}
}

func (p *printer) feedNotes(runs []FeedRun) {
	for _, r := range runs {
		if r.Error != "" {
			p.item("  ", r.Feed+": "+string(r.Error))
		}
		for _, reason := range r.Reasons {
			p.item("  ", fmt.Sprintf("%s: %s rejected: %s", r.Feed, Thousands(reason.Count), reason.Reason))
		}
	}
}
