package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	_ "modernc.org/sqlite" // reads the size of the index
)

// wanted is how many different CPEs the long list has.
const wanted = 10_000

func (b *bench) match(ctx context.Context) error {
	lite, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	cpes, err := concreteCPEs(ctx, b.feeds)
	if err != nil {
		return err
	}
	fmt.Printf("match (%d different CPEs taken evenly from the versions that the NVD files name)\n", len(cpes))
	one, err := b.median(ctx, lite, 11, "match", "cpe:2.3:a:openbsd:openssh:7.2:p2:*:*:*:*:*:*")
	if err != nil {
		return err
	}
	b.figure("one CPE, cold start, median of 11", ms(one.wall), 60, "ms")
	b.note("one CPE, peak memory", one.peak/mega, "MB")
	host, err := b.median(ctx, lite, 11, "match", strings.Join(every(cpes, 30), " "))
	if err != nil {
		return err
	}
	b.figure("a host with 30 services, median of 11", ms(host.wall), 100, "ms")
	b.figure("a host with 30 services, peak memory", host.peak/mega, 60, "MB")
	if err := b.matchList(ctx, lite, cpes); err != nil {
		return err
	}
	return b.indexSize(ctx, lite)
}

func (b *bench) matchList(ctx context.Context, lite *database, cpes []string) error {
	all, err := b.own(ctx, lite, strings.NewReader(strings.Join(cpes, "\n")+"\n"), "match")
	if err != nil {
		return err
	}
	if n := bytes.Count(all.stdout, []byte("\n")); n != len(cpes) {
		return fmt.Errorf("%d answers to %d CPEs", n, len(cpes))
	}
	b.figure("10,000 CPEs on stdin", all.cpu.Seconds(), 1, "CPU s")
	b.note("10,000 CPEs on stdin", all.wall.Seconds(), "s")
	b.figure("10,000 CPEs on stdin, peak memory", all.peak/mega, 100, "MB")
	b.note("10,000 CPEs on stdin, CVEs found", float64(bytes.Count(all.stdout, []byte(`"id":"CVE-`))), "")
	b.note("10,000 CPEs on stdin, lines with an error", float64(len(cpes)-bytes.Count(all.stdout, []byte(`"error":null}`))), "")
	return nil
}

// indexSize asks SQLite how many pages the packs take, their own indexes included.
func (b *bench) indexSize(ctx context.Context, lite *database) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(lite.dir, "catalogue.db")+"?mode=ro")
	if err != nil {
		return err
	}
	defer db.Close()
	var size float64
	err = db.QueryRowContext(ctx, `SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name LIKE 'product_pack%'`).Scan(&size)
	if err != nil {
		return fmt.Errorf("size of the match index: %w", err)
	}
	b.figure("match index on disk", size/mega, 60, "MB")
	return nil
}

// criteria finds CPE names of applications with a version that is spelt out.
var criteria = regexp.MustCompile(`"criteria"\s*:\s*"(cpe:2\.3:[ao]:[^"*?\\:]+:[^"*?\\:]+:[0-9][^"*?\\:]*:[^"]*)"`)

// concreteCPEs picks the same 10,000 each time: all that are named, sorted, then evenly.
func concreteCPEs(ctx context.Context, dir string) ([]string, error) {
	all, err := mentioned(ctx, dir, criteria)
	return every(all, wanted), err
}

// mentioned lists, sorted, what the first group of an expression takes from the NVD files.
func mentioned(ctx context.Context, dir string, expression *regexp.Regexp) ([]string, error) {
	files, err := nvdFiles(dir)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		text, err := gunzip(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, m := range expression.FindAllSubmatch(text, -1) {
			seen[string(m[1])] = true
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

func gunzip(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, 1<<30))
}

// every takes n items at even distances.
func every[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	out := make([]T, n)
	for i := range out {
		out[i] = list[i*len(list)/n]
	}
	return out
}
