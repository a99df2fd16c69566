package store_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

func TestInitIsIdempotentAndKeepsGenerations(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		ctx := t.Context()
		s := e.Open(t)
		for range 2 {
			if err := s.Init(ctx); err != nil {
				t.Fatal(err)
			}
		}
		again := e.Open(t)
		c, x, err := again.Generations(ctx)
		if err != nil || c != 1 || x != 1 {
			t.Errorf("generations of new data = %d, %d, %v; want 1, 1", c, x, err)
		}
	})
}

func TestManyProcessesMayStartOnNewDataTogether(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		var wg sync.WaitGroup
		for range 6 {
			s := e.Open(t)
			wg.Go(func() {
				if err := s.Init(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestDataFolderIsClosedToOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	s, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data folder has mode %v, %v; want 0700", info.Mode(), err)
	}
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if info, _ := entry.Info(); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, readable by others", entry.Name(), info.Mode())
		}
	}
}

func TestDataFolderOfAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if fault.KindOf(err) != fault.KindDenied {
		t.Errorf("open another user's folder: %v, want denied", err)
	}
}

func TestSharedFolderIsNotTakenFromOthers(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "somebody's"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if fault.KindOf(err) != fault.KindDenied {
		t.Errorf("open a shared folder with other files: %v, want denied", err)
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o777 {
		t.Errorf("the folder's mode became %v", info.Mode())
	}
}

func TestFolderThatOthersOnlySeeKeepsItsMode(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time our files are there too
		s, err := store.Open(t.Context(), store.Options{DataDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.Init(t.Context()), s.Close()); err != nil {
			t.Fatal(err)
		}
		if info, _ := os.Stat(dir); info.Mode().Perm() != 0o755 {
			t.Errorf("the folder's mode became %v", info.Mode())
		}
	}
	for _, name := range []string{"catalogue.db", "estate.db", ".lock"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestDataOfANewerVersionIsRefused(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		s := e.Open(t)
		if err := s.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		driver, dsn, table := "sqlite", filepath.Join(e.Options().DataDir, "catalogue.db"), "schema_version"
		if e.Name == "postgres" {
			driver, dsn, table = "pgx", e.Options().DatabaseURL, "catalogue.schema_version"
		}
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(`INSERT INTO ` + table + ` (version_id, is_applied) VALUES (9999, true)`); err != nil {
			t.Fatal(err)
		}
		_, err = e.Open(t).Catalogue().Generation(t.Context())
		if fault.KindOf(err) != fault.KindConflict || !strings.Contains(err.Error(), "newer") {
			t.Errorf("open newer data: %v, want a conflict that says so", err)
		}
	})
}

func TestReadOnlyCreatesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "absent")
	_, err := store.Open(t.Context(), store.Options{DataDir: dir, ReadOnly: true})
	if fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("open an absent folder for reading: %v, want not found", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder was created")
	}
}
