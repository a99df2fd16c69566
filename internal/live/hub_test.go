package live_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/live"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// process is a server process: a hub over a store of its own.
func process(t *testing.T, s *store.Store, opts live.Options) *live.Hub {
	t.Helper()
	if s.Engine() == store.Postgres {
		opts.Listen = func(ctx context.Context, tell func(string)) { s.Listen(ctx, store.LiveChannel, tell) }
		opts.Poll = time.Hour // news has to come by NOTIFY
	}
	h := live.NewHub(s.Estate(), opts)
	h.Start()
	t.Cleanup(h.Stop)
	return h
}

func newScan(t *testing.T, s *store.Store) int64 {
	t.Helper()
	id, err := s.Estate().CreateScan(context.Background(),
		finding.Scan{Kind: finding.KindScan, Site: asset.DefaultSite, Status: finding.Running, Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func watch(t *testing.T, h *live.Hub, j live.Join) *live.Watcher {
	t.Helper()
	w, err := h.Subscribe(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// message is a frame as a client reads it.
type message struct {
	Seq  int64           `json:"seq"`
	Scan int64           `json:"scan_id"`
	Type live.Type       `json:"type"`
	Data json.RawMessage `json:"data"`
}

// read returns messages until fn says that these are enough.
func read(t *testing.T, w *live.Watcher, enough func([]message) bool) (got []message, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for !enough(got) {
		frames, err := w.Next(ctx)
		for _, f := range frames {
			var m message
			if err := json.Unmarshal(f.Text, &m); err != nil || m.Seq != f.Seq || m.Type != f.Type {
				t.Errorf("%s: %v", f.Text, err)
			}
			got = append(got, m)
		}
		if err != nil {
			return got, err
		}
	}
	return got, nil
}

func toEnd([]message) bool               { return false }
func atLeast(n int) func([]message) bool { return func(got []message) bool { return len(got) >= n } }

// inOrder checks that messages have the numbers from one on.
func inOrder(t *testing.T, who string, got []message, from int64) {
	t.Helper()
	for i, m := range got {
		if m.Seq != from+int64(i) {
			t.Errorf("%s: message %d has the number %d, want %d", who, i, m.Seq, from+int64(i))
			return
		}
	}
}

func TestALateJoinerGetsTheStateAndThenAllThatHappened(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		s := eng.Open(t)
		h := process(t, s, live.Options{Batch: time.Millisecond, Lag: 8})
		scan := newScan(t, s)
		for i := range 30 {
			h.Publish(scan, live.Host, i)
		}
		if err := h.Flush(context.Background(), scan); err != nil {
			t.Fatal(err)
		}
		late := watch(t, h, live.Join{Scan: scan, State: map[string]string{"status": "running"}})
		resumed := watch(t, h, live.Join{Scan: scan, Since: 27})
		h.Publish(scan, live.End, nil)
		got, err := read(t, late, toEnd)
		if !errors.Is(err, io.EOF) || len(got) != 32 {
			t.Fatalf("%d messages, %v", len(got), err)
		}
		if got[0].Type != live.State || got[0].Seq != 0 || got[0].Scan != scan || string(got[0].Data) != `{"status":"running"}` {
			t.Errorf("the first is %+v", got[0])
		}
		inOrder(t, "late", got[1:], 1)
		got, err = read(t, resumed, toEnd)
		if !errors.Is(err, io.EOF) || len(got) != 5 || got[4].Type != live.End {
			t.Fatalf("resumed: %+v, %v", got, err)
		}
		inOrder(t, "resumed", got, 27) // the state has the number that was asked for
	})
}

func TestTwoProcessesShowWhatEitherTells(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		one, two := eng.Open(t), eng.Open(t)
		first, second := process(t, one, live.Options{}), process(t, two, live.Options{})
		scan := newScan(t, one)
		here, there := watch(t, first, live.Join{Scan: scan}), watch(t, second, live.Join{Scan: scan})
		var wg sync.WaitGroup
		const each = 500
		for _, h := range []*live.Hub{first, second} {
			wg.Go(func() {
				for i := range each {
					h.Publish(scan, live.Finding, i)
				}
				if err := h.Flush(context.Background(), scan); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		second.Publish(scan, live.End, nil)
		for name, w := range map[string]*live.Watcher{"here": here, "there": there} {
			got, err := read(t, w, toEnd)
			if !errors.Is(err, io.EOF) || len(got) != 2*each+2 {
				t.Errorf("%s: %d messages, %v", name, len(got), err)
			}
			inOrder(t, name, got, 0)
		}
	})
}

func TestASlowReaderIsDroppedAndAHundredOthersGetEverything(t *testing.T) {
	s := storetest.NewSQLite(t).Open(t)
	var later atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	h := process(t, s, live.Options{Batch: time.Millisecond, Lag: 512, Patience: 5 * time.Second, Now: now})
	scan := newScan(t, s)
	slow := watch(t, h, live.Join{Scan: scan})
	if _, err := read(t, slow, atLeast(1)); err != nil {
		t.Fatal(err)
	}
	h.Publish(scan, live.Log, "first")
	if _, err := read(t, slow, atLeast(1)); err != nil { // from here on it reads nothing
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 100 {
		w := watch(t, h, live.Join{Scan: scan})
		wg.Go(func() {
			got, err := read(t, w, toEnd)
			if !errors.Is(err, io.EOF) || len(got) != 2003 {
				t.Errorf("watcher %d: %d messages, %v", i, len(got), err)
			}
			inOrder(t, fmt.Sprint("watcher ", i), got, 0)
		})
	}
	for i := range 2000 {
		h.Publish(scan, live.Finding, i)
		if i%100 == 99 {
			if err := h.Flush(context.Background(), scan); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.Publish(scan, live.End, nil)
	wg.Wait()
	later.Store(int64(time.Minute))
	if got, err := read(t, slow, toEnd); !errors.Is(err, live.ErrSlow) {
		t.Errorf("the slow one got %d messages, %v", len(got), err)
	}
}

func TestManyTellAtOnceAndEverybodyReadsTheSame(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		s := eng.Open(t)
		h := process(t, s, live.Options{Batch: 5 * time.Millisecond})
		scans := []int64{newScan(t, s), newScan(t, s)}
		var telling, watching sync.WaitGroup
		const tellers, each = 8, 200
		for i := range 20 {
			watching.Go(func() {
				time.Sleep(time.Duration(i) * 5 * time.Millisecond) // some join early, some late
				w, err := h.Subscribe(context.Background(), live.Join{Scan: scans[i%2]})
				if err != nil {
					t.Error(err)
					return
				}
				defer w.Close()
				got, err := read(t, w, toEnd)
				if !errors.Is(err, io.EOF) || len(got) != tellers*each+2 {
					t.Errorf("watcher %d: %d messages, %v", i, len(got), err)
				}
				inOrder(t, fmt.Sprint("watcher ", i), got, 0)
			})
		}
		for range tellers {
			telling.Go(func() {
				for i := range each {
					for _, scan := range scans {
						h.Publish(scan, live.Service, i)
					}
				}
			})
		}
		telling.Wait()
		for _, scan := range scans {
			h.Publish(scan, live.End, nil)
		}
		watching.Wait()
		if n := h.Watchers(); n != 0 {
			t.Errorf("%d watchers are left", n)
		}
	})
}

func TestProgressIsToldOnceASecondAndItsLastIsNotLost(t *testing.T) {
	s := storetest.NewSQLite(t).Open(t)
	h := process(t, s, live.Options{Batch: time.Millisecond})
	scan := newScan(t, s)
	w := watch(t, h, live.Join{Scan: scan})
	begin := time.Now()
	for i := range 150 {
		h.Publish(scan, live.Progress, i)
		time.Sleep(10 * time.Millisecond)
	}
	most := int(time.Since(begin)/time.Second) + 2
	h.Publish(scan, live.End, nil)
	got, err := read(t, w, toEnd)
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	told := got[1 : len(got)-1]
	if len(told) < 2 || len(told) > most || string(told[len(told)-1].Data) != "149" {
		t.Errorf("progress was told %d times: %+v", len(told), told)
	}
}

func TestOfAHugeScanTheHubTellsOnlyTheFirst(t *testing.T) {
	s := storetest.NewSQLite(t).Open(t)
	h := process(t, s, live.Options{})
	scan := newScan(t, s)
	for i := range live.MaxSingles + 500 {
		h.Publish(scan, live.Finding, i)
	}
	h.Publish(scan, live.End, nil)
	got, err := read(t, watch(t, h, live.Join{Scan: scan}), toEnd)
	if !errors.Is(err, io.EOF) || len(got) != live.MaxSingles+3 || got[len(got)-2].Type != live.Log {
		t.Errorf("%d messages, %v", len(got), err)
	}
	inOrder(t, "the only one", got, 0)
}

func TestAScanThatIsOverEndsWithoutAnEnd(t *testing.T) {
	s := storetest.NewSQLite(t).Open(t)
	h := process(t, s, live.Options{})
	scan := newScan(t, s)
	old := watch(t, h, live.Join{Scan: scan, Over: true})
	if got, err := read(t, old, toEnd); !errors.Is(err, io.EOF) || len(got) != 2 || got[1].Type != live.End {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := h.Subscribe(context.Background(), live.Join{Scan: scan, Over: true, Again: true}); !errors.Is(err, live.ErrNothing) {
		t.Errorf("who asks again: %v", err)
	}
	w := watch(t, h, live.Join{Scan: scan})
	h.Publish(scan, live.Log, "its process dies now")
	if _, err := read(t, w, atLeast(2)); err != nil {
		t.Fatal(err)
	}
	w.Over()
	if got, err := read(t, w, toEnd); !errors.Is(err, io.EOF) || len(got) != 1 || got[0].Type != live.End {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTooManyWatchersAreRefusedAndAStopSendsAllAway(t *testing.T) {
	s := storetest.NewSQLite(t).Open(t)
	h := process(t, s, live.Options{Watchers: 3, PerUser: 2})
	scan := newScan(t, s)
	ws := []*live.Watcher{watch(t, h, live.Join{Scan: scan, Who: "anna"}), watch(t, h, live.Join{Scan: scan, Who: "anna"})}
	if _, err := h.Subscribe(context.Background(), live.Join{Scan: scan, Who: "anna"}); !errors.Is(err, live.ErrMany) {
		t.Errorf("a third of anna: %v", err)
	}
	ws = append(ws, watch(t, h, live.Join{Scan: scan, Who: "ben"}))
	if _, err := h.Subscribe(context.Background(), live.Join{Scan: scan}); !errors.Is(err, live.ErrMany) {
		t.Errorf("a fourth: %v", err)
	}
	ws[0].Close()
	ws[0].Close()
	ws = append(ws[1:], watch(t, h, live.Join{Scan: scan, Who: "anna"}))
	h.Publish(scan, live.Log, "kept before the end")
	var wg sync.WaitGroup
	for _, w := range ws {
		wg.Go(func() {
			if _, err := read(t, w, toEnd); !errors.Is(err, live.ErrStopping) {
				t.Errorf("ended with %v", err)
			}
			w.Close()
		})
	}
	h.Stop()
	h.Stop()
	wg.Wait()
	if kept, err := s.Estate().EventsSince(context.Background(), scan, 0, 10); err != nil || len(kept) != 1 {
		t.Errorf("kept %+v, %v", kept, err)
	}
	if _, err := h.Subscribe(context.Background(), live.Join{Scan: scan}); err == nil {
		t.Error("a stopped hub lets watchers in")
	}
}

// failing is a store that does not answer for a while.
type failing struct {
	live.Store
	mu    sync.Mutex
	times int
}

func (f *failing) AppendEvents(ctx context.Context, events []live.Event) ([]live.Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times--; f.times >= 0 {
		return nil, errors.New("away")
	}
	return f.Store.AppendEvents(ctx, events)
}

func TestWhatHappensWhileTheDatabaseIsAwayIsToldLater(t *testing.T) {
	s := storetest.NewSQLite(t).Open(t)
	h := live.NewHub(&failing{Store: s.Estate(), times: 3}, live.Options{})
	h.Start()
	defer h.Stop()
	scan := newScan(t, s)
	for i := range 100 {
		h.Publish(scan, live.Host, i)
	}
	h.Publish(scan, live.End, nil)
	w := watch(t, h, live.Join{Scan: scan})
	defer w.Close()
	got, err := read(t, w, toEnd)
	if !errors.Is(err, io.EOF) || len(got) != 102 {
		t.Errorf("%d messages, %v", len(got), err)
	}
}

func TestWatchersMissNothingWhenTheConnectionsToPostgresAreCut(t *testing.T) {
	eng := storetest.NewPostgres(t)
	one, two := eng.Open(t), eng.Open(t)
	first, second := process(t, one, live.Options{}), process(t, two, live.Options{})
	scan := newScan(t, one)
	w := watch(t, second, live.Join{Scan: scan})
	db, err := sql.Open("pgx", eng.Options().DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const each = 50
	for cut := range 3 {
		for i := range each {
			first.Publish(scan, live.Finding, i)
		}
		if cut == 2 {
			break
		}
		if err := first.Flush(context.Background(), scan); err != nil {
			t.Fatal(err)
		}
		_, err = db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		if err != nil {
			t.Fatal(err)
		}
	}
	first.Publish(scan, live.End, nil)
	got, err := read(t, w, toEnd)
	if !errors.Is(err, io.EOF) || len(got) != 3*each+2 {
		t.Errorf("%d messages, %v", len(got), err)
	}
	inOrder(t, "after two cuts", got, 0)
}
