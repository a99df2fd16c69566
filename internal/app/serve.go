package app

import (
	"context"
	"errors"
	"net/http"

	"github.com/patchscout/patchscout/internal/api"
	"github.com/patchscout/patchscout/internal/auth"
	pages "github.com/patchscout/patchscout/web"
)

// ServeOptions say how to serve beside the configuration.
type ServeOptions struct {
	Version string
	// First is called with the first user and the password that was made, on the first start only.
	First func(name, password string)
	// Ready is called once, with the server's URL on this machine, when requests are answered.
	Ready func(url string)
}

// Serve answers the API until ctx ends, then lets what runs come to an end.
func (a *App) Serve(ctx context.Context, opts ServeOptions) error {
	options := api.Options{
		Version: opts.Version, Log: a.log, Now: a.now, BasePath: a.cfg.Server.BasePath,
		UI: pages.Files(), Desk: func(who auth.Identity) api.Desk { return a.For(who) },
	}
	if err := a.protect(&options); err != nil {
		return err
	}
	release, err := a.store.Serving(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := a.store.Init(ctx); err != nil {
		return err
	}
	web, err := a.listen() // before anything that is done or said once
	if err != nil {
		return err
	}
	defer web.close()
	if err := a.welcome(ctx, opts.First); err != nil {
		return err
	}
	stopTraces, err := a.openTraces(ctx, opts.Version)
	if err != nil {
		return err
	}
	work, err := a.startBackground(ctx, duties{version: opts.Version, schedules: true, starter: true})
	if err != nil {
		return errors.Join(err, stopTraces(ctx))
	}
	grace := a.cfg.Server.Grace
	err = a.answer(ctx, web, api.New(a.observed(options, work.trouble, a.hub.Watchers)).Handler(), opts.Ready)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return errors.Join(err, work.stop(limited), stopTraces(limited))
}

// answer serves requests until ctx ends.
func (a *App) answer(ctx context.Context, web *web, handler http.Handler, ready func(url string)) error {
	web.server.Handler = handler
	if ready != nil {
		ready(web.URL() + a.cfg.Server.BasePath)
	}
	return web.serve(ctx, a.cfg.Server.Grace, func() {
		a.hub.Dismiss()
		a.tools.close() // workers that wait for a job are told that there is none
	})
}
