package catalogue

import (
	"cmp"
	"context"
	"slices"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/match"
)

// rebuild makes the next generation from all files. counted says that what is stored came from feeds, so that the run
// is measured against it; a starter catalogue is merely what fills the gaps.
//
//	reader goroutine          intake goroutine                this goroutine
//	decode a file    batches  encode, pack rules, text  rows  write rows
func (l *loading) rebuild(ctx context.Context, counted bool) error {
	stored, err := l.Target.Digests(ctx)
	if err != nil {
		return err
	}
	b := &building{loading: l, stored: stored, counted: counted, seen: make(map[cve.ID]Digest, len(stored)), latest: map[cve.ID]int64{},
		packs: match.NewBuilder(), pending: map[cve.ID]*Row{}, ssvc: map[cve.ID]intel.SSVC{}, years: years{}}
	return l.Target.Rebuild(ctx, func(w Writer) error { return b.build(ctx, w) })
}

// building is the state of one rebuild. The intake goroutine owns it until it ends.
type building struct {
	*loading
	stored  map[cve.ID]Digest
	counted bool

	enc        Encoder
	standings  standings
	seen       map[cve.ID]Digest // what this run has brought
	latest     map[cve.ID]int64  // when each record of this run was last changed
	packs      *match.Builder
	pending    map[cve.ID]*Row // second and better appearances, applied when the packs are written
	keep       []cve.ID        // stored CVEs that stay as they are
	ssvc       map[cve.ID]intel.SSVC
	years      years
	downgraded int
}

func (b *building) build(ctx context.Context, w Writer) error {
	var err error
	if b.standings, err = loadStandings(w); err != nil {
		return err
	}
	if err := b.stream(ctx, w); err != nil {
		return err
	}
	if len(b.seen) == 0 {
		return b.nothing()
	}
	if err := b.keepRest(ctx, w); err != nil {
		return err
	}
	for p, pack := range b.packs.Packs() {
		if err := w.PutPack(p, pack); err != nil {
			return err
		}
	}
	b.packs = nil
	b.standings = standings{}
	if err := assess(ctx, w, b.ssvc, b.pending, b.Now()); err != nil {
		return err
	}
	if err := apply(ctx, w, b.Now(), b.pending, nil, b.run.Feed); err != nil {
		return err
	}
	if err := w.SetMeta(MetaOrigin, OriginFeeds); err != nil {
		return err
	}
	return b.finish(w)
}

// batchSize records travel together between goroutines, to spare channel operations.
const batchSize = 256

// batch is a piece of a file; the last one of a file says so.
type batch struct {
	records []*cve.Record
	end     *feed.File
}

// stream streams every file through the pipeline and writes its rows.
func (b *building) stream(ctx context.Context, w Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	batches := make(chan batch, 4)
	rows := make(chan []*Row, 4)
	go func() {
		defer close(batches)
		if err := b.decode(ctx, batches); err != nil {
			cancel(err)
		}
	}()
	go func() {
		defer close(rows)
		if err := b.intake(ctx, batches, rows); err != nil {
			cancel(err)
			for range batches { // the reader must not be left waiting
			}
		}
	}()
	var failed error
	for chunk := range rows { // always until closed, so that nobody is left waiting
		for _, row := range chunk {
			if failed == nil {
				failed = w.Put(row)
			}
		}
		if failed != nil {
			cancel(failed)
		}
	}
	if failed != nil {
		return failed
	}
	return context.Cause(ctx)
}

func (b *building) decode(ctx context.Context, out chan<- batch) error {
	for i := range b.files {
		s := &batchSink{ctx: ctx, out: out}
		s.listSink = listSink{loading: b.loading, ssvc: func(v intel.SSVC) { keepNewest(b.ssvc, v) }}
		if err := b.read(ctx, b.files[i:i+1], s); err != nil {
			return err
		}
		if err := s.flush(&b.files[i]); err != nil {
			return err
		}
	}
	return nil
}

// batchSink is the feed.Sink of the decoding goroutine.
type batchSink struct {
	listSink
	ctx context.Context // a feed.Sink has no context of its own
	out chan<- batch
	now []*cve.Record
}

// CVE implements feed.Sink.
func (s *batchSink) CVE(r *cve.Record) error {
	s.now = append(s.now, r)
	if len(s.now) < batchSize {
		return nil
	}
	return s.flush(nil)
}

func (s *batchSink) flush(end *feed.File) error {
	select {
	case s.out <- batch{records: s.now, end: end}:
		s.now = make([]*cve.Record, 0, batchSize)
		return nil
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// maxLate rows wait for the end of their file at most.
const maxLate = 20_000

// intake turns records into rows and sends them in ascending order of id: appending to a B-tree and to a full-text index
// is several times cheaper than inserting into the middle. NVD's files are sorted, and so are their years; what is not
// waits for the end of its file.
func (b *building) intake(ctx context.Context, in <-chan batch, out chan<- []*Row) error {
	var late []*Row
	last := cve.ID(0)
	for batch := range in {
		before, err := b.parts(ctx, batch.records, b.stored)
		if err != nil {
			return err
		}
		rows := make([]*Row, 0, len(batch.records))
		for _, r := range batch.records {
			row := b.take(r, before[r.ID])
			switch {
			case row == nil:
			case row.ID < last:
				late = append(late, row)
			default:
				last = row.ID
				rows = append(rows, row)
			}
		}
		send(ctx, out, rows)
		if batch.end != nil {
			b.years.add(b.run.Feed, *batch.end)
		}
		if batch.end != nil || len(late) >= maxLate {
			slices.SortFunc(late, func(a, b *Row) int { return cmp.Compare(a.ID, b.ID) })
			send(ctx, out, late)
			late = nil
		}
	}
	return nil
}

// send gives up with the context, of which the receiver knows.
func send(ctx context.Context, out chan<- []*Row, rows []*Row) {
	if len(rows) == 0 {
		return
	}
	select {
	case out <- rows:
	case <-ctx.Done():
	}
}

// take judges a record and returns its row when it is to be written with its file. before is what other feeds say.
func (b *building) take(r *cve.Record, before []Part) *Row {
	if _, ok := b.seen[r.ID]; ok {
		b.again(r, before)
		return nil
	}
	digest, exists := b.stored[r.ID]
	row, merged, v := b.fit(&b.enc, r, digest, before)
	if !b.counted {
		v = b.uncounted(v)
	}
	b.note(v)
	switch {
	case row == nil: // the feed says nothing new of it: as it is stored
		row, merged = b.enc.MergedRow(before)
	case v == outranked:
		b.seen[r.ID] = digest
		b.keep = append(b.keep, r.ID)
		return nil
	}
	if b.counted && exists && downgraded(digest, row.Digest()) {
		b.downgraded++
	}
	b.seen[r.ID] = row.Digest()
	b.latest[r.ID] = unix(r.Modified)
	row.Standing = Stand(merged, b.standings.facts(r.ID), b.Now())
	b.pack(merged)
	return row
}

// uncounted: what a starter catalogue brought is no feed's word. Its record stays only when it says the same.
func (b *building) uncounted(v verdict) verdict {
	if b.run.Feed == feedNVD {
		return fresh
	}
	return v
}

// again judges a record that this run has already brought.
func (b *building) again(r *cve.Record, before []Part) {
	digest := b.seen[r.ID]
	if unix(r.Modified) < b.latest[r.ID] {
		b.note(outranked)
		return
	}
	b.latest[r.ID] = unix(r.Modified)
	if row := b.pending[r.ID]; row != nil {
		before, _ = DecodeParts(r.ID, row.Record) // encoded a moment ago
	}
	row, _, v := b.fit(&b.enc, r, digest, before)
	b.note(v)
	if v == newer || v == fresh {
		b.seen[row.ID] = row.Digest()
		b.pending[row.ID] = row
	}
}

func (b *building) pack(r *cve.Record) {
	if err := b.packs.Add(r); err != nil {
		b.Log.Debug("criterion not usable", "cve", r.ID.String(), "error", err)
	}
}

// keepRest carries over what is stored and was not brought: records newer than the files', those of years that no file
// covers, and what other feeds say of those that are gone. It refuses to go on when too many are gone.
func (b *building) keepRest(ctx context.Context, w Writer) error {
	gone := map[cve.ID]bool{}
	for id, d := range b.stored {
		if _, ok := b.seen[id]; ok {
			continue
		}
		if d.NVD && b.years[id.Year()] {
			gone[id] = true
			if !d.Others {
				continue
			}
		}
		b.keep = append(b.keep, id)
	}
	if b.counted {
		if err := b.held(b.own(b.stored), len(gone), b.downgraded); err != nil {
			return err
		}
	}
	slices.Sort(b.keep)
	return b.Target.Records(ctx, b.keep, func(id cve.ID, stored []byte) error {
		parts, err := DecodeParts(id, stored)
		if err != nil {
			return err
		}
		if gone[id] {
			parts = without(parts, b.run.Feed)
		}
		row, merged := b.enc.MergedRow(parts)
		row.Standing = Stand(merged, b.standings.facts(id), b.Now())
		b.pack(merged)
		return w.Put(row)
	})
}
