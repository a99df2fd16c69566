package openvas

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func job(addrs ...string) scan.Job {
	var j scan.Job
	for _, a := range addrs {
		j.Hosts = append(j.Hosts, scan.HostTarget{Address: netip.MustParseAddr(a)})
	}
	return j
}

func scanner(t *testing.T, o Options) *Scanner {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ran is what a Run wrote and told.
type ran struct {
	raw      bytes.Buffer
	progress []scan.Progress
	err      error
}

func run(t *testing.T, ctx context.Context, s *Scanner, j scan.Job) *ran {
	t.Helper()
	r := &ran{}
	r.err = s.Run(ctx, j, &r.raw, func(p scan.Progress) { r.progress = append(r.progress, p) })
	for i, p := range r.progress {
		if p.Percent < 0 || p.Percent > 100 || i > 0 && p.Percent < r.progress[i-1].Percent || p.Stage == "" {
			t.Errorf("progress %d falls or has no stage: %+v", i, p)
		}
	}
	return r
}

func (r *ran) read(t *testing.T) (observations, covered int, policy string) {
	t.Helper()
	events, err := scantest.Read(t, &Scanner{}, r.raw.Bytes())
	if err != nil && !errors.Is(err, scan.ErrTruncated) {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Observation != nil {
			observations++
		}
		if e.Coverage != nil {
			covered++
			policy = e.Coverage.Policy
		}
	}
	return observations, covered, policy
}

func TestAScanOfGvmdIsReadAndLeavesNothingBehind(t *testing.T) {
	for _, drip := range []bool{false, true} {
		g := newGvmd(t)
		g.drip = drip
		s := scanner(t, g.listen())
		if v, err := s.Available(t.Context()); v != "GMP 22.5" || err != nil {
			t.Fatalf("available: %q, %v", v, err)
		}
		r := run(t, t.Context(), s, job("192.0.2.1", "::ffff:192.0.2.2", "2001:db8::1", "fe80::1%eth0"))
		if r.err != nil {
			t.Fatal(r.err)
		}
		observations, covered, policy := r.read(t)
		if observations != 4 || covered != 4 || !strings.HasPrefix(policy, "config "+FullAndFast+" port list ") {
			t.Errorf("%d observations, %d covered under %q", observations, covered, policy)
		}
		if last := r.progress[len(r.progress)-1]; last.Percent != 100 {
			t.Errorf("ends at %+v", last)
		}
		if tasks, targets := g.left(); tasks+targets != 0 {
			t.Errorf("%d tasks and %d targets are left", tasks, targets)
		}
	}
}

func TestTwoScansOfTheSameKindHaveOnePolicy(t *testing.T) {
	g := newGvmd(t)
	o := g.listen()
	_, _, first := run(t, t.Context(), scanner(t, o), job("192.0.2.1")).read(t)
	_, _, again := run(t, t.Context(), scanner(t, o), job("192.0.2.1")).read(t)
	other := job("192.0.2.1")
	other.Ports = []finding.PortRange{{First: 80, Last: 90}}
	_, _, fewer := run(t, t.Context(), scanner(t, o), other).read(t)
	if first == "" || first != again || first == fewer {
		t.Errorf("policies %q, %q and of other ports %q", first, again, fewer)
	}
	g.dead = true // everything was fixed: the hosts are still looked at
	if observations, covered, policy := run(t, t.Context(), scanner(t, o), job("192.0.2.1")).read(t); observations != 0 || covered != 1 || policy != first {
		t.Errorf("without results: %d observations, %d covered under %q", observations, covered, policy)
	}
}

func TestKeepLeavesTheTask(t *testing.T) {
	g := newGvmd(t)
	o := g.listen()
	o.Keep = true
	if r := run(t, t.Context(), scanner(t, o), job("192.0.2.1")); r.err != nil {
		t.Fatal(r.err)
	}
	if tasks, targets := g.left(); tasks != 1 || targets != 1 {
		t.Errorf("%d tasks and %d targets are left", tasks, targets)
	}
}

func TestPortsOfATarget(t *testing.T) {
	ports := func(first, last uint16) []finding.PortRange { return []finding.PortRange{{First: first, Last: last}} }
	for name, c := range map[string]struct {
		change func(*scan.Job)
		want   string
	}{
		"the list as it is":     {func(*scan.Job) {}, ""},
		"chosen":                {func(j *scan.Job) { j.Ports = ports(1, 1000) }, "T:1-1000"},
		"chosen, some excluded": {func(j *scan.Job) { j.Ports, j.Exclude = ports(1, 1000), ports(10, 999) }, "T:1-9,1000"},
		"full":                  {func(j *scan.Job) { j.Profile = scan.Full }, "T:1-65535"},
		"the list, excluded":    {func(j *scan.Job) { j.Exclude = ports(22, 22) }, "T:1-21,23-100,U:53"},
		"the list and a host's": {func(j *scan.Job) { j.Hosts[0].Ports = []uint16{8443} }, "T:1-100,8443,U:53"},
	} {
		g := newGvmd(t)
		o := g.listen()
		o.Keep = true
		j := job("192.0.2.1")
		c.change(&j)
		if r := run(t, t.Context(), scanner(t, o), j); r.err != nil {
			t.Fatal(name, r.err)
		}
		for _, target := range g.targets {
			if got := target.child("port_range").Text; got != c.want || got == "" && target.child("port_list").attr("id") != AllIANATCP {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	}
	g := newGvmd(t)
	j := job("192.0.2.1")
	j.Ports, j.Exclude = ports(80, 80), ports(1, 1000)
	if r := run(t, t.Context(), scanner(t, g.listen()), j); fault.KindOf(r.err) != fault.KindInvalid {
		t.Errorf("nothing left to scan: %v", r.err)
	}
}

func TestOnlyHostsThatTheUserNamedAreTakenForAlive(t *testing.T) {
	for _, explicit := range []bool{true, false} {
		g := newGvmd(t)
		o := g.listen()
		o.Keep = true
		j := job("192.0.2.1", "192.0.2.2")
		j.Hosts[0].Explicit, j.Hosts[1].Explicit = true, explicit
		run(t, t.Context(), scanner(t, o), j)
		for _, target := range g.targets {
			if got := target.child("alive_tests").Text == "Consider Alive"; got != explicit {
				t.Errorf("explicit %v: considered alive %v", explicit, got)
			}
		}
	}
}

func TestManyHostsAreSeveralTasks(t *testing.T) {
	g := newGvmd(t)
	g.poll = func(int) (string, string) { return "Done", "-1" }
	var j scan.Job
	addr := netip.MustParseAddr("10.0.0.1")
	for range maxHostsOfTarget + 5 {
		j.Hosts = append(j.Hosts, scan.HostTarget{Address: addr})
		addr = addr.Next()
	}
	r := run(t, t.Context(), scanner(t, g.listen()), j)
	if r.err != nil {
		t.Fatal(r.err)
	}
	if observations, covered, _ := r.read(t); observations != len(j.Hosts) || covered != len(j.Hosts) || g.counts["create_task"] != 2 {
		t.Errorf("%d observations, %d covered, %d tasks", observations, covered, g.counts["create_task"])
	}
}

func TestATaskThatDidNotFinishFailsAndKeepsItsPart(t *testing.T) {
	for _, status := range []string{"Interrupted", "Stopped"} {
		g := newGvmd(t)
		g.poll = func(n int) (string, string) {
			if n < 3 {
				return "Running", "30"
			}
			return status, "-1"
		}
		r := run(t, t.Context(), scanner(t, g.listen()), job("192.0.2.1"))
		if r.err == nil || !strings.Contains(r.err.Error(), status) {
			t.Fatalf("%s: %v", status, r.err)
		}
		if observations, covered, _ := r.read(t); observations != 1 || covered != 0 {
			t.Errorf("%s: %d observations, %d covered", status, observations, covered)
		}
		if tasks, _ := g.left(); tasks != 0 {
			t.Errorf("%s: the task is left", status)
		}
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*gvmd, *Options)
		want  string
	}{
		"wrong login":    {func(_ *gvmd, o *Options) { o.Password = "wrong" }, "Authentication failed (400): wrong username or password"},
		"no login":       {func(_ *gvmd, o *Options) { o.Username, o.Password = "", "" }, "no username is configured"},
		"old protocol":   {func(g *gvmd, _ *Options) { g.version = "6.0" }, "speaks GMP 6.0: want 7"},
		"not GMP":        {func(g *gvmd, _ *Options) { g.raw = map[string]string{"get_version": "SSH-2.0-OpenSSH_9.6\r\n"} }, "does not speak GMP"},
		"not its XML":    {func(g *gvmd, _ *Options) { g.raw = map[string]string{"get_version": "<html><br/></html>"} }, "is not GMP"},
		"closed at once": {func(g *gvmd, _ *Options) { g.fail = func(string, int) bool { return true } }, "closed the connection"},
		"no config":      {func(_ *gvmd, o *Options) { o.ConfigID = id() }, "has gvmd loaded it?"},
		"no port list":   {func(_ *gvmd, o *Options) { o.PortListID = id() }, "the port list is missing"},
		"forbidden": {func(g *gvmd, _ *Options) {
			g.raw = map[string]string{"create_target": refuse("create_target", 403, "Access to resource forbidden")}
		}, "(403): the user's role"},
		"login lost": {func(g *gvmd, _ *Options) {
			g.raw = map[string]string{"create_target": refuse("gmp", 401, "Authenticate first")}
		}, "set a username"},
		"busy": {func(g *gvmd, _ *Options) {
			g.raw = map[string]string{"create_task": refuse("create_task", 409, "Resource busy")}
		}, "Resource busy (409)"},
		"internal": {func(g *gvmd, _ *Options) {
			g.raw = map[string]string{"start_task": refuse("start_task", 500, "Internal error")}
		}, "Internal error (500)"},
		"scanner down": {func(g *gvmd, _ *Options) {
			g.raw = map[string]string{"start_task": refuse("start_task", 503, "Service temporarily down")}
		}, "(503): its scanner"},
		"hostile words": {func(g *gvmd, _ *Options) {
			g.raw = map[string]string{"start_task": refuse("start_task", 500, "\t&#10;a&#13;"+strings.Repeat("b", 9999))}
		}, "refuses to start the task: a b"},
		"no id": {func(g *gvmd, _ *Options) {
			g.raw = map[string]string{"create_target": `<create_target_response status="201" id="&quot;/>"/>`}
		}, "gave no id"},
		"a DTD": {func(g *gvmd, _ *Options) {
			g.raw = map[string]string{"create_target": `<!DOCTYPE x [<!ENTITY a "b">]><create_target_response status="201"/>`}
		}, "document type"},
		"a huge answer": {func(g *gvmd, _ *Options) {
			g.raw = map[string]string{"create_target": "<create_target_response>" + strings.Repeat("x", 5<<20)}
		}, "longer than any real one"},
		"a deep answer": {func(g *gvmd, _ *Options) { g.raw = map[string]string{"create_target": strings.Repeat("<a>", 5000)} }, "nested too deeply"},
		"the task is gone": {func(g *gvmd, _ *Options) {
			g.raw = map[string]string{"get_tasks": refuse("get_tasks", 404, "Failed to find task")}
		}, "(404)"},
		"somebody deletes": {func(g *gvmd, _ *Options) {
			g.poll = func(int) (string, string) { return "Ultimate Delete Requested", "-1" }
		}, "somebody deletes"},
		"no report": {func(g *gvmd, _ *Options) {
			g.raw = map[string]string{"get_reports": refuse("get_reports", 404, "Failed to find report")}
		}, "keeps it in gvmd"},
	} {
		g := newGvmd(t)
		o := g.listen()
		c.spoil(g, &o)
		r := run(t, t.Context(), scanner(t, o), job("192.0.2.1"))
		if r.err == nil || !strings.Contains(r.err.Error(), c.want) || fault.KindOf(r.err) != fault.KindUnavailable || len(r.err.Error()) > 1000 ||
			strings.ContainsAny(r.err.Error(), "\n\r\t") || strings.Contains(r.err.Error(), password) {
			t.Errorf("%s: %v, want %q", name, r.err, c.want)
		}
		if r.raw.Len() > 0 {
			t.Errorf("%s: wrote a report: %.100s", name, r.raw.String())
		}
	}
}

func TestAMissingOrForbiddenSocketSaysWhy(t *testing.T) {
	dir := t.TempDir()
	s := scanner(t, Options{Socket: filepath.Join(dir, "none"), Username: "u", Password: "p"})
	if _, err := s.Available(t.Context()); err == nil || !strings.Contains(err.Error(), "no gvmd socket at") {
		t.Errorf("missing: %v", err)
	}
	file := filepath.Join(dir, "file")
	os.WriteFile(file, nil, 0o600)
	s = scanner(t, Options{Socket: file, Username: "u", Password: "p"})
	if _, err := s.Available(t.Context()); err == nil || !strings.Contains(err.Error(), "not running") {
		t.Errorf("nobody listens: %v", err)
	}
	if os.Geteuid() == 0 {
		return // root may open everything
	}
	os.Chmod(file, 0)
	if _, err := s.Available(t.Context()); err == nil || !strings.Contains(err.Error(), "_gvm") {
		t.Errorf("forbidden: %v", err)
	}
}

func TestTLSIsVerified(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	for name, c := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"unknown CA":          {func(*Options) {}, "is not trusted: set its CA file or fingerprint"},
		"its CA":              {func(o *Options) { o.CAFile = a.caFile }, ""},
		"another CA":          {func(o *Options) { o.CAFile = other.caFile }, "is not trusted"},
		"its fingerprint":     {func(o *Options) { o.Fingerprint = "SHA256:" + strings.ToUpper(a.fingerprint) }, ""},
		"another fingerprint": {func(o *Options) { o.Fingerprint = other.fingerprint }, "not the one with the configured fingerprint"},
		"another name": {func(o *Options) {
			o.CAFile, o.Address = a.caFile, strings.Replace(o.Address, "127.0.0.1", "localhost", 1)
		}, "is not trusted"},
		"no CA in file": {func(o *Options) { o.CAFile = "/dev/null" }, "holds no certificate"},
	} {
		g := newGvmd(t)
		o := g.listenTLS(a)
		c.change(&o)
		r := run(t, t.Context(), scanner(t, o), job("192.0.2.1"))
		if c.want == "" && r.err != nil || c.want != "" && (r.err == nil || !strings.Contains(r.err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, r.err, c.want)
		}
		if c.want != "" && g.was("authenticate") {
			t.Errorf("%s: the password was sent", name)
		}
	}
}

func TestAConnectionThatBreaksInAReport(t *testing.T) {
	g := newGvmd(t)
	g.cut, g.filler = 3000, 10000
	r := run(t, t.Context(), scanner(t, g.listen()), job("192.0.2.1", "192.0.2.2"))
	if r.err == nil || !strings.Contains(r.err.Error(), "broke off after 3000 bytes") || !strings.Contains(r.err.Error(), "keeps it in gvmd") {
		t.Fatal(r.err)
	}
	if _, err := scantest.Read(t, &Scanner{}, r.raw.Bytes()); !errors.Is(err, scan.ErrTruncated) {
		t.Errorf("what is there reads as %v", err)
	}
	if tasks, _ := g.left(); tasks != 1 {
		t.Error("the task that still has the report was deleted")
	}
}

func TestALostConnectionIsMadeAgain(t *testing.T) {
	g := newGvmd(t)
	g.fail = func(command string, n int) bool {
		return command == "get_tasks" && (n == 2 || n == 3) || command == "get_reports" && n == 1
	}
	if r := run(t, t.Context(), scanner(t, g.listen()), job("192.0.2.1")); r.err != nil {
		t.Fatal(r.err)
	}
	g = newGvmd(t)
	g.fail = func(command string, _ int) bool { return command == "get_tasks" }
	if r := run(t, t.Context(), scanner(t, g.listen()), job("192.0.2.1")); r.err == nil {
		t.Fatal("a gvmd that never answers again")
	}
}

func TestASilentGvmdRunsOutOfTime(t *testing.T) {
	for _, command := range []string{"get_version", "create_task"} {
		g := newGvmd(t)
		g.silent = command
		o := g.listen()
		o.Timeout = 50 * time.Millisecond
		began := time.Now()
		r := run(t, t.Context(), scanner(t, o), job("192.0.2.1"))
		if r.err == nil || !strings.Contains(r.err.Error(), "did not answer within 50ms") || time.Since(began) > 3*time.Second {
			t.Errorf("%s: %v after %s", command, r.err, time.Since(began))
		}
	}
}

func TestCancellingStopsTheTaskAndKeepsWhatWasFound(t *testing.T) {
	g := newGvmd(t)
	g.stopping = 0
	ctx, cancel := context.WithCancel(t.Context())
	g.poll = func(n int) (string, string) {
		if n == 3 {
			cancel()
		}
		return "Running", "50"
	}
	began := time.Now()
	r := run(t, ctx, scanner(t, g.listen()), job("192.0.2.1"))
	if !errors.Is(r.err, context.Canceled) || time.Since(began) > 2*time.Second {
		t.Errorf("%v after %s", r.err, time.Since(began))
	}
	if tasks, targets := g.left(); tasks+targets != 0 || !g.was("stop_task") {
		t.Errorf("%d tasks and %d targets are left, of %v", tasks, targets, g.seen)
	}
	if observations, covered, _ := r.read(t); observations != 1 || covered != 0 {
		t.Errorf("%d observations, %d covered", observations, covered)
	}
}

func TestCancellingASilentGvmdEndsInTime(t *testing.T) {
	for _, command := range []string{"get_version", "create_target", "get_tasks", "get_reports", "stop_task"} {
		g := newGvmd(t)
		g.silent = command
		if command == "stop_task" {
			g.poll = func(int) (string, string) { return "Running", "50" }
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		began := time.Now()
		r := run(t, ctx, scanner(t, g.listen()), job("192.0.2.1"))
		cancel()
		if !errors.Is(r.err, context.DeadlineExceeded) || time.Since(began) > 2*time.Second {
			t.Errorf("%s: %v after %s", command, r.err, time.Since(began))
		}
	}
}

func TestTheJobsTimeoutStopsTheTask(t *testing.T) {
	g := newGvmd(t)
	g.poll = func(int) (string, string) { return "Running", "50" }
	j := job("192.0.2.1")
	j.Timeout = 30 * time.Millisecond
	if r := run(t, t.Context(), scanner(t, g.listen()), j); !errors.Is(r.err, context.DeadlineExceeded) || !g.was("stop_task") {
		t.Error(r.err)
	}
}

func TestALargeReportIsStreamedAndItsLimitHolds(t *testing.T) {
	g := newGvmd(t)
	g.filler = 20 << 20
	o := g.listen()
	full := errors.New("disk full")
	err := scanner(t, o).Run(t.Context(), job("192.0.2.1"), writerFunc(func(p []byte) (int, error) {
		if len(p) > 1<<20 {
			t.Errorf("%d bytes at once", len(p))
		}
		return len(p), nil
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := scanner(t, o).Run(t.Context(), job("192.0.2.1"), writerFunc(func([]byte) (int, error) { return 0, full }), nil); !errors.Is(err, full) {
		t.Errorf("a writer that fails: %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{
		{Socket: "relative"}, {Socket: "/a", Address: "b:1"}, {Address: "a b"}, {Address: "host:99999"}, {Address: "10.0.0.0/8"}, {ConfigID: "x"},
		{PortListID: "'; drop"}, {ScannerID: "<a/>"}, {Password: "p"}, {Poll: -1}, {Address: "h", Fingerprint: "aa"}, {Address: "h", ClientCert: "/a"},
		{CAFile: "/a"}, {Address: "h", CAFile: "a"}, {Address: "h", CAFile: "/a", Fingerprint: strings.Repeat("aa", 32)}, {Username: strings.Repeat("a", 2000)},
	} {
		if _, err := New(o); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, o := range []Options{{}, {Address: "gvm.example.org"}, {Address: "192.0.2.1:9390"}, {Address: "[2001:db8::1]:9390"}, {Address: "2001:db8::1"},
		{Address: "h", Fingerprint: strings.Repeat("AA:", 31) + "AA", ClientCert: "/c", ClientKey: "/k"}} {
		if _, err := New(o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", Options{Password: password}, Options{Password: password}, Options{Password: password}); strings.Contains(text, password) {
		t.Error("the password is printed")
	}
}

// cutter gives its text n bytes at a time.
type cutter struct {
	text string
	n    int
}

func (c *cutter) Read(p []byte) (int, error) {
	if c.text == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.n)], c.text)
	c.text = c.text[n:]
	return n, nil
}

func TestAnAnswerEndsWhereItsRootCloses(t *testing.T) {
	for _, text := range []string{"<a/>", "<a></a>", `<a b="/>" c='>'><d/></a>`, "<?xml version='1.0'?>\n<!-- <x> -- --><a><![CDATA[</a>]]]]><b>></b></a>", "<a><b/><b></b>text</a>",
		`<a b='"'/>`} {
		for n := 1; n < 5; n++ {
			in := &answer{in: bufio.NewReader(&cutter{text + "<next/>", n}), left: 1 << 20}
			got, err := io.ReadAll(in)
			if string(got) != text || err != nil {
				t.Errorf("%q by %d: %q, %v", text, n, got, err)
			}
		}
	}
	for _, text := range []string{"", "<a>", "<a", "<a><b></a>", "<!DOCTYPE a><a/>", "hello", "<a b='>"} {
		if _, err := io.ReadAll(&answer{in: bufio.NewReader(strings.NewReader(text)), left: 1 << 20}); err == nil {
			t.Errorf("%q is a whole answer", text)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add("<a b='/>'><!-- x --><c/></a>")
	f.Fuzz(func(t *testing.T, text string) {
		in := &answer{in: bufio.NewReader(strings.NewReader(text)), left: 1 << 16}
		got, err := io.ReadAll(in)
		if err == nil && !strings.HasPrefix(text, string(got)) {
			t.Errorf("%q of %q", got, text)
		}
	})
}
