package app

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
)

// seedSite keeps the demo estate apart from real hosts.
const seedSite = "demo"

// seedHosts are made up; their addresses are reserved for documentation (RFC 5737, RFC 3849). What they run is real
// software in versions with well-known holes, so that the findings are what the catalogue really says.
var seedHosts = []struct {
	address, name, os string
	services          []finding.ServiceSeen
}{
	{"192.0.2.10", "www.demo.example", "Linux", []finding.ServiceSeen{
		{Port: 22, Name: "ssh", Product: "OpenSSH", Version: "7.2p2", CPEs: []string{"cpe:2.3:a:openbsd:openssh:7.2:p2:*:*:*:*:*:*"}},
		{Port: 80, Name: "http", Product: "Apache httpd", Version: "2.4.49", CPEs: []string{"cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*"}},
	}},
	{"192.0.2.20", "files.demo.example", "Linux", []finding.ServiceSeen{
		{Port: 21, Name: "ftp", Product: "vsftpd", Version: "2.3.4", CPEs: []string{"cpe:2.3:a:vsftpd_project:vsftpd:2.3.4:*:*:*:*:*:*:*"}},
		{Port: 445, Name: "microsoft-ds", Product: "Samba smbd", Version: "3.5.0", CPEs: []string{"cpe:2.3:a:samba:samba:3.5.0:*:*:*:*:*:*:*"}},
	}},
	{"192.0.2.30", "mail.demo.example", "Linux", []finding.ServiceSeen{
		{Port: 25, Name: "smtp", Product: "Exim smtpd", Version: "4.87", CPEs: []string{"cpe:2.3:a:exim:exim:4.87:*:*:*:*:*:*:*"}},
		{Port: 22, Name: "ssh", Product: "OpenSSH", Version: "9.2p1", CPEs: []string{"cpe:2.3:a:openbsd:openssh:9.2:p1:*:*:*:*:*:*"},
			Banner: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3", Backport: "Debian"},
	}},
	{"2001:db8::40", "db.demo.example", "Linux", []finding.ServiceSeen{
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
	if _, _, err := a.store.Estate().CreateSite(ctx, asset.Site{Name: seedSite, Demo: true}); err != nil {
		return "", err
	}
	record, err := a.newScan(ctx, ScanRequest{Site: seedSite, Targets: []string{"192.0.2.0/24", "2001:db8::40"}, Demo: true}, plan{})
	if err != nil {
		return "", err
	}
	run, err := a.assessor().Begin(ctx, record)
	if err != nil {
		return "", err
	}
	for _, e := range seedEvents(a.now().UTC().Truncate(time.Second)) {
		if err := run.Emit("native", e); err != nil {
			return "", err
		}
	}
	result, err := run.Finish(ctx, assess.End{Scanners: []finding.ScannerRun{{Name: "native", Status: "completed"}}})
	if err != nil {
		return "", err
	}
	t := result.Scan.Totals
	return fmt.Sprintf("demo estate: %s, %s, %s, in site %s; take it away with patchscout seed --remove", report.Plural(t.Hosts, "host", "hosts"),
		report.Plural(t.Services, "service", "services"), report.Plural(t.Findings, "finding", "findings"), seedSite), nil
}

func seedEvents(at time.Time) (events []finding.Event) {
	for _, h := range seedHosts {
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
	hosts, findings, scans, err := a.store.Estate().RemoveDemo(ctx)
	return fmt.Sprintf("removed %s, %s, %s", report.Plural(int(hosts), "demo host", "demo hosts"),
		report.Plural(int(findings), "finding", "findings"), report.Plural(int(scans), "scan", "scans")), err
}
