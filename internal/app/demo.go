package app

import (
	"context"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/app/demo"
)

// Demo starts the demo's servers on loopback, scans them by the same road as any host, marks what it found as demo and
// stops the servers again. Started is told what listens before the scan begins.
func (a *App) Demo(ctx context.Context, started func([]demo.Server), progress func(Progress)) (ScanResult, error) {
	servers, stop, err := demo.Start(ctx)
	if err != nil {
		return ScanResult{}, err
	}
	defer stop()
	started(servers)
	ports := make([]string, len(servers))
	for i, s := range servers {
		ports[i] = strconv.Itoa(int(s.Addr.Port()))
	}
	return a.Scan(ctx, ScanRequest{
		Targets: []string{servers[0].Addr.Addr().String()}, Ports: strings.Join(ports, ","), Demo: true,
	}, progress)
}
