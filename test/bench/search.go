package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// eachQuery is how often every query runs on each database.
const eachQuery = 5

// maxSearch is the limit of p95, a whole process each.
const maxSearch = 100 // ms

// queries are what people ask: words that few and many texts hold, every filter and every order.
var queries = [][]string{
	{"heartbleed"},
	{"zerologon netlogon"},
	{"log4j"},
	{"openssh"},
	{"libwebp"},
	{"nginx"},
	{"kernel"},
	{"vulnerability"},
	{"remote code execution"},
	{"path traversal apache"},
	{"sql injection in the login form"},
	{"buffer overflow in the kernel"},
	{"use after free in the browser engine allows a remote attacker to execute code"},
	{"cross-site scripting wordpress plugin"},
	{"CVE-2014-0160"},
	{"overflow", "--kev"},
	{"--kev", "--sort", "date"},
	{"--kev", "--ransomware", "--sort", "decision"},
	{"windows", "--ransomware"},
	{"authentication bypass", "--min-cvss", "9"},
	{"--min-cvss", "9.8", "--sort", "score"},
	{"--max-cvss", "4", "--sort", "likelihood"},
	{"injection", "--min-epss", "0.5"},
	{"--vendor", "microsoft", "--sort", "decision"},
	{"--vendor", "apache", "--product", "http_server"},
	{"overflow", "--vendor", "adobe", "--sort", "date"},
	{"--product", "chrome", "--severity", "critical"},
	{"--cpe", "cpe:2.3:a:openbsd:openssh:7.2:p2:*:*:*:*:*:*", "--sort", "decision"},
	{"--cwe", "CWE-79"},
	{"wordpress", "--cwe", "CWE-89", "--sort", "score"},
	{"--cwe", "CWE-416", "--kev", "--sort", "likelihood"},
	{"--severity", "critical,high", "--published-after", "2024-01-01", "--sort", "decision"},
	{"denial of service", "--severity", "low"},
	{"router", "--exploit", "metasploit"},
	{"--exploit", "any", "--sort", "likelihood"},
	{"privilege", "--exploit", "local", "--sort", "relevance"},
	{"--technique", "T1190", "--sort", "score"},
	{"deserialization", "--technique", "T1059"},
	{"memory corruption", "--published-after", "2017-01-01", "--published-before", "2018-01-01", "--sort", "decision"},
	{"--modified-after", "2024-06-01", "--modified-before", "2024-07-01", "--sort", "likelihood"},
}

// search asks both databases the same.
func (b *bench) search(ctx context.Context) error {
	lite, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("cve search (%d queries, each %d times, a process each)\n", len(queries), eachQuery)
	floor, err := measureOften(ctx, 11, b.patchscout, "version")
	if err != nil {
		return err
	}
	b.note("patchscout version, median of 11", ms(floor), "ms")
	onLite, err := b.askAll(ctx, lite)
	if err != nil {
		return err
	}
	server, err := b.loadedPostgres(ctx)
	if err != nil || server == nil {
		return err
	}
	onServer, err := b.askAll(ctx, &server.database)
	if err != nil {
		return err
	}
	b.compare(onLite, onServer)
	return nil
}

// measureOften returns the median wall time of a command.
func measureOften(ctx context.Context, times int, name string, args ...string) (time.Duration, error) {
	var walls []time.Duration
	for range times {
		u, err := measure(ctx, nil, nil, name, args...)
		if err != nil {
			return 0, err
		}
		walls = append(walls, u.wall)
	}
	return quantile(walls, 0.5), nil
}

// answer is what one query found and how long each run took.
type answer struct {
	query []string
	ids   []string
	note  string
	walls []time.Duration
	cpus  []time.Duration // of our process
}

// askAll prints the figures of a database; queries whose median is beyond the limit are named.
func (b *bench) askAll(ctx context.Context, on *database) ([]answer, error) {
	var answers []answer
	var all, cpus []time.Duration
	var worst answer
	for _, query := range queries {
		a, err := b.ask(ctx, on, query)
		if err != nil {
			return nil, err
		}
		answers, all, cpus = append(answers, a), append(all, a.walls...), append(cpus, a.cpus...)
		if worst.walls == nil || slices.Max(a.walls) > slices.Max(worst.walls) {
			worst = a
		}
	}
	b.note(on.name+", median", ms(quantile(all, 0.5)), "ms")
	b.figure(on.name+", p95", ms(quantile(all, 0.95)), maxSearch, "ms")
	b.note(on.name+", p95 of patchscout's CPU time", ms(quantile(cpus, 0.95)), "ms")
	b.note(on.name+", worst", ms(slices.Max(worst.walls)), "ms     "+strings.Join(worst.query, " "))
	for _, a := range answers {
		if middle := ms(quantile(a.walls, 0.5)); middle > maxSearch {
			b.note(on.name+", a median above the limit", middle, "ms     "+strings.Join(a.query, " "))
		}
	}
	return answers, nil
}

func (b *bench) ask(ctx context.Context, on *database, query []string) (answer, error) {
	a := answer{query: query}
	args := append([]string{"cve", "search", "--format", "json", "--limit", "20"}, query...)
	for range eachQuery {
		u, err := b.own(ctx, on, nil, args...)
		if err != nil {
			return a, err
		}
		var doc struct {
			Items []struct{ ID string }
			Note  string
		}
		if err := json.Unmarshal(u.stdout, &doc); err != nil {
			return a, fmt.Errorf("answer to %v: %w", query, err)
		}
		a.ids, a.note, a.walls = nil, doc.Note, append(a.walls, u.wall)
		a.cpus = append(a.cpus, u.cpu)
		for _, i := range doc.Items {
			a.ids = append(a.ids, i.ID)
		}
	}
	return a, nil
}

// compare wants the same CVEs in the same order, with the same word on them.
func (b *bench) compare(left, right []answer) {
	same, found := 0, 0
	for i, a := range left {
		if len(a.ids) > 0 {
			found++
		}
		if slices.Equal(a.ids, right[i].ids) && a.note == right[i].note {
			same++
			continue
		}
		fmt.Printf("  differs: %s\n    %v %s\n    %v %s\n", strings.Join(a.query, " "), a.ids, a.note, right[i].ids, right[i].note)
	}
	mark := "ok"
	if same < len(left) {
		mark = "BEYOND"
		b.missed++
	}
	fmt.Printf("  %-46s %10s\n", "queries that find something", fmt.Sprintf("%d of %d", found, len(left)))
	fmt.Printf("  %-46s %10s %31s\n", "same results on both", fmt.Sprintf("%d of %d", same, len(left)), mark)
}

// quantile is the value that a part of the runs do not exceed.
func quantile(walls []time.Duration, part float64) time.Duration {
	sorted := slices.Sorted(slices.Values(walls))
	return sorted[int(math.Ceil(part*float64(len(sorted))))-1]
}
