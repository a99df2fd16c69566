package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

// triageCommands are what people say of findings, for the findings command.
func (e *environment) triageCommands() []*cobra.Command {
	return []*cobra.Command{
		e.triageCommand(), e.commentCommand(), e.assignCommand(), e.labelCommand(), e.closeCommand(), e.retireSensorCommand(),
	}
}

// selection is which findings a command is about: ids, or --filter.
type selection struct {
	filter string
	dryRun bool
	yes    bool
}

func (s *selection) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.filter, "filter", "", `instead of ids: "severity=low|medium,site=lab" ("all" is everything that is open)`)
	cmd.Flags().BoolVar(&s.dryRun, "dry-run", false, "only say how many findings it would be")
	cmd.Flags().BoolVar(&s.yes, "yes", false, "do not ask before more than one finding that --filter selects are changed")
}

// read tells ids from a filter; exactly one of both is wanted.
func (s *selection) read(args []string) (ids []int64, filter *app.FindingRequest, err error) {
	if (len(args) > 0) == (s.filter != "") {
		return nil, nil, fault.Invalid("name findings by id, or select them with --filter")
	}
	for _, text := range args {
		id, err := parseID("finding", text)
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, id)
	}
	if s.filter == "" {
		return ids, nil, nil
	}
	req, err := parseFilter(s.filter)
	return nil, &req, err
}

// parseFilter reads "key=value,key=a|b,key": the keys are the list's flags, and it selects what the list would show.
func parseFilter(text string) (req app.FindingRequest, err error) {
	flags := pflag.NewFlagSet("--filter", pflag.ContinueOnError)
	filterFlags(flags, &req)
	if strings.TrimSpace(text) == "all" {
		return req, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		key, value, given := strings.Cut(strings.TrimSpace(part), "=")
		f := flags.Lookup(key)
		switch {
		case f == nil:
			return req, fault.Invalid("--filter %s: want key=value, several joined by commas; the keys are the flags of patchscout findings", key)
		case !given && f.Value.Type() != "bool", given && value == "":
			return req, fault.Invalid("--filter %s: want %s=value", key, key)
		case !given:
			value = "true"
		}
		for one := range strings.SplitSeq(value, "|") {
			if err := flags.Set(key, one); err != nil {
				return req, fault.Invalid("--filter %s=%s: %w", key, value, err)
			}
		}
	}
	return req, nil
}

// confirm asks on a terminal; elsewhere only --yes is a yes.
func (e *environment) confirm(yes bool, what string) func(int) bool {
	return func(n int) bool {
		if yes {
			return true
		}
		in, ok := e.stdin.(*os.File)
		if !ok || !term.IsTerminal(int(in.Fd())) {
			return false
		}
		fmt.Fprintf(e.stderr, "%s %s? [y/N] ", what, report.Plural(n, "finding", "findings"))
		answer, _ := bufio.NewReader(in).ReadString('\n') // no answer is a no
		return slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer)))
	}
}

func (e *environment) triageCommand() *cobra.Command {
	var (
		s      selection
		req    app.TriageRequest
		assign string
		out    output
	)
	cmd := e.command("triage [ID…]", "Say what you think of findings: it survives every rescan", cobra.ArbitraryArgs, func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed("assign") {
			req.Assign = &assign
		}
		return e.triage(cmd, args, s, req, out)
	})
	cmd.Long = "Say what you think of findings: it survives every rescan, and no rule overrides it.\n\n" +
		"  patchscout findings triage 12 --state accepted --until 2027-01-31 --reason 'replaced in January'\n" +
		"  patchscout findings triage 12 --state false_positive --scope everywhere --reason 'not compiled in'\n" +
		"  patchscout findings triage --filter severity=low,site=lab --state out_of_scope --reason 'the lab' --yes"
	flags := cmd.Flags()
	flags.StringVar(&req.State, "state", "", "none, confirmed, false_positive, accepted, out_of_scope")
	flags.StringVar(&req.Until, "until", "", "last day of the state, YYYY-MM-DD: the day after, the finding is in the list again")
	flags.StringVar(&req.Reason, "reason", "", "why")
	flags.StringVar(&req.Scope, "scope", app.ScopeFinding, "finding, host (this weakness on this host, whatever the port), everywhere")
	flags.StringVar(&req.Site, "only-site", "", "of --scope everywhere: only in this site")
	flags.StringVar(&assign, "assign", "", `who works on it, "" for nobody`)
	flags.StringSliceVar(&req.Labels, "label", nil, "labels to put on, -LABEL takes one off")
	flags.StringVar(&req.Comment, "comment", "", "a comment for the history")
	s.flags(cmd)
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) triage(cmd *cobra.Command, args []string, s selection, req app.TriageRequest, out output) (err error) {
	if req.IDs, req.Filter, err = s.read(args); err != nil {
		return err
	}
	req.DryRun, req.Confirm = s.dryRun, e.confirm(s.yes, "Change")
	a, err := e.open(cmd)
	if err != nil {
		return err
	}
	doc, err := a.Triage(cmd.Context(), req)
	if err != nil {
		return err
	}
	return e.triaged(doc, out)
}

func (e *environment) triaged(doc report.Triaged, out output) error {
	return out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, doc)
		}
		_, err := fmt.Fprintln(w, doc.Sentence())
		return err
	})
}

func (e *environment) commentCommand() *cobra.Command {
	var out output
	cmd := e.command("comment ID TEXT…", "Add a comment to a finding's history", cobra.MinimumNArgs(2), func(cmd *cobra.Command, args []string) error {
		return e.triage(cmd, args[:1], selection{}, app.TriageRequest{Comment: strings.Join(args[1:], " ")}, out)
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) assignCommand() *cobra.Command {
	var (
		s   selection
		to  string
		out output
	)
	cmd := e.command("assign [ID…] --to WHO", "Say who works on findings", cobra.ArbitraryArgs, func(cmd *cobra.Command, args []string) error {
		if !cmd.Flags().Changed("to") {
			return fault.Invalid(`say to whom: --to WHO, or --to "" for nobody`)
		}
		return e.triage(cmd, args, s, app.TriageRequest{Assign: &to}, out)
	})
	cmd.Flags().StringVar(&to, "to", "", `who, "" for nobody`)
	s.flags(cmd)
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) labelCommand() *cobra.Command {
	var (
		s      selection
		labels []string
		out    output
	)
	cmd := e.command("label [ID…] --label L,-L", "Put labels on findings and take them off", cobra.ArbitraryArgs, func(cmd *cobra.Command, args []string) error {
		return e.triage(cmd, args, s, app.TriageRequest{Labels: labels}, out)
	})
	cmd.Flags().StringSliceVar(&labels, "label", nil, "labels to put on, -LABEL takes one off")
	s.flags(cmd)
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) closeCommand() *cobra.Command {
	var (
		s      selection
		reason string
		out    output
	)
	cmd := e.command("close [ID…] --reason TEXT", "Close findings by your word, until they are seen again", cobra.ArbitraryArgs, func(cmd *cobra.Command, args []string) error {
		req := app.CloseRequest{Reason: reason, DryRun: s.dryRun, Confirm: e.confirm(s.yes, "Close")}
		var err error
		if req.IDs, req.Filter, err = s.read(args); err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.CloseFindings(cmd.Context(), req)
		if err != nil {
			return err
		}
		return e.triaged(doc, out)
	})
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	s.flags(cmd)
	out.flags(cmd, "table", "json")
	return cmd
}

// retirement is what ends findings of a sensor or a host: it is shown first, and done with --yes.
type retirement struct {
	site   string
	reason string
	yes    bool
}

func (r *retirement) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.site, "site", "", "only in this site")
	cmd.Flags().StringVar(&r.reason, "reason", "", "why")
	cmd.Flags().BoolVar(&r.yes, "yes", false, "do it; without, only say how many findings would end")
}

// say prints what was done, or would be.
func (e *environment) say(out output, ended int, done bool) error {
	return out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, struct {
				Ended   int  `json:"ended"`
				Preview bool `json:"preview"`
			}{ended, !done})
		}
		text := report.Plural(ended, "finding", "findings") + " ended; what is seen again reopens"
		if !done {
			text = report.Plural(ended, "finding", "findings") + " would end; nothing was changed: --yes does it"
		}
		_, err := fmt.Fprintln(w, text)
		return err
	})
}

func (e *environment) retireSensorCommand() *cobra.Command {
	var (
		r   retirement
		out output
	)
	cmd := e.command("retire-sensor NAME", "Say that a scanner is used no more: what only it saw ends", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		ended, err := a.RetireSensor(cmd.Context(), args[0], r.site, r.reason, !r.yes)
		if err != nil {
			return err
		}
		return e.say(out, ended, r.yes)
	})
	r.flags(cmd)
	out.flags(cmd, "table", "json")
	return cmd
}
