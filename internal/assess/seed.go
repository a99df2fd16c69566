package assess

import (
	"context"
	"net/netip"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

// SeedSite is the site that Seed fills. Its addresses are of the blocks for documentation (RFC 5737), its names end in
// .example (RFC 2606).
const SeedSite = "seed"

// Seeded says what Seed did.
type Seeded struct {
	Already  bool // the fixture was there and nothing was done
	Scans    []int64
	Hosts    int
	Services int
	New      int // findings
}

// Seed fills a site of its own with a fixture estate: some hosts that run well-known old versions, scanned twice, three
// weeks apart, with something fixed and something removed in between. It goes the same road as a real scan, so which
// CVEs it shows is the catalogue's word. Everything is marked demo. Seeding twice changes nothing.
func (a *Assessor) Seed(ctx context.Context) (out Seeded, err error) {
	exists, err := a.hasSite(ctx, SeedSite)
	if err != nil || exists {
		return Seeded{Already: exists}, err
	}
	if _, _, err := a.estate.CreateSite(ctx, asset.Site{Name: SeedSite, Demo: true}); err != nil {
		return out, err
	}
	now := a.now().UTC().Truncate(time.Second)
	for i, fixture := range [][]seedHost{seedBefore, seedAfter} {
		at := now.AddDate(0, 0, -21*(1-i))
		res, err := a.seedScan(ctx, fixture, at)
		if err != nil {
			return out, err
		}
		out.Scans = append(out.Scans, res.Scan.ID)
		out.Hosts, out.Services = res.Scan.Totals.Hosts, res.Scan.Totals.Services
		out.New += res.Ledgers[0].New
	}
	return out, nil
}

func (a *Assessor) hasSite(ctx context.Context, name string) (exists bool, err error) {
	err = a.estate.Update(ctx, func(tx Tx) error {
		_, err := tx.Site(ctx, name)
		exists = err == nil
		if fault.KindOf(err) == fault.KindNotFound {
			return nil
		}
		return err
	})
	return exists, err
}

func (a *Assessor) seedScan(ctx context.Context, hosts []seedHost, at time.Time) (Result, error) {
	run, err := a.Begin(ctx, finding.Scan{Kind: finding.KindScan, Site: SeedSite, Targets: []string{"192.0.2.0/24"}, Profile: "standard",
		By: "seed", Created: at, Started: at, Demo: true})
	if err != nil {
		return Result{}, err
	}
	for _, h := range hosts {
		for _, e := range h.events(at) {
			if err := run.Emit("native", e); err != nil {
				return Result{}, err
			}
		}
	}
	return run.Finish(ctx, End{Scanners: []finding.ScannerRun{{Name: "native", Status: "completed"}}})
}

// seedHost is one host of the fixture.
type seedHost struct {
	address, name, os string
	services          []seedService
}

// seedService is one service: what its banner tells.
type seedService struct {
	port                           uint16
	name, product, version, banner string
	part                           byte
	vendor, cpeProduct             string
	cpeVersion, cpeUpdate          string
	backport                       string
	tls                            bool
}

func (h seedHost) events(at time.Time) []finding.Event {
	address := netip.MustParseAddr(h.address)
	events := []finding.Event{{Host: &finding.HostSeen{Address: address, Names: []string{h.name}, Status: string(asset.Up),
		Reason: "answered", OS: h.os, At: at}}}
	for _, s := range h.services {
		events = append(events, finding.Event{Service: &finding.ServiceSeen{Address: address, Protocol: "tcp", Port: s.port, Name: s.name,
			Product: s.product, Version: s.version, Banner: s.banner, TLS: s.tls, Backport: s.backport, At: at,
			CPEs: []string{cpe.New(s.part, s.vendor, s.cpeProduct, s.cpeVersion, s.cpeUpdate).String()}}})
	}
	return append(events, finding.Event{Coverage: &finding.Coverage{Sensor: "native", Address: address, Protocol: "tcp",
		Ports: []finding.PortRange{{First: 1, Last: 65535}}, At: at}})
}

var (
	seedOldNginx = seedService{port: 443, name: "http", product: "nginx", version: "1.18.0", banner: "Server: nginx/1.18.0", part: 'a',
		vendor: "f5", cpeProduct: "nginx", cpeVersion: "1.18.0", tls: true}
	seedNewNginx = seedService{port: 443, name: "http", product: "nginx", version: "1.28.0", banner: "Server: nginx/1.28.0", part: 'a',
		vendor: "f5", cpeProduct: "nginx", cpeVersion: "1.28.0", tls: true}
	seedOldFTP = seedService{port: 21, name: "ftp", product: "vsftpd", version: "2.3.4", banner: "220 (vsFTPd 2.3.4)", part: 'a',
		vendor: "vsftpd_project", cpeProduct: "vsftpd", cpeVersion: "2.3.4"}
	seedOldSSH = seedService{port: 22, name: "ssh", product: "OpenSSH", version: "7.2p2", banner: "SSH-2.0-OpenSSH_7.2p2", part: 'a',
		vendor: "openbsd", cpeProduct: "openssh", cpeVersion: "7.2", cpeUpdate: "p2"}
)

// seedBefore is the fixture as the first scan finds it, seedAfter as the second does: git-1 got a new nginx, files-1 no
// longer offers FTP.
var (
	seedBefore = append([]seedHost{
		{"192.0.2.60", "git-1.example", "Linux", []seedService{seedOldSSH, seedOldNginx}},
		{"192.0.2.50", "files-1.example", "Linux", append([]seedService{seedOldFTP}, seedShare...)},
	}, seedSteady...)
	seedAfter = append([]seedHost{
		{"192.0.2.60", "git-1.example", "Linux", []seedService{seedOldSSH, seedNewNginx}},
		{"192.0.2.50", "files-1.example", "Linux", seedShare},
	}, seedSteady...)
)

var seedShare = []seedService{
	{port: 2121, name: "ftp", product: "ProFTPD", version: "1.3.5", banner: "220 ProFTPD 1.3.5 Server ready.", part: 'a',
		vendor: "proftpd", cpeProduct: "proftpd", cpeVersion: "1.3.5"},
	{port: 445, name: "microsoft-ds", product: "Samba", version: "4.6.3", banner: "Samba 4.6.3", part: 'a',
		vendor: "samba", cpeProduct: "samba", cpeVersion: "4.6.3"},
}

var seedSteady = []seedHost{
	{"192.0.2.10", "web-1.example", "Linux", []seedService{
		{port: 22, name: "ssh", product: "OpenSSH", version: "8.9p1", banner: "SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.1", part: 'a',
			vendor: "openbsd", cpeProduct: "openssh", cpeVersion: "8.9", cpeUpdate: "p1", backport: "Ubuntu"},
		{port: 80, name: "http", product: "Apache httpd", version: "2.4.49", banner: "Server: Apache/2.4.49 (Unix)", part: 'a',
			vendor: "apache", cpeProduct: "http_server", cpeVersion: "2.4.49"},
	}},
	{"192.0.2.20", "app-1.example", "Linux", []seedService{
		{port: 8009, name: "ajp13", product: "Apache Tomcat", version: "9.0.30", banner: "Apache Tomcat/9.0.30", part: 'a',
			vendor: "apache", cpeProduct: "tomcat", cpeVersion: "9.0.30"},
		{port: 8080, name: "http", product: "Jenkins", version: "2.441", banner: "X-Jenkins: 2.441", part: 'a',
			vendor: "jenkins", cpeProduct: "jenkins", cpeVersion: "2.441"},
	}},
	{"192.0.2.30", "mail-1.example", "Linux", []seedService{
		{port: 25, name: "smtp", product: "Exim", version: "4.87", banner: "220 mail-1.example ESMTP Exim 4.87", part: 'a',
			vendor: "exim", cpeProduct: "exim", cpeVersion: "4.87"},
		{port: 143, name: "imap", product: "Dovecot", banner: "* OK Dovecot ready.", part: 'a', vendor: "dovecot", cpeProduct: "dovecot"},
	}},
	{"192.0.2.40", "db-1.example", "Linux", []seedService{
		{port: 3306, name: "mysql", product: "MySQL", version: "5.7.20", banner: "5.7.20", part: 'a',
			vendor: "oracle", cpeProduct: "mysql", cpeVersion: "5.7.20"},
		{port: 5432, name: "postgresql", product: "PostgreSQL", version: "9.6.0", banner: "PostgreSQL 9.6.0", part: 'a',
			vendor: "postgresql", cpeProduct: "postgresql", cpeVersion: "9.6.0"},
		{port: 6379, name: "redis", product: "Redis", version: "5.0.7", banner: "redis_version:5.0.7", part: 'a',
			vendor: "redis", cpeProduct: "redis", cpeVersion: "5.0.7"},
		{port: 9200, name: "http", product: "Elasticsearch", version: "1.4.2", banner: `"number" : "1.4.2"`, part: 'a',
			vendor: "elastic", cpeProduct: "elasticsearch", cpeVersion: "1.4.2"},
	}},
	{"192.0.2.1", "vpn-1.example", "FortiOS", []seedService{
		{port: 10443, name: "http", product: "FortiOS", version: "7.2.2", banner: "FortiOS 7.2.2", part: 'o',
			vendor: "fortinet", cpeProduct: "fortios", cpeVersion: "7.2.2", tls: true},
	}},
}
