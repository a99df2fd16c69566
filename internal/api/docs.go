package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"

	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// docs serves the page that shows the OpenAPI document; all of it comes from this program, so it works without the
// internet.
func (s *Server) docs() {
	page := v5emb.NewHandlerWithConfig(swgui.Config{Title: "PatchScout API", SwaggerJSON: s.opts.BasePath + "/openapi.json", BasePath: s.opts.BasePath + "/docs"})
	s.docsPolicy = policyOf(page, s.opts.BasePath+"/docs")
	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		below := r.Clone(r.Context())
		below.URL.Path = s.opts.BasePath + r.URL.Path // the page knows itself and its parts by the whole path
		page.ServeHTTP(w, below)
	})
	s.router.Handle("/docs", serve)
	s.router.Handle("/docs/*", serve)
}

var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// policyOf is the Content-Security-Policy of a page that runs only scripts of this server and those that are written in it
// now. Swagger UI sets styles on its elements.
func policyOf(page http.Handler, path string) string {
	var shown kept
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, path, nil)
	if err == nil {
		page.ServeHTTP(&shown, r)
	}
	scripts := []string{"'self'"}
	for _, found := range inlineScript.FindAllSubmatch(shown.body.Bytes(), -1) {
		sum := sha256.Sum256(found[1])
		scripts = append(scripts, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return "default-src 'none'; script-src " + strings.Join(scripts, " ") + "; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// kept is a page that is shown to nobody.
type kept struct {
	header http.Header
	body   bytes.Buffer
}

func (k *kept) Header() http.Header {
	if k.header == nil {
		k.header = http.Header{}
	}
	return k.header
}
func (k *kept) Write(p []byte) (int, error) { return k.body.Write(p) }
func (k *kept) WriteHeader(int)             {}
