package app

import (
	"context"
	"strings"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store"
)

// Imports lists imports with their ledgers, newest first; 0 lists all.
func (a *App) Imports(ctx context.Context, limit int) (report.ImportList, error) {
	doc := report.ImportList{Imports: []report.Imported{}}
	scans, err := a.store.Estate().Scans(ctx, a.who.View, store.ScanFilter{Kind: finding.KindImport, Limit: limit})
	if err != nil {
		return doc, err
	}
	for _, s := range scans {
		one, err := a.imported(ctx, s)
		if err != nil {
			return doc, err
		}
		doc.Imports = append(doc.Imports, one)
	}
	return doc, nil
}

// Imported returns one import.
func (a *App) Imported(ctx context.Context, id int64) (report.Imported, error) {
	s, err := a.store.Estate().Scan(ctx, a.who.View, id)
	if err != nil {
		return report.Imported{}, err
	}
	if s.Kind != finding.KindImport {
		return report.Imported{}, fault.NotFound("no import %d: it is a scan, see patchscout scans show %d", id, id)
	}
	return a.imported(ctx, s)
}

func (a *App) imported(ctx context.Context, s finding.Scan) (report.Imported, error) {
	reason, err := a.interrupted(ctx, s)
	if err != nil {
		return report.Imported{}, err
	}
	out := report.Imported{ID: s.ID, At: s.Created.UTC(), By: report.Text(s.By), Site: s.Site, Status: string(s.Status), Reason: report.Text(either(s.Reason, reason)),
		Demo: s.Demo, Ledger: report.Ledger{ID: s.ID, File: strings.Join(s.Targets, " "), Dropped: []report.Dropped{}}}
	ledgers, err := a.store.Estate().Ledgers(ctx, a.who.View, s.ID)
	if err == nil && len(ledgers) > 0 {
		out.Ledger = toLedger(ledgers[0])
		out.Ledger.ID = s.ID
	}
	for _, run := range s.Scanners {
		if out.Ledger.Tool == "" {
			out.Ledger.Tool = run.Name
		}
		if run.Error != "" {
			out.Ledger.Warning = report.Text(run.Error)
		}
	}
	return out, err
}

// UndoImport takes back exactly what an import or scan said; without apply it only says what that comes to.
func (a *App) UndoImport(ctx context.Context, id int64, apply bool) (_ report.Undo, err error) {
	defer func() {
		if apply {
			a.auditEnd(ctx, "scan.undo", numbered("scan", id), "", err)
		}
	}()
	if err := a.unqueue(ctx, id, apply); err != nil {
		return report.Undo{}, err
	}
	if err := a.endInterrupted(ctx, id); err != nil {
		return report.Undo{}, err
	}
	undone, err := a.assessor().Undo(ctx, id, a.who.Name, apply)
	return report.Undo{ID: id, Applied: apply && err == nil, Undone: report.Undone(undone)}, err
}

// Remerge applies today's rules to everything stored; without apply it only says what would change.
func (a *App) Remerge(ctx context.Context, apply bool) (_ report.Remerge, err error) {
	defer func() {
		if apply {
			a.auditEnd(ctx, "remerge", "", "", err)
		}
	}()
	if err := a.wide("remerge"); err != nil {
		return report.Remerge{}, err
	}
	done, err := a.assessor().Remerge(ctx, apply)
	doc := report.Remerge{Applied: apply && err == nil, Hosts: done.Hosts, Findings: done.Findings, Joined: done.Joined, Parted: done.Parted,
		Renamed: done.Renamed, Rated: done.Rated, Changes: []report.Change{}}
	for _, c := range done.Changes {
		doc.Changes = append(doc.Changes, report.Change{Finding: c.ID, Host: report.Text(c.Host), Port: c.Port, Was: report.Text(string(c.Was)),
			Is: report.Text(string(c.Is)), Before: toVerdict(c.Before), After: toVerdict(c.After)})
	}
	return doc, err
}

func toVerdict(v assess.Verdict) report.Verdict {
	return report.Verdict{Severity: v.Severity, Confidence: v.Confidence, Status: string(v.Status), State: string(v.State), Decision: report.Text(v.Decision)}
}

// MergeHosts joins two hosts, named by id or address, into the first.
func (a *App) MergeHosts(ctx context.Context, keep, other, site string) (_ int64, err error) {
	defer func() { a.auditEnd(ctx, "host.merge", keep+" and "+other, "site "+site, err) }()
	into, err := a.hostID(ctx, keep, site)
	if err != nil {
		return 0, err
	}
	from, err := a.hostID(ctx, other, site)
	if err != nil {
		return 0, err
	}
	return into, a.assessor().MergeHosts(ctx, into, from)
}

// SplitHost makes what was seen at one of a host's addresses or names a host of its own.
func (a *App) SplitHost(ctx context.Context, host, place, site string) (_ int64, err error) {
	defer func() { a.auditEnd(ctx, "host.split", host+" by "+place, "site "+site, err) }()
	id, err := a.hostID(ctx, host, site)
	if err != nil {
		return 0, err
	}
	return a.assessor().SplitHost(ctx, id, place)
}
