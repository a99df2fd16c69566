package understand

import (
	"slices"
	"strings"
)

// tidy takes back what makes no sense together.
func (r *reader) tidy() {
	q := &r.q
	if r.negated > 0 {
		q.Negated = true
	}
	if q.Subject == Paths && len(q.From) > 0 && q.Measure == List {
		q.Measure = Reach
	}
	if q.Subject == Hosts && q.Measure == Fact && q.Attribute == "" {
		q.Measure = Explain
	}
	if q.Subject == Hosts && q.Measure == Explain && !r.one() && len(q.Tags) > 0 {
		q.Measure = List
	}
	if q.Subject == Hosts && q.OS == "" && len(q.Products) == 1 && r.saidAttr(OS) {
		q.OS = q.Products[0].Text
	}
	if q.Measure == Count && q.Subject == Findings && q.GroupBy == "" && slices.ContainsFunc(r.tokens, func(t token) bool { return t.word == "different" || t.word == "distinct" || t.word == "unique" }) && len(r.heads()) > 0 {
		q.GroupBy = groupName[r.heads()[0].subject]
	}
	r.tidySystems()
	if (q.Subject == Findings || q.Subject == Hosts) && len(q.CVEs) == 0 {
		for _, kind := range r.kinds {
			q.Titled = with(q.Titled, kind)
		}
	}
	if len(q.Titled) > 0 && q.Outside == "secret" && (q.Subject != Nothing || q.Measure != Explain) {
		q.Outside = ""
	}
	if len(r.owners) > 1 {
		q.Owners = r.owners
	}
	if q.Measure == Compare && (q.Subject == Sites || q.Subject == Hosts && len(q.Hosts) < 2 || q.Subject == Nothing) && (len(q.Sites) > 1 || len(q.Owners) > 1 || len(q.Systems) > 1 || len(q.Tags) > 1) {
		if q.Subject != Hosts || len(r.heads()) == 0 || r.conditions() && len(q.Severities) > 0 || r.has("affected", "vulnerable") {
			q.Subject = Findings
		}
	}
	if q.Subject == Hosts && q.Measure == Compare && len(q.Hosts) < 2 && slices.ContainsFunc(r.nouns, func(n noun) bool { return n.subject == "findings" || n.subject == "vulns" || n.subject == "cves" }) && r.has("more", "fewer", "most", "fewest", "less") {
		q.Subject = Findings // "do Apache hosts or nginx hosts have more findings"
	}
	if q.Subject == Hosts && q.Measure == Compare && len(q.Hosts) == 1 && q.Time != nil && len(r.more) == 0 {
		q.Measure, q.TimeOf = Change, ""
	}
	if q.Subject == Hosts && q.Status == "silent" && (q.State == "fixed" || q.State == "closed") {
		q.State = "" // "gone quiet"
	}
	if q.Subject == Hosts && q.Status == "silent" && q.Time != nil {
		q.TimeOf, q.Negated = "last_seen", true // silent since then
	}
	if q.Owner != "" && q.Assignee == "" && r.has("plate", "desk", "backlog", "queue", "todo") && len(r.nouns) == 0 {
		q.Assignee, q.Owner, q.Subject, q.Measure, q.Attribute = q.Owner, "", Findings, List, ""
		for i := range r.tokens {
			r.placed[i] = r.placed[i] || slices.Contains([]string{"plate", "desk", "backlog", "queue", "todo"}, r.word(i))
		}
	}
	for i := range r.tokens {
		if port := map[string]string{"http": "80/tcp", "https": "443/tcp"}[r.word(i)]; port != "" && !r.placed[i] && q.Subject == Hosts && len(q.Ports) > 0 {
			r.port(port) // "ssh and http"
			r.placed[i] = true
		}
	}
	if q.Subject == Hosts && len(q.Products)+len(q.Ports) > 1 && (r.has("both") || r.has("also", "simultaneously", "together") && r.has("and") || r.has("plus")) {
		q.Both = true
		for i := range r.tokens {
			r.placed[i] = r.placed[i] || r.word(i) == "both" || r.word(i) == "also" || r.word(i) == "together"
		}
	}
	if r.has("databases") && r.ours || r.has("database", "databases") && (q.Subject == Hosts || q.Subject == Software || q.Subject == Services) && len(q.Products)+len(q.Ports) == 0 && !slices.Contains(r.topics, "operations") {
		if len(q.Tags)+len(q.Hosts) == 0 {
			r.unknown("databases as a kind of software: name the product, such as PostgreSQL")
		}
	}
	if q.Subject == Hosts && r.clean {
		none := 0
		q.AtMost, q.State = &none, ""
	}
	if q.Subject == Findings && q.Attribute == State && q.Measure == Whether && len(q.CVEs) > 0 && (q.State == "fixed" || r.has("fixed", "patched", "resolved")) {
		q.Attribute, q.State = "", "fixed"
	}
	if q.Subject == Findings && q.Measure == List && len(q.CVEs) > 0 && r.affected && yesNo[r.word(r.began)] {
		q.Measure = Whether
	}
	if q.Subject == Hosts && q.Measure == Group && q.GroupBy == "product" {
		q.Subject = Software
	}
	if q.Subject == Findings && q.Measure == Explain && !r.one() && r.follow == "" && q.Audience == "" {
		q.Measure = List
	}
	if q.Measure == Reach && len(q.Hosts) > 0 && len(q.Sites) > 0 && len(q.From) == 0 && (r.has("on", "from") || r.has("inside")) {
		for _, s := range q.Sites {
			q.From = append(q.From, HostName{Text: s, Kind: "site"})
		}
		q.Sites = nil
	}
	if q.Subject == Software && q.Measure == Count && q.Attribute == Version {
		q.Attribute, q.GroupBy = "", "version"
	}
	if q.Measure == Why && q.Audience == "manager" && len(q.CVEs) > 0 {
		q.Measure = Explain
	}
	if q.Withdrawn != nil && q.Subject != CVEs {
		q.Withdrawn = nil
	}
	if q.Withdrawn != nil && len(q.CVEs) > 0 {
		q.Withdrawn, q.Attribute = nil, State
	}
	if (q.Attribute == LastScan || q.Attribute == Age) && q.Subject == Scans && r.has("successful", "succeeded", "worked", "well", "successfully") {
		q.Status = "completed"
	} else if q.Attribute == LastScan {
		q.Status = ""
	}
	if q.Subject == CVEs && q.State == "fixed" && (q.Attribute == FixedIn || q.Attribute == Due) {
		q.State = ""
	}
	if q.Measure == Compare && q.Least && q.Limit == 1 {
		q.Limit = 0
	}
	if q.KEV != nil && *q.KEV && q.Exploited != nil && *q.Exploited && q.Subject == CVEs {
		q.Exploited = nil // what CISA lists is exploited
	}
	if q.Subject == Hosts && q.Time != nil && (q.TimeOf == "fixed" || q.TimeOf == "reopened") && (q.Measure == List || q.Measure == Count || q.Measure == "") {
		if q.Subject, q.GroupBy = Findings, "host"; q.Measure != Count {
			q.Measure = Group
		}
	}
	if q.Subject == Services && r.saidAttr(OpenPorts) && len(q.Hosts) > 0 && len(q.Ports) == 0 && (q.Measure == List || q.Measure == Fact || q.Measure == Explain) {
		q.Subject, q.Measure, q.Attribute = Hosts, Fact, OpenPorts
	}
	for _, c := range r.classes {
		if c != "" && (q.Subject == Findings || q.Subject == CVEs || q.Subject == Hosts) {
			q.CWEs = with(q.CWEs, c)
		}
	}
	if q.Subject == CVEs && q.Measure == Count && r.q.State == "open" {
		q.State = ""
	}
	if (q.Subject == Services || q.Measure == Reach || q.Subject == Hosts && len(q.Ports) > 0) && q.State == "open" {
		q.State = ""
	}
	if q.Subject == Hosts && q.Attribute == SiteOf && len(q.CVEs)+len(q.Products) > 0 && len(q.Hosts) == 0 && (len(q.CVEs) > 0 || q.Measure == List) {
		q.Measure, q.Attribute = List, ""
	}
	if q.Measure == Compare && len(q.CVEs) > 1 {
		q.Severities = nil
	}
	if q.Status == "failed" && (r.one() || q.Subject == Feeds) || q.Subject == Feeds && q.Status == "running" {
		q.Status = ""
	}
	if q.Subject != Scans && q.Status == "running" {
		q.Status = ""
	}
	if q.Sort != "" && !r.one() && (q.Measure == Explain || q.Measure == Fact || q.Measure == List) && (q.Subject == Findings || q.Subject == CVEs || q.Subject == Hosts || q.Subject == Scans) {
		q.Measure, q.Attribute = List, ""
		if q.Limit == 0 && (r.single() || r.saidAttr(CVSS) || r.saidAttr(EPSS)) && !(r.word(r.began) == "list" || r.word(r.began) == "show") {
			q.Limit = 1
		}
	}
	if q.Subject == CVEs && slices.Contains(r.times, "kev_added") && len(q.CVEs) == 0 && q.KEV == nil {
		yes := true
		q.KEV = &yes
	}
	if q.Subject == CVEs && q.KEV != nil && *q.KEV && len(q.CVEs) == 0 && (q.Measure == List || q.Measure == "") && (q.Sort == "newest" || slices.Contains(r.times, "kev_added") && r.has("recently", "latest", "newest", "recent", "last") && q.Time == nil) {
		q.Sort, q.TimeOf = "kev_added", "kev_added"
	}
	if q.Measure == Suppose && q.State == "fixed" {
		q.State = ""
	}
	if q.Subject == Feeds && len(q.Feeds) == 0 {
		for _, t := range r.tokens {
			if name, ok := find(r.v.Feeds(), t.word); ok {
				q.Feeds = with(q.Feeds, name)
			}
		}
	}
	if q.Subject == Feeds && q.State != "" {
		q.State = ""
	}
}

// isSystem says whether a product is what a host is rather than has.
func (r *reader) isSystem(p ProductName) bool {
	return systems[p.Product] || p.Vendor == "microsoft" && p.Product == "windows"
}

// tidySystems turns operating systems into what the asker's hosts run as such.
func (r *reader) tidySystems() {
	q := &r.q
	ours := q.Subject == Hosts || q.Subject == Software || q.Subject == Services || q.Subject == Findings && q.Measure != Explain
	if !ours || q.Attribute == Version || len(q.CVEs) > 0 && q.Subject == Findings && q.Measure == Whether && !r.ours {
		return
	}
	var rest []ProductName
	for _, p := range q.Products {
		if !r.isSystem(p) {
			rest = append(rest, p)
			continue
		}
		q.Systems = with(q.Systems, strings.ToLower(strings.TrimSpace(p.Text+" "+p.Version)))
	}
	if q.OS != "" && len(q.Systems) > 0 && !slices.Contains(q.Systems, q.OS) {
		q.Systems = append([]string{q.OS}, q.Systems...)
	}
	if len(q.Systems) == 0 {
		return
	}
	q.OS, q.Products = q.Systems[0], rest
	if len(q.Systems) == 1 {
		q.Systems = nil
	}
	if q.Subject == Software && len(rest) == 0 {
		q.Subject = Hosts
	}
}
