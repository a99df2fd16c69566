package app

import (
	"context"
	"strconv"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// auditEnd records what the asker did to something, and how it ended: action is of the form "scan.start", subject "scan 7".
// Secrets have no place in it. That it cannot be written is no reason to take back what was done; the log says so.
func (a *App) auditEnd(ctx context.Context, action, subject, detail string, err error) {
	outcome := auth.Done
	if err != nil {
		outcome, detail = auth.Failed, joined(detail, err.Error())
		if fault.KindOf(err) == fault.KindDenied {
			outcome = auth.Refused
		}
	}
	a.auditAs(ctx, a.who, action, subject, detail, outcome)
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + ": " + b
}

func (a *App) auditAs(ctx context.Context, who auth.Identity, action, subject, detail string, outcome auth.Outcome) {
	a.record(ctx, auth.EntryOf(who, a.now(), action, subject, detail, outcome))
}

// record writes an entry, also when the request that it is about was given up.
func (a *App) record(ctx context.Context, e auth.Entry) {
	auth.MarkRecorded(ctx)
	e, ok := a.misses.Take(e, a.now())
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := a.store.Estate().AddAudit(ctx, e); err != nil {
		a.log.ErrorContext(ctx, "not written to the audit trail", "who", e.Who, "action", e.Action, "subject", e.Subject, "error", err)
	}
}

// AuditRequest is request.Audit.
type AuditRequest = request.Audit

// Audit lists the audit trail, newest first.
func (a *App) Audit(ctx context.Context, req AuditRequest) (report.AuditList, error) {
	list := report.AuditList{Entries: []report.AuditEntry{}}
	filter := auth.AuditFilter{Who: req.Who, Action: req.Action, Subject: req.Subject, From: req.From, Outcome: auth.Outcome(req.Outcome)}
	var err error
	if filter.Since, err = parseMoment("since", req.Since, false); err != nil {
		return list, err
	}
	if filter.Until, err = parseMoment("until", req.Until, true); err != nil {
		return list, err
	}
	if filter.Before, err = parseCursor(req.Cursor); err != nil {
		return list, err
	}
	limit := pageSize(req.Limit)
	filter.Limit = limit + 1
	entries, err := a.store.Estate().Audit(ctx, filter)
	for _, e := range entries[:min(limit, len(entries))] {
		list.Entries = append(list.Entries, toEntry(e))
	}
	if len(entries) > limit {
		list.Next = cursorOf(entries[limit-1].ID)
	}
	return list, err
}

func toEntry(e auth.Entry) report.AuditEntry {
	return report.AuditEntry{ID: e.ID, At: e.At, Who: e.Who, Kind: report.Text(e.Kind), UserID: number(e.User), TokenID: number(e.Token), From: report.Text(e.From),
		Action: e.Action, Subject: report.Text(e.Subject), Outcome: string(e.Outcome), Detail: report.Text(e.Detail)}
}

// number is null for none.
func number(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// parseMoment reads a day or a moment; an end that is a day includes it.
func parseMoment(option, text string, end bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, fault.InvalidOption(option, " %.40q: want a day as 2026-11-30, or a moment as 2026-11-30T12:00:00Z", text)
	}
	if end {
		day = day.AddDate(0, 0, 1)
	}
	return day, nil
}

// pageSize is how many a page has, 100 where nothing is said.
func pageSize(limit int) int {
	if limit <= 0 {
		return 100
	}
	return min(limit, 1000)
}

func parseCursor(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.InvalidOption("cursor", " %.40q: want next of the page before", text)
	}
	return n, nil
}

func cursorOf(n int64) *string {
	text := strconv.FormatInt(n, 10)
	return &text
}

// numbered names something by its number: "scan 7".
func numbered(what string, id int64) string {
	if id == 0 {
		return what
	}
	return what + " " + strconv.FormatInt(id, 10)
}

// several names one thing by its number, and of several how many: "finding 17", "3 findings".
func several(what string, ids []int64) string {
	switch len(ids) {
	case 0:
		return what + "s by a filter"
	case 1:
		return numbered(what, ids[0])
	}
	return strconv.Itoa(len(ids)) + " " + what + "s"
}
