package app

import (
	"context"
	"slices"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
)

// wide refuses what is about all sites at once to who sees only some.
func (a *App) wide(what string) error {
	if a.who.View.All() {
		return nil
	}
	return fault.Denied("%s concerns all sites: that takes somebody who sees all of them", what)
}

// bound are the sites of a rule that somebody makes: those that he names, which exist, else all that he sees. No site is
// every site.
func (a *App) bound(named []string) ([]string, error) {
	switch v := a.who.View; {
	case len(named) > 0 || v.All():
		return named, nil
	case len(v.Sites()) == 0:
		return nil, fault.Denied("%s sees no site of which a rule could speak", a.who.Name)
	default:
		sites := slices.Clone(v.Sites())
		slices.Sort(sites)
		return slices.Compact(sites), nil
	}
}

// mayChange refuses to change a rule that also speaks of sites that somebody does not see. One about a single host is seen
// only by who sees that host.
func (a *App) mayChange(id int64, sites []string, host int64) error {
	if a.who.View.All() || host != 0 {
		return nil
	}
	if len(sites) == 0 || slices.ContainsFunc(sites, func(s string) bool { return !a.who.View.Sees(s) }) {
		return fault.Denied("rule %d speaks of all sites or of several: that takes somebody who sees all of them", id)
	}
	return nil
}

// seenOf leaves the sites of a rule that the view has.
func seenOf(v auth.View, sites []string) []string {
	if v.All() {
		return sites
	}
	return slices.DeleteFunc(slices.Clone(sites), func(s string) bool { return !v.Sees(s) })
}

// allHosts is what the pipeline is to go through when somebody means all hosts: nil is really all.
func (a *App) allHosts(ctx context.Context) ([]int64, error) {
	if a.who.View.All() {
		return nil, nil
	}
	ids, err := a.store.Estate().HostIDs(ctx, a.who.View, 0, 0)
	if ids == nil {
		ids = []int64{}
	}
	return ids, err
}
