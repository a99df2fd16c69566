package app

import (
	"context"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/request"
)

// ScansRequest is request.Scans.
type ScansRequest = request.Scans

// asker is the part of an Identity by which a job judges what may be scanned and what a report may say: a VEX statement speaks
// of all sites.
type asker struct {
	Kind auth.Kind `json:"kind"`
	Name string    `json:"name"`
	User int64     `json:"user,omitempty"`
	Role auth.Role `json:"role"`
	From string    `json:"from,omitempty"`
	// Limited says that he saw only Sites when he asked; of older jobs it is not known, and what they need he saw.
	Limited bool     `json:"limited,omitempty"`
	Sites   []string `json:"sites,omitempty"`
}

func askerOf(who auth.Identity) *asker {
	return &asker{Kind: who.Kind, Name: who.Name, User: who.User, Role: who.Role, From: who.From, Limited: !who.View.All(), Sites: who.View.Sites()}
}

// identity is the asker as he was when he asked. The pipeline sees everything whoever asks.
func (a asker) identity() auth.Identity {
	who := auth.Identity{Kind: a.Kind, Name: a.Name, User: a.User, Role: a.Role, From: a.From, View: auth.Everything()}
	if a.Limited {
		who.View = auth.OfSites(a.Sites...)
	}
	return who
}

// admit waits for a place among the tools that run on this machine.
func (w *work) admit(ctx context.Context) (release func(), err error) {
	if w.slots == nil {
		return func() {}, nil
	}
	select {
	case w.slots <- struct{}{}:
		return func() { <-w.slots }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (j scanJob) timeout() time.Duration { return time.Duration(j.TimeoutMS) * time.Millisecond }
