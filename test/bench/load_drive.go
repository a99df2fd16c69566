package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// question is one request of the load.
type question struct {
	kind string
	path string
}

// reply is how a question went.
type reply struct {
	kind   string
	status int // 0: there was no answer
	late   time.Duration
	bytes  int
}

// driver asks one server at a steady rate, whatever its answers do: each question leaves at its planned moment, and the
// time that it takes is counted from that moment, so that a server that stands still is late for all that came meanwhile
// (a driver that waited for answers would ask less while the server is slow, and report that it is fast).
type driver struct {
	url    string
	token  string
	client *http.Client
	rng    *rand.Rand
	next   func(rng *rand.Rand) question // makes a question

	mu      sync.Mutex // also around next and learn
	answers []reply
}

func newDriver(url, token string, seed uint64, next func(*rand.Rand) question) *driver {
	return &driver{url: url, token: token, next: next, rng: rand.New(rand.NewPCG(seed, seed)),
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1000, MaxConnsPerHost: 1000}}}
}

// run asks rate questions a second for a time and returns the answers, and how late the driver itself was at worst.
func (d *driver) run(ctx context.Context, rate int, lasts time.Duration, learn func(question, []byte)) (answers []reply, behind time.Duration) {
	n := int(lasts.Seconds() * float64(rate))
	d.answers = make([]reply, 0, n)
	var all sync.WaitGroup
	begin := time.Now()
	for i := range n {
		d.mu.Lock()
		q := d.next(d.rng)
		d.mu.Unlock()
		planned := begin.Add(time.Duration(i) * time.Second / time.Duration(rate))
		if wait := time.Until(planned); wait > 0 {
			time.Sleep(wait)
		}
		behind = max(behind, time.Since(planned))
		if ctx.Err() != nil {
			break
		}
		all.Go(func() { d.ask(ctx, q, planned, learn) })
	}
	all.Wait()
	return d.answers, behind
}

func (d *driver) ask(ctx context.Context, q question, planned time.Time, learn func(question, []byte)) {
	status, body := d.get(ctx, q.path)
	a := reply{kind: q.kind, status: status, late: time.Since(planned), bytes: len(body)}
	d.mu.Lock()
	d.answers = append(d.answers, a)
	if status == http.StatusOK && learn != nil {
		learn(q, body)
	}
	d.mu.Unlock()
}

// get returns status 0 when there is no answer.
func (d *driver) get(ctx context.Context, path string) (status int, body []byte) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+path, nil)
	if err != nil {
		return 0, nil
	}
	r.Header.Set("Authorization", "Bearer "+d.token)
	resp, err := d.client.Do(r)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		return 0, nil
	}
	return resp.StatusCode, body
}

// quick is the quantiles of some answers.
func quick(answers []reply, kind string) (times []time.Duration, statuses map[int]int) {
	statuses = map[int]int{}
	for _, a := range answers {
		if kind == "" || a.kind == kind {
			times = append(times, a.late)
			statuses[a.status]++
		}
	}
	slices.Sort(times)
	return times, statuses
}

// cursorOf reads where a list goes on, without decoding the list: next is its last field but for what stands behind it.
func cursorOf(body []byte) string {
	tail := body[max(0, len(body)-1000):]
	i := bytes.LastIndex(tail, []byte(`"next":"`))
	if i < 0 {
		return ""
	}
	word, _, _ := bytes.Cut(tail[i+len(`"next":"`):], []byte(`"`))
	return string(word)
}

// saidOf puts statuses into words: "200: 11998, 503: 2".
func saidOf(statuses map[int]int) string {
	var keys []int
	for k := range statuses {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var b bytes.Buffer
	for i, k := range keys {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d: %d", k, statuses[k])
	}
	return b.String()
}
