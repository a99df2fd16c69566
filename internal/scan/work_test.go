package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
)

// staged is a script with a stage whose report is made from the job.
type staged struct {
	script
	stage Stage
	says  func(job Job) string
	takes time.Duration
	mu    *sync.Mutex
	jobs  *[]Job
}

func (s staged) Stage() Stage { return s.stage }

func (s staged) Run(ctx context.Context, job Job, raw io.Writer, progress func(Progress)) error {
	s.mu.Lock()
	*s.jobs = append(*s.jobs, job)
	s.mu.Unlock()
	for i := range 10 {
		select {
		case <-ctx.Done():
			io.WriteString(raw, s.says(Job{Hosts: job.Hosts[:1]})) // what it has until then
			return ctx.Err()
		case <-time.After(s.takes / 10):
		}
		progress(Progress{Stage: "ports", Percent: float64(i+1) * 10})
	}
	_, err := io.WriteString(raw, s.says(job))
	return err
}

// tool is a staged scanner that finds every host up and says line of each.
func tool(name string, stage Stage, takes time.Duration, lines ...string) staged {
	return staged{script: script{name: name}, stage: stage, takes: takes, mu: &sync.Mutex{}, jobs: &[]Job{}, says: func(job Job) string {
		var b strings.Builder
		for _, h := range job.Hosts {
			for _, line := range lines {
				fmt.Fprintf(&b, "%s %s\n", line, h.Address)
			}
		}
		return b.String()
	}}
}

func (s staged) seen() (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, job := range *s.jobs {
		var hosts []string
		for _, h := range job.Hosts {
			text := h.Address.String()
			for _, w := range h.Web {
				text += fmt.Sprintf(" %s:%d%s", w.Name, w.Port, w.Path)
			}
			hosts = append(hosts, text)
		}
		out = append(out, strings.Join(hosts, ","))
	}
	slices.Sort(out)
	return out
}

// shelf is a Keeper in memory. It can die: from then on nothing is kept, as if the process were gone.
type shelf struct {
	mu        sync.Mutex
	tasks     map[int]Task
	events    []string // committed
	reports   map[string]string
	committed map[int]int
	discarded int
	dieAt     func(step string, t *Task) bool
	dead      bool
}

func newShelf() *shelf {
	return &shelf{tasks: map[int]Task{}, reports: map[string]string{}, committed: map[int]int{}, dieAt: func(string, *Task) bool { return false }}
}

var errDied = errors.New("the process died")

func (s *shelf) step(name string, t *Task, fn func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead = s.dead || s.dieAt(name, t); s.dead {
		return errDied
	}
	fn()
	return nil
}

func (s *shelf) Save(_ context.Context, tasks ...*Task) error {
	return s.step("save", tasks[0], func() {
		for _, t := range tasks {
			s.tasks[t.N] = *t
		}
	})
}

func (s *shelf) Open(_ context.Context, t *Task) (Report, error) {
	return &sheet{shelf: s, n: t.N}, s.step("open", t, func() {})
}

func (s *shelf) Stored(_ context.Context, t *Task) (io.ReadCloser, error) {
	if _, ok := s.reports[t.Report]; !ok {
		return nil, errors.New("not kept any more")
	}
	return io.NopCloser(strings.NewReader(s.reports[t.Report])), nil
}

func (s *shelf) Committed(_ context.Context, t *Task) (bool, error) { return s.committed[t.N] > 0, nil }

// restored gives the tasks that a next process finds.
func (s *shelf) restored() (tasks []*Task) {
	for _, n := range slices.Sorted(maps.Keys(s.tasks)) {
		t := s.tasks[n]
		tasks = append(tasks, &t)
	}
	s.dead, s.dieAt = false, func(string, *Task) bool { return false }
	return tasks
}

// sheet is a Report in memory.
type sheet struct {
	*shelf
	n      int
	raw    bytes.Buffer
	events []string
}

func (s *sheet) Write(p []byte) (int, error) { return s.raw.Write(p) }

func (s *sheet) Emit(e finding.Event) error {
	var l log
	_ = l.emit("", e)
	s.events = append(s.events, strings.TrimPrefix(l.lines[0], ": "))
	return nil
}

func (s *sheet) Keep(_ context.Context, t *Task) error {
	return s.step("keep", t, func() {
		if s.raw.Len() > 0 {
			t.Report = fmt.Sprint("report of task ", t.N, " attempt ", t.Attempts)
			s.reports[t.Report] = s.raw.String()
		}
	})
}

func (s *sheet) Commit(_ context.Context, t *Task) error {
	return s.step("commit", t, func() {
		s.committed[t.N]++
		for _, e := range s.events {
			s.shelf.events = append(s.shelf.events, t.Scanner+": "+e)
		}
	})
}

func (s *sheet) Discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.discarded++
}

func network(n int) Job {
	var job Job
	for i := range n {
		job.Hosts = append(job.Hosts, HostTarget{Address: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})})
	}
	return job
}

func plan(t *testing.T, job Job, choices ...Choice) *Plan {
	t.Helper()
	p, err := NewPlan(job, choices)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func statuses(r Result) (out []string) {
	for _, o := range r.Scanners {
		text := fmt.Sprint(o.Scanner, " ", o.Status)
		if o.Err != nil {
			text += ": " + o.Err.Error()
		}
		out = append(out, text)
	}
	return out
}

func TestStagesFeedEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ping := tool("ping", Discovery, time.Minute)
		ping.says = func(job Job) string {
			said := ""
			for _, h := range job.Hosts {
				if h.Address.As4()[3]%10 == 1 {
					said += "host " + h.Address.String() + "\n"
				}
			}
			return said
		}
		ports := tool("ports", Services, time.Minute, "web")
		web := tool("web", WebStage, time.Minute, "host")
		job := network(100)
		job.Hosts[50].Explicit = true // scanned whatever discovery says
		job.Hosts[61].Names = []string{"www.example", "shop.example"}
		job.Hosts[70] = HostTarget{Address: job.Hosts[70].Address, URLs: []string{"https://app.example:8443/x"}, Names: []string{"app.example"}}
		s := newShelf()
		res, err := Work(t.Context(), plan(t, job, Choice{Scanner: web, Parallel: 3}, Choice{Scanner: ping, Hosts: 30}, Choice{Scanner: ports, Hosts: 4}),
			WorkOptions{Keeper: s, Parallel: 8})
		if err != nil {
			t.Fatal(err)
		}
		if got := statuses(res); !slices.Equal(got, []string{"ping completed", "ports completed", "web completed"}) {
			t.Errorf("%q", got)
		}
		if got := ping.seen(); len(got) != 4 {
			t.Errorf("discovery: %d tasks", len(got))
		}
		hosts := strings.Split(strings.Join(ports.seen(), ","), ",")
		if len(hosts) != 11 || !slices.Contains(hosts, "10.0.0.50") || !slices.Contains(hosts, "10.0.0.91") {
			t.Errorf("services: %v", hosts)
		}
		want := []string{"10.0.0.1 :80", "10.0.0.11 :80", "10.0.0.21 :80", "10.0.0.31 :80", "10.0.0.41 :80", "10.0.0.50 :80", "10.0.0.51 :80",
			"10.0.0.61 shop.example:80 www.example:80", "10.0.0.70 app.example:8443/x", "10.0.0.71 :80", "10.0.0.81 :80", "10.0.0.91 :80"}
		if got := web.seen(); !slices.Equal(got, want) {
			t.Errorf("web: %q", got)
		}
		if len(res.Silent) != 100-12 {
			t.Errorf("%d silent", len(res.Silent))
		}
	})
}

func TestLimitsHoldAndProgressIsHonest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most := map[string]int{}, map[string]int{}
		counted := func(name string, stage Stage, takes time.Duration, lines ...string) countingTool {
			return countingTool{tool(name, stage, takes, lines...), func(n int) {
				mu.Lock()
				defer mu.Unlock()
				for _, key := range []string{name, "all"} {
					if name == "far" && key == "all" {
						continue
					}
					running[key] += n
					most[key] = max(most[key], running[key])
				}
			}}
		}
		a, b, far := counted("a", Services, time.Minute, "host"), counted("b", Services, 2*time.Minute, "host"), counted("far", Services, 5*time.Minute)
		var shown []float64
		var etas []time.Duration
		begin := time.Now()
		_, err := Work(t.Context(), plan(t, network(100), Choice{Scanner: a, Hosts: 10, Parallel: 3}, Choice{Scanner: b, Hosts: 10, Parallel: 2},
			Choice{Scanner: far, Remote: true, Hosts: 50}), WorkOptions{Parallel: 4, Progress: func(p Progress) {
			shown = append(shown, p.Percent)
			if p.ETA > 0 && p.Percent > 30 && p.Percent < 99 {
				etas = append(etas, time.Since(begin)+p.ETA)
			}
		}})
		took := time.Since(begin)
		if err != nil || !slices.IsSorted(shown) || shown[0] > 5 || shown[len(shown)-1] != 100 {
			t.Errorf("%v %v", err, shown)
		}
		if most["a"] > 3 || most["b"] != 2 || most["all"] != 4 || most["far"] != 1 {
			t.Errorf("side by side: %v", most)
		}
		if len(etas) == 0 {
			t.Fatal("no estimate")
		}
		for _, end := range etas {
			if end < took/2 || end > took*2 {
				t.Errorf("took %s, and was to end after %s", took, end)
			}
		}
	})
}

type countingTool struct {
	staged
	count func(int)
}

func (c countingTool) Run(ctx context.Context, job Job, raw io.Writer, progress func(Progress)) error {
	c.count(1)
	defer c.count(-1)
	return c.staged.Run(ctx, job, raw, progress)
}

func TestAFailedTaskIsAResultAndTheOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := tool("good", Services, time.Second, "host", "coverage")
		flaky := tool("flaky", Services, time.Second, "host", "coverage")
		says := flaky.says
		flaky.says = func(job Job) string {
			if job.Hosts[0].Address.As4()[3] == 10 {
				return "host 10.0.0.10\nrubbish\n"
			}
			return says(job)
		}
		slow := tool("slow", Services, time.Hour, "host")
		gone := tool("gone", Services, time.Second)
		gone.avail = errors.New("not installed")
		s := newShelf()
		res, err := Work(t.Context(), plan(t, network(20), Choice{Scanner: good, Hosts: 10}, Choice{Scanner: flaky, Hosts: 10},
			Choice{Scanner: slow, Timeout: time.Minute}, Choice{Scanner: gone}), WorkOptions{Keeper: s})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"good completed", `flaky partial: 1 of 2 tasks failed, the first: read the report of flaky: line "rubbish"`,
			"slow failed: not finished after 1m0s: context deadline exceeded", "gone unavailable: not installed"}
		if got := statuses(res); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		covered := 0
		for _, e := range s.events {
			if strings.HasPrefix(e, "flaky: coverage") {
				covered++
			}
		}
		if covered != 10 {
			t.Errorf("flaky covers %d hosts, want those of the task that completed", covered)
		}
		if s.tasks[4].Status != TaskFailed || s.tasks[4].Report == "" {
			t.Errorf("a failed task keeps its report: %+v", s.tasks[4])
		}
	})
}

func TestCancelKeepsWhatWasFoundAndWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		polite := tool("polite", Services, time.Minute, "host", "coverage")
		hung := make(chan struct{})
		deaf := script{name: "deaf", run: func(context.Context, io.Writer, func(Progress)) error { <-hung; return nil }}
		time.AfterFunc(90*time.Second, cancel)
		s := newShelf()
		begin := time.Now()
		res, err := Work(ctx, plan(t, network(30), Choice{Scanner: polite, Hosts: 10}, Choice{Scanner: deaf}), WorkOptions{Keeper: s})
		if took := time.Since(begin); err != nil || took > 92*time.Second {
			t.Errorf("took %s, %v", took, err)
		}
		if res.Scanners[0].Status != Cancelled || res.Scanners[1].Status != Cancelled || res.Paused {
			t.Errorf("%q", statuses(res))
		}
		var got []TaskStatus
		for _, task := range s.restored() {
			got = append(got, task.Status)
		}
		if want := []TaskStatus{TaskDone, TaskCancelled, TaskCancelled, TaskCancelled}; !slices.Equal(got, want) {
			t.Errorf("%v", got)
		}
		if n := len(s.events); n != 21 { // ten hosts with coverage, and the first of the second task without
			t.Errorf("%d events: %v", n, s.events)
		}
		close(hung)
	})
}

func TestPauseLetsTasksEndAndResumeRepeatsNothing(t *testing.T) {
	for _, grace := range []time.Duration{time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			a := tool("a", Services, time.Minute, "web")
			web := tool("web", WebStage, time.Minute, "host")
			choices := []Choice{{Scanner: a, Hosts: 10, Parallel: 2}, {Scanner: web, Parallel: 2}}
			s := newShelf()
			pause := make(chan struct{})
			time.AfterFunc(90*time.Second, func() { close(pause) })
			res, err := Work(t.Context(), plan(t, network(40), choices...), WorkOptions{Keeper: s, Pause: pause, Grace: grace})
			if err != nil || !res.Paused {
				t.Fatalf("%+v %v", res, err)
			}
			before := len(a.seen()) + len(web.seen())
			next := plan(t, network(40), choices...)
			if err := next.Restore(s.restored()); err != nil {
				t.Fatal(err)
			}
			res, err = Work(t.Context(), next, WorkOptions{Keeper: s})
			if err != nil || res.Paused || !slices.Equal(statuses(res), []string{"a completed", "web completed"}) || len(res.Silent) > 0 {
				t.Fatalf("%+v %v", res, err)
			}
			checkOnce(t, s, 80)
			if again := len(a.seen()) + len(web.seen()) - 44; again != s.discarded || grace == time.Hour && again > 0 || before == 44 {
				t.Errorf("%d runs too many, %d discarded", again, s.discarded)
			}
		})
	}
}

// checkOnce says that every event was committed, once.
func checkOnce(t *testing.T, s *shelf, want int) {
	t.Helper()
	count := map[string]int{}
	for _, e := range s.events {
		count[e]++
	}
	if len(count) != want || len(s.events) != want {
		t.Errorf("%d events, %d different, want %d", len(s.events), len(count), want)
	}
	for n, times := range s.committed {
		if times != 1 {
			t.Errorf("task %d was committed %d times", n, times)
		}
	}
}

// A process that dies before, in or after any of its writes is continued without loss and without doubles.
func TestAfterACrashAtAnyMomentNothingIsLostOrDoubled(t *testing.T) {
	for step := 1; ; step++ {
		died := false
		synctest.Test(t, func(t *testing.T) {
			a := tool("a", Services, time.Minute, "web")
			web := tool("web", WebStage, time.Minute, "host")
			choices := []Choice{{Scanner: a, Hosts: 10, Parallel: 2}, {Scanner: web, Parallel: 2}}
			s := newShelf()
			count := 0
			s.dieAt = func(string, *Task) bool { count++; return count == step }
			_, err := Work(t.Context(), plan(t, network(20), choices...), WorkOptions{Keeper: s})
			if died = errors.Is(err, errDied); !died {
				checkOnce(t, s, 40)
				return
			}
			next := plan(t, network(20), choices...)
			if err := next.Restore(s.restored()); err != nil {
				t.Fatal(err)
			}
			res, err := Work(t.Context(), next, WorkOptions{Keeper: s})
			if err != nil || !slices.Equal(statuses(res), []string{"a completed", "web completed"}) {
				t.Errorf("died at step %d: %q %v", step, statuses(res), err)
			}
			checkOnce(t, s, 40)
		})
		if !died {
			if step < 50 {
				t.Errorf("only %d steps", step)
			}
			return
		}
	}
}

func TestAReportThatIsNotKeptAnyMoreIsMadeAgain(t *testing.T) {
	for _, kept := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			a := tool("a", Services, time.Minute, "host", "coverage")
			s := newShelf()
			s.dieAt = func(step string, _ *Task) bool { return step == "commit" }
			if _, err := Work(t.Context(), plan(t, network(5), Choice{Scanner: a}), WorkOptions{Keeper: s}); !errors.Is(err, errDied) {
				t.Fatal(err)
			}
			if !kept {
				clear(s.reports)
			}
			next := plan(t, network(5), Choice{Scanner: a})
			if err := next.Restore(s.restored()); err != nil {
				t.Fatal(err)
			}
			res, err := Work(t.Context(), next, WorkOptions{Keeper: s, Allowed: func(HostTarget) (bool, string) { return !kept, "moved" }})
			if err != nil || statuses(res)[0] != "a completed" { // what was looked at while it was allowed is kept
				t.Errorf("%q %v", statuses(res), err)
			}
			checkOnce(t, s, 10)
			if runs := len(a.seen()); kept && runs != 1 || !kept && runs != 2 {
				t.Errorf("report kept: %v, the tool ran %d times", kept, runs)
			}
		})
	}
}

func TestATaskThatKillsTheProcessIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := tool("a", Services, time.Minute, "host")
		tasks := []*Task{{N: 1, Scanner: "a", Stage: Services, Hosts: network(1).Hosts, Status: TaskRunning, Attempts: maxAttempts}}
		p := plan(t, network(1), Choice{Scanner: a})
		if err := p.Restore(tasks); err != nil {
			t.Fatal(err)
		}
		res, err := Work(t.Context(), p, WorkOptions{})
		if err != nil || statuses(res)[0] != "a failed: interrupted 5 times" || len(a.seen()) > 0 {
			t.Errorf("%q %v", statuses(res), err)
		}
		if err := plan(t, network(1), Choice{Scanner: tool("b", Services, 0)}).Restore(tasks); err == nil {
			t.Error("tasks of another scanner went through")
		}
	})
}

func TestWhatIsOutOfScopeByNowIsNamedAndNotScanned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := tool("a", Services, time.Minute, "web")
		web := tool("web", WebStage, time.Minute, "host")
		job := network(3)
		job.Hosts[1].Names = []string{"www.example"}
		begin := time.Now()
		res, err := Work(t.Context(), plan(t, job, Choice{Scanner: a}, Choice{Scanner: web}), WorkOptions{Allowed: func(h HostTarget) (bool, string) {
			return h.Address != job.Hosts[1].Address || time.Since(begin) < 10*time.Second, "the name leads elsewhere now"
		}})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"a completed", "web partial: 1 of 3 tasks failed, the first: the name leads elsewhere now"}
		if got := statuses(res); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		if got := web.seen(); !slices.Equal(got, []string{"10.0.0.0 :80", "10.0.0.2 :80"}) {
			t.Errorf("%q", got)
		}
		if len(res.Skipped) != 1 || res.Skipped[0].Name != "www.example" {
			t.Errorf("%+v", res.Skipped)
		}
	})
}

func TestAWebScannerAloneGetsItsServersFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finder := tool("finder", Services, time.Minute, "web")
		web := tool("web", WebStage, time.Minute, "host")
		job := network(2)
		job.Hosts[1].URLs = []string{"http://10.0.0.1:8080/shop/"}
		job.Profile = Standard
		_, err := Work(t.Context(), plan(t, job, Choice{Scanner: web}, Choice{Scanner: finder, Added: true}), WorkOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := finder.seen(); !slices.Equal(got, []string{"10.0.0.0"}) || (*finder.jobs)[0].Profile != Web {
			t.Errorf("%q %s", got, (*finder.jobs)[0].Profile)
		}
		if got := web.seen(); !slices.Equal(got, []string{"10.0.0.0 :80", "10.0.0.1 :8080/shop/"}) {
			t.Errorf("%q", got)
		}
	})
}

func TestAWebScannerThatWantsManyHostsGetsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ports := tool("ports", Services, time.Minute, "web")
		many, one := tool("many", WebStage, time.Minute), tool("one", WebStage, time.Minute)
		job := network(40)
		for i := range 6 {
			job.Hosts[0].Names = append(job.Hosts[0].Names, fmt.Sprintf("n%d.example", i))
		}
		var last Progress
		_, err := Work(t.Context(), plan(t, job, Choice{Scanner: ports, Hosts: 20}, Choice{Scanner: many, Hosts: 16}, Choice{Scanner: one, Parallel: 4}),
			WorkOptions{Progress: func(p Progress) { last = p }})
		if n := len(many.seen()); err != nil || n != 4 { // 16 and 4 of each of the two tasks before
			t.Errorf("%d tasks, %v", n, err)
		}
		if n := len(one.seen()); n != 41 || last.Total != 2+4+41 || last.Percent != 100 { // six names are more than one task takes
			t.Errorf("%d tasks, %+v", n, last)
		}
	})
}

func TestWhichServicesAreWebServers(t *testing.T) {
	for _, c := range []struct {
		s        finding.ServiceSeen
		web, tls bool
	}{
		{finding.ServiceSeen{Port: 8080, Name: "http-proxy"}, true, false},
		{finding.ServiceSeen{Port: 443, Name: "https"}, true, true},
		{finding.ServiceSeen{Port: 9443, Name: "http", TLS: true}, true, true},
		{finding.ServiceSeen{Port: 8443, Name: "ssl", TLS: true}, true, true},
		{finding.ServiceSeen{Port: 1234, Name: "", TLS: true}, false, false},
		{finding.ServiceSeen{Port: 81, Product: "nginx"}, true, false},
		{finding.ServiceSeen{Port: 593, Name: "ncacn_http"}, false, false},
		{finding.ServiceSeen{Port: 593, Name: "http-rpc-epmap"}, false, false},
		{finding.ServiceSeen{Port: 993, Name: "imaps", TLS: true}, false, false},
		{finding.ServiceSeen{Port: 22, Name: "ssh", Product: "OpenSSH"}, false, false},
		{finding.ServiceSeen{Port: 80, Protocol: "udp", Name: "http"}, false, false},
	} {
		if c.s.Protocol == "" {
			c.s.Protocol = "tcp"
		}
		got, web := webPort(&c.s)
		if web != c.web || web && got.TLS != c.tls {
			t.Errorf("%+v: %+v %v", c.s, got, web)
		}
	}
}

func TestExcludedPortsAndManyNamesAreNotForWebScanners(t *testing.T) {
	h := HostTarget{URLs: []string{"https://a.example/x", "https://a.example/y", "http://a.example:8080"}}
	for i := range 20 {
		h.Names = append(h.Names, fmt.Sprintf("n%02d.example", i))
	}
	got := webPortsOf(h, map[uint16]bool{80: false, 8080: true}, []finding.PortRange{{First: 80, Last: 80}})
	var text []string
	for _, w := range got {
		text = append(text, fmt.Sprintf("%s:%d%s %v", w.Name, w.Port, w.Path, w.TLS))
	}
	if len(got) != 2+1+maxWebNames || !slices.Contains(text, "a.example:443/y true") || !slices.Contains(text, "a.example:8080 true") ||
		!slices.Contains(text, "n07.example:8080 true") {
		t.Errorf("%q", text)
	}
}
