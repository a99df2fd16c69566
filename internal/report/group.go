package report

import (
	"fmt"
	"io"
)

// Facts are what the reports say of a finding beyond its rating.
type Facts struct {
	Kind       string   `json:"kind"`   // vulnerability, compliance
	Result     Text     `json:"result"` // of compliance: passed, failed, warning, error
	Benchmark  Text     `json:"benchmark"`
	Reference  Text     `json:"reference"`
	CWEs       []string `json:"cwes"`
	SeverityBy Text     `json:"severity_by"` // who gave the severity
	RemedyKey  Text     `json:"remedy_key"`  // the same for all findings that one action fixes
	FixedIn    Text     `json:"fixed_in"`
	Owner      Text     `json:"owner"` // of the host
}

// GroupList is the document of findings in groups.
type GroupList struct {
	By     string  `json:"by"`
	Total  int     `json:"total"` // groups
	Groups []Group `json:"groups"`
	Next   *string `json:"next"` // the cursor of the next page, null on the last
}

// Group is all findings of a list that have something in common.
type Group struct {
	Key      Text `json:"key"`  // null is what has none
	Name     Text `json:"name"` // for people
	Action   Text `json:"action"`
	FixedIn  Text `json:"fixed_in"` // the highest version that one of the findings needs
	Findings int  `json:"findings"`
	CVEs     int  `json:"cves"`
	Hosts    int  `json:"hosts"`
	KEV      int  `json:"kev"`
	Decision Text `json:"decision"` // the most urgent
	Due      Date `json:"due"`      // the earliest
}

// groupTitles are the columns that name a group, and what stands for what has none.
var groupTitles = map[string][2]string{
	"remedy": {"WHAT TO DO", "no remedy is known"}, "host": {"HOST", missing}, "cve": {"CVE", missing}, "product": {"PRODUCT", "not known"},
	"site": {"SITE", missing}, "assignee": {"ASSIGNEE", "nobody"}, "owner": {"OWNER", "nobody"},
}

// GroupTable lists groups for people: "upgrade OpenSSH to 9.8", 15 CVEs, 7 hosts.
func GroupTable(w io.Writer, doc GroupList, t Terminal) error {
	title := groupTitles[doc.By]
	g := &grid{columns: []column{
		{Title: title[0], Flex: 20}, {Title: "FINDINGS", Right: true}, {Title: "CVES", Right: true}, {Title: "HOSTS", Right: true},
		{Title: "KEV", Right: true}, {Title: "DECISION"}, {Title: "DUE"},
	}}
	for _, group := range doc.Groups {
		name := string(group.Name)
		if group.Action != "" {
			name = string(group.Action)
		}
		if name == "" {
			name = title[1]
		}
		row := plainCells(name, Thousands(group.Findings), Thousands(group.CVEs), Thousands(group.Hosts), Thousands(group.KEV),
			string(group.Decision), group.Due.String())
		row[5].tone = decisionTone(string(group.Decision))
		g.add(row...)
	}
	p := &printer{w: w, view: View{Terminal: t}}
	if len(doc.Groups) == 0 {
		p.line("No findings.")
		return p.err
	}
	p.err = g.draw(w, t)
	if rest := doc.Total - len(doc.Groups); rest > 0 && doc.Next != nil {
		p.line("%s", t.paint(toneFaint, fmt.Sprintf("%s of %s groups; the next: --cursor %s", Thousands(len(doc.Groups)), Thousands(doc.Total), *doc.Next)))
	}
	return p.err
}

// Page is what a page of a list is part of.
type Page struct {
	Total     int
	Confirmed int
	Next      *string
}

// FindingPage shows one page of a list that is too long to be shown whole; potential findings stand among the others,
// with their confidence.
func FindingPage(w io.Writer, findings []Finding, c Catalogue, page Page, v View) error {
	p := &printer{w: w, view: v}
	p.view.Limit = 0
	p.findings(findings, Run{Catalogue: c})
	if page.Total == 0 {
		p.line("No findings.")
	} else {
		p.text(fmt.Sprintf("%s of %s, of which %s.", Thousands(len(findings)), Plural(page.Total, "finding", "findings"),
			Thousands(page.Confirmed)+" are confirmed"))
	}
	if page.Next != nil {
		p.text("The next: --cursor " + *page.Next + "; all of them: --limit 0")
	}
	p.indicators(hostsOf(findings))
	p.catalogue(c)
	return p.err
}
