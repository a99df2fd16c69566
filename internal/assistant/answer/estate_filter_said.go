package answer

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// noun is what is counted, without its state: "critical findings of CVE-2021-44228".
func (c *chosen) noun(n int) string {
	words := append(slices.Clone(c.before), have(n, "finding", "findings"))
	return strings.Join(append(words, c.behind...), " ")
}

// phrase is what is counted with its state and place: "open critical findings on 10.0.0.5".
func (c *chosen) phrase(n int) string {
	text := strings.Join(append([]string{c.noun(n)}, c.where...), " ")
	if strings.Contains(c.state, " ") {
		return text + " that " + have(n, "is", "are") + " " + c.state
	}
	return c.state + " " + text
}

// sentence is a count as a sentence: "**3** critical findings are open on **10.0.0.5**."
func (c *chosen) sentence(n int) string {
	is := have(n, "is", "are")
	if strings.HasPrefix(c.state, "fixed ") || strings.HasPrefix(c.state, "closed ") { // within a time
		is = have(n, "was", "were")
	}
	text := number(n) + " " + c.noun(n) + " " + is + " " + c.state
	return strings.Join(append([]string{text}, c.where...), " ") + "."
}

// command is the command that lists the same.
func (c *chosen) command() string {
	words := []string{"patchscout findings"}
	for _, p := range c.params() {
		switch {
		case p[0] == "search":
			words = append(words, "--search "+shell(p[1]))
		case p[1] == "true":
			words = append(words, "--"+strings.ReplaceAll(p[0], "_", "-"))
		default:
			words = append(words, "--"+strings.ReplaceAll(p[0], "_", "-")+" "+shell(p[1]))
		}
	}
	if c.req.Confirmed {
		words = append(words, "--confirmed")
	}
	return strings.Join(words, " ")
}

// link is the page that lists the same.
func (c *chosen) link() string {
	search := url.Values{}
	for _, p := range c.params() {
		if p[0] == "min_epss" { // the page's are the API's
			search.Set(p[0], p[1])
			continue
		}
		search.Set(p[0], p[1])
	}
	return page("/findings", search)
}

// params are the filters that lists know, as pages and the API name them.
func (c *chosen) params() (out [][2]string) {
	r := &c.req.Findings
	add := func(name, value string) {
		if value != "" {
			out = append(out, [2]string{name, value})
		}
	}
	flag := func(name string, on bool) {
		if on {
			add(name, "true")
		}
	}
	number := func(name string, v float64) {
		if v > 0 {
			add(name, decimal(round(v)))
		}
	}
	add("host", c.hostParam())
	add("site", r.Site)
	if r.Scan > 0 {
		add("scan", strconv.FormatInt(r.Scan, 10))
	}
	add("state", r.State)
	add("triage", strings.Join(r.Triage, ","))
	flag("hidden", r.Hidden)
	add("severity", strings.Join(r.Severities, ","))
	add("decision", strings.Join(r.Decisions, ","))
	flag("kev", r.KEV)
	flag("exploited", r.Exploited)
	add("kind", strings.Join(r.Kinds, ","))
	flag("potential", r.Potential)
	number("min_cvss", r.MinCVSS)
	number("min_epss", r.MinEPSS)
	add("cve", r.Weakness)
	add("scanner", r.Scanner)
	add("port", strings.Join(r.Ports, ","))
	add("protocol", strings.Join(r.Protocols, ","))
	add("product", r.Product)
	add("search", r.Text)
	add("assignee", r.Assignee)
	add("label", strings.Join(r.Labels, ","))
	add("owner", r.Owner)
	add("tag", strings.Join(r.Tags, ","))
	add("criticality", strings.Join(r.Criticality, ","))
	add("due_before", r.DueBefore)
	flag("overdue", r.Overdue)
	add("first_seen_after", r.FirstSeenAfter)
	add("first_seen_before", r.FirstSeenBefore)
	add("last_seen_after", r.LastSeenAfter)
	add("last_seen_before", r.LastSeenBefore)
	add("closed_after", r.ClosedAfter)
	add("returned_after", r.ReturnedAfter)
	add("sort", r.Sort)
	return out
}

// hostParam is the one host as people write it.
func (c *chosen) hostParam() string {
	if c.req.Host == "" || len(c.hosts) != 1 {
		return c.req.Host
	}
	h := c.hosts[0]
	if h.Address != "" {
		return string(h.Address)
	}
	return c.req.Host
}
