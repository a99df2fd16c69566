package asset

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Sighting is what a report says of one host, as far as it helps to find the host again.
type Sighting struct {
	Site    string
	Address netip.Addr // invalid when the report has only a name
	Names   []string
	SSHKeys map[uint16]string // by port; 0 where the report does not say
	MAC     string
	Sensor  string
	At      time.Time // the report's time
	Since   time.Time `json:"since,omitzero"` // when the scan began whose parts are reported one by one; zero is At
}

// Known finds hosts of one site by what they were seen with, the one seen last first.
type Known interface {
	Holding(site string, kind IdentifierKind, value string) []*Host
}

// Resolve returns the host that was sighted, nil when it is a new one (design decision 2):
//
//   - (site, address) finds the host, unless its strong identifiers contradict: then it is another host;
//   - an SSH host key finds a host that moved or answers on its other address family too. Two addresses of one family
//     that answer in the same report stay two hosts, since clones share keys and a person can merge what a rule cannot
//     split;
//   - a report with only a name finds the host that holds the name.
//
// Anything weaker is a new host.
func Resolve(known Known, s Sighting) *Host {
	if !s.Address.IsValid() {
		return byName(known, s)
	}
	for _, h := range known.Holding(s.Site, Address, AddressValue(s.Address)) {
		if !contradicts(h, s) {
			return h
		}
	}
	for _, port := range slices.Sorted(maps.Keys(s.SSHKeys)) {
		for _, h := range known.Holding(s.Site, SSHKey, s.SSHKeys[port]) {
			if !contradicts(h, s) && !answersElsewhere(h, s) {
				return h
			}
		}
	}
	return nil
}

func byName(known Known, s Sighting) *Host {
	for _, name := range s.Names {
		if found := known.Holding(s.Site, Name, NameValue(name)); len(found) > 0 {
			return found[0]
		}
	}
	return nil
}

// contradicts says whether the strong identifiers of a kind tell h and s apart: the same sensor saw another value in
// the same place, and none of the values agrees. Other sensors' words and other ports do not count: a server has a key
// for each algorithm, and a container on another port has its own.
func contradicts(h *Host, s Sighting) bool {
	for _, kind := range []IdentifierKind{SSHKey, MAC} {
		differs, agrees := false, false
		for _, strong := range s.strong() {
			if strong.Kind != kind {
				continue
			}
			for _, id := range h.Identifiers {
				agrees = agrees || id.Kind == kind && id.Value == strong.Value
				differs = differs || id.Kind == kind && id.Source == strong.Source && id.Value != strong.Value
			}
		}
		if differs && !agrees {
			return true
		}
	}
	return false
}

// answersElsewhere says whether h was seen in this very report, or another part of this scan, at another address of the same family.
func answersElsewhere(h *Host, s Sighting) bool {
	for _, id := range h.Identifiers {
		if id.Kind != Address || id.Source != s.Sensor || !id.LastSeen.Equal(s.At) && (s.Since.IsZero() || id.LastSeen.Before(s.Since)) {
			continue
		}
		a, err := netip.ParseAddr(id.Value)
		if err == nil && a.Is4() == s.Address.Unmap().Is4() {
			return true
		}
	}
	return false
}

// Identifiers lists what the sighting says, in canonical form.
func (s Sighting) Identifiers() []Identifier {
	var out []Identifier
	add := func(kind IdentifierKind, value, source string) {
		if value == "" || slices.ContainsFunc(out, func(id Identifier) bool { return id.Kind == kind && id.Value == value && id.Source == source }) {
			return
		}
		out = append(out, Identifier{Kind: kind, Value: value, Source: source, FirstSeen: s.At, LastSeen: s.At})
	}
	if s.Address.IsValid() {
		add(Address, AddressValue(s.Address), s.Sensor)
	}
	for _, strong := range s.strong() {
		add(strong.Kind, strong.Value, strong.Source)
	}
	for _, name := range s.Names {
		if _, err := netip.ParseAddr(name); err != nil {
			add(Name, NameValue(name), s.Sensor)
		}
	}
	return out
}

// strong lists the strong identifiers; the source of an SSH key names its port.
func (s Sighting) strong() []Identifier {
	var out []Identifier
	for _, port := range slices.Sorted(maps.Keys(s.SSHKeys)) {
		out = append(out, Identifier{Kind: SSHKey, Value: s.SSHKeys[port], Source: fmt.Sprintf("%s/%d", s.Sensor, port)})
	}
	if s.MAC != "" {
		out = append(out, Identifier{Kind: MAC, Value: strings.ToLower(s.MAC), Source: s.Sensor})
	}
	return out
}

// Note records a sighting on the host: its identifiers with their dates, the newest address, first and last seen. An
// older sighting adds what it knows and takes nothing back.
func (h *Host) Note(s Sighting) {
	if s.Address.IsValid() && (!h.Address.IsValid() || !s.At.Before(h.LastSeen)) {
		h.Address = Unfold(s.Address)
	}
	if h.FirstSeen.IsZero() || s.At.Before(h.FirstSeen) {
		h.FirstSeen = s.At
	}
	if s.At.After(h.LastSeen) {
		h.LastSeen = s.At
	}
	for _, id := range s.Identifiers() {
		h.note(id)
	}
}

func (h *Host) note(id Identifier) {
	for i := range h.Identifiers {
		old := &h.Identifiers[i]
		if old.Kind != id.Kind || old.Value != id.Value || old.Source != id.Source {
			continue
		}
		if id.FirstSeen.Before(old.FirstSeen) {
			old.FirstSeen = id.FirstSeen
		}
		if id.LastSeen.After(old.LastSeen) {
			old.LastSeen = id.LastSeen
		}
		return
	}
	h.Identifiers = append(h.Identifiers, id)
}

// Addresses lists the addresses of the host, the newest first.
func (h *Host) Addresses() []netip.Addr {
	var out []netip.Addr
	if h.Address.IsValid() {
		out = append(out, h.Address)
	}
	for _, value := range h.values(Address) {
		if a, err := netip.ParseAddr(value); err == nil && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// Names lists the DNS names of the host, the one seen last first.
func (h *Host) Names() []string { return h.values(Name) }

func (h *Host) values(kind IdentifierKind) []string {
	ids := slices.Clone(h.Identifiers)
	slices.SortStableFunc(ids, func(a, b Identifier) int {
		if c := b.LastSeen.Compare(a.LastSeen); c != 0 {
			return c
		}
		return strings.Compare(a.Value, b.Value)
	})
	var out []string
	for _, id := range ids {
		if id.Kind == kind && !slices.Contains(out, id.Value) {
			out = append(out, id.Value)
		}
	}
	return out
}

// Unfold turns an IPv4-mapped IPv6 address into the IPv4 address that it is; a zone stays.
func Unfold(a netip.Addr) netip.Addr { return a.Unmap() }

// AddressValue is how an address is written as an identifier.
func AddressValue(a netip.Addr) string { return Unfold(a).String() }

// maxName is the longest DNS name (RFC 1035, section 2.3.4).
const maxName = 253

// NameValue is how a DNS name is written as an identifier: lower case, no final dot, "" for what is no name.
func NameValue(name string) string {
	name = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
	if len(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f || r == utf8.RuneError }) {
		return ""
	}
	return name
}

// Index is a Known in memory. It is not safe for concurrent use.
type Index struct{ hosts map[indexKey][]*Host }

type indexKey struct {
	site  string
	kind  IdentifierKind
	value string
}

// Add makes a host findable by its identifiers; adding it again after a Note makes the new ones findable too.
func (x *Index) Add(h *Host) {
	if x.hosts == nil {
		x.hosts = map[indexKey][]*Host{}
	}
	for _, id := range h.Identifiers {
		key := indexKey{h.Site, id.Kind, id.Value}
		if !slices.Contains(x.hosts[key], h) {
			x.hosts[key] = append(x.hosts[key], h)
		}
	}
}

// Holding implements Known.
func (x *Index) Holding(site string, kind IdentifierKind, value string) []*Host {
	found := slices.Clone(x.hosts[indexKey{site, kind, value}])
	slices.SortStableFunc(found, func(a, b *Host) int {
		if c := b.held(kind, value).Compare(a.held(kind, value)); c != 0 {
			return c
		}
		return int(a.ID - b.ID)
	})
	return found
}

// held is when the host was last seen with an identifier.
func (h *Host) held(kind IdentifierKind, value string) (last time.Time) {
	for _, id := range h.Identifiers {
		if id.Kind == kind && id.Value == value && id.LastSeen.After(last) {
			last = id.LastSeen
		}
	}
	return last
}
