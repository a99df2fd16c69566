//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Two sites have hosts of the same addresses, and workers of their own. One worker of the first site is killed while it
// runs a tool: at the end nothing is lost and nothing is there twice, and the other site noticed nothing.
// scripts/two-sites.sh does the same in network namespaces that cannot reach each other.
func TestAWorkerIsKilledAndNothingIsLost(t *testing.T) {
	const hosts = 12
	home := t.TempDir()
	loadFeeds(t, home)
	ports := slowHosts(t, hosts)
	s := serveSites(t, home, "east", "west")
	doomed := s.worker("east", "east-1")
	s.worker("east", "east-2")
	s.worker("west", "west-1")
	targets := fmt.Sprintf("127.0.9.1-%d", hosts)
	east, west := s.initiate("east", targets, ports), s.initiate("west", targets, ports)
	lost := s.toolOf(east, "east-1")
	if err := doomed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	_ = doomed.Wait()
	s.worker("east", "east-3")
	found := s.result(east)
	if want := s.result(west); !slices.Equal(found, want) || len(want) < 3*hosts {
		t.Errorf("the site with the killed worker has\n%s\n\nthe other one\n%s", strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
	again := s.job(lost)
	if again.State != "done" || again.Worker == "east-1" || again.Attempt != 2 || again.StartedAt.Sub(killed) > time.Minute {
		t.Errorf("the task of the killed worker: %+v, killed at %s", again, killed)
	}
	t.Logf("taken over after %s", again.StartedAt.Sub(killed).Round(time.Second))
}

// A server is killed while a worker of a site runs a tool for it, and another one is started: the tool is not run again.
func TestAServerIsKilledAndItsWorkersGoOn(t *testing.T) {
	if os.Getenv("TEST_LONG") == "" {
		t.Skip("the next server waits until the first one is known to be dead: set TEST_LONG")
	}
	home := t.TempDir()
	loadFeeds(t, home)
	ports := slowHosts(t, 4)
	s := serveSites(t, home, "east")
	s.worker("east", "east-1")
	scan := s.initiate("east", "127.0.9.1-4", ports)
	id := s.toolOf(scan, "east-1")
	if err := s.server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.server.Wait()
	time.Sleep(20 * time.Second) // longer than a worker is believed to live without a word
	again := launch(t, home, "serve", "--listen", strings.TrimPrefix(s.url, "http://"))
	again.said(t, listensOn)
	if found := s.result(scan); len(found) < 3*4 {
		t.Errorf("%v", found)
	}
	if j := s.job(id); j.State != "done" || j.Attempt != 1 {
		t.Errorf("%+v", j)
	}
}

// slowHosts are servers on loopback addresses, the same ports on all: one that says who it is after a moment, and one
// that never says anything, so that a scan takes some seconds.
func slowHosts(t *testing.T, hosts int) (ports string) {
	t.Helper()
	numbers := []string{}
	for _, banner := range []string{"SSH-2.0-OpenSSH_7.2p2\r\n", ""} {
		first, err := net.Listen("tcp4", "127.0.9.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := strconv.Itoa(first.Addr().(*net.TCPAddr).Port)
		numbers = append(numbers, port)
		go accept(first, banner)
		t.Cleanup(func() { first.Close() })
		for i := 2; i <= hosts; i++ {
			l, err := net.Listen("tcp4", fmt.Sprintf("127.0.9.%d:%s", i, port))
			if err != nil {
				t.Fatal(err)
			}
			go accept(l, banner)
			t.Cleanup(func() { l.Close() })
		}
	}
	return strings.Join(numbers, ",")
}

func accept(l net.Listener, banner string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			time.Sleep(300 * time.Millisecond)
			_, _ = io.WriteString(conn, banner)
			_, _ = io.Copy(io.Discard, conn)
		}()
	}
}

// sites is a server with sites that have workers of their own.
type sites struct {
	t         *testing.T
	home, url string
	token     string
	server    *launched
}

var listensOn = regexp.MustCompile(`listens on (http://\S+)`)

func serveSites(t *testing.T, home string, names ...string) *sites {
	t.Helper()
	s := &sites{t: t, home: home}
	for _, name := range names {
		s.command("site", "add", name)
		s.command("token", "create", "--worker", "--site", name, "-o", name+".token")
		if err := os.Chmod(filepath.Join(home, name+".token"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.command("user", "add", "anna", "--role", "analyst", "--keep-password")
	s.token = strings.TrimSpace(s.command("token", "create", "test", "--user", "anna"))
	s.server = launch(t, home, "serve", "--listen", "127.0.0.1:0")
	s.url = s.server.said(t, listensOn)
	return s
}

// launched is a process that stays, and the file with what it says on stderr.
type launched struct {
	*exec.Cmd
	log string
}

func launch(t *testing.T, home string, args ...string) *launched {
	t.Helper()
	p := &launched{Cmd: exec.Command(os.Args[0], args...), log: filepath.Join(t.TempDir(), "stderr")}
	log, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.Dir, p.Stderr = home, log
	p.Env = append(os.Environ(), runAsCommand+"=1", "HOME="+home, "XDG_DATA_HOME="+home, "XDG_CONFIG_HOME="+home)
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

// said waits for what the process says.
func (p *launched) said(t *testing.T, what *regexp.Regexp) string {
	t.Helper()
	text := []byte{}
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		text, _ = os.ReadFile(p.log)
		if m := what.FindSubmatch(text); m != nil {
			return string(m[len(m)-1])
		}
	}
	t.Fatalf("it said %s", text)
	return ""
}

func (s *sites) command(args ...string) string {
	s.t.Helper()
	p, code := run(s.t, s.home, args...)
	if code != 0 {
		s.t.Fatalf("%v: %d %s", args, code, p.stderr.String())
	}
	return p.stdout.String()
}

var worksFor = regexp.MustCompile(`runs tools of the site (\S+)`)

func (s *sites) worker(site, name string) *launched {
	s.t.Helper()
	p := launch(s.t, s.t.TempDir(), "worker", "--server", s.url, "--token-file", filepath.Join(s.home, site+".token"), "--name", name, "--concurrency", "1")
	p.said(s.t, worksFor)
	return p
}

// ask speaks to the API.
func (s *sites) ask(method, path, body string, into any) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, text, err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		s.t.Fatalf("%s %s: %s %v", method, path, text, err)
	}
}

func (s *sites) initiate(site, targets, ports string) int64 {
	s.t.Helper()
	var doc struct {
		ScanID int64 `json:"scan_id"`
	}
	s.ask(http.MethodPost, "/scans/initiate", fmt.Sprintf(`{"target_url":%q,"config":{"site":%q,"ports":%q,"scanners":["native"]}}`, targets, site, ports), &doc)
	return doc.ScanID
}

type toolJob struct {
	ID        int64
	State     string
	Worker    string
	Attempt   int
	StartedAt time.Time `json:"started_at"`
}

// toolOf waits until a worker runs a tool of a scan.
func (s *sites) toolOf(scan int64, worker string) int64 {
	s.t.Helper()
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		var doc struct{ Jobs []toolJob }
		s.ask(http.MethodGet, fmt.Sprintf("/jobs?kind=tool&state=running&scan=%d", scan), "", &doc)
		for _, j := range doc.Jobs {
			if j.Worker == worker {
				return j.ID
			}
		}
	}
	s.t.Fatalf("%s runs nothing", worker)
	return 0
}

func (s *sites) job(id int64) (j toolJob) {
	s.t.Helper()
	s.ask(http.MethodGet, fmt.Sprintf("/jobs/%d", id), "", &j)
	return j
}

// result waits for the end of a scan and lists its hosts, services and findings, with what is there twice twice.
func (s *sites) result(scan int64) (lines []string) {
	s.t.Helper()
	for until := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		var status struct {
			Status, Reason string
		}
		s.ask(http.MethodGet, fmt.Sprintf("/scans/%d", scan), "", &status)
		if status.Status == "completed" {
			break
		}
		if status.Status == "failed" || time.Now().After(until) {
			s.t.Fatalf("scan %d is %s, %s", scan, status.Status, status.Reason)
		}
	}
	var doc struct {
		Hosts []struct {
			Address  string
			Services []struct {
				Port             int
				Service, Product string
				Version          string
			}
		}
		Findings []struct {
			Host, CVE string
			Port      int
			Evidence  []struct{ Scanner string }
		}
	}
	s.ask(http.MethodGet, fmt.Sprintf("/scans/%d/result", scan), "", &doc)
	for _, h := range doc.Hosts {
		lines = append(lines, "host "+h.Address)
		for _, v := range h.Services {
			lines = append(lines, fmt.Sprintf("service %s:%d %s %s %s", h.Address, v.Port, v.Service, v.Product, v.Version))
		}
	}
	for _, f := range doc.Findings {
		lines = append(lines, fmt.Sprintf("finding %s:%d %s by %d", f.Host, f.Port, f.CVE, len(f.Evidence)))
	}
	slices.Sort(lines)
	return lines
}
