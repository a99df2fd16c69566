package app

import (
	"cmp"
	"context"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/store"
)

// differences are what a comparison is asked for.
var differences = map[string]store.Difference{
	"": store.DifferentNew, "new": store.DifferentNew, "fixed": store.DifferentFixed, "unchanged": store.DifferentUnchanged, "not_looked": store.DifferentNotLooked,
}

// Compare says what a scan found otherwise than one before it. It takes the two in the order in which they looked.
func (a *App) Compare(ctx context.Context, req request.Compare) (report.Comparison, error) {
	return together(ctx, a.store, func(ctx context.Context) (report.Comparison, error) { return a.compare(ctx, req) })
}

func (a *App) compare(ctx context.Context, req request.Compare) (report.Comparison, error) {
	doc := report.Comparison{Scan: req.Scan, What: either(req.What, "new"), Findings: []report.Finding{}}
	what, known := differences[req.What]
	if !known {
		return doc, fault.InvalidOption("what", " %.40s: want new, fixed, unchanged or not_looked", req.What)
	}
	later, earlier, err := a.comparedScans(ctx, req)
	if err != nil || earlier == 0 {
		return doc, err
	}
	doc.Scan, doc.With = later, &earlier
	filter := finding.Filter{Limit: req.Limit}
	if filter.After, err = finding.ParseCursor(req.Cursor, filter.Sort); err != nil {
		return doc, err
	}
	if filter.Limit > 0 {
		filter.Limit++ // is there more?
	}
	listed, counts, err := a.store.Estate().Compare(ctx, a.who.View, earlier, later, what, filter)
	if err != nil {
		return doc, err
	}
	if req.Limit > 0 && len(listed) > req.Limit {
		listed = listed[:req.Limit]
		next := filter.CursorOf(&listed[req.Limit-1]).String()
		doc.Next = &next
	}
	doc.Counts = &report.CompareCounts{New: counts[store.DifferentNew], Fixed: counts[store.DifferentFixed], Unchanged: counts[store.DifferentUnchanged],
		NotLooked: counts[store.DifferentNotLooked]}
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return doc, err
	}
	for _, l := range listed {
		doc.Findings = append(doc.Findings, toFinding(l, l.Evidence, kevKnown(cat)))
	}
	return doc, a.markFindings(ctx, doc.Findings, listed)
}

// comparedScans are the two scans, the later one first; earlier is 0 where there is none to compare with.
func (a *App) comparedScans(ctx context.Context, req request.Compare) (later, earlier int64, err error) {
	estate := a.store.Estate()
	s, err := estate.Scan(ctx, a.who.View, req.Scan)
	if err != nil {
		return 0, 0, err
	}
	if req.With == 0 {
		earlier, err = estate.ScanBefore(ctx, a.who.View, s)
		return s.ID, earlier, err
	}
	other, err := estate.Scan(ctx, a.who.View, req.With)
	switch {
	case err != nil:
		return 0, 0, err
	case other.ID == s.ID:
		return 0, 0, fault.InvalidOption("with", " %d: that is the scan itself", req.With)
	case other.Site != s.Site:
		return 0, 0, fault.InvalidOption("with", " %d: scan %d is of site %s and scan %d of site %s, where the same addresses are other hosts",
			req.With, other.ID, other.Site, s.ID, s.Site)
	}
	first, err := a.looked(ctx, s)
	if err != nil {
		return 0, 0, err
	}
	second, err := a.looked(ctx, other)
	if cmp.Or(first.Compare(second), cmp.Compare(s.ID, other.ID)) < 0 {
		return other.ID, s.ID, err
	}
	return s.ID, other.ID, err
}

// looked is when a scan looked.
func (a *App) looked(ctx context.Context, s finding.Scan) (time.Time, error) {
	at, err := a.store.Estate().ScanLooked(ctx, s.ID)
	if at.IsZero() {
		at = s.Created
	}
	return at, err
}
