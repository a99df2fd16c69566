package cli

import (
	"cmp"
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/patchscout/patchscout/internal/attackpath/graph/exact"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

// caseFile is a network of facts and actions in a file, which has nothing to do with the estate.
type caseFile struct {
	name    string
	timeout time.Duration
	out     output
}

// caseFormats are what a case can be printed as, the first where nobody says.
var caseFormats = []string{"json", "table", "dot"}

func (f *caseFile) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "case", "", "answer for a network of facts and actions in this JSON file, - is standard input (docs/attack-cases.md)")
	cmd.Flags().DurationVar(&f.timeout, "timeout", time.Minute, "with --case: when to stop looking and say what is incomplete")
}

// with takes what the command prints as, which is another format where nobody says.
func (f caseFile) with(cmd *cobra.Command, out output) caseFile {
	f.out = out
	if !cmd.Flags().Changed("format") {
		f.out.format = caseFormats[0]
	}
	return f
}

func (f *caseFile) check() error {
	switch {
	case f.name == "":
		return fault.Invalid("--case: want a file")
	case f.timeout <= 0 || f.timeout > 24*time.Hour:
		return fault.Invalid("--timeout %s: want more than 0, up to 24h", f.timeout)
	case !slices.Contains(caseFormats, f.out.format):
		return fault.Invalid("--format %s: want %s", f.out.format, strings.Join(caseFormats, ", "))
	}
	return nil
}

// pathsOfCase answers for the network of a file. It opens no database.
func (e *environment) pathsOfCase(cmd *cobra.Command, file caseFile) error {
	if err := cmp.Or(onlyOfCase(cmd), file.check()); err != nil {
		return err
	}
	c, err := e.readCase(file.name)
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(cmd.Context(), file.timeout)
	defer stop()
	answer, err := exact.Solve(ctx, c)
	if err != nil {
		return err
	}
	return file.out.write(e, func(w io.Writer) error {
		switch file.out.format {
		case "table":
			return report.CaseTable(w, answer, e.terminal(file.out.target(e)))
		case "dot":
			return report.CaseDOT(w, c, answer)
		}
		return report.JSON(w, answer)
	})
}

// onlyOfCase refuses flags that ask something of the estate.
func onlyOfCase(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if err == nil && cmd.InheritedFlags().Lookup(f.Name) == nil && !slices.Contains([]string{"case", "timeout", "format", "output"}, f.Name) {
			err = fault.Invalid("--%s is about the estate: it says nothing of a --case", f.Name)
		}
	})
	return err
}

func (e *environment) readCase(name string) (exact.Case, error) {
	if name == "-" {
		return exact.Read("standard input", e.stdin)
	}
	file, err := os.Open(name)
	if err != nil {
		return exact.Case{}, fault.Invalid("--case: %w", err)
	}
	defer file.Close() // only read
	return exact.Read(name, file)
}
