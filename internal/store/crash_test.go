//go:build unix

package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/match"
	"github.com/patchscout/patchscout/internal/store"
)

// crashEnv makes this test binary the process that is killed; its value is the data folder.
const crashEnv = "PATCHSCOUT_TEST_CRASH_DIR"

// fullEnv makes the child's disk full after a few MB.
const fullEnv = "PATCHSCOUT_TEST_CRASH_FULL"

const crashRecords = 4000

// crashFeed is one state of the feeds: version v renews one record in ten of what version v-1 held.
func crashFeed(version int) (nvd, epss *script) {
	records := make([]*cve.Record, crashRecords)
	for i := range records {
		records[i] = made(i)
		if renewed := version - (version+i)%10; renewed > 0 {
			records[i].Modified = day.Add(time.Duration(renewed) * time.Second)
			records[i].Description += fmt.Sprintf(" Renewed %d.", renewed)
		}
	}
	nvd = &script{feed: "nvd", files: map[string]func(feed.Sink) error{"nvdcve-2.0-2020.json": send(records...), "big.json": send(regresshion())}}
	// What is of the future is refused: records change by seconds, and scores begin twenty years ago.
	epss = &script{feed: "epss", files: map[string]func(feed.Sink) error{"e.csv": func(sink feed.Sink) error {
		for i := range crashRecords {
			e := intel.EPSS{CVE: made(i).ID, Score: float64(version%10) / 10, Date: day.AddDate(-20, 0, min(version, 7000))}
			if err := sink.EPSS(e); err != nil {
				return err
			}
		}
		return nil
	}}}
	return nvd, epss
}

// crashSync loads one version, every third time as a new generation, else in place.
func crashSync(s *store.Store, version int) ([]feed.Run, error) {
	nvd, epss := crashFeed(version)
	size := int64(1)
	if version%3 == 0 {
		size = 1 << 20
	}
	check := fmt.Sprint(version)
	syncer := catalogue.Syncer{Target: s.Catalogue(), Readers: []feed.Reader{nvd, epss}}
	return syncer.Sync(context.Background(), []feed.Gathered{
		{Feed: "nvd", Files: []feed.File{nvd.file("nvdcve-2.0-2020.json", check, size), nvd.file("big.json", "big", 1000)}},
		{Feed: "epss", Files: []feed.File{epss.file("e.csv", check, 1)}},
	})
}

// TestCrashChild is the process that TestKilledSync kills. It syncs one version after another until it dies.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashEnv)
	if dir == "" {
		t.Skip("run by TestKilledSync only")
	}
	if os.Getenv(fullEnv) != "" {
		full := syscall.Rlimit{Cur: 3 << 20, Max: 3 << 20}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	from, err := s.Catalogue().Generation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for version := int(from) + 1; ; version++ {
		runs, err := crashSync(s, version)
		if err != nil || runs[0].Status == feed.StatusFailed || runs[1].Status == feed.StatusFailed {
			t.Fatal(runs, err)
		}
		fmt.Println("synced", version)
	}
}

// A process that is killed at any moment leaves a database that opens, holds whole states only, and can be synced again.
func TestKilledSync(t *testing.T) {
	times := 3
	if os.Getenv("TEST_LONG") != "" {
		times = 25
	}
	dir := t.TempDir()
	for i := range times {
		child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$", "-test.v")
		child.Env = append(os.Environ(), crashEnv+"="+dir)
		out, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		child.Stdout, child.Stderr = out, out
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+rand.IntN(900)) * time.Millisecond) // the moment of death is what is tested
		_ = child.Process.Kill()
		_ = child.Wait()
		if child.ProcessState.Exited() {
			text, _ := os.ReadFile(out.Name())
			t.Fatalf("the child ended by itself:\n%s", text)
		}
		checkWhole(t, dir, i)
	}
	s, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	runs, err := crashSync(s, 1_000_000)
	if err != nil || runs[0].Status != feed.StatusOK || runs[1].Status != feed.StatusOK {
		t.Fatalf("sync after the crashes: %+v, %v", runs, err)
	}
	if stats, err := s.Catalogue().Stats(t.Context()); err != nil || stats.Records != crashRecords+1 {
		t.Errorf("after the crashes: %+v, %v", stats, err)
	}
	for _, left := range []string{"catalogue.next.db", "catalogue.ready"} {
		if _, err := os.Stat(filepath.Join(dir, left)); err == nil {
			t.Errorf("%s is left behind", left)
		}
	}
}

// A disk that fills up in the middle fails the sync, with an error that says so, and leaves what was there.
func TestFullDiskLeavesTheOldCatalogue(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := crashSync(s, 1); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestCrashChild$", "-test.v")
	child.Env = append(os.Environ(), crashEnv+"="+dir, fullEnv+"=1")
	out, err := child.CombinedOutput()
	if err == nil || ctx.Err() != nil {
		t.Fatalf("the disk never filled up: %v\n%s", err, out)
	}
	if text := string(out); !strings.Contains(text, "full") && !strings.Contains(text, "disk I/O") && !strings.Contains(text, "too large") {
		t.Errorf("the error does not name the disk:\n%s", out)
	}
	checkWhole(t, dir, 0)
}

// checkWhole opens what a killed process left and holds every count against the others.
func checkWhole(t *testing.T, dir string, round int) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stats, err := s.Catalogue().Stats(t.Context())
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	if stats.Records != 0 && stats.Records != crashRecords+1 {
		t.Errorf("round %d: %d records, want none or %d", round, stats.Records, crashRecords+1)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "catalogue.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	one := func(query string) (n int) {
		if err := db.QueryRow(query).Scan(&n); err != nil {
			t.Fatalf("round %d: %s: %v", round, query, err)
		}
		return n
	}
	t.Logf("round %d: generation %d, %d records", round, stats.Generation, stats.Records)
	var verdict string
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("round %d: integrity %q, %v", round, verdict, err)
	}
	if n := one(`SELECT count(*) FROM cve`); n != stats.Records {
		t.Errorf("round %d: %d rows, %d records said", round, n, stats.Records)
	}
	if n := one(`SELECT count(*) FROM cve_text WHERE cve_text MATCH 'weakness'`); n != max(stats.Records-1, 0) {
		t.Errorf("round %d: %d searchable, %d records", round, n, stats.Records)
	}
	if n := one(`SELECT coalesce(sum(cves), 0) FROM product_pack1`); n != stats.Records {
		t.Errorf("round %d: packs name %d CVEs of %d", round, n, stats.Records)
	}
	if n := one(`SELECT count(DISTINCT day) FROM epss`); n > 1 {
		t.Errorf("round %d: EPSS of %d days", round, n)
	}
	if n := one(`SELECT count(*) FROM epss`); n != 0 && n != crashRecords {
		t.Errorf("round %d: %d EPSS scores", round, n)
	}
	checkPacks(t, db, round)
}

// checkPacks: every pack can be read.
func checkPacks(t *testing.T, db *sql.DB, round int) {
	t.Helper()
	rows, err := db.Query(`SELECT product, pack FROM product_pack1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var product string
		var pack []byte
		if err := rows.Scan(&product, &pack); err != nil {
			t.Fatal(err)
		}
		if _, err := match.CVEs(pack); err != nil {
			t.Errorf("round %d: pack of %s: %v", round, product, err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
}
