// Package scope decides which addresses may be scanned. It never resolves a name and never opens a connection: what it
// is asked about are the addresses that a name led to, because those are what would be scanned.
package scope

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
)

// Rule allows or denies a network, an address, or a host name. The zero Rule is none; ParseRule makes one.
type Rule struct {
	Deny bool
	Text string // as an administrator wrote it
	ID   int64  // of one that the server keeps, 0 is one of the configuration

	prefix netip.Prefix
	name   string // lower case; "*.example.org" covers every name below example.org, not itself
}

// ParseRule reads "10.1.0.0/16", "2001:db8::7", "www.example.org", "*.example.org", each with "!" before it to deny.
// Errors are fault.Invalid and name the rule.
func ParseRule(text string) (Rule, error) {
	bare, deny := strings.CutPrefix(strings.TrimSpace(text), "!")
	r := Rule{Deny: deny, Text: text}
	if prefix, err := netip.ParsePrefix(bare); err == nil {
		return r.network(prefix)
	}
	if addr, err := netip.ParseAddr(bare); err == nil {
		addr = addr.Unmap().WithZone("")
		return r.network(netip.PrefixFrom(addr, addr.BitLen()))
	}
	host, wild := strings.CutPrefix(bare, "*.")
	t, err := scan.ParseTarget(host)
	if err != nil || t.Kind != scan.KindName || t.Port != 0 {
		return Rule{}, fault.Invalid("scope rule %q: want a network, an address, a host name or *.DOMAIN", clip(text))
	}
	r.name = t.Name
	if wild {
		r.name = "*." + t.Name
	}
	return r, nil
}

func (r Rule) network(prefix netip.Prefix) (Rule, error) {
	if addr := prefix.Addr(); addr.Is4In6() {
		if prefix.Bits() < 96 {
			return Rule{}, fault.Invalid("scope rule %q: an IPv4-mapped network needs at least 96 bits", clip(r.Text))
		}
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	if prefix != prefix.Masked() {
		return Rule{}, fault.Invalid("scope rule %q: bits are set behind the prefix, did you mean %s?", clip(r.Text), prefix.Masked())
	}
	r.prefix = prefix
	return r, nil
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

// String is the rule for people.
func (r Rule) String() string {
	if r.ID != 0 {
		return fmt.Sprintf("scope rule %d (%s)", r.ID, r.Text)
	}
	return "scope rule " + r.Text
}

// Hopeless says whether an allowing rule speaks only of addresses that a server never scans.
func (r Rule) Hopeless() bool {
	return !r.Deny && r.prefix.IsValid() && slices.ContainsFunc(slices.Concat(forbidden, never), func(p netip.Prefix) bool {
		return p.Bits() <= r.prefix.Bits() && p.Contains(r.prefix.Addr())
	})
}

func (r Rule) matches(addr netip.Addr, names []string) bool {
	if r.prefix.IsValid() {
		return r.prefix.Contains(addr)
	}
	for _, name := range names {
		if name == r.name || strings.HasPrefix(r.name, "*.") && strings.HasSuffix(name, r.name[1:]) {
			return true
		}
	}
	return false
}

// private is what a fresh server may scan: this machine and networks that the internet does not reach.
var private = prefixes("127.0.0.0/8", "::1/128", // this host: RFC 1122, 4291
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // RFC 1918
	"fc00::/7") // RFC 4193

// forbidden is what a server never scans for its users, whatever a rule says: the link, on which it would scan its own
// neighbours and not those of a site, and where clouds answer a machine's questions about its own credentials.
var forbidden = prefixes("169.254.0.0/16", "fe80::/10", "fec0::/10", // RFC 3927, 4291, 3879
	"fd00:ec2::/64",      // Amazon
	"fd20:ce::/64",       // Google
	"fd00:42::/64",       // Scaleway
	"100.100.100.200/32", // Alibaba
	"168.63.129.16/32",   // Azure
	"192.0.0.192/32")     // Oracle

// never is no host at all.
var never = prefixes("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8")

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

func within(list []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// carriers are IPv6 networks whose addresses lead to an IPv4 address that they hold, by the places of its four bytes.
var carriers = []struct {
	prefix netip.Prefix
	at     [4]int
	flip   byte // Teredo holds its client's address with all bits turned over
}{
	{netip.MustParsePrefix("64:ff9b::/96"), [4]int{12, 13, 14, 15}, 0},    // NAT64: RFC 6052
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{6, 7, 9, 10}, 0},     // RFC 8215, with 48 bits
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{7, 9, 10, 11}, 0},    // with 56
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{9, 10, 11, 12}, 0},   // with 64
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{12, 13, 14, 15}, 0},  // with 96
	{netip.MustParsePrefix("2002::/16"), [4]int{2, 3, 4, 5}, 0},           // 6to4: RFC 3056
	{netip.MustParsePrefix("2001::/32"), [4]int{12, 13, 14, 15}, 0xff},    // Teredo: RFC 4380
	{netip.MustParsePrefix("2001::/32"), [4]int{4, 5, 6, 7}, 0},           // and its server
	{netip.MustParsePrefix("::/96"), [4]int{12, 13, 14, 15}, 0},           // IPv4-compatible: RFC 4291
	{netip.MustParsePrefix("::ffff:0:0:0/96"), [4]int{12, 13, 14, 15}, 0}, // IPv4-translated: RFC 2765
}

// spellings are an address and the IPv4 addresses that it may lead to.
func spellings(addr netip.Addr) []netip.Addr {
	out := []netip.Addr{addr}
	if addr.Is4() || addr == netip.IPv6Loopback() {
		return out
	}
	b := addr.As16()
	for _, c := range carriers {
		if c.prefix.Contains(addr) {
			out = append(out, netip.AddrFrom4([4]byte{b[c.at[0]] ^ c.flip, b[c.at[1]] ^ c.flip, b[c.at[2]] ^ c.flip, b[c.at[3]] ^ c.flip}))
		}
	}
	if b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe { // ISATAP: RFC 5214
		out = append(out, netip.AddrFrom4([4]byte(b[12:])))
	}
	return out
}

// Scope is what may be scanned. The zero Scope allows nothing. Safe for concurrent use.
type Scope struct {
	rules   []Rule
	server  bool   // allow the private networks besides, and never what is forbidden
	any     bool   // allow everything that no rule denies
	outside *Scope // what this lies within; nil is no limit
}

// ForServer is the scope of scans that users of a server ask for: loopback and private networks, and what
// rules allow besides (design decision 12); never link-local addresses and clouds' metadata services.
func ForServer(rules []Rule) Scope { return Scope{rules: rules, server: true} }

// ForCommand is the scope of targets typed on the command line: whoever types them says that he may scan them. A
// configured scope still binds him: its denials always, and once it allows something, what it does not allow is out.
func ForCommand(rules []Rule) Scope {
	for _, r := range rules {
		if !r.Deny {
			return Scope{rules: rules}
		}
	}
	return Scope{rules: rules, any: true}
}

// Within is what both allow.
func (s Scope) Within(outer Scope) Scope {
	s.outside = &outer
	return s
}

// Allowed says whether addr, reached by the given host names (lower case, may be none), may be scanned, and why not in
// words for people. A rule that denies wins over any that allows; a rule for a name speaks of the addresses that the name
// led to, so a name should be allowed only where its owner is trusted not to point it elsewhere.
func (s Scope) Allowed(addr netip.Addr, names ...string) (bool, string) {
	ok, why := s.Explain(addr, names...)
	if ok {
		return true, ""
	}
	return false, why
}

// Explain is Allowed with the reason in both cases.
func (s Scope) Explain(addr netip.Addr, names ...string) (ok bool, why string) {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() || within(never, addr) {
		return false, "not the address of a host"
	}
	all := spellings(addr)
	if s.server && slices.ContainsFunc(all, func(a netip.Addr) bool { return within(forbidden, a) }) {
		return false, "link-local addresses and clouds' metadata services are never scanned"
	}
	if s.outside != nil {
		if ok, why := s.outside.Explain(addr, names...); !ok {
			return false, why
		}
	}
	switch {
	case s.any:
		ok, why = true, "whoever types a target says that he may scan it"
	case s.server && within(private, addr):
		ok, why = true, "this machine or a private network"
	}
	for _, r := range s.rules {
		switch {
		case r.Deny && slices.ContainsFunc(all, func(a netip.Addr) bool { return r.matches(a, names) }):
			return false, "denied by the " + r.String()
		case !r.Deny && !ok && r.matches(addr, names):
			ok, why = true, "allowed by the "+r.String()
		}
	}
	switch {
	case ok:
		return true, why
	case s.server:
		return false, "outside of the scan scope: loopback, private networks and what an administrator added"
	}
	return false, "outside of the configured scan scope"
}

// Denied is a host that may not be scanned.
type Denied struct {
	Host   scan.HostTarget
	Reason string
}

// Filter splits hosts into those that may be scanned and the others, both in their order.
func (s Scope) Filter(hosts []scan.HostTarget) (allowed []scan.HostTarget, denied []Denied) {
	for _, h := range hosts {
		if ok, reason := s.Allowed(h.Address, h.Names...); ok {
			allowed = append(allowed, h)
		} else {
			denied = append(denied, Denied{Host: h, Reason: reason})
		}
	}
	return allowed, denied
}
