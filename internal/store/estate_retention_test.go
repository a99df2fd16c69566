package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestOnlyTheNewestReportsOfAToolAndTargetAreKept(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		now := day1
		opts := eng.Options()
		opts.Now = func() time.Time { return now }
		s, err := store.Open(ctx, opts)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		e := s.Estate()
		keep := func(target, tool, raw string, status finding.ScanStatus) string {
			hash, err := e.PutBlob(ctx, strings.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			id, err := e.CreateScan(ctx, finding.Scan{Kind: finding.KindImport, Site: asset.DefaultSite, Targets: []string{target}, Status: status})
			if err != nil {
				t.Fatal(err)
			}
			if err := e.AddLedger(ctx, finding.Ledger{Scan: id, Tool: tool, File: target}, hash); err != nil {
				t.Fatal(err)
			}
			now = now.AddDate(0, 0, 1)
			return hash
		}
		var nessus []string
		for i := range 5 {
			nessus = append(nessus, keep("a.nessus", "nessus", fmt.Sprint("nessus report ", i), finding.Completed))
		}
		other := keep("b.nessus", "nessus", "another file", finding.Completed)
		running := keep("a.nessus", "nessus", "still read", finding.Running)
		kept := func(hash string) bool {
			r, err := e.OpenBlob(ctx, auth.Everything(), hash)
			if err == nil {
				r.Close()
			}
			if err != nil && fault.KindOf(err) != fault.KindNotFound {
				t.Fatal(err)
			}
			return err == nil
		}
		done, err := e.Prune(ctx, store.Retention{Newest: 3, Age: 180 * 24 * time.Hour})
		if err != nil || done.Removed != 3 || done.Kept != 4 {
			t.Fatalf("%+v, %v", done, err)
		}
		for i, hash := range nessus {
			if want := i >= 3; kept(hash) != want {
				t.Errorf("report %d is kept: %v", i, !want)
			}
		}
		if !kept(other) || !kept(running) {
			t.Error("a report of another file, or of an import that is running, was removed")
		}
		now = now.AddDate(1, 0, 0)
		if done, err = e.Prune(ctx, store.Retention{Newest: 3, Age: 180 * 24 * time.Hour}); err != nil || done.Kept != 1 {
			t.Errorf("after a year: %+v, %v", done, err)
		}
		if ledgers, err := e.Ledgers(ctx, auth.Everything(), 1); err != nil || len(ledgers) != 1 {
			t.Errorf("the ledger went with its report: %d, %v", len(ledgers), err)
		}
	})
}

// A server on PostgreSQL has a data folder for what is on its way only, and nothing else makes it.
func TestAnUploadNeedsNoFolderThatIsThere(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		opts := eng.Options()
		if opts.DatabaseURL == "" {
			t.Skip("with SQLite the folder is where the data is")
		}
		opts.DataDir = filepath.Join(t.TempDir(), "not", "there")
		s, err := store.Open(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		w, err := s.Estate().NewSpool(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if _, err := w.Write([]byte("report")); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Keep(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
