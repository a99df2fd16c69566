package catalogue

import (
	"cmp"
	"context"
	"slices"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
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
	b := &building{loading: l, stored: stored, counted: counted, seen: make(map[cve.ID]Digest, len(stored)),
		packs: match.NewBuilder(), pending: map[cve.ID]*Row{}, years: years{}}
	return l.Target.Rebuild(ctx, func(w Writer) error { return b.build(ctx, w) })
}

// building is the state of one rebuild. The intake goroutine owns it until it ends.
type building struct {
	*loading
	stored  map[cve.ID]Digest
	counted bool

	enc        Encoder
	seen       map[cve.ID]Digest // what this run has brought
	packs      *match.Builder
	pending    map[cve.ID]*Row // second and better appearances, applied when the packs are written
	keep       []cve.ID        // stored records that are newer than what came
	years      years
	downgraded int
}

func (b *building) build(ctx context.Context, w Writer) error {
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
	if err := apply(ctx, w, b.pending, nil); err != nil {
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
		b.intake(ctx, batches, rows)
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
		s := &batchSink{listSink: listSink{loading: b.loading}, ctx: ctx, out: out}
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

// intake turns records into rows and sends them in ascending order of id: appending to a B-tree and to a full-text index
// is several times cheaper than inserting into the middle. NVD's files are sorted, and so are their years; what is not
// waits for the end of its file.
func (b *building) intake(ctx context.Context, in <-chan batch, out chan<- []*Row) {
	var late []*Row
	last := cve.ID(0)
	for batch := range in {
		rows := make([]*Row, 0, len(batch.records))
		for _, r := range batch.records {
			row := b.take(r)
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
			b.years.add(*batch.end)
			slices.SortFunc(late, func(a, b *Row) int { return cmp.Compare(a.ID, b.ID) })
			send(ctx, out, late)
			late = nil
		}
	}
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

// take judges a record and returns its row when it is to be written with its file.
func (b *building) take(r *cve.Record) *Row {
	row := b.enc.NewRow(r)
	if known, ok := b.seen[r.ID]; ok {
		b.again(known, row)
		return nil
	}
	known, ok := b.stored[r.ID]
	v := judge(known, ok, row)
	if b.counted {
		b.note(v)
		if v == newer && downgraded(known, row.Digest()) {
			b.downgraded++
		}
	} else {
		b.run.Inserted++
	}
	if v == outranked && b.counted {
		b.seen[r.ID] = known
		b.keep = append(b.keep, r.ID)
		return nil
	}
	b.seen[r.ID] = row.Digest()
	b.pack(r)
	return row
}

// again judges a record that this run has already brought.
func (b *building) again(known Digest, row *Row) {
	v := judge(known, true, row)
	b.note(v)
	if v == newer {
		b.seen[row.ID] = row.Digest()
		b.pending[row.ID] = row
	}
}

func (b *building) pack(r *cve.Record) {
	if err := b.packs.Add(r); err != nil {
		b.Log.Debug("criterion not usable", "cve", r.ID.String(), "error", err)
	}
}

// keepRest carries over what is stored and was not brought: records newer than the files', and those of years that no
// file covers. It refuses to go on when too many are gone.
func (b *building) keepRest(ctx context.Context, w Writer) error {
	gone := 0
	for id := range b.stored {
		if _, ok := b.seen[id]; ok {
			continue
		}
		if b.years[id.Year()] {
			gone++
			continue
		}
		b.keep = append(b.keep, id)
	}
	if b.counted {
		if err := b.held(len(b.stored), gone, b.downgraded); err != nil {
			return err
		}
	}
	slices.Sort(b.keep)
	return b.Target.Records(ctx, b.keep, func(id cve.ID, stored []byte) error {
		r, err := Decode(id, stored)
		if err != nil {
			return err
		}
		b.pack(r)
		return w.Put(b.enc.NewRow(r))
	})
}
