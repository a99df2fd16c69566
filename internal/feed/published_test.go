package feed_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/epss"
	"github.com/patchscout/patchscout/internal/feed/exploitdb"
	"github.com/patchscout/patchscout/internal/feed/kev"
	"github.com/patchscout/patchscout/internal/feed/nvd"
	"github.com/patchscout/patchscout/internal/intel"
)

var publishers = []feed.Publisher{nvd.Reader{}, kev.Reader{}, epss.Reader{}, exploitdb.Reader{}}

// TestLoadPublishedFiles reads everything below $FEEDS and prints what there is. It is run by hand.
func TestLoadPublishedFiles(t *testing.T) {
	dir := os.Getenv("FEEDS")
	if dir == "" {
		t.Skip("FEEDS names no folder of feeds")
	}
	began := time.Now()
	var read int64
	g, err := feed.Gather(context.Background(), feed.Options{
		Publishers: publishers, From: dir, Read: func(_ string, n int64) { read += n },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("gathered in %v; unknown: %v", time.Since(began), g.Unknown)
	for i, got := range g.Feeds {
		if got.Err != nil {
			t.Error(got.Err)
		}
		began, read = time.Now(), 0
		var sink tally
		for _, f := range got.Files {
			if err := feed.ReadFile(context.Background(), publishers[i], f, &sink); err != nil {
				t.Error(err)
			}
		}
		t.Logf("%s: %d files, %d bytes (%d read), %d records, %d rejected, %v", got.Feed, len(got.Files), got.Size(), read,
			sink.records, sink.Count(), time.Since(began))
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

func (t *tally) CVE(*cve.Record) error       { t.records++; return nil }
func (t *tally) Reject(place, reason string) { t.Tally.Reject(place, reason) }
func (t *tally) KEV(intel.KEV) error         { t.records++; return nil }
func (t *tally) EPSS(intel.EPSS) error       { t.records++; return nil }
func (t *tally) Exploit(intel.Exploit) error { t.records++; return nil }
