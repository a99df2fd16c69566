package asset

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// Rule says something of all hosts in some places, those of today and those of tomorrow. A person's word on one host wins
// over every rule.
type Rule struct {
	ID      int64
	Name    string
	Created time.Time
	By      string
	Expires time.Time // the last UTC day on which it holds; zero is never
	Enabled bool
	Source  string // "person", "csv:<file>"
	Where   RuleWhere
	Says    RuleSays
}

// RuleWhere selects hosts: in one of the sites, and in one of the places; an empty list does not narrow.
type RuleWhere struct {
	Sites []string `json:"sites,omitempty"`
	Hosts []string `json:"hosts,omitempty"` // what ParsePlace reads
}

// RuleSays is what a rule says of its hosts; what is empty it leaves to others.
type RuleSays struct {
	Owner       string   `json:"owner,omitempty"`
	Tags        []string `json:"tags,omitempty"`
	Criticality string   `json:"criticality,omitempty"`
	Exposed     *bool    `json:"exposed,omitempty"`
}

func (s RuleSays) empty() bool {
	return s.Owner == "" && len(s.Tags) == 0 && s.Criticality == "" && s.Exposed == nil
}

// Validate says what is wrong with a rule and writes its lists in canonical form.
func (r *Rule) Validate() error {
	if len(r.Where.Hosts) == 0 && len(r.Where.Sites) == 0 {
		return fault.Invalid("a rule about hosts must name networks, names or a site")
	}
	if r.Says.empty() {
		return fault.Invalid("a rule about hosts must say an owner, tags, a criticality or whether they are exposed")
	}
	_, canonical, err := ParsePlaces(r.Where.Hosts)
	if err != nil {
		return err
	}
	r.Where.Hosts, r.Where.Sites, r.Says.Tags = canonical, Union(r.Where.Sites), Union(r.Says.Tags)
	for _, tag := range r.Says.Tags {
		if err := CheckLabel(tag); err != nil {
			return err
		}
	}
	return CheckCriticality(r.Says.Criticality)
}

// Same says whether two rules are about the same hosts and say the same.
func (r *Rule) Same(other *Rule) bool {
	e, f := r.Says.Exposed, other.Says.Exposed
	return slices.Equal(r.Where.Sites, other.Where.Sites) && slices.Equal(r.Where.Hosts, other.Where.Hosts) && r.Says.Owner == other.Says.Owner &&
		slices.Equal(r.Says.Tags, other.Says.Tags) && r.Says.Criticality == other.Says.Criticality && (e == nil) == (f == nil) && (e == nil || *e == *f)
}

// Active says whether the rule holds on a day.
func (r *Rule) Active(now time.Time) bool {
	return r.Enabled && (r.Expires.IsZero() || now.Before(r.Expires.AddDate(0, 0, 1)))
}

// Rules are rules ready for use. They are never changed and safe for concurrent use; a nil *Rules has none.
type Rules struct{ rules []readyRule }

type readyRule struct {
	Rule
	places Places
}

// NewRules readies rules. One that cannot be understood (of a newer version) has no effect.
func NewRules(rules []Rule) *Rules {
	out := &Rules{}
	for _, r := range rules {
		places, _, err := ParsePlaces(r.Where.Hosts)
		if err != nil || len(places) == 0 && len(r.Where.Sites) == 0 {
			continue
		}
		out.rules = append(out.rules, readyRule{r, places})
	}
	return out
}

// Apply says of the host what people said of it themselves and, where they said nothing, what the rules say: of two that
// contradict each other the one of the narrower place, then the newer one. It answers whether anything changed.
func (rs *Rules) Apply(h *Host, now time.Time) bool {
	own := h.Own
	tags, owner, criticality, exposed := own.Tags, own.Owner, own.Criticality, own.Exposed
	for _, r := range rs.about(h, now) {
		tags = Union(tags, r.Says.Tags)
		owner, criticality = cmp.Or(owner, r.Says.Owner), cmp.Or(criticality, r.Says.Criticality)
		if exposed == nil {
			exposed = r.Says.Exposed
		}
	}
	tags = Minus(tags, own.Without)
	if slices.Equal(tags, h.Tags) && owner == h.Owner && criticality == h.Criticality && sameTruth(exposed, h.Exposed) {
		return false
	}
	h.Tags, h.Owner, h.Criticality, h.Exposed = tags, owner, criticality, exposed
	return true
}

func sameTruth(a, b *bool) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

// Matching lists the ids of the rules that say something of the host on a day, the most specific first.
func (rs *Rules) Matching(h *Host, now time.Time) (ids []int64) {
	for _, r := range rs.about(h, now) {
		ids = append(ids, r.ID)
	}
	return ids
}

// about lists the rules that hold for a host, the one that wins first.
func (rs *Rules) about(h *Host, now time.Time) []readyRule {
	if rs == nil {
		return nil
	}
	type found struct {
		readyRule
		narrow int
	}
	var hits []found
	for _, r := range rs.rules {
		narrow := 0
		if len(r.places) > 0 {
			narrow = r.places.Holding(h)
		}
		if narrow >= 0 && r.Active(now) && (len(r.Where.Sites) == 0 || slices.Contains(r.Where.Sites, h.Site)) {
			hits = append(hits, found{r, narrow*2 + min(1, len(r.Where.Sites))})
		}
	}
	slices.SortFunc(hits, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.narrow, a.narrow), b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID), strings.Compare(a.Name, b.Name))
	})
	out := make([]readyRule, len(hits))
	for i, f := range hits {
		out[i] = f.readyRule
	}
	return out
}
