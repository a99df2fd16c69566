package nessus

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// host is what a report says of one host besides its items.
type host struct {
	address  netip.Addr
	names    []string
	label    string // what it is called where that is neither an address nor a name on the network: an agent's "Ann's laptop"
	url      string // of a web application scan
	macs     []string
	os       string
	cpes     []string
	start    time.Time
	end      time.Time // zero: not scanned to the end
	policy   string
	login    login
	dead     bool
	scanned  bool // a plugin summed up the scan: it ended, and the report was not filtered
	broken   bool // something on the host stopped answering meanwhile
	told     bool // HostSeen is out
	services services
}

// maxNames and maxCPEs bound what one host may call itself.
const (
	maxNames = 32
	maxCPEs  = 64
)

// call takes an address, a name or a URL by which the report calls the host.
func (h *host) call(text string) {
	text = strings.TrimSpace(text)
	if strings.Contains(text, "://") {
		if u, err := url.Parse(text); err == nil && u.Hostname() != "" && len(text) < 2<<10 {
			h.url = text
			h.call(u.Hostname())
		}
		return
	}
	if addr, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		if !h.address.IsValid() && !addr.IsUnspecified() {
			h.address = addr.Unmap()
		}
		return
	}
	name := hostName(text)
	if name != "" && len(h.names) < maxNames && !slices.Contains(h.names, name) {
		h.names = append(h.names, name)
	}
	if name == "" && h.label == "" {
		h.label = labelOf(text)
	}
}

// labelOf is a label as a host's name: in one word, "" where it holds what cannot be printed.
func labelOf(s string) string {
	s = asset.NameValue(strings.Join(strings.Fields(s), "_"))
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return s
}

// hostName is the name in the form that identifies a host, "" when it is none. A NetBIOS name may come with its domain.
func hostName(s string) string {
	if i := strings.LastIndexByte(s, '\\'); i >= 0 {
		s = s[i+1:]
	}
	t, err := scan.ParseTarget(strings.ToLower(s))
	if err != nil || t.Kind != scan.KindName || t.Port != 0 {
		return ""
	}
	return t.Name
}

// property takes a <tag> of HostProperties.
func (h *host) property(name, text string) {
	switch name {
	case "host-ip":
		h.address = netip.Addr{} // surer than the name of the host element
		h.call(text)
	case "host-fqdn", "netbios-name", "hostname":
		h.call(text)
	case "mac-address":
		for word := range strings.FieldsSeq(text) {
			h.mac(word)
		}
	case "operating-system":
		h.os = intake.Cut(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), " or "), 255)
	case "HOST_START_TIMESTAMP", "HOST_START":
		h.start = later(h.start, when(text), name)
	case "HOST_END_TIMESTAMP", "HOST_END":
		h.end = later(h.end, when(text), name)
	case "policy-used":
		if h.policy == "" { // the report's own tells more than a name
			h.policy = intake.Cut(oneLine(text), 200)
		}
	case "Credentialed_Scan":
		h.login = notLoggedIn
		if strings.EqualFold(strings.TrimSpace(text), "true") {
			h.login = loggedIn
		}
	default:
		if strings.HasPrefix(name, "cpe") {
			h.cpe(text)
		}
	}
}

// later prefers the time stamp, which has a zone, to the text, which is in the scanner's and does not say so.
func later(have, said time.Time, name string) time.Time {
	if have.IsZero() || !said.IsZero() && strings.HasSuffix(name, "_TIMESTAMP") {
		return said
	}
	return have
}

// docker begins the addresses of bridges that every host with Docker has, the same on many.
const docker = "02:42:"

func (h *host) mac(text string) {
	mac, err := net.ParseMAC(strings.Trim(text, ",;"))
	if err != nil || len(mac) != 6 || len(h.macs) >= 16 {
		return
	}
	s := mac.String()
	if s != "00:00:00:00:00:00" && !strings.HasPrefix(s, docker) && !slices.Contains(h.macs, s) {
		h.macs = append(h.macs, s)
	}
}

// cpe keeps the names of operating systems and hardware: "cpe:/o:linux:linux_kernel -> Linux Kernel". Applications are
// no part of a host, and which port they answer at is not said.
func (h *host) cpe(text string) {
	name, _, _ := strings.Cut(text, "->")
	n, err := cpe.Parse(strings.TrimSpace(name))
	if err != nil || n.Product().Part == 'a' || len(h.cpes) >= maxCPEs {
		return
	}
	if s := n.String(); !slices.Contains(h.cpes, s) {
		h.cpes = append(h.cpes, s)
	}
}

// times are the ways in which Nessus, Tenable.io and Tenable.sc write one.
var times = []string{time.ANSIC, time.RFC3339Nano, "Jan 2, 2006 15:04:05 MST", "2006-01-02 15:04:05", "2006-01-02", "2006/01/02"}

func when(text string) time.Time {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 && n < 1<<40 {
		if n > 1<<34 { // milliseconds
			n /= 1000
		}
		return time.Unix(n, 0).UTC()
	}
	for _, layout := range times {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 1990 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// at is the time of all that is said of the host.
func (h *host) at() time.Time {
	if h.end.IsZero() {
		return h.start
	}
	return h.end
}

// key tells hosts apart.
func (h *host) key() hostKey {
	if h.address.IsValid() || len(h.names) == 0 {
		return hostKey{address: h.address}
	}
	return hostKey{name: h.names[0]}
}

// named says whether the host can be told from others. One that has nothing else goes by its label.
func (h *host) named() bool {
	if !h.address.IsValid() && len(h.names) == 0 && h.label != "" {
		h.names = []string{h.label}
	}
	return h.address.IsValid() || len(h.names) > 0
}

func (h *host) origin() origin {
	o := origin{address: h.address, at: h.at(), policy: h.policy, login: h.login}
	if !h.address.IsValid() && len(h.names) > 0 {
		o.name = h.names[0]
	}
	return o
}

func (h *host) event() finding.Event {
	seen := &finding.HostSeen{Address: h.address, Names: h.names, Status: string(asset.Up), Reason: "scanned by Nessus", OS: h.os,
		CPEs: h.cpes, At: h.at()}
	if len(h.macs) == 1 { // of several nobody knows which one is on this link
		seen.MAC = h.macs[0]
	}
	if h.dead {
		seen.Status, seen.Reason = string(asset.Down), "Nessus considers it dead"
	}
	return finding.Event{Host: seen}
}

// coverage is what the scan of this host lets us close, nothing unless it ran to its end.
func (h *host) coverage() []finding.Coverage {
	if h.dead || h.broken || !h.scanned || h.end.IsZero() || h.policy == "" || !h.named() {
		return nil
	}
	from := h.origin()
	c := finding.Coverage{Sensor: Name, Address: from.address, HostName: from.name, Policy: h.policy, At: from.at}
	if h.login != loggedIn {
		return []finding.Coverage{c}
	}
	inside := c
	inside.Policy += withLogin
	return []finding.Coverage{c, inside}
}

// hear takes what plugins that say something of the scan itself tell of the host.
func (h *host) hear(it *item) {
	switch it.plugin {
	case "10180": // Ping the remote host
		h.dead = h.dead || says(it.output, "considered as dead", "considered dead")
	case "19506": // Nessus Scan Information
		h.scanned = true
		h.broken = h.broken || says(it.output, "scan duration : unknown")
		if h.login == loginUnknown && says(it.output, "credentialed checks : yes") {
			h.login = loggedIn
		}
	case "98000": // Scan Information, of a web application scan
		h.scanned = true
	case "10919": // Open Port Re-check: it fires when a port has closed while the host was scanned
		h.broken = true
	}
}
