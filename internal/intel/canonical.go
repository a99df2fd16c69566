package intel

import (
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/patchscout/patchscout/internal/fault"
)

const (
	maxIndicator = 8 << 10 // bytes; the longest URL of URLhaus has some 2,000
	maxDomain    = 253     // RFC 1035, without the last dot
	maxLabel     = 63
)

// CanonicalIndicator tells what kind of indicator a text is and writes it as Indicator.Value has it, so that what is
// stored and what is looked up meet: addresses as netip prints them (IPv4-mapped ones unfolded, without zone), domains
// in lower-case ASCII without a last dot, URLs with lower-case scheme and host, without default port and fragment,
// hashes in lower-case hex. port is that of "address:port" and "domain:port", else 0. A text that was made harmless
// for mails ("hxxp://evil[.]example") is read as what it means. What is none of these is fault.Invalid.
//
// A URL stays a URL: whoever also wants to know of its host asks again with what HostOf returns.
func CanonicalIndicator(text string) (kind, value string, port int, err error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", "", 0, fault.Invalid("no indicator: the text is empty")
	case len(text) > maxIndicator:
		return "", "", 0, fault.Invalid("no indicator: longer than %d bytes", maxIndicator)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, isControl):
		return "", "", 0, fault.Invalid("no indicator: control characters or bytes that are not UTF-8")
	}
	if isHash(text) {
		return IndicatorHash, strings.ToLower(text), 0, nil
	}
	text = refang(text)
	if scheme, _, ok := strings.Cut(text, "://"); ok && isScheme(scheme) {
		value, err = canonicalURL(text)
		return IndicatorURL, value, 0, err
	}
	return canonicalHost(text)
}

// HostOf returns the address or domain that a canonical URL points at, with its kind and port, which is 0 where neither
// the URL nor its scheme says one; "" for what is no such URL.
func HostOf(canonical string) (kind, value string, port int) {
	scheme, rest, ok := strings.Cut(canonical, "://")
	if !ok {
		return "", "", 0
	}
	_, hostPort, _ := splitURL(rest)
	host, port, err := splitPort(hostPort)
	if err != nil {
		return "", "", 0
	}
	if kind, value, err = canonicalName(host); err != nil {
		return "", "", 0
	}
	if port == 0 {
		port = defaultPorts[scheme]
	}
	return kind, value, port
}

// splitURL cuts what follows a URL's scheme into user name and password with their @, host with port, and the rest.
func splitURL(rest string) (user, hostPort, path string) {
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, path := rest[:end], rest[end:]
	at := strings.LastIndexByte(authority, '@') + 1
	return authority[:at], authority[at:], path
}

func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r <= 0x9f }

// isHash knows MD5, SHA-1 and SHA-256 by their length.
func isHash(text string) bool {
	if n := len(text); n != 32 && n != 40 && n != 64 {
		return false
	}
	_, err := hex.DecodeString(text)
	return err == nil
}

var (
	fanged   = strings.NewReplacer("[.]", ".", "(.)", ".", "{.}", ".", "[dot]", ".", "(dot)", ".", "[:]", ":", "[://]", "://", "[@]", "@")
	harmless = map[string]string{"hxxp": "http", "hxxps": "https", "fxp": "ftp", "meow": "http", "meows": "https"}
)

// refang undoes what people do to an indicator so that nobody clicks on it. Beyond the host only the scheme is touched:
// "[.]" may well stand in a query.
func refang(text string) string {
	text = strings.Replace(text, "[://]", "://", 1)
	text = strings.Replace(text, "[:]//", "://", 1)
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return fanged.Replace(text)
	}
	if real, known := harmless[strings.ToLower(scheme)]; known {
		scheme = real
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	return scheme + "://" + fanged.Replace(rest[:end]) + rest[end:]
}

func isScheme(s string) bool {
	for i, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c != '+' && c != '-' && c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != "" && len(s) <= 20
}

var defaultPorts = map[string]int{"http": 80, "https": 443, "ftp": 21}

// canonicalURL changes scheme and authority only: a path tells files apart by case and by how it is escaped.
func canonicalURL(text string) (string, error) {
	scheme, rest, _ := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	user, hostPort, path := splitURL(rest)
	path, _, _ = strings.Cut(path, "#")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	host, port, err := splitPort(hostPort)
	if err != nil {
		return "", err
	}
	kind, host, err := canonicalName(host)
	if err != nil {
		return "", err
	}
	if kind == IndicatorIP && strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != 0 && port != defaultPorts[scheme] {
		host += ":" + strconv.Itoa(port)
	}
	return scheme + "://" + user + host + path, nil
}

// canonicalHost reads an address or a domain, perhaps with a port.
func canonicalHost(text string) (kind, value string, port int, err error) {
	if addr, err := netip.ParseAddr(text); err == nil { // an IPv6 address without brackets has colons of its own
		return IndicatorIP, addr.Unmap().WithZone("").String(), 0, nil
	}
	host, port, err := splitPort(text)
	if err != nil {
		return "", "", 0, err
	}
	kind, value, err = canonicalName(host)
	if err != nil {
		return "", "", 0, err
	}
	return kind, value, port, nil
}

// splitPort cuts ":port" off a host; 0 where there is none. Brackets around an IPv6 address go as well.
func splitPort(text string) (host string, port int, err error) {
	host, tail := text, ""
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if host, tail, ok = strings.Cut(inner, "]"); !ok || !strings.Contains(host, ":") {
			return "", 0, notIndicator(text)
		}
		if tail != "" && tail[0] != ':' {
			return "", 0, notIndicator(text)
		}
	} else if i := strings.LastIndexByte(text, ':'); i >= 0 {
		host, tail = text[:i], text[i:]
	}
	tail = strings.TrimPrefix(tail, ":")
	if tail == "" {
		return host, 0, nil
	}
	n, err := strconv.ParseUint(tail, 10, 16)
	if err != nil || n == 0 || tail[0] == '+' {
		return "", 0, fault.Invalid("%.80q: want a port from 1 to 65535 behind the colon", text)
	}
	return host, int(n), nil
}

// names turns international names to ASCII as browsers do, but does not insist on what registries do not either: a
// malicious host may well have an underscore in it.
var names = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.BidiRule())

// canonicalName reads an address or a domain.
func canonicalName(host string) (kind, value string, err error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return IndicatorIP, addr.Unmap().WithZone("").String(), nil
	}
	name := strings.TrimSuffix(host, ".")
	if isASCII(name) {
		name = strings.ToLower(name)
	} else if name, err = names.ToASCII(name); err != nil {
		return "", "", notIndicator(host)
	}
	name = strings.TrimSuffix(name, ".")
	if !isDomain(name) {
		return "", "", notIndicator(host)
	}
	return IndicatorDomain, name, nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isDomain wants two labels at least, the last with a letter: "10.0.0" and "setup" are no domains, "setup.exe" might be.
func isDomain(name string) bool {
	if name == "" || len(name) > maxDomain {
		return false
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > maxLabel || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" ||
			label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(labels) > 1 && strings.Trim(last, "0123456789-_") != "" && !strings.Contains(last, "_")
}

func notIndicator(text string) error {
	return fault.Invalid("%.80q: want an address, a domain, a URL or a hash (MD5, SHA-1, SHA-256 in hex)", text)
}
