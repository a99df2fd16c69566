// Package storetest runs one suite against both engines: a SQLite folder and a real PostgreSQL started from the system's
// binaries. It is imported by tests only and never simulates a database.
package storetest

import (
	"context"
	"testing"

	"github.com/patchscout/patchscout/internal/store"
)

// Engine is a place where a test may open stores. Every Open on the same Engine value opens the same data.
type Engine struct {
	Name    string // "sqlite" or "postgres"
	options store.Options
	open    []*store.Store
}

// Options are what Open uses, for tests that start another process on the same data.
func (e *Engine) Options() store.Options { return e.options }

// Open opens the data and closes it when the test ends, if the test has not.
func (e *Engine) Open(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), e.options)
	if err != nil {
		t.Fatal(err)
	}
	e.open = append(e.open, s)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

// CloseAll closes what was opened so far, as if those processes had ended.
func (e *Engine) CloseAll() {
	for _, s := range e.open {
		_ = s.Close() // its test tells at its end
	}
	e.open = nil
}

// Run runs the test once per engine, each time on fresh, empty data.
func Run(t *testing.T, test func(t *testing.T, e *Engine)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, NewSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, NewPostgres(t)) })
}

// NewSQLite returns a fresh data folder.
func NewSQLite(t testing.TB) *Engine {
	return &Engine{Name: "sqlite", options: store.Options{DataDir: t.TempDir()}}
}

// NewPostgres returns a fresh database on the shared server; see Postgres.
func NewPostgres(t testing.TB) *Engine {
	t.Helper()
	return &Engine{Name: "postgres", options: store.Options{DataDir: t.TempDir(), DatabaseURL: Postgres(t)}}
}
