//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/store"
)

// network is a part of loopback that one scan cuts into several tasks: 254 addresses that all answer, ten of which have an
// FTP server on one port.
const network = "127.0.2.0/24"

func ftpServers(t *testing.T) (port string) {
	t.Helper()
	p := 0
	for i := range 10 {
		l, err := net.Listen("tcp4", fmt.Sprintf("127.0.2.%d:%d", 10+20*i, p))
		if err != nil {
			t.Fatal(err)
		}
		p = l.Addr().(*net.TCPAddr).Port
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go answer(conn, "220 (vsFTPd 2.3.4)\r\n")
			}
		}()
	}
	return strconv.Itoa(p)
}

// estate opens the data of a command for looking.
func estate(t *testing.T, home string) *store.Estate {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{DataDir: filepath.Join(home, "patchscout")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.Estate()
}

// done counts the tasks that are over; it waits until there are at least n, or the process has ended.
func done(t *testing.T, e *store.Estate, p *process, n int) (over, total int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		tasks, err := e.Tasks(context.Background(), auth.Everything(), 1)
		if err != nil {
			t.Fatal(err)
		}
		over = 0
		for _, task := range tasks {
			if task.Over() {
				over++
			}
		}
		if over >= n && len(tasks) > 0 || syscall.Kill(p.Process.Pid, 0) != nil {
			return over, len(tasks)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d tasks were over after a minute: %s", over, p.stderr.String())
		}
	}
}

func scanners(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("nmap"); err != nil {
		return "native"
	}
	return "native,nmap"
}

// A scan that is killed at any moment, again and again, is continued without loss and without doubles.
func TestAKilledScanIsContinuedFromItsLastTask(t *testing.T) {
	home := t.TempDir()
	loadFeeds(t, home)
	port := ftpServers(t)
	e := estate(t, home)
	p := start(t, home, "scan", network, "--scanner", scanners(t), "--ports", port, "--format", "json")
	over := 0
	for kill := range 3 {
		over, _ = done(t, e, p, over+kill%2)
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
		_ = p.Process.Kill()
		_ = p.Wait()
		if list, _ := run(t, home, "scans"); !strings.Contains(list.stdout.String(), "patchscout scans resume 1") {
			t.Fatalf("kill %d: the list does not say how to go on:\n%s", kill, list.stdout.String())
		}
		p = start(t, home, "scans", "resume", "1", "--format", "json")
	}
	_ = p.Wait()
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("exit code %d: %s", code, p.stderr.String())
	}
	checkWhole(t, e, p)
}

// checkWhole says that a scan of the network has everything once.
func checkWhole(t *testing.T, e *store.Estate, p *process) {
	t.Helper()
	var doc struct {
		Scan struct {
			Status   string
			Scanners []struct{ Name, Status string }
		}
		Hosts    []struct{ Services []struct{ Port int } }
		Findings []struct {
			CVE      string
			Evidence []struct{ Scanner string }
		}
	}
	if err := json.Unmarshal(p.stdout.Bytes(), &doc); err != nil {
		t.Fatalf("%v\n%.2000s\n%s", err, p.stdout.String(), p.stderr.String())
	}
	tools := len(doc.Scan.Scanners)
	services := 0
	for _, h := range doc.Hosts {
		services += len(h.Services)
	}
	if doc.Scan.Status != "completed" || len(doc.Hosts) != 254 || services != 10 || len(doc.Findings) != 10 || tools == 0 {
		t.Errorf("%+v, %d hosts, %d services, %d findings", doc.Scan, len(doc.Hosts), services, len(doc.Findings))
	}
	for _, f := range doc.Findings {
		if f.CVE != "CVE-2011-2523" || len(f.Evidence) != tools {
			t.Errorf("%+v, want evidence of %d scanners", f, tools)
		}
	}
	tasks, err := e.Tasks(context.Background(), auth.Everything(), 1)
	ledgers, ledgerErr := e.Ledgers(context.Background(), auth.Everything(), 1)
	if err != nil || ledgerErr != nil || len(tasks) != len(ledgers) {
		t.Errorf("%d tasks with %d ledgers (%v, %v)", len(tasks), len(ledgers), err, ledgerErr)
	}
	records := map[string]int{}
	up := map[string]int{}
	for _, l := range ledgers {
		up[l.Tool] += l.HostsUp
		records[l.Tool] += l.New + l.Merged
		if !l.Balanced() {
			t.Errorf("%+v", l)
		}
	}
	for tool, n := range up {
		if n != 254 || records[tool] != 10 {
			t.Errorf("the ledgers of %s count %d hosts and %d findings", tool, n, records[tool])
		}
	}
	for _, task := range tasks {
		if task.Status != scan.TaskDone || task.Report == "" {
			t.Errorf("task %d: %s %s, report %q", task.N, task.Status, task.Error, task.Report)
		}
	}
}

func TestAScanIsPausedResumedAndCancelledByOtherProcesses(t *testing.T) {
	home := t.TempDir()
	loadFeeds(t, home)
	port := ftpServers(t)
	e := estate(t, home)
	p := start(t, home, "scan", network, "--scanner", scanners(t), "--ports", port)
	done(t, e, p, 0)
	if pause, code := run(t, home, "scans", "pause", "1"); code != 0 || !strings.Contains(pause.stdout.String(), "scans resume 1") {
		t.Fatalf("exit code %d: %s%s", code, pause.stdout.String(), pause.stderr.String())
	}
	_ = p.Wait()
	if code := p.ProcessState.ExitCode(); code != 4 || !strings.Contains(p.stderr.String(), "scan 1 is not over: paused") {
		t.Fatalf("exit code %d: %s", code, p.stderr.String())
	}
	if _, code := run(t, home, "scans", "pause", "1"); code != 1 {
		t.Errorf("pausing a paused scan: exit code %d", code)
	}
	list, _ := run(t, home, "scans", "--format", "json")
	var doc struct {
		Scans []struct {
			Status   string
			Paused   bool
			Progress struct{ Percent float64 }
		}
	}
	if err := json.Unmarshal(list.stdout.Bytes(), &doc); err != nil || len(doc.Scans) != 1 || doc.Scans[0].Status != "running" || !doc.Scans[0].Paused {
		t.Errorf("%v %s", err, list.stdout.String())
	}
	p = start(t, home, "scans", "resume", "1", "--format", "json")
	_ = p.Wait()
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("exit code %d: %s", code, p.stderr.String())
	}
	checkWhole(t, e, p)
	if _, code := run(t, home, "scans", "resume", "1"); code != 1 {
		t.Errorf("resuming a scan that is over: exit code %d", code)
	}
}

func TestCancelEndsARunningScanAndAPausedOne(t *testing.T) {
	home := t.TempDir()
	loadFeeds(t, home)
	port, touched := tarpit(t)
	ftp := speak(t, "220 (vsFTPd 2.3.4)\r\n")
	p := start(t, home, "scan", "127.0.0.1", "--ports", ftp+","+port, "--format", "json")
	<-touched
	time.Sleep(500 * time.Millisecond)
	begin := time.Now()
	if cancel, code := run(t, home, "scans", "cancel", "1"); code != 0 || !strings.Contains(cancel.stdout.String(), "within seconds") {
		t.Fatalf("exit code %d: %s%s", code, cancel.stdout.String(), cancel.stderr.String())
	}
	_ = p.Wait()
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	checkCancelled(t, p, home)
	if !strings.Contains(p.stdout.String(), "CVE-2011-2523") {
		t.Errorf("what was found is lost:\n%s", p.stdout.String())
	}
	p = start(t, home, "scan", "127.0.0.1", "--ports", ftp+","+port)
	time.Sleep(1500 * time.Millisecond)
	_ = p.Process.Kill()
	_ = p.Wait()
	if cancel, code := run(t, home, "scans", "cancel", "2"); code != 0 || !strings.Contains(cancel.stdout.String(), "is cancelled") {
		t.Fatalf("exit code %d: %s%s", code, cancel.stdout.String(), cancel.stderr.String())
	}
	if show, _ := run(t, home, "scans", "show", "2", "--format", "json"); !strings.Contains(show.stdout.String(), `"reason": "cancelled"`) {
		t.Errorf("%s", show.stdout.String())
	}
}
