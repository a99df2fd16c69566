package api

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/cors"
	"github.com/go-chi/httprate"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
)

// Browser says by which names and from which pages the server may be used (design decision 12). The zero value allows
// localhost, loopback addresses and pages of the server itself.
type Browser struct {
	Listen         string         // address:port, as configured
	Hosts          []string       // names that the server has beside localhost and its addresses
	CORSOrigins    []string       // pages elsewhere that may call it
	TrustedProxies []netip.Prefix // whose X-Forwarded headers are believed
	// Open says that nobody has to log in (--auth off): then not even reading is allowed to pages elsewhere.
	Open bool
	// StrangersPerMinute is how many requests one client may make in a minute without logging in; 0 is no limit.
	StrangersPerMinute int
}

// sessionCookie is the name of the cookie that holds a session.
const sessionCookie = "patchscout_session"

// visit is what is known of a request beside who asks.
type visit struct {
	secure  bool   // it came over TLS, to us or to the proxy before us
	session string // the cookie's value
	path    string // without the base path
	origin  string // our own, as the client sees it: https://scout.example.org
}

type visitKey struct{}

func visitOf(ctx context.Context) visit {
	v, _ := ctx.Value(visitKey{}).(visit)
	return v
}

// Doors let people and programs in.
type Doors interface {
	BySession(ctx context.Context, secret, from string) (auth.Identity, error)
	ByToken(ctx context.Context, token, from string) (auth.Identity, error)
}

// Authenticate returns the function for Options: a token in the header Authorization, else a session in a cookie. A session
// only changes something together with the header X-CSRF-Token. With open everybody is admin.
func Authenticate(doors Doors, open bool) func(*http.Request) (auth.Identity, error) {
	return func(r *http.Request) (auth.Identity, error) {
		from := Client(r)
		if open {
			return auth.Identity{Kind: auth.Off, Name: "anybody", Role: auth.Admin, View: auth.Everything(), From: from}, nil
		}
		if header := r.Header.Get("Authorization"); header != "" {
			if _, token, basic := r.BasicAuth(); basic && isNews(r) {
				return doors.ByToken(r.Context(), token, from)
			}
			kind, token, _ := strings.Cut(header, " ")
			if !strings.EqualFold(kind, "Bearer") {
				return auth.Identity{From: from}, notIn("the header Authorization must be Bearer and a token")
			}
			return doors.ByToken(r.Context(), strings.TrimSpace(token), from)
		}
		return bySession(doors, r, from)
	}
}

// isNews: programs that read RSS and Atom know names and passwords only; there the password is a token.
func isNews(r *http.Request) bool { return !changes(r) && newsFile(r.URL.Path) }

func newsFile(name string) bool { return path.Ext(name) == ".rss" || path.Ext(name) == ".atom" }

// challenge is what a client may log in with.
func challenge(name string) string {
	if newsFile(name) {
		return `Basic realm="PatchScout: any name, a token as the password", charset="UTF-8"`
	}
	return `Bearer realm="PatchScout"`
}

// bySession: a session that has ended is nobody's, as if there were no cookie, so that public pages still open.
func bySession(doors Doors, r *http.Request, from string) (auth.Identity, error) {
	nobody := auth.Identity{From: from}
	cookies := r.CookiesNamed(sessionCookie)
	if len(cookies) != 1 { // two of one name: one was planted by somebody else
		return nobody, nil
	}
	who, err := doors.BySession(r.Context(), cookies[0].Value, from)
	if auth.NotLetIn(err) {
		return nobody, nil
	}
	if err == nil && changes(r) && !auth.SameCSRF(cookies[0].Value, r.Header.Get("X-CSRF-Token")) && !loggingIn(r) {
		err = fault.Denied("a change with a session's cookie needs the header X-CSRF-Token: GET /api/v1/auth/me says what is in it")
	}
	return who, err
}

// loggingIn: whoever logs in begins anew, whatever cookie he still has.
func loggingIn(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/api/v1/auth/login") }

func changes(r *http.Request) bool {
	return !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method)
}

// Client is the address that a request comes from, for people and for counting.
func Client(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// shield is what stands between strangers and the operations.
type shield struct {
	Browser
	s        *Server
	listen   string
	listed   []string
	strange  *httprate.RateLimiter
	crossing func(http.Handler) http.Handler
}

// protect lets through what browsers and programs may send; see shield.
func (s *Server) protect(next http.Handler) http.Handler {
	if s.opts.Browser == nil {
		return next
	}
	s.shield = s.newShield(*s.opts.Browser)
	return s.shield.wrap(next)
}

func (s *Server) newShield(b Browser) *shield {
	h := &shield{Browser: b, s: s}
	h.listen, _, _ = net.SplitHostPort(b.Listen)
	for _, name := range b.Hosts {
		h.listed = append(h.listed, strings.ToLower(strings.TrimSuffix(name, ".")))
	}
	if b.StrangersPerMinute > 0 {
		h.strange = httprate.NewRateLimiter(b.StrangersPerMinute, time.Minute)
	}
	h.crossing = cors.Handler(cors.Options{
		AllowOriginFunc:  func(_ *http.Request, origin string) bool { return slices.Contains(b.CORSOrigins, origin) },
		AllowedMethods:   []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
		AllowedHeaders:   []string{"*"},
		ExposedHeaders:   []string{"ETag", "Location", "Retry-After", "X-Request-Id", "X-Patchscout-Auth", "Link", "Content-Disposition"},
		AllowCredentials: true, MaxAge: 600,
	})
	return h
}

// wrap is the middleware: who is the client really, may it use this name, may this page do that.
func (h *shield) wrap(next http.Handler) http.Handler {
	crossing := h.crossing(h.origins(next))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.headers(w, r)
		r, v, encrypted := h.look(r)
		if err := h.judge(r, encrypted); err != nil {
			h.s.writeError(w, r, err)
			return
		}
		crossing.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	})
}

// judge refuses what no page and no program has a reason to send.
func (h *shield) judge(r *http.Request, encrypted bool) error {
	if !encrypted && !strings.HasPrefix(r.URL.Path, "/health") {
		return fault.Denied("passwords and tokens would be readable on the way: use https, or come by the reverse proxy")
	}
	if !h.knows(r) {
		return fault.Denied("the server is not known by the name %.100q: list it in server.hosts", r.Host)
	}
	for _, values := range r.URL.Query() {
		if slices.ContainsFunc(values, auth.LooksLikeToken) {
			return notIn("a token in an address ends up in logs and histories: send it in the header Authorization, and revoke this one")
		}
	}
	return nil
}

// look finds out what a proxy said of the request, when it is one that is trusted. The request that is returned has the
// client's address and the name that it asked for. Encrypted says that nobody between us and the client (or its proxy, on a
// network of its own) can read along.
func (h *shield) look(r *http.Request) (_ *http.Request, v visit, encrypted bool) {
	v.secure, v.path = r.TLS != nil, r.URL.Path
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	address := peer.Addr().Unmap().WithZone("")
	proxy := err == nil && h.trusts(address)
	encrypted = v.secure || proxy || err == nil && address.IsLoopback()
	if proxy {
		r = r.Clone(r.Context())
		if client := h.forwardedFor(r); client.IsValid() && client != address {
			r.RemoteAddr = netip.AddrPortFrom(client, 0).String()
		}
		if proto := last(r.Header.Values("X-Forwarded-Proto")); proto != "" {
			v.secure = strings.EqualFold(proto, "https")
		}
		if host := last(r.Header.Values("X-Forwarded-Host")); host != "" {
			r.Host = host
		}
	}
	v.origin = map[bool]string{true: "https://", false: "http://"}[v.secure] + strings.ToLower(r.Host)
	if c := r.CookiesNamed(sessionCookie); len(c) == 1 {
		v.session = c[0].Value
	}
	return r, v, encrypted
}

func (h *shield) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(h.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// forwardedFor is the last address of the chain that is no trusted proxy: what stands before it anybody may have written.
func (h *shield) forwardedFor(r *http.Request) (client netip.Addr) {
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(chain) {
		a, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(text), "[]"))
		if err != nil {
			return client
		}
		if client = a.Unmap().WithZone(""); !h.trusts(client) {
			return client
		}
	}
	return client
}

// last is the value that the nearest proxy wrote.
func last(values []string) string {
	parts := strings.Split(strings.Join(values, ","), ",")
	return strings.TrimSpace(parts[len(parts)-1])
}

// knows says whether the server has the name that is asked for. A page that makes its own name lead to this machine (DNS
// rebinding) has another.
func (h *shield) knows(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if host == "localhost" || host != "" && host == h.listen || slices.Contains(h.listed, host) {
		return true
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return a.IsLoopback() || local != nil && sameAddress(local, a)
}

func sameAddress(local net.Addr, a netip.Addr) bool {
	p, err := netip.ParseAddrPort(local.String())
	return err == nil && p.Addr().Unmap().WithZone("") == a.Unmap()
}

// headers tell browsers to be strict.
func (h *shield) headers(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	switch path := r.URL.Path; {
	case path == "/docs" || strings.HasPrefix(path, "/docs/"):
		header.Set("Content-Security-Policy", h.s.docsPolicy)
	case strings.HasPrefix(path, "/api/"):
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if strings.HasPrefix(path, "/api/v1/auth/") || strings.HasPrefix(path, "/api/v1/tokens") || strings.HasPrefix(path, "/api/v1/users") {
			header.Set("Cache-Control", "no-store")
		}
	}
	if h.Open {
		header.Set("X-Patchscout-Auth", "off")
	}
}

// origins refuses what a page elsewhere wants to change. Programs send neither header.
func (h *shield) origins(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (h.Open || changes(r)) && !h.s.SameSite(r) {
			h.s.writeError(w, r, fault.Denied("a page of %.100q may not use this server: list its origin in server.cors_origins", r.Header.Get("Origin")))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// SameSite says whether a request may change something: it comes from a page of this server, from one of a listed origin, or
// from no page at all. WebSockets ask it too, whose pages browsers let read everything.
func (s *Server) SameSite(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return !slices.Contains([]string{"cross-site", "same-site"}, r.Header.Get("Sec-Fetch-Site")) || !changes(r) && navigates(r)
	}
	if s.opts.Browser != nil && slices.Contains(s.opts.Browser.CORSOrigins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Scheme+"://"+u.Host, originOf(r))
}

// navigates: somebody followed a link from a page elsewhere, which shows him a page and tells that one nothing.
func navigates(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Mode") == "navigate" }

func originOf(r *http.Request) string {
	if v := visitOf(r.Context()); v.origin != "" {
		return v.origin
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// identify finds out who asks and puts it into the request's context. Who does not log in is counted.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := s.opts.Authenticate(r)
		if (err != nil || who.Kind == auth.Anonymous) && s.shield != nil && s.shield.strange != nil && s.shield.strange.OnLimit(w, r, auth.Network(Client(r))) {
			s.writeError(w, r, auth.Throttled{Wait: time.Minute})
			return
		}
		if err != nil {
			s.writeError(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(auth.With(r.Context(), who)))
	})
}

// cookie is the session's cookie; without a session it makes the browser forget.
func (s *Server) cookie(ctx context.Context, secret string, expires time.Time) http.Cookie {
	c := http.Cookie{Name: sessionCookie, Value: secret, Path: s.opts.BasePath + "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: visitOf(ctx).secure, Expires: expires, MaxAge: int(expires.Sub(s.opts.Now()).Seconds())}
	if secret == "" {
		c.Expires, c.MaxAge = time.Unix(1, 0), -1
	}
	return c
}
