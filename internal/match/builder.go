package match

import (
	"iter"
	"sort"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
)

// Builder collects the rules of many records and packs them by product. It holds them in memory (about 60 bytes a
// criterion and each distinct text once). Not safe for concurrent use.
type Builder struct {
	texts    map[string]uint32
	list     []string
	products map[cpe.Product]*[]compactLeaf
}

// compactLeaf is a leaf whose texts are numbers into Builder.list.
type compactLeaf struct {
	cve                                          cve.ID
	version, update, attrs, start, end, residual uint32
	startExcl, endExcl, derived                  bool
}

// NewBuilder returns an empty Builder.
func NewBuilder() *Builder {
	return &Builder{texts: map[string]uint32{"": 0}, list: []string{""}, products: map[cpe.Product]*[]compactLeaf{}}
}

// Add takes in the rules of r. An error names what in r could not be read (fault.Invalid); the rest of r was added.
// Rejected records have no rules.
func (b *Builder) Add(r *cve.Record) error {
	if r.Rejected() {
		return nil
	}
	return leavesOf(r, func(p cpe.Product, l leaf) {
		list := b.products[p]
		if list == nil {
			list = new([]compactLeaf)
			b.products[cloneProduct(p)] = list
		}
		*list = append(*list, compactLeaf{
			cve: l.cve, version: b.text(l.version), update: b.text(l.update), attrs: b.text(l.attrs), residual: b.text(l.residual),
			start: b.text(l.bounds.start), end: b.text(l.bounds.end), startExcl: l.bounds.startExcl, endExcl: l.bounds.endExcl,
			derived: l.derived,
		})
	})
}

// text numbers s. It is copied: s may be a piece of a feed's buffer that must not stay.
func (b *Builder) text(s string) uint32 {
	if i, ok := b.texts[s]; ok {
		return i
	}
	s = string(append([]byte(nil), s...))
	i := uint32(len(b.list))
	b.list = append(b.list, s)
	b.texts[s] = i
	return i
}

func cloneProduct(p cpe.Product) cpe.Product {
	p.Vendor, p.Product = string(append([]byte(nil), p.Vendor...)), string(append([]byte(nil), p.Product...))
	return p
}

// Packs yields every product with its pack, sorted by product. The Builder is empty afterwards.
func (b *Builder) Packs() iter.Seq2[cpe.Product, Pack] {
	return func(yield func(cpe.Product, Pack) bool) {
		b.texts = nil
		order := make([]cpe.Product, 0, len(b.products))
		for p := range b.products {
			order = append(order, p)
		}
		sort.Slice(order, func(i, j int) bool { return lessProduct(order[i], order[j]) })
		var leaves []leaf
		for _, p := range order {
			leaves = leaves[:0]
			for _, c := range *b.products[p] {
				leaves = append(leaves, b.leaf(c))
			}
			delete(b.products, p)
			if !yield(p, encodePack(leaves)) {
				return
			}
		}
	}
}

func (b *Builder) leaf(c compactLeaf) leaf {
	return leaf{
		cve: c.cve, version: b.list[c.version], update: b.list[c.update], attrs: b.list[c.attrs], residual: b.list[c.residual], derived: c.derived,
		bounds: bounds{start: b.list[c.start], end: b.list[c.end], startExcl: c.startExcl, endExcl: c.endExcl},
	}
}

func lessProduct(a, b cpe.Product) bool {
	if a.Part != b.Part {
		return a.Part < b.Part
	}
	if a.Vendor != b.Vendor {
		return a.Vendor < b.Vendor
	}
	return a.Product < b.Product
}

// Patch returns the pack of product p with the rules of the changed records in place of their old ones, and without those of gone.
// old may be nil. A pack without CVEs means that the product is to be removed.
func Patch(old []byte, p cpe.Product, changed []*cve.Record, gone []cve.ID) (Pack, error) {
	drop := make(map[cve.ID]bool, len(changed)+len(gone))
	for _, id := range gone {
		drop[id] = true
	}
	for _, r := range changed {
		drop[r.ID] = true
	}
	var leaves []leaf
	if old != nil {
		decoded, err := decodePack(p, old)
		if err != nil {
			return Pack{}, err
		}
		for _, l := range decoded.leaves() {
			if !drop[l.cve] {
				leaves = append(leaves, l)
			}
		}
	}
	for _, r := range changed {
		if r.Rejected() {
			continue
		}
		_ = leavesOf(r, func(product cpe.Product, l leaf) { // what cannot be read was reported when the record came in
			if product == p {
				leaves = append(leaves, l)
			}
		})
	}
	return encodePack(leaves), nil
}
