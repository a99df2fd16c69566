package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"strings"

	"github.com/patchscout/patchscout/internal/report"
)

// pairs are questions whose answers are worth reading as they are, the hard ones last. "+ " goes on in the conversation before.
//
//go:embed pairs.txt
var pairs string

// showPairs prints the first questions with their answers, unedited, as Markdown.
func (r *runner) showPairs(ctx context.Context, w io.Writer, most int) error {
	n, session := 0, ""
	for line := range strings.Lines(pairs) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if n++; n > most {
			break
		}
		text, goesOn := strings.CutPrefix(line, "+ ")
		if !goesOn {
			session = fmt.Sprintf("pairs-%d", n)
		}
		a, err := r.ask(ctx, text, session)
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		writePair(w, n, text, a.answer)
	}
	return nil
}

func writePair(w io.Writer, n int, text string, a report.Answer) {
	fmt.Fprintf(w, "### %d. %s\n\n%s\n\n", n, text, a.Answer)
	for _, s := range a.Sources {
		fmt.Fprintf(w, "%d. %s %s: %s\n", s.N, s.Kind, s.ID, s.Title)
	}
	sure := fmt.Sprintf("confidence %.2f (%s)", a.Confidence, a.Sure)
	if a.Refused {
		sure = "refused"
	}
	fmt.Fprintf(w, "\n%s; read as: %s\n\n", sure, a.Understood)
}
