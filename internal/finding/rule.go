package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
)

// Rule says something of all findings that it selects, those of today and those of tomorrow. A person's word on one
// finding wins over every rule, and what a rule says is taken back when it ends.
type Rule struct {
	ID      int64
	Name    string
	Created time.Time
	By      string
	Expires time.Time // the last UTC day on which it holds; zero is never
	Enabled bool
	Source  string // SourcePerson, or SourceVEX and the author
	Where   RuleWhere
	Says    RuleSays
	Hits    int // findings on which it had an effect when the rules were last applied
}

// Who made a rule.
const (
	SourcePerson = "person"
	SourceVEX    = "vex:"
)

// RuleWhere selects findings. A finding must meet every list that is not empty; it meets a list by one of its entries.
type RuleWhere struct {
	Sites      []string `json:"sites,omitempty"`
	Host       int64    `json:"host,omitempty"`       // one host, wherever it moves
	Hosts      []string `json:"hosts,omitempty"`      // what asset.ParsePlace reads
	Tags       []string `json:"tags,omitempty"`       // of the host
	Weaknesses []string `json:"weaknesses,omitempty"` // CVE ids, checks, "nikto:*"
	Products   []string `json:"products,omitempty"`   // purl, CPE, "openssh", "openbsd:openssh", "openssl@1.1.1k"
	Within     []string `json:"within,omitempty"`     // products (images) that are the host itself; see Statement.Parts
	Components []string `json:"components,omitempty"` // as findings name them, "*" allowed
	Severities []string `json:"severities,omitempty"`
	Sensors    []string `json:"sensors,omitempty"` // one of them saw it
	Ports      []string `json:"ports,omitempty"`   // "443", "443/tcp", "8000-8100/tcp"
	Labels     []string `json:"labels,omitempty"`  // that people put on
}

// RuleSays is what a rule says of its findings; what is empty it leaves to others.
type RuleSays struct {
	State  TriageState `json:"state,omitempty"`
	Reason string      `json:"reason,omitempty"`
	Assign string      `json:"assign,omitempty"`
	Labels []string    `json:"labels,omitempty"`
	// VEX is the status that made the rule, and Said when its author said so; see RulesFromStatements.
	VEX  VEXStatus `json:"vex,omitempty"`
	Said time.Time `json:"said,omitzero"`
}

// conditions counts the lists that narrow.
func (w *RuleWhere) conditions() (n int) {
	for _, list := range [][]string{w.Sites, w.Hosts, w.Tags, w.Weaknesses, w.Products, w.Within, w.Components, w.Severities, w.Sensors, w.Ports, w.Labels} {
		n += min(1, len(list))
	}
	if w.Host != 0 {
		n++
	}
	return n
}

// Validate says what is wrong with a rule and writes its lists in canonical form.
func (r *Rule) Validate(now time.Time) error {
	if r.Where.conditions() == 0 {
		return fault.Invalid("a rule must say what it is about: a CVE or check, a host, a product, a severity, …")
	}
	if err := r.Where.canonical(); err != nil {
		return err
	}
	r.Says.Labels = asset.Union(r.Says.Labels)
	for _, l := range r.Says.Labels {
		if err := asset.CheckLabel(l); err != nil {
			return err
		}
	}
	if r.Says.State == "" {
		if r.Says.Assign == "" && len(r.Says.Labels) == 0 {
			return fault.Invalid("a rule must say something: a state, somebody to assign, or labels")
		}
		return r.checkEnd(now)
	}
	if r.Says.State == Untriaged && r.Says.VEX == "" {
		return fault.Invalid("state none is no word that a rule can say")
	}
	said := r.triage()
	if r.Says.State == Confirmed || r.Says.State == Untriaged {
		said.Until = time.Time{} // the rule ends, its word needs not
	}
	if err := said.Validate(now); err != nil {
		return err
	}
	return r.checkEnd(now)
}

func (r *Rule) checkEnd(now time.Time) error {
	if !r.Active(now) && r.Enabled {
		return fault.Invalid("%s is over", r.Expires.Format(time.DateOnly))
	}
	return nil
}

func (w *RuleWhere) canonical() error {
	_, hosts, err := asset.ParsePlaces(w.Hosts)
	if err != nil {
		return err
	}
	w.Hosts = asset.Union(hosts)
	for i, s := range w.Weaknesses {
		w.Weaknesses[i] = canonicalWeakness(s)
	}
	for _, p := range slices.Concat(w.Products, w.Within) {
		if _, err := parseProduct(p); err != nil {
			return err
		}
	}
	for i, s := range w.Severities {
		if w.Severities[i] = strings.ToLower(s); !slices.Contains(severities, w.Severities[i]) {
			return fault.Invalid("severity %q: want one of %v", s, severities)
		}
	}
	for _, p := range w.Ports {
		if _, err := parsePorts(p); err != nil {
			return err
		}
	}
	for _, list := range []*[]string{&w.Sites, &w.Tags, &w.Weaknesses, &w.Products, &w.Within, &w.Components, &w.Severities, &w.Sensors, &w.Ports, &w.Labels} {
		*list = asset.Union(*list)
		if slices.Contains(*list, "") {
			return fault.Invalid("a rule's list holds an empty word")
		}
	}
	return nil
}

var severities = []string{"critical", "high", "medium", "low", "info", "unknown"}

func canonicalWeakness(s string) string {
	s = strings.TrimSpace(s)
	if id := Weakness(strings.ToUpper(s)).CVE(); id != 0 {
		return id.String()
	}
	return s
}

// Same says whether two rules select the same findings and say the same until the same day.
func (r *Rule) Same(other *Rule) bool { return r.key() == other.key() }

// key holds all that a rule is about and says, but not who made it when.
func (r *Rule) key() string {
	w, s := &r.Where, &r.Says
	return fmt.Sprintf("%q", []any{w.Sites, w.Host, w.Hosts, w.Tags, w.Weaknesses, w.Products, w.Within, w.Components, w.Severities, w.Sensors, w.Ports, w.Labels,
		s.State, s.Reason, s.Assign, s.Labels, s.VEX, millisOf(s.Said), r.Source, millisOf(r.Expires)})
}

func millisOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// Active says whether the rule holds on a day.
func (r *Rule) Active(now time.Time) bool {
	return r.Enabled && (r.Expires.IsZero() || now.Before(r.Expires.AddDate(0, 0, 1)))
}

// triage is the rule's word as a finding carries it: the same every time that it is applied.
func (r *Rule) triage() Triage {
	return Triage{State: r.Says.State, Until: r.Expires, By: r.By, At: r.Created, Note: r.Says.Reason, Rule: r.ID}
}

// HostFacts is what rules may ask of the host of a finding. The zero value is a host of which nothing is known.
type HostFacts struct {
	Host     *asset.Host
	Services []*asset.Service
}

// Rules are rules ready for use. They are never changed and safe for concurrent use; a nil *Rules has none.
type Rules struct {
	// Hosts are the rules about hosts, which are to be applied to a host before its findings are rated.
	Hosts *asset.Rules
	// Terms are those that an administrator set; they stand before the configured ones, see Terms.With.
	Terms Terms

	exact map[string][]*readyRule // by weakness
	other []*readyRule
	byID  map[int64]*readyRule
}

// NewRules readies rules. One that cannot be understood (of a newer version) has no effect.
func NewRules(rules []Rule) *Rules {
	out := &Rules{exact: map[string][]*readyRule{}, byID: map[int64]*readyRule{}}
	for _, r := range rules {
		ready, err := makeReady(r)
		if err != nil || r.Where.conditions() == 0 {
			continue
		}
		out.byID[r.ID] = ready
		if len(r.Where.Weaknesses) == 0 || slices.ContainsFunc(r.Where.Weaknesses, func(w string) bool { return strings.Contains(w, "*") }) {
			out.other = append(out.other, ready)
			continue
		}
		for _, w := range r.Where.Weaknesses {
			out.exact[w] = append(out.exact[w], ready)
		}
	}
	return out
}

// Len is the number of rules about findings.
func (rs *Rules) Len() int {
	if rs == nil {
		return 0
	}
	return len(rs.byID)
}

// Apply says of a rated finding what people said of it themselves and, where they said nothing, what the rules say of it on
// a day; what a rule said that no longer holds is taken back. Of rules that contradict each other a person's wins over a
// VEX document's, then the most specific: the one that names the weakness, the narrower place, the product, more
// conditions; then the newer one. The order in which rules were made or are given does not matter. It answers whether
// anything changed.
func (rs *Rules) Apply(f *Finding, h HostFacts, now time.Time) bool {
	said := rs.about(f, h, now)
	triage := f.Triage
	if triage.Rule != 0 {
		triage = Triage{State: Untriaged}
	}
	assignee, labels := f.Own.Assignee, f.Own.Labels
	assigned := !f.Own.AssignedAt.IsZero()
	for _, r := range said {
		if r.Says.State != "" && r.Says.State != Untriaged && triage.Rule == 0 && !triage.Spoken() {
			triage = r.triage()
		}
		if r.Says.Assign != "" && !assigned {
			assignee, assigned = r.Says.Assign, true
		}
		labels = asset.Union(labels, r.Says.Labels)
	}
	labels = asset.Minus(labels, f.Own.Without)
	if triage == f.Triage && assignee == f.Assignee && slices.Equal(labels, f.Labels) {
		return false
	}
	f.Triage, f.Assignee, f.Labels = triage, assignee, labels
	return true
}

// Matching lists the ids of the rules that select the finding on a day, the one that wins first.
func (rs *Rules) Matching(f *Finding, h HostFacts, now time.Time) (ids []int64) {
	for _, r := range rs.about(f, h, now) {
		ids = append(ids, r.ID)
	}
	return ids
}

// about lists the rules that select a finding, the one that wins first.
func (rs *Rules) about(f *Finding, h HostFacts, now time.Time) []*readyRule {
	if rs == nil || len(rs.byID) == 0 {
		return nil
	}
	type hit struct {
		*readyRule
		rank [5]int
	}
	var hits []hit
	for _, list := range [][]*readyRule{rs.exact[string(f.Weakness)], rs.other} {
		for _, r := range list {
			if !r.Active(now) {
				continue
			}
			if rank, ok := r.selects(f, h); ok {
				hits = append(hits, hit{r, rank})
			}
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(slices.Compare(b.rank[:], a.rank[:]), b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID), strings.Compare(a.Name, b.Name))
	})
	out := make([]*readyRule, len(hits))
	for i, h := range hits {
		out[i] = h.readyRule
	}
	return out
}

// readyRule is a rule whose texts were read.
type readyRule struct {
	Rule
	places   asset.Places
	products []wantedProduct
	ports    []portWord
}

type portWord struct {
	protocol string
	ports    []PortRange
}

func makeReady(r Rule) (*readyRule, error) {
	out := &readyRule{Rule: r}
	var err error
	if out.places, _, err = asset.ParsePlaces(r.Where.Hosts); err != nil {
		return nil, err
	}
	for _, text := range r.Where.Products {
		p, err := parseProduct(text)
		if err != nil {
			return nil, err
		}
		out.products = append(out.products, p)
	}
	for _, text := range r.Where.Ports {
		p, err := parsePorts(text)
		if err != nil {
			return nil, err
		}
		out.ports = append(out.ports, p)
	}
	return out, nil
}

func parsePorts(text string) (portWord, error) {
	ports, protocol, _ := strings.Cut(strings.TrimSpace(text), "/")
	ranges, err := ReadPorts(ports)
	if err != nil || len(ranges) == 0 || protocol != "" && protocol != "tcp" && protocol != "udp" {
		return portWord{}, fault.Invalid("port %q: want 443, 443/tcp or 8000-8100/tcp", text)
	}
	return portWord{protocol, ranges}, nil
}

// selects says whether the rule is about the finding, and how closely: who speaks, the weakness, the place, the product,
// and the number of conditions.
func (r *readyRule) selects(f *Finding, h HostFacts) (rank [5]int, ok bool) {
	w := &r.Where
	if len(w.Weaknesses) > 0 {
		if rank[1] = closest(w.Weaknesses, string(f.Weakness)); rank[1] == 0 {
			return rank, false
		}
	}
	if rank[2], ok = r.place(f, h); !ok {
		return rank, false
	}
	if len(r.products) > 0 {
		if rank[3] = r.product(f, h); rank[3] == 0 {
			return rank, false
		}
	}
	if !r.meets(f) || len(w.Within) > 0 && !withinImage(w.Within, h) {
		return rank, false
	}
	if r.Source == SourcePerson {
		rank[0] = 1
	}
	rank[4] = w.conditions()
	return rank, true
}

// closest is how closely a list of patterns describes a text: 0 not at all, else more for a longer pattern, most for the
// text itself.
func closest(patterns []string, text string) (best int) {
	for _, p := range patterns {
		switch {
		case p == text:
			return 1 << 20
		case strings.Contains(p, "*") && asset.Like(p, text):
			best = max(best, len(p))
		}
	}
	return best
}

func (r *readyRule) place(f *Finding, h HostFacts) (narrow int, ok bool) {
	w := &r.Where
	if len(w.Sites) > 0 {
		if !slices.Contains(w.Sites, f.Site) {
			return 0, false
		}
		narrow = 1
	}
	if w.Host != 0 {
		if f.HostID != w.Host {
			return 0, false
		}
		narrow = 1 << 10
	}
	if len(w.Hosts) == 0 && len(w.Tags) == 0 {
		return narrow, true
	}
	if h.Host == nil || len(w.Tags) > 0 && !shareWord(w.Tags, h.Host.Tags) {
		return 0, false
	}
	if len(w.Hosts) > 0 {
		held := r.places.Holding(h.Host)
		if held < 0 {
			return 0, false
		}
		narrow = max(narrow, 2+held)
	}
	return narrow, true
}

func (r *readyRule) meets(f *Finding) bool {
	w := &r.Where
	switch {
	case len(w.Severities) > 0 && !slices.Contains(w.Severities, cmp.Or(f.Severity, "unknown")),
		len(w.Components) > 0 && closest(w.Components, f.Component) == 0,
		len(w.Labels) > 0 && !shareWord(w.Labels, f.Own.Labels),
		len(w.Sensors) > 0 && !slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return slices.Contains(w.Sensors, e.Sensor) }):
		return false
	}
	return len(r.ports) == 0 || slices.ContainsFunc(r.ports, func(p portWord) bool {
		return f.Port != 0 && (p.protocol == "" || p.protocol == f.Protocol) && Contains(p.ports, f.Port)
	})
}

func shareWord(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func (r *readyRule) product(f *Finding, h HostFacts) (best int) {
	things := softwareOf(f, h)
	for _, p := range r.products {
		for _, s := range things {
			best = max(best, p.is(s))
		}
	}
	return best
}

// String is the rule for people: what it is about.
func (w *RuleWhere) String() string {
	var out []string
	add := func(what string, list []string) {
		if len(list) > 0 {
			out = append(out, what+" "+strings.Join(list, ", "))
		}
	}
	add("weakness", w.Weaknesses)
	if w.Host != 0 {
		out = append(out, "host "+strconv.FormatInt(w.Host, 10))
	}
	add("host", w.Hosts)
	add("site", w.Sites)
	add("tag", w.Tags)
	add("product", w.Products)
	add("within", w.Within)
	add("component", w.Components)
	add("severity", w.Severities)
	add("sensor", w.Sensors)
	add("port", w.Ports)
	add("label", w.Labels)
	return strings.Join(out, "; ")
}
