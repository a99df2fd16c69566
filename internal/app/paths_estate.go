package app

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/store"
)

// pathEstate is the estate of one view as attack paths see it, at one state of the data. It is never changed.
type pathEstate struct {
	attackpath.Estate // without Assume

	state   dataState
	at      time.Time
	limited bool // to some sites
}

// dataState is a state of both databases.
type dataState struct{ catalogue, estate int64 }

// host finds a host by its id.
func (e *pathEstate) host(id int64) (*attackpath.Host, bool) {
	i, found := slices.BinarySearchFunc(e.Hosts, id, func(h attackpath.Host, id int64) int { return int(h.ID - id) })
	if !found {
		return nil, false
	}
	return &e.Hosts[i], true
}

// pathState is the state of the data that matters to attack paths.
func (a *App) pathState(ctx context.Context) (s dataState, err error) {
	if s.catalogue, s.estate, err = a.store.Generations(ctx); err != nil {
		return s, err
	}
	s.estate, err = a.beforeRisk(ctx, s.estate)
	return s, err
}

// beforeRisk is the generation of an estate of which nothing but the risk differs: writing it changes no path.
func (a *App) beforeRisk(ctx context.Context, generation int64) (int64, error) {
	risk, err := a.store.Estate().RiskState(ctx)
	if risk.Written != 0 && risk.Written == generation {
		generation--
	}
	return generation, err
}

// readPathEstate reads the estate that the asker sees, or what one scan saw of it.
func (a *App) readPathEstate(ctx context.Context, scan int64) (*pathEstate, error) {
	generation, err := a.store.Catalogue().Generation(ctx)
	if err != nil {
		return nil, err
	}
	read, err := a.store.Estate().AttackEstate(ctx, a.who.View, scan)
	if err != nil {
		return nil, err
	}
	if err := a.giveEffects(ctx, &read); err != nil {
		return nil, err
	}
	if read.Generation, err = a.beforeRisk(ctx, read.Generation); err != nil {
		return nil, err
	}
	policy := seenPolicy(a.who.View, read.Policy, read.Hosts)
	return &pathEstate{
		Estate: attackpath.Estate{Sites: read.Sites, Hosts: read.Hosts, Policy: policy, Corrections: read.Corrections},
		state:  dataState{generation, read.Generation}, at: a.now().UTC(), limited: !a.who.View.All(),
	}, nil
}

// giveEffects fills in what the flaws of an estate do for an attacker.
func (a *App) giveEffects(ctx context.Context, e *store.AttackEstate) error {
	var ids []cve.ID
	for _, k := range e.Kinds {
		if id := k.Weakness.CVE(); id != 0 {
			ids = append(ids, id)
		}
	}
	known, err := a.effectsOf(ctx, ids)
	if err != nil {
		return err
	}
	effects := make([]*attackpath.Effect, len(e.Kinds))
	for i := range e.Kinds {
		if effects[i] = known[e.Kinds[i].Weakness.CVE()]; effects[i] == nil {
			effects[i] = a.effects.ofKind(&e.Kinds[i])
		}
	}
	for h := range e.Hosts {
		for f, kind := range e.Of[h] {
			e.Hosts[h].Flaws[f].Effect = effects[kind]
		}
	}
	return nil
}

// flawOf is what a tool says of a weakness of which the catalogue knows nothing.
func flawOf(k *store.FlawKind) attackpath.Flawed {
	f := attackpath.Flawed{Weakness: string(k.Weakness), Title: k.Title, Severity: k.Severity}
	for _, number := range k.CWEs {
		f.CWEs = append(f.CWEs, "CWE-"+strconv.Itoa(number))
	}
	if k.Vector != "" {
		f.Metrics = []cve.Metric{{Version: vectorVersion(k.Vector), Vector: k.Vector, Provider: cve.ProviderOther}}
	}
	switch {
	case k.KEV:
		f.Exploited = "KEV"
	case k.Exploited:
		f.Exploited = "a source of the finding"
	}
	return f
}

// vectorVersion is the version of CVSS that a vector is of; only those of version 2 do not say it.
func vectorVersion(vector string) string {
	if rest, named := strings.CutPrefix(vector, "CVSS:"); named {
		version, _, _ := strings.Cut(rest, "/")
		return version
	}
	return "2.0"
}

// seenPolicy is what a view sees of a policy: what names other sites would tell of them, and so would networks in which nobody
// stands whom it sees. Such rules decide nothing of what it sees.
func seenPolicy(v auth.View, p attackpath.PolicySet, hosts []attackpath.Host) attackpath.PolicySet {
	if v.All() {
		return p
	}
	stands := func(n netip.Prefix) bool {
		inside := func(a netip.Addr) bool { return n.Contains(a.Unmap().WithZone("")) }
		return slices.ContainsFunc(hosts, func(h attackpath.Host) bool { return slices.ContainsFunc(h.Addresses, inside) })
	}
	known := map[netip.Prefix]bool{}
	populated := func(n netip.Prefix) bool {
		if _, asked := known[n]; !asked {
			known[n] = n.Bits() == 0 || stands(n)
		}
		return known[n]
	}
	sees := func(z attackpath.Zone) bool {
		return (z.Site == "" || v.Sees(z.Site)) && (!z.Network.IsValid() || populated(z.Network))
	}
	p.Rules = slices.DeleteFunc(slices.Clone(p.Rules), func(r attackpath.PolicyRule) bool { return !sees(r.From) || !sees(r.To) })
	p.Clients = slices.DeleteFunc(slices.Clone(p.Clients), func(n netip.Prefix) bool { return !populated(n) })
	var same [][]attackpath.HostRef
	for _, group := range p.Same {
		group = slices.DeleteFunc(slices.Clone(group), func(h attackpath.HostRef) bool { return !v.Sees(h.Site) })
		if len(group) > 1 {
			same = append(same, group)
		}
	}
	p.Same = same
	return p
}

// viewKey tells views apart.
func viewKey(v auth.View) string {
	sites := slices.Clone(v.Sites())
	slices.Sort(sites)
	return fmt.Sprintf("%t %q", v.All(), slices.Compact(sites))
}

// changedHosts are the hosts of next that are new or differ from before; ok is false where more than hosts changed, or so
// many that to begin anew is quicker.
func changedHosts(before, next *pathEstate) (changed []attackpath.Host, ok bool) {
	if before.state.catalogue != next.state.catalogue || !slices.Equal(before.Sites, next.Sites) || !samePolicy(before.Policy, next.Policy) ||
		!slices.Equal(before.Corrections, next.Corrections) {
		return nil, false
	}
	most := max(20, len(next.Hosts)/10)
	old := before.Hosts
	for i := range next.Hosts {
		h := &next.Hosts[i]
		if len(old) > 0 && old[0].ID < h.ID {
			return nil, false // a host is gone
		}
		if len(old) > 0 && old[0].ID == h.ID {
			same := sameHost(&old[0], h)
			old = old[1:]
			if same {
				continue
			}
		}
		if changed = append(changed, *h); len(changed) > most {
			return nil, false
		}
	}
	return changed, len(old) == 0
}

func samePolicy(a, b attackpath.PolicySet) bool {
	return a.At.Equal(b.At) && a.Source == b.Source && a.By == b.By && len(a.Rules) == len(b.Rules) && len(a.Same) == len(b.Same)
}

func sameHost(a, b *attackpath.Host) bool {
	return a.Site == b.Site && a.Name == b.Name && a.OS == b.OS && a.Jewel == b.Jewel && a.Criticality == b.Criticality && a.Exposed == b.Exposed &&
		a.ExposedWhy == b.ExposedWhy && a.ExposedSure == b.ExposedSure && slices.Equal(a.Addresses, b.Addresses) && slices.Equal(a.CPEs, b.CPEs) &&
		slices.Equal(a.Tags, b.Tags) && slices.Equal(a.Services, b.Services) && slices.Equal(a.Flaws, b.Flaws)
}
