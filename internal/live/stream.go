package live

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Frame is an event as it is sent, made once for all watchers.
type Frame struct {
	Seq  int64
	Type Type
	Text []byte // the event as JSON
}

func frame(e Event) (Frame, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return Frame{}, fmt.Errorf("event %d of scan %d: %w", e.Seq, e.Scan, err)
	}
	return Frame{Seq: e.Seq, Type: e.Type, Text: text}, nil
}

func frames(events []Event) (out []Frame, err error) {
	for _, e := range events {
		f, err := frame(e)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// stream is the events of one scan that is watched: the newest of them, read from the store in their order by one
// goroutine and shared by all watchers. Whoever is further behind reads the store, when it is new here, or is too slow.
type stream struct {
	hub  *Hub
	scan int64
	wake chan struct{}
	ctx  context.Context
	stop context.CancelFunc

	watchers int // under the hub's mu

	mu      sync.RWMutex
	ready   bool  // floor and last are known
	floor   int64 // every event after it, up to last, is in recent
	last    int64
	recent  []Frame
	changed chan struct{} // closed when any of these changes
}

func newStream(h *Hub, scan int64) *stream {
	s := &stream{hub: h, scan: scan, wake: make(chan struct{}, 1), changed: make(chan struct{})}
	s.ctx, s.stop = context.WithCancel(h.ctx)
	s.stir()
	return s
}

// stir has the stream look for news.
func (s *stream) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *stream) behind(seq int64) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.last < seq
}

// run reads news until nobody watches any more.
func (s *stream) run() {
	failed := false
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.wake:
		}
		err := s.read()
		if s.ctx.Err() != nil {
			return
		}
		if err != nil {
			if !failed {
				s.hub.opts.Log.Warn("events cannot be read yet", "scan_id", s.scan, "error", err)
			}
			time.AfterFunc(time.Second, s.stir)
		}
		failed = err != nil
	}
}

// readAtOnce is how many events are read from the store at one time.
const readAtOnce = 1000

func (s *stream) read() error {
	if !s.ready {
		last, err := s.hub.store.LastEvents(s.ctx, []int64{s.scan})
		if err != nil {
			return err
		}
		s.begin(max(0, last[s.scan]-int64(s.hub.opts.Lag)))
	}
	for {
		events, err := s.hub.store.EventsSince(s.ctx, s.scan, s.last, readAtOnce)
		if err != nil {
			return err
		}
		more, err := frames(events)
		if err != nil {
			return err
		}
		if s.add(more); len(more) < readAtOnce {
			return nil
		}
	}
}

// begin: what comes before floor is for those who read the store.
func (s *stream) begin(floor int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.floor, s.last = floor, floor
}

// add takes in news and forgets what is older than watchers may be behind.
func (s *stream) add(more []Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready && len(more) == 0 {
		return
	}
	s.ready = true
	if len(more) > 0 {
		s.recent = append(s.recent, more...)
		s.last = more[len(more)-1].Seq
	}
	if old := len(s.recent) - s.hub.opts.Lag; old > s.hub.opts.Lag/4 { // not at every event
		s.floor = s.recent[old-1].Seq
		s.recent = slices.Clone(s.recent[old:])
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// after returns events after a number that are at hand; all says that these are all that there are, old that the number is
// too far back. changed is closed when there is something else to know.
func (s *stream) after(seq int64) (next []Frame, all, old bool, changed <-chan struct{}) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.ready {
		return nil, false, false, s.changed
	}
	if seq < s.floor {
		return nil, false, true, s.changed
	}
	from, _ := slices.BinarySearchFunc(s.recent, seq+1, func(f Frame, n int64) int { return int(f.Seq - n) })
	to := min(len(s.recent), from+framesAtOnce)
	return s.recent[from:to:to], to == len(s.recent), false, s.changed
}
