package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/neo4j"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/request"
)

// What writing to the graph beside the embedded one may take: in a command the answer waits for it.
const (
	mirrorTime    = 2 * time.Minute
	mirrorJobTime = 15 * time.Minute
)

// pathMirror is a graph beside the embedded one: it is given the network of the whole estate whenever that has changed, for
// those who would ask it themselves.
type pathMirror interface {
	// Renew writes a drawing unless it is there already.
	Renew(ctx context.Context, d neo4j.Drawing) (wrote bool, err error)
}

// neo4jMirror connects for each time, since there is hardly ever anything to write.
type neo4jMirror struct{ cfg config.Config }

// newMirror is nil where no graph database is configured.
func newMirror(cfg config.Config) pathMirror {
	if cfg.GraphURL == "" {
		return nil
	}
	return neo4jMirror{cfg}
}

func (n neo4jMirror) Renew(ctx context.Context, d neo4j.Drawing) (wrote bool, err error) {
	g, err := n.open(ctx)
	if err != nil {
		return false, err
	}
	defer g.Close(context.WithoutCancel(ctx)) //nolint:errcheck // what was committed is
	return g.Renew(ctx, d)
}

func (n neo4jMirror) open(ctx context.Context) (_ *neo4j.Graph, err error) {
	o := neo4j.Options{URL: n.cfg.GraphURL.Reveal(), Password: n.cfg.GraphPass.Reveal()}
	if o.Password != "" {
		o.User = n.cfg.GraphUser
	}
	if file := n.cfg.Outbound.CAFile; file != "" {
		if o.RootCAs, err = certificates(file); err != nil {
			return nil, err
		}
	}
	return neo4j.Open(ctx, o)
}

// mirrorPaths gives the network of the whole estate to the graph beside the embedded one, where there is one. Paths do not
// need it: what went wrong is logged, and kept for those who ask.
func (a *App) mirrorPaths(ctx context.Context, m *pathModel, most time.Duration) {
	if a.mirror == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	wrote, err := a.renewMirror(ctx, m)
	said := ""
	if err != nil {
		said = "Neo4j was not given this network: " + strings.TrimSpace(err.Error()) + "."
		a.log.Warn("the graph database was not given the network of the estate", "error", err)
	} else if wrote {
		a.log.Info("the graph database has the network of the estate")
	}
	a.trouble.Store(&said)
}

func (a *App) renewMirror(ctx context.Context, m *pathModel) (wrote bool, err error) {
	d, err := m.draw(ctx)
	if err != nil {
		return false, err
	}
	return a.mirror.Renew(ctx, d)
}

func (m *pathModel) draw(ctx context.Context) (neo4j.Drawing, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	best, err := m.graph.Best(ctx, attackpath.Removal{})
	if err != nil {
		return neo4j.Drawing{}, err
	}
	return neo4j.Draw(neo4j.Picture{Network: m.model.Network(), Estate: &m.estate.Estate, Describe: m.model.Describe, Chance: best.Chance})
}

// mirrored adds to the notices of an answer what went wrong with the graph beside the embedded one. A command writes to it
// first; of a server a job does that.
func (a *App) mirrored(ctx context.Context, req request.Paths, notices []string) []string {
	if a.mirror == nil || !a.who.View.All() || !isDefault(req) {
		return notices
	}
	if a.who.Kind == auth.Local {
		m, err := a.pathModel(ctx, 0, attackpath.Assumptions{})
		if err != nil {
			return notices // the answer itself says that
		}
		a.mirrorPaths(ctx, m, mirrorTime)
	}
	if said := a.trouble.Load(); said != nil && *said != "" {
		notices = slices.Insert(slices.Clone(notices), 0, *said) // first: a table shows only some
	}
	return notices
}

// isDefault says whether a question is of everything and the default scenario.
func isDefault(req request.Paths) bool {
	return req.Scan == 0 && len(req.From) == 0 && len(req.To) == 0 && req.Assume != "flat" && !req.Reuse && !req.Secrets
}
