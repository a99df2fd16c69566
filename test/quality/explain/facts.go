package main

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/intel"
)

// facts reads the fields that a sentence cites, in this program's own way.
type facts struct {
	in    explain.Input
	cited map[string]bool
}

// plainFields are all the names that a sentence may cite, next to the groups with a prefix.
var plainFields = strings.Fields(`id status title description cwes configurations affected references ratings exploited_by check
	cvss cvss.score cvss.version cvss.source epss epss.score epss.percentile epss.date likelihood kev kev.product kev.name
	kev.added kev.ransomware kev.required_action ssvc.exploitation ssvc.at exploits decision decision.not_exposed forensics
	exposed assumed due`)

func (f *facts) exists(field string) bool {
	if name, ok := strings.CutPrefix(field, "cvss.vector."); ok {
		return f.vector()[name] != ""
	}
	if name, ok := strings.CutPrefix(field, "weakness."); ok {
		return f.in.Weaknesses[name].Name != ""
	}
	return strings.HasPrefix(field, "feeds.") || slices.Contains(plainFields, field)
}

func (f *facts) record() *cve.Record {
	if f.in.Record == nil {
		return &cve.Record{ID: f.in.ID}
	}
	return f.in.Record
}

// metric is the newest CVSS version, by NVD, then the CNA, then others.
func (f *facts) metric() cve.Metric {
	order := map[cve.Provider]int{cve.ProviderNVD: 0, cve.ProviderCNA: 1}
	list := slices.Clone(f.record().Metrics)
	slices.SortStableFunc(list, func(a, b cve.Metric) int {
		if a.Version != b.Version {
			return strings.Compare(b.Version, a.Version)
		}
		place := func(p cve.Provider) int {
			if n, ok := order[p]; ok {
				return n
			}
			return 2
		}
		return place(a.Provider) - place(b.Provider)
	})
	switch v := f.in.Verdict; {
	case len(list) > 0:
		return list[0]
	case f.in.Check != nil && v.CVSS != nil:
		return cve.Metric{Version: v.CVSSVersion, Vector: v.CVSSVector, Score: *v.CVSS, Source: v.CVSSSource}
	default:
		return cve.Metric{}
	}
}

func (f *facts) vector() map[string]string {
	m := map[string]string{}
	for _, part := range strings.Split(strings.Trim(f.metric().Vector, "() "), "/") {
		if name, value, ok := strings.Cut(part, ":"); ok {
			if _, twice := m[name]; !twice {
				m[name] = value
			}
		}
	}
	return m
}

// is says that a cited metric has one of the values. Version 4 has its own names for damage.
func (f *facts) is(metric, values string) bool {
	v := f.vector()
	if strings.Contains("CIA", metric) && v["VC"] != "" {
		metric = "V" + metric
	}
	return f.cited["cvss.vector."+metric] && v[metric] != "" && strings.Contains(values, v[metric])
}

// texts are the texts of the cited fields that hold names.
func (f *facts) texts() (out []string) {
	add := func(field string, texts ...string) {
		if f.cited[field] {
			out = append(out, texts...)
		}
	}
	r := f.record()
	add("id", f.in.ID.String(), r.ID.String())
	add("title", r.Title)
	add("description", r.Description)
	for _, a := range r.Affected {
		add("affected", a.Vendor, a.Product)
	}
	for _, l := range f.leaves() {
		add("configurations", l.vendor, l.product)
	}
	if k := f.in.Facts.KEV; k != nil {
		add("kev.product", k.Vendor, k.Product)
		add("kev.name", k.Name)
	}
	if c := f.in.Check; c != nil {
		add("check", c.Source, c.Key, c.Title)
		add("cvss.source", f.in.Verdict.CVSSSource)
	}
	for _, e := range f.in.Facts.Exploits {
		add("exploits", e.Source)
	}
	for _, rating := range r.Ratings {
		add("ratings", rating.Source)
	}
	add("exploited_by", r.ExploitedBy...)
	add("cvss.version", f.metric().Version)
	for id, w := range f.in.Weaknesses {
		add("weakness."+id, w.Name)
	}
	return out
}

var notWord = regexp.MustCompile(`[^\p{L}\p{N}]+`)

// fold leaves letters and digits, so that "web_server" is "web server" and quotation marks do not matter.
func fold(text string) string {
	return " " + strings.TrimSpace(notWord.ReplaceAllString(strings.ToLower(strings.ToValidUTF8(text, "")), " ")) + " "
}

// spelled are names that people write in another way than CPE names do.
var spelled = map[string]string{
	"iis": "internet information", "eap": "enterprise application platform", "adc": "delivery controller", "asa": "adaptive security appliance",
	"ftd": "firepower threat defense", "ios": "iphone os", "macos": "mac os x", "fortinet": "fortinet", "adobe": "adobe",
	"apple": "apple", "red": "redhat", "hat": "redhat", "palo": "paloaltonetworks", "alto": "paloaltonetworks", "isc": "isc",
	"eclipse": "mortbay", "zimbra": "zimbra", "pulse": "pulsesecure", "sonicwall": "sonicwall",
}

func (f *facts) says(word string) bool {
	want := fold(word)
	also := spelled[strings.TrimSpace(want)]
	for _, text := range f.texts() {
		have := fold(text)
		if strings.Contains(have, want) || also != "" && strings.Contains(have, " "+also) {
			return true
		}
	}
	return false
}

func (f *facts) quoted(quote string) bool {
	want := strings.TrimSpace(fold(quote))
	texts := f.texts()
	for _, text := range texts {
		if strings.Contains(fold(text), want) {
			return want != ""
		}
	}
	return false
}

type leaf struct {
	vendor, product, version string
	match                    cve.CPEMatch
}

// escaped hides the colons that a CPE name escapes.
var escaped = strings.NewReplacer(`\\`, "\x01", `\:`, "\x02")
var unescaped = strings.NewReplacer("\x01", `\`, "\x02", ":", `\`, "")

func (f *facts) leaves() (out []leaf) {
	var walk func([]cve.Node)
	walk = func(nodes []cve.Node) {
		for _, n := range nodes {
			walk(n.Children)
			for _, m := range n.Matches {
				parts := strings.Split(escaped.Replace(m.Criteria), ":")
				if !m.Vulnerable || n.Negate || len(parts) < 7 {
					continue
				}
				for i := range parts {
					parts[i] = unescaped.Replace(parts[i])
				}
				v := parts[5]
				if v == "*" || v == "-" {
					v = ""
				} else if u := parts[6]; u != "*" && u != "-" {
					v += " " + u
				}
				out = append(out, leaf{parts[3], parts[4], v, m})
			}
		}
	}
	walk(f.record().Configurations)
	return out
}

func (f *facts) products() map[string]bool {
	out := map[string]bool{}
	for _, l := range f.leaves() {
		out[l.vendor+":"+l.product] = true
	}
	return out
}

// isVersion finds a version or a number of versions in the configurations, as they are written there.
func (f *facts) isVersion(text string) bool {
	if !f.cited["configurations"] {
		return false
	}
	for _, l := range f.leaves() {
		for _, v := range []string{l.version, l.match.EndExcluding} {
			if v != "" && (unescaped.Replace(v) == text || slices.Contains(strings.Fields(v), text)) {
				return true
			}
		}
	}
	return false
}

// withoutVersion takes the one affected version off the end of a product's name.
func (f *facts) withoutVersion(name string) string {
	for _, l := range f.leaves() {
		if v := fold(l.version); f.cited["configurations"] && l.version != "" && strings.HasSuffix(name, v) {
			return strings.TrimSuffix(name, v)
		}
	}
	return name
}

// isCount says that a number counts something which the cited fields hold.
func (f *facts) isCount(text string) bool {
	n, err := strconv.Atoi(text)
	if err != nil {
		return false
	}
	if f.cited["configurations"] && (len(f.products()) == n || len(f.products())-1 == n) {
		return true
	}
	affected := map[string]bool{}
	for _, a := range f.record().Affected {
		affected[strings.Join(strings.Fields(a.Vendor+" : "+a.Product), " ")] = true // some differ in blanks only
	}
	return f.cited["affected"] && (len(affected) == n || len(affected)-1 == n)
}

// isDate compares a printed date with the one that it must be.
func (f *facts) isDate(field, text string) bool {
	want, err := time.Parse("2 January 2006", text)
	name, source, _ := strings.Cut(field, " ")
	return err == nil && f.cited[name] && f.date(name, source).UTC().Format(time.DateOnly) == want.Format(time.DateOnly)
}

func (f *facts) date(field, source string) (t time.Time) {
	i := f.in.Facts
	switch {
	case field == "kev.added" && i.KEV != nil:
		return i.KEV.Added
	case field == "epss.date" && i.EPSS != nil:
		return i.EPSS.Date
	case field == "ssvc.at" && i.SSVC != nil:
		return i.SSVC.At
	case field == "feeds.kev":
		return f.in.Loaded["kev"]
	case field == "due":
		return f.in.Due
	case field == "exploits":
		for _, e := range f.exploits(source) {
			if t.IsZero() || !e.Published.IsZero() && e.Published.Before(t) {
				t = e.Published
			}
		}
	}
	return t
}

func (f *facts) exploits(source string) (out []intel.Exploit) {
	for _, e := range f.in.Facts.Exploits {
		if e.Source == source {
			out = append(out, e)
		}
	}
	return out
}

// isShare compares a printed share: a chance to the last digit printed, a rank never rounded up.
func (f *facts) isShare(how, text string) bool {
	printed, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return false
	}
	digits := 0
	if _, behind, ok := strings.Cut(text, "."); ok {
		digits = len(behind)
	}
	step := math.Pow(10, -float64(digits))
	e := f.in.Facts.EPSS
	switch {
	case how == "more than for ":
		return e != nil && f.cited["epss.percentile"] && printed <= e.Percentile*100+1e-4 && printed > e.Percentile*100-1.1
	case how == "under ":
		return e != nil && f.cited["epss.score"] && e.Score*100 < printed ||
			f.cited["likelihood"] && f.in.Verdict.Likelihood != nil && *f.in.Verdict.Likelihood*100 < printed
	case e != nil && f.cited["epss.score"]:
		return math.Abs(e.Score*100-printed) <= max(step/2, 0.05*printed)+1e-9
	default:
		l := f.in.Verdict.Likelihood
		return l != nil && f.cited["likelihood"] && math.Abs(*l*100-printed) <= max(step/2, 0.05*printed)+1e-9
	}
}

// isPublisher says that a publisher's name stands for what the sentence cites.
func (f *facts) isPublisher(word string) bool {
	any := func(fields ...string) bool {
		return slices.ContainsFunc(fields, func(field string) bool { return f.cited[field] })
	}
	switch word {
	case "CISA":
		return any("kev", "kev.added", "kev.name", "kev.required_action", "ssvc.exploitation", "feeds.kev", "cvss.source")
	case "CVSS":
		return any("cvss.version", "cvss.score")
	case "EPSS":
		return any("epss.score", "epss")
	case "Metasploit", "Exploit-DB", "Nuclei":
		feed := map[string]string{"Metasploit": "metasploit", "Exploit-DB": "exploitdb", "Nuclei": "nuclei"}[word]
		return any("feeds."+feed) || any("exploits") && len(f.exploits(feed)) > 0
	default:
		return false
	}
}
