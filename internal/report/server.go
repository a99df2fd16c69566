package report

import "time"

// Queued is work that was taken on and goes on in the background.
type Queued struct {
	JobID  int64       `json:"job_id"`
	Status string      `json:"status"` // queued, or running where the same was asked for before
	Links  QueuedLinks `json:"links"`
}

// QueuedLinks say where to hear more: paths below the server's address.
type QueuedLinks struct {
	Job  string `json:"job"`
	Self Text   `json:"self"` // what comes of it
	Live Text   `json:"live"` // a WebSocket that tells it as it happens
}

// QueuedImports are the reports of one upload.
type QueuedImports struct {
	Imports []QueuedImport `json:"imports"`
}

// QueuedImport is one report that will be read.
type QueuedImport struct {
	ID     int64       `json:"id"`      // of the import
	ScanID int64       `json:"scan_id"` // the same: imports and scans are numbered together
	JobID  int64       `json:"job_id"`
	File   string      `json:"file"`
	Tool   string      `json:"tool"`
	Status string      `json:"status"` // pending
	Links  QueuedLinks `json:"links"`
}

// ImportPage is one page of imports, newest first.
type ImportPage struct {
	Imports []Imported `json:"imports"`
	Next    *int64     `json:"next"` // the cursor of the next page; null at the end
}

// HostDetail is one host with what scans said of it.
type HostDetail struct {
	Host
	Scans    []HostScan    `json:"scans"` // newest first
	Findings FindingCounts `json:"findings"`
	History  []HistoryLine `json:"history"` // what people and rules said of it, oldest first

	Identifiers []HostIdentifier  `json:"identifiers"` // by what it is found again, the strong ones first
	Reach       HostReach         `json:"reach"`       // whether the internet reaches it
	Own         HostOwn           `json:"own"`         // what people said of it; rules may add to that
	Evidence    []ServiceEvidence `json:"evidence"`    // what its services said, and to which scanner
}

// HostScan is a look of one scanner at a host.
type HostScan struct {
	ScanID  int64     `json:"scan_id"`
	Scanner string    `json:"scanner"`
	At      time.Time `json:"at"`
}

// HostNamed is the host that something was done to.
type HostNamed struct {
	ID int64 `json:"id"`
}

// System says what this server is, for the pages around everything else.
type System struct {
	Version   string    `json:"version"`
	Engine    string    `json:"engine"` // sqlite, postgres
	Auth      string    `json:"auth"`   // on; off: everybody who reaches the server is admin, and pages warn of it
	Warnings  []string  `json:"warnings"`
	Features  []string  `json:"features"` // what is configured beside the usual: oidc, tls
	Tools     []string  `json:"tools"`    // whose reports can be imported
	Feeds     []string  `json:"feeds"`    // that can be loaded
	MaxUpload int64     `json:"max_upload_bytes"`
	Catalogue Catalogue `json:"catalogue"`
}
