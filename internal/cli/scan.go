package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

// defaultRows is how many findings a table shows at first: what one reads, not what one scrolls past.
const defaultRows = 30

// findingFormats are the formats of everything that lists findings.
var findingFormats = []string{"table", "json", "csv", "sarif"}

// verdict says when findings make the exit code 3, and which are shown at face value.
type verdict struct {
	failOn        string
	minConfidence int
	limit         int
	more          string // how to see the rows beyond the limit
}

func (v *verdict) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&v.failOn, "fail-on", "", "exit with 3 if a confirmed finding is critical, high, medium, low (or worse), or kev")
	cmd.Flags().IntVar(&v.minConfidence, "min-confidence", 0, "take findings from this confidence (1 to 100) at face value (default 70 and affected)")
	cmd.Flags().IntVar(&v.limit, "limit", defaultRows, "rows of the table, 0 for all")
}

func (v *verdict) check() error {
	if v.failOn != "" && v.failOn != "kev" && severityRank(v.failOn) == 0 {
		return fault.Invalid("--fail-on %s: want critical, high, medium, low or kev", v.failOn)
	}
	if v.minConfidence < 0 || v.minConfidence > 100 {
		return fault.Invalid("--min-confidence %d: want 1 to 100", v.minConfidence)
	}
	if v.limit < 0 {
		return fault.Invalid("--limit %d: want 0 or more", v.limit)
	}
	return nil
}

// fails says whether one of the findings reaches the threshold.
func (v *verdict) fails(findings []report.Finding) bool {
	return v.failOn != "" && slices.ContainsFunc(findings, func(f report.Finding) bool {
		if !f.Confirmed(v.minConfidence) {
			return false
		}
		if v.failOn == "kev" {
			return f.KEV != nil && *f.KEV
		}
		return severityRank(f.Severity) >= severityRank(v.failOn)
	})
}

// severityRank orders the severities that can be a threshold; anything else is 0.
func severityRank(s string) int {
	return slices.Index([]string{"low", "medium", "high", "critical"}, s) + 1
}

func (e *environment) scanCommand() *cobra.Command {
	var (
		req app.ScanRequest
		out output
		v   verdict
	)
	cmd := e.command("scan TARGET...", "Scan hosts and list the vulnerabilities that apply", atLeastOne("target"),
		func(cmd *cobra.Command, args []string) error {
			req.Targets = args
			return e.scan(cmd, req, out, v)
		})
	cmd.Long = `Scan hosts, identify their services and list the known vulnerabilities that apply, most urgent first.
A target is an address, a network (192.0.2.0/24), a range (192.0.2.1-20), a host name or an http(s):// URL.
Only scan what you are allowed to scan (patchscout scope list shows the limits that are configured).`
	cmd.Example = `  patchscout scan 127.0.0.1
  patchscout scan 192.168.1.0/24 --exclude 192.168.1.1 --fail-on critical
  patchscout scan https://intranet.example --format sarif -o scan.sarif`
	flags := cmd.Flags()
	flags.StringSliceVar(&req.Scanners, "scanner", nil, app.ScannerNames()+" (default native); patchscout scanners tells which can run here")
	flags.StringVar(&req.Profile, "profile", "standard", "quick (100 ports), standard (1000), full (65535), web")
	flags.StringVar(&req.Ports, "ports", "", `TCP ports in place of the profile's: "22,80,8000-8100"`)
	flags.StringVar(&req.Site, "site", "default", "vantage point: the same address in two sites is two hosts")
	flags.StringSliceVar(&req.Exclude, "exclude", nil, "targets to leave out")
	flags.StringVar(&req.ExcludePorts, "exclude-ports", "", "ports to leave out")
	flags.Int64Var(&req.Baseline, "baseline", 0, "a scan's id: --fail-on looks only at what that scan did not find")
	out.flags(cmd, findingFormats...)
	v.flags(cmd)
	return cmd
}

func (e *environment) scan(cmd *cobra.Command, req app.ScanRequest, out output, v verdict) error {
	if err := v.check(); err != nil {
		return err
	}
	cfg, err := e.config(cmd)
	if err != nil {
		return err
	}
	if err := app.CheckTargets(req); err != nil { // before anything is created
		return err
	}
	a, err := e.openWith(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	if err := e.prepare(cmd, a, cfg); err != nil {
		return err
	}
	result, err := e.runScan(cmd, a, cfg, req)
	if err != nil {
		return err
	}
	return e.present(result, out, v)
}

// prepare loads the starter catalogue when there is none yet.
func (e *environment) prepare(cmd *cobra.Command, a *app.App, cfg config.Config) error {
	b := e.bar(cfg, starting)
	defer b.finish()
	return a.Prepare(cmd.Context(), func(p app.Progress) { b.set(p.Percent, starting) })
}

const starting = "first run: loading the starter catalogue"

func (e *environment) runScan(cmd *cobra.Command, a *app.App, cfg config.Config, req app.ScanRequest) (app.ScanResult, error) {
	return e.watch(cfg, func(progress func(app.Progress)) (app.ScanResult, error) { return a.Scan(cmd.Context(), req, progress) })
}

// watch shows how far a scan is while it runs, and says what it did that was not asked for.
func (e *environment) watch(cfg config.Config, scan func(func(app.Progress)) (app.ScanResult, error)) (app.ScanResult, error) {
	b := e.bar(cfg, "scanning")
	result, err := scan(func(p app.Progress) { b.set(p.Percent, p.Stage) })
	b.finish()
	for _, note := range result.Notes {
		fmt.Fprintf(e.stderr, "patchscout: note: %s\n", report.Plain(note))
	}
	return result, err
}

// present prints a scan and turns what it came to into an exit code.
func (e *environment) present(result app.ScanResult, out output, v verdict) error {
	doc := result.Document
	err := out.write(e, func(w io.Writer) error {
		switch out.format {
		case "json":
			return report.JSON(w, doc)
		case "csv":
			return report.CSV(w, doc.Findings)
		case "sarif":
			return report.SARIF(w, doc, e.version, v.minConfidence)
		}
		view := e.view(out.target(e), v.limit, v.minConfidence)
		view.More = v.more
		return report.Table(w, doc, view)
	})
	switch {
	case err != nil:
		return err
	case v.fails(result.New):
		return exitWith{code: exitFindings}
	case result.Incomplete:
		return exitWith{code: exitIncomplete, err: e.incomplete(doc, out)}
	}
	return nil
}

// incomplete is said on stderr where the result itself does not say it to a person.
func (e *environment) incomplete(doc report.Scan, out output) error {
	switch {
	case doc.Scan.Reason == "cancelled":
		return errors.New("interrupted: what was found until then is kept")
	case doc.Scan.Status == "running":
		return fmt.Errorf("scan %d is not over: %s", doc.Scan.ID, either(string(doc.Scan.Reason), "another process works on it"))
	case out.format == "table" && out.file == "":
		return nil
	}
	return errors.New("the scan is incomplete: " + report.Incompleteness(doc.Scan))
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
