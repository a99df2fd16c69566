package api

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/patchscout/patchscout/internal/fault"
)

// ui serves the web UI: files that are the same for everybody, and for every other path that a browser navigates to the
// page whose program shows what belongs there. What it says of the estate it asks the API for.
type ui struct {
	files fs.FS  // nil: not built
	index []byte // with marks for what differs
	base  string // what a reverse proxy put before our paths, ends in /
}

// What the built page holds where an answer has something of its own. The first is also valid while the page is developed.
const (
	baseMark  = `<base href="/" />`
	nonceMark = "NONCE-OF-THE-ANSWER"
)

//go:embed unbuilt.html
var unbuilt []byte

// pages registers the web UI. Whoever builds without it still gets a page, which says how to have it.
func (s *Server) pages() {
	s.ui = &ui{base: s.opts.BasePath + "/"}
	if s.opts.UI == nil {
		s.router.Get("/", s.showUnbuilt)
		return
	}
	index, err := fs.ReadFile(s.opts.UI, "index.html")
	if err != nil {
		s.router.Get("/", s.showUnbuilt)
		return
	}
	s.ui.files = s.opts.UI
	s.ui.index = bytes.Replace(index, []byte(baseMark), []byte(`<base href="`+s.ui.base+`" />`), 1)
	s.router.Get("/", s.showPage)
	s.router.Get("/static/*", s.showFile)
}

func (s *Server) showUnbuilt(w http.ResponseWriter, _ *http.Request) {
	pageHeaders(w.Header(), "")
	_, _ = w.Write(bytes.ReplaceAll(unbuilt, []byte(`href="/`), []byte(`href="`+s.ui.base)))
}

// showPage answers with the page; its scripts and styles run because they carry this answer's nonce.
func (s *Server) showPage(w http.ResponseWriter, _ *http.Request) {
	nonce := base64.RawURLEncoding.EncodeToString([]byte(rand.Text()))
	pageHeaders(w.Header(), nonce)
	_, _ = w.Write(bytes.ReplaceAll(s.ui.index, []byte(nonceMark), []byte(nonce)))
}

// pageHeaders: a page runs and loads what comes from this server, and sends nothing elsewhere. Styles that the program
// makes carry the nonce.
func pageHeaders(h http.Header, nonce string) {
	styles, scripts := "'self' 'unsafe-inline'", "'none'"
	if nonce != "" {
		styles, scripts = "'self' 'nonce-"+nonce+"'", "'self'"
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src "+scripts+"; style-src "+styles+"; img-src 'self' data:; font-src 'self'; "+
		"connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'")
}

// showFile answers with a file of the build. Files below static have their content's hash in their names.
func (s *Server) showFile(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	content, err := fs.ReadFile(s.ui.files, name)
	if err != nil {
		s.writeError(w, r, fault.NotFound("the web UI has no file %.100q: reload the page, the server may be newer than it", name))
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "static/") {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}

// shows says whether the web UI answers a request that no operation does, and does it.
func (u *ui) shows(s *Server, w http.ResponseWriter, r *http.Request) bool {
	if u == nil || u.files == nil || changes(r) || reserved(r.URL.Path) {
		return false
	}
	if name := strings.TrimPrefix(r.URL.Path, "/"); fs.ValidPath(name) && name != "index.html" {
		if info, err := fs.Stat(u.files, name); err == nil && !info.IsDir() {
			s.showFile(w, r)
			return true
		}
	}
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		return false
	}
	s.showPage(w, r)
	return true
}

// reserved are the paths of programs: what is not there is not a page.
func reserved(p string) bool {
	for _, name := range []string{"/api", "/ws", "/feeds", "/docs", "/help", "/health", "/metrics", "/openapi", "/static"} {
		if p == name || strings.HasPrefix(p, name+"/") || strings.HasPrefix(p, name+".") || name == "/openapi" && strings.HasPrefix(p, name) {
			return true
		}
	}
	return false
}

// still says whether a request is for a part of the web UI: the same for everybody, so nobody is asked who they are, and
// no stranger is counted for loading the page on which to log in.
func (s *Server) still(r *http.Request) bool {
	switch p := r.URL.Path; {
	case changes(r):
		return false
	case p == "/" || strings.HasPrefix(p, "/static/"):
		return true
	default:
		return !reserved(p) && !s.router.Match(chi.NewRouteContext(), http.MethodGet, p)
	}
}
