// Package live tells watchers what a scan does while it does it: an event log per scan with numbers without gaps, and a
// hub that brings new events to those who watch. A watcher that reads too slowly is dropped; a scan never waits for one.
package live

import (
	"context"
	"encoding/json"
	"time"
)

// Type says what an event tells.
type Type string

// The types, as design.md's WebSocket messages name them.
const (
	State    Type = "state"    // where the scan stands; the first that a watcher gets
	Progress Type = "progress" // {"percent","stage","eta_s","tasks":{"done","total"}}
	Host     Type = "host"     // a host that answered
	Service  Type = "service"  // a service that was found
	Finding  Type = "finding"  // a finding that is new, or that the scan saw again
	Log      Type = "log"      // a sentence for people
	End      Type = "end"      // nothing follows
)

// Event is one message: {"seq","scan_id","at","type","data"}.
type Event struct {
	Seq  int64           `json:"seq"`
	Scan int64           `json:"scan_id"`
	At   time.Time       `json:"at"`
	Type Type            `json:"type"`
	Data json.RawMessage `json:"data"`
}

// Publisher takes what happens. Publish never blocks and never fails: what cannot be kept is logged. data becomes JSON.
// Safe for concurrent use.
type Publisher interface {
	Publish(scan int64, kind Type, data any)
	// Flush waits until what was published of a scan is kept.
	Flush(ctx context.Context, scan int64) error
}

// Store keeps the events; store.Estate is the one of the product.
type Store interface {
	// AppendEvents numbers the events of each scan and keeps them; it returns them numbered.
	AppendEvents(ctx context.Context, events []Event) ([]Event, error)
	// EventsSince returns the events of a scan after a number, in order, at most limit.
	EventsSince(ctx context.Context, scan, seq int64, limit int) ([]Event, error)
	// LastEvents returns the newest number of each of the scans; one without events is absent.
	LastEvents(ctx context.Context, scans []int64) (map[int64]int64, error)
}
