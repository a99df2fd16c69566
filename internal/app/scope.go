package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scope"
)

// limits are what the asker may scan in a site. The configuration's scan.scope binds everybody; who types targets on the
// server's own command line says himself that he may scan them, all others are bound by the server's rules besides.
func (a *App) limits(ctx context.Context, site string) (scope.Scope, error) {
	configured, err := scopeRules(a.cfg)
	if err != nil {
		return scope.Scope{}, err
	}
	outer := scope.ForCommand(configured)
	if a.who.Kind == auth.Local {
		return outer, nil
	}
	kept, err := a.store.Estate().ScopeRules(ctx, auth.Everything())
	if err != nil {
		return scope.Scope{}, err
	}
	var rules []scope.Rule
	for _, r := range kept {
		if r.Holds(a.who, site, a.now()) {
			rules = append(rules, r.Rule)
		}
	}
	return scope.ForServer(rules).Within(outer), nil
}

// limitsAge is how old limits may be that a task is judged by.
const limitsAge = 2 * time.Second

// currentLimits judges hosts by what holds when it is asked, so that a rule that an administrator makes or takes back counts
// for the next task of a scan that is running.
func (a *App) currentLimits(ctx context.Context, site string) (func(scan.HostTarget) (bool, string), error) {
	limits, err := a.limits(ctx, site)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	read := a.now()
	return func(h scan.HostTarget) (bool, string) {
		mu.Lock()
		defer mu.Unlock()
		if a.now().Sub(read) > limitsAge {
			fresh, err := a.limits(ctx, site)
			if err != nil && ctx.Err() == nil {
				a.log.Warn("the scan scope could not be read again", "error", err) // what held a moment ago holds on
			}
			if err == nil {
				limits = fresh
			}
			read = a.now()
		}
		return limits.Allowed(h.Address, h.Names...)
	}, nil
}

func scopeRules(cfg config.Config) (rules []scope.Rule, err error) {
	for _, text := range cfg.Scan.Scope {
		rule, err := scope.ParseRule(text)
		if err != nil {
			return nil, fault.Invalid("scan.scope: %w", err)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// Scope lists what the asker may scan, and the rules of the sites that he sees.
func (a *App) Scope(ctx context.Context) (report.ScopeList, error) {
	doc := report.ScopeList{Rules: []report.ScopeRule{}}
	var err error
	if doc.Networks, err = a.networks(); err != nil {
		return doc, err
	}
	kept, err := a.store.Estate().ScopeRules(ctx, a.who.View)
	for _, r := range kept {
		doc.Rules = append(doc.Rules, a.toScopeRule(r))
	}
	return doc, err
}

// networks are the limits that are no rules of the server.
func (a *App) networks() ([]report.Network, error) {
	rules, err := scopeRules(a.cfg)
	if err != nil {
		return nil, err
	}
	out := []report.Network{}
	allows := false
	for _, r := range rules {
		why := "allowed by scan.scope"
		if r.Deny {
			why = "denied by scan.scope"
		}
		allows = allows || !r.Deny
		out = append(out, report.Network{Network: strings.TrimPrefix(r.Text, "!"), Why: why})
	}
	switch {
	case a.who.Kind != auth.Local:
		out = append(out, report.Network{Network: "link-local and cloud metadata", Why: "denied, whatever a rule says"},
			report.Network{Network: "loopback and private networks", Why: "allowed, unless a rule or scan.scope denies it"},
			report.Network{Network: "anything else", Why: "denied, unless a rule allows it"})
	case allows:
		out = append(out, report.Network{Network: "anything else", Why: "denied: scan.scope does not allow it"})
	default:
		out = append(out, report.Network{Network: "anything else", Why: "allowed: whoever types a target says that he may scan it"})
	}
	return out, nil
}

func (a *App) toScopeRule(r scope.Entry) report.ScopeRule {
	return report.ScopeRule{ID: r.ID, Network: strings.TrimPrefix(r.Text, "!"), Deny: r.Deny, Site: report.Text(r.Site), Role: report.Text(r.Role),
		User: report.Text(r.Name), Note: report.Text(r.Note), By: report.Text(r.By), CreatedAt: r.At.UTC(), Until: report.Date{Time: r.Expires},
		Over: r.Over(a.now())}
}

// AddScopeRule keeps a rule on what may be scanned. One that says the same is not made twice.
func (a *App) AddScopeRule(ctx context.Context, req request.ScopeRule) (_ report.ScopeRule, err error) {
	defer func() {
		a.auditEnd(ctx, "scope.add", req.Network, fmt.Sprintf("deny %t, site %s, role %s, user %s", req.Deny, req.Site, req.Role, req.User), err)
	}()
	r, err := a.scopeRule(ctx, req)
	if err != nil {
		return report.ScopeRule{}, err
	}
	id, err := a.store.Estate().AddScopeRule(ctx, r)
	if err != nil {
		return report.ScopeRule{}, err
	}
	kept, err := a.store.Estate().ScopeRule(ctx, auth.Everything(), id)
	return a.toScopeRule(kept), err
}

func (a *App) scopeRule(ctx context.Context, req request.ScopeRule) (r scope.Entry, err error) {
	r = scope.Entry{Site: req.Site, Role: auth.Role(req.Role), Note: finding.Cut(strings.TrimSpace(req.Note), 1024), By: a.who.Name,
		At: a.now().UTC().Truncate(time.Millisecond)}
	text := strings.TrimSpace(req.Network)
	if req.Deny && !strings.HasPrefix(text, "!") {
		text = "!" + text
	}
	if r.Rule, err = scope.ParseRule(text); err != nil {
		return r, fault.InvalidOption("network", ": %w", err)
	}
	r.Text = text
	if r.Hopeless() {
		return r, fault.InvalidOption("network", " %s: link-local addresses and clouds' metadata services are never scanned", text)
	}
	if !slices.Contains([]auth.Role{auth.Nobody, auth.Analyst, auth.Admin}, r.Role) {
		return r, fault.InvalidOption("role", " %s: want analyst or admin, who may scan", req.Role)
	}
	if r.Expires, err = parseDay("until", req.Until); err != nil {
		return r, err
	}
	if r.Over(a.now()) {
		return r, fault.InvalidOption("until", " %s is over", req.Until)
	}
	if req.User != "" {
		u, err := a.userMeant(ctx, req.User)
		if err != nil {
			return r, err
		}
		r.User = u.ID
	}
	if req.Site == "" {
		return r, a.wide("a scope rule without a site")
	}
	return r, a.checkExist(ctx, 0, req.Site)
}

// RemoveScopeRule forgets a rule; scans that are running obey from their next task on.
func (a *App) RemoveScopeRule(ctx context.Context, id int64) (err error) {
	defer func() { a.auditEnd(ctx, "scope.remove", numbered("rule", id), "", err) }()
	r, err := a.store.Estate().ScopeRule(ctx, a.who.View, id)
	if err != nil {
		return err
	}
	if r.Site == "" {
		if err := a.wide("a scope rule without a site"); err != nil {
			return err
		}
	}
	return a.store.Estate().RemoveScopeRule(ctx, a.who.View, id)
}

// maxExplained is how many addresses of a target CheckScope tells one by one.
const maxExplained = 20

// CheckScope says of targets whether the asker may scan them in a site, or the user that he names. It looks names up, as a
// scan would.
func (a *App) CheckScope(ctx context.Context, req request.ScopeCheck) (report.ScopeCheck, error) {
	doc := report.ScopeCheck{Site: either(req.Site, asset.DefaultSite), Allowed: true, Targets: []report.ScopeAnswer{}}
	if len(req.Targets) == 0 {
		return doc, fault.InvalidOption("targets", ": name what to scan")
	}
	if err := a.checkScan(ctx, ScanRequest{Site: req.Site}); err != nil {
		return doc, err
	}
	as, err := a.inTheShoesOf(ctx, req.User)
	if err != nil {
		return doc, err
	}
	limits, err := as.limits(ctx, doc.Site)
	if err != nil {
		return doc, err
	}
	for _, text := range req.Targets {
		answer, err := a.explainTarget(ctx, text, limits)
		if err != nil {
			return doc, err
		}
		doc.Allowed = doc.Allowed && answer.Allowed
		doc.Targets = append(doc.Targets, answer)
	}
	return doc, nil
}

// AnyUser stands for whoever may scan, where the name of a user is asked for.
const AnyUser = "*"

// inTheShoesOf is the product for a user; "" is the asker himself. Only an administrator asks for another.
func (a *App) inTheShoesOf(ctx context.Context, name string) (*App, error) {
	switch {
	case name == "":
		return a, nil
	case !a.who.Role.Allows(auth.Admin):
		return nil, fault.Denied("only an administrator asks what another user may scan")
	case name == AnyUser:
		return a.For(auth.Identity{Kind: auth.Session, Name: "any analyst", Role: auth.Analyst, View: a.who.View}), nil
	}
	u, err := a.userMeant(ctx, name)
	if err != nil {
		return nil, err
	}
	return a.For(auth.Identity{Kind: auth.Session, Name: u.Name, User: u.ID, Role: u.Role, View: u.View}), nil
}

func (a *App) userMeant(ctx context.Context, text string) (auth.User, error) {
	name, err := auth.UserName(text)
	if err != nil {
		return auth.User{}, fault.InvalidOption("user", " %.40s: there is no such user", text)
	}
	u, err := a.store.Estate().UserByName(ctx, name)
	if fault.KindOf(err) == fault.KindNotFound {
		err = fault.InvalidOption("user", " %s: there is no such user", name)
	}
	return u, err
}

func (a *App) explainTarget(ctx context.Context, text string, limits scope.Scope) (report.ScopeAnswer, error) {
	answer := report.ScopeAnswer{Target: text, Hosts: []report.ScopeHost{}}
	t, err := scan.ParseTarget(text)
	if err != nil {
		answer.Reason = err.Error()
		return answer, nil
	}
	ex, err := scan.Expand(ctx, []scan.Target{t}, nil, a.resolver)
	if err != nil {
		return answer, err
	}
	if len(ex.Unresolved) > 0 {
		answer.Reason = "its name did not resolve: " + ex.Unresolved[0].Reason
		return answer, nil
	}
	judge(&answer, ex.Hosts, limits)
	return answer, nil
}

// judge judges the addresses of a target.
func judge(answer *report.ScopeAnswer, hosts []scan.HostTarget, limits scope.Scope) {
	var allowed, denied []report.ScopeHost
	for _, h := range hosts {
		ok, why := limits.Explain(h.Address, h.Names...)
		one := report.ScopeHost{Address: h.Address.String(), Allowed: ok, Reason: why}
		switch {
		case !ok && len(denied) < maxExplained:
			denied = append(denied, one)
		case ok && len(allowed) < maxExplained:
			allowed = append(allowed, one)
		}
		if !ok {
			answer.Denied++
		}
	}
	answer.Addresses, answer.Allowed = len(hosts), answer.Denied == 0 && len(hosts) > 0
	shown := denied
	if len(shown) == 0 {
		shown = allowed
	}
	answer.Hosts = append(answer.Hosts, shown...)
	if len(shown) > 0 {
		answer.Reason = shown[0].Reason
		if answer.Denied > 0 && answer.Addresses > 1 {
			answer.Reason = shown[0].Address + ": " + answer.Reason
		}
	}
}
