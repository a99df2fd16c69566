package store

import (
	"context"
	"math/bits"
	"slices"
	"sort"

	"github.com/patchscout/patchscout/internal/finding"
)

// findingSet is a set of findings, a bit for each id.
type findingSet struct{ blocks []selectedBlock }

type selectedBlock struct {
	bits blockBits
	n    int // of bits that are set
}

func (b *selectedBlock) count() {
	b.n = 0
	for _, w := range b.bits {
		b.n += bits.OnesCount64(w)
	}
}

// each calls fn with the place of every selected finding within the block.
func (b *selectedBlock) each(fn func(i int)) {
	for w, word := range b.bits {
		for ; word != 0; word &= word - 1 {
			fn(w*64 + bits.TrailingZeros64(word))
		}
	}
}

// keep leaves those of the block whose number passes; the numbers are read one by one.
func (b *selectedBlock) keep(data []byte, passes func(uint64) bool) {
	b.each(func(i int) {
		if !passes(packedAt(data, i)) {
			b.bits[i/64] &^= 1 << (i % 64)
			b.n--
		}
	})
}

// and leaves those that are in the set too.
func (b *selectedBlock) and(set *blockBits) {
	for w := range b.bits {
		b.bits[w] &= set[w]
	}
	b.count()
}

// passing are the findings of a block whose number passes.
func passing(values *blockValues, passes func(uint64) bool) *blockBits {
	set := &blockBits{}
	for w := range set {
		word := uint64(0)
		for i, n := range values[w*64 : w*64+64] {
			if passes(n) {
				word |= 1 << i
			}
		}
		set[w] = word
	}
	return set
}

// everything is all ids that there may be.
func (l *lists) everything(ctx context.Context) (*findingSet, error) {
	there, err := l.directory(ctx, colFacets)
	if err != nil {
		return nil, err
	}
	n := int64(0)
	for block := range there {
		n = max(n, block+1)
	}
	for block := range l.held[colFacets] {
		n = max(n, block+1)
	}
	s := &findingSet{blocks: make([]selectedBlock, n)}
	for i := range s.blocks {
		for w := range s.blocks[i].bits {
			s.blocks[i].bits[w] = ^uint64(0)
		}
		s.blocks[i].n = blockSize
	}
	return s, nil
}

// only leaves those that are among the ids.
func (s *findingSet) only(ids []int64) {
	among := make([]selectedBlock, len(s.blocks))
	for _, id := range ids {
		if block := id / blockSize; id > 0 && block < int64(len(among)) {
			among[block].bits[id%blockSize/64] |= 1 << (id % 64)
		}
	}
	s.and(among)
}

func (s *findingSet) and(other []selectedBlock) {
	for i := range s.blocks {
		s.blocks[i].and(&other[i].bits)
	}
}

// alive lists the blocks in which something is selected.
func (s *findingSet) alive() (blocks []int64) {
	for i := range s.blocks {
		if s.blocks[i].n > 0 {
			blocks = append(blocks, int64(i))
		}
	}
	return blocks
}

// within are the bounds of a column's numbers that are asked for; the zero value is all.
type within struct{ lo, hi uint64 }

// scan calls fn for the blocks that are asked for, unless they hold zeros only or nothing within the bounds. values are
// fn's until it returns.
func (l *lists) scan(ctx context.Context, col listColumn, blocks []int64, in within, fn func(block int64, values *blockValues)) error {
	values := &blockValues{}
	return l.packed(ctx, col, blocks, in, func(block int64, data []byte) error {
		err := values.unpack(data)
		if err == nil {
			fn(block, values)
		}
		return err
	})
}

// packed is scan for who reads the numbers as they are kept, which checkPacked has seen. The data must not be changed.
func (l *lists) packed(ctx context.Context, col listColumn, blocks []int64, in within, fn func(block int64, data []byte) error) error {
	there, err := l.directory(ctx, col)
	if err != nil {
		return err
	}
	var unread []int64
	for _, block := range blocks {
		data, replaced := l.held[col][block]
		if b := there[block]; !replaced && b != nil {
			if in != (within{}) && (b.hi < int64(in.lo) || b.lo > int64(in.hi)) { //nolint:gosec // bounds are only asked for of small numbers
				continue
			}
			if kept := b.data.Load(); kept != nil {
				data = *kept
			} else {
				unread = append(unread, block)
			}
		}
		if data == nil {
			continue
		}
		if err := fn(block, data); err != nil {
			return err
		}
	}
	return l.read(ctx, col, unread, there, fn)
}

// read is packed for blocks that are in the database only.
func (l *lists) read(ctx context.Context, col listColumn, blocks []int64, there map[int64]*listBlock, fn func(block int64, data []byte) error) error {
	for _, part := range ranges(blocks) {
		query, args := `SELECT block, data FROM list_column WHERE col = ?`, []any{int(col)}
		if len(part.only) > 0 {
			query += ` AND block IN (` + Marks(len(part.only)) + `)`
			args = append(args, part.only...)
		} else {
			query += ` AND block >= ? AND block <= ?`
			args = append(args, part.first, part.last)
		}
		rows, err := l.tx.Query(ctx, query, args...) //nolint:sqlclosecheck // eachRow closes them
		if err != nil {
			return err
		}
		if err := eachRow(rows, func() error {
			var block int64
			var data []byte
			if err := rows.Scan(&block, &data); err != nil {
				return err
			}
			if _, asked := slices.BinarySearch(blocks, block); !asked {
				return nil
			}
			if err := checkPacked(data); err != nil {
				return err
			}
			l.cache.fill(there[block], data)
			return fn(block, data)
		}); err != nil {
			return err
		}
	}
	return nil
}

// memo is the block of a column with what was worked out of it; nil where the transaction has numbers of its own for it,
// or none.
func (l *lists) memo(there map[int64]*listBlock, col listColumn, block int64) *listBlock {
	if _, replaced := l.held[col][block]; replaced {
		return nil
	}
	return there[block]
}

// blockRange is a part of a column that one statement reads: from first to last, or only some blocks.
type blockRange struct {
	first, last int64
	only        []any
}

// ranges parts sorted blocks into statements: one for all where most of what lies between is asked for.
func ranges(blocks []int64) (parts []blockRange) {
	if len(blocks) == 0 {
		return nil
	}
	first, last := blocks[0], blocks[len(blocks)-1]
	if int64(len(blocks))*2 > last-first {
		return []blockRange{{first: first, last: last}}
	}
	for chunk := range slices.Chunk(blocks, chunkSize) {
		parts = append(parts, blockRange{only: anys(chunk)})
	}
	return parts
}

// keep leaves the findings whose value in a column passes; in bounds what can.
func (l *lists) keep(ctx context.Context, s *findingSet, c condition) error {
	there, err := l.directory(ctx, c.col)
	if err != nil {
		return err
	}
	var rest []int64
	for _, block := range s.alive() {
		if b := l.memo(there, c.col, block); b != nil && c.key != "" {
			if set := b.memo.answer(c.key); set != nil {
				s.blocks[block].and(set)
				continue
			}
		}
		rest = append(rest, block)
	}
	seen := make(map[int64]bool, len(rest))
	values := &blockValues{}
	err = l.packed(ctx, c.col, rest, c.in, func(block int64, data []byte) error {
		seen[block] = true
		if s.blocks[block].n < dense {
			s.blocks[block].keep(data, c.passes)
			return nil
		}
		if err := values.unpack(data); err != nil {
			return err
		}
		set := passing(values, c.passes)
		s.blocks[block].and(set)
		if b := l.memo(there, c.col, block); b != nil && c.key != "" {
			b.memo.keepAnswer(&l.cache.memo, c.key, set)
		}
		return nil
	})
	if err != nil || c.passes(0) {
		return err
	}
	for _, block := range rest {
		if !seen[block] {
			s.blocks[block] = selectedBlock{}
		}
	}
	return nil
}

// place is where a finding stands in a list.
type place struct {
	key finding.Key
	id  int64
}

// first returns the ids of the first findings of a selection after the cursor, in order; n 0 is all.
func (l *lists) first(ctx context.Context, s *findingSet, by finding.Sort, after finding.Cursor, n int) ([]int64, error) {
	t := &top{sort: by, n: n, after: after}
	alive := s.alive()
	col := sortColumn(by.Field())
	there, err := l.directory(ctx, col)
	if err != nil {
		return nil, err
	}
	high := map[int64]*[]byte{}
	if by.Field() == finding.ByHost {
		if err := l.packed(ctx, colAddressHigh, alive, within{}, func(block int64, data []byte) error {
			high[block] = l.asKept(block, data)
			return nil
		}); err != nil {
			return nil, err
		}
	}
	seen := make(map[int64]bool, len(alive))
	visit := func(block int64, data []byte) error {
		seen[block] = true
		in := sorter{by: by, low: data}
		if upper := high[block]; upper != nil {
			in.high = *upper
		}
		if s.blocks[block].n < dense || n == 0 {
			s.blocks[block].each(func(i int) { t.add(place{in.key(i), block*blockSize + int64(i)}) })
			return nil
		}
		t.addLine(&line{in: in, order: l.orderOf(l.memo(there, col, block), in, high[block]), block: block, selected: &s.blocks[block].bits})
		return nil
	}
	if err := l.packed(ctx, col, alive, within{}, visit); err != nil {
		return nil, err
	}
	for _, block := range alive {
		if !seen[block] {
			if err := visit(block, nil); err != nil {
				return nil, err
			}
		}
	}
	return t.ids(), nil
}

// asKept is where the numbers of a block's upper halves of addresses are kept, by which an order knows that it was made of
// them; numbers that are not kept are at a place of their own.
func (l *lists) asKept(block int64, data []byte) *[]byte {
	if b := l.memo(l.known[colAddressHigh], colAddressHigh, block); b != nil {
		if kept := b.data.Load(); kept != nil {
			return kept
		}
	}
	return &data
}

// orderOf is how a block is sorted.
func (l *lists) orderOf(b *listBlock, in sorter, high *[]byte) *blockOrder {
	if b == nil {
		return in.order()
	}
	if o := b.memo.order(in.by, high); o != nil {
		return o
	}
	o := in.order()
	o.high = high
	b.memo.keepOrder(&l.cache.memo, in.by, o)
	return o
}

func sortColumn(by finding.SortField) listColumn {
	switch by {
	case finding.BySeverity:
		return colFacets
	case finding.ByCVSS:
		return colCVSS
	case finding.ByEPSS:
		return colEPSS
	case finding.ByLikelihood:
		return colLikelihood
	case finding.ByScore:
		return colScore
	case finding.ByDue:
		return colDue
	case finding.BySLA:
		return colSLA
	case finding.ByFirstSeen:
		return colFirstSeen
	case finding.ByLastSeen:
		return colLastSeen
	case finding.ByHost:
		return colAddressLow
	case finding.ByRisk:
		return colRisk
	default:
		return colRank
	}
}

func severityKey(f facets) uint64 {
	return finding.SeverityKey(wordOf(codesOfSeverity, f.get(facetSeverity)))
}

// top keeps the first n places.
type top struct {
	sort   finding.Sort
	n      int
	after  finding.Cursor
	places []place
	full   bool  // limit is the last of n places
	limit  place // nothing after it is among the first
	lines  []*line
}

// line is a block whose order is known, of which the first are wanted.
type line struct {
	in       sorter
	order    *blockOrder
	block    int64
	selected *blockBits
	k        int   // of the place in the order that stands at the head
	head     place // the next one that is selected
}

func (l *line) at(k int) place {
	i := int(l.order.places[k])
	return place{l.in.key(i), l.block*blockSize + int64(i)}
}

// seek moves the head to the first selected one from k on; false says that there is none.
func (l *line) seek(k int) bool {
	for ; k < blockSize; k++ {
		if l.selected.has(l.order.places[k]) {
			l.k, l.head = k, l.at(k)
			return true
		}
	}
	return false
}

func (t *top) less(a, b place) int { return t.sort.Compare(a.key, a.id, b.key, b.id) }

func (t *top) add(p place) {
	if t.full && t.less(p, t.limit) > 0 || t.after != (finding.Cursor{}) && t.less(p, place{t.after.Key, t.after.ID}) <= 0 {
		return
	}
	t.places = append(t.places, p)
	if t.n > 0 && len(t.places) >= 4*t.n+1000 {
		t.cut()
	}
}

// addLine takes what stands in a line behind the cursor.
func (t *top) addLine(l *line) {
	k := 0
	if t.after != (finding.Cursor{}) {
		after := place{t.after.Key, t.after.ID}
		k = sort.Search(blockSize, func(k int) bool { return t.less(l.at(k), after) > 0 })
	}
	if l.seek(k) {
		t.lines = append(t.lines, l)
	}
}

// merge takes the first of all lines together, which are far fewer than the first of each: the lines are a heap by their
// heads.
func (t *top) merge() {
	for i := len(t.lines)/2 - 1; i >= 0; i-- {
		t.sink(i)
	}
	for left := t.n; left > 0 && len(t.lines) > 0; left-- {
		first := t.lines[0]
		t.places = append(t.places, first.head)
		if !first.seek(first.k + 1) {
			last := len(t.lines) - 1
			t.lines[0], t.lines = t.lines[last], t.lines[:last]
		}
		t.sink(0)
	}
}

// sink puts a line that may stand too high in the heap where it belongs.
func (t *top) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(t.lines); child++ {
			if t.less(t.lines[child].head, t.lines[least].head) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		t.lines[i], t.lines[least] = t.lines[least], t.lines[i]
		i = least
	}
}

func (t *top) cut() {
	slices.SortFunc(t.places, t.less)
	if t.n > 0 && len(t.places) >= t.n {
		t.places = t.places[:t.n]
		t.limit, t.full = t.places[t.n-1], true
	}
}

func (t *top) ids() []int64 {
	t.merge()
	t.cut()
	out := make([]int64, len(t.places))
	for i, p := range t.places {
		out[i] = p.id
	}
	return out
}
