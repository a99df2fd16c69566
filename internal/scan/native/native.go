// Package native finds open TCP ports and says what answers at them, with nothing but Go: a connect scan with time-outs
// that follow each host's own round-trip time, then a banner or a protocol's own greeting, then NVD-spelled CPE names.
// It never logs in, never sends more than a protocol's first words, and never guesses a version that was not said.
//
// The files, in the order in which a scan passes through them:
//
//	native.go     Run: the job becomes hosts and ports, the report begins and ends
//	sweep.go      which port of which host is next; fair, windowed, tried again; up, down or silent
//	dial.go       one connection: open, closed, silent, unreachable, or our own shortage
//	detect.go     one open port: who speaks first, which protocols are tried in which order
//	ssh.go …      one protocol each
//	signature.go  text -> product, version, CPE; the table is signatures.txt
//	record.go     the raw report, JSON lines;  read.go turns it into events
package native

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

// Name is the scanner's name in jobs, reports and coverage.
const Name = "native"

// Version is the version of what this scanner recognises; it is written into every report.
const Version = "1"

// politeRate is the number of connection attempts a second when the job names none. Loopback is not paced: nothing
// lies between us and the host that could suffer.
const politeRate = 3000

// Scanner is the built-in scanner. Its zero value is ready and safe for concurrent use.
type Scanner struct{}

var _ scan.Scanner = Scanner{}

// Name implements scan.Scanner.
func (Scanner) Name() string { return Name }

// Available implements scan.Scanner: it is always there.
func (Scanner) Available(context.Context) (string, error) { return Version, nil }

// Run implements scan.Scanner. The report's last line is written only when every host was scanned to its end.
func (Scanner) Run(ctx context.Context, job scan.Job, raw io.Writer, progress func(scan.Progress)) error {
	if job.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, job.Timeout)
		defer cancel()
	}
	hosts, err := plan(job)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	out := &report{w: raw, fail: stop}
	watch := newWatch(progress, hosts)
	out.write(record{Kind: kindStart, Format: formatVersion, Tool: Name, Version: Version, At: now(),
		Profile: string(job.Profile), Hosts: len(hosts)})

	newSweep(job, hosts, out, watch).run(ctx)

	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("native scan: %w", err)
	}
	out.write(record{Kind: kindEnd, At: now(), Hosts: len(hosts)})
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("native scan: %w", err)
	}
	watch.finish()
	return nil
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// plan turns the job into hosts with their ports, most frequent ports first.
func plan(job scan.Job) ([]*host, error) {
	common, err := portsOf(job)
	if err != nil {
		return nil, err
	}
	hosts := make([]*host, 0, len(job.Hosts))
	for _, t := range job.Hosts {
		if !t.Address.IsValid() {
			return nil, fault.Invalid("native scan: a host without an address (%v)", t.Names)
		}
		h := newHost(t.Address.Unmap())
		h.names = t.Names
		h.ports = common
		for _, port := range t.Ports {
			h.pin(port, job.Exclude)
		}
		for _, raw := range t.URLs {
			h.addURL(raw, job.Exclude)
		}
		if len(h.ports) == 0 {
			return nil, fault.Invalid("native scan: no port is left to scan on %s", t.Address)
		}
		hosts = append(hosts, h)
	}
	return hosts, nil
}

// portsOf lists the ports to scan in the order of their frequency, the exotic ones last.
func portsOf(job scan.Job) ([]uint16, error) {
	var ports []uint16
	switch {
	case len(job.Ports) > 0:
		ports = byFrequency(job.Ports)
	case job.Profile == scan.Quick:
		ports = frequent()[:100]
	case job.Profile == scan.Standard || job.Profile == "":
		ports = frequent()[:1000]
	case job.Profile == scan.Full:
		ports = byFrequency([]finding.PortRange{{First: 1, Last: 65535}})
	case job.Profile == scan.Web:
		ports = byFrequency(scan.WebPorts())
	default:
		return nil, fault.Invalid("native scan: unknown profile %q", job.Profile)
	}
	if len(job.Exclude) == 0 {
		return ports, nil
	}
	kept := make([]uint16, 0, len(ports))
	for _, p := range ports {
		if !finding.Contains(job.Exclude, p) {
			kept = append(kept, p)
		}
	}
	return kept, nil
}

// page is a URL by which the user named a host: its port is scanned whatever the profile says, its path is asked for.
type page struct {
	port uint16
	host string
	path string
}

// pin has a port that was named with the target asked first, whatever the profile says; false when it is excluded.
func (h *host) pin(port uint16, exclude []finding.PortRange) bool {
	if finding.Contains(exclude, port) {
		return false
	}
	h.named = append(h.named, port)
	if !slices.Contains(h.ports, port) {
		h.ports = append([]uint16{port}, h.ports...)
	}
	return true
}

// addURL pins the URL's port. A URL that does not parse was already refused by whoever took the target.
func (h *host) addURL(raw string, exclude []finding.PortRange) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return
	}
	port := uint16(80)
	if u.Scheme == "https" {
		port = 443
	}
	if n, err := strconv.ParseUint(u.Port(), 10, 16); err == nil && n > 0 {
		port = uint16(n)
	}
	if !h.pin(port, exclude) {
		return
	}
	h.pages = append(h.pages, page{port: port, host: u.Hostname(), path: u.RequestURI()})
	if _, err := netip.ParseAddr(u.Hostname()); err != nil && !slices.Contains(h.names, u.Hostname()) {
		h.names = append(slices.Clip(h.names), u.Hostname())
	}
}

// watch turns what happens into progress that never falls and is told at most ten times a second.
type watch struct {
	mu       sync.Mutex
	tell     func(scan.Progress)
	began    time.Time
	last     time.Time
	ports    int // to scan
	done     int
	open     int // services to identify
	named    int
	percent  float64
	finished bool
}

func newWatch(tell func(scan.Progress), hosts []*host) *watch {
	w := &watch{tell: tell, began: time.Now()}
	for _, h := range hosts {
		w.ports += len(h.ports)
	}
	return w
}

// update changes the counts and tells. The port sweep is the first 70 percent.
func (w *watch) update(change func(w *watch), found *finding.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
	if w.tell == nil || w.finished {
		return
	}
	if found == nil && time.Since(w.last) < 100*time.Millisecond {
		return
	}
	w.last = time.Now()
	p := scan.Progress{Scanner: Name, Stage: "ports", Done: w.done, Total: w.ports, Found: found}
	share := 70 * float64(w.done) / float64(max(w.ports, 1))
	if w.done >= w.ports {
		p.Stage, p.Done, p.Total = "services", w.named, w.open
	}
	if w.open > 0 {
		share += 29 * float64(w.named) / float64(w.open) * float64(w.done) / float64(max(w.ports, 1))
	}
	w.percent = max(w.percent, min(share, 99))
	p.Percent = w.percent
	if w.percent >= 5 {
		p.ETA = time.Duration(float64(time.Since(w.began)) * (100 - w.percent) / w.percent).Round(time.Second)
	}
	w.tell(p)
}

func (w *watch) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finished = true
	if w.tell != nil {
		w.tell(scan.Progress{Scanner: Name, Stage: "done", Percent: 100, Done: w.named, Total: w.named})
	}
}
