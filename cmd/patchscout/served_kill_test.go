//go:build unix

package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/store/storetest"
)

// A server is killed while it conducts a scan: the next one ends it, with everything once, and who watches hears of the end.
func TestAServerIsKilledAndTheNextOneEndsItsScans(t *testing.T) {
	s := served(t)
	calm := s.result(s.initiate("default", s.targets, s.ports))
	s.disturbed(calm, func(int64) {
		kill(t, s.server)
		s.restart()
	})
	checkIntegrity(t, filepath.Join(s.home, "patchscout", "estate.db"))
}

// The server, a worker beside it, or both, are killed, stopped or frozen while a scan runs on PostgreSQL.
func TestServersAndWorkersOnPostgreSQLAreKilledStoppedAndFrozen(t *testing.T) {
	if os.Getenv("TEST_LONG") == "" {
		t.Skip("each death takes some twenty seconds: set TEST_LONG")
	}
	t.Setenv("PATCHSCOUT_DATABASE_URL", storetest.Postgres(t))
	s := served(t)
	beside := func() *launched {
		p := launch(t, t.TempDir(), "worker")
		time.Sleep(2 * time.Second) // so that it takes part
		return p
	}
	worker := beside()
	calm := s.result(s.initiate("default", s.targets, s.ports))
	for range 2 {
		s.disturbed(calm, func(int64) { kill(t, s.server); s.restart() })
		s.disturbed(calm, func(int64) { kill(t, worker); worker = beside() })
		s.disturbed(calm, func(int64) {
			kill(t, s.server)
			kill(t, worker)
			s.restart()
			worker = beside()
		})
		s.disturbed(calm, func(int64) { s.stop(worker); worker = beside() })
		s.disturbed(calm, func(int64) { s.stop(s.server); s.restart() })
	}
	s.disturbed(calm, func(scan int64) {
		if err := worker.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		_ = s.result(scan)
		before := s.lines(scan)
		if err := worker.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second) // to do harm in
		if after := s.lines(scan); !slices.Equal(after, before) {
			t.Errorf("who lost the scan changed it from\n%s\nto\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
		}
	})
}

// service is a server without workers of sites, and what it scans.
type service struct {
	*sites
	targets, ports string
}

func served(t *testing.T) *service {
	t.Helper()
	home := t.TempDir()
	loadFeeds(t, home)
	s := &service{targets: "127.0.9.1-40", ports: slowHosts(t, 40)}
	s.sites = serveSites(t, home)
	return s
}

func kill(t *testing.T, p *launched) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
}

// stop is soft.
func (s *service) stop(p *launched) {
	s.t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	begin := time.Now()
	if err := p.Wait(); err != nil || time.Since(begin) > 25*time.Second {
		s.t.Errorf("the stop took %s and ended with %v", time.Since(begin), err)
	}
}

func (s *service) restart() {
	s.t.Helper()
	s.server = launch(s.t, s.home, "serve", "--listen", strings.TrimPrefix(s.url, "http://"))
	s.server.said(s.t, listensOn)
}

// disturbed has a scan disturbed and compares what it comes to with a calm one.
func (s *service) disturbed(calm []string, disturb func(scan int64)) {
	s.t.Helper()
	scan := s.initiate("default", s.targets, s.ports)
	time.Sleep(time.Second)
	disturb(scan)
	begin := time.Now()
	if got := s.result(scan); !slices.Equal(got, calm) {
		s.t.Errorf("%d lines, want %d; the first that differs: %s", len(got), len(calm), firstOther(got, calm))
	}
	if took := time.Since(begin); took > time.Minute {
		s.t.Errorf("it took %s", took)
	}
	s.heardTheEnd(scan)
	for _, state := range []string{"queued", "running", "dead"} {
		var doc struct{ Jobs []toolJob }
		for until := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) { // the job ends a moment after its scan
			s.ask(http.MethodGet, fmt.Sprintf("/jobs?scan=%d&state=%s", scan, state), "", &doc)
			if len(doc.Jobs) == 0 || time.Now().After(until) {
				break
			}
		}
		if len(doc.Jobs) > 0 {
			s.t.Errorf("%s jobs: %+v", state, doc.Jobs)
		}
	}
}

// lines is what is kept of a scan that is over, without the state that is made for who watches.
func (s *service) lines(scan int64) (lines []string) {
	s.t.Helper()
	return append(s.events(scan)[1:], s.command("scans", "show", fmt.Sprint(scan), "--format", "json"))
}

func (s *service) heardTheEnd(scan int64) {
	s.t.Helper()
	all := s.events(scan)
	if len(all) == 0 || !strings.Contains(all[len(all)-1], `"type":"end"`) {
		s.t.Errorf("who watches hears no end: %.300s", all)
	}
}

// events are those of a scan that is over.
func (s *service) events(scan int64) (events []string) {
	s.t.Helper()
	client := http.Client{Timeout: 30 * time.Second}
	req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/api/v1/scans/%d/events?since=0", s.url, scan), http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	for in := bufio.NewScanner(resp.Body); in.Scan(); {
		text, ok := strings.CutPrefix(in.Text(), "data:")
		if ok {
			events = append(events, text)
		}
	}
	return events
}
