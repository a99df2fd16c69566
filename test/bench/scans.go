package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/patchscout/patchscout/test/bench/watchers"
)

// What is scanned at once: each scan has a network of its own.
const (
	scansAtOnce = 20
	scanHosts   = 24
	scanPorts   = 2
	firstNet    = 60 // 127.0.60.0/24 and on
)

// scans has one server conduct many scans at once: alone on SQLite, with a worker beside it on PostgreSQL.
func (b *bench) scans(ctx context.Context) error {
	fmt.Printf("scans (%d at once, each of %d hosts with %d ports on loopback)\n", scansAtOnce, scanHosts, scanPorts)
	if err := b.scansOn(ctx, &database{name: "SQLite", dir: filepath.Join(b.work, "scans")}, false); err != nil {
		return err
	}
	server, err := b.startPostgres()
	if err != nil || server == nil {
		return err
	}
	on, err := server.fresh(ctx, "scans")
	if err != nil {
		return err
	}
	return b.scansOn(ctx, on, true)
}

func (b *bench) scansOn(ctx context.Context, on *database, worker bool) (err error) {
	networks, err := listenAll()
	defer func() {
		for _, n := range networks {
			err = errors.Join(err, n.Close())
		}
	}()
	if err != nil {
		return err
	}
	s, err := b.serve(ctx, on, "--auth", "off")
	if err != nil {
		return err
	}
	defer s.stop() //nolint:errcheck // what it did was measured
	what := on.name
	if worker {
		stop, err := b.worker(ctx, &database{dir: on.dir + "-worker", url: on.url})
		if err != nil {
			return err
		}
		defer stop()
		what += ", server and worker"
	}
	begin := time.Now()
	ids, err := initiateAll(ctx, s.url, networks)
	if err != nil {
		return err
	}
	b.note(what+", all initiated after", ms(time.Since(begin)), "ms")
	var all tally
	for _, id := range ids {
		if err := all.add(ctx, s.url, id); err != nil {
			return err
		}
	}
	b.note(what+", all completed after", time.Since(begin).Seconds(), "s")
	b.note(what+", tasks", float64(all.tasks), "")
	b.figure(what+", scans that did not complete", float64(all.unfinished), 0, "")
	b.figure(what+", tasks lost or failed", float64(all.lost), 0, "")
	b.figure(what+", tasks doubled", float64(all.doubled), 0, "")
	b.figure(what+", hosts missed or doubled", float64(abs(all.hosts-scansAtOnce*scanHosts)), 0, "")
	b.figure(what+", services missed or doubled", float64(abs(all.services-scansAtOnce*scanHosts*scanPorts)), 0, "")
	if worker {
		return b.tellWho(ctx, s.url, what)
	}
	return nil
}

func abs(n int) int { return max(n, -n) }

func listenAll() (networks []*watchers.Network, err error) {
	for i := range scansAtOnce {
		n, err := watchers.Listen(byte(firstNet+i), scanHosts, scanPorts, 20*time.Millisecond)
		if err != nil {
			return networks, err
		}
		networks = append(networks, n)
	}
	return networks, nil
}

// initiateAll asks for all scans at one time.
func initiateAll(ctx context.Context, server string, networks []*watchers.Network) ([]int64, error) {
	ids, errs := make([]int64, len(networks)), make([]error, len(networks))
	var all sync.WaitGroup
	for i, n := range networks {
		all.Go(func() { ids[i], errs[i] = initiate(ctx, server, n) })
	}
	all.Wait()
	return ids, errors.Join(errs...)
}

// worker starts a second process on the same database.
func (b *bench) worker(ctx context.Context, on *database) (stop func(), err error) {
	if err := os.MkdirAll(on.dir, 0o700); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, b.patchscout, append(on.flags(), "worker")...)
	gently(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // it was asked to
	}, nil
}

// tally adds up what scans came to.
type tally struct{ unfinished, tasks, lost, doubled, hosts, services int }

// add waits until a scan has ended and looks at what it did.
func (t *tally) add(ctx context.Context, server string, id int64) error {
	scan := fmt.Sprintf("%s/api/v1/scans/%d", server, id)
	status, err := ended(ctx, scan)
	if err != nil {
		return err
	}
	if status != "completed" {
		t.unfinished++
	}
	var doc struct {
		Tasks []struct {
			N, Attempts            int
			Stage, Scanner, Status string
			Targets                []string
		}
	}
	if err := fetch(ctx, scan+"/tasks", &doc); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, task := range doc.Tasks {
		t.tasks++
		if task.N != doc.Tasks[0].N+i || task.Status != "done" {
			t.lost++
		}
		twice := task.Attempts > 1
		for _, target := range task.Targets {
			key := task.Stage + " " + task.Scanner + " " + target
			twice = twice || seen[key]
			seen[key] = true
		}
		if twice {
			t.doubled++
		}
	}
	var sum struct {
		HostsUp  int `json:"hosts_up"`
		Services int
	}
	err = fetch(ctx, fmt.Sprintf("%s/api/v1/reports/%d", server, id), &sum)
	t.hosts += sum.HostsUp
	t.services += sum.Services
	return err
}

// ended waits until a scan has ended.
func ended(ctx context.Context, scan string) (status string, err error) {
	for {
		var doc struct{ Status string }
		if err := fetch(ctx, scan, &doc); err != nil {
			return "", err
		}
		switch doc.Status {
		case "pending", "running", "paused", "pausing", "queued":
		default:
			return doc.Status, nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// tellWho says how many tools each process ran: that both did something is the point of the second.
func (b *bench) tellWho(ctx context.Context, server, what string) error {
	var doc struct {
		Jobs []struct{ Kind, Worker string }
	}
	if err := fetch(ctx, server+"/api/v1/jobs?kind=tool&limit=500", &doc); err != nil {
		return err
	}
	ran := map[string]int{}
	for _, j := range doc.Jobs {
		ran[j.Worker]++
	}
	for who, n := range ran {
		b.note(what+", tools run by "+who, float64(n), "")
	}
	return nil
}

// fetch reads a JSON answer of the server.
func fetch(ctx context.Context, url string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %d %.300s", url, resp.StatusCode, text)
	}
	return json.Unmarshal(text, into)
}
