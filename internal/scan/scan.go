// Package scan says what to scan and runs the scanners that do it: targets, the Scanner contract, the orchestrator.
// It never interprets findings and never writes to a database.
package scan

import (
	"context"
	"io"
	"net/netip"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
)

// Scanner is one tool. Run starts it and writes its raw report; Read turns a raw report, from this run or from a file
// of a year ago, into events. Both are safe for concurrent use by several scans.
type Scanner interface {
	Name() string
	// Available says whether the tool can run here, and why not (fault.Unavailable).
	Available(ctx context.Context) (Version string, err error)
	// Run scans job and writes the tool's raw report to raw as it comes. It returns when the tool and all its children
	// have ended; cancelling ctx ends them within two seconds. What was written up to then stays readable by Read.
	Run(ctx context.Context, job Job, raw io.Writer, progress func(Progress)) error
	// Read emits the events of a raw report in order. A truncated report yields its complete part and an error that
	// wraps ErrTruncated. An error from emit stops the reading and is returned.
	Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error
}

// Reader turns saved reports of one format into events; a Scanner's Read half is one too. Read knows the format whatever
// its encoding (package intake) and streams: it holds one record at a time. Safe for concurrent use.
type Reader interface {
	Name() string // of the tool, as evidence and coverage name the sensor: "nessus", "zap"
	// Detect says whether a report that begins with head (UTF-8, without BOM and leading blanks, at most 8 KiB) is of the
	// format. It must be sure: the first reader that says so gets the file.
	Detect(head []byte) bool
	Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error
}

// Stage is when in a scan a scanner has its turn: those of a stage get what the stages before it found.
type Stage int

// The stages. A scanner that does not say (Staged) is of Services.
const (
	Discovery Stage = iota // which hosts are there
	Services               // which ports are open and what answers
	WebStage               // what the web servers that were found serve
)

// Staged is a Scanner that says its stage.
type Staged interface{ Stage() Stage }

// WebPort is a port of a host at which a web server answered, or that the user named by a URL.
type WebPort struct {
	Port uint16
	TLS  bool
	Name string // for SNI and the Host header, "" is the address
	Path string // of the user's URL, "" is "/"
}

// Job is what one scanner is to do: addresses that are already resolved, checked against the scope and free of
// duplicates, never text that a tool could take for an option.
type Job struct {
	Hosts    []HostTarget
	Ports    []finding.PortRange // TCP; empty means the profile's own
	Profile  Profile
	Exclude  []finding.PortRange
	Rate     int           // connection attempts a second over all, 0 = the scanner's polite default
	Timeout  time.Duration // for the whole job, 0 = none
	Scanning time.Time     // when the scan began
	Task     int           // the number of the task in its scan, 0 = it is not of a task
}

// HostTarget is one address to scan and how the user named it.
type HostTarget struct {
	Address netip.Addr
	Names   []string // host names that led here, for SNI and Host headers
	URLs    []string // rebuilt http(s) URLs that led here
	Ports   []uint16 // ports named with the target ("host:8080", a URL's), scanned besides the job's, unless excluded
	// Explicit says that the user named this address, name or URL itself, not a network or range that holds it: it is
	// scanned without asking first whether it is there.
	Explicit bool
	// Web is filled in for scanners of WebStage, and only with ports of this host; such a scanner looks at nothing else.
	Web []WebPort
}

// Profile is how thorough a scan is.
type Profile string

// The profiles.
const (
	Quick    Profile = "quick"    // 100 most frequent ports
	Standard Profile = "standard" // 1000 most frequent ports
	Full     Profile = "full"     // all 65535
	Web      Profile = "web"      // web ports
)

// Progress is how far one scanner is. Percent is 0..100 over the whole job and never falls.
type Progress struct {
	Scanner string
	Stage   string // "ports", "services", …
	Percent float64
	Done    int
	Total   int
	ETA     time.Duration // 0 = not known
	Found   *finding.Event
}
