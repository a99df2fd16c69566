//go:build unix

package nvd_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/nvd"
	"github.com/patchscout/patchscout/internal/intel"
)

// TestReadPublishedFiles reads real NVD files from $FEEDS/nvd and prints what it took. It is run by hand.
func TestReadPublishedFiles(t *testing.T) {
	dir := os.Getenv("FEEDS")
	if dir == "" {
		t.Skip("FEEDS names no folder of feeds")
	}
	names, err := filepath.Glob(filepath.Join(dir, "nvd", "nvdcve-2.0-*.json.gz"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no NVD files below %s: %v", dir, err)
	}
	var c counter
	began, cpu := time.Now(), cpuTime()
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		err = nvd.Reader{}.Read(context.Background(), feed.File{Feed: "nvd", Name: filepath.Base(name)}, z, &c)
		if err != nil {
			t.Error(err)
		}
		f.Close()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d records, %d matches, %d references, %d metrics, %d rejected; %.2f s, CPU %.2f s, heap %d MB, allocated %d MB in %d",
		c.records, c.matches, c.references, c.metrics, c.Count(), time.Since(began).Seconds(), (cpuTime() - cpu).Seconds(),
		m.HeapSys>>20, m.TotalAlloc>>20, m.Mallocs)
	for _, r := range c.Reasons() {
		t.Log(r)
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// counter counts what it is given.
type counter struct {
	feed.Nothing

	feed.Tally
	records, matches, references, metrics int
}

func (c *counter) Reject(place, reason string) { c.Tally.Reject(place, reason) }
func (c *counter) CVE(r *cve.Record) error {
	c.records++
	c.references += len(r.References)
	c.metrics += len(r.Metrics)
	for _, n := range r.Configurations {
		c.count(n)
	}
	return nil
}

func (c *counter) count(n cve.Node) {
	c.matches += len(n.Matches)
	for _, child := range n.Children {
		c.count(child)
	}
}

func (c *counter) KEV(intel.KEV) error         { return nil }
func (c *counter) EPSS(intel.EPSS) error       { return nil }
func (c *counter) Exploit(intel.Exploit) error { return nil }
