// The program ranking is the quality protocol of the likelihood: it asks how many of the CVEs that were going to enter
// KEV each way of ordering would have put first, knowing only what was known on a day in the past. It also fits the
// estimate's weights and says whether those in internal/priority are the ones. It never fits on years other than its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// The protocol: the weights are fitted on CVEs of these years with what was known on this day. Every other year is held
// back; -from and -to try the shipped weights on one without fitting.
const (
	fitFrom, fitTo = 2017, 2018
	fitDay         = "2021-09-11"
)

func main() {
	p := protocol{}
	flag.StringVar(&p.feeds, "feeds", os.Getenv("FEEDS"), "folder with the feed files (or FEEDS)")
	flag.IntVar(&p.from, "from", fitFrom, "first year of the CVE ids; other years than the default are tried without fitting")
	flag.IntVar(&p.to, "to", fitTo, "last year of the CVE ids")
	day := flag.String("day", fitDay, "the day in the past")
	flag.IntVar(&p.resamples, "resamples", 2000, "of the bootstrap")
	flag.Parse()
	if p.feeds == "" {
		fmt.Fprintln(os.Stderr, "say where the feed files are: FEEDS=dir or -feeds dir")
		os.Exit(2)
	}
	var err error
	if p.day, err = time.Parse(time.DateOnly, *day); err != nil || p.resamples < 1 {
		fmt.Fprintln(os.Stderr, "want -day 2021-09-11 and -resamples 2000")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	same, err := p.run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "ranking:", err)
		os.Exit(1)
	}
	if !same {
		os.Exit(1)
	}
}
