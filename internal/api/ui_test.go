package api

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/patchscout/patchscout/internal/auth"
)

// builtPage is cut small from what the build writes.
const builtPage = `<!doctype html><html lang="en"><head><base href="/" />
<meta property="csp-nonce" nonce="NONCE-OF-THE-ANSWER"><title>PatchScout</title>
<script src="./scheme.js" nonce="NONCE-OF-THE-ANSWER"></script>
<script type="module" src="./static/index-AbC123.js" nonce="NONCE-OF-THE-ANSWER"></script>
</head><body><div id="root"></div></body></html>`

func builtUI() fs.FS {
	return fstest.MapFS{
		"index.html":             {Data: []byte(builtPage)},
		"favicon.svg":            {Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)},
		"scheme.js":              {Data: []byte("(function () {})();")},
		"static/index-AbC123.js": {Data: []byte(strings.Repeat("console.log('page');\n", 400))},
		"static/inter.woff2":     {Data: []byte(strings.Repeat("wOF2", 1000))},
		"static/index.css":       {Data: []byte("body{margin:0}")},
	}
}

// navigation is what a browser says when somebody opens an address.
var navigation = []string{"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Sec-Fetch-Mode", "navigate"}

func TestEveryAddressOfAPageIsAnsweredByThePage(t *testing.T) {
	base, _ := serving(t, Options{UI: builtUI(), Browser: &Browser{Listen: "127.0.0.1:8000"}}, nil)
	for _, path := range []string{
		"/", "/findings", "/findings/12", "/findings?severity=critical&sort=-due", "/assets", "/assets/7", "/scans/3/compare?with=2", "/catalogue/CVE-2024-6387",
		"/settings/users", "/signin?to=%2Ffindings", "/no/such/page", "/apis", "/document", "/healthy", "/wsx",
	} {
		answer, body := get(t, base+path, navigation...)
		if answer.StatusCode != http.StatusOK || !strings.Contains(body, `<div id="root">`) {
			t.Errorf("%s: %d %.200s", path, answer.StatusCode, body)
		}
		if got := answer.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("%s: Content-Type %q", path, got)
		}
		if strings.Contains(body, nonceMark) {
			t.Errorf("%s: the nonce is not filled in", path)
		}
	}
}

func TestThePageTellsTheBrowserToBeStrict(t *testing.T) {
	base, _ := serving(t, Options{UI: builtUI(), Browser: &Browser{Listen: "127.0.0.1:8000"}}, nil)
	for _, path := range []string{"/", "/findings"} {
		answer, _ := get(t, base+path, navigation...)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-cache",
		} {
			if got := answer.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		policy := directives(answer.Header.Get("Content-Security-Policy"))
		for name, want := range map[string]string{
			"default-src": "'none'", "script-src": "'self'", "img-src": "'self' data:", "font-src": "'self'", "connect-src": "'self'",
			"base-uri": "'self'", "form-action": "'self'", "frame-ancestors": "'none'",
		} {
			if policy[name] != want {
				t.Errorf("%s: %s is %q, want %q", path, name, policy[name], want)
			}
		}
		for name, sources := range policy {
			if strings.Contains(sources, "unsafe") || strings.Contains(sources, "*") || strings.Contains(sources, "http") {
				t.Errorf("%s: %s lets in %s", path, name, sources)
			}
		}
	}
}

func directives(policy string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(policy, ";") {
		name, sources, _ := strings.Cut(strings.TrimSpace(part), " ")
		out[name] = sources
	}
	return out
}

var nonceOf = regexp.MustCompile(`nonce="([^"]+)"`)

// A nonce that could be guessed, or is used twice, would let a style in that somebody planted.
func TestEachAnswerHasItsOwnNonceAndThePolicyNamesIt(t *testing.T) {
	base, _ := serving(t, Options{UI: builtUI()}, nil)
	seen := map[string]bool{}
	for range 20 {
		answer, body := get(t, base+"/findings", navigation...)
		found := nonceOf.FindAllStringSubmatch(body, -1)
		if len(found) != 3 {
			t.Fatalf("%d nonces in %s", len(found), body)
		}
		nonce := found[0][1]
		for _, other := range found {
			if other[1] != nonce {
				t.Errorf("two nonces in one page: %s, %s", nonce, other[1])
			}
		}
		if len(nonce) < 22 { // 128 bits
			t.Errorf("nonce %q is short", nonce)
		}
		if want := "'self' 'nonce-" + nonce + "'"; directives(answer.Header.Get("Content-Security-Policy"))["style-src"] != want {
			t.Errorf("policy %q, want style-src %s", answer.Header.Get("Content-Security-Policy"), want)
		}
		if seen[nonce] {
			t.Errorf("nonce %s came twice", nonce)
		}
		seen[nonce] = true
	}
}

func TestThePageKnowsWhereAProxyShowsIt(t *testing.T) {
	base, _ := serving(t, Options{UI: builtUI(), BasePath: "/tools/scout"}, nil)
	for _, path := range []string{"/tools/scout/", "/tools/scout/findings/12", "/findings"} { // the last: a proxy that takes the path off
		answer, body := get(t, base+path, navigation...)
		if answer.StatusCode != http.StatusOK || !strings.Contains(body, `<base href="/tools/scout/" />`) {
			t.Errorf("%s: %d %.200s", path, answer.StatusCode, body)
		}
	}
	if answer, body := get(t, base+"/tools/scout/static/index-AbC123.js"); answer.StatusCode != http.StatusOK || !strings.Contains(body, "console.log") {
		t.Errorf("a file below the base path: %d", answer.StatusCode)
	}
	if answer, _ := get(t, base+"/tools/scout/api/v1/nothing", navigation...); answer.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown path of the API below the base path: %d", answer.StatusCode)
	}
}

func TestFilesWithTheirHashAreKeptForEverAndPagesAreAskedForAgain(t *testing.T) {
	base, _ := serving(t, Options{UI: builtUI()}, nil)
	for path, want := range map[string]struct{ kind, cache string }{
		"/static/index-AbC123.js": {"text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		"/static/index.css":       {"text/css; charset=utf-8", "public, max-age=31536000, immutable"},
		"/static/inter.woff2":     {"font/woff2", "public, max-age=31536000, immutable"},
		"/favicon.svg":            {"image/svg+xml", "no-cache"},
		"/scheme.js":              {"text/javascript; charset=utf-8", "no-cache"},
		"/":                       {"text/html; charset=utf-8", "no-cache"},
	} {
		answer, _ := get(t, base+path)
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != want.kind || answer.Header.Get("Cache-Control") != want.cache {
			t.Errorf("%s: %d, %s, %s", path, answer.StatusCode, answer.Header.Get("Content-Type"), answer.Header.Get("Cache-Control"))
		}
		if answer.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: a browser may guess its type", path)
		}
	}
}

func TestPagesAndScriptsArePackedAndFontsAreNot(t *testing.T) {
	base, _ := serving(t, Options{UI: builtUI(), Limits: Limits{Compress: "on"}}, nil)
	answer, body := get(t, base+"/static/index-AbC123.js", "Accept-Encoding", "gzip")
	if answer.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(answer.Header.Get("Vary"), "Accept-Encoding") {
		t.Fatalf("a script: %v", answer.Header)
	}
	r, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(r); err != nil || !strings.HasPrefix(string(plain), "console.log") || len(plain) != 400*21 {
		t.Errorf("unpacked: %d bytes, %v", len(plain), err)
	}
	if answer, body := get(t, base+"/static/inter.woff2", "Accept-Encoding", "gzip"); answer.Header.Get("Content-Encoding") != "" || len(body) != 4000 {
		t.Errorf("a font, which is packed already: %v, %d bytes", answer.Header, len(body))
	}
	// A part of a file is a part of what it is, not of what it is packed to.
	if answer, body := get(t, base+"/static/index-AbC123.js", "Range", "bytes=0-10", "Accept-Encoding", "gzip"); answer.StatusCode != http.StatusPartialContent || body != "console.log" {
		t.Errorf("a range: %d %q", answer.StatusCode, body)
	}
}

func TestAFileThatIsNotThereIsAProblemAndNotAPage(t *testing.T) {
	base, _ := serving(t, Options{UI: builtUI()}, nil)
	for _, path := range []string{"/static/index-Old999.js", "/static/", "/static", "/static/index-AbC123.js/", "/static/%00", "/static/none<script>.js"} {
		answer, body := get(t, base+path, navigation...)
		if answer.StatusCode != http.StatusNotFound || answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s %.200s", path, answer.StatusCode, answer.Header.Get("Content-Type"), body)
		}
		if strings.Contains(answer.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: a problem is kept for ever", path)
		}
		if strings.Contains(body, "<script>") {
			t.Errorf("%s: markup comes back: %s", path, body)
		}
	}
	if _, body := get(t, base+"/static/index-Old999.js"); !strings.Contains(body, "reload the page") {
		t.Errorf("it does not say what to do: %s", body)
	}
}

func TestOnlyThePageAsksForPages(t *testing.T) {
	base, _ := serving(t, Options{UI: builtUI()}, nil)
	for _, header := range [][]string{nil, {"Accept", "application/json"}, {"Accept", "*/*"}, {"Accept", "image/avif,image/webp,*/*;q=0.8"}} {
		answer, body := get(t, base+"/no-such-picture.png", header...)
		if answer.StatusCode != http.StatusNotFound || strings.Contains(body, "<html") {
			t.Errorf("%v: %d %.100s", header, answer.StatusCode, body)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, "PROPFIND"} {
		r, err := http.NewRequestWithContext(t.Context(), method, base+"/findings", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			t.Errorf("%s is answered by the page", method)
		}
	}
}

func TestPathsOfProgramsAreNeverAnsweredByThePage(t *testing.T) {
	base, _ := serving(t, Options{UI: builtUI()}, nil)
	for _, path := range []string{
		"/api", "/api/", "/api/v1/nothing", "/api/v2/findings", "/ws/x/y/z", "/feeds/nothing.rss", "/docs/nothing", "/health/nothing", "/metrics/x", "/openapi.xml", "/openapi-9.json",
	} {
		answer, body := get(t, base+path, navigation...)
		if answer.StatusCode == http.StatusOK || strings.Contains(body, `id="root"`) {
			t.Errorf("%s: %d %.100s", path, answer.StatusCode, body)
		}
	}
}

func TestHEADOfAPageIsItsHeadersOnly(t *testing.T) {
	base, _ := serving(t, Options{UI: builtUI()}, nil)
	for _, path := range []string{"/", "/findings", "/favicon.svg", "/static/index-AbC123.js"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, base+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK || len(body) != 0 || answer.Header.Get("Content-Type") == "" {
			t.Errorf("%s: %d, %d bytes, %v", path, answer.StatusCode, len(body), answer.Header)
		}
	}
}

// The pages are the same for everybody: no database is asked for them, and loading one is not what strangers are counted by.
func TestNobodyIsAskedWhoTheyAreForAPage(t *testing.T) {
	var asked atomic.Int32
	authenticate := func(*http.Request) (auth.Identity, error) {
		asked.Add(1)
		return auth.Identity{}, errors.New("the database is away")
	}
	browser := &Browser{Listen: "127.0.0.1:8000", StrangersPerMinute: 3}
	base, _ := serving(t, Options{UI: builtUI(), Browser: browser, Authenticate: authenticate}, nil)
	for i := range 5 {
		for _, path := range []string{"/", "/signin", "/findings", "/assets", "/assets/7", "/favicon.svg", "/scheme.js", "/static/index-AbC123.js"} {
			if answer, body := get(t, base+path, append([]string{"Cookie", sessionCookie + "=x"}, navigation...)...); answer.StatusCode != http.StatusOK {
				t.Fatalf("round %d, %s: %d %s", i, path, answer.StatusCode, body)
			} else if answer.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s sets a cookie", path)
			}
		}
	}
	if asked.Load() != 0 {
		t.Errorf("asked %d times", asked.Load())
	}
	if answer, _ := get(t, base+"/openapi.json"); asked.Load() == 0 || answer.StatusCode == http.StatusOK {
		t.Errorf("an operation without asking: %d", answer.StatusCode)
	}
}

func TestHostilePathsGetNoFileOfTheMachine(t *testing.T) {
	files, ok := builtUI().(fstest.MapFS)
	if !ok {
		t.Fatal("not a map")
	}
	files["manifest.json"] = &fstest.MapFile{Data: []byte(`{"src/main.tsx":{}}`)}
	base, _ := serving(t, Options{UI: files}, nil)
	for _, path := range []string{
		"/../../etc/passwd", "/static/../../../etc/passwd", "/static/..%2f..%2f..%2fetc%2fpasswd", "/static/%2e%2e/%2e%2e/etc/passwd", `/static/..\..\etc\passwd`,
		"//etc/passwd", "/static//etc/passwd", "/%2fetc/passwd", "/static/./index-AbC123.js%00.png", "/\x7f", "/%ff%fe", "/" + strings.Repeat("a/", 4000),
	} {
		answer, body := raw(t, base, path)
		if strings.Contains(body, "root:") || answer.StatusCode >= http.StatusInternalServerError {
			t.Errorf("%.80q: %d %.200s", path, answer.StatusCode, body)
		}
	}
	for _, path := range []string{`/"><script>alert(1)</script>`, "/%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/findings?search=%3Cscript%3Ealert(1)%3C/script%3E", "/NONCE-OF-THE-ANSWER"} {
		if _, body := raw(t, base, path); strings.Contains(body, "alert(1)") {
			t.Errorf("%s comes back: %s", path, body)
		}
	}
	if answer, body := get(t, base+"/index.html", navigation...); strings.Contains(body, nonceMark) {
		t.Errorf("the page as a file, with marks instead of a nonce: %d", answer.StatusCode)
	}
	if answer, body := get(t, base+"/static", navigation...); answer.StatusCode == http.StatusOK {
		t.Errorf("a folder is listed: %s", body)
	}
}

// raw sends a path as it is written here, which net/http's client would clean or refuse.
func raw(t *testing.T, base, path string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque = path
	if strings.HasPrefix(path, "//") { // net/http would take the first part for a host
		r.URL.Opaque = "//" + r.URL.Host + path
	}
	r.Header.Set("Accept", "text/html")
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return &http.Response{StatusCode: http.StatusBadRequest}, fmt.Sprint("not sent: ", strings.ReplaceAll(err.Error(), path, "the path"))
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestWithoutABuiltUITheStartPageSaysHowToHaveIt(t *testing.T) {
	for name, files := range map[string]fs.FS{"left out": nil, "a clean clone": fstest.MapFS{".gitkeep": {}}} {
		t.Run(name, func(t *testing.T) {
			base, _ := serving(t, Options{UI: files, BasePath: "/scout"}, nil)
			answer, body := get(t, base+"/scout/", navigation...)
			if answer.StatusCode != http.StatusOK || !strings.Contains(body, "make ui build") || !strings.Contains(body, `href="/scout/docs"`) {
				t.Errorf("%d %s", answer.StatusCode, body)
			}
			policy := directives(answer.Header.Get("Content-Security-Policy"))
			if policy["script-src"] != "'none'" || policy["default-src"] != "'none'" {
				t.Errorf("policy %v", policy)
			}
			if answer, _ := get(t, base+"/scout/findings", navigation...); answer.StatusCode != http.StatusNotFound {
				t.Errorf("a page that is not there: %d", answer.StatusCode)
			}
			if answer, _ := get(t, base+"/scout/static/index.js"); answer.StatusCode != http.StatusNotFound {
				t.Errorf("a file that is not there: %d", answer.StatusCode)
			}
		})
	}
}

// Whoever finds out who asks must do so for every path that an operation has, whatever looks like a page.
func TestOnlyWhatIsAPageIsAnsweredWithoutAsking(t *testing.T) {
	s := New(Options{UI: builtUI()})
	for path, want := range map[string]bool{
		"/": true, "/findings": true, "/assets": true, "/static/x.js": true, "/favicon.svg": true, "/scheme.js": true,
		"/api/v1/findings": false, "/openapi.json": false, "/docs": false, "/metrics": false, "/ws/1": false, "/feeds/latest.rss": false,
	} {
		if got := s.still(httptest.NewRequest(http.MethodGet, path, http.NoBody)); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	if s.still(httptest.NewRequest(http.MethodPost, "/findings", http.NoBody)) {
		t.Error("a change is let through unasked")
	}
}
