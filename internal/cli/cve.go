package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) cveCommand() *cobra.Command {
	var out output
	cmd := e.command("cve ID", "Everything known of one CVE", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		return e.cve(cmd, args[0], out)
	})
	cmd.Example = "  patchscout cve CVE-2021-41773\n  patchscout cve search \"path traversal\" --vendor apache --kev"
	out.flags(cmd, "table", "json")
	cmd.AddCommand(e.cveSearchCommand())
	return cmd
}

func (e *environment) cve(cmd *cobra.Command, text string, out output) error {
	id, err := cve.ParseID(text)
	if err != nil {
		return err
	}
	a, err := e.openCatalogue(cmd)
	if err != nil {
		return err
	}
	doc, cat, err := a.CVE(cmd.Context(), id)
	if err != nil {
		return err
	}
	return out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, doc)
		}
		return report.CVETable(w, doc, cat, e.view(out.target(e), 0, 0))
	})
}

func (e *environment) cveSearchCommand() *cobra.Command {
	var (
		req app.SearchRequest
		out output
	)
	cmd := e.command("search WORDS...", "Search titles, descriptions and products", cobra.ArbitraryArgs, func(cmd *cobra.Command, args []string) error {
		req.Words = strings.Join(args, " ")
		return e.search(cmd, req, out)
	})
	flags := cmd.Flags()
	flags.BoolVar(&req.KEV, "kev", false, "only what CISA knows to be exploited")
	flags.Float64Var(&req.MinCVSS, "min-cvss", 0, "only with this CVSS score or more")
	flags.StringVar(&req.Vendor, "vendor", "", "only this CPE vendor")
	flags.StringVar(&req.Product, "product", "", "only this CPE product")
	flags.IntVar(&req.Limit, "limit", 20, "how many")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) search(cmd *cobra.Command, req app.SearchRequest, out output) error {
	switch {
	case strings.TrimSpace(req.Words) == "" && !req.KEV && req.MinCVSS == 0 && req.Vendor == "" && req.Product == "":
		return fault.Invalid("cve search: say what to search for")
	case !(req.MinCVSS >= 0 && req.MinCVSS <= 10): // so that NaN is refused too
		return fault.Invalid("--min-cvss %g: want 0 to 10", req.MinCVSS)
	case req.Limit < 1 || req.Limit > 10_000:
		return fault.Invalid("--limit %d: want 1 to 10000", req.Limit)
	}
	a, err := e.openCatalogue(cmd)
	if err != nil {
		return err
	}
	doc, cat, err := a.Search(cmd.Context(), req)
	if err != nil {
		return err
	}
	return out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, doc)
		}
		return report.SearchTable(w, doc, cat, e.view(out.target(e), 0, 0))
	})
}

// openCatalogue opens the application and makes sure that there is something to look up.
func (e *environment) openCatalogue(cmd *cobra.Command) (*app.App, error) {
	cfg, err := e.config(cmd)
	if err != nil {
		return nil, err
	}
	a, err := e.openWith(cmd.Context(), cfg)
	if err != nil {
		return nil, err
	}
	return a, e.prepare(cmd, a, cfg)
}
