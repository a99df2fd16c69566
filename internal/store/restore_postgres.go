package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
)

// postgresTarget unpacks into schemas of their own, which take the names of the others in one transaction.
type postgresTarget struct {
	opts   Options
	server *postgresServer
	db     *sql.DB // of no half
	unlock func()

	half   string
	into   *sql.DB
	tables []keptTable
	begun  []string
	used   bool
}

// restoring is how our own connections are told from those of a server.
const restoring = "patchscout restore"

func newPostgresTarget(opts Options) (*postgresTarget, error) {
	server, err := newPostgres(opts.DatabaseURL)
	if err != nil {
		return nil, err
	}
	server.config.RuntimeParams["application_name"] = restoring
	return &postgresTarget{opts: opts, server: server, db: server.pool("estate", 4)}, nil
}

func workSchema(half string) string { return half + "_restore" }

func (t *postgresTarget) prepare(ctx context.Context, force bool) error {
	unlock, err := advisoryLock(ctx, t.db, lockMigrate)
	if err != nil {
		return err
	}
	t.unlock = unlock
	var others int
	err = t.db.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
		AND application_name LIKE 'patchscout%' AND application_name <> '`+restoring+`'`).Scan(&others)
	if err != nil {
		return err
	}
	if others > 0 {
		return fault.Conflict("cannot restore: %d connections of patchscout are open: stop the servers, workers and other commands first", others)
	}
	if t.used, err = anyRows(ctx, t.db, Postgres); err != nil {
		return err
	}
	if t.used && !force {
		return fault.Conflict("the database holds data already: --force replaces it and keeps the old beside")
	}
	return nil
}

func (t *postgresTarget) begin(ctx context.Context, half string, version int64) ([]keptTable, error) {
	schema := workSchema(half)
	if _, err := t.db.ExecContext(ctx, `DROP SCHEMA IF EXISTS `+schema+` CASCADE; CREATE SCHEMA `+schema); err != nil {
		return nil, err
	}
	t.half, t.into = half, t.server.pool(schema, 2)
	t.begun = append(t.begun, half)
	p, err := provider(t.into, Postgres, half)
	if err != nil {
		return nil, err
	}
	if _, err := p.UpTo(ctx, version); err != nil {
		return nil, err
	}
	return t.tables, t.inTx(ctx, func(tx *Tx) error { return t.empty(ctx, tx) })
}

func (t *postgresTarget) inTx(ctx context.Context, fn func(*Tx) error) error {
	tx, err := t.into.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(&Tx{Tx: tx, engine: Postgres}); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}

// empty removes what migrations put in, and holds the triggers that would do so again.
func (t *postgresTarget) empty(ctx context.Context, tx *Tx) (err error) {
	if t.tables, err = tablesOf(ctx, tx); err != nil {
		return err
	}
	var names []string
	for _, kept := range t.tables {
		names = append(names, kept.name)
		if _, err := tx.Exec(ctx, `ALTER TABLE `+quoted(kept.name)+` DISABLE TRIGGER USER`); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `TRUNCATE `+quotedList(names))
	return err
}

func (t *postgresTarget) load(ctx context.Context, kept keptTable, rows *rowReader) (int64, error) {
	columns := rows.columns
	indexed := t.half == "catalogue" && kept.name == "cve"
	if indexed {
		columns = append(slices.Clone(columns), "words")
	}
	var lines bytes.Buffer
	n, err := copyLines(&lines, kept, rows, indexed)
	if err != nil {
		return n, err
	}
	conn, err := t.into.Conn(ctx)
	if err != nil {
		return n, err
	}
	defer conn.Close() //nolint:errcheck // it only goes back to the pool
	err = conn.Raw(func(driverConn any) error {
		_, err := driverConn.(*stdlib.Conn).Conn().PgConn().CopyFrom(ctx, &lines, `COPY `+quoted(kept.name)+` (`+quotedList(columns)+`) FROM STDIN`)
		return err
	})
	if err != nil {
		return n, refused(err)
	}
	return n, nil
}

// copyLines writes rows as COPY reads them, with the words of a record where they are indexed.
func copyLines(to *bytes.Buffer, kept keptTable, rows *rowReader, indexed bool) (n int64, err error) {
	values := make([]any, len(rows.columns))
	for ; ; n++ {
		if err := rows.row(values); errors.Is(err, io.EOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
		line := to.AvailableBuffer()
		for i, name := range rows.columns {
			c, _ := kept.column(name)
			value, err := fits(c, values[i])
			if err != nil {
				return n, err
			}
			line = append(appendCopyValue(line, value), '\t')
		}
		if indexed {
			words, err := recordWords(rows.columns, values)
			if err != nil {
				return n, err
			}
			line = append(appendCopyText(line, words), '\t')
		}
		line[len(line)-1] = '\n'
		to.Write(line)
	}
}

func appendCopyValue(line []byte, value any) []byte {
	switch v := value.(type) {
	case int64:
		return strconv.AppendInt(line, v, 10)
	case float64:
		return strconv.AppendFloat(line, v, 'g', -1, 64)
	case string:
		return appendCopyText(line, v)
	case []byte:
		return hex.AppendEncode(append(line, `\\x`...), v)
	}
	return append(line, `\N`...)
}

func recordWords(columns []string, values []any) (string, error) {
	id, isID := values[max(slices.Index(columns, "id"), 0)].(int64)
	stored, isRecord := values[max(slices.Index(columns, "record"), 0)].([]byte)
	if !isID || !isRecord {
		return "", fault.Invalid("the archive is damaged: a CVE has no record")
	}
	r, err := catalogue.Decode(cve.ID(id), stored)
	if err != nil {
		return "", fault.Invalid("the archive is damaged: %s cannot be read", cve.ID(id))
	}
	text := catalogue.TextOf(r)
	return textVector(&catalogue.Row{Title: text.Title, Products: text.Products, Description: text.Description}), nil
}

func (t *postgresTarget) complete(ctx context.Context, counts map[string]int64) error {
	err := t.inTx(ctx, func(tx *Tx) error {
		for _, kept := range t.tables {
			if _, err := tx.Exec(ctx, `ALTER TABLE `+quoted(kept.name)+` ENABLE TRIGGER USER`); err != nil {
				return err
			}
		}
		return checkCounts(ctx, tx, t.tables, counts)
	})
	if err != nil {
		return err
	}
	if err := migrateUp(ctx, t.into, Postgres, t.half); err != nil {
		return fmt.Errorf("bring the %s of the backup up to date: %w", t.half, err)
	}
	old, err := t.generation(ctx)
	if err != nil {
		return err
	}
	err = t.inTx(ctx, func(tx *Tx) error {
		if err := runAfterwards(ctx, tx, t.half, millis(t.opts.Now()), old); err != nil {
			return err
		}
		return moveSequences(ctx, tx)
	})
	if err != nil {
		return err
	}
	if _, err := t.into.ExecContext(ctx, `ANALYZE`); err != nil {
		return err
	}
	db := t.into
	t.into = nil
	return db.Close()
}

// moveSequences lets identity columns go on behind what was loaded.
func moveSequences(ctx context.Context, tx *Tx) error {
	type identity struct{ table, column string }
	var all []identity
	err := each(ctx, tx, `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'`, nil,
		func(rows *sql.Rows) error {
			var i identity
			err := rows.Scan(&i.table, &i.column)
			all = append(all, i)
			return err
		})
	if err != nil {
		return err
	}
	for _, i := range all {
		_, err := tx.Exec(ctx, `SELECT setval(pg_get_serial_sequence(?, ?), (SELECT coalesce(max(`+quoted(i.column)+`), 0) + 1 FROM `+quoted(i.table)+`), false)`,
			quoted(i.table), i.column)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *postgresTarget) generation(ctx context.Context) (n int64, err error) {
	var there bool
	err = t.db.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, t.half+".generation").Scan(&there)
	if err != nil || !there {
		return 0, err
	}
	err = t.db.QueryRowContext(ctx, `SELECT n FROM `+t.half+`.generation`).Scan(&n)
	return n, err
}

// take renames all schemas in one transaction.
func (t *postgresTarget) take(ctx context.Context) (kept []string, err error) {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	stamp := t.opts.Now().UTC().Format("20060102_150405")
	for _, half := range t.begun {
		old := half + "_before_" + stamp
		var there bool
		if err := tx.QueryRowContext(ctx, `SELECT to_regnamespace($1) IS NOT NULL`, half).Scan(&there); err != nil {
			return nil, err
		}
		switch {
		case there && t.used:
			kept = append(kept, old)
			_, err = tx.ExecContext(ctx, `ALTER SCHEMA `+half+` RENAME TO `+old)
		case there:
			_, err = tx.ExecContext(ctx, `DROP SCHEMA `+half+` CASCADE`)
		}
		if err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, `ALTER SCHEMA `+workSchema(half)+` RENAME TO `+half); err != nil {
			return nil, err
		}
		if err := rebind(ctx, &Tx{Tx: tx, engine: Postgres}, half); err != nil {
			return nil, err
		}
	}
	return kept, tx.Commit()
}

// rebind has the functions of a schema, which remember where they were made, look for their tables in it.
func rebind(ctx context.Context, tx *Tx, schema string) error {
	var names []string
	err := each(ctx, tx, `SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE n.nspname = ? AND p.proconfig::text LIKE '%search_path%'`, []any{schema}, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := tx.Exec(ctx, `ALTER FUNCTION `+name+` SET search_path TO `+schema); err != nil {
			return err
		}
	}
	return nil
}

func (t *postgresTarget) close() error {
	var errs []error
	if t.into != nil {
		errs = append(errs, t.into.Close())
	}
	for _, half := range t.begun { // gone when it was taken
		_, err := t.db.ExecContext(context.Background(), `DROP SCHEMA IF EXISTS `+workSchema(half)+` CASCADE`)
		errs = append(errs, err)
	}
	if t.unlock != nil {
		t.unlock()
	}
	return errors.Join(append(errs, t.db.Close())...)
}
