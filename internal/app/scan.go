package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/match"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/native"
	"github.com/patchscout/patchscout/internal/scan/nmap"
	"github.com/patchscout/patchscout/internal/scope"
	"github.com/patchscout/patchscout/internal/store"
)

// ScanRequest says what to scan and how, as the user wrote it.
type ScanRequest struct {
	Targets      []string
	Exclude      []string
	Scanners     []string // empty: the configuration's
	Profile      string   // "" is standard
	Ports        string
	ExcludePorts string
	Site         string
	Baseline     int64 // a scan whose findings are not New
	Demo         bool  // mark everything as demo
}

// ScanResult is what a scan came to.
type ScanResult struct {
	Document   report.Scan
	New        []report.Finding // those that the baseline did not have; all without a baseline
	Incomplete bool             // something is not known to be clean
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
		return p, fault.Invalid("--profile %s: want quick, standard, full or web", p.profile)
	}
	for i, name := range req.Scanners {
		if name != (native.Scanner{}).Name() && name != nmap.Name {
			return p, fault.Invalid("--scanner %s: want native or nmap", name)
		}
		if slices.Contains(req.Scanners[:i], name) {
			return p, fault.Invalid("--scanner %s is named twice", name)
		}
	}
	for _, text := range req.Targets {
		t, err := scan.ParseTarget(text)
		if err != nil {
			return p, err
		}
		p.targets = append(p.targets, t)
	}
	for _, text := range req.Exclude {
		t, err := scan.ParseExclude(text)
		if err != nil {
			return p, err
		}
		p.exclude = append(p.exclude, t)
	}
	if p.ports, err = scan.ParsePorts(req.Ports); err != nil {
		return p, err
	}
	if p.excludePorts, err = scan.ParsePorts(req.ExcludePorts); err != nil {
		return p, err
	}
	ports := p.ports
	if len(ports) == 0 {
		ports = []finding.PortRange{{First: 1, Last: 65535}}
	}
	if len(scan.SubtractPorts(ports, p.excludePorts)) == 0 {
		return p, fault.Invalid("--exclude-ports %s leaves no port to scan", req.ExcludePorts)
	}
	return p, nil
}

// Scan scans, matches, merges and keeps. When ctx is cancelled it stops scanning, keeps what was found until then and
// returns it as a cancelled scan, not as an error.
func (a *App) Scan(ctx context.Context, req ScanRequest, progress func(Progress)) (ScanResult, error) {
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
	expansion, err := scan.Expand(ctx, p.targets, p.exclude, net.DefaultResolver)
	if err != nil {
		return ScanResult{}, err
	}
	if len(expansion.Hosts)+len(expansion.Unresolved) == 0 { // a scan of nothing would look like a clean network
		return ScanResult{}, fault.Invalid("--exclude leaves nothing to scan")
	}
	hosts, err := a.inScope(expansion.Hosts)
	if err != nil {
		return ScanResult{}, err
	}
	expansion.Hosts = hosts
	id, err := a.run(ctx, req, p, expansion, progress)
	if err != nil {
		return ScanResult{}, err
	}
	return a.scanResult(context.WithoutCancel(ctx), id, req.Baseline)
}

// checkScan asks the estate whether what the request names exists.
func (a *App) checkScan(ctx context.Context, req ScanRequest) error {
	if _, err := a.store.Estate().Site(ctx, either(req.Site, asset.DefaultSite)); err != nil {
		if fault.KindOf(err) == fault.KindNotFound {
			return fault.Invalid("site %s does not exist: patchscout site add %s", req.Site, req.Site)
		}
		return err
	}
	if req.Baseline == 0 {
		return nil
	}
	if _, err := a.store.Estate().Scan(ctx, req.Baseline); err != nil {
		return fault.Invalid("--baseline: %w", err)
	}
	return nil
}

// inScope refuses a scan of which any host may not be scanned: leaving it out silently would look like a clean host.
func (a *App) inScope(hosts []scan.HostTarget) ([]scan.HostTarget, error) {
	limits, err := scopeOf(a.cfg)
	if err != nil {
		return nil, err
	}
	allowed, denied := limits.Filter(hosts)
	if len(denied) > 0 {
		more := ""
		if len(denied) > 1 {
			more = fmt.Sprintf(" (and %d more)", len(denied)-1)
		}
		return nil, fault.Invalid("%s%s may not be scanned: %s", denied[0].Host.Address, more, denied[0].Reason)
	}
	return allowed, nil
}

func scopeOf(cfg config.Config) (scope.Scope, error) {
	rules, err := scopeRules(cfg)
	return scope.ForCommand(rules), err
}

func scopeRules(cfg config.Config) (rules []scope.Rule, err error) {
	for _, text := range cfg.Scan.Scope {
		rule, err := scope.ParseRule(text)
		if err != nil {
			return nil, fault.Invalid("scan.scope: %w", err)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// Scope lists the limits that are in force for scans from the command line.
func Scope(cfg config.Config) ([]report.Network, error) {
	rules, err := scopeRules(cfg)
	if err != nil {
		return nil, err
	}
	out := []report.Network{}
	allows := false
	for _, r := range rules {
		why := "allowed by scan.scope"
		if r.Deny {
			why = "denied by scan.scope"
		}
		allows = allows || !r.Deny
		out = append(out, report.Network{Network: strings.TrimPrefix(r.Text, "!"), Why: why})
	}
	rest := "allowed: whoever types a target says that he may scan it"
	if allows {
		rest = "denied: scan.scope does not allow it"
	}
	return append(out, report.Network{Network: "anything else", Why: rest}), nil
}

// run is one scan from its record to its end.
func (a *App) run(ctx context.Context, req ScanRequest, p plan, ex scan.Expansion, progress func(Progress)) (int64, error) {
	scanners, err := a.scanners(req.Scanners)
	if err != nil {
		return 0, err
	}
	record, err := a.newScan(ctx, req, p)
	if err != nil {
		return 0, err
	}
	assessing, err := a.assessor().Begin(ctx, record)
	if err != nil {
		return 0, err
	}
	raw := &rawReports{}
	defer raw.remove()
	result, runErr := scan.Result{}, error(nil)
	if len(ex.Hosts) > 0 {
		job := scan.Job{Hosts: ex.Hosts, Ports: p.ports, Exclude: p.excludePorts, Profile: p.profile, Scanning: a.now()}
		result, runErr = scan.Run(ctx, scanners, job, scan.Options{
			Raw: raw.create, Emit: assessing.Emit, Now: a.now,
			Progress: func(s scan.Progress) { progress(Progress{Percent: s.Percent * 0.97, Stage: stage(s)}) },
		})
	}
	progress(Progress{Percent: 97, Stage: "matching and storing"})
	keep := context.WithoutCancel(ctx) // what was found is kept when the user stops the scan
	end := a.end(ctx, ex, result, runErr)
	a.keepRaw(keep, raw, end.Scanners)
	if _, err := assessing.Finish(keep, end); err != nil {
		return 0, fmt.Errorf("store scan %d: %w", assessing.ScanID(), err)
	}
	return assessing.ScanID(), nil
}

func stage(s scan.Progress) string {
	text := "scanning"
	if s.Scanner != "" && s.Stage != "" {
		text = s.Scanner + ": " + s.Stage
	}
	if s.ETA >= time.Second {
		text += ", " + s.ETA.Round(time.Second).String() + " left"
	}
	return text
}

func (a *App) scanners(names []string) ([]scan.Scanner, error) {
	if len(names) == 0 {
		names = a.cfg.Scan.Scanners
	}
	var out []scan.Scanner
	for _, name := range names {
		s, err := a.scanner(name)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (a *App) scanner(name string) (scan.Scanner, error) {
	switch name {
	case (native.Scanner{}).Name():
		return native.Scanner{}, nil
	case nmap.Name:
		return nmap.New(nmap.Options{Path: a.cfg.Nmap.Path})
	}
	return nil, fault.Invalid("scanner %s: want native or nmap", name)
}

// newScan describes the scan and the catalogue that it begins with.
func (a *App) newScan(ctx context.Context, req ScanRequest, p plan) (finding.Scan, error) {
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return finding.Scan{}, err
	}
	described, err := json.Marshal(cat)
	if err != nil {
		return finding.Scan{}, err
	}
	generation, err := a.store.Catalogue().Generation(ctx)
	return finding.Scan{
		Kind: finding.KindScan, Site: either(req.Site, asset.DefaultSite), Targets: req.Targets, Profile: string(p.profile),
		By: who(), Created: a.now().UTC(), Catalogue: described, Generation: generation, Demo: req.Demo,
	}, err
}

func (a *App) assessor() *assess.Assessor {
	cat := a.store.Catalogue()
	return assess.New(a.store.Estate(), cat, match.New(cat), a.now)
}

// end says how the run went, for the pipeline.
func (a *App) end(ctx context.Context, ex scan.Expansion, result scan.Result, runErr error) assess.End {
	end := assess.End{Status: finding.Completed, Dropped: map[string]map[string]int{}}
	for _, o := range result.Scanners {
		run := finding.ScannerRun{Name: o.Scanner, Version: o.Version, Status: string(o.Status)}
		if o.Err != nil && o.Status != scan.Cancelled {
			run.Error = o.Err.Error()
		}
		end.Scanners = append(end.Scanners, run)
		if len(o.Dropped) > 0 {
			end.Dropped[o.Scanner] = o.Dropped
		}
	}
	switch {
	case ctx.Err() != nil:
		end.Status, end.Reason = finding.Failed, "cancelled"
	case runErr != nil:
		end.Status, end.Reason = finding.Failed, runErr.Error()
	case len(result.Scanners) > 0 && !slices.ContainsFunc(result.Scanners, func(o scan.Outcome) bool { return o.Status == scan.Completed }):
		end.Status, end.Reason = finding.Failed, "no scanner completed"
	}
	end.Silent = silent(ex, result, ctx.Err() != nil)
	return end
}

// silent lists the hosts of which nothing is known.
func silent(ex scan.Expansion, result scan.Result, cancelled bool) (out []finding.ScanHost) {
	for _, u := range ex.Unresolved {
		out = append(out, finding.ScanHost{Name: u.Target.Name, Status: string(asset.Unknown), Reason: "did not resolve: " + u.Reason})
	}
	reason := "did not answer"
	if cancelled {
		reason = "not looked at to the end"
	}
	for _, h := range result.Silent {
		host := finding.ScanHost{Address: h.Address.String(), Status: string(asset.Unknown), Reason: reason}
		if len(h.Names) > 0 {
			host.Name = h.Names[0]
		}
		out = append(out, host)
	}
	return out
}

// rawReports holds what the scanners write until it is stored.
type rawReports struct {
	files map[string]*os.File
}

func (r *rawReports) create(scanner string) (io.Writer, error) {
	file, err := os.CreateTemp("", "patchscout-report-*")
	if err != nil {
		return nil, fmt.Errorf("keep the raw report: %w", err)
	}
	if r.files == nil {
		r.files = map[string]*os.File{}
	}
	r.files[scanner] = file
	_ = os.Remove(file.Name()) // where an open file can go, it goes: a killed process leaves nothing in the temporary folder
	return file, nil
}

func (r *rawReports) remove() {
	for _, file := range r.files {
		_ = errors.Join(file.Close(), os.Remove(file.Name())) // a temporary file that stays does no harm
	}
}

// keepRaw stores the raw reports and notes their hashes. A report that cannot be kept is worth a warning, not the scan.
func (a *App) keepRaw(ctx context.Context, raw *rawReports, runs []finding.ScannerRun) {
	for i := range runs {
		file := raw.files[runs[i].Name]
		if file == nil {
			continue
		}
		_, err := file.Seek(0, io.SeekStart)
		if err == nil {
			runs[i].Report, err = a.store.Estate().PutBlob(ctx, file)
		}
		if err != nil {
			a.log.Warn("raw report not kept", "scanner", runs[i].Name, "error", err)
		}
	}
}

// ScanResult returns a scan as it stands now.
func (a *App) ScanResult(ctx context.Context, id int64) (ScanResult, error) {
	return a.scanResult(ctx, id, 0)
}

func (a *App) scanResult(ctx context.Context, id, baseline int64) (ScanResult, error) {
	s, err := a.store.Estate().Scan(ctx, id)
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
	err := a.store.Estate().EachFinding(ctx, finding.Filter{Scan: scanID, ShowHidden: true}, func(l finding.Listed) error {
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
