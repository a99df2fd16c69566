package nuclei

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
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

const listFile = "targets.txt"

// defaultRate is Nuclei's own.
const defaultRate = 150

// Run starts one Nuclei for all web ports that are asked by address and one for each host name, one after the other; each
// one's lines stand between two of ours (see ours). It fails with Nuclei's own words (fault.Unavailable) when Nuclei fails, asks
// nothing, gets no answer at all, or stalls; what it had found until then stays in raw. A job without web ports is done at
// once.
func (s *Scanner) Run(ctx context.Context, job scan.Job, raw io.Writer, progress func(scan.Progress)) error {
	if err := s.opts.Validate(); err != nil {
		return err
	}
	groups := groupsOf(job)
	if len(groups) == 0 {
		progress(scan.Progress{Scanner: Name, Stage: "web", Percent: 100})
		return nil
	}
	path, err := s.path()
	if err != nil {
		return err
	}
	version, err := s.Available(ctx)
	if err != nil {
		return err
	}
	set, err := templateSet(s.opts.Templates)
	if err != nil {
		return err
	}
	if job.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, job.Timeout)
		defer cancel()
	}
	m := &meter{progress: progress, groups: len(groups)}
	for _, g := range groups {
		if err := s.group(ctx, g, job.Rate, path, version, set, raw, m); err != nil {
			return err
		}
	}
	m.finish()
	return nil
}

// group is what one Nuclei is to do: Nuclei takes a Host header for all targets or none.
type group struct {
	host    string // for the Host header: "name" or "name:port"; "" asks by address
	name    string // for SNI
	targets []target
	urls    []string
}

// groupsOf sorts the job's web ports. URLs are rebuilt from addresses, so that Nuclei connects where the scope was checked and
// not to where a name leads by now.
func groupsOf(job scan.Job) []group {
	var out []group
	for _, h := range job.Hosts {
		for _, w := range h.Web {
			if w.Port == 0 || finding.Contains(job.Exclude, w.Port) {
				continue
			}
			host := hostHeader(w)
			i := slices.IndexFunc(out, func(g group) bool { return g.host == host })
			if i < 0 {
				i = len(out)
				out = append(out, group{host: host, name: nameOf(w)})
			}
			t := target{h.Address.Unmap(), w.Port}
			if !slices.Contains(out[i].targets, t) {
				out[i].targets = append(out[i].targets, t)
			}
			out[i].urls = append(out[i].urls, urlOf(t, w))
		}
	}
	slices.SortStableFunc(out, func(a, b group) int { return cmp.Compare(a.host, b.host) })
	return out
}

// nameOf is the port's host name, "" for one that is none.
func nameOf(w scan.WebPort) string {
	name, addr, _ := endpoint(w.Name)
	if addr.IsValid() || name != strings.ToLower(strings.TrimSuffix(w.Name, ".")) || strings.HasPrefix(name, "-") {
		return ""
	}
	return name
}

func hostHeader(w scan.WebPort) string {
	name := nameOf(w)
	if name == "" || !w.TLS && w.Port == 80 || w.TLS && w.Port == 443 {
		return name
	}
	return name + ":" + strconv.Itoa(int(w.Port))
}

func urlOf(t target, w scan.WebPort) string {
	u := url.URL{Scheme: "http", Host: netip.AddrPortFrom(t.Address, t.Port).String(), Path: "/"}
	if w.TLS {
		u.Scheme = "https"
	}
	path, _, _ := strings.Cut(w.Path, "?")
	if plain, err := url.PathUnescape(path); err == nil && strings.HasPrefix(path, "/") {
		u.Path, u.RawPath = plain, path
	}
	return u.String()
}

// args builds the command line. Redirects are not followed at all: that of a template could lead off the host.
func (s *Scanner) args(g group, rate int, list string) []string {
	if s.opts.RateLimit > 0 && (rate <= 0 || s.opts.RateLimit < rate) {
		rate = s.opts.RateLimit
	}
	if rate <= 0 {
		rate = defaultRate
	}
	args := []string{"-jsonl", "-duc", "-ni", "-nc", "-dr", "-stats", "-sj", "-si", "1", "-t", s.opts.Templates, "-l", list, "-rl", strconv.Itoa(rate),
		"-c", strconv.Itoa(s.opts.Concurrency), "-timeout", strconv.Itoa(max(1, int(s.opts.Timeout/time.Second))), "-retries", "1"}
	if g.host != "" {
		args = append(args, "-H", "Host: "+g.host, "-sni", g.name)
	}
	return args
}

// group runs one Nuclei between two lines of ours.
func (s *Scanner) group(ctx context.Context, g group, rate int, path, version, set string, raw io.Writer, m *meter) (err error) {
	cage, err := tool.Open(s.tool(path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cage.Close()) }()
	if err := cage.Write(listFile, []byte(strings.Join(g.urls, "\n")+"\n")); err != nil {
		return err
	}
	policy := "nuclei templates " + set
	if g.name != "" {
		policy += " host=" + g.name
	}
	out := &lines{w: raw}
	if err := out.ours(ours{Began: time.Now().UTC().Truncate(time.Second), Version: version, Policy: policy, Targets: g.targets}); err != nil {
		return err
	}
	watch, stop := watchdog(ctx, s.opts.Stall)
	m.begin(len(g.urls), watch.pet)
	err = cage.Run(watch.ctx, tool.Call{Args: s.args(g, rate, cage.Path(listFile)), Stdout: out, Stderr: m, Timeout: s.opts.Limit})
	stop()
	if ctx.Err() == nil && watch.barked() {
		err = fault.Unavailable("nuclei stalled: it asked nothing for %s", s.opts.Stall)
	}
	if err == nil {
		err = m.end()
	}
	end := ours{Ended: time.Now().UTC().Truncate(time.Second), Skipped: m.skippedTargets()}
	if err != nil {
		end = ours{Unfinished: "the run failed"}
		if ctx.Err() != nil {
			end.Unfinished = "cancelled"
		}
	}
	return errors.Join(err, out.ours(end))
}

// lines keeps what Nuclei writes apart from our lines.
type lines struct {
	w     io.Writer
	inner bool // within a line
}

func (l *lines) Write(p []byte) (int, error) {
	if len(p) > 0 {
		l.inner = p[len(p)-1] != '\n'
	}
	return l.w.Write(p)
}

func (l *lines) ours(o ours) error {
	b, err := json.Marshal(map[string]ours{"patchscout": o})
	if err != nil {
		return fmt.Errorf("write nuclei's report: %w", err)
	}
	if l.inner {
		b = append([]byte("\n"), b...)
	}
	if _, err := l.w.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write nuclei's report: %w", err)
	}
	return nil
}

// maxTemplates is more than anybody has: the public ones are about 12,000.
const maxTemplates = 500_000

// templateSet names a folder of templates by what is in it: names, sizes and times of change. Runs with the same one looked
// for the same.
func templateSet(root string) (string, error) {
	h, n := fnv.New128a(), 0
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && strings.HasPrefix(e.Name(), ".") && path != root {
			return fs.SkipDir
		}
		if e.IsDir() {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if n++; n > maxTemplates {
			return fault.Invalid("more than %d files", maxTemplates)
		}
		name, _ := filepath.Rel(root, path)
		fmt.Fprintf(h, "%s\x00%d\x00%d\n", name, info.Size(), info.ModTime().Unix())
		return nil
	})
	switch {
	case err != nil:
		return "", fault.Unavailable("read nuclei's templates: %w", err)
	case n == 0:
		return "", fault.Unavailable("there are no templates in %s", root)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), nil
}

// watch ends a run in which nothing happens any more.
type watch struct {
	ctx   context.Context
	reset chan struct{}

	mu   sync.Mutex
	bark bool
}

func watchdog(ctx context.Context, limit time.Duration) (w *watch, stop func()) {
	inner, cancel := context.WithCancel(ctx)
	w = &watch{ctx: inner, reset: make(chan struct{}, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		timer := time.NewTimer(limit)
		defer timer.Stop()
		for {
			select {
			case <-inner.Done():
				return
			case <-w.reset:
				timer.Reset(limit)
			case <-timer.C:
				w.mu.Lock()
				w.bark = true
				w.mu.Unlock()
				cancel()
				return
			}
		}
	}()
	return w, func() { cancel(); <-ended }
}

// pet says that something happened.
func (w *watch) pet() {
	select {
	case w.reset <- struct{}{}:
	default:
	}
}

func (w *watch) barked() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bark
}

var newline = []byte("\n")

// cutLine takes the first line off b.
func cutLine(b []byte) (line, rest []byte, ok bool) { return bytes.Cut(b, newline) }
