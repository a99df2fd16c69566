package catalogue

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
)

// KEV and the exploits of each source are lists: a file holds the whole of it, and what it no longer holds is gone.

func (l *loading) kev(ctx context.Context) error {
	rows := map[cve.ID]intel.KEV{}
	err := l.read(ctx, l.files, listSink{loading: l, kev: func(k intel.KEV) {
		k.Added, k.Due = second(k.Added), second(k.Due)
		rows[k.CVE] = k
	}})
	if err != nil {
		return err
	}
	return replace(ctx, l, rows, Writer.KEV)
}

// exploits loads those of one source and leaves the others' alone.
func (l *loading) exploits(ctx context.Context) error {
	rows := map[ExploitKey]intel.Exploit{}
	var foreign error
	err := l.read(ctx, l.files, listSink{loading: l, exploit: func(x intel.Exploit) {
		foreign = cmp.Or(foreign, l.foreign(x.Source))
		x.Published = second(x.Published)
		rows[ExploitKey{x.CVE, x.Source, x.Key}] = x
	}})
	if err := cmp.Or(err, foreign); err != nil {
		return err
	}
	return replace(ctx, l, rows, func(w Writer) Table[ExploitKey, intel.Exploit] { return ownExploits{w.Exploits(), l.run.Feed} })
}

// ownExploits is the exploits of one source.
type ownExploits struct {
	Table[ExploitKey, intel.Exploit]
	source string
}

func (t ownExploits) All() (map[ExploitKey]intel.Exploit, error) {
	all, err := t.Table.All()
	maps.DeleteFunc(all, func(k ExploitKey, _ intel.Exploit) bool { return k.Source != t.source })
	return all, err
}

func changed(files []feed.File) []feed.File {
	var out []feed.File
	for _, f := range files {
		if !f.Unchanged {
			out = append(out, f)
		}
	}
	return out
}

// second is a time as the catalogue stores it, so that stored and incoming values compare equal.
func second(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.Unix(t.Unix(), 0).UTC()
}

// read streams files into a sink, without what is dated in the future. Only a reader that ends well counts: an error
// leaves everything as it was.
func (l *loading) read(ctx context.Context, files []feed.File, sink feed.Sink) error {
	for _, f := range files {
		if err := feed.ReadFile(ctx, l.reader, f, feed.Timely(f, l.Now(), sink)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// replace makes a table hold exactly rows, writing what differs, in one transaction with the run.
func replace[K, V comparable](ctx context.Context, l *loading, rows map[K]V, table func(Writer) Table[K, V]) error {
	if len(rows) == 0 {
		return l.nothing()
	}
	return l.commit(ctx, len(rows), func(w Writer) error { return swapAll(l, table(w), rows, equal) })
}

// commit runs fn in one transaction with the run. distinct is how many of the accepted records are left when what was
// sent twice is counted once.
func (l *loading) commit(ctx context.Context, distinct int, fn func(Writer) error) error {
	return l.Target.Change(ctx, func(w Writer) error {
		l.run.Inserted, l.run.Updated, l.run.Unchanged = 0, 0, l.accepted-distinct
		if err := fn(w); err != nil {
			return err
		}
		if err := restand(ctx, w, l.touched, l.Now()); err != nil {
			return err
		}
		return l.finish(w)
	})
}

// swapAll makes a table hold exactly rows.
func swapAll[K comparable, V any](l *loading, t Table[K, V], rows map[K]V, same func(a, b V) bool) error {
	stored, err := t.All()
	if err != nil {
		return err
	}
	return swap(l, t, stored, rows, same)
}

func swap[K comparable, V any](l *loading, t Table[K, V], stored, rows map[K]V, same func(a, b V) bool) error {
	var gone []K
	for k := range stored {
		if _, ok := rows[k]; !ok {
			gone = append(gone, k)
		}
	}
	if l.loadedBefore {
		if err := l.held(len(stored), len(gone), 0); err != nil {
			return err
		}
	}
	for _, k := range gone {
		l.touch(k)
		if err := t.Delete(k); err != nil {
			return err
		}
	}
	for k, v := range rows {
		old, known := stored[k]
		differs := !known || !same(old, v)
		l.count(known, differs)
		if !differs {
			continue
		}
		l.touch(k)
		if err := t.Put(v); err != nil {
			return err
		}
	}
	return nil
}

// listSink takes the records of one list. A reader has no business with another feed's records.
type listSink struct {
	*loading
	kev       func(intel.KEV)
	epss      func(intel.EPSS)
	exploit   func(intel.Exploit)
	ssvc      func(intel.SSVC)
	technique func(intel.Technique)
	tactic    func(intel.Tactic)
	mapping   func(intel.Mapping)
	weakness  func(intel.Weakness)
	indicator func(intel.Indicator)
}

func (s listSink) Reject(place, reason string) { s.tally.Reject(place, reason) }
func (s listSink) CVE(*cve.Record) error       { return s.stranger("a CVE") }
func (s listSink) KEV(k intel.KEV) error       { return take(s, "a KEV entry", s.kev, k) }
func (s listSink) EPSS(e intel.EPSS) error     { return take(s, "an EPSS score", s.epss, e) }
func (s listSink) Exploit(x intel.Exploit) error {
	return take(s, "an exploit", s.exploit, x)
}

func (s listSink) SSVC(v intel.SSVC) error           { return take(s, "an SSVC assessment", s.ssvc, v) }
func (s listSink) Technique(v intel.Technique) error { return take(s, "a technique", s.technique, v) }
func (s listSink) Tactic(v intel.Tactic) error       { return take(s, "a tactic", s.tactic, v) }
func (s listSink) Mapping(v intel.Mapping) error     { return take(s, "a mapping", s.mapping, v) }
func (s listSink) Weakness(v intel.Weakness) error   { return take(s, "a weakness", s.weakness, v) }
func (s listSink) Indicator(v intel.Indicator) error { return take(s, "an indicator", s.indicator, v) }

func take[V any](s listSink, what string, into func(V), v V) error {
	if into == nil {
		return s.stranger(what)
	}
	s.accepted++
	into(v)
	return nil
}

func (l *loading) stranger(what string) error {
	return fmt.Errorf("reader of feed %s sent %s", l.run.Feed, what)
}
