package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/priority"
	"github.com/patchscout/patchscout/internal/store"
)

// The estate that lists are measured on: hosts with 50 findings each on average, some with hundreds; a few CVEs that
// are nearly everywhere and many that are on one host. The same seed gives the same estate.
const (
	estateSeed      = 4
	findingsPerHost = 50
	knownCVEs       = 40_000
	hostsPerUpdate  = 80 // some 4,000 findings
)

var (
	estateSites     = []string{"default", "headquarters", "branch", "cloud"}
	estateOwners    = []string{"", "platform", "web", "office", "database", "network"}
	estateTags      = [][]string{nil, nil, {"pci"}, {"production"}, {"production", "pci"}, {"lab"}}
	estatePeople    = []string{"", "", "", "", "", "anna", "ben", "carla", "dev"}
	estateLabels    = [][]string{nil, nil, nil, nil, {"waiting"}, {"next-release"}, {"exception", "waiting"}}
	estateSensors   = []string{"nessus", "nmap", "openvas", "native", "trivy", "nuclei"}
	estateProducts  = []string{"OpenSSH", "nginx", "Apache httpd", "PostgreSQL", "MySQL", "Microsoft IIS", "Samba smbd", "Exim smtpd"}
	estateNames     = []string{"ssh", "http", "http", "postgresql", "mysql", "http", "netbios-ssn", "smtp"}
	estatePackages  = []string{"openssl", "glibc", "curl", "zlib", "libxml2", "bash", "sudo", "systemd", "python3", "perl"}
	estateDay       = time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)
	estateDecisions = []priority.Decision{priority.Act, priority.Attend, priority.Plan, priority.Track}
)

// estateMaker draws an estate.
type estateMaker struct {
	rng     *rand.Rand
	popular *rand.Zipf
	cves    []drawnCVE
	left    int
	hosts   int
}

// drawnCVE is what is the same wherever a CVE is found.
type drawnCVE struct {
	id          cve.ID
	title       string
	product     int
	cvss, epss  *float64
	kev         bool
	likelihood  *float64
	score       *float64
	decision    priority.Decision
	fixedIn     string
	isInPackage bool
}

func newEstateMaker(findings int) *estateMaker {
	rng := rand.New(rand.NewPCG(estateSeed, estateSeed))
	m := &estateMaker{rng: rng, left: findings, popular: rand.NewZipf(rng, 1.1, 20, knownCVEs-1)}
	for i := range knownCVEs {
		m.cves = append(m.cves, m.drawCVE(i))
	}
	return m
}

func (m *estateMaker) drawCVE(i int) drawnCVE {
	rng := m.rng
	c := drawnCVE{id: cve.NewID(uint32(2010+rng.IntN(17)), uint32(1000+i)), product: rng.IntN(len(estateProducts)), kev: rng.IntN(60) == 0, //nolint:gosec // small
		fixedIn: fmt.Sprintf("%d.%d.%d", 1+rng.IntN(9), rng.IntN(20), rng.IntN(10)), isInPackage: rng.IntN(3) == 0}
	what := estateProducts[c.product]
	if c.isInPackage {
		what = estatePackages[rng.IntN(len(estatePackages))]
	}
	c.title = fmt.Sprintf("%s: %s in component %d allows remote attackers to do harm", what,
		[]string{"buffer overflow", "use after free", "injection", "path traversal", "denial of service"}[rng.IntN(5)], rng.IntN(3000))
	if rng.IntN(20) > 0 {
		cvss := math.Min(10, math.Round((3+rng.Float64()*7)*10)/10)
		c.cvss = &cvss
	}
	if rng.IntN(10) > 0 {
		epss := math.Round(math.Pow(rng.Float64(), 6)*1e5) / 1e5
		c.epss, c.likelihood = &epss, &epss
	}
	score := math.Round(rng.Float64()*1e6) / 1e6
	c.score = &score
	c.decision = estateDecisions[min(3, int(math.Abs(rng.NormFloat64())*0.4+rng.Float64()*3))]
	return c
}

// fill writes the estate through the store's own doors.
func (m *estateMaker) fill(ctx context.Context, e *store.Estate) error {
	for _, site := range estateSites[1:] {
		if _, _, err := e.CreateSite(ctx, asset.Site{Name: site}); err != nil {
			return err
		}
	}
	for m.left > 0 {
		if err := e.Update(ctx, func(tx *store.EstateTx) error {
			for range hostsPerUpdate {
				if err := m.host(ctx, tx); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (m *estateMaker) host(ctx context.Context, tx *store.EstateTx) error {
	n := m.hosts
	m.hosts++
	rng := m.rng
	h := &asset.Host{Site: estateSites[min(3, int(rng.ExpFloat64()))], Status: asset.Up, OS: "Debian 12",
		Criticality: []string{"", "", "low", "medium", "high", "critical"}[rng.IntN(6)],
		Owner:       estateOwners[rng.IntN(len(estateOwners))], Tags: estateTags[rng.IntN(len(estateTags))]}
	h.Own = asset.Own{Owner: h.Owner, Criticality: h.Criticality, Tags: h.Tags}
	h.Note(asset.Sighting{Site: h.Site, Address: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}),
		Names: []string{fmt.Sprintf("%s%d.example.net", []string{"web", "db", "mail", "ws"}[n%4], n)}, Sensor: "nmap", At: estateDay})
	if err := tx.SaveHost(ctx, h); err != nil {
		return err
	}
	for i, port := range []uint16{22, 80, 443, 5432, 3306, 8443, 445, 25} {
		if rng.IntN(2) == 0 {
			continue
		}
		if err := tx.SaveService(ctx, &asset.Service{HostID: h.ID, Protocol: "tcp", Port: port, Name: estateNames[i],
			Product: estateProducts[i], FirstSeen: estateDay, LastSeen: estateDay}); err != nil {
			return err
		}
	}
	return m.findings(ctx, tx, h)
}

// findings gives a host its share: exponential around the average.
func (m *estateMaker) findings(ctx context.Context, tx *store.EstateTx, h *asset.Host) error {
	seen := map[finding.Fingerprint]bool{}
	for range 1 + int(m.rng.ExpFloat64()*findingsPerHost) {
		f := m.finding(h)
		if m.left == 0 || seen[f.Fingerprint] {
			continue
		}
		seen[f.Fingerprint] = true
		m.left--
		if err := tx.SaveFinding(ctx, f, nil); err != nil {
			return err
		}
	}
	return nil
}

func (m *estateMaker) finding(h *asset.Host) *finding.Finding {
	rng := m.rng
	c := &m.cves[m.popular.Uint64()]
	f := &finding.Finding{Fingerprint: finding.Fingerprint{Site: h.Site, HostID: h.ID, Protocol: "tcp", Weakness: finding.OfCVE(c.id)}, Kind: finding.KindVulnerability}
	f.Port = []uint16{22, 80, 443, 5432, 3306, 8443, 445, 25}[c.product]
	if c.isInPackage {
		f.Protocol, f.Port, f.Component = "", 0, estatePackages[c.product]
	}
	if rng.IntN(6) == 0 {
		f.Weakness = finding.Weakness(fmt.Sprintf("nessus:%d", 10000+rng.IntN(5000)))
	}
	f.Title, f.RemedyKey, f.RemedyName, f.FixedIn = c.title, fmt.Sprintf("upgrade:%d", c.product), estateProducts[c.product], c.fixedIn
	if rng.IntN(4) == 0 {
		f.RemedyKey = fmt.Sprintf("text:%d", rng.IntN(4000))
		f.RemedyName, f.FixedIn = "Change the setting "+f.RemedyKey, ""
	}
	f.Status, f.Confidence = finding.Affected, []int{30, 50, 80, 80, 95, 97}[rng.IntN(6)]
	f.CVSS, f.EPSS, f.Likelihood, f.Score, f.KEV, f.Exploited = c.cvss, c.epss, c.likelihood, c.score, c.kev, c.kev
	f.Severity = severityOf(c.cvss)
	f.Decision = string(c.decision)
	f.RankKey = priority.RankKey(c.decision, c.likelihood, c.score)
	m.life(f)
	sensor := estateSensors[rng.IntN(len(estateSensors))]
	f.Evidence = []finding.Evidence{{Sensor: sensor, Check: sensor + ":1", FirstSeen: f.FirstSeen, LastSeen: f.LastSeen, FirstScan: 1, LastScan: 1,
		Status: f.Status, Confidence: f.Confidence, Reason: "the version is below " + c.fixedIn, FixedIn: c.fixedIn}}
	return f
}

func severityOf(cvss *float64) string {
	switch {
	case cvss == nil:
		return "unknown"
	case *cvss >= 9:
		return "critical"
	case *cvss >= 7:
		return "high"
	case *cvss >= 4:
		return "medium"
	default:
		return "low"
	}
}

// life draws when a finding was seen, and what people said of it.
func (m *estateMaker) life(f *finding.Finding) {
	rng := m.rng
	f.FirstSeen = estateDay.Add(-time.Duration(rng.IntN(400*24*60)) * time.Minute)
	f.LastSeen = estateDay.Add(-time.Duration(rng.IntN(20*24*60)) * time.Minute)
	if f.LastSeen.Before(f.FirstSeen) {
		f.LastSeen = f.FirstSeen
	}
	f.State = []finding.State{finding.Open, finding.Open, finding.Open, finding.Reopened, finding.Fixed, finding.Closed}[rng.IntN(6)]
	if days := map[string]int{"act": 3, "attend": 14, "plan": 60}[f.Decision]; days > 0 {
		f.Due = f.FirstSeen.Truncate(24*time.Hour).AddDate(0, 0, days)
	}
	if rng.IntN(3) == 0 {
		f.SLADue = f.FirstSeen.Truncate(24*time.Hour).AddDate(0, 0, 30)
	}
	f.Assignee, f.Labels = estatePeople[rng.IntN(len(estatePeople))], estateLabels[rng.IntN(len(estateLabels))]
	switch rng.IntN(25) {
	case 0:
		f.Triage.State = finding.FalsePositive
	case 1:
		f.Triage.State = finding.Accepted
		f.Triage.Until = estateDay.Truncate(24*time.Hour).AddDate(0, 0, rng.IntN(100)-20)
	case 2:
		f.Triage.State = finding.Confirmed
	}
}
