package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/report"
)

// hostile is an answer in which everything that others wrote tries to be more than text.
func hostile() report.Answer {
	evil := "x\x1b[31m\x07](http://evil.example) <script>alert(1)</script> **bold** [9]\n# heading\n- item ![i](y) `code` | cell"
	return report.Answer{
		ID: 1, SessionID: "s", Question: "what is " + evil + "?", Answer: "**1** host says \"" + strings.ReplaceAll(evil, "\n", " ") + "\" [1].\n\n- first [1]",
		Sources: []report.Source{{N: 1, Kind: "host", ID: "7", Title: evil, Text: evil, From: report.Text(evil)}}, Sure: "high", Confidence: 0.9,
		At: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
	}
}

func TestAnExportedConversationHasNoMarkupOfOthers(t *testing.T) {
	var out bytes.Buffer
	a := hostile()
	if err := report.ChatMarkdown(&out, report.ChatHistory{ChatSession: report.ChatSession{Title: a.Question}, Items: []report.Answer{a}}); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, bad := range []string{"\x1b", "\x07", "<script", "07](http", " ![", "\n# heading", "\n- item", " `code"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is in\n%s", bad, text)
		}
	}
	for _, good := range []string{"**1** host says", "\n- first [1]", "\n1. host 7, x"} {
		if !strings.Contains(text, good) {
			t.Errorf("%q is not in\n%s", good, text)
		}
	}
}

func TestAnAnswerIsHarmlessOnATerminal(t *testing.T) {
	a := hostile()
	for _, colour := range []bool{false, true} {
		for _, draw := range []func(*bytes.Buffer) error{
			func(w *bytes.Buffer) error {
				return report.AnswerText(w, a, report.Terminal{Width: 40, Colour: colour})
			},
			func(w *bytes.Buffer) error {
				return report.SourceText(w, a.Sources[0], report.Terminal{Width: 40, Colour: colour})
			},
			func(w *bytes.Buffer) error {
				return report.ChatText(w, report.ChatHistory{Items: []report.Answer{a}}, report.Terminal{Width: 40, Colour: colour})
			},
		} {
			var out bytes.Buffer
			if err := draw(&out); err != nil {
				t.Fatal(err)
			}
			if text := out.String(); strings.Contains(text, "\x1b[31m") || strings.Contains(text, "\x07") || !colour && strings.Contains(text, "\x1b") {
				t.Errorf("%q", text)
			}
			if !colour {
				for line := range strings.Lines(out.String()) {
					if len([]rune(line)) > 60 && strings.Contains(line, " ") && len(strings.Fields(line)) > 2 {
						t.Errorf("too wide: %q", line)
					}
				}
			}
		}
	}
}
