package app

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"testing"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
)

// greeter answers every connection with one line until it is stopped.
func greeter(t *testing.T, line string) (port string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte(line)) // a scanner that only knocked is gone already
			_ = conn.Close()
		}
	}()
	stop = func() { _ = l.Close() }
	t.Cleanup(stop)
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), stop
}

func services(hosts []report.Host) (n int) {
	for _, h := range hosts {
		n += len(h.Services)
	}
	return n
}

func TestAServiceIsListedWhereItAnswersAndWhileItDoes(t *testing.T) {
	a, ctx := open(t), context.Background()
	port, stop := greeter(t, "220 (vsFTPd 2.3.4)\r\n")
	other, _ := greeter(t, "220 (vsFTPd 3.0.3)\r\n")
	scan := func(ports string) report.Scan {
		t.Helper()
		result, err := a.Scan(ctx, ScanRequest{Targets: []string{"127.0.0.1"}, Ports: ports}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return result.Document
	}
	first := scan(port + "," + other)
	if n := services(first.Hosts); n != 2 {
		t.Fatalf("%d services, want 2", n)
	}
	if n := services(scan(other).Hosts); n != 1 {
		t.Errorf("a scan of one port lists %d services", n)
	}
	stop()
	if n := services(scan(port).Hosts); n != 0 {
		t.Errorf("a scan that found the port closed lists %d services", n)
	}
	assets, err := a.Assets(ctx, AssetRequest{})
	if err != nil || services(assets) != 1 {
		t.Errorf("%d services are listed as there, want 1 (%v)", services(assets), err)
	}
	again, err := a.ScanResult(ctx, first.Scan.ID)
	if err != nil || services(again.Document.Hosts) != 2 {
		t.Errorf("the first scan now lists %d services, want 2 (%v)", services(again.Document.Hosts), err)
	}
}

func TestAHostIsNamedByItsOldNumberAndNeverByAnAddressOfTwo(t *testing.T) {
	a, ctx := seeded(t)
	first, second := seedHosts[0].address, seedHosts[1].address
	one, err := a.hostID(ctx, first, seedSite)
	if err != nil {
		t.Fatal(err)
	}
	two, err := a.hostID(ctx, second, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.MergeHosts(ctx, first, second, seedSite); err != nil {
		t.Fatal(err)
	}
	if id, err := a.hostID(ctx, strconv.FormatInt(two, 10), ""); err != nil || id != one {
		t.Errorf("the old number leads to %d, not %d, %v", id, one, err)
	}
	run, err := a.assessor().Begin(ctx, finding.Scan{Kind: finding.KindScan, Site: asset.DefaultSite})
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Emit("nmap", finding.Event{Host: &finding.HostSeen{Address: netip.MustParseAddr(first), Status: "up", At: a.now()}}); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Finish(ctx, assess.End{}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.hostID(ctx, first, ""); fault.KindOf(err) != fault.KindConflict {
		t.Errorf("an address in two sites: %v", err)
	}
	if id, err := a.hostID(ctx, first, seedSite); err != nil || id != one {
		t.Errorf("the same in one site: %d, %v", id, err)
	}
}
