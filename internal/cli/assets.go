package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) assetsCommand() *cobra.Command {
	cmd := e.assetsListCommand("assets")
	cmd.AddCommand(e.assetsListCommand("list"), e.assetsTagCommand(), e.assetsImportCommand(), e.assetsRulesCommand(), e.assetsRetireCommand(),
		e.assetsMergeCommand(), e.assetsSplitCommand())
	return cmd
}

func (e *environment) assetsListCommand(name string) *cobra.Command {
	var (
		req app.AssetRequest
		out output
	)
	cmd := e.command(name, "Hosts and what answers on them", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		hosts, err := a.Assets(cmd.Context(), req)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, report.HostList{Hosts: hosts})
			}
			return report.HostTable(w, hosts, e.terminal(out.target(e)))
		})
	})
	flags := cmd.Flags()
	flags.StringVar(&req.Site, "site", "", "only this site")
	flags.StringVar(&req.Text, "search", "", "words in address, name, system or service")
	flags.StringVar(&req.Owner, "owner", "", "only what this owner answers for")
	flags.StringVar(&req.Tag, "tag", "", "only with this tag")
	flags.StringVar(&req.Criticality, "criticality", "", "minimal, low, medium, high, critical, or 1 to 5")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) assetsTagCommand() *cobra.Command {
	var (
		req                app.TagRequest
		owner, criticality string
		out                output
	)
	cmd := e.command("tag HOST… [TAG…]", "Say what hosts are: tags, who owns them, how critical and how exposed they are", atLeastOne("host"), func(cmd *cobra.Command, args []string) error {
		if cmd.Flags().Changed("owner") {
			req.Owner = &owner
		}
		if cmd.Flags().Changed("criticality") {
			req.Criticality = &criticality
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		var tags []string
		if req.Hosts, tags, err = a.TagWords(cmd.Context(), args, req.Site, cmd.Flags().Changed("tag")); err != nil {
			return err
		}
		req.Tags = append(req.Tags, tags...)
		swept, err := a.Tag(cmd.Context(), req)
		if err != nil {
			return err
		}
		return e.swept(out, swept)
	})
	cmd.Long = "Say what hosts are. Words that are no known hosts are tags: `assets tag web1 jewel --criticality 5` marks a host that an attacker\n" +
		"must not get, which is what attack paths lead to; `assets tag web1 -- -jewel` takes the tag off."
	flags := cmd.Flags()
	flags.StringVar(&req.Site, "site", "", "where the hosts are, if a name or address is in several sites")
	flags.StringSliceVar(&req.Tags, "tag", nil, "tags to put on, -TAG takes one off")
	flags.StringVar(&owner, "owner", "", `who answers for them, "" leaves it to the rules`)
	flags.StringVar(&criticality, "criticality", "", `minimal, low, medium, high, critical, or 1 to 5; "" leaves it to the rules`)
	flags.StringVar(&req.Exposed, "exposed", "", "yes, no: whether the internet reaches them; unset leaves it to rules and addresses")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) assetsImportCommand() *cobra.Command {
	var (
		site string
		out  output
	)
	cmd := e.command("import FILE.csv", "Read owners, tags, criticality and exposure of hosts from a CSV file", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		if err := app.CheckFile(args[0]); err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.ImportAssets(cmd.Context(), args[0], site, e.stdin)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			return report.AssetImportTable(w, doc)
		})
	})
	cmd.Long = "Read owners, tags, criticality and exposure of hosts from a CSV file with a header: address or name, and site, owner, tags,\n" +
		"criticality, exposed. An empty field says nothing. A host that is not known yet gets it when it is first seen."
	cmd.Flags().StringVar(&site, "site", "", "the site of rows that name none")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) assetsRulesCommand() *cobra.Command {
	return group("rules", "Rules about hosts; list, disable and remove them with patchscout rules", e.assetsRulesAddCommand())
}

func (e *environment) assetsRulesAddCommand() *cobra.Command {
	var (
		req app.HostRuleRequest
		out output
	)
	cmd := e.command("add", "Say something of all hosts of a network, of today and of tomorrow", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.AddHostRule(cmd.Context(), req)
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			_, err := io.WriteString(w, doc.Sentence()+"; "+doc.Swept.Sentence()+"\n")
			return err
		})
	})
	flags := cmd.Flags()
	flags.StringVar(&req.Name, "name", "", "a name for people")
	flags.StringSliceVar(&req.Places, "network", nil, "networks, addresses or names: 10.0.0.0/8, *.example.org")
	flags.StringSliceVar(&req.Sites, "site", nil, "only in these sites")
	flags.StringVar(&req.Owner, "owner", "", "who answers for them")
	flags.StringSliceVar(&req.Tags, "tag", nil, "tags")
	flags.StringVar(&req.Criticality, "criticality", "", "minimal, low, medium, high, critical, or 1 to 5")
	flags.StringVar(&req.Exposed, "exposed", "", "yes, no: whether the internet reaches them")
	flags.StringVar(&req.Until, "until", "", "the last day on which the rule holds, YYYY-MM-DD")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) assetsRetireCommand() *cobra.Command {
	var (
		r   retirement
		out output
	)
	cmd := e.command("retire HOST…", "Say that hosts are gone: their findings end, until they answer again", atLeastOne("host"), func(cmd *cobra.Command, args []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		ended, err := a.RetireHost(cmd.Context(), args, r.site, r.reason, !r.yes)
		if err != nil {
			return err
		}
		return e.say(out, ended, r.yes)
	})
	r.flags(cmd)
	out.flags(cmd, "table", "json")
	return cmd
}
