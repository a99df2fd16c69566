package graph

import "math/bits"

// rows is many short lists in one array: row i is data[start[i]:start[i+1]].
type rows struct{ start, data []int32 }

func (r rows) of(i int32) []int32 { return r.data[r.start[i]:r.start[i+1]] }

func (r rows) len() int { return len(r.start) - 1 }

// group makes n rows: value i goes to the rows that of(i) names. Rows are in ascending order.
func group(n, values int, of func(i int32) []int32) rows {
	r := rows{start: make([]int32, n+1)}
	for i := range int32(values) {
		for _, row := range of(i) {
			r.start[row+1]++
		}
	}
	for i := range n {
		r.start[i+1] += r.start[i]
	}
	r.data = make([]int32, r.start[n])
	next := make([]int32, n)
	copy(next, r.start)
	for i := range int32(values) {
		for _, row := range of(i) {
			r.data[next[row]] = i
			next[row]++
		}
	}
	return r
}

// patched returns n rows: those of changed are replaced, the others stay. What lies between changes is copied in one go.
func (r rows) patched(n int, changed map[int32][]int32) rows {
	size := len(r.data)
	for row, list := range changed {
		size += len(list)
		if int(row) < r.len() {
			size -= len(r.of(row))
		}
	}
	p := rows{start: make([]int32, 1, n+1), data: make([]int32, 0, size)}
	from := int32(0) // of the data not yet copied
	for i := range int32(n) {
		list, other := changed[i]
		switch known := int(i) < r.len(); {
		case other:
			if known {
				p.data = append(p.data, r.data[from:r.start[i]]...)
				from = r.start[i+1]
			} else {
				p.data = append(p.data, r.data[from:]...)
				from = int32(len(r.data))
			}
			p.data = append(p.data, list...)
			p.start = append(p.start, int32(len(p.data)))
		case known:
			p.start = append(p.start, int32(len(p.data))+r.start[i+1]-from)
		default:
			p.start = append(p.start, int32(len(p.data)+len(r.data))-from)
		}
	}
	p.data = append(p.data, r.data[from:]...)
	return p
}

// bitset is a set of small numbers.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) has(i int32) bool { return b[i>>6]>>(uint(i)&63)&1 != 0 }

func (b bitset) add(i int32) { b[i>>6] |= 1 << (uint(i) & 63) }

func (b bitset) drop(i int32) { b[i>>6] &^= 1 << (uint(i) & 63) }

func (b bitset) count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}
