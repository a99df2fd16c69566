// Package cli is the command line: one file per command, one exit code per kind of outcome. It prints what package app
// answers and never opens a database, a network connection or a scanner itself.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
	"github.com/patchscout/patchscout/internal/report"
)

// The exit codes (docs/exit-codes.md). Where several apply, 3 wins over 4.
const (
	exitOK         = 0
	exitError      = 1 // something went wrong while running
	exitUsage      = 2 // the command line, configuration or a target makes no sense
	exitFindings   = 3 // a confirmed finding at or above --fail-on
	exitIncomplete = 4 // a target did not resolve or answer, a scanner failed, or the scan was stopped
)

// Main runs one command with the process's own streams and signals and returns its exit code.
func Main(args []string, version string) int {
	ctx, stop := interruptible()
	defer stop()
	env := &environment{
		version: version, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ(),
	}
	return env.run(ctx, args)
}

// interruptible returns a context that the first SIGINT, SIGTERM or SIGHUP cancels; the second one ends the process at
// once, as the signal does by default. A closed terminal is no reason to lose what was found; under nohup it is no
// reason to stop either.
func interruptible() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		ends = append(ends, syscall.SIGHUP)
	}
	signal.Notify(signals, ends...)
	go func() {
		select {
		case <-signals:
			signal.Stop(signals)
			signal.Reset(ends...)
			cancel()
		case <-ctx.Done():
			signal.Stop(signals)
		}
	}()
	return ctx, cancel
}

func (e *environment) run(ctx context.Context, args []string) int {
	root := e.root()
	root.SetArgs(args)
	root.SetIn(e.stdin)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	err := root.ExecuteContext(ctx)
	if closeErr := e.close(); err == nil {
		err = closeErr
	}
	code := e.exitCode(ctx, err)
	if say := sentence(ctx, err); say != "" {
		fmt.Fprintf(e.stderr, "patchscout: %s\n", say)
	}
	return code
}

// exitWith ends a command with a code of its own after it has printed its result; err may be nil.
type exitWith struct {
	code int
	err  error
}

func (x exitWith) Error() string {
	if x.err == nil {
		return ""
	}
	return x.err.Error()
}

func (x exitWith) Unwrap() error { return x.err }

// exitCode is the one place where errors become exit codes. What fails before a command's own code runs is a mistake
// on the command line.
func (e *environment) exitCode(ctx context.Context, err error) int {
	var x exitWith
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &x):
		return x.code
	case ctx.Err() != nil:
		return exitError
	case !e.ran || fault.KindOf(err) == fault.KindInvalid:
		return exitUsage
	default:
		return exitError
	}
}

// sentence is what stderr says of an error: one line, harmless, and short for an interrupt.
func sentence(ctx context.Context, err error) string {
	switch {
	case err == nil || machine.ReaderGone(err):
		return ""
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return "interrupted"
	}
	return report.Plain(err.Error())
}

// command makes a subcommand whose run may assume that flags and arguments were fine.
func (e *environment) command(use, short string, args cobra.PositionalArgs, run func(cmd *cobra.Command, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			e.ran = true
			return run(cmd, args)
		},
	}
}

// atLeastOne wants an argument, and says which kind.
func atLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("name at least one %s: %s", what, cmd.UseLine())
		}
		return nil
	}
}

// group makes a command that only holds others. Without one of them it explains itself.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return fmt.Errorf("say which: %s", names(cmd))
	}}
	cmd.AddCommand(commands...)
	return cmd
}

func names(cmd *cobra.Command) string {
	text := ""
	for _, c := range cmd.Commands() {
		if text != "" {
			text += ", "
		}
		text += cmd.CommandPath() + " " + c.Name()
	}
	return text
}

// discardOnPipe treats a reader that went away (head, less) as the end of the job, not as an error.
func discardOnPipe(err error) error {
	if machine.ReaderGone(err) || errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return err
}
