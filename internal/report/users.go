package report

import (
	"io"
	"strconv"
	"strings"
	"time"
)

// User is somebody who may log in.
type User struct {
	ID         int64      `json:"id"`
	Name       string     `json:"name"`
	Role       string     `json:"role"`
	AllSites   bool       `json:"all_sites"`
	Sites      []string   `json:"sites"` // those that the user sees, [] with all_sites
	Disabled   bool       `json:"disabled"`
	MustChange bool       `json:"must_change"` // the password has to be changed at the next login
	Login      string     `json:"login"`       // password or oidc: how the user logs in
	CreatedAt  time.Time  `json:"created_at"`
	LastLogin  *time.Time `json:"last_login"`
}

// UserList is a page of users.
type UserList struct {
	Users []User  `json:"users"`
	Next  *string `json:"next"`
}

// UserMade is a user with the password that was made for him, which is shown this once.
type UserMade struct {
	User
	Password Text `json:"password"`
}

// PasswordMade is a password that was made for a user, shown this once; null where he was given a chosen one.
type PasswordMade struct {
	Password Text `json:"password"`
}

// Me is who asks.
type Me struct {
	Name       string     `json:"name"`
	Kind       string     `json:"kind"` // session, token, or off where nobody has to log in
	UserID     *int64     `json:"user_id"`
	Role       string     `json:"role"`
	AllSites   bool       `json:"all_sites"`
	Sites      []string   `json:"sites"`
	Scopes     []string   `json:"scopes"` // of a token; [] is all that the role may
	Site       Text       `json:"site"`   // of a worker
	MustChange bool       `json:"must_change"`
	CSRFToken  Text       `json:"csrf_token"` // of a session: goes into the header X-CSRF-Token of every change
	ExpiresAt  *time.Time `json:"expires_at"` // of a session: when it ends in any case
	AuthOff    bool       `json:"auth_off"`   // warn: everybody who reaches the server is admin
}

// LoginWays are how people can log in.
type LoginWays struct {
	Password bool `json:"password"`
	OIDC     Text `json:"oidc"` // what to write on the button, null where there is no provider
	AuthOff  bool `json:"auth_off"`
	Fresh    bool `json:"fresh" doc:"nobody has ever logged in here"`
}

// Token is what is known of an API token; the token itself was shown when it was made.
type Token struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	User      Text       `json:"user"` // null for a worker's
	Role      string     `json:"role"`
	Site      Text       `json:"site"`      // of a worker
	AllSites  bool       `json:"all_sites"` // it sees all, since its user does
	Sites     []string   `json:"sites"`     // those that it sees, [] with all_sites
	Scopes    []string   `json:"scopes"`
	CreatedAt time.Time  `json:"created_at"`
	By        string     `json:"by"`
	ExpiresAt *time.Time `json:"expires_at"`
	LastUsed  *time.Time `json:"last_used"`
	LastFrom  Text       `json:"last_from"`
	RevokedAt *time.Time `json:"revoked_at"`
	State     string     `json:"state"` // valid, expired, revoked
}

// TokenList is a page of tokens.
type TokenList struct {
	Tokens []Token `json:"tokens"`
	Next   *string `json:"next"`
}

// TokenMade is a token as it is shown once.
type TokenMade struct {
	Token
	Secret string `json:"token"`
}

// AuditEntry is one line of the audit trail.
type AuditEntry struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	Who     string    `json:"who"`
	Kind    Text      `json:"kind"`
	UserID  *int64    `json:"user_id"`
	TokenID *int64    `json:"token_id"`
	From    Text      `json:"from"`
	Action  string    `json:"action"`
	Subject Text      `json:"subject"`
	Outcome string    `json:"outcome"`
	Detail  Text      `json:"detail"`
}

// AuditList is a page of the audit trail, newest first.
type AuditList struct {
	Entries []AuditEntry `json:"entries"`
	Next    *string      `json:"next"`
}

// UserTable lists users.
func UserTable(w io.Writer, users []User, t Terminal) error {
	g := &grid{columns: []column{{Title: "ID"}, {Title: "NAME"}, {Title: "ROLE"}, {Title: "SEES", Flex: 20}, {Title: "STATE"}, {Title: "LOGIN"}, {Title: "LAST LOGIN"}}}
	for _, u := range users {
		g.add(plainCells(strconv.FormatInt(u.ID, 10), u.Name, u.Role, seen(u.AllSites, u.Sites), userState(u), u.Login, minute(u.LastLogin, "never"))...)
	}
	return g.draw(w, t)
}

func userState(u User) string {
	switch {
	case u.Disabled:
		return "disabled"
	case u.MustChange:
		return "must change password"
	}
	return "active"
}

// TokenTable lists tokens.
func TokenTable(w io.Writer, tokens []Token, t Terminal) error {
	g := &grid{columns: []column{{Title: "ID"}, {Title: "NAME"}, {Title: "OF"}, {Title: "ROLE"}, {Title: "MAY", Flex: 20}, {Title: "STATE"}, {Title: "EXPIRES"}, {Title: "LAST USED"}}}
	for _, k := range tokens {
		of, may := string(k.User), seen(k.AllSites, k.Sites)
		if k.AllSites {
			may = "all that its user sees"
		}
		if k.Site != "" {
			of, may = "a worker", "tasks of site "+string(k.Site)
		}
		if len(k.Scopes) > 0 {
			may += "; " + strings.Join(k.Scopes, ", ")
		}
		g.add(plainCells(strconv.FormatInt(k.ID, 10), k.Name, of, k.Role, may, k.State, minute(k.ExpiresAt, "never"), minute(k.LastUsed, "never"))...)
	}
	return g.draw(w, t)
}

// AuditTable lists entries of the audit trail.
func AuditTable(w io.Writer, entries []AuditEntry, t Terminal) error {
	g := &grid{columns: []column{{Title: "AT"}, {Title: "WHO"}, {Title: "FROM"}, {Title: "ACTION"}, {Title: "WHAT", Flex: 20}, {Title: "OUTCOME"}, {Title: "DETAIL", Flex: 20}}}
	for _, e := range entries {
		g.add(plainCells(e.At.UTC().Format(time.DateTime), e.Who, string(e.From), e.Action, string(e.Subject), e.Outcome, string(e.Detail))...)
	}
	return g.draw(w, t)
}

func seen(all bool, sites []string) string {
	switch {
	case all:
		return "all sites"
	case len(sites) == 0:
		return "nothing"
	}
	return strings.Join(sites, ", ")
}

func minute(t *time.Time, never string) string {
	if t == nil {
		return never
	}
	return t.UTC().Format("2006-01-02 15:04")
}
