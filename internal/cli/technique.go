package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) techniqueCommand() *cobra.Command {
	var out output
	cmd := e.command("technique ID", "An ATT&CK technique: who uses it, how it is noticed and prevented, CVEs", cobra.ExactArgs(1),
		func(cmd *cobra.Command, args []string) error { return e.technique(cmd, args[0], out) })
	cmd.Example = "  patchscout technique T1190\n  patchscout technique search public-facing --tactic initial-access"
	out.flags(cmd, "table", "json")
	cmd.AddCommand(e.techniqueSearchCommand())
	return cmd
}

func (e *environment) technique(cmd *cobra.Command, id string, out output) error {
	if err := app.CheckTechnique(id); err != nil {
		return err
	}
	a, err := e.openCatalogue(cmd)
	if err != nil {
		return err
	}
	doc, err := a.Technique(cmd.Context(), id)
	if err != nil {
		return err
	}
	cat, err := a.Catalogue(cmd.Context())
	if err != nil {
		return err
	}
	return out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, doc)
		}
		return report.TechniqueTable(w, doc, cat, e.view(out.target(e), 0, 0))
	})
}

// domains are ATT&CK's matrices.
var domains = []string{"enterprise", "mobile", "ics"}

func (e *environment) techniqueSearchCommand() *cobra.Command {
	var (
		req app.TechniqueRequest
		out output
	)
	cmd := e.command("search WORDS...", "Find techniques by words in id, name and description", cobra.ArbitraryArgs,
		func(cmd *cobra.Command, args []string) error {
			req.Words = strings.Join(args, " ")
			return e.techniqueSearch(cmd, req, out)
		})
	flags := cmd.Flags()
	flags.StringVar(&req.Tactic, "tactic", "", "only of this tactic: initial-access")
	flags.StringVar(&req.Platform, "platform", "", "only on this platform: Linux")
	flags.StringVar(&req.Domain, "domain", "", strings.Join(domains, ", "))
	flags.BoolVar(&req.Revoked, "revoked", false, "revoked and deprecated ones too")
	flags.IntVar(&req.Limit, "limit", 50, "how many")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) techniqueSearch(cmd *cobra.Command, req app.TechniqueRequest, out output) error {
	switch {
	case strings.TrimSpace(req.Words)+req.Tactic+req.Platform+req.Domain == "":
		return fault.Invalid("technique search: say what to search for")
	case req.Domain != "" && !slices.Contains(domains, req.Domain):
		return fault.Invalid("--domain %.40s: want %s", req.Domain, strings.Join(domains, ", "))
	case req.Limit < 1 || req.Limit > 1000:
		return fault.Invalid("--limit %d: want 1 to 1000", req.Limit)
	}
	a, err := e.openCatalogue(cmd)
	if err != nil {
		return err
	}
	doc, err := a.Techniques(cmd.Context(), req)
	if err != nil {
		return err
	}
	return out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, doc)
		}
		return report.TechniqueListTable(w, doc, e.view(out.target(e), 0, 0))
	})
}
