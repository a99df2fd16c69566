package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"modernc.org/sqlite"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

// The next generation of a file is built as <name>.next.db. It takes the name over in these steps, each of which may be
// the last of a killed process:
//
//	1  <name>.next.db is complete and on disk
//	2  <name>.ready is made: from here on whoever opens the file first finishes the switch
//	3  under the switch lock: the old write-ahead log is removed, the next file renamed, the mark removed
//
// Readers that have the old file open keep it: SQLite notices on closing that the file has moved and touches nothing. Where
// a file that is open cannot be replaced (Windows), its content is, in one transaction.

func (f *sqliteFile) nextPath() string  { return f.folder.file(f.name + ".next.db") }
func (f *sqliteFile) readyPath() string { return f.folder.file(f.name + ".ready") }

const switchWait = 30 * time.Second

// finishSwitch completes what a killed process began. It costs one stat when there is nothing to do.
func (f *sqliteFile) finishSwitch(ctx context.Context) error {
	if !exists(f.readyPath()) {
		return nil
	}
	lock, err := f.folder.lock(ctx, f.name+".switch", true, switchWait)
	if err != nil {
		return err
	}
	defer lock.release() //nolint:errcheck // closing a lock file loses nothing
	if !exists(f.readyPath()) {
		return nil
	}
	if exists(f.nextPath()) {
		err := f.takeName()
		if machine.InUse(err) {
			err = f.takeContent(ctx)
		}
		if err != nil {
			return err
		}
	}
	if err := machine.Sync(f.folder.path); err != nil {
		return err
	}
	return os.Remove(f.readyPath())
}

func (f *sqliteFile) takeName() error {
	for _, old := range []string{f.path + "-wal", f.path + "-shm"} {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return machine.Rename(f.nextPath(), f.path)
}

// takeContent copies the next file over the one that has the name. Whoever reads that goes on with what it was until his
// transaction ends; a process that is killed here has changed nothing, and the next one begins again.
func (f *sqliteFile) takeContent(ctx context.Context) error {
	if n, err := machine.Links(f.path); err != nil || n > 1 { // a restore keeps the old file under its second name
		return errors.Join(err, fault.Conflict("another program has %s open: stop it, and try again", f.path))
	}
	db, err := sql.Open("sqlite", writerDSN(f.path))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if err := f.copyNext(ctx, db); err != nil {
		return errors.Join(fmt.Errorf("switch the %s: %w", f.name, err), db.Close())
	}
	// The log is as large as the file now. Where readers need it, it shrinks later.
	_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	if err = errors.Join(err, db.Close()); err != nil && sqliteReason(err) == "" {
		return err
	}
	f.removeNext()
	return nil
}

func (f *sqliteFile) copyNext(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	err = conn.Raw(func(driverConn any) error {
		restorer, ok := driverConn.(interface {
			NewRestore(from string) (*sqlite.Backup, error)
		})
		if !ok {
			return errors.New("the SQLite driver cannot copy a database")
		}
		restore, err := restorer.NewRestore(readerDSN(f.nextPath()))
		if err != nil {
			return err
		}
		_, err = restore.Step(-1)
		return errors.Join(err, restore.Finish())
	})
	return errors.Join(err, conn.Close())
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (f *sqliteFile) lockLoader(ctx context.Context, wait time.Duration) (func(), error) {
	if f.readOnly {
		return nil, errReadOnly(f.name)
	}
	lock, err := f.folder.lock(ctx, f.name+".writer", true, wait)
	if err != nil {
		return nil, fmt.Errorf("another process is loading the %s: %w", f.name, err)
	}
	if !exists(f.readyPath()) {
		f.removeNext()
	}
	return func() { _ = lock.release() }, nil
}

func (f *sqliteFile) removeNext() {
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		_ = os.Remove(f.nextPath() + suffix)
	}
}

func (f *sqliteFile) rebuild(ctx context.Context, fn func(catalogue.Writer) error) error {
	f.removeNext()
	if err := f.buildNext(ctx, fn); err != nil {
		f.removeNext()
		return err
	}
	if err := machine.Sync(f.nextPath()); err != nil {
		f.removeNext()
		return err
	}
	mark, err := os.OpenFile(f.readyPath(), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(mark.Sync(), mark.Close(), machine.Sync(f.folder.path)); err != nil {
		return err
	}
	return f.finishSwitch(context.WithoutCancel(ctx))
}

// buildNext writes without a journal and without waiting for the disk: a half-built file is thrown away.
func (f *sqliteFile) buildNext(ctx context.Context, fn func(catalogue.Writer) error) error {
	file, err := os.OpenFile(f.nextPath(), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(f.nextPath(), "journal_mode(OFF)", "synchronous(OFF)", "main.locking_mode(EXCLUSIVE)",
		"cache_size(-16384)", "temp_store(MEMORY)"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	err = f.fillNext(ctx, db, fn)
	return errors.Join(err, db.Close())
}

func (f *sqliteFile) fillNext(ctx context.Context, db *sql.DB, fn func(catalogue.Writer) error) error {
	if err := migrateUp(ctx, db, SQLite, f.name); err != nil {
		return err
	}
	// SQLite copies within one connection only. Nobody switches the file meanwhile: this process holds the loader's lock.
	if _, err := db.ExecContext(ctx, `ATTACH ? AS old`, f.path); err != nil {
		return err
	}
	err := inTx(ctx, db, func(tx *Tx) error { return fillTables(ctx, tx, fn) })
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `DETACH old`); err != nil {
		return err
	}
	// The header says WAL from now on: a reader must not be the first to change it.
	for _, pragma := range []string{`PRAGMA main.locking_mode = NORMAL`, `PRAGMA journal_mode = WAL`} {
		if _, err := db.ExecContext(ctx, pragma); err != nil {
			return err
		}
	}
	return nil
}

func fillTables(ctx context.Context, tx *Tx, fn func(catalogue.Writer) error) error {
	for _, statement := range append(carryOver("old."),
		// Words gather in memory and are written in large sorted runs; at the end the runs become one, for fast searches.
		`INSERT INTO cve_text (cve_text, rank) VALUES ('hashsize', 16777216)`,
		`INSERT INTO cve_text (cve_text, rank) VALUES ('automerge', 0)`) {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	err := withoutIndexes(ctx, tx, func() error {
		w := newCatalogueWriter(ctx, tx)
		w.building = true
		return errors.Join(fn(w), w.close())
	})
	if err != nil {
		return err
	}
	for _, statement := range []string{
		`INSERT INTO cve_text (cve_text) VALUES ('optimize')`,
		`INSERT INTO cve_text (cve_text, rank) VALUES ('hashsize', 1048576)`,
		`INSERT INTO cve_text (cve_text, rank) VALUES ('automerge', 4)`,
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// carryOver lists the statements that copy what a next generation keeps, and count the generation on.
func carryOver(old string) []string {
	statements := []string{`UPDATE generation SET n = (SELECT n + 1 FROM ` + old + `generation)`}
	for _, table := range carried {
		statements = append(statements, `INSERT INTO `+table+` SELECT * FROM `+old+table)
	}
	// Every text is of this generation.
	return append(statements, `INSERT INTO meta (key, value) SELECT '`+catalogue.MetaTextFloor+`', CAST(n AS TEXT) FROM generation
		WHERE true ON CONFLICT (key) DO UPDATE SET value = excluded.value`)
}

func inTx(ctx context.Context, db *sql.DB, fn func(*Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(&Tx{Tx: tx, engine: SQLite}); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return tx.Commit()
}
