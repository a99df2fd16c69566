package app

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/native"
	"github.com/patchscout/patchscout/internal/scan/nessus"
	"github.com/patchscout/patchscout/internal/scan/nikto"
	"github.com/patchscout/patchscout/internal/scan/nmap"
	"github.com/patchscout/patchscout/internal/scan/nuclei"
	"github.com/patchscout/patchscout/internal/scan/openvas"
)

// scannerEntry is a scanner that can be chosen: how it is built from the configuration, and its limits.
type scannerEntry struct {
	name    string
	what    string // for people
	build   func(cfg config.Config) (scan.Scanner, error)
	timeout func(t config.Timeouts) time.Duration
	limits  func(job scan.Job) scan.Choice // Hosts, Parallel, Remote, Weight
}

// scannerTable is every scanner, in the order in which they are shown. A scanner that schedules its hosts itself gets them
// all at once; one that we run gets as many as take minutes, so that a crash costs no more.
var scannerTable = []scannerEntry{
	{
		name: native.Name, what: "open ports and what answers at them; built in",
		build:   func(config.Config) (scan.Scanner, error) { return native.Scanner{}, nil },
		timeout: func(t config.Timeouts) time.Duration { return t.Native },
		// One task at a time: its pace is for all it does, and it keeps thousands of connections going by itself.
		limits: func(job scan.Job) scan.Choice {
			return scan.Choice{Hosts: scan.HostsByPorts(job), Parallel: 1, Weight: 1}
		},
	},
	{
		name: nmap.Name, what: "open ports, versions (-sV) and NSE scripts, by an installed nmap",
		build: func(cfg config.Config) (scan.Scanner, error) {
			return nmap.New(nmap.Options{Path: cfg.Nmap.Path, Scripts: cfg.Nmap.Scripts})
		},
		timeout: func(t config.Timeouts) time.Duration { return t.Nmap },
		limits: func(job scan.Job) scan.Choice {
			return scan.Choice{Hosts: min(scan.HostsByPorts(job), 64), Parallel: 2, Weight: 3}
		},
	},
	{
		name: openvas.Name, what: "vulnerability tests of a Greenbone OpenVAS, over GMP",
		build: func(cfg config.Config) (scan.Scanner, error) {
			o := cfg.OpenVAS
			return openvas.New(openvas.Options{Socket: o.Socket, Address: o.Address, Username: o.Username, Password: o.Password,
				ConfigID: o.Config, PortListID: o.PortList, ScannerID: o.Scanner, CAFile: o.CAFile, Fingerprint: o.Fingerprint})
		},
		timeout: func(t config.Timeouts) time.Duration { return t.OpenVAS },
		limits:  elsewhere,
	},
	{
		name: nessus.Name, what: "vulnerability and compliance checks of a Nessus, over its API",
		build: func(cfg config.Config) (scan.Scanner, error) {
			o := cfg.Nessus
			return nessus.New(nessus.Options{URL: o.URL, AccessKey: o.AccessKey, SecretKey: o.SecretKey, Username: o.Username, Password: o.Password,
				CAFile: o.CAFile, Fingerprint: o.Fingerprint, Template: o.Template, Policy: o.Policy})
		},
		timeout: func(t config.Timeouts) time.Duration { return t.Nessus },
		limits:  elsewhere,
	},
	{
		name: nikto.Name, what: "web servers: known files, settings and versions, by an installed Nikto",
		build: func(cfg config.Config) (scan.Scanner, error) {
			return nikto.New(nikto.Options{Path: cfg.Nikto.Path, Tuning: cfg.Nikto.Tuning})
		},
		timeout: func(t config.Timeouts) time.Duration { return t.Nikto },
		limits:  func(scan.Job) scan.Choice { return scan.Choice{Parallel: 2, Weight: 10} },
	},
	{
		name: nuclei.Name, what: "web servers: templates of known weaknesses, by an installed Nuclei",
		build: func(cfg config.Config) (scan.Scanner, error) {
			return nuclei.New(nuclei.Options{Path: cfg.Nuclei.Path, Templates: cfg.Nuclei.Templates, RateLimit: cfg.Nuclei.Rate})
		},
		timeout: func(t config.Timeouts) time.Duration { return t.Nuclei },
		// One task at a time, since its rate is for all it does; several hosts in each, since it reads its thousands of
		// templates at every start.
		limits: func(scan.Job) scan.Choice { return scan.Choice{Hosts: 16, Parallel: 1, Weight: 5} },
	},
}

// elsewhere are the limits of scanners that are servers of their own.
func elsewhere(scan.Job) scan.Choice {
	return scan.Choice{Hosts: 1024, Parallel: 1, Remote: true, Weight: 10}
}

// ScannerNames lists the scanners that can be chosen, for help texts.
func ScannerNames() string {
	names := make([]string, len(scannerTable))
	for i, e := range scannerTable {
		names[i] = e.name
	}
	return strings.Join(names, ", ")
}

func scannerNamed(name string) (scannerEntry, error) {
	for _, e := range scannerTable {
		if e.name == name {
			return e, nil
		}
	}
	return scannerEntry{}, fault.Invalid("scanner %s: want one or several of %s", name, ScannerNames())
}

// checkScanners says what is wrong with the scanners of a request.
func checkScanners(names []string) error {
	for i, name := range names {
		if _, err := scannerNamed(name); err != nil {
			return fault.Invalid("--%w", err)
		}
		if slices.Contains(names[:i], name) {
			return fault.InvalidOption("scanner", " %s is named twice", name)
		}
	}
	return nil
}

// choose builds the scanners of a scan. Where only web scanners are chosen, the native one is added to find the web
// servers, unless every host is named by a URL; the notes say so.
func choose(cfg config.Config, names []string, job scan.Job) (choices []scan.Choice, notes []string, err error) {
	services := false
	for _, name := range names {
		c, err := choice(cfg, name, job)
		if err != nil {
			return nil, nil, err
		}
		services = services || stageOf(c.Scanner) != scan.WebStage
		choices = append(choices, c)
	}
	byURL := !slices.ContainsFunc(job.Hosts, func(h scan.HostTarget) bool { return len(h.URLs) == 0 })
	if services || byURL || len(names) == 0 {
		return choices, nil, nil
	}
	if len(job.Ports) == 0 {
		job.Profile = scan.Web
	}
	finder, err := choice(cfg, native.Name, job)
	finder.Added = true
	note := "the native scanner looks for web servers first, since " + strings.Join(names, " and ") + " looks at nothing else"
	return append(choices, finder), []string{note}, err
}

func choice(cfg config.Config, name string, job scan.Job) (scan.Choice, error) {
	e, err := scannerNamed(name)
	if err != nil {
		return scan.Choice{}, err
	}
	c := e.limits(job)
	c.Timeout = e.timeout(cfg.Scan.Timeouts)
	c.Scanner, err = e.build(cfg)
	return c, err
}

func stageOf(s scan.Scanner) scan.Stage {
	if staged, ok := s.(scan.Staged); ok {
		return staged.Stage()
	}
	return scan.Services
}

// Scanners lists every scanner with its version, or why it cannot run here. They are asked all at once.
func Scanners(ctx context.Context, cfg config.Config) []report.ScannerInfo {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out := make([]report.ScannerInfo, len(scannerTable))
	var wg sync.WaitGroup
	for i, e := range scannerTable {
		wg.Go(func() { out[i] = e.info(ctx, cfg) })
	}
	wg.Wait()
	return out
}

func (e scannerEntry) info(ctx context.Context, cfg config.Config) report.ScannerInfo {
	info := report.ScannerInfo{Name: e.name, What: e.what, Default: slices.Contains(cfg.Scan.Scanners, e.name)}
	s, err := e.build(cfg)
	version := ""
	if err == nil {
		version, err = s.Available(ctx)
	}
	if err != nil {
		info.Reason = report.Text(err.Error())
		return info
	}
	info.Available, info.Version = true, report.Text(version)
	return info
}
