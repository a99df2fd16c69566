package config

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// Scan holds what every scan begins with.
type Scan struct {
	Scanners []string `koanf:"scanners"` // when --scanner is not given
	Scope    []string `koanf:"scope"`    // what may be scanned: networks, names, "!" before what may not; none leaves it to the user
	Parallel int      `koanf:"parallel"` // tasks on this machine at one time
	Timeouts Timeouts `koanf:"timeouts"`
}

// Timeouts are how long one task of each scanner may take, 0 = as long as it wants. A task is a few hosts of a scan
// (docs/scan.md).
type Timeouts struct {
	Native  time.Duration `koanf:"native"`  // of a task of the built-in scanner
	Nmap    time.Duration `koanf:"nmap"`    // of a task of nmap
	OpenVAS time.Duration `koanf:"openvas"` // of a task of OpenVAS
	Nessus  time.Duration `koanf:"nessus"`  // of a task of Nessus
	Nikto   time.Duration `koanf:"nikto"`   // of a task of Nikto
	Nuclei  time.Duration `koanf:"nuclei"`  // of a task of Nuclei
}

// Nmap says where the tool is and what it runs beside its own detection.
type Nmap struct {
	Path    string   `koanf:"path"`    // "" looks in PATH
	Scripts []string `koanf:"scripts"` // names of NSE scripts; none is the host key only
}

// OpenVAS says where gvmd is and as whom to speak to it.
type OpenVAS struct {
	Socket      string `koanf:"socket"`      // gvmd's unix socket; "" tries the usual places
	Address     string `koanf:"address"`     // host:port of a gvmd that listens on TLS, instead of the socket
	Username    string `koanf:"username"`    // as whom to log in
	Password    Secret `koanf:"password"`    // of that user
	Config      string `koanf:"config"`      // id of the scan configuration; "" is Full and fast
	PortList    string `koanf:"port_list"`   // id of the port list; "" is all ports that IANA assigned
	Scanner     string `koanf:"scanner"`     // id of the scanner; "" is OpenVAS Default
	CAFile      string `koanf:"ca_file"`     // PEM that signed its certificate
	Fingerprint string `koanf:"fingerprint"` // SHA-256 of its certificate, where nobody signed it
}

// Nessus says where Nessus is and as whom to speak to it: with keys, or with a user name.
type Nessus struct {
	URL         string `koanf:"url"`         // https://localhost:8834
	AccessKey   Secret `koanf:"access_key"`  // one half of an API key,
	SecretKey   Secret `koanf:"secret_key"`  // and the other
	Username    string `koanf:"username"`    // instead of keys
	Password    Secret `koanf:"password"`    // of that user
	Template    string `koanf:"template"`    // name of the template of scans; "" is basic
	Policy      string `koanf:"policy"`      // id or name of a policy, instead of the template
	CAFile      string `koanf:"ca_file"`     // PEM that signed its certificate
	Fingerprint string `koanf:"fingerprint"` // SHA-256 of its certificate, where nobody signed it
}

// Nikto says where the program is.
type Nikto struct {
	Path   string `koanf:"path"`   // "" looks in PATH
	Tuning string `koanf:"tuning"` // kinds of checks, as its -Tuning; "" is all that do no harm
}

// Nuclei says where the program and its templates are.
type Nuclei struct {
	Path      string `koanf:"path"`      // "" looks in PATH
	Templates string `koanf:"templates"` // folder of templates
	Rate      int    `koanf:"rate"`      // requests a second, 0 = 150
}

// defaultScan: what no time-out ends hangs for ever some day. A task of OpenVAS or Nessus is a whole network.
func defaultScan() Scan {
	return Scan{Scanners: []string{"native"}, Parallel: 4, Timeouts: Timeouts{Native: 6 * time.Hour, Nmap: 6 * time.Hour,
		OpenVAS: 72 * time.Hour, Nessus: 72 * time.Hour, Nikto: 2 * time.Hour, Nuclei: 4 * time.Hour}}
}

func (c Config) validateScan() error {
	if len(c.Scan.Scanners) == 0 {
		return fault.Invalid("scan.scanners: name at least one scanner")
	}
	if c.Scan.Parallel < 1 || c.Scan.Parallel > 64 {
		return fault.Invalid("scan.parallel %d: want 1 to 64", c.Scan.Parallel)
	}
	for _, t := range []struct {
		name string
		d    time.Duration
	}{{"native", c.Scan.Timeouts.Native}, {"nmap", c.Scan.Timeouts.Nmap}, {"openvas", c.Scan.Timeouts.OpenVAS},
		{"nessus", c.Scan.Timeouts.Nessus}, {"nikto", c.Scan.Timeouts.Nikto}, {"nuclei", c.Scan.Timeouts.Nuclei}} {
		if t.d != 0 && t.d < time.Second { // a number without a unit is nanoseconds
			return fault.Invalid("scan.timeouts.%s %s: want a time such as 90m or 2h, 0 for none", t.name, t.d)
		}
	}
	return nil // the rules of scan.scope are package scope's to read
}

// validateScanners checks what has a form; the scanners themselves check the rest when they are used.
func (c Config) validateScanners() error {
	for _, f := range []struct{ key, path string }{
		{"nmap.path", c.Nmap.Path}, {"nikto.path", c.Nikto.Path}, {"nuclei.path", c.Nuclei.Path}, {"nuclei.templates", c.Nuclei.Templates},
		{"openvas.socket", c.OpenVAS.Socket}, {"openvas.ca_file", c.OpenVAS.CAFile}, {"nessus.ca_file", c.Nessus.CAFile},
	} {
		if f.path != "" && !filepath.IsAbs(f.path) {
			return fault.Invalid("%s %q: want an absolute path", f.key, f.path)
		}
	}
	if u := c.Nessus.URL; u != "" && (!isHTTP(u) || !strings.HasPrefix(u, "https://")) {
		return fault.Invalid("nessus.url: want an https:// URL without user name, query or fragment")
	}
	if (c.Nessus.AccessKey == "") != (c.Nessus.SecretKey == "") {
		return fault.Invalid("nessus.access_key and nessus.secret_key belong together")
	}
	if c.Nuclei.Rate < 0 || c.Nuclei.Rate > 10_000 {
		return fault.Invalid("nuclei.rate %d: want 1 to 10000 requests a second, 0 for its own", c.Nuclei.Rate)
	}
	return nil
}

// fromAdministrator are keys that an .env which only happens to lie in the working folder must not set: programs that
// would be run, what they would run, where passwords would be sent, and who would be let in (design decisions 12, 13).
var fromAdministrator = []string{"nmap.path", "nmap.scripts", "nikto.path", "nuclei.path", "nuclei.templates",
	"openvas.socket", "openvas.address", "openvas.ca_file", "openvas.fingerprint", "nessus.url", "nessus.ca_file", "nessus.fingerprint",
	"server.auth", "server.hosts", "server.trusted_proxies", "server.cors_origins", "oidc.issuer", "oidc.admin", "oidc.analyst", "oidc.viewer", "oidc.default_role"}
