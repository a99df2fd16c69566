package scan

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/finding"
)

// FoundPort is a port at which a web server answered.
type FoundPort struct {
	Address netip.Addr `json:"a"`
	Port    uint16     `json:"p"`
	TLS     bool       `json:"tls,omitempty"`
}

// webServers are products that serve the web whatever name a tool gave the service.
var webServers = []string{"apache httpd", "nginx", "iis httpd", "microsoft iis", "lighttpd", "tomcat", "jetty", "caddy", "haproxy", "envoy"}

// notWeb is what has "http" in its name and serves no pages: RPC over HTTP.
var notWeb = []string{"ncacn", "rpc"}

// webPort says whether a web server answered at a service's port.
func webPort(s *finding.ServiceSeen) (FoundPort, bool) {
	name, product := strings.ToLower(s.Name), strings.ToLower(s.Product)
	found := FoundPort{Address: s.Address, Port: s.Port, TLS: s.TLS || strings.HasPrefix(name, "https") || strings.HasPrefix(name, "ssl/http")}
	has := func(text string) func(string) bool {
		return func(part string) bool { return strings.Contains(text, part) }
	}
	switch {
	case s.Protocol != "tcp" || s.Port == 0 || slices.ContainsFunc(notWeb, has(name)):
		return FoundPort{}, false
	case strings.Contains(name, "http") || name == "www" || slices.ContainsFunc(webServers, has(product)):
		return found, true
	}
	unnamed := name == "" || name == "ssl" || name == "tls" || name == "unknown"
	return found, unnamed && s.TLS && finding.Contains(WebPorts(), s.Port)
}

// maxWebNames bounds under how many names one web server is asked: a shared host can have thousands.
const maxWebNames = 8

// webPortsOf lists what scanners of WebStage look at on a host: the ports at which web servers answered, under each of the
// names by which the user named the host, and the URLs that he named, without the excluded ports. Found maps ports to
// whether they speak TLS.
func webPortsOf(h HostTarget, found map[uint16]bool, exclude []finding.PortRange) []WebPort {
	var out []WebPort
	add := func(w WebPort) {
		same := func(o WebPort) bool { return o.Port == w.Port && o.Name == w.Name }
		switch i := slices.IndexFunc(out, same); {
		case finding.Contains(exclude, w.Port):
		case i < 0:
			out = append(out, w)
		case out[i].Path != w.Path && w.Path != "":
			if out[i].Path == "" {
				out[i].Path = w.Path
			} else {
				out = append(out, w)
			}
		}
	}
	for _, text := range h.URLs {
		if w, ok := webPortOf(text); ok {
			if tls, known := found[w.Port]; known {
				w.TLS = tls
			}
			add(w)
		}
	}
	names := h.Names[:min(len(h.Names), maxWebNames)]
	if len(names) == 0 {
		names = []string{""}
	}
	for port, tls := range found {
		for _, name := range names {
			add(WebPort{Port: port, TLS: tls, Name: name})
		}
	}
	slices.SortStableFunc(out, func(a, b WebPort) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path))
	})
	return out
}

// webPortOf reads a URL that ParseTarget rebuilt.
func webPortOf(text string) (WebPort, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return WebPort{}, false
	}
	w := WebPort{Port: 80, TLS: u.Scheme == "https", Path: u.EscapedPath()}
	if w.TLS {
		w.Port = 443
	}
	if n, err := strconv.ParseUint(u.Port(), 10, 16); err == nil && n > 0 {
		w.Port = uint16(n)
	}
	if w.Path == "/" {
		w.Path = ""
	}
	if _, err := netip.ParseAddr(u.Hostname()); err != nil {
		w.Name = strings.ToLower(u.Hostname())
	}
	return w, true
}
