// The program assistant is the quality protocol of the assistant: it asks three hundred questions over an estate of its own,
// of which the answers are known from the database, and titles of exploits, modules and templates out of real feeds.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
)

// options are what the program was started with.
type options struct {
	made  string
	feeds string
	data  string
	only  string

	embedDir string
	from     string

	titles int // of each source
	show   int // titles that are not found
	pairs  int // questions that are shown with their answers
}

func main() {
	var o options
	flag.StringVar(&o.made, "make", "", "make the estate in this data folder, with the starter catalogue or that of -feeds, and end")
	flag.StringVar(&o.feeds, "feeds", os.Getenv("FEEDS"), "folder with the feed files (or FEEDS); without one the starter catalogue is asked")
	flag.StringVar(&o.data, "data", "", "ask this data folder, which -make made, instead of one made for this run")
	flag.StringVar(&o.only, "only", "", "questions or titles; both if empty; near and near-titles, with -embed-dir: what embeddings add")
	flag.StringVar(&o.embedDir, "embed-dir", "", "folder of a sentence model, for -only near and near-titles")
	flag.StringVar(&o.from, "questions", "", "folder with other files of questions")
	flag.IntVar(&o.titles, "titles", 2000, "how many titles of each source are asked; 0 is all")
	flag.IntVar(&o.show, "show", 0, "print so many titles of the tuning half whose CVE does not come first")
	flag.IntVar(&o.pairs, "pairs", 0, "print so many chosen questions with their answers as Markdown, and end; there are 30")
	flag.Parse()
	missed, err := o.run(context.Background(), os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "assistant:", err)
		os.Exit(2)
	}
	if missed > 0 {
		os.Exit(1)
	}
}

// run says how many figures are missed.
func (o options) run(ctx context.Context, w io.Writer) (missed int, err error) {
	if o.made != "" {
		return 0, build(ctx, o.made, o.feeds)
	}
	dir := o.data
	if dir == "" {
		if dir, err = os.MkdirTemp("", "patchscout-quality-*"); err != nil {
			return 0, err
		}
		defer os.RemoveAll(dir)
		if err := build(ctx, dir, o.feeds); err != nil {
			return 0, err
		}
	}
	if o.only == "near" || o.only == "near-titles" {
		return 0, o.tellNear(ctx, dir, w)
	}
	r, err := openRunner(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer r.close()
	if o.pairs > 0 {
		return 0, r.showPairs(ctx, w, o.pairs)
	}
	return o.ask(ctx, r, w)
}

func (o options) ask(ctx context.Context, r *runner, w io.Writer) (missed int, err error) {
	var answers []asked
	var titles []found
	if o.only != "titles" {
		questions, err := readQuestions(o.from)
		if err != nil {
			return 0, err
		}
		if answers, err = r.askAll(ctx, questions, o.feeds != ""); err != nil {
			return 0, err
		}
		missed += tell(w, answers, wanted)
	}
	if o.feeds != "" && o.only != "questions" {
		drawn, err := readTitles(ctx, o.feeds, o.titles)
		if err != nil {
			return 0, err
		}
		if titles, err = r.askTitles(ctx, drawn); err != nil {
			return 0, err
		}
		missed += tellTitles(w, titles)
		hidden, err := r.askHidden(ctx, titles)
		if err != nil {
			return 0, err
		}
		missed += tellConfidence(w, append(samples(answers, titles), samples(nil, hidden)...))
	}
	fmt.Fprintln(w)
	tellFailures(w, answers)
	if o.show > 0 {
		showTitles(w, titles, o.show)
	}
	return missed, nil
}
