package answer

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// changedFindings says what is new, fixed and back since a time, within what else was asked for.
func (q *Asked) changedFindings(ctx context.Context, d *Draft, c *chosen) error {
	if len(q.Scans) > 0 || q.Time == nil {
		if done, err := q.sinceScan(ctx, d, c); done || err != nil {
			return err
		}
	}
	from, to, words := q.Now.AddDate(0, 0, -7), time.Time{}, "in the last 7 days"
	if q.Time != nil {
		from, to, words = q.Time.From, q.Time.To, since(q.Time)
	} else if at, err := q.lastVisit(ctx); err != nil {
		return err
	} else if !at.IsZero() {
		from, words = at, "since your last visit on "+q.moment(at)
	}
	whole := *q
	whole.Time, whole.TimeOf, whole.State = nil, "", ""
	base, t, err := whole.findings(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	var parts []string
	cites, list := []int{}, []report.Finding{}
	for _, part := range []struct {
		state, of, word string
	}{{"", "first_seen", "new"}, {"fixed", "fixed", "fixed"}, {"", "returned", "back again"}} {
		if q.State != "" && (q.State == "fixed") != (part.word == "fixed") {
			continue
		}
		one := whole
		one.State, one.TimeOf, one.Time = part.state, part.of, &understand.Period{From: from, To: to, Words: words}
		cc, t, err := one.findings(ctx)
		if err != nil || t != nil {
			return q.cannot(d, t, err)
		}
		if part.of == "returned" {
			cc.state = "open"
		}
		counts, err := one.counted(ctx, cc)
		if err != nil {
			return err
		}
		cites = append(cites, one.citeList(d, cc, counts.Total))
		parts = append(parts, fmt.Sprintf("**%s** %s", report.Thousands(counts.Total), part.word))
		n := counts.Total
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "list", ID: part.word, Name: part.word, Count: numbered(n)})
		if part.word == "new" && n > 0 {
			if list, err = one.top(ctx, cc, 3); err != nil {
				return err
			}
		}
	}
	d.Link, d.Command = "", ""
	if n := d.Facts.Items[0].Count; n != nil {
		d.Facts.Count = n
	}
	where := strings.Join(base.where, " ")
	noun := strings.Join(append(append([]string{}, base.before...), append([]string{"findings"}, base.behind...)...), " ")
	d.Say(cites, "%s: %s.", capital(strings.TrimSpace(noun+by0(where))+", "+words), and(parts))
	if fresh := d.Facts.Items[0]; fresh.Name == "new" && fresh.Count != nil && *fresh.Count > 0 {
		all, err := whole.counted(ctx, base)
		if err != nil {
			return err
		}
		if all.Total == *fresh.Count {
			d.Say(cites[:1], "Nothing was known before: all that is open was first seen in this time.")
		}
	}
	if len(list) > 0 {
		d.Say(cites[:1], "The most urgent new ones:")
		items := d.Facts.Items
		q.itemsOf(d, list)
		d.Facts.Items = items
	}
	q.askOn(d, "Are we getting better?", "What should I fix first?", "Which hosts have the new ones?")
	return nil
}

func (q *Asked) lastVisit(ctx context.Context) (time.Time, error) {
	today, err := q.Desk.Today(ctx, "")
	if err != nil || today.Since == nil {
		return time.Time{}, err
	}
	return *today.Since, nil
}

// sinceScan compares a scan with the one before it, where scans were named; false: they were not.
func (q *Asked) sinceScan(ctx context.Context, d *Draft, _ *chosen) (bool, error) {
	if len(q.Scans) == 0 {
		return false, nil
	}
	return true, q.compareScans(ctx, d)
}

// scanNumber is the number of a scan: -1 is the last one that was completed, -2 the one before it.
func (q *Asked) scanNumber(ctx context.Context, n int64) (int64, error) {
	if n > 0 {
		return n, nil
	}
	req := request.Scans{Kind: "scan", Status: "completed", Limit: int(min(-n, 50))}
	if len(q.Sites) == 1 {
		req.Site = q.Sites[0]
	}
	list, _, err := q.Desk.ScanStatuses(ctx, req)
	if err != nil || int64(len(list)) < -n {
		return 0, err
	}
	return list[-n-1].ScanID, nil
}

// compareScans says what a scan found otherwise than another.
func (q *Asked) compareScans(ctx context.Context, d *Draft) error {
	var ids []int64
	for _, n := range q.Scans {
		id, err := q.scanNumber(ctx, n)
		if err != nil {
			return err
		}
		if id == 0 {
			d.refuse(nil, "there are not so many completed scans", "Scan with: patchscout scan TARGET.")
			return nil
		}
		ids = append(ids, id)
	}
	req := request.Compare{Scan: ids[0], Limit: 5}
	if len(ids) > 1 {
		req.With = ids[1]
	}
	doc, err := q.Desk.Compare(ctx, req)
	switch fault.KindOf(err) {
	case fault.KindNotFound:
		d.refuse(nil, "there is no such scan", "Ask: which scans are there?")
		return nil
	case fault.KindInvalid:
		d.refuse(nil, quoted(err.Error(), 200), "")
		return nil
	}
	if err != nil {
		return err
	}
	if doc.With == nil || doc.Counts == nil {
		d.refuse(nil, fmt.Sprintf("no scan before scan %d looked at the same targets", doc.Scan), "Name the scan to compare it with.")
		return nil
	}
	link := fmt.Sprintf("/scans/%d/compare?with=%d", doc.Scan, *doc.With)
	n := d.Cite(report.Source{Kind: "scan", ID: strconv.FormatInt(doc.Scan, 10), Title: fmt.Sprintf("Scan %d against scan %d", doc.Scan, *doc.With),
		Text: fmt.Sprintf("%d new, %d fixed, %d unchanged, %d not looked at", doc.Counts.New, doc.Counts.Fixed, doc.Counts.Unchanged, doc.Counts.NotLooked), URL: link})
	d.Link = link
	d.Facts.Count = numbered(doc.Counts.New)
	for _, f := range []struct {
		name string
		n    int
	}{{"new", doc.Counts.New}, {"fixed", doc.Counts.Fixed}, {"unchanged", doc.Counts.Unchanged}, {"not looked at", doc.Counts.NotLooked}} {
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "list", ID: f.name, Name: f.name, Count: numbered(f.n)})
	}
	d.Say([]int{n}, "Scan %d found **%s** new, **%s** fixed and %s unchanged against scan %d; of %s it did not look again.", doc.Scan, report.Thousands(doc.Counts.New),
		report.Thousands(doc.Counts.Fixed), report.Thousands(doc.Counts.Unchanged), *doc.With, report.Thousands(doc.Counts.NotLooked))
	if len(doc.Findings) > 0 {
		d.Say([]int{n}, "The most urgent new ones:")
		items := d.Facts.Items
		q.itemsOf(d, doc.Findings)
		d.Facts.Items = items
	}
	q.askOn(d, "What should I fix first?", "Are we getting better?", "Which hosts have the most findings?")
	return nil
}

// trendOfFindings says how findings developed.
func (q *Asked) trendOfFindings(ctx context.Context, d *Draft, c *chosen) error {
	if narrowerThanASite(q, c) {
		return q.trendOfSome(ctx, d)
	}
	days := 30
	if q.Time != nil && !q.Time.From.IsZero() {
		days = min(max(int(math.Ceil(q.Now.Sub(q.Time.From).Hours()/24)), 7), 365)
	}
	req := request.Trend{Days: days, Site: c.req.Site}
	doc, err := q.Desk.Trend(ctx, req)
	if err != nil {
		return err
	}
	known := doc.Days
	if len(known) < 2 {
		d.refuse(nil, "only what was looked at on more than one day has a trend, and nothing was", "Scan again on another day.")
		return nil
	}
	before, last := known[0], known[len(known)-1]
	opened, fixed, closed := 0, 0, 0
	for _, one := range known[1:] {
		opened, fixed, closed = opened+one.Opened, fixed+one.Fixed, closed+one.Closed
	}
	n := d.Cite(report.Source{Kind: "list", ID: "/", Title: "Open findings day by day", Text: fmt.Sprintf("%s: %d open; %s: %d open", before.Day, before.Open, last.Day, last.Open),
		URL: "/", API: report.Text(fmt.Sprintf("/api/v1/trend?days=%d", days))})
	d.Link = "/"
	change := last.Open - before.Open
	d.Facts.Count, d.Facts.Yes, d.Facts.Value = numbered(last.Open), truth(change < 0), report.Text(strconv.Itoa(change))
	where := ""
	if c.req.Site != "" {
		where = " in site " + bold(c.req.Site)
	}
	switch {
	case change < 0:
		d.Say([]int{n}, "Yes, there are fewer: **%s** findings are open%s, %s less than on %s.", report.Thousands(last.Open), where, report.Thousands(-change), before.Day)
	case change > 0:
		d.Say([]int{n}, "No, there are more: **%s** findings are open%s, %s more than on %s.", report.Thousands(last.Open), where, report.Thousands(change), before.Day)
	default:
		d.Say([]int{n}, "Nothing changed in number: **%s** findings are open%s, as many as on %s.", report.Thousands(last.Open), where, before.Day)
	}
	d.Say([]int{n}, "In these %s %s came up, %s were fixed and %s ended for another reason.", report.Plural(len(known)-1, "day", "days"), report.Thousands(opened),
		report.Thousands(fixed), report.Thousands(closed))
	q.askOn(d, "What is new since last week?", "How many are overdue?", "What should I fix first?")
	return nil
}

// wereOpen says whether it is asked how many stood at a time that is over.
func (q *Asked) wereOpen() bool {
	text := strings.ToLower(q.Text)
	return q.Time != nil && !q.Time.From.IsZero() && (q.TimeOf == "" || q.TimeOf == "first_seen") && q.State != "fixed" && q.Time.From.Before(q.Now) &&
		slices.ContainsFunc([]string{"were open", "was open", "were there", "did we have", "had we", "we had", "were still open", "open back"}, func(w string) bool { return strings.Contains(text, w) }) &&
		!strings.Contains(text, "first seen") && !strings.Contains(text, " new ") && !strings.Contains(text, "last")
}

// openThen says how many findings stood at the end of a day: those that were there before and are open still or were fixed since.
func (q *Asked) openThen(ctx context.Context, d *Draft) error {
	at := q.Time.From
	if !q.Time.To.IsZero() && q.Time.To.Before(q.Now) {
		at = q.Time.To
	}
	whole := *q
	whole.Time, whole.TimeOf, whole.State = nil, "", ""
	now, t, err := whole.findings(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	count := func(state, of string, p understand.Period, until bool) (int, error) {
		one := whole
		one.State, one.TimeOf, one.Time = state, of, &p
		c, t, err := one.findings(ctx)
		if err != nil || t != nil {
			return 0, err
		}
		if until {
			c.req.FirstSeenBefore = stamp(at)
		}
		counts, err := one.counted(ctx, c)
		return counts.Total, err
	}
	old, err := count("", "first_seen", understand.Period{To: at}, false)
	if err != nil {
		return err
	}
	back, err := count("", "returned", understand.Period{From: at}, true)
	if err != nil {
		return err
	}
	fixed, err := count("fixed", "fixed", understand.Period{From: at}, true)
	if err != nil {
		return err
	}
	n := old - back + fixed
	today, err := whole.counted(ctx, now)
	if err != nil {
		return err
	}
	cite := whole.citeList(d, now, today.Total)
	d.Facts.Count = numbered(n)
	d.Say([]int{cite}, "%s %s %s open on %s; %s now.", number(n), strings.TrimSpace(now.noun(n)+by0(strings.Join(now.where, " "))), have(n, "was", "were"), day(at.Add(-time.Second)), report.Thousands(today.Total)+" are")
	q.askOn(d, "What is new since then?", "Are we getting better?", "What should I fix first?")
	return nil
}

// narrowerThanASite says whether more is asked for than what is kept day by day: all findings, and those of a site.
func narrowerThanASite(q *Asked, c *chosen) bool {
	r := c.req.Findings
	return len(c.before)+len(c.behind) > 0 && (q.Time == nil || len(c.before)+len(c.behind) > 1 || r.FirstSeenAfter == "") || r.Host != "" || c.req.Further.Hosts != nil || len(r.Ports) > 0 ||
		len(q.Products) > 0 || q.Owner != "" || len(q.Tags) > 0 || len(q.Criticality) > 0
}

// trendOfSome says how findings with conditions developed: what is open now, what was open at the beginning, and what
// came and went between.
func (q *Asked) trendOfSome(ctx context.Context, d *Draft) error {
	from := q.Now.AddDate(0, 0, -30)
	if q.Time != nil && !q.Time.From.IsZero() {
		from = q.Time.From
	}
	period := &understand.Period{From: from, Words: "since " + day(from)}
	whole := *q
	whole.Time, whole.TimeOf, whole.State = nil, "", ""
	now, t, err := whole.findings(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	counts, err := whole.counted(ctx, now)
	if err != nil {
		return err
	}
	cites := []int{whole.citeList(d, now, counts.Total)}
	n := map[string]int{}
	for _, part := range []struct{ name, state, of string }{{"new", "", "first_seen"}, {"back", "", "returned"}, {"fixed", "fixed", "fixed"}} {
		one := whole
		one.State, one.TimeOf, one.Time = part.state, part.of, period
		c, t, err := one.findings(ctx)
		if err != nil || t != nil {
			return q.cannot(d, t, err)
		}
		some, err := one.counted(ctx, c)
		if err != nil {
			return err
		}
		n[part.name] = some.Total
		cites = append(cites, one.cited(d, c, some.Total))
		if part.name == "fixed" { // those that came and went within the time were never there at its beginning
			c.req.FirstSeenAfter = stamp(from)
			if some, err = one.counted(ctx, c); err != nil {
				return err
			}
			n["passed"] = some.Total
		}
	}
	before := counts.Total - n["new"] - n["back"] + n["fixed"] - n["passed"]
	change := counts.Total - before
	d.Facts.Count, d.Facts.Yes, d.Facts.Value = numbered(counts.Total), truth(change < 0), report.Text(strconv.Itoa(change))
	text := "as many as on " + day(from)
	switch {
	case change < 0:
		text = fmt.Sprintf("**%s fewer** than on %s", report.Thousands(-change), day(from))
	case change > 0 && before <= 0:
		text = "of which none was known on " + day(from)
	case change > 0:
		text = fmt.Sprintf("**%s more** than on %s", report.Thousands(change), day(from))
	}
	d.Say(cites[:1], "%s, %s.", strings.TrimSuffix(now.sentence(counts.Total), "."), text)
	d.Say(cites, "Since then %s came up, %s came back and %s were fixed.", report.Thousands(n["new"]), report.Thousands(n["back"]), report.Thousands(n["fixed"]))
	q.askOn(d, "What is new since last week?", "How many are overdue?", "What should I fix first?")
	return nil
}
