package answer

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
)

// kind is a product in one version that answers or lies somewhere.
type kind struct {
	name, version string
	places, hosts int
	ports         []uint16
	first         *report.AskHost
}

// kindsOn lists what runs on hosts, as was asked: services for questions about services, packages too for software.
func (q *Asked) kindsOn(hosts []report.AskHost) (kinds []kind, places int, on map[int64]bool) {
	type key struct{ name, version string }
	found, order := map[key]*kind{}, []key{}
	on = map[int64]bool{}
	add := func(h *report.AskHost, name, v string, port uint16) {
		k := key{name, v}
		if found[k] == nil {
			found[k] = &kind{name: name, version: v, first: h}
			order = append(order, k)
		}
		one := found[k]
		one.places++
		places++
		if one.hosts == 0 || one.first.ID != h.ID {
			one.hosts++
			one.first = h
		}
		if port != 0 && !slices.Contains(one.ports, port) {
			one.ports = append(one.ports, port)
		}
		on[h.ID] = true
	}
	for i := range hosts {
		h := &hosts[i]
		for _, s := range servicesAt(h, q.Ports) {
			if q.wants(string(s.Product), string(s.Service), s.CPEs, string(s.Version), false) {
				if q.Subject == understand.Software && s.Product == "" {
					continue
				}
				add(h, cmpOr(string(s.Product), cmpOr(string(s.Service), "not identified")), string(s.Version), s.Port)
			}
		}
		if q.Subject == understand.Software && len(q.Ports) == 0 {
			for _, c := range h.Components {
				name, v := finding.SplitComponent(c)
				if q.wants(name, "", nil, v, true) {
					add(h, name, v, 0)
				}
			}
		}
	}
	for _, k := range order {
		kinds = append(kinds, *found[k])
	}
	slices.SortStableFunc(kinds, func(a, b kind) int {
		return cmp.Or(cmp.Compare(b.hosts, a.hosts), cmp.Compare(a.name, b.name), cmp.Compare(a.version, b.version))
	})
	return kinds, places, on
}

// wants says whether a product is one that was asked for.
func (q *Asked) wants(product, service string, cpes []string, version string, pack bool) bool {
	if len(q.Products) == 0 {
		return true
	}
	return slices.ContainsFunc(q.Products, func(p understand.ProductName) bool {
		is := isProduct(p, product, service, cpes)
		if pack {
			is = isPackage(p, product)
		}
		return is && inVersion(p, version) == 1
	}) != q.Negated
}

// ofSoftware answers what is asked about services and software.
func (q *Asked) ofSoftware(ctx context.Context, d *Draft) error {
	switch {
	case q.Measure == understand.Group && (q.GroupBy == "host" || q.GroupBy == "site" || q.GroupBy == "owner" || q.GroupBy == "port" || q.GroupBy == "product"):
		return q.groupSoftware(ctx, d)
	case q.Measure == understand.Compare && len(q.sides()) > 1:
		return q.compareSides(ctx, d)
	case findingConditions(q) && (q.Measure == understand.Count || q.Measure == understand.Group || q.Measure == understand.List || q.Measure == understand.First):
		return q.riskySoftware(ctx, d)
	case q.Measure == understand.Whether && len(q.CVEs) > 0:
		return q.affected(ctx, d)
	}
	hosts, words, t, err := q.hostsMeant(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	kinds, places, on := q.kindsOn(hosts)
	return q.sayKinds(ctx, d, hosts, words, kinds, places, on)
}

func (q *Asked) softwareLink() string {
	search := url.Values{"tab": {map[bool]string{true: "software", false: "services"}[q.Subject == understand.Software && len(q.Products) == 0]}}
	if len(q.Sites) == 1 {
		search.Set("site", q.Sites[0])
	}
	if len(q.Ports) == 1 && q.Ports[0].To <= q.Ports[0].From {
		search.Set("port", strconv.Itoa(int(q.Ports[0].From)))
	}
	if len(q.Products) == 1 {
		search.Set("product", q.Products[0].Text)
	}
	return page("/assets", search)
}

func (q *Asked) sayKinds(ctx context.Context, d *Draft, hosts []report.AskHost, words []string, kinds []kind, places int, on map[int64]bool) error {
	link := q.softwareLink()
	d.Link = link
	thing, things := "service", "services"
	if q.Subject == understand.Software {
		thing, things = "product", "products"
	}
	what := ""
	if len(q.Products) > 0 {
		var names []string
		for _, p := range q.Products {
			names = append(names, bold(productWords(p)))
		}
		what = or(names)
	}
	if len(q.Ports) > 0 {
		words = append(words, "at "+portWords(q.Ports))
	}
	where := strings.Join(words, " ")
	list := d.Cite(report.Source{Kind: "list", ID: link, Title: "Services and software", Text: cut(plainBold(fmt.Sprintf("%s %s: %s", what, where, report.Plural(places, "place", "places")))),
		URL: link, API: "/api/v1/services"})
	if len(kinds) == 0 {
		d.Facts.Count = numbered(0)
		if q.Measure == understand.Whether || what != "" {
			d.Facts.Yes = truth(false)
		}
		looked := fmt.Sprintf("%s looked at", report.Plural(len(hosts), "host was", "hosts were"))
		if seen, err := q.Desk.AskSeen(ctx); err != nil {
			return err
		} else if seen.Last != nil {
			looked += ", the last time on " + q.moment(endOf(*seen.Last))
		}
		d.Say([]int{list}, "No: nothing of yours runs %s%s; %s.", cmpOr(what, "a service"), by0(where), looked)
		q.otherVersions(d, hosts, list)
		return nil
	}
	nHosts := len(on)
	d.Facts.More = 0
	switch {
	case q.Measure == understand.Whether:
		d.Facts.Yes, d.Facts.Count = truth(true), numbered(nHosts)
		d.Say([]int{list}, "Yes: **%s** %s %s%s:", report.Thousands(nHosts), have(nHosts, "host runs", "hosts run"), cmpOr(what, "services"), by0(where))
	case q.Measure == understand.Count && q.Subject == understand.Software && what == "":
		d.Facts.Count = numbered(distinct(kinds))
		d.Say([]int{list}, "**%s** different products run%s, in %s, on %s.", report.Thousands(distinct(kinds)), by0(where), report.Plural(len(kinds), "version", "versions"), report.Plural(nHosts, "host", "hosts"))
		return nil
	case q.Measure == understand.Count && q.Subject == understand.Services:
		d.Facts.Count = numbered(places)
		d.Say([]int{list}, "**%s** %s%s %s%s, on %s.", report.Thousands(places), have(places, thing, things), by1(" of ", what), have(places, "answers", "answer"), by0(where), report.Plural(nHosts, "host", "hosts"))
		return nil
	case q.Measure == understand.Count && q.ofVersions():
		d.Facts.Count = numbered(len(kinds))
		d.Say([]int{list}, "**%s** of %s %s%s, on %s:", report.Plural(len(kinds), "version", "versions"), cmpOr(what, "software"), have(len(kinds), "runs", "run"), by0(where), report.Plural(nHosts, "host", "hosts"))
	case q.Measure == understand.Count:
		d.Facts.Count = numbered(nHosts)
		d.Say([]int{list}, "**%s** %s %s%s.", report.Thousands(nHosts), have(nHosts, "host runs", "hosts run"), what, by0(where))
		d.Facts.Value = report.Text(strconv.Itoa(nHosts))
	case what != "" && len(kinds) == 1 && kinds[0].version != "":
		d.Facts.Count, d.Facts.Value = numbered(1), report.Text(quote(kinds[0].version))
		d.Say([]int{list}, "%s runs in one version%s, **%s**, on %s:", what, by0(where), quote(kinds[0].version), report.Plural(nHosts, "host", "hosts"))
	case what != "":
		d.Facts.Count = numbered(len(kinds))
		d.Say([]int{list}, "%s runs in **%s**%s, on %s:", what, report.Plural(len(kinds), "version", "versions"), by0(where), report.Plural(nHosts, "host", "hosts"))
	default:
		d.Facts.Count = numbered(len(kinds))
		d.Say([]int{list}, "**%s** different %s %s%s, on %s; those on most hosts first:", report.Thousands(len(kinds)), have(len(kinds), thing, things), have(len(kinds), "answers", "answer"), by0(where), report.Plural(nHosts, "host", "hosts"))
	}
	shown := kinds[:q.fit(len(kinds))]
	for _, k := range shown {
		name := strings.TrimSpace(quoted(k.name, 60) + " " + cmpOr(quote(k.version), "(version not known)"))
		text := fmt.Sprintf("**%s** on %s", name, report.Plural(k.hosts, "host", "hosts"))
		if k.hosts == 1 {
			text = fmt.Sprintf("**%s** on %s", name, quote(hostCalled(k.first.Host)))
		}
		if len(k.ports) > 0 {
			slices.Sort(k.ports)
			var ports []string
			for _, p := range k.ports {
				ports = append(ports, strconv.Itoa(int(p)))
			}
			text += " at port " + few(ports, 5)
		}
		cites := []int{list}
		if k.hosts == 1 {
			cites = []int{d.Cite(hostSource(k.first))}
		}
		d.Item(cites, "%s", text)
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "software", ID: quoted(strings.TrimSpace(k.name+" "+k.version), 80), Name: name, Count: numbered(k.hosts), Value: report.Text(quote(k.version))})
	}
	if d.Facts.More = len(kinds) - len(shown); d.Facts.More > 0 {
		d.Say([]int{list}, "And %s more.", report.Thousands(d.Facts.More))
	}
	q.askOn(d, "Which of those have critical findings?", "Which hosts run them?", "What should I fix first?")
	return nil
}

// ofVersions says whether versions are counted, and not the hosts that run them.
func (q *Asked) ofVersions() bool {
	return q.GroupBy == "version" || q.Attribute == understand.Version || strings.Contains(strings.ToLower(q.Text), "versions")
}

func by0(words string) string { return by1(" ", words) }

func by1(before, words string) string {
	if words == "" {
		return ""
	}
	return before + words
}

func distinct(kinds []kind) int {
	names := map[string]bool{}
	for _, k := range kinds {
		names[strings.ToLower(k.name)] = true
	}
	return len(names)
}

// otherVersions says in which versions a product runs that was asked for in another.
func (q *Asked) otherVersions(d *Draft, hosts []report.AskHost, cite int) {
	var versions []string
	for _, p := range q.Products {
		if p.Version == "" {
			continue
		}
		for i := range hosts {
			for _, s := range runs(&hosts[i], p) {
				if v := cmpOr(s.version, "a version that is not known"); !slices.Contains(versions, quote(v)) {
					versions = append(versions, quote(v))
				}
			}
		}
	}
	if len(versions) > 0 {
		d.Say([]int{cite}, "It runs in %s.", few(versions, 5))
	}
}

// groupSoftware counts services by something.
func (q *Asked) groupSoftware(ctx context.Context, d *Draft) error {
	hosts, words, t, err := q.hostsMeant(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	counts, total := map[string]int{}, 0
	for i := range hosts {
		h := &hosts[i]
		seen := map[string]bool{}
		for _, s := range servicesAt(h, q.Ports) {
			if !q.wants(string(s.Product), string(s.Service), s.CPEs, string(s.Version), false) {
				continue
			}
			k := map[string]string{"host": hostCalled(h.Host), "site": h.Site, "owner": cmpOr(string(h.Owner), "nobody"), "port": fmt.Sprintf("%d/%s", s.Port, s.Protocol),
				"product": cmpOr(string(s.Product), "not identified")}[q.GroupBy]
			if q.GroupBy == "product" && q.Subject == understand.Software {
				if seen[k] {
					continue // a product counts once on a host
				}
				seen[k] = true
			}
			counts[k]++
			total++
		}
	}
	link := q.softwareLink()
	d.Link = link
	cite := d.Cite(report.Source{Kind: "list", ID: link, Title: "Services", Text: report.Plural(total, "service", "services"), URL: link, API: "/api/v1/services"})
	groups := fromMap(q.GroupBy, counts)
	q.sayGroups(d, groups, cite, strings.TrimSpace(fmt.Sprintf("**%s** %s answer %s", report.Thousands(total), have(total, "service", "services"), strings.Join(words, " "))), "service", "services")
	if q.GroupBy == "host" && len(groups) > 0 {
		if s, ok := q.hostByID(ctx, groups[0].id); ok {
			d.Cite(s)
		}
	}
	return nil
}

// riskySoftware counts findings by product.
func (q *Asked) riskySoftware(ctx context.Context, d *Draft) error {
	c, t, err := q.findings(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	q.GroupBy = "product"
	return q.groupFindings(ctx, d, c)
}

// ofSites answers what is asked about sites.
func (q *Asked) ofSites(ctx context.Context, d *Draft) error {
	sites, err := q.Desk.Sites(ctx)
	if err != nil {
		return err
	}
	switch {
	case (q.Time != nil || q.Negated) && (q.TimeOf == "scanned" || q.TimeOf == "last_seen" || strings.Contains(strings.ToLower(q.Text), "scan") || strings.Contains(strings.ToLower(q.Text), "looked")),
		q.Attribute == understand.LastScan || q.Attribute == understand.LastSeen || q.Attribute == understand.Age:
		return q.sitesLooked(ctx, d)
	case q.Measure == understand.Compare && len(q.sides()) > 1, len(q.Sites) > 1 && q.Measure != understand.List && q.Measure != understand.Count:
		return q.compareSides(ctx, d)
	case q.Measure == understand.Overview:
		return q.overview(ctx, d)
	case findingConditions(q) || q.Measure == understand.Group || q.Measure == understand.First || q.Measure == understand.Compare:
		c, t, err := q.findings(ctx)
		if err != nil || t != nil {
			return q.cannot(d, t, err)
		}
		q.GroupBy = "site"
		return q.groupFindings(ctx, d, c)
	}
	all, words, t, err := q.hostsMeant(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	if len(q.Products)+len(q.Ports) > 0 || len(words) > 0 {
		h, t, err := q.hosts(ctx)
		if err != nil || t != nil {
			return q.cannot(d, t, err)
		}
		all = h.hosts
	}
	n, open := map[string]int{}, map[string]int{}
	for i := range all {
		n[all[i].Site]++
		open[all[i].Site] += openOf(&all[i])
	}
	narrowed := len(q.Products)+len(q.Ports) > 0 || len(words) > 0
	sites = slices.DeleteFunc(slices.Clone(sites), func(s report.Site) bool { return narrowed && n[s.Name] == 0 })
	d.Link, d.Command = "/assets?tab=sites", "patchscout site list"
	list := d.Cite(report.Source{Kind: "list", ID: d.Link, Title: "Sites", Text: report.Plural(len(sites), "site", "sites"), URL: d.Link, API: "/api/v1/sites"})
	d.Facts.Count = numbered(len(sites))
	if q.Measure == understand.Whether {
		d.Facts.Yes = truth(len(sites) > 0)
	}
	d.Say([]int{list}, "%s %s known%s", number(len(sites)), have(len(sites), "site is", "sites are"), map[bool]string{true: ":", false: "."}[len(sites) > 0])
	for _, s := range sites[:q.fit(len(sites))] {
		external := ""
		if s.External {
			external = ", scanned from outside"
		}
		d.Item([]int{d.Cite(report.Source{Kind: "site", ID: s.Name, Title: quote(s.Name), Text: report.Plural(n[s.Name], "host", "hosts"), URL: page("/assets", url.Values{"site": {s.Name}})})},
			"%s: %s, %s%s", bold(s.Name), report.Plural(n[s.Name], "host", "hosts"), report.Plural(open[s.Name], "open finding", "open findings"), external)
		d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "site", ID: s.Name, Name: quote(s.Name), Count: numbered(n[s.Name])})
	}
	d.Facts.More = len(sites) - len(d.Facts.Items)
	return nil
}
