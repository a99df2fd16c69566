package app

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/auth/oidc"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/outbound"
	"github.com/patchscout/patchscout/internal/store"
)

// flowLasts is how long somebody may take at the OpenID provider.
const flowLasts = 10 * time.Minute

// provider is the OpenID provider of the configuration, made when it is first needed.
type provider struct {
	once sync.Once
	it   *oidc.Provider
}

func (a *App) oidc() (*oidc.Provider, error) {
	o := a.cfg.OIDC
	if o.Issuer == "" || a.cfg.Server.Auth == "off" {
		return nil, fault.NotFound("no OpenID provider is configured")
	}
	a.provider.once.Do(func() {
		a.provider.it = oidc.New(oidc.Config{Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret.Reveal(), RedirectURL: o.RedirectURL,
			Scopes: o.Scopes, RoleClaim: o.RoleClaim, Now: a.now, Door: a.oidcDoor})
	})
	return a.provider.it, nil
}

// oidcDoor leads to the issuer, and over https at public addresses to the hosts that it names.
func (a *App) oidcDoor(hosts []string) (http.RoundTripper, error) {
	client, err := a.door(outbound.Config{Named: []string{a.cfg.OIDC.Issuer}, Hosts: hosts, MaxBody: 1 << 20, Idle: 15 * time.Second})
	return throughDoor{client}, err
}

type throughDoor struct{ door *outbound.Client }

// RoundTrip also follows redirects, within the host.
func (d throughDoor) RoundTrip(r *http.Request) (*http.Response, error) { return d.door.Do(r) }

// BeginOIDC begins a login with the OpenID provider and returns its address. browser is a secret of the browser's own;
// target is the page to show afterwards.
func (a *App) BeginOIDC(ctx context.Context, browser, target string) (address string, err error) {
	p, err := a.oidc()
	if err != nil {
		return "", err
	}
	state, nonce := auth.NewSecret(), auth.NewSecret()
	flow := store.Flow{State: auth.Digest(state), Browser: auth.Digest(browser), Nonce: nonce, Verifier: oidc.NewVerifier(), Target: localPage(target),
		Ends: a.now().Add(flowLasts)}
	if address, err = p.Address(ctx, state, nonce, flow.Verifier); err != nil {
		return "", err
	}
	return address, a.store.Estate().AddFlow(ctx, flow)
}

// localPage is a page of this server; anything else is the first one, so that a login never leads elsewhere.
func localPage(target string) string {
	if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") || strings.HasPrefix(target, "/api/") ||
		strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r == '\\' || r > '~' }) {
		return "/"
	}
	return target
}

// EndOIDC ends a login with the OpenID provider: the browser brings its answer. It returns the page to show.
func (a *App) EndOIDC(ctx context.Context, answer auth.OIDCAnswer) (login auth.Login, target string, err error) {
	p, err := a.oidc()
	if err != nil {
		return login, "", err
	}
	person, target, err := a.finishOIDC(ctx, p, answer)
	if err != nil {
		a.auditAs(ctx, a.who, "login", "the OpenID provider", err.Error(), auth.Refused)
		return login, "", err
	}
	u, err := a.oidcUser(ctx, person)
	if err == nil {
		login, err = a.keeper().Begin(ctx, u, a.who.From)
	}
	if err != nil {
		a.auditAs(ctx, a.who, "login", "subject "+person.Subject, err.Error(), auth.Refused)
		return login, "", err
	}
	a.auditAs(ctx, u.Identity(auth.Session, a.who.From), "login", "user "+u.Name, "by the OpenID provider", auth.Done)
	return login, target, nil
}

func (a *App) finishOIDC(ctx context.Context, p *oidc.Provider, answer auth.OIDCAnswer) (person oidc.Person, target string, err error) {
	const strange = "this login was not begun in this browser, or took too long: begin again"
	if !auth.LooksLikeSecret(answer.State) || !auth.LooksLikeSecret(answer.Browser) {
		return person, "", auth.NotIn(strange)
	}
	flow, err := a.store.Estate().TakeFlow(ctx, auth.Digest(answer.State))
	switch {
	case fault.KindOf(err) == fault.KindNotFound:
		return person, "", auth.NotIn(strange)
	case err != nil:
		return person, "", err
	case subtle.ConstantTimeCompare(flow.Browser, auth.Digest(answer.Browser)) != 1 || !a.now().Before(flow.Ends):
		return person, "", auth.NotIn(strange)
	case answer.Error != "":
		return person, "", auth.NotIn(fmt.Sprintf("the OpenID provider says %.100q: %.500q", answer.Error, answer.Description))
	case answer.Code == "" || len(answer.Code) > 4096:
		return person, "", auth.NotIn("the OpenID provider sent no code")
	}
	person, err = p.Finish(ctx, answer.Code, answer.Issuer, flow.Nonce, flow.Verifier)
	if err != nil && fault.KindOf(err) == fault.KindInternal {
		err = auth.NotIn(err.Error())
	}
	return person, flow.Target, err
}

// oidcUser is the user whom the provider knows, made at the first login. The provider's word on the role goes before ours.
func (a *App) oidcUser(ctx context.Context, person oidc.Person) (auth.User, error) {
	role := a.oidcRole(person)
	u, err := a.store.Estate().UserBySubject(ctx, person.Issuer, person.Subject)
	known := err == nil
	switch {
	case err != nil && fault.KindOf(err) != fault.KindNotFound:
		return u, err
	case role == auth.Nobody:
		if known { // whoever lost his role loses what he has open
			if err := a.store.Estate().EndSessions(ctx, u.ID); err != nil {
				return u, err
			}
		}
		return u, fault.Denied("%s has no role here: none of the values of %s is listed in the section oidc of the configuration", person.Name, a.cfg.OIDC.RoleClaim)
	case known && u.Disabled:
		return u, fault.Denied("user %s is disabled", u.Name)
	case known && u.Role == role:
		return u, nil
	case known:
		return a.followRole(ctx, u, role)
	}
	return a.addOIDCUser(ctx, person, role)
}

func (a *App) oidcRole(person oidc.Person) auth.Role {
	o := a.cfg.OIDC
	return auth.RoleRules{Admin: o.Admin, Analyst: o.Analyst, Viewer: o.Viewer, Default: auth.Role(o.DefaultRole)}.Role(person.Values)
}

func (a *App) followRole(ctx context.Context, u auth.User, role auth.Role) (auth.User, error) {
	before := u
	view := u.View
	switch {
	case role == auth.Admin:
		view = auth.Everything()
	case before.Role == auth.Admin && len(a.cfg.OIDC.Sites) > 0:
		view = auth.OfSites(a.cfg.OIDC.Sites...)
	}
	u, err := a.store.Estate().ProviderChanged(ctx, u.ID, role, view)
	a.auditAs(ctx, auth.ForSystem(), "user.change", "user "+before.Name, "by the OpenID provider: "+describeUser(before)+" → "+describeUser(u), auth.Done)
	return u, err
}

// addOIDCUser never takes over a user who is there already: who has the name is another person until an admin says otherwise.
func (a *App) addOIDCUser(ctx context.Context, person oidc.Person, role auth.Role) (auth.User, error) {
	u := auth.User{Role: role, View: auth.Everything(), Issuer: person.Issuer, Subject: person.Subject, Created: a.now().UTC()}
	if role != auth.Admin && len(a.cfg.OIDC.Sites) > 0 {
		u.View = auth.OfSites(slices.Clone(a.cfg.OIDC.Sites)...)
	}
	sum := sha256.Sum256([]byte(person.Issuer + "\x00" + person.Subject))
	suffix := fmt.Sprintf("%x", sum[:4])
	name, err := auth.UserName(person.Name)
	if err != nil {
		name = "oidc-" + suffix
	}
	var failed error
	for _, u.Name = range []string{name, name + "-" + suffix} {
		if u.ID, failed = a.store.Estate().AddUser(ctx, u); fault.KindOf(failed) != fault.KindConflict {
			break
		}
	}
	if failed != nil {
		if u, err := a.store.Estate().UserBySubject(ctx, person.Issuer, person.Subject); err == nil { // made by another request meanwhile
			return u, nil
		}
		return u, failed
	}
	a.auditAs(ctx, auth.ForSystem(), "user.add", "user "+u.Name, "first login by the OpenID provider: "+describeUser(u), auth.Done)
	return u, nil
}
