package request

import "time"

// User is a user as an admin makes one. Without a password one is made.
type User struct {
	Name     string
	Password string
	Role     string   // viewer, analyst, admin
	Sites    []string // that the user sees; nil is all
	Keep     bool     // the password need not be changed at the first login
}

// UserChange is what an admin changes of a user. Of what is nil nothing is said.
type UserChange struct {
	Role     *string
	Sites    *[]string // nil inside is all
	Disabled *bool
}

// Token is a token as somebody makes one.
type Token struct {
	Name    string
	User    string   // whose, "" is who asks
	Role    string   // "" is the user's
	Sites   []string // nil is all that the user sees
	Scopes  []string // empty is all that the role may
	Expires time.Time
	Never   bool   // it does not expire
	Site    string // of a worker, which has no user, role or scopes
}

// Audit selects entries of the audit trail.
type Audit struct {
	Who, Action, Subject, From, Outcome string
	Since, Until                        string // days or moments
	Cursor                              string
	Limit                               int
}

// Page is a part of a list.
type Page struct {
	Cursor string
	Limit  int
}
