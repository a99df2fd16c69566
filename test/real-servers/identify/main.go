// Command identify scans loopback ports with the native scanner alone and prints what it recognised. It is what run.sh
// compares with other tools; it never touches a catalogue or a database.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/native"
)

func main() {
	host := flag.String("host", "127.0.0.1", "loopback address")
	ports := flag.String("ports", "", "ports, comma-separated; empty: the profile's")
	profile := flag.String("profile", "standard", "quick, standard, full or web")
	raw := flag.Bool("raw", false, "print the raw report")
	flag.Parse()
	if err := run(*host, *ports, *profile, *raw); err != nil {
		fmt.Fprintln(os.Stderr, "identify:", err)
		os.Exit(1)
	}
}

func run(host, ports, profile string, raw bool) error {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return err
	}
	if !addr.IsLoopback() {
		return fmt.Errorf("%s is not a loopback address", addr)
	}
	job := scan.Job{Hosts: []scan.HostTarget{{Address: addr, Names: []string{"localhost"}}}, Profile: scan.Profile(profile)}
	for p := range strings.SplitSeq(ports, ",") {
		if p == "" {
			continue
		}
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return err
		}
		job.Ports = append(job.Ports, finding.PortRange{First: uint16(n), Last: uint16(n)})
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var report bytes.Buffer
	began = time.Now()
	runErr := native.Scanner{}.Run(ctx, job, &report, nil)
	took := time.Since(began)
	if raw {
		os.Stdout.Write(report.Bytes())
	}
	err = native.Scanner{}.Read(context.Background(), &report, show)
	fmt.Printf("wall time %.2f s\n", took.Seconds())
	if runErr != nil {
		return runErr
	}
	return err
}

// began is when the scan began; each service is shown with the time after which it was recognised.
var began time.Time

func show(e finding.Event) error {
	switch {
	case e.Host != nil:
		fmt.Printf("host %s %s (%s) os=%q %s key=%s names=%s\n", e.Host.Address, e.Host.Status, e.Host.Reason, e.Host.OS,
			strings.Join(e.Host.CPEs, " "), e.Host.SSHKey, strings.Join(e.Host.Names, ","))
	case e.Service != nil:
		s := e.Service
		name := s.Name
		if s.TLS {
			name += "+tls"
		}
		if s.Guessed {
			name += "?"
		}
		fmt.Printf("%4.1fs %5d %-14s %-22s %-10s backport=%-8s %s | %s\n", s.At.Sub(began).Seconds(), s.Port, name, s.Product, s.Version, s.Backport,
			strings.Join(s.CPEs, " "), s.Extra)
	}
	return nil
}
