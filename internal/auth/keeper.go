package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// Rows is where users, sessions and tokens are kept. A row that is not there is fault.NotFound. All changes of users,
// sessions and failures happen one after the other, in all processes that share the rows.
type Rows interface {
	// AddFirstUser adds a user when there is none at all.
	AddFirstUser(ctx context.Context, u User) (added bool, err error)
	Users(ctx context.Context, after int64, limit int) ([]User, error)
	User(ctx context.Context, id int64) (User, error)
	UserByName(ctx context.Context, name string) (User, error)
	// SetPassword replaces a password and ends all the user's sessions.
	SetPassword(ctx context.Context, user int64, hash string, mustChange bool) error
	// Rehash replaces the hash of a password by another of the same one, unless it has changed.
	Rehash(ctx context.Context, user int64, old, hash string) error

	// AddSession begins a session of a user who is as the caller saw him (enabled, password and role), else false.
	AddSession(ctx context.Context, s SessionRow, u User) (id int64, added bool, err error)
	Session(ctx context.Context, hash []byte) (SessionRow, User, error)
	UseSession(ctx context.Context, id int64, used, idle time.Time) error
	EndSession(ctx context.Context, id int64) error

	Token(ctx context.Context, hash []byte) (APIToken, User, error)
	UseToken(ctx context.Context, id int64, used time.Time, from string) error

	// ChangeFailures lets change see and replace what is known of failures under keys.
	ChangeFailures(ctx context.Context, keys [][]byte, change func([]Failures) []Failures) error
}

// SessionRow is what is kept of a session.
type SessionRow struct {
	ID      int64
	Hash    []byte // Digest of the cookie's value
	User    int64
	Created time.Time
	Used    time.Time // to the minute
	Idle    time.Time // when it ends unless it is used
	Ends    time.Time // when it ends in any case
	From    string
}

// ErrCredentials is the answer to who could not prove who he is. It does not say which part was wrong.
var ErrCredentials = fault.Denied("name or password is wrong")

// errToken is ErrCredentials for tokens.
var errToken = fmt.Errorf("%w: the token is unknown, expired or revoked", errAnswer)

// errAnswer is what both are.
var errAnswer = fault.Denied("not let in")

// NotIn is an error of NotLetIn with a reason.
func NotIn(reason string) error { return fmt.Errorf("%w: %s", errAnswer, reason) }

// NotLetIn says whether an error means that somebody could not prove who he is, so that he may try otherwise.
func NotLetIn(err error) bool { return errors.Is(err, ErrCredentials) || errors.Is(err, errAnswer) }

// Keeper lets people and programs in. It is safe for concurrent use, also by several processes on the same rows.
type Keeper struct {
	Rows Rows
	Now  func() time.Time
	Log  *slog.Logger
	// Idle is how long a session lasts without being used, Longest how long in any case.
	Idle, Longest time.Duration
}

// Login is a session that has begun. Secret is the cookie's value, known to nobody else.
type Login struct {
	Secret  string
	Expires time.Time
	User    User
	Session int64
}

// touchEvery is how often it is written that a session or token is used.
const touchEvery = time.Minute

// Remembered is how long anything about a login that failed is kept.
const Remembered = knownFor

// knownFor is how long an address from which somebody logged in is spared the limits that are there for strangers.
const knownFor = 30 * 24 * time.Hour

// Login checks a name and a password, and begins a session. ErrCredentials, Throttled, or fault.Unavailable when too many
// passwords are being checked. It takes as long for names that do not exist.
func (k *Keeper) Login(ctx context.Context, name, password, from string) (Login, error) {
	plain, err := UserName(name)
	if err != nil {
		plain = "" // nobody's name: counted and checked like any that is not known
	}
	if err := k.count(ctx, plain, from); err != nil {
		return Login{}, err
	}
	u, err := k.check(ctx, plain, password)
	if err != nil {
		return Login{}, err
	}
	login, err := k.Begin(ctx, u, from)
	if err != nil {
		return Login{}, err
	}
	return login, k.forgive(ctx, plain, from)
}

// check compares a password; whoever may not log in by one is told the same as who does not know it.
func (k *Keeper) check(ctx context.Context, name, password string) (User, error) {
	u, err := k.Rows.UserByName(ctx, name)
	if err != nil && fault.KindOf(err) != fault.KindNotFound {
		return u, err
	}
	same, outdated, err := samePassword(ctx, password, u.Password)
	if err != nil {
		return u, err
	}
	if !same || u.Disabled {
		return u, ErrCredentials
	}
	if outdated {
		hash, err := HashPassword(ctx, password)
		if err != nil {
			return u, err
		}
		if err := k.Rows.Rehash(ctx, u.ID, u.Password, hash); err != nil {
			return u, err
		}
		u.Password = hash
	}
	return u, nil
}

// Begin begins a session of a user who has proved who he is.
func (k *Keeper) Begin(ctx context.Context, u User, from string) (Login, error) {
	now := k.Now().UTC()
	login := Login{Secret: NewSecret(), Expires: now.Add(k.Longest), User: u}
	row := SessionRow{Hash: Digest(login.Secret), User: u.ID, Created: now, Used: now, Idle: now.Add(k.Idle), Ends: login.Expires, From: from}
	id, added, err := k.Rows.AddSession(ctx, row, u)
	if err != nil {
		return Login{}, err
	}
	if !added { // disabled, changed or removed meanwhile
		return Login{}, ErrCredentials
	}
	login.Session = id
	return login, nil
}

// count takes a failure into account before the password is looked at, so that many guesses at once are as slow as one
// after the other; forgive takes it back.
func (k *Keeper) count(ctx context.Context, name, from string) error {
	keys, now := countedFor(name, from), k.Now()
	var wait time.Duration
	err := k.Rows.ChangeFailures(ctx, hashesOf(name, from, keys), func(known []Failures) []Failures {
		judged := keys
		if now.Sub(known[len(keys)].Last) < knownFor {
			judged = keys[:1] // a place that the user comes from: strangers' failures are not his
		}
		if wait = longestWait(known[:len(judged)], now); wait > 0 {
			return nil
		}
		for i := range keys {
			known[i] = keys[i].limit.next(known[i], now)
		}
		return known[:len(keys)]
	})
	if err == nil && wait > 0 {
		err = Throttled{Wait: wait}
	}
	return err
}

func (k *Keeper) forgive(ctx context.Context, name, from string) error {
	keys, now := countedFor(name, from), k.Now()
	return k.Rows.ChangeFailures(ctx, hashesOf(name, from, keys), func(known []Failures) []Failures {
		known[0] = Failures{}
		for i := 1; i < len(keys); i++ { // only this one: whoever has an account must not reset what he guesses at others
			known[i].Count, known[i].Wait = max(0, known[i].Count-1), time.Time{}
		}
		known[len(keys)] = Failures{Last: now}
		return known
	})
}

// hashesOf are the keys, and last the one of where the user comes from.
func hashesOf(name, from string, keys []counted) [][]byte {
	out := make([][]byte, 0, len(keys)+1)
	for _, c := range keys {
		out = append(out, c.hash)
	}
	return append(out, Digest("known\x00"+name+"\x00"+Network(from)))
}

func longestWait(known []Failures, now time.Time) (wait time.Duration) {
	for _, f := range known {
		wait = max(wait, f.Wait.Sub(now))
	}
	return wait
}

// BySession says who asks with a cookie's value. NotLetIn for one that is unknown or has ended.
func (k *Keeper) BySession(ctx context.Context, secret, from string) (Identity, error) {
	if !LooksLikeSecret(secret) {
		return Identity{}, ErrCredentials
	}
	s, u, err := k.Rows.Session(ctx, Digest(secret))
	now := k.Now()
	switch {
	case fault.KindOf(err) == fault.KindNotFound:
		return Identity{}, ErrCredentials
	case err != nil:
		return Identity{}, err
	case u.Disabled || !now.Before(s.Idle) || !now.Before(s.Ends):
		return Identity{}, ErrCredentials
	}
	if now.Sub(s.Used) >= touchEvery {
		k.touched(ctx, k.Rows.UseSession(ctx, s.ID, now, now.Add(k.Idle)))
	}
	id := u.Identity(Session, from)
	id.Token, id.Expires = s.ID, s.Ends
	return id, nil
}

// ByToken says who asks with an API token. NotLetIn for one that is unknown, expired or revoked, and for one whose user is
// disabled.
func (k *Keeper) ByToken(ctx context.Context, token, from string) (Identity, error) {
	if !LooksLikeToken(token) {
		return Identity{}, errToken
	}
	t, owner, err := k.Rows.Token(ctx, Digest(token))
	now := k.Now()
	switch {
	case fault.KindOf(err) == fault.KindNotFound:
		return Identity{}, errToken
	case err != nil:
		return Identity{}, err
	case !t.Valid(now) || owner.Disabled:
		return Identity{}, errToken
	}
	if now.Sub(t.Used) >= touchEvery || t.From != from && now.Sub(t.Used) >= touchEvery/4 {
		k.touched(ctx, k.Rows.UseToken(ctx, t.ID, now, from))
	}
	return t.identity(owner, from), nil
}

// touched: that a use could not be written down is no reason to refuse it; a database that is full still reads.
func (k *Keeper) touched(ctx context.Context, err error) {
	if err != nil && k.Log != nil {
		k.Log.WarnContext(ctx, "the last use of a session or token is not written", "error", err)
	}
}

// ChangePassword replaces who asks' own password, ends all his sessions and begins a new one. Guesses at the present one are
// counted as at login.
func (k *Keeper) ChangePassword(ctx context.Context, who Identity, current, next string) (Login, error) {
	u, err := k.Rows.User(ctx, who.User)
	if err != nil {
		return Login{}, err
	}
	if u.Password == "" {
		return Login{}, fault.Conflict("%s logs in by OpenID Connect and has no password here", u.Name)
	}
	if err := k.count(ctx, u.Name, who.From); err != nil {
		return Login{}, err
	}
	same, _, err := samePassword(ctx, current, u.Password)
	if err != nil {
		return Login{}, err
	}
	if !same {
		return Login{}, fault.InvalidOption("current", ": it is not the present password")
	}
	if err := k.forgive(ctx, u.Name, who.From); err != nil {
		return Login{}, err
	}
	if err := CheckNewPassword(u.Name, next); err != nil {
		return Login{}, err
	}
	if current == next {
		return Login{}, fault.InvalidOption("password", ": it is the present one; choose another")
	}
	hash, err := HashPassword(ctx, next)
	if err != nil {
		return Login{}, err
	}
	if err := k.Rows.SetPassword(ctx, u.ID, hash, false); err != nil {
		return Login{}, err
	}
	u.Password, u.MustChange = hash, false
	return k.Begin(ctx, u, who.From)
}

// FirstUser is the name of the user that the first start makes.
const FirstUser = "admin"

// FirstAdmin makes the first user when there is none, and returns his password, which has to be changed at the first login;
// "" says that there are users. Of several processes one makes him.
func (k *Keeper) FirstAdmin(ctx context.Context) (password string, err error) {
	if some, err := k.Rows.Users(ctx, 0, 1); err != nil || len(some) > 0 {
		return "", err
	}
	password = NewPassword()
	hash, err := HashPassword(ctx, password)
	if err != nil {
		return "", err
	}
	added, err := k.Rows.AddFirstUser(ctx, User{Name: FirstUser, Password: hash, Role: Admin, View: Everything(), MustChange: true, Created: k.Now().UTC()})
	if err != nil || !added {
		return "", err
	}
	return password, nil
}
