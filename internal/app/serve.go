package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/patchscout/patchscout/internal/api"
	"github.com/patchscout/patchscout/internal/auth"
)

// shutdownGrace is how long open requests and running jobs have when the server is to stop.
const shutdownGrace = 20 * time.Second

// ServeOptions say how to serve beside the configuration.
type ServeOptions struct {
	Version string
	// Ready is called once, with the address, when requests are answered.
	Ready func(addr net.Addr)
}

// Serve answers the API until ctx ends, then lets what runs come to an end.
func (a *App) Serve(ctx context.Context, opts ServeOptions) error {
	server := api.New(api.Options{
		Version: opts.Version, Log: a.log, Now: a.now, BasePath: a.cfg.Server.BasePath,
		Desk:         func(who auth.Identity) api.Desk { return a.For(who) },
		Authenticate: a.authenticate,
	})
	listener, err := net.Listen("tcp", a.cfg.Server.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	web := &http.Server{
		Handler: server.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	if opts.Ready != nil {
		opts.Ready(listener.Addr())
	}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	err = web.Shutdown(grace)
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// authenticate says who asks.
func (a *App) authenticate(r *http.Request) (auth.Identity, error) {
	if a.cfg.Server.Auth == "off" {
		return auth.Identity{Kind: auth.Off, Name: "anybody", Role: auth.Admin, View: auth.Everything(), From: r.RemoteAddr}, nil
	}
	return auth.Identity{}, nil
}
