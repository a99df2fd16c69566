package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/app/demo"
)

// scan scans ten servers on loopback and has nmap -sV do the same.
func (b *bench) scan(ctx context.Context) error {
	lite, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	servers, stop, err := demo.Start(ctx)
	if err != nil {
		return err
	}
	defer stop()
	ports := make([]string, len(servers))
	for i, s := range servers {
		ports[i] = strconv.Itoa(int(s.Addr.Port()))
	}
	list := strings.Join(ports, ",")
	fmt.Printf("scan (%d services on loopback, the same ports for both)\n", len(servers))
	own, err := b.median(ctx, lite, 5, "scan", "127.0.0.1", "--ports", list, "--format", "json")
	if err != nil {
		return err
	}
	found, named, err := identified(own.stdout)
	if err != nil {
		return err
	}
	b.note("patchscout scan, median of 5", own.wall.Seconds(), "s")
	b.note("patchscout scan, services found", float64(found), fmt.Sprintf("of %d, %d with product and version", len(servers), named))
	if found < len(servers) {
		b.missed++
	}
	return b.compareNmap(ctx, list, own)
}

func (b *bench) compareNmap(ctx context.Context, ports string, own usage) error {
	if _, err := exec.LookPath("nmap"); err != nil {
		fmt.Println("  nmap is not installed: no comparison")
		return nil
	}
	nmap, err := measure(ctx, nil, nil, "nmap", "-sV", "-p", ports, "-oX", "-", "127.0.0.1")
	if err != nil {
		return err
	}
	b.note("nmap -sV", nmap.wall.Seconds(), "s")
	b.note("nmap -sV, services with a version", float64(bytes.Count(nmap.stdout, []byte(` version="`))-1), "")
	b.figure("patchscout scan / nmap -sV", own.wall.Seconds()/nmap.wall.Seconds(), 0.2, "x")
	b.note("patchscout scan", own.cpu.Seconds(), "CPU s")
	b.note("nmap -sV", nmap.cpu.Seconds(), "CPU s")
	return nil
}

// identified counts the services of a scan document, and those with product and version.
func identified(document []byte) (found, named int, err error) {
	var doc struct {
		Hosts []struct {
			Services []struct {
				Product, Version *string
			}
		}
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		return 0, 0, err
	}
	for _, h := range doc.Hosts {
		found += len(h.Services)
		for _, s := range h.Services {
			if s.Product != nil && s.Version != nil {
				named++
			}
		}
	}
	return found, named, nil
}
