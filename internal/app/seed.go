package app

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
)

// The sites that keep the demo estate apart from real hosts: what is inside, and what the internet is let through to.
const (
	seedSite = "demo"
	seedEdge = "demo-dmz"
)

// seedPolicy is what the demo estate declares of its network where nobody has declared anything, so that its attack paths
// can be looked at.
const (
	seedPolicyName = "demo-network.yaml"
	seedPolicy     = `rules:
  - {from: internet, to: "site:demo-dmz", ports: [tcp/25], action: allow, note: mail comes in}
  - {from: "site:demo-dmz", to: "site:demo", ports: [tcp/445], action: allow, note: mailboxes are kept on the file server}
`
)

// seedJewel is the host of the demo estate that matters.
const seedJewel = "db.demo.example"

// seedHosts are made up; their addresses are reserved for documentation (RFC 5737, RFC 3849). What they run is real
// software in versions with well-known holes, so that the findings are what the catalogue really says.
var seedHosts = []struct {
	site, address, name, os string
	services                []finding.ServiceSeen
}{
	{seedSite, "192.0.2.10", "www.demo.example", "Linux", []finding.ServiceSeen{
		{Port: 22, Name: "ssh", Product: "OpenSSH", Version: "7.2p2", CPEs: []string{"cpe:2.3:a:openbsd:openssh:7.2:p2:*:*:*:*:*:*"}},
		{Port: 80, Name: "http", Product: "Apache httpd", Version: "2.4.49", CPEs: []string{"cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*"}},
	}},
	{seedSite, "192.0.2.20", "files.demo.example", "Linux", []finding.ServiceSeen{
		{Port: 21, Name: "ftp", Product: "vsftpd", Version: "2.3.4", CPEs: []string{"cpe:2.3:a:vsftpd_project:vsftpd:2.3.4:*:*:*:*:*:*:*"}},
		{Port: 445, Name: "microsoft-ds", Product: "Samba smbd", Version: "3.5.0", CPEs: []string{"cpe:2.3:a:samba:samba:3.5.0:*:*:*:*:*:*:*"}},
	}},
	{seedEdge, "192.0.2.30", "mail.demo.example", "Linux", []finding.ServiceSeen{
		{Port: 25, Name: "smtp", Product: "Exim smtpd", Version: "4.87", CPEs: []string{"cpe:2.3:a:exim:exim:4.87:*:*:*:*:*:*:*"}},
		{Port: 22, Name: "ssh", Product: "OpenSSH", Version: "9.2p1", CPEs: []string{"cpe:2.3:a:openbsd:openssh:9.2:p1:*:*:*:*:*:*"},
			Banner: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3", Backport: "Debian"},
	}},
	{seedSite, "2001:db8::40", "db.demo.example", "Linux", []finding.ServiceSeen{
		{Port: 6379, Name: "redis", Product: "Redis", Version: "5.0.7", CPEs: []string{"cpe:2.3:a:redis:redis:5.0.7:*:*:*:*:*:*:*"}},
		{Port: 5432, Name: "postgresql", Product: "PostgreSQL", Version: "9.6.0", CPEs: []string{"cpe:2.3:a:postgresql:postgresql:9.6.0:*:*:*:*:*:*:*"}},
	}},
}

// Seed makes a small estate to look at, marked as demo. Doing it again begins anew.
func (a *App) Seed(ctx context.Context) (_ string, err error) {
	defer func() { a.auditEnd(ctx, "seed", "", "", err) }()
	if err := a.wide("seeding examples"); err != nil {
		return "", err
	}
	if _, err := a.RemoveSeed(ctx); err != nil {
		return "", err
	}
	var t finding.ScanTotals
	for _, site := range []string{seedSite, seedEdge} {
		of, err := a.seed(ctx, site)
		if err != nil {
			return "", err
		}
		t.Hosts, t.Services, t.Findings = t.Hosts+of.Hosts, t.Services+of.Services, t.Findings+of.Findings
	}
	if err := a.seedPaths(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("demo estate: %s, %s, %s, in sites %s and %s; see how an attacker would walk with patchscout paths; take it away with patchscout seed --remove",
		report.Plural(t.Hosts, "host", "hosts"), report.Plural(t.Services, "service", "services"), report.Plural(t.Findings, "finding", "findings"), seedSite, seedEdge), nil
}

// seed makes the hosts of one site.
func (a *App) seed(ctx context.Context, site string) (t finding.ScanTotals, err error) {
	if _, _, err := a.store.Estate().CreateSite(ctx, asset.Site{Name: site, Demo: true}); err != nil {
		return t, err
	}
	var targets []string
	for _, h := range seedHosts {
		if h.site == site {
			targets = append(targets, h.address)
		}
	}
	record, err := a.newScan(ctx, ScanRequest{Site: site, Targets: targets, Demo: true}, plan{})
	if err != nil {
		return t, err
	}
	run, err := a.assessor().Begin(ctx, record)
	if err != nil {
		return t, err
	}
	for _, e := range seedEvents(site, a.now().UTC().Truncate(time.Second)) {
		if err := run.Emit("native", e); err != nil {
			return t, err
		}
	}
	result, err := run.Finish(ctx, assess.End{Scanners: []finding.ScannerRun{{Name: "native", Status: "completed"}}})
	return result.Scan.Totals, err
}

// seedPaths says which host matters, and what the network lets through, unless somebody has said that already.
func (a *App) seedPaths(ctx context.Context) error {
	critical := "critical"
	if _, err := a.Tag(ctx, TagRequest{Hosts: []string{seedJewel}, Site: seedSite, Tags: []string{"jewel"}, Criticality: &critical}); err != nil {
		return err
	}
	declared, err := a.store.Estate().PathPolicy(ctx)
	if err != nil || !declared.At.IsZero() {
		return err
	}
	p, err := attackpath.ReadPolicy(seedPolicyName, []byte(seedPolicy))
	if err != nil {
		return err
	}
	return a.keepPolicy(ctx, p)
}

// removeSeedPolicy forgets what the demo estate declared.
func (a *App) removeSeedPolicy(ctx context.Context) error {
	declared, err := a.store.Estate().PathPolicy(ctx)
	if err != nil || declared.Source != seedPolicyName {
		return err
	}
	return a.store.Estate().SetPathPolicy(ctx, nil)
}

func seedEvents(site string, at time.Time) (events []finding.Event) {
	for _, h := range seedHosts {
		if h.site != site {
			continue
		}
		address := netip.MustParseAddr(h.address)
		events = append(events, finding.Event{Host: &finding.HostSeen{
			Address: address, Names: []string{h.name}, Status: string(asset.Up), Reason: "made up", OS: h.os, At: at,
		}})
		for _, s := range h.services {
			s.Address, s.Protocol, s.At = address, "tcp", at
			events = append(events, finding.Event{Service: &s})
		}
		events = append(events, finding.Event{Coverage: &finding.Coverage{
			Sensor: "native", Address: address, Protocol: "tcp", Ports: []finding.PortRange{{First: 1, Last: 65535}}, At: at,
		}})
	}
	return events
}

// RemoveSeed takes away everything that is marked as demo, whoever made it.
func (a *App) RemoveSeed(ctx context.Context) (_ string, err error) {
	defer func() { a.auditEnd(ctx, "seed.remove", "", "", err) }()
	if err := a.wide("removing examples"); err != nil {
		return "", err
	}
	if err := a.removeSeedPolicy(ctx); err != nil {
		return "", err
	}
	hosts, findings, scans, err := a.store.Estate().RemoveDemo(ctx)
	return fmt.Sprintf("removed %s, %s, %s", report.Plural(int(hosts), "demo host", "demo hosts"),
		report.Plural(int(findings), "finding", "findings"), report.Plural(int(scans), "scan", "scans")), err
}
