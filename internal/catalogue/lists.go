package catalogue

import (
	"context"
	"fmt"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
)

// KEV, EPSS and Exploit-DB are lists: a file holds the whole of it, and what it no longer holds is gone.

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

func (l *loading) exploits(ctx context.Context) error {
	rows := map[ExploitKey]intel.Exploit{}
	err := l.read(ctx, l.files, listSink{loading: l, exploit: func(x intel.Exploit) {
		x.Published = second(x.Published)
		rows[ExploitKey{x.CVE, x.Source, x.Key}] = x
	}})
	if err != nil {
		return err
	}
	return replace(ctx, l, rows, Writer.Exploits)
}

// epss keeps the newest day only. Files of days that were read before are not read again, and a day older than the
// stored one changes nothing.
func (l *loading) epss(ctx context.Context) error {
	rows, newest := map[cve.ID]intel.EPSS{}, time.Time{}
	err := l.read(ctx, changed(l.files), listSink{loading: l, epss: func(e intel.EPSS) {
		e.Date = second(e.Date)
		if e.Date.After(newest) {
			newest = e.Date
			clear(rows)
		}
		if e.Date.Equal(newest) {
			rows[e.CVE] = e
		}
	}})
	if err != nil {
		return err
	}
	return replace(ctx, l, rows, func(w Writer) Table[cve.ID, intel.EPSS] { return dated{w.EPSS(), newest} })
}

// dated is the EPSS table for rows of one day.
type dated struct {
	Table[cve.ID, intel.EPSS]
	day time.Time
}

// stale: what is stored is of a later day. All stored rows are of one day, so the first answers.
func (t dated) stale(stored map[cve.ID]intel.EPSS) bool {
	for _, e := range stored {
		return e.Date.After(t.day)
	}
	return false
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

// read streams files into a sink. Only a reader that ends well counts: an error leaves everything as it was.
func (l *loading) read(ctx context.Context, files []feed.File, sink feed.Sink) error {
	for _, f := range files {
		if err := feed.ReadFile(ctx, l.reader, f, sink); err != nil {
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
	repeated := l.accepted - len(rows)
	return l.Target.Change(ctx, func(w Writer) error {
		t := table(w)
		stored, err := t.All()
		if err != nil {
			return err
		}
		l.run.Inserted, l.run.Updated, l.run.Unchanged = 0, 0, repeated
		if o, ok := any(t).(interface{ stale(map[K]V) bool }); ok && o.stale(stored) {
			l.run.Unchanged = l.accepted
			return l.finish(w)
		}
		if err := swap(l, t, stored, rows); err != nil {
			return err
		}
		return l.finish(w)
	})
}

func swap[K, V comparable](l *loading, t Table[K, V], stored, rows map[K]V) error {
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
		if err := t.Delete(k); err != nil {
			return err
		}
	}
	for k, v := range rows {
		old, known := stored[k]
		l.count(known, old != v)
		if known && old == v {
			continue
		}
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
