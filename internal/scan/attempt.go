package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
)

// Status is how a scanner's part of a scan ended.
type Status string

// The statuses.
const (
	Completed   Status = "completed"
	Partial     Status = "partial" // some of its tasks completed
	Failed      Status = "failed"
	Cancelled   Status = "cancelled"
	Unavailable Status = "unavailable" // the tool is not here, or does not work
)

// Outcome is how one scanner did.
type Outcome struct {
	Scanner   string
	Version   string
	Status    Status
	Err       error          // nil when completed
	Dropped   map[string]int // records that were left out before the events, by reason
	Started   time.Time      // zero when it never started
	Completed time.Time
}

// reasonOutside is the ledger's word for a result that names an address nobody asked for.
const reasonOutside = "address outside of the scan"

// attempt is one scanner at work on one job: it runs the tool, reads the report while it is written, checks the events
// against the job and holds the coverage back until the scanner is known to have completed.
type attempt struct {
	Outcome
	scanner  Scanner
	job      Job
	places   places
	raw      io.Writer // keeps the report as it comes
	maxRaw   int64
	emit     func(finding.Event) error
	progress func(Progress)
	now      func() time.Time
	coverage []finding.Event
}

func newAttempt(s Scanner, job Job) *attempt {
	return &attempt{Outcome: Outcome{Scanner: s.Name(), Dropped: map[string]int{}}, scanner: s, job: job, places: placesOf(job.Hosts),
		raw: io.Discard, maxRaw: DefaultMaxRaw, now: time.Now}
}

// work sets Err and never panics: a reader that meets a report it cannot stand must not take the other scanners'
// results with it.
func (a *attempt) work(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			a.Err = fmt.Errorf("scanner %s: %v", a.scanner.Name(), p)
		}
	}()
	a.Started = a.now()
	if a.job.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.job.Timeout)
		defer cancel()
	}
	a.Err = a.scan(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && a.job.Timeout > 0 {
		a.Err = errTimeout(a.job.Timeout)
	}
}

func errTimeout(d time.Duration) error {
	return fmt.Errorf("not finished after %s: %w", d, context.DeadlineExceeded)
}

// scan runs the tool and reads its report at the same time: tool -> tee -> (raw, pipe -> reader).
func (a *attempt) scan(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, out := io.Pipe()
	read := make(chan error, 1)
	go func() { read <- a.read(ctx, in) }()
	t := &tee{raw: a.raw, pipe: out, left: a.maxRaw, limit: a.maxRaw}
	runErr := a.tool(ctx, t)
	readErr := <-read
	switch {
	case t.err != nil:
		return t.err
	case runErr != nil:
		return runErr
	case readErr != nil:
		return fmt.Errorf("read the report of %s: %w", a.scanner.Name(), readErr)
	}
	return nil
}

// tool runs the scanner. A panic becomes an error here and not further out: the reader must be told of the end and waited
// for, whatever happens.
func (a *attempt) tool(ctx context.Context, t *tee) (err error) {
	defer t.pipe.Close()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("scanner %s: %v", a.scanner.Name(), p)
		}
	}()
	return a.scanner.Run(ctx, a.job, t, a.progress)
}

// read outlives a cancelled ctx, so that what the tool had written is not lost; it ends when the pipe is closed.
func (a *attempt) read(ctx context.Context, in *io.PipeReader) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reader: %v", p)
		}
		in.CloseWithError(io.ErrClosedPipe)
	}()
	return a.scanner.Read(context.WithoutCancel(ctx), in, a.take)
}

// reread reads a report that was kept instead of running the tool, whose own end is known.
func (a *attempt) reread(ctx context.Context, stored *leftover) {
	a.Status, a.Started, a.Completed = stored.task.Ended, stored.task.Started, stored.task.Finished
	if stored.task.Error != "" {
		a.Err = errors.New(stored.task.Error)
	}
	in, out := io.Pipe()
	go func() {
		_, err := io.Copy(out, stored)
		out.CloseWithError(err) // nil is io.EOF
	}()
	err := errors.Join(a.read(ctx, in), stored.Close())
	switch {
	case a.Status != Completed: // what there is of it is read
	case err != nil:
		a.Status, a.Err = Failed, fmt.Errorf("read the report of %s: %w", a.scanner.Name(), err)
	default:
		a.cover()
	}
}

// tee writes to both sides. A reader that gave up does not stop the tool: the raw report can be read again.
type tee struct {
	raw         io.Writer
	pipe        *io.PipeWriter
	left, limit int64
	deaf        bool
	err         error
}

func (t *tee) Write(p []byte) (int, error) {
	if t.err == nil && int64(len(p)) > t.left {
		t.err = fmt.Errorf("raw report is larger than %d MiB", t.limit>>20)
	}
	if t.err != nil {
		return 0, t.err
	}
	t.left -= int64(len(p))
	n, err := t.raw.Write(p)
	if err != nil {
		t.err = fmt.Errorf("keep the raw report: %w", err)
		return n, t.err
	}
	if !t.deaf {
		_, err := t.pipe.Write(p)
		t.deaf = err != nil
	}
	return len(p), nil
}

// conclude decides the status and gives the coverage out or throws it away.
func (a *attempt) conclude(ctx context.Context) {
	a.Completed = a.now()
	switch {
	case a.Err == nil && ctx.Err() == nil:
		a.Status = Completed
	case ctx.Err() != nil:
		a.Status = Cancelled
		a.Err = context.Cause(ctx)
	default:
		a.Status = Failed
	}
	if a.Status == Completed {
		a.cover()
	}
}

// cover gives the coverage out; an error of emit is the consumer's, who knows it.
func (a *attempt) cover() {
	for _, e := range a.coverage {
		if a.emit(e) != nil {
			return
		}
	}
}

// take checks one event of the reader against the job and passes it on.
func (a *attempt) take(e finding.Event) error {
	e, ok := a.places.place(e)
	if !ok {
		if n := Records(e); n > 0 {
			a.Dropped[reasonOutside] += n
		}
		return nil
	}
	if e.Coverage != nil {
		a.coverage = append(a.coverage, e)
		return nil
	}
	return a.emit(e)
}

// places finds the host of a job that an event speaks of. It is not changed once made.
type places struct {
	hosts []HostTarget
	exact map[netip.Addr]int // address -> index in hosts
	bare  map[netip.Addr]int // the same without IPv6 zones, which tools do not print; ambiguous when two interfaces have it
	names map[string]int     // ambiguous when it leads to several
}

const ambiguous = -1

func placesOf(hosts []HostTarget) places {
	p := places{hosts: hosts, exact: map[netip.Addr]int{}, bare: map[netip.Addr]int{}, names: map[string]int{}}
	for i, h := range hosts {
		p.exact[h.Address] = i
		once(p.bare, h.Address.WithZone(""), i)
		for _, name := range h.Names {
			once(p.names, name, i)
		}
	}
	return p
}

func once[K comparable](m map[K]int, key K, i int) {
	if _, twice := m[key]; twice {
		i = ambiguous
	}
	m[key] = i
}

// place gives an event its host's IPv6 zone and the names by which it was asked for. ok is false when nobody asked for
// that host.
func (p *places) place(e finding.Event) (_ finding.Event, ok bool) {
	switch {
	case e.Host != nil:
		h := *e.Host
		i, ok := p.find(&h.Address, slices.Values(h.Names))
		if i >= 0 {
			h.Names = union(p.hosts[i].Names, h.Names)
		}
		return finding.Event{Host: &h}, ok
	case e.Service != nil:
		s := *e.Service
		_, ok := p.find(&s.Address, single(s.HostName))
		return finding.Event{Service: &s}, ok
	case e.Observation != nil:
		o := *e.Observation
		_, ok := p.find(&o.Address, single(o.HostName))
		return finding.Event{Observation: &o}, ok
	case e.Coverage != nil:
		c := *e.Coverage
		_, ok := p.find(&c.Address, single(""))
		return finding.Event{Coverage: &c}, ok
	}
	return e, e.Drop != nil
}

func single(name string) func(func(string) bool) {
	return func(yield func(string) bool) {
		if name != "" {
			yield(name)
		}
	}
}

// find looks the address up and rewrites it to the job's spelling. A result that has only a name is of the address to
// which the name was pinned, and one that names nobody is of the only host that was asked.
func (p *places) find(addr *netip.Addr, names func(func(string) bool)) (int, bool) {
	*addr = addr.Unmap()
	if i, ok := p.exact[*addr]; ok {
		return i, true
	}
	if i, ok := p.bare[*addr]; ok && i >= 0 {
		*addr = p.hosts[i].Address
		return i, true
	}
	if addr.IsValid() {
		return -1, false
	}
	named := false
	for name := range names {
		named = true
		if i, ok := p.names[name]; ok {
			if i >= 0 {
				*addr = p.hosts[i].Address
			}
			return i, true
		}
	}
	if !named && len(p.hosts) == 1 {
		*addr = p.hosts[0].Address
		return 0, true
	}
	return -1, false
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// timer closes passed some time after a context ended.
type timer struct {
	passed chan struct{}
	stop   func()
}

func afterCancel(ctx context.Context, d time.Duration) timer {
	passed, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
		case <-stopped:
			return
		}
		select {
		case <-time.After(d):
			close(passed)
		case <-stopped:
		}
	}()
	return timer{passed: passed, stop: sync.OnceFunc(func() { close(stopped) })}
}

// available asks a scanner whether it can run, and does not wait for ever.
func available(ctx context.Context, s Scanner) (version string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("scanner %s: %v", s.Name(), p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, availableWithin)
	defer cancel()
	return s.Available(ctx)
}
