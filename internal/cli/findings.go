package cli

import (
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) findingsCommand() *cobra.Command {
	cmd := e.findingsListCommand("findings")
	cmd.AddCommand(e.triageCommands()...)
	cmd.AddCommand(e.findingsListCommand("list"), e.findingsShowCommand())
	return cmd
}

func (e *environment) findingsListCommand(name string) *cobra.Command {
	var (
		req app.FindingRequest
		out output
		v   verdict
	)
	cmd := e.command(name, "What is open, most urgent first", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		return e.findings(cmd, req, out, v)
	})
	flags := cmd.Flags()
	flags.Int64Var(&req.Scan, "scan", 0, "only what this scan saw")
	flags.StringVar(&req.Host, "host", "", "only this address or host id")
	flags.StringVar(&req.Site, "site", "", "only this site")
	flags.StringVar(&req.State, "state", "", "open, reopened, fixed, closed, all (default open and reopened)")
	flags.StringSliceVar(&req.Severities, "severity", nil, "critical, high, medium, low, info, unknown")
	flags.StringSliceVar(&req.Decisions, "decision", nil, "act, attend, plan, track")
	flags.BoolVar(&req.KEV, "kev", false, "only what CISA knows to be exploited")
	flags.StringVar(&req.Weakness, "cve", "", "only this CVE or check")
	flags.StringVar(&req.Text, "search", "", "words in title, service or host")
	out.flags(cmd, findingFormats...)
	v.flags(cmd)
	return cmd
}

func (e *environment) findings(cmd *cobra.Command, req app.FindingRequest, out output, v verdict) error {
	if err := v.check(); err != nil {
		return err
	}
	a, err := e.open(cmd)
	if err != nil {
		return err
	}
	findings, cat, err := a.Findings(cmd.Context(), req)
	if err != nil {
		return err
	}
	err = out.write(e, func(w io.Writer) error {
		doc := report.Scan{Scan: report.Run{Status: "completed", Catalogue: cat}, Hosts: []report.Host{}, Findings: findings}
		switch out.format {
		case "json":
			return report.JSON(w, report.FindingList{Findings: findings})
		case "csv":
			return report.CSV(w, findings)
		case "sarif":
			return report.SARIF(w, doc, e.version, v.minConfidence)
		}
		view := e.view(out.target(e), v.limit, v.minConfidence)
		view.More = "--limit 0"
		return report.FindingTable(w, findings, cat, view)
	})
	if err == nil && v.fails(findings) {
		return exitWith{code: exitFindings}
	}
	return err
}

func (e *environment) findingsShowCommand() *cobra.Command {
	var out output
	cmd := e.command("show ID", "One finding with all its evidence", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		id, err := parseID("finding", args[0])
		if err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		f, cat, err := a.Finding(cmd.Context(), id)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, f)
			}
			return report.FindingDetail(w, f, cat, e.view(out.target(e), 0, 0))
		})
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func parseID(what, text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, fault.Invalid("%s id %q: want a positive number", what, text)
	}
	return id, nil
}
