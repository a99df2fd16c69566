package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/app/demo"
	"github.com/patchscout/patchscout/internal/config"
)

func (e *environment) demoCommand() *cobra.Command {
	var (
		keep bool
		out  output
		v    verdict
	)
	cmd := e.command("demo", "See PatchScout at work on harmless servers of its own", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		return e.demo(cmd, keep, out, v)
	})
	cmd.Long = `Starts a few servers on loopback that greet like well-known old versions, scans them like any other host, shows the
result and takes everything away again. The servers only greet: there is nothing in them to break into.`
	cmd.Flags().BoolVar(&keep, "keep", false, "keep the result in your data folder, marked as demo (patchscout seed --remove takes it away)")
	out.flags(cmd, findingFormats...)
	v.flags(cmd)
	return cmd
}

func (e *environment) demo(cmd *cobra.Command, keep bool, out output, v verdict) (err error) {
	if err := v.check(); err != nil {
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
	result, err := e.runDemo(cmd, a, cfg)
	if err != nil {
		return err
	}
	err = e.present(result, out, v)
	if out.format == "table" && out.file == "" && (err == nil || errors.As(err, new(exitWith))) {
		e.afterDemo(keep)
	}
	return err
}

func (e *environment) runDemo(cmd *cobra.Command, a *app.App, cfg config.Config) (app.ScanResult, error) {
	b := e.bar(cfg, "scanning the demo servers")
	defer b.finish()
	return a.Demo(cmd.Context(), func(servers []demo.Server) {
		fmt.Fprintf(e.stderr, "demo: %d harmless servers listen on %s for a moment\n", len(servers), servers[0].Addr.Addr())
	}, func(p app.Progress) { b.set(p.Percent, p.Stage) })
}

func (e *environment) afterDemo(keep bool) {
	if keep {
		fmt.Fprintln(e.stderr, "demo: the servers are gone; the result is kept, marked as demo: patchscout seed --remove takes it away")
		return
	}
	fmt.Fprintln(e.stderr, "demo: the servers and all that was stored are gone. Now your own: patchscout scan 127.0.0.1")
}
