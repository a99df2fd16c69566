package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// listener brings what other processes say by PostgreSQL's NOTIFY, on one connection for the whole process. On SQLite,
// where nothing tells of other processes, it carries only what this one says.
type listener struct {
	server *postgresServer // nil with SQLite
	warn   func(msg string, args ...any)

	mu     sync.Mutex
	subs   map[string]map[*func(string)]bool // by channel
	stop   context.CancelFunc                // nil is not running
	change context.CancelFunc                // wakes the connection when there are other channels to listen to
	done   chan struct{}
	closed bool
}

// How the connection is kept.
const (
	listenCheck = 15 * time.Second // how often a silent connection is tried
	listenRetry = 5 * time.Second  // the longest pause before it is opened again
)

// Listen calls fn with everything that Notify says on a channel, one at a time, until ctx ends or the store is closed. fn must be
// quick and must not call Listen. What is said while the connection to PostgreSQL is down is lost; when it is there again
// (and when it is there first) fn is called with "", which means to look for yourself. With SQLite it hears this process
// only.
func (s *Store) Listen(ctx context.Context, channel string, fn func(payload string)) {
	l := &s.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || ctx.Err() != nil {
		return
	}
	if l.subs == nil {
		l.subs = map[string]map[*func(string)]bool{}
	}
	if l.subs[channel] == nil {
		l.subs[channel] = map[*func(string)]bool{}
	}
	l.subs[channel][&fn] = true
	context.AfterFunc(ctx, func() { l.leave(channel, &fn) })
	switch {
	case l.server == nil:
	case l.stop == nil:
		running, stop := context.WithCancel(context.Background())
		l.stop, l.done = stop, make(chan struct{})
		go l.run(running)
	case l.change != nil:
		l.change()
	}
}

// Notify says something to all that listen on a channel, in all processes with PostgreSQL. It is at most 8,000 bytes.
func (s *Store) Notify(ctx context.Context, channel, payload string) error {
	if s.engine == Postgres {
		return s.Estate().quietly(ctx, func(tx *Tx) error {
			_, err := tx.Exec(ctx, `SELECT pg_notify(?, CAST(? AS text))`, channel, payload)
			return err
		})
	}
	s.listener.tell(channel, payload)
	return nil
}

// leave forgets a subscription, and the channel with the last.
func (l *listener) leave(channel string, fn *func(string)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.subs[channel], fn)
	if len(l.subs[channel]) > 0 {
		return
	}
	delete(l.subs, channel)
	if l.change != nil {
		l.change()
	}
}

func (l *listener) tell(channel, payload string) {
	l.mu.Lock()
	fns := slices.Collect(maps.Keys(l.subs[channel]))
	l.mu.Unlock()
	for _, fn := range fns {
		(*fn)(payload)
	}
}

// close ends the connection and waits for what it tells.
func (l *listener) close() {
	l.mu.Lock()
	l.closed, l.subs = true, nil
	stop, done := l.stop, l.done
	l.mu.Unlock()
	if stop != nil {
		stop()
		<-done
	}
}

// run keeps a connection until ctx ends.
func (l *listener) run(ctx context.Context) {
	defer close(l.done)
	pause := 100 * time.Millisecond
	for ctx.Err() == nil {
		begun := time.Now()
		err := l.connect(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > listenCheck {
			pause = 100 * time.Millisecond
		}
		l.warn("lost the connection that hears of news, opening it again", "error", err, "after", pause.String())
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, listenRetry)
	}
}

// connect listens on one connection until it breaks.
func (l *listener) connect(ctx context.Context) error {
	config := l.server.config.Copy()
	config.RuntimeParams["application_name"] = "patchscout listener"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is broken or not needed any more
	listening := map[string]bool{}
	for ctx.Err() == nil {
		round, cancel := context.WithTimeout(ctx, listenCheck)
		if err := l.follow(ctx, conn, listening, cancel); err != nil {
			cancel()
			return err
		}
		err := l.hear(round, conn) // until there is nothing more to hear, for whatever reason
		timedOut := round.Err() != nil
		cancel()
		if !timedOut {
			return err
		}
		if err := tryConn(ctx, conn); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// follow has the connection listen to the channels that somebody is on; of new ones something may have been missed. wake is
// called when there are other channels.
func (l *listener) follow(ctx context.Context, conn *pgx.Conn, listening map[string]bool, wake context.CancelFunc) error {
	l.mu.Lock()
	l.change = wake
	wanted := slices.Sorted(maps.Keys(l.subs))
	l.mu.Unlock()
	for _, channel := range slices.Sorted(maps.Keys(listening)) {
		if slices.Contains(wanted, channel) {
			continue
		}
		delete(listening, channel)
		if _, err := conn.Exec(ctx, `UNLISTEN `+pgx.Identifier{channel}.Sanitize()); err != nil {
			return fmt.Errorf("unlisten: %w", err)
		}
	}
	for _, channel := range wanted {
		if listening[channel] {
			continue
		}
		if _, err := conn.Exec(ctx, `LISTEN `+pgx.Identifier{channel}.Sanitize()); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		listening[channel] = true
		l.tell(channel, "")
	}
	return nil
}

// hear passes on what comes until ctx ends.
func (l *listener) hear(ctx context.Context, conn *pgx.Conn) error {
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		l.tell(n.Channel, n.Payload)
	}
}

// tryConn finds out whether the server still answers: a connection that nobody ended says nothing when its cable is cut.
func tryConn(ctx context.Context, conn *pgx.Conn) error {
	if conn.IsClosed() {
		return fmt.Errorf("the connection is closed")
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return conn.Ping(ctx)
}
