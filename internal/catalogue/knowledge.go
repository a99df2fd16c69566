package catalogue

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// KnowledgeWriter is the part of a Writer for what is known beside the records: how CVEs are used, by whom, and what
// gives it away.
type KnowledgeWriter interface {
	// SSVC's Put leaves a stored assessment alone that is newer; of two of the same time a fixed rule decides, so that
	// the order in which they arrive does not matter.
	SSVC() Table[cve.ID, intel.SSVC]
	EPSSHistory() EPSSHistory
	// A table with an owner holds that owner's rows only and takes no others.
	Techniques(domain string) Table[string, intel.Technique]
	Tactics(domain string) Table[string, intel.Tactic]
	Mappings(source string) Table[MappingKey, intel.Mapping]
	Weaknesses(part WeaknessPart) Table[string, intel.Weakness]
	Indicators(source string) Table[IndicatorKey, intel.Indicator]
}

// MappingKey identifies a mapping of one source.
type MappingKey struct {
	CVE             cve.ID
	Technique, Kind string
}

// IndicatorKey identifies an indicator of one source.
type IndicatorKey struct {
	Kind, Value string
	Port        int
}

// WeaknessPart says which of two lists speaks of a weakness. They are kept apart, so that either can be replaced
// without the other, and read as one.
type WeaknessPart string

// The parts: CWE's own entry, and the attack patterns and techniques that CAPEC links to it.
const (
	PartCWE   WeaknessPart = "cwe"
	PartCAPEC WeaknessPart = "capec"
)

// quietFeeds may hold nothing at all and be well: Feodo Tracker lists what is online today, which may be no server.
var quietFeeds = []string{"feodo"}

const (
	// maxValue bytes of an indicator are stored. PostgreSQL's index entries end at 2,700.
	maxValue = 2048
	// forgetAfter is how long an indicator outlives its expiry.
	forgetAfter = 180 * 24 * time.Hour
)

// attack loads ATT&CK. Each file is a domain; what is known of a domain that no file covers stays.
func (l *loading) attack(ctx context.Context) error {
	techniques, tactics := map[string]map[string]intel.Technique{}, map[string]map[string]intel.Tactic{}
	err := l.read(ctx, l.files, listSink{loading: l,
		technique: func(t intel.Technique) {
			t.Modified = second(t.Modified)
			within(techniques, t.Domain)[t.ID] = t
		},
		tactic: func(t intel.Tactic) { within(tactics, t.Domain)[t.ID] = t },
	})
	if err != nil {
		return err
	}
	if len(techniques) == 0 {
		return l.nothing()
	}
	return l.commit(ctx, total(techniques)+total(tactics), func(w Writer) error {
		for domain, rows := range techniques {
			if err := swapAll(l, w.Techniques(domain), rows, deepEqual); err != nil {
				return err
			}
			if err := swapAll(l, w.Tactics(domain), tactics[domain], equal); err != nil {
				return err
			}
		}
		return nil
	})
}

func within[V any](lists map[string]map[string]V, owner string) map[string]V {
	if lists[owner] == nil {
		lists[owner] = map[string]V{}
	}
	return lists[owner]
}

func total[V any](lists map[string]map[string]V) (n int) {
	for _, rows := range lists {
		n += len(rows)
	}
	return n
}

// mappings loads the mappings of one source: all its files together are the list.
func (l *loading) mappings(ctx context.Context) error {
	rows := map[MappingKey]intel.Mapping{}
	var foreign error
	err := l.read(ctx, l.files, listSink{loading: l, mapping: func(m intel.Mapping) {
		foreign = cmp.Or(foreign, l.foreign(m.Source))
		m.Date = second(m.Date)
		key := MappingKey{m.CVE, m.Technique, m.Kind}
		if old, known := rows[key]; known && later(old, m) {
			return
		}
		rows[key] = m
	}})
	if err := cmp.Or(err, foreign); err != nil {
		return err
	}
	return replace(ctx, l, rows, func(w Writer) Table[MappingKey, intel.Mapping] { return w.Mappings(l.run.Feed) })
}

// later says which of two statements of the same stands, whatever their order.
func later(a, b intel.Mapping) bool {
	return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(a.Comment, b.Comment)) > 0
}

// foreign refuses what a reader says is of another source: one feed must not remove or forge another's.
func (l *loading) foreign(source string) error {
	if source == l.run.Feed {
		return nil
	}
	return fmt.Errorf("reader of feed %s sent a record of %.40q", l.run.Feed, source)
}

// weaknesses loads CWE's list and CAPEC's. The file of one may come without the other's.
func (l *loading) weaknesses(ctx context.Context) error {
	parts := map[WeaknessPart]map[string]intel.Weakness{PartCWE: {}, PartCAPEC: {}}
	err := l.read(ctx, l.files, listSink{loading: l, weakness: func(v intel.Weakness) {
		part := parts[weaknessPart(v)]
		part[v.ID] = part[v.ID].Merge(v)
	}})
	if err != nil {
		return err
	}
	n := len(parts[PartCWE]) + len(parts[PartCAPEC])
	if n == 0 {
		return l.nothing()
	}
	return l.commit(ctx, n, func(w Writer) error {
		for part, rows := range parts {
			if len(rows) == 0 {
				continue
			}
			if err := swapAll(l, w.Weaknesses(part), rows, deepEqual); err != nil {
				return err
			}
		}
		return nil
	})
}

func weaknessPart(w intel.Weakness) WeaknessPart {
	if w.Name == "" && w.Description == "" && w.Abstraction == "" && w.Status == "" {
		return PartCAPEC
	}
	return PartCWE
}

// indicators adds what one source has seen lately. Its files are windows: what they no longer show is not gone, it ages.
func (l *loading) indicators(ctx context.Context) error {
	rows := map[IndicatorKey]intel.Indicator{}
	var foreign error
	err := l.read(ctx, l.files, listSink{loading: l, indicator: func(v intel.Indicator) {
		foreign = cmp.Or(foreign, l.foreign(v.Source))
		if len(v.Value) == 0 || len(v.Value) > maxValue {
			l.accepted--
			l.Reject(fmt.Sprintf("%s %.60q", v.Kind, v.Value), "value empty or over 2,048 bytes")
			return
		}
		v.FirstSeen, v.LastSeen, v.Expires = second(v.FirstSeen), second(v.LastSeen), second(v.Expires)
		key := IndicatorKey{v.Kind, v.Value, v.Port}
		if old, known := rows[key]; known {
			v = sighted(old, v)
		}
		rows[key] = v
	}})
	if err := cmp.Or(err, foreign); err != nil {
		return err
	}
	if len(rows) == 0 && (l.tally.Count() > 0 || !slices.Contains(quietFeeds, l.run.Feed)) {
		return l.nothing()
	}
	return l.commit(ctx, len(rows), func(w Writer) error { return l.sight(w.Indicators(l.run.Feed), rows) })
}

// Reject counts a record that the reader accepted and the catalogue has no place for.
func (l *loading) Reject(place, reason string) { l.tally.Reject(place, reason) }

// sight writes what is new in rows and forgets what is long expired.
func (l *loading) sight(t Table[IndicatorKey, intel.Indicator], rows map[IndicatorKey]intel.Indicator) error {
	stored, err := t.All()
	if err != nil {
		return err
	}
	limit := horizon(l.Now(), stored, rows)
	for k, v := range stored {
		if _, listed := rows[k]; !listed && expired(v, limit) {
			if err := t.Delete(k); err != nil {
				return err
			}
		}
	}
	for k, v := range rows {
		old, known := stored[k]
		if known {
			v = sighted(old, v)
		}
		changed := !sameIndicator(old, v)
		l.count(known || expired(v, limit), known && changed)
		switch {
		case expired(v, limit) && known:
			err = t.Delete(k)
		case !expired(v, limit) && changed:
			err = t.Put(v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sighted joins two sightings of one indicator: the later says what it is now, and the earliest and latest dates stand.
func sighted(old, v intel.Indicator) intel.Indicator {
	if seen(v).Before(seen(old)) {
		old, v = v, old
	}
	if v.FirstSeen.IsZero() || !old.FirstSeen.IsZero() && old.FirstSeen.Before(v.FirstSeen) {
		v.FirstSeen = old.FirstSeen
	}
	if v.LastSeen.IsZero() {
		v.LastSeen = old.LastSeen
	}
	return v
}

func seen(v intel.Indicator) time.Time {
	if v.LastSeen.IsZero() {
		return v.FirstSeen
	}
	return v.LastSeen
}

// horizon is the time before which what has expired is forgotten. It is counted from the source's latest sighting, so
// that a mirror that has stood still for a year is not emptied; a sighting in the future is a wrong clock.
func horizon(now time.Time, lists ...map[IndicatorKey]intel.Indicator) time.Time {
	var latest time.Time
	for _, rows := range lists {
		for _, v := range rows {
			if at := seen(v); at.After(latest) && !at.After(now) {
				latest = at
			}
		}
	}
	return latest.Add(-forgetAfter)
}

func expired(v intel.Indicator, limit time.Time) bool {
	return !v.Expires.IsZero() && v.Expires.Before(limit)
}

func sameIndicator(a, b intel.Indicator) bool {
	if !slices.Equal(a.Tags, b.Tags) {
		return false
	}
	a.Tags, b.Tags = nil, nil
	return reflect.DeepEqual(a, b)
}

func equal[V comparable](a, b V) bool { return a == b }

func deepEqual[V any](a, b V) bool { return reflect.DeepEqual(a, b) }

// TechniqueFilter selects techniques. The zero filter selects all that are neither revoked nor deprecated, by id.
type TechniqueFilter struct {
	Words    string // all must occur in id, name or description, in any case
	Tactic   string // short name: "initial-access"
	Platform string // "Linux", in any case
	Domain   string // enterprise, mobile, ics
	Revoked  bool   // revoked and deprecated ones too
	Limit    int    // 0 is 50, at most 1,000
	After    string // what the call before returned as next
}

// IndicatorFilter selects indicators. The zero filter selects all, by kind and value.
type IndicatorFilter struct {
	Kind   string
	Source string
	Threat string
	Words  string    // all must occur in value, threat, malware or tags, in any case
	Active bool      // only those that have not expired
	Now    time.Time // when Active is judged; zero: now
	Limit  int       // 0 is 50, at most 1,000
	After  string    // what the call before returned as next
}
