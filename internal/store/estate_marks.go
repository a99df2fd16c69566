package store

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// FindingMarks says where a list of findings may be entered: cursor i is the one after which row i*every stands, the first is
// the zero Cursor. Limit, skip and cursor of the filter do not matter. What was found is kept until somebody writes.
func (e *Estate) FindingMarks(ctx context.Context, v auth.View, filter finding.Filter, every int) (total int, marks []finding.Cursor, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		l, err := e.currentLists(ctx, tx)
		if err != nil {
			return err
		}
		s, counts, err := e.chosen(ctx, l, v, filter)
		if err != nil {
			return err
		}
		total = counts.Total
		by := finding.Sort{By: filter.Sort.Field(), Reverse: filter.Sort.Reverse}
		places, err := e.marks(ctx, l, s, chosenSort{v, filter, by, every})
		marks = make([]finding.Cursor, 0, len(places)+1)
		if total > 0 {
			marks = append(marks, finding.Cursor{})
		}
		for _, p := range places {
			marks = append(marks, finding.Cursor{Sort: by, Key: p.key, ID: p.id})
		}
		return err
	})
	return total, marks, err
}

// chosenSort is what marks are asked of.
type chosenSort struct {
	view   auth.View
	filter finding.Filter
	by     finding.Sort
	every  int
}

// maxMarks is how many marks a process keeps, of 24 bytes each.
const maxMarks = 200_000

func (e *Estate) marks(ctx context.Context, l *lists, s *findingSet, c chosenSort) ([]place, error) {
	key, err := chosenKey(c.view, c.filter, e.db.opts.Now())
	if err != nil {
		return nil, err
	}
	key = fmt.Sprintf("%s %s %d", key, c.by, c.every)
	if len(l.held) == 0 {
		if known, ok := e.lists.marks.find(l.generation, key); ok {
			return known, nil
		}
	}
	order, err := l.ordered(ctx, s, c.by)
	if err != nil {
		return nil, err
	}
	var out []place
	for at := c.every; at < len(order); at += c.every {
		p := place{id: order[at-1].id}
		if p.key, err = l.keyOf(ctx, c.by, p.id); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	if len(l.held) == 0 {
		e.lists.marks.keep(l.generation, key, out, len(out)+10, maxMarks)
	}
	return out, nil
}

// ranked is a finding with a part of what it is sorted by, so written that the least stands first.
type ranked struct {
	key uint64
	id  int64
}

// ordered sorts a whole selection. All its keys are numbers, so a few passes over them do it, where merging sorted blocks
// compares each finding with a dozen others.
func (l *lists) ordered(ctx context.Context, s *findingSet, by finding.Sort) ([]ranked, error) {
	n := 0
	for _, block := range s.alive() {
		n += s.blocks[block].n
	}
	known, unknown := make([]ranked, 0, n), []ranked(nil)
	if by.Field() == finding.ByHost {
		return l.orderedByHost(ctx, s, by, known)
	}
	severity := by.Field() == finding.BySeverity
	err := l.eachKey(ctx, s, sortColumn(by.Field()), func(id int64, key uint64) {
		if severity {
			key = severityKey(facets(key))
		}
		if key == 0 {
			unknown = append(unknown, ranked{0, id})
			return
		}
		known = append(known, ranked{turned(key, by), id})
	})
	return append(radixSorted(known), unknown...), err
}

// orderedByHost sorts by the lower half of addresses, then by the upper; equal ones keep their order.
func (l *lists) orderedByHost(ctx context.Context, s *findingSet, by finding.Sort, known []ranked) ([]ranked, error) {
	upper := map[int64]uint64{}
	if err := l.eachKey(ctx, s, colAddressHigh, func(id int64, key uint64) {
		if key != 0 {
			upper[id] = key
		}
	}); err != nil {
		return nil, err
	}
	var unknown []ranked
	err := l.eachKey(ctx, s, colAddressLow, func(id int64, key uint64) {
		if key == 0 && upper[id] == 0 {
			unknown = append(unknown, ranked{0, id})
			return
		}
		known = append(known, ranked{turned(key, by), id})
	})
	known = radixSorted(known)
	if len(upper) > 0 {
		for i := range known {
			known[i].key = turned(upper[known[i].id], by)
		}
		known = radixSorted(known)
	}
	return append(known, unknown...), err
}

func turned(key uint64, by finding.Sort) uint64 {
	if by.Descending() {
		return ^key
	}
	return key
}

// eachKey calls fn for every selected finding with its number in a column, by id.
func (l *lists) eachKey(ctx context.Context, s *findingSet, col listColumn, fn func(id int64, key uint64)) error {
	alive := s.alive()
	data := make(map[int64][]byte, len(alive))
	if err := l.packed(ctx, col, alive, within{}, func(block int64, packed []byte) error {
		data[block] = packed
		return nil
	}); err != nil {
		return err
	}
	values := &blockValues{}
	for _, block := range alive {
		*values = blockValues{}
		if packed := data[block]; packed != nil {
			if err := values.unpack(packed); err != nil {
				return err
			}
		}
		s.blocks[block].each(func(i int) { fn(block*blockSize+int64(i), values[i]) })
	}
	return nil
}

// digit is how many bits a pass of radixSorted looks at.
const digit = 11

// radixSorted sorts by key; equal ones keep their order. What it is given is used up.
func radixSorted(rows []ranked) []ranked {
	if len(rows) < 2 {
		return rows
	}
	var differ uint64
	for _, r := range rows {
		differ |= r.key ^ rows[0].key
	}
	to := make([]ranked, len(rows))
	for shift := 0; shift < bits.Len64(differ); shift += digit {
		if differ>>shift&(1<<digit-1) == 0 {
			continue
		}
		var starts [1<<digit + 1]int
		for _, r := range rows {
			starts[r.key>>shift&(1<<digit-1)+1]++
		}
		for i := range 1 << digit {
			starts[i+1] += starts[i]
		}
		for _, r := range rows {
			d := r.key >> shift & (1<<digit - 1)
			to[starts[d]] = r
			starts[d]++
		}
		rows, to = to, rows
	}
	return rows
}

// keyOf is what a finding stands by in a list.
func (l *lists) keyOf(ctx context.Context, by finding.Sort, id int64) (k finding.Key, err error) {
	block := id / blockSize
	number := func(col listColumn) (n uint64) {
		if err == nil {
			err = l.packed(ctx, col, []int64{block}, within{}, func(_ int64, data []byte) error {
				n = packedAt(data, int(id%blockSize))
				return nil
			})
		}
		return n
	}
	k[1] = number(sortColumn(by.Field()))
	switch by.Field() {
	case finding.BySeverity:
		k[1] = severityKey(facets(k[1]))
	case finding.ByHost:
		k[0] = number(colAddressHigh)
	}
	return k, err
}
