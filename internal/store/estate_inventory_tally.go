package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// workTally is what confirmed findings come to that stand and that nobody set aside.
type workTally struct {
	findings, kev int32
	decision      uint8 // the code of the most urgent
}

// hostTally is the same of a host.
type hostTally struct {
	workTally
	severity [8]int32 // by code
	rank     uint64   // the most urgent finding's, 0 for none
}

func (t *hostTally) standing() HostStanding {
	s := HostStanding{BySeverity: map[string]int{}, Findings: int(t.findings), KEV: int(t.kev), Decision: wordOf(codesOfDecision, uint64(t.decision))}
	for i, n := range t.severity {
		if n > 0 {
			s.BySeverity[wordOf(codesOfSeverity, uint64(i))] += int(n) //nolint:gosec // small
		}
	}
	return s
}

// add counts a finding of which the facets are known.
func (t *workTally) add(f facets) {
	t.findings++
	t.kev += int32(f.get(facetKEV)) //nolint:gosec // 0 or 1
	if d := f.get(facetDecision); d < uint64(len(codesOfDecision)) {
		t.decision = max(t.decision, uint8(d)) //nolint:gosec // small
	}
}

// standingTally is what stands on each host and service of a roll, on one day: what was set aside until then comes back.
// Nobody changes it.
type standingTally struct {
	generation int64
	day        time.Time
	roll       *hostRoll
	hosts      []hostTally // as in the roll
	services   []workTally // as in the roll
}

// standingFilter selects confirmed findings that stand and that nobody set aside.
var standingFilter = finding.Filter{Live: true, Confirmed: true}

// standingTally returns the tally of a roll. The lock of the inventory is held.
func (e *Estate) standingTally(ctx context.Context, l *lists, roll *hostRoll) (*standingTally, error) {
	day := e.db.opts.Now().UTC().Truncate(24 * time.Hour)
	if t := e.inventory.standing; t != nil && t.roll == roll && t.day.Equal(day) && t.generation >= l.generation {
		return t, nil
	}
	t := &standingTally{generation: l.generation, day: day, roll: roll, hosts: make([]hostTally, len(roll.hosts)), services: make([]workTally, len(roll.services))}
	s, err := e.selected(ctx, l, auth.Everything(), standingFilter)
	if err != nil {
		return nil, err
	}
	if err := t.count(ctx, &grouping{lists: l}, s); err != nil {
		return nil, err
	}
	e.inventory.standing = t
	return t, nil
}

// listed is what a tally remembers of a finding from one column to the next.
type listedFacts struct {
	host   int32 // its place in the roll, none where it has none
	facets facets
}

// count reads the columns one by one.
func (t *standingTally) count(ctx context.Context, g *grouping, s *findingSet) error {
	of := make([][]listedFacts, len(s.blocks))
	for _, block := range s.alive() {
		of[block] = make([]listedFacts, blockSize)
	}
	if err := g.each(ctx, s, colHost, func(block int64, i int, host uint64) { of[block][i].host = t.roll.at.place(host) }); err != nil {
		return err
	}
	if err := g.each(ctx, s, colFacets, func(block int64, i int, n uint64) {
		known := &of[block][i]
		if known.facets = facets(n); known.host != none {
			h := &t.hosts[known.host]
			h.add(known.facets)
			h.severity[known.facets.get(facetSeverity)]++
		}
	}); err != nil {
		return err
	}
	if err := g.each(ctx, s, colPort, func(block int64, i int, port uint64) {
		known := of[block][i]
		if at := t.roll.service(known.host, uint8(known.facets.get(facetProtocol)), uint16(port)); at != none { //nolint:gosec // as they were stored
			t.services[at].add(known.facets)
		}
	}); err != nil {
		return err
	}
	return g.each(ctx, s, colRank, func(block int64, i int, rank uint64) {
		if at := of[block][i].host; at != none && rank != 0 && (t.hosts[at].rank == 0 || rank < t.hosts[at].rank) {
			t.hosts[at].rank = rank
		}
	})
}

// service is the place in the roll of what answers at a port of a host, none where nothing does.
func (r *hostRoll) service(host int32, protocol uint8, port uint16) int32 {
	if host == none || port == 0 {
		return none
	}
	for i := r.hosts[host].first; i < r.hosts[host].end; i++ {
		if s := &r.services[i]; s.port == port && s.protocol == protocol {
			return i
		}
	}
	return none
}

// softwareTally is which components findings are about on which hosts.
type softwareTally struct {
	generation int64
	day        time.Time
	roll       *hostRoll
	parts      []softwarePart // by component and host
	names      map[uint32][2]string
}

// softwarePart is a component on a host.
type softwarePart struct {
	component uint32 // a word
	host      int32  // its place in the roll
	workTally
}

// SoftwareInventory lists packages and components on the hosts of a view that findings are about which stand, a row for
// each name in each version, and says how many rows there are on all pages.
func (e *Estate) SoftwareInventory(ctx context.Context, v auth.View, q InventoryQuery) (page []InventoryRow, total int, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		l, err := e.currentLists(ctx, tx)
		if err != nil {
			return err
		}
		t, err := e.softwareTally(ctx, l)
		if err == nil {
			page, total = pageOf(t.rows(v, q), q)
		}
		return err
	})
	return page, total, err
}

func (e *Estate) softwareTally(ctx context.Context, l *lists) (*softwareTally, error) {
	e.inventory.mu.Lock()
	defer e.inventory.mu.Unlock()
	day := e.db.opts.Now().UTC().Truncate(24 * time.Hour)
	if t := e.inventory.software; t != nil && t.generation >= l.generation && t.day.Equal(day) {
		return t, nil
	}
	roll, err := e.inventory.hostRoll(ctx, l.tx, l.generation)
	if err != nil {
		return nil, err
	}
	t := &softwareTally{generation: l.generation, day: day, roll: roll}
	if err := e.countSoftware(ctx, l, t); err != nil {
		return nil, err
	}
	e.inventory.software = t
	return t, nil
}

// A finding of a component as one number, so that sorting brings together what belongs together: its component, host,
// decision, whether it counts and whether it is known to be exploited.
const (
	partKEV      = 1
	partStands   = 2
	partDecision = 2 // bits below it
	partHost     = 8
	partWord     = 36
)

// countSoftware: a component is there as long as any finding about it stands, also one that is not confirmed or that was
// set aside; only others count.
func (e *Estate) countSoftware(ctx context.Context, l *lists, t *softwareTally) error {
	there, err := e.selected(ctx, l, auth.Everything(), finding.Filter{Live: true, ShowHidden: true})
	if err != nil {
		return err
	}
	if err := l.keep(ctx, there, condition{col: colComponent, passes: func(n uint64) bool { return n != 0 }, key: "some"}); err != nil {
		return err
	}
	counting, err := e.selected(ctx, l, auth.Everything(), standingFilter)
	if err != nil {
		return err
	}
	g := &grouping{lists: l}
	of := make([][]uint64, len(there.blocks))
	for _, block := range there.alive() {
		of[block] = make([]uint64, blockSize)
	}
	if err := g.each(ctx, there, colComponent, func(block int64, i int, n uint64) { of[block][i] = n << partWord }); err != nil {
		return err
	}
	if err := g.each(ctx, there, colFacets, func(block int64, i int, n uint64) {
		if counting.blocks[block].bits.has(uint16(i)) { //nolint:gosec // less than blockSize
			of[block][i] |= partStands | facets(n).get(facetKEV) | facets(n).get(facetDecision)<<partDecision //nolint:gosec // small
		}
	}); err != nil {
		return err
	}
	var all []uint64
	if err := g.each(ctx, there, colHost, func(block int64, i int, host uint64) {
		if place := t.roll.at.place(host); place != none {
			all = append(all, of[block][i]|uint64(place)<<partHost) //nolint:gosec // not negative
		}
	}); err != nil {
		return err
	}
	slices.Sort(all)
	t.fold(all)
	return t.name(ctx, l)
}

// fold joins the findings of a component on a host.
func (t *softwareTally) fold(all []uint64) {
	for i, n := range all {
		if i == 0 || n>>partHost != all[i-1]>>partHost {
			t.parts = append(t.parts, softwarePart{component: uint32(n >> partWord), host: int32(n >> partHost & (1<<(partWord-partHost) - 1))}) //nolint:gosec // as they were put in
		}
		if n&partStands == 0 {
			continue
		}
		part := &t.parts[len(t.parts)-1]
		part.findings++
		part.kev += int32(n & partKEV) //nolint:gosec // 0 or 1
		if d := n >> partDecision & 7; d < uint64(len(codesOfDecision)) {
			part.decision = max(part.decision, uint8(d)) //nolint:gosec // small
		}
	}
}

// name reads what the components are called.
func (t *softwareTally) name(ctx context.Context, l *lists) error {
	var ids []uint64
	for i, p := range t.parts {
		if i == 0 || p.component != t.parts[i-1].component {
			ids = append(ids, uint64(p.component))
		}
	}
	texts, err := l.words.texts(ctx, ids)
	t.names = make(map[uint32][2]string, len(texts))
	for id, text := range texts {
		name, version := finding.SplitComponent(text)
		t.names[uint32(id)] = [2]string{name, version} //nolint:gosec // it was one
	}
	return err
}

// rows are all rows that a query selects.
func (t *softwareTally) rows(v auth.View, q InventoryQuery) (out []InventoryRow) {
	sites := t.roll.seenSites(v, q.Site)
	var row *InventoryRow
	last, wanted := uint32(0), false
	for _, p := range t.parts {
		if p.component != last {
			last, row, wanted = p.component, nil, q.names(t.names[p.component])
		}
		if !wanted || !sites[t.roll.hosts[p.host].site] {
			continue
		}
		if row == nil {
			name := t.names[p.component]
			out = append(out, InventoryRow{Place: InventoryPlace{Names: [4]string{name[0], name[1]}}})
			row = &out[len(out)-1]
		}
		row.Place.Hosts++
		row.Place.add(p.workTally)
		row.Decision = wordOf(codesOfDecision, uint64(row.Place.Decision)) //nolint:gosec // small
	}
	return out
}

// names says whether the words of a query are in a name or version.
func (q InventoryQuery) names(name [2]string) bool {
	return strings.Contains(strings.ToLower(name[0]), strings.ToLower(q.Product)) &&
		(q.Text == "" || strings.Contains(strings.ToLower(name[0]+"@"+name[1]), strings.ToLower(q.Text)))
}
