package auth

import (
	"regexp"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// APIToken is what is kept of a token: of a program that acts for a user, or of the worker of a site.
type APIToken struct {
	ID      int64
	Hash    []byte // Digest of the token
	User    int64  // whose it is; 0 for a worker's
	Owner   string // the name of that user, as it is read
	Sees    View   // what it sees: View as far as that user sees it today
	Name    string // for people
	Role    Role   // at most the user's, or Worker
	Site    string // of a Worker
	View    View   // at most the user's
	Scopes  []string
	Created time.Time
	By      string
	Expires time.Time // zero is never
	Used    time.Time // to the minute
	From    string    // where it was last used from
	Revoked time.Time
}

// Valid says whether the token can be used.
func (t APIToken) Valid(now time.Time) bool {
	return t.Revoked.IsZero() && (t.Expires.IsZero() || now.Before(t.Expires))
}

// identity is who asks with the token. What its owner may no longer do, it may not either.
func (t APIToken) identity(owner User, from string) Identity {
	if t.Role == Worker {
		return Identity{Kind: Token, Name: "worker " + t.Name, Token: t.ID, Role: Worker, Site: t.Site, From: from}
	}
	return Identity{Kind: Token, Name: "token " + t.Name + " of " + owner.Name, User: owner.ID, Token: t.ID,
		Role: Lesser(owner.Role, t.Role), View: owner.View.Within(t.View), Scopes: t.Scopes, From: from}
}

var scopeForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,40}:(read|write)$`)

// CheckScopes says which scope is not written as one.
func CheckScopes(scopes []string) error {
	for _, s := range scopes {
		if !scopeForm.MatchString(s) {
			return fault.InvalidOption("scopes", " %.40q: want TAG:read or TAG:write, as findings:read", s)
		}
	}
	return nil
}

// MayGrant says why somebody must not hand out a token: it may do no more than who makes it.
func (id Identity) MayGrant(t APIToken) error {
	switch {
	case t.Role == Worker && id.Role != Admin:
		return fault.Denied("only an admin makes tokens for workers")
	case t.Role != Worker && !id.Role.Allows(t.Role):
		return fault.Denied("a token of the role %s needs more than %s", t.Role, id.Role)
	case len(id.Scopes) > 0 && t.Role == Worker:
		return fault.Denied("a token with scopes makes no tokens for workers")
	case len(id.Scopes) > 0 && (len(t.Scopes) == 0 || !subset(t.Scopes, id.Scopes)):
		return fault.Denied("a token with scopes makes only tokens with some of these scopes")
	}
	return nil
}

func subset(some, of []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(of, s) })
}
