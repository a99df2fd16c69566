package live

import (
	"context"
	"io"
	"sync"
	"time"
)

// framesAtOnce is how many events Next returns at most.
const framesAtOnce = 256

// endWithin is how long after a scan was over its end may be on its way.
const endWithin = 2 * time.Second

// Watcher is one that watches a scan. Next and Close are for one goroutine; Over may be called from another.
type Watcher struct {
	hub    *Hub
	stream *stream
	who    string

	at     int64  // the number of the last event that Next returned
	first  *Event // the state; nil when it was returned
	caught bool   // it has had all that there was at some moment
	ended  bool

	over   chan struct{} // closed when the scan is over
	once   sync.Once
	closed sync.Once
}

// Over says that the scan is over: when its End does not come, since nobody told it, Next makes one.
func (w *Watcher) Over() { w.once.Do(func() { close(w.over) }) }

// Close ends watching. It may be called twice.
func (w *Watcher) Close() { w.closed.Do(func() { w.hub.leave(w) }) }

// Next waits for events and returns them, in order: the state first, then what follows the number that was joined with,
// none twice and none missing. After the End it returns io.EOF; ErrSlow is a watcher that is too far behind, ErrStopping a
// server that stops. The texts are shared: they must not be changed.
func (w *Watcher) Next(ctx context.Context) ([]Frame, error) {
	if w.first != nil {
		f, err := frame(*w.first)
		w.first = nil
		return []Frame{f}, err
	}
	if w.ended {
		return nil, io.EOF
	}
	next, err := w.next(ctx)
	if len(next) > 0 {
		w.at = next[len(next)-1].Seq
		w.ended = next[len(next)-1].Type == End
	}
	return next, err
}

func (w *Watcher) next(ctx context.Context) ([]Frame, error) {
	for {
		next, all, old, changed := w.stream.after(w.at)
		w.caught = w.caught || all
		switch {
		case len(next) > 0:
			return next, nil
		case old:
			if next, err := w.backlog(ctx); len(next) > 0 || err != nil {
				return next, err
			}
			continue // it was removed meanwhile
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-w.hub.parting:
			return nil, ErrStopping
		case <-w.over:
			return w.finish(ctx)
		}
	}
}

// backlog reads what is older than the stream has at hand. Who had all and is so far behind by now had better begin anew,
// unless all of it happened just now.
func (w *Watcher) backlog(ctx context.Context) ([]Frame, error) {
	events, err := w.hub.store.EventsSince(ctx, w.stream.scan, w.at, framesAtOnce)
	if err != nil {
		return nil, err
	}
	switch {
	case len(events) == 0:
		w.at = w.stream.bottom()
	case w.caught && w.hub.opts.Now().Sub(events[0].At) > w.hub.opts.Patience:
		return nil, ErrSlow
	}
	return frames(events)
}

// bottom is the number after which events are at hand.
func (s *stream) bottom() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.floor
}

// finish is for a scan that is over: what the store has is told, and then that nothing follows. Its End may still be on
// its way; of a scan of which nothing was told that is soon known.
func (w *Watcher) finish(ctx context.Context) ([]Frame, error) {
	patience := endWithin
	if w.at == 0 {
		patience = 3 * w.hub.opts.Batch
	}
	for until := time.Now().Add(patience); ; {
		events, err := w.hub.store.EventsSince(ctx, w.stream.scan, w.at, framesAtOnce)
		if err != nil || len(events) > 0 {
			more, encodeErr := frames(events)
			if err == nil {
				err = encodeErr
			}
			return more, err
		}
		if !time.Now().Before(until) {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-w.hub.parting:
			return nil, ErrStopping
		case <-time.After(100 * time.Millisecond):
		}
	}
	f, err := frame(Event{Seq: w.at, Scan: w.stream.scan, At: w.hub.opts.Now().UTC(), Type: End, Data: []byte("null")})
	return []Frame{f}, err
}
