package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"

	"modernc.org/sqlite"

	"github.com/patchscout/patchscout/internal/fault"
)

// sqliteFile is one half of the data in a file of its own. When another process (or this one) replaces the file, the
// next call opens the new one; calls that are under way finish on the old.
type sqliteFile struct {
	folder   *folder
	name     string
	path     string
	readOnly bool

	mu      sync.Mutex
	current *sqliteHandle
}

// sqliteHandle is the pools of one file on disk: a single writer, since SQLite has one anyway and queueing in Go is
// fairer than its busy loop, and several readers.
type sqliteHandle struct {
	info           os.FileInfo
	reader, writer *sql.DB
	users          int
	retired        bool
}

// errReplaced: the file changed between choosing a handle and opening a connection of it.
var errReplaced = errors.New("the database file was replaced")

const sqliteReaders = 4

func newSQLiteFile(f *folder, name string, readOnly bool) *sqliteFile {
	return &sqliteFile{folder: f, name: name, path: f.file(name + ".db"), readOnly: readOnly}
}

func (f *sqliteFile) engine() Engine       { return SQLite }
func (f *sqliteFile) stale(err error) bool { return errors.Is(err, errReplaced) }

func errReadOnly(name string) error { return fault.Denied("the %s is open for reading only", name) }

func (f *sqliteFile) prepare(ctx context.Context, _ Options) error {
	if err := f.finishSwitch(ctx); err != nil {
		return err
	}
	if f.readOnly {
		return f.expectCurrent(ctx)
	}
	if err := f.create(); err != nil {
		return err
	}
	version, behind, err := f.version(ctx)
	if err != nil || !behind {
		return err
	}
	current := func() (bool, error) {
		_, behind, err := f.version(ctx)
		return !behind, err
	}
	if version == 0 { // a new file, which nobody else can be using yet
		return f.folder.inTurn(ctx, current, func() error { return f.migrate(ctx) })
	}
	return f.folder.exclusively(ctx, "migrate the "+f.name, current, func() error { return f.migrate(ctx) })
}

func (f *sqliteFile) migrate(ctx context.Context) error {
	db, done, err := f.pool(ctx, true)
	if err != nil {
		return err
	}
	defer done()
	return migrateUp(ctx, db, SQLite, f.name)
}

// create makes an empty file, closed to others from its first byte.
func (f *sqliteFile) create() error {
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

func (f *sqliteFile) expectCurrent(ctx context.Context) error {
	if _, err := os.Stat(f.path); errors.Is(err, fs.ErrNotExist) {
		return fault.NotFound("%s does not exist", f.path)
	}
	_, behind, err := f.version(ctx)
	if err == nil && behind {
		err = fmt.Errorf("%s is of an older version and %w", f.path, ErrOlder)
	}
	return err
}

func (f *sqliteFile) version(ctx context.Context) (version int64, behind bool, err error) {
	db, done, err := f.pool(ctx, false)
	if err != nil {
		return 0, false, err
	}
	defer done()
	return checkVersion(ctx, db, SQLite, f.name)
}

func (f *sqliteFile) pool(ctx context.Context, write bool) (*sql.DB, func(), error) {
	if write && f.readOnly {
		return nil, nil, errReadOnly(f.name)
	}
	h, err := f.acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	done := func() { f.release(h) }
	if write {
		return h.writer, done, nil
	}
	return h.reader, done, nil
}

// acquire returns the handle of the file that has the name now.
func (f *sqliteFile) acquire(ctx context.Context) (*sqliteHandle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.finishSwitch(ctx); err != nil {
		return nil, err
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return nil, err
	}
	if f.current == nil || !os.SameFile(info, f.current.info) {
		next, err := f.newHandle(info)
		if err != nil {
			return nil, err
		}
		f.retire()
		f.current = next
	}
	f.current.users++
	return f.current, nil
}

func (f *sqliteFile) release(h *sqliteHandle) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h.users--
	if h.retired && h.users == 0 {
		_ = h.close() // nobody is left to tell, and nothing was pending: every transaction has ended
	}
}

// retire lets go of the current handle; it closes when its last user is done. The caller holds mu.
func (f *sqliteFile) retire() {
	h := f.current
	f.current = nil
	if h == nil {
		return
	}
	h.retired = true
	if h.users == 0 {
		_ = h.close()
	}
}

func (f *sqliteFile) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.current
	f.current = nil
	if h == nil {
		return nil
	}
	h.retired = true
	return h.close()
}

func (h *sqliteHandle) close() error { return errors.Join(h.reader.Close(), h.writer.Close()) }

func (f *sqliteFile) newHandle(info os.FileInfo) (*sqliteHandle, error) {
	reader, err := f.openDB(info, readerDSN(f.path), remember)
	if err != nil {
		return nil, err
	}
	reader.SetMaxOpenConns(sqliteReaders)
	reader.SetMaxIdleConns(sqliteReaders)
	writer, err := f.openDB(info, writerDSN(f.path), func(c driver.Conn) driver.Conn { return c })
	if err != nil {
		return nil, err
	}
	writer.SetMaxOpenConns(1)
	return &sqliteHandle{info: info, reader: reader, writer: writer}, nil
}

func (f *sqliteFile) openDB(info os.FileInfo, dsn string, wrap func(driver.Conn) driver.Conn) (*sql.DB, error) {
	base, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(&guarded{Connector: base, file: f, info: info, wrap: wrap}), nil
}

// readerDSN: the pragmas travel in the DSN so that every connection of the pool has them.
func readerDSN(path string) string {
	return dsn(path, "busy_timeout(10000)", "query_only(1)", "temp_store(MEMORY)", "cache_size(-8192)")
}

func writerDSN(path string) string {
	return dsn(path, "busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)",
		"temp_store(MEMORY)", "journal_size_limit(67108864)") + "&_txlock=immediate"
}

func dsn(path string, pragmas ...string) string {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	return "file:" + escaped + "?" + url.Values{"_pragma": pragmas}.Encode()
}

// guarded opens connections of one file on disk under the switch lock and refuses when the name has passed on to
// another file: a connection must never pair one file with the write-ahead log of another.
type guarded struct {
	driver.Connector
	file *sqliteFile
	info os.FileInfo
	wrap func(driver.Conn) driver.Conn
}

func (g *guarded) Connect(ctx context.Context) (driver.Conn, error) {
	lock, err := g.file.folder.lock(ctx, g.file.name+".switch", false, switchWait)
	if err != nil {
		return nil, err
	}
	defer lock.release() //nolint:errcheck // closing a lock file loses nothing
	info, err := os.Stat(g.file.path)
	if err != nil {
		return nil, err
	}
	if !os.SameFile(info, g.info) || exists(g.file.readyPath()) {
		return nil, errReplaced
	}
	conn, err := g.Connector.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", g.file.path, err)
	}
	// SQLite opens the write-ahead log at the first read, which must happen while the lock is held.
	if err := touch(ctx, conn); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", g.file.path, err), conn.Close())
	}
	return g.wrap(conn), nil
}

func touch(ctx context.Context, conn driver.Conn) error {
	q, ok := conn.(driver.QueryerContext)
	if !ok {
		return errors.New("the SQLite driver cannot query")
	}
	rows, err := q.QueryContext(ctx, `SELECT count(*) FROM sqlite_schema`, nil)
	if err != nil {
		return err
	}
	err = rows.Next(make([]driver.Value, 1))
	return errors.Join(err, rows.Close())
}
