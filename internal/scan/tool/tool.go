// Package tool is the cage for other people's programs: it finds one, asks its version and runs it with an environment,
// a home, limits, a process group and rights of its own, so that nothing of it is left behind whatever it does. It never
// runs a shell and never decides what a program is told.
package tool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// Environment is all that a program sees of ours: its messages in English, times in UTC, none of our settings, and a home
// of its own (HOME, TMPDIR, XDG_*), which is added when it is started.
var Environment = []string{"PATH=" + searchPath, "LANG=C", "LC_ALL=C", "TZ=UTC"}

const (
	killAfter     = 1200 * time.Millisecond // between SIGINT and SIGKILL; a Scanner's Run promises two seconds in all
	versionWithin = 10 * time.Second
	maxVersion    = 64 << 10 // bytes of what a program may say about its version
	maxWords      = 4 << 10  // bytes kept of what a program complained about
)

// Rights is what a program may do when we are root. Anybody else's programs have his own rights.
type Rights int

// The rights.
const (
	Plain  Rights = iota // those of nobody (or of Options.User): it only opens connections
	Raw                  // the same and raw sockets (CAP_NET_RAW)
	Caller               // all of ours
)

// User is an unprivileged identity to run as.
type User struct{ UID, GID uint32 }

// Nobody is the identity that every Unix keeps for those who own nothing.
var Nobody = User{UID: 65534, GID: 65534}

// Options describe a program. Name and Path are required.
type Options struct {
	Name   string // in errors: "nikto"
	Path   string // absolute, see Find
	Rights Rights
	User   User   // whose rights it gets instead of root's, zero = Nobody
	Memory uint64 // bytes of address space, 0 = 4 GiB (Linux; of all its processes together on Windows)
	File   int64  // bytes of one file that it writes, 0 = 16 MiB (Linux)
	// Reads are files and folders besides the program that it must be able to read: it is not started as somebody who
	// cannot.
	Reads []string
}

// Cage is a program with a home. Open makes one, Close removes it. Run may be called several times, also side by side.
type Cage struct {
	opts Options
	home string
	as   *User // nil = as we are
	why  string
	root *os.Root
}

// Open makes the home: an empty folder that only the program and we may enter.
func Open(opts Options) (*Cage, error) {
	if !filepath.IsAbs(opts.Path) {
		return nil, fault.Invalid("%s path %q is not absolute", opts.Name, opts.Path)
	}
	home, err := os.MkdirTemp("", "patchscout-"+opts.Name+"-")
	if err != nil {
		return nil, fmt.Errorf("make a home for %s: %w", opts.Name, err)
	}
	c := &Cage{opts: opts, home: home}
	c.as, c.why = identity(opts)
	if c.as != nil {
		err = os.Chown(home, int(c.as.UID), int(c.as.GID))
	}
	if err == nil {
		c.root, err = os.OpenRoot(home)
	}
	if err != nil {
		_ = os.RemoveAll(home)
		return nil, fmt.Errorf("make a home for %s: %w", opts.Name, err)
	}
	return c, nil
}

// Close removes the home and what the program left in it.
func (c *Cage) Close() error {
	_ = c.root.Close()
	if err := os.RemoveAll(c.home); err != nil {
		return fmt.Errorf("remove the home of %s: %w", c.opts.Name, err)
	}
	return nil
}

// Identity says in words as whom the program runs, for logs: "nobody (65534:65534)", "root: …reason".
func (c *Cage) Identity() string { return c.why }

// Path is a file of the home as the program must name it.
func (c *Cage) Path(name string) string { return filepath.Join(c.home, name) }

// Write puts a file into the home that the program may read and not change.
func (c *Cage) Write(name string, content []byte) error {
	if err := c.root.WriteFile(name, content, 0o600); err != nil {
		return fmt.Errorf("write %s for %s: %w", name, c.opts.Name, err)
	}
	if c.as == nil {
		return nil
	}
	if err := c.root.Chown(name, int(c.as.UID), int(c.as.GID)); err != nil {
		return fmt.Errorf("write %s for %s: %w", name, c.opts.Name, err)
	}
	return nil
}

// Read opens a file that the program wrote; fs.ErrNotExist when there is none. The program is not trusted: a link out of
// its home, a pipe or a device is no file.
func (c *Cage) Read(name string) (io.ReadCloser, error) {
	info, err := c.root.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", name, c.opts.Name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fault.Invalid("read %s of %s: it is not a regular file", name, c.opts.Name)
	}
	f, err := c.root.OpenFile(name, os.O_RDONLY|nonblock, 0) // a pipe that took its place meanwhile must not hold us
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", name, c.opts.Name, err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil, fault.Invalid("read %s of %s: it is not a regular file", name, c.opts.Name)
	}
	return f, nil
}

// Call is one run of the program. Nothing in Args is looked at: the caller has checked and printed it.
type Call struct {
	Args    []string
	Env     []string      // besides Environment
	Dir     string        // "" = the home
	Stdin   []byte        // nil = the null device
	Stdout  io.Writer     // nil = thrown away; an error of it ends the program
	Stderr  io.Writer     // as it comes; errors carry its end in any case
	Timeout time.Duration // 0 = none
	// Codes are exit codes other than 0 that are no failure.
	Codes []int
}

// ErrTimeout says that a program was ended because Call.Timeout had passed.
var ErrTimeout = fault.Unavailable("it did not finish in time")

// Run starts the program in a process group of its own and waits until nobody of that group is left. When ctx ends or the
// time is up, the group gets SIGINT and after 1.2 s SIGKILL. When we die, the kernel kills the program (Linux, Windows). The errors
// are ctx's, ErrTimeout, the writer's own, and fault.Unavailable with the program's own words when it fails.
func (c *Cage) Run(ctx context.Context, call Call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	if call.Timeout > 0 {
		inner, cancel = context.WithTimeout(inner, call.Timeout)
		defer cancel()
	}
	cmd, out, words := c.command(call, cancel)
	err := runInGroup(inner, cmd, c.opts)
	switch {
	case out.failed() != nil:
		return fmt.Errorf("write what %s reports: %w", c.opts.Name, out.failed())
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(inner.Err(), context.DeadlineExceeded):
		return fault.Unavailable("%s: %w (%s)", c.opts.Name, ErrTimeout, call.Timeout)
	case err != nil && !allowed(err, call.Codes):
		return fault.Unavailable("%s: %w%s", c.opts.Name, err, words.said())
	}
	return nil
}

func (c *Cage) command(call Call, giveUp func()) (*exec.Cmd, *output, *words) {
	cmd := exec.Command(c.opts.Path, call.Args...) //nolint:noctx // a context would end the program, and not its group
	cmd.Env = slices.Concat(Environment, []string{"HOME=" + c.home, "TMPDIR=" + c.home, "XDG_CONFIG_HOME=" + c.home,
		"XDG_CACHE_HOME=" + c.home, "XDG_DATA_HOME=" + c.home}, environment(c.home), call.Env)
	cmd.Dir = call.Dir
	if cmd.Dir == "" {
		cmd.Dir = c.home
	}
	if call.Stdin != nil {
		cmd.Stdin = bytes.NewReader(call.Stdin)
	}
	out, complaint := &output{w: call.Stdout, giveUp: giveUp}, &words{}
	cmd.Stdout, cmd.Stderr = out, io.Writer(complaint)
	if call.Stderr != nil {
		cmd.Stderr = io.MultiWriter(complaint, call.Stderr)
	}
	cmd.WaitDelay = killAfter // a grandchild that holds the pipe open does not hold us
	cmd.SysProcAttr = attributes(c.as, c.opts.Rights)
	return cmd, out, complaint
}

// allowed also takes a program for well ended whose children held its output open: they are gone by now.
func allowed(err error, codes []int) bool {
	if errors.Is(err, exec.ErrWaitDelay) {
		return true
	}
	var exit *exec.ExitError
	return errors.As(err, &exit) && slices.Contains(codes, exit.ExitCode())
}

// Find gives the program's path: the configured one, else the first of names in PATH. What is missing is
// fault.Unavailable and says how to get it.
func Find(configured string, names []string, install string) (string, error) {
	if configured != "" {
		info, err := os.Stat(configured)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "", fault.Unavailable("there is no %s, where the configuration says that %s is: %s", configured, names[0], install)
		case err != nil:
			return "", fault.Unavailable("look at %s: %w", names[0], err)
		case info.IsDir() || info.Mode()&0o111 == 0 && executableBits:
			return "", fault.Unavailable("%s is not a program", configured)
		}
		return configured, nil
	}
	for _, name := range names {
		path, err := exec.LookPath(name)
		switch {
		case errors.Is(err, exec.ErrNotFound):
			continue
		case err != nil:
			return "", fault.Unavailable("look up %s: %w", name, err)
		}
		return filepath.Abs(path)
	}
	return "", fault.Unavailable("%s is not installed: %s", names[0], install)
}

// Version starts the program with args, at most 10 s, and gives the first group of pattern in what it says on either
// stream; fault.Unavailable when it says nothing like that. Exit codes do not count: some programs print their version and
// fail.
func Version(ctx context.Context, opts Options, args []string, pattern *regexp.Regexp) (version string, err error) {
	c, err := Open(opts)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	said := &bounded{left: maxVersion}
	err = c.Run(ctx, Call{Args: args, Stdout: said, Stderr: said, Timeout: versionWithin})
	if m := pattern.FindSubmatch(said.bytes()); m != nil {
		return string(m[1]), nil
	}
	if err != nil {
		return "", fault.Unavailable("ask %s for its version: %w", opts.Path, err)
	}
	return "", fault.Unavailable("%s does not say that it is %s", opts.Path, opts.Name)
}

// AtLeast compares versions of dotted numbers: "2.10" is later than "2.9". What is no number counts as 0.
func AtLeast(version, want string) bool {
	a, b := strings.Split(version, "."), strings.Split(want, ".")
	for i := range max(len(a), len(b)) {
		if x, y := number(a, i), number(b, i); x != y {
			return x > y
		}
	}
	return true
}

func number(parts []string, i int) int {
	n := 0
	if i < len(parts) {
		for _, r := range parts[i] {
			if r < '0' || r > '9' || n > 1<<20 {
				break
			}
			n = 10*n + int(r-'0')
		}
	}
	return n
}
