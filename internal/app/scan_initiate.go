package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/store"
)

// conductAttempts is how often a scan is taken over from processes that died before it is given up: a scan that kills
// whoever conducts it must not do so forever.
const conductAttempts = 10

// InitiateScan keeps a scan that a job will conduct, and answers at once: names are looked up by the job. What can be
// known without the network is checked now.
func (a *App) InitiateScan(ctx context.Context, req ScanRequest) (made report.Initiated, err error) {
	defer func() {
		a.auditEnd(ctx, "scan.start", strings.Join(req.Targets, ", "), fmt.Sprintf("scan %d, profile %s, site %s", made.ScanID, req.Profile, req.Site), err)
	}()
	p, err := parsePlan(req)
	if err != nil {
		return report.Initiated{}, err
	}
	if len(p.targets) == 0 {
		return report.Initiated{}, fault.InvalidOption("target-url", ": name what to scan")
	}
	if err := a.checkScan(ctx, req); err != nil {
		return report.Initiated{}, err
	}
	if err := a.checkLiterals(ctx, req, p); err != nil {
		return report.Initiated{}, err
	}
	if err := a.checkWaiting(ctx); err != nil {
		return report.Initiated{}, err
	}
	names := req.Scanners
	if len(names) == 0 {
		names = a.cfg.Scan.Scanners
	}
	kept := newScanJob(req, p, names)
	kept.Asker = askerOf(a.who)
	work, err := json.Marshal(kept)
	if err != nil {
		return report.Initiated{}, err
	}
	record, err := a.newScan(ctx, req, p)
	if err != nil {
		return report.Initiated{}, err
	}
	record.Status = finding.Pending
	record.ID, err = a.store.Estate().QueueScan(ctx, record, work, a.conductJob(record.Site))
	if err != nil {
		return report.Initiated{}, err
	}
	a.wake()
	return initiated(record), nil
}

// maxWaiting is how many scans one asker may have waiting: others wait behind them.
const maxWaiting = 100

func (a *App) checkWaiting(ctx context.Context) error {
	waiting, err := a.store.Jobs().Jobs(ctx, job.Filter{Kinds: []job.Kind{job.Scan}, States: []job.State{job.Queued}, Bare: true})
	if err != nil {
		return err
	}
	mine := 0
	for _, j := range waiting {
		if j.By == a.who.Name {
			mine++
		}
	}
	if mine >= maxWaiting {
		return fault.Conflict("%d scans of %s wait already: cancel some, or wait until they are done", mine, a.who.Name)
	}
	return nil
}

func (a *App) conductJob(site string) job.Job {
	return job.Job{Kind: job.Scan, Site: site, By: a.who.Name, MaxAttempts: conductAttempts}
}

// wake tells the queue of this process that there is a new row; the others look for themselves.
func (a *App) wake() {
	if a.queue != nil {
		a.queue.Wake()
	}
}

func initiated(s finding.Scan) report.Initiated {
	out := report.Initiated{ScanID: s.ID, ID: s.ID, Targets: notNil(s.Targets), Status: string(s.Status), CreatedAt: s.Created.UTC()}
	if len(s.Targets) > 0 {
		out.Target = s.Targets[0]
	}
	return out
}

// checkLiterals judges the targets whose addresses are known without asking DNS.
func (a *App) checkLiterals(ctx context.Context, req ScanRequest, p plan) error {
	named := func(t scan.Target) bool { return t.Name != "" }
	if slices.ContainsFunc(p.exclude, named) {
		return nil // what is excluded is not known yet
	}
	literal := slices.DeleteFunc(slices.Clone(p.targets), named)
	ex, err := scan.Expand(ctx, literal, p.exclude, nil)
	if err != nil {
		return err
	}
	if len(literal) == len(p.targets) && len(ex.Hosts) == 0 {
		return fault.InvalidOption("exclude", " leaves nothing to scan")
	}
	return a.inScope(ctx, either(req.Site, asset.DefaultSite), ex.Hosts)
}

// RepeatScan asks for a scan again, of what its targets lead to now.
func (a *App) RepeatScan(ctx context.Context, id int64) (_ report.Initiated, err error) {
	defer func() { a.auditEnd(ctx, "scan.repeat", numbered("scan", id), "", err) }()
	old, err := a.store.Estate().Scan(ctx, a.who.View, id)
	if err != nil {
		return report.Initiated{}, err
	}
	work, err := a.store.Estate().Work(ctx, id)
	if fault.KindOf(err) == fault.KindNotFound {
		return report.Initiated{}, fault.Conflict("scan %d cannot be repeated: it is an import", id)
	}
	if err != nil {
		return report.Initiated{}, err
	}
	var j scanJob
	if err := json.Unmarshal(work, &j); err != nil {
		return report.Initiated{}, err
	}
	return a.InitiateScan(ctx, ScanRequest{Targets: old.Targets, Exclude: j.Exclude, Scanners: j.Scanners, Profile: j.Profile, Ports: j.Ports,
		ExcludePorts: j.ExcludePorts, Site: old.Site, Timeout: j.timeout(), Baseline: j.Baseline})
}

// ContinueScan has a scan that was paused, or whose process died, continued by a job.
func (a *App) ContinueScan(ctx context.Context, id int64) (err error) {
	defer func() { a.auditEnd(ctx, "scan.resume", numbered("scan", id), "", err) }()
	s, err := a.store.Estate().Scan(ctx, a.who.View, id)
	if err != nil {
		return err
	}
	if err := a.bury(ctx, id); err != nil {
		return err
	}
	if err := a.store.Estate().RequeueScan(ctx, id, a.conductJob(s.Site)); err != nil {
		return err
	}
	a.wake()
	return nil
}

// DeleteScan takes back exactly what a scan said; without apply it only says what that comes to.
func (a *App) DeleteScan(ctx context.Context, id int64, apply bool) (report.Undo, error) {
	return a.UndoImport(ctx, id, apply)
}

// ScanStatus says where a scan or import stands.
func (a *App) ScanStatus(ctx context.Context, id int64) (report.ScanStatus, error) {
	s, err := a.store.Estate().Scan(ctx, a.who.View, id)
	if err != nil {
		return report.ScanStatus{}, err
	}
	list, err := a.statuses(ctx, []finding.Scan{s})
	if err != nil {
		return report.ScanStatus{}, err
	}
	if err := a.addProblems(ctx, s, &list[0]); err != nil {
		return report.ScanStatus{}, err
	}
	if s.Status == finding.Completed {
		list[0].New, err = a.beyondBaseline(ctx, id)
	}
	return list[0], err
}

// addProblems names the targets of which nothing is known although the scan is over: they are not clean.
func (a *App) addProblems(ctx context.Context, s finding.Scan, out *report.ScanStatus) error {
	if s.Kind != finding.KindScan || s.Status != finding.Completed && s.Status != finding.Failed {
		return nil
	}
	hosts, err := a.store.Estate().ScanHosts(ctx, a.who.View, s.ID)
	found := problems(s.Targets, hosts)
	out.Problems = found[:min(len(found), shortList)]
	return err
}

// beyondBaseline counts what a scan saw and the scan that it is compared with did not; nil when it is compared with none.
func (a *App) beyondBaseline(ctx context.Context, id int64) (*int, error) {
	work, err := a.store.Estate().Work(ctx, id)
	if fault.KindOf(err) == fault.KindNotFound {
		return nil, nil //nolint:nilnil // an import is compared with nothing
	}
	if err != nil {
		return nil, err
	}
	var j scanJob
	if err := json.Unmarshal(work, &j); err != nil || j.Baseline == 0 {
		return nil, err
	}
	known := map[int64]bool{}
	each := func(scan int64, fn func(id int64)) error {
		return a.store.Estate().EachFinding(ctx, a.who.View, finding.Filter{Scan: scan, ShowHidden: true}, func(l finding.Listed) error {
			fn(l.ID)
			return nil
		})
	}
	if err := each(j.Baseline, func(id int64) { known[id] = true }); err != nil {
		return nil, err
	}
	n := 0
	return &n, each(id, func(id int64) {
		if !known[id] {
			n++
		}
	})
}

// ScanStatuses lists scans and imports, and how many there are in all.
func (a *App) ScanStatuses(ctx context.Context, req ScansRequest) (list []report.ScanStatus, total int, err error) {
	f := store.ScanFilter{Site: req.Site, Kind: finding.ScanKind(req.Kind), Status: finding.ScanStatus(req.Status), Before: req.Before, Skip: req.Skip,
		Limit: req.Limit}
	scans, err := a.store.Estate().Scans(ctx, a.who.View, f)
	if err != nil {
		return nil, 0, err
	}
	if total, err = a.store.Estate().CountScans(ctx, a.who.View, f); err != nil {
		return nil, 0, err
	}
	list, err = a.statuses(ctx, scans)
	return list, total, err
}

func (a *App) statuses(ctx context.Context, scans []finding.Scan) ([]report.ScanStatus, error) {
	ids := make([]int64, len(scans))
	for i, s := range scans {
		ids[i] = s.ID
	}
	controls, err := a.store.Estate().Controls(ctx, a.who.View, ids)
	if err != nil {
		return nil, err
	}
	out := []report.ScanStatus{}
	for _, s := range scans {
		status := toStatus(s, controls[s.ID])
		if s.Status == finding.Running {
			if status.Hosts, status.Findings, err = a.store.Estate().ScanCounts(ctx, s.ID); err != nil {
				return nil, err
			}
		}
		out = append(out, status)
	}
	return out, nil
}

func toStatus(s finding.Scan, c store.Control) report.ScanStatus {
	out := report.ScanStatus{
		Initiated: initiated(s), ScanType: report.Text(s.Profile), Kind: string(s.Kind), Site: s.Site, By: s.By, StartedAt: pointer(s.Started),
		CompletedAt: pointer(s.Completed), Scanners: []report.Scanner{}, Hosts: s.Totals.Hosts, Findings: s.Totals.Findings,
		Tasks: report.TaskCount{Done: c.Done, Total: c.Total},
	}
	for _, sc := range s.Scanners {
		out.Scanners = append(out.Scanners, report.Scanner{Name: sc.Name, Status: sc.Status, Error: report.Text(sc.Error)})
	}
	if s.Reason != "" {
		out.Reason = &s.Reason
	}
	switch s.Status {
	case finding.Completed:
		out.Progress, out.Stage = 100, "completed"
	case finding.Failed:
		out.Progress, out.Stage = tenths(c.Percent), "failed"
	default:
		out.Progress, out.Stage, out.Paused = tenths(c.Percent), c.Stage, c.Paused
		if c.Wanted == store.WantPause {
			out.Stage = "pausing"
		}
		if c.Paused {
			out.Status, out.Stage = string(finding.Running), "paused" // as the contract has it, even if it never began
		}
		if eta := int64(c.ETA.Seconds()); eta > 0 && !c.Paused {
			out.ETA = &eta
		}
	}
	return out
}
