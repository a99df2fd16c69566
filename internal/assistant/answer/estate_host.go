package answer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
)

// oneHost answers what is asked of one host: an attribute, or all that matters.
func (q *Asked) oneHost(ctx context.Context, d *Draft) error {
	hosts, _, t, err := q.hostsMeant(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	if len(hosts) == 0 {
		d.refuse(nil, "no host meets all that was asked", "Ask: what do you know about "+quote(q.Hosts[0].Text)+"?")
		return nil
	}
	for i := range hosts[:min(len(hosts), 5)] {
		h := &hosts[i]
		cite := d.Cite(hostSource(h))
		text, value := q.hostFact(h)
		d.Facts.Value = report.Text(value)
		if len(hosts) > 1 {
			d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "host", ID: strconv.FormatInt(h.ID, 10), Name: quote(hostCalled(h.Host)), Value: report.Text(value)})
			text += " (site " + quote(h.Site) + ")"
		}
		switch q.Attribute {
		case "":
			if err := q.describeHost(ctx, d, h, cite); err != nil {
				return err
			}
		case understand.OpenPorts, understand.Runs, understand.Version:
			q.portsOf(d, h, cite)
		case understand.LastScan:
			if err := q.lastScanOf(ctx, d, h, cite); err != nil {
				return err
			}
		case understand.History:
			if err := q.historyOfHost(ctx, d, h, cite); err != nil {
				return err
			}
		default:
			d.Say([]int{cite}, "%s", text)
		}
	}
	if len(hosts) == 1 {
		d.Link = fmt.Sprintf("/assets/%d", hosts[0].ID)
		d.Command = "patchscout assets list --search " + shell(hostCalled(hosts[0].Host))
	}
	q.askOn(d, "Which findings are open there?", "How would an attacker reach it?", "When was it last scanned?")
	return nil
}

// hostFact is a sentence about one attribute of a host, and its value.
func (q *Asked) hostFact(h *report.AskHost) (text, value string) {
	name := bold(hostCalled(h.Host))
	none := func(what string) (string, string) { return fmt.Sprintf("Of %s no %s is known.", name, what), "" }
	said := func(verb, value, missing string) (string, string) {
		if value == "" {
			return none(missing)
		}
		return fmt.Sprintf("%s %s **%s**.", name, verb, quote(value)), quote(value)
	}
	switch q.Attribute {
	case understand.OS:
		return said("runs", string(h.OS), "operating system")
	case understand.OwnerOf:
		if h.Owner == "" {
			return name + " has no owner.", "nobody"
		}
		return said("is owned by", string(h.Owner), "owner")
	case understand.CritOf:
		if h.Criticality == "" {
			return name + " has no criticality: nobody set it.", "none"
		}
		return said("has criticality", string(h.Criticality), "criticality")
	case understand.TagsOf:
		if len(h.Tags) == 0 {
			return name + " has no tags.", ""
		}
		return said("is tagged", strings.Join(h.Tags, ", "), "tag")
	case understand.SiteOf:
		return said("is in site", h.Site, "site")
	case understand.Addresses:
		return said("has", strings.Join(h.Addresses, ", "), "address")
	case understand.Names:
		return said("is called", strings.Join(h.Hostnames, ", "), "name")
	case understand.Status, understand.State:
		return said("is", h.Status, "status")
	case understand.FirstSeen:
		return fmt.Sprintf("%s was first seen on **%s**.", name, q.moment(h.FirstSeen)), h.FirstSeen.UTC().Format("2006-01-02")
	case understand.LastSeen:
		return fmt.Sprintf("%s was last seen on **%s**, %s.", name, q.moment(h.LastSeen), q.ago(h.LastSeen)), h.LastSeen.UTC().Format("2006-01-02")
	case understand.LastScan:
		if h.Looked.IsZero() {
			return name + " was never scanned: only imported reports speak of it.", ""
		}
		return fmt.Sprintf("%s was last scanned on **%s**, %s.", name, q.moment(h.Looked), q.ago(h.Looked)), h.Looked.UTC().Format("2006-01-02")
	case understand.OpenPorts:
		var ports []string
		for _, s := range h.Services {
			ports = append(ports, fmt.Sprintf("%d/%s", s.Port, s.Protocol))
		}
		return said("answers at", strings.Join(ports, ", "), "open port")
	case understand.Runs, understand.Version:
		var list []string
		for _, s := range h.Services {
			if s.Product != "" {
				list = append(list, strings.TrimSpace(string(s.Product)+" "+string(s.Version)))
			}
		}
		return said("runs", few(append(list, h.Components...), fewItems), "software")
	case understand.Decision:
		return said("has findings of which the most urgent is", string(h.Decision), "decision")
	}
	return fmt.Sprintf("%s: %s.", name, worstWords(h)), strconv.Itoa(openOf(h))
}

// describeHost says all that matters of a host in a few lines.
func (q *Asked) describeHost(ctx context.Context, d *Draft, h *report.AskHost, cite int) error {
	text := bold(hostCalled(h.Host)) + " is " + quote(h.Status) + " in site " + quote(h.Site)
	if len(h.Hostnames) > 0 && h.Address != "" {
		text += ", called " + quote(few(h.Hostnames, 3))
	}
	if h.OS != "" {
		text += ", and runs " + quoted(string(h.OS), 80)
	}
	d.Say([]int{cite}, "%s.", text)
	d.Item([]int{cite}, "Findings: %s", worstWords(h))
	q.servicesLine(d, h, cite)
	owner := "owner " + cmpOr(quote(string(h.Owner)), "nobody") + ", criticality " + cmpOr(string(h.Criticality), "not set")
	if len(h.Tags) > 0 {
		owner += ", tags " + quote(strings.Join(h.Tags, ", "))
	}
	d.Item([]int{cite}, "%s", capital(owner))
	switch {
	case h.Reach.Exposed == nil:
		d.Item([]int{cite}, "Whether the internet reaches it is not known")
	default:
		d.Item([]int{cite}, "The internet %s it: %s", map[bool]string{true: "reaches", false: "does not reach"}[*h.Reach.Exposed], quoted(h.Reach.Why, 120))
	}
	looked := "never scanned: only imported reports speak of it"
	if !h.Looked.IsZero() {
		looked = "last looked at " + q.moment(h.Looked)
	}
	d.Item([]int{cite}, "First seen %s, last seen %s, %s", day(h.FirstSeen), q.moment(h.LastSeen), looked)
	c := &chosen{exact: true}
	c.req.Confirmed, c.req.Host = true, strconv.FormatInt(h.ID, 10)
	list, err := q.top(ctx, c, 3)
	if err != nil || len(list) == 0 {
		return err
	}
	d.Say([]int{cite}, "The most urgent there:")
	for i := range list {
		d.Item([]int{d.Cite(findingSource(&list[i]))}, "%s", findingLine(&list[i]))
	}
	return nil
}

func (q *Asked) servicesLine(d *Draft, h *report.AskHost, cite int) {
	var list []string
	for _, s := range h.Services {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%d/%s %s", s.Port, s.Protocol, quoted(strings.TrimSpace(cmpOr(string(s.Product), string(s.Service))+" "+string(s.Version)), 60))))
	}
	if len(list) == 0 {
		d.Item([]int{cite}, "No service is known there")
		return
	}
	d.Item([]int{cite}, "%s: %s", report.Plural(len(list), "service", "services"), few(list, fewItems))
}

// portsOf lists what answers on a host, and its packages.
func (q *Asked) portsOf(d *Draft, h *report.AskHost, cite int) {
	services := servicesAt(h, q.Ports)
	if len(q.Products) > 0 {
		services = slices.DeleteFunc(services, func(s *report.Service) bool {
			return !slices.ContainsFunc(q.Products, func(p understand.ProductName) bool { return isProduct(p, string(s.Product), string(s.Service), s.CPEs) })
		})
	}
	packages := []string{}
	if q.Attribute != understand.OpenPorts && len(q.Ports) == 0 {
		for _, c := range h.Components {
			name, _ := finding.SplitComponent(c)
			if len(q.Products) == 0 || slices.ContainsFunc(q.Products, func(p understand.ProductName) bool { return isPackage(p, name) }) {
				packages = append(packages, c)
			}
		}
	}
	d.Facts.Count = numbered(len(services) + len(packages))
	if len(services)+len(packages) == 0 {
		what := "No open port is known"
		if len(q.Products) > 0 {
			what = bold(productWords(q.Products[0])) + " was not seen"
		}
		d.Say([]int{cite}, "%s on %s%s.", what, bold(hostCalled(h.Host)), q.lookedWords(h))
		return
	}
	text := fmt.Sprintf("%s answers at **%s**", bold(hostCalled(h.Host)), report.Plural(len(services), "port", "ports"))
	if len(services) == 0 {
		text = fmt.Sprintf("%s has **%s** that findings are about", bold(hostCalled(h.Host)), report.Plural(len(packages), "package", "packages"))
	} else if len(packages) > 0 {
		text += fmt.Sprintf(" and has %s that findings are about", report.Plural(len(packages), "package", "packages"))
	}
	d.Say([]int{cite}, "%s:", text)
	most := max(q.limit(), 20)
	for i, s := range services {
		if i < most {
			name := strings.TrimSpace(cmpOr(string(s.Product), string(s.Service)) + " " + string(s.Version))
			d.Item([]int{cite}, "**%d/%s** %s", s.Port, s.Protocol, cmpOr(quoted(name, 80), "not identified"))
			d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "service", ID: fmt.Sprintf("%d/%s", s.Port, s.Protocol), Name: quoted(name, 80), Value: report.Text(quote(string(s.Version)))})
			if s.Version != "" && len(services) == 1 {
				d.Facts.Value = report.Text(quote(string(s.Version)))
			}
		}
	}
	for i, p := range packages {
		if len(services)+i < most {
			_, v := finding.SplitComponent(p)
			d.Item([]int{cite}, "%s", quoted(p, 80))
			d.Facts.Items = append(d.Facts.Items, report.Figure{Kind: "software", ID: quoted(p, 80), Name: quoted(p, 80), Value: report.Text(quote(v))})
		}
	}
	d.Facts.More = len(services) + len(packages) - len(d.Facts.Items)
	if d.Facts.More > 0 {
		d.Say([]int{cite}, "And %d more.", d.Facts.More)
	}
}

// lookedWords says when a host was looked at.
func (q *Asked) lookedWords(h *report.AskHost) string {
	if h.Looked.IsZero() {
		return ", which was never scanned: only imported reports speak of it"
	}
	return ", which was last looked at on " + q.moment(h.Looked)
}

func (q *Asked) lastScanOf(ctx context.Context, d *Draft, h *report.AskHost, cite int) error {
	detail, err := q.Desk.Asset(ctx, h.ID)
	if err != nil {
		return err
	}
	if len(detail.Scans) == 0 {
		d.Say([]int{cite}, "%s was never scanned: only imported reports speak of it, last on %s.", bold(hostCalled(h.Host)), day(h.LastSeen))
		return nil
	}
	last := detail.Scans[0]
	d.Facts.Value = report.Text(last.At.UTC().Format("2006-01-02"))
	scan := d.Cite(report.Source{Kind: "scan", ID: strconv.FormatInt(last.ScanID, 10), Title: fmt.Sprintf("Scan %d", last.ScanID), Text: cut(last.Scanner + " looked at " + hostCalled(h.Host)),
		URL: fmt.Sprintf("/scans/%d", last.ScanID), API: report.Text(fmt.Sprintf("/api/v1/scans/%d", last.ScanID)), At: &last.At})
	d.Say([]int{cite, scan}, "%s was last looked at on **%s**, %s, by %s in scan %d.", bold(hostCalled(h.Host)), q.moment(last.At), q.ago(last.At), quote(last.Scanner), last.ScanID)
	return nil
}

func (q *Asked) historyOfHost(ctx context.Context, d *Draft, h *report.AskHost, cite int) error {
	detail, err := q.Desk.Asset(ctx, h.ID)
	if err != nil {
		return err
	}
	if len(detail.History) == 0 {
		d.Say([]int{cite}, "Nobody changed anything of %s; it was first seen on %s.", bold(hostCalled(h.Host)), day(h.FirstSeen))
		return nil
	}
	d.Say([]int{cite}, "What was changed of %s, the last first:", bold(hostCalled(h.Host)))
	for i := len(detail.History) - 1; i >= 0 && i >= len(detail.History)-fewItems; i-- {
		l := detail.History[i]
		d.Item([]int{cite}, "%s: %s from %s to %s%s", q.moment(l.At), l.What, cmpOr(quote(string(l.From)), "nothing"), cmpOr(quote(string(l.To)), "nothing"), by(string(l.By), " by "))
	}
	return nil
}

// whetherHost answers yes or no of one host.
func (q *Asked) whetherHost(ctx context.Context, d *Draft) error {
	hosts, _, t, err := q.hostsMeant(ctx)
	if err != nil {
		return err
	}
	if t != nil {
		return q.cannot(d, t, nil)
	}
	switch {
	case len(q.Products) > 0 || len(q.Ports) > 0:
		return q.whetherRuns(d, hosts)
	case findingConditions(q):
		c, t, err := q.findings(ctx)
		if err != nil || t != nil {
			return q.cannot(d, t, err)
		}
		return q.whetherFindings(ctx, d, c)
	}
	narrowed := q.Exposed != nil || q.OS != "" || q.Jewels || q.Owner != "" || len(q.Tags) > 0 || len(q.Criticality) > 0 || q.Status != "" || len(q.Sites) > 0
	plain := *q
	plain.Question.Exposed, plain.OS, plain.Jewels, plain.Owner, plain.Tags, plain.Criticality, plain.Status, plain.Sites = nil, "", false, "", nil, nil, "", nil
	all, _, t, err := plain.hostsMeant(ctx)
	if err != nil || t != nil {
		return q.cannot(d, t, err)
	}
	if len(all) == 0 {
		return nil
	}
	cite := d.Cite(hostSource(&all[0]))
	d.Link = fmt.Sprintf("/assets/%d", all[0].ID)
	h := &all[0]
	if q.Exposed != nil && h.Reach.Exposed == nil {
		d.refuse([]int{cite}, "whether the internet reaches "+bold(hostCalled(h.Host))+" is not known: "+quoted(h.Reach.Why, 120), "Say it with: patchscout assets tag "+shell(hostCalled(h.Host))+" --exposed yes.")
		return nil
	}
	is := len(hosts) > 0
	d.Facts.Yes = truth(is)
	word := map[bool]string{true: "Yes", false: "No"}[is]
	switch {
	case !narrowed:
		d.Say([]int{cite}, "Yes: %s is known, last seen on %s.", bold(hostCalled(h.Host)), q.moment(h.LastSeen))
	case q.Exposed != nil:
		d.Say([]int{cite}, "%s: the internet %s %s; %s.", word, map[bool]string{true: "reaches", false: "does not reach"}[*h.Reach.Exposed], bold(hostCalled(h.Host)), quoted(h.Reach.Why, 120))
	default:
		d.Say([]int{cite}, "%s: %s.", word, hostLine(h)+", owner "+cmpOr(quote(string(h.Owner)), "nobody")+", criticality "+cmpOr(string(h.Criticality), "not set")+", tags "+cmpOr(quote(strings.Join(h.Tags, ", ")), "none"))
	}
	return nil
}

// whetherRuns says whether hosts run a product or answer at a port.
func (q *Asked) whetherRuns(d *Draft, hosts []report.AskHost) error {
	for i := range hosts {
		h := &hosts[i]
		cite := d.Cite(hostSource(h))
		var found, maybe []string
		for _, p := range q.Products {
			for _, s := range runs(h, p) {
				line := strings.TrimSpace(quoted(s.name, 60)+" "+quote(s.version)) + " at " + s.where()
				switch s.match {
				case 1:
					found = append(found, line)
				default:
					maybe = append(maybe, strings.TrimSpace(line))
				}
			}
		}
		if len(q.Products) == 0 {
			for _, s := range servicesAt(h, q.Ports) {
				found = append(found, fmt.Sprintf("%d/%s %s", s.Port, s.Protocol, quoted(strings.TrimSpace(cmpOr(string(s.Product), string(s.Service))+" "+string(s.Version)), 60)))
			}
		}
		d.Facts.Yes = truth(len(found) > 0)
		d.Link = fmt.Sprintf("/assets/%d", h.ID)
		switch {
		case len(found) > 0:
			d.Say([]int{cite}, "Yes: %s has %s.", bold(hostCalled(h.Host)), few(found, 5))
		case len(maybe) > 0:
			d.Say([]int{cite}, "No: %s has %s.", bold(hostCalled(h.Host)), few(maybe, 5))
		case len(h.Services) == 0 && h.Looked.IsZero():
			d.Facts.Yes = nil
			d.refuse([]int{cite}, hostCalled(h.Host)+" was never scanned, and no report lists what runs there", "Scan it with: patchscout scan "+shell(hostCalled(h.Host))+".")
		default:
			d.Say([]int{cite}, "No: it was not seen on %s%s.", bold(hostCalled(h.Host)), q.lookedWords(h))
		}
	}
	return nil
}

// comparePlaces compares hosts or sites.
func (q *Asked) comparePlaces(ctx context.Context, d *Draft) error {
	type place struct {
		name, id, kind string
		c              *chosen
		counts         report.FindingCounts
		weak           []string
	}
	var places []place
	hosts, sites := q.Hosts, q.Sites
	for i := range max(len(hosts), len(sites)) {
		part := *q
		if len(hosts) > 1 {
			if i >= len(hosts) {
				break
			}
			part.Hosts = hosts[i : i+1]
		} else {
			part.Sites = sites[i : i+1]
		}
		c, t, err := part.findings(ctx)
		if err != nil || t != nil {
			return q.cannot(d, t, err)
		}
		counts, err := q.counted(ctx, c)
		if err != nil {
			return err
		}
		one := place{c: c, counts: counts, kind: "site"}
		if len(hosts) > 1 {
			one.kind, one.name = "host", quote(hosts[i].Text)
			if len(c.hosts) == 1 {
				one.id, one.name = strconv.FormatInt(c.hosts[0].ID, 10), quote(hostCalled(c.hosts[0].Host))
				d.Cite(hostSource(&c.hosts[0]))
			}
		} else {
			one.name, one.id = quote(sites[i]), sites[i]
			link := c.link()
			d.Cite(report.Source{Kind: "site", ID: sites[i], Title: quote(sites[i]), Text: report.Plural(counts.Total, "finding", "findings"), URL: link})
		}
		groups, err := q.Desk.AskGroups(ctx, c.req, "cve")
		if err != nil {
			return err
		}
		for _, g := range groups {
			one.weak = append(one.weak, string(g.Key))
		}
		places = append(places, one)
	}
	figures := []grouped{}
	d.Link, d.Command = "", ""
	for _, p := range places {
		figures = append(figures, grouped{kind: p.kind, id: p.id, name: p.name, n: p.counts.Total})
	}
	q.sayCompared(d, figures, q.nounOfAll(places[0].c))
	for i, p := range places {
		var parts []string
		for _, s := range []string{"critical", "high", "medium", "low"} {
			if n := p.counts.BySeverity[s]; n > 0 {
				parts = append(parts, report.Thousands(n)+" "+s)
			}
		}
		parts = append(parts, report.Thousands(p.counts.KEV)+" known to be exploited")
		d.Item([]int{i + 1}, "%s: %s", boldOurs(p.name), strings.Join(parts, ", "))
	}
	if len(places) == 2 {
		for i, p := range places {
			other := places[1-i]
			only := slices.DeleteFunc(slices.Clone(p.weak), func(w string) bool { return slices.Contains(other.weak, w) })
			if len(only) == 0 {
				continue
			}
			var names []string
			cites := []int{i + 1}
			for _, w := range only[:min(3, len(only))] {
				cites = append(cites, d.Cite(weaknessSource(w, "")))
				names = append(names, quoted(w, 60))
			}
			more := ""
			if len(only) > 3 {
				more = fmt.Sprintf(", and %d more", len(only)-3)
			}
			d.Say(cites, "Only %s has %s%s.", boldOurs(p.name), strings.Join(names, ", "), more)
		}
	}
	q.askOn(d, "Which host is the worst?", "What should I fix first?", "What is new since last week?")
	return nil
}

// notFound says whether an error is that something is not there.
func notFound(err error) bool { return fault.KindOf(err) == fault.KindNotFound }
