package assess_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/match"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// full is an estate whose disk is full when a transaction is to be written.
type full struct{ *store.Estate }

func (e full) Update(ctx context.Context, fn func(*store.EstateTx) error) error {
	return e.Estate.Update(ctx, func(tx *store.EstateTx) error {
		return errors.Join(fn(tx), errors.New("the disk is full"))
	})
}

func TestALedgerCountsNothingThatWasNotStored(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		w := newWorld(t, eng)
		a := assess.New(full{w.e}, w.cat, match.New(w.cat), func() time.Time { return w.now })
		run, err := a.Begin(ctx, finding.Scan{Kind: finding.KindImport, Site: asset.DefaultSite})
		if err != nil {
			t.Fatal(err)
		}
		part := run.Part("native")
		for _, e := range []finding.Event{up(), ssh("7.2p2")} {
			if err := part.Emit(dated(e, w.now)); err != nil {
				t.Fatal(err)
			}
		}
		ledger, err := part.Commit(ctx, assess.PartEnd{Completed: true})
		if err == nil || ledger.New != 0 || ledger.Dropped["could not be stored"] != ledger.Records || !ledger.Balanced() {
			t.Errorf("%v, %+v", err, ledger)
		}
	})
}
