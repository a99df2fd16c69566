package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/version"
)

// FindingGroups lists groups of the findings that a filter selects in a view, the most urgent first, and says how many there are
// altogether. The filter's own order, cursor and limit do not matter; limit 0 is all groups.
func (e *Estate) FindingGroups(ctx context.Context, v auth.View, f finding.Filter, by finding.GroupBy, after finding.GroupCursor, limit int) (
	page []finding.Group, total int, err error,
) {
	err = e.db.view(ctx, func(tx *Tx) error {
		l, err := e.currentLists(ctx, tx)
		if err != nil {
			return err
		}
		g := &grouping{lists: l, by: by, index: map[uint64]int32{}}
		if g.findings, err = e.selected(ctx, l, v, f); err != nil {
			return err
		}
		for _, step := range []func(context.Context) error{g.part, g.rate} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		total = len(g.groups)
		g.show(after, limit)
		g.narrow()
		for _, step := range []func(context.Context) error{g.countDifferent, g.name} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		page = g.page
		return nil
	})
	return page, total, err
}

// grouping is groups in the making.
type grouping struct {
	*lists
	by       finding.GroupBy
	findings *findingSet
	groups   []finding.Group
	index    map[uint64]int32 // of a group by its place: the number of what is common
	of       [][]int32        // the group of every selected finding, by block and place in it
	owners   map[uint64]string

	page  []finding.Group // those that are shown
	shown []int32         // the place of a group on the page, none
}

const none = -1

// each calls fn for every selected finding with its number in a column.
func (g *grouping) each(ctx context.Context, s *findingSet, col listColumn, fn func(block int64, i int, n uint64)) error {
	alive := s.alive()
	seen := make(map[int64]bool, len(alive))
	if err := g.scan(ctx, col, alive, within{}, func(block int64, values *blockValues) {
		seen[block] = true
		s.blocks[block].each(func(i int) { fn(block, i, values[i]) })
	}); err != nil {
		return err
	}
	for _, block := range alive {
		if !seen[block] {
			s.blocks[block].each(func(i int) { fn(block, i, 0) })
		}
	}
	return nil
}

// part puts every finding into its group.
func (g *grouping) part(ctx context.Context) error {
	g.of = make([][]int32, len(g.findings.blocks))
	for _, block := range g.findings.alive() {
		g.of[block] = make([]int32, blockSize)
	}
	put := func(block int64, i int, n uint64) { g.of[block][i] = g.at(n) }
	switch g.by {
	case finding.GroupProduct:
		return g.partByProduct(ctx)
	case finding.GroupOwner:
		places, err := g.ownerPlaces(ctx)
		if err != nil {
			return err
		}
		return g.each(ctx, g.findings, colHost, func(block int64, i int, host uint64) { put(block, i, places[host]) })
	default:
		return g.each(ctx, g.findings, groupColumn(g.by), put)
	}
}

func groupColumn(by finding.GroupBy) listColumn {
	switch by {
	case finding.GroupHost:
		return colHost
	case finding.GroupWeakness:
		return colWeakness
	case finding.GroupSite:
		return colSite
	case finding.GroupAssignee:
		return colAssignee
	default:
		return colRemedy
	}
}

// at is the group of a place, a new one if need be.
func (g *grouping) at(place uint64) int32 {
	n, known := g.index[place]
	if !known {
		n = int32(len(g.groups)) //nolint:gosec // no more than findings
		g.index[place] = n
		g.groups = append(g.groups, finding.Group{Place: place})
	}
	return n
}

// partByProduct takes the component where no service tells a product.
func (g *grouping) partByProduct(ctx context.Context) error {
	if err := g.each(ctx, g.findings, colProduct, func(block int64, i int, n uint64) {
		g.of[block][i] = none
		if n != 0 {
			g.of[block][i] = g.at(n)
		}
	}); err != nil {
		return err
	}
	return g.each(ctx, g.findings, colComponent, func(block int64, i int, n uint64) {
		if g.of[block][i] == none {
			g.of[block][i] = g.at(n)
		}
	})
}

// ownerPlaces gives the owner of every host that has one a number, which does not depend on the others.
func (g *grouping) ownerPlaces(ctx context.Context) (map[uint64]uint64, error) {
	rows, err := g.tx.Query(ctx, `SELECT id, owner FROM host WHERE owner <> ''`) //nolint:sqlclosecheck // eachRow closes them
	if err != nil {
		return nil, err
	}
	places, known := map[uint64]uint64{}, map[string]uint64{}
	g.owners = map[uint64]string{}
	return places, eachRow(rows, func() error {
		var host uint64
		var owner string
		if err := rows.Scan(&host, &owner); err != nil {
			return err
		}
		place := known[owner]
		if place == 0 {
			hash := sha256.Sum256([]byte(owner))
			place = binary.BigEndian.Uint64(hash[:])>>1 | 1
			known[owner], g.owners[place] = place, owner
		}
		places[host] = place
		return nil
	})
}

// rate counts the findings of groups and finds the most urgent.
func (g *grouping) rate(ctx context.Context) error {
	decision, due := make([]uint64, len(g.groups)), make([]uint64, len(g.groups))
	if err := g.each(ctx, g.findings, colFacets, func(block int64, i int, n uint64) {
		at := g.of[block][i]
		g.groups[at].Findings++
		g.groups[at].KEV += int(facets(n).get(facetKEV)) //nolint:gosec // 0 or 1
		if d := facets(n).get(facetDecision); d < uint64(len(codesOfDecision)) {
			decision[at] = max(decision[at], d)
		}
	}); err != nil {
		return err
	}
	if err := g.each(ctx, g.findings, colRank, func(block int64, i int, n uint64) {
		if group := &g.groups[g.of[block][i]]; n != 0 && (group.RankKey == 0 || n < group.RankKey) {
			group.RankKey = n
		}
	}); err != nil {
		return err
	}
	if err := g.each(ctx, g.findings, colDue, func(block int64, i int, n uint64) {
		if at := g.of[block][i]; n != 0 && (due[at] == 0 || n < due[at]) {
			due[at] = n
		}
	}); err != nil {
		return err
	}
	for i := range g.groups {
		g.groups[i].Decision = wordOf(codesOfDecision, decision[i])
		g.groups[i].Due = moment(int64(due[i])) //nolint:gosec // as it was stored
	}
	return nil
}

// show chooses the groups of a page.
func (g *grouping) show(after finding.GroupCursor, limit int) {
	g.shown = slices.Repeat([]int32{none}, len(g.groups))
	sorted := slices.Clone(g.groups)
	slices.SortFunc(sorted, func(a, b finding.Group) int { return a.Cursor(g.by).Compare(b.Cursor(g.by)) })
	for _, group := range sorted {
		if limit > 0 && len(g.page) == limit {
			return
		}
		if after == (finding.GroupCursor{}) || group.Cursor(g.by).Compare(after) > 0 {
			g.shown[g.index[group.Place]] = int32(len(g.page)) //nolint:gosec // no more than findings
			g.page = append(g.page, group)
		}
	}
}

// narrow leaves the findings of the groups of the page: what follows is about them only.
func (g *grouping) narrow() {
	s := &findingSet{blocks: slices.Clone(g.findings.blocks)}
	for block := range s.blocks {
		of, b := g.of[block], &s.blocks[block]
		b.each(func(i int) {
			if g.shown[of[i]] == none {
				b.bits[i/64] &^= 1 << (i % 64)
			}
		})
		b.count()
	}
	g.findings = s
}

// member is something that findings of a shown group have: the place on the page above, the number below.
type member uint64

const memberBits = 40

func (m member) place() int     { return int(m >> memberBits) } //nolint:gosec // 24 bits
func (m member) number() uint64 { return uint64(m) & (1<<memberBits - 1) }

// different are the numbers but 0 that the findings of shown groups have in a column, each once.
func (g *grouping) different(ctx context.Context, s *findingSet, col listColumn) ([]member, error) {
	var out []member
	var last member
	err := g.each(ctx, s, col, func(block int64, i int, n uint64) {
		place := g.shown[g.of[block][i]]
		if place == none || n == 0 {
			return
		}
		if m := member(uint64(place)<<memberBits | n&(1<<memberBits-1)); m != last { //nolint:gosec // not negative
			out, last = append(out, m), m
		}
	})
	slices.Sort(out)
	return slices.Compact(out), err
}

// countDifferent counts the hosts and the CVEs of the page.
func (g *grouping) countDifferent(ctx context.Context) error {
	hosts, err := g.different(ctx, g.findings, colHost)
	if err != nil {
		return err
	}
	for _, m := range hosts {
		g.page[m.place()].Hosts++
	}
	cves := &findingSet{blocks: slices.Clone(g.findings.blocks)}
	if err := g.keep(ctx, cves, condition{col: colFacets, passes: func(n uint64) bool { return facets(n).get(facetIsCVE) == 1 }, key: "cve"}); err != nil {
		return err
	}
	ids, err := g.different(ctx, cves, colWeakness)
	for _, m := range ids {
		g.page[m.place()].CVEs++
	}
	return err
}

// name says what the groups of the page have in common.
func (g *grouping) name(ctx context.Context) error {
	switch g.by {
	case finding.GroupOwner:
		for i := range g.page {
			g.page[i].Key = g.owners[g.page[i].Place]
			g.page[i].Name = g.page[i].Key
		}
		return nil
	case finding.GroupSite:
		return g.nameFrom(ctx, `SELECT id, name, '' FROM site`)
	case finding.GroupHost:
		return g.nameHosts(ctx)
	}
	places := make([]uint64, len(g.page))
	for i := range g.page {
		places[i] = g.page[i].Place
	}
	texts, err := g.words.texts(ctx, places)
	if err != nil {
		return err
	}
	for i := range g.page {
		g.page[i].Key = texts[g.page[i].Place]
		g.page[i].Name = g.page[i].Key
	}
	if g.by == finding.GroupRemedy {
		return g.nameRemedies(ctx)
	}
	return nil
}

func (g *grouping) nameHosts(ctx context.Context) error {
	for chunk := range slices.Chunk(g.page, chunkSize) {
		ids := make([]any, len(chunk))
		for i := range chunk {
			ids[i] = chunk[i].Place
		}
		if err := g.nameFrom(ctx, `SELECT h.id, h.address, coalesce((SELECT min(i.value) FROM identifier i WHERE i.host = h.id AND i.kind = 'name'), '')
			FROM host h WHERE h.id IN (`+Marks(len(ids))+`)`, ids...); err != nil {
			return err
		}
	}
	return nil
}

// nameFrom names groups by id: the first text that is there.
func (g *grouping) nameFrom(ctx context.Context, query string, args ...any) error {
	rows, err := g.tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, func() error {
		var id uint64
		var name, other string
		if err := rows.Scan(&id, &name, &other); err != nil {
			return err
		}
		at, known := g.index[id]
		if !known || g.shown[at] == none {
			return nil
		}
		if name == "" {
			name = other
		}
		group := &g.page[g.shown[at]]
		group.Key, group.Name = strconv.FormatUint(id, 10), name
		if g.by == finding.GroupSite {
			group.Key = name
		}
		return nil
	})
}

// nameRemedies gives remedies the least of their findings' names, which is the one with capitals, and the highest of
// the versions.
func (g *grouping) nameRemedies(ctx context.Context) error {
	for i := range g.page {
		g.page[i].Name = ""
	}
	better := func(col listColumn, take func(group *finding.Group, text string)) error {
		members, err := g.different(ctx, g.findings, col)
		if err != nil {
			return err
		}
		ids := make([]uint64, len(members))
		for i, m := range members {
			ids[i] = m.number()
		}
		slices.Sort(ids)
		texts, err := g.words.texts(ctx, slices.Compact(ids))
		for _, m := range members {
			take(&g.page[m.place()], texts[m.number()])
		}
		return err
	}
	if err := better(colRemedyName, func(group *finding.Group, text string) {
		if group.Name == "" || text < group.Name {
			group.Name = text
		}
	}); err != nil {
		return err
	}
	return better(colFixedIn, func(group *finding.Group, text string) {
		if group.Key == "" {
			return // nothing is known of what to do, whatever was fixed where
		}
		if c := version.Compare(text, group.FixedIn); group.FixedIn == "" || c > 0 || c == 0 && text > group.FixedIn {
			group.FixedIn = text
		}
	})
}
