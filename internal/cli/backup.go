package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) backupCommand() *cobra.Command {
	var format string
	o := app.BackupOptions{Version: e.version}
	cmd := e.command("backup FILE", "Write everything that is stored to a file, also while the server runs", cobra.ExactArgs(1),
		func(cmd *cobra.Command, args []string) error {
			a, err := e.open(cmd)
			if err != nil {
				return err
			}
			doc, err := a.Backup(cmd.Context(), args[0], o)
			if err != nil {
				return err
			}
			return e.backedUp(doc, "written", format)
		})
	cmd.Flags().BoolVar(&o.WithoutCatalogue, "without-catalogue", false, "leave out what can be loaded from the feeds again")
	cmd.Flags().BoolVar(&o.Force, "force", false, "replace a file that is there")
	formatFlag(cmd, &format)
	return cmd
}

func (e *environment) restoreCommand() *cobra.Command {
	var format string
	var force bool
	cmd := e.command("restore FILE", "Put back a backup, of SQLite or PostgreSQL; everybody has to log in again", cobra.ExactArgs(1),
		func(cmd *cobra.Command, args []string) error {
			cfg, err := e.config(cmd)
			if err != nil {
				return err
			}
			log, err := e.log(cfg)
			if err != nil {
				return err
			}
			doc, err := app.Restore(cmd.Context(), cfg, log, args[0], force)
			if err != nil {
				return err
			}
			return e.backedUp(doc, "restored", format)
		})
	cmd.Flags().BoolVar(&force, "force", false, "replace data that is there, and keep it beside")
	formatFlag(cmd, &format)
	return cmd
}

// formatFlag is --format of commands whose output is not what -o would write.
func formatFlag(cmd *cobra.Command, format *string) {
	out := &output{}
	cmd.Flags().StringVar(format, "format", "text", "text, json")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		out.format = *format
		return out.among("text", "json")
	}
}

func (e *environment) backedUp(doc report.Backup, done, format string) error {
	return buffered(e.stdout, func(w io.Writer) error {
		if format == "json" {
			return report.JSON(w, doc)
		}
		return report.BackupText(w, doc, done)
	})
}
