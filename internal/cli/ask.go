package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/patchscout/patchscout/internal/app"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// asking is how questions are asked and answers shown.
type asking struct {
	session string
	goOn    bool
	about   string
	noModel bool
	noKeep  bool
	out     output
}

func (e *environment) askCommand() *cobra.Command {
	var q asking
	cmd := e.command("ask [QUESTION]", "Ask about your own hosts and the catalogue, and get an answer with its sources", cobra.ArbitraryArgs,
		func(cmd *cobra.Command, args []string) error { return e.ask(cmd, q, strings.Join(args, " ")) })
	cmd.Long = `Ask in plain words. The answer rests on your own findings and the catalogue only, names its sources, says how old the
data is, and says so when it does not know. Without a question: a conversation on a terminal, else one answer for each line
of standard input. Put the question in quotes.`
	cmd.Example = `  patchscout ask "what should I fix first?"
  patchscout ask "which hosts are affected by log4shell?"
  patchscout ask --continue "and of those, which are exposed?"
  patchscout ask
  patchscout ask --format json < questions.txt
  patchscout ask history`
	f := cmd.Flags()
	f.StringVar(&q.session, "session", "", "go on in this conversation, or begin one of this name")
	f.BoolVarP(&q.goOn, "continue", "c", false, "go on in the last conversation")
	f.StringVar(&q.about, "about", "", "what 'this' and 'it' are: host:12, cve:CVE-2021-44228, finding:3")
	f.BoolVar(&q.noModel, "no-model", false, "without the language model, where one is set up")
	f.BoolVar(&q.noKeep, "no-keep", false, "keep neither question nor answer")
	cmd.MarkFlagsMutuallyExclusive("session", "continue")
	q.out.flags(cmd, "text", "json")
	cmd.AddCommand(e.askHistoryCommand(), e.askForgetCommand(), e.askPeersCommand())
	return cmd
}

func (e *environment) ask(cmd *cobra.Command, q asking, question string) error {
	a, err := e.open(cmd)
	if err != nil {
		return err
	}
	if q.goOn {
		if q.session, err = lastChat(cmd.Context(), a); err != nil {
			return err
		}
	}
	defer e.tellIndexing(cmd.Context(), a)
	switch {
	case strings.TrimSpace(question) != "":
		doc, err := e.answer(cmd.Context(), a, q, question)
		if err != nil {
			return err
		}
		return q.out.write(e, func(w io.Writer) error { return q.print(e, w, doc) })
	case e.talks():
		return e.chat(cmd.Context(), a, q)
	default:
		return e.askLines(cmd.Context(), a, q)
	}
}

// tellIndexing says why the command does not end with its answer.
func (e *environment) tellIndexing(ctx context.Context, a *app.App) {
	if a.Indexing() && ctx.Err() == nil {
		fmt.Fprintln(e.stderr, "patchscout: note: the texts are being indexed, which takes some seconds and is done once; Ctrl-C leaves it to the next time")
	}
}

// lastChat names the conversation in which something was asked last.
func lastChat(ctx context.Context, a *app.App) (string, error) {
	list, err := a.ChatSessions(ctx, 0, 1)
	if err != nil {
		return "", err
	}
	if len(list.Items) == 0 {
		return "", fault.NotFound("there is no conversation to go on in: ask without --continue")
	}
	return list.Items[0].SessionID, nil
}

func (e *environment) answer(ctx context.Context, a *app.App, q asking, question string) (report.Answer, error) {
	req := request.Ask{Question: question, Session: q.session, Keep: !q.noKeep, NoModel: q.noModel}
	if q.about != "" {
		kind, id, ok := strings.Cut(q.about, ":")
		if !ok || kind == "" || id == "" {
			return report.Answer{}, fault.InvalidOption("about", " %.60q: want a kind and an id, such as host:12", q.about)
		}
		req.About = &request.Thing{Kind: kind, ID: id}
	}
	return a.Ask(ctx, req, nil)
}

func (q asking) print(e *environment, w io.Writer, doc report.Answer) error {
	if q.out.format == "json" {
		return report.JSON(w, doc)
	}
	return report.AnswerText(w, doc, e.terminal(q.out.target(e)))
}

// talks says whether a person sits in front of both ends.
func (e *environment) talks() bool {
	for _, end := range []any{e.stdin, e.stdout} {
		if file, ok := end.(*os.File); !ok || !term.IsTerminal(int(file.Fd())) {
			return false
		}
	}
	return true
}

func (e *environment) askHistoryCommand() *cobra.Command {
	var (
		out   output
		limit int
	)
	cmd := e.command("history [SESSION]", "List your conversations, or show one", cobra.MaximumNArgs(1), func(cmd *cobra.Command, args []string) error {
		if limit < 1 || limit > 1000 {
			return fault.Invalid("--limit %d: want 1 to 1000", limit)
		}
		if len(args) == 0 {
			return e.chatList(cmd, limit, out)
		}
		return e.chatShown(cmd, args[0], out)
	})
	cmd.Flags().IntVar(&limit, "limit", 20, "how many conversations to list")
	out.flags(cmd, "text", "json", "markdown")
	return cmd
}

func (e *environment) chatList(cmd *cobra.Command, limit int, out output) error {
	if out.format == "markdown" {
		return fault.Invalid("--format markdown: name the conversation")
	}
	a, err := e.open(cmd)
	if err != nil {
		return err
	}
	list, err := a.ChatSessions(cmd.Context(), 0, limit)
	if err != nil {
		return err
	}
	return out.write(e, func(w io.Writer) error {
		if out.format == "json" {
			return report.JSON(w, list)
		}
		return report.ChatTable(w, list, e.terminal(out.target(e)))
	})
}

func (e *environment) chatShown(cmd *cobra.Command, session string, out output) error {
	a, err := e.open(cmd)
	if err != nil {
		return err
	}
	doc, err := a.ChatHistory(cmd.Context(), session, 0, 0)
	if err != nil {
		return err
	}
	return out.write(e, func(w io.Writer) error {
		switch out.format {
		case "json":
			return report.JSON(w, doc)
		case "markdown":
			return report.ChatMarkdown(w, doc)
		default:
			return report.ChatText(w, doc, e.terminal(out.target(e)))
		}
	})
}

func (e *environment) askForgetCommand() *cobra.Command {
	var all bool
	cmd := e.command("forget [SESSION...]", "Forget conversations", cobra.ArbitraryArgs, func(cmd *cobra.Command, args []string) error {
		if all == (len(args) > 0) {
			return fault.Invalid("ask forget: name conversations (patchscout ask history lists them), or say --all")
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		if all {
			return a.ForgetChats(cmd.Context())
		}
		var errs []error
		for _, session := range args {
			errs = append(errs, a.ForgetChat(cmd.Context(), session))
		}
		return errors.Join(errs...)
	})
	cmd.Flags().BoolVar(&all, "all", false, "all of yours")
	return cmd
}

// peers are what may help the assistant from another machine.
var peers = []string{"model", "embeddings", "vectors"}

func (e *environment) askPeersCommand() *cobra.Command {
	var (
		accept, refuse []string
		out            output
	)
	cmd := e.command("peers", "How the assistant is set up, and what may be sent to other machines", cobra.NoArgs, func(cmd *cobra.Command, _ []string) error {
		said := map[string]*bool{}
		for answer, names := range map[bool][]string{true: accept, false: refuse} {
			for _, name := range names {
				if said[name] != nil && *said[name] != answer {
					return fault.Invalid("%s: both accepted and refused", name)
				}
				said[name] = &answer
			}
		}
		for name := range said {
			if err := among("accept", name, peers); err != nil {
				return err
			}
		}
		a, err := e.open(cmd)
		if err != nil {
			return err
		}
		doc, err := a.AcceptPeers(cmd.Context(), said["model"], said["embeddings"], said["vectors"])
		if err != nil {
			return err
		}
		return out.write(e, func(w io.Writer) error {
			if out.format == "json" {
				return report.JSON(w, doc)
			}
			return report.AssistantText(w, doc)
		})
	})
	cmd.Flags().StringSliceVar(&accept, "accept", nil, "that something is sent to the configured address: "+strings.Join(peers, ", "))
	cmd.Flags().StringSliceVar(&refuse, "refuse", nil, "take that back")
	out.flags(cmd, "text", "json")
	return cmd
}

func among(option, value string, wanted []string) error {
	for _, w := range wanted {
		if w == value {
			return nil
		}
	}
	return fault.InvalidOption(option, " %.40q: want %s", value, strings.Join(wanted, ", "))
}
