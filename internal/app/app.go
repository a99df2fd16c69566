// Package app wires the parts into the product: configuration in, documents out. It is the only package that imports
// store; it holds no rules of its own and never writes to a terminal.
package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os/user"
	"path/filepath"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue/find"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/store"
)

// App is the open product. It is safe for concurrent use; Close it when done.
type App struct {
	cfg   config.Config
	log   *slog.Logger
	store *store.Store
	find  *find.Finder
	now   func() time.Time

	resolver scan.Resolver
	indexing indexing
}

// Progress is how far a long task is. Percent is 0..100 and never falls within one task.
type Progress struct {
	Percent float64
	Stage   string // for people: "scanning: services"
}

// Open opens the data that the configuration names. Databases are created and migrated when they are first used.
func Open(ctx context.Context, cfg config.Config, log *slog.Logger) (*App, error) {
	a := &App{cfg: cfg, log: log, now: time.Now, resolver: net.DefaultResolver}
	var err error
	a.store, err = store.Open(ctx, store.Options{
		DataDir: cfg.DataDir, DatabaseURL: cfg.DatabaseURL.Reveal(), Log: log, Now: a.now,
	})
	if err != nil {
		return nil, err
	}
	a.find = find.New(a.store.Catalogue(), filepath.Join(cfg.DataDir, "text"))
	return a, nil
}

// Close waits for what goes on in the background and releases everything. It is safe to call twice.
func (a *App) Close() error {
	a.indexing.done.Wait()
	return errors.Join(a.find.Close(), a.store.Close())
}

// Init creates and migrates the databases and says where they are. It may be called any number of times.
func (a *App) Init(ctx context.Context) (where string, err error) {
	if err := a.store.Init(ctx); err != nil {
		return "", err
	}
	if a.store.Engine() == store.Postgres {
		return "PostgreSQL, schemas catalogue and estate", nil
	}
	return filepath.Join(a.store.DataDir(), "catalogue.db") + " and estate.db", nil
}

// who is how this process's doings are recorded.
func who() string {
	u, err := user.Current()
	if err != nil {
		return "local"
	}
	return "local:" + u.Username
}

func sortedKeys(m map[string]int) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
