package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

func (e *environment) iocCommand() *cobra.Command {
	return group("ioc", "Indicators of compromise: addresses, domains, URLs and hashes that are known to be malicious", e.iocLookupCommand())
}

func (e *environment) iocLookupCommand() *cobra.Command {
	var out output
	cmd := e.command("lookup VALUE...", "What is known of addresses, domains, URLs and hashes", atLeastOne("value"),
		func(cmd *cobra.Command, args []string) error { return e.iocLookup(cmd, args, out) })
	cmd.Long = `What is known of addresses (with or without a port), domains, URLs and hashes (MD5, SHA-1, SHA-256). A URL is looked up
itself and by its host, an address or domain itself and with the listed URLs that lead there. Values that were made
harmless for mails (hxxp://evil[.]example) are understood.
"-" reads values from standard input, one a line; blank lines and lines that begin with # are skipped. A line that is no
indicator is answered as such and does not stop the rest. --format json answers one JSON line per value, in order.`
	cmd.Example = `  patchscout ioc lookup 203.0.113.9 hxxp://evil[.]example/a.exe
  patchscout ioc lookup --format json - <addresses.txt | jq -r 'select(.found).value'`
	out.flags(cmd, "table", "json")
	return cmd
}

const (
	lookupBatch = 1000
	maxLookups  = 1_000_000
)

func (e *environment) iocLookup(cmd *cobra.Command, args []string, out output) error {
	a, err := e.openCatalogue(cmd)
	if err != nil {
		return err
	}
	cat, err := a.Catalogue(cmd.Context())
	if err != nil {
		return err
	}
	if gap := report.IndicatorGap(cat); gap != "" && out.format == "json" { // in a table it stands below
		fmt.Fprintln(e.stderr, "patchscout: "+gap)
	}
	return out.write(e, func(w io.Writer) error {
		l := &lookup{app: a}
		table := &report.IndicatorTable{}
		l.answer = func(answer report.IndicatorAnswer) error {
			table.Add(answer)
			return nil
		}
		if out.format == "json" {
			l.answer = func(answer report.IndicatorAnswer) error { return report.JSONLine(w, answer) }
		}
		err := l.all(cmd.Context(), args, e.stdin)
		if out.format == "json" || err != nil {
			return err
		}
		return table.Write(w, cat, e.view(out.target(e), 0, 0))
	})
}

// lookup gathers values and asks for many at once.
type lookup struct {
	app    *app.App
	answer func(report.IndicatorAnswer) error
	batch  []string
	asked  int
}

func (l *lookup) all(ctx context.Context, args []string, stdin io.Reader) error {
	for _, arg := range args {
		var err error
		if arg == "-" {
			err = l.lines(ctx, stdin)
		} else {
			err = l.add(ctx, arg)
		}
		if err != nil {
			return err
		}
	}
	return l.flush(ctx)
}

func (l *lookup) lines(ctx context.Context, r io.Reader) error {
	in := bufio.NewReaderSize(r, app.MaxLine+1)
	if mark, _ := in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = in.Discard(len(byteOrderMark)) // it was just peeked at
	}
	for {
		line, _, err := readLine(in) // an overlong line is no indicator either
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if text := strings.TrimSpace(line); text != "" && text[0] != '#' {
			if addErr := l.add(ctx, text); addErr != nil {
				return addErr
			}
		}
		if err != nil {
			return nil
		}
	}
}

func (l *lookup) add(ctx context.Context, value string) error {
	if l.asked++; l.asked > maxLookups {
		if err := l.flush(ctx); err != nil {
			return err
		}
		return fault.Invalid("ioc lookup: stopped after %d values, which is as many as one call answers", maxLookups)
	}
	l.batch = append(l.batch, strings.ToValidUTF8(value, "\ufffd"))
	if len(l.batch) < lookupBatch {
		return nil
	}
	return l.flush(ctx)
}

func (l *lookup) flush(ctx context.Context) error {
	batch := slices.Clone(l.batch)
	l.batch = l.batch[:0]
	if len(batch) == 0 {
		return ctx.Err()
	}
	return l.app.LookUp(ctx, batch, l.answer)
}
