// Package worker runs tools for a server that is elsewhere: it leases the tool jobs of its site over HTTPS, runs them on
// this machine and brings the raw reports back. It never opens a database, never reads what a report says, and takes no
// option of a tool from the server.
//
//	hello -> lease -> run the tool, beat every second -> report -> finish
//	           ^                                            |
//	           +--------------------------------------------+
//
// A worker holds a job by its fence. The server that takes it away (no beat for too long) gives it to another under a
// higher one, and answers this one with a conflict: what it found is thrown away.
package worker

import (
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

// Limits of an order, on both sides.
const (
	maxTargets = scan.MaxAddresses
	maxNames   = 1000 // of one host: names, URLs, ports, web servers
)

// Order is one run of a tool: what a job of kind tool says is to be done. Times are UTC.
type Order struct {
	Scanner   string        `json:"scanner" maxLength:"63" example:"nmap"`
	Targets   []OrderTarget `json:"targets"`
	Ports     string        `json:"ports,omitempty" doc:"empty is the profile's own" example:"22,80,443"`
	Exclude   string        `json:"exclude,omitempty" doc:"ports that are not to be looked at" example:"9100"`
	Profile   string        `json:"profile" example:"standard"`
	Rate      int           `json:"rate,omitempty" doc:"connection attempts a second, 0 is the scanner's own" example:"0"`
	TimeoutMS int64         `json:"timeout_ms,omitempty" doc:"0 is none" example:"3600000"`
	Scanning  time.Time     `json:"scanning" doc:"when the scan began"`
}

// OrderTarget is one address that is to be scanned, and how the user named it.
type OrderTarget struct {
	Address  string     `json:"address" example:"192.0.2.10"`
	Names    []string   `json:"names,omitempty"`
	URLs     []string   `json:"urls,omitempty"`
	Ports    []uint16   `json:"ports,omitempty"`
	Explicit bool       `json:"explicit,omitempty"`
	Web      []OrderWeb `json:"web,omitempty"`
}

// OrderWeb is a web server of a target.
type OrderWeb struct {
	Port uint16 `json:"port" example:"443"`
	TLS  bool   `json:"tls,omitempty"`
	Name string `json:"name,omitempty" example:"www.example.org"`
	Path string `json:"path,omitempty" example:"/shop"`
}

// OrderOf is what a scanner is asked for, as it travels.
func OrderOf(scanner string, job scan.Job) Order {
	o := Order{Scanner: scanner, Ports: finding.PrintPorts(job.Ports), Exclude: finding.PrintPorts(job.Exclude), Profile: string(job.Profile),
		Rate: job.Rate, TimeoutMS: job.Timeout.Milliseconds(), Scanning: job.Scanning.UTC(), Targets: []OrderTarget{}}
	for _, h := range job.Hosts {
		t := OrderTarget{Address: h.Address.String(), Names: h.Names, URLs: h.URLs, Ports: h.Ports, Explicit: h.Explicit}
		for _, w := range h.Web {
			t.Web = append(t.Web, OrderWeb(w))
		}
		o.Targets = append(o.Targets, t)
	}
	return o
}

// Job checks an order that came from elsewhere: every address, name and URL is one that a user could have typed, so that no
// tool takes one for an option. Errors are fault.Invalid.
func (o Order) Job() (scan.Job, error) {
	job := scan.Job{Profile: scan.Profile(o.Profile), Rate: o.Rate, Timeout: time.Duration(o.TimeoutMS) * time.Millisecond, Scanning: o.Scanning}
	switch {
	case !slices.Contains([]scan.Profile{scan.Quick, scan.Standard, scan.Full, scan.Web}, job.Profile):
		return job, fault.Invalid("order: unknown profile %q", o.Profile)
	case len(o.Targets) == 0 || len(o.Targets) > maxTargets:
		return job, fault.Invalid("order: %d targets, want 1 to %d", len(o.Targets), maxTargets)
	case o.Rate < 0 || o.TimeoutMS < 0 || o.TimeoutMS > int64(1000*time.Hour/time.Millisecond):
		return job, fault.Invalid("order: rate %d, timeout %d ms", o.Rate, o.TimeoutMS)
	}
	var err error
	if job.Ports, err = finding.ReadPorts(o.Ports); err != nil {
		return job, fault.Invalid("order: %w", err)
	}
	if job.Exclude, err = finding.ReadPorts(o.Exclude); err != nil {
		return job, fault.Invalid("order: %w", err)
	}
	for _, t := range o.Targets {
		h, err := t.host()
		if err != nil {
			return job, err
		}
		job.Hosts = append(job.Hosts, h)
	}
	return job, nil
}

func (t OrderTarget) host() (h scan.HostTarget, err error) {
	if len(t.Names) > maxNames || len(t.URLs) > maxNames || len(t.Ports) > maxNames || len(t.Web) > maxNames {
		return h, fault.Invalid("order: %.64q has too many names, URLs or ports", t.Address)
	}
	address, err := scan.ParseTarget(t.Address)
	if err != nil {
		return h, err
	}
	if address.Kind != scan.KindAddress || address.Port != 0 {
		return h, fault.Invalid("order: %.64q is no address", t.Address)
	}
	h = scan.HostTarget{Address: address.Addr, Ports: t.Ports, Explicit: t.Explicit}
	for _, name := range t.Names {
		if err := checkName(name); err != nil {
			return h, err
		}
		h.Names = append(h.Names, name)
	}
	for _, text := range t.URLs {
		u, err := scan.ParseTarget(text)
		if err != nil {
			return h, err
		}
		if u.Kind != scan.KindURL {
			return h, fault.Invalid("order: %.64q is no URL", text)
		}
		h.URLs = append(h.URLs, u.URL)
	}
	for _, w := range t.Web {
		if err := w.check(); err != nil {
			return h, err
		}
		h.Web = append(h.Web, scan.WebPort(w))
	}
	return h, nil
}

func checkName(name string) error {
	t, err := scan.ParseTarget(name)
	if err != nil {
		return err
	}
	if t.Kind != scan.KindName || t.Name != name {
		return fault.Invalid("order: %.64q is no host name", name)
	}
	return nil
}

// check tries the URL that a web scanner will make of it.
func (w OrderWeb) check() error {
	host := w.Name
	if host == "" {
		host = "192.0.2.1"
	} else if err := checkName(host); err != nil {
		return err
	}
	if w.Port == 0 || w.Path != "" && w.Path[0] != '/' {
		return fault.Invalid("order: port %d, path %.64q of a web server", w.Port, w.Path)
	}
	_, err := scan.ParseTarget("http://" + host + w.Path)
	return err
}

// Outcome is how a run of a tool ended, beside its raw report. That the tool failed is an outcome, not an error.
type Outcome struct {
	Status   string    `json:"status" enum:"completed,failed,cancelled" example:"completed"`
	Error    string    `json:"error,omitempty" maxLength:"4096"`
	Version  string    `json:"version,omitempty" maxLength:"200" example:"7.93"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	// Report is the SHA-256 of the raw report as the server keeps it, "" when there is none. Only the server fills it in.
	Report string `json:"report,omitempty" readOnly:"true"`
}

// Hello is how a worker says what it can do.
type Hello struct {
	Name     string      `json:"name" minLength:"1" maxLength:"120" example:"scanner-1/4711" doc:"one process; two must not have the same"`
	Version  string      `json:"version,omitempty" maxLength:"100" example:"1.0.0"`
	Capacity int         `json:"capacity" minimum:"1" maximum:"64" example:"2" doc:"tools that it runs at one time"`
	Scanners []HelloTool `json:"scanners" maxItems:"32"`
}

// HelloTool is one scanner of a worker.
type HelloTool struct {
	Name     string `json:"name" minLength:"1" maxLength:"63" example:"nmap"`
	Version  string `json:"version,omitempty" maxLength:"200" example:"7.93"`
	Error    string `json:"error,omitempty" maxLength:"1000" doc:"why it cannot run there"`
	Parallel int    `json:"parallel" minimum:"1" maximum:"64" example:"2" doc:"of it at one time"`
}

// Welcome is what the server answers.
type Welcome struct {
	Site      string `json:"site" example:"branch-office" doc:"whose tasks the token leases"`
	BeatMS    int64  `json:"beat_ms" example:"1000" doc:"how often a job that runs is to be beaten for"`
	MaxReport int64  `json:"max_report" example:"536870912" doc:"bytes of one raw report"`
}

// Ask asks for a job.
type Ask struct {
	Worker   string   `json:"worker" minLength:"1" maxLength:"120" example:"scanner-1/4711" doc:"the name that said hello"`
	Scanners []string `json:"scanners" minItems:"1" maxItems:"32" doc:"for which there is room" example:"[\"native\"]"`
	WaitMS   int64    `json:"wait_ms,omitempty" minimum:"0" maximum:"25000" example:"20000" doc:"how long to wait for one"`
}

// Leased is the answer.
type Leased struct {
	Job *Lease `json:"job" doc:"null when there was none in time"`
}

// Lease is a job that the worker holds until it finishes, hands it back or falls silent.
type Lease struct {
	ID    int64 `json:"id" example:"12"`
	Fence int64 `json:"fence" example:"3" doc:"to be named with everything that is said of the job"`
	Scan  int64 `json:"scan_id" example:"7"`
	Order Order `json:"order"`
}

// Pulse says that a job is worked on.
type Pulse struct {
	Fence   int64   `json:"fence" minimum:"1" example:"3"`
	Percent float64 `json:"percent" minimum:"0" maximum:"100" example:"42.5"`
	Stage   string  `json:"stage,omitempty" maxLength:"100" example:"services"`
}

// PulseAnswer says what is wanted.
type PulseAnswer struct {
	Cancel bool `json:"cancel" doc:"the tool is to be ended"`
}

// Done ends a job.
type Done struct {
	Fence   int64   `json:"fence" minimum:"1" example:"3"`
	Outcome Outcome `json:"outcome"`
}

// Fence names the hold of a job.
type Fence struct {
	Fence int64 `json:"fence" minimum:"1" example:"3"`
}

// Farewell says that a worker ends.
type Farewell struct {
	Worker string `json:"worker" minLength:"1" maxLength:"120" example:"scanner-1/4711"`
}
