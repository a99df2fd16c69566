package app

import (
	"context"
	"net"
	"strconv"
	"testing"

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
