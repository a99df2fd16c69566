package nmap

import (
	"encoding/xml"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// service is a <service> element as it stands.
type service struct {
	name, product, version, extra string
	tunnel, method, ostype        string
	fingerprint                   string
	cpes                          []string
}

func (d *document) service(s *service, e xml.StartElement) error {
	*s = service{name: line(intake.Attr(e, "name")), product: line(intake.Attr(e, "product")), version: line(intake.Attr(e, "version")),
		extra: line(intake.Attr(e, "extrainfo")), tunnel: intake.Attr(e, "tunnel"), method: intake.Attr(e, "method"), ostype: line(intake.Attr(e, "ostype")),
		fingerprint: intake.Cut(intake.Attr(e, "servicefp"), intake.MaxText)}
	return d.cpeList(&s.cpes)
}

func (d *document) cpeList(into *[]string) error {
	return d.Each(func(e xml.StartElement) error {
		if e.Name.Local != "cpe" {
			return d.Skip()
		}
		text, err := d.Text()
		if len(*into) < 16 {
			*into = append(*into, text)
		}
		return err
	})
}

// line is one attribute's text, short: what nmap writes there is a few words.
func line(s string) string { return strings.TrimSpace(intake.Cut(s, 512)) }

// seen turns an open port into the service that answers there.
func (p *port) seen(h *host, name string) finding.ServiceSeen {
	s := finding.ServiceSeen{Address: h.addr, HostName: name, Protocol: p.protocol, Port: p.number, Name: p.service.name,
		TLS: p.service.tunnel == "ssl", Guessed: p.service.method != "probed", At: h.at, Banner: p.banner(), SSHKey: p.sshKey()}
	if s.Guessed { // from the port number alone: whatever else stands there was not seen
		return s
	}
	s.Product, s.Extra, s.Backport = p.service.product, p.service.extra, p.backport()
	s.Version = p.service.cleanVersion()
	if s.Version != p.service.version { // "9.2p1 Debian 2+deb12u3": the rest is evidence
		s.Extra = strings.Trim(p.service.version+"; "+s.Extra, "; ")
	}
	s.CPEs = p.service.applicationCPEs(s.Version)
	if mariaDB.MatchString(p.service.version) {
		s.Product = "MariaDB"
	}
	return s
}

// banner is the evidence: what the banner script printed, or the first answer inside of a service fingerprint.
func (p *port) banner() string {
	for _, s := range p.scripts {
		if s.id == "banner" {
			return intake.Cut(s.output, 1024)
		}
	}
	return fingerprintBanner(p.service.fingerprint)
}

// fingerprintBanner decodes the NULL probe's answer of "SF-Port22-TCP:…%r(NULL,15,\"SSH-2\\.0-x\\r\\n\")…".
func fingerprintBanner(fp string) string {
	_, rest, ok := strings.Cut(fp, "%r(NULL,")
	if !ok {
		return ""
	}
	_, rest, _ = strings.Cut(rest, ",\"")
	var b strings.Builder
	for i := 0; i < len(rest) && rest[i] != '"' && b.Len() < 1024; i++ {
		if rest[i] != '\\' || i+1 == len(rest) {
			b.WriteByte(rest[i])
			continue
		}
		i++
		switch c := rest[i]; c {
		case 'r':
			b.WriteByte('\r')
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case '0':
			b.WriteByte(0)
		case 'x':
			if n, err := strconv.ParseUint(rest[min(i+1, len(rest)):min(i+3, len(rest))], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
			}
		default:
			b.WriteByte(c)
		}
	}
	return strings.ToValidUTF8(b.String(), "?")
}

// distributions that fix bugs without raising the version, by what their packages put into a banner. The order decides
// where two match: Ubuntu's revisions name Debian's too.
var distributions = []struct {
	name string
	re   *regexp.Regexp
}{
	{"Ubuntu", regexp.MustCompile(`(?i)ubuntu|canonical`)},
	{"Raspbian", regexp.MustCompile(`(?i)raspbian`)},
	{"Debian", regexp.MustCompile(`(?i)debian|[+~-]deb\d|\+dfsg`)},
	{"Red Hat", regexp.MustCompile(`(?i)red[ _-]?hat|\brhel\b|\.el\d`)},
	{"CentOS", regexp.MustCompile(`(?i)centos`)},
	{"Rocky", regexp.MustCompile(`(?i)rocky`)},
	{"AlmaLinux", regexp.MustCompile(`(?i)almalinux`)},
	{"Oracle Linux", regexp.MustCompile(`(?i)oracle[ _]linux`)},
	{"Fedora", regexp.MustCompile(`(?i)fedora|\.fc\d`)},
	{"SUSE", regexp.MustCompile(`(?i)suse`)},
	{"Amazon Linux", regexp.MustCompile(`(?i)amazon|\.amzn`)},
	{"FreeBSD", regexp.MustCompile(`(?i)freebsd`)},
}

// backport names the distribution that the service itself names, in its version, its extra text, its banner or its OS.
func (p *port) backport() string {
	text := p.service.version + " " + p.service.extra + " " + p.banner()
	for _, c := range p.service.cpes {
		if strings.HasPrefix(c, "cpe:/o:") {
			text += " " + c
		}
	}
	if strings.TrimSpace(text) == "" {
		return ""
	}
	for _, d := range distributions {
		if d.re.MatchString(text) {
			return d.name
		}
	}
	return ""
}

var (
	mariaDB = regexp.MustCompile(`(?i)-mariadb`)
	// MariaDB puts 5.5.5- before its version, so that old MySQL replicas accept it.
	mariaDBPrefix = regexp.MustCompile(`^5\.5\.5-(\d+\.\d+\.\d+)`)
	aVersion      = regexp.MustCompile(`^v?\d[\w.]*([+~:-][\w.]+)*$`)
	// noVersion is what makes a version a guess: ranges and open ends.
	noVersion = regexp.MustCompile(`(?i) - |\bor (later|earlier|newer|older|higher|lower)\b|\bor \d|\d\.x\b|^x\b|[<>]|\bthrough\b|\bto\b`)
	// packaging is a suffix that a distribution or a build added.
	packaging = regexp.MustCompile(`(?i)(-\d[\d.]*)?[-+~.]?(ubuntu|debian|deb\d|dfsg|mariadb|log\b|percona|el\d|fc\d|amzn|centos|suse|rhel).*$`)
)

// cleanVersion is the version that the service said, "" when nmap only narrowed it down.
func (s *service) cleanVersion() string {
	if s.product == "Samba smbd" && s.version == "4.6.2" {
		return "" // nmap's word for "SMB2 only": every Samba since answers so
	}
	return cleanVersion(s.version)
}

func cleanVersion(v string) string {
	if v != "" && v[0] != '.' && strings.Trim(v, "0123456789.") == "" {
		return v // nearly all, and the expressions below cost half of the reading
	}
	if v == "" || noVersion.MatchString(v) {
		return ""
	}
	if m := mariaDBPrefix.FindStringSubmatch(v); m != nil {
		return m[1]
	}
	v, _, _ = strings.Cut(v, " ") // "9.2p1 Debian 2+deb12u3", "7.2p2 Ubuntu 4ubuntu2.8"
	v = packaging.ReplaceAllString(v, "")
	if !aVersion.MatchString(v) {
		return ""
	}
	return v
}

// applicationCPEs gives the service's names in canonical form, their versions cleaned like the version itself.
func (s *service) applicationCPEs(version string) []string {
	var out []string
	add := func(n cpe.Name) {
		if text := n.String(); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	for _, uri := range s.cpes {
		n, err := cpe.Parse(uri)
		if err == nil && n.Part == 'a' && !hasWildcardProduct(n) {
			add(s.correct(n, version))
		}
	}
	if known, ok := products[strings.ToLower(s.product)]; ok && len(out) == 0 && version != "" {
		vendor, product, _ := strings.Cut(known, ":")
		add(split(cpe.New('a', vendor, product, version, "")))
	}
	for _, m := range componentText.FindAllStringSubmatch(s.extra, 8) {
		vendor, product, _ := strings.Cut(components[strings.ToLower(m[1])], ":")
		if v := cleanVersion(strings.TrimSuffix(m[2], "-fips")); v != "" {
			add(cpe.New('a', vendor, product, v, ""))
		}
	}
	return out
}

// components are what a web server's header names beside itself: "(CentOS) OpenSSL/1.0.2k-fips PHP/5.4.16".
var components = map[string]string{
	"php":               "php:php",
	"openssl":           "openssl:openssl",
	"python":            "python:python",
	"mod_perl":          "apache:mod_perl",
	"mod_jk":            "apache:tomcat_connectors",
	"phusion_passenger": "phusion:passenger",
}

var componentText = regexp.MustCompile(`(?i)\b(php|openssl|python|mod_perl|mod_jk|phusion_passenger)[/ ](\d[\w.+~-]*)`)

func hasWildcardProduct(n cpe.Name) bool {
	return cpe.HasWildcard(n.Get(cpe.Vendor)) || cpe.HasWildcard(n.Get(cpe.ProductName))
}

// correct repairs what nmap is known to get wrong.
func (s *service) correct(n cpe.Name, version string) cpe.Name {
	product := n.Product()
	said := n.Text(cpe.Version)
	cleaned := cleanVersion(said)
	switch {
	case mariaDB.MatchString(s.version): // called mysql:mysql by its handshake
		return cpe.New('a', "mariadb", "mariadb", version, "")
	case product.Product == "coyote_http_connector": // 1.1 is the connector's protocol, not Tomcat's version
		cleaned = ""
	case said == s.version || strings.HasPrefix(strings.ToLower(s.version), said+" "):
		cleaned = version
	}
	n = n.With(cpe.Version, cpe.Quote(cleaned))
	if cleaned == "" {
		n = n.With(cpe.Update, cpe.Any)
	}
	return split(n)
}

// updates are the products whose NVD names put the patch level into the update attribute: openssh 7.2p2 is 7.2:p2.
var updates = map[string]*regexp.Regexp{
	"openbsd:openssh": regexp.MustCompile(`^(\d[\d.]*)(p\d+)$`),
	"isc:bind":        regexp.MustCompile(`^(\d[\d.]*)-?((?:p|rc|b|a|s)\d+)$`),
	"proftpd:proftpd": regexp.MustCompile(`^(\d[\d.]*)(rc\d+|[a-z])$`),
	"ntp:ntp":         regexp.MustCompile(`^(\d[\d.]*)(p\d+)$`),
}

func split(n cpe.Name) cpe.Name {
	re := updates[n.Text(cpe.Vendor)+":"+n.Text(cpe.ProductName)]
	if re == nil || n.Get(cpe.Update) != cpe.Any {
		return n
	}
	if m := re.FindStringSubmatch(n.Text(cpe.Version)); m != nil {
		return n.With(cpe.Version, cpe.Quote(m[1])).With(cpe.Update, cpe.Quote(m[2]))
	}
	return n
}

// products are well-known ones that some versions of nmap name without a CPE.
var products = map[string]string{
	"apache activemq":             "apache:activemq",
	"apache cassandra":            "apache:cassandra",
	"apache httpd":                "apache:http_server",
	"apache kafka":                "apache:kafka",
	"apache solr":                 "apache:solr",
	"apache tomcat":               "apache:tomcat",
	"apache zookeeper":            "apache:zookeeper",
	"caddy httpd":                 "caddyserver:caddy",
	"cherokee httpd":              "cherokee-project:cherokee",
	"couchdb httpd":               "apache:couchdb",
	"dnsmasq":                     "thekelleys:dnsmasq",
	"docker":                      "docker:docker",
	"docker registry":             "docker:registry",
	"dovecot imapd":               "dovecot:dovecot",
	"dovecot pop3d":               "dovecot:dovecot",
	"dropbear sshd":               "dropbear_ssh_project:dropbear_ssh",
	"elasticsearch rest api":      "elastic:elasticsearch",
	"etcd":                        "etcd:etcd",
	"exim smtpd":                  "exim:exim",
	"filezilla ftpd":              "filezilla-project:filezilla_server",
	"gitea":                       "gitea:gitea",
	"grafana http":                "grafana:grafana",
	"haproxy http proxy":          "haproxy:haproxy",
	"hiawatha":                    "hiawatha-webserver:hiawatha",
	"isc bind":                    "isc:bind",
	"jenkins":                     "jenkins:jenkins",
	"jetty":                       "eclipse:jetty",
	"kibana":                      "elastic:kibana",
	"lighttpd":                    "lighttpd:lighttpd",
	"mariadb":                     "mariadb:mariadb",
	"memcached":                   "memcached:memcached",
	"miniserv":                    "webmin:webmin",
	"mongodb":                     "mongodb:mongodb",
	"mosquitto":                   "eclipse:mosquitto",
	"mysql":                       "oracle:mysql",
	"nginx":                       "f5:nginx",
	"openssh":                     "openbsd:openssh",
	"postgresql db":               "postgresql:postgresql",
	"powerdns":                    "powerdns:authoritative",
	"proftpd":                     "proftpd:proftpd",
	"pure-ftpd":                   "pureftpd:pure-ftpd",
	"rabbitmq":                    "vmware:rabbitmq",
	"redis":                       "redis:redis",
	"redis key-value store":       "redis:redis",
	"rsync":                       "samba:rsync",
	"samba smbd":                  "samba:samba",
	"squid http proxy":            "squid-cache:squid",
	"unbound":                     "nlnetlabs:unbound",
	"valkey key-value store":      "valkey-io:valkey",
	"varnish http accelerator":    "varnish-cache:varnish",
	"vsftpd":                      "vsftpd_project:vsftpd",
	"yaws httpd":                  "yaws:yaws",
	"zabbix":                      "zabbix:zabbix",
	"werkzeug httpd":              "palletsprojects:werkzeug",
	"node.js express framework":   "expressjs:express",
	"openldap":                    "openldap:openldap",
	"mikrotik routeros":           "mikrotik:routeros",
	"microsoft iis httpd":         "microsoft:internet_information_services",
	"apache http server":          "apache:http_server",
	"prometheus":                  "prometheus:prometheus",
	"influxdb http admin":         "influxdata:influxdb",
	"neo4j":                       "neo4j:neo4j",
	"oracle glassfish":            "oracle:glassfish_server",
	"oracle weblogic admin httpd": "oracle:weblogic_server",
}

// osGuess is <os>, reduced to its best match.
type osGuess struct {
	name     string
	accuracy int
	cpes     []string
}

func (d *document) osList() (osGuess, error) {
	var best osGuess
	err := d.Each(func(e xml.StartElement) error {
		if e.Name.Local != "osmatch" {
			return d.Skip()
		}
		g := osGuess{name: line(intake.Attr(e, "name"))}
		g.accuracy, _ = strconv.Atoi(intake.Attr(e, "accuracy"))
		err := d.Each(func(e xml.StartElement) error {
			if e.Name.Local == "osclass" {
				return d.cpeList(&g.cpes)
			}
			return d.Skip()
		})
		if g.accuracy > best.accuracy {
			best = g
		}
		return err
	})
	return best, err
}

// guessworthy is the accuracy below which nmap's own manual calls an OS match a guess.
const guessworthy = 85

// osName is the best word on the operating system, for people.
func (h *host) osName() string {
	if h.os.accuracy >= guessworthy {
		return h.os.name
	}
	for i := range h.ports {
		if p := &h.ports[i]; p.state == "open" && p.service.name == "ssh" && p.backport() != "" {
			return p.backport()
		}
	}
	for _, p := range h.ports {
		if p.state == "open" && p.service.method == "probed" && p.service.ostype != "" {
			return p.service.ostype
		}
	}
	return ""
}

// osCPEs lists the operating systems and devices that services or the TCP fingerprint name. A fingerprint's version is a
// generation ("linux_kernel:5"), never a release: it is left out.
func (h *host) osCPEs() []string {
	var out []string
	add := func(uri string, keepVersion bool) {
		n, err := cpe.Parse(uri)
		if err != nil || n.Part == 'a' || hasWildcardProduct(n) || len(out) >= 32 {
			return
		}
		if !keepVersion || n.Text(cpe.ProductName) == "linux_kernel" {
			n = n.With(cpe.Version, cpe.Any).With(cpe.Update, cpe.Any)
		}
		if text := n.String(); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	for _, p := range h.ports {
		if p.state == "open" && p.service.method == "probed" {
			for _, uri := range p.service.cpes {
				add(uri, true)
			}
		}
	}
	if h.os.accuracy >= guessworthy {
		for _, uri := range h.os.cpes {
			add(uri, false)
		}
	}
	return out
}
