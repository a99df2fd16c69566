package app

import (
	"context"
	"io"
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/priority"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/store"
)

// FindingPage lists a page of findings with their evidence: Findings for those who ask often.
func (a *App) FindingPage(ctx context.Context, req request.Findings) (report.FindingList, error) {
	return together(ctx, a.store, func(ctx context.Context) (report.FindingList, error) { return a.findingPage(ctx, req) })
}

func (a *App) findingPage(ctx context.Context, req request.Findings) (out report.FindingList, err error) {
	filter, err := a.filter(ctx, req)
	if err != nil {
		return out, err
	}
	if filter.After, err = finding.ParseCursor(req.Cursor, filter.Sort); err != nil {
		return out, err
	}
	req.Limit = max(req.Limit, 1)
	filter.Limit = req.Limit + 1 // is there more?
	listed, counts, err := a.store.Estate().FindingPage(ctx, a.who.View, filter)
	if err != nil {
		return out, err
	}
	out.Total = counts.Total
	if len(listed) > req.Limit {
		listed = listed[:req.Limit]
		next := filter.CursorOf(&listed[req.Limit-1]).String()
		out.Next = &next
	}
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return out, err
	}
	out.Findings = make([]report.Finding, 0, len(listed))
	for _, l := range listed {
		out.Findings = append(out.Findings, toFinding(l, l.Evidence, kevKnown(cat)))
	}
	return out, a.markFindings(ctx, out.Findings, listed)
}

// FindingCounts says what a list comes to without reading it.
func (a *App) FindingCounts(ctx context.Context, req request.Findings) (report.FindingCounts, error) {
	filter, err := a.filter(ctx, req)
	if err != nil {
		return report.FindingCounts{}, err
	}
	return a.counts(ctx, filter)
}

func (a *App) counts(ctx context.Context, filter finding.Filter) (report.FindingCounts, error) {
	c, err := a.store.Estate().CountFindings(ctx, a.who.View, filter)
	return report.FindingCounts{Total: c.Total, Confirmed: c.Confirmed, KEV: c.KEV, BySeverity: c.BySeverity, ByDecision: c.ByDecision}, err
}

// EachFinding calls fn for every finding of a list in its order, with its evidence, and keeps none of them: a list of any
// length is exported in the memory of a part of it. Its cursor and limit are not looked at. An error of fn ends it.
func (a *App) EachFinding(ctx context.Context, req request.Findings, fn func(report.Finding) error) error {
	filter, err := a.filter(ctx, req)
	if err != nil {
		return err
	}
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return err
	}
	var batch []finding.Listed
	flush := func() error {
		shown, err := a.shown(ctx, batch, cat)
		if err != nil {
			return err
		}
		for _, f := range shown {
			if err := fn(f); err != nil {
				return err
			}
		}
		batch = batch[:0]
		return nil
	}
	if err := a.store.Estate().EachFinding(ctx, a.who.View, filter, func(l finding.Listed) error {
		if batch = append(batch, l); len(batch) < evidenceBatch {
			return nil
		}
		return flush()
	}); err != nil {
		return err
	}
	return flush()
}

// Vulnerability returns one finding with everything that is known of it.
func (a *App) Vulnerability(ctx context.Context, id int64) (report.Vulnerability, error) {
	return together(ctx, a.store, func(ctx context.Context) (report.Vulnerability, error) { return a.vulnerability(ctx, id) })
}

func (a *App) vulnerability(ctx context.Context, id int64) (report.Vulnerability, error) {
	f, _, err := a.Finding(ctx, id)
	if err != nil {
		return report.Vulnerability{}, err
	}
	out := report.Vulnerability{Finding: f, Explanation: []report.Sentence{}}
	if err := a.addPlace(ctx, &out); err != nil {
		return out, err
	}
	if f.CVE == "" {
		return out, a.explainCheck(ctx, &out)
	}
	number, err := cve.ParseID(string(f.CVE))
	if err != nil {
		return out, nil //nolint:nilerr // what is no CVE has no facts
	}
	facts, _, err := a.CVE(ctx, number)
	if fault.KindOf(err) == fault.KindNotFound {
		return out, nil // the catalogue of before knew it
	}
	if err == nil {
		out.CVEFacts, out.Explanation = &facts, facts.Explanation
	}
	return out, err
}

// addPlace adds the host, and the service that the finding is about.
func (a *App) addPlace(ctx context.Context, out *report.Vulnerability) error {
	host, err := a.store.Estate().Host(ctx, a.who.View, out.HostID)
	if err != nil {
		return err
	}
	hosts, err := a.hosts(ctx, store.HostFilter{IDs: []int64{host.ID}})
	if err != nil {
		return err
	}
	if len(hosts) == 0 {
		return fault.NotFound("there is no host %d", out.HostID) // it went meanwhile
	}
	out.HostFacts = hosts[0]
	if out.Port == nil {
		return nil
	}
	services, err := a.store.Estate().Services(ctx, a.who.View, []int64{host.ID})
	for _, s := range services {
		if s.Port == *out.Port && s.Protocol == string(out.Protocol) {
			shown := toHost(host, append(services[:0:0], s)).Services[0]
			out.ServiceFacts = &shown
		}
	}
	return err
}

// explainCheck puts into words what a scanner found that has no CVE.
func (a *App) explainCheck(ctx context.Context, out *report.Vulnerability) error {
	loaded, err := a.loaded(ctx)
	if err != nil {
		return err
	}
	source, key, _ := strings.Cut(string(out.Check), ":")
	out.Explanation = sentences(explain.CVE(explain.Input{
		Check: &explain.Check{Source: source, Key: key, Title: string(out.Title)}, Loaded: loaded, Due: out.Due.Time, Verdict: verdictOf(&out.Finding),
	}))
	return nil
}

// verdictOf is what was decided of a finding, of which no record tells.
func verdictOf(f *report.Finding) priority.Verdict {
	return priority.Verdict{
		Severity: f.Severity, CVSS: f.CVSS, CVSSVersion: string(f.CVSSVersion), CVSSSource: string(f.CVSSSource), Likelihood: f.Likelihood,
		LikelihoodSource: string(f.LikelihoodSource), Score: f.PriorityScore, ScorePartial: f.ScorePartial, Decision: priority.Decision(f.Decision),
		Forensics: f.Forensics, Assumed: f.DecisionAssumed,
	}
}

// Exploits lists what is published that exploits a finding's CVE.
func (a *App) Exploits(ctx context.Context, id int64) (report.ExploitList, error) {
	l, err := a.store.Estate().Finding(ctx, a.who.View, id)
	if err != nil {
		return report.ExploitList{}, err
	}
	out := report.ExploitList{Finding: l.ID, CVE: report.Text(l.Weakness.CVE().String()), Exploits: []report.Exploit{}}
	number := l.Weakness.CVE()
	if number == 0 {
		return out, nil
	}
	facts, err := a.store.Catalogue().Facts(ctx, []cve.ID{number})
	if err == nil {
		out.Exploits = exploits(facts[number].Exploits)
	}
	return out, err
}

// ReadRules is ImportRules of one document that is no file here.
func (a *App) ReadRules(ctx context.Context, tool, name string, document io.Reader) (_ report.RuleImport, err error) {
	defer func() { a.auditEnd(ctx, "rule.import", name, "", err) }()
	doc, err := a.ImportRules(ctx, ImportRequest{Files: []string{"-"}, Stdin: document, Tool: tool})
	for i := range doc.Files {
		doc.Files[i].File = name
	}
	return doc, err
}

// ScanFindings lists a page of what a scan saw, most urgent first.
func (a *App) ScanFindings(ctx context.Context, id int64, skip, limit int) (report.FindingItems, error) {
	out := report.FindingItems{Items: []report.Finding{}, Skip: skip, Limit: limit}
	if err := a.checkExist(ctx, id, ""); err != nil {
		return out, err
	}
	listed, counts, err := a.store.Estate().FindingPage(ctx, a.who.View, finding.Filter{Scan: id, Skip: skip, Limit: limit})
	if err != nil {
		return out, err
	}
	out.Total = counts.Total
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return out, err
	}
	out.Items, err = a.shown(ctx, listed, cat)
	return out, err
}

// ScanDocument returns a scan without its findings, which EachFinding tells.
func (a *App) ScanDocument(ctx context.Context, id int64) (doc report.Scan, err error) {
	s, err := a.store.Estate().Scan(ctx, a.who.View, id)
	if err != nil {
		return doc, err
	}
	if doc.Scan, err = a.toRun(ctx, s); err != nil {
		return doc, err
	}
	doc.Hosts, err = a.hosts(ctx, store.HostFilter{Scan: id})
	return doc, err
}

// ScanTasks lists the tasks of a scan.
func (a *App) ScanTasks(ctx context.Context, id int64) (report.TaskList, error) {
	out := report.TaskList{Tasks: []report.Task{}}
	if err := a.checkExist(ctx, id, ""); err != nil {
		return out, err
	}
	tasks, err := a.store.Estate().Tasks(ctx, a.who.View, id)
	for _, t := range tasks {
		one := report.Task{N: t.N, Scanner: t.Scanner, Stage: stages[t.Stage], Hosts: len(t.Hosts), Targets: []string{}, Status: string(t.Status),
			Attempts: t.Attempts, Version: report.Text(t.Version), Error: report.Text(t.Error), StartedAt: pointer(t.Started), FinishedAt: pointer(t.Finished)}
		for _, h := range t.Hosts[:min(len(t.Hosts), shownTargets)] {
			one.Targets = append(one.Targets, h.Address.String())
		}
		out.Tasks = append(out.Tasks, one)
	}
	out.Total = len(out.Tasks)
	return out, err
}

// stages are the names of the stages of a scan.
var stages = map[scan.Stage]string{scan.Discovery: "discovery", scan.Services: "services", scan.WebStage: "web"}

// shownTargets is how many of a task's targets are named.
const shownTargets = 16

// ScanHostPage lists how a page of a scan's hosts answered.
func (a *App) ScanHostPage(ctx context.Context, id int64, skip, limit int) (report.ScanHostList, error) {
	out := report.ScanHostList{Hosts: []report.ScanHost{}, Skip: skip, Limit: limit}
	if err := a.checkExist(ctx, id, ""); err != nil {
		return out, err
	}
	hosts, err := a.store.Estate().ScanHosts(ctx, a.who.View, id)
	out.Total = len(hosts)
	for _, h := range hosts[min(skip, len(hosts)):min(skip+limit, len(hosts))] {
		one := report.ScanHost{Address: report.Text(h.Address), Name: report.Text(h.Name), Status: either(h.Status, "unknown"), Reason: report.Text(h.Reason)}
		if h.HostID != 0 {
			one.ID = &h.HostID
		}
		out.Hosts = append(out.Hosts, one)
	}
	return out, err
}

// The length of a summary's lists.
const summaryTop = 10

// Summary puts a scan on one page.
func (a *App) Summary(ctx context.Context, id int64) (out report.Summary, err error) {
	doc, err := a.ScanDocument(ctx, id)
	if err != nil {
		return out, err
	}
	out = report.Summary{Scan: doc.Scan, Hosts: len(doc.Hosts), Formats: []string{"json", "csv", "sarif"}, CreatedAt: a.now().UTC()}
	for _, h := range doc.Hosts {
		out.Services += len(h.Services)
	}
	known, err := a.store.Estate().ScanHosts(ctx, a.who.View, id)
	if err != nil {
		return out, err
	}
	for _, h := range known {
		if h.Status == "up" {
			out.HostsUp++
		}
	}
	if out.Counts, err = a.counts(ctx, finding.Filter{Scan: id}); err != nil {
		return out, err
	}
	top, err := a.findings(ctx, finding.Filter{Scan: id, Limit: summaryTop}, doc.Scan.Catalogue)
	if err != nil {
		return out, err
	}
	out.Top = top
	for _, list := range []struct {
		by   finding.GroupBy
		into *[]report.Group
	}{{finding.GroupRemedy, &out.Remedies}, {finding.GroupHost, &out.WorstHost}} {
		groups, err := a.FindingGroups(ctx, request.Findings{Scan: id, State: "all", Limit: summaryTop}, string(list.by))
		if err != nil {
			return out, err
		}
		*list.into = groups.Groups
	}
	return out, nil
}
