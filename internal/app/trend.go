package app

import (
	"context"
	"slices"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// FindingMarks says where a list of findings may be entered.
func (a *App) FindingMarks(ctx context.Context, req request.Marks) (report.FindingMarks, error) {
	doc := report.FindingMarks{Every: req.Every, Marks: []report.Text{}}
	if req.Every < 100 || req.Every > 10_000 {
		return doc, fault.InvalidOption("every", " %d: want 100 to 10000", req.Every)
	}
	filter, err := a.filter(ctx, req.Findings)
	if err != nil {
		return doc, err
	}
	total, marks, err := a.store.Estate().FindingMarks(ctx, a.who.View, filter, req.Every)
	doc.Total = total
	doc.Marks = slices.Grow(doc.Marks, len(marks))
	for i, m := range marks {
		if i == 0 {
			doc.Marks = append(doc.Marks, "") // the beginning
			continue
		}
		doc.Marks = append(doc.Marks, report.Text(m.String()))
	}
	return doc, err
}

// Trend follows the confirmed findings day by day.
func (a *App) Trend(ctx context.Context, req request.Trend) (report.Trend, error) {
	doc := report.Trend{Days: []report.TrendDay{}}
	if req.Days < 7 || req.Days > 365 {
		return doc, fault.InvalidOption("days", " %d: want 7 to 365", req.Days)
	}
	if err := a.checkExist(ctx, 0, req.Site); err != nil {
		return doc, err
	}
	t, err := a.store.Estate().FindingTrend(ctx, a.who.View, req.Site, req.Days)
	doc.Since = report.Date{Time: t.Since}
	for _, d := range t.Days {
		doc.Days = append(doc.Days, report.TrendDay{Day: report.Date{Time: d.Day}, Open: d.Open, Opened: d.Opened, Fixed: d.Fixed, Closed: d.Closed})
	}
	return doc, err
}
