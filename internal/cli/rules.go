package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) rulesCommand() *cobra.Command {
	cmd := e.rulesListCommand("rules")
	cmd.Short = "What is said of all findings or hosts of a kind, those of today and of tomorrow"
	cmd.AddCommand(e.rulesListCommand("list"), e.rulesAddCommand(), e.ruleSwitch("disable", "Turn a rule off and take back what it said", off),
		e.ruleSwitch("enable", "Turn a rule on again", on), e.ruleSwitch("remove", "Forget a rule and take back what it said", remove),
		e.rulesImportCommand(), e.rulesApplyCommand())
	return cmd
}

func (e *environment) rulesListCommand(name string) *cobra.Command {
	var (
		all bool
		out output
	)
	cmd := e.command(name, "The rules about findings and hosts", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		rules, err := a.Rules(cmd.Context(), all)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, report.RuleList{Rules: rules})
			}
			return report.RuleTable(w, rules, e.terminal(out.target(e)))
		})
	})
	cmd.Flags().BoolVar(&all, "all", false, "also those without effect, by which VEX documents say affected")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) rulesAddCommand() *cobra.Command {
	var (
		req app.RuleRequest
		out output
	)
	cmd := e.command("add", "Make a rule about findings", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.AddRule(cmd.Context(), req)
		if err != nil {
			return err
		}
		return e.triaged(doc, out)
	})
	cmd.Long = "Make a rule about findings: it speaks of those of today and of every one that is found later. A finding must meet all\n" +
		"conditions, each by one of its values. Your word on one finding wins over every rule.\n\n" +
		"  patchscout rules add --network 10.9.0.0/16 --severity low,medium --state accepted --until 2027-06-30 --reason 'the lab'\n" +
		"  patchscout rules add --weakness 'nikto:*' --assign web-team --label web"
	flags := cmd.Flags()
	w := &req.Where
	flags.StringVar(&req.Name, "name", "", "a name for people")
	flags.StringSliceVar(&w.Weaknesses, "weakness", nil, "CVEs or checks, * allowed: CVE-2016-10009, nikto:*")
	flags.StringVar(&req.Host, "host", "", "one host, by id, address or name, wherever it moves")
	flags.StringSliceVar(&w.Hosts, "network", nil, "networks, addresses or names: 10.0.0.0/8, *.lab.example.org")
	flags.StringSliceVar(&w.Sites, "site", nil, "sites")
	flags.StringSliceVar(&w.Tags, "tag", nil, "tags of the host")
	flags.StringSliceVar(&w.Products, "product", nil, "openssh, openbsd:openssh, openssl@1.1.1k, a CPE or a purl")
	flags.StringSliceVar(&w.Components, "component", nil, "components as findings name them, * allowed")
	flags.StringSliceVar(&w.Severities, "severity", nil, "critical, high, medium, low, info, unknown")
	flags.StringSliceVar(&w.Sensors, "sensor", nil, "what one of these scanners saw")
	flags.StringSliceVar(&w.Ports, "port", nil, "443, 443/tcp, 8000-8100/tcp")
	flags.StringSliceVar(&w.Labels, "with-label", nil, "findings on which people put one of these labels")
	flags.StringVar(&req.State, "state", "", "confirmed, false_positive, accepted, out_of_scope")
	flags.StringVar(&req.Reason, "reason", "", "why")
	flags.StringVar(&req.Until, "until", "", "the last day on which the rule holds, YYYY-MM-DD")
	flags.StringVar(&req.Assign, "assign", "", "who works on them")
	flags.StringSliceVar(&req.Labels, "label", nil, "labels to put on")
	flags.BoolVar(&req.DryRun, "dry-run", false, "only say how many findings it selects")
	out.flags(cmd, "table", "json")
	return cmd
}

type ruleAction int

const (
	off ruleAction = iota
	on
	remove
)

func (e *environment) ruleSwitch(name, short string, action ruleAction) *cobra.Command {
	var out output
	cmd := e.command(name+" ID", short, cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		id, err := parseID("rule", args[0])
		if err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		var swept report.Swept
		if action == remove {
			swept, err = a.RemoveRule(cmd.Context(), id)
		} else {
			swept, err = a.EnableRule(cmd.Context(), id, action == on)
		}
		if err != nil {
			return err
		}
		return e.swept(out, swept)
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) swept(out output, swept report.Swept) error {
	return out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, swept)
		}
		_, err := fmt.Fprintln(w, swept.Sentence())
		return err
	})
}

func (e *environment) rulesImportCommand() *cobra.Command {
	var (
		req app.ImportRequest
		out output
	)
	cmd := e.command("import FILE…", "Read VEX documents (OpenVEX, CycloneDX, CSAF) as rules", atLeastOne("file"), func(cmd *cobra.Command, args []string) error {
		req.Files, req.Stdin = args, e.stdin
		if err := app.CheckImport(req); err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.ImportRules(cmd.Context(), req)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			return report.RuleImportTable(w, doc)
		})
	})
	cmd.Flags().StringVar(&req.Tool, "tool", "auto", "the format, where it cannot be told")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) rulesApplyCommand() *cobra.Command {
	var out output
	cmd := e.command("apply", "Apply all rules and terms anew, and take back what has ended", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		swept, err := a.ApplyRules(cmd.Context())
		if err != nil {
			return err
		}
		return e.swept(out, swept)
	})
	out.flags(cmd, "table", "json")
	return cmd
}
