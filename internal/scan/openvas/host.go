package openvas

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// Of one host's facts that are kept.
const (
	maxNames = 32
	maxCPEs  = 128
)

// facts are what a report's <host> says of one host.
type facts struct {
	finding.HostSeen
	ip    string
	start time.Time
	end   time.Time
	dead  bool
	heard bool // a detail that only a host that answers has
	osCPE string
	apps  []string
	port  int // of SSHKey
}

// hostFacts reads one <host> of the report, which comes behind the results.
func (d *document) hostFacts() error {
	d.Record()
	f := facts{}
	text, err := d.TextWith(func(e xml.StartElement) error { return d.hostPart(&f, e) })
	d.Done()
	if err != nil {
		return err
	}
	key, ok := keyOf(firstOf(f.ip, text))
	if !ok {
		return nil // no record: only the facts of nobody are lost
	}
	return d.describe(key, &f)
}

func (d *document) describe(key hostKey, f *facts) error {
	if end, apart := d.ends[key]; apart && f.end.IsZero() {
		f.end = end
	}
	_, met := d.known[key]
	h := f.HostSeen
	h.Address, h.Names, h.CPEs = key.addr, withName(key, f.Names), f.cpes()
	h.Status, h.Reason = string(asset.Unknown), "no result and no detail"
	switch {
	case met:
		h.Status, h.Reason = string(asset.Up), reasonUp
	case f.dead:
		h.Status, h.Reason = string(asset.Down), "OpenVAS found it dead"
	case f.heard:
		h.Status, h.Reason = string(asset.Up), "told about itself"
	}
	h.At = firstTime(f.end, d.now(), f.start)
	if met || h.Status == string(asset.Up) {
		d.known[key] = true
	}
	if !f.end.IsZero() && !f.dead && h.Status == string(asset.Up) {
		d.hosts = append(d.hosts, finding.Coverage{Sensor: Name, Address: key.addr, HostName: key.name, At: f.end})
	}
	return d.emit(finding.Event{Host: &h})
}

func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// hostEnd reads <host_end><host>192.0.2.1</host>2013-…</host_end>, which old dialects have instead of host/end.
func (d *document) hostEnd() error {
	host := ""
	text, err := d.TextWith(func(e xml.StartElement) (err error) {
		if e.Name.Local == "host" && host == "" {
			host, err = d.Text()
			return err
		}
		return d.Skip()
	})
	if err != nil {
		return err
	}
	key, ok := keyOf(host)
	end := timeOf(text)
	if !ok || end.IsZero() {
		return nil
	}
	d.ends[key] = end
	for i := range d.hosts {
		if d.hosts[i].Address == key.addr && d.hosts[i].HostName == key.name {
			return nil
		}
	}
	if _, met := d.known[key]; met {
		d.hosts = append(d.hosts, finding.Coverage{Sensor: Name, Address: key.addr, HostName: key.name, At: end})
	}
	return nil
}

func (d *document) hostPart(f *facts, e xml.StartElement) (err error) {
	var text string
	switch e.Name.Local {
	case "ip":
		f.ip, err = d.Text()
	case "hostname":
		text, err = d.Text()
		f.name(text)
	case "start":
		text, err = d.Text()
		f.start = timeOf(text)
	case "end":
		text, err = d.Text()
		f.end = timeOf(text)
	case "detail":
		return d.detail(f)
	default:
		return d.Skip()
	}
	return err
}

func (f *facts) name(text string) {
	if text = hostName(text); text != "" && len(f.Names) < maxNames && !slices.Contains(f.Names, text) {
		f.Names = append(f.Names, text)
	}
}

// detail reads <detail><name>App</name><value>cpe:/a:…</value>…</detail>.
func (d *document) detail(f *facts) error {
	var name, value string
	err := d.Each(func(e xml.StartElement) (err error) {
		switch e.Name.Local {
		case "name":
			name, err = d.Text()
			return err
		case "value":
			value, err = d.Text()
			return err
		}
		return d.Skip()
	})
	if err == nil {
		f.note(name, value)
	}
	return err
}

func (f *facts) note(name, value string) {
	switch {
	case name == "" || value == "":
		return
	case name == "Host dead":
		f.dead = value == "1"
		return
	case name == "best_os_cpe":
		f.osCPE = value
	case name == "best_os_txt":
		f.OS = intake.Cut(oneLine(value), 200)
	case name == "App":
		f.app(value)
	case strings.HasPrefix(name, "cpe:/a:"): // its value is the port
		f.app(name)
	case strings.EqualFold(name, "hostname"):
		f.name(value)
	case name == "MAC":
		if mac, err := net.ParseMAC(value); err == nil {
			f.MAC = mac.String()
		}
	case name == "ssh-key":
		f.sshKey(value)
	case name != "EXIT_CODE" && name != "OS" && name != "Services" && name != "ports" && name != "tcp_ports":
		return
	}
	f.heard = true
}

func (f *facts) app(text string) {
	if len(f.apps) < maxCPEs {
		f.apps = append(f.apps, text)
	}
}

// cpes are the names of the operating system and of what runs on it, in canonical form.
func (f *facts) cpes() []string {
	var out []string
	for _, text := range append([]string{f.osCPE}, f.apps...) {
		n, err := cpe.Parse(strings.TrimSpace(text))
		if err != nil {
			continue
		}
		if name := n.String(); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// sshKey reads "22 ssh-ed25519 AAAA…": the key of the lowest port is the host's own.
func (f *facts) sshKey(value string) {
	fields := strings.Fields(value)
	if len(fields) < 3 {
		return
	}
	port, err := strconv.Atoi(fields[0])
	blob, bad := base64.StdEncoding.DecodeString(fields[2])
	if err != nil || bad != nil || len(blob) < 32 || f.SSHKey != "" && port >= f.port {
		return
	}
	sum := sha256.Sum256(blob)
	f.SSHKey, f.port = "SHA256:"+base64.RawStdEncoding.EncodeToString(sum[:]), port
}
