package assess

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// report is what one sensor says in one run, sorted by host.
type report struct {
	sensor        string
	hosts         map[string]*hostReport
	order         []string
	records       int
	informational int
	dropped       finding.Ledger // its Dropped only
	newest        time.Time
	statements    []finding.Statement

	nameless     string // the host of records that name none
	usedNameless bool

	size  int // bytes of events in memory, about
	spool *spool
	blind bool // its coverage does not count
}

// hostReport is what one sensor says of one host.
type hostReport struct {
	address  netip.Addr
	names    []string
	mac      string
	sshKeys  map[uint16]string // by port
	status   string
	reason   string
	os       string
	cpes     []string
	observed int  // observations, wherever they are
	covered  bool // the report says what it looked at here

	said           // what is in memory of it
	blocks []block // what is in the spool of it

	matched []serviceMatch // of services, in their order
	unasked int            // observations that are left out since the catalogue failed
}

// said is what a report says is at a host, in the order of the report.
type said struct {
	Services     []finding.ServiceSeen
	Observations []finding.Observation
	Coverage     []finding.Coverage
}

func newReport(sensor string) *report {
	return &report{sensor: sensor, hosts: map[string]*hostReport{}}
}

// time is when the report was made: its newest event, since a report speaks for its end; otherwise when it has no
// times.
// Looks and sightings of one report must not differ by seconds, or a service would be missed by its own scan.
func (r *report) time(otherwise, now time.Time) time.Time {
	at := r.newest
	if at.IsZero() {
		at = otherwise
	}
	if at.After(now.Add(24 * time.Hour)) {
		at = now // a clock that is wrong by more than a day must not decide for years to come
	}
	return at.UTC().Truncate(time.Millisecond)
}

func (r *report) coverNothing() {
	r.blind = true
	for _, h := range r.hosts {
		h.covered = false
	}
}

func (r *report) drop(reason string, n int) {
	r.records += n
	r.dropped.Drop(reason, n)
}

// take sorts an event in. Every event but HostSeen and Coverage is a record (a Drop is Count of them).
func (r *report) take(e finding.Event) error {
	switch {
	case e.Host != nil:
		r.takeHost(*e.Host)
	case e.Service != nil:
		r.takeService(*e.Service)
	case e.Observation != nil:
		r.takeObservation(*e.Observation)
	case e.Coverage != nil:
		r.takeCoverage(*e.Coverage)
	case e.Drop != nil && e.Drop.Informational:
		r.records += e.Drop.Count
		r.informational += e.Drop.Count
	case e.Drop != nil:
		r.drop(finding.Cut(e.Drop.Reason, maxWord), e.Drop.Count)
	case e.Statement != nil:
		r.takeStatement(*e.Statement)
	}
	if r.size < maxHeld {
		return nil
	}
	return r.spill()
}

// takeStatement keeps what a VEX document says; it is a record that holds no finding.
func (r *report) takeStatement(e finding.Statement) {
	r.records++
	switch {
	case len(e.Products) == 0:
		r.dropped.Drop("a VEX statement without a product", 1)
	case len(r.statements) >= maxStatements:
		r.dropped.Drop("more VEX statements than can be kept", 1)
	case len(e.Products) > maxProducts || len(e.Parts) > maxProducts:
		r.dropped.Drop("a VEX statement of more products than can be kept", 1)
	default:
		r.informational++
		e.Products, e.Parts = cutAll(e.Products), cutAll(e.Parts)
		e.Reason, e.Author = finding.Cut(e.Reason, maxShort), finding.Cut(e.Author, maxWord)
		r.statements = append(r.statements, e)
	}
}

func (r *report) takeHost(e finding.HostSeen) {
	name := ""
	if len(e.Names) > 0 {
		name = e.Names[0]
	}
	h := r.host(e.Address, name, e.At)
	if h == nil {
		return
	}
	for _, n := range e.Names {
		if n = asset.NameValue(n); n != "" && !slices.Contains(h.names, n) && len(h.names) < maxNames {
			h.names = append(h.names, n)
		}
	}
	keep(&h.mac, finding.Cut(e.MAC, maxWord))
	h.addKey(0, e.SSHKey)
	keep(&h.os, finding.Cut(e.OS, maxShort))
	h.addCPEs(e.CPEs)
	if h.answered() {
		return
	}
	h.status, h.reason = string(asset.Unknown), finding.Cut(e.Reason, maxShort)
	if status := asset.HostStatus(e.Status); status == asset.Up || status == asset.Down {
		h.status = e.Status
	}
}

func (r *report) takeService(e finding.ServiceSeen) {
	r.records++
	h := r.host(e.Address, e.HostName, e.At)
	switch {
	case h == nil:
		r.dropped.Drop("names no host", 1)
		return
	case e.Port == 0 || !knownProtocol(e.Protocol):
		r.dropped.Drop("a service without port or protocol", 1)
		return
	}
	h.status = string(asset.Up)
	h.addKey(e.Port, e.SSHKey)
	e.Banner = finding.Cut(e.Banner, maxShort)
	for _, s := range []*string{&e.Name, &e.Product, &e.Version, &e.Extra, &e.Backport} {
		*s = finding.Cut(*s, maxWord)
	}
	e.CPEs = clean(e.CPEs)
	h.Services = append(h.Services, e)
	r.size += 300 + len(e.Banner) + len(e.Product) + 80*len(e.CPEs)
}

func (r *report) takeObservation(e finding.Observation) {
	r.records++
	h := r.host(e.Address, e.HostName, e.At)
	switch {
	case h == nil:
		r.dropped.Drop("names no host", 1)
		return
	case e.Port != 0 && !knownProtocol(e.Protocol):
		r.dropped.Drop("a port without protocol", 1)
		return
	case e.Check == "":
		r.dropped.Drop("names no check", 1)
		return
	}
	h.status = string(asset.Up)
	e.Output = intake.MaskText(finding.Cut(e.Output, finding.MaxText)) // now, so that a report of many does not fill memory
	e.Location = intake.MaskText(e.Location)
	e.CVEs = slices.Clone(e.CVEs)
	if len(e.CVEs) == 0 && e.Compliance == nil {
		e.CVEs = finding.CVEsIn(finding.Cut(e.Title, maxShort))
	}
	slices.Sort(e.CVEs)
	e.CVEs = slices.Compact(e.CVEs)
	e.Check, e.Component = finding.Cut(e.Check, maxShort), finding.Cut(e.Component, maxWord)
	if e.CWEs = slices.Clone(e.CWEs); len(e.CWEs) > maxCPEs {
		e.CWEs = e.CWEs[:maxCPEs]
	}
	e.References = clean(e.References)
	h.Observations = append(h.Observations, e)
	h.observed++
	r.size += 500 + len(e.Output) + len(e.Title) + len(e.Remedy) + len(e.Location) + 80*len(e.References) + 8*len(e.CVEs)
}

func (r *report) takeCoverage(e finding.Coverage) {
	h := r.host(e.Address, e.HostName, e.At)
	if h == nil || !knownProtocol(e.Protocol) && (e.Policy == "" || e.Protocol != "") {
		return
	}
	checks := make([]string, 0, len(e.Checks))
	for _, c := range e.Checks {
		checks = append(checks, strings.ReplaceAll(finding.Cut(c, maxShort), "\n", " ")) // the store keeps one a line
	}
	e.Checks, e.Ports, e.Policy = checks, slices.Clone(e.Ports), finding.Cut(e.Policy, maxWord)
	h.Coverage = append(h.Coverage, e)
	h.covered = true
	r.size += 200 + 4*len(e.Ports)
	for _, c := range checks {
		r.size += 16 + len(c)
	}
}

func knownProtocol(p string) bool { return p == "tcp" || p == "udp" }

// Limits on what one report may say of one host.
const (
	maxNames = 64
	maxCPEs  = 64
	maxKeys  = 16
	maxWord  = 255
	maxShort = 1 << 10

	maxStatements = 100_000
	maxProducts   = 10_000 // of one VEX statement
)

// host finds the part of the report about a host; nil when the event names none.
func (r *report) host(address netip.Addr, name string, at time.Time) *hostReport {
	if at.After(r.newest) {
		r.newest = at
	}
	key := ""
	switch name = asset.NameValue(name); {
	case address.IsValid():
		address = asset.Unfold(address)
		if asset.NameValue(address.Zone()) == "" {
			address = address.WithZone("") // a zone is free text
		}
		key = address.String()
	case name != "":
		key = "name " + name
	case r.nameless != "":
		r.usedNameless = true
		return r.host(netip.Addr{}, r.nameless, at)
	default:
		return nil
	}
	h := r.hosts[key]
	if h == nil {
		h = &hostReport{address: address, status: string(asset.Unknown)}
		if !address.IsValid() {
			h.names = []string{name}
		}
		r.hosts[key] = h
		r.order = append(r.order, key)
	}
	return h
}

// addKey notes an SSH host key. The one that the report calls the host's, without a port, is forgotten when a service
// turns out to have it.
func (h *hostReport) addKey(port uint16, key string) {
	if key = finding.Cut(key, maxWord); key == "" || len(h.sshKeys) >= maxKeys {
		return
	}
	if h.sshKeys == nil {
		h.sshKeys = map[uint16]string{}
	}
	h.sshKeys[port] = key
	for p, k := range h.sshKeys {
		if p != 0 && k == h.sshKeys[0] {
			delete(h.sshKeys, 0)
			return
		}
	}
}

func (h *hostReport) addCPEs(cpes []string) {
	for _, c := range clean(cpes) {
		if len(h.cpes) < maxCPEs && !slices.Contains(h.cpes, c) {
			h.cpes = append(h.cpes, c)
		}
	}
}

func cutAll(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = finding.Cut(n, maxShort)
	}
	return out
}

// clean copies a list of CPEs, without what is absurdly long.
func clean(cpes []string) (out []string) {
	for _, c := range cpes {
		if len(c) <= maxShort && len(out) < maxCPEs {
			out = append(out, finding.Cut(c, maxShort))
		}
	}
	return out
}

func (h *hostReport) sighting(site, sensor string, at time.Time) asset.Sighting {
	return asset.Sighting{Site: site, Address: h.address, Names: h.names, SSHKeys: h.sshKeys, MAC: h.mac, Sensor: sensor, At: at}
}

// answered says whether the host is worth an entry in the estate.
func (h *hostReport) answered() bool { return h.status == string(asset.Up) }

// key is the host in the run's tally.
func (h *hostReport) key() string {
	if h.address.IsValid() {
		return h.address.String()
	}
	return h.names[0]
}

// said is what the sensor says of a service, for the estate.
func (r *report) said(s finding.ServiceSeen, m serviceMatch, scan int64, at time.Time) asset.Said {
	return asset.Said{Sensor: r.sensor, Scan: scan, At: at, Name: s.Name, Product: s.Product, Version: s.Version, CPEs: s.CPEs,
		TLS: s.TLS, Banner: s.Banner, Backport: s.Backport, Guessed: s.Guessed, Candidates: m.candidates}
}

func keep(field *string, value string) {
	if *field == "" {
		*field = value
	}
}
