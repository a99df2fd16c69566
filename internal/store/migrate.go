package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/patchscout/patchscout/internal/fault"
)

// Migrations are migrate/<engine>/<catalogue|estate>/NNNN_name.sql, never edited once released.
//
//go:embed migrate
var migrations embed.FS

// ErrOlder says that data is not what this binary reads, and will be as soon as somebody may write.
var ErrOlder = fault.Conflict("must be migrated first: patchscout init does it, and so does serve")

const versionTable = "schema_version"

func migrationFS(engine Engine, name string) (fs.FS, error) {
	return fs.Sub(migrations, path.Join("migrate", string(engine), name))
}

// newest is the highest migration number that this binary knows for one half.
func newest(engine Engine, name string) (int64, error) {
	entries, err := migrations.ReadDir(path.Join("migrate", string(engine), name))
	if err != nil {
		return 0, err
	}
	last := int64(0)
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s: no number", e.Name())
		}
		last = max(last, n)
	}
	return last, nil
}

// schemaVersion reads the version without goose, whose provider costs more than a whole cold query; 0 when there is no
// version table. table may carry a schema.
func schemaVersion(ctx context.Context, db *sql.DB, engine Engine) (int64, error) {
	exists := `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '` + versionTable + `'`
	if engine == Postgres {
		exists = `SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = '` + versionTable + `'`
	}
	var n int
	if err := db.QueryRowContext(ctx, exists).Scan(&n); err != nil || n == 0 {
		return 0, err
	}
	var version int64
	err := db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM `+versionTable).Scan(&version)
	return version, err
}

// checkVersion compares what is stored with what this binary knows. behind means that migrations must run; version 0
// is a database without any.
func checkVersion(ctx context.Context, db *sql.DB, engine Engine, name string) (version int64, behind bool, err error) {
	have, err := schemaVersion(ctx, db, engine)
	if err != nil {
		return 0, false, fmt.Errorf("read the schema version: %w", err)
	}
	want, err := newest(engine, name)
	if err != nil {
		return 0, false, err
	}
	if have > want {
		return have, false, fault.Conflict("the data was written by a newer patchscout (schema %d, this one knows %d): update patchscout", have, want)
	}
	return have, have < want, nil
}

// migrateUp runs what is missing. The caller holds whatever keeps other processes away.
func migrateUp(ctx context.Context, db *sql.DB, engine Engine, name string) error {
	p, err := provider(db, engine, name)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

func provider(db *sql.DB, engine Engine, name string) (*goose.Provider, error) {
	files, err := migrationFS(engine, name)
	if err != nil {
		return nil, err
	}
	dialect := goose.DialectSQLite3
	if engine == Postgres {
		dialect = goose.DialectPostgres
	}
	return goose.NewProvider(dialect, db, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}
