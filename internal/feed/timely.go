package feed

import (
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// Ahead is how far a date may lie in the future before it is an error: time zones, and clocks that are a little off.
const Ahead = 48 * time.Hour

// Timely returns a sink that rejects what is dated more than Ahead after now. Of two versions of a record the later
// counts, so one date by a clock gone wrong would keep every true one out until that day has come.
// EPSS passes: the days of its files are judged as a whole.
func Timely(file File, now time.Time, sink Sink) Sink {
	return &timely{Sink: sink, file: file.Name, limit: now.Add(Ahead)}
}

type timely struct {
	Sink
	file  string
	limit time.Time
}

const yetToCome = "a date that is yet to come"

// late says whether a record was rejected for a date.
func (t *timely) late(id, field string, at time.Time) bool {
	if !at.After(t.limit) {
		return false
	}
	t.Reject(t.file+" ("+id+") "+field, yetToCome)
	return true
}

// CVE implements Sink.
func (t *timely) CVE(r *cve.Record) error {
	if t.late(r.ID.String(), "modified", r.Modified) || t.late(r.ID.String(), "published", r.Published) {
		return nil
	}
	return t.Sink.CVE(r)
}

// KEV implements Sink.
func (t *timely) KEV(k intel.KEV) error {
	if t.late(k.CVE.String(), "dateAdded", k.Added) {
		return nil
	}
	return t.Sink.KEV(k)
}

// Exploit implements Sink.
func (t *timely) Exploit(x intel.Exploit) error {
	if t.late(x.Key, "date", x.Published) {
		return nil
	}
	return t.Sink.Exploit(x)
}

// SSVC implements Sink.
func (t *timely) SSVC(v intel.SSVC) error {
	if t.late(v.CVE.String(), "ssvc", v.At) {
		return nil
	}
	return t.Sink.SSVC(v)
}

// Technique implements Sink.
func (t *timely) Technique(v intel.Technique) error {
	if t.late(v.ID, "modified", v.Modified) {
		return nil
	}
	return t.Sink.Technique(v)
}

// Mapping implements Sink.
func (t *timely) Mapping(v intel.Mapping) error {
	if t.late(v.CVE.String(), "date", v.Date) {
		return nil
	}
	return t.Sink.Mapping(v)
}

// Indicator implements Sink.
func (t *timely) Indicator(v intel.Indicator) error {
	if t.late(v.Value, "first seen", v.FirstSeen) || t.late(v.Value, "last seen", v.LastSeen) {
		return nil
	}
	return t.Sink.Indicator(v)
}
