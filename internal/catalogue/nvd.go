package catalogue

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/match"
)

// nvd chooses between building anew, which is cheaper a record, and changing in place, which is cheaper for a few.
func (l *loading) nvd(ctx context.Context) error {
	origin, err := l.Target.Meta(ctx, MetaOrigin)
	if err != nil {
		return err
	}
	if origin != OriginFeeds || l.mostlyChanged() {
		return l.rebuild(ctx, origin == OriginFeeds)
	}
	return l.change(ctx)
}

// mostlyChanged: half of the bytes of the whole feed are new, and the whole feed is here to build from.
func (l *loading) mostlyChanged() bool {
	var all, fresh int64
	for _, f := range l.files {
		all += f.Size
		if !f.Unchanged && !f.Partial {
			fresh += f.Size
		}
	}
	return 2*fresh > all
}

// judge decides what becomes of an incoming record of which this much is known.
type verdict uint8

const (
	fresh     verdict = iota // not known
	newer                    // differs and is as new or newer
	same                     // nothing differs
	outranked                // what is known was modified later
)

func judge(known Digest, ok bool, row *Row) verdict {
	switch {
	case !ok:
		return fresh
	case known.Hash == row.Hash:
		return same
	case row.Modified < known.Modified:
		return outranked
	default:
		return newer
	}
}

func (l *loading) note(v verdict) { l.count(v != fresh, v == newer) }

// downgraded: the record lost what made it useful.
func downgraded(from, to Digest) bool {
	return from.Scored && !to.Scored || from.Configured && !to.Configured || to.Rejected && !from.Rejected
}

// yearFile names the files that hold all CVEs of their year.
var yearFile = regexp.MustCompile(`^nvdcve-[0-9.]+-([0-9]{4})\.json$`)

// firstYear is the year whose file also holds everything before it.
const firstYear = 2002

// covered returns the years whose CVEs are all in the file: one that is stored but not in it is gone. A file of
// another name only adds.
func covered(f feed.File) (from, to int, ok bool) {
	m := yearFile.FindStringSubmatch(f.Name)
	if m == nil || f.Partial {
		return 0, 0, false
	}
	year, _ := strconv.Atoi(m[1])
	if year == firstYear {
		return 0, year, true
	}
	return year, year, true
}

// years is a set of them.
type years map[int]bool

func (y years) add(f feed.File) {
	if from, to, ok := covered(f); ok {
		for year := max(from, 1999); year <= to; year++ {
			y[year] = true
		}
	}
}

// change reads the changed files and applies what differs, in one transaction.
func (l *loading) change(ctx context.Context) error {
	known, err := l.Target.Digests(ctx)
	if err != nil {
		return err
	}
	had := len(known)
	in := newIntake(l, known)
	for _, f := range changed(l.files) {
		in.years.add(f)
		if err := l.read(ctx, []feed.File{f}, in); err != nil {
			return err
		}
	}
	if len(in.seen) == 0 {
		return l.nothing()
	}
	gone := in.gone(known)
	if err := l.held(had, len(gone), in.downgraded); err != nil {
		return err
	}
	return l.Target.Change(ctx, func(w Writer) error {
		if err := apply(ctx, w, in.pending, gone); err != nil {
			return err
		}
		return l.finish(w)
	})
}

// intake is the sink that keeps the rows that differ from what is known.
type intake struct {
	listSink
	enc        Encoder
	known      map[cve.ID]Digest
	seen       map[cve.ID]struct{}
	years      years
	pending    map[cve.ID]*Row
	downgraded int
}

func newIntake(l *loading, known map[cve.ID]Digest) *intake {
	return &intake{listSink: listSink{loading: l}, known: known, seen: map[cve.ID]struct{}{}, years: years{},
		pending: map[cve.ID]*Row{}}
}

// CVE implements feed.Sink.
func (in *intake) CVE(r *cve.Record) error {
	row := in.enc.NewRow(r)
	in.seen[r.ID] = struct{}{}
	known, ok := in.known[r.ID]
	v := judge(known, ok, row)
	in.note(v)
	if v != fresh && v != newer {
		return nil
	}
	if v == newer && downgraded(known, row.Digest()) {
		in.downgraded++
	}
	in.known[r.ID] = row.Digest()
	in.pending[r.ID] = row
	return nil
}

// gone lists what the files cover and do not hold.
func (in *intake) gone(stored map[cve.ID]Digest) []cve.ID {
	var ids []cve.ID
	for id := range stored {
		if _, ok := in.seen[id]; !ok && in.years[id.Year()] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// apply writes rows, deletes what is gone, and patches the packs of the products that either names.
func apply(ctx context.Context, w Writer, rows map[cve.ID]*Row, gone []cve.ID) error {
	touched := map[cpe.Product]*touch{}
	ids := make([]cve.ID, 0, len(rows))
	for id := range rows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := replaceRow(w, rows[id], touched); err != nil {
			return err
		}
	}
	for _, id := range gone {
		if err := removeRow(w, id, touched); err != nil {
			return err
		}
	}
	return patch(ctx, w, rows, touched)
}

// touch is what happens to the pack of one product.
type touch struct{ changed, gone []cve.ID }

func touchOf(touched map[cpe.Product]*touch, p cpe.Product) *touch {
	t := touched[p]
	if t == nil {
		t = &touch{}
		touched[p] = t
	}
	return t
}

func replaceRow(w Writer, row *Row, touched map[cpe.Product]*touch) error {
	now, err := Decode(row.ID, row.Record)
	if err != nil {
		return err
	}
	if err := forget(w, row.ID, touched); err != nil {
		return err
	}
	for _, p := range match.ProductsOf(now) {
		t := touchOf(touched, p)
		t.changed = append(t.changed, row.ID)
		if n := len(t.gone); n > 0 && t.gone[n-1] == row.ID { // forgotten a moment ago, and still here
			t.gone = t.gone[:n-1]
		}
	}
	return w.Put(row)
}

func removeRow(w Writer, id cve.ID, touched map[cpe.Product]*touch) error {
	if err := forget(w, id, touched); err != nil {
		return err
	}
	return w.Delete(id)
}

// forget marks a stored record as gone from the products it names.
func forget(w Writer, id cve.ID, touched map[cpe.Product]*touch) error {
	stored, err := w.Record(id)
	if err != nil || stored == nil {
		return err
	}
	old, err := Decode(id, stored)
	if err != nil {
		return err
	}
	for _, p := range match.ProductsOf(old) {
		t := touchOf(touched, p)
		t.gone = append(t.gone, id)
	}
	return nil
}

func patch(ctx context.Context, w Writer, rows map[cve.ID]*Row, touched map[cpe.Product]*touch) error {
	products := make([]cpe.Product, 0, len(touched))
	for p := range touched {
		products = append(products, p)
	}
	slices.SortFunc(products, compareProducts)
	for _, p := range products {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := patchOne(w, p, rows, touched[p]); err != nil {
			return err
		}
	}
	return nil
}

func patchOne(w Writer, p cpe.Product, rows map[cve.ID]*Row, t *touch) error {
	old, err := w.Pack(p)
	if err != nil {
		return err
	}
	records := make([]*cve.Record, 0, len(t.changed))
	for _, id := range t.changed {
		r, err := Decode(id, rows[id].Record)
		if err != nil {
			return err
		}
		records = append(records, r)
	}
	pack, err := match.Patch(old, p, records, t.gone)
	if err != nil {
		return err
	}
	return w.PutPack(p, pack)
}

// compareProducts is the order of the packs' primary key.
func compareProducts(a, b cpe.Product) int {
	return cmp.Or(cmp.Compare(a.Product, b.Product), cmp.Compare(a.Vendor, b.Vendor), cmp.Compare(a.Part, b.Part))
}
