package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/store"
)

func (a *App) askFilter(ctx context.Context, req request.AskFindings) (finding.Filter, error) {
	f, err := a.filter(ctx, req.Findings)
	if err != nil {
		return f, err
	}
	if req.KEV != nil {
		f.KEV = req.KEV
	}
	if req.Exploited != nil {
		f.Exploited = req.Exploited
	}
	f.Further = &req.Further
	return f, nil
}

// AskCounts is FindingCounts of what was asked in words.
func (a *App) AskCounts(ctx context.Context, req request.AskFindings) (report.FindingCounts, error) {
	f, err := a.askFilter(ctx, req)
	if err != nil {
		return report.FindingCounts{}, err
	}
	return a.counts(ctx, f)
}

// AskPage is FindingPage of what was asked in words; there is no page after it.
func (a *App) AskPage(ctx context.Context, req request.AskFindings) (report.FindingList, error) {
	return together(ctx, a.store, func(ctx context.Context) (out report.FindingList, err error) {
		f, err := a.askFilter(ctx, req)
		if err != nil {
			return out, err
		}
		f.Limit = max(req.Limit, 1)
		listed, counts, err := a.store.Estate().FindingPage(ctx, a.who.View, f)
		if err != nil {
			return out, err
		}
		cat, err := a.Catalogue(ctx)
		if err != nil {
			return out, err
		}
		out.Total, out.Findings = counts.Total, make([]report.Finding, 0, len(listed))
		for _, l := range listed {
			out.Findings = append(out.Findings, toFinding(l, l.Evidence, kevKnown(cat)))
		}
		return out, a.markFindings(ctx, out.Findings, listed)
	})
}

// AskGroups is FindingGroups of what was asked in words: all groups, the most urgent first.
func (a *App) AskGroups(ctx context.Context, req request.AskFindings, by string) ([]report.Group, error) {
	f, err := a.askFilter(ctx, req)
	if err != nil {
		return nil, err
	}
	groups, _, err := a.store.Estate().FindingGroups(ctx, a.who.View, f, finding.GroupBy(by), finding.GroupCursor{}, 0)
	out := make([]report.Group, 0, len(groups))
	for _, g := range groups {
		out = append(out, toGroup(g, finding.GroupBy(by)))
	}
	return out, err
}

// AskRows calls fn for every finding that was asked for in words, without evidence.
func (a *App) AskRows(ctx context.Context, req request.AskFindings, fn func(finding.Listed) error) error {
	f, err := a.askFilter(ctx, req)
	if err != nil {
		return err
	}
	return a.store.Estate().EachFinding(ctx, a.who.View, f, fn)
}

// AskPlaces calls fn with where each finding is that was asked for in words.
func (a *App) AskPlaces(ctx context.Context, req request.AskFindings, fn func(finding.Place)) error {
	f, err := a.askFilter(ctx, req)
	if err != nil {
		return err
	}
	return a.store.Estate().FindingPlaces(ctx, a.who.View, f, fn)
}

// AskTally counts findings that were asked for in words by port, scanner or cwe.
func (a *App) AskTally(ctx context.Context, req request.AskFindings, by string) (map[string]int, error) {
	f, err := a.askFilter(ctx, req)
	if err != nil {
		return nil, err
	}
	return a.store.Estate().FindingTally(ctx, a.who.View, f, by)
}

// AskWeaknesses lists the weaknesses of findings that have what the catalogue is asked for. A check without a CVE has none of it.
func (a *App) AskWeaknesses(ctx context.Context, req request.AskFindings, about request.AskWeaknesses) ([]string, error) {
	groups, err := a.AskGroups(ctx, req, string(finding.GroupWeakness))
	if err != nil {
		return nil, err
	}
	var ids []cve.ID
	for _, g := range groups {
		if id := finding.Weakness(g.Key).CVE(); id != 0 {
			ids = append(ids, id)
		}
	}
	for _, narrow := range []func(context.Context, request.AskWeaknesses, []cve.ID) ([]cve.ID, error){a.askedFacts, a.askedAny, a.askedTechniques, a.askedListed} {
		if ids, err = narrow(ctx, about, ids); err != nil {
			return nil, err
		}
	}
	out := []string{}
	for _, id := range ids {
		out = append(out, id.String())
	}
	slices.Sort(out)
	return out, nil
}

// askedFacts narrows by what the catalogue's own filter takes, and by its opposites.
func (a *App) askedFacts(ctx context.Context, about request.AskWeaknesses, ids []cve.ID) ([]cve.ID, error) {
	f := catalogue.Filter{Vendor: about.Vendor, Product: about.Product}
	for _, day := range []struct {
		text string
		into *time.Time
	}{{about.PublishedFrom, &f.PublishedFrom}, {about.PublishedTo, &f.PublishedTo}, {about.ModifiedFrom, &f.ModifiedFrom}, {about.ModifiedTo, &f.ModifiedTo}} {
		if day.text == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, day.text)
		if err != nil {
			return nil, fault.Invalid("%.40s: want a day, YYYY-MM-DD", day.text)
		}
		*day.into = at
	}
	f.Ransomware = about.Ransomware != nil && *about.Ransomware
	if about.Exploit != "none" {
		f.Exploit = about.Exploit
	}
	passing, err := a.store.Catalogue().Passing(ctx, f, ids)
	for _, without := range []struct {
		filter catalogue.Filter
		asked  bool
	}{{catalogue.Filter{Ransomware: true}, about.Ransomware != nil && !*about.Ransomware}, {catalogue.Filter{Exploit: "any"}, about.Exploit == "none"}} {
		if err != nil || !without.asked {
			continue
		}
		var has []cve.ID
		has, err = a.store.Catalogue().Passing(ctx, without.filter, passing)
		passing = slices.DeleteFunc(passing, func(id cve.ID) bool { return slices.Contains(has, id) })
	}
	return passing, err
}

// askedAny narrows to those with one of the kinds of weakness.
func (a *App) askedAny(ctx context.Context, about request.AskWeaknesses, ids []cve.ID) (out []cve.ID, err error) {
	if len(about.CWEs) == 0 {
		return ids, nil
	}
	for _, cwe := range about.CWEs {
		has, err := a.store.Catalogue().Passing(ctx, catalogue.Filter{CWE: cwe}, ids)
		if err != nil {
			return nil, err
		}
		out = append(out, has...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// askedTechniques narrows to those that lead to one of the techniques, as the matrix counts them.
func (a *App) askedTechniques(ctx context.Context, about request.AskWeaknesses, ids []cve.ID) ([]cve.ID, error) {
	if len(about.Techniques) == 0 {
		return ids, nil
	}
	m, err := a.techniqueMap(ctx)
	if err != nil {
		return nil, err
	}
	var wanted []int32
	for _, t := range about.Techniques {
		if at, stands := m.at[strings.ToUpper(t)]; stands {
			wanted = append(wanted, at)
		}
	}
	leads, err := a.leads(ctx, m, ids)
	return slices.DeleteFunc(ids, func(id cve.ID) bool {
		return !slices.ContainsFunc(leads[id], func(at int32) bool { return slices.Contains(wanted, at) })
	}), err
}

// askedListed narrows to those that CISA added within days.
func (a *App) askedListed(ctx context.Context, about request.AskWeaknesses, ids []cve.ID) ([]cve.ID, error) {
	if about.KEVFrom == "" && about.KEVTo == "" {
		return ids, nil
	}
	from, err := time.Parse(time.DateOnly, cmp.Or(about.KEVFrom, "1970-01-02"))
	if err != nil {
		return nil, fault.Invalid("%.40s: want a day, YYYY-MM-DD", about.KEVFrom)
	}
	list, err := a.store.Catalogue().ExploitedSince(ctx, from)
	added := map[cve.ID]bool{}
	for _, k := range list {
		added[k.CVE] = about.KEVTo == "" || k.Added.Format(time.DateOnly) < about.KEVTo
	}
	return slices.DeleteFunc(ids, func(id cve.ID) bool { return !added[id] }), err
}

// AskTechniques says to which techniques each CVE leads, as the matrix counts them: ids, parents included.
func (a *App) AskTechniques(ctx context.Context, ids []cve.ID) (map[cve.ID][]string, error) {
	m, err := a.techniqueMap(ctx)
	if err != nil {
		return nil, err
	}
	leads, err := a.leads(ctx, m, ids)
	out := make(map[cve.ID][]string, len(leads))
	for id, list := range leads {
		for _, at := range list {
			out[id] = append(out[id], m.techniques[at].ID)
		}
	}
	return out, err
}

// maxAskHosts is up to how many hosts they are kept between questions.
const maxAskHosts = 20_000

// AskHosts lists all hosts that the asker may see with what answers there and what their findings come to, the most urgent
// first. It is kept as long as nobody writes: the list is the caller's to read only.
func (a *App) AskHosts(ctx context.Context) ([]report.AskHost, error) {
	return together(ctx, a.store, a.allAskHosts)
}

func (a *App) allAskHosts(ctx context.Context) ([]report.AskHost, error) {
	catalogue, generation, err := a.store.Generations(ctx)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintf("%d %s %t %q", catalogue, a.now().UTC().Format(time.DateOnly), a.who.View.All(), a.who.View.Sites())
	if known, ok := a.askedHosts.find(generation, key); ok {
		return known, nil
	}
	out, err := a.readAskHosts(ctx)
	if err == nil && len(out) <= maxAskHosts {
		a.askedHosts.keepLarge(generation, key, out, len(out))
	}
	return out, err
}

func (a *App) readAskHosts(ctx context.Context) ([]report.AskHost, error) {
	page, err := a.assetPage(ctx, AssetRequest{Sort: "urgency"})
	if err != nil {
		return nil, err
	}
	sites, err := a.store.Estate().Sites(ctx, a.who.View)
	if err != nil {
		return nil, err
	}
	looked, err := a.store.Estate().LastLooks(ctx, a.who.View)
	if err != nil {
		return nil, err
	}
	out, at := make([]report.AskHost, len(page.Hosts)), make(map[int64]int, len(page.Hosts))
	for i, h := range page.Hosts {
		out[i] = report.AskHost{HostListed: h, Looked: looked[h.ID]}
		at[h.ID] = i
	}
	hosts, err := a.store.Estate().Hosts(ctx, a.who.View, store.HostFilter{})
	if err != nil {
		return nil, err
	}
	for _, h := range hosts {
		if i, known := at[h.ID]; known {
			site := slices.IndexFunc(sites, func(s asset.Site) bool { return s.Name == h.Site })
			if site >= 0 {
				out[i].Reach = toReach(sites[site], h)
			}
		}
	}
	parts, err := a.store.Estate().ComponentsOnHosts(ctx, a.who.View)
	for id, list := range parts {
		if i, known := at[id]; known {
			out[i].Components = list
		}
	}
	return out, err
}

// HostNamed finds the hosts that people mean by an id, an address or a name: several where it is several; none is no error.
func (a *App) HostNamed(ctx context.Context, text, site string) ([]int64, error) {
	id, err := a.hostID(ctx, text, site)
	switch fault.KindOf(err) {
	case fault.KindNotFound:
		return nil, nil
	case fault.KindConflict:
	default:
		if err != nil {
			return nil, err
		}
		return []int64{id}, nil
	}
	hosts, err := a.store.Estate().Hosts(ctx, a.who.View, store.HostFilter{Site: site, Called: asset.NameValue(text)})
	out := []int64{}
	for _, h := range hosts {
		out = append(out, h.ID)
	}
	return out, err
}

// AskSeen says what was ever looked at.
func (a *App) AskSeen(ctx context.Context) (out report.AskSeen, err error) {
	_, hosts, err := a.store.Estate().HostStandings(ctx, a.who.View, store.HostQuery{Limit: 1})
	if err != nil {
		return out, err
	}
	out.Hosts = hosts
	for kind, into := range map[string]*int{"scan": &out.Scans, "import": &out.Imports} {
		if _, *into, err = a.ScanStatuses(ctx, ScansRequest{Kind: kind, Limit: 1}); err != nil {
			return out, err
		}
	}
	list, _, err := a.ScanStatuses(ctx, ScansRequest{Status: "completed", Limit: 20})
	if len(list) > 0 {
		last := slices.MaxFunc(list, func(a, b report.ScanStatus) int {
			return cmp.Or(whenEnded(a).Compare(whenEnded(b)), cmp.Compare(a.ScanID, b.ScanID))
		})
		out.Last = &last
	}
	return out, err
}

func whenEnded(s report.ScanStatus) time.Time {
	if s.CompletedAt != nil {
		return *s.CompletedAt
	}
	return s.CreatedAt
}

// AskUser is how findings name the asker as one who works on them, "" where nobody signed in.
func (a *App) AskUser(context.Context) string {
	if a.who.User == 0 {
		return ""
	}
	return a.who.Name
}
