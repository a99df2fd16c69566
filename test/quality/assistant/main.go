// The program assistant is the quality protocol of the assistant: it asks three hundred questions over an estate of its own,
// of which the answers are known from the database, and titles of exploits, modules and templates out of real feeds.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
)

func main() {
	made := flag.String("make", "", "make the estate in this data folder, with the starter catalogue or that of -feeds, and end")
	feeds := flag.String("feeds", os.Getenv("FEEDS"), "folder with the feed files (or FEEDS)")
	flag.Parse()
	if err := run(context.Background(), *made, *feeds); err != nil {
		fmt.Fprintln(os.Stderr, "assistant:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, made, feeds string) error {
	return build(ctx, made, feeds)
}
