package jobtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/store"
)

// takeOver is how soon the jobs of a dead worker run elsewhere.
const takeOver = time.Minute

func aKilledWorkerIsReplaced(b *bench) {
	st := b.open()
	kept := b.enqueue(st.Jobs(), make20("a")...)
	victim := b.worker(20)
	victim.await("begin", 20)
	var ran tally
	b.start(st, Handlers{"a": ran.handler}, job.Options{Limits: map[job.Kind]int{"a": 4}})
	died := time.Now()
	victim.signal(syscall.SIGKILL)
	b.await(takeOver, "the jobs of the dead worker ran elsewhere", func() bool { return b.count(st, job.Done) == len(kept) })
	b.Logf("taken over within %v", time.Since(died).Round(time.Millisecond))
	if twice := ran.twice(); len(twice) > 0 {
		b.Errorf("ran twice: %v", twice)
	}
	for _, j := range kept {
		if now := b.job(st, j.ID); now.Attempt != 2 || now.Fence != 2 {
			b.Errorf("taken over: %+v", now)
		}
	}
}

func aFrozenWorkerWritesNothing(b *bench) {
	if !canFreeze {
		b.Skip("this system freezes no process")
	}
	st := b.open()
	j := b.enqueue(st.Jobs(), job.Job{Kind: "a"})[0]
	victim := b.worker(1)
	victim.await("begin", 1)
	victim.signal(freeze)
	var ran tally
	q := b.start(st, Handlers{"a": ran.handler}, job.Options{Worker: "heir"})
	b.awaitState(st, j.ID, job.Done, takeOver)
	// When it goes on, its handler comes to its end and says so: it is told, and nobody believes it.
	victim.signal(thaw)
	victim.await("lost", 1)
	if now := b.job(st, j.ID); now.Worker != "heir" || now.State != job.Done || now.Fence != 2 {
		b.Errorf("after the late writer: %+v", now)
	}
	if err := q.Stop(context.Background()); err != nil {
		b.Error(err)
	}
}

func twentyQueuesLoseNothing(b *bench) {
	const queues, each = 20, 500
	var ran tally
	stores := make([]*store.Store, 4)
	for i := range stores {
		stores[i] = b.open()
	}
	target := b.engine.Options().DatabaseURL
	if target != "" {
		target += "&pool_max_conns=4"
	}
	var all sync.WaitGroup
	begun := time.Now()
	for i := range queues {
		q := b.prepareAt(stores[i%len(stores)], target, Handlers{"a": ran.handler, "b": ran.handler}, job.Options{Limits: map[job.Kind]int{"a": 3, "b": 3}})
		if err := q.Start(context.Background()); err != nil {
			b.Fatal(err)
		}
		all.Go(func() {
			for k := range each {
				kind := job.Kind([]string{"a", "b"}[k%2])
				if _, err := q.Enqueue(context.Background(), job.Job{Kind: kind, Key: fmt.Sprintf("%d.%d", i, k)}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.await(5*time.Minute, "all ran", func() bool { return ran.n() >= queues*each })
	b.await(soon, "all are done", func() bool { return b.count(stores[0], job.Done) == queues*each })
	b.Logf("%d jobs in %v", ran.n(), time.Since(begun).Round(time.Millisecond))
	if twice := ran.twice(); len(twice) > 0 || ran.n() != queues*each {
		b.Errorf("%d runs, twice: %v", ran.n(), twice)
	}
}

func theClockJumps(b *bench) {
	var offset atomic.Int64
	opts := b.engine.Options()
	opts.Now = func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
	st, err := store.Open(context.Background(), opts)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = st.Close() })
	h := newBlocker()
	q := b.start(st, Handlers{"a": h.handler}, job.Options{Limits: map[job.Kind]int{"a": 5}, Now: opts.Now})
	long := b.enqueue(q, job.Job{Kind: "a"})[0]
	receive(b, h.begun, soon, "the long job begins")
	for _, jump := range []time.Duration{time.Hour, -2 * time.Hour, 24 * time.Hour, -time.Minute} {
		offset.Add(int64(jump))
		next := b.enqueue(q, job.Job{Kind: "a"})[0]
		if j := receive(b, h.begun, soon, "a job begins after a jump"); j.ID != next.ID {
			b.Errorf("after a jump by %v job %d ran instead of %d", jump, j.ID, next.ID)
		}
		time.Sleep(2 * job.SweepEvery) // in which nothing must happen to what runs
		select {
		case cause := <-h.ended:
			b.Errorf("a jump by %v ended a job: %v", jump, cause)
		default:
		}
	}
	close(h.release)
	if done := b.awaitState(st, long.ID, job.Done, soon); done.Attempt != 1 {
		b.Errorf("the long job: %+v", done)
	}
}

func aLongJobOutlivesManySweeps(b *bench) {
	h := newBlocker()
	st := b.open()
	b.start(b.open(), nil, job.Options{})
	q := b.start(st, Handlers{"a": h.handler}, job.Options{})
	j := b.enqueue(q, job.Job{Kind: "a"})[0]
	receive(b, h.begun, soon, "the job begins")
	time.Sleep(2 * job.Alive)
	close(h.release)
	if cause := receive(b, h.ended, soon, "the job ends"); cause != nil {
		b.Errorf("the handler was told %v", cause)
	}
	if done := b.awaitState(st, j.ID, job.Done, soon); done.Attempt != 1 {
		b.Errorf("%+v", done)
	}
}

func whatIsLostTooOftenIsDead(b *bench) {
	st := b.open()
	j := b.enqueue(st.Jobs(), job.Job{Kind: "a", MaxAttempts: 1})[0]
	victim := b.worker(1)
	victim.await("begin", 1)
	victim.signal(syscall.SIGKILL)
	b.start(st, Handlers{"b": (&tally{}).handler}, job.Options{})
	if dead := b.awaitState(st, j.ID, job.Dead, takeOver); dead.Error == "" {
		b.Errorf("%+v", dead)
	}
}

// databaseAway cuts the connections to the database for some time. SQLite is a file and never away.
func databaseAway(away time.Duration) func(*bench) {
	return func(b *bench) {
		direct := b.engine.Options().DatabaseURL
		if direct == "" {
			b.Skip("a file is not away")
		}
		line := b.newLine(direct)
		opts := b.engine.Options()
		opts.DatabaseURL = line.url
		st, err := store.Open(context.Background(), opts)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = st.Close() })
		h, ran := newBlocker(), &tally{}
		q := b.prepareAt(st, line.url, Handlers{"a": h.handler, "b": ran.handler}, job.Options{})
		if err := q.Start(context.Background()); err != nil {
			b.Fatal(err)
		}
		watch := b.open() // goes around the cut line
		j := b.enqueue(q, job.Job{Kind: "a"})[0]
		receive(b, h.begun, soon, "the job begins")
		line.cut()
		back := time.After(away)
		if away > job.Alive/2 {
			if cause := receive(b, h.ended, away, "the job is given up"); !errors.Is(cause, job.ErrLost) {
				b.Errorf("the handler was told %v", cause)
			}
		}
		<-back
		waiting := b.enqueue(watch.Jobs(), job.Job{Kind: "b"})[0]
		line.mend()
		mended := time.Now()
		b.awaitState(watch, waiting.ID, job.Done, takeOver)
		b.Logf("a waiting job was done %v after the database came back", time.Since(mended).Round(time.Millisecond))
		if away > job.Alive/2 {
			receive(b, h.begun, takeOver, "the job begins again")
		}
		close(h.release)
		done := b.awaitState(watch, j.ID, job.Done, takeOver)
		b.Logf("the job that ran was done %v after, in attempt %d", time.Since(mended).Round(time.Millisecond), done.Attempt)
		if away < job.Alive/2 && (done.Attempt != 1 || done.Fence != 1) {
			b.Errorf("a short absence cost an attempt: %+v", done)
		}
	}
}

// line is a connection to PostgreSQL that can be cut.
type line struct {
	b       *bench
	url     string
	address string
	socket  string

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
}

// newLine listens on a socket of its own and passes on to the server's.
func (b *bench) newLine(target string) *line {
	b.Helper()
	u, err := url.Parse(target)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	l := &line{b: b, socket: filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432"), address: filepath.Join(dir, ".s.PGSQL.5432")}
	query := u.Query()
	query.Set("host", dir)
	u.RawQuery = query.Encode()
	l.url = u.String()
	l.mend()
	b.Cleanup(l.cut)
	return l
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.listener.Close()
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

func (l *line) mend() {
	listener, err := net.Listen("unix", l.address)
	if err != nil {
		l.b.Fatal(err)
	}
	l.mu.Lock()
	l.listener = listener
	l.mu.Unlock()
	go func() {
		for {
			here, err := listener.Accept()
			if err != nil {
				return
			}
			there, err := (&net.Dialer{}).DialContext(l.b.Context(), "unix", l.socket)
			if err != nil {
				_ = here.Close()
				continue
			}
			l.mu.Lock()
			l.conns = append(l.conns, here, there)
			l.mu.Unlock()
			go pass(here, there)
			go pass(there, here)
		}
	}()
}
