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
}

func main() {
	var o options
	flag.StringVar(&o.made, "make", "", "make the estate in this data folder, with the starter catalogue or that of -feeds, and end")
	flag.StringVar(&o.feeds, "feeds", os.Getenv("FEEDS"), "folder with the feed files (or FEEDS); without one the starter catalogue is asked")
	flag.StringVar(&o.data, "data", "", "ask this data folder, which -make made, instead of one made for this run")
	flag.StringVar(&o.only, "only", "", "some of questions, titles, with commas; all if empty")
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
	r, err := openRunner(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer r.close()
	questions, err := readQuestions()
	if err != nil {
		return 0, err
	}
	all, err := r.askAll(ctx, questions, o.feeds != "")
	if err != nil {
		return 0, err
	}
	missed = tell(w, all)
	tellFailures(w, all)
	return missed, nil
}
