package app

import (
	"context"
	"strings"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/report"
)

// SearchCVEs lists CVEs, all of them where the filter has no condition; with count it also says how many there are.
func (a *App) SearchCVEs(ctx context.Context, f catalogue.Filter, count bool) (doc report.CVEList, err error) {
	if f.Sort == "" && strings.TrimSpace(f.Words) == "" {
		f.Sort = catalogue.SortDate
	}
	if err := CheckSearch(f); err != nil {
		return doc, err
	}
	doc.Limit = f.Limit
	if doc.Search, _, err = a.Search(ctx, f); err != nil || !count {
		return doc, err
	}
	total, err := a.find.Count(ctx, f)
	doc.Total, doc.Skip = &total, &f.Skip
	return doc, err
}

// ListIndicators lists indicators of compromise; value "" is any.
func (a *App) ListIndicators(ctx context.Context, f catalogue.IndicatorFilter, value string) (report.IndicatorList, error) {
	doc := report.IndicatorList{Items: []report.Indicator{}}
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return doc, err
	}
	doc.Note = report.Text(report.IndicatorGap(cat))
	f.Now = a.now()
	page, next, err := a.indicators(ctx, f, value)
	for _, i := range page {
		doc.Items = append(doc.Items, toIndicator(i, f.Now))
	}
	doc.Next = report.Text(next)
	return doc, err
}

func (a *App) indicators(ctx context.Context, f catalogue.IndicatorFilter, value string) (page []intel.Indicator, next string, err error) {
	if value == "" {
		return a.store.Catalogue().ListIndicators(ctx, f)
	}
	kind, canonical, port, err := intel.CanonicalIndicator(value)
	if err != nil {
		return nil, "", fault.InvalidOption("value", ": %w", err)
	}
	listed, err := a.store.Catalogue().Indicators(ctx, kind, []string{canonical})
	for _, i := range listed[canonical] {
		expired := !i.Expires.IsZero() && !f.Now.Before(i.Expires)
		if (f.Kind == "" || f.Kind == i.Kind) && (f.Source == "" || f.Source == i.Source) && (f.Threat == "" || f.Threat == i.Threat) &&
			!(f.Active && expired) && (port == 0 || i.Port == 0 || i.Port == port) {
			page = append(page, i)
		}
	}
	return page[:min(len(page), max(f.Limit, 1))], "", err
}

// LookUpAll is LookUp with its answers together, and with which lists were never loaded.
func (a *App) LookUpAll(ctx context.Context, values []string) (report.IndicatorAnswers, error) {
	doc := report.IndicatorAnswers{Answers: []report.IndicatorAnswer{}}
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return doc, err
	}
	doc.Note = report.Text(report.IndicatorGap(cat))
	err = a.LookUp(ctx, values, func(answer report.IndicatorAnswer) error {
		doc.Answers = append(doc.Answers, answer)
		return nil
	})
	return doc, err
}

// matchBatch is how many lines are asked of the catalogue at once.
const matchBatch = 512

// shownOfLine is how much of an overlong line its answer repeats.
const shownOfLine = 256

// Match answers lines of CPE names in order, as each is known. An answer must not be kept.
func (a *App) Match(ctx context.Context, lines []string, answer func(report.MatchLine) error) error {
	m := newMatcher(a.store.Catalogue(), nil)
	for len(lines) > 0 {
		part := lines[:min(len(lines), matchBatch)]
		lines = lines[len(part):]
		if err := m.batch(ctx, part, answer); err != nil {
			return err
		}
	}
	return nil
}

func (m *Matcher) batch(ctx context.Context, lines []string, answer func(report.MatchLine) error) error {
	asked := make([]string, len(lines))
	for i, line := range lines {
		if len(line) <= MaxLine {
			asked[i] = line
		}
	}
	i := 0
	return m.Lines(ctx, asked, func(a report.MatchLine) error {
		line := lines[i]
		i++
		if len(line) > MaxLine {
			a = report.MatchLine{Line: strings.ToValidUTF8(line[:shownOfLine], ""), Error: LineTooLong}
		}
		return answer(a)
	})
}

// IngestionRuns lists runs of a feed ("" for all), newest first, those below an id (0 for all).
func (a *App) IngestionRuns(ctx context.Context, feed string, before int64, limit int) (report.IngestionRunList, error) {
	doc := report.IngestionRunList{Runs: []report.IngestionRun{}}
	runs, err := a.store.Catalogue().RunsBefore(ctx, feed, before, limit+1)
	if len(runs) > limit {
		runs = runs[:limit]
		doc.Next = &runs[limit-1].ID
	}
	for _, r := range runs {
		doc.Runs = append(doc.Runs, report.IngestionRun{ID: r.ID, FeedRun: toFeedRun(r)})
	}
	return doc, err
}

// IngestionRun returns one run.
func (a *App) IngestionRun(ctx context.Context, id int64) (report.IngestionRun, error) {
	r, err := a.store.Catalogue().Run(ctx, id)
	return report.IngestionRun{ID: r.ID, FeedRun: toFeedRun(r)}, err
}
