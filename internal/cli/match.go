package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/report"
)

// matchBatch is how many lines are asked at once when they are there; a slow writer's lines are answered one by one.
const matchBatch = 512

func (e *environment) matchCommand() *cobra.Command {
	cmd := e.command("match [CPE...]", "Which CVEs apply to CPE names, as JSON lines", cobra.ArbitraryArgs, e.match)
	cmd.Long = `Which CVEs apply to CPE names. Each argument, or each line of standard input, is one host: every CPE on it
(blank-separated) is matched, and is a platform for the others. Blank lines and lines that begin with # are skipped.
Answers one JSON line per line, in order.`
	cmd.Example = `  patchscout match cpe:/a:openbsd:openssh:7.2p2
  patchscout match "cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:* cpe:2.3:o:linux:linux_kernel:-:*:*:*:*:*:*:*"
  patchscout match <cpes.txt | jq -r '.cves[].id'`
	return cmd
}

func (e *environment) match(cmd *cobra.Command, args []string) error {
	cfg, err := e.config(cmd)
	if err != nil {
		return err
	}
	matcher, err := e.openMatcher(cmd, cfg)
	if err != nil {
		return err
	}
	e.steady(72 << 20) // not before: loading the starter catalogue needs more memory
	m := &matchStream{matcher: matcher, out: e.stdout}
	if len(args) > 0 {
		return discardOnPipe(m.arguments(cmd.Context(), args))
	}
	return discardOnPipe(m.lines(cmd.Context(), e.stdin))
}

// matchStream reads lines, asks in batches and writes answers in order.
type matchStream struct {
	matcher *app.Matcher
	out     io.Writer
	batch   []string
	long    []bool // the line was cut: its answer is an error
	buffer  []byte
}

func (m *matchStream) arguments(ctx context.Context, args []string) error {
	for _, arg := range args {
		m.add(arg, len(arg) > app.MaxLine)
	}
	return m.flush(ctx)
}

func (m *matchStream) lines(ctx context.Context, r io.Reader) error {
	in := bufio.NewReaderSize(r, app.MaxLine+1)
	if mark, _ := in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = in.Discard(len(byteOrderMark)) // it was just peeked at
	}
	for {
		line, long, err := readLine(in)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if text := strings.TrimSpace(line); text != "" && text[0] != '#' {
			m.add(line, long)
		}
		if err != nil || len(m.batch) >= matchBatch || in.Buffered() == 0 {
			if flushErr := m.flush(ctx); flushErr != nil || err != nil {
				return flushErr
			}
		}
	}
}

// byteOrderMark is what editors on Windows put before UTF-8 text.
const byteOrderMark = "\ufeff"

// readLine returns the next line without its end, cut at app.MaxLine if it is longer; err is io.EOF with the last one.
func readLine(in *bufio.Reader) (line string, long bool, err error) {
	part, err := in.ReadSlice('\n')
	line = strings.TrimRight(string(part), "\r\n")
	for errors.Is(err, bufio.ErrBufferFull) {
		long = true
		_, err = in.ReadSlice('\n')
	}
	return line[:min(len(line), app.MaxLine)], long, err
}

// shownOfLong is how much of an overlong line its answer repeats.
const shownOfLong = 256

func (m *matchStream) add(line string, long bool) {
	if long {
		line = line[:shownOfLong]
	}
	m.batch = append(m.batch, line)
	m.long = append(m.long, long)
}

func (m *matchStream) flush(ctx context.Context) error {
	if len(m.batch) == 0 {
		return ctx.Err()
	}
	asked := make([]string, len(m.batch))
	for i, line := range m.batch {
		if !m.long[i] {
			asked[i] = line
		}
	}
	i := 0
	err := m.matcher.Lines(ctx, asked, func(answer report.MatchLine) error {
		if m.long[i] {
			answer = report.MatchLine{Line: m.batch[i], Error: app.LineTooLong}
		}
		i++
		m.buffer = answer.AppendJSON(m.buffer)
		if len(m.buffer) < writeAt {
			return nil
		}
		return m.write()
	})
	m.batch, m.long = m.batch[:0], m.long[:0]
	return errors.Join(err, m.write())
}

// writeAt is how much is written at once while more is to come.
const writeAt = 64 << 10

func (m *matchStream) write() error {
	_, err := m.out.Write(m.buffer)
	m.buffer = m.buffer[:0]
	return err
}

// openMatcher loads the starter catalogue first where there is none.
func (e *environment) openMatcher(cmd *cobra.Command, cfg config.Config) (*app.Matcher, error) {
	log, err := e.log(cfg)
	if err != nil {
		return nil, err
	}
	b := e.bar(cfg, starting)
	defer b.finish()
	matcher, err := app.OpenMatcher(cmd.Context(), cfg, log, func(p app.Progress) { b.set(p.Percent, starting) })
	if err == nil {
		e.closers = append(e.closers, matcher.Close)
	}
	return matcher, err
}
