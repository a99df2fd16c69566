package answer

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/report"
)

// phrase says in words what is selected: "critical CVEs of Nginx that are in KEV, published in 2021".
func (k *desk) phrase(n int) string {
	noun := "CVEs"
	if n == 1 {
		noun = "CVE"
	}
	var before, after []string
	if slices.Equal(k.Severities, []string{"unknown"}) {
		after = append(after, "that nobody has scored")
	} else if len(k.Severities) > 0 {
		before = append(before, series(k.Severities, "or"))
	}
	if k.Those && len(k.CVEs) == 0 && len(k.Products) == 0 {
		after = append(after, "among those")
	}
	if len(k.Products) > 0 {
		of := "of " + k.rangedNames()
		if v := k.versions(); len(v) == 1 {
			of = "for " + k.productNames() + " " + quoted(v[0].Version, 40)
		}
		after = append(after, of)
	}
	add := func(when bool, format string, args ...any) {
		if when {
			after = append(after, fmt.Sprintf(format, args...))
		}
	}
	join := func(names []string) string {
		if k.allOf(names) {
			return and(names)
		}
		return series(names, "or")
	}
	add(len(k.CWEs) > 0, "with %s", join(k.CWEs))
	add(len(k.Question.Techniques) > 0, "linked to %s", join(k.Question.Techniques))
	add(k.withdrawnOnes(), "that were withdrawn")
	flag := func(b *bool, yes, no string) {
		if b != nil {
			after = append(after, map[bool]string{true: yes, false: no}[*b])
		}
	}
	flag(k.KEV, "in KEV", "not in KEV")
	flag(k.Exploited, "known to be exploited (KEV or CISA's SSVC)", "not known to be exploited (KEV or CISA's SSVC)")
	flag(k.Ransomware, "used by ransomware", "without known use by ransomware")
	switch k.Exploit {
	case "":
	case "any":
		after = append(after, "with a public exploit")
	case "none":
		after = append(after, "without a public exploit")
	default:
		after = append(after, "with an exploit in "+report.FeedTitle(k.Exploit))
	}
	add(k.MinCVSS != nil, "with CVSS of at least %s", numberOf(k.MinCVSS))
	add(k.MaxCVSS != nil, "with CVSS of at most %s", numberOf(k.MaxCVSS))
	add(k.MinEPSS != nil, "with EPSS of at least %s", numberOf(k.MinEPSS))
	add(k.MaxEPSS != nil, "with EPSS of at most %s", numberOf(k.MaxEPSS))
	add(len(k.Decisions) > 0, "with the decision %s", series(k.Decisions, "or"))
	if k.Time != nil {
		verb := map[string]string{"modified": "changed", "last_seen": "changed", "kev_added": "added to KEV"}[k.TimeOf]
		if verb == "" {
			verb = "published"
		}
		after = append(after, verb+" "+periodText(k.Time))
	}
	if topic := k.topic(); topic != "" {
		after = append(after, "about “"+quoted(topic, 80)+"”")
	}
	if len(before)+len(after) == 0 {
		after = append(after, "in the catalogue")
	}
	return strings.TrimSpace(strings.Join(before, " ")+" "+noun) + " " + strings.Join(after, ", ")
}

func numberOf(v *float64) string {
	if v == nil {
		return ""
	}
	return shortNumber(*v, 5)
}

func periodText(p *understand.Period) string {
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	switch {
	case p.Words != "":
		return strings.TrimSpace("in " + strings.TrimPrefix(quoted(p.Words, 60), "in "))
	case !p.From.IsZero() && !p.To.IsZero():
		return "from " + day(p.From) + " to before " + day(p.To)
	case !p.From.IsZero():
		return "since " + day(p.From)
	}
	return "before " + day(p.To)
}

// link is the catalogue's page of the selection, as far as the page has its conditions.
func (a asked) link() string {
	v := url.Values{}
	for name, value := range a.params() {
		v.Set(name, value)
	}
	if len(v) == 0 {
		return "/catalogue"
	}
	return "/catalogue?" + v.Encode()
}

func (a asked) params() map[string]string {
	f, out := a.filter, map[string]string{}
	set := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.DateOnly)
	}
	set("q", f.Words)
	set("severity", strings.Join(f.Severities, ","))
	if f.KEV {
		set("kev", "true")
	}
	if f.Ransomware {
		set("ransomware", "true")
	}
	set("exploit", f.Exploit)
	set("cwe", f.CWE)
	set("cpe", f.CPE)
	set("technique", f.Technique)
	set("min_cvss", numberOf(f.MinCVSS))
	set("min_epss", numberOf(f.MinEPSS))
	set("published_after", day(f.PublishedFrom))
	set("published_before", day(f.PublishedTo))
	set("modified_after", day(f.ModifiedFrom))
	set("modified_before", day(f.ModifiedTo))
	if len(f.Products) == 1 {
		set("vendor", f.Products[0].Vendor)
		set("product", f.Products[0].Product)
	}
	return out
}

// command is `cve search` of the selection, "" where it lacks a condition.
func (a asked) command() string {
	f := a.filter
	if f.IDs != nil || len(f.CWEs)+len(f.Techniques) > 0 || f.Withdrawn || f.MaxCVSS != nil || f.MaxEPSS != nil || f.NotKEV || f.NotRansomware || f.Exploited != nil || f.NoExploit || len(f.Decisions) > 0 || len(f.Products) > 1 || !f.KEVFrom.IsZero() || !f.KEVTo.IsZero() {
		return ""
	}
	p := a.params()
	parts := []string{"patchscout cve search"}
	for _, name := range []string{"q", "vendor", "product", "cpe", "severity", "kev", "ransomware", "exploit", "cwe", "technique", "min_cvss", "min_epss", "published_after", "published_before", "modified_after", "modified_before"} {
		value, ok := p[name]
		switch {
		case !ok:
		case name == "q":
			parts = append(parts, quoted(value, 200))
		case value == "true":
			parts = append(parts, "--"+name)
		default:
			if strings.ContainsAny(value, " *\\'\"$&;|") {
				value = "'" + strings.ReplaceAll(value, "'", "") + "'"
			}
			parts = append(parts, "--"+strings.ReplaceAll(name, "_", "-")+" "+value)
		}
	}
	return strings.Join(parts, " ")
}
