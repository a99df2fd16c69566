package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// condition is what a filter asks of one column, or of any of several.
type condition struct {
	col    listColumn
	in     within // where what passes lies; the zero value where it may lie anywhere
	passes func(uint64) bool
	rank   int // those that leave least come first, since the next reads only the blocks that are left
	anyOf  []condition
	key    string // what is asked, so that answers can be kept; two conditions of a column with one key pass the same
}

// The ranks of conditions.
const (
	oneOfMany = iota
	someOfMany
	ofFacets
	inRange
)

// selected are the findings of a filter in a view.
func (e *Estate) selected(ctx context.Context, l *lists, v auth.View, f finding.Filter) (*findingSet, error) {
	s, err := l.everything(ctx)
	if err != nil {
		return nil, err
	}
	if f.Scan != 0 {
		ids, err := seenBy(ctx, l.tx, f.Scan)
		if err != nil {
			return nil, err
		}
		s.only(ids)
	}
	if f.Further != nil && f.Further.IDs != nil {
		s.only(f.Further.IDs)
	}
	conditions, err := l.conditions(ctx, f, e.db.opts.Now())
	if err != nil {
		return nil, err
	}
	if !v.All() {
		site, err := l.viewCondition(ctx, v)
		if err != nil {
			return nil, err
		}
		conditions = append([]condition{site}, conditions...)
	}
	for _, c := range conditions {
		if err := l.obey(ctx, s, c); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (l *lists) obey(ctx context.Context, s *findingSet, c condition) error {
	if c.anyOf == nil {
		return l.keep(ctx, s, c)
	}
	found := make([]selectedBlock, len(s.blocks))
	for _, one := range c.anyOf {
		part := &findingSet{blocks: slices.Clone(s.blocks)}
		if err := l.keep(ctx, part, one); err != nil {
			return err
		}
		for i := range found {
			for w := range found[i].bits {
				found[i].bits[w] |= part.blocks[i].bits[w]
			}
		}
	}
	s.and(found)
	return nil
}

// conditions lists what the filter asks of columns, in the order in which it is best asked.
func (l *lists) conditions(ctx context.Context, f finding.Filter, now time.Time) ([]condition, error) {
	out := append(placeConditions(f), timeConditions(f, now)...)
	out = append(out, facetCondition(f))
	for _, more := range []func(context.Context, finding.Filter) ([]condition, error){l.wordConditions, l.setConditions, l.textConditions, l.hostConditions, l.furtherConditions} {
		c, err := more(ctx, f)
		if err != nil {
			return nil, err
		}
		out = append(out, c...)
	}
	slices.SortStableFunc(out, func(a, b condition) int { return cmp.Compare(a.rank, b.rank) })
	return out, nil
}

// facetCondition asks everything that one number answers.
func facetCondition(f finding.Filter) condition {
	wanted := []struct {
		field facet
		set   uint64 // of codes; 0 where nothing is asked
		asked bool
	}{
		{facetState, codes(codesOfState, f.States), len(f.States) > 0},
		{facetState, codes(codesOfState, []finding.State{finding.Open, finding.Reopened}), f.Live || f.Overdue || f.SLAOverdue},
		{facetTriage, codes(codesOfTriage, f.Triage), len(f.Triage) > 0},
		{facetSeverity, codes(codesOfSeverity, f.Severities), len(f.Severities) > 0},
		{facetDecision, codes(codesOfDecision, f.Decisions), len(f.Decisions) > 0},
		{facetStatus, codes(codesOfStatus, f.Statuses), len(f.Statuses) > 0},
		{facetKind, codes(codesOfKind, f.Kinds), len(f.Kinds) > 0},
		{facetProtocol, codes(codesOfProtocol, protocols(f.Protocols)), len(f.Protocols) > 0},
		{facetKEV, yesOrNo(f.KEV), f.KEV != nil},
		{facetExploited, yesOrNo(f.Exploited), f.Exploited != nil},
	}
	wanted = slices.DeleteFunc(wanted, func(w struct {
		field facet
		set   uint64
		asked bool
	}) bool {
		return !w.asked
	})
	hide := hides(f)
	affected := code(codesOfStatus, string(finding.Affected), facetStatus)
	least := uint64(max(f.MinConfidence, 0)) //nolint:gosec // not negative
	key := fmt.Sprint(wanted, hide, least, f.Confirmed, f.Potential)
	return condition{col: colFacets, rank: ofFacets, key: key, passes: func(n uint64) bool {
		v := facets(n)
		if v&1 == 0 || v.get(facetConfidence) < least {
			return false
		}
		for _, w := range wanted {
			if w.set>>v.get(w.field)&1 == 0 {
				return false
			}
		}
		sure := v.get(facetStatus) == affected && v.get(facetConfidence) >= finding.ConfirmedAt
		return !(f.Confirmed && !sure || f.Potential && sure || hide && setAside(v))
	}}
}

// hides says whether the list leaves out what a person set aside.
func hides(f finding.Filter) bool { return len(f.Triage) == 0 && !f.ShowHidden }

var (
	codeFalsePositive = code(codesOfTriage, string(finding.FalsePositive), facetTriage)
	codeAccepted      = code(codesOfTriage, string(finding.Accepted), facetTriage)
	codeOutOfScope    = code(codesOfTriage, string(finding.OutOfScope), facetTriage)
)

// setAside says whether the finding is hidden on any day.
func setAside(v facets) bool {
	triage := v.get(facetTriage)
	return (triage == codeFalsePositive || triage == codeOutOfScope || triage == codeAccepted) && v.get(facetDated) == 0
}

func protocols(names []string) []string {
	out := slices.Clone(names)
	for i, name := range out {
		if name == "host" {
			out[i] = ""
		}
	}
	return out
}

func yesOrNo(b *bool) uint64 {
	if b != nil && *b {
		return 1 << 1
	}
	return 1 << 0
}

// isNumber asks a column for one number.
func isNumber(col listColumn, n uint64) condition {
	return condition{col: col, in: within{n, n}, passes: equals(n), rank: oneOfMany, key: strconv.FormatUint(n, 10)}
}

func equals(n uint64) func(uint64) bool { return func(v uint64) bool { return v == n } }

func placeConditions(f finding.Filter) (out []condition) {
	if f.HostID != 0 {
		id := uint64(f.HostID) //nolint:gosec // a negative one is nobody's
		out = append(out, isNumber(colHost, id))
	}
	if len(f.Ports) > 0 {
		var in within
		ports := map[uint64]bool{}
		for _, p := range f.Ports {
			ports[uint64(p)] = true
		}
		if len(f.Ports) == 1 && f.Ports[0] != 0 {
			in = within{uint64(f.Ports[0]), uint64(f.Ports[0])}
		}
		out = append(out, condition{col: colPort, in: in, passes: func(v uint64) bool { return ports[v] }, rank: someOfMany, key: fmt.Sprint(f.Ports)})
	}
	return out
}

// timeConditions are the ranges, of times and of numbers. What a finding does not have is 0 and in no range.
func timeConditions(f finding.Filter, now time.Time) (out []condition) {
	today := now.UTC().Truncate(24 * time.Hour)
	between := func(col listColumn, lo, hi uint64) { // both included
		lo = max(lo, 1)
		out = append(out, condition{col: col, in: within{lo, hi}, passes: func(v uint64) bool { return v >= lo && v <= hi }, rank: inRange,
			key: fmt.Sprint(lo, "-", hi)})
	}
	before := func(col listColumn, t time.Time) {
		if !t.IsZero() {
			between(col, 1, max(finding.TimeKey(t), 1)-1)
		}
	}
	after := func(col listColumn, t time.Time) {
		if !t.IsZero() {
			between(col, finding.TimeKey(t), math.MaxInt64)
		}
	}
	atLeast := func(col listColumn, v *float64) {
		if v != nil {
			between(col, finding.NumberKey(v), math.MaxInt64)
		}
	}
	before(colDue, f.DueBefore)
	before(colSLA, f.SLABefore)
	if f.Overdue {
		before(colDue, today)
	}
	if f.SLAOverdue {
		before(colSLA, today)
	}
	after(colFirstSeen, f.FirstSeenAfter)
	before(colFirstSeen, f.FirstSeenBefore)
	after(colLastSeen, f.LastSeenAfter)
	before(colLastSeen, f.LastSeenBefore)
	after(colClosed, f.ClosedAfter)
	after(colReturned, f.ReturnedAfter)
	atLeast(colCVSS, f.MinCVSS)
	atLeast(colEPSS, f.MinEPSS)
	if f.MinRisk != nil {
		between(colRisk, finding.RiskKey(f.MinRisk), math.MaxInt64)
	}
	if hides(f) {
		day := dayNumber(today.UnixMilli())
		out = append(out, condition{col: colUntil, passes: func(v uint64) bool { return v < day }, rank: inRange + 1, key: fmt.Sprint("<", day)})
	}
	return out
}

// wordConditions ask for one word each.
func (l *lists) wordConditions(ctx context.Context, f finding.Filter) (out []condition, err error) {
	one := func(col listColumn, text string) error {
		n, err := l.words.find(ctx, text)
		if n == 0 && err == nil {
			out = append(out, condition{col: col, in: nowhere, passes: never, rank: oneOfMany})
			return nil
		}
		out = append(out, isNumber(col, n))
		return err
	}
	for col, text := range map[listColumn]string{colWeakness: weaknessOf(f.Weakness), colRemedy: f.Remedy, colComponent: f.Component} {
		if text == "" {
			continue
		}
		if err := one(col, text); err != nil {
			return nil, err
		}
	}
	switch {
	case f.Assignee == nil:
	case *f.Assignee == "":
		out = append(out, condition{col: colAssignee, in: within{}, passes: equals(0), rank: inRange, key: "0"})
	default:
		err = one(colAssignee, *f.Assignee)
	}
	return out, err
}

func never(uint64) bool { return false }

// nowhere are bounds within which no block has anything.
var nowhere = within{math.MaxInt64, math.MaxInt64}

// weaknessOf is what findings have for what people name: a CVE in any case, or a tool's check.
func weaknessOf(text string) string {
	if text == "" {
		return ""
	}
	if id := finding.Weakness(strings.ToUpper(text)).CVE(); id != 0 {
		return id.String()
	}
	return string(finding.OfCheck(text))
}

// setConditions ask for a member of a set, and for a product.
func (l *lists) setConditions(ctx context.Context, f finding.Filter) (out []condition, err error) {
	member := func(col listColumn, name string) error {
		c, err := l.remembered(fmt.Sprintf("member %d %s", col, name), func() (condition, error) {
			sets, err := l.setsWith(ctx, name, useOf(col))
			if err != nil {
				return condition{}, err
			}
			return sets.condition(col), nil
		})
		out = append(out, c)
		return err
	}
	for _, label := range f.Labels {
		if err := member(colLabels, label); err != nil {
			return nil, err
		}
	}
	if f.Sensor != "" {
		if err := member(colSensors, f.Sensor); err != nil {
			return nil, err
		}
	}
	if f.Product == "" {
		return out, nil
	}
	c, err := l.remembered("product "+f.Product, func() (condition, error) { return l.productCondition(ctx, f.Product) })
	return append(out, c), err
}

// setsWith are the words that are sets with a member.
func (l *lists) setsWith(ctx context.Context, name string, use byte) (*numberSet, error) {
	var ids []uint64
	if err := l.words.search(ctx, searchable(strings.Trim(list([]string{name}), "[]")), use, func(w word) { ids = append(ids, w.id) }); err != nil {
		return nil, err
	}
	texts, err := l.words.texts(ctx, ids)
	if err != nil {
		return nil, err
	}
	sets := &numberSet{}
	for _, id := range ids {
		if slices.Contains(unlist(texts[id]), name) { // the search does not mind case
			sets.add(id)
		}
	}
	return sets, nil
}

// productCondition asks for words in the product, or in the component where there is no service.
func (l *lists) productCondition(ctx context.Context, product string) (condition, error) {
	byUse := map[byte]*numberSet{useOf(colProduct): {}, useOf(colComponent): {}}
	err := l.words.search(ctx, searchable(product), useOf(colProduct)|useOf(colComponent), func(w word) {
		for use, set := range byUse {
			if w.uses&use != 0 {
				set.add(w.id)
			}
		}
	})
	if err != nil {
		return condition{}, err
	}
	var anyOf []condition
	for use, set := range byUse {
		anyOf = append(anyOf, set.condition(columnOf(use)))
	}
	return condition{anyOf: anyOf, rank: someOfMany}, nil
}

// textConditions ask for each word of a text in what people read of a finding, and in the names of its host.
func (l *lists) textConditions(ctx context.Context, f finding.Filter) (out []condition, err error) {
	for _, needle := range strings.Fields(searchable(f.Text)) {
		c, err := l.remembered("text "+needle, func() (condition, error) { return l.textCondition(ctx, needle) })
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func (l *lists) textCondition(ctx context.Context, needle string) (condition, error) {
	const uses = 1<<5 - 1 // the first five of searched
	sets := [len(searched)]numberSet{}
	if err := l.words.search(ctx, needle, uses, func(w word) {
		for i := range sets {
			if w.uses&uses&(1<<i) != 0 {
				sets[i].add(w.id)
			}
		}
	}); err != nil {
		return condition{}, err
	}
	anyOf := []condition{}
	for i := range sets {
		if !sets[i].empty() {
			anyOf = append(anyOf, sets[i].condition(searched[i]))
		}
	}
	hosts, err := l.hostsNamed(ctx, needle)
	if err == nil && !hosts.empty() {
		anyOf = append(anyOf, hosts.condition(colHost))
	}
	return condition{anyOf: anyOf, rank: someOfMany}, err
}

// hostsNamed are the hosts with something in a name or address.
func (l *lists) hostsNamed(ctx context.Context, needle string) (*numberSet, error) {
	rows, err := l.tx.Query(ctx, `SELECT host FROM identifier WHERE kind IN ('name', 'address') AND value LIKE ? ESCAPE '\'`, contains(needle))
	if err != nil {
		return nil, err
	}
	ids, err := appendIDs(nil, rows)
	hosts := &numberSet{}
	for _, id := range ids {
		hosts.add(uint64(id)) //nolint:gosec // ids are positive
	}
	return hosts, err
}

// hostConditions ask for what is said of hosts.
func (l *lists) hostConditions(ctx context.Context, f finding.Filter) (out []condition, err error) {
	if f.Site != "" {
		var id uint64
		err := l.tx.QueryRow(ctx, `SELECT id FROM site WHERE name = ?`, f.Site).Scan(&id)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		site := isNumber(colSite, id)
		site.rank = someOfMany
		if id == 0 {
			site.in, site.passes, site.key = nowhere, never, ""
		}
		out = append(out, site)
	}
	if f.Owner == nil && len(f.Tags) == 0 && len(f.Criticality) == 0 {
		return out, nil
	}
	key, err := json.Marshal([]any{f.Owner, f.Tags, f.Criticality})
	if err != nil {
		return nil, err
	}
	c, err := l.remembered("hosts "+string(key), func() (condition, error) {
		hosts, err := l.hostsWith(ctx, f)
		return hosts.condition(colHost), err
	})
	return append(out, c), err
}

// viewCondition asks for the sites of a view. It comes before all others: what is outside is not even looked at.
func (l *lists) viewCondition(ctx context.Context, v auth.View) (condition, error) {
	c := conditions{}
	c.see("name", v)
	rows, err := l.tx.Query(ctx, `SELECT id FROM site WHERE `+c.String(), c.args...)
	if err != nil {
		return condition{}, err
	}
	ids, err := appendIDs(nil, rows)
	sites := &numberSet{}
	for _, id := range ids {
		sites.add(uint64(id)) //nolint:gosec // ids are positive
	}
	return sites.condition(colSite), err
}

// hostsWith are the hosts of an owner, with tags, of a criticality.
func (l *lists) hostsWith(ctx context.Context, f finding.Filter) (*numberSet, error) {
	c := conditions{}
	if f.Owner != nil {
		c.add("owner = ?", *f.Owner)
	}
	c.in("criticality", texts(f.Criticality))
	holds := "instr(tags, ?) > 0"
	if l.tx.Engine() == Postgres {
		holds = "strpos(tags, ?) > 0"
	}
	for _, tag := range f.Tags {
		c.add(holds, strings.Trim(list([]string{tag}), "[]"))
	}
	rows, err := l.tx.Query(ctx, `SELECT id, tags FROM host WHERE `+c.String(), c.args...) //nolint:sqlclosecheck // eachRow closes them
	if err != nil {
		return nil, err
	}
	hosts := &numberSet{}
	err = eachRow(rows, func() error {
		var id uint64
		var tags string
		if err := rows.Scan(&id, &tags); err != nil {
			return err
		}
		has := len(f.Tags) == 0 || subset(f.Tags, unlist(tags))
		if has {
			hosts.add(id)
		}
		return nil
	})
	return hosts, err
}

func subset(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// numberSet is a set of numbers that are not 0.
type numberSet struct {
	numbers []uint64
	lo      uint64
	bits    []uint64 // from lo on; made of numbers when it is first asked
}

func (s *numberSet) add(n uint64) { s.numbers = append(s.numbers, n) }

func (s *numberSet) empty() bool { return len(s.numbers) == 0 }

// condition asks a column for the numbers of the set.
func (s *numberSet) condition(col listColumn) condition {
	if s.empty() {
		return condition{col: col, in: nowhere, passes: never, rank: oneOfMany}
	}
	lo, hi := slices.Min(s.numbers), slices.Max(s.numbers)
	s.lo, s.bits = lo, make([]uint64, (hi-lo)/64+1)
	for _, n := range s.numbers {
		s.bits[(n-lo)/64] |= 1 << ((n - lo) % 64)
	}
	s.numbers = nil // the condition may be kept for long
	return condition{col: col, in: within{lo, hi}, passes: s.has, rank: someOfMany, key: s.key()}
}

// key tells sets apart.
func (s *numberSet) key() string {
	hash := sha256.New()
	_ = binary.Write(hash, binary.LittleEndian, s.lo) // a hash takes everything
	_ = binary.Write(hash, binary.LittleEndian, s.bits)
	return string(hash.Sum(nil)[:16])
}

func (s *numberSet) has(n uint64) bool {
	at := n - s.lo // far beyond the end where n is less
	return at/64 < uint64(len(s.bits)) && s.bits[at/64]>>(at%64)&1 == 1
}
