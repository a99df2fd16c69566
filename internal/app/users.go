package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/api"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/store"
)

// The requests of users and tokens.
type (
	UserRequest       = request.User
	UserChangeRequest = request.UserChange
	TokenRequest      = request.Token
	PageRequest       = request.Page
)

func (a *App) keeper() *auth.Keeper {
	return &auth.Keeper{Rows: a.store.Estate(), Now: a.now, Log: a.log, Idle: a.cfg.Server.SessionIdle, Longest: a.cfg.Server.SessionMax}
}

// protect fills in the options of the API that say who may come in, and how.
func (a *App) protect(opts *api.Options) error {
	server := a.cfg.Server
	open := server.Auth == "off"
	browser := &api.Browser{Listen: server.Listen, Hosts: server.Hosts, CORSOrigins: server.CORSOrigins, Open: open, StrangersPerMinute: server.StrangerRate}
	for _, text := range server.TrustedProxies {
		network, err := config.ParseNetwork(text)
		if err != nil {
			return err
		}
		browser.TrustedProxies = append(browser.TrustedProxies, network)
	}
	opts.Browser, opts.Record, opts.Authenticate = browser, a.record, api.Authenticate(a.keeper(), open)
	return nil
}

// Authenticate says who sends a request, as the server does.
func (a *App) Authenticate(r *http.Request) (auth.Identity, error) {
	return api.Authenticate(a.keeper(), a.cfg.Server.Auth == "off")(r)
}

// welcome makes the first user on the first start and tells his password.
func (a *App) welcome(ctx context.Context, tell func(name, password string)) error {
	if a.cfg.Server.Auth == "off" || tell == nil {
		return nil
	}
	password, err := a.FirstAdmin(ctx)
	if err == nil && password != "" {
		tell(auth.FirstUser, password)
	}
	return err
}

// FirstAdmin makes the user admin when there is no user at all, and returns the password, to be shown once and changed at
// the first login; "" says that there are users.
func (a *App) FirstAdmin(ctx context.Context) (password string, err error) {
	password, err = a.keeper().FirstAdmin(ctx)
	if err == nil && password != "" {
		a.auditAs(ctx, auth.ForSystem(), "user.add", "user "+auth.FirstUser, "first start: role admin", auth.Done)
	}
	return password, err
}

// Login begins a session of the user with a name and a password.
func (a *App) Login(ctx context.Context, name, password string) (auth.Login, error) {
	if a.who.Kind == auth.Off {
		return auth.Login{}, fault.Conflict("nobody has to log in: the server runs with --auth off")
	}
	login, err := a.keeper().Login(ctx, name, password, a.who.From)
	if err != nil {
		a.auditAs(ctx, a.who, "login", a.knownName(ctx, name), err.Error(), auth.Refused)
		return login, err
	}
	a.auditAs(ctx, login.User.Identity(auth.Session, a.who.From), "login", "user "+login.User.Name, "by password", auth.Done)
	return login, nil
}

// knownName names a user. What else was typed stays out of the trail: it may be somebody's password.
func (a *App) knownName(ctx context.Context, text string) string {
	if name, err := auth.UserName(text); err == nil {
		if u, err := a.store.Estate().UserByName(ctx, name); err == nil {
			return "user " + u.Name
		}
	}
	return "a name that nobody has"
}

// Logout ends the asker's session.
func (a *App) Logout(ctx context.Context) error {
	if a.who.Kind != auth.Session {
		return nil
	}
	err := a.store.Estate().EndSession(ctx, a.who.Token)
	a.auditEnd(ctx, "logout", "user "+a.who.Name, "", err)
	return err
}

// Me says who asks.
func (a *App) Me(context.Context) (report.Me, error) { return api.ReportMe(a.who), nil }

// LoginWays says how people can log in.
func (a *App) LoginWays(ctx context.Context) (report.LoginWays, error) {
	ways := report.LoginWays{Password: a.cfg.Server.Auth != "off", AuthOff: a.cfg.Server.Auth == "off"}
	if a.cfg.OIDC.Issuer != "" && ways.Password {
		ways.OIDC = report.Text(a.cfg.OIDC.Name)
	}
	if ways.AuthOff {
		return ways, nil
	}
	var err error
	ways.Fresh, err = a.store.Estate().NobodyEver(ctx)
	return ways, err
}

// ChangePassword changes the asker's own password and begins a new session.
func (a *App) ChangePassword(ctx context.Context, current, next string) (auth.Login, error) {
	if a.who.User == 0 {
		return auth.Login{}, fault.Conflict("%s is no user and has no password", a.who.Name)
	}
	login, err := a.keeper().ChangePassword(ctx, a.who, current, next)
	a.auditEnd(ctx, "user.password", "user "+a.userName(ctx), "one's own", err)
	return login, err
}

// userName is the user's behind a session or token.
func (a *App) userName(ctx context.Context) string {
	u, err := a.store.Estate().User(ctx, a.who.User)
	if err != nil {
		return a.who.Name
	}
	return u.Name
}

// Users lists users by their numbers.
func (a *App) Users(ctx context.Context, page PageRequest) (report.UserList, error) {
	list := report.UserList{Users: []report.User{}}
	after, err := parseCursor(page.Cursor)
	if err != nil {
		return list, err
	}
	limit := pageSize(page.Limit)
	users, err := a.store.Estate().Users(ctx, after, limit+1)
	for _, u := range users[:min(limit, len(users))] {
		list.Users = append(list.Users, toUser(u))
	}
	if len(users) > limit {
		list.Next = cursorOf(users[limit-1].ID)
	}
	return list, err
}

func toUser(u auth.User) report.User {
	out := report.User{ID: u.ID, Name: u.Name, Role: string(u.Role), AllSites: u.View.All(), Sites: notNil(u.View.Sites()), Disabled: u.Disabled,
		MustChange: u.MustChange, Login: "password", CreatedAt: u.Created, LastLogin: pointer(u.Login)}
	if u.ByOIDC() {
		out.Login = "oidc"
	}
	return out
}

// User shows a user.
func (a *App) User(ctx context.Context, id int64) (report.User, error) {
	u, err := a.store.Estate().User(ctx, id)
	return toUser(u), err
}

// UserNamed shows the user with a name.
func (a *App) UserNamed(ctx context.Context, text string) (report.User, error) {
	name, err := auth.UserName(text)
	if err != nil {
		return report.User{}, err
	}
	u, err := a.store.Estate().UserByName(ctx, name)
	return toUser(u), err
}

// AddUser adds a user, with a password that is made where none is given.
func (a *App) AddUser(ctx context.Context, req UserRequest) (made report.UserMade, err error) {
	u := auth.User{MustChange: !req.Keep, Created: a.now().UTC()}
	if u.Name, err = auth.UserName(req.Name); err != nil {
		return made, err
	}
	if u.Role, err = auth.PersonRole(req.Role); err != nil {
		return made, err
	}
	if u.View, err = a.viewFor(ctx, u.Role, req.Sites); err != nil {
		return made, err
	}
	shown, err := a.newPassword(ctx, &u, req.Password)
	if err != nil {
		return made, err
	}
	u.ID, err = a.store.Estate().AddUser(ctx, u)
	a.auditEnd(ctx, "user.add", "user "+u.Name, describeUser(u), err)
	return report.UserMade{User: toUser(u), Password: report.Text(shown)}, err
}

// newPassword gives a user a password: the chosen one, or one that is made, which is returned to be shown.
func (a *App) newPassword(ctx context.Context, u *auth.User, chosen string) (shown string, err error) {
	password := chosen
	if chosen == "" {
		password = auth.NewPassword()
		shown = password
	} else if err := auth.CheckNewPassword(u.Name, chosen); err != nil {
		return "", err
	}
	u.Password, err = auth.HashPassword(ctx, password)
	return shown, err
}

// viewFor is the view of a user: sites must exist, nil is all. An admin sees everything, since he could give it to himself.
func (a *App) viewFor(ctx context.Context, role auth.Role, sites []string) (auth.View, error) {
	if sites == nil || role == auth.Admin {
		return auth.Everything(), nil
	}
	for _, site := range sites {
		if _, err := a.store.Estate().Site(ctx, a.who.View, site); err != nil {
			return auth.View{}, fault.InvalidOption("sites", ": %s", err.Error())
		}
	}
	return auth.OfSites(sites...), nil
}

func describeUser(u auth.User) string {
	text := "role " + string(u.Role) + ", sees " + describeView(u.View)
	if u.Disabled {
		text += ", disabled"
	}
	return text
}

func describeView(v auth.View) string {
	switch {
	case v.All():
		return "all sites"
	case len(v.Sites()) == 0:
		return "nothing"
	}
	return strings.Join(v.Sites(), ", ")
}

// ChangeUser changes what a user may and sees. A change ends the user's sessions; one who is disabled loses his tokens.
func (a *App) ChangeUser(ctx context.Context, id int64, req UserChangeRequest) (report.User, error) {
	known, err := a.store.Estate().User(ctx, id)
	if err != nil {
		return report.User{}, err
	}
	role := known.Role
	if req.Role != nil {
		if role, err = auth.PersonRole(*req.Role); err != nil {
			return report.User{}, err
		}
	}
	view := known.View
	if req.Sites != nil {
		view, err = a.viewFor(ctx, role, *req.Sites)
	} else if role == auth.Admin {
		view = auth.Everything()
	}
	if err != nil {
		return report.User{}, err
	}
	u, err := a.store.Estate().ChangeUser(ctx, id, func(u *auth.User) error {
		u.Role, u.View = role, view
		if req.Disabled != nil {
			u.Disabled = *req.Disabled
		}
		return nil
	})
	a.auditEnd(ctx, "user.change", "user "+known.Name, describeUser(known)+" → "+describeUser(u), err)
	return toUser(u), err
}

// ResetPassword gives a user a password that has to be changed at the next login, and ends his sessions.
func (a *App) ResetPassword(ctx context.Context, id int64, password string) (made report.PasswordMade, err error) {
	u, err := a.store.Estate().User(ctx, id)
	if err != nil {
		return made, err
	}
	if u.ByOIDC() {
		return made, fault.Conflict("%s logs in by OpenID Connect and has no password here", u.Name)
	}
	shown, err := a.newPassword(ctx, &u, password)
	if err != nil {
		return made, err
	}
	err = a.store.Estate().SetPassword(ctx, id, u.Password, true)
	a.auditEnd(ctx, "user.password", "user "+u.Name, "reset", err)
	return report.PasswordMade{Password: report.Text(shown)}, err
}

// EndSessions ends all sessions of a user.
func (a *App) EndSessions(ctx context.Context, id int64) error {
	u, err := a.store.Estate().User(ctx, id)
	if err != nil {
		return err
	}
	err = a.store.Estate().EndSessions(ctx, id)
	a.auditEnd(ctx, "user.logout", "user "+u.Name, "all sessions ended", err)
	return err
}

// RemoveUser removes a user with its sessions and tokens; the last admin stays.
func (a *App) RemoveUser(ctx context.Context, id int64) error {
	u, err := a.store.Estate().User(ctx, id)
	if err != nil {
		return err
	}
	err = a.store.Estate().RemoveUser(ctx, id)
	a.auditEnd(ctx, "user.remove", "user "+u.Name, "", err)
	return err
}

// Tokens lists the asker's own tokens; an admin's list has all.
func (a *App) Tokens(ctx context.Context, page PageRequest) (report.TokenList, error) {
	list := report.TokenList{Tokens: []report.Token{}}
	after, err := parseCursor(page.Cursor)
	if err != nil {
		return list, err
	}
	limit := pageSize(page.Limit)
	filter := store.TokenFilter{After: after, Limit: limit + 1}
	if a.who.Role != auth.Admin {
		filter.User = a.who.User
	}
	tokens, err := a.store.Estate().Tokens(ctx, filter)
	for _, t := range tokens[:min(limit, len(tokens))] {
		list.Tokens = append(list.Tokens, a.toToken(t))
	}
	if len(tokens) > limit {
		list.Next = cursorOf(tokens[limit-1].ID)
	}
	return list, err
}

func (a *App) toToken(t auth.APIToken) report.Token {
	out := report.Token{ID: t.ID, Name: t.Name, User: report.Text(t.Owner), Role: string(t.Role), Site: report.Text(t.Site), AllSites: t.Sees.All(),
		Sites: notNil(t.Sees.Sites()), Scopes: notNil(t.Scopes), CreatedAt: t.Created, By: t.By, ExpiresAt: pointer(t.Expires), LastUsed: pointer(t.Used),
		LastFrom: report.Text(t.From), RevokedAt: pointer(t.Revoked), State: "valid"}
	switch {
	case !t.Revoked.IsZero():
		out.State = "revoked"
	case !t.Valid(a.now()):
		out.State = "expired"
	}
	return out
}

// tokenLasts is how long a token lasts where nothing is said; a worker's lasts until it is revoked.
const tokenLasts = 90 * 24 * time.Hour

// CreateToken makes a token, which is shown once. It may do no more than the asker and than the user whose it is.
func (a *App) CreateToken(ctx context.Context, req TokenRequest) (made report.TokenMade, err error) {
	t := auth.APIToken{Name: strings.TrimSpace(req.Name), Created: a.now().UTC().Truncate(time.Millisecond), By: a.who.Name, Role: auth.Role(req.Role), Scopes: req.Scopes}
	if t.Name == "" || len(t.Name) > 100 {
		return made, fault.InvalidOption("name", ": say in 1 to 100 bytes what the token is for")
	}
	if t.Expires, err = a.expiry(ctx, req); err != nil {
		return made, err
	}
	if t.Role == auth.Worker {
		err = a.workerToken(ctx, req, &t)
	} else {
		err = a.personToken(ctx, req, &t)
	}
	if err == nil {
		err = a.who.MayGrant(t)
	}
	if err != nil {
		return made, err
	}
	var secret string
	secret, t.Hash = auth.NewToken()
	t.ID, err = a.store.Estate().AddToken(ctx, t)
	a.auditEnd(ctx, "token.create", fmt.Sprintf("token %d", t.ID), describeToken(t), err)
	return report.TokenMade{Token: a.toToken(t), Secret: secret}, err
}

// expiry is when a new token ends: not after the one with which it is made.
func (a *App) expiry(ctx context.Context, req TokenRequest) (time.Time, error) {
	at := req.Expires.UTC()
	switch {
	case !req.Expires.IsZero() && !req.Expires.After(a.now()):
		return at, fault.InvalidOption("expires_at", ": it is over")
	case req.Never || req.Expires.IsZero() && req.Role == string(auth.Worker):
		at = time.Time{}
	case req.Expires.IsZero():
		at = a.now().UTC().Add(tokenLasts)
	}
	if a.who.Kind != auth.Token {
		return at, nil
	}
	own, err := a.store.Estate().Tokens(ctx, store.TokenFilter{ID: a.who.Token})
	if err != nil || len(own) == 0 || own[0].Expires.IsZero() {
		return at, err
	}
	if at.IsZero() || at.After(own[0].Expires) {
		at = own[0].Expires
	}
	return at, nil
}

func (a *App) workerToken(ctx context.Context, req TokenRequest, t *auth.APIToken) error {
	if req.User != "" || len(req.Scopes) > 0 || len(req.Sites) > 0 {
		return fault.InvalidOption("role", " worker: it has a site, and no user, sites or scopes")
	}
	if req.Site == "" {
		return fault.InvalidOption("site", ": a worker leases the tasks of one site")
	}
	site, err := a.store.Estate().Site(ctx, a.who.View, req.Site)
	t.Site = site.Name
	return err
}

func (a *App) personToken(ctx context.Context, req TokenRequest, t *auth.APIToken) error {
	if req.Site != "" {
		return fault.InvalidOption("site", ": only a worker's token has one; sites limit what another sees")
	}
	u, err := a.tokenUser(ctx, req.User)
	if err != nil {
		return err
	}
	t.User, t.Owner = u.ID, u.Name
	if t.Role == auth.Nobody {
		t.Role = auth.Lesser(u.Role, a.who.Role)
	}
	if _, err := auth.PersonRole(string(t.Role)); err != nil {
		return err
	}
	if !u.Role.Allows(t.Role) {
		return fault.Denied("%s is %s: a token of the role %s would do more", u.Name, u.Role, t.Role)
	}
	if err := auth.CheckScopes(t.Scopes); err != nil {
		return err
	}
	t.View = auth.Everything()
	if req.Sites != nil {
		if t.View, err = a.viewFor(ctx, auth.Viewer, req.Sites); err != nil {
			return err
		}
	}
	if a.who.Kind == auth.Token { // no more than the token with which it is made
		t.View = t.View.Within(a.who.View)
	}
	t.Sees = t.View.Within(u.View)
	return nil
}

// tokenUser is whose a token is to be: the asker's, or, by an admin, somebody else's. The command line has no user and means
// the first one.
func (a *App) tokenUser(ctx context.Context, text string) (auth.User, error) {
	if text == "" && a.who.User != 0 {
		return a.store.Estate().User(ctx, a.who.User)
	}
	if text == "" {
		text = auth.FirstUser
	}
	name, err := auth.UserName(text)
	if err != nil {
		return auth.User{}, err
	}
	u, err := a.store.Estate().UserByName(ctx, name)
	switch {
	case a.who.Role != auth.Admin && (err != nil || u.ID != a.who.User):
		return u, fault.Denied("only an admin makes tokens of others")
	case fault.KindOf(err) == fault.KindNotFound:
		return u, fault.InvalidOption("user", " %s: there is no such user", name)
	case err == nil && u.Disabled:
		return u, fault.Conflict("user %s is disabled", u.Name)
	}
	return u, err
}

func describeToken(t auth.APIToken) string {
	text := fmt.Sprintf("%q, role %s", t.Name, t.Role)
	if t.Role == auth.Worker {
		return text + " of site " + t.Site
	}
	text += ", of " + t.Owner + ", sees " + describeView(t.Sees)
	if len(t.Scopes) > 0 {
		text += ", may " + strings.Join(t.Scopes, " ")
	}
	return text
}

// RevokeToken makes a token useless: one's own, or, by an admin, anybody's.
func (a *App) RevokeToken(ctx context.Context, id int64) error {
	tokens, err := a.store.Estate().Tokens(ctx, store.TokenFilter{ID: id})
	if err != nil {
		return err
	}
	if len(tokens) == 0 || a.who.Role != auth.Admin && tokens[0].User != a.who.User {
		return fault.NotFound("there is no token %d", id)
	}
	err = a.store.Estate().RevokeToken(ctx, id)
	a.auditEnd(ctx, "token.revoke", fmt.Sprintf("token %d", id), describeToken(tokens[0]), err)
	return err
}
