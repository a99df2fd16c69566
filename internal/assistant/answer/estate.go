package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// Estate is what is asked of the asker's own hosts and findings.
type Estate interface {
	AskCounts(ctx context.Context, req request.AskFindings) (report.FindingCounts, error)
	AskPage(ctx context.Context, req request.AskFindings) (report.FindingList, error)
	AskGroups(ctx context.Context, req request.AskFindings, by string) ([]report.Group, error)
	AskRows(ctx context.Context, req request.AskFindings, fn func(finding.Listed) error) error
	AskPlaces(ctx context.Context, req request.AskFindings, fn func(finding.Place)) error
	AskTally(ctx context.Context, req request.AskFindings, by string) (map[string]int, error)
	AskWeaknesses(ctx context.Context, req request.AskFindings, about request.AskWeaknesses) ([]string, error)
	AskTechniques(ctx context.Context, ids []cve.ID) (map[cve.ID][]string, error)
	AskHosts(ctx context.Context) ([]report.AskHost, error)
	AskSeen(ctx context.Context) (report.AskSeen, error)
	AskUser(ctx context.Context) string
	HostNamed(ctx context.Context, text, site string) ([]int64, error)

	Vulnerability(ctx context.Context, id int64) (report.Vulnerability, error)
	Asset(ctx context.Context, id int64) (report.HostDetail, error)
	Sites(ctx context.Context) ([]report.Site, error)
	ScanStatuses(ctx context.Context, req request.Scans) ([]report.ScanStatus, int, error)
	ScanStatus(ctx context.Context, id int64) (report.ScanStatus, error)
	Imports(ctx context.Context, limit int) (report.ImportList, error)
	Compare(ctx context.Context, req request.Compare) (report.Comparison, error)
	Trend(ctx context.Context, req request.Trend) (report.Trend, error)
	Today(ctx context.Context, since string) (report.Today, error)
	Paths(ctx context.Context, req request.Paths) (report.Paths, error)
	PathFixes(ctx context.Context, req request.Paths) (report.PathFixes, error)
	PathWhatIf(ctx context.Context, req request.WhatIf) (report.WhatIf, error)
	PathReach(ctx context.Context, req request.Paths, host string, forward bool) (report.PathReach, error)
	CVE(ctx context.Context, id cve.ID) (report.CVE, report.Catalogue, error)
	FeedStatus(ctx context.Context) (report.Feeds, error)
}

// estate answers what is asked about findings, hosts, services, software, sites, scans, imports, paths and fixes.
func estate(ctx context.Context, asked *Asked, d *Draft) (bool, error) {
	mine := *asked // what is pointed at is filled in
	q := &mine
	q.pointed()
	q.settle()
	if !q.ofEstate() {
		return false, nil
	}
	if done, err := q.nothingThere(ctx, d); done || err != nil {
		return done, err
	}
	taken := q.nearHosts(ctx)
	if t := q.unknownNames(ctx); t != nil {
		return true, q.cannot(d, t, nil)
	}
	if t, err := q.unknownCVEs(ctx); t != nil || err != nil {
		return true, q.cannot(d, t, err)
	}
	done, err := true, error(nil)
	switch q.Subject {
	case understand.Hosts:
		err = q.ofHosts(ctx, d)
	case understand.Services, understand.Software:
		err = q.ofSoftware(ctx, d)
	case understand.Sites:
		err = q.ofSites(ctx, d)
	case understand.Scans, understand.Imports:
		err = q.ofScans(ctx, d)
	case understand.Paths:
		err = q.ofPaths(ctx, d)
	case understand.Fixes:
		done, err = q.ofFixes(ctx, d)
	case understand.CVEs:
		err = q.cvesHere(ctx, d)
	default:
		if len(q.CVEs) > 0 && q.Measure == understand.Whether && q.onlyNamesCVEs() {
			err = q.affected(ctx, d)
		} else {
			err = q.ofFindings(ctx, d)
		}
	}
	if !done || err != nil {
		return done, err
	}
	d.Structured = true
	if len(taken) > 0 && !d.Refused {
		d.Say(nil, "No host is called as you wrote; taken for %s.", and(taken))
	}
	q.leftOut(d)
	return true, q.date(ctx, d)
}

// leftOut says which words of the question the answer takes no account of.
func (q *Asked) leftOut(d *Draft) {
	var words []string
	for _, w := range q.Question.Rest {
		if w = quoted(w, 40); len(w) > 2 && !slices.Contains(words, w) && !slices.Contains(saysLittle, strings.ToLower(w)) && !d.says(w) {
			words = append(words, "“"+w+"”")
		}
	}
	if len(words) > 0 && !d.Refused && q.Measure == understand.Whether && q.Attribute == "" && len(q.CVEs)+len(q.Products)+len(q.Question.Findings)+len(q.Scans)+len(q.Imports) == 0 {
		*d = Draft{}
		d.refuse(nil, "nothing here tells anything about "+few(words, 5), "Ask without it, or with a name as lists have it.")
		return
	}
	if len(words) > 0 && !d.Refused {
		d.Say(nil, "Not taken into account: %s.", few(words, 5))
	}
}

// saysLittle are words that change nothing about what is asked.
var saysLittle = []string{"need", "needs", "opened", "open", "last", "please", "really", "currently", "now", "right", "still", "exist", "exists", "have", "has", "our", "ours", "we", "us", "you", "your", "the",
	"any", "all", "there", "here", "actually", "just", "also", "only", "overall", "total", "altogether", "exactly", "know", "see", "today", "kind", "sort", "stuff", "things", "thing", "around", "estate", "network",
	"environment", "and", "with", "from", "for", "are", "was", "were", "been", "being", "that", "this", "these", "those", "them", "they", "does", "did", "can", "could", "would", "should", "quick", "quickly"}

// says is whether the answer has a word.
func (d *Draft) says(word string) bool {
	return slices.ContainsFunc(d.Lines, func(l Line) bool { return strings.Contains(strings.ToLower(l.Text), strings.ToLower(word)) })
}

// estateSubjects are those that no other part answers.
var estateSubjects = []understand.Subject{understand.Findings, understand.Hosts, understand.Services, understand.Software, understand.Sites, understand.Scans,
	understand.Imports, understand.Paths, understand.Fixes}

// ofEstate says whether a question is about the asker's own estate.
func (q *Asked) ofEstate() bool {
	switch q.Subject {
	case understand.CVEs:
	default:
		return slices.Contains(estateSubjects, q.Subject)
	}
	if len(q.Hosts)+len(q.Sites)+len(q.Tags)+len(q.Triage)+len(q.Labels)+len(q.Question.Findings) > 0 || q.Jewels || q.Owner != "" || q.Assignee != "" || q.State != "" ||
		q.Overdue || q.Exposed != nil || q.Potential {
		return true
	}
	return q.Measure == understand.Whether && len(q.CVEs) > 0 && len(q.Products) == 0 && q.Attribute == "" && q.onlyNamesCVEs()
}

// onlyNamesCVEs says whether nothing but where is asked beside CVEs: whether they are here, and not how they are.
func (q *Asked) onlyNamesCVEs() bool {
	return q.KEV == nil && q.Exploited == nil && q.Exploit == "" && q.Ransomware == nil && q.MinCVSS == nil && q.MaxCVSS == nil && q.MinEPSS == nil && q.MaxEPSS == nil &&
		len(q.Severities)+len(q.Decisions)+len(q.Techniques)+len(q.CWEs)+len(q.Triage) == 0 && q.State == "" && q.Time == nil && !q.Overdue && !q.Potential
}

// cvesHere answers what is asked of CVEs on the asker's own hosts.
func (q *Asked) cvesHere(ctx context.Context, d *Draft) error {
	if len(q.CVEs) > 0 && q.Measure == understand.Whether && q.onlyNamesCVEs() {
		return q.affected(ctx, d)
	}
	c, t, err := q.findings(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	if q.Measure == understand.Fact || q.Measure == understand.Why || q.Measure == understand.Explain && len(q.CVEs) > 0 {
		return q.factOfFindings(ctx, d, c)
	}
	if q.Measure == understand.Whether {
		return q.whetherFindings(ctx, d, c)
	}
	if len(q.CVEs) > 0 && (q.Measure == understand.Count || q.Measure == understand.List) {
		return q.ofFindings(ctx, d)
	}
	return q.listCVEs(ctx, d, c)
}

// listCVEs counts and lists different CVEs of the asker's findings.
func (q *Asked) listCVEs(ctx context.Context, d *Draft, c *chosen) error {
	groups, t, err := q.groupsBy(ctx, c, "cve")
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	groups = slices.DeleteFunc(groups, func(g grouped) bool { return finding.Weakness(g.id).CVE() == 0 })
	total := 0
	for _, g := range groups {
		total += g.n
	}
	cite := q.citeList(d, c, total)
	d.Facts.Count = numbered(len(groups))
	shown := groups[:q.fit(len(groups))]
	if q.Measure == understand.Count {
		shown = shown[:min(3, len(shown))]
	}
	sentence := fmt.Sprintf("%s different %s %s behind %s", number(len(groups)), have(len(groups), "CVE", "CVEs"), have(len(groups), "is", "are"),
		plainBold(report.Thousands(total)+" "+c.phrase(total)))
	if len(shown) == 0 {
		d.Say([]int{cite}, "%s.", sentence)
		return nil
	}
	d.Say([]int{cite}, "%s; the most urgent first:", sentence)
	for _, g := range shown {
		d.Item([]int{d.Cite(weaknessSource(g.id, ""))}, "%s: %s on %s", boldOurs(g.name), report.Plural(g.n, "finding", "findings"), report.Plural(g.hosts, "host", "hosts"))
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "cve", ID: g.id, Name: g.name, Count: numbered(g.n)})
	}
	if d.Facts.More = len(groups) - len(shown); d.Facts.More > 0 {
		d.Say([]int{cite}, "And %s more.", report.Thousands(d.Facts.More))
	}
	q.askOn(d, "Which of those are known to be exploited?", "Which hosts have most of them?", "What should I fix first?")
	return nil
}
