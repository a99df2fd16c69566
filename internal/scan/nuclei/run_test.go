package nuclei

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

// standIn is a program that takes the options of Nuclei 3 that it documents and refuses others, writes JSON lines and
// statistics as Nuclei does, and then does what text says. $list is the file of targets.
func standIn(t *testing.T, text string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "nuclei-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	script := `#!/bin/sh
jsonl= stats= list= templates= host=
while [ $# -gt 0 ]; do
	case $1 in
	-version) echo '[INF] Nuclei Engine Version: v3.3.0' >&2; exit 0;;
	-jsonl) jsonl=1;; -stats) stats=1;; -sj|-duc|-ni|-nc|-dr) ;;
	-l) list=$2; shift;; -t) templates=$2; shift;; -H) host=${2#Host: }; shift;;
	-si|-rl|-c|-timeout|-retries|-sni) shift;;
	*) echo "flag provided but not defined: $1" >&2; exit 2;;
	esac
	shift
done
[ -n "$jsonl$stats" ] && [ -r "$list" ] && [ -d "$templates" ] || { echo "[FTL] Could not run nuclei: no templates provided for scan" >&2; exit 1; }
stat() { echo "{\"duration\":\"0:00:01\",\"errors\":\"${3:-0}\",\"hosts\":\"1\",\"matched\":\"0\",\"percent\":\"$1\",\"requests\":\"$2\",\"rps\":\"10\",\"startedAt\":\"2026-11-22T03:00:00Z\",\"templates\":\"2\",\"total\":\"100\"}" >&2; }
match() { while read -r url; do echo "{\"template-id\":\"git-config\",\"info\":{\"name\":\"Git Config $host\",\"severity\":\"medium\"},\"type\":\"http\",\"host\":\"$url\",\"matched-at\":\"${url}.git/config\",\"timestamp\":\"2026-11-22T03:00:01Z\",\"matcher-status\":true}"; done <"$list"; }
` + text
	path := filepath.Join(dir, "nuclei")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(path, []byte(script), 0o755), os.Mkdir(filepath.Join(dir, "templates"), 0o755),
		os.WriteFile(filepath.Join(dir, "templates", "git-config.yaml"), []byte("id: git-config\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	return path
}

func scanner(t *testing.T, text string) *Scanner {
	t.Helper()
	path := standIn(t, text)
	s, err := New(Options{Path: path, Templates: filepath.Join(filepath.Dir(path), "templates"), Limit: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func jobOf(web ...scan.WebPort) scan.Job {
	return scan.Job{Profile: scan.Web, Hosts: []scan.HostTarget{{Address: netip.MustParseAddr("127.0.0.1"), Explicit: true, Web: web}}}
}

type outcome struct {
	raw             bytes.Buffer
	percents        []float64
	checks, covered []string
	run, read       error
}

func run(t *testing.T, ctx context.Context, s *Scanner, job scan.Job) *outcome {
	t.Helper()
	o := &outcome{}
	o.run = s.Run(ctx, job, &o.raw, func(p scan.Progress) { o.percents = append(o.percents, p.Percent) })
	o.checks, o.covered, o.read = read(t, o.raw.String())
	return o
}

func TestRunFindsAndCovers(t *testing.T) {
	s := scanner(t, "stat 10 10; match; stat 60 60; stat 50 70; stat 100 100")
	if version, err := s.Available(t.Context()); version != "3.3.0" || err != nil {
		t.Errorf("%s, %v", version, err)
	}
	o := run(t, t.Context(), s, jobOf(scan.WebPort{Port: 8080, Path: "/app/"}, scan.WebPort{Port: 443, TLS: true, Name: "www.example.org"}))
	if o.run != nil || o.read != nil {
		t.Fatalf("%v, %v\n%s", o.run, o.read, &o.raw)
	}
	if want := []string{"127.0.0.1:8080 nuclei:git-config::/app/.git/config medium []", "127.0.0.1:443 nuclei:git-config::/.git/config medium []"}; !slices.Equal(o.checks, want) {
		t.Errorf("%q", o.checks)
	}
	if len(o.covered) != 2 || !strings.HasPrefix(o.covered[0], "127.0.0.1 8080 nuclei templates ") || !strings.HasSuffix(o.covered[1], " host=www.example.org") {
		t.Errorf("covered %q", o.covered)
	}
	if !slices.IsSorted(o.percents) || o.percents[len(o.percents)-1] != 100 || o.percents[0] > 10 {
		t.Errorf("progress %v", o.percents)
	}
	if !strings.Contains(o.raw.String(), "Git Config www.example.org") {
		t.Errorf("no Host header:\n%s", &o.raw)
	}
}

func TestNothingFoundIsCleanOnlyWhenNucleiEnded(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"clean", "stat 100 100", ""},
		{"crashed", "match; stat 50 50; echo '[FTL] Could not run nuclei: boom' >&2; exit 1", "exit status 1: "},
		{"killed", "match; printf '{\"template-id\":\"half'; kill -9 $$", "signal: killed"},
		{"asked nothing", "stat 0 0", "nuclei asked nothing"},
		{"no answer", "stat 100 100 100", "got no answer: 100 of 100"},
		{"all given up", "stat 100 100 40; echo '[INF] Skipped 127.0.0.1:8080 from target list as found unresponsive 30 times' >&2", "gave up all 1 targets"},
		{"stalled", "match; while :; do stat 10 10; sleep 0.2; done", "nuclei stalled"},
		{"hangs", "match; trap '' INT; while :; do i=$((i+1)); stat 10 $i; sleep 0.1; done", "did not finish in time"},
		{"refuses an option", "", ""},
	} {
		s := scanner(t, c.text)
		s.opts.Limit = 3 * time.Second
		if c.name == "stalled" {
			s.opts.Stall = time.Second
		}
		o := run(t, t.Context(), s, jobOf(scan.WebPort{Port: 8080}))
		if c.want == "" {
			if o.run != nil || o.read != nil || len(o.covered) != 1 {
				t.Errorf("%s: %v, %v, %q", c.name, o.run, o.read, o.covered)
			}
			continue
		}
		if o.run == nil || fault.KindOf(o.run) != fault.KindUnavailable || !strings.Contains(o.run.Error(), c.want) {
			t.Errorf("%s: %v", c.name, o.run)
		}
		if !errors.Is(o.read, scan.ErrTruncated) || len(o.covered) > 0 || strings.Contains(c.text, "match;") != (len(o.checks) == 1) {
			t.Errorf("%s: reads as %v, covered %q, checks %q\n%s", c.name, o.read, o.covered, o.checks, &o.raw)
		}
	}
}

func TestTargetThatStoppedAnsweringIsNotCovered(t *testing.T) {
	s := scanner(t, "stat 100 100 40; echo '[INF] Skipped 127.0.0.1:8081 from target list as found unresponsive 30 times' >&2")
	o := run(t, t.Context(), s, jobOf(scan.WebPort{Port: 8080}, scan.WebPort{Port: 8081}))
	if o.run != nil || o.read != nil || len(o.covered) != 1 || !strings.HasPrefix(o.covered[0], "127.0.0.1 8080 ") {
		t.Errorf("%v, %v, %q\n%s", o.run, o.read, o.covered, &o.raw)
	}
}

func TestCancelKillsTheGroupAndKeepsTheLines(t *testing.T) {
	s := scanner(t, `match; trap '' INT; (trap '' INT; exec sleep 300) & echo "$!" >"$HOME/../nuclei-child-$PPID"; stat 1 1; wait; sleep 300`)
	s.opts.Limit = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	child := filepath.Join(os.TempDir(), fmt.Sprintf("nuclei-child-%d", os.Getpid()))
	t.Cleanup(func() { os.Remove(child) })
	begin := time.Now()
	o := run(t, ctx, s, jobOf(scan.WebPort{Port: 8080}))
	if took := time.Since(begin); !errors.Is(o.run, context.DeadlineExceeded) || took > 3*time.Second {
		t.Errorf("%v after %s", o.run, took)
	}
	if !errors.Is(o.read, scan.ErrTruncated) || len(o.checks) != 1 || len(o.covered) > 0 {
		t.Errorf("reads as %v, %q, covered %q", o.read, o.checks, o.covered)
	}
	pid, err := os.ReadFile(child)
	if err != nil {
		t.Fatal(err)
	}
	stat, _ := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
	if _, state, _ := strings.Cut(string(stat), ") "); state != "" && state[0] != 'Z' { // dead, whoever has to notice
		t.Errorf("the child %s lives on", pid)
	}
}

func TestTargetsAreRebuilt(t *testing.T) {
	job := jobOf(scan.WebPort{Port: 80}, scan.WebPort{Port: 443, TLS: true, Path: "/a%20b/%2e?x=1"}, scan.WebPort{Port: 8080, Name: "WWW.example.org."},
		scan.WebPort{Port: 80, Name: "www.example.org", Path: "/x"}, scan.WebPort{Port: 80, Name: "-rl\n9"}, scan.WebPort{Port: 0}, scan.WebPort{Port: 22})
	job.Hosts = append(job.Hosts, scan.HostTarget{Address: netip.MustParseAddr("2001:db8::1"), Web: []scan.WebPort{{Port: 8443, TLS: true}}})
	job.Exclude = []finding.PortRange{{First: 22, Last: 22}}
	var got []string
	for _, g := range groupsOf(job) {
		got = append(got, g.host+" | "+g.name+" | "+strings.Join(g.urls, " "))
	}
	want := []string{" |  | http://127.0.0.1:80/ https://127.0.0.1:443/a%20b/%2e http://127.0.0.1:80/ https://[2001:db8::1]:8443/",
		"www.example.org | www.example.org | http://127.0.0.1:80/x", "www.example.org:8080 | www.example.org | http://127.0.0.1:8080/"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	s := &Scanner{opts: Options{Templates: "/t", RateLimit: 50}.withDefaults()}
	args := strings.Join(s.args(group{host: "www.example.org:8080", name: "www.example.org"}, 20, "/l"), " ")
	if want := "-jsonl -duc -ni -nc -dr -stats -sj -si 1 -t /t -l /l -rl 20 -c 25 -timeout 10 -retries 1 -H Host: www.example.org:8080 -sni www.example.org"; args != want {
		t.Errorf("got %s", args)
	}
}

func TestTemplateSetIsNamedByItsContent(t *testing.T) {
	dir := t.TempDir()
	if _, err := templateSet(dir); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("no templates: %v", err)
	}
	path := filepath.Join(dir, "a.yaml")
	var sets []string
	for _, content := range []string{"one", "one", "three"} {
		at := time.Unix(1_700_000_000, 0)
		if err := errors.Join(os.WriteFile(path, []byte(content), 0o644), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
		set, err := templateSet(dir)
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, set)
	}
	if sets[0] != sets[1] || sets[1] == sets[2] || len(sets[0]) != 16 {
		t.Errorf("%q", sets)
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	for _, o := range []Options{{Path: "nuclei"}, {Templates: "templates"}, {Templates: "/a,/b"}, {RateLimit: -1}, {Concurrency: 9999}, {Timeout: -1}, {Limit: -1}, {Stall: -1}} {
		if _, err := New(o); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
	path := standIn(t, "")
	for _, c := range []struct {
		opts Options
		want string
	}{
		{Options{Path: path}, "nuclei has no templates"},
		{Options{Path: path, Templates: "/nonexistent/templates"}, "look at nuclei's templates"},
		{Options{Path: "/nonexistent/nuclei"}, "where the configuration says"},
	} {
		s, err := New(c.opts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Available(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) || fault.KindOf(err) != fault.KindUnavailable {
			t.Errorf("%+v: %v", c.opts, err)
		}
	}
	t.Setenv("PATH", t.TempDir())
	s, _ := New(Options{})
	if err := s.Run(t.Context(), jobOf(scan.WebPort{Port: 80}), io.Discard, func(scan.Progress) {}); err == nil || !strings.Contains(err.Error(), "nuclei is not installed: get a release") {
		t.Errorf("a missing program: %v", err)
	}
	if err := s.Run(t.Context(), scan.Job{}, io.Discard, func(scan.Progress) {}); err != nil {
		t.Errorf("no web port: %v", err)
	}
}
