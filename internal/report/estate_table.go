package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// shownServices keeps a host on which everything answers from filling a screen.
const shownServices = 20

// HostTable lists hosts and what answers on them.
func HostTable(w io.Writer, hosts []Host, t Terminal) error {
	g := &grid{columns: []column{
		{Title: "ID", Right: true}, {Title: "HOST"}, {Title: "NAME", Flex: 8}, {Title: "SITE"}, {Title: "STATUS"}, {Title: "OS", Flex: 6, Optional: 1},
		{Title: "SERVICES", Flex: 10}, {Title: "LAST SEEN"},
	}}
	for _, h := range hosts {
		var services []string
		for i, s := range h.Services {
			if i == shownServices {
				services = append(services, fmt.Sprintf("… and %d more", len(h.Services)-i))
				break
			}
			services = append(services, strings.TrimSpace(fmt.Sprintf("%d/%s %s", s.Port, s.Protocol, s.Service)))
		}
		name := ""
		if len(h.Hostnames) > 0 {
			name = h.Hostnames[0]
		}
		g.add(plainCells(fmt.Sprint(h.ID), h.Name(), name, h.Site, h.Status, string(h.OS), strings.Join(services, ", "), day10(h))...)
	}
	if len(hosts) == 0 {
		_, err := fmt.Fprintln(w, "No hosts yet. Begin with: patchscout scan 127.0.0.1")
		return err
	}
	p := &printer{w: w, view: View{Terminal: t}, err: g.draw(w, t)}
	p.indicators(hosts)
	return p.err
}

func day10(h Host) string { return strings.TrimPrefix(Date{h.LastSeen}.String(), missing) }

// ScanTable lists scans, newest first as they come.
func ScanTable(w io.Writer, runs []Run, t Terminal) error {
	if len(runs) == 0 {
		_, err := fmt.Fprintln(w, "No scans yet. Begin with: patchscout scan 127.0.0.1")
		return err
	}
	g := &grid{columns: []column{
		{Title: "ID", Right: true}, {Title: "STARTED"}, {Title: "TARGETS", Flex: 12}, {Title: "SITE"},
		{Title: "SCANNERS", Flex: 8}, {Title: "STATUS"}, {Title: "NOTES", Flex: 10},
	}}
	for _, r := range runs {
		var scanners []string
		for _, s := range r.Scanners {
			scanners = append(scanners, s.Name)
		}
		g.add(plainCells(fmt.Sprint(r.ID), r.CreatedAt.Local().Format("2006-01-02 15:04"), strings.Join(r.Targets, " "), r.Site,
			strings.Join(scanners, ","), r.Status, notes(r))...)
	}
	return g.draw(w, t)
}

func notes(r Run) string {
	var out []string
	if r.Demo {
		out = append(out, "demo")
	}
	if r.Reason != "" {
		out = append(out, string(r.Reason))
	}
	if n := len(r.Problems); n > 0 {
		out = append(out, Plural(n, "target unknown", "targets unknown"))
	}
	for _, s := range r.Scanners {
		if s.Error != "" {
			out = append(out, s.Name+" "+s.Status)
		}
	}
	return strings.Join(out, ", ")
}

// LedgerTable shows what became of every record of every file.
func LedgerTable(w io.Writer, doc Import, t Terminal) error {
	p := &printer{w: w, view: View{Terminal: t}}
	for i, l := range doc.Files {
		if i > 0 {
			p.line("")
		}
		p.ledger(l)
	}
	return p.err
}

func (p *printer) ledger(l Ledger) {
	p.line("%s", p.view.paint(toneTitle, fmt.Sprintf("%s (%s)", Plain(l.File), l.Tool)))
	p.item("  ", fmt.Sprintf("%s (%d up), %s, %s", Plural(l.Hosts, "host", "hosts"), l.HostsUp,
		Plural(l.Services, "service", "services"), Plural(l.CVEs, "CVE", "CVEs")+" named in it"))
	p.line("  %7s  records", Thousands(l.Records))
	if l.Expanded > 0 {
		p.line("  %7s  more findings, from records that lead to several", "+"+Thousands(l.Expanded))
	}
	p.line("  %7s  new findings", Thousands(l.Findings.New))
	p.line("  %7s  merged into findings that were known", Thousands(l.Findings.Merged))
	p.line("  %7s  informational", Thousands(l.Findings.Informational))
	for _, d := range l.Dropped {
		p.line("  %7s  dropped: %s", Thousands(d.Count), Plain(d.Reason))
	}
	if l.Unknown > 0 {
		p.item("  ", Plural(l.Unknown, "CVE", "CVEs")+" would apply to some version of services that do not tell theirs; they are no findings")
	}
	if l.Warning != "" {
		p.item("  ", "note: "+string(l.Warning))
	}
}

// FindingDetail shows one finding with all its evidence.
func FindingDetail(w io.Writer, f Finding, c Catalogue, v View) error {
	p := &printer{w: w, view: v}
	p.line("%s  %s", p.view.paint(toneTitle, Plain(f.weakness())), Plain(string(f.Title)))
	for _, row := range append(detailRows(f, c), f.wordRows()...) {
		p.line("  %-12s %s", row[0], Plain(row[1]))
	}
	p.indicators(hostsOf([]Finding{f}))
	p.line("")
	p.line("%s", p.view.paint(toneTitle, "Evidence"))
	for _, e := range f.Evidence {
		p.item("  ", fmt.Sprintf("%s, scan %d, confidence %d%%: %s", e.Scanner, e.ScanID, e.Confidence, orMissing(string(e.Reason))))
		if e.Output != "" {
			p.item("    ", string(e.Output))
		}
	}
	p.history(f.History)
	return p.err
}

func detailRows(f Finding, c Catalogue) [][2]string {
	decision := orMissing(string(f.Decision))
	if !f.Due.IsZero() {
		decision += ", due " + f.Due.String()
	}
	if f.Forensics {
		decision += ", look for traces of a break-in"
	}
	if len(f.DecisionAssumed) > 0 {
		decision += " (assumed: " + strings.Join(f.DecisionAssumed, ", ") + ")"
	}
	cvss := orMissing(number(f.CVSS, 1))
	if f.CVSS != nil {
		cvss = fmt.Sprintf("%s %s (version %s, %s)", cvss, f.Severity, f.CVSSVersion, f.CVSSSource)
	}
	epss := absent(number(f.EPSS, 5), "epss", c)
	if estimated(f.EPSS, f.Likelihood, f.LikelihoodSource) {
		epss += "; likelihood ~" + number(f.Likelihood, 4) + ", estimated on its scale"
	}
	return [][2]string{
		{"Finding", fmt.Sprintf("%d, %s, triage %s", f.ID, f.State, f.Triage)},
		{"Where", fmt.Sprintf("%s %s %s (site %s)", f.Host, f.place(), f.Service, f.Site)},
		{"CVSS", cvss},
		{"EPSS", epss},
		{"KEV", absent(yesNo(f.KEV), "kev", c)},
		{"Decision", decision},
		{"Score", orMissing(f.score()) + map[bool]string{true: " (a term is not known)"}[f.ScorePartial]},
		{"Risk removed", cmp.Or(f.risk(), missing) + map[bool]string{true: " (attack paths did not run since it counts)", false: " of the expected weight of compromised jewels"}[f.RiskRemoved == nil]},
		{"Confidence", fmt.Sprintf("%d%%, %s", f.Confidence, f.Status)},
		{"Seen", stamp(f.FirstSeen) + " to " + stamp(f.LastSeen)},
		{"Remedy", orMissing(string(f.Remedy))},
	}
}
