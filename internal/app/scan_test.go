package app

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/scan"
)

// book answers from a map that a test can change.
type book map[string]string

func (b book) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	said, ok := b[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return []netip.Addr{netip.MustParseAddr(said)}, nil
}

// sshPort is a server on loopback; the port is for --ports.
func sshPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = conn.Write([]byte("SSH-2.0-OpenSSH_7.2p2\r\n"))
				_, _ = conn.Read(make([]byte, 64))
			}()
		}
	}()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// abandoned begins a scan as a process does that dies before its first task.
func abandoned(t *testing.T, a *App, req ScanRequest) int64 {
	t.Helper()
	ctx := context.Background()
	p, err := parsePlan(req)
	if err != nil {
		t.Fatal(err)
	}
	ex, err := scan.Expand(ctx, p.targets, p.exclude, a.resolver)
	if err != nil {
		t.Fatal(err)
	}
	w, err := a.begin(ctx, req, p, ex)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.release(ctx, false); err != nil {
		t.Fatal(err)
	}
	return w.id
}

func TestAResumedScanDoesNotFollowANameThatMoved(t *testing.T) {
	ctx := context.Background()
	a := open(t)
	names := book{"stays.example": "127.0.0.1", "moves.example": "127.0.0.2", "goes.example": "127.0.0.3", "late.example": "127.0.0.5"}
	a.resolver = names
	req := ScanRequest{Targets: []string{"stays.example", "moves.example", "goes.example", "127.0.0.4", "absent.example"}, Ports: sshPort(t)}
	id := abandoned(t, a, req)
	runs, err := a.Scans(ctx, 0)
	if err != nil || runs[0].Status != "running" || runs[0].Paused || !strings.Contains(string(runs[0].Reason), "interrupted: continue with patchscout scans resume 1") {
		t.Errorf("%+v %v", runs, err)
	}
	names["moves.example"] = "127.0.0.9"
	names["absent.example"] = "127.0.0.10"
	delete(names, "goes.example")
	got, err := a.ResumeScan(ctx, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []report.Problem{{Target: "moves.example", Reason: "not scanned: moves.example does not lead there any more"},
		{Target: "goes.example", Reason: "not scanned: goes.example does not lead there any more"},
		{Target: "absent.example", Reason: "did not resolve: no such host"}}
	if !slices.Equal(got.Document.Scan.Problems, want) {
		t.Errorf("%+v", got.Document.Scan.Problems)
	}
	if n := got.Document.Scan.Scanners[0]; n.Status != "partial" || !strings.Contains(string(n.Error), "moves.example (127.0.0.2) was not scanned") || !got.Incomplete {
		t.Errorf("%+v", n)
	}
	if len(got.Notes) != 2 || !strings.Contains(strings.Join(got.Notes, "\n"), "moves.example leads to 127.0.0.9 now") {
		t.Errorf("%q", got.Notes)
	}
	var up []string
	for _, h := range got.Document.Hosts {
		up = append(up, string(h.Address))
	}
	if slices.Sort(up); !slices.Equal(up, []string{"127.0.0.1", "127.0.0.4"}) {
		t.Errorf("scanned %v", up)
	}
	if _, err := a.ResumeScan(ctx, id, nil); fault.KindOf(err) != fault.KindConflict {
		t.Errorf("resuming what is over: %v", err)
	}
}

func TestAResumedScanObeysTheScopeOfNow(t *testing.T) {
	ctx := context.Background()
	a := open(t)
	id := abandoned(t, a, ScanRequest{Targets: []string{"127.0.0.1", "127.0.0.2"}, Ports: sshPort(t)})
	a.cfg.Scan.Scope = []string{"!127.0.0.2"}
	got, err := a.ResumeScan(ctx, id, nil)
	if err != nil || len(got.Document.Hosts) != 1 || len(got.Document.Scan.Problems) != 1 ||
		!strings.Contains(string(got.Document.Scan.Problems[0].Reason), "not scanned: denied by the scope rule !127.0.0.2") {
		t.Errorf("%+v %v", got.Document, err)
	}
}

func TestAnAbandonedScanIsCancelledAtOnce(t *testing.T) {
	ctx := context.Background()
	a := open(t)
	id := abandoned(t, a, ScanRequest{Targets: []string{"127.0.0.1"}})
	if now, err := a.CancelScan(ctx, id); err != nil || !now {
		t.Fatalf("%v %v", now, err)
	}
	run, err := a.ScanResult(ctx, id)
	if err != nil || run.Document.Scan.Status != "failed" || run.Document.Scan.Reason != "cancelled" {
		t.Errorf("%+v %v", run.Document.Scan, err)
	}
	for what, err := range map[string]error{"pause": a.PauseScan(ctx, id), "pause of none": a.PauseScan(ctx, 99)} {
		if kind := fault.KindOf(err); kind != fault.KindConflict && kind != fault.KindNotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestNobodyTakesAScanFromALivingProcess(t *testing.T) {
	ctx := context.Background()
	a := open(t)
	req := ScanRequest{Targets: []string{"127.0.0.1"}}
	p, _ := parsePlan(req)
	w, err := a.begin(ctx, req, p, scan.Expansion{Hosts: []scan.HostTarget{{Address: netip.MustParseAddr("127.0.0.1")}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.ResumeScan(ctx, w.id, nil); fault.KindOf(err) != fault.KindConflict || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("%v", err)
	}
}

func TestAProcessThatEndedIsGone(t *testing.T) {
	cmd := exec.CommandContext(context.Background(), "true")
	if err := cmd.Run(); err != nil {
		t.Skip(err)
	}
	for owner, want := range map[string]bool{
		ownerOf(cmd.Process.Pid) + "x": true, newOwner(): false, "": false, "process 0 on x#y ": false, "process 1 on elsewhere#pid:[1] x": false,
	} {
		if died(owner) != want {
			t.Errorf("%q: %v", owner, !want)
		}
	}
}

func TestEveryScannerIsBuiltFromTheConfiguration(t *testing.T) {
	a := open(t)
	for _, info := range Scanners(context.Background(), a.cfg) {
		if info.Available == (info.Reason != "") || info.What == "" || info.Default != (info.Name == "native") {
			t.Errorf("%+v", info)
		}
	}
	if err := checkScanners([]string{"native", "nmap", "native"}); err == nil || !strings.Contains(err.Error(), "--scanner native is named twice") {
		t.Error(err)
	}
	if err := CheckTargets(ScanRequest{Scanners: []string{"nessuss"}}); err == nil || !strings.Contains(err.Error(), "native, nmap") {
		t.Error(err)
	}
}

func TestAWebScannerAloneIsGivenTheNativeOneInFront(t *testing.T) {
	a := open(t)
	byAddress := scan.HostTarget{Address: netip.MustParseAddr("192.0.2.1")}
	byURL := scan.HostTarget{Address: netip.MustParseAddr("192.0.2.2"), URLs: []string{"https://www.example/"}}
	for _, c := range []struct {
		scanners []string
		hosts    []scan.HostTarget
		want     string
		notes    int
	}{
		{[]string{"nikto"}, []scan.HostTarget{byAddress, byURL}, "nikto native+", 1},
		{[]string{"nikto"}, []scan.HostTarget{byURL}, "nikto", 0},
		{[]string{"nikto", "nmap"}, []scan.HostTarget{byAddress}, "nikto nmap", 0},
		{[]string{"native", "nuclei"}, []scan.HostTarget{byAddress}, "native nuclei", 0},
	} {
		choices, notes, err := choose(a.cfg, c.scanners, scan.Job{Hosts: c.hosts})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, choice := range choices {
			name := choice.Scanner.Name()
			if choice.Added {
				name += "+"
			}
			if choice.Timeout == 0 {
				t.Errorf("%s has no time-out", name)
			}
			got = append(got, name)
		}
		if strings.Join(got, " ") != c.want || len(notes) != c.notes {
			t.Errorf("%v: %v %q", c.scanners, got, notes)
		}
	}
}
