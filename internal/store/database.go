package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/patchscout/patchscout/internal/catalogue"
)

// database is one half of the data, the catalogue or the estate, on either engine.
type database struct {
	name string
	opts Options
	side side

	mu    sync.Mutex
	ready bool
}

// side is what an engine must offer for one half. Pools may change between calls: a catalogue that was switched to its
// next generation is opened anew.
type side interface {
	engine() Engine
	// prepare creates and migrates what is missing. It is called once, before any other.
	prepare(ctx context.Context, opts Options) error
	// pool returns the handle for reading or writing and a function to call when done with it.
	pool(ctx context.Context, write bool) (*sql.DB, func(), error)
	// stale says that the handle no longer is the current data and the call may be repeated.
	stale(err error) bool
	// lockLoader keeps other loaders of the catalogue away.
	lockLoader(ctx context.Context, wait time.Duration) (unlock func(), err error)
	// rebuild fills the next generation and switches to it.
	rebuild(ctx context.Context, fn func(catalogue.Writer) error) error
	close() error
}

func newDatabase(name string, opts Options, side side) *database {
	return &database{name: name, opts: opts, side: side}
}

// open makes the database ready for use; only the first success does anything.
func (d *database) open(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ready {
		return nil
	}
	if err := d.side.prepare(ctx, d.opts); err != nil {
		return fmt.Errorf("open the %s: %w", d.name, unavailable(ctx, d.side.engine(), err))
	}
	if err := d.derive(ctx); err != nil {
		return fmt.Errorf("bring the %s up to date: %w", d.name, unavailable(ctx, d.side.engine(), err))
	}
	d.ready = true
	return nil
}

// view runs fn in a transaction that sees one consistent state and writes nothing.
func (d *database) view(ctx context.Context, fn func(*Tx) error) error {
	if tx := d.together(ctx); tx != nil {
		return fn(tx)
	}
	return d.transact(ctx, false, fn)
}

// steady is view for an fn of several statements that may run again, from the beginning. On PostgreSQL a full load puts new
// tables in the place of the old ones, and their rows are not in the snapshot of a reader that began before: what such a
// reader finds in them is nothing. So it asks at its end whether it still reads what it began with.
func (d *database) steady(ctx context.Context, fn func(*Tx) error) error {
	if tx := d.together(ctx); tx != nil {
		return fn(tx)
	}
	for try := 0; ; try++ {
		moved := false
		err := d.view(ctx, func(tx *Tx) error {
			before, err := tx.tables(ctx)
			if err != nil {
				return err
			}
			if err := fn(tx); err != nil {
				return err
			}
			after, err := tx.tables(ctx)
			moved = before != after
			return err
		})
		if err != nil || !moved || try == 5 {
			return err
		}
	}
}

// tables identifies the generation of tables that names lead to; on SQLite a connection keeps its file.
func (tx *Tx) tables(ctx context.Context) (id int64, err error) {
	if tx.engine == Postgres {
		err = tx.QueryRow(ctx, `SELECT coalesce(CAST(to_regclass('generation') AS oid), 0)::bigint`).Scan(&id)
	}
	return id, err
}

// update runs fn in a writing transaction, bumps the generation and commits. Nothing remains when fn or the commit
// fails. On SQLite it waits for other writers, of this process and of others.
func (d *database) update(ctx context.Context, fn func(*Tx) error) error {
	return d.transact(ctx, true, func(tx *Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE generation SET n = n + 1`)
		return err
	})
}

func (d *database) transact(ctx context.Context, write bool, fn func(*Tx) error) error {
	if err := d.open(ctx); err != nil {
		return err
	}
	for try := 0; ; try++ {
		err := d.attempt(ctx, write, fn)
		if err != nil && (try < 5 && d.side.stale(err) || try <= postgresConns && notBegun(err)) {
			continue
		}
		return unavailable(ctx, d.side.engine(), err)
	}
}

func (d *database) attempt(ctx context.Context, write bool, fn func(*Tx) error) error {
	db, done, err := d.side.pool(ctx, write)
	if err != nil {
		return err
	}
	defer done()
	tx, err := db.BeginTx(ctx, d.txOptions(write))
	if err != nil {
		return fmt.Errorf("begin on the %s: %w", d.name, &beginError{err})
	}
	if err = d.limit(ctx, tx, write); err == nil {
		err = fn(&Tx{Tx: tx, engine: d.side.engine()})
	}
	if err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit to the %s: %w", d.name, err)
	}
	return nil
}

// limit has PostgreSQL end a transaction on the estate whose process froze, or whose machine was unplugged, in the middle of
// writing: its locks would keep everybody else from writing for as long as it stays so. Between two statements of ours lie
// milliseconds.
func (d *database) limit(ctx context.Context, tx *sql.Tx, write bool) error {
	if !write || d.name != "estate" || d.side.engine() != Postgres {
		return nil
	}
	_, err := tx.ExecContext(ctx, `SET LOCAL idle_in_transaction_session_timeout = '10s'`)
	return err
}

// beginError is a transaction that did not begin.
type beginError struct{ cause error }

func (b *beginError) Error() string { return b.cause.Error() }
func (b *beginError) Unwrap() error { return b.cause }

// notBegun says that a connection of the pool turned out to be broken before anything was done on it: the server was
// started anew meanwhile. The pool throws it away; as many as it has may be broken.
func notBegun(err error) bool {
	var b *beginError
	var noServer *pgconn.ConnectError
	var refused *pgconn.PgError
	if !errors.As(err, &b) || errors.As(err, &noServer) {
		return false
	}
	return errors.As(err, &refused) && refused.Code == "57P01" || errors.As(err, new(net.Error)) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, pgconn.ErrConnClosed)
}

// txOptions: a reader on PostgreSQL asks for a snapshot, which on SQLite it has anyway.
func (d *database) txOptions(write bool) *sql.TxOptions {
	if write {
		return nil
	}
	if d.side.engine() == Postgres {
		return &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
	}
	return &sql.TxOptions{ReadOnly: true}
}

// ignoreDone drops the error of rolling back a transaction that the context already ended.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func (d *database) generation(ctx context.Context) (n int64, err error) {
	err = d.view(ctx, func(tx *Tx) error {
		return tx.QueryRow(ctx, `SELECT n FROM generation`).Scan(&n)
	})
	return n, err
}

func (d *database) close() error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.side.close()
}
