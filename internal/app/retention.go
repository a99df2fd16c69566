package app

import (
	"context"
	"fmt"
	"time"

	"github.com/patchscout/patchscout/internal/store"
)

// nearlyFull is the part of reports.max_mb from which on people are told.
const nearlyFull = 80 // percent

// prune removes the raw reports that the configuration does not keep and returns what people should know about those
// that are left. That it fails is worth a line in the log: what was read is stored.
func (a *App) prune(ctx context.Context) (warning string) {
	limit := a.cfg.Reports
	quota := int64(limit.MaxMB) << 20
	done, err := a.store.Estate().Prune(ctx, store.Retention{
		Newest: limit.Newest, Age: time.Duration(limit.Days) * 24 * time.Hour, Bytes: quota,
	})
	if err != nil {
		a.log.Warn("old raw reports not removed", "error", err)
		return ""
	}
	if done.Removed > 0 {
		a.log.Info("old raw reports removed", "removed", done.Removed, "kept", done.Kept, "bytes", done.Bytes)
	}
	if quota == 0 || done.Bytes < quota/100*nearlyFull {
		return ""
	}
	a.log.Warn("raw reports nearly fill their quota", "bytes", done.Bytes, "quota", quota)
	return fmt.Sprintf("%d raw reports take %d of %d MiB (reports.max_mb): the oldest go first", done.Kept, done.Bytes>>20, limit.MaxMB)
}
