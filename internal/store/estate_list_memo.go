package store

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/patchscout/patchscout/internal/finding"
)

// What lists work out of a block's numbers is kept beside them: which findings pass a condition, how the block is sorted,
// which findings count for what. A block of another generation is another listBlock, so what is kept can never be out of
// date, and a change makes only the blocks anew that it is in.

// maxListMemo is how many bytes of that a process keeps.
const maxListMemo = 64 << 20

// dense is how many findings of a block are selected at least for the whole block to be worked out and kept; of fewer only
// those are looked at.
const dense = 128

// blockBits is a set of the findings of a block.
type blockBits [blockSize / 64]uint64

func (b *blockBits) has(i uint16) bool { return b[i/64]>>(i%64)&1 == 1 }

// blockMemo is what was worked out of one block. The zero value is empty.
type blockMemo struct {
	mu     sync.Mutex
	size   int64
	passed map[string]*blockBits
	orders map[finding.Sort]*blockOrder
	tally  *blockTally
	gone   bool // nobody will ask again
}

// blockOrder is how a block is sorted: places[0] stands first.
type blockOrder struct {
	places [blockSize]uint16
	high   *[]byte // of the other column that the order was made of, nil where it is one
}

// blockTally is which findings of a block count for what.
type blockTally struct {
	confirmed, kev     blockBits // KEV among the confirmed
	severity, decision [8]blockBits
}

func (m *blockMemo) answer(key string) *blockBits {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.passed[key]
}

func (m *blockMemo) order(by finding.Sort, high *[]byte) *blockOrder {
	m.mu.Lock()
	defer m.mu.Unlock()
	if o := m.orders[by]; o != nil && o.high == high {
		return o
	}
	return nil
}

// room takes bytes of the process's budget for the memo. What it holds goes first where there is no more.
func (m *blockMemo) room(used *atomic.Int64, n int64) bool {
	if used.Load()+n > maxListMemo {
		used.Add(-m.size)
		m.size, m.passed, m.orders, m.tally = 0, nil, nil, nil
	}
	if m.gone || used.Load()+n > maxListMemo {
		return false
	}
	used.Add(n)
	m.size += n
	return true
}

func (m *blockMemo) keepAnswer(used *atomic.Int64, key string, a *blockBits) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.passed[key] != nil || !m.room(used, int64(len(key))+blockSize/8+64) {
		return
	}
	if m.passed == nil {
		m.passed = map[string]*blockBits{}
	}
	m.passed[key] = a
}

func (m *blockMemo) keepOrder(used *atomic.Int64, by finding.Sort, o *blockOrder) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.orders[by] == nil && !m.room(used, 2*blockSize+64) {
		return
	}
	if m.orders == nil {
		m.orders = map[finding.Sort]*blockOrder{}
	}
	m.orders[by] = o
}

// forget gives the budget back of a block that nobody will ask again.
func (m *blockMemo) forget(used *atomic.Int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	used.Add(-m.size)
	m.size, m.passed, m.orders, m.tally, m.gone = 0, nil, nil, nil, true
}

// counts returns the tally of a block, made of its facets when it is first asked.
func (m *blockMemo) counts(used *atomic.Int64, data []byte) (*blockTally, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tally != nil {
		return m.tally, nil
	}
	t, err := newTally(data)
	if err == nil && m.room(used, 18*blockSize/8) {
		m.tally = t
	}
	return t, err
}

func newTally(data []byte) (*blockTally, error) {
	var values blockValues
	if err := values.unpack(data); err != nil {
		return nil, err
	}
	t := &blockTally{}
	affected := code(codesOfStatus, string(finding.Affected), facetStatus)
	for i, n := range values {
		f, w, bit := facets(n), i/64, uint64(1)<<(i%64)
		if n == 0 || f.get(facetStatus) != affected || f.get(facetConfidence) < finding.ConfirmedAt {
			continue
		}
		t.confirmed[w] |= bit
		t.severity[f.get(facetSeverity)][w] |= bit
		t.decision[f.get(facetDecision)][w] |= bit
		if f.get(facetKEV) == 1 {
			t.kev[w] |= bit
		}
	}
	return t, nil
}

// common is how many findings two sets have in common.
func common(a, b *blockBits) (n int) {
	for w := range a {
		n += bits.OnesCount64(a[w] & b[w])
	}
	return n
}

// packedAt reads one number of what pack wrote and unpack accepts.
func packedAt(data []byte, i int) uint64 {
	width := int(data[0])
	n := binary.LittleEndian.Uint64(data[blockHeader+i*width:]) & (^uint64(0) >> (64 - 8*width))
	return unpacked(n, binary.LittleEndian.Uint64(data[1:])-1)
}

// checkPacked says whether packedAt can read all of a block.
func checkPacked(data []byte) error {
	if len(data) < blockHeader || data[0] < 1 || data[0] > 8 || len(data) != blockHeader+blockSize*int(data[0])+8 {
		return errBlock
	}
	return nil
}

// sorter sorts the findings of a block and of several.
type sorter struct {
	by        finding.Sort
	low, high []byte // packed; nil is all zeros
}

func (s sorter) key(i int) (k finding.Key) {
	if s.low != nil {
		k[1] = packedAt(s.low, i)
	}
	if s.by.Field() == finding.BySeverity {
		k[1] = severityKey(facets(k[1]))
	}
	if s.high != nil {
		k[0] = packedAt(s.high, i)
	}
	return k
}

// asTheyStand is the order of findings that all have the same key.
var asTheyStand = func() *blockOrder {
	o := &blockOrder{}
	for i := range o.places {
		o.places[i] = uint16(i) //nolint:gosec // less than blockSize
	}
	return o
}()

func (s sorter) order() *blockOrder {
	if s.low == nil && s.high == nil {
		return asTheyStand
	}
	o := &blockOrder{places: asTheyStand.places}
	if s.high != nil || s.by.Field() == finding.ByHost {
		slices.SortFunc(o.places[:], func(a, b uint16) int { return s.by.Compare(s.key(int(a)), int64(a), s.key(int(b)), int64(b)) })
		return o
	}
	s.radix(o)
	return o
}

// radix sorts by one column: its packed numbers keep their order and are few bytes wide, so that a pass over each byte is
// far less than comparing. The least of what it sorts by stands first; what is not known is the highest in both directions.
func (s sorter) radix(o *blockOrder) {
	width := int(s.low[0])
	var keys [blockSize]uint64
	most := ^uint64(0) >> (64 - 8*width)
	for i := range keys {
		n := binary.LittleEndian.Uint64(s.low[blockHeader+i*width:]) & most
		if s.by.Field() == finding.BySeverity {
			n = s.key(i)[1]
		}
		if s.by.Descending() {
			keys[i] = most - n
		} else {
			keys[i] = (n - 1) & most
		}
	}
	var other [blockSize]uint16
	from, to := o.places[:], other[:]
	for shift := 0; shift < 8*width; shift += 8 {
		var starts [257]int
		for _, k := range keys {
			starts[k>>shift&0xff+1]++
		}
		for b := range 256 {
			starts[b+1] += starts[b]
		}
		for _, place := range from {
			b := keys[place] >> shift & 0xff
			to[starts[b]] = place
			starts[b]++
		}
		from, to = to, from
	}
	copy(o.places[:], from)
}
