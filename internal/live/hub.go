package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// Options of a Hub; zero fields have the defaults that are named.
type Options struct {
	Log *slog.Logger     // nil logs nothing
	Now func() time.Time // nil is time.Now
	// Listen calls a function with the number of each scan of which another process told something, and with "" when
	// anything may have been missed, until ctx ends; it returns at once. Nil is nobody tells.
	Listen func(ctx context.Context, tell func(scan string))
	// Poll is how often the scans that are watched are looked at for what Listen does not tell, 500 ms.
	Poll time.Duration
	// Batch is how long events are collected before they are kept, 100 ms.
	Batch time.Duration
	// Lag is how many events of a scan are at hand, 8192: who is further behind than that, and not since less than Patience,
	// 10 seconds, is too slow.
	Lag      int
	Patience time.Duration
	// Watchers is how many there may be, 5,000; PerUser of one user, 2,000.
	Watchers, PerUser int
}

func (o *Options) fill() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	orDefault(&o.Poll, 500*time.Millisecond)
	orDefault(&o.Batch, 100*time.Millisecond)
	orDefault(&o.Lag, 8192)
	orDefault(&o.Patience, 10*time.Second)
	orDefault(&o.Watchers, 5000)
	orDefault(&o.PerUser, 2000)
}

func orDefault[T int | time.Duration](v *T, otherwise T) {
	if *v == 0 {
		*v = otherwise
	}
}

// Hub keeps what happens to scans and brings it to those who watch them, whichever process it happens in: what is brought
// is what the store holds, in its order. It is safe for concurrent use.
type Hub struct {
	store Store
	opts  Options
	queue queue

	ctx    context.Context // ends when the hub stops
	cancel context.CancelFunc
	work   sync.WaitGroup // goroutines of the hub

	mu       sync.Mutex
	started  bool
	looking  bool // for what other processes tell
	streams  map[int64]*stream
	watchers int
	byUser   map[string]int
	leaving  sync.WaitGroup // watchers
	parting  chan struct{}  // closed when watchers are sent away
	parted   bool
}

var _ Publisher = (*Hub)(nil)

// NewHub returns a hub that nothing has been told yet. It touches the store when something is published or watched.
func NewHub(store Store, opts Options) *Hub {
	opts.fill()
	h := &Hub{store: store, opts: opts, streams: map[int64]*stream{}, byUser: map[string]int{}, parting: make(chan struct{})}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.queue.init()
	return h
}

// Start begins to keep what is published. A second call does nothing.
func (h *Hub) Start() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.started || h.ctx.Err() != nil {
		return
	}
	h.started = true
	h.work.Go(h.write)
}

// partWithin is how long watchers have to leave.
const partWithin = 5 * time.Second

// Dismiss ends all watchers with ErrStopping and lets nobody in any more; publishing goes on.
func (h *Hub) Dismiss() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.parted {
		h.parted = true
		close(h.parting)
	}
}

// Stop dismisses the watchers, keeps what was published and waits for everything. It may be called twice and before Start.
func (h *Hub) Stop() {
	h.Dismiss()
	h.queue.close()
	h.mu.Lock()
	started := h.started
	h.mu.Unlock()
	if started {
		h.settle()
	}
	h.cancel()
	h.work.Wait()
}

// settle waits a while for the watchers to leave and for the queue to be kept.
func (h *Hub) settle() {
	ctx, cancel := context.WithTimeout(context.Background(), partWithin)
	defer cancel()
	left := make(chan struct{})
	go func() { h.leaving.Wait(); close(left) }()
	select {
	case <-left:
	case <-ctx.Done():
	}
	if err := h.queue.wait(ctx); err != nil {
		h.opts.Log.Warn("events of scans were not kept", "events", h.queue.pending())
	}
}

// Why nobody can watch, or not any more.
var (
	ErrMany     = fault.Unavailable("too many watch already: try again later")
	ErrStopping = errors.New("the server stops: connect again with ?since=")
	ErrSlow     = errors.New("too slow: connect again with ?since=")
	// ErrNothing says that a watcher who asks again has got everything.
	ErrNothing = errors.New("nothing follows")
)

// Join says who watches what.
type Join struct {
	Scan  int64
	Since int64  // the number after which events are wanted, 0 is all that are kept
	Who   string // the user that this counts for, "" is nobody in particular
	State any    // where the scan stands, for the first message
	Over  bool   // the scan is over
	Again bool   // the watcher was here before and wants ErrNothing when there is nothing after Since
}

// Subscribe begins to watch. Close the watcher when done.
func (h *Hub) Subscribe(ctx context.Context, j Join) (*Watcher, error) {
	state, err := encode(j.State)
	if err != nil {
		return nil, err
	}
	if err := h.settleSince(ctx, &j); err != nil {
		return nil, err
	}
	s, err := h.enter(j)
	if err != nil {
		return nil, err
	}
	first := Event{Seq: j.Since, Scan: j.Scan, At: h.opts.Now().UTC(), Type: State, Data: state}
	w := &Watcher{hub: h, stream: s, who: j.Who, at: j.Since, first: &first, over: make(chan struct{})}
	if j.Over {
		w.Over()
	}
	return w, nil
}

// settleSince: a number that was never given would wait for ever.
func (h *Hub) settleSince(ctx context.Context, j *Join) error {
	if j.Since > 0 {
		last, err := h.store.LastEvents(ctx, []int64{j.Scan})
		if err != nil {
			return fmt.Errorf("events of scan %d: %w", j.Scan, err)
		}
		j.Since = min(j.Since, last[j.Scan])
	}
	if !j.Again || !j.Over {
		return nil
	}
	events, err := h.store.EventsSince(ctx, j.Scan, j.Since, 1)
	if err == nil && len(events) == 0 {
		err = ErrNothing
	}
	return err
}

// enter counts a watcher in and finds or begins its stream.
func (h *Hub) enter(j Join) (*stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.parted:
		return nil, fault.Unavailable("%w", ErrStopping)
	case h.watchers >= h.opts.Watchers, j.Who != "" && h.byUser[j.Who] >= h.opts.PerUser:
		return nil, ErrMany
	}
	if !h.looking {
		h.looking = true
		h.lookOut()
	}
	h.watchers++
	h.byUser[j.Who]++
	h.leaving.Add(1)
	s := h.streams[j.Scan]
	if s == nil {
		s = newStream(h, j.Scan)
		h.streams[j.Scan] = s
		h.work.Go(s.run)
	}
	s.watchers++
	return s, nil
}

// leave counts a watcher out.
func (h *Hub) leave(w *Watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watchers--
	if h.byUser[w.who]--; h.byUser[w.who] == 0 {
		delete(h.byUser, w.who)
	}
	if w.stream.watchers--; w.stream.watchers == 0 {
		delete(h.streams, w.stream.scan)
		w.stream.stop()
	}
	h.leaving.Done()
}

// Watchers is how many watch.
func (h *Hub) Watchers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.watchers
}

// lookOut learns of what other processes tell, while somebody watches. The caller holds mu.
func (h *Hub) lookOut() {
	ctx, cancel := context.WithCancel(h.ctx)
	if h.opts.Listen != nil {
		h.opts.Listen(ctx, h.told)
	}
	h.work.Go(func() {
		defer cancel()
		tick := time.NewTicker(h.opts.Poll)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if !h.poll(ctx) {
				return
			}
		}
	})
}

// told hears the number of a scan of which there is news, "" is perhaps of any.
func (h *Hub) told(text string) {
	if text == "" {
		h.stir(h.watched()...)
		return
	}
	scan, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		h.opts.Log.Warn("not the number of a scan", "text", text)
		return
	}
	h.stir(scan)
}

// stir has the streams of scans look for news.
func (h *Hub) stir(scans ...int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, scan := range scans {
		if s := h.streams[scan]; s != nil {
			s.stir()
		}
	}
}

func (h *Hub) watched() (scans []int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for scan := range h.streams {
		scans = append(scans, scan)
	}
	return scans
}

// poll looks whether there is news of scans that are watched. It says whether there are such.
func (h *Hub) poll(ctx context.Context) bool {
	h.mu.Lock()
	nobody := h.watchers == 0
	if nobody {
		h.looking = false
	}
	h.mu.Unlock()
	if nobody {
		return false
	}
	scans := h.watched()
	last, err := h.store.LastEvents(ctx, scans)
	if err != nil {
		h.stir(scans...) // which says what is wrong
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for scan, seq := range last {
		if s := h.streams[scan]; s != nil && s.behind(seq) {
			s.stir()
		}
	}
	return true
}
