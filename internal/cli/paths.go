package cli

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// pathQuestion is what is asked of the estate's attack paths.
type pathQuestion struct {
	request.Paths

	fixes  bool
	whatIf []string
	allow  []string
	deny   []string
	out    output
}

func (e *environment) pathsCommand() *cobra.Command {
	var (
		q    pathQuestion
		file caseFile
	)
	cmd := e.command("paths", "How an attacker would walk, and the fewest fixes that stop the walk", cobra.NoArgs,
		func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("case") {
				return e.pathsOfCase(cmd, file.with(cmd, q.out))
			}
			if cmd.Flags().Changed("timeout") {
				return fault.Invalid("--timeout goes with --case: questions of the estate end within a minute")
			}
			return e.paths(cmd, q)
		})
	cmd.Long = "How an attacker would walk from where he stands, over weaknesses that were found, to the hosts that matter; each step with its\n" +
		"evidence, its chance and what to do against it. What is assumed is always said.\n\n" +
		"  patchscout assets tag 10.0.3.7 jewel --criticality 5\n" +
		"  patchscout paths\n" +
		"  patchscout paths --to 10.0.3.7 --from site:branch\n" +
		"  patchscout paths --fixes\n" +
		"  patchscout paths --what-if finding:12,CVE-2021-41773,host:10.0.3.9\n" +
		"  patchscout paths --format graphml -o paths.graphml"
	q.flags(cmd.Flags())
	file.flags(cmd)
	q.out.flags(cmd, "table", "json", "dot", "graphml", "navigator")
	cmd.MarkFlagsMutuallyExclusive("fixes", "what-if", "case")
	cmd.AddCommand(e.pathsReachCommand(), e.pathsPolicyCommand(), e.pathsCorrectCommand(), e.pathsCorrectionsCommand(), e.pathsUncorrectCommand())
	return cmd
}

func (q *pathQuestion) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&q.To, "to", nil, "hosts by id, address or name that stand for the jewels")
	f.BoolVar(&q.fixes, "fixes", false, "the smallest set of fixes that stops every path, and single fixes by the risk that they remove")
	f.StringSliceVar(&q.whatIf, "what-if", nil, "what difference it makes if these are gone: finding:12, CVE-2021-41773 (patched everywhere), host:10.0.3.9")
	f.StringArrayVar(&q.deny, "what-if-deny", nil, "what difference a rule makes: 'internet > 10.0.0.0/24 tcp/443' (without ports: all)")
	f.StringArrayVar(&q.allow, "what-if-allow", nil, "the same for a rule that lets through")
	f.IntVar(&q.K, "k", 10, "paths to each jewel, 1 to 50")
	f.IntVar(&q.Limit, "limit", 25, "paths in all, 1 to 1000")
	f.IntVar(&q.Samples, "samples", 0, "random trials for the chances; 0 is the default number, -1 none")
	scenarioFlags(f, &q.Paths)
}

// scenarioFlags are what every question of paths has.
func scenarioFlags(f *pflag.FlagSet, req *request.Paths) {
	f.StringSliceVar(&req.From, "from", nil, "where attackers begin: internet, site:NAME, host:HOST, user:HOST, user:site:NAME (default the internet, and where it reaches nothing each site)")
	f.Int64Var(&req.Scan, "scan", 0, "only what this scan saw")
	f.StringVar(&req.Site, "site", "", "where the hosts are, if a name or address is in several sites")
	f.StringVar(&req.Assume, "assume", "site", "where no rule says anything: site (a site reaches only itself) or flat (every site reaches every other)")
	f.BoolVar(&req.Reuse, "reuse", false, "scenario: an administrator's credentials of one host work on the others of its site")
	f.BoolVar(&req.Secrets, "secrets", false, "scenario: what can be read holds a login")
}

func (q *pathQuestion) check() error {
	switch {
	case q.K < 1 || q.K > 50:
		return fault.Invalid("--k %d: want 1 to 50", q.K)
	case q.Limit < 1 || q.Limit > 1000:
		return fault.Invalid("--limit %d: want 1 to 1000", q.Limit)
	case q.fixes && q.tries():
		return fault.Invalid("--fixes and --what-if: ask for one of them")
	case (q.fixes || q.tries()) && q.out.format != "table" && q.out.format != "json":
		return fault.Invalid("--format %s: with --fixes or --what-if want table or json", q.out.format)
	}
	return checkScenario(q.Paths)
}

// tries says whether a difference is asked for.
func (q *pathQuestion) tries() bool { return len(q.whatIf)+len(q.allow)+len(q.deny) > 0 }

func checkScenario(req request.Paths) error {
	switch {
	case req.Assume != "site" && req.Assume != "flat":
		return fault.Invalid("--assume %s: want site or flat", req.Assume)
	case req.Scan < 0:
		return fault.Invalid("--scan %d: want a positive number", req.Scan)
	}
	return nil
}

func (e *environment) paths(cmd *cobra.Command, q pathQuestion) error {
	if err := q.check(); err != nil {
		return err
	}
	tried, err := q.tried()
	if err != nil {
		return err
	}
	a, err := e.open(cmd)
	if err != nil {
		return err
	}
	switch ctx := cmd.Context(); {
	case q.tries():
		return e.pathsWhatIf(ctx, a, tried, q.out)
	case q.fixes:
		return e.pathFixes(ctx, a, q)
	default:
		return e.pathList(ctx, a, q)
	}
}

// pathFiles are the formats for other programs.
var pathFiles = map[string]func(io.Writer, report.Paths) error{
	"json":      func(w io.Writer, p report.Paths) error { return report.JSON(w, p) },
	"dot":       report.PathsDOT,
	"graphml":   report.PathsGraphML,
	"navigator": report.PathsNavigator,
}

func (e *environment) pathList(ctx context.Context, a *app.App, q pathQuestion) error {
	doc, err := a.Paths(ctx, q.Paths)
	if err != nil {
		return err
	}
	complete := doc.Complete
	if write := pathFiles[q.out.format]; write != nil {
		return incomplete(q.out.write(e, func(w io.Writer) error { return write(w, doc) }), complete)
	}
	fixes, err := a.PathFixes(ctx, q.Paths)
	if err != nil {
		return err
	}
	return incomplete(q.out.write(e, func(w io.Writer) error {
		return report.PathTable(w, doc, &fixes, len(q.To) > 0, e.view(q.out.target(e), 0, 0))
	}), complete)
}

func (e *environment) pathFixes(ctx context.Context, a *app.App, q pathQuestion) error {
	fixes, err := a.PathFixes(ctx, q.Paths)
	if err != nil {
		return err
	}
	if q.out.format == "json" {
		return incomplete(q.out.write(e, func(w io.Writer) error { return report.JSON(w, fixes) }), fixes.Complete)
	}
	q.Samples = -1 // only what is reached is told beside the fixes
	doc, err := a.Paths(ctx, q.Paths)
	if err != nil {
		return err
	}
	return incomplete(q.out.write(e, func(w io.Writer) error {
		return report.PathFixTable(w, doc, fixes, e.view(q.out.target(e), maxRanked, 0))
	}), fixes.Complete)
}

// maxRanked is how many single fixes a table lists.
const maxRanked = 20

func (e *environment) pathsWhatIf(ctx context.Context, a *app.App, req request.WhatIf, out output) error {
	doc, err := a.PathWhatIf(ctx, req)
	if err != nil {
		return err
	}
	return incomplete(out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, doc)
		}
		return report.WhatIfTable(w, doc, e.view(out.target(e), 0, 0))
	}), doc.Complete)
}

// incomplete ends a command whose answer may lack something with its own exit code, after it was printed.
func incomplete(err error, complete bool) error {
	if err != nil || complete {
		return err
	}
	return exitWith{code: exitIncomplete}
}

// tried is the difference that is asked for.
func (q *pathQuestion) tried() (request.WhatIf, error) {
	req, err := parseGone(q.whatIf)
	req.Paths = q.Paths
	for _, rules := range []struct {
		list  []string
		allow bool
	}{{q.deny, false}, {q.allow, true}} {
		for _, text := range rules.list {
			from, rest, _ := strings.Cut(text, ">")
			words := strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == ',' })
			if from = strings.TrimSpace(from); from == "" || len(words) == 0 {
				return req, fault.Invalid("%q: want a rule as 'internet > 10.0.0.0/24 tcp/443'", text)
			}
			req.Rules = append(req.Rules, request.PathRule{From: from, To: words[0], Ports: words[1:], Allow: rules.allow})
		}
	}
	return req, err
}

// parseGone reads what is taken away to see the difference.
func parseGone(list []string) (req request.WhatIf, err error) {
	for _, text := range list {
		kind, rest, _ := strings.Cut(text, ":")
		switch {
		case kind == "finding":
			id, err := parseID("--what-if finding", rest)
			if err != nil {
				return req, err
			}
			req.Findings = append(req.Findings, id)
		case kind == "host" && rest != "":
			req.Hosts = append(req.Hosts, rest)
		case strings.HasPrefix(strings.ToUpper(text), "CVE-"):
			req.Weaknesses = append(req.Weaknesses, strings.ToUpper(text))
		case rest != "": // a check: tool:key
			req.Weaknesses = append(req.Weaknesses, text)
		default:
			return req, fault.Invalid("--what-if %s: want finding:ID, a CVE, host:HOST or a check as TOOL:KEY", text)
		}
	}
	return req, nil
}

func (e *environment) pathsReachCommand() *cobra.Command {
	var (
		req      request.Paths
		backward bool
		out      output
	)
	cmd := e.command("reach HOST", "What who holds a host can take from it, or what leads to it", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		if err := checkScenario(req); err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.PathReach(cmd.Context(), req, args[0], !backward)
		if err != nil {
			return err
		}
		return incomplete(out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			return report.PathReachTable(w, doc, e.view(out.target(e), 0, 0))
		}), doc.Complete)
	})
	cmd.Flags().BoolVar(&backward, "backward", false, "what leads to it")
	cmd.Flags().IntVar(&req.Limit, "limit", 100, "hosts to list, 1 to 1000")
	scenarioFlags(cmd.Flags(), &req)
	out.flags(cmd, "table", "json")
	return cmd
}

// parseSays reads never, always, or a chance as 0.3 or 30%.
func parseSays(text string) (says string, chance *float64, err error) {
	if text == "never" || text == "always" {
		return text, nil, nil
	}
	digits, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	p, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if percent {
		p /= 100
	}
	if err != nil || !(p > 0 && p <= 1) { //nolint:staticcheck // NaN is none of them
		return "", nil, fault.Invalid("%q: want never, always or a chance as 0.3", text)
	}
	return "chance", &p, nil
}
