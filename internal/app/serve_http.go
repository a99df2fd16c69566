package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/patchscout/patchscout/internal/api"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/outbound"
	"github.com/patchscout/patchscout/internal/telemetry"
)

// web is the HTTP side of the server: a listener with or without TLS.
type web struct {
	server   *http.Server
	listener net.Listener
	tls      bool
}

// listen opens the address of the configuration. Who connects waits until serve answers.
func (a *App) listen() (*web, error) {
	cfg := a.cfg.Server
	w := &web{server: &http.Server{
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug), // a client's bad TLS is the client's
	}}
	if cfg.TLSCert != "" {
		pair := &certificate{cert: cfg.TLSCert, key: cfg.TLSKey, log: a.log}
		if err := pair.load(); err != nil {
			return nil, err
		}
		w.server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}
		w.tls = true
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", cfg.Listen)
	if err != nil {
		return nil, whyNot(cfg.Listen, err)
	}
	w.listener = listener
	return w, nil
}

// whyNot says what to do about an address that cannot be listened on.
func whyNot(address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fault.Conflict("another program listens on %s: stop it, or choose another address with --listen", address)
	case errors.Is(err, syscall.EACCES):
		return fault.Denied("you may not listen on %s: choose a port from 1024 on with --listen", address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fault.Unavailable("this machine has no address for --listen %s", address)
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}

// close is for a server that does not come to serve; else there is nothing left to close.
func (w *web) close() { _ = w.listener.Close() }

// URL is where the server is on this machine.
func (w *web) URL() string {
	if w.tls {
		return "https://" + w.listener.Addr().String()
	}
	return "http://" + w.listener.Addr().String()
}

// serve answers until ctx ends. Then it takes no new connections, calls leave, which sends away those that would stay for
// ever, and gives the requests that are under way until the grace is over.
func (w *web) serve(ctx context.Context, grace time.Duration, leave func()) error {
	ended := make(chan error, 1)
	go func() {
		if w.tls {
			ended <- w.server.ServeTLS(w.listener, "", "")
			return
		}
		ended <- w.server.Serve(w.listener)
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	w.server.RegisterOnShutdown(leave)
	err := w.server.Shutdown(limited)
	if errors.Is(err, context.DeadlineExceeded) {
		err = w.server.Close() // whoever still reads has had the grace
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// certificate is the pair of files of the configuration, read again when they change: whoever renews a certificate need
// not restart the server. Files that do not fit together yet leave the old pair in use.
type certificate struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	stamp  [2]fileStamp
	looked time.Time
}

type fileStamp struct {
	at   time.Time
	size int64
}

// lookAgain is how often handshakes look at the files.
const lookAgain = time.Second

func (c *certificate) load() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	stamp := c.stamps()
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fault.Invalid("server.tls_cert %s and server.tls_key %s: %w", c.cert, c.key, err)
	}
	c.pair, c.stamp, c.looked = &pair, stamp, time.Now()
	return nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= lookAgain {
		c.looked = now
		c.reload()
	}
	return c.pair, nil
}

func (c *certificate) reload() {
	stamp := c.stamps()
	if stamp == c.stamp {
		return
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		c.log.Warn("the new certificate cannot be used; the old one stays", "error", err)
		return
	}
	c.pair, c.stamp = &pair, stamp
	c.log.Info("certificate read again", "until", pair.Leaf.NotAfter)
}

func (c *certificate) stamps() (s [2]fileStamp) {
	for i, path := range []string{c.cert, c.key} {
		if info, err := os.Stat(path); err == nil {
			s[i] = fileStamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

// observed adds what operators see of the server to its options: health, metrics, limits. jobs says why no background
// work is done, "" is fine; watchers counts live connections.
func (a *App) observed(o api.Options, jobs func() string, watchers func() int) api.Options {
	cfg := a.cfg.Server
	o.Health = (&healthChecker{app: a, jobs: jobs}).check
	o.Limits = api.Limits{Requests: cfg.MaxRequests, Answer: cfg.Timeout, Compress: cfg.Compress}
	if cfg.Metrics != "off" {
		m := a.newMetrics(o.Version, watchers)
		o.Metrics, o.MetricsOpen, o.Observer = m.Handler(), cfg.Metrics == "open", m
	}
	return o
}

// openTraces begins to trace where the configuration says so. It must be called before api.New.
func (a *App) openTraces(ctx context.Context, version string) (stop func(context.Context) error, err error) {
	t := a.cfg.Telemetry
	if t.Traces == "" {
		return func(context.Context) error { return nil }, nil
	}
	door, err := a.door(outbound.Config{Named: []string{t.Traces}, MaxBody: 1 << 20}) // the one by which all connections leave
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: roundTripper(door.Do), Timeout: 10 * time.Second}
	return telemetry.OpenTraces(ctx, telemetry.TraceOptions{Endpoint: t.Traces, Sample: t.Sample, Version: version, Client: client})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
