package app

import (
	"context"
	"errors"
	"log/slog"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/catalogue/starter"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/store"
)

// Prepare loads the starter catalogue when there is no catalogue yet, and brings one of an older version up to this
// one's. It does next to nothing otherwise.
func (a *App) Prepare(ctx context.Context, progress func(Progress)) error {
	_, err := starter.Load(ctx, a.store.Catalogue(), func(done, total int) {
		progress(Progress{Percent: 100 * float64(done) / float64(max(total, 1)), Stage: "loading the starter catalogue"})
	})
	if err != nil {
		return err
	}
	upgrade := catalogue.Syncer{Target: a.store.Catalogue(), Now: a.now}
	return upgrade.Upgrade(ctx)
}

// OpenMatcher opens the catalogue, read-only where it exists already, and nothing else.
func OpenMatcher(ctx context.Context, cfg config.Config, log *slog.Logger, progress func(Progress)) (*Matcher, error) {
	options := store.Options{DataDir: cfg.DataDir, DatabaseURL: cfg.DatabaseURL.Reveal(), Log: log, ReadOnly: true}
	s, err := store.Open(ctx, options)
	if err == nil {
		var empty bool // a first start that was killed leaves a catalogue without records
		if empty, err = s.Catalogue().Empty(ctx); err == nil && !empty {
			return newMatcher(s.Catalogue(), s.Close), nil
		}
		err = errors.Join(err, s.Close())
	}
	if kind := fault.KindOf(err); err != nil && kind != fault.KindNotFound && kind != fault.KindConflict {
		return nil, err
	}
	a, err := Open(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	if err := a.Prepare(ctx, progress); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return newMatcher(a.store.Catalogue(), a.Close), nil
}
