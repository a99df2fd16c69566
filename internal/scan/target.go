package scan

import (
	"encoding/binary"
	"math"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"github.com/patchscout/patchscout/internal/fault"
)

// MaxAddresses is how many addresses one scan may have. It is a /16: more is a mistyped prefix length more often than a
// wish, and a scan of it should be cut into several so that each can be stopped, repeated and compared.
const MaxAddresses = 65536

// maxTarget bounds what we look at: the longest host name has 253 bytes, the rest is for a URL's path.
const maxTarget = 2048

// Kind is what a target names.
type Kind string

// The kinds.
const (
	KindAddress Kind = "address" // 192.0.2.1, [2001:db8::1], 192.0.2.1:8080
	KindNetwork Kind = "network" // 192.0.2.0/24
	KindRange   Kind = "range"   // 192.0.2.1-192.0.2.20, 192.0.2.1-20, 192.0.0-2.1-20
	KindName    Kind = "name"    // www.example.org, www.example.org:8080
	KindURL     Kind = "url"     // https://www.example.org/path
)

// Target is one thing that the user asked to scan, understood and checked. The zero value names nothing.
type Target struct {
	Text string // as the user wrote it
	Kind Kind
	Addr netip.Addr // an address, or a URL's; IPv4-mapped unfolded, zone kept
	Name string     // host name: IDNA's ASCII form, lower case, no final dot
	Port uint16     // named with the target, or a URL's; 0 = none
	URL  string     // rebuilt from its parts, never the user's own spelling

	prefix      netip.Prefix
	first, last netip.Addr
	octets      [4]octets
	rooted      bool // the name had a final dot: no search list
}

// octets is one part of an IPv4 range as nmap writes it.
type octets struct{ first, last uint8 }

// ParseTarget reads an address, network, range, host name or http(s) URL. What it refuses is fault.Invalid and names the
// target: text that a tool could take for an option, other schemes, user names and passwords, numbers that
// could be read as octal, networks over MaxAddresses.
func ParseTarget(text string) (Target, error) {
	t, err := parse(text)
	if err == nil && t.Size() > MaxAddresses {
		return Target{}, fault.Invalid("target %s holds %s addresses and one scan takes at most %d: name smaller networks",
			quote(text), printSize(t.Size()), MaxAddresses)
	}
	return t, err
}

// ParseExclude reads what ParseTarget reads, of any size: leaving out 10.0.0.0/8 costs nothing.
func ParseExclude(text string) (Target, error) { return parse(text) }

func parse(text string) (Target, error) {
	if err := checkText(text); err != nil {
		return Target{}, err
	}
	t, reason := dispatch(text)
	if reason != "" {
		return Target{}, fault.Invalid("target %s: %s", quote(text), reason)
	}
	t.Text = text
	return t, nil
}

// checkText refuses what no target can contain, before anything is interpreted.
func checkText(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return fault.Invalid("target is empty")
	case len(text) > maxTarget:
		return fault.Invalid("target %s is longer than %d bytes", quote(text), maxTarget)
	case text[0] == '-':
		return fault.Invalid("target %s begins with \"-\": it looks like an option, not like a host", quote(text))
	}
	for _, r := range text {
		if r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune("|;&$`'\"<>(){}\\*!^,", r) {
			return fault.Invalid("target %s contains %q, which no target has", quote(text), r)
		}
	}
	return nil
}

// dispatch tells the forms apart by their punctuation. The second result is why not, "" when all is well.
func dispatch(text string) (Target, string) {
	switch {
	case strings.Contains(text, "://"):
		return parseURL(text)
	case strings.ContainsAny(text, "?#@"):
		return Target{}, "not an address, network, range, host name or http(s) URL"
	case strings.Contains(text, "/"):
		return parseNetwork(text)
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		return addressTarget(addr)
	}
	if first, last, ok := strings.Cut(text, "-"); ok && isRange(text) {
		return parseRange(text, first, last)
	}
	return parseHostPort(text)
}

func addressTarget(addr netip.Addr) (Target, string) {
	addr, reason := usable(addr)
	return Target{Kind: KindAddress, Addr: addr}, reason
}

// usable unfolds an IPv4-mapped address and refuses those that are no host.
func usable(addr netip.Addr) (netip.Addr, string) {
	zone := addr.Zone()
	addr = addr.Unmap()
	switch {
	case zone != "" && !isZone(zone):
		return netip.Addr{}, "not an interface name after %"
	case zone != "" && !addr.IsLinkLocalUnicast():
		return netip.Addr{}, "only link-local addresses have an interface after %"
	case addr.IsUnspecified():
		return netip.Addr{}, "the unspecified address is no host"
	case addr.IsMulticast():
		return netip.Addr{}, "a multicast address is no host"
	case addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return netip.Addr{}, "the broadcast address is no host"
	}
	return addr, ""
}

func isZone(zone string) bool {
	return len(zone) <= 15 && zone[0] != '-' && !strings.ContainsFunc(zone, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", r)
	})
}

func parseNetwork(text string) (Target, string) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return Target{}, "not a network: want ADDRESS/BITS without leading zeros, such as 192.168.1.0/24"
	}
	if addr := prefix.Addr(); addr.Is4In6() {
		if prefix.Bits() < 96 {
			return Target{}, "an IPv4-mapped network needs at least 96 bits"
		}
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	prefix = prefix.Masked()
	if prefix.IsSingleIP() {
		return addressTarget(prefix.Addr())
	}
	if prefix.Addr().IsMulticast() {
		return Target{}, "a multicast network holds no hosts"
	}
	return Target{Kind: KindNetwork, prefix: prefix}, ""
}

// isRange tells a range from a host name with a hyphen: an IPv4 range has no letters, an IPv6 one two whole addresses.
func isRange(text string) bool {
	first, last, _ := strings.Cut(text, "-")
	_, errA := netip.ParseAddr(first)
	_, errB := netip.ParseAddr(last)
	return errA == nil && errB == nil || strings.Trim(text, "0123456789.-") == ""
}

func parseRange(text, first, last string) (Target, string) {
	a, errA := netip.ParseAddr(first)
	b, errB := netip.ParseAddr(last)
	if errA == nil && errB == nil {
		return spanTarget(a, b)
	}
	parts := strings.Split(text, ".")
	if len(parts) != 4 {
		return Target{}, "not a range: want 10.0.0.1-10.0.0.20, 10.0.0.1-20 or 10.0.0-3.1-20"
	}
	t := Target{Kind: KindRange}
	for i, part := range parts {
		reason := ""
		if t.octets[i], reason = parseOctets(part); reason != "" {
			return Target{}, reason
		}
	}
	return t, ""
}

func spanTarget(a, b netip.Addr) (Target, string) {
	a, reason := usable(a)
	if reason != "" {
		return Target{}, reason
	}
	b, reason = usable(b)
	switch {
	case reason != "":
		return Target{}, reason
	case a.BitLen() != b.BitLen() || a.Zone() != b.Zone():
		return Target{}, "both ends of a range must be of one family"
	case b.Less(a):
		return Target{}, "the range ends before it begins"
	case a == b:
		return addressTarget(a)
	}
	return Target{Kind: KindRange, first: a, last: b}, ""
}

func parseOctets(part string) (octets, string) {
	first, last, ok := strings.Cut(part, "-")
	if !ok {
		last = first
	}
	a, reason := parseOctet(first)
	if reason != "" {
		return octets{}, reason
	}
	b, reason := parseOctet(last)
	if reason == "" && b < a {
		reason = "the range ends before it begins"
	}
	return octets{a, b}, reason
}

func parseOctet(s string) (uint8, string) {
	if len(s) > 1 && s[0] == '0' {
		return 0, "an octet with a leading zero may be meant as octal: write it without"
	}
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil {
		return 0, "not an IPv4 range: octets are 0 to 255"
	}
	return uint8(n), ""
}

// parseHostPort reads name, name:port, address:port, [address] and [address]:port.
func parseHostPort(text string) (Target, string) {
	host, port := text, ""
	if strings.HasPrefix(text, "[") {
		inner, rest, ok := strings.Cut(text[1:], "]")
		if !ok || rest != "" && rest[0] != ':' || !strings.Contains(inner, ":") {
			return Target{}, "want [IPv6 ADDRESS] or [IPv6 ADDRESS]:PORT"
		}
		host, port = inner, rest
	} else if i := strings.LastIndexByte(text, ':'); i >= 0 {
		host, port = text[:i], text[i:]
		if strings.Contains(host, ":") {
			return Target{}, "not an IPv6 address; with a port, write [ADDRESS]:PORT"
		}
	}
	t, reason := parseHost(host)
	if reason != "" || port == "" {
		return t, reason
	}
	t.Port, reason = parsePort(port[1:])
	return t, reason
}

func parsePort(s string) (uint16, string) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 || s[0] == '+' {
		return 0, "port " + quote(s) + " is not a number from 1 to 65535"
	}
	return uint16(n), ""
}

func parseHost(host string) (Target, string) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addressTarget(addr)
	}
	if strings.Contains(host, ":") {
		return Target{}, "not an IPv6 address"
	}
	name, reason := parseName(host)
	return Target{Kind: KindName, Name: name, rooted: strings.HasSuffix(host, ".")}, reason
}

// parseName gives a host name its one spelling. Underscores are let through: they are in no host name by RFC 952, and in
// many by use.
func parseName(host string) (string, string) {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if !isASCII(name) || strings.Contains(name, "xn--") {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", "not a host name: " + err.Error()
		}
		name = ascii
	}
	if len(name) > 253 {
		return "", "a host name has at most 253 bytes"
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return "", "not an address, network, range or host name"
		}
	}
	// Some resolvers read 0177.1, 0x7f.1 and 2130706433 as addresses: what ends in a number is an address or a mistake.
	if end := labels[len(labels)-1]; strings.Trim(end, "0123456789") == "" || strings.HasPrefix(end, "0x") {
		return "", "not an IPv4 address: want four numbers from 0 to 255 without leading zeros"
	}
	return name, ""
}

func isLabel(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

func parseURL(text string) (Target, string) {
	scheme, _, _ := strings.Cut(strings.ToLower(text), "://")
	if scheme != "http" && scheme != "https" {
		return Target{}, "only http:// and https:// URLs can be scanned"
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Target{}, "not a URL"
	case u.User != nil:
		return Target{}, "a user name or password does not belong in a target"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(text, "#"):
		return Target{}, "a URL target ends with its path: leave out what follows ? or #"
	case u.Hostname() == "":
		return Target{}, "the URL names no host"
	}
	return urlTarget(scheme, u)
}

func urlTarget(scheme string, u *url.URL) (Target, string) {
	t, reason := parseHost(u.Hostname())
	if reason != "" {
		return Target{}, reason
	}
	t.Kind, t.Port = KindURL, 80
	if scheme == "https" {
		t.Port = 443
	}
	authority := t.Name
	if t.Addr.IsValid() {
		authority = t.Addr.String()
		if t.Addr.Is6() {
			authority = "[" + authority + "]"
		}
	}
	if strings.HasSuffix(u.Host, ":") {
		return Target{}, "the URL ends its host with \":\" and names no port"
	}
	if port := u.Port(); port != "" {
		if t.Port, reason = parsePort(port); reason != "" {
			return Target{}, reason
		}
		authority += ":" + strconv.Itoa(int(t.Port))
	}
	t.URL = (&url.URL{Scheme: scheme, Host: authority, Path: u.Path, RawPath: u.RawPath}).String()
	return t, ""
}

// Size is how many addresses the target names; a name counts as one. It ends at the largest uint64.
func (t Target) Size() uint64 {
	switch {
	case t.prefix.IsValid():
		free := t.prefix.Addr().BitLen() - t.prefix.Bits()
		if free >= 64 {
			return math.MaxUint64
		}
		return 1 << free
	case t.first.IsValid():
		return span(t.first, t.last)
	case t.Kind == KindRange:
		n := uint64(1)
		for _, o := range t.octets {
			n *= uint64(o.last-o.first) + 1
		}
		return n
	}
	return 1
}

// span counts the addresses from a to b, both included.
func span(a, b netip.Addr) uint64 {
	x, y := a.As16(), b.As16()
	if !slices.Equal(x[:8], y[:8]) {
		return math.MaxUint64
	}
	return max(1, binary.BigEndian.Uint64(y[8:])-binary.BigEndian.Uint64(x[8:])+1)
}

// Contains says whether the target's own addresses hold addr. A target without a zone holds the address on every
// interface. Names and URLs with names hold none: they must be resolved first.
func (t Target) Contains(addr netip.Addr) bool {
	addr = addr.Unmap()
	bare := addr.WithZone("")
	switch {
	case t.prefix.IsValid():
		return t.prefix.Contains(bare)
	case t.first.IsValid():
		return t.first.BitLen() == addr.BitLen() && (t.first.Zone() == "" || t.first.Zone() == addr.Zone()) &&
			!bare.Less(t.first.WithZone("")) && !t.last.WithZone("").Less(bare)
	case t.Kind == KindRange:
		return addr.Is4() && t.holdsOctets(addr.As4())
	}
	return t.Addr.IsValid() && (t.Addr == addr || t.Addr == bare)
}

func (t Target) holdsOctets(b [4]byte) bool {
	for i, o := range t.octets {
		if b[i] < o.first || b[i] > o.last {
			return false
		}
	}
	return true
}

// quote prints hostile text for an error: escaped, short, and without a URL's password.
func quote(text string) string {
	if scheme, rest, ok := strings.Cut(text, "://"); ok {
		if i := strings.LastIndexByte(rest, '@'); i >= 0 {
			text = scheme + "://…" + rest[i:]
		}
	}
	if len(text) > 80 {
		text = strings.ToValidUTF8(text[:80], "") + "…"
	}
	return strconv.Quote(text)
}

func printSize(n uint64) string {
	if n == math.MaxUint64 {
		return "2^64 or more"
	}
	return strconv.FormatUint(n, 10)
}
