// Package scope decides which addresses may be scanned. It never resolves a name and never opens a connection: what it
// is asked about are the addresses that a name led to, because those are what would be scanned.
package scope

import (
	"net/netip"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
)

// Rule allows or denies a network, an address, or a host name. The zero Rule is none; ParseRule makes one.
type Rule struct {
	Deny bool
	Text string // as an administrator wrote it

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
	"fc00::/7",                    // RFC 4193
	"169.254.0.0/16", "fe80::/10") // link-local: RFC 3927, 4291

// metadata is where clouds answer a machine's questions about its own credentials. It lies within link-local; nobody
// means it when allowing a link.
var metadata = prefixes("169.254.169.254/32", "169.254.170.2/32", "fd00:ec2::254/128")

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
	for _, p := range list {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// Scope is what may be scanned. The zero Scope allows nothing. Safe for concurrent use.
type Scope struct {
	rules   []Rule
	private bool // allow the private networks besides
	any     bool // allow everything that no rule denies
}

// ForServer is the scope of scans that users of a server ask for: loopback and private networks, and what
// rules allow besides (design decision 12).
func ForServer(rules []Rule) Scope { return Scope{rules: rules, private: true} }

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

// Allowed says whether addr, reached by the given host names (lower case, may be none), may be scanned, and why not in
// words for people. A rule that denies wins over any that allows; a rule for a name speaks of the addresses that the name
// led to, so a name should be allowed only where its owner is trusted not to point it elsewhere.
func (s Scope) Allowed(addr netip.Addr, names ...string) (bool, string) {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() || within(never, addr) {
		return false, "not the address of a host"
	}
	allowed := s.any || s.private && within(private, addr) && !within(metadata, addr)
	for _, r := range s.rules {
		if !r.matches(addr, names) {
			continue
		}
		if r.Deny {
			return false, "denied by the scope rule " + r.Text
		}
		allowed = true
	}
	switch {
	case allowed:
		return true, ""
	case s.private && within(metadata, addr):
		return false, "the cloud's metadata service is scanned only when a scope rule allows it"
	case s.private:
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
