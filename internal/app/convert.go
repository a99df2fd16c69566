package app

import (
	"math"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
)

// toFinding shows a finding as the contracts do. kevKnown says whether the KEV list was ever loaded: without it, "not in
// KEV" is not known.
func toFinding(l finding.Listed, evidence []finding.Evidence, kevKnown bool) report.Finding {
	f := report.Finding{
		ID: l.ID, HostID: l.HostID, Site: l.Site, Host: hostName(l), Protocol: report.Text(l.Protocol),
		Service: report.Text(serviceName(l)), Component: report.Text(l.Component), Location: report.Text(l.Location),
		CVE: report.Text(l.Weakness.CVE().String()), Check: report.Text(checkOf(l)), Title: report.Text(l.Title),
		Remedy: report.Text(l.Remedy), Severity: l.Severity, CVSS: l.CVSS, CVSSVersion: report.Text(l.CVSSVersion),
		CVSSSource: report.Text(l.CVSSSource), EPSS: l.EPSS, Decision: report.Text(l.Decision),
		DecisionAssumed: notNil(l.Assumed), Due: report.Date{Time: l.Due}, Forensics: l.Forensics, PriorityScore: rounded(l.Score),
		ScorePartial: l.ScorePartial, Likelihood: l.Likelihood, LikelihoodSource: report.Text(l.LikelihoodSource), RiskRemoved: l.RiskRemoved,
		Confidence: l.Confidence, Status: string(l.Status), State: string(l.State), Triage: string(l.Triage.State),
		FirstSeen: l.FirstSeen.UTC(), LastSeen: l.LastSeen.UTC(), Evidence: []report.Evidence{},
		Indicators: []report.Indicator{}, Facts: facts(l),
	}
	if l.Port != 0 {
		f.Port = &l.Port
	}
	if l.Weakness.CVE() != 0 && kevKnown {
		f.KEV = &l.KEV
	}
	if f.Triage == "" {
		f.Triage = string(finding.Untriaged)
	}
	for _, e := range evidence {
		if f.Remedy == "" && e.FixedIn != "" {
			f.Remedy = report.Text("upgrade to " + e.FixedIn + " or later")
		}
		f.Evidence = append(f.Evidence, report.Evidence{
			Scanner: e.Sensor, ScanID: e.LastScan, Reason: report.Text(e.Reason), Confidence: e.Confidence, Output: report.Text(e.Output),
		})
	}
	return f
}

// checkOf is the check of a finding without a CVE: where tools share the weakness, the one that saw it most surely.
func checkOf(l finding.Listed) string {
	if l.Weakness.Shared() && l.Check != "" {
		return l.Check
	}
	return l.Weakness.Check()
}

func hostName(l finding.Listed) string {
	if l.HostAddress == "" && len(l.HostNames) > 0 {
		return l.HostNames[0]
	}
	return l.HostAddress
}

// serviceName is "OpenSSH 7.2p2", or "ssh" when the product is not known.
func serviceName(l finding.Listed) string {
	switch {
	case l.Product == "":
		return l.Service
	case l.Version == "":
		return l.Product
	}
	return l.Product + " " + l.Version
}

func toHost(h *asset.Host, services []*asset.Service) report.Host {
	out := report.Host{
		ID: h.ID, Site: h.Site, Addresses: []string{}, Hostnames: notNil(h.Names()), Status: string(h.Status),
		OS: report.Text(h.OS), Services: []report.Service{}, FirstSeen: h.FirstSeen.UTC(), LastSeen: h.LastSeen.UTC(),
		Indicators: []report.Indicator{},
		HostWords:  report.HostWords{Owner: report.Text(h.Owner), Tags: notNil(h.Tags), Criticality: report.Text(h.Criticality), Exposed: h.Exposed},
	}
	for _, a := range h.Addresses() {
		out.Addresses = append(out.Addresses, a.String())
	}
	if h.Address.IsValid() {
		out.Address = report.Text(h.Address.String())
	}
	for _, s := range services {
		out.Services = append(out.Services, report.Service{
			Port: s.Port, Protocol: s.Protocol, Service: report.Text(s.Name), Product: report.Text(s.Product),
			Version: report.Text(s.Version), CPEs: notNil(s.CPEs), TLS: s.TLS,
			UnknownVersion: s.Candidates,
		})
	}
	return out
}

func toLedger(l finding.Ledger) report.Ledger {
	out := report.Ledger{
		File: l.File, Tool: l.Tool, Records: l.Records, Expanded: l.Expanded, Hosts: l.Hosts, HostsUp: l.HostsUp,
		Services: l.Services, CVEs: l.CVEs, Dropped: []report.Dropped{},
		Findings: report.Counts{New: l.New, Merged: l.Merged, Informational: l.Informational},
	}
	for _, reason := range sortedKeys(l.Dropped) {
		out.Dropped = append(out.Dropped, report.Dropped{Reason: reason, Count: l.Dropped[reason]})
	}
	return out
}

// pointer is nil for the zero time, which means not known.
func pointer(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// rounded takes away what binary fractions add: 0.212, not 0.21200000000000002.
func rounded(v *float64) *float64 {
	if v == nil {
		return nil
	}
	r := math.Round(*v*1e6) / 1e6
	return &r
}

// notNil makes an absent list an empty one, which JSON shows as [].
func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
