package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

func (e *environment) pathsPolicyCommand() *cobra.Command {
	return group("policy", "What the network lets through, as you declare it", e.pathsPolicyShowCommand(), e.pathsPolicySetCommand(), e.pathsPolicyClearCommand())
}

func (e *environment) pathsPolicyShowCommand() *cobra.Command {
	var out output
	cmd := e.command("show", "The declared rules in their order", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.PathPolicy(cmd.Context())
		if err != nil {
			return err
		}
		return e.policy(doc, out)
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) pathsPolicySetCommand() *cobra.Command {
	var out output
	cmd := e.command("set FILE", "Put a file of rules, YAML or CSV, in the place of the one before (docs/policy.md)", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		data, err := e.readPolicy(args[0])
		if err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.SetPathPolicy(cmd.Context(), policyName(args[0]), data)
		if err != nil {
			return err
		}
		return e.policy(doc, out)
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) pathsPolicyClearCommand() *cobra.Command {
	return e.command("clear", "Forget all declared rules", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		if err := a.ClearPathPolicy(cmd.Context()); err != nil {
			return err
		}
		_, err = fmt.Fprintln(e.stdout, "nothing is declared of the network any more")
		return err
	})
}

func (e *environment) policy(doc report.PathPolicy, out output) error {
	return out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, doc)
		}
		return report.PathPolicyTable(w, doc, e.view(out.target(e), 0, 0))
	})
}

// maxPolicy bounds a file of rules, as the API does.
const maxPolicy = 1 << 20

func (e *environment) readPolicy(name string) ([]byte, error) {
	in := e.stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fault.Invalid("%w", err)
		}
		defer file.Close() // only read
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, maxPolicy+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case len(data) > maxPolicy:
		return nil, fault.Invalid("%s is larger than 1 MiB", name)
	}
	return data, nil
}

// policyName is how the rules are called later on: a file by its name without folders.
func policyName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return filepath.Base(name)
}

func (e *environment) pathsCorrectCommand() *cobra.Command {
	var (
		note string
		out  output
	)
	cmd := e.command("correct EDGE never|always|CHANCE", "Say of a step what you know better; it is remembered", cobra.ExactArgs(2), func(cmd *cobra.Command, args []string) error {
		says, chance, err := parseSays(args[1])
		if err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.CorrectPath(cmd.Context(), request.PathCorrection{Edge: args[0], Says: says, Chance: chance, Note: note})
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			_, err := fmt.Fprintln(w, doc.Sentence())
			return err
		})
	})
	cmd.Long = "Say of a step what you know better; it is remembered, and rescans do not undo it. Steps name their edges.\n\n" +
		"  patchscout paths correct finding:12 never --note 'behind a proxy that refuses it'\n" +
		"  patchscout paths correct 'reach:branch>7:tcp/443' always\n" +
		"  patchscout paths correct finding:12 0.3"
	cmd.Flags().StringVar(&note, "note", "", "why")
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) pathsCorrectionsCommand() *cobra.Command {
	var out output
	cmd := e.command("corrections", "What people said of single steps", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.PathCorrections(cmd.Context())
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			return report.PathCorrectionTable(w, doc, e.view(out.target(e), 0, 0))
		})
	})
	out.flags(cmd, "table", "json")
	return cmd
}

func (e *environment) pathsUncorrectCommand() *cobra.Command {
	return e.command("uncorrect ID", "Take back what was said of a step", cobra.ExactArgs(1), func(cmd *cobra.Command, args []string) error {
		id, err := parseID("correction", args[0])
		if err != nil {
			return err
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		if err := a.UncorrectPath(cmd.Context(), id); err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "correction %d taken back\n", id)
		return err
	})
}
