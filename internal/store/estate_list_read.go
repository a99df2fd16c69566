package store

import (
	"context"
	"math/bits"
	"slices"

	"github.com/patchscout/patchscout/internal/finding"
)

// findingSet is a set of findings, a bit for each id.
type findingSet struct{ blocks []selectedBlock }

type selectedBlock struct {
	bits [blockSize / 64]uint64
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

// keep leaves those of the block whose value passes.
func (b *selectedBlock) keep(values *blockValues, passes func(uint64) bool) {
	for w, word := range b.bits {
		if word == 0 {
			continue
		}
		kept := word
		for ; word != 0; word &= word - 1 {
			i := bits.TrailingZeros64(word)
			if !passes(values[w*64+i]) {
				kept &^= 1 << i
			}
		}
		b.bits[w] = kept
	}
	b.count()
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
		for w := range s.blocks[i].bits {
			s.blocks[i].bits[w] &= other[i].bits[w]
		}
		s.blocks[i].count()
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
	there, err := l.directory(ctx, col)
	if err != nil {
		return err
	}
	values := &blockValues{}
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
		if err := values.unpack(data); err != nil {
			return err
		}
		fn(block, values)
	}
	return l.read(ctx, col, unread, there, values, fn)
}

// read is scan for blocks that are in the database only.
func (l *lists) read(ctx context.Context, col listColumn, blocks []int64, there map[int64]*listBlock, values *blockValues,
	fn func(block int64, values *blockValues)) error {
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
			if err := values.unpack(data); err != nil {
				return err
			}
			l.cache.fill(there[block], data)
			fn(block, values)
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
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
func (l *lists) keep(ctx context.Context, s *findingSet, col listColumn, in within, passes func(uint64) bool) error {
	alive := s.alive()
	seen := make(map[int64]bool, len(alive))
	err := l.scan(ctx, col, alive, in, func(block int64, values *blockValues) {
		seen[block] = true
		s.blocks[block].keep(values, passes)
	})
	if err != nil || passes(0) {
		return err
	}
	for _, block := range alive {
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
	high := map[int64]*blockValues{}
	col, alive := sortColumn(by.Field()), s.alive()
	if by.Field() == finding.ByHost {
		if err := l.scan(ctx, colAddressHigh, alive, within{}, func(block int64, values *blockValues) {
			kept := *values
			high[block] = &kept
		}); err != nil {
			return nil, err
		}
	}
	seen := make(map[int64]bool, len(alive))
	visit := func(block int64, values *blockValues) {
		seen[block] = true
		upper := high[block]
		s.blocks[block].each(func(i int) {
			p := place{finding.Key{1: values[i]}, block*blockSize + int64(i)}
			if by.Field() == finding.BySeverity {
				p.key[1] = severityKey(facets(values[i]))
			}
			if upper != nil {
				p.key[0] = upper[i]
			}
			t.add(p)
		})
	}
	if err := l.scan(ctx, col, alive, within{}, visit); err != nil {
		return nil, err
	}
	for _, block := range alive {
		if !seen[block] {
			visit(block, &blockValues{})
		}
	}
	return t.ids(), nil
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

func (t *top) cut() {
	slices.SortFunc(t.places, t.less)
	if t.n > 0 && len(t.places) >= t.n {
		t.places = t.places[:t.n]
		t.limit, t.full = t.places[t.n-1], true
	}
}

func (t *top) ids() []int64 {
	t.cut()
	out := make([]int64, len(t.places))
	for i, p := range t.places {
		out[i] = p.id
	}
	return out
}
