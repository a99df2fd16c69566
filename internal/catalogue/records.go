package catalogue

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/match"
)

// records chooses between building anew, which is cheaper a record, and changing in place, which is cheaper for a few.
func (l *loading) records(ctx context.Context) error {
	origin, err := l.Target.Meta(ctx, MetaOrigin)
	if err != nil {
		return err
	}
	if l.anew(origin) {
		return l.rebuild(ctx, origin == OriginFeeds)
	}
	return l.amend(ctx)
}

// largeChange is how many new bytes, as stored, are better built anew whatever the feed.
const largeChange = 64 << 20

func (l *loading) anew(origin string) bool {
	if l.run.Feed == feedNVD {
		return origin != OriginFeeds || l.mostlyChanged()
	}
	var fresh int64
	for _, f := range changed(l.files) {
		fresh += f.Size
	}
	return fresh > largeChange
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
	fresh     verdict = iota // its feed has not spoken of it
	newer                    // differs and is as new or newer
	unchanged                // nothing differs
	outranked                // what is known was modified later
)

// known is what a feed said of a CVE before.
type known struct {
	ok             bool
	modified, hash int64
}

func (k known) judge(modified, hash int64) verdict {
	switch {
	case !k.ok:
		return fresh
	case k.hash == hash:
		return unchanged
	case modified < k.modified:
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

func (y years) add(name string, f feed.File) {
	if name != feedNVD {
		return
	}
	if from, to, ok := covered(f); ok {
		for year := max(from, 1999); year <= to; year++ {
			y[year] = true
		}
	}
}

// own counts the stored CVEs that the feed has spoken of. Digests know it of NVD; for others all count.
func (l *loading) own(stored map[cve.ID]Digest) (n int) {
	for _, d := range stored {
		if d.NVD || l.run.Feed != feedNVD {
			n++
		}
	}
	return n
}

// amend reads the changed files and applies what differs, in one transaction.
func (l *loading) amend(ctx context.Context) error {
	stored, err := l.Target.Digests(ctx)
	if err != nil {
		return err
	}
	had := l.own(stored)
	in := newIntake(ctx, l, stored)
	for _, f := range changed(l.files) {
		in.years.add(l.run.Feed, f)
		if err := l.read(ctx, []feed.File{f}, in); err != nil {
			return err
		}
		if err := in.flush(); err != nil {
			return err
		}
	}
	if len(in.seen) == 0 {
		return l.nothing()
	}
	gone := in.gone(stored)
	if err := l.held(had, len(gone), in.downgraded); err != nil {
		return err
	}
	origin, err := l.Target.Meta(ctx, MetaOrigin)
	if err != nil {
		return err
	}
	return l.Target.Change(ctx, func(w Writer) error {
		if origin == "" { // records, though not NVD's
			if err := w.SetMeta(MetaOrigin, OriginFeeds); err != nil {
				return err
			}
		}
		if err := in.assess(w); err != nil {
			return err
		}
		if err := apply(ctx, w, l.Now(), in.pending, gone, l.run.Feed); err != nil {
			return err
		}
		return l.finish(w)
	})
}

// intake is the sink that keeps the rows that differ from what is known.
type intake struct {
	listSink
	ctx        context.Context // a feed.Sink has none of its own
	enc        Encoder
	stored     map[cve.ID]Digest
	seen       map[cve.ID]struct{}
	years      years
	waiting    []*cve.Record // judged together, so that stored parts are read in pieces
	pending    map[cve.ID]*Row
	ssvc       map[cve.ID]intel.SSVC
	downgraded int
}

func newIntake(ctx context.Context, l *loading, stored map[cve.ID]Digest) *intake {
	in := &intake{ctx: ctx, stored: stored, seen: map[cve.ID]struct{}{}, years: years{}, pending: map[cve.ID]*Row{},
		ssvc: map[cve.ID]intel.SSVC{}}
	in.listSink = listSink{loading: l, ssvc: func(v intel.SSVC) { keepNewest(in.ssvc, v) }}
	return in
}

// keepNewest: of two assessments of one CVE the later counts.
func keepNewest(into map[cve.ID]intel.SSVC, v intel.SSVC) {
	v.At = second(v.At)
	if old, ok := into[v.CVE]; !ok || !v.At.Before(old.At) {
		into[v.CVE] = v
	}
}

// CVE implements feed.Sink.
func (in *intake) CVE(r *cve.Record) error {
	in.waiting = append(in.waiting, r)
	if len(in.waiting) < batchSize {
		return nil
	}
	return in.flush()
}

func (in *intake) flush() error {
	parts, err := in.parts(in.ctx, in.waiting, in.stored)
	if err != nil {
		return err
	}
	for _, r := range in.waiting {
		before := parts[r.ID]
		if row := in.pending[r.ID]; row != nil { // this run has changed it already
			if before, err = DecodeParts(r.ID, row.Record); err != nil {
				return err
			}
		}
		in.take(r, before)
	}
	in.waiting = in.waiting[:0]
	return nil
}

func (in *intake) take(r *cve.Record, parts []Part) {
	digest, exists := in.stored[r.ID]
	row, _, v := in.fit(&in.enc, r, digest, parts)
	in.seen[r.ID] = struct{}{}
	in.note(v)
	if v != fresh && v != newer {
		return
	}
	if exists && downgraded(digest, row.Digest()) {
		in.downgraded++
	}
	in.stored[r.ID] = row.Digest()
	in.pending[r.ID] = row
}

// parts reads what is stored of the CVEs that are about to be merged with other parts, or compared with them.
func (l *loading) parts(ctx context.Context, records []*cve.Record, stored map[cve.ID]Digest) (map[cve.ID][]Part, error) {
	var ids []cve.ID
	for _, r := range records {
		if d, ok := stored[r.ID]; ok && (d.Others || l.run.Feed != feedNVD) {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	out := make(map[cve.ID][]Part, len(ids))
	err := l.Target.Records(ctx, ids, func(id cve.ID, stored []byte) error {
		parts, err := DecodeParts(id, stored)
		out[id] = parts
		return err
	})
	return out, err
}

// fit judges an incoming record and merges it with what others say. before is what is stored, where anything else than
// NVD's own part is. The row is nil when the record changes nothing.
func (l *loading) fit(enc *Encoder, r *cve.Record, digest Digest, before []Part) (row *Row, merged *cve.Record, v verdict) {
	if l.run.Feed == feedNVD && !digest.Others {
		row = enc.NewRow(r)
		v = known{digest.NVD, digest.Modified, digest.Hash}.judge(row.NVDModified, row.NVDHash)
		return row, r, v
	}
	part := Part{Feed: l.run.Feed, Record: r}
	was := known{}
	if old := saidBy(before, l.run.Feed); old != nil {
		was = known{true, unix(old.Modified), int64(enc.Digest(Part{Feed: l.run.Feed, Record: old}))}
	}
	v = was.judge(unix(r.Modified), int64(enc.Digest(part)))
	if v == unchanged || v == outranked {
		return nil, nil, v
	}
	row, merged = enc.MergedRow(with(before, part))
	return row, merged, v
}

// gone lists what the files cover and do not hold.
func (in *intake) gone(stored map[cve.ID]Digest) []cve.ID {
	var ids []cve.ID
	for id, d := range stored {
		if _, ok := in.seen[id]; !ok && d.NVD && in.years[id.Year()] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// assess stores the SSVC assessments that came with the records.
func (in *intake) assess(w Writer) error {
	return assess(in.ctx, w, in.ssvc, in.pending, in.Now())
}

// assess stores assessments that are newer than what is known, and lets the CVEs stand anew that are not among rows,
// which are about to be written anyway.
func assess(ctx context.Context, w Writer, ssvc map[cve.ID]intel.SSVC, rows map[cve.ID]*Row, now time.Time) error {
	if len(ssvc) == 0 {
		return nil
	}
	t := w.SSVC()
	stored, err := t.All()
	if err != nil {
		return err
	}
	var moved []cve.ID
	for id, v := range ssvc {
		if old, ok := stored[id]; ok && (old == v || v.At.Before(old.At)) {
			continue
		}
		if err := t.Put(v); err != nil {
			return err
		}
		if rows[id] == nil {
			moved = append(moved, id)
		}
	}
	return restand(ctx, w, moved, now)
}

// apply writes rows, removes what the feed no longer holds, and patches the packs of the products that either names.
func apply(ctx context.Context, w Writer, now time.Time, rows map[cve.ID]*Row, gone []cve.ID, feed string) error {
	touched := map[cpe.Product]*touch{}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(rows)), batchSize) {
		if err := ctx.Err(); err != nil {
			return err
		}
		facts, err := w.Facts(chunk)
		if err != nil {
			return err
		}
		for _, id := range chunk {
			if err := replaceRow(w, rows[id], facts[id], now, touched); err != nil {
				return err
			}
		}
	}
	for _, id := range gone {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := removePart(w, id, feed, now, rows, touched); err != nil {
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

func replaceRow(w Writer, row *Row, facts intel.Facts, now time.Time, touched map[cpe.Product]*touch) error {
	merged, err := Decode(row.ID, row.Record)
	if err != nil {
		return err
	}
	row.Standing = Stand(merged, facts, now)
	if err := forget(w, row.ID, touched); err != nil {
		return err
	}
	for _, p := range match.ProductsOf(merged) {
		t := touchOf(touched, p)
		t.changed = append(t.changed, row.ID)
		if n := len(t.gone); n > 0 && t.gone[n-1] == row.ID { // forgotten a moment ago, and still here
			t.gone = t.gone[:n-1]
		}
	}
	return w.Put(row)
}

// removePart takes away what one feed said of a CVE; what others say stays.
func removePart(w Writer, id cve.ID, feed string, now time.Time, rows map[cve.ID]*Row, touched map[cpe.Product]*touch) error {
	stored, err := w.Record(id)
	if err != nil || stored == nil {
		return err
	}
	parts, err := DecodeParts(id, stored)
	if err != nil {
		return err
	}
	if rest := without(parts, feed); len(rest) > 0 {
		facts, err := w.Facts([]cve.ID{id})
		if err != nil {
			return err
		}
		var enc Encoder
		row, _ := enc.MergedRow(rest)
		rows[id] = row
		return replaceRow(w, row, facts[id], now, touched)
	}
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
