package auth

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/telemetry"
)

// Outcome is how something that was recorded went.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "ok"
	Refused Outcome = "denied"
	Failed  Outcome = "failed"
)

// Entry is one line of the audit trail: who did what, from where, and how it went. It never holds a secret.
type Entry struct {
	ID      int64
	At      time.Time
	Who     string // as Identity.Name
	Kind    Kind
	User    int64
	Token   int64
	From    string // an address, "" is this machine's command line or the server itself
	Action  string // "scan.start", "user.add"; of a request that nothing else describes its operation: "add-site"
	Subject string // what it was done to: "scan 7", "user anna"
	Outcome Outcome
	Detail  string
}

// EntryOf is an entry about what somebody did.
func EntryOf(who Identity, at time.Time, action, subject, detail string, outcome Outcome) Entry {
	return Entry{At: at, Who: who.Name, Kind: who.Kind, User: who.User, Token: who.Token, From: who.From,
		Action: action, Subject: subject, Detail: detail, Outcome: outcome}.bounded()
}

// The bounds of an entry's texts, in bytes.
const (
	maxShort  = 200
	maxDetail = 2000
)

// bounded is the entry with its texts short, on one line and harmless to who reads them.
func (e Entry) bounded() Entry {
	for _, text := range []*string{&e.Who, &e.From, &e.Action, &e.Subject} {
		*text = shorten(*text, maxShort)
	}
	e.Detail = shorten(e.Detail, maxDetail)
	return e
}

func shorten(text string, most int) string {
	if len(text) > 4*most {
		text = text[:4*most] // before it is gone through: it may be very long
	}
	text = telemetry.Plain(strings.ToValidUTF8(text, "\uFFFD"))
	if len(text) <= most {
		return text
	}
	text = text[:most-len("…")]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text + "…"
}

// AuditFilter selects entries; the zero value selects all.
type AuditFilter struct {
	Who, Action, Subject, From string // exactly; an Action that ends with "." is a group: "user."
	Outcome                    Outcome
	Since, Until               time.Time
	Before                     int64 // entries older than the one with this id, 0 is from the newest
	Limit                      int
}

// trailKey carries whether what a request does has been recorded.
type trailKey struct{}

// WithTrail returns a context in which it is remembered that something was recorded, so that whoever serves the request
// can record what nobody described.
func WithTrail(ctx context.Context) context.Context {
	return context.WithValue(ctx, trailKey{}, new(atomic.Bool))
}

// Recorded says that something was recorded for the request of a context.
func Recorded(ctx context.Context) bool {
	trail, ok := ctx.Value(trailKey{}).(*atomic.Bool)
	return ok && trail.Load()
}

// MarkRecorded says so to Recorded.
func MarkRecorded(ctx context.Context) {
	if trail, ok := ctx.Value(trailKey{}).(*atomic.Bool); ok {
		trail.Store(true)
	}
}

// Misses bounds how much of what came to nothing is recorded, so that nobody fills the disk by asking for what he does not
// get. What was done is always recorded. The zero value is ready for use, and safe for concurrent use.
type Misses struct {
	mu     sync.Mutex
	minute time.Time
	all    int
	of     map[string]int
}

// How many are recorded in a minute: of one asker at one place, and of everybody.
const (
	missesOfOne = 60
	missesOfAll = 1000
)

// missesEnd is what the last one says that is recorded.
const missesEnd = " (what else fails in this minute is not recorded)"

// Take returns the entry as it is to be recorded, false when it is not.
func (m *Misses) Take(e Entry, now time.Time) (Entry, bool) {
	if e.Outcome == Done {
		return e, true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if minute := now.Truncate(time.Minute); m.of == nil || !minute.Equal(m.minute) {
		m.minute, m.all, m.of = minute, 0, map[string]int{}
	}
	key := e.Who + " " + Network(e.From)
	if m.all >= missesOfAll || m.of[key] >= missesOfOne {
		return e, false
	}
	m.all++
	m.of[key]++
	if m.all == missesOfAll || m.of[key] == missesOfOne {
		e.Detail = shorten(e.Detail, maxDetail-len(missesEnd)) + missesEnd
	}
	return e, true
}
