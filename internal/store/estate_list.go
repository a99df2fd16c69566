package store

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// Lists of findings are answered from columns: every fact that a list filters, sorts or groups by is a number, and the
// numbers of one fact are kept together, a block of ids a row. A filter reads the columns that it names and nothing else,
// whatever their combination, which no set of indexes offers: with a million findings a column is one to eight megabytes.
//
//	column      block 0 (ids 0..4095)   block 1   …
//	facets      [ 4096 numbers ]        [ … ]
//	cvss        [ 4096 numbers ]        (no row: all are 0)
//
// The columns are derived: triggers put every finding whose facts may have changed into list_stale, whoever wrote them,
// and Estate.Update brings those up to date before it commits (estate_list_fold.go).

// listColumn is a fact. The numbers are stored: never reuse one.
type listColumn int

// The columns. 0 is none everywhere.
const (
	colFacets listColumn = iota + 1 // see facets
	colHost                         // id
	colSite                         // id
	colPort
	colUntil // the last day on which a triage sets the finding aside, and one: days since 1970
	colWeakness
	colTitle
	colComponent
	colService
	colProduct
	colRemedy
	colRemedyName
	colFixedIn
	colAssignee
	colLabels  // one word for each set of labels
	colSensors // one word for each set of sensors
	colRank
	colCVSS
	colEPSS
	colLikelihood
	colScore
	colDue
	colSLA
	colFirstSeen
	colLastSeen
	colAddressHigh
	colAddressLow
	colClosed   // when it ended; none for what is open, and for what never was
	colLapsed   // when it ended before it came back last
	colReturned // when it came back last
	colRisk     // what fixing it takes off the risk: the one that is no fact of the finding, see estate_paths_risk.go
	lastColumn  = colRisk
)

// searched are the columns whose words are searched, not only looked up. Their order is that of the bits in uses.
var searched = [...]listColumn{colWeakness, colTitle, colComponent, colService, colProduct, colLabels, colSensors}

// useOf is a column's bit in the uses of a word, 0 for one that is not searched.
func useOf(col listColumn) byte {
	for i, c := range searched {
		if c == col {
			return 1 << i
		}
	}
	return 0
}

// columnOf is the column of a use.
func columnOf(use byte) listColumn { return searched[bits.TrailingZeros8(use)] }

// blockSize is how many ids a block has.
const blockSize = 4096

// listRow is what the columns hold of one finding.
type listRow [lastColumn + 1]uint64

// blockValues are the numbers of one block.
type blockValues [blockSize]uint64

// blockHeader: one byte for the width of a number, eight for the least number.
const blockHeader = 9

// pack writes the numbers of a block as narrow as they allow: 0 stays 0, others become their distance from the least,
// plus one. Eight bytes follow, so that the last number can be read like the others. It returns nil when all are 0.
func (v *blockValues) pack() (lo, hi uint64, data []byte) {
	for _, n := range v {
		if n != 0 && (lo == 0 || n < lo) {
			lo = n
		}
		hi = max(hi, n)
	}
	if hi == 0 {
		return 0, 0, nil
	}
	width := (bits.Len64(hi-lo+1) + 7) / 8 // lo is at least 1: no overflow
	data = make([]byte, blockHeader+blockSize*width+8)
	data[0] = byte(width)
	binary.LittleEndian.PutUint64(data[1:], lo)
	at := blockHeader
	for _, n := range v {
		if n != 0 {
			n = n - lo + 1
		}
		for i := range width {
			data[at+i] = byte(n >> (8 * i))
		}
		at += width
	}
	return lo, hi, data
}

var errBlock = errors.New("a block of a list is damaged")

// unpack reads what pack wrote.
func (v *blockValues) unpack(data []byte) error {
	if len(data) < blockHeader || data[0] < 1 || data[0] > 8 || len(data) != blockHeader+blockSize*int(data[0])+8 {
		return errBlock
	}
	width, less := int(data[0]), binary.LittleEndian.Uint64(data[1:])-1
	body := data[blockHeader:]
	switch width {
	case 1:
		for i, n := range body[:blockSize] {
			v[i] = unpacked(uint64(n), less)
		}
	case 2:
		for i := range v {
			v[i] = unpacked(uint64(binary.LittleEndian.Uint16(body[2*i:])), less)
		}
	case 4:
		for i := range v {
			v[i] = unpacked(uint64(binary.LittleEndian.Uint32(body[4*i:])), less)
		}
	default:
		mask := ^uint64(0) >> (64 - 8*width)
		for i := range v {
			v[i] = unpacked(binary.LittleEndian.Uint64(body[i*width:])&mask, less)
		}
	}
	return nil
}

// unpacked adds less to all but 0. It has no branch: which numbers are 0 cannot be foretold.
func unpacked(n, less uint64) uint64 { return n + less&-((n|-n)>>63) }

// facets packs the small facts of a finding into one number, from the lowest bits: 1 bit that says that there is such a
// finding, then the fields below.
type facets uint64

// facet is one field of facets.
type facet struct{ shift, width uint }

var (
	facetState      = facet{1, 3}
	facetTriage     = facet{4, 3}
	facetDated      = facet{7, 1} // set aside until a day
	facetSeverity   = facet{8, 3}
	facetDecision   = facet{11, 3}
	facetStatus     = facet{14, 3}
	facetKind       = facet{17, 2}
	facetProtocol   = facet{19, 3}
	facetKEV        = facet{22, 1}
	facetExploited  = facet{23, 1}
	facetIsCVE      = facet{24, 1}
	facetConfidence = facet{25, 8}
	facetLapseFixed = facet{33, 1} // the ending before the last return counted as fixed
	facetLapses     = facet{34, 1} // it came back more than once
)

func (f facets) get(field facet) uint64 { return uint64(f) >> field.shift & (1<<field.width - 1) }

func (f *facets) set(field facet, n uint64) {
	*f |= facets(min(n, 1<<field.width-1) << field.shift)
}

// What the fields' numbers mean; what is not listed is the highest number that the field holds. The lists are stored:
// only add to their ends.
var (
	codesOfState    = []string{"", "open", "fixed", "reopened", "closed"}
	codesOfTriage   = []string{"none", "confirmed", "false_positive", "accepted", "out_of_scope"}
	codesOfSeverity = []string{"", "unknown", "info", "low", "medium", "high", "critical"}
	codesOfDecision = []string{"", "track", "plan", "attend", "act"}
	codesOfStatus   = []string{"", "affected", "conditional", "uncertain", "unaffected"}
	codesOfKind     = []string{"", "vulnerability", "compliance"}
	codesOfProtocol = []string{"", "tcp", "udp", "sctp", "icmp", "ip"}
)

// code is the number of a word, other when the list does not have it.
func code(list []string, word string, field facet) uint64 {
	for i, known := range list {
		if known == word {
			return uint64(i) //nolint:gosec // small
		}
	}
	return 1<<field.width - 1
}

// codes is the set of the numbers of words; words that no finding can have are in none.
func codes[T ~string](list []string, words []T) (set uint64) {
	for _, word := range words {
		for i, known := range list {
			if known == string(word) {
				set |= 1 << i
			}
		}
	}
	return set
}

// wordOf is the word of a number, "" for one that is not listed.
func wordOf(list []string, n uint64) string {
	if n < uint64(len(list)) {
		return list[n]
	}
	return ""
}
