package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) cveSearchCommand() *cobra.Command {
	var (
		req app.SearchRequest
		out output
	)
	cmd := e.command("search WORDS...", "Search titles, descriptions and products", cobra.ArbitraryArgs, func(cmd *cobra.Command, args []string) error {
		req.Words = strings.Join(args, " ")
		return e.search(cmd, req, out)
	})
	cmd.Long = `Search titles, descriptions and products; every flag narrows the search, and words may be left out. What is not known
passes no bound: --min-epss 0.1 leaves out CVEs without EPSS. Dates are days (2026-01-31) in UTC: --…-after includes the
day, --…-before does not.`
	cmd.Example = `  patchscout cve search path traversal --vendor apache --kev
  patchscout cve search --severity critical --published-after 2026-11-01 --sort date
  patchscout cve search --technique T1190 --exploit metasploit --sort likelihood
  patchscout cve search --cpe cpe:/a:openbsd:openssh:7.2p2 --sort decision`
	searchFlags(cmd, &req)
	cmd.Flags().IntVar(&req.Limit, "limit", 20, "how many")
	cmd.Flags().StringVar(&req.After, "cursor", "", `the page after this one: "next" of the JSON before, with the same search`)
	out.flags(cmd, "table", "json")
	return cmd
}

// searchFlags are what a search can be narrowed and sorted by.
func searchFlags(cmd *cobra.Command, req *app.SearchRequest) {
	flags := cmd.Flags()
	flags.StringVar(&req.Vendor, "vendor", "", "only this CPE vendor")
	flags.StringVar(&req.Product, "product", "", "only this CPE product")
	flags.StringVar(&req.CPE, "cpe", "", "only what applies to this CPE name")
	flags.StringVar(&req.CWE, "cwe", "", "only this weakness: CWE-79")
	flags.StringSliceVar(&req.Severities, "severity", nil, "critical, high, medium, low, info, unknown")
	flags.Var(&bound{&req.MinCVSS, 10}, "min-cvss", "only with this CVSS score or more")
	flags.Var(&bound{&req.MaxCVSS, 10}, "max-cvss", "only with this CVSS score or less")
	flags.Var(&bound{&req.MinEPSS, 1}, "min-epss", "only with this EPSS probability or more")
	flags.Var(&bound{&req.MaxEPSS, 1}, "max-epss", "only with this EPSS probability or less")
	flags.BoolVar(&req.KEV, "kev", false, "only what CISA knows to be exploited")
	flags.BoolVar(&req.Ransomware, "ransomware", false, "only what CISA knows to be used by ransomware")
	flags.StringVar(&req.Exploit, "exploit", "", "only with a public exploit: "+strings.Join(app.ExploitKinds, ", "))
	flags.StringVar(&req.Technique, "technique", "", "only with this ATT&CK technique: T1190")
	flags.Var((*day)(&req.PublishedFrom), "published-after", "only published on this day or later")
	flags.Var((*day)(&req.PublishedTo), "published-before", "only published before this day")
	flags.Var((*day)(&req.ModifiedFrom), "modified-after", "only changed on this day or later")
	flags.Var((*day)(&req.ModifiedTo), "modified-before", "only changed before this day")
	flags.StringVar((*string)(&req.Sort), "sort", "", "relevance, decision, likelihood, score, date (default relevance, without words date)")
}

func (e *environment) search(cmd *cobra.Command, req app.SearchRequest, out output) error {
	if err := app.CheckSearch(req); err != nil {
		return err
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

// bound is a flag for a number from 0 to limit that may be absent.
type bound struct {
	value **float64
	limit float64
}

// Set implements pflag.Value.
func (b *bound) Set(text string) error {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0 && v <= b.limit) { // so that NaN is refused too
		return fmt.Errorf("want 0 to %g", b.limit)
	}
	*b.value = &v
	return nil
}

// String implements pflag.Value.
func (b *bound) String() string {
	if b.value == nil || *b.value == nil {
		return ""
	}
	return strconv.FormatFloat(**b.value, 'g', -1, 64)
}

// Type implements pflag.Value.
func (b *bound) Type() string { return "number" }

// day is a flag for a date, UTC midnight.
type day time.Time

// Set implements pflag.Value.
func (d *day) Set(text string) error {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return fmt.Errorf("want a day such as %s", time.DateOnly)
	}
	*d = day(at)
	return nil
}

// String implements pflag.Value.
func (d *day) String() string {
	if time.Time(*d).IsZero() {
		return ""
	}
	return time.Time(*d).Format(time.DateOnly)
}

// Type implements pflag.Value.
func (d *day) Type() string { return "day" }
