package store

import (
	"context"
	"database/sql"
	"path/filepath"
)

// OpenAt makes the catalogue's schema as it was at a version, for tests of what later versions make of it.
func OpenAt(ctx context.Context, o Options, version int64) (*sql.DB, error) {
	engine := SQLite
	db, err := sql.Open("sqlite", dsn(filepath.Join(o.DataDir, "catalogue.db")))
	if url := o.DatabaseURL; url != "" {
		server, parseErr := newPostgres(url)
		if parseErr != nil {
			return nil, parseErr
		}
		engine, db, err = Postgres, server.pool("catalogue", 2), nil
		if _, err := db.ExecContext(ctx, `CREATE SCHEMA catalogue`); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	p, err := provider(db, engine, "catalogue")
	if err != nil {
		return nil, err
	}
	_, err = p.UpTo(ctx, version)
	return db, err
}
