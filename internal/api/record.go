package api

import (
	"context"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
)

// record adds to the audit trail how a change ended that nobody below has described: by its operation and path.
// What a worker does is written with its tasks.
func (s *Server) record(ctx context.Context, op operation, err error) {
	if s.opts.Record == nil || !op.writes() || op.Role == auth.Worker || auth.Recorded(ctx) {
		return
	}
	path := visitOf(ctx).path
	if path == "" {
		path = op.path()
	}
	outcome, detail := auth.Done, ""
	if err != nil {
		outcome, detail = auth.Failed, err.Error()
		if fault.KindOf(err) == fault.KindDenied {
			outcome = auth.Refused
		}
	}
	s.opts.Record(ctx, auth.EntryOf(auth.From(ctx), s.opts.Now(), op.ID, path, detail, outcome))
}

// recordDenial says who asked for what he may not do: once a minute for each, so that nobody can fill the trail.
func (s *Server) recordDenial(c huma.Context, op operation, err error) {
	who := auth.From(c.Context())
	if s.opts.Record == nil || !op.writes() && op.Role != auth.Admin || who.Kind == auth.Anonymous || !s.denials.first(who.Name+" "+op.ID, s.opts.Now()) {
		return
	}
	s.opts.Record(c.Context(), auth.EntryOf(who, s.opts.Now(), op.ID, c.URL().Path, err.Error(), auth.Refused))
}

// denials remembers which have been recorded in this minute. The zero value is ready for use.
type denials struct {
	mu   sync.Mutex
	at   time.Time
	seen map[string]bool
}

// maxDenials bounds what is remembered, and so how many are recorded in a minute.
const maxDenials = 1000

func (d *denials) first(key string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if minute := now.Truncate(time.Minute); d.seen == nil || !minute.Equal(d.at) {
		d.at, d.seen = minute, map[string]bool{}
	}
	if d.seen[key] || len(d.seen) >= maxDenials {
		return false
	}
	d.seen[key] = true
	return true
}
