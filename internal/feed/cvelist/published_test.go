package cvelist_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/cvelist"
	"github.com/patchscout/patchscout/internal/feed/feedtest"
)

// TestReadPublishedFiles reads the records below $FEEDS/cve5 and prints what they gave. With $RULES it also writes each
// record's products beside the rules made of them to that file. It is run by hand.
func TestReadPublishedFiles(t *testing.T) {
	dir := os.Getenv("FEEDS")
	if dir == "" {
		t.Skip("FEEDS names no folder of feeds")
	}
	names, err := filepath.Glob(filepath.Join(dir, "cve5", "cve5*.ndjson.gz"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no CVE records below %s: %v", dir, err)
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var sink feedtest.Sink
		began := time.Now()
		if err := (cvelist.Reader{}).Read(context.Background(), feed.File{Name: filepath.Base(name[:len(name)-3])}, z, &sink); err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		count(t, &sink)
		t.Logf("%s: %d records in %v, %d SSVC, rejected %d", filepath.Base(name), len(sink.CVEs), took, len(sink.SSVCs), len(sink.Rejected))
		if out := os.Getenv("RULES"); out != "" {
			writeRules(t, out, sink.CVEs)
		}
	}
}

func count(t *testing.T, sink *feedtest.Sink) {
	t.Helper()
	n := map[string]int{}
	for _, r := range sink.CVEs {
		for name, has := range map[string]bool{
			"rules": len(r.Configurations) > 0, "products": len(r.Affected) > 0, "metrics": len(r.Metrics) > 0,
			"ratings": len(r.Ratings) > 0, "weaknesses": len(r.CWEs) > 0, "titles": r.Title != "", "descriptions": r.Description != "",
			"references": len(r.References) > 0, "rejected": r.Rejected(),
		} {
			if has {
				n[name]++
			}
		}
		for _, node := range r.Configurations {
			for _, m := range node.Matches {
				n["leaves"]++
				if m.Derived {
					n["derived leaves"]++
				}
			}
		}
	}
	t.Log(n)
}

func writeRules(t *testing.T, path string, records []*cve.Record) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	defer w.Flush()
	for _, r := range records {
		_ = json.NewEncoder(w).Encode(map[string]any{"id": r.ID, "affected": r.Affected, "rules": r.Configurations})
	}
}
