//go:build unix

package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql driver "pgx"
)

// ErrNotInstalled says what a reader of the failure must type.
var ErrNotInstalled = errors.New("PostgreSQL's binaries are not installed: run `apt-get install -y postgresql`")

// server is the one PostgreSQL of this test process, started by the first test that needs it and stopped by Main.
var server struct {
	cluster
	once  sync.Once
	err   error
	names int
	mu    sync.Mutex
}

// cluster is a PostgreSQL in a temporary folder.
type cluster struct {
	process  *exec.Cmd
	dir      string
	account  *syscall.SysProcAttr
	settings []string
}

// throwAway turns durability off, for data that nobody will miss.
var throwAway = []string{"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=64MB", "-c", "max_connections=200"}

// Main runs the package's tests and stops the PostgreSQL that they started. Call it from TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	server.stop()
	return code
}

// Postgres returns the URL of a fresh database on a real PostgreSQL, dropped when the test ends. Without the server's
// binaries the test fails with the line that installs them, or is skipped when TEST_POSTGRES=off.
func Postgres(t testing.TB) string {
	t.Helper()
	if os.Getenv("TEST_POSTGRES") == "off" {
		t.Skip("TEST_POSTGRES=off")
	}
	server.once.Do(func() { server.err = server.start(throwAway...) })
	if errors.Is(server.err, ErrNotInstalled) {
		t.Fatalf("%v, or set TEST_POSTGRES=off", server.err)
	}
	if server.err != nil {
		t.Fatal(server.err)
	}
	server.mu.Lock()
	server.names++
	name := fmt.Sprintf("t%d", server.names)
	server.mu.Unlock()
	admin(t, `CREATE DATABASE `+name)
	t.Cleanup(func() { admin(t, `DROP DATABASE `+name+` WITH (FORCE)`) })
	return server.url(name)
}

// Serve starts a PostgreSQL for a program that is no test, with the settings that PostgreSQL comes with, and makes an
// empty database in it. pid is the server's main process; stop ends it by that and removes its data, and may be called
// twice. The error is ErrNotInstalled without the server's binaries.
func Serve(database string) (url string, pid int, stop func(), err error) {
	c := &cluster{}
	if err := c.start(); err != nil {
		c.stop()
		return "", 0, nil, err
	}
	if err := c.admin(`CREATE DATABASE ` + database); err != nil {
		c.stop()
		return "", 0, nil, err
	}
	return c.url(database), c.process.Process.Pid, c.stop, nil
}

func admin(t testing.TB, statement string) {
	t.Helper()
	if err := server.admin(statement); err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) admin(statement string) error {
	db, err := sql.Open("pgx", c.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // a test's connection
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func (c *cluster) url(database string) string {
	return "postgres://patchscout@/" + database + "?host=" + url.QueryEscape(c.dir)
}

// start makes a cluster in a temporary folder that listens on a socket there and nowhere else.
func (c *cluster) start(settings ...string) error {
	bin, err := binaries()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return err
	}
	c.dir = dir
	account, err := unprivileged(dir)
	if err != nil {
		return err
	}
	c.account, c.settings = account, settings
	// No context ends these: the server must outlive the test that needed it first.
	initdb := exec.CommandContext(context.Background(), filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "patchscout",
		"-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = &syscall.SysProcAttr{Credential: account.Credential}, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return c.run(bin)
}

// run starts the server of a folder that is there.
func (c *cluster) run(bin string) error {
	logFile, err := os.Create(filepath.Join(c.dir, "log"))
	if err != nil {
		return err
	}
	defer logFile.Close()
	process := exec.CommandContext(context.Background(), filepath.Join(bin, "postgres"),
		append([]string{"-D", filepath.Join(c.dir, "data"), "-k", c.dir, "-c", "listen_addresses="}, c.settings...)...)
	process.SysProcAttr, process.Dir = c.account, c.dir
	process.Stdout, process.Stderr = logFile, logFile
	if err := startPinned(process); err != nil {
		return err
	}
	c.process = process
	return c.await()
}

// startPinned starts the server from a thread that lives as long as this process: the death signal is sent when the
// starting thread ends, and Go ends threads at will.
func startPinned(process *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		started <- process.Start()
		select {}
	}()
	return <-started
}

func (c *cluster) await() error {
	db, err := sql.Open("pgx", c.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // a test's connection
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			out, _ := os.ReadFile(filepath.Join(c.dir, "log"))
			c.stop()
			return fmt.Errorf("PostgreSQL did not come up: %w\n%s", err, out)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// binaries finds the newest installed version's folder.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		if path, err := exec.LookPath("postgres"); err == nil {
			return filepath.Dir(path), nil
		}
		return "", ErrNotInstalled
	}
	sort.Slice(found, func(i, j int) bool { return major(found[i]) < major(found[j]) })
	return filepath.Dir(found[len(found)-1]), nil
}

func major(path string) int {
	n, _ := strconv.Atoi(strings.Split(strings.TrimPrefix(path, "/usr/lib/postgresql/"), "/")[0])
	return n
}

// unprivileged returns how to start the server: as this user, or, since PostgreSQL refuses root, as another one that
// is given the folder.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	attr := diesWithUs()
	if os.Geteuid() != 0 {
		return attr, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return attr, os.Chown(dir, int(uid), int(gid))
	}
	return nil, errors.New("PostgreSQL cannot run as root and there is no user postgres or nobody")
}

// Server is a PostgreSQL of one test's own, which may be stopped and started.
type Server struct {
	URL string // of an empty database
	c   *cluster
}

// NewServer starts one. The error is ErrNotInstalled without the server's binaries.
func NewServer(database string) (*Server, error) {
	c := &cluster{}
	if err := c.start(throwAway...); err != nil {
		c.stop()
		return nil, err
	}
	if err := c.admin(`CREATE DATABASE ` + database); err != nil {
		c.stop()
		return nil, err
	}
	return &Server{URL: c.url(database), c: c}, nil
}

// Halt stops the server at once, with everybody's connections; Resume starts it on the same data.
func (s *Server) Halt() error {
	if err := s.c.process.Process.Signal(syscall.SIGINT); err != nil {
		return err
	}
	_ = s.c.process.Wait()
	s.c.process = nil
	return nil
}

// Resume see Halt.
func (s *Server) Resume() error {
	bin, err := binaries()
	if err != nil {
		return err
	}
	return s.c.run(bin)
}

// Stop ends it and removes its data.
func (s *Server) Stop() { s.c.stop() }

// stop ends the server that this process started (SIGINT is PostgreSQL's fast shutdown) and removes its folder.
func (c *cluster) stop() {
	if c.process != nil {
		_ = c.process.Process.Signal(syscall.SIGINT)
		_ = c.process.Wait()
		c.process = nil
	}
	if c.dir != "" {
		_ = os.RemoveAll(c.dir)
		c.dir = ""
	}
}
