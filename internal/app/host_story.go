package app

import (
	"cmp"
	"context"
	"slices"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/priority"
	"github.com/patchscout/patchscout/internal/report"
)

// tellHost adds by what a host is known again, why it is thought to be exposed, and what its services said.
func (a *App) tellHost(ctx context.Context, h *asset.Host, doc *report.HostDetail) error {
	site, err := a.store.Estate().Site(ctx, a.who.View, h.Site)
	if err != nil {
		return err
	}
	services, err := a.store.Estate().Services(ctx, a.who.View, []int64{h.ID})
	if err != nil {
		return err
	}
	doc.Identifiers, doc.Reach, doc.Own, doc.Evidence = toIdentifiers(h), toReach(site, h), toHostOwn(h.Own), []report.ServiceEvidence{}
	for _, s := range services {
		at := func(shown report.Service) bool { return shown.Port == s.Port && shown.Protocol == s.Protocol }
		if slices.ContainsFunc(doc.Services, at) { // not of those that are gone
			doc.Evidence = append(doc.Evidence, toServiceEvidence(s))
		}
	}
	return nil
}

// toIdentifiers lists the strong ones first, then what was seen last.
func toIdentifiers(h *asset.Host) []report.HostIdentifier {
	out := []report.HostIdentifier{}
	for _, id := range h.Identifiers {
		out = append(out, report.HostIdentifier{Kind: string(id.Kind), Value: id.Value, Strong: id.Kind.Strong(), Source: report.Text(id.Source),
			FirstSeen: id.FirstSeen.UTC(), LastSeen: id.LastSeen.UTC()})
	}
	slices.SortStableFunc(out, func(a, b report.HostIdentifier) int {
		if a.Strong != b.Strong {
			if a.Strong {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.Value, b.Value))
	})
	return out
}

// toReach follows the rule by which findings of the host are rated. A word on the host may be a person's own or a rule's.
func toReach(site asset.Site, h *asset.Host) report.HostReach {
	said := priority.Exposed(site.External, h.Addresses(), h.Exposed)
	out := report.HostReach{Why: said.Why}
	if said.Known {
		out.Exposed = &said.Exposed
	}
	if h.Exposed != nil && h.Own.Exposed == nil {
		out.Why = "a rule says so"
	}
	return out
}

func toHostOwn(o asset.Own) report.HostOwn {
	return report.HostOwn{Tags: notNil(o.Tags), Without: notNil(o.Without), Owner: report.Text(o.Owner), Criticality: report.Text(o.Criticality), Exposed: o.Exposed}
}

func toServiceEvidence(s *asset.Service) report.ServiceEvidence {
	out := report.ServiceEvidence{Port: s.Port, Protocol: s.Protocol, Banner: report.Text(s.Banner), Backport: report.Text(s.Backport),
		FirstSeen: s.FirstSeen.UTC(), LastSeen: s.LastSeen.UTC(), Said: []report.ServiceSaid{}}
	for _, said := range s.Said {
		out.Said = append(out.Said, report.ServiceSaid{Scanner: said.Sensor, ScanID: said.Scan, At: said.At.UTC(), Service: report.Text(said.Name),
			Product: report.Text(said.Product), Version: report.Text(said.Version), Guessed: said.Guessed})
	}
	slices.SortStableFunc(out.Said, func(a, b report.ServiceSaid) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Scanner, b.Scanner))
	})
	return out
}
