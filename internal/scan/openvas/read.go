package openvas

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// Read turns a report into events: XML as GMP, the web interface and gvm-cli give it, alone or several in a row, or CSV.
// Results come before the facts of their hosts, as in the report; coverage comes last, and only when the report is
// whole.
func (*Scanner) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	head, whole := intake.Head(raw)
	s := &sink{ctx: ctx, emit: emit, known: map[hostKey]bool{}}
	switch {
	case len(head) == 0:
		if _, err := whole.Peek(1); err != nil && err != io.EOF {
			return fmt.Errorf("read openvas report: %w", err)
		}
		return fmt.Errorf("openvas %w: it is empty", scan.ErrTruncated)
	case head[0] == '<':
		return readXML(s, whole)
	}
	return readCSV(s, whole)
}

// hostKey is a host as a report names it: by address, or by name when that is no address.
type hostKey struct {
	addr netip.Addr
	name string
}

func (k hostKey) compare(other hostKey) int {
	return cmp.Or(k.addr.Compare(other.addr), cmp.Compare(k.name, other.name))
}

// sink emits what a report says and remembers which hosts were told.
type sink struct {
	ctx   context.Context
	emit  func(finding.Event) error
	known map[hostKey]bool // hosts that were emitted; true where their facts were, too
}

// host emits a host before what was seen on it.
func (s *sink) host(key hostKey, names []string, at time.Time) error {
	if _, met := s.known[key]; met {
		return nil
	}
	s.known[key] = false
	return s.emit(finding.Event{Host: &finding.HostSeen{Address: key.addr, Names: withName(key, names), Status: string(asset.Up),
		Reason: reasonUp, At: at}})
}

// reasonUp is how we know that a host answered.
const reasonUp = "has results"

// withName puts the name by which a host without an address is known first.
func withName(key hostKey, names []string) []string {
	var out []string
	if key.name != "" {
		out = append(out, key.name)
	}
	for _, n := range names {
		if n = hostName(n); n != "" && n != key.name {
			out = append(out, n)
		}
	}
	return out
}

// drop accounts for one record that is no finding.
func (s *sink) drop(reason string, informational bool) error {
	return s.emit(finding.Event{Drop: &finding.Drop{Reason: reason, Count: 1, Informational: informational}})
}

// keyOf reads what a report gives for a host; ok is false for what is neither address nor name.
func keyOf(text string) (key hostKey, ok bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return hostKey{addr: addr.Unmap()}, true
	}
	name := hostName(text)
	return hostKey{name: name}, name != ""
}

// hostName is a name fit for a host, "" when the text is none. Underscores and single words are names in Windows networks.
func hostName(text string) string {
	text = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(text)), ".")
	if text == "" || len(text) > 253 || text[0] == '-' || text[0] == '.' {
		return ""
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return ""
	}
	for _, r := range text {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-', r == '.', r == '_', r > 0x7f && r != '�':
		default:
			return ""
		}
	}
	return text
}

// layouts are the dialects' times: RFC 3339 since OpenVAS 5, C's before.
var layouts = []string{time.RFC3339, time.ANSIC, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.UnixDate, "2006-01-02T15:04Z07:00"}

// timeOf reads a time; what is none, or absurd, is no time.
func timeOf(text string) time.Time {
	if len(text) > 64 {
		return time.Time{}
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 1990 && t.Year() < 2200 {
			return t.UTC()
		}
	}
	return time.Time{}
}
