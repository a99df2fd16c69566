package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/match"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/store"
)

// ScanRequest is request.Scan.
type ScanRequest = request.Scan

// ScanResult is what a scan came to.
type ScanResult struct {
	Document   report.Scan
	New        []report.Finding // those that the baseline did not have; all without a baseline
	Incomplete bool             // something is not known to be clean
	Notes      []string         // what was done that was not asked for in so many words, for people
}

// plan is a request understood.
type plan struct {
	targets, exclude    []scan.Target
	ports, excludePorts []finding.PortRange
	profile             scan.Profile
}

// CheckTargets says what is wrong with a request before anything is opened or created.
func CheckTargets(req ScanRequest) error {
	_, err := parsePlan(req)
	return err
}

func parsePlan(req ScanRequest) (p plan, err error) {
	p.profile = scan.Profile(either(req.Profile, string(scan.Standard)))
	if !slices.Contains([]scan.Profile{scan.Quick, scan.Standard, scan.Full, scan.Web}, p.profile) {
		return p, fault.InvalidOption("profile", " %s: want quick, standard, full or web", p.profile)
	}
	if err := checkScanners(req.Scanners); err != nil {
		return p, fault.At("scanners", err)
	}
	for _, text := range req.Targets {
		t, err := scan.ParseTarget(text)
		if err != nil {
			return p, fault.At("target-url", err)
		}
		p.targets = append(p.targets, t)
	}
	for _, text := range req.Exclude {
		t, err := scan.ParseExclude(text)
		if err != nil {
			return p, fault.At("exclude", err)
		}
		p.exclude = append(p.exclude, t)
	}
	if p.ports, err = scan.ParsePorts(req.Ports); err != nil {
		return p, fault.At("ports", err)
	}
	if p.excludePorts, err = scan.ParsePorts(req.ExcludePorts); err != nil {
		return p, fault.At("exclude-ports", err)
	}
	ports := p.ports
	if len(ports) == 0 {
		ports = []finding.PortRange{{First: 1, Last: 65535}}
	}
	if len(scan.SubtractPorts(ports, p.excludePorts)) == 0 {
		return p, fault.InvalidOption("exclude-ports", " %s leaves no port to scan", req.ExcludePorts)
	}
	return p, nil
}

// Scan scans, matches, merges and keeps. When ctx is cancelled it stops scanning, keeps what was found until then and
// returns it as a cancelled scan, not as an error. A scan that another process paused is returned as far as it came.
func (a *App) Scan(ctx context.Context, req ScanRequest, progress func(Progress)) (_ ScanResult, err error) {
	defer func() {
		a.auditEnd(ctx, "scan.start", strings.Join(req.Targets, ", "), "profile "+req.Profile+", site "+req.Site, err)
	}()
	p, err := parsePlan(req)
	if err != nil {
		return ScanResult{}, err
	}
	if err := a.checkScan(ctx, req); err != nil {
		return ScanResult{}, err
	}
	if progress == nil {
		progress = func(Progress) {}
	}
	progress(Progress{Stage: "looking up names"})
	expansion, err := scan.Expand(ctx, p.targets, p.exclude, a.resolver)
	if err != nil {
		return ScanResult{}, err
	}
	if len(expansion.Hosts)+len(expansion.Unresolved) == 0 { // a scan of nothing would look like a clean network
		return ScanResult{}, fault.InvalidOption("exclude", " leaves nothing to scan")
	}
	if err := a.inScope(ctx, either(req.Site, asset.DefaultSite), expansion.Hosts); err != nil {
		return ScanResult{}, err
	}
	w, err := a.begin(ctx, req, p, expansion)
	if err != nil {
		return ScanResult{}, err
	}
	if err := w.run(ctx, progress); err != nil {
		return ScanResult{}, err
	}
	result, err := a.scanResult(context.WithoutCancel(ctx), w.id, req.Baseline)
	result.Notes = w.notes
	return result, err
}

// checkScan asks the estate whether what the request names exists.
func (a *App) checkScan(ctx context.Context, req ScanRequest) error {
	if _, err := a.store.Estate().Site(ctx, a.who.View, either(req.Site, asset.DefaultSite)); err != nil {
		if fault.KindOf(err) == fault.KindNotFound {
			site := either(req.Site, asset.DefaultSite)
			return fault.At("site", fault.Invalid("site %s does not exist: patchscout site add %s", site, site))
		}
		return err
	}
	if req.Baseline == 0 {
		return nil
	}
	if _, err := a.store.Estate().Scan(ctx, a.who.View, req.Baseline); err != nil {
		return fault.InvalidOption("baseline", ": %w", err)
	}
	return nil
}

// inScope refuses a scan of which any host may not be scanned: leaving it out silently would look like a clean host.
func (a *App) inScope(ctx context.Context, site string, hosts []scan.HostTarget) error {
	limits, err := a.limits(ctx, site)
	if err != nil {
		return err
	}
	_, denied := limits.Filter(hosts)
	if len(denied) == 0 {
		return nil
	}
	more := ""
	if len(denied) > 1 {
		more = fmt.Sprintf(" (and %d more)", len(denied)-1)
	}
	return fault.At("target-url", fault.Invalid("%s%s may not be scanned: %s", denied[0].Host.Address, more, denied[0].Reason))
}

// newScan describes the scan and the catalogue that it begins with.
func (a *App) newScan(ctx context.Context, req ScanRequest, p plan) (finding.Scan, error) {
	s := finding.Scan{
		Kind: finding.KindScan, Site: either(req.Site, asset.DefaultSite), Targets: req.Targets, Profile: string(p.profile),
		By: a.who.Name, Created: a.now().UTC(), Demo: req.Demo,
	}
	err := a.dateScan(ctx, &s)
	return s, err
}

// dateScan says which state of the catalogue a scan begins with.
func (a *App) dateScan(ctx context.Context, s *finding.Scan) error {
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return err
	}
	if s.Catalogue, err = json.Marshal(cat); err != nil {
		return err
	}
	s.Generation, err = a.store.Catalogue().Generation(ctx)
	return err
}

func (a *App) assessor() *assess.Assessor { return a.assessorOn(a.store.Estate()) }

func (a *App) assessorOn(estate *store.Estate) *assess.Assessor {
	cat := a.store.Catalogue()
	return assess.New(estate, cat, match.New(cat), a.now).WithTerms(a.terms()).WithWatch(a.watchRuns())
}

// ScanResult returns a scan as it stands now.
func (a *App) ScanResult(ctx context.Context, id int64) (ScanResult, error) {
	return a.scanResult(ctx, id, 0)
}

func (a *App) scanResult(ctx context.Context, id, baseline int64) (ScanResult, error) {
	s, err := a.store.Estate().Scan(ctx, a.who.View, id)
	if err != nil {
		return ScanResult{}, err
	}
	var res ScanResult
	if res.Document.Scan, err = a.toRun(ctx, s); err != nil {
		return res, err
	}
	if res.Document.Hosts, err = a.hosts(ctx, store.HostFilter{Scan: id}); err != nil {
		return res, err
	}
	if res.Document.Findings, err = a.findings(ctx, finding.Filter{Scan: id}, res.Document.Scan.Catalogue); err != nil {
		return res, err
	}
	run := res.Document.Scan
	res.Incomplete = run.Status != string(finding.Completed) || len(run.Problems) > 0 ||
		slices.ContainsFunc(run.Scanners, func(s report.Scanner) bool { return s.Status != string(scan.Completed) })
	res.New = res.Document.Findings
	if baseline != 0 {
		res.New, err = a.notIn(ctx, res.Document.Findings, baseline)
	}
	return res, err
}

// notIn leaves out what another scan saw.
func (a *App) notIn(ctx context.Context, findings []report.Finding, scanID int64) ([]report.Finding, error) {
	known := map[int64]bool{}
	err := a.store.Estate().EachFinding(ctx, a.who.View, finding.Filter{Scan: scanID, ShowHidden: true}, func(l finding.Listed) error {
		known[l.ID] = true
		return nil
	})
	var out []report.Finding
	for _, f := range findings {
		if !known[f.ID] {
			out = append(out, f)
		}
	}
	return out, err
}
