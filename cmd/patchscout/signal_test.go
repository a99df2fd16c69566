//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is the command running for real, in a folder of its own.
type process struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
}

func start(t *testing.T, home string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], args...)}
	p.Dir = home
	p.Env = append(os.Environ(), runAsCommand+"=1", "HOME="+home, "XDG_DATA_HOME="+home, "XDG_CONFIG_HOME="+home)
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
	})
	return p
}

// run runs the command to its end and returns its exit code.
func run(t *testing.T, home string, args ...string) (*process, int) {
	t.Helper()
	p := start(t, home, args...)
	_ = p.Wait()
	return p, p.ProcessState.ExitCode()
}

func loadFeeds(t *testing.T, home string) {
	t.Helper()
	feeds, err := absolute("testdata", "feeds")
	if err != nil {
		t.Fatal(err)
	}
	if p, code := run(t, home, "feeds", "sync", "--from", feeds); code != 0 {
		t.Fatalf("feeds sync: %d %s", code, p.stderr.String())
	}
}

func absolute(parts ...string) (string, error) { return filepath.Abs(filepath.Join(parts...)) }

// tarpit accepts connections and never says a word, so that a scan of it takes as long as its patience. touched is
// closed at the first connection.
func tarpit(t *testing.T) (port string, touched chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	touched = make(chan struct{})
	go func() {
		for first := true; ; first = false {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if first {
				close(touched)
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), touched
}

// speak greets at once, so that there is something to find before the scan is stopped.
func speak(t *testing.T, greeting string) (port string) {
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
			go answer(conn, greeting)
		}
	}()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// descendants lists the processes below pid.
func descendants(pid int) (all []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	children := map[int][]int{}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // state, parent, …
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], child)
	}
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		all = append(all, children[queue[0]]...)
		queue = append(queue, children[queue[0]]...)
	}
	return all
}

func TestInterruptStopsWithinTwoSecondsAndKeepsWhatWasFound(t *testing.T) {
	for _, tt := range []struct {
		scanner string
		stop    syscall.Signal
	}{{"native", syscall.SIGINT}, {"native", syscall.SIGHUP}, {"nmap", syscall.SIGINT}, {"nmap", syscall.SIGTERM}} {
		t.Run(tt.scanner+" "+tt.stop.String(), func(t *testing.T) {
			scanner := tt.scanner
			if _, err := exec.LookPath(scanner); scanner == "nmap" && err != nil {
				t.Skip("nmap is not installed")
			}
			home := t.TempDir()
			loadFeeds(t, home)
			port, touched := tarpit(t)
			ftp := speak(t, "220 (vsFTPd 2.3.4)\r\n")
			p := start(t, home, "scan", "127.0.0.1", "--scanner", scanner, "--ports", ftp+","+port, "--format", "json")
			select {
			case <-touched:
			case <-time.After(20 * time.Second):
				t.Fatalf("the scan never began: %s", p.stderr.String())
			}
			time.Sleep(500 * time.Millisecond) // let it come to listen to the silent server
			children := descendants(p.Process.Pid)
			begin := time.Now()
			if err := p.Process.Signal(tt.stop); err != nil {
				t.Fatal(err)
			}
			_ = p.Wait()
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("it took %s to stop", took)
			}
			if code := p.ProcessState.ExitCode(); code != 4 {
				t.Errorf("exit code %d, want 4 (%s)", code, p.stderr.String())
			}
			for _, child := range children {
				if syscall.Kill(child, 0) == nil {
					t.Errorf("child process %d is still there", child)
				}
			}
			if scanner == "nmap" && len(children) == 0 {
				t.Error("nmap was not seen running: the test proves nothing")
			}
			checkCancelled(t, p, home)
			if scanner == "native" && !strings.Contains(p.stdout.String(), "CVE-2011-2523") {
				t.Errorf("what answered before the stop was lost:\n%s", p.stdout.String())
			}
		})
	}
}

func checkCancelled(t *testing.T, p *process, home string) {
	t.Helper()
	var doc struct {
		Scan struct{ Status, Reason string }
	}
	if err := json.Unmarshal(p.stdout.Bytes(), &doc); err != nil {
		t.Fatalf("the result is not one document: %v\n%s", err, p.stdout.String())
	}
	if doc.Scan.Status != "failed" || doc.Scan.Reason != "cancelled" {
		t.Errorf("scan is %+v, want failed, cancelled", doc.Scan)
	}
	if !strings.Contains(p.stderr.String(), "interrupted: what was found until then is kept") {
		t.Errorf("stderr: %q", p.stderr.String())
	}
	if scans, _ := run(t, home, "scans"); !strings.Contains(scans.stdout.String(), "cancelled") {
		t.Errorf("the scan was not kept:\n%s", scans.stdout.String())
	}
}

// A killed scan leaves databases that open, and the next scan works.
func TestKilledScanLeavesDataThatOpens(t *testing.T) {
	home := t.TempDir()
	loadFeeds(t, home)
	port, touched := tarpit(t)
	ftp := speak(t, "220 (vsFTPd 2.3.4)\r\n")
	for range 3 {
		p := start(t, home, "scan", "127.0.0.1", "--ports", ftp+","+port)
		select {
		case <-touched:
		case <-time.After(20 * time.Second):
			t.Fatalf("the scan never began: %s", p.stderr.String())
		}
		_ = p.Process.Kill()
		_ = p.Wait()
	}
	p, code := run(t, home, "scan", "127.0.0.1", "--ports", ftp)
	if code != 0 || !strings.Contains(p.stdout.String(), "CVE-2011-2523") {
		t.Errorf("exit code %d\n%s%s", code, p.stdout.String(), p.stderr.String())
	}
}

// A sync that is killed at any moment leaves the old catalogue or the new one, and can be run again.
func TestKilledSyncLeavesTheOldCatalogueOrTheNewOne(t *testing.T) {
	kills := 5
	if os.Getenv("TEST_LONG") != "" {
		kills = 40
	}
	home, feeds := t.TempDir(), t.TempDir()
	const records = 4000
	writeNVD(t, feeds, records)
	begin := time.Now()
	if p, code := run(t, home, "feeds", "sync", "--feed", "nvd", "--from", feeds); code != 0 {
		t.Fatal(p.stderr.String())
	}
	whole := time.Since(begin)
	for i := range kills {
		writeNVD(t, feeds, records+i+1) // something to do
		p := start(t, home, "feeds", "sync", "--feed", "nvd", "--from", feeds)
		time.Sleep(whole * time.Duration(i+1) / time.Duration(kills+1))
		_ = p.Process.Kill()
		_ = p.Wait()
		if n := countRecords(t, home); n < records || n > records+i+1 {
			t.Fatalf("after kill %d there are %d records", i+1, n)
		}
	}
	if p, code := run(t, home, "feeds", "sync", "--feed", "nvd", "--from", feeds); code != 0 {
		t.Fatalf("the sync cannot be run again: %s%s", p.stdout.String(), p.stderr.String())
	}
	if n := countRecords(t, home); n != records+kills {
		t.Errorf("%d records, want %d", n, records+kills)
	}
}

func countRecords(t *testing.T, home string) int {
	t.Helper()
	p, code := run(t, home, "feeds", "status", "--format", "json")
	var doc struct{ Catalogue struct{ Records int } }
	if err := json.Unmarshal(p.stdout.Bytes(), &doc); err != nil || code != 0 {
		t.Fatalf("feeds status: %v, exit code %d, %s", err, code, p.stderr.String())
	}
	return doc.Catalogue.Records
}

// writeNVD writes n made-up records in NVD's form.
func writeNVD(t *testing.T, dir string, n int) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString(`{"format":"NVD_CVE","version":"2.0","vulnerabilities":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"cve":{"id":"CVE-2021-%d","published":"2021-01-02T03:04:05.000","lastModified":"2021-01-02T03:04:05.000",`+
			`"vulnStatus":"Analyzed","descriptions":[{"lang":"en","value":"made up for a test"}],"configurations":[{"nodes":[{"operator":"OR",`+
			`"negate":false,"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:example:p%d:1.0:*:*:*:*:*:*:*"}]}]}]}}`, 100000+i, i%100)
	}
	b.WriteString("]}\n")
	if err := os.WriteFile(filepath.Join(dir, "nvdcve-2.0-2021.json"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
