package app

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store"
)

// matrixDomain is the matrix of computers and networks; those of telephones and plants are others.
const matrixDomain = "enterprise"

// matrix is ATT&CK's matrix with which CVE leads to what, as long as nobody writes to the catalogue. Safe for concurrent use.
type matrix struct {
	mu        sync.Mutex
	kept      *techniqueMap
	exposures memo[exposureOf, []store.LedTo]
}

// exposureOf tells exposures apart that are of one generation of the estate.
type exposureOf struct {
	catalogue  int64
	day, sites string
	all        bool
}

// techniqueMap is the matrix of one generation of the catalogue.
type techniqueMap struct {
	generation int64
	tactics    []intel.Tactic
	techniques []store.MatrixTechnique // those that stand, by id
	published  map[cve.ID][]intel.Mapping
	at         map[string]int32 // where a technique stands, revoked ones under what replaced them

	mu    sync.Mutex
	known map[cve.ID][]int32 // to which techniques a CVE leads
}

// Exposure counts the findings that lead to each technique of the matrix.
func (a *App) Exposure(ctx context.Context) (report.Exposure, error) {
	return together(ctx, a.store, a.exposure)
}

func (a *App) exposure(ctx context.Context) (report.Exposure, error) {
	doc := report.Exposure{Tactics: []report.ExposureTactic{}, Techniques: []report.ExposureTechnique{}, Notices: []string{report.NoticeAttack}}
	m, err := a.techniqueMap(ctx)
	if err != nil {
		return doc, err
	}
	led, err := a.ledTo(ctx, m)
	if err != nil {
		return doc, err
	}
	cat, err := a.Catalogue(ctx)
	for _, t := range m.tactics {
		doc.Tactics = append(doc.Tactics, report.ExposureTactic{ID: t.ID, Name: t.Name, Short: t.Short})
	}
	for i, t := range m.techniques {
		doc.Techniques = append(doc.Techniques, report.ExposureTechnique{ID: t.ID, Name: t.Name, Tactics: notNil(t.Tactics), Parent: report.Text(t.Parent),
			Findings: led[i].Findings, Hosts: led[i].Hosts, KEV: exploitedOf(cat, led[i].KEV), Decision: report.Text(led[i].Decision)})
	}
	return doc, err
}

// ledTo is what leads to the techniques, kept as long as nobody writes.
func (a *App) ledTo(ctx context.Context, m *techniqueMap) ([]store.LedTo, error) {
	_, generation, err := a.store.Generations(ctx)
	if err != nil {
		return nil, err
	}
	key := exposureOf{catalogue: m.generation, day: a.now().UTC().Format(time.DateOnly), all: a.who.View.All(), sites: strings.Join(a.who.View.Sites(), "\n")}
	if led, known := a.matrix.exposures.find(generation, key); known {
		return led, nil
	}
	led, err := a.store.Estate().Exposure(ctx, a.who.View, len(m.techniques), func(ctx context.Context, ids []cve.ID) (map[cve.ID][]int32, error) {
		return a.leads(ctx, m, ids)
	})
	if err == nil {
		a.matrix.exposures.keep(generation, key, led)
	}
	return led, err
}

// techniqueMap is the matrix as the catalogue has it now.
func (a *App) techniqueMap(ctx context.Context) (*techniqueMap, error) {
	c := a.store.Catalogue()
	generation, err := c.Generation(ctx)
	if err != nil {
		return nil, err
	}
	a.matrix.mu.Lock()
	defer a.matrix.mu.Unlock()
	if m := a.matrix.kept; m != nil && m.generation == generation {
		return m, nil
	}
	m := &techniqueMap{generation: generation, at: map[string]int32{}, known: map[cve.ID][]int32{}}
	tactics, err := c.Tactics(ctx)
	if err != nil {
		return nil, err
	}
	m.tactics = slices.DeleteFunc(tactics, func(t intel.Tactic) bool { return t.Domain != matrixDomain })
	all, err := c.Matrix(ctx, matrixDomain)
	if err != nil {
		return nil, err
	}
	m.place(all)
	if m.published, err = c.AllMappings(ctx); err != nil {
		return nil, err
	}
	a.matrix.kept = m
	return m, nil
}

// place numbers the techniques that stand and lets the others lead to what replaced them.
func (m *techniqueMap) place(all []store.MatrixTechnique) {
	replaced := map[string]string{}
	for _, t := range all {
		if t.Revoked || t.Deprecated {
			replaced[t.ID] = t.ReplacedBy
			continue
		}
		m.at[t.ID] = int32(len(m.techniques)) //nolint:gosec // far fewer
		m.techniques = append(m.techniques, t)
	}
	for id := range replaced {
		next := id
		for range maxSuccessors {
			next = replaced[next]
			if at, stands := m.at[next]; stands {
				m.at[id] = at
				break
			}
		}
	}
}

// leads says to which techniques CVEs lead, with the techniques that these are parts of.
func (a *App) leads(ctx context.Context, m *techniqueMap, ids []cve.ID) (map[cve.ID][]int32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	unknown := slices.DeleteFunc(slices.Clone(ids), func(id cve.ID) bool { _, known := m.known[id]; return known })
	if len(unknown) > 0 {
		slices.Sort(unknown)
		rules, err := a.store.Catalogue().TechniqueRules(ctx, unknown)
		if err != nil {
			return nil, err
		}
		for _, id := range unknown {
			m.known[id] = m.of(intel.LinkedTechniques(rules[id], m.published[id]))
		}
	}
	out := make(map[cve.ID][]int32, len(ids))
	for _, id := range ids {
		out[id] = m.known[id]
	}
	return out, nil
}

// of are the places of techniques and of their parents, each once.
func (m *techniqueMap) of(ids []string) (out []int32) {
	for _, id := range ids {
		at, stands := m.at[strings.ToUpper(id)]
		for stands {
			if !slices.Contains(out, at) {
				out = append(out, at)
			}
			at, stands = m.at[m.techniques[at].Parent]
		}
	}
	return out
}
