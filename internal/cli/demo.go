package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/app/demo"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) demoCommand() *cobra.Command {
	var (
		keep     bool
		simulate []string
		out      output
		v        verdict
	)
	cmd := e.command("demo", "See PatchScout at work on harmless servers of its own", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		return e.demo(cmd, keep, simulate, out, v)
	})
	cmd.Long = `Starts a few servers on loopback that greet like well-known old versions, scans them like any other host, shows the
result and takes everything away again. The servers only greet: there is nothing in them to break into.

With --simulate openvas,nessus it also imports reports that these scanners might have written about the servers. They are made
up, and say so: no OpenVAS and no Nessus has looked. They show how the evidence of several tools becomes one finding.`
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the result in your data folder, marked as demo (patchscout seed --remove takes it away)")
	cmd.Flags().StringSliceVar(&simulate, "simulate", nil, "also import simulated reports: "+strings.Join(demo.Simulators(), ", "))
	out.flags(cmd, findingFormats...)
	v.flags(cmd)
	return cmd
}

func (e *environment) demo(cmd *cobra.Command, keep bool, simulate []string, out output, v verdict) (err error) {
	if err := v.check(); err != nil {
		return err
	}
	if err := app.CheckDemo(app.DemoRequest{Simulate: simulate}); err != nil {
		return err
	}
	cfg, err := e.config(cmd)
	if err != nil {
		return err
	}
	if !keep {
		dir, err := os.MkdirTemp("", "patchscout-demo-*")
		if err != nil {
			return err
		}
		e.closers = append(e.closers, func() error { return os.RemoveAll(dir) }) // after the databases are closed
		cfg.DataDir, cfg.DatabaseURL = dir, ""
		v.more = "patchscout demo --limit 0"
	}
	a, err := e.openWith(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	if err := e.prepare(cmd, a, cfg); err != nil {
		return err
	}
	result, err := e.runDemo(cmd, a, cfg, simulate)
	if err != nil {
		return err
	}
	err = e.present(result.ScanResult, out, v)
	if out.format == "table" && out.file == "" && (err == nil || errors.As(err, new(exitWith))) {
		e.agreement(result)
		e.afterDemo(keep, len(simulate) > 0)
	}
	return err
}

func (e *environment) runDemo(cmd *cobra.Command, a *app.App, cfg config.Config, simulate []string) (app.DemoResult, error) {
	b := e.bar(cfg, "scanning the demo servers")
	defer b.finish()
	return a.Demo(cmd.Context(), app.DemoRequest{
		Simulate: simulate,
		Started: func(servers []demo.Server) {
			fmt.Fprintf(e.stderr, "demo: %d harmless servers listen on %s for a moment\n", len(servers), servers[0].Addr.Addr())
		},
		Progress: func(p app.Progress) { b.set(p.Percent, p.Stage) },
	})
}

// agreement shows what several tools saw as one finding.
func (e *environment) agreement(result app.DemoResult) {
	if len(result.Simulated) == 0 {
		return
	}
	fmt.Fprintln(e.stdout)
	for _, l := range result.Simulated {
		fmt.Fprintf(e.stdout, "%s (made up: no such scanner has looked): %d records, %d new findings, %d merged\n",
			report.Plain(l.File), l.Records, l.Findings.New, l.Findings.Merged)
	}
	fmt.Fprintln(e.stdout, "\nSeen by several tools, and one finding each:")
	simulated := map[string]bool{}
	for _, l := range result.Simulated {
		simulated[l.Tool] = true
	}
	for _, f := range result.Agreed {
		tools := app.Witnesses(f)
		for i, t := range tools {
			if simulated[t] {
				tools[i] += " (simulated)"
			}
		}
		name := string(f.CVE)
		if name == "" {
			name = string(f.Title)
		}
		fmt.Fprintf(e.stdout, "  %s at %s:%d, confidence %d%%: %s\n", report.Plain(name), report.Plain(f.Host), *f.Port, f.Confidence, strings.Join(tools, ", "))
	}
}

func (e *environment) afterDemo(keep, simulated bool) {
	if !simulated {
		fmt.Fprintln(e.stderr, "demo: with --simulate openvas,nessus it also shows how findings of several tools become one")
	}
	if keep {
		fmt.Fprintln(e.stderr, "demo: the servers are gone; the result is kept, marked as demo: patchscout seed --remove takes it away")
		return
	}
	fmt.Fprintln(e.stderr, "demo: the servers and all that was stored are gone. Now your own: patchscout scan 127.0.0.1")
}
