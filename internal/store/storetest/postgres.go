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

// aptLine is what a reader of the failure must type.
const aptLine = "apt-get install -y postgresql"

// server is the one PostgreSQL of this test process, started by the first test that needs it and stopped by Main.
var server struct {
	once    sync.Once
	err     error
	process *exec.Cmd
	dir     string
	names   int
	mu      sync.Mutex
}

// Main runs the package's tests and stops the PostgreSQL that they started. Call it from TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	stop()
	return code
}

// Postgres returns the URL of a fresh database on a real PostgreSQL, dropped when the test ends. Without the server's
// binaries the test fails with the line that installs them, or is skipped when TEST_POSTGRES=off.
func Postgres(t testing.TB) string {
	t.Helper()
	if os.Getenv("TEST_POSTGRES") == "off" {
		t.Skip("TEST_POSTGRES=off")
	}
	server.once.Do(func() { server.err = start() })
	if server.err != nil {
		t.Fatal(server.err)
	}
	server.mu.Lock()
	server.names++
	name := fmt.Sprintf("t%d", server.names)
	server.mu.Unlock()
	admin(t, `CREATE DATABASE `+name)
	t.Cleanup(func() { admin(t, `DROP DATABASE `+name+` WITH (FORCE)`) })
	return serverURL(name)
}

func admin(t testing.TB, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", serverURL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // a test's connection
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func serverURL(database string) string {
	return "postgres://patchscout@/" + database + "?host=" + url.QueryEscape(server.dir)
}

// start makes a cluster in a temporary folder that listens on a socket there and nowhere else.
func start() error {
	bin, err := binaries()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return err
	}
	server.dir = dir
	account, err := unprivileged(dir)
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	// No context ends these: the server must outlive the test that needed it first.
	initdb := exec.CommandContext(context.Background(), filepath.Join(bin, "initdb"), "-D", data, "-U", "patchscout",
		"-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = &syscall.SysProcAttr{Credential: account.Credential}, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	logFile, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer logFile.Close()
	// The data is thrown away, so durability is off.
	process := exec.CommandContext(context.Background(), filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=64MB", "-c", "max_connections=200")
	process.SysProcAttr, process.Dir = account, dir
	process.Stdout, process.Stderr = logFile, logFile
	if err := startPinned(process); err != nil {
		return err
	}
	server.process = process
	return await(dir)
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

func await(dir string) error {
	db, err := sql.Open("pgx", serverURL("postgres"))
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
			out, _ := os.ReadFile(filepath.Join(dir, "log"))
			stop()
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
		return "", errors.New("PostgreSQL's binaries are not installed: run `" + aptLine + "`, or set TEST_POSTGRES=off")
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

// stop ends the server that this process started (SIGINT is PostgreSQL's fast shutdown) and removes its folder.
func stop() {
	if server.process != nil {
		_ = server.process.Process.Signal(syscall.SIGINT)
		_ = server.process.Wait()
		server.process = nil
	}
	if server.dir != "" {
		_ = os.RemoveAll(server.dir)
	}
}
