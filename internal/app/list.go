package app

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// FindingRequest is request.Findings.
type FindingRequest = request.Findings

// Nobody is the assignee or owner of what has none.
const Nobody = "nobody"

// FindingList is one page of a list of findings and what they are altogether.
type FindingList struct {
	Findings  []report.Finding
	Total     int
	Confirmed int // of the total
	Next      *string
	Whole     bool // there is no other page
	Catalogue report.Catalogue
}

// Findings lists findings with their evidence.
func (a *App) Findings(ctx context.Context, req FindingRequest) (l FindingList, err error) {
	filter, err := a.filter(ctx, req)
	if err != nil {
		return l, err
	}
	if filter.After, err = finding.ParseCursor(req.Cursor, filter.Sort); err != nil {
		return l, err
	}
	if l.Catalogue, err = a.Catalogue(ctx); err != nil {
		return l, err
	}
	counts, err := a.store.Estate().CountFindings(ctx, a.who.View, filter)
	if err != nil {
		return l, err
	}
	l.Total, l.Confirmed = counts.Total, counts.Confirmed
	if l.Whole = req.Cursor == "" && counts.Total <= max(req.Whole, req.Limit); l.Whole {
		req.Limit = 0
	}
	if filter.Limit = req.Limit; filter.Limit > 0 {
		filter.Limit++ // is there more?
	}
	listed, err := a.store.Estate().Findings(ctx, a.who.View, filter)
	if err != nil {
		return l, err
	}
	if req.Limit > 0 && len(listed) > req.Limit {
		listed = listed[:req.Limit]
		next := filter.CursorOf(&listed[req.Limit-1]).String()
		l.Next = &next
	}
	l.Findings, err = a.shown(ctx, listed, l.Catalogue)
	return l, err
}

// AnyFinding says whether a request selects anything.
func (a *App) AnyFinding(ctx context.Context, req FindingRequest) (bool, error) {
	filter, err := a.filter(ctx, req)
	if err != nil {
		return false, err
	}
	counts, err := a.store.Estate().CountFindings(ctx, a.who.View, filter)
	return counts.Total > 0, err
}

// FindingGroups lists groups of findings, the most urgent first; limit 0 is all.
func (a *App) FindingGroups(ctx context.Context, req FindingRequest, by string) (doc report.GroupList, err error) {
	if !slices.Contains(finding.GroupBys(), finding.GroupBy(by)) {
		return doc, fault.InvalidOption("group", " %s: want one of %v", by, finding.GroupBys())
	}
	if req.Sort != "" {
		return doc, fault.InvalidOption("sort", " does not go with --group: groups are sorted by their most urgent finding")
	}
	filter, err := a.filter(ctx, req)
	if err != nil {
		return doc, err
	}
	after, err := finding.ParseGroupCursor(req.Cursor, finding.GroupBy(by))
	if err != nil {
		return doc, err
	}
	limit := req.Limit
	if limit > 0 {
		limit++
	}
	groups, total, err := a.store.Estate().FindingGroups(ctx, a.who.View, filter, finding.GroupBy(by), after, limit)
	if err != nil {
		return doc, err
	}
	doc = report.GroupList{By: by, Total: total, Groups: []report.Group{}}
	if req.Limit > 0 && len(groups) > req.Limit {
		groups = groups[:req.Limit]
		next := groups[req.Limit-1].Cursor(finding.GroupBy(by)).String()
		doc.Next = &next
	}
	for _, g := range groups {
		doc.Groups = append(doc.Groups, toGroup(g, finding.GroupBy(by)))
	}
	return doc, nil
}

func toGroup(g finding.Group, by finding.GroupBy) report.Group {
	out := report.Group{Key: report.Text(g.Key), Name: report.Text(g.Name), Findings: g.Findings, CVEs: g.CVEs, Hosts: g.Hosts, KEV: g.KEV,
		Decision: report.Text(g.Decision), Due: report.Date{Time: g.Due}}
	if by == finding.GroupRemedy {
		out.Action, out.FixedIn = report.Text(finding.Action(g.Key, g.Name, g.FixedIn)), report.Text(g.FixedIn)
	}
	return out
}

// filter reads a request; a mistake is told with the flag that it was made in.
func (a *App) filter(ctx context.Context, req FindingRequest) (f finding.Filter, err error) {
	f = finding.Filter{
		Scan: req.Scan, Site: req.Site, ShowHidden: req.Hidden, Severities: req.Severities, Decisions: req.Decisions, MinConfidence: req.Confidence,
		Confirmed: req.Confirmed, Potential: req.Potential, Weakness: req.Weakness, Remedy: req.Remedy, Sensor: req.Scanner,
		Protocols: req.Protocols, Component: req.Component, Product: req.Product, Text: req.Text, Labels: req.Labels, Tags: req.Tags,
		Overdue: req.Overdue, SLAOverdue: req.SLAOverdue, Triage: typed[finding.TriageState](req.Triage),
		Statuses: typed[finding.Status](req.Statuses), Kinds: typed[finding.Kind](req.Kinds),
	}
	for _, read := range []func(*finding.Filter, FindingRequest) error{readState, readWords, readNumbers, readDays, readPeople} {
		if err := read(&f, req); err != nil {
			return f, err
		}
	}
	if f.Sort, err = finding.ParseSort(req.Sort); err != nil {
		return f, err
	}
	if err := a.checkExist(ctx, req.Scan, req.Site); err != nil {
		return f, err
	}
	if req.Host != "" {
		f.HostID, err = a.hostID(ctx, req.Host, req.Site)
	}
	return f, err
}

func typed[T ~string](words []string) (out []T) {
	for _, w := range words {
		out = append(out, T(w))
	}
	return out
}

func readState(f *finding.Filter, req FindingRequest) error {
	switch req.State {
	case "":
		f.Live = true
	case "open", "reopened", "fixed", "closed":
		f.States = []finding.State{finding.State(req.State)}
	case "all":
	default:
		return fault.InvalidOption("state", " %s: want open, reopened, fixed, closed or all", req.State)
	}
	if req.Confirmed && req.Potential {
		return fault.InvalidOption("confirmed", " and --potential exclude each other")
	}
	return nil
}

// readWords checks what is one of a few words.
func readWords(_ *finding.Filter, req FindingRequest) error {
	for _, check := range []struct {
		flag        string
		got, wanted []string
	}{
		{"severity", req.Severities, []string{"critical", "high", "medium", "low", "info", "unknown"}},
		{"decision", req.Decisions, []string{"act", "attend", "plan", "track"}},
		{"triage", req.Triage, []string{"none", "confirmed", "false_positive", "accepted", "out_of_scope"}},
		{"status", req.Statuses, []string{"affected", "conditional", "uncertain", "unaffected"}},
		{"kind", req.Kinds, []string{"vulnerability", "compliance"}},
		{"protocol", req.Protocols, []string{"tcp", "udp", "sctp", "host"}},
		{"criticality", req.Criticality, append(slices.Clone(asset.Criticalities), "1", "2", "3", "4", "5", "none")},
	} {
		for _, g := range check.got {
			if !slices.Contains(check.wanted, g) {
				return fault.InvalidOption(check.flag, " %s: want one of %v", g, check.wanted)
			}
		}
	}
	return nil
}

func readNumbers(f *finding.Filter, req FindingRequest) error {
	for _, check := range []struct {
		flag  string
		value float64
		most  float64
		into  **float64
	}{{"min-cvss", req.MinCVSS, 10, &f.MinCVSS}, {"min-epss", req.MinEPSS, 1, &f.MinEPSS}, {"min-risk", req.MinRisk, math.MaxFloat32, &f.MinRisk}} {
		if !(check.value >= 0 && check.value <= check.most) { // so that NaN is refused
			return fault.InvalidOption(check.flag, " %v: want 0 to %v", check.value, check.most)
		}
		if check.value > 0 {
			*check.into = &check.value
		}
	}
	if req.Confidence < 0 || req.Confidence > 100 {
		return fault.InvalidOption("confidence", " %d: want 0 to 100", req.Confidence)
	}
	if req.Limit < 0 {
		return fault.InvalidOption("limit", " %d: want 0 or more", req.Limit)
	}
	for _, text := range req.Ports {
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return fault.InvalidOption("port", " %s: want 0 to 65535", text)
		}
		f.Ports = append(f.Ports, uint16(port))
	}
	if req.KEV {
		f.KEV = &req.KEV
	}
	if req.Exploited {
		f.Exploited = &req.Exploited
	}
	return nil
}

func readDays(f *finding.Filter, req FindingRequest) error {
	for _, day := range []struct {
		flag, text string
		into       *time.Time
	}{
		{"due-before", req.DueBefore, &f.DueBefore}, {"sla-before", req.SLABefore, &f.SLABefore},
		{"first-seen-after", req.FirstSeenAfter, &f.FirstSeenAfter}, {"first-seen-before", req.FirstSeenBefore, &f.FirstSeenBefore},
		{"last-seen-after", req.LastSeenAfter, &f.LastSeenAfter}, {"last-seen-before", req.LastSeenBefore, &f.LastSeenBefore},
		{"closed-after", req.ClosedAfter, &f.ClosedAfter}, {"returned-after", req.ReturnedAfter, &f.ReturnedAfter},
	} {
		if day.text == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, day.text)
		if err != nil {
			at, err = time.Parse(time.RFC3339, day.text)
		}
		if err != nil || at.Year() < 1970 {
			return fault.InvalidOption(day.flag, " %s: want a day, YYYY-MM-DD", day.text)
		}
		*day.into = at
	}
	return nil
}

func readPeople(f *finding.Filter, req FindingRequest) error {
	for _, who := range []struct {
		text string
		into **string
	}{{req.Assignee, &f.Assignee}, {req.Owner, &f.Owner}} {
		if who.text != "" {
			name := strings.TrimSpace(who.text)
			if name == Nobody {
				name = ""
			}
			*who.into = &name
		}
	}
	for _, word := range req.Criticality {
		if word == "none" {
			word = ""
		}
		word, err := asset.ReadCriticality(word)
		if err != nil {
			return err
		}
		f.Criticality = append(f.Criticality, word)
	}
	return nil
}

func facts(l finding.Listed) report.Facts {
	f := report.Facts{Kind: string(l.Kind), Result: report.Text(l.Result), Benchmark: report.Text(l.Benchmark), Reference: report.Text(l.Reference),
		CWEs: []string{}, SeverityBy: report.Text(l.SeverityBy), RemedyKey: report.Text(l.RemedyKey), FixedIn: report.Text(l.FixedIn),
		Owner: report.Text(l.Owner)}
	for _, n := range l.CWEs {
		f.CWEs = append(f.CWEs, "CWE-"+strconv.Itoa(n))
	}
	return f
}
