// Package job is what the server does in the background: scans and their tools, imports, feeds, upkeep. A job is a row
// that outlives processes; a Queue (local or river) only brings rows and handlers together. It never knows what a job
// means.
//
//	queued --lease--> running --finish--> done | failed (queued again until MaxAttempts) | dead | cancelled
//	   ^                 |
//	   +--- hand back ---+--- beat older than Alive: lost, queued again by the sweeper
//
// Every lease raises the job's fence. Whoever writes to a running job names the fence that it was given: a process that
// was believed dead and comes back finds another one there, gets fault.Conflict and stops.
package job

import (
	"context"
	"encoding/json"
	"time"
)

// Kind says what a job does.
type Kind string

// The kinds.
const (
	Scan    Kind = "scan"    // conducts one scan: plans, cuts tasks, reads, merges
	Tool    Kind = "tool"    // runs one scanner on one chunk of targets and brings its raw report
	Import  Kind = "import"  // reads an uploaded report
	Ingest  Kind = "ingest"  // reads uploaded records of vulnerabilities
	Feeds   Kind = "feeds"   // loads feeds
	Rematch Kind = "rematch" // judges the estate anew after feeds changed
	Triage  Kind = "triage"  // says something of many findings or hosts
	Purge   Kind = "purge"   // removes what is older than it is to be kept
	Report  Kind = "report"  // builds a report
	Paths   Kind = "paths"   // works out what fixing each finding takes off the risk of attack paths
)

// State is where a job is in its life.
type State string

// The states.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Dead      State = "dead" // failed as often as it may; Retry queues it again
	Cancelled State = "cancelled"
)

// Over says whether nothing will happen to the job by itself any more.
func (s State) Over() bool { return s == Done || s == Dead || s == Cancelled }

// Alive is how long a running job is believed to be worked on without a beat; BeatEvery is how often it beats.
const (
	Alive     = 15 * time.Second
	BeatEvery = time.Second
)

// Job is one piece of background work. Times are UTC, zero is none.
type Job struct {
	ID   int64
	Kind Kind
	// Lane is who may run it: "" the server and the workers on its database, else the name of a site whose own workers
	// lease it over HTTPS.
	Lane     string
	Site     string // that it concerns, "" is none; who may not see the site does not see the job
	Scan     int64  // that it belongs to, 0 is none
	Key      string // there is at most one unfinished job of a key; "" is no limit
	Args     json.RawMessage
	Priority int // smaller first, 0 is normal
	By       string

	State       State
	Attempt     int       // that is running, or the last one; the first is 1
	MaxAttempts int       // 0 is DefaultAttempts
	RunAt       time.Time // not before; zero is at once
	Created     time.Time
	Started     time.Time
	Finished    time.Time

	Worker string // that runs or ran it, for people
	Fence  int64
	Beat   time.Time
	Cancel bool // somebody wants it to end

	Percent float64 // 0..100
	Stage   string
	Error   string // of the last attempt
	Result  json.RawMessage
}

// Progress is what a running job tells with each beat.
type Progress struct {
	Percent float64
	Stage   string
}

// Want says which jobs a worker would run.
type Want struct {
	Worker string
	Kinds  []Kind // none is all
	Lane   string
	ID     int64 // only this one, 0 is any
	N      int   // at most
}

// End is how an attempt ended.
type End struct {
	State  State // Done, Cancelled, or Queued for a failure that may be tried again; Dead for one that may not
	Error  string
	Result json.RawMessage
	After  time.Duration // when to try again
}

// Filter selects jobs; the zero value is all, newest first.
type Filter struct {
	IDs    []int64
	Kinds  []Kind
	States []State
	Scan   int64
	Before int64 // the last id of the page before
	Limit  int   // 0 is no limit
	Bare   bool  // without Args and Result
	// Limited leaves only the jobs of Sites and, of those that concern no site, the ones that Own asked for.
	Limited bool
	Sites   []string
	Own     string
}

// DefaultAttempts is how often a job is tried that does not say it.
const DefaultAttempts = 3

// Store keeps the rows; store.Jobs is the one of the product. Every method is one short transaction and safe for
// concurrent use by many processes.
type Store interface {
	// Enqueue keeps new jobs and returns them with their ids. A job whose Key has an unfinished one is not kept: the
	// unfinished one is returned in its place.
	Enqueue(ctx context.Context, jobs ...Job) ([]Job, error)
	// Lease takes queued jobs that are due, raises their fence and makes them running.
	Lease(ctx context.Context, want Want) ([]Job, error)
	// Beat says that the job is worked on, and how far it is; it answers whether somebody wants it to end. fault.Conflict
	// says that it is another's by now.
	Beat(ctx context.Context, id, fence int64, p Progress) (cancel bool, err error)
	// Finish ends an attempt. fault.Conflict as in Beat: what the attempt did must not count then.
	Finish(ctx context.Context, id, fence int64, end End) error
	// HandBack puts a running job back as if it had not been leased: a worker that stops softly does so.
	HandBack(ctx context.Context, id, fence int64) error
	// Sweep queues again the running jobs whose beat is older than Alive (dead after MaxAttempts) and returns the ids of
	// all due queued jobs of lane "" that nobody runs.
	Sweep(ctx context.Context) (due []int64, err error)
	// Cancel ends a queued job at once and asks a running one to end; ended says which.
	Cancel(ctx context.Context, id int64) (ended bool, err error)
	// CancelScan does so with all jobs of a scan, in one transaction.
	CancelScan(ctx context.Context, scan int64, kinds ...Kind) error
	// Retry queues a dead or cancelled job again.
	Retry(ctx context.Context, id int64) error
	Job(ctx context.Context, id int64) (Job, error)
	Jobs(ctx context.Context, f Filter) ([]Job, error)
}

// Handler runs an attempt at a job. ctx ends when the job is to end: context.Cause is ErrCancelled (a person's wish),
// ErrLost (another process has it) or ErrStopping (this process stops; return ErrStopping to hand the job back). An error
// that wraps ErrFatal is not tried again.
type Handler func(ctx context.Context, r *Run) error

// Queue runs jobs with handlers. Implementations: job/local on one machine, job/river for many.
type Queue interface {
	// Enqueue keeps jobs and has them run soon.
	Enqueue(ctx context.Context, jobs ...Job) ([]Job, error)
	// Cancel and Retry are the Store's, and take effect at once in this process.
	Cancel(ctx context.Context, id int64) (ended bool, err error)
	CancelScan(ctx context.Context, scan int64, kinds ...Kind) error
	Retry(ctx context.Context, id int64) error
	// Wake has due jobs looked for now: somebody else wrote rows.
	Wake()
	// Start begins to run jobs; Stop takes no new ones, gives the running ones until ctx ends to finish or hand back, then
	// cancels them with ErrStopping and waits. Stop is safe twice and before Start.
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
}
