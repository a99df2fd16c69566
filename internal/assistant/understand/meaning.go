package understand

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
)

// said is what the phrases of a question said, before it is decided what of that counts.
type said struct {
	measures   []Measure
	nouns      []noun
	attributes []Attribute
	times      []string // what the question's time may be of
	topics     []string
	classes    []string // of weaknesses: CWE-89, or "" of those that are no one class
	those      string   // yes, one
	follow     string   // more, and
	most       bool
	ours       bool
	catalogue  bool
	affected   bool
	runs       bool
	fresh      bool // "new"
	indicator  bool
	negated    int // spans since "not" was said; 0 is never
	due        bool
	owners     []string
	clean      bool // without any finding
	told       bool // words of titles of findings that describe no CVE: "default password"
	lastSite   int
	kevlist    bool     // the list of CISA is spoken of as such
	kinds      []string // of weaknesses that are no one class: "remote code execution"
	counted    string   // the noun whose number is bounded: "more than 3 hosts"
	unlike     []string // severities that are not meant
	more       []Period // of comparisons: the second time
}

type noun struct {
	subject string
	at      int
}

// meanings are what the keys of the grammar do.
var meanings map[string]func(r *reader, s span, value string)

func init() {
	meanings = map[string]func(r *reader, s span, value string){
		"polite": func(*reader, span, string) {}, "filler": func(*reader, span, string) {}, "sure": func(*reader, span, string) {}, "only": func(*reader, span, string) {},
		"measure":   func(r *reader, _ span, v string) { r.measures = append(r.measures, Measure(v)) },
		"subject":   (*reader).noun,
		"attr":      func(r *reader, _ span, v string) { r.attributes = append(r.attributes, Attribute(v)) },
		"by":        func(r *reader, _ span, v string) { r.q.GroupBy = v },
		"topic":     func(r *reader, _ span, v string) { r.topics = append(r.topics, v) },
		"class":     (*reader).class,
		"those":     func(r *reader, _ span, v string) { r.those = strongest(r.those, v) },
		"follow":    func(r *reader, _ span, v string) { r.follow = v },
		"most":      func(r *reader, _ span, _ string) { r.most = true },
		"least":     func(r *reader, _ span, _ string) { r.most, r.q.Least = true, true },
		"ours":      func(r *reader, _ span, _ string) { r.ours = true },
		"catalogue": func(r *reader, _ span, _ string) { r.catalogue = true },
		"affected":  func(r *reader, _ span, _ string) { r.affected = true },
		"run":       func(r *reader, _ span, _ string) { r.runs = true },
		"new":       func(r *reader, _ span, _ string) { r.fresh = true },
		"indicator": func(r *reader, _ span, _ string) { r.indicator = true },
		"timeof":    func(r *reader, _ span, v string) { r.times = append(r.times, v) },
		"not":       func(r *reader, _ span, _ string) { r.negated = 4 },
		"ordinal":   func(r *reader, _ span, v string) { r.q.Ordinal = whole(v); r.those = "one" },
		"all":       func(r *reader, _ span, _ string) { r.q.All = true },
		"limit":     func(r *reader, _ span, v string) { r.q.Limit = whole(v) },
		"audience":  func(r *reader, _ span, v string) { r.q.Audience = v },
		"sort":      func(r *reader, _ span, v string) { r.q.Sort = v },
		"act":       func(r *reader, _ span, v string) { r.q.Act = v },
		"outside":   func(r *reader, _ span, v string) { r.q.Outside = v },
		"severity":  (*reader).severity,
		"decision":  func(r *reader, _ span, v string) { r.q.Decisions = with(r.q.Decisions, v) },
		"kev":       func(r *reader, _ span, _ string) { r.q.KEV = r.yes() },
		"exploited": func(r *reader, _ span, _ string) { r.q.Exploited = r.yes() },
		"ransomware": func(r *reader, _ span, _ string) {
			r.q.Ransomware = r.yes()
		},
		"exploit":      (*reader).exploit,
		"cvss":         func(r *reader, _ span, v string) { r.bounds(v, 0.1, &r.q.MinCVSS, &r.q.MaxCVSS) },
		"epss":         func(r *reader, _ span, v string) { r.bounds(v, 0, &r.q.MinEPSS, &r.q.MaxEPSS) },
		"state":        (*reader).state,
		"triage":       (*reader).triage,
		"overdue":      func(r *reader, _ span, _ string) { r.flag(&r.q.Overdue) },
		"due":          func(r *reader, _ span, _ string) { r.due = true },
		"potential":    func(r *reader, _ span, _ string) { r.flag(&r.q.Potential) },
		"jewels":       func(r *reader, s span, _ string) { r.flag(&r.q.Jewels); r.several(s) },
		"exposed":      func(r *reader, _ span, v string) { r.q.Exposed = r.yes(); *r.q.Exposed = *r.q.Exposed == (v == "yes") },
		"criticality":  func(r *reader, _ span, v string) { r.q.Criticality = with(r.q.Criticality, v) },
		"owner":        func(r *reader, _ span, v string) { r.q.Owner = v },
		"ownername":    (*reader).owner,
		"assigneename": (*reader).assignee,
		"fixable":      func(r *reader, _ span, v string) { r.q.Fixable = r.yes(); *r.q.Fixable = *r.q.Fixable == (v == "yes") },
		"kevlist":      func(r *reader, _ span, _ string) { r.kevlist = true },
		"titled":       func(r *reader, s span, _ string) { r.class(s, ""); r.told = true },
		"clean":        func(r *reader, _ span, _ string) { r.clean = true },
		"withdrawn":    func(r *reader, _ span, _ string) { r.q.Withdrawn = r.yes() },
		"share":        func(r *reader, _ span, _ string) { r.q.Share = true },
		"than":         (*reader).threshold,
		"assignee":     func(r *reader, _ span, v string) { r.q.Assignee = v },
		"scanner":      func(r *reader, _ span, v string) { r.q.Scanner = v },
		"scannername":  func(r *reader, _ span, v string) { r.q.Scanner = v },
		"feed":         func(r *reader, _ span, v string) { r.q.Feeds = with(r.q.Feeds, v) },
		"os":           func(r *reader, _ span, v string) { r.q.OS = strings.ReplaceAll(v, "_", " ") },
		"status":       func(r *reader, _ span, v string) { r.q.Status = v },
		"service":      func(r *reader, _ span, v string) { r.port(v) },
		"finding":      func(r *reader, _ span, v string) { r.q.Findings = withNumbers(r.q.Findings, v) },
		"scan":         func(r *reader, _ span, v string) { r.q.Scans = withNumbers(r.q.Scans, v) },
		"import":       func(r *reader, _ span, v string) { r.q.Imports = withNumbers(r.q.Imports, v) },
		"host":         (*reader).host,
		"from":         func(r *reader, _ span, _ string) { r.q.From = []HostName{{Text: "internet", Kind: "internet"}} },
		"cve":          (*reader).cve,
		"cwe":          func(r *reader, _ span, v string) { r.q.CWEs = with(r.q.CWEs, v) },
		"attack":       func(r *reader, _ span, v string) { r.q.Techniques = with(r.q.Techniques, v) },
		"address":      (*reader).address,
		"network":      func(r *reader, s span, v string) { r.addHost(s, HostName{Text: v, Kind: "network"}) },
		"hostname":     (*reader).hostname,
		"domain":       (*reader).domainName,
		"hash":         func(r *reader, _ span, v string) { r.q.Values = with(r.q.Values, v) },
		"port":         func(r *reader, _ span, v string) { r.port(v) },
		"site":         (*reader).site,
		"tag":          (*reader).tag,
		"label":        (*reader).label,
		"product":      (*reader).addProduct,
		"version":      (*reader).version,
		"period":       (*reader).addPeriod,
		"in":           func(*reader, span, string) {}, "be": func(*reader, span, string) {}, "value": func(*reader, span, string) {},
		"fixby": func(*reader, span, string) {}, "which": func(*reader, span, string) {}, "name": func(*reader, span, string) {},
	}
}

var ourWords = map[string]bool{"we": true, "our": true, "us": true, "my": true, "ours": true}

// strongest keeps "yes" over "one": "which of those are on this host".
func strongest(a, b string) string {
	if a == "" || b == "yes" {
		return b
	}
	return a
}

func whole(s string) int {
	if n, ok := spelled[s]; ok {
		return int(n)
	}
	n, _ := strconv.Atoi(strings.TrimPrefix(s, "#"))
	return n
}

func with(list []string, values string) []string {
	for v := range strings.SplitSeq(values, ",") {
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}

func withNumbers(list []int64, values string) []int64 {
	for v := range strings.SplitSeq(values, ",") {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// gather lets each span say what it says.
func (r *reader) gather() {
	for _, t := range r.tokens {
		r.ours = r.ours || ourWords[t.word]
	}
	for i := range r.spans {
		s := r.spans[i]
		if s.says("filler") && !s.says("measure") && r.negated > 0 {
			r.negated++ // "not in the kev list": small words do not use up a "not"
		}
		r.negated = max(0, r.negated-1)
		for _, e := range s.effects {
			if do := meanings[e.key]; do != nil {
				do(r, s, e.value)
			}
		}
		if !s.says("filler") && !s.says("polite") {
			r.q.Rules = append(r.q.Rules, s.rules...)
		}
	}
}

// not says whether "not" was said just before, and uses it up.
func (r *reader) not() bool {
	was := r.negated > 0
	r.negated = 0
	return was
}

func (r *reader) yes() *bool {
	yes := !r.not()
	return &yes
}

func (r *reader) flag(to *bool) {
	if r.not() {
		r.q.Negated = true
	}
	*to = true
}

var severities = []string{"critical", "high", "medium", "low", "info", "unknown"}

func (r *reader) severity(_ span, v string) {
	if !r.not() {
		r.q.Severities = with(r.q.Severities, v)
		return
	}
	r.unlike = with(r.unlike, v)
	r.q.Severities = nil
	for _, s := range severities[:5] {
		if !slices.Contains(r.unlike, s) {
			r.q.Severities = with(r.q.Severities, s)
		}
	}
	if len(r.unlike) > 1 {
		r.q.Severities = with(r.q.Severities, "unknown") // "neither critical nor high" leaves all else
	}
}

func (r *reader) exploit(_ span, v string) {
	if r.not() {
		v = "none"
	}
	if r.q.Exploit == "" || r.q.Exploit == "any" {
		r.q.Exploit = v
	}
}

func (r *reader) state(_ span, v string) {
	if r.not() {
		v = map[string]string{"fixed": "open", "closed": "open", "open": "closed"}[v]
	}
	if v != "" && (r.q.State == "" || r.q.State == "open") {
		r.q.State = v
	}
}

func (r *reader) triage(_ span, v string) {
	if r.not() && v == "confirmed" {
		r.q.Potential = true
		return
	}
	r.q.Triage = with(r.q.Triage, v)
}

// noun takes a subject once: a plural may be written in the grammar beside its singular.
func (r *reader) noun(s span, v string) {
	if n := (noun{v, s.from}); !slices.Contains(r.nouns, n) {
		r.nouns = append(r.nouns, n)
	}
}

func (r *reader) class(s span, v string) {
	r.classes = append(r.classes, v)
	if v == "" {
		text := r.text(s.from, s.to)
		r.kinds = append(r.kinds, firstOf(longNames[text], text))
	}
}

// longNames are how titles write what people shorten.
var longNames = map[string]string{
	"rce": "remote code execution", "dos": "denial of service", "denial-of-service": "denial of service", "lfi": "local file inclusion", "rfi": "remote file inclusion", "auth bypass": "authentication bypass",
	"elevation of privilege": "privilege escalation",
}

func (r *reader) assignee(_ span, v string) {
	if name, ok := find(r.v.Owners(), v); ok {
		v = name
	}
	r.q.Assignee = v
}

// threshold reads ">5", ">=3", "<2", "=4": how many findings a host has.
func (r *reader) threshold(_ span, v string) {
	n := whole(strings.TrimLeft(v, "<>="))
	above, below := n+1, n-1
	switch v[:len(v)-len(strings.TrimLeft(v, "<>="))] {
	case ">":
		r.q.AtLeast = &above
	case ">=":
		r.q.AtLeast = &n
	case "<":
		r.q.AtMost = &below
	case "<=":
		r.q.AtMost = &n
	default:
		r.q.AtLeast, r.q.AtMost = &n, &n
	}
}

func (r *reader) owner(_ span, v string) {
	r.owners = with(r.owners, v)
	if r.q.Owner != "" {
		return
	}
	r.q.Owner = v
	if _, ok := find(r.v.Owners(), v); !ok {
		r.unknown("owner " + v)
	}
}

func (r *reader) tag(s span, v string) {
	r.several(s)
	r.q.Tags = with(r.q.Tags, v)
	if _, ok := find(r.v.Tags(), v); !ok {
		r.unknown("tag " + v)
	}
	if strings.EqualFold(v, "jewel") {
		r.q.Jewels = true
	}
}

// several makes hosts the subject of "which jewels have …", "how many printers …".
func (r *reader) several(s span) {
	if r.tokens[s.to-1].single != "" && choosing[r.word(r.before(s.from))] {
		r.nouns = append(r.nouns, noun{"hosts", s.from})
	}
}

var choosing = map[string]bool{"which": true, "many": true, "much": true, "what": true, "list": true, "name": true, "show": true, "any": true, "all": true, "every": true, "most": true}

func (r *reader) label(_ span, v string) {
	r.q.Labels = with(r.q.Labels, v)
	if _, ok := find(r.v.Labels(), v); !ok {
		r.unknown("label " + v)
	}
}

func (r *reader) site(s span, v string) {
	if r.lastSite > 0 && r.lastSite == s.from && !r.tokens[s.from].after && len(r.q.Sites) > 0 {
		return // "the branch office": one of them says what kind of place the other is
	}
	r.lastSite = s.to
	name, ok := find(r.v.Sites(), v)
	if !ok {
		r.unknown("site " + v)
		name = v
	}
	if r.isOrigin(s) {
		r.q.From = append(r.q.From, HostName{Text: name, Kind: "site"})
		return
	}
	r.q.Sites = with(r.q.Sites, name)
}

func (r *reader) unknown(name string) {
	if !slices.Contains(r.q.Unknown, name) {
		r.q.Unknown = append(r.q.Unknown, name)
	}
}

// bounds reads ">=9", "<0.5", "4-7". What is strict is one step further: CVSS has steps of 0.1, EPSS none that matter.
func (r *reader) bounds(v string, step float64, least, most **float64) {
	sign := v[:len(v)-len(strings.TrimLeft(v, "<>="))]
	a, b, two := strings.Cut(v[len(sign):], "-")
	x, ok := amount(a)
	if step == 0 && (strings.HasSuffix(a, "%") || x > 1) {
		x /= 100
	}
	if !ok {
		return
	}
	if two {
		y, _ := amount(b)
		*least, *most = &x, &y
		return
	}
	above, below := x+step, x-step
	if step == 0 {
		above, below = math.Nextafter(x, 2), math.Nextafter(x, -1)
	} else {
		above, below = math.Round(above*10)/10, math.Round(below*10)/10
	}
	switch sign {
	case ">=":
		*least = &x
	case ">":
		*least = &above
	case "<":
		*most = &below
	case "<=":
		*most = &x
	default:
		*least, *most = &x, &x
	}
}

func amount(s string) (float64, bool) {
	if n, ok := spelled[s]; ok {
		return n, true
	}
	n, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	return n, err == nil
}

func (r *reader) port(v string) {
	p := Port{}
	ports := v
	for _, name := range []string{"tcp", "udp", "sctp"} {
		if strings.Contains(v, name) {
			p.Protocol = name
			ports = strings.Trim(strings.ReplaceAll(v, name, ""), "/")
		}
	}
	from, to, dash := strings.Cut(ports, "-")
	a, err := strconv.ParseUint(from, 10, 16)
	if err != nil {
		return
	}
	p.From, p.To = uint16(a), uint16(a)
	if b, err := strconv.ParseUint(to, 10, 16); dash && err == nil && b >= a {
		p.To = uint16(b)
	}
	if !slices.Contains(r.q.Ports, p) {
		r.q.Ports = append(r.q.Ports, p)
	}
}

func (r *reader) cve(_ span, v string) {
	if id, err := cve.ParseID(v); err == nil && !slices.Contains(r.q.CVEs, id) {
		r.q.CVEs = append(r.q.CVEs, id)
	}
}

func (r *reader) host(s span, v string) {
	if v == "jewels" {
		r.addHost(s, HostName{Text: v, Kind: "jewels"})
		return
	}
	id, err := strconv.ParseInt(v, 10, 64)
	if err == nil {
		r.addHost(s, HostName{Text: v, Kind: "id", ID: id})
	}
}

func (r *reader) address(s span, v string) {
	if found := r.v.Host(v); len(found) > 0 {
		for _, h := range found {
			r.addHost(s, HostName{Text: v, Kind: "address", ID: h.ID * oneOf(found), Site: ""})
			break
		}
		return
	}
	r.addHost(s, HostName{Text: v, Kind: "address"})
}

// oneOf is 1 where there is exactly one host of the name: only then is its id said.
func oneOf(found []HostName) int64 {
	if len(found) == 1 {
		return 1
	}
	return 0
}

func (r *reader) hostname(s span, v string) {
	found := r.v.Host(v)
	h := HostName{Text: v, Kind: "name"}
	if len(found) == 0 {
		r.unknown("host " + v)
	} else {
		h.Text, h.ID = found[0].Text, found[0].ID*oneOf(found)
		if len(found) > 1 {
			h.Text = v
		}
	}
	r.addHost(s, h)
}

// domainName is a host of ours, or a value of which is asked whether it is known as bad.
func (r *reader) domainName(s span, v string) {
	if len(r.v.Host(v)) > 0 || !r.anyIndicator() {
		r.hostname(s, v)
		return
	}
	r.q.Values = with(r.q.Values, v)
}

func (r *reader) anyIndicator() bool {
	return slices.ContainsFunc(r.spans, func(s span) bool { return s.says("indicator") })
}

func (r *reader) addHost(s span, h HostName) {
	if r.isOrigin(s) {
		r.q.From = append(r.q.From, h)
		return
	}
	if !slices.Contains(r.q.Hosts, h) {
		r.q.Hosts = append(r.q.Hosts, h)
	}
}

// isOrigin says whether "from" stands before, in a question about ways.
func (r *reader) isOrigin(s span) bool {
	at := s.from - 1
	for at >= 0 && (skipped[r.word(at)] || r.word(at) == "site" || r.word(at) == "host") {
		at--
	}
	return (r.word(at) == "from" || r.word(at) == "starting") && slices.ContainsFunc(r.spans, func(o span) bool {
		return slices.ContainsFunc(o.effects, func(e effect) bool {
			return e.key == "measure" && e.value == "reach" || e.key == "subject" && e.value == "paths"
		})
	})
}

func (r *reader) addProduct(_ span, v string) {
	at, _ := strconv.Atoi(v)
	p := r.names[at]
	if !slices.ContainsFunc(r.q.Products, func(o ProductName) bool { return o.Vendor == p.Vendor && o.Product == p.Product }) {
		r.q.Products = append(r.q.Products, p)
	}
}

// version belongs to the product before it.
func (r *reader) version(s span, v string) {
	if len(r.q.Products) > 0 {
		r.setVersion(s.from, v)
		r.placeVersion(s.from)
	}
}

func (r *reader) setVersion(at int, v string) {
	if len(r.q.Products) == 0 {
		return
	}
	p := &r.q.Products[len(r.q.Products)-1]
	if p.Version != "" {
		next := *p
		next.Version, next.Relation = v, ""
		r.q.Products = append(r.q.Products, next)
		return
	}
	p.Version = v
	p.Relation = r.relation(at)
}

// relation is how a version is meant: "before 2.4", "2.4 and older", "at least 9".
func (r *reader) relation(at int) string {
	before := strings.TrimSpace(r.word(at-3) + " " + r.word(at-2) + " " + r.word(at-1))
	for _, p := range versionWords {
		if strings.HasSuffix(before, p.words) || strings.HasSuffix(strings.TrimSuffix(before, " version"), p.words) {
			return p.sign
		}
	}
	switch next := r.word(at+1) + " " + r.word(at+2); {
	case next == "or older" || next == "or earlier" || next == "and older" || next == "and earlier" || next == "or lower" || next == "and below" || next == "or below" || next == "and lower" || next == "and prior":
		return "<="
	case next == "or newer" || next == "or later" || next == "and newer" || next == "and later" || next == "or higher" || next == "and above" || next == "or above" || next == "and higher" || next == "and up" || next == "or greater":
		return ">="
	}
	return ""
}

var versionWords = []struct{ words, sign string }{
	{"older than", "<"}, {"before", "<"}, {"below", "<"}, {"prior to", "<"}, {"less than", "<"}, {"lower than", "<"}, {"earlier than", "<"}, {"under", "<"}, {"<", "<"}, {"smaller than", "<"},
	{"up to", "<="}, {"at most", "<="}, {"<=", "<="}, {"until", "<="}, {"through", "<="}, {"newer than", ">"}, {"after", ">"}, {"above", ">"}, {"later than", ">"}, {"higher than", ">"},
	{"greater than", ">"}, {"more than", ">"}, {"over", ">"}, {">", ">"}, {"at least", ">="}, {">=", ">="}, {"since", ">="}, {"from", ">="},
}

func (r *reader) addPeriod(_ span, v string) {
	at, _ := strconv.Atoi(v)
	p := r.periods[at]
	if r.q.Time == nil {
		r.q.Time = &p
		return
	}
	if r.q.Time.To.IsZero() && !p.To.IsZero() && p.From.IsZero() {
		r.q.Time.To, r.q.Time.Words = p.To, r.q.Time.Words+" "+p.Words
		return
	}
	r.more = append(r.more, p)
}
