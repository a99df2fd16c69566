package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/machine"
)

// sqliteTarget unpacks into a folder of its own in the data folder, under the exclusive lock. It takes its place as the
// next generation of a file does (catalogue_sqlite.go): each step may be the last of a killed process.
type sqliteTarget struct {
	opts   Options
	folder *folder
	root   *os.Root
	work   string // name of the folder within the data folder
	unlock func() error

	half     string
	version  int64
	db       *sql.DB
	tables   []keptTable
	triggers []string
	begun    []string // halves that are complete or under way
}

// Names in the data folder.
const (
	workPrefix = "restore-"
	oldPrefix  = "before-restore-"
)

func newSQLiteTarget(ctx context.Context, opts Options) (*sqliteTarget, error) {
	f, err := openFolder(ctx, opts.DataDir, false)
	if err != nil {
		return nil, err
	}
	return &sqliteTarget{opts: opts, folder: f}, nil
}

func (t *sqliteTarget) prepare(ctx context.Context, force bool) error {
	if err := t.alone(ctx); err != nil {
		return err
	}
	for _, half := range []string{"estate", "catalogue"} { // what a killed switch left is the data that is there
		if err := newSQLiteFile(t.folder, half, false).finishSwitch(ctx); err != nil {
			return err
		}
	}
	if used, err := t.used(ctx); err != nil || used && !force {
		if used {
			return fault.Conflict("%s holds data already: --force replaces it and keeps the old beside", t.opts.DataDir)
		}
		return err
	}
	root, err := os.OpenRoot(t.opts.DataDir)
	if err != nil {
		return err
	}
	t.root = root
	entries, err := os.ReadDir(t.opts.DataDir)
	if err != nil {
		return err
	}
	for _, e := range entries { // of a restore that was killed
		if strings.HasPrefix(e.Name(), workPrefix) {
			if err := root.RemoveAll(e.Name()); err != nil {
				return err
			}
		}
	}
	t.work = workPrefix + strings.ToLower(rand.Text()[:8])
	return root.Mkdir(t.work, 0o700)
}

// alone takes the lock that everybody who uses the folder shares, until the target is closed.
func (t *sqliteTarget) alone(ctx context.Context) error {
	turn, err := t.folder.lock(ctx, "migrate", true, migrateWait)
	if err != nil {
		return fmt.Errorf("cannot restore: %w", err)
	}
	t.unlock = turn.release
	if err := t.folder.held.unlock(); err != nil {
		return err
	}
	if err := t.folder.held.wait(ctx, true, restoreWait); err != nil {
		return fmt.Errorf("cannot restore: stop the server and other commands first: %w", err)
	}
	return nil
}

// restoreWait is how long commands that end by themselves are waited for.
const restoreWait = migrateWait / 5

// used says whether anything was ever stored.
func (t *sqliteTarget) used(ctx context.Context) (bool, error) {
	path := t.folder.file("estate.db")
	if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return false, nil
	}
	db, err := sql.Open("sqlite", readerDSN(path))
	if err != nil {
		return true, err
	}
	defer db.Close() //nolint:errcheck // it was read only
	return anyRows(ctx, db, SQLite)
}

// anyRows says whether one of the tables that people fill has a row. What cannot be read is something.
func anyRows(ctx context.Context, db *sql.DB, engine Engine) (bool, error) {
	exists := `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = $1`
	if engine == Postgres {
		exists = `SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1`
	}
	for _, name := range []string{"scan", "host", "account", "token", "rule"} {
		var n int
		if err := db.QueryRowContext(ctx, exists, name).Scan(&n); err != nil {
			return true, fmt.Errorf("look for data: %w", err)
		}
		if n == 0 {
			continue
		}
		if err := db.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM `+name+` LIMIT 1) AS found`).Scan(&n); err != nil {
			return true, fmt.Errorf("look for data: %w", err)
		}
		if n > 0 {
			return true, nil
		}
	}
	return false, nil
}

func (t *sqliteTarget) file(half string) string {
	return t.folder.file(filepath.Join(t.work, half+".db"))
}

func (t *sqliteTarget) begin(ctx context.Context, half string, version int64) ([]keptTable, error) {
	file, err := t.root.OpenFile(filepath.Join(t.work, half+".db"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	// A file that is not finished is thrown away: it needs no journal.
	db, err := sql.Open("sqlite", dsn(t.file(half), "journal_mode(OFF)", "synchronous(OFF)", "locking_mode(EXCLUSIVE)", "cache_size(-16384)", "temp_store(MEMORY)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	t.half, t.version, t.db = half, version, db
	t.begun = append(t.begun, half)
	p, err := provider(db, SQLite, half)
	if err != nil {
		return nil, err
	}
	if _, err := p.UpTo(ctx, version); err != nil {
		return nil, err
	}
	return t.tables, inTx(ctx, db, func(tx *Tx) error { return t.empty(ctx, tx) })
}

// empty removes what migrations put in, and the triggers that would do so again.
func (t *sqliteTarget) empty(ctx context.Context, tx *Tx) (err error) {
	var names []string
	t.triggers = nil
	err = each(ctx, tx, `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`, nil, func(rows *sql.Rows) error {
		var name, text string
		err := rows.Scan(&name, &text)
		names, t.triggers = append(names, name), append(t.triggers, text)
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := tx.Exec(ctx, `DROP TRIGGER `+quoted(name)); err != nil {
			return err
		}
	}
	if t.tables, err = tablesOf(ctx, tx); err != nil {
		return err
	}
	for _, kept := range slices.Backward(t.tables) {
		if _, err := tx.Exec(ctx, `DELETE FROM `+quoted(kept.name)); err != nil {
			return err
		}
	}
	return nil
}

func (t *sqliteTarget) load(ctx context.Context, kept keptTable, rows *rowReader) (n int64, err error) {
	err = inTx(ctx, t.db, func(tx *Tx) error {
		insert, err := tx.Prepare(ctx, `INSERT INTO `+quoted(kept.name)+` (`+quotedList(rows.columns)+`) VALUES (`+Marks(len(rows.columns))+`)`)
		if err != nil {
			return err
		}
		defer insert.Close() //nolint:errcheck // the transaction ends it
		values := make([]any, len(rows.columns))
		for ; ; n++ {
			if err := rows.row(values); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			for i, name := range rows.columns {
				c, _ := kept.column(name)
				if values[i], err = fits(c, values[i]); err != nil {
					return err
				}
			}
			if _, err := insert.ExecContext(ctx, values...); err != nil {
				return refused(err)
			}
		}
	})
	return n, err
}

// refused is a row that the database does not take, which no backup has; a full disk is another matter.
func refused(err error) error {
	if sqliteReason(err) != "" || diskReason(err) != "" || postgresReason(err) != "" || errors.Is(err, context.Canceled) {
		return err
	}
	return fault.Invalid("the archive is damaged: the database refuses a row of it: %w", err)
}

func (t *sqliteTarget) complete(ctx context.Context, counts map[string]int64) error {
	err := inTx(ctx, t.db, func(tx *Tx) error {
		for _, text := range t.triggers {
			if _, err := tx.Exec(ctx, text); err != nil {
				return err
			}
		}
		return checkCounts(ctx, tx, t.tables, counts)
	})
	if err != nil {
		return err
	}
	if err := migrateUp(ctx, t.db, SQLite, t.half); err != nil {
		return fmt.Errorf("bring the %s of the backup up to date: %w", t.half, err)
	}
	if t.half == "catalogue" {
		if err := inTx(ctx, t.db, func(tx *Tx) error { return indexWords(ctx, tx) }); err != nil {
			return err
		}
	}
	old, err := t.generation(ctx)
	if err != nil {
		return err
	}
	err = inTx(ctx, t.db, func(tx *Tx) error { return runAfterwards(ctx, tx, t.half, millis(t.opts.Now()), old) })
	if err != nil {
		return err
	}
	return t.closeHalf(ctx)
}

func checkCounts(ctx context.Context, tx *Tx, tables []keptTable, counts map[string]int64) error {
	for _, kept := range tables {
		var n int64
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM `+quoted(kept.name)).Scan(&n); err != nil {
			return err
		}
		if n != counts[kept.name] {
			return fault.Invalid("the archive is damaged: %s has %d rows, want %d", kept.name, n, counts[kept.name])
		}
	}
	return nil
}

// indexWords makes the full-text index of what is stored.
func indexWords(ctx context.Context, tx *Tx) error {
	insert, err := tx.Prepare(ctx, `INSERT INTO cve_text (rowid, title, products, description) VALUES (?, ?, ?, ?)`) //nolint:sqlclosecheck // closed below
	if err != nil {
		return err
	}
	defer insert.Close() //nolint:errcheck // the transaction ends it
	return everyText(ctx, tx, func(id cve.ID, text catalogue.Text) error {
		_, err := insert.ExecContext(ctx, int64(id), text.Title, text.Products, beginning(text.Description))
		return err
	})
}

// everyText calls fn with what is searched of every record.
func everyText(ctx context.Context, tx *Tx, fn func(cve.ID, catalogue.Text) error) error {
	return each(ctx, tx, `SELECT id, record FROM cve ORDER BY id`, nil, func(rows *sql.Rows) error {
		var id cve.ID
		var stored []byte
		if err := rows.Scan(&id, &stored); err != nil {
			return err
		}
		r, err := catalogue.Decode(id, stored)
		if err != nil {
			return fault.Invalid("the archive is damaged: %s cannot be read", id)
		}
		return fn(id, catalogue.TextOf(r))
	})
}

func runAfterwards(ctx context.Context, tx *Tx, half string, now, generation int64) error {
	tables, err := tablesOf(ctx, tx)
	if err != nil {
		return err
	}
	statements := afterwards(half, now, generation)
	for _, name := range []string{"generation", "meta", "token", "session", "login_flow", "login_failure", "live_ticket", "job", "scan", "scan_control", "estate_meta"} {
		if !slices.ContainsFunc(tables, func(k keptTable) bool { return k.name == name }) {
			continue
		}
		for _, statement := range statements[name] {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
	}
	return nil
}

// generation is that of the data that is there, 0 where there is none.
func (t *sqliteTarget) generation(ctx context.Context) (n int64, err error) {
	path := t.folder.file(t.half + ".db")
	if !exists(path) {
		return 0, nil
	}
	db, err := sql.Open("sqlite", readerDSN(path))
	if err != nil {
		return 0, err
	}
	defer db.Close() //nolint:errcheck // it was read only
	if db.QueryRowContext(ctx, `SELECT n FROM generation`).Scan(&n) != nil {
		return 0, nil // what is there is no database; it is put aside
	}
	return n, nil
}

// closeHalf checks the file as a whole and makes it one that may take its place.
func (t *sqliteTarget) closeHalf(ctx context.Context) error {
	var bad int
	if err := t.db.QueryRowContext(ctx, `SELECT count(*) FROM pragma_foreign_key_check`).Scan(&bad); err != nil {
		return err
	}
	if bad > 0 {
		return fault.Invalid("the archive is damaged: %d rows refer to rows that are not there", bad)
	}
	for _, pragma := range []string{`PRAGMA main.locking_mode = NORMAL`, `PRAGMA journal_mode = WAL`} {
		if _, err := t.db.ExecContext(ctx, pragma); err != nil {
			return err
		}
	}
	db := t.db
	t.db = nil
	if err := db.Close(); err != nil {
		return err
	}
	return machine.Sync(t.file(t.half))
}

// take keeps the old files under a second name, and switches.
func (t *sqliteTarget) take(ctx context.Context) ([]string, error) {
	kept, err := t.keepOld(ctx)
	if err != nil {
		return nil, err
	}
	for _, half := range t.begun {
		f := newSQLiteFile(t.folder, half, false)
		f.removeNext()
		if err := t.root.Rename(filepath.Join(t.work, half+".db"), filepath.Base(f.nextPath())); err != nil {
			return kept, err
		}
	}
	if err := machine.Sync(t.folder.path); err != nil {
		return kept, err
	}
	// The catalogue first: with the mark of the estate, which comes last, all is decided.
	for _, half := range slices.Backward(t.begun) {
		f := newSQLiteFile(t.folder, half, false)
		mark, err := os.OpenFile(f.readyPath(), os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			return kept, err
		}
		if err := errors.Join(mark.Sync(), mark.Close(), machine.Sync(t.folder.path), f.finishSwitch(ctx)); err != nil {
			return kept, err
		}
	}
	return kept, nil
}

// keepOld gives the files that are there a second name: a hard link is there at once and takes no room.
func (t *sqliteTarget) keepOld(ctx context.Context) ([]string, error) {
	name := oldPrefix + t.opts.Now().UTC().Format("20060102-150405.000")
	var links []string
	for _, half := range t.begun {
		path := t.folder.file(half + ".db")
		if !exists(path) {
			continue
		}
		if err := checkpoint(ctx, path); err != nil {
			return nil, err
		}
		for _, suffix := range []string{".db", ".db-wal"} {
			if info, err := os.Stat(t.folder.file(half + suffix)); err == nil && info.Size() > 0 {
				links = append(links, half+suffix)
			}
		}
	}
	if len(links) == 0 {
		return nil, nil
	}
	if err := t.root.Mkdir(name, 0o700); err != nil {
		return nil, err
	}
	for _, link := range links {
		if err := t.root.Link(link, filepath.Join(name, link)); err != nil {
			return nil, err
		}
	}
	old := t.folder.file(name)
	return []string{old}, machine.Sync(old)
}

// checkpoint brings what is in the write-ahead log into the file. A file that is no database stays as it is.
func checkpoint(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", writerDSN(path))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	if err != nil && sqliteReason(err) == "" {
		err = nil
	}
	return errors.Join(err, db.Close())
}

func (t *sqliteTarget) close() error {
	var errs []error
	if t.db != nil {
		errs = append(errs, t.db.Close())
	}
	if t.root != nil && t.work != "" {
		errs = append(errs, t.root.RemoveAll(t.work))
	}
	if t.root != nil {
		errs = append(errs, t.root.Close())
	}
	errs = append(errs, t.folder.close())
	if t.unlock != nil {
		errs = append(errs, t.unlock())
	}
	return errors.Join(errs...)
}
