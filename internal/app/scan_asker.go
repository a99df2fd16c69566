package app

import (
	"context"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/request"
)

// ScansRequest is request.Scans.
type ScansRequest = request.Scans

// asker is the part of an Identity by which a scan's scope is judged when a job conducts it.
type asker struct {
	Kind auth.Kind `json:"kind"`
	Name string    `json:"name"`
	User int64     `json:"user,omitempty"`
	Role auth.Role `json:"role"`
	From string    `json:"from,omitempty"`
}

func askerOf(who auth.Identity) *asker {
	return &asker{Kind: who.Kind, Name: who.Name, User: who.User, Role: who.Role, From: who.From}
}

// identity sees everything: what the asker may see was decided when he asked, and the pipeline must see the whole site.
func (a asker) identity() auth.Identity {
	return auth.Identity{Kind: a.Kind, Name: a.Name, User: a.User, Role: a.Role, From: a.From, View: auth.Everything()}
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
