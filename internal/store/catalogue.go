package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
)

// Catalogue is the rebuildable half of a Store: what feeds say. It is safe for concurrent use.
type Catalogue struct {
	store *Store
	db    *database
}

// Catalogue returns the catalogue. Nothing is opened before its first use.
func (s *Store) Catalogue() *Catalogue { return &Catalogue{store: s, db: s.catalogue} }

// Generation is the counter that every change of the catalogue bumps.
func (c *Catalogue) Generation(ctx context.Context) (int64, error) {
	return c.db.generationTogether(ctx)
}

// loaderWait is how long a loader waits for another to end.
const loaderWait = time.Minute

// Lock implements catalogue.Target. Under it nobody else loads, so that what a killed loader left can be removed.
func (c *Catalogue) Lock(ctx context.Context) (unlock func(), err error) {
	if err := c.db.open(ctx); err != nil {
		return nil, err
	}
	return c.db.side.lockLoader(ctx, loaderWait)
}

// Seen implements catalogue.Target.
func (c *Catalogue) Seen(ctx context.Context) (map[string]string, error) {
	seen := map[string]string{}
	err := c.db.view(ctx, func(tx *Tx) error {
		return each(ctx, tx, `SELECT feed, name, checksum FROM feed_file`, nil, func(rows *sql.Rows) error {
			var feed, name, checksum string
			err := rows.Scan(&feed, &name, &checksum)
			seen[feed+"/"+name] = checksum
			return err
		})
	})
	return seen, err
}

// Meta implements catalogue.Target.
func (c *Catalogue) Meta(ctx context.Context, key string) (value string, err error) {
	err = c.db.view(ctx, func(tx *Tx) error {
		value, err = meta(ctx, tx, key)
		return err
	})
	return value, err
}

func meta(ctx context.Context, tx *Tx, key string) (value string, err error) {
	err = tx.QueryRow(ctx, `SELECT value FROM meta WHERE key = ?`, key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

// Digests implements catalogue.Target.
func (c *Catalogue) Digests(ctx context.Context) (map[cve.ID]catalogue.Digest, error) {
	out := map[cve.ID]catalogue.Digest{}
	var feeds sql.RawBytes
	const query = `SELECT id, nvd_modified, nvd_hash, feeds, cvss IS NOT NULL, configured <> 0, rejected <> 0 FROM cve_fact`
	err := c.db.view(ctx, func(tx *Tx) error {
		return each(ctx, tx, query, nil, func(rows *sql.Rows) error {
			var id cve.ID
			var d catalogue.Digest
			err := rows.Scan(&id, &d.Modified, &d.Hash, &feeds, &d.Scored, &d.Configured, &d.Rejected)
			d.NVD, d.Others = catalogue.SpokenBy(string(feeds))
			out[id] = d
			return err
		})
	})
	return out, err
}

// Records implements catalogue.Target.
func (c *Catalogue) Records(ctx context.Context, ids []cve.ID, fn func(id cve.ID, stored []byte) error) error {
	sorted := slices.Sorted(slices.Values(ids))
	return c.db.view(ctx, func(tx *Tx) error { return eachRecord(ctx, tx, sorted, fn) })
}

// Change implements catalogue.Target.
func (c *Catalogue) Change(ctx context.Context, fn func(catalogue.Writer) error) error {
	return interrupted(ctx, c.db.update(ctx, func(tx *Tx) error {
		w := newCatalogueWriter(ctx, tx)
		return errors.Join(fn(w), w.close())
	}))
}

// Rebuild implements catalogue.Target.
func (c *Catalogue) Rebuild(ctx context.Context, fn func(catalogue.Writer) error) error {
	if err := c.db.open(ctx); err != nil {
		return err
	}
	if err := interrupted(ctx, unavailable(ctx, c.db.side.engine(), c.db.side.rebuild(ctx, fn))); err != nil {
		return fmt.Errorf("build the next catalogue: %w", err)
	}
	return nil
}

// interrupted makes an error of a cancelled context say so. database/sql rolls back by itself then, and whoever writes
// meanwhile hears of a transaction that is done, of a closed statement or of a closed connection.
func interrupted(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w (%w)", ctx.Err(), err)
}

// carried are the tables that a next generation takes over as they are.
var carried = []string{
	"kev", "epss", "epss_day", "epss_history", "exploit", "ssvc", "technique", "tactic", "mapping", "weakness", "indicator",
	"feed_file", "run", "meta",
}

// each runs fn for every row.
func each(ctx context.Context, tx *Tx, query string, args []any, fn func(*sql.Rows) error) error {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// indexes returns the statements that make the schema's secondary indexes, so that a bulk load can drop them and make
// them at its end.
func indexes(ctx context.Context, tx *Tx) (names, statements []string, err error) {
	query := `SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name`
	if tx.engine == Postgres {
		query = `SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.schemaname = current_schema()
			AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = i.indexname
				AND c.connamespace = current_schema()::regnamespace) ORDER BY 1`
	}
	err = each(ctx, tx, query, nil, func(rows *sql.Rows) error {
		var name, statement string
		err := rows.Scan(&name, &statement)
		names, statements = append(names, name), append(statements, statement)
		return err
	})
	return names, statements, err
}

// withoutIndexes runs fn while the secondary indexes are away.
func withoutIndexes(ctx context.Context, tx *Tx, fn func() error) error {
	names, statements, err := indexes(ctx, tx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := tx.Exec(ctx, `DROP INDEX `+name); err != nil {
			return err
		}
	}
	if err := fn(); err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
