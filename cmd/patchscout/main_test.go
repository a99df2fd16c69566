package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/patchscout/patchscout/internal/cli"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// runAsCommand makes the test binary the command itself, for tests that need a real process to signal.
const runAsCommand = "TEST_RUN_AS_PATCHSCOUT"

func command() { os.Exit(cli.Main(os.Args[1:], "v0.0.0-test")) }

func TestMain(m *testing.M) {
	if os.Getenv(runAsCommand) != "" {
		command()
	}
	testscript.Main(withPostgres{m}, map[string]func(){"patchscout": command})
}

// withPostgres stops the server that a test may have started.
type withPostgres struct{ m *testing.M }

func (w withPostgres) Run() int { return storetest.Main(w.m) }

// The transcripts show the command as a user types it: testdata/script/*.txtar.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, ".data"))
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, ".config"))
			return os.CopyFS(filepath.Join(env.WorkDir, "feeds"), os.DirFS(filepath.Join("testdata", "feeds")))
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"greet": greet,
			"code":  code,
			"made":  made,
		},
	})
}

// greet VAR TEXT... starts a server on a free loopback port that says TEXT (with Go's escapes) to whoever connects; its
// port is in $VAR. A text that begins with HTTP/ is said after the request.
func greet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: greet VAR TEXT")
	}
	text := strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\x1b`, "\x1b", `\x00`, "\x00").Replace(strings.Join(args[1:], " "))
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answer(conn, text)
		}
	}()
}

func answer(conn net.Conn, text string) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	if strings.HasPrefix(text, "HTTP/") {
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if strings.TrimSpace(line) == "" {
				break
			}
		}
	}
	fmt.Fprint(conn, text)
	if !strings.HasPrefix(text, "HTTP/") {
		_, _ = in.ReadString(0) // until the other side has heard enough
	}
}

// code N patchscout ARGS... runs the command and wants exit code N; its output is for stdout and stderr checks.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND ARGS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}
