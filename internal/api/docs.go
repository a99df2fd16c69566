package api

import (
	"net/http"

	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// docs serves the page that shows the OpenAPI document; all of it comes from this program, so it works without the
// internet.
func (s *Server) docs() {
	page := v5emb.NewHandlerWithConfig(swgui.Config{Title: "PatchScout API", SwaggerJSON: s.opts.BasePath + "/openapi.json", BasePath: s.opts.BasePath + "/docs"})
	serve := http.StripPrefix("", page)
	s.router.Handle("/docs", serve)
	s.router.Handle("/docs/*", serve)
}
