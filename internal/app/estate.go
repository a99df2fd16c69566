package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/store"
)

// checkExist refuses a scan or site that does not exist: a mistyped one would look clean.
func (a *App) checkExist(ctx context.Context, scanID int64, site string) error {
	if scanID != 0 {
		if _, err := a.store.Estate().Scan(ctx, a.who.View, scanID); err != nil {
			return err
		}
	}
	if site != "" {
		if len(site) > 255 || !utf8.ValidString(site) || strings.Contains(site, "\x00") { // PostgreSQL fails on it
			return fault.NotFound("there is no site %.63q", site)
		}
		if _, err := a.store.Estate().Site(ctx, a.who.View, site); err != nil {
			return err
		}
	}
	return nil
}

// hostID finds the host that people mean by an id, an address or a name. In a site one that has an address goes before those
// that had it once; fault.Conflict says that it may be several.
func (a *App) hostID(ctx context.Context, text, site string) (int64, error) {
	if id, err := strconv.ParseInt(text, 10, 64); err == nil {
		h, err := a.store.Estate().Host(ctx, a.who.View, id) // which may be the one that it was joined into
		if err != nil {
			return 0, err
		}
		return h.ID, nil
	}
	called := asset.NameValue(text)
	if called == "" {
		return 0, fault.NotFound("no host %.255s", text)
	}
	text = called
	hosts, err := a.store.Estate().Hosts(ctx, a.who.View, store.HostFilter{Site: site, Called: text})
	if err != nil {
		return 0, err
	}
	var now, once []*asset.Host
	for _, h := range hosts {
		switch {
		case h.Address.IsValid() && h.Address.String() == text:
			now = append(now, h)
		case slices.Contains(h.Names(), text) || slices.ContainsFunc(h.Addresses(), func(a netip.Addr) bool { return a.String() == text }):
			once = append(once, h)
		}
	}
	found := slices.Concat(now, once)
	switch elsewhere := func(h *asset.Host) bool { return h.Site != found[0].Site }; {
	case len(found) == 0:
		return 0, fault.NotFound("no host %s", text)
	case len(found) == 1, len(now) == 1 && !slices.ContainsFunc(found, elsewhere):
		return found[0].ID, nil
	}
	var which []string
	for _, h := range found {
		which = append(which, fmt.Sprintf("%d (site %s)", h.ID, h.Site))
	}
	return 0, fault.Conflict("%s is more than one host: %s; name it by its number or the site", text, strings.Join(which, ", "))
}

// evidenceBatch is how many findings' evidence is asked for at once.
const evidenceBatch = 500

func (a *App) findings(ctx context.Context, filter finding.Filter, cat report.Catalogue) ([]report.Finding, error) {
	listed, err := a.store.Estate().Findings(ctx, a.who.View, filter)
	if err != nil {
		return nil, err
	}
	return a.shown(ctx, listed, cat)
}

// shown are findings with their evidence and what is known of their hosts, for people.
func (a *App) shown(ctx context.Context, listed []finding.Listed, cat report.Catalogue) ([]report.Finding, error) {
	out := make([]report.Finding, 0, len(listed))
	for batch := range slices.Chunk(listed, evidenceBatch) {
		ids := make([]int64, len(batch))
		for i, l := range batch {
			ids[i] = l.ID
		}
		evidence, err := a.store.Estate().Evidence(ctx, a.who.View, ids)
		if err != nil {
			return nil, err
		}
		for _, l := range batch {
			out = append(out, toFinding(l, evidence[l.ID], kevKnown(cat)))
		}
	}
	return out, a.markFindings(ctx, out, listed)
}

// Finding returns one finding with all its evidence.
func (a *App) Finding(ctx context.Context, id int64) (report.Finding, report.Catalogue, error) {
	cat, err := a.Catalogue(ctx)
	if err != nil {
		return report.Finding{}, cat, err
	}
	l, err := a.store.Estate().Finding(ctx, a.who.View, id)
	if err != nil {
		return report.Finding{}, cat, err
	}
	one := []report.Finding{toFinding(l, l.Evidence, kevKnown(cat))}
	if err := a.markFindings(ctx, one, []finding.Listed{l}); err != nil {
		return one[0], cat, err
	}
	one[0].History, err = a.history(ctx, &l.Finding)
	return one[0], cat, err
}

// AssetRequest is request.Assets.
type AssetRequest = request.Assets

// Assets lists hosts and what answers on them.
func (a *App) Assets(ctx context.Context, req AssetRequest) ([]report.Host, error) {
	if err := a.checkExist(ctx, 0, req.Site); err != nil {
		return nil, err
	}
	criticality, err := asset.ReadCriticality(req.Criticality)
	if err != nil {
		return nil, err
	}
	return a.hosts(ctx, store.HostFilter{Site: req.Site, Text: req.Text, Owner: req.Owner, Tag: req.Tag, Criticality: criticality})
}

func (a *App) hosts(ctx context.Context, filter store.HostFilter) ([]report.Host, error) {
	hosts, err := a.store.Estate().Hosts(ctx, a.who.View, filter)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(hosts))
	for i, h := range hosts {
		ids[i] = h.ID
	}
	services, err := a.store.Estate().Services(ctx, a.who.View, ids)
	if err != nil {
		return nil, err
	}
	looks, err := a.store.Estate().Looks(ctx, a.who.View, ids)
	if err != nil {
		return nil, err
	}
	byHost := map[int64][]*asset.Service{}
	for _, s := range services {
		if filter.Scan != 0 && answered(s, filter.Scan, looks[s.HostID]) || filter.Scan == 0 && !finding.Left(s, looks[s.HostID]) {
			byHost[s.HostID] = append(byHost[s.HostID], s)
		}
	}
	out := make([]report.Host, 0, len(hosts))
	for _, h := range hosts {
		out = append(out, toHost(h, byHost[h.ID]))
	}
	return out, a.markHosts(ctx, out)
}

// answered says whether a scan saw the service: it was the last to speak of it, or its look found the port open.
func answered(s *asset.Service, scanID int64, looks []finding.Look) bool {
	return slices.ContainsFunc(s.Said, func(said asset.Said) bool { return said.Scan == scanID }) ||
		slices.ContainsFunc(looks, func(l finding.Look) bool {
			return l.Scan == scanID && l.Protocol == s.Protocol && finding.Contains(l.Open, s.Port)
		})
}

// Scans lists scans and imports, newest first; limit 0 is all.
func (a *App) Scans(ctx context.Context, limit int) ([]report.Run, error) {
	scans, err := a.store.Estate().Scans(ctx, a.who.View, store.ScanFilter{Limit: limit})
	if err != nil {
		return nil, err
	}
	out := make([]report.Run, 0, len(scans))
	for _, s := range scans {
		run, err := a.toRun(ctx, s)
		if err != nil {
			return nil, err
		}
		out = append(out, run)
	}
	return out, nil
}

// toRun shows how a scan went, with the hosts of which nothing is known.
func (a *App) toRun(ctx context.Context, s finding.Scan) (report.Run, error) {
	run := report.Run{
		ID: s.ID, Targets: notNil(s.Targets), Site: s.Site, Status: string(s.Status), Reason: report.Text(s.Reason),
		CreatedAt: s.Created.UTC(), StartedAt: pointer(s.Started), CompletedAt: pointer(s.Completed),
		Scanners: []report.Scanner{}, Problems: []report.Problem{}, Demo: s.Demo,
		Catalogue: report.Catalogue{Feeds: []report.FeedAge{}},
	}
	for _, sc := range s.Scanners {
		run.Scanners = append(run.Scanners, report.Scanner{Name: sc.Name, Status: sc.Status, Error: report.Text(sc.Error)})
	}
	if len(s.Catalogue) > 0 {
		if err := json.Unmarshal(s.Catalogue, &run.Catalogue); err != nil {
			return run, err
		}
	}
	if s.Kind != finding.KindScan { // what a report does not say is not a problem of the import
		reason, err := a.interrupted(ctx, s)
		run.Reason = report.Text(either(s.Reason, reason))
		return run, err
	}
	if err := a.showControl(ctx, &run); err != nil {
		return run, err
	}
	hosts, err := a.store.Estate().ScanHosts(ctx, a.who.View, s.ID)
	run.Problems = problems(s.Targets, hosts)
	return run, err
}

// problems names each target of which nothing is known: no address, no answer, or a network in which nobody answered.
func problems(targets []string, hosts []finding.ScanHost) []report.Problem {
	out := []report.Problem{}
	for _, text := range targets {
		t, err := scan.ParseTarget(text)
		if err != nil {
			continue // it was a target once
		}
		if reason := silence(t, hosts); reason != "" {
			out = append(out, report.Problem{Target: text, Reason: reason})
		}
	}
	return out
}

// silence says why nothing is known of a target, "" when somebody answered for it.
func silence(t scan.Target, hosts []finding.ScanHost) string {
	reason := ""
	for _, h := range hosts {
		if !speaksFor(t, h) {
			continue
		}
		if h.Status == string(asset.Up) {
			return ""
		}
		reason = either(h.Reason, "did not answer")
	}
	if reason != "" && t.Size() > 1 {
		return fmt.Sprintf("none of its addresses answered (%d)", t.Size())
	}
	return reason
}

func speaksFor(t scan.Target, h finding.ScanHost) bool {
	if t.Name != "" {
		return h.Name == t.Name
	}
	addr, err := netip.ParseAddr(h.Address)
	return err == nil && t.Contains(addr)
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Sites lists the vantage points.
func (a *App) Sites(ctx context.Context) ([]report.Site, error) {
	sites, err := a.store.Estate().Sites(ctx, a.who.View)
	out := make([]report.Site, 0, len(sites))
	for _, s := range sites {
		out = append(out, report.Site{ID: s.ID, Name: s.Name, External: s.External})
	}
	return out, err
}

// Site is one vantage point.
func (a *App) Site(ctx context.Context, name string) (report.Site, error) {
	s, err := a.store.Estate().Site(ctx, a.who.View, name)
	return report.Site{ID: s.ID, Name: s.Name, External: s.External}, err
}

// ChangeSite says whether scans in a site see what the internet sees, and judges its findings anew where that is another
// word than before.
func (a *App) ChangeSite(ctx context.Context, name string, external bool) (_ report.Site, err error) {
	defer func() { a.auditEnd(ctx, "site.change", "site "+name, fmt.Sprintf("external %t", external), err) }()
	s, err := a.store.Estate().Site(ctx, a.who.View, name)
	if err != nil {
		return report.Site{}, err
	}
	if s.External != external {
		s.External = external
		if _, _, err := a.store.Estate().CreateSite(ctx, s); err != nil {
			return report.Site{}, err
		}
		hosts, err := a.store.Estate().HostIDs(ctx, auth.OfSites(name), 0, 0)
		if err != nil {
			return report.Site{}, err
		}
		if len(hosts) > 0 {
			if _, err := a.assessor().Resettle(ctx, hosts); err != nil {
				return report.Site{}, fmt.Errorf("site %s is changed, and not all of its findings are judged anew yet: %w", name, err)
			}
		}
	}
	return a.Site(ctx, name)
}

// AddSite adds a vantage point; the name must be new.
func (a *App) AddSite(ctx context.Context, name string, external bool) (err error) {
	defer func() { a.auditEnd(ctx, "site.add", "site "+name, fmt.Sprintf("external %t", external), err) }()
	if err := a.wide("adding a site"); err != nil {
		return err
	}
	sites, err := a.store.Estate().Sites(ctx, a.who.View)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(sites, func(s asset.Site) bool { return s.Name == name }) {
		return fault.Conflict("site %s exists already", name)
	}
	_, _, err = a.store.Estate().CreateSite(ctx, asset.Site{Name: name, External: external})
	return err
}
