package nmap

import (
	"maps"
	"slices"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

// emitHost turns one complete host into events: the host, its records in order, and its coverage for later.
func (d *document) emitHost(h *host) error {
	name := ""
	if !h.addr.IsValid() {
		if len(h.names) == 0 {
			return d.emitDrops(map[string]int{"host without an address or name": h.records()}, false)
		}
		name = h.names[0]
	}
	seen := h.seen()
	if err := d.emit(finding.Event{Host: &seen}); err != nil {
		return err
	}
	plain := map[string]int{}
	for i := range h.ports {
		if err := d.emitPort(h, &h.ports[i], name, plain); err != nil {
			return err
		}
	}
	for _, s := range h.scripts {
		if err := d.emitScript(s, finding.Observation{Address: h.addr, HostName: name, At: h.at}, "", plain); err != nil {
			return err
		}
	}
	if err := d.emitDrops(plain, true); err != nil {
		return err
	}
	if err := d.emitDrops(h.bad, false); err != nil {
		return err
	}
	d.cover(h, &seen)
	return nil
}

func (d *document) emitDrops(counts map[string]int, informational bool) error {
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		if counts[reason] == 0 {
			continue
		}
		drop := finding.Drop{Reason: reason, Count: counts[reason], Informational: informational}
		if err := d.emit(finding.Event{Drop: &drop}); err != nil {
			return err
		}
	}
	return nil
}

func (h *host) records() int {
	n := len(h.ports) + len(h.scripts)
	for _, p := range h.ports {
		n += len(p.scripts)
	}
	for _, count := range h.bad {
		n += count
	}
	return n
}

func (d *document) emitPort(h *host, p *port, name string, plain map[string]int) error {
	if p.state == "open" {
		s := p.seen(h, name)
		if err := d.emit(finding.Event{Service: &s}); err != nil {
			return err
		}
	} else {
		plain["port "+stateName(p.state)]++
	}
	for _, s := range p.scripts {
		at := finding.Observation{Address: h.addr, HostName: name, Protocol: p.protocol, Port: p.number, At: h.at}
		if err := d.emitScript(s, at, p.backport(), plain); err != nil {
			return err
		}
	}
	return nil
}

// stateName keeps hostile text out of the ledger's reasons.
func stateName(state string) string {
	switch state {
	case "closed", "filtered", "unfiltered", "open|filtered", "closed|filtered":
		return state
	}
	return "in an unknown state"
}

func (h *host) seen() finding.HostSeen {
	status, reason := h.answer()
	return finding.HostSeen{Address: h.addr, Names: h.names, MAC: h.mac, SSHKey: h.sshKey(), Status: string(status), Reason: reason,
		OS: h.osName(), CPEs: h.osCPEs(), At: h.at}
}

// answer says whether the host is there. Told not to ask (-Pn), nmap calls every host up; one of which no port
// answered is not known to exist, let alone to be clean.
func (h *host) answer() (asset.HostStatus, string) {
	switch {
	case h.status == "down":
		return asset.Down, said("did not answer", h.reason)
	case h.timedOut:
		return asset.Unknown, "nmap gave up on it (--host-timeout)"
	case h.status == "up" && h.reason != "user-set":
		return asset.Up, said("answered", h.reason)
	case slices.ContainsFunc(h.ports, func(p port) bool { return answers(p.state) }),
		slices.ContainsFunc(h.extra, func(x extra) bool { return answers(x.state) }):
		return asset.Up, "answered on a port"
	case h.status == "up" && !h.scanned:
		return asset.Unknown, "nmap was told to take it for up and scanned no port"
	case h.status == "up":
		return asset.Unknown, "no port answered, and nmap was told not to ask whether the host is up"
	}
	return asset.Unknown, "nmap could not tell whether it is up"
}

// said adds nmap's reason, which its first versions did not write.
func said(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

// answers says that a packet came back from a port in this state.
func answers(state string) bool { return state == "open" || state == "closed" || state == "unfiltered" }

// sshKey is the key of the SSH server on the lowest port: the host's own, not that of a container behind a higher one.
func (h *host) sshKey() string {
	best, key := 1<<16, ""
	for i := range h.ports {
		if p := &h.ports[i]; p.state == "open" && int(p.number) < best {
			if k := p.sshKey(); k != "" {
				best, key = int(p.number), k
			}
		}
	}
	return key
}

// cover remembers what a host's silence means something for: the ports scanned, less those that did not answer. A
// version of nmap that counts filtered ports without naming them covers only the ports it lists.
func (d *document) cover(h *host, seen *finding.HostSeen) {
	if seen.Status != string(asset.Up) || !h.scanned || h.timedOut || !h.addr.IsValid() {
		return
	}
	for _, protocol := range []string{"tcp", "udp"} {
		ports := d.covered(h, protocol)
		if len(ports) > 0 {
			d.coverage = append(d.coverage, finding.Coverage{Sensor: Name, Address: h.addr, Protocol: protocol, Ports: ports,
				Checks: d.checks(h), At: h.at})
		}
	}
}

func (d *document) covered(h *host, protocol string) []finding.PortRange {
	var answered, silent []finding.PortRange
	for _, p := range h.ports {
		if p.protocol == protocol {
			r := finding.PortRange{First: p.number, Last: p.number}
			if answers(p.state) {
				answered = append(answered, r)
			} else {
				silent = append(silent, r)
			}
		}
	}
	for _, x := range h.extra {
		if x.ports == nil && !answers(x.state) {
			return scan.MergePorts(answered)
		}
		if !answers(x.state) {
			silent = append(silent, x.ports[protocol]...)
		}
	}
	return scan.SubtractPorts(d.ports[protocol], silent)
}

// checks lists the scripts known to have run to their end on the host, nil for none. One that broke at a port, or could
// not tell, has not looked.
func (d *document) checks(h *host) []string {
	var ids []string
	undone := map[string]bool{}
	add := func(id string) {
		if check := checkID(id); !slices.Contains(ids, check) && len(ids) < 200 {
			ids = append(ids, check)
		}
	}
	ran := func(s script) {
		add(s.id)
		if s.undone() {
			undone[checkID(s.id)] = true
		}
	}
	for _, id := range d.scripts {
		add(id)
	}
	for _, s := range h.scripts {
		ran(s)
	}
	for _, p := range h.ports {
		for _, s := range p.scripts {
			ran(s)
		}
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return undone[id] })
	slices.Sort(ids)
	return ids
}
