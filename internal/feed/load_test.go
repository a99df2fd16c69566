package feed_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/abusech"
	"github.com/patchscout/patchscout/internal/feed/attack"
	"github.com/patchscout/patchscout/internal/feed/ctid"
	"github.com/patchscout/patchscout/internal/feed/cwe"
	"github.com/patchscout/patchscout/internal/feed/metasploit"
	"github.com/patchscout/patchscout/internal/feed/nuclei"
	"github.com/patchscout/patchscout/internal/intel"
)

// lists are the publishers of small lists.
var lists = []feed.Publisher{metasploit.Reader{}, nuclei.Reader{}, attack.Reader{}, ctid.Reader{}, cwe.Reader{}}

// TestLoadPublishedFiles reads everything below $FEEDS and prints what there is. It is run by hand.
func TestLoadPublishedFiles(t *testing.T) {
	dir := os.Getenv("FEEDS")
	if dir == "" {
		t.Skip("FEEDS names no folder of feeds")
	}
	all := slices.Concat(publishers, lists, abusech.All(""))
	began := time.Now()
	var read int64
	g, err := feed.Gather(context.Background(), feed.Options{
		Publishers: all, From: dir, Feeds: strings.Fields(os.Getenv("ONLY")), Read: func(_ string, n int64) { read += n },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("gathered in %v; unknown: %v", time.Since(began), g.Unknown)
	for _, got := range g.Feeds {
		i := slices.IndexFunc(all, func(p feed.Publisher) bool { return p.Feed() == got.Feed })
		if got.Err != nil {
			t.Error(got.Err)
		}
		began, read = time.Now(), 0
		cpu := cpuTime()
		var sink tally
		for _, f := range got.Files {
			if err := feed.ReadFile(context.Background(), all[i], f, &sink); err != nil {
				t.Error(err)
			}
		}
		t.Logf("%s: %d files, %d bytes (%d read), %d records, %d rejected, %v, CPU %v", got.Feed, len(got.Files), got.Size(), read,
			sink.records, sink.Count(), time.Since(began), cpuTime()-cpu)
		for _, r := range sink.Reasons() {
			t.Log(r)
		}
	}
}

// tally counts records and keeps nothing.
type tally struct {
	feed.Nothing
	feed.Tally
	records int
}

func (t *tally) CVE(*cve.Record) error           { t.records++; return nil }
func (t *tally) Reject(place, reason string)     { t.Tally.Reject(place, reason) }
func (t *tally) KEV(intel.KEV) error             { t.records++; return nil }
func (t *tally) EPSS(intel.EPSS) error           { t.records++; return nil }
func (t *tally) Exploit(intel.Exploit) error     { t.records++; return nil }
func (t *tally) Technique(intel.Technique) error { t.records++; return nil }
func (t *tally) Tactic(intel.Tactic) error       { t.records++; return nil }
func (t *tally) Mapping(intel.Mapping) error     { t.records++; return nil }
func (t *tally) Weakness(intel.Weakness) error   { t.records++; return nil }
func (t *tally) Indicator(intel.Indicator) error { t.records++; return nil }
