package job

import (
	"context"
	"log/slog"
)

// Trouble logs that something that is done again and again fails, and that it works again: once each. It belongs to one
// goroutine.
type Trouble struct {
	Log  *slog.Logger
	What string // cannot be done
	on   bool
}

// Note takes how the last try ended. That ctx has ended is no trouble.
func (t *Trouble) Note(ctx context.Context, err error) {
	switch {
	case err != nil && ctx.Err() == nil && !t.on:
		t.on = true
		t.Log.Warn(t.What, "error", err)
	case err == nil && t.on:
		t.on = false
		t.Log.Info("it works again", "after", t.What)
	}
}
