package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) scannersCommand() *cobra.Command {
	var out output
	cmd := e.command("scanners", "Which scanners can run here, and why the others cannot", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		cfg, err := e.config(cmd)
		if err != nil {
			return err
		}
		scanners := app.Scanners(cmd.Context(), cfg)
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, report.ScannerList{Scanners: scanners})
			}
			return report.ScannerTable(w, scanners, e.terminal(out.target(e)))
		})
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) scansPauseCommand() *cobra.Command {
	return e.command("pause ID", "Have a running scan pause, to be resumed later", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		id, err := parseID("scan", args[0])
		if err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		if err := a.PauseScan(cmd.Context(), id); err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "Scan %d pauses when its running tasks have ended, within half a minute. Continue it with: patchscout scans resume %d\n", id, id)
		return err
	})
}

func (e *environment) scansCancelCommand() *cobra.Command {
	return e.command("cancel ID", "End a running or paused scan; what it found is kept", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		id, err := parseID("scan", args[0])
		if err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		now, err := a.CancelScan(cmd.Context(), id)
		if err != nil {
			return err
		}
		text := "Scan %d ends within seconds; what it found is kept.\n"
		if now {
			text = "Scan %d is cancelled; what it found is kept.\n"
		}
		_, err = fmt.Fprintf(e.stdout, text, id)
		return err
	})
}

func (e *environment) scansResumeCommand() *cobra.Command {
	var (
		out output
		v   verdict
	)
	cmd := e.command("resume ID", "Continue a scan that was paused or interrupted, from its last completed task", cobra.ExactArgs(1),
		func(cmd *cobra.Command, args []string) error {
			id, err := parseID("scan", args[0])
			if err != nil {
				return err
			}
			if err := v.check(); err != nil {
				return err
			}
			cfg, err := e.config(cmd)
			if err != nil {
				return err
			}
			a, err := e.openWith(cmd.Context(), cfg)
			if err != nil {
				return err
			}
			result, err := e.watch(cfg, func(progress func(app.Progress)) (app.ScanResult, error) {
				return a.ResumeScan(cmd.Context(), id, progress)
			})
			if err != nil {
				return err
			}
			return e.present(result, out, v)
		})
	out.flags(cmd, findingFormats...)
	v.flags(cmd)
	return cmd
}
