package config

import (
	"net"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// Server says how `patchscout serve` answers.
type Server struct {
	Listen         string        `koanf:"listen"`          // address:port; beyond loopback TLS or a trusted proxy is needed
	BasePath       string        `koanf:"base_path"`       // where a reverse proxy shows it: /patchscout; "" is at the root
	TLSCert        string        `koanf:"tls_cert"`        // PEM files of the certificate with its chain,
	TLSKey         string        `koanf:"tls_key"`         // and of its key; read again when they change
	Hosts          []string      `koanf:"hosts"`           // names that browsers may use for it, beside localhost and its addresses
	TrustedProxies []string      `koanf:"trusted_proxies"` // networks of reverse proxies, whose X-Forwarded headers are believed
	CORSOrigins    []string      `koanf:"cors_origins"`    // origins of other front ends that may call the API
	Auth           string        `koanf:"auth"`            // on, or off: everybody who reaches it is admin; loopback only
	SessionIdle    time.Duration `koanf:"session_idle"`    // a login ends when it was not used for so long
	SessionMax     time.Duration `koanf:"session_max"`     // and in any case after so long
	StrangerRate   int           `koanf:"stranger_rate"`   // requests a minute of one client who has not logged in; 0 is no limit
	MaxUploadMB    int           `koanf:"max_upload_mb"`   // of one report or file of records
	Metrics        string        `koanf:"metrics"`         // /metrics: on for who has logged in or has a token, open for everybody, off
	Compress       string        `koanf:"compress"`        // answers by gzip: on, off, or auto: not for clients on this machine
	MaxRequests    int           `koanf:"max_requests"`    // answered at one time, live connections aside; more are told to come again
	Timeout        time.Duration `koanf:"timeout"`         // how long one answer may take, exports and live connections aside
	Grace          time.Duration `koanf:"grace"`           // how long requests and jobs have to come to an end when the server stops
}

// Jobs says how much runs at once on one machine.
type Jobs struct {
	Scans   int `koanf:"scans"`   // that are conducted at one time
	Tools   int `koanf:"tools"`   // scanners that run at one time, for all scans of this process
	Imports int `koanf:"imports"` // reports that are read at one time
}

func defaultServer() Server {
	return Server{Listen: "127.0.0.1:8000", Auth: "on", MaxUploadMB: 2048, SessionIdle: 12 * time.Hour, SessionMax: 7 * 24 * time.Hour, StrangerRate: 6000, CORSOrigins: []string{"http://localhost:3000", "http://localhost:5173"},
		Metrics: "on", Compress: "auto", MaxRequests: 256, Timeout: 30 * time.Second, Grace: 20 * time.Second}
}

func defaultJobs() Jobs { return Jobs{Scans: 20, Tools: 8, Imports: 2} }

func (s Server) validate() error {
	host, port, err := net.SplitHostPort(s.Listen)
	if _, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil {
		return fault.Invalid("server.listen %q: want address:port as 127.0.0.1:8000", s.Listen)
	}
	if s.Auth != "on" && s.Auth != "off" {
		return fault.Invalid("server.auth %q: want on or off", s.Auth)
	}
	if s.Auth == "off" && !loopback(host) {
		return fault.Invalid("server.auth off is for a loopback address only, and server.listen is %s", s.Listen)
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return fault.Invalid("server.tls_cert and server.tls_key belong together")
	}
	for _, text := range s.TrustedProxies {
		if _, err := ParseNetwork(text); err != nil {
			return fault.Invalid("server.trusted_proxies: %w", err)
		}
	}
	if !loopback(host) && s.TLSCert == "" && len(s.TrustedProxies) == 0 {
		return fault.Invalid("server.listen %s can be reached by others: set server.tls_cert and server.tls_key, or server.trusted_proxies for a reverse proxy that does TLS", s.Listen)
	}
	if s.BasePath != "" && (path.Clean(s.BasePath) != s.BasePath || s.BasePath[0] != '/' || s.BasePath == "/" || strings.ContainsAny(s.BasePath, "?#%\"'<> ")) {
		return fault.Invalid("server.base_path %q: want a path as /patchscout, without a final slash", s.BasePath)
	}
	for _, origin := range s.CORSOrigins {
		if u, err := url.Parse(origin); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
			return fault.Invalid("server.cors_origins %q: want an origin as https://ui.example.org", origin)
		}
	}
	if s.SessionIdle < time.Minute || s.SessionMax < s.SessionIdle || s.SessionMax > 366*24*time.Hour {
		return fault.Invalid("server.session_idle %s and server.session_max %s: want a minute or more, and not longer than the latter, a year at most", s.SessionIdle, s.SessionMax)
	}
	if s.StrangerRate < 0 {
		return fault.Invalid("server.stranger_rate %d: want 0 or more", s.StrangerRate)
	}
	if s.MaxUploadMB < 1 || s.MaxUploadMB > 1<<20 {
		return fault.Invalid("server.max_upload_mb %d: want 1 to 1048576", s.MaxUploadMB)
	}
	return s.validateAnswers()
}

func (s Server) validateAnswers() error {
	switch {
	case !slices.Contains([]string{"on", "off", "open"}, s.Metrics):
		return fault.Invalid("server.metrics %q: want on, off or open", s.Metrics)
	case !slices.Contains([]string{"on", "off", "auto"}, s.Compress):
		return fault.Invalid("server.compress %q: want on, off or auto", s.Compress)
	case s.MaxRequests < 1 || s.MaxRequests > 100_000:
		return fault.Invalid("server.max_requests %d: want 1 to 100000", s.MaxRequests)
	case s.Timeout < time.Second || s.Timeout > time.Hour:
		return fault.Invalid("server.timeout %s: want 1s to 1h", s.Timeout)
	case s.Grace < 0 || s.Grace > time.Hour || s.Grace > 0 && s.Grace < time.Second:
		return fault.Invalid("server.grace %s: want 1s to 1h, 0 for none", s.Grace)
	}
	return nil
}

func (j Jobs) validate() error {
	for name, n := range map[string]int{"scans": j.Scans, "tools": j.Tools, "imports": j.Imports} {
		if n < 1 || n > 1000 {
			return fault.Invalid("jobs.%s %d: want 1 to 1000", name, n)
		}
	}
	return nil
}

// loopback says whether only this machine can reach a listener.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// ParseNetwork reads a network or a single address.
func ParseNetwork(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return a.Prefix(a.BitLen())
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fault.Invalid("%q: want a network as 10.0.0.0/8, or an address", text)
	}
	return p.Masked(), nil
}
