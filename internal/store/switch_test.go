package store

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
)

// switchable is a data folder with a catalogue file that says old, and the next one that says new many times over.
func switchable(t *testing.T) *sqliteFile {
	t.Helper()
	ctx := context.Background()
	folder, err := openFolder(ctx, filepath.Join(t.TempDir(), "data"), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.close() })
	f := newSQLiteFile(folder, "catalogue", false)
	for path, word := range map[string]string{f.path: "old", f.nextPath(): "new"} {
		db, err := sql.Open("sqlite", writerDSN(path))
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{`CREATE TABLE said (word TEXT)`, `INSERT INTO said
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT '` + word + `' FROM n`} {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(f.readyPath(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

func says(t *testing.T, q interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}) string {
	t.Helper()
	var word string
	if err := q.QueryRowContext(context.Background(), `SELECT min(word) || max(word) || count(*) FROM said`).Scan(&word); err != nil {
		t.Fatal(err)
	}
	return word
}

func TestWhereAnOpenFileCannotBeReplacedItsContentIs(t *testing.T) {
	ctx := context.Background()
	f := switchable(t)
	db, err := sql.Open("sqlite", readerDSN(f.path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := says(t, tx); got != "oldold50000" {
		t.Fatalf("before: %s", got)
	}
	if err := f.takeContent(ctx); err != nil {
		t.Fatal(err)
	}
	if got := says(t, tx); got != "oldold50000" {
		t.Errorf("a reader in the middle of his work sees %s", got)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if got := says(t, db); got != "newnew50000" {
		t.Errorf("afterwards: %s", got)
	}
	if exists(f.nextPath()) {
		t.Error("the next file is still there")
	}
	if err := f.finishSwitch(ctx); err != nil || exists(f.readyPath()) {
		t.Errorf("the switch does not end: %v", err)
	}
}

// A restore keeps the old file under a second name; its content is not to be lost under both.
func TestContentThatIsKeptElsewhereIsNotReplaced(t *testing.T) {
	f := switchable(t)
	if err := os.Link(f.path, f.folder.file("kept.db")); err != nil {
		t.Fatal(err)
	}
	if err := f.takeContent(context.Background()); fault.KindOf(err) != fault.KindConflict {
		t.Errorf("%v, want a conflict", err)
	}
}
