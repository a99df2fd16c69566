package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
)

// lockUsers is the advisory lock that lets one PostgreSQL transaction change users, sessions and failures at a time, as
// SQLite does by itself.
const lockUsers = 0x70617463_0007

// changeUsers runs fn in a transaction that excludes others of its kind. Lists of findings do not depend on users, so
// there is no new generation.
func (e *Estate) changeUsers(ctx context.Context, fn func(*Tx) error) error {
	return e.quietly(ctx, func(tx *Tx) error {
		if tx.Engine() == Postgres {
			if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(?)`, int64(lockUsers)); err != nil {
				return err
			}
		}
		return fn(tx)
	})
}

const userColumns = `u.id, u.name, u.password, u.role, u.all_sites, u.sites, u.disabled, u.must_change, u.issuer, u.subject, u.created, u.login`

// userRow is where the columns of a user are read into.
type userRow struct {
	user                     auth.User
	allSites, disabled, must int
	sites                    string
	created, login           int64
}

func (r *userRow) into() []any {
	return []any{&r.user.ID, &r.user.Name, &r.user.Password, &r.user.Role, &r.allSites, &r.sites, &r.disabled, &r.must,
		&r.user.Issuer, &r.user.Subject, &r.created, &r.login}
}

func (r *userRow) read() auth.User {
	u := r.user
	u.View, u.Disabled, u.MustChange = viewOf(r.allSites, r.sites), r.disabled == 1, r.must == 1
	u.Created, u.Login = moment(r.created), moment(r.login)
	return u
}

func viewOf(all int, sites string) auth.View {
	if all == 1 {
		return auth.Everything()
	}
	return auth.OfSites(unlist(sites)...)
}

// Users lists users by id, those after one; limit 0 is all.
func (e *Estate) Users(ctx context.Context, after int64, limit int) (users []auth.User, err error) {
	query := `SELECT ` + userColumns + ` FROM account u WHERE u.id > ? ORDER BY u.id`
	if limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", limit)
	}
	err = e.db.view(ctx, func(tx *Tx) error {
		//nolint:sqlclosecheck // eachRow closes them
		rows, err := tx.Query(ctx, query, after)
		if err != nil {
			return err
		}
		return eachRow(rows, func() error {
			var r userRow
			err := rows.Scan(r.into()...)
			users = append(users, r.read())
			return err
		})
	})
	return users, err
}

// User returns a user, fault.NotFound when there is none with that id.
func (e *Estate) User(ctx context.Context, id int64) (auth.User, error) {
	return e.oneUser(ctx, fmt.Sprintf("there is no user %d", id), `u.id = ?`, id)
}

// UserByName returns the user with a name as auth.UserName spells it.
func (e *Estate) UserByName(ctx context.Context, name string) (auth.User, error) {
	return e.oneUser(ctx, fmt.Sprintf("there is no user %s", name), `u.name = ?`, name)
}

// UserBySubject returns the user whom an OpenID provider knows.
func (e *Estate) UserBySubject(ctx context.Context, issuer, subject string) (auth.User, error) {
	return e.oneUser(ctx, "there is no such user", `u.issuer = ? AND u.subject = ? AND u.issuer <> ''`, issuer, subject)
}

func (e *Estate) oneUser(ctx context.Context, absent, where string, args ...any) (u auth.User, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		u, err = userWhere(ctx, tx, absent, where, args...)
		return err
	})
	return u, err
}

func userWhere(ctx context.Context, tx *Tx, absent, where string, args ...any) (auth.User, error) {
	var r userRow
	err := tx.QueryRow(ctx, `SELECT `+userColumns+` FROM account u WHERE `+where, args...).Scan(r.into()...)
	if errors.Is(err, sql.ErrNoRows) {
		return auth.User{}, fault.NotFound("%s", absent)
	}
	return r.read(), err
}

// AddFirstUser adds a user when there is none at all.
func (e *Estate) AddFirstUser(ctx context.Context, u auth.User) (added bool, err error) {
	err = e.changeUsers(ctx, func(tx *Tx) error {
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM account`).Scan(&n); err != nil {
			return err
		}
		added = n == 0
		if !added {
			return nil
		}
		_, err := insertUser(ctx, tx, u)
		return err
	})
	return added, err
}

// AddUser adds a user. fault.Conflict says that the name, or the subject of the provider, is taken.
func (e *Estate) AddUser(ctx context.Context, u auth.User) (id int64, err error) {
	err = e.changeUsers(ctx, func(tx *Tx) error {
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM account WHERE name = ? OR issuer = ? AND subject = ? AND issuer <> ''`,
			u.Name, u.Issuer, u.Subject).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return fault.Conflict("user %s exists already", u.Name)
		}
		id, err = insertUser(ctx, tx, u)
		return err
	})
	return id, err
}

func insertUser(ctx context.Context, tx *Tx, u auth.User) (id int64, err error) {
	err = tx.QueryRow(ctx, `INSERT INTO account (name, password, role, all_sites, sites, disabled, must_change, issuer, subject, created, login)
		VALUES (`+Marks(11)+`) RETURNING id`, u.Name, u.Password, string(u.Role), truth(u.View.All()), list(u.View.Sites()), truth(u.Disabled),
		truth(u.MustChange), u.Issuer, u.Subject, millis(u.Created), millis(u.Login)).Scan(&id)
	return id, err
}

// ProviderChanged gives a user of an OpenID provider the role and view that the provider's word makes, also to the last admin.
func (e *Estate) ProviderChanged(ctx context.Context, id int64, role auth.Role, view auth.View) (u auth.User, err error) {
	err = e.changeUsers(ctx, func(tx *Tx) error {
		u, err = changeUser(ctx, tx, id, false, e.db.opts.Now(), func(u *auth.User) error {
			u.Role, u.View = role, view
			return nil
		})
		return err
	})
	return u, err
}

// ChangeUser lets change see a user and set its role, view and Disabled. When any of these has changed its sessions end, and
// the tokens of one who is disabled are revoked. fault.Conflict says that no admin would be left.
func (e *Estate) ChangeUser(ctx context.Context, id int64, change func(*auth.User) error) (u auth.User, err error) {
	err = e.changeUsers(ctx, func(tx *Tx) error {
		u, err = changeUser(ctx, tx, id, true, e.db.opts.Now(), change)
		return err
	})
	return u, err
}

func changeUser(ctx context.Context, tx *Tx, id int64, keepAdmin bool, now time.Time, change func(*auth.User) error) (auth.User, error) {
	u, err := userWhere(ctx, tx, fmt.Sprintf("there is no user %d", id), `u.id = ?`, id)
	if err != nil {
		return u, err
	}
	before := u
	if err := change(&u); err != nil {
		return u, err
	}
	if before.Role == u.Role && before.Disabled == u.Disabled && before.View.All() == u.View.All() && slices.Equal(before.View.Sites(), u.View.Sites()) {
		return u, nil
	}
	if err := staysAdmin(ctx, tx, before, !keepAdmin || u.Role == auth.Admin && !u.Disabled); err != nil {
		return before, err
	}
	if _, err := tx.Exec(ctx, `UPDATE account SET role = ?, all_sites = ?, sites = ?, disabled = ? WHERE id = ?`,
		string(u.Role), truth(u.View.All()), list(u.View.Sites()), truth(u.Disabled), id); err != nil {
		return u, err
	}
	if err := endSessions(ctx, tx, id); err != nil || !u.Disabled {
		return u, err
	}
	_, err = tx.Exec(ctx, `UPDATE token SET revoked = ? WHERE account = ? AND revoked = 0`, millis(now), id)
	return u, err
}

// staysAdmin refuses to take the last admin away.
func staysAdmin(ctx context.Context, tx *Tx, u auth.User, stays bool) error {
	if stays || u.Role != auth.Admin || u.Disabled {
		return nil
	}
	var others int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM account WHERE role = ? AND disabled = 0 AND id <> ?`, string(auth.Admin), u.ID).Scan(&others)
	if err == nil && others == 0 {
		err = fault.Conflict("%s is the last admin: make another one first", u.Name)
	}
	return err
}

// RemoveUser removes a user with its sessions and tokens. fault.Conflict says that no admin would be left.
func (e *Estate) RemoveUser(ctx context.Context, id int64) error {
	return e.changeUsers(ctx, func(tx *Tx) error {
		u, err := userWhere(ctx, tx, fmt.Sprintf("there is no user %d", id), `u.id = ?`, id)
		if err != nil {
			return err
		}
		if err := staysAdmin(ctx, tx, u, false); err != nil {
			return err
		}
		if err := leaveViews(ctx, tx, id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM account WHERE id = ?`, id)
		return err
	})
}

// SetPassword replaces a password and ends all the user's sessions.
func (e *Estate) SetPassword(ctx context.Context, user int64, hash string, mustChange bool) error {
	return e.changeUsers(ctx, func(tx *Tx) error {
		res, err := tx.Exec(ctx, `UPDATE account SET password = ?, must_change = ? WHERE id = ?`, hash, truth(mustChange), user)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fault.NotFound("there is no user %d", user))
		}
		return endSessions(ctx, tx, user)
	})
}

// Rehash replaces the hash of a password by another of the same one, unless it has changed.
func (e *Estate) Rehash(ctx context.Context, user int64, old, hash string) error {
	return e.changeUsers(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE account SET password = ? WHERE id = ? AND password = ?`, hash, user, old)
		return err
	})
}

// maxSessions is how many sessions a user may have; with one more the oldest ends.
const maxSessions = 100

// AddSession begins a session of a user who is still as the caller saw him, else added is false. It also forgets sessions
// that have ended.
func (e *Estate) AddSession(ctx context.Context, s auth.SessionRow, u auth.User) (id int64, added bool, err error) {
	err = e.changeUsers(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM session WHERE idle <= ? OR ends <= ?`, millis(s.Created), millis(s.Created)); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `UPDATE account SET login = ? WHERE id = ? AND password = ? AND role = ? AND disabled = 0`,
			millis(s.Created), u.ID, u.Password, string(u.Role))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM session WHERE account = ? AND id NOT IN
			(SELECT id FROM session WHERE account = ? ORDER BY id DESC LIMIT ?)`, u.ID, u.ID, maxSessions-1); err != nil {
			return err
		}
		added = true
		return tx.QueryRow(ctx, `INSERT INTO session (hash, account, created, used, idle, ends, address) VALUES (`+Marks(7)+`) RETURNING id`,
			s.Hash, u.ID, millis(s.Created), millis(s.Used), millis(s.Idle), millis(s.Ends), s.From).Scan(&id)
	})
	return id, added, err
}

// Session returns a session and its user by the hash of its secret; whether it has ended is for the caller to say.
func (e *Estate) Session(ctx context.Context, hash []byte) (s auth.SessionRow, u auth.User, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		var r userRow
		var created, used, idle, ends int64
		err := tx.QueryRow(ctx, `SELECT s.id, s.hash, s.account, s.created, s.used, s.idle, s.ends, s.address, `+userColumns+`
			FROM session s JOIN account u ON u.id = s.account WHERE s.hash = ?`, hash).
			Scan(append([]any{&s.ID, &s.Hash, &s.User, &created, &used, &idle, &ends, &s.From}, r.into()...)...)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("there is no such session")
		}
		s.Created, s.Used, s.Idle, s.Ends = moment(created), moment(used), moment(idle), moment(ends)
		u = r.read()
		return err
	})
	return s, u, err
}

// UseSession says that a session was used and when it ends if it is not used again.
func (e *Estate) UseSession(ctx context.Context, id int64, used, idle time.Time) error {
	return e.quietly(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE session SET used = ?, idle = ? WHERE id = ?`, millis(used), millis(idle), id)
		return err
	})
}

// EndSession ends a session; it is no error when it has ended.
func (e *Estate) EndSession(ctx context.Context, id int64) error {
	return e.changeUsers(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM session WHERE id = ?`, id)
		return err
	})
}

// EndSessions ends all sessions of a user.
func (e *Estate) EndSessions(ctx context.Context, user int64) error {
	return e.changeUsers(ctx, func(tx *Tx) error { return endSessions(ctx, tx, user) })
}

func endSessions(ctx context.Context, tx *Tx, user int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM session WHERE account = ?`, user)
	return err
}

// EndAllLogins ends every session and revokes every token, of workers too: of data that was restored from a backup.
func (e *Estate) EndAllLogins(ctx context.Context) error {
	return e.changeUsers(ctx, func(tx *Tx) error {
		for _, query := range []string{`DELETE FROM session`, `DELETE FROM login_flow`} {
			if _, err := tx.Exec(ctx, query); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE token SET revoked = ? WHERE revoked = 0`, millis(e.db.opts.Now()))
		return err
	})
}

const tokenColumns = `t.id, t.hash, coalesce(t.account, 0), t.name, t.role, t.site, t.all_sites, t.sites, t.scopes, t.created, t.who, t.expires, t.used,
	t.address, t.revoked`

type tokenRow struct {
	token                           auth.APIToken
	all                             int
	sites, scopes                   string
	created, expires, used, revoked int64
}

func (r *tokenRow) into() []any {
	t := &r.token
	return []any{&t.ID, &t.Hash, &t.User, &t.Name, &t.Role, &t.Site, &r.all, &r.sites, &r.scopes, &r.created, &t.By, &r.expires, &r.used, &t.From, &r.revoked}
}

func (r *tokenRow) read() auth.APIToken {
	t := r.token
	t.View, t.Scopes = viewOf(r.all, r.sites), unlist(r.scopes)
	t.Created, t.Expires, t.Used, t.Revoked = moment(r.created), moment(r.expires), moment(r.used), moment(r.revoked)
	return t
}

// maxTokens is how many good tokens a user may have: none that is forgotten is any use, and nobody may fill the table.
const maxTokens = 200

// AddToken keeps a token. A worker's site must exist. fault.Conflict says that the user has too many.
func (e *Estate) AddToken(ctx context.Context, t auth.APIToken) (id int64, err error) {
	owner := sql.NullInt64{Int64: t.User, Valid: t.User != 0}
	err = e.changeUsers(ctx, func(tx *Tx) error {
		var good int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM token WHERE account = ? AND revoked = 0 AND (expires = 0 OR expires > ?)`,
			t.User, millis(t.Created)).Scan(&good); err != nil {
			return err
		}
		if good >= maxTokens {
			return fault.Conflict("%d tokens are good already: revoke those that are of no use any more", good)
		}
		return tx.QueryRow(ctx, `INSERT INTO token (hash, account, name, role, site, all_sites, sites, scopes, created, who, expires, used, address, revoked)
			VALUES (`+Marks(14)+`) RETURNING id`, t.Hash, owner, t.Name, string(t.Role), t.Site, truth(t.View.All()), list(t.View.Sites()),
			list(t.Scopes), millis(t.Created), t.By, millis(t.Expires), 0, "", 0).Scan(&id)
	})
	return id, err
}

// Token returns a token and its owner (the zero User for a worker's) by the hash of its text; whether it is still good is
// for the caller to say.
func (e *Estate) Token(ctx context.Context, hash []byte) (t auth.APIToken, owner auth.User, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		var r tokenRow
		err := tx.QueryRow(ctx, `SELECT `+tokenColumns+` FROM token t WHERE t.hash = ?`, hash).Scan(r.into()...)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("there is no such token")
		}
		if t = r.read(); err != nil || t.User == 0 {
			return err
		}
		owner, err = userWhere(ctx, tx, "there is no such token", `u.id = ?`, t.User)
		t.Owner = owner.Name
		return err
	})
	return t, owner, err
}

// TokenFilter selects tokens; the zero value selects all.
type TokenFilter struct {
	ID, User int64
	After    int64
	Limit    int // 0 is all
}

// Tokens lists tokens by id, revoked ones too.
func (e *Estate) Tokens(ctx context.Context, f TokenFilter) (tokens []auth.APIToken, err error) {
	query, args := `SELECT `+tokenColumns+`, coalesce(u.name, ''), coalesce(u.all_sites, 0), coalesce(u.sites, '[]') FROM token t LEFT JOIN account u ON u.id = t.account WHERE t.id > ?`, []any{f.After}
	if f.ID != 0 {
		query, args = query+` AND t.id = ?`, append(args, f.ID)
	}
	if f.User != 0 {
		query, args = query+` AND t.account = ?`, append(args, f.User)
	}
	query += ` ORDER BY t.id`
	if f.Limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", f.Limit)
	}
	err = e.db.view(ctx, func(tx *Tx) error {
		//nolint:sqlclosecheck // eachRow closes them
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		return eachRow(rows, func() error {
			var r tokenRow
			all, sites := 0, ""
			err := rows.Scan(append(r.into(), &r.token.Owner, &all, &sites)...)
			t := r.read()
			t.Sees = t.View.Within(viewOf(all, sites))
			tokens = append(tokens, t)
			return err
		})
	})
	return tokens, err
}

// UseToken says that a token was used, and from where.
func (e *Estate) UseToken(ctx context.Context, id int64, used time.Time, from string) error {
	return e.quietly(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE token SET used = ?, address = ? WHERE id = ?`, millis(used), from, id)
		return err
	})
}

// RevokeToken makes a token useless. Revoking it again changes nothing.
func (e *Estate) RevokeToken(ctx context.Context, id int64) error {
	return e.changeUsers(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE token SET revoked = ? WHERE id = ? AND revoked = 0`, millis(e.db.opts.Now()), id)
		return err
	})
}

// WorkerSites names the sites that have a worker's token that can be used.
func (e *Estate) WorkerSites(ctx context.Context) (sites []string, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		//nolint:sqlclosecheck // eachRow closes them
		rows, err := tx.Query(ctx, `SELECT DISTINCT site FROM token WHERE site <> '' AND role = ? AND revoked = 0 AND (expires = 0 OR expires > ?) ORDER BY site`,
			string(auth.Worker), millis(e.db.opts.Now()))
		if err != nil {
			return err
		}
		return eachRow(rows, func() error {
			var site string
			err := rows.Scan(&site)
			sites = append(sites, site)
			return err
		})
	})
	return sites, err
}

// ChangeFailures lets change see and replace what is known of failed logins under keys. It returns as many as it changed,
// in the same order; the zero value forgets.
func (e *Estate) ChangeFailures(ctx context.Context, keys [][]byte, change func([]auth.Failures) []auth.Failures) error {
	return e.changeUsers(ctx, func(tx *Tx) error {
		known := make([]auth.Failures, len(keys))
		for i, key := range keys {
			var last, wait int64
			err := tx.QueryRow(ctx, `SELECT failures, last, wait FROM login_failure WHERE hash = ?`, key).Scan(&known[i].Count, &last, &wait)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			known[i].Last, known[i].Wait = moment(last), moment(wait)
		}
		for i, f := range change(known) {
			query, args := `INSERT INTO login_failure (hash, failures, last, wait) VALUES (?, ?, ?, ?)
				ON CONFLICT (hash) DO UPDATE SET failures = excluded.failures, last = excluded.last, wait = excluded.wait`,
				[]any{keys[i], f.Count, millis(f.Last), millis(f.Wait)}
			if f == (auth.Failures{}) {
				query, args = `DELETE FROM login_failure WHERE hash = ?`, args[:1]
			}
			if _, err := tx.Exec(ctx, query, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Flow is a login with an OpenID provider that is under way.
type Flow struct {
	State    []byte // Digest of the state that the provider gives back
	Browser  []byte // Digest of the cookie of the browser that began it
	Nonce    string
	Verifier string // of PKCE
	Target   string // the page to show afterwards
	Ends     time.Time
}

// AddFlow keeps a login that begins, and forgets those that nobody finished.
func (e *Estate) AddFlow(ctx context.Context, f Flow) error {
	return e.changeUsers(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM login_flow WHERE ends <= ?`, millis(e.db.opts.Now())); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM login_flow`).Scan(&n); err != nil {
			return err
		}
		if n >= maxFlows {
			return fault.Unavailable("too many logins are under way: try again")
		}
		_, err := tx.Exec(ctx, `INSERT INTO login_flow (hash, browser, nonce, verifier, target, ends) VALUES (`+Marks(6)+`)`,
			f.State, f.Browser, f.Nonce, f.Verifier, f.Target, millis(f.Ends))
		return err
	})
}

// maxFlows bounds what strangers can make the database hold.
const maxFlows = 100_000

// TakeFlow returns a login that is under way and forgets it, so that nobody uses it twice; fault.NotFound when there is none.
func (e *Estate) TakeFlow(ctx context.Context, state []byte) (f Flow, err error) {
	err = e.changeUsers(ctx, func(tx *Tx) error {
		var ends int64
		err := tx.QueryRow(ctx, `DELETE FROM login_flow WHERE hash = ? RETURNING hash, browser, nonce, verifier, target, ends`, state).
			Scan(&f.State, &f.Browser, &f.Nonce, &f.Verifier, &f.Target, &ends)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("there is no such login")
		}
		f.Ends = moment(ends)
		return err
	})
	return f, err
}

const auditColumns = `at, who, kind, account, token, address, action, subject, outcome, detail`

// AddAudit adds to the audit trail.
func (e *Estate) AddAudit(ctx context.Context, a auth.Entry) error {
	return e.quietly(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO audit (`+auditColumns+`) VALUES (`+Marks(10)+`)`,
			millis(a.At), a.Who, string(a.Kind), a.User, a.Token, a.From, a.Action, a.Subject, string(a.Outcome), a.Detail)
		return err
	})
}

// Audit lists entries of the audit trail, newest first.
func (e *Estate) Audit(ctx context.Context, f auth.AuditFilter) (entries []auth.Entry, err error) {
	where, args := auditWhere(f)
	query := `SELECT id, ` + auditColumns + ` FROM audit` + where + ` ORDER BY id DESC`
	if f.Limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", f.Limit)
	}
	err = e.db.view(ctx, func(tx *Tx) error {
		//nolint:sqlclosecheck // eachRow closes them
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		return eachRow(rows, func() error {
			var a auth.Entry
			var at int64
			err := rows.Scan(&a.ID, &at, &a.Who, &a.Kind, &a.User, &a.Token, &a.From, &a.Action, &a.Subject, &a.Outcome, &a.Detail)
			a.At = moment(at)
			entries = append(entries, a)
			return err
		})
	})
	return entries, err
}

func auditWhere(f auth.AuditFilter) (string, []any) {
	var conditions []string
	var args []any
	add := func(condition string, values ...any) {
		conditions, args = append(conditions, condition), append(args, values...)
	}
	for column, value := range map[string]string{"who": f.Who, "subject": f.Subject, "address": f.From, "outcome": string(f.Outcome)} {
		if value != "" {
			add(column+` = ?`, value)
		}
	}
	if group, ok := strings.CutSuffix(f.Action, "."); ok {
		add(`action >= ? AND action < ?`, group+".", group+"/") // "/" follows "."
	} else if f.Action != "" {
		add(`action = ?`, f.Action)
	}
	if !f.Since.IsZero() {
		add(`at >= ?`, millis(f.Since))
	}
	if !f.Until.IsZero() {
		add(`at < ?`, millis(f.Until))
	}
	if f.Before > 0 {
		add(`id < ?`, f.Before)
	}
	if conditions == nil {
		return "", nil
	}
	return ` WHERE ` + strings.Join(conditions, ` AND `), args
}

// PurgeLogins forgets sessions and logins that have ended, failed logins that no longer count, and entries of the audit
// trail from before a day. It says how many entries.
func (e *Estate) PurgeLogins(ctx context.Context, before time.Time) (entries int64, err error) {
	now := e.db.opts.Now()
	err = e.changeUsers(ctx, func(tx *Tx) error {
		for _, step := range []struct {
			query string
			arg   int64
		}{
			{`DELETE FROM session WHERE idle <= ?`, millis(now)},
			{`DELETE FROM session WHERE ends <= ?`, millis(now)},
			{`DELETE FROM login_flow WHERE ends <= ?`, millis(now)},
			{`DELETE FROM login_failure WHERE last <= ?`, millis(now.Add(-auth.Remembered))},
		} {
			if _, err := tx.Exec(ctx, step.query, step.arg); err != nil {
				return err
			}
		}
		res, err := tx.Exec(ctx, `DELETE FROM audit WHERE at < ?`, millis(before))
		if err != nil {
			return err
		}
		entries, err = res.RowsAffected()
		return err
	})
	return entries, err
}
