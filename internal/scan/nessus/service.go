package nessus

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/finding"
)

// services are the open ports of one host. The first item of a port that only says that something answers becomes its
// ServiceSeen, which waits for the end of the host for what the other items add; those are informational.
type services map[servicePort]*finding.ServiceSeen

type servicePort struct {
	protocol string
	port     uint16
}

// maxServices is every port of two protocols.
const maxServices = 2 * 65536

// listeners are the plugins that do nothing but say what answers at a port.
var listeners = map[string]bool{
	"0":     true, // open port, until Nessus 4
	"10335": true, // TCP scanner
	"11219": true, // SYN scanner
	"14272": true, // netstat over SSH
	"14274": true, // SNMP scanner
	"34220": true, // netstat over WMI
	"34277": true, // UDP scanner
	"22964": true, // Service Detection
	"11153": true, // Service Detection (HELP request)
	"17975": true, // Service Detection (GET request)
}

var overTLS = regexp.MustCompile(`(?i)(through|over) (TLS|SSL)v?|\b(TLS|SSL)v[0-9.]+ server answered`)

// take says whether the item became the service of its port.
func (s services) take(it *item, from origin) bool {
	if it.port == 0 || it.bad != "" || !listeners[it.plugin] || len(it.cves) > 0 || it.severity != "info" && it.severity != "" {
		return false
	}
	at := servicePort{it.protocol, it.port}
	seen := s[at]
	first := seen == nil && len(s) < maxServices
	if first {
		seen = &finding.ServiceSeen{Address: from.address, Protocol: it.protocol, Port: it.port, At: from.at, Guessed: true}
		if !from.address.IsValid() {
			seen.HostName = from.name
		}
		s[at] = seen
	}
	if seen == nil {
		return false
	}
	if name, guessed := serviceName(it.service); name != "" && (seen.Name == "" || seen.Guessed && !guessed) {
		seen.Name, seen.Guessed = name, guessed
	}
	seen.TLS = seen.TLS || it.plugin == "22964" && overTLS.MatchString(it.output)
	return first
}

// ours are the names that other tools give the services that Nessus calls otherwise.
var ours = map[string]string{"www": "http", "cifs": "microsoft-ds", "smb": "netbios-ssn", "msrdp": "ms-wbt-server", "dns": "domain", "epmap": "msrpc"}

// serviceName reads svc_name: with a question mark it is guessed from the port's number.
func serviceName(s string) (name string, guessed bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	name, guessed = strings.CutSuffix(s, "?")
	if name == "" || name == "unknown" || name == "general" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", true
	}
	if other := ours[name]; other != "" {
		name = other
	}
	return name, guessed
}

// events are the services in the order of their ports.
func (s services) events() []finding.Event {
	keys := slices.SortedFunc(maps.Keys(s), func(a, b servicePort) int {
		if a.protocol != b.protocol {
			return strings.Compare(a.protocol, b.protocol)
		}
		return int(a.port) - int(b.port)
	})
	out := make([]finding.Event, 0, len(keys))
	for _, k := range keys {
		out = append(out, finding.Event{Service: s[k]})
	}
	return out
}
