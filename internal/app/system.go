package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/report"
)

// heardScanners remembers what the scanners answered last. The zero value is ready.
type heardScanners struct {
	mu   sync.Mutex
	at   time.Time
	list []report.ScannerInfo
}

// versionsHold is how long: a page that shows the scanners must not start six programs each time.
const versionsHold = 30 * time.Second

// Scanners lists every scanner with its version, or why it cannot run on this machine.
func (a *App) Scanners(ctx context.Context) (report.ScannerList, error) {
	v := &a.heard
	v.mu.Lock()
	defer v.mu.Unlock()
	if now := a.now(); v.list == nil || now.Sub(v.at) > versionsHold || now.Before(v.at) {
		list := Scanners(ctx, a.cfg)
		if err := ctx.Err(); err != nil {
			return report.ScannerList{}, err // what was asked under a request that is gone says nothing
		}
		v.list, v.at = list, now
	}
	return report.ScannerList{Scanners: slices.Clone(v.list)}, nil
}

// System says what this server is; its version is the caller's to fill in.
func (a *App) System(ctx context.Context) (report.System, error) {
	cat, err := a.Catalogue(ctx)
	doc := report.System{Engine: string(a.store.Engine()), Auth: a.cfg.Server.Auth, Warnings: []string{}, Features: features(a.cfg),
		Tools: Tools(), Feeds: FeedNames(), MaxUpload: a.MaxUpload(), Catalogue: cat}
	if a.cfg.Server.Auth == "off" {
		doc.Warnings = append(doc.Warnings, "Nobody has to log in (server.auth is off): everybody who reaches this server may do everything.")
	}
	if cat.Starter {
		doc.Warnings = append(doc.Warnings, "Only the starter catalogue is loaded, which holds part of all CVEs: load the feeds.")
	}
	return doc, err
}

// features are what is configured beside the usual.
func features(cfg config.Config) []string {
	out := []string{}
	for _, f := range []struct {
		name string
		on   bool
	}{
		{"tls", cfg.Server.TLSCert != ""}, {"proxy", len(cfg.Server.TrustedProxies) > 0}, {"base_path", cfg.Server.BasePath != ""},
		{"oidc", cfg.OIDC.Issuer != ""}, {"feeds_mirror", cfg.Feeds.Mirror != ""},
	} {
		if f.on {
			out = append(out, f.name)
		}
	}
	return out
}

// MaxUpload is how large an upload may be, in bytes.
func (a *App) MaxUpload() int64 { return int64(a.cfg.Server.MaxUploadMB) << 20 }
