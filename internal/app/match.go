package app

import (
	"context"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/match"
	"github.com/patchscout/patchscout/internal/report"
)

// MaxLine is the longest line that Match reads: a host with some hundreds of CPEs.
const MaxLine = 64 << 10

// LineTooLong is the error of a line beyond MaxLine.
const LineTooLong = "line is longer than 64 KiB"

// Matcher answers lines of CPEs from the catalogue. It opens nothing but the catalogue, read-only. Not for concurrent
// use.
type Matcher struct {
	packs   *batchedPacks
	matcher *match.Matcher
	close   func() error
}

// Close releases the catalogue.
func (m *Matcher) Close() error { return m.close() }

func newMatcher(source match.PackSource, closeSource func() error) *Matcher {
	packs := &batchedPacks{source: source, asked: map[cpe.Product]bool{}}
	matcher := match.New(packs)
	matcher.Terse = true
	return &Matcher{packs: packs, matcher: matcher, close: closeSource}
}

// Lines answers each line, in order, as each is known. A line is one host: blank-separated CPEs that are each other's
// platform. What is wrong with a line stands in its Error; err is about the catalogue, or what answer returned. The
// answer must not be kept: a long list of them is larger than memory ought to be.
func (m *Matcher) Lines(ctx context.Context, lines []string, answer func(report.MatchLine) error) error {
	hosts := make([][]match.Subject, len(lines))
	for i, line := range lines {
		for _, field := range strings.Fields(line) {
			hosts[i] = append(hosts[i], match.Subject{CPE: field})
		}
	}
	if err := m.packs.fetch(ctx, hosts); err != nil {
		return err
	}
	for i, subjects := range hosts {
		result, err := m.matcher.Host(ctx, subjects, nil)
		if err != nil {
			return err
		}
		if err := answer(matchLine(lines[i], result)); err != nil {
			return err
		}
		result.Recycle()
	}
	return nil
}

func matchLine(line string, result match.Result) report.MatchLine {
	out := report.MatchLine{Line: line}
	var errs []string
	var candidates []cve.ID
	for _, s := range result.Subjects {
		if s.Err != nil {
			errs = append(errs, s.Err.Error())
			continue
		}
		out.CPEs = append(out.CPEs, s.Name.String())
		if len(result.Subjects) == 1 {
			out.CVEs = s.Matches
		} else {
			out.CVEs = append(out.CVEs, s.Matches...)
		}
		candidates = append(candidates, s.Candidates...)
	}
	out.Error = strings.Join(errs, "; ")
	if len(result.Subjects) > 1 {
		out.CVEs = surest(out.CVEs)
		slices.Sort(candidates)
		candidates = slices.Compact(candidates)
	}
	out.UnknownVersion = len(candidates)
	return out
}

// surest keeps one match per CVE, by id: the surest of several subjects' matches.
func surest(matches []match.Match) []match.Match {
	slices.SortStableFunc(matches, func(a, b match.Match) int {
		if a.CVE != b.CVE {
			return int(min(max(a.CVE-b.CVE, -1), 1))
		}
		return b.Confidence - a.Confidence
	})
	return slices.CompactFunc(matches, func(a, b match.Match) bool { return a.CVE == b.CVE })
}

// batchedPacks asks the catalogue once for all products of many lines instead of once a line.
type batchedPacks struct {
	source match.PackSource
	ready  map[cpe.Product][]byte
	asked  map[cpe.Product]bool // the matcher keeps what it decoded: asking twice would be for nothing
}

func (b *batchedPacks) fetch(ctx context.Context, hosts [][]match.Subject) error {
	var products []cpe.Product
	for _, subjects := range hosts {
		for _, s := range subjects {
			name, err := cpe.Parse(s.CPE)
			if err != nil {
				continue // Host reports it
			}
			for _, p := range cpe.Aliases(name.Product()) {
				if !b.asked[p] {
					b.asked[p] = true
					products = append(products, p)
				}
			}
		}
	}
	packs, err := b.source.Packs(ctx, products)
	if err != nil {
		return err
	}
	b.ready = make(map[cpe.Product][]byte, len(products))
	for i, p := range products {
		b.ready[p] = packs[i]
	}
	return nil
}

// Packs implements match.PackSource.
func (b *batchedPacks) Packs(ctx context.Context, products []cpe.Product) ([][]byte, error) {
	out := make([][]byte, len(products))
	var missing []cpe.Product
	for i, p := range products {
		pack, ok := b.ready[p]
		if !ok {
			missing = append(missing, p)
		}
		out[i] = pack
	}
	if len(missing) == 0 {
		return out, nil
	}
	return b.source.Packs(ctx, products)
}
