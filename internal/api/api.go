// Package api is the HTTP door: JSON under /api/v1 described by an OpenAPI document, live events, the pages of the
// documentation. One file holds one resource with what it needs of the product; nothing here decides what a finding is or
// opens a database.
package api

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

// Desk is the product as one asker may see and use it. Each resource declares its part beside itself.
type Desk interface {
	assets
	comparing
	inventories
	exposures
	settings
	cves
	exploited
	feeds
	imports
	ingestion
	iocs
	matching
	news
	paths
	scanners
	system
	techniques
	findings
	marks
	trends
	today
	savedViews
	jobs
	once
	reports
	rules
	scans
	triage
	vulnerabilities
	sites
	scopes
	watching
	workers
	logins
	users
	tokens
	auditing
	chats
}

// Options are what the server needs.
type Options struct {
	Version string
	Log     *slog.Logger // nil logs nothing
	Now     func() time.Time
	// Desk returns the product for an asker.
	Desk func(auth.Identity) Desk
	// Authenticate says who asks; an error is answered as it is (fault.Denied is 401). Nil lets nobody in.
	Authenticate func(*http.Request) (auth.Identity, error)
	// Browser says by which names and from which pages the server may be used; nil checks nothing, for tests only.
	Browser *Browser
	// Record adds to the audit trail what nothing below has recorded; nil records nothing.
	Record func(ctx context.Context, e auth.Entry)
	// UI are the files of the web UI as they were built; nil is a build without.
	UI fs.FS
	// BasePath is where a reverse proxy shows the server ("/patchscout"), "" is at the root.
	BasePath string
	// Health says whether the server can do its work; nil is always. It may be slow or hang.
	Health func(context.Context) report.Health
	// Metrics answers /metrics; nil is no such page. MetricsOpen lets everybody read it, else viewers may.
	Metrics     http.Handler
	MetricsOpen bool
	Observer    Observer // nil counts nothing
	Limits      Limits
}

// Server answers requests. It is safe for concurrent use.
type Server struct {
	opts   Options
	router chi.Router
	api    huma.API
	// secrets are the paths whose answers to POST are not kept.
	secrets map[string]bool
	shield  *shield // nil without Options.Browser

	ui         *ui
	docsPolicy string // the Content-Security-Policy of the documentation
	denials    denials
	downloads  downloads
}

// New returns a server with all operations.
func New(opts Options) *Server {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Authenticate == nil {
		opts.Authenticate = func(*http.Request) (auth.Identity, error) { return auth.Identity{}, nil }
	}
	s := &Server{opts: opts, router: chi.NewRouter()}
	s.router.Use(s.frame()...)
	s.router.Use(s.idempotent, s.head)
	s.nowhere()
	s.api = humachi.New(s.router, describe(opts))
	s.docs()
	s.help()
	s.pages()
	s.metrics()
	for _, resource := range resources {
		resource(s)
	}
	s.complete()
	return s
}

// resources register the operations, one file each.
var resources = []func(*Server){
	(*Server).healthOperations,
	(*Server).siteOperations,
	(*Server).scopeOperations,
	(*Server).liveOperations,
	(*Server).jobOperations,
	(*Server).workerOperations,
	(*Server).scanOperations,
	(*Server).findingOperations,
	(*Server).markOperations,
	(*Server).trendOperations,
	(*Server).todayOperations,
	(*Server).viewOperations,
	(*Server).triageOperations,
	(*Server).vulnerabilityOperations,
	(*Server).ruleOperations,
	(*Server).reportOperations,
	(*Server).cveOperations,
	(*Server).exploitedOperations,
	(*Server).techniqueOperations,
	(*Server).iocOperations,
	(*Server).matchOperations,
	(*Server).feedOperations,
	(*Server).ingestOperations,
	(*Server).newsOperations,
	(*Server).importOperations,
	(*Server).assetOperations,
	(*Server).inventoryOperations,
	(*Server).compareOperations,
	(*Server).pathOperations,
	(*Server).exposureOperations,
	(*Server).settingOperations,
	(*Server).scannerOperations,
	(*Server).systemOperations,
	(*Server).loginOperations,
	(*Server).userOperations,
	(*Server).tokenOperations,
	(*Server).auditOperations,
	(*Server).chatOperations,
}

// Handler serves everything, below BasePath too when a proxy passes it on.
func (s *Server) Handler() http.Handler {
	if s.opts.BasePath == "" {
		return s.router
	}
	below := http.StripPrefix(s.opts.BasePath, s.router)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; len(p) > len(s.opts.BasePath) && p[:len(s.opts.BasePath)+1] == s.opts.BasePath+"/" {
			below.ServeHTTP(w, r)
			return
		}
		s.router.ServeHTTP(w, r)
	})
}

// OpenAPI is the document that describes all operations.
func (s *Server) OpenAPI() *huma.OpenAPI { return s.api.OpenAPI() }

// describe is the frame of the OpenAPI document and how bodies are read.
func describe(opts Options) huma.Config {
	huma.DefaultArrayNullable = false // our lists are [] when empty
	config := huma.DefaultConfig("PatchScout", opts.Version)
	config.Info.Description = "Which known vulnerabilities apply to your hosts, which to fix first, and why."
	config.DocsPath, config.SchemasPath, config.CreateHooks = "", "", nil
	config.RejectUnknownQueryParameters = true
	config.Transformers = append(config.Transformers, discreet)
	if opts.BasePath != "" {
		config.Servers = []*huma.Server{{URL: opts.BasePath}}
	}
	config.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	aliases(config.Components.Schemas)
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":  {Type: "http", Scheme: "bearer", Description: "an API token"},
		"cookie": {Type: "apiKey", In: "cookie", Name: "patchscout_session", Description: "a browser's session; changes also need the header X-CSRF-Token"},
	}
	return config
}
