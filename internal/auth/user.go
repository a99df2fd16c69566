package auth

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/text/secure/precis"

	"github.com/patchscout/patchscout/internal/fault"
)

// User is somebody who may log in. Times are UTC, zero is never.
type User struct {
	ID       int64
	Name     string // as Name returns it
	Password string // as HashPassword returns it; "" logs in by OpenID Connect only
	Role     Role   // Viewer, Analyst or Admin
	View     View   // an Admin's is Everything
	Disabled bool
	// MustChange says that the password is only good for choosing another.
	MustChange bool
	// Issuer and Subject are who the user is at an OpenID provider, "" for who is none of its.
	Issuer, Subject string
	Created, Login  time.Time
}

// Identity is the user as who asks.
func (u User) Identity(kind Kind, from string) Identity {
	return Identity{Kind: kind, Name: u.Name, User: u.ID, Role: u.Role, View: u.View, From: from, MustChange: u.MustChange}
}

// ByOIDC says whether an OpenID provider says who the user is and what he may do.
func (u User) ByOIDC() bool { return u.Issuer != "" }

// maxName bounds a name, in bytes.
const maxName = 128

// UserName is a name as it is kept and compared: in lower case and one Unicode form (RFC 8265, UsernameCaseMapped), so that
// no two names look alike by their spelling alone. fault.Invalid says what is wrong with it.
func UserName(text string) (string, error) {
	if len(text) > maxName {
		return "", fault.InvalidOption("name", ": want at most %d bytes", maxName)
	}
	name, err := precis.UsernameCaseMapped.String(strings.TrimSpace(text))
	if err != nil || name == "" || len(name) > maxName || strings.ContainsAny(name, ":/\\\"'`<>") || strings.EqualFold(name, "system") || strings.EqualFold(name, "anybody") {
		return "", fault.InvalidOption("name", " %.40q: want letters, digits and signs such as . - _ @, without blanks", text)
	}
	return name, nil
}

// PersonRole reads a role that a user can have.
func PersonRole(text string) (Role, error) {
	if r := Role(text); slices.Contains([]Role{Viewer, Analyst, Admin}, r) {
		return r, nil
	}
	return Nobody, fault.InvalidOption("role", " %.20q: want viewer, analyst or admin", text)
}

// Lesser is the role that may do what both may.
func Lesser(a, b Role) Role {
	if a.Allows(b) {
		return b
	}
	return a
}

// Within is the part of the view that is also in another.
func (v View) Within(other View) View {
	switch {
	case other.all:
		return v
	case v.all:
		return other
	}
	out := View{}
	for _, s := range v.sites {
		if other.Sees(s) {
			out.sites = append(out.sites, s)
		}
	}
	return out
}
