// Package store keeps what PatchScout knows, in SQLite (two files in the data folder) or PostgreSQL (two schemas): the
// catalogue, which can be rebuilt from feeds, and the estate, which cannot. It holds no rules of its own: what a record
// means is decided by the packages that own the types.
//
// # Layout
//
//	                 SQLite                       PostgreSQL
//	catalogue        <data folder>/catalogue.db   schema catalogue
//	estate           <data folder>/estate.db      schema estate
//
// Each of the two is a database of its own with its own pool, migrations (migrate/<engine>/<name>/NNNN_*.sql, the same
// number and name for both engines), goose version table and generation row. Statements name tables without a schema:
// on PostgreSQL the pool's search_path selects it.
package store

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// Options say where the data is. DatabaseURL (postgres://…) wins over DataDir, which then holds only files that are
// not in a database.
type Options struct {
	DataDir     string
	DatabaseURL string
	// ReadOnly opens what exists and changes nothing: an absent or older database is an error, not created or migrated.
	ReadOnly bool
	Log      *slog.Logger     // nil logs nothing
	Now      func() time.Time // nil is time.Now
}

// Store is the open data. It is safe for concurrent use. Neither database is touched before its first use, so that a
// command that only reads the catalogue never opens the estate.
type Store struct {
	opts   Options
	engine Engine
	folder *folder // nil when nothing is in files

	catalogue *database
	estate    *database
	rules     ruleCache
	lists     listCache
	inventory inventory
	compared  comparedCache
	groups    groupCache
	listener  listener
	sweeping  attention

	closeOnce sync.Once
	closeErr  error
}

// Engine names the database behind a Store.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Open checks the data folder (mode 0700, owned by this user) or the database URL and returns a Store. Schemas are
// created and migrated on first use of each half.
func Open(ctx context.Context, opts Options) (*Store, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Store{opts: opts, engine: SQLite, listener: listener{warn: opts.Log.Warn}}
	if opts.DatabaseURL != "" {
		return s, s.openPostgres(ctx)
	}
	return s, s.openSQLite(ctx)
}

func (s *Store) openSQLite(ctx context.Context) error {
	if s.opts.DataDir == "" {
		return fault.Invalid("no data folder given")
	}
	f, err := openFolder(ctx, s.opts.DataDir, s.opts.ReadOnly)
	if err != nil {
		return err
	}
	s.folder = f
	s.catalogue = newDatabase("catalogue", s.opts, newSQLiteFile(f, "catalogue", s.opts.ReadOnly))
	s.estate = newDatabase("estate", s.opts, newSQLiteFile(f, "estate", s.opts.ReadOnly))
	return nil
}

func (s *Store) openPostgres(context.Context) error {
	if !strings.HasPrefix(s.opts.DatabaseURL, "postgres://") && !strings.HasPrefix(s.opts.DatabaseURL, "postgresql://") {
		return fault.Invalid("database URL: want postgres://user@host/database")
	}
	s.engine = Postgres
	server, err := newPostgres(s.opts.DatabaseURL)
	if err != nil {
		return err
	}
	s.listener.server = server
	s.catalogue = newDatabase("catalogue", s.opts, &postgresSchema{server: server, schema: "catalogue"})
	s.estate = newDatabase("estate", s.opts, &postgresSchema{server: server, schema: "estate"})
	return nil
}

// Init creates and migrates both databases now instead of on first use. It is idempotent.
func (s *Store) Init(ctx context.Context) error {
	for _, d := range []*database{s.catalogue, s.estate} {
		if err := d.open(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Ready says whether both databases can be read, making them ready first where nobody has used them yet.
func (s *Store) Ready(ctx context.Context) error {
	for _, d := range []*database{s.catalogue, s.estate} {
		if err := d.view(ctx, func(tx *Tx) error { return tx.QueryRow(ctx, `SELECT n FROM generation`).Scan(new(int64)) }); err != nil {
			return err
		}
	}
	return nil
}

// Engine says which database is behind the store.
func (s *Store) Engine() Engine { return s.engine }

// DataDir is the folder that was opened, "" with PostgreSQL only.
func (s *Store) DataDir() string { return s.opts.DataDir }

// Generations returns the counters that every writing transaction bumps. Caches are keyed by them.
func (s *Store) Generations(ctx context.Context) (catalogue, estate int64, err error) {
	if catalogue, err = s.catalogue.generation(ctx); err != nil {
		return 0, 0, err
	}
	estate, err = s.estate.generation(ctx)
	return catalogue, estate, err
}

// Close releases everything. A second call returns what the first did.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.listener.close()
		s.closeErr = errors.Join(s.catalogue.close(), s.estate.close(), s.folder.close())
	})
	return s.closeErr
}
