package answer

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// endOf is when a scan or import was over, or when it began.
func endOf(s report.ScanStatus) time.Time {
	switch {
	case s.CompletedAt != nil:
		return *s.CompletedAt
	case s.StartedAt != nil:
		return *s.StartedAt
	default:
		return s.CreatedAt
	}
}

func runSource(s *report.ScanStatus) report.Source {
	at := endOf(*s)
	word, link := "Scan", fmt.Sprintf("/scans/%d", s.ScanID)
	if s.Kind == "import" {
		word, link = "Import", fmt.Sprintf("/import/%d", s.ScanID)
	}
	return report.Source{Kind: strings.ToLower(word), ID: strconv.FormatInt(s.ScanID, 10), Title: fmt.Sprintf("%s %d", word, s.ScanID), Text: cut(plainBold(runLine(s))), URL: link,
		API: report.Text(fmt.Sprintf("/api/v1/scans/%d", s.ScanID)), At: &at}
}

// runLine is a scan in words.
func runLine(s *report.ScanStatus) string {
	word := cmpOr(s.Kind, "scan")
	text := fmt.Sprintf("**%s %d**", capital(word), s.ScanID)
	if len(s.Targets) > 0 {
		text += " of " + quoted(few(s.Targets, 3), 80)
	}
	status := s.Status
	if s.Paused {
		status = "paused"
	}
	text += " in site " + quote(s.Site) + ": " + status
	if s.Reason != nil && *s.Reason != "" {
		text += " (" + quoted(*s.Reason, 100) + ")"
	}
	return text + ", " + report.Plural(s.Hosts, "host", "hosts") + ", " + report.Plural(s.Findings, "finding", "findings")
}

// ofScans answers what is asked about scans and imports.
func (q *Asked) ofScans(ctx context.Context, d *Draft) error {
	if q.Measure == understand.Compare || q.Measure == understand.Change && len(q.Scans) > 0 {
		if len(q.Scans) == 0 {
			q.Scans = []int64{-1}
		}
		return q.compareScans(ctx, d)
	}
	if t, err := q.checkSites(ctx); t != nil || err != nil {
		return q.cannot(d, t, err)
	}
	if q.GroupBy == "scanner" {
		return q.scannersUsed(ctx, d)
	}
	why := q.Measure == understand.Why || q.Status == "failed" || q.Attribute == understand.Errors
	if len(q.Hosts) > 0 && q.Subject == understand.Scans && !why && q.Hosts[0].Kind != "target" && q.Measure != understand.Count && q.Measure != understand.List {
		q.Attribute = understand.LastScan
		return q.oneHost(ctx, d)
	}
	if q.Subject == understand.Scans && len(q.Sites) > 0 && len(q.Scans) == 0 && q.Measure == understand.Fact && (q.Attribute == understand.LastScan || q.Attribute == understand.LastSeen || q.Attribute == "") {
		return q.sitesLooked(ctx, d) // a report that was imported is a look as well
	}
	kind := map[understand.Subject]string{understand.Scans: "scan", understand.Imports: "import"}[q.Subject]
	req := request.Scans{Kind: kind, Status: q.Status}
	if len(q.Sites) == 1 {
		req.Site = q.Sites[0]
	}
	if !slices.Contains([]string{"", "pending", "running", "completed", "failed"}, req.Status) {
		d.refuse(nil, fmt.Sprintf("%ss have no status %s", kind, quote(req.Status)), "They are pending, running, completed or failed.")
		return nil
	}
	list, _, err := q.Desk.ScanStatuses(ctx, req)
	if err != nil {
		return err
	}
	list, t := q.narrowRuns(list)
	if t != nil {
		return q.cannot(d, t, nil)
	}
	if len(q.Hosts) > 0 {
		if list = q.runsOf(list); len(list) == 0 {
			d.refuse(nil, "no "+kind+" has "+quote(q.Hosts[0].Text)+" among its targets", "Ask: when was that host last seen?")
			return nil
		}
	}
	if why && q.Measure != understand.Count && q.Measure != understand.List {
		list = failedOnes(list)
	}
	numbers := append(slices.Clone(q.Scans), q.Imports...)
	if len(numbers) > 0 || q.Measure == understand.Fact || q.Measure == understand.Explain || q.Measure == understand.Why {
		return q.oneRun(ctx, d, list, numbers, kind)
	}
	if (q.Status == "failed" || q.Attribute == understand.Errors) && len(list) <= 5 {
		for i := range list { // lists are told without what went wrong
			if list[i], err = q.Desk.ScanStatus(ctx, list[i].ScanID); err != nil {
				return err
			}
		}
	}
	q.listRuns(d, list, kind)
	return nil
}

// narrowRuns keeps the runs of a period and of a scanner.
func (q *Asked) narrowRuns(list []report.ScanStatus) ([]report.ScanStatus, *trouble) {
	if len(q.Severities)+len(q.CVEs)+len(q.Products)+len(q.Ports) > 0 || q.KEV != nil {
		return nil, &trouble{because: "scans are not selected by what they found", instead: "Ask for findings instead: which critical findings did scan 3 see?"}
	}
	return slices.DeleteFunc(list, func(s report.ScanStatus) bool {
		at := endOf(s)
		if p := q.Time; p != nil && (!p.From.IsZero() && at.Before(p.From) || !p.To.IsZero() && !at.Before(p.To)) {
			return true
		}
		if len(q.Sites) > 1 && !slices.Contains(q.Sites, s.Site) {
			return true
		}
		return q.Scanner != "" && !slices.ContainsFunc(s.Scanners, func(one report.Scanner) bool { return strings.EqualFold(one.Name, q.Scanner) })
	}), nil
}

// runsOf keeps the runs that had one of the named hosts as their target.
func (q *Asked) runsOf(list []report.ScanStatus) []report.ScanStatus {
	return slices.DeleteFunc(list, func(s report.ScanStatus) bool {
		return !slices.ContainsFunc(s.Targets, func(target string) bool {
			return slices.ContainsFunc(q.Hosts, func(h understand.HostName) bool { return targets(target, h.Text) })
		})
	})
}

// targets says whether a target of a scan is, or holds, an address.
func targets(target, text string) bool {
	if strings.EqualFold(target, text) {
		return true
	}
	network, err := netip.ParsePrefix(target)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(text)
	return err == nil && network.Masked().Contains(ip)
}

// failedOnes puts the runs that failed in front, where any did: why they did is asked.
func failedOnes(list []report.ScanStatus) []report.ScanStatus {
	failed := slices.DeleteFunc(slices.Clone(list), func(s report.ScanStatus) bool { return s.Status != "failed" && len(s.Problems) == 0 })
	if len(failed) > 0 {
		return failed
	}
	return list
}

// scannersUsed lists what reported findings, by how many of them stand.
func (q *Asked) scannersUsed(ctx context.Context, d *Draft) error {
	one := *q
	one.Subject, one.Scanner = understand.Findings, ""
	c, t, err := one.findings(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	groups, t, err := one.groupsBy(ctx, c, "scanner")
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	n := one.citeList(d, c, len(groups))
	q.sayGroups(d, groups, n, fmt.Sprintf("**%s** reported what is open", report.Plural(len(groups), "scanner", "scanners")), "open finding", "open findings")
	return nil
}

func (q *Asked) listRuns(d *Draft, list []report.ScanStatus, kind string) {
	link := "/scans"
	if kind == "import" {
		link = "/scans?kind=import"
	}
	if q.Status != "" {
		link += map[bool]string{true: "&", false: "?"}[strings.Contains(link, "?")] + "status=" + q.Status
	}
	d.Link, d.Command = link, map[string]string{"scan": "patchscout scans list", "import": "patchscout imports list"}[kind]
	n := d.Cite(report.Source{Kind: "list", ID: link, Title: capital(kind) + "s", Text: report.Plural(len(list), kind, kind+"s"), URL: link, API: "/api/v1/scans"})
	d.Facts.Count = numbered(len(list))
	words := []string{}
	if q.Status != "" {
		words = append(words, q.Status)
	}
	state := cmpOr(strings.Join(words, " "), "known")
	sentence := fmt.Sprintf("%s %s %s %s", number(len(list)), have(len(list), kind, kind+"s"), have(len(list), "is", "are"), state)
	if len(q.Sites) > 0 {
		sentence += " in site " + boldAll(q.Sites)
	}
	if q.Time != nil {
		sentence += ", " + since(q.Time)
	}
	if q.Scanner != "" {
		sentence += ", with " + quote(q.Scanner)
	}
	if q.Measure == understand.Whether {
		d.Facts.Yes = truth(len(list) > 0)
		sentence = map[bool]string{true: "Yes: ", false: "No: "}[len(list) > 0] + lowerNo(sentence)
	}
	shown := list[:q.fit(len(list))]
	if q.Measure == understand.Count {
		shown = shown[:min(3, len(shown))]
	}
	if len(shown) == 0 {
		d.Say([]int{n}, "%s.", sentence)
		return
	}
	d.Say([]int{n}, "%s; the last first:", sentence)
	for i := range shown {
		s := &shown[i]
		line := runLine(s)
		for _, one := range s.Scanners {
			if one.Error != "" && (q.Status == "failed" || q.Attribute == understand.Errors) {
				line += ", " + quoted(one.Name+": "+string(one.Error), 160)
			}
		}
		d.Item([]int{d.Cite(runSource(s))}, "%s, %s", line, q.moment(endOf(*s)))
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: kind, ID: strconv.FormatInt(s.ScanID, 10), Name: fmt.Sprintf("%s %d", kind, s.ScanID), Value: report.Text(s.Status)})
	}
	if d.Facts.More = len(list) - len(shown); d.Facts.More > 0 {
		d.Say([]int{n}, "And %s more.", report.Thousands(d.Facts.More))
	}
	q.askOn(d, "What did the last scan find?", "What changed since the scan before?", "Which hosts were never scanned?")
}

// oneRun tells of one scan or import: the one that is named, else the last.
func (q *Asked) oneRun(ctx context.Context, d *Draft, list []report.ScanStatus, numbers []int64, kind string) error {
	if len(numbers) == 0 {
		numbers = []int64{-1}
	}
	for _, n := range numbers[:min(len(numbers), 5)] {
		at := -1
		if n < 0 && int(-n) <= len(list) {
			at = int(-n) - 1
		}
		if n > 0 {
			at = slices.IndexFunc(list, func(s report.ScanStatus) bool { return s.ScanID == n })
		}
		if at < 0 {
			because := fmt.Sprintf("there is no %s %d", kind, n)
			if n < 0 {
				because = strings.TrimSpace(fmt.Sprintf("no %s was %s", kind, cmpOr(q.Status, "begun")))
			}
			d.refuse(nil, because, map[string]string{"scan": "Begin with: patchscout scan TARGET.", "import": "Begin with: patchscout import FILE."}[kind])
			return nil
		}
		if err := q.tellRun(ctx, d, &list[at]); err != nil {
			return err
		}
	}
	q.askOn(d, "What changed since the scan before?", "Which critical findings are new?", "Which hosts were never scanned?")
	return nil
}

func (q *Asked) tellRun(ctx context.Context, d *Draft, short *report.ScanStatus) error {
	s, err := q.Desk.ScanStatus(ctx, short.ScanID)
	if err != nil {
		return err
	}
	cite := d.Cite(runSource(&s))
	source := d.Sources[cite-1]
	d.Link = source.URL
	d.Command = fmt.Sprintf("patchscout %ss show %d", cmpOr(s.Kind, "scan"), s.ScanID)
	name := fmt.Sprintf("%s **%d**", capital(cmpOr(s.Kind, "scan")), s.ScanID)
	var problems []string
	for _, one := range s.Scanners {
		if one.Error != "" {
			problems = append(problems, quote(one.Name)+": "+quoted(string(one.Error), 120))
		}
	}
	for _, p := range s.Problems {
		problems = append(problems, quote(p.Target)+": "+quoted(p.Reason, 120))
	}
	if s.Reason != nil && *s.Reason != "" && !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, quoted(*s.Reason, 160)) }) {
		problems = append(problems, quoted(*s.Reason, 160))
	}
	switch q.Attribute {
	case understand.Duration:
		if s.StartedAt == nil || s.CompletedAt == nil {
			d.Say([]int{cite}, "%s is %s, so that nobody can tell yet how long it takes.", name, s.Status)
			return nil
		}
		took := s.CompletedAt.Sub(*s.StartedAt)
		d.Facts.Value = report.Text(took.Round(time.Second).String())
		d.Say([]int{cite}, "%s took **%s**, from %s.", name, lasted(took), q.moment(*s.StartedAt))
		return nil
	case understand.Status, understand.State:
		d.Facts.Value = report.Text(s.Status)
		d.Say([]int{cite}, "%s is **%s**%s.", name, s.Status, map[bool]string{true: ", and paused", false: ""}[s.Paused])
	case understand.Errors:
		d.Facts.Count = numbered(len(problems))
		if len(problems) == 0 {
			d.Say([]int{cite}, "%s had no errors.", name)
		} else {
			d.Say([]int{cite}, "%s had %s:", name, report.Plural(len(problems), "problem", "problems"))
		}
	case understand.LastScan, understand.LastSeen, understand.FirstSeen:
		at := endOf(s)
		d.Facts.Value = report.Text(at.UTC().Format("2006-01-02"))
		d.Say([]int{cite}, "The last %s was on **%s**, %s: %s.", cmpOr(s.Kind, "scan"), q.moment(at), q.ago(at), runLine(&s))
	default:
		at := endOf(s)
		d.Facts.Value = report.Text(at.UTC().Format("2006-01-02"))
		d.Facts.Count = numbered(s.Findings)
		took := ""
		if s.StartedAt != nil && s.CompletedAt != nil {
			took = ", took " + lasted(s.CompletedAt.Sub(*s.StartedAt))
		}
		d.Say([]int{cite}, "%s, on **%s**%s.", runLine(&s), q.moment(at), took)
	}
	for _, p := range problems[:min(len(problems), 5)] {
		d.Item([]int{cite}, "%s", p)
	}
	if s.Findings > 0 && q.Attribute == "" && s.Kind != "import" {
		c := &chosen{exact: true}
		c.req.Scan, c.req.Confirmed = s.ScanID, true
		list, err := q.top(ctx, c, 3)
		if err != nil {
			return err
		}
		if len(list) > 0 {
			d.Say([]int{cite}, "The most urgent that it saw:")
			q.itemsOf(d, list)
		}
	}
	return nil
}
