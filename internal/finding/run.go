package finding

import (
	"encoding/json"
	"slices"
	"time"
)

// Scan is one scan or import as the estate keeps it.
type Scan struct {
	ID        int64
	Kind      ScanKind
	Site      string
	Targets   []string // as the user wrote them; the file for an import
	Profile   string
	Status    ScanStatus
	Reason    string // why it failed or is incomplete, "cancelled"
	By        string // who asked: "local:anna"
	Created   time.Time
	Started   time.Time
	Completed time.Time // zero while it runs
	Scanners  []ScannerRun
	// Catalogue is what the catalogue was when the scan began, as the app describes it: records, newest change, the age
	// of every feed. The store keeps it as it is.
	Catalogue  json.RawMessage
	Generation int64 // of the catalogue
	Totals     ScanTotals
	Demo       bool
}

// ScanKind tells a scan from an import.
type ScanKind string

// The kinds.
const (
	KindScan   ScanKind = "scan"
	KindImport ScanKind = "import"
)

// ScanStatus is how far a scan is. A cancelled scan has failed with Reason "cancelled".
type ScanStatus string

// The statuses.
const (
	Pending   ScanStatus = "pending"
	Running   ScanStatus = "running"
	Completed ScanStatus = "completed"
	Failed    ScanStatus = "failed"
)

// ScannerRun is one tool's part of a scan.
type ScannerRun struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Status  string `json:"status"` // completed, partial, failed, cancelled, unavailable
	Error   string `json:"error,omitempty"`
	Report  string `json:"report,omitempty"` // SHA-256 of the raw report, "" when there is none
}

// ScanTotals counts what a scan met, so that lists need not.
type ScanTotals struct {
	Hosts    int // that were up
	Silent   int // that did not answer or did not resolve
	Services int
	Findings int // confirmed or potential, that the scan saw
}

// ScanHost is how one host answered one scan. Silent hosts that the estate does not know have no HostID.
type ScanHost struct {
	HostID  int64
	Address string
	Name    string   // a name that led there, and all there is when it did not resolve
	Status  string   // asset.HostStatus
	Reason  string   // for people: "did not resolve: no such host"
	Ports   []string // where a service answered: "tcp/22"
}

// Join adds what the same scan said of the host before: one sensor that got an answer is enough for up.
func (h *ScanHost) Join(before ScanHost) {
	if h.HostID == 0 {
		h.HostID = before.HostID
	}
	if h.Name == "" {
		h.Name = before.Name
	}
	if before.Status == "up" && h.Status != "up" {
		h.Status, h.Reason = before.Status, before.Reason
	}
	for _, p := range before.Ports {
		if !slices.Contains(h.Ports, p) {
			h.Ports = append(h.Ports, p)
		}
	}
}

// Ledger accounts for every record of a report: Records + Expanded = New + Merged + Informational + Dropped, always.
//
// A record is one ServiceSeen, one Observation, or the Count of a Drop (a reader emits a Drop with Informational for
// what it understood and holds no finding). A record that leads to no finding is informational, unless it could not be
// used: then it is dropped, with its reason. A record that leads to n findings adds n-1 to Expanded, and each of the n
// is either new or merged into a finding that the estate, or an earlier record of the same report, already held.
type Ledger struct {
	File          string
	Tool          string
	Scan          int64
	Records       int
	Expanded      int
	Hosts         int
	HostsUp       int
	Services      int
	New           int
	Merged        int
	Informational int
	Dropped       map[string]int // by reason
	CVEs          int            // different ones that the records name
	Matched       int            // different ones that only the catalogue found, by the services' versions
	Unknown       int            // candidates of services whose version is not known; no findings
}

// Balanced says whether the books agree.
func (l *Ledger) Balanced() bool {
	return l.Records+l.Expanded == l.New+l.Merged+l.Informational+l.DroppedTotal()
}

// DroppedTotal is the number of dropped records.
func (l *Ledger) DroppedTotal() (n int) {
	for _, count := range l.Dropped {
		n += count
	}
	return n
}

// Drop counts a record that could not be used.
func (l *Ledger) Drop(reason string, n int) {
	if l.Dropped == nil {
		l.Dropped = map[string]int{}
	}
	const reasons = 200 // a hostile report must not fill memory with reasons of its own
	if _, known := l.Dropped[reason]; !known && len(l.Dropped) >= reasons {
		reason = "other"
	}
	l.Dropped[reason] += n
}
