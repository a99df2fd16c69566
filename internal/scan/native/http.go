package native

import (
	"bytes"
	"html"
	"io"
	"net"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxRequests bounds the pages that one port is asked for.
const maxRequests = 6

// response is what came back for one request. Nothing in it was decoded but chunks: a compressed body stays as it is.
type response struct {
	status int
	head   string // status line and headers, as said
	header [][2]string
	body   string
}

func (r *response) get(name string) string {
	for _, h := range r.header {
		if h[0] == name {
			return h[1]
		}
	}
	return ""
}

// http asks for the page by which the user named the host, else for "/", and for the few further pages that the first
// answer gives reason for. Redirects are followed once and never off the port.
func (s *session) http() *service {
	path := "/"
	for _, p := range s.target.pages {
		if p.port == s.target.addr.Port() {
			path = p.path
		}
	}
	first := s.get(path)
	if first == nil {
		return nil
	}
	found := &service{Name: "http", Banner: []byte(first.head)}
	found.learnHTTP(first)
	asked := map[string]bool{path: true}
	fetch := func(path string) *response {
		if path == "" || asked[path] || len(asked) >= maxRequests || s.ctx.Err() != nil {
			return nil
		}
		asked[path] = true
		return s.get(path)
	}
	evidence := first.head + "\n" + clip(first.body, 4096)
	if next := fetch(s.redirect(first)); next != nil {
		found.learnHTTP(next)
		evidence += "\n" + next.head + "\n" + clip(next.body, 4096)
	}
	for _, f := range followUps {
		if found.versionOf(f.app) || !f.applies(s.target.addr.Port(), evidence) {
			continue
		}
		if page := fetch(f.path); page != nil {
			found.follow(f, page)
		}
	}
	if found.Version == "" && !found.frozen() {
		// An error page often names what the headers do not.
		if page := fetch("/patchscout-no-such-page"); page != nil {
			found.learnHTTP(page)
		}
	}
	return found
}

// frozen says that the product never tells its version, so that asking for an error page is no use.
func (s *service) frozen() bool { return s.Product == "Microsoft IIS" || s.Product == "Caddy" }

// get asks for one page on a connection of its own. nil when the answer is not HTTP.
func (s *session) get(path string) *response {
	host := s.serverName()
	if host == "" {
		host = s.target.addr.Addr().WithZone("").String()
		if s.target.addr.Addr().Is6() {
			host = "[" + host + "]"
		}
	}
	if port := s.target.addr.Port(); port != 80 && port != 443 {
		host = net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(int(port)))
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: " + host +
		"\r\nUser-Agent: Mozilla/5.0 (compatible; PatchScout)\r\nAccept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n"
	w, err := s.open()
	if err != nil {
		return nil
	}
	defer w.Close()
	answer := w.ask([]byte(request), max(s.patience, 1500*time.Millisecond), pageEnd)
	r := parseResponse(answer)
	if r == nil {
		s.overhear(answer)
	}
	return r
}

const maxHead = 32 << 10

// pageEnd says that a response is complete by its own Content-Length or last chunk, or that its head is too long.
func pageEnd(b []byte) bool {
	if len(b) >= 5 && !hasAnyPrefix(b, "HTTP/") {
		return lineEnd(b) || len(b) > 512
	}
	head, body, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok {
		return len(b) > maxHead
	}
	lower := bytes.ToLower(head)
	if _, rest, ok := bytes.Cut(lower, []byte("\ncontent-length:")); ok {
		value, _, _ := bytes.Cut(rest, []byte("\r"))
		n, err := strconv.Atoi(string(bytes.TrimSpace(value)))
		return err == nil && len(body) >= n
	}
	return bytes.Contains(lower, []byte("chunked")) && bytes.HasSuffix(body, []byte("\r\n0\r\n\r\n"))
}

// parseResponse reads a response as leniently as browsers do. nil when b is not HTTP.
func parseResponse(b []byte) *response {
	if !hasAnyPrefix(b, "HTTP/1.", "HTTP/0.9", "HTTP/2 ") {
		return nil
	}
	head, body, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	if i := bytes.Index(head, []byte("\n\n")); i >= 0 {
		head, body = b[:i], b[i+2:]
	}
	head = head[:min(len(head), maxHead)]
	r := &response{head: string(head)}
	first := true
	for text := range strings.Lines(r.head) {
		text = strings.TrimRight(text, "\r\n")
		if first {
			first = false
			if fields := strings.Fields(text); len(fields) > 1 {
				r.status, _ = strconv.Atoi(fields[1])
			}
			continue
		}
		if name, value, ok := strings.Cut(text, ":"); ok && len(r.header) < 100 {
			r.header = append(r.header, [2]string{strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)})
		}
	}
	if strings.EqualFold(r.get("transfer-encoding"), "chunked") {
		// What stands before a broken chunk is kept.
		plain, _ := io.ReadAll(io.LimitReader(httputil.NewChunkedReader(bytes.NewReader(body)), maxAnswer))
		body = plain
	}
	r.body = string(body)
	if plainToTLS(r) {
		return nil
	}
	return r
}

// plainToTLS recognises the page with which TLS servers answer plain HTTP: the service is inside of TLS.
func plainToTLS(r *response) bool {
	if r.status != 400 && r.status != 497 {
		return false
	}
	for _, words := range []string{
		"plain HTTP request was sent to HTTPS port", "speaking plain HTTP to an SSL-enabled server port",
		"Client sent an HTTP request to an HTTPS server", "combination of host and port requires TLS",
	} {
		if strings.Contains(r.body, words) {
			return true
		}
	}
	return false
}

// redirect returns the path that a redirect leads to when it stays on this port, else "".
func (s *session) redirect(r *response) string {
	if r.status < 300 || r.status > 399 {
		return ""
	}
	u, err := url.Parse(r.get("location"))
	if err != nil || u.User != nil || u.Opaque != "" || u.Scheme != "" && u.Host == "" {
		return ""
	}
	if u.Host != "" {
		usual, scheme := "80", "http"
		if s.inside {
			usual, scheme = "443", "https"
		}
		port := u.Port()
		if port == "" {
			port = usual
		}
		addr, err := netip.ParseAddr(u.Hostname())
		same := err == nil && addr.Unmap() == s.target.addr.Addr().WithZone("") || s.serverName() != "" && strings.EqualFold(u.Hostname(), s.serverName())
		if !same || u.Scheme != scheme || port != strconv.Itoa(int(s.target.addr.Port())) {
			return ""
		}
	}
	path := u.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	if len(path) > 1024 || strings.ContainsAny(path, " \r\n\t") {
		return ""
	}
	return path
}

var (
	titlePattern     = regexp.MustCompile(`(?is)<title[^>]*>\s*([^<]{1,300})`)
	generatorPattern = regexp.MustCompile(`(?is)<meta\s[^>]{0,200}name=["']?generator["']?[^>]{0,200}>`)
	contentPattern   = regexp.MustCompile(`(?is)content=["']([^"'>]{1,200})`)
	// serverProducts cuts a Server header into its products; what stands in parentheses belongs to the one before, or
	// is a product of its own when it is written like one: "(Ruby/2.7.4/2021-07-07)".
	serverProducts = regexp.MustCompile(`[^\s()]+\([^)]*\)|[^\s()]+|\([A-Z]\w+/[^)]*\)`)
)

// learnHTTP collects what one response says.
func (s *service) learnHTTP(r *response) {
	server := r.get("server")
	for _, h := range r.header {
		if h[0] == "via" || strings.HasPrefix(h[0], "x-varnish") {
			s.addAll("http.header", h[0]+": "+h[1]) // a proxy in front comes first: it is what answers here
		}
	}
	s.learnServer(server)
	for _, h := range r.header {
		text := h[0] + ": " + clip(h[1], 512)
		s.addAll("http.header", text)
		if h[0] == "x-powered-by" {
			s.distribution(h[1])
			s.note(h[1])
		}
	}
	s.distribution(server)
	if m := titlePattern.FindStringSubmatch(r.body); m != nil {
		title := line(html.UnescapeString(m[1]))
		s.addAll("http.title", title)
		s.note("title " + title)
	}
	if m := contentPattern.FindStringSubmatch(generatorPattern.FindString(r.body)); m != nil {
		generator := line(html.UnescapeString(m[1]))
		s.addAll("http.generator", generator)
		s.note("generator " + generator)
	}
	s.addAll("http.body", r.body)
	s.learnJSON(r)
}

func (s *service) learnServer(server string) {
	if server == "" {
		return
	}
	s.note("server " + server)
	known := false
	if g, ok := identify("http.server", server); ok {
		s.add(g)
		known = true
	}
	products := serverProducts.FindAllString(clip(server, 512), 20)
	for _, p := range products {
		if g, ok := identify("http.server", strings.Trim(p, "()")); ok {
			s.add(g)
			known = true
		}
	}
	if !known && s.Product == "" && len(products) > 0 {
		name, version, _ := strings.Cut(products[0], "/")
		s.Product = line(clip(name, 64))
		if version != "" && version[0] >= '0' && version[0] <= '9' {
			s.Version = line(clip(version, 64))
		}
	}
}

func (s *service) addAll(kind, text string) {
	for _, g := range identifyAll(kind, text) {
		s.add(g)
		if g.product != "" && g.product != s.Product {
			s.note(g.product + " " + g.version)
		}
	}
}

var (
	elasticVersion = regexp.MustCompile(`"number"\s*:\s*"([^"]{1,40})"`)
	openSearch     = regexp.MustCompile(`"distribution"\s*:\s*"opensearch"`)
	couchVersion   = regexp.MustCompile(`"couchdb"\s*:\s*"Welcome"\s*,\s*"version"\s*:\s*"([^"]{1,40})"`)
)

// learnJSON reads the databases whose front page is their version.
func (s *service) learnJSON(r *response) {
	body := clip(strings.TrimSpace(r.body), 4096)
	if !strings.HasPrefix(body, "{") {
		return
	}
	if m := couchVersion.FindStringSubmatch(body); m != nil {
		s.addAll("app", "couchdb "+m[1])
	}
	if m := elasticVersion.FindStringSubmatch(body); m != nil && strings.Contains(body, "lucene_version") {
		product := "elasticsearch "
		if openSearch.MatchString(body) {
			product = "opensearch "
		}
		s.addAll("app", product+m[1])
	}
}

// followUp is a page that names a version, and the reason to ask for it.
type followUp struct {
	app      string         // the product's word in the signatures of kind "app"; "" for pages with signatures of their own
	evidence *regexp.Regexp // in the pages seen so far; nil for none
	ports    []uint16
	path     string
	version  *regexp.Regexp // group 1, in the page's body
}

func (f followUp) applies(port uint16, evidence string) bool {
	for _, p := range f.ports {
		if p == port {
			return true
		}
	}
	return f.evidence != nil && f.evidence.MatchString(evidence)
}

var followUps = []followUp{
	{"grafana", regexp.MustCompile(`(?i)<title>Grafana|grafana_session|grafanaBootData`), nil, "/api/health",
		regexp.MustCompile(`"version":\s*"([^"]{1,40})"`)},
	{"prometheus", regexp.MustCompile(`(?i)<title>Prometheus|location: /(?:graph|query)\r?\n`), nil, "/api/v1/status/buildinfo",
		regexp.MustCompile(`"status":"success".*"version":"([^"]{1,40})"`)},
	{"kubernetes", regexp.MustCompile(`"kind":\s*"Status"`), nil, "/version", regexp.MustCompile(`"gitVersion":\s*"([^"]{1,40})"`)},
	{"docker", regexp.MustCompile(`\{"message":"page not found"\}|(?i)server: docker/`), []uint16{2375, 2376}, "/version",
		regexp.MustCompile(`"ApiVersion".*?"Version":"([^"]{1,40})"|"Version":"([^"]{1,40})","ApiVersion"`)},
	{"etcd", nil, []uint16{2379, 2380}, "/version", regexp.MustCompile(`"etcdserver":"([^"]{1,40})"`)},
	{"kibana", regexp.MustCompile(`(?i)\nkbn-name:`), nil, "/api/status", regexp.MustCompile(`"version":\{"number":"([^"]{1,40})"`)},
	{"solr", regexp.MustCompile(`(?i)<title>Solr Admin|location: \S*/solr/`), nil, "/solr/admin/info/system?wt=json",
		regexp.MustCompile(`"solr-spec-version":\s*"([^"]{1,40})"`)},
	{"consul", regexp.MustCompile(`(?i)Consul by HashiCorp|location: /ui/\r?\n`), nil, "/v1/agent/self",
		regexp.MustCompile(`"Version":\s*"(\d[^"]{1,40})"`)},
	{"vault", regexp.MustCompile(`(?i)\nx-vault|<title>Vault`), []uint16{8200}, "/v1/sys/health", regexp.MustCompile(`"sealed".*"version":"([^"]{1,40})"`)},
	{"influxdb", nil, []uint16{8086}, "/ping", nil},
	{"", regexp.MustCompile(`No server is available to handle this request|<title>Statistics Report for HAProxy`), []uint16{8404}, "/stats", nil},
	{"", regexp.MustCompile(`No server is available to handle this request`), []uint16{1936}, "/haproxy?stats", nil},
}

var haproxyPage = regexp.MustCompile(`HAProxy version [^,<]{1,80}`)

// follow adds what a further page says.
func (s *service) follow(f followUp, page *response) {
	if f.version == nil {
		s.learnHTTP(page)
		s.distribution(haproxyPage.FindString(page.body))
		return
	}
	if m := f.version.FindStringSubmatch(clip(page.body, maxSignatureText)); m != nil {
		s.addAll("app", f.app+" "+line(strings.Join(m[1:], "")))
		return
	}
	if f.app == "kubernetes" {
		s.addAll("app", "kubernetes")
	}
}

// versionOf says that the version of an app is known already.
func (s *service) versionOf(app string) bool {
	for _, name := range s.CPEs {
		if fields := strings.Split(name, ":"); app != "" && len(fields) > 5 && fields[4] == app && fields[5] != "*" {
			return true
		}
	}
	return false
}
