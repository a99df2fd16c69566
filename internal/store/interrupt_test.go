package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/store"
)

func TestAnInterruptedRebuildSaysThatItWasInterrupted(t *testing.T) {
	s, err := store.Open(context.Background(), store.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(context.Background())
	err = s.Catalogue().Rebuild(ctx, func(w catalogue.Writer) error {
		cancel()
		deadline := time.Now().Add(10 * time.Second)
		for time.Now().Before(deadline) { // until database/sql has noticed
			if err := w.SetMeta("k", "v"); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestAnErrorThatFollowsAnInterruptionNamesIt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s, err := store.Open(ctx, store.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	closed := errors.New("sql: statement is closed") // one of several things database/sql says, by chance of timing
	err = s.Catalogue().Rebuild(ctx, func(catalogue.Writer) error {
		cancel()
		return closed
	})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, closed) {
		t.Errorf("error %v, want both the interruption and what came of it", err)
	}
}
