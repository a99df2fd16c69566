package main

import (
	"bufio"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// The questions are text files, a block each, with a blank line between:
//
//	session one                 begins a conversation; it ends at the end of the file or with the next one
//	needs feeds                 asked only over a whole catalogue
//	Q How many … ?              the question
//	count SQL                   the answer is this number
//	items SQL                   a list of exactly these names, as far as it is told
//	top SQL                     a list that begins with these, in this order
//	counts SQL                  a table of names and numbers
//	numbers SQL                 all these numbers are in the text
//	any SQL                     one of these names is in the text
//	first SQL or names          the first is named, and before the others
//	value SQL or a | b          one fact
//	yes SQL or 1 or 0           yes or no
//	says a; b                   the text has all of it
//	not a                       the text does not have it
//	cite a | b                  one of these is among the first three sources
//	refused, answered           whether the product says that it does not know
//	or SQL                      the check above is met by this as well
//
// Beside what is written, a question that has count, items, top or counts must not be refused.

//go:embed questions/*.txt
var questionFiles embed.FS

// question is a block.
type question struct {
	n       int // from 1, over all files: odd ones fit the confidence, even ones are reported
	kind    string
	session string
	text    string
	feeds   bool
	checks  []check
}

// check is a line of a block with its alternatives.
type check struct {
	verb string
	args []string
}

var verbs = []string{"count", "items", "top", "counts", "numbers", "any", "first", "value", "yes", "says", "not", "cite", "refused", "answered"}

// readQuestions reads all files in their order, or those of a folder instead of the program's own.
func readQuestions(from string) (out []question, err error) {
	files, pattern := fs.FS(questionFiles), "questions/*.txt"
	if from != "" {
		files, pattern = os.DirFS(from), "*.txt"
	}
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		kind := strings.TrimSuffix(name[strings.IndexByte(name, '-')+1:], ".txt")
		some, err := parseQuestions(kind, string(body))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, some...)
	}
	for i := range out {
		out[i].n = i + 1
	}
	return out, nil
}

func parseQuestions(kind, body string) (out []question, err error) {
	session := ""
	in := bufio.NewScanner(strings.NewReader(body))
	for in.Scan() {
		verb, rest, _ := strings.Cut(strings.TrimSpace(in.Text()), " ")
		switch {
		case verb == "" || verb == "#":
		case verb == "session":
			session = rest
		case verb == "Q":
			out = append(out, question{kind: kind, session: session, text: rest})
		case len(out) == 0:
			return nil, fmt.Errorf("%q before the first question", in.Text())
		default:
			if err := out[len(out)-1].add(verb, rest); err != nil {
				return nil, err
			}
		}
	}
	return out, in.Err()
}

func (q *question) add(verb, rest string) error {
	switch {
	case verb == "needs" && rest == "feeds":
		q.feeds = true
	case verb == "or" && len(q.checks) > 0:
		last := &q.checks[len(q.checks)-1]
		last.args = append(last.args, rest)
	case slices.Contains(verbs, verb):
		q.checks = append(q.checks, check{verb, []string{rest}})
	default:
		return fmt.Errorf("%s: nobody knows what %q is", q.text, verb+" "+rest)
	}
	return nil
}
