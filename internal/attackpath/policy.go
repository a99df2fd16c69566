package attackpath

import (
	"bytes"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/fault"
)

// What a policy file may hold. A firewall's own rules are a few thousand at most, and zones fold them.
const (
	MaxPolicyBytes = 1 << 20
	MaxPolicyRules = 10_000
	maxPolicyHosts = 10_000 // of all groups of same together, and of clients
	maxNote        = 500
	maxName        = 200
)

// ReadPolicy reads a policy file, YAML or CSV by its name's ending or its look. Errors name file, line and field. The rules
// keep the order of the file.
func ReadPolicy(name string, data []byte) (PolicySet, error) {
	f := &policyFile{name: name, set: PolicySet{Source: name}}
	if len(data) > MaxPolicyBytes {
		return PolicySet{}, fault.Invalid("%s: more than %d KiB", name, MaxPolicyBytes>>10)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return PolicySet{}, fault.Invalid("%s: not UTF-8", name)
	}
	read := f.yaml
	if looksCSV(name, data) {
		read = f.csv
	}
	if err := read(data); err != nil {
		return PolicySet{}, err
	}
	return f.set, nil
}

func looksCSV(name string, data []byte) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		return true
	case ".yaml", ".yml", ".json":
		return false
	}
	line, _, _ := bytes.Cut(bytes.TrimLeft(data, " \r\n\t"), []byte("\n"))
	return bytes.Contains(line, []byte(",")) && !bytes.ContainsAny(line, "{[:")
}

// Validate says which site of a policy is none of the known ones.
func (p PolicySet) Validate(sites []Site) error {
	known := func(site string) bool {
		return site == "" || slices.ContainsFunc(sites, func(s Site) bool { return s.Name == site })
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		for _, side := range []struct{ field, site string }{{"from", r.From.Site}, {"to", r.To.Site}} {
			if !known(side.site) {
				return fault.Invalid("rule %d%s: %s: no site %q%s", r.N, of(p.Source), side.field, side.site, siteList(sites))
			}
		}
	}
	for i, group := range p.Same {
		for _, h := range group {
			if !known(h.Site) {
				return fault.Invalid("same[%d]%s: no site %q%s", i, of(p.Source), h.Site, siteList(sites))
			}
		}
	}
	return nil
}

func siteList(sites []Site) string {
	if len(sites) == 0 || len(sites) > 20 {
		return ""
	}
	var names []string
	for _, s := range sites {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return "; sites are " + strings.Join(names, ", ")
}

// NewRule makes a rule from words as policy files hold them.
func NewRule(from, to string, ports []string, allow bool, note string) (PolicyRule, error) {
	f := &policyFile{}
	r := PolicyRule{Allow: allow}
	var err error
	if r.From, err = parseZone(from); err != nil {
		return PolicyRule{}, fault.Invalid("from: %w", err)
	}
	if r.To, err = parseZone(to); err != nil {
		return PolicyRule{}, fault.Invalid("to: %w", err)
	}
	if r.Ports, err = parsePorts(ports); err != nil {
		return PolicyRule{}, fault.Invalid("ports: %w", err)
	}
	r.Note, err = f.note(note)
	return r, err
}

// policyFile is the work on one file.
type policyFile struct {
	name  string
	set   PolicySet
	hosts int // of all groups of same
}

// wrong says what is wrong where.
func (f *policyFile) wrong(line int, field, format string, args ...any) error {
	where := f.name
	if line > 0 {
		where += " line " + strconv.Itoa(line)
	}
	if field != "" {
		where += ": " + field
	}
	return fault.Invalid("%s: %w", where, fmt.Errorf(format, args...))
}

func (f *policyFile) note(text string) (string, error) {
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n > maxNote {
		return "", fault.Invalid("note: %d characters, want at most %d", n, maxNote)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text), nil
}

// addRule takes a rule of which each field is text, with the line that it is on.
func (f *policyFile) addRule(field string, r map[string]placed) error {
	n := len(f.set.Rules) + 1
	if n > MaxPolicyRules {
		return f.wrong(r["from"].line, strings.TrimSuffix(field, "."), "more than %d rules", MaxPolicyRules)
	}
	out := PolicyRule{N: n}
	var err error
	if out.From, err = parseZone(r["from"].text); err != nil {
		return f.wrong(r["from"].line, field+"from", "%w", err)
	}
	if out.To, err = parseZone(r["to"].text); err != nil {
		return f.wrong(r["to"].line, field+"to", "%w", err)
	}
	if out.Ports, err = parsePorts(r["ports"].list); err != nil {
		return f.wrong(r["ports"].line, field+"ports", "%w", err)
	}
	switch r["action"].text {
	case "allow":
		out.Allow = true
	case "deny":
	default:
		return f.wrong(r["action"].line, field+"action", "%q: want allow or deny", r["action"].text)
	}
	if out.Note, err = f.note(r["note"].text); err != nil {
		return f.wrong(r["note"].line, strings.TrimSuffix(field, "."), "%w", err)
	}
	f.set.Rules = append(f.set.Rules, out)
	return nil
}

// placed is text of a file and its line.
type placed struct {
	text string
	list []string // of ports
	line int
}

// parseZone reads "internet", "any", "site:NAME", "10.0.0.0/8" and "site:NAME/10.0.0.0/8".
func parseZone(text string) (Zone, error) {
	switch text = strings.TrimSpace(text); text {
	case "":
		return Zone{}, fmt.Errorf(`nothing is there: want "internet", "any", "site:NAME", a network or "site:NAME/NETWORK"`)
	case "any":
		return Zone{}, nil
	case "internet":
		return Zone{Internet: true}, nil
	}
	site, ok := strings.CutPrefix(text, "site:")
	if !ok {
		n, err := parseNetwork(text)
		if err != nil {
			return Zone{}, fmt.Errorf(`%w: want "internet", "any", "site:NAME", a network or "site:NAME/NETWORK"`, err)
		}
		return Zone{Network: n}, nil
	}
	name, network, cut := strings.Cut(site, "/")
	z := Zone{Site: name}
	if err := checkName(name); err != nil {
		return Zone{}, fmt.Errorf("site of %q: %w", clip(text), err)
	}
	if cut {
		var err error
		if z.Network, err = parseNetwork(network); err != nil {
			return Zone{}, err
		}
	}
	return z, nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("the name is missing")
	case len(name) > maxName:
		return fmt.Errorf("longer than %d bytes", maxName)
	case !utf8.ValidString(name):
		return fmt.Errorf("not UTF-8")
	case name != strings.TrimSpace(name) || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("blanks around it or control characters in it")
	}
	return nil
}

// parseNetwork reads a network, or an address as one that holds nothing else. A network with bits of a host set is more
// likely a slip than meant.
func parseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		if a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q: an address of a network card's zone is none of a network", clip(text))
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%q is no network", clip(text))
	case p.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("%q: write it as IPv4", clip(text))
	case p != p.Masked():
		return netip.Prefix{}, fmt.Errorf("%q has bits set that belong to hosts: %s is the network", clip(text), p.Masked())
	}
	return p, nil
}

// parsePorts reads "tcp/443", "udp/53", "443", "8000-8100"; nothing or "any" is every port.
func parsePorts(list []string) (out []PortRange, err error) {
	if len(list) == 1 && strings.TrimSpace(list[0]) == "any" {
		return nil, nil
	}
	if len(list) > 1000 {
		return nil, fmt.Errorf("more than 1000 in one rule")
	}
	for _, text := range list {
		p, err := parsePort(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, nil
}

func parsePort(text string) (PortRange, error) {
	bad := fmt.Errorf(`%q: want "tcp/443", "udp/53", "443" or "8000-8100", ports 1 to 65535`, clip(text))
	protocol, numbers, cut := strings.Cut(text, "/")
	if !cut {
		protocol, numbers = "", text
	} else if protocol != "tcp" && protocol != "udp" {
		return PortRange{}, bad
	}
	low, high, isRange := strings.Cut(numbers, "-")
	if !isRange {
		high = low
	}
	from, err := portNumber(low)
	to, err2 := portNumber(high)
	if err != nil || err2 != nil || to < from {
		return PortRange{}, bad
	}
	return PortRange{protocol, from, to}, nil
}

func portNumber(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 || text[0] == '+' {
		return 0, fmt.Errorf("%q is no port", text)
	}
	return uint16(n), nil
}

// parseHostRef reads "SITE/HOST".
func parseHostRef(text string) (HostRef, error) {
	site, host, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "site:"), "/")
	if !ok || host == "" {
		return HostRef{}, fmt.Errorf(`%q: want "SITE/ADDRESS" or "SITE/NAME"`, clip(text))
	}
	for _, n := range []string{site, host} {
		if err := checkName(n); err != nil {
			return HostRef{}, fmt.Errorf("%q: %w", clip(text), err)
		}
	}
	if a, err := netip.ParseAddr(host); err == nil {
		host = a.Unmap().WithZone("").String()
	}
	return HostRef{site, host}, nil
}

// clip keeps what is said of hostile text short.
func clip(text string) string {
	if len(text) <= 80 {
		return text
	}
	return strings.ToValidUTF8(text[:80], "") + "…"
}
