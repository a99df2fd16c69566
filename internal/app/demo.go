package app

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/app/demo"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/scan/nmap"
)

// DemoRequest says what the demo shows beside the scan of its servers.
type DemoRequest struct {
	Simulate []string // scanners that are not here, of demo.Simulators
	Started  func([]demo.Server)
	Progress func(Progress)
}

// DemoResult is what the demo found.
type DemoResult struct {
	ScanResult
	Simulated []report.Ledger  // of the simulated reports
	Agreed    []report.Finding // that several tools saw
}

// CheckDemo says what is wrong with a request before anything is started.
func CheckDemo(req DemoRequest) error {
	for _, name := range req.Simulate {
		if !slices.Contains(demo.Simulators(), name) {
			return fault.InvalidOption("simulate", " %s: want one of %s", name, strings.Join(demo.Simulators(), ", "))
		}
	}
	return nil
}

// Demo starts the demo's servers on loopback, scans them by the same road as any host, marks what it found as demo and
// stops the servers again. The reports of simulated scanners go the way of any import.
func (a *App) Demo(ctx context.Context, req DemoRequest) (_ DemoResult, err error) {
	defer func() { a.auditEnd(ctx, "demo", "", "", err) }()
	servers, stop, err := demo.Start(ctx)
	if err != nil {
		return DemoResult{}, err
	}
	defer stop()
	req.Started(servers)
	ports := make([]string, len(servers))
	for i, s := range servers {
		ports[i] = strconv.Itoa(int(s.Addr.Port()))
	}
	var out DemoResult
	out.ScanResult, err = a.Scan(ctx, ScanRequest{
		Targets: []string{servers[0].Addr.Addr().String()}, Ports: strings.Join(ports, ","), Demo: true,
	}, req.Progress)
	if err != nil || len(req.Simulate) == 0 || ctx.Err() != nil {
		return out, err
	}
	if err := a.demoNmap(ctx, servers); err != nil {
		return out, err
	}
	err = a.simulate(ctx, req.Simulate, servers, &out)
	return out, err
}

// demoNmap lets nmap, where it is installed, look at the servers that the simulated reports speak of, so that its word
// stands beside theirs. It is not asked about the others: it would puzzle over some of them for minutes.
func (a *App) demoNmap(ctx context.Context, servers []demo.Server) error {
	s, err := nmap.New(nmap.Options{Path: a.cfg.Nmap.Path, Scripts: a.cfg.Nmap.Scripts})
	if err != nil {
		return nil //nolint:nilerr // the demo goes on without it
	}
	if _, err := s.Available(ctx); err != nil {
		return nil //nolint:nilerr // likewise
	}
	var ports []string
	for _, server := range servers {
		if strings.Contains(server.Greets, "FTP") {
			ports = append(ports, strconv.Itoa(int(server.Addr.Port())))
		}
	}
	_, err = a.Scan(ctx, ScanRequest{
		Targets: []string{servers[0].Addr.Addr().String()}, Ports: strings.Join(ports, ","), Scanners: []string{nmap.Name}, Demo: true,
	}, nil)
	return err
}

func (a *App) simulate(ctx context.Context, tools []string, servers []demo.Server, out *DemoResult) error {
	for _, tool := range tools {
		simulated, ok := demo.Simulate(tool, servers, a.now().UTC().Truncate(time.Second))
		if !ok {
			return fmt.Errorf("simulate a report of %s", tool)
		}
		ledger, err := a.importReport(ctx, ImportRequest{Tool: simulated.Tool, Demo: true}, simulated.Name, bytes.NewReader(simulated.Text), time.Time{})
		if err != nil {
			return fmt.Errorf("import the %s: %w", simulated.Name, err)
		}
		out.Simulated = append(out.Simulated, ledger)
	}
	result, err := a.scanResult(ctx, out.Document.Scan.ID, 0)
	if err != nil {
		return err
	}
	result.Notes, out.ScanResult = out.Notes, result
	out.Agreed, err = a.agreed(ctx, servers, tools)
	return err
}

// agreed is what one of the simulated tools and another one saw on the demo's servers, the most witnesses first.
func (a *App) agreed(ctx context.Context, servers []demo.Server, simulated []string) (out []report.Finding, err error) {
	list, err := a.Findings(ctx, FindingRequest{Host: servers[0].Addr.Addr().String()})
	if err != nil {
		return nil, err
	}
	for _, f := range list.Findings {
		ours := f.Port != nil && slices.ContainsFunc(servers, func(s demo.Server) bool { return s.Addr.Port() == *f.Port })
		tools := Witnesses(f)
		if ours && len(tools) > 1 && slices.ContainsFunc(simulated, func(t string) bool { return slices.Contains(tools, t) }) {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(x, y report.Finding) int { return len(Witnesses(y)) - len(Witnesses(x)) })
	return out, nil
}

// Witnesses are the tools that saw a finding, sorted.
func Witnesses(f report.Finding) (tools []string) {
	for _, e := range f.Evidence {
		tools = append(tools, e.Scanner)
	}
	slices.Sort(tools)
	return slices.Compact(tools)
}
