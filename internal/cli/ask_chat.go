package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

// maxAsked is how long a line of questions may be; what is longer than a question may be is told with it.
const maxAsked = 64 << 10

// askLines answers each line of standard input, in one conversation.
func (e *environment) askLines(ctx context.Context, a *app.App, q asking) error {
	return q.out.write(e, func(w io.Writer) error {
		lines := bufio.NewScanner(e.stdin)
		lines.Buffer(nil, maxAsked)
		var wrong error
		for first := true; lines.Scan(); {
			question := strings.TrimSpace(lines.Text())
			if question == "" {
				continue
			}
			doc, err := e.answer(ctx, a, q, question)
			if fault.KindOf(err) == fault.KindInvalid && q.session != "" || errors.Is(err, context.Canceled) {
				return err
			}
			if err != nil {
				if fault.KindOf(err) != fault.KindInvalid {
					return err
				}
				wrong = err
				fmt.Fprintf(e.stderr, "patchscout: %s\n", report.Plain(err.Error()))
				continue
			}
			q.session = doc.SessionID
			if err := q.printLine(e, w, doc, first); err != nil {
				return err
			}
			first = false
		}
		if err := lines.Err(); err != nil {
			return fault.Invalid("read the questions: %w", err)
		}
		return wrong
	})
}

func (q asking) printLine(e *environment, w io.Writer, doc report.Answer, first bool) error {
	if q.out.format == "json" {
		return report.JSONLine(w, doc)
	}
	if !first {
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "> %s\n\n", report.Plain(doc.Question))
	return report.AnswerText(w, doc, e.terminal(q.out.target(e)))
}

// chatting is a conversation on a terminal.
type chatting struct {
	*environment
	app  *app.App
	how  asking
	last report.Answer
	kept []report.Answer // all answers of the conversation, for what is not kept elsewhere
	said *term.Terminal
	file *os.File
}

const chatHelp = `  /new            begin a new conversation
  /sources N      show what source N of the last answer says
  /export FILE    write this conversation as Markdown (or JSON, if FILE ends in .json)
  /forget         forget this conversation
  /help           this
  /quit           end (or Ctrl-D)
`

// chat asks for questions until there are no more.
func (e *environment) chat(ctx context.Context, a *app.App, q asking) error {
	file, _ := e.stdin.(*os.File) // talks has looked
	c := &chatting{environment: e, app: a, how: q, file: file}
	c.said = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{file, e.stdout}, "ask> ")
	fmt.Fprint(e.stdout, "Ask about your hosts and findings, or the catalogue. /help lists commands, /quit ends.\n\n")
	if doc, err := a.ChatSuggestions(ctx, nil); err == nil {
		for _, s := range doc.Items[:min(4, len(doc.Items))] {
			fmt.Fprintf(e.stdout, "  %s\n", report.Plain(s))
		}
		fmt.Fprintln(e.stdout)
	}
	for ctx.Err() == nil {
		line, err := c.read()
		if errors.Is(err, io.EOF) {
			fmt.Fprintln(e.stdout)
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the terminal: %w", err)
		}
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if line == "/quit" || line == "/exit" {
			return nil
		}
		if err := c.do(ctx, line); err != nil {
			fmt.Fprintf(e.stdout, "%s\n\n", sentence(ctx, err))
		}
	}
	return ctx.Err()
}

// read reads one line. The terminal is raw only meanwhile, so that Ctrl-C ends an answer that takes long.
func (c *chatting) read() (string, error) {
	before, err := term.MakeRaw(int(c.file.Fd()))
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(int(c.file.Fd()), before) }() // there is nothing else to be done
	if width, height, err := term.GetSize(int(c.file.Fd())); err == nil && width > 0 {
		_ = c.said.SetSize(width, height)
	}
	line, err := c.said.ReadLine()
	if errors.Is(err, term.ErrPasteIndicator) {
		err = nil
	}
	return line, err
}

func (c *chatting) do(ctx context.Context, line string) error {
	if !strings.HasPrefix(line, "/") {
		return c.ask(ctx, line)
	}
	name, rest, _ := strings.Cut(line, " ")
	switch rest = strings.TrimSpace(rest); name {
	case "/help":
		fmt.Fprint(c.stdout, chatHelp, "\n")
		return nil
	case "/new":
		c.begin("")
		return nil
	case "/sources":
		return c.source(rest)
	case "/export":
		return c.export(rest)
	case "/forget":
		return c.forget(ctx)
	default:
		return fault.Invalid("%.40s: no command; /help lists them", name)
	}
}

func (c *chatting) begin(session string) {
	c.how.session, c.kept, c.last = session, nil, report.Answer{}
}

func (c *chatting) ask(ctx context.Context, question string) error {
	doc, err := c.answer(ctx, c.app, c.how, question)
	if err != nil {
		return err
	}
	c.how.session, c.last, c.kept = doc.SessionID, doc, append(c.kept, doc)
	fmt.Fprintln(c.stdout)
	if err := report.AnswerText(c.stdout, doc, c.terminal(c.stdout)); err != nil {
		return err
	}
	fmt.Fprintln(c.stdout)
	return nil
}

func (c *chatting) source(number string) error {
	n, err := strconv.Atoi(number)
	if number == "" && len(c.last.Sources) > 0 {
		n, err = 1, nil
	}
	for _, s := range c.last.Sources {
		if err == nil && s.N == n {
			defer fmt.Fprintln(c.stdout)
			return report.SourceText(c.stdout, s, c.terminal(c.stdout))
		}
	}
	return fault.Invalid("the last answer has %d sources: /sources N", len(c.last.Sources))
}

// export writes what was asked since the conversation was begun, or gone on in, here.
func (c *chatting) export(name string) error {
	switch {
	case name == "":
		return fault.Invalid("/export FILE: name a file")
	case len(c.kept) == 0:
		return fault.Invalid("nothing was asked yet")
	}
	doc := report.ChatHistory{Items: c.kept, Total: len(c.kept), Limit: len(c.kept)}
	doc.SessionID, doc.Title, doc.Questions = c.how.session, c.kept[0].Question, len(c.kept)
	doc.Started, doc.Last = c.kept[0].At, c.last.At
	err := writeFile(name, func(w io.Writer) error {
		if strings.HasSuffix(name, ".json") {
			return report.JSON(w, doc)
		}
		return report.ChatMarkdown(w, doc)
	})
	if err == nil {
		fmt.Fprintf(c.stdout, "Written to %s\n\n", report.Plain(name))
	}
	return err
}

func (c *chatting) forget(ctx context.Context) error {
	if c.how.session != "" {
		if err := c.app.ForgetChat(ctx, c.how.session); err != nil && fault.KindOf(err) != fault.KindNotFound {
			return err
		}
	}
	c.begin("")
	fmt.Fprint(c.stdout, "Forgotten.\n\n")
	return nil
}
