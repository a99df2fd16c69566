package cli

import (
	"io"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

// filterFlags are what narrows a list of findings. --filter of other commands takes the same names.
func filterFlags(flags *pflag.FlagSet, req *app.FindingRequest) {
	flags.Int64Var(&req.Scan, "scan", 0, "only what this scan saw")
	flags.StringVar(&req.Host, "host", "", "only this address, name or host id")
	flags.StringVar(&req.Site, "site", "", "only this site")
	flags.StringVar(&req.State, "state", "", "open, reopened, fixed, closed, all (default open and reopened)")
	flags.StringSliceVar(&req.Triage, "triage", nil, "none, confirmed, false_positive, accepted, out_of_scope")
	flags.BoolVar(&req.Hidden, "hidden", false, "also what was set aside: false positives, accepted, out of scope")
	flags.StringSliceVar(&req.Severities, "severity", nil, "critical, high, medium, low, info, unknown")
	flags.StringSliceVar(&req.Decisions, "decision", nil, "act, attend, plan, track")
	flags.BoolVar(&req.KEV, "kev", false, "only what CISA knows to be exploited")
	flags.BoolVar(&req.Exploited, "exploited", false, "only what some source says is exploited")
	flags.StringSliceVar(&req.Statuses, "status", nil, "affected, conditional, uncertain, unaffected")
	flags.StringSliceVar(&req.Kinds, "kind", nil, "vulnerability, compliance")
	flags.IntVar(&req.Confidence, "confidence", 0, "at least this confidence, 0 to 100")
	flags.BoolVar(&req.Confirmed, "confirmed", false, "only confirmed ones: affected, confidence 70 and more")
	flags.BoolVar(&req.Potential, "potential", false, "only the others")
	flags.Float64Var(&req.MinCVSS, "min-cvss", 0, "at least this score, 0 to 10")
	flags.Float64Var(&req.MinEPSS, "min-epss", 0, "at least this probability, 0 to 1")
	flags.Float64Var(&req.MinRisk, "min-risk", 0, "fixing it takes at least this off the risk of attack paths")
	flags.StringVar(&req.Weakness, "cve", "", "only this CVE or check")
	flags.StringVar(&req.Remedy, "remedy", "", "only what this action fixes: a key of --group remedy")
	flags.StringVar(&req.Scanner, "scanner", "", "only what this scanner gave evidence of")
	flags.StringSliceVar(&req.Ports, "port", nil, "only these ports")
	flags.StringSliceVar(&req.Protocols, "protocol", nil, "tcp, udp, sctp, host (what has no port)")
	flags.StringVar(&req.Component, "component", "", "only this package")
	flags.StringVar(&req.Product, "product", "", "words in the service's product or the package")
	flags.StringVar(&req.Text, "search", "", "words in title, CVE, package, service or host; all of them")
	flags.StringVar(&req.Assignee, "assignee", "", "only what this person works on; nobody: without one")
	flags.StringSliceVar(&req.Labels, "label", nil, "only with these labels, all of them")
	flags.StringVar(&req.Owner, "owner", "", "only hosts of this owner; nobody: without one")
	flags.StringSliceVar(&req.Tags, "tag", nil, "only hosts with these tags, all of them")
	flags.StringSliceVar(&req.Criticality, "criticality", nil, "only hosts of this criticality: minimal, low, medium, high, critical, none")
	flags.StringVar(&req.DueBefore, "due-before", "", "due before this day (YYYY-MM-DD)")
	flags.BoolVar(&req.Overdue, "overdue", false, "open and due before today")
	flags.StringVar(&req.SLABefore, "sla-before", "", "due before this day by your own terms")
	flags.BoolVar(&req.SLAOverdue, "sla-overdue", false, "open and due before today by your own terms")
	flags.StringVar(&req.FirstSeenAfter, "first-seen-after", "", "first seen on this day or later")
	flags.StringVar(&req.FirstSeenBefore, "first-seen-before", "", "first seen before this day")
	flags.StringVar(&req.LastSeenAfter, "last-seen-after", "", "last seen on this day or later")
	flags.StringVar(&req.LastSeenBefore, "last-seen-before", "", "last seen before this day")
	flags.StringVar(&req.ClosedAfter, "closed-after", "", "not open any more since this day or later (see --state)")
	flags.StringVar(&req.ReturnedAfter, "returned-after", "", "ended, and seen again on this day or later")
}

// wholeList is up to how many findings the table reads them all, to fold the potential ones to a line per service.
const wholeList = 5000

// listing is the findings command: what is asked and how it is shown.
type listing struct {
	req   app.FindingRequest
	group string
	out   output
	v     verdict
}

func (e *environment) findingsListCommand(name string) *cobra.Command {
	var l listing
	cmd := e.command(name, "What is open, most urgent first", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		return e.findings(cmd, l)
	})
	cmd.Long = "What is open, most urgent first. Every filter narrows; of several values of one filter any will do, but for labels and tags.\n\n" +
		"  patchscout findings --decision act --owner web --sort due\n" +
		"  patchscout findings --group remedy --site branch        what to do, and how much it solves\n" +
		"  patchscout findings --format json --limit 100            a page; its \"next\" goes into --cursor"
	flags := cmd.Flags()
	filterFlags(flags, &l.req)
	flags.StringVar(&l.req.Sort, "sort", "", "rank (default), severity, cvss, epss, likelihood, score, due, sla, first_seen, last_seen, host, risk_removed; cvss:asc turns it round")
	flags.StringVar(&l.req.Cursor, "cursor", "", `where the page before ended: its "next"`)
	flags.StringVar(&l.group, "group", "", "groups instead of findings, by remedy, host, cve, product, site, assignee or owner")
	l.out.flags(cmd, findingFormats...)
	l.v.flags(cmd)
	flags.Lookup("limit").Usage = "how many, 0 for all (default of JSON, CSV and SARIF)"
	return cmd
}

func (e *environment) findings(cmd *cobra.Command, l listing) error {
	if err := l.v.check(); err != nil {
		return err
	}
	if l.group != "" && l.out.format != "table" && l.out.format != "json" {
		return fault.Invalid("--format %s does not go with --group: want table or json", l.out.format)
	}
	a, err := e.open(cmd)
	if err != nil {
		return err
	}
	if l.out.format == "table" || cmd.Flags().Changed("limit") {
		l.req.Limit = l.v.limit
	}
	if l.out.format == "table" {
		l.req.Whole = wholeList
	}
	if l.group != "" {
		err = e.showGroups(cmd, a, l)
	} else {
		err = e.showFindings(cmd, a, l)
	}
	if err != nil || l.v.failOn == "" {
		return err
	}
	threshold, possible := l.v.failing(l.req)
	if !possible {
		return nil
	}
	fails, err := a.AnyFinding(cmd.Context(), threshold)
	if err == nil && fails {
		return exitWith{code: exitFindings}
	}
	return err
}

func (e *environment) showGroups(cmd *cobra.Command, a *app.App, l listing) error {
	doc, err := a.FindingGroups(cmd.Context(), l.req, l.group)
	if err != nil {
		return err
	}
	return l.out.write(e, func(w io.Writer) error {
		if l.out.format == "json" {
			return report.JSON(w, doc)
		}
		return report.GroupTable(w, doc, e.terminal(l.out.target(e)))
	})
}

func (e *environment) showFindings(cmd *cobra.Command, a *app.App, l listing) error {
	list, err := a.Findings(cmd.Context(), l.req)
	if err != nil {
		return err
	}
	return l.out.write(e, func(w io.Writer) error {
		switch l.out.format {
		case "json":
			return report.JSON(w, report.FindingList{Findings: list.Findings, Total: list.Total, Next: list.Next})
		case "csv":
			return report.CSV(w, list.Findings)
		case "sarif":
			doc := report.Scan{Scan: report.Run{Status: "completed", Catalogue: list.Catalogue}, Hosts: []report.Host{}, Findings: list.Findings}
			return report.SARIF(w, doc, e.version, l.v.minConfidence)
		}
		view := e.view(l.out.target(e), l.v.limit, l.v.minConfidence)
		view.More = "--limit 0"
		if list.Whole {
			return report.FindingTable(w, list.Findings, list.Catalogue, view)
		}
		return report.FindingPage(w, list.Findings, list.Catalogue, report.Page{Total: list.Total, Confirmed: list.Confirmed, Next: list.Next}, view)
	})
}

// failing narrows a list to what reaches the threshold of --fail-on, in the whole list and not only on its page.
// possible is false when the list's own filters leave nothing that could.
func (v *verdict) failing(req app.FindingRequest) (threshold app.FindingRequest, possible bool) {
	req.Cursor, req.Sort = "", ""
	statuses := []string{}
	if v.minConfidence == 0 {
		if req.Potential {
			return req, false
		}
		req.Confirmed = true
	} else {
		req.Confidence = max(req.Confidence, v.minConfidence)
		if v.minConfidence >= report.ConfirmedAt {
			statuses = []string{"affected"}
		}
	}
	severities := []string{}
	if v.failOn == "kev" {
		req.KEV = true
	} else {
		worse := []string{"critical", "high", "medium", "low"}
		severities = worse[:slices.Index(worse, v.failOn)+1]
	}
	possible = both(&req.Statuses, statuses) && both(&req.Severities, severities)
	return req, possible
}

// both narrows a filter's words to those that are also among others, and says whether that can be; no words are all.
func both(words *[]string, others []string) bool {
	switch {
	case len(others) == 0:
		return true
	case len(*words) == 0:
		*words = others
		return true
	}
	*words = slices.DeleteFunc(slices.Clone(*words), func(word string) bool { return !slices.Contains(others, word) })
	return len(*words) > 0
}
