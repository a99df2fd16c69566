package demo_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/app/demo"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/native"
)

func TestTheNativeScannerSeesEveryDemoServer(t *testing.T) {
	servers, stop, err := demo.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	job := scan.Job{Hosts: []scan.HostTarget{{Address: servers[0].Addr.Addr()}}}
	for _, s := range servers {
		job.Ports = append(job.Ports, finding.PortRange{First: s.Addr.Port(), Last: s.Addr.Port()})
	}
	var raw bytes.Buffer
	began := time.Now()
	if err := (native.Scanner{}).Run(t.Context(), job, &raw, nil); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d servers in %s", len(servers), time.Since(began))
	seen := map[uint16]string{}
	err = native.Scanner{}.Read(t.Context(), &raw, func(e finding.Event) error {
		if e.Service != nil {
			seen[e.Service.Port] = e.Service.Product + " " + e.Service.Version + " (simulated)"
			if len(e.Service.CPEs) == 0 {
				t.Errorf("%s has no CPE", e.Service.Product)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		if seen[s.Addr.Port()] != s.Name {
			t.Errorf("%s was recognised as %q", s.Name, seen[s.Addr.Port()])
		}
	}
}

func TestStopEndsEveryServerAndConnection(t *testing.T) {
	servers, stop, err := demo.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", servers[0].Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stop()
	stop()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.Copy(io.Discard, conn); err != nil && err.(net.Error).Timeout() {
		t.Error("the connection outlived stop")
	}
	for _, s := range servers {
		if c, err := net.Dial("tcp", s.Addr.String()); err == nil {
			c.Close()
			t.Errorf("%s still listens", s.Name)
		}
	}
}

func TestServersEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, stop, err := demo.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	stop() // returns only when all have ended
}
