package live

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Bounds of what waits to be kept.
const (
	maxQueued = 50_000   // events, while the store does not answer
	maxAtOnce = 5_000    // events in one transaction
	maxData   = 64 << 10 // bytes of one event
)

// MaxSingles is how many hosts, services and findings are told one by one of a scan.
const MaxSingles = 20_000

// Progress is kept at most once a second, and of a scan of many hours less often: a thousandth of the time that it runs, up
// to ten seconds.
const (
	progressEvery   = time.Second
	progressSlowest = 10 * time.Second
	progressPart    = 1000
)

// queue is what was published and is not kept yet.
type queue struct {
	mu     sync.Mutex
	events []Event
	lines  map[int64]*line // by scan
	lost   int             // events that found the queue full
	taken  uint64          // how many events ever came in,
	kept   uint64          // and how many of them are done with
	moved  chan struct{}   // closed when kept grows
	wake   chan struct{}
	closed bool
}

// line is what is published of one scan.
type line struct {
	begun    time.Time
	singles  int
	progress *Event // the newest that is not in the queue yet
	shown    time.Time
}

func (q *queue) init() {
	q.lines, q.moved, q.wake = map[int64]*line{}, make(chan struct{}), make(chan struct{}, 1)
}

// single says whether the kind is bounded by MaxSingles.
func (t Type) single() bool { return t == Host || t == Service || t == Finding }

// encode is data as an event carries it.
func encode(data any) (json.RawMessage, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("data of an event: %w", err)
	}
	if len(b) > maxData {
		return nil, fmt.Errorf("data of an event: %d bytes are too long", len(b))
	}
	return b, nil
}

// Publish implements Publisher.
func (h *Hub) Publish(scan int64, kind Type, data any) {
	q := &h.queue
	if kind.single() && q.full(scan) {
		return
	}
	text, err := encode(data)
	if err != nil {
		h.opts.Log.Warn("an event was left out", "scan_id", scan, "type", string(kind), "error", err)
		if kind != End && kind != State {
			return
		}
		text = json.RawMessage("null") // that it ended has to be told
	}
	if !q.add(Event{Scan: scan, At: h.opts.Now().UTC(), Type: kind, Data: text}) {
		h.opts.Log.Debug("an event came after the end", "scan_id", scan, "type", string(kind))
	}
}

// full says whether of a scan no more single events are wanted; one more is, since it becomes the notice that says so.
func (q *queue) full(scan int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[scan]
	return l != nil && l.singles > MaxSingles
}

func (q *queue) add(e Event) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	defer q.awake()
	l := q.lines[e.Scan]
	if l == nil {
		l = &line{begun: e.At}
		q.lines[e.Scan] = l
	}
	switch {
	case e.Type == Progress:
		l.progress = &e
		return true
	case e.Type.single():
		l.singles++
	case e.Type == End:
		q.showProgress(l)
		delete(q.lines, e.Scan)
	}
	q.push(e)
	return true
}

// push takes an event in; ends and states always find room.
func (q *queue) push(e Event) {
	if len(q.events) >= maxQueued && e.Type != End && e.Type != State {
		q.lost++
		return
	}
	q.events = append(q.events, e)
	q.taken++
}

func (q *queue) awake() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// showProgress moves the newest progress of a scan into the queue.
func (q *queue) showProgress(l *line) {
	if l.progress != nil {
		q.push(*l.progress)
		l.shown, l.progress = l.progress.At, nil
	}
}

// due says when the progress of a scan may be shown.
func (l *line) due(now time.Time) time.Time {
	pause := min(max(progressEvery, now.Sub(l.begun)/progressPart), progressSlowest)
	return l.shown.Add(pause)
}

// take returns the next events to keep and how long the next progress has to wait, 0 when there is none.
func (q *queue) take(now time.Time) (events []Event, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.lines {
		if l.progress == nil {
			continue
		}
		if left := l.due(now).Sub(now); left > 0 && left <= progressSlowest {
			if wait == 0 || left < wait {
				wait = left
			}
			continue
		}
		q.showProgress(l)
	}
	n := min(len(q.events), maxAtOnce)
	events = q.events[:n:n]
	if q.events = q.events[n:]; len(q.events) == 0 {
		q.events = nil
	} else {
		q.awake()
	}
	return events, wait
}

// done says that events are kept, or never will be.
func (q *queue) done(sent, kept []Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := map[int64]int{} // singles that the store did not want
	for _, e := range sent {
		if e.Type.single() {
			left[e.Scan]++
		}
	}
	for _, e := range kept {
		if e.Type.single() {
			left[e.Scan]--
		}
	}
	for scan, n := range left {
		if l := q.lines[scan]; n > 0 && l != nil {
			l.singles = MaxSingles + 1
		}
	}
	q.kept += uint64(len(sent))
	close(q.moved)
	q.moved = make(chan struct{})
}

// Flush implements Publisher.
func (h *Hub) Flush(ctx context.Context, scan int64) error {
	q := &h.queue
	q.mu.Lock()
	if l := q.lines[scan]; l != nil {
		q.showProgress(l)
	}
	q.mu.Unlock()
	if err := q.wait(ctx); err != nil {
		return fmt.Errorf("keep the events of scan %d: %w", scan, err)
	}
	return nil
}

// wait waits until what is in the queue now is done with.
func (q *queue) wait(ctx context.Context) error {
	q.mu.Lock()
	until := q.taken
	q.awake()
	q.mu.Unlock()
	for {
		q.mu.Lock()
		done, moved := q.kept >= until, q.moved
		q.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (q *queue) pending() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.taken - q.kept
}

// close takes in nothing more, but for the last progress of each scan.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.closed = true
	for _, l := range q.lines {
		q.showProgress(l)
	}
	q.awake()
}

// lostEvents says how many found the queue full since it was asked last.
func (q *queue) lostEvents() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.lost
	q.lost = 0
	return n
}

// write keeps what is published until the hub stops.
func (h *Hub) write() {
	wait := time.Duration(0)
	last := time.Time{}
	for {
		var due <-chan time.Time
		if wait > 0 {
			due = time.After(wait)
		}
		select {
		case <-h.ctx.Done():
			return
		case <-h.queue.wake:
		case <-due:
		}
		h.pause(h.opts.Batch - time.Since(last)) // so that many events share a transaction
		var events []Event
		if events, wait = h.queue.take(h.opts.Now().UTC()); len(events) > 0 {
			h.keep(events)
			last = time.Now()
		}
	}
}

// pause waits, unless the hub stops.
func (h *Hub) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-h.ctx.Done():
	case <-time.After(d):
	}
}

// keepWithin is how long one transaction may take, keepRetry the longest pause before it is tried again.
const (
	keepWithin = 30 * time.Second
	keepRetry  = 5 * time.Second
)

// keep writes events and tells their streams. It tries until the hub stops: a database that is away comes back.
func (h *Hub) keep(events []Event) {
	pause := 200 * time.Millisecond
	for try := 0; ; try++ {
		ctx, cancel := context.WithTimeout(h.ctx, keepWithin)
		kept, err := h.store.AppendEvents(ctx, events)
		cancel()
		if err == nil {
			h.kept(events, kept)
			return
		}
		if h.ctx.Err() != nil {
			return
		}
		if try == 0 {
			h.opts.Log.Warn("events of scans cannot be kept yet", "events", len(events), "error", err)
		}
		h.pause(pause)
		pause = min(2*pause, keepRetry)
	}
}

func (h *Hub) kept(sent, kept []Event) {
	h.queue.done(sent, kept)
	if n := h.queue.lostEvents(); n > 0 {
		h.opts.Log.Warn("events of scans were left out: the database did not answer for too long", "events", n)
	}
	scans := map[int64]bool{}
	for _, e := range kept {
		if !scans[e.Scan] {
			scans[e.Scan] = true
			h.stir(e.Scan)
		}
	}
}
