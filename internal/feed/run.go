package feed

import (
	"slices"
	"time"
)

// Status is how a run of one feed ended.
type Status string

// The statuses of a run.
const (
	StatusOK        Status = "ok"
	StatusFailed    Status = "failed"    // nothing of the feed was changed
	StatusUnchanged Status = "unchanged" // every file was the one of the last good run
)

// Run is the record of one sync of one feed.
type Run struct {
	ID     int64  `json:"-"` // of the run as it is kept, 0 before that
	Feed   string `json:"feed"`
	Source string `json:"source"` // the folder or URL the files came from
	Status Status `json:"status"`

	Seen      int `json:"seen"` // = Inserted + Updated + Unchanged + Rejected
	Inserted  int `json:"inserted"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Rejected  int `json:"rejected"`

	Reasons []Reason  `json:"reasons,omitempty"` // why records were rejected, most frequent first
	Files   []FileRun `json:"files,omitempty"`

	Started  time.Time `json:"started_at"`
	Finished time.Time `json:"finished_at"`
	Error    string    `json:"error,omitempty"` // only with StatusFailed
}

// FileRun is what a run remembers of a file, so that the next one can tell whether it changed (Options.Seen).
type FileRun struct {
	Name     string `json:"name"`
	Checksum string `json:"checksum"`
	Size     int64  `json:"size"`
}

// Reason is one kind of rejection with a few places where it happened.
type Reason struct {
	Reason string   `json:"reason"`
	Count  int      `json:"count"`
	Places []string `json:"places"`
}

const (
	maxReasons = 20
	maxPlaces  = 3
)

// otherReasons gathers what comes after the first maxReasons kinds, so that a hostile file cannot grow the run record.
const otherReasons = "other reasons"

// Tally counts rejections by reason for Run.Reasons. The zero value is ready; it is not safe for concurrent use.
type Tally struct {
	n       int
	reasons []Reason
}

// Reject counts one record. It has the signature of Sink.Reject.
func (t *Tally) Reject(place, reason string) {
	t.n++
	i := slices.IndexFunc(t.reasons, func(r Reason) bool { return r.Reason == reason })
	if i < 0 && len(t.reasons) >= maxReasons {
		reason = otherReasons
		i = slices.IndexFunc(t.reasons, func(r Reason) bool { return r.Reason == reason })
	}
	if i < 0 {
		t.reasons = append(t.reasons, Reason{Reason: reason})
		i = len(t.reasons) - 1
	}
	t.reasons[i].Count++
	if len(t.reasons[i].Places) < maxPlaces {
		t.reasons[i].Places = append(t.reasons[i].Places, place)
	}
}

// Count is the number of rejected records.
func (t *Tally) Count() int { return t.n }

// Reasons returns the kinds, most frequent first, in a slice of its own.
func (t *Tally) Reasons() []Reason {
	out := slices.Clone(t.reasons)
	slices.SortStableFunc(out, func(a, b Reason) int { return b.Count - a.Count })
	return out
}
