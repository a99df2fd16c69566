// Package demo stands in for a network that a newcomer does not have: harmless servers on loopback that greet like
// well-known old versions, so that a real scan of them shows the product at work. It never runs a real service: a server
// here says fixed words, looks at nothing but which of a few questions was asked, and stores nothing that it is sent.
package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Server is one simulated server while it listens.
type Server struct {
	Name   string         // for people: "OpenSSH 7.2p2 (simulated)"
	Addr   netip.AddrPort // on 127.0.0.1
	Greets string         // its first words, or what it answers first, on one line
}

// The bounds of one server: what connects is closed after lifetime, and no more than maxConns are held at once.
const (
	lifetime = 10 * time.Second
	maxConns = 32
	maxLine  = 4096 // bytes of a request that are looked at
)

// Start starts all servers on free ports of 127.0.0.1. They end when ctx ends or stop is called; stop waits for them
// and may be called twice. On error nothing is left running.
func Start(ctx context.Context) (servers []Server, stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	stop = func() {
		cancel()
		running.Wait()
	}
	for _, p := range personas {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("start demo server %s: %w", p.name, err)
		}
		running.Go(func() { serve(ctx, l, p) })
		addr := l.Addr().(*net.TCPAddr).AddrPort()
		servers = append(servers, Server{Name: p.name + " (simulated)", Addr: addr, Greets: p.greets})
	}
	return servers, stop, nil
}

// serve accepts until ctx ends and waits for its connections.
func serve(ctx context.Context, l net.Listener, p persona) {
	closing := context.AfterFunc(ctx, func() { l.Close() })
	defer closing()
	defer l.Close()
	slots := make(chan struct{}, maxConns)
	var conns sync.WaitGroup
	defer conns.Wait()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			if err == nil {
				conn.Close()
			}
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of descriptors: somebody else's connection will end
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			conn.Close()
			continue
		}
		conns.Go(func() {
			defer func() { <-slots }()
			converse(ctx, conn, p)
		})
	}
}

// converse holds one connection: greet, then answer line by line, never longer than lifetime.
func converse(ctx context.Context, conn net.Conn, p persona) {
	closing := context.AfterFunc(ctx, func() { conn.Close() })
	defer closing()
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(lifetime))
	if p.greeting != "" {
		if _, err := conn.Write([]byte(p.greeting)); err != nil {
			return
		}
	}
	if p.answer == nil {
		// Whoever is greeted may say something; it is thrown away.
		discard(conn)
		return
	}
	lines := bufio.NewReaderSize(conn, maxLine)
	for range 64 {
		text, err := lines.ReadSlice('\n')
		if err != nil {
			return // also a line that is too long
		}
		reply, more := p.answer(strings.TrimRight(string(text), "\r\n"))
		if _, err := conn.Write([]byte(reply)); err != nil || !more {
			return
		}
	}
}

// discard reads at most a few kilobytes and forgets them.
func discard(conn net.Conn) {
	buf := make([]byte, 1024)
	for range 4 {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}
