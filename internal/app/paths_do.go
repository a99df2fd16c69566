package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/report"
)

// learnRemedies reads what ends flaws, for who puts them into words: what their findings say, and the catalogue of those CVEs
// of which no finding knows a version to update to.
func (q *pathsAsked) learnRemedies(ctx context.Context, flaws []*attackpath.Flaw) error {
	var ids []int64
	for _, f := range flaws {
		if f == nil {
			continue
		}
		if _, known := q.remedies[f.Finding]; !known && f.Finding != 0 {
			ids = append(ids, f.Finding)
		}
	}
	found, err := q.app.store.Estate().Remedies(ctx, q.app.who.View, ids)
	if err != nil {
		return err
	}
	for id, r := range found {
		q.remedies[id] = r
	}
	var cves []cve.ID
	for _, f := range flaws {
		if f == nil || q.remedies[f.Finding].FixedIn != "" {
			continue
		}
		if _, known := q.updates[f.Weakness]; known {
			continue
		}
		if id, err := cve.ParseID(f.Weakness); err == nil {
			q.updates[f.Weakness] = ""
			cves = append(cves, id)
		}
	}
	if len(cves) == 0 {
		return nil
	}
	records, err := q.app.store.Catalogue().CVEs(ctx, cves)
	for id, r := range records {
		q.updates[id.String()] = explain.Update(explain.Input{ID: id, Record: r, Name: catalogue.DisplayName})
	}
	return err
}

// remedied fills in what ends a step.
func (q *pathsAsked) remedied(s *explain.PathStep) {
	if s.Flaw == nil {
		return
	}
	s.Update = q.updates[s.Flaw.Weakness]
	r := q.remedies[s.Flaw.Finding]
	s.FixedIn = r.FixedIn
	kind, product, _ := strings.Cut(r.Key, ":")
	switch {
	case kind == "upgrade" && strings.ToLower(r.Name) == r.Name && strings.Contains(product, ":"): // nobody but the catalogue writes it
		s.Software = catalogue.DisplayName(product)
	case kind == "upgrade" || kind == "package":
		s.Software = r.Name
	}
}

// updateOf tells updates of different software apart; "" where a finding calls for something else.
func (q *pathsAsked) updateOf(finding int64) string {
	key := q.remedies[finding].Key
	if kind, _, _ := strings.Cut(key, ":"); kind != "upgrade" && kind != "package" {
		return ""
	}
	return key
}

// stepOf is a flaw as its remedy is told.
func (q *pathsAsked) stepOf(f flawed) explain.PathStep {
	host := q.hostOf(f.host)
	s := explain.PathStep{Kind: attackpath.Exploit, Flaw: f.flaw, Protocol: f.flaw.Protocol, Port: f.flaw.Port,
		Gains: explain.PathFact{Kind: attackpath.Holds, Host: host.Name, Site: host.Site}}
	if h, known := q.estate.host(f.host); known && f.flaw.Port != 0 {
		for _, service := range h.Services {
			if service.Port == f.flaw.Port && service.Protocol == f.flaw.Protocol {
				s.Product = service.Product
			}
		}
	}
	q.remedied(&s)
	return s
}

// do says what ends a flaw, on its host or everywhere.
func (q *pathsAsked) do(f flawed, everywhere bool) report.Text {
	if everywhere {
		return report.Text(explain.Everywhere(q.stepOf(f)))
	}
	return report.Text(explain.Path(q.stepOf(f)).Fix)
}

// action is one thing to do, while fixes are gathered to it.
type action struct {
	report.FixAction

	steps []explain.PathStep
}

// actions gathers fixes that are one thing to do: updates of the same software of a host, and otherwise the same words.
func (q *pathsAsked) actions(fixes []report.Fix, flaws flawIndex) []report.FixAction {
	var order []*action
	known := map[string]*action{}
	for _, f := range fixes {
		flaw, host := flaws.of(f), int64(0)
		if f.Host != nil {
			host = f.Host.ID
		}
		key := fmt.Sprint(host, " ", f.Do)
		if flaw.flaw != nil && explain.Updates(string(f.Do)) {
			if update := q.updateOf(flaw.flaw.Finding); update != "" {
				key = fmt.Sprint(host, " ", update)
			}
		}
		a := known[key]
		if a == nil {
			a = &action{FixAction: report.FixAction{Do: f.Do, Host: f.Host, Findings: []int64{}, Weaknesses: []string{}}}
			known[key] = a
			order = append(order, a)
		}
		a.add(f)
		if flaw.flaw != nil {
			a.steps = append(a.steps, q.stepOf(flaw))
		}
	}
	out := make([]report.FixAction, len(order))
	for i, a := range order {
		if len(a.steps) > 1 && explain.Updates(string(a.Do)) {
			a.Do = report.Text(explain.Together(a.steps))
		}
		out[i] = a.FixAction
	}
	return out
}

func (a *action) add(f report.Fix) {
	if f.Finding != nil {
		a.Findings = append(a.Findings, *f.Finding)
	}
	a.Weaknesses = append(a.Weaknesses, f.Weakness)
}
