package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) feedsPublishCommand() *cobra.Command {
	var (
		req app.PublishRequest
		out output
	)
	cmd := e.command("publish DIR", "Write RSS and Atom: newly exploited, critical, latest, and of your choice", cobra.ExactArgs(1),
		func(cmd *cobra.Command, args []string) error {
			req.Dir = args[0]
			return e.feedsPublish(cmd, req, out)
		})
	cmd.Long = `Write news feeds into a folder, each as .rss and .atom: exploited, critical and latest, and one more for each --vendor,
--product and --search. Files are replaced at once, and left alone when nothing in them changed.`
	cmd.Example = `  patchscout feeds publish /var/www/feeds --base-url https://intranet.example/feeds/ --vendor apache --search "remote code execution"`
	flags := cmd.Flags()
	flags.StringVar(&req.BaseURL, "base-url", "", "URL under which the folder is served")
	flags.StringArrayVar(&req.Vendors, "vendor", nil, "one more for this CPE vendor (may be given several times)")
	flags.StringArrayVar(&req.Products, "product", nil, "one more for this CPE product (may be given several times)")
	flags.StringArrayVar(&req.Searches, "search", nil, "one more for these words (may be given several times)")
	flags.IntVar(&req.Limit, "limit", 50, "entries of each")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) feedsPublish(cmd *cobra.Command, req app.PublishRequest, out output) error {
	if err := app.CheckPublish(req); err != nil {
		return err
	}
	a, err := e.openCatalogue(cmd)
	if err != nil {
		return err
	}
	doc, err := a.Publish(cmd.Context(), req)
	if err != nil {
		return err
	}
	return out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, doc)
		}
		return report.PublishTable(w, doc, e.view(out.target(e), 0, 0))
	})
}
