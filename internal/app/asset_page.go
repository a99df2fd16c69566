package app

import (
	"cmp"
	"context"
	"io"
	"slices"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store"
)

// shownLooks is how many looks at a host are shown.
const shownLooks = 100

// Asset returns one host with what scans said of it.
func (a *App) Asset(ctx context.Context, id int64) (doc report.HostDetail, err error) {
	h, err := a.store.Estate().Host(ctx, a.who.View, id) // which may be the one that it was joined into
	if err != nil {
		return doc, err
	}
	shown, err := a.hosts(ctx, store.HostFilter{After: h.ID - 1, Limit: 1})
	if err != nil {
		return doc, err
	}
	if len(shown) == 0 || shown[0].ID != h.ID {
		return doc, fault.NotFound("there is no host %d", id)
	}
	doc.Host = shown[0]
	if err := a.tellHost(ctx, h, &doc); err != nil {
		return doc, err
	}
	if doc.Scans, err = a.looks(ctx, h.ID); err != nil {
		return doc, err
	}
	counts, err := a.store.Estate().CountFindings(ctx, a.who.View, finding.Filter{HostID: h.ID, Live: true})
	if err != nil {
		return doc, err
	}
	doc.Findings = report.FindingCounts{Total: counts.Total, Confirmed: counts.Confirmed, KEV: counts.KEV, BySeverity: counts.BySeverity, ByDecision: counts.ByDecision}
	changes, err := a.store.Estate().Changes(ctx, a.who.View, finding.OfHost, h.ID)
	doc.History = historyLines(changes)
	return doc, err
}

// looks lists which scans looked at a host, the newest first, each scanner of a scan once.
func (a *App) looks(ctx context.Context, host int64) ([]report.HostScan, error) {
	out := []report.HostScan{}
	looks, err := a.store.Estate().Looks(ctx, a.who.View, []int64{host})
	if err != nil {
		return out, err
	}
	for _, l := range looks[host] {
		same := func(s report.HostScan) bool { return s.ScanID == l.Scan && s.Scanner == l.Sensor }
		if !slices.ContainsFunc(out, same) {
			out = append(out, report.HostScan{ScanID: l.Scan, Scanner: l.Sensor, At: l.At.UTC()})
		}
	}
	slices.SortStableFunc(out, func(a, b report.HostScan) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ScanID, a.ScanID)) })
	return out[:min(len(out), shownLooks)], nil
}

// ReadAssets is ImportAssets of a file that has been sent.
func (a *App) ReadAssets(ctx context.Context, name, site string, file io.Reader) (doc report.AssetImport, err error) {
	defer func() { a.auditEnd(ctx, "assets.import", name, "", err) }()
	doc = report.AssetImport{File: name, Refused: []report.Dropped{}, Problems: []report.Problem{}}
	if err := a.checkExist(ctx, 0, site); err != nil {
		return doc, err
	}
	rows, err := a.readAssets(ctx, file, site, &doc)
	if err != nil {
		return doc, err
	}
	return doc, a.keepAssets(ctx, rows, &doc)
}
