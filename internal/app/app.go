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
	"sync/atomic"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/catalogue/find"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/live"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/store"
)

// App is the open product for one asker: what it answers is what the asker may see. It is safe for concurrent use; Close
// the one that Open returned when done.
type App struct {
	*parts
	who auth.Identity
}

// parts are what the Apps of all askers share.
type parts struct {
	cfg   config.Config
	log   *slog.Logger
	store *store.Store
	find  *find.Finder
	now   func() time.Time

	resolver scan.Resolver
	indexing indexing
	heard    heardScanners
	standing standing
	listing  listing
	names    memo[string, techniqueName] // of techniques
	matrix   matrix
	effects  effects                    // of weaknesses, for attack paths
	walks    pathService                // to what matters
	mirror   pathMirror                 // nil for none
	trouble  atomic.Pointer[string]     // what went wrong with the mirror the last time
	todays   memo[string, report.Today] // by view and day; the generation is the estate's

	askedHosts memo[string, []report.AskHost] // likewise
	provider   provider
	misses     auth.Misses // of the audit trail
	asking     asking
	texts      texts

	hub      *live.Hub     // what scans tell; nil tells nobody
	queue    job.Queue     // of the server; nil for a command
	prepared chan struct{} // closed when the server has loaded the starter catalogue, if it had to; nil for a command
	grace    time.Duration // that running tasks have when a scan is to pause, 0 is scan.DefaultGrace
	slots    chan struct{} // places for tools that run on this machine, for all scans of the server; nil is no limit

	tools toolBoard // who waits for tools that run elsewhere
}

// Progress is how far a long task is. Percent is 0..100 and never falls within one task.
type Progress struct {
	Percent float64
	Stage   string // for people: "scanning: services"
}

// Open opens the data that the configuration names, for the command line. Databases are created and migrated when they are first used.
func Open(ctx context.Context, cfg config.Config, log *slog.Logger) (*App, error) {
	a := &App{parts: &parts{cfg: cfg, log: log, now: time.Now, resolver: net.DefaultResolver}, who: auth.ForCommand(localName())}
	a.mirror = newMirror(cfg)
	var err error
	a.store, err = store.Open(ctx, store.Options{
		DataDir: cfg.DataDir, DatabaseURL: cfg.DatabaseURL.Reveal(), Log: log, Now: a.now,
	})
	if err != nil {
		return nil, err
	}
	a.find = find.New(a.store.Catalogue(), filepath.Join(cfg.DataDir, "text"))
	a.openTexts()
	a.openHub()
	return a, nil
}

// For returns the product as somebody else may see and use it. It shares everything with a.
func (a *App) For(who auth.Identity) *App { return &App{parts: a.parts, who: who} }

// Close waits for what goes on in the background and releases everything. It is safe to call twice.
func (a *App) Close() error {
	a.indexing.stop()
	a.texts.indexing.stop()
	a.walks.stop()
	a.hub.Stop()
	return errors.Join(a.closeMeaning(), a.texts.finder.Close(), a.find.Close(), a.store.Close())
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

// localName is how the doings of the command line are recorded.
func localName() string {
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
