package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// PathPolicy is what somebody declared of the network, as far as it is about sites that the asker sees.
func (a *App) PathPolicy(ctx context.Context) (report.PathPolicy, error) {
	p, err := a.store.Estate().PathPolicy(ctx)
	if err != nil || a.who.View.All() {
		return toPathPolicy(p), err
	}
	estate, err := a.pathEstate(ctx, 0)
	if err != nil {
		return toPathPolicy(attackpath.PolicySet{}), err
	}
	return toPathPolicy(estate.Policy), nil
}

func toPathPolicy(p attackpath.PolicySet) report.PathPolicy {
	out := report.PathPolicy{Rules: []report.PathRule{}, Same: [][]string{}, Clients: []string{}, Source: report.Text(p.Source), By: report.Text(p.By), At: pointer(p.At)}
	for _, r := range p.Rules {
		rule := report.PathRule{N: r.N, From: r.From.String(), To: r.To.String(), Ports: []string{}, Allow: r.Allow, Note: report.Text(r.Note)}
		for _, ports := range r.Ports {
			rule.Ports = append(rule.Ports, ports.String())
		}
		out.Rules = append(out.Rules, rule)
	}
	for _, group := range p.Same {
		var hosts []string
		for _, h := range group {
			hosts = append(hosts, h.Site+"/"+h.Host)
		}
		out.Same = append(out.Same, hosts)
	}
	for _, network := range p.Clients {
		out.Clients = append(out.Clients, network.String())
	}
	return out
}

// SetPathPolicy puts a file of rules in the place of the one before.
func (a *App) SetPathPolicy(ctx context.Context, name string, data []byte) (_ report.PathPolicy, err error) {
	detail := ""
	defer func() { a.auditEnd(ctx, "paths.policy", name, detail, err) }()
	if err := a.wide("a policy of the network"); err != nil {
		return report.PathPolicy{}, err
	}
	p, err := attackpath.ReadPolicy(name, data)
	if err != nil {
		return report.PathPolicy{}, err
	}
	if err := a.checkPolicy(ctx, p); err != nil {
		return report.PathPolicy{}, err
	}
	detail = fmt.Sprintf("%d rules, %d groups of one machine, %d networks of clients", len(p.Rules), len(p.Same), len(p.Clients))
	if err := a.keepPolicy(ctx, p); err != nil {
		return report.PathPolicy{}, err
	}
	return a.PathPolicy(ctx)
}

func (a *App) keepPolicy(ctx context.Context, p attackpath.PolicySet) error {
	p.At, p.By = a.now().UTC(), a.who.Name
	return a.store.Estate().SetPathPolicy(ctx, &p)
}

// ClearPathPolicy forgets what was declared.
func (a *App) ClearPathPolicy(ctx context.Context) (err error) {
	defer func() { a.auditEnd(ctx, "paths.policy", "none", "", err) }()
	if err := a.wide("the policy of the network"); err != nil {
		return err
	}
	return a.store.Estate().SetPathPolicy(ctx, nil)
}

// PathCorrections lists what people said of edges.
func (a *App) PathCorrections(ctx context.Context) (report.PathCorrections, error) {
	out := report.PathCorrections{Corrections: []report.PathCorrection{}}
	list, err := a.store.Estate().PathCorrections(ctx, a.who.View)
	if err != nil || len(list) == 0 {
		return out, err
	}
	m, err := a.pathModel(ctx, 0, attackpath.Assumptions{})
	if err != nil {
		return out, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, c := range list {
		out.Corrections = append(out.Corrections, toCorrection(c, m.model))
	}
	return out, nil
}

func toCorrection(c attackpath.Correction, model *attackpath.Model) report.PathCorrection {
	out := report.PathCorrection{ID: c.ID, Edge: string(c.Edge), Says: string(c.Says), About: explain.Line(model.About(c.Edge)), Note: report.Text(c.Note), By: c.By, At: c.At}
	if c.Says == attackpath.SaysChance {
		out.Chance = &c.P
	}
	return out
}

// maxPathNote is how long a note is at most, as with triage.
const maxPathNote = 16 << 10

// CorrectPath keeps a person's word on an edge.
func (a *App) CorrectPath(ctx context.Context, req request.PathCorrection) (_ report.PathCorrection, err error) {
	defer func() {
		a.auditEnd(ctx, "paths.correct", req.Edge, strings.TrimSpace(req.Says+" "+finding.Cut(req.Note, 200)), err)
	}()
	c := attackpath.Correction{Edge: attackpath.EdgeKey(req.Edge), Says: attackpath.Says(req.Says), Note: finding.Cut(strings.TrimSpace(req.Note), maxPathNote),
		By: a.who.Name, At: a.now().UTC()}
	if err := c.Edge.Validate(); err != nil {
		return report.PathCorrection{}, fault.At("edge", err)
	}
	if (req.Chance != nil) != (c.Says == attackpath.SaysChance) {
		return report.PathCorrection{}, fault.InvalidOption("chance", ": goes with says chance, and says chance with it")
	}
	if req.Chance != nil {
		c.P = *req.Chance
	}
	if err := c.Validate(); err != nil {
		return report.PathCorrection{}, err
	}
	if site, host, _, _ := c.Edge.Reach(); host != 0 && site != "" {
		if err := a.checkExist(ctx, 0, site); err != nil {
			return report.PathCorrection{}, err
		}
	}
	if c, err = a.store.Estate().Correct(ctx, a.who.View, c); err != nil {
		return report.PathCorrection{}, err
	}
	m, err := a.pathModel(ctx, 0, attackpath.Assumptions{})
	if err != nil {
		return report.PathCorrection{}, fmt.Errorf("the correction is kept, but the paths could not be worked out with it: %w", err)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return toCorrection(c, m.model), nil
}

// UncorrectPath forgets a person's word on an edge.
func (a *App) UncorrectPath(ctx context.Context, id int64) (err error) {
	detail := ""
	defer func() { a.auditEnd(ctx, "paths.uncorrect", numbered("correction", id), detail, err) }()
	gone, err := a.store.Estate().Uncorrect(ctx, a.who.View, id)
	detail = string(gone.Edge)
	return err
}
