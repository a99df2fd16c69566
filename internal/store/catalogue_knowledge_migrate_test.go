package store

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"
)

// The day of EPSS that a catalogue of the first version holds is the first of its history.
func TestMigrationKeepsTheDayOfEPSS(t *testing.T) {
	db, err := sql.Open("sqlite", dsn(filepath.Join(t.TempDir(), "catalogue.db")))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	files, err := migrationFS(SQLite, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`INSERT INTO epss VALUES (1, 0.5, 0.9, 1720000000, 'v3'), (2, 0.25, 0.8, 1720000000, 'v3')`,
		`INSERT INTO exploit VALUES ('exploitdb', 'EDB-1', 1, 'title', 'remote', 1, NULL, '')`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrateUp(t.Context(), db, SQLite, "catalogue"); err != nil {
		t.Fatal(err)
	}
	var got string
	err = db.QueryRowContext(t.Context(), `SELECT (SELECT day || model FROM epss_day) || ' ' || (SELECT group_concat(cve || '=' || score)
		FROM epss_history WHERE day = 1720000000) || ' ' || (SELECT key || '[' || rank || ']' FROM exploit)`).Scan(&got)
	if want := "1720000000v3 1=0.5,2=0.25 EDB-1[]"; err != nil || got != want {
		t.Errorf("migrated: %q, %v; want %q", got, err, want)
	}
}
