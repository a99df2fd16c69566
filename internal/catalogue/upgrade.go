package catalogue

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/patchscout/patchscout/internal/cve"
)

// MetaStanding is "stale" when a migration has left to the program to judge what is stored.
const (
	MetaStanding  = "standing"
	standingStale = "stale"
)

// Upgrade writes every stored CVE anew if a migration asks for it: what it is filtered and sorted by cannot be computed
// in SQL. It costs one read where there is nothing to do.
func (s *Syncer) Upgrade(ctx context.Context) error {
	if asked, err := s.Target.Meta(ctx, MetaStanding); err != nil || asked != standingStale {
		return err
	}
	unlock, err := s.Target.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.upgrade(ctx); err != nil {
		return fmt.Errorf("bring the catalogue up to this version: %w", err)
	}
	return nil
}

// upgrade is Upgrade under the lock.
func (s *Syncer) upgrade(ctx context.Context) error {
	if asked, err := s.Target.Meta(ctx, MetaStanding); err != nil || asked != standingStale {
		return err
	}
	stored, err := s.Target.Digests(ctx)
	if err != nil {
		return err
	}
	ids := slices.Sorted(maps.Keys(stored))
	return s.Target.Change(ctx, func(w Writer) error {
		known, err := loadStandings(w)
		if err != nil {
			return err
		}
		if err := s.rewrite(ctx, w, ids, &known); err != nil {
			return err
		}
		return w.SetMeta(MetaStanding, "")
	})
}

func (s *Syncer) rewrite(ctx context.Context, w Writer, ids []cve.ID, known *standings) error {
	var enc Encoder
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		stored, err := w.Record(id)
		if err != nil {
			return err
		}
		parts, err := DecodeParts(id, stored)
		if err != nil {
			return err
		}
		row, merged := enc.MergedRow(parts)
		row.Standing = Stand(merged, known.facts(id), s.now())
		if err := w.Put(row); err != nil {
			return err
		}
	}
	return nil
}
