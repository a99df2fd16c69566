// Package watchers has many WebSockets watch one scan and adds up what they got: how late, what is missing, what came twice.
// It is for the bench and for tests, and never looks into the server.
package watchers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Result is what all watchers got together.
type Result struct {
	Watchers int
	Events   int             // that each should have got
	Messages int             // that all of them got
	Lost     int             // numbers that a watcher did not get
	Doubled  int             // messages that a watcher got again, or out of order
	Cut      int             // connections that ended before the scan did
	Late     []time.Duration // from an event to its arrival, of events that happened while the watcher was there; sorted
	Joined   time.Duration   // until all were connected
}

// Quantile is the delay that a part (0..1) of the messages did not exceed.
func (r Result) Quantile(part float64) time.Duration {
	if len(r.Late) == 0 {
		return time.Duration(math.MaxInt64)
	}
	return r.Late[min(len(r.Late)-1, int(part*float64(len(r.Late))))]
}

// watcher is one connection.
type watcher struct {
	from     time.Time // when it was there
	messages int
	last     int64
	lost     int
	doubled  int
	ended    bool
	late     []time.Duration
}

// Watch connects n watchers, shared out over servers ("http://127.0.0.1:8000"), to a scan and returns when the scan is over.
// joined is called when all are there.
func Watch(ctx context.Context, servers []string, scan int64, n int, joined func()) (Result, error) {
	begin := time.Now()
	conns, err := connect(ctx, servers, scan, n)
	defer func() {
		for _, c := range conns {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	if err != nil {
		return Result{}, err
	}
	r := Result{Watchers: n, Joined: time.Since(begin)}
	watchers := make([]watcher, n)
	var all sync.WaitGroup
	for i := range watchers {
		watchers[i].from = time.Now()
		all.Go(func() { watchers[i].read(ctx, conns[i]) })
	}
	joined()
	all.Wait()
	for _, w := range watchers {
		r.Events = max(r.Events, int(w.last))
	}
	for _, w := range watchers {
		r.Messages += w.messages
		r.Lost += w.lost + r.Events - int(w.last)
		r.Doubled += w.doubled
		r.Late = append(r.Late, w.late...)
		if !w.ended {
			r.Cut++
		}
	}
	slices.Sort(r.Late)
	return r, ctx.Err()
}

// connect opens the connections, a few at a time, as browsers would come.
func connect(ctx context.Context, servers []string, scan int64, n int) ([]*socket, error) {
	conns, errs := make([]*socket, n), make([]error, n)
	room := make(chan struct{}, 32)
	var all sync.WaitGroup
	for i := range n {
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			conns[i], errs[i] = dial(ctx, strings.TrimPrefix(servers[i%len(servers)], "http://"), fmt.Sprintf("/ws/%d", scan))
		})
	}
	all.Wait()
	return conns, errors.Join(errs...)
}

func (w *watcher) read(ctx context.Context, conn *socket) {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	for {
		text, code, err := conn.next()
		if err != nil || code != 0 {
			w.ended = code == normalClosure
			return
		}
		w.messages++
		w.take(text, time.Now())
	}
}

// take reads the beginning of a message, {"seq":7,"scan_id":1,"at":"…", which is cheaper than all of it a million times.
func (w *watcher) take(text []byte, now time.Time) {
	seq, err := strconv.ParseInt(string(between(text, `{"seq":`, `,`)), 10, 64)
	if err != nil {
		w.lost++
		return
	}
	if seq == 0 {
		return // the state
	}
	switch {
	case seq <= w.last:
		w.doubled++
		return
	case seq > w.last+1:
		w.lost += int(seq - w.last - 1)
	}
	w.last = seq
	if at, err := time.Parse(time.RFC3339Nano, string(between(text, `"at":"`, `"`))); err == nil && at.After(w.from) {
		w.late = append(w.late, now.Sub(at))
	}
}

func between(text []byte, before, after string) []byte {
	_, rest, _ := bytes.Cut(text, []byte(before))
	word, _, _ := bytes.Cut(rest, []byte(after))
	return word
}
