package nikto

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/tool"
)

// reportFile is XML, the only format that all versions write well, item by item, and with ids.
const reportFile = "report.xml"

// Run starts one Nikto per web port of the job, Options.Parallel at a time; their reports follow each other in raw, each
// with a mark of how it ended. A port that Nikto could not scan to the end makes the run fail (fault.Unavailable, with Nikto's
// own words), after the others are done. A job without web ports is done at once.
func (s *Scanner) Run(ctx context.Context, job scan.Job, raw io.Writer, progress func(scan.Progress)) error {
	if err := s.opts.Validate(); err != nil {
		return err
	}
	path, err := s.path()
	if err != nil {
		return err
	}
	version, err := s.Available(ctx)
	if err != nil {
		return err
	}
	if job.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, job.Timeout)
		defer cancel()
	}
	r := &runner{Scanner: s, path: path, version: version, raw: raw, progress: progress, tasks: tasks(job), began: time.Now()}
	return r.all(ctx)
}

// task is one web port under one name.
type task struct {
	addr netip.Addr
	scan.WebPort
}

func tasks(job scan.Job) []task {
	var out []task
	for _, h := range job.Hosts {
		for _, w := range h.Web {
			if w.Port != 0 && !finding.Contains(job.Exclude, w.Port) {
				out = append(out, task{h.Address, w})
			}
		}
	}
	return out
}

type runner struct {
	*Scanner
	path, version string
	raw           io.Writer
	progress      func(scan.Progress)
	tasks         []task
	began         time.Time

	mu       sync.Mutex
	running  []*meter
	done     int
	failures []error
	shown    float64
}

func (r *runner) all(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slots, wait := make(chan struct{}, max(1, r.opts.Parallel)), sync.WaitGroup{}
	for _, t := range r.tasks {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wait.Go(func() {
			defer func() { <-slots }()
			if err := r.one(ctx, t); err != nil && r.failed(t, err) {
				cancel()
			}
		})
	}
	wait.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(r.failures) > 0:
		return r.failures[0]
	case ctx.Err() != nil:
		return ctx.Err()
	}
	r.progress(scan.Progress{Scanner: Name, Stage: "web", Percent: 100, Done: r.done, Total: len(r.tasks)})
	return nil
}

// failed notes a failure and says whether it ends the whole run: a full disk does, a server that went away does not.
func (r *runner) failed(t task, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if fault.KindOf(err) == fault.KindUnavailable {
		err = fmt.Errorf("%s: %w", netip.AddrPortFrom(t.addr.WithZone(""), t.Port), err)
	}
	if fault.KindOf(err) == fault.KindUnavailable {
		r.failures = append(r.failures, err)
		return false
	}
	if !errors.Is(err, context.Canceled) || len(r.failures) == 0 { // else it was cancelled by the one that is noted
		r.failures = slices.Insert(r.failures, 0, err)
	}
	return true
}

// one runs one Nikto and hands its report over, also when it was ended.
func (r *runner) one(ctx context.Context, t task) error {
	args, err := r.args(ctx, t)
	if err != nil {
		return err
	}
	cage, err := tool.Open(r.tool(r.path))
	if err != nil {
		return err
	}
	m := r.start()
	err = cage.Run(ctx, tool.Call{Args: append(args, "-output", cage.Path(reportFile)), Dir: r.dir(), Stdout: m, Stderr: m,
		Timeout: r.opts.TargetLimit, Codes: []int{1}}) // up to 2.5.0 it ends well with 1
	whole := err == nil && !m.gaveUp()
	copied := r.hand(cage, &whole)
	if err == nil && !whole && copied == nil {
		err = fault.Unavailable("nikto did not finish: %s", m.last())
	}
	r.end(m)
	return errors.Join(copied, err, cage.Close())
}

// dir is where Nikto 2.1.6 must be started to find its DTD, when it is run from its repository; "" is its home.
func (r *runner) dir() string {
	dir := filepath.Dir(resolved(r.path))
	if matches, _ := filepath.Glob(filepath.Join(dir, "plugins", "nikto_core.plugin")); len(matches) == 1 {
		return dir
	}
	return ""
}

// args builds the command line. The address comes from netip, the name was checked, the path is escaped: none of them can
// be taken for an option.
func (r *runner) args(ctx context.Context, t task) ([]string, error) {
	addr := t.addr.Unmap()
	if addr.Zone() != "" {
		return nil, fault.Unavailable("nikto cannot scan an address with an interface (%s)", addr)
	}
	if addr.Is6() && !tool.AtLeast(r.version, "2.5") {
		return nil, fault.Unavailable("nikto %s cannot scan IPv6: want 2.5 or newer", r.version)
	}
	u := url.URL{Scheme: "http", Host: netip.AddrPortFrom(addr, t.Port).String(), Path: "/"}
	if t.TLS {
		u.Scheme = "https"
	}
	args := []string{"-host", u.String(), "-ask", "no", "-nointeractive", "-Format", "xml",
		"-timeout", strconv.Itoa(max(1, int(r.opts.Timeout/time.Second)))}
	if root := strings.TrimRight(cleanPath(t.Path), "/"); root != "" {
		args = append(args, "-root", root)
	}
	if tool.AtLeast(r.version, "2.6") {
		args = append(args, "-nocheck")
	}
	if addr.Is6() {
		args = append(args, "-ipv6")
	}
	if !t.TLS {
		args = append(args, "-nossl")
	}
	if r.opts.Tuning != "" {
		args = append(args, "-Tuning", r.opts.Tuning)
	}
	if len(r.opts.Plugins) > 0 { // without them there is no report
		args = append(args, "-Plugins", strings.Join(append(slices.Clone(r.opts.Plugins), "report_xml"), ";"))
	}
	if r.opts.Pause > 0 {
		args = append(args, "-Pause", strconv.FormatFloat(r.opts.Pause.Seconds(), 'f', -1, 64))
	}
	named, err := r.name(ctx, t)
	return append(args, named...), err
}

// name asks the address for the site of a name. 2.5 connects to wherever a -vhost resolves to before it scans the address,
// so the name must lead to that address and nowhere else; 2.6 would too, but can be given the header as such.
func (r *runner) name(ctx context.Context, t task) ([]string, error) {
	name := strings.ToLower(strings.TrimSuffix(t.Name, "."))
	switch {
	case name == "":
		return nil, nil
	case !isName(name):
		return nil, fault.Unavailable("nikto: the host name of port %d is none", t.Port)
	case tool.AtLeast(r.version, "2.6"):
		return []string{"-Add-header", "Host:" + name}, nil
	case !tool.AtLeast(r.version, "2.5"):
		return []string{"-vhost", name}, nil
	}
	addrs, err := r.lookup(ctx, "ip", name)
	if err != nil || slices.ContainsFunc(addrs, func(a netip.Addr) bool { return a.Unmap() != t.addr.Unmap() }) {
		return nil, fault.Unavailable("nikto %s connects to wherever %s resolves to, which is not only %s: use 2.6 or newer", r.version, name, t.addr)
	}
	return []string{"-vhost", name}, nil
}

func isName(name string) bool {
	return len(name) <= 253 && name[0] != '-' && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
}

// cleanPath is the path of the user's URL as Nikto may have it: escaped, without a query.
func cleanPath(path string) string {
	path, _, _ = strings.Cut(path, "?")
	if !strings.HasPrefix(path, "/") {
		return ""
	}
	return (&url.URL{Path: path}).EscapedPath()
}

// hand copies the report to raw with its mark. whole becomes false when the report is not complete.
func (r *runner) hand(cage *tool.Cage, whole *bool) error {
	f, err := cage.Read(reportFile)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = cage.Read(reportFile + ".xml") // 2.6.0 adds what is there
	}
	if err != nil {
		*whole = false
		return nil //nolint:nilerr // what Nikto said about it is the better error
	}
	defer f.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	end := &ending{}
	if _, err := io.Copy(io.MultiWriter(r.raw, end), io.LimitReader(f, maxReport)); err != nil {
		return fmt.Errorf("write nikto's report: %w", err)
	}
	*whole = *whole && end.complete()
	mark := unfinished
	if *whole {
		mark = finished
	}
	if _, err := io.WriteString(r.raw, "\n"+mark+"\n"); err != nil {
		return fmt.Errorf("write nikto's report: %w", err)
	}
	return nil
}

// ending keeps the end of a report.
type ending struct{ b []byte }

func (e *ending) Write(p []byte) (int, error) {
	e.b = append(e.b, p...)
	if len(e.b) > 200 {
		e.b = slices.Clone(e.b[len(e.b)-200:])
	}
	return len(p), nil
}

func (e *ending) complete() bool {
	end := bytes.TrimSpace(e.b)
	return bytes.HasSuffix(end, []byte("</niktoscans>")) || bytes.HasSuffix(end, []byte("</niktoscan>"))
}
