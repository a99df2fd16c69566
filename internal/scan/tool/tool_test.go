//go:build unix

package tool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// script makes a program that everybody may start, also the user whose rights it gets when the tests run as root.
func script(t *testing.T, text string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tool-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "program")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755)); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, opts Options) *Cage {
	t.Helper()
	opts.Name = "program"
	c, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestProgramSeesOnlyItsCage(t *testing.T) {
	t.Setenv("SECRET_OF_OURS", "1")
	c := open(t, Options{Path: script(t, `env; echo "dir $(pwd)"; echo "files $(ls -A "$HOME" | wc -l)"; echo "term $( (: </dev/tty) 2>&1 | wc -l)"; cat; echo "$@"`)})
	out := &bytes.Buffer{}
	if err := c.Run(t.Context(), Call{Args: []string{"-x", "a b;c"}, Env: []string{"OWN=1"}, Stdin: []byte("from us\n"), Stdout: out}); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for _, want := range []string{"HOME=" + c.home, "TMPDIR=" + c.home, "TZ=UTC", "OWN=1", "dir " + c.home, "files 0", "from us", "-x a b;c"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "SECRET_OF_OURS") {
		t.Errorf("our environment came along:\n%s", text)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(c.home); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the home is still there: %v", err)
	}
}

func TestRootIsGivenUp(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	path := script(t, `id -u; id -G; grep CapEff /proc/self/status; echo x > "$HOME/own" && echo written; ls -ld "$HOME"`)
	for _, c := range []struct {
		opts Options
		want string
	}{
		{Options{}, "65534\n65534\nCapEff:\t0000000000000000\nwritten\n"},
		{Options{Rights: Raw}, "65534\n65534\nCapEff:\t0000000000002000\nwritten\n"}, // CAP_NET_RAW is bit 13
		{Options{User: User{UID: 1234, GID: 1235}}, "1234\n1235\nCapEff:\t0000000000000000\nwritten\n"},
		{Options{Rights: Caller}, "0\n"},
	} {
		c.opts.Path = path
		cage, out := open(t, c.opts), &bytes.Buffer{}
		if err := cage.Run(t.Context(), Call{Stdout: out}); err != nil || !strings.HasPrefix(out.String(), c.want) {
			t.Errorf("%+v (%s): %v\n%s", c.opts, cage.Identity(), err, out)
		}
	}
	hidden := filepath.Join(t.TempDir(), "templates")
	if err := errors.Join(os.Chmod(filepath.Dir(hidden), 0o700), os.WriteFile(hidden, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	cage := open(t, Options{Path: path, Reads: []string{hidden}})
	if got := cage.Identity(); !strings.Contains(got, "root: 65534:65534 cannot") {
		t.Errorf("a program that could not read its files runs as %s", got)
	}
}

func TestFailureIsInTheProgramsOwnWords(t *testing.T) {
	c := open(t, Options{Path: script(t, `echo "cannot open \001 device eth9" >&2; exit $1`)})
	err := c.Run(t.Context(), Call{Args: []string{"3"}})
	if fault.KindOf(err) != fault.KindUnavailable || !strings.Contains(err.Error(), "program: exit status 3: cannot open") || strings.Contains(err.Error(), "\x01") {
		t.Errorf("got %q", err)
	}
	if err := c.Run(t.Context(), Call{Args: []string{"3"}, Codes: []int{3}}); err != nil {
		t.Errorf("an exit code that is no failure: %v", err)
	}
}

// family is a program that ignores SIGINT and has a child that does so too.
const family = `trap '' INT; (trap '' INT; sleep 300) & echo "$$ $!"; sleep 300; sleep 300`

func members(group int) (out []string) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, _ := os.ReadFile(path)
		_, rest, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(rest); len(f) > 2 && f[2] == strconv.Itoa(group) && f[0] != "Z" {
			out = append(out, string(b))
		}
	}
	return out
}

// started hands over the first line of what a program says, as it comes.
type started chan string

func (s started) Write(p []byte) (int, error) {
	select {
	case s <- string(p):
	default:
	}
	return len(p), nil
}

func (s started) group(t *testing.T) int {
	t.Helper()
	var leader, child int
	if _, err := fmt.Sscan(<-s, &leader, &child); err != nil || len(members(leader)) == 0 {
		t.Fatalf("the program did not start: %v", err)
	}
	return leader
}

func TestCancelKillsTheWholeGroupWithinTwoSeconds(t *testing.T) {
	c := open(t, Options{Path: script(t, family)})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said, ended := make(started, 1), make(chan error, 1)
	go func() { ended <- c.Run(ctx, Call{Stdout: said}) }()
	group := said.group(t)
	begin := time.Now()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || time.Since(begin) > 2*time.Second {
		t.Errorf("%v after %s", err, time.Since(begin))
	}
	if left := members(group); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

func TestTimeoutIsAnErrorOfItsOwn(t *testing.T) {
	c := open(t, Options{Path: script(t, family)})
	said := make(started, 1)
	err := c.Run(t.Context(), Call{Stdout: said, Timeout: 300 * time.Millisecond})
	if !errors.Is(err, ErrTimeout) || fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("got %v", err)
	}
	if left := members(said.groupAfter()); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

func (s started) groupAfter() (leader int) {
	fmt.Sscan(<-s, &leader)
	return leader
}

func TestGrandchildGoesWithAProgramThatEnds(t *testing.T) {
	c := open(t, Options{Path: script(t, `sleep 300 & echo "$$ $!"`)})
	said := make(started, 1)
	if err := c.Run(t.Context(), Call{Stdout: said}); err != nil {
		t.Error(err)
	}
	if left := members(said.groupAfter()); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

func TestNobodyListeningEndsTheProgram(t *testing.T) {
	c := open(t, Options{Path: script(t, `trap '' PIPE; while :; do echo more; done`)})
	full := errors.New("the disk is full")
	begin := time.Now()
	err := c.Run(t.Context(), Call{Stdout: writer(func([]byte) (int, error) { return 0, full })})
	if !errors.Is(err, full) || time.Since(begin) > 3*time.Second {
		t.Errorf("%v after %s", err, time.Since(begin))
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// TestMain is also the process that gets killed in the test below.
func TestMain(m *testing.M) {
	if path := os.Getenv("TOOL_TEST_PROGRAM"); path != "" {
		c, err := Open(Options{Name: "program", Path: path})
		if err == nil {
			c.Run(context.Background(), Call{Stdout: os.Stdout})
		}
		return
	}
	os.Exit(m.Run())
}

func TestKilledPatchscoutLeavesNoProgram(t *testing.T) {
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("needs Linux")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TOOL_TEST_PROGRAM="+script(t, `echo "$$ 0"; exec sleep 300`), "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err = errors.Join(err, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	var leader int
	if _, err := fmt.Fscan(out, &leader); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Signal(syscall.SIGKILL)
	cmd.Wait()
	for range 200 {
		if len(members(leader)) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond) // a process of another program: there is no signal to wait for
	}
	t.Errorf("it lives on: %s", members(leader))
}

func TestFilesAreLimitedAndLinksOutOfTheHomeAreNotFollowed(t *testing.T) {
	c := open(t, Options{Path: script(t, `cd "$HOME"; cat given > copy; ln -s /etc/hostname out; mkfifo pipe; mkdir dir; ln -s copy inside; dd if=/dev/zero of=big bs=1024 count=64 2>/dev/null; echo done`), File: 8 << 10})
	out := &bytes.Buffer{}
	if err := errors.Join(c.Write("given", []byte("hello")), c.Run(t.Context(), Call{Stdout: out})); err != nil || out.String() != "done\n" {
		t.Fatalf("%v %s", err, out)
	}
	f, err := c.Read("copy")
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); string(b) != "hello" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	f.Close()
	for _, name := range []string{"out", "pipe", "dir", "inside", "../x", "/etc/hostname"} {
		if _, err := c.Read(name); err == nil {
			t.Errorf("%s was read", name)
		}
	}
	if _, err := c.Read("missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if info, err := os.Stat(c.Path("big")); err == nil && info.Size() > 8<<10 {
		t.Errorf("a file of %d bytes", info.Size())
	}
}

func TestMissingProgramSaysHowToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Find("", []string{"program", "program.pl"}, "apt-get install program")
	if fault.KindOf(err) != fault.KindUnavailable || err.Error() != "program is not installed: apt-get install program" {
		t.Errorf("got %v", err)
	}
	for _, path := range []string{"/nonexistent/program", t.TempDir()} {
		if _, err := Find(path, []string{"program"}, "apt-get install program"); fault.KindOf(err) != fault.KindUnavailable {
			t.Errorf("%s: %v", path, err)
		}
	}
	path := script(t, "")
	t.Setenv("PATH", filepath.Dir(path))
	if got, err := Find("", []string{"other", "program"}, ""); got != path || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestVersionIsAskedWithinBounds(t *testing.T) {
	pattern := regexp.MustCompile(`Program (\d+\.\d+)`)
	for text, want := range map[string]string{
		`echo "Program 2.5"`:             "2.5",
		`echo "Program 2.6" >&2; exit 1`: "2.6",
		`echo hello`:                     "",
		`exit 1`:                         "",
		`head -c 200000 /dev/zero; echo "Program 3.0"`: "",
	} {
		got, err := Version(t.Context(), Options{Name: "program", Path: script(t, text)}, nil, pattern)
		if got != want || (err == nil) != (want != "") || err != nil && fault.KindOf(err) != fault.KindUnavailable {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	if _, err := Version(t.Context(), Options{Name: "program", Path: "program"}, nil, pattern); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("a relative path: %v", err)
	}
}

func TestVersionsAreCompared(t *testing.T) {
	for _, c := range []struct {
		version, want string
		yes           bool
	}{{"2.9.0", "2.9", true}, {"2.10", "2.9", true}, {"2.1.5", "2.1.6", false}, {"3", "2.9.9", true}, {"", "1", false}, {"7.93SVN", "7.00", true}} {
		if AtLeast(c.version, c.want) != c.yes {
			t.Errorf("%s at least %s: not %v", c.version, c.want, c.yes)
		}
	}
}
