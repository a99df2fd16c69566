// Package auth says who asks and what they may see and do: users, sessions, tokens, roles, the audit trail. It holds no
// SQL and no HTTP, and never keeps a password, a session or a token in a form that could be used again.
package auth

import (
	"context"
	"slices"
	"time"
)

// Role is what somebody may do. Each role may do what those before it may.
type Role string

// The roles.
const (
	Nobody  Role = ""        // not logged in
	Viewer  Role = "viewer"  // reads
	Analyst Role = "analyst" // scans, imports, triages
	Admin   Role = "admin"   // users, scope, feeds, configuration
	// Worker is the role of a worker in another network: it leases the tasks of its site and does nothing else, so it
	// stands beside the others.
	Worker Role = "worker"
)

// Allows says whether a role may do what needs the other.
func (r Role) Allows(need Role) bool {
	if r == Worker || need == Worker {
		return r == need
	}
	order := []Role{Nobody, Viewer, Analyst, Admin}
	return slices.Contains(order, r) && slices.Index(order, r) >= slices.Index(order, need)
}

// View is the part of the estate that an asker may see: some sites, or all. The zero value sees nothing. It is a value
// and safe for concurrent use.
type View struct {
	all   bool
	sites []string
}

// Everything is the view of the whole estate: of the command line, the pipeline and users without a limit.
func Everything() View { return View{all: true} }

// OfSites is the view of what belongs to the named sites.
func OfSites(sites ...string) View { return View{sites: slices.Clone(sites)} }

// All says whether the view has no limit.
func (v View) All() bool { return v.all }

// Sites are the names of the sites of a limited view; nil sees nothing (unless All).
func (v View) Sites() []string { return v.sites }

// Sees says whether what belongs to a site is in the view.
func (v View) Sees(site string) bool { return v.all || slices.Contains(v.sites, site) }

// Kind is how somebody proved who they are.
type Kind string

// The kinds.
const (
	Anonymous Kind = ""        // nobody did
	Local     Kind = "local"   // the command line on the server itself
	Session   Kind = "session" // a browser's cookie
	Token     Kind = "token"   // an API or worker token
	Off       Kind = "off"     // serve --auth off
	System    Kind = "system"  // the server's own doings: schedules, jobs
)

// Identity is who asks. The zero value is nobody, who may do and see nothing.
type Identity struct {
	Kind  Kind
	Name  string // as scans, triage and the audit trail record it: "anna", "token deploy of anna", "local:root", "system"
	User  int64  // 0 where there is none
	Token int64  // the token's or session's number, 0 where there is none
	Role  Role
	View  View
	Site  string // of a Worker: the one whose tasks it may lease
	From  string // the address that it asks from, "" is this machine's command line
	// Scopes limit a token to some operations: "<tag>:read" or "<tag>:write" (the tags of the API document); empty is
	// all that its role may.
	Scopes []string
	// MustChange says that the password has to be changed before anything else is done.
	MustChange bool
	// Expires is when a session ends in any case, also one that is in use; zero for others.
	Expires time.Time
}

// ForCommand is the identity of the command line on the server, which may and sees everything.
func ForCommand(name string) Identity {
	return Identity{Kind: Local, Name: name, Role: Admin, View: Everything()}
}

// ForSystem is the identity of what the server does by itself.
func ForSystem() Identity {
	return Identity{Kind: System, Name: "system", Role: Admin, View: Everything()}
}

type contextKey struct{}

// With returns a context that carries who asks.
func With(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// From returns who asks, nobody when the context does not say.
func From(ctx context.Context) Identity {
	id, _ := ctx.Value(contextKey{}).(Identity)
	return id
}
