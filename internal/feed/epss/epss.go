// Package epss reads FIRST's daily exploit prediction scores. It never fills in a score for a CVE that has none.
package epss

import (
	"context"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
)

const (
	baseURL = "https://epss.empiricalsecurity.com/"
	prefix  = "epss_scores-"
	current = "epss_scores-current.csv"
)

// Reader reads EPSS files. The zero value is ready and safe for concurrent use.
type Reader struct{}

// Feed is "epss".
func (Reader) Feed() string { return "epss" }

// Base is the publisher's site.
func (Reader) Base() string { return baseURL }

// Remote is the current day's file; no checksum is published.
func (Reader) Remote(time.Time) []feed.Remote { return []feed.Remote{{Name: current + ".gz"}} }

// Owns knows the current file and those of single days.
func (Reader) Owns(name string) bool {
	ok, _ := path.Match(prefix+"*.csv", name)
	return ok
}

// Partial is false: each file scores every CVE of its day.
func (Reader) Partial(string) bool { return false }

// Less orders by date; "current" sorts behind all dates, and of one kind the name decides.
func (Reader) Less(a, b string) bool { return a < b }

// Read streams the scores into sink.EPSS. The day comes from the comment line ("#model_version:v2023.03.01,
// score_date:2024-07-02T00:00:00+0000"), else from the file's name, else it stays zero. See feed.Reader.
func (Reader) Read(ctx context.Context, file feed.File, r io.Reader, sink feed.Sink) error {
	body, err := feed.Begin(file, r)
	if err != nil {
		return err
	}
	p := parser{lines: feed.NewLines(file, body), name: file.Name, sink: sink}
	if day, ok := feed.Date(strings.TrimSuffix(strings.TrimPrefix(file.Name, prefix), ".csv")); ok {
		p.date = day
	}
	if err := p.header(); err != nil {
		return err
	}
	return p.rows(ctx)
}

type parser struct {
	lines *feed.Lines
	name  string
	sink  feed.Sink
	model string
	date  time.Time
	at    []int
}

// header reads comment lines up to the row of column names.
func (p *parser) header() error {
	for {
		row, err := p.lines.Next()
		if err != nil {
			return fault.Invalid("%s: no header line cve,epss,percentile: %w", p.lines.Place(), err)
		}
		if strings.HasPrefix(row[0], "#") {
			if err := p.comment(row); err != nil {
				return err
			}
			continue
		}
		p.at = feed.Columns(row, "cve", "epss", "percentile")
		if p.at[0] < 0 || p.at[1] < 0 {
			return fault.Invalid("%s: want the columns cve,epss,percentile, have %.100q", p.lines.Place(), strings.Join(row, ","))
		}
		return nil
	}
}

func (p *parser) comment(row []string) error {
	for _, field := range row {
		key, value, _ := strings.Cut(strings.TrimLeft(field, "# "), ":")
		switch value = feed.Clean(value); strings.TrimSpace(key) {
		case "model_version":
			p.model = value
		case "score_date":
			day, ok := feed.Date(value)
			if !ok {
				return fault.Invalid("%s score_date: malformed date %.40q", p.lines.Place(), value)
			}
			p.date = day
		}
	}
	return nil
}

func (p *parser) rows(ctx context.Context) error {
	good := 0
	err := p.lines.Each(ctx, p.sink, func(row []string) error {
		score, field, reason := p.score(row)
		if reason != "" {
			p.sink.Reject(p.lines.Place()+" "+field, reason)
			return nil
		}
		good++
		return p.sink.EPSS(score)
	})
	if err == nil && good == 0 {
		return fault.Invalid("%s: no scores in it", p.name)
	}
	return err
}

func (p *parser) score(row []string) (s intel.EPSS, field, reason string) {
	id, err := cve.ParseID(feed.Cell(row, p.at[0]))
	if err != nil {
		return s, "cve", "malformed CVE id"
	}
	s = intel.EPSS{CVE: id, Date: p.date, Model: p.model}
	var ok bool
	if s.Score, ok = fraction(feed.Cell(row, p.at[1])); !ok {
		return s, "epss", "not a number from 0 to 1"
	}
	// The first files, of 2021, had no percentile.
	if text := feed.Cell(row, p.at[2]); text != "" {
		if s.Percentile, ok = fraction(text); !ok {
			return s, "percentile", "not a number from 0 to 1"
		}
	}
	return s, "", ""
}

// fraction reads 0..1, also as "5e-05".
func fraction(text string) (float64, bool) {
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && f >= 0 && f <= 1
}
