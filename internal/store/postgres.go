package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/patchscout/patchscout/internal/fault"
)

// postgresServer is the parsed database URL.
type postgresServer struct{ config *pgx.ConnConfig }

// connectTimeout is per address, where the URL names none (connect_timeout): a server that accepts and says nothing
// would otherwise hold a command for ever.
const connectTimeout = 10 * time.Second

func newPostgres(url string) (*postgresServer, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// pgx's text repeats the URL with its password masked only in part, so it is not passed on.
		return nil, fault.Invalid("database URL: not understood")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	return &postgresServer{config: config}, nil
}

// pool opens a pool whose statements see one schema.
func (p *postgresServer) pool(schema string, conns int) *sql.DB {
	config := p.config.Copy()
	config.RuntimeParams["search_path"] = schema
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "patchscout"
	}
	// Our queries take milliseconds: compiling them, or starting workers for them, takes longer than they do.
	config.RuntimeParams["jit"] = "off"
	config.RuntimeParams["max_parallel_workers_per_gather"] = "0"
	// The tables that are searched fit into memory many times over.
	config.RuntimeParams["random_page_cost"] = "1.1"
	stayAlive(config.RuntimeParams)
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db
}

// stayAlive has PostgreSQL notice within a minute that a machine is gone that was unplugged, and let go of its locks: by
// itself it would take hours. It is without effect on a socket, and what the database URL says counts.
func stayAlive(params map[string]string) {
	for name, seconds := range map[string]string{"tcp_keepalives_idle": "20", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"} {
		if params[name] == "" {
			params[name] = seconds
		}
	}
}

// postgresSchema is one half of the data in a schema of its own.
type postgresSchema struct {
	server *postgresServer
	schema string

	once sync.Once
	db   *sql.DB
}

const postgresConns = 8

func (p *postgresSchema) engine() Engine   { return Postgres }
func (p *postgresSchema) stale(error) bool { return false }

func (p *postgresSchema) handle() *sql.DB {
	p.once.Do(func() { p.db = p.server.pool(p.schema, postgresConns) })
	return p.db
}

func (p *postgresSchema) pool(context.Context, bool) (*sql.DB, func(), error) {
	return p.handle(), func() {}, nil
}

func (p *postgresSchema) prepare(ctx context.Context, opts Options) error {
	db := p.handle()
	if err := db.PingContext(ctx); err != nil {
		return err
	}
	_, behind, err := checkVersion(ctx, db, Postgres, p.schema)
	if err != nil || !behind {
		return err
	}
	if opts.ReadOnly {
		return fmt.Errorf("schema %s is missing or of an older version and %w", p.schema, ErrOlder)
	}
	return p.migrate(ctx, db)
}

// migrate runs under an advisory lock, so that of several processes that start together one migrates and the others
// find it done.
func (p *postgresSchema) migrate(ctx context.Context, db *sql.DB) error {
	unlock, err := advisoryLock(ctx, db, lockMigrate)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := db.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS `+p.schema); err != nil {
		return fmt.Errorf("create schema %s: %w", p.schema, err)
	}
	_, behind, err := checkVersion(ctx, db, Postgres, p.schema)
	if err != nil || !behind {
		return err
	}
	return migrateUp(ctx, db, Postgres, p.schema)
}

// The advisory lock keys, arbitrary numbers of ours.
const (
	lockMigrate   = 0x70617463_0001
	lockCatalogue = 0x70617463_0002
)

// advisoryLock waits for a lock that PostgreSQL drops by itself when the connection dies.
func advisoryLock(ctx context.Context, db *sql.DB, key int64) (unlock func(), err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, key); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, key)
		_ = conn.Close()
	}, nil
}

func (p *postgresSchema) close() error {
	if p.db == nil {
		return nil
	}
	return p.db.Close()
}
