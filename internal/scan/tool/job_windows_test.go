package tool

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/machine"
)

// childEnv makes this test program the one that is run: it starts a child of its own and both wait.
const childEnv = "TOOL_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "parent":
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childEnv+"=child")
		if err := child.Start(); err != nil {
			os.Exit(3)
		}
		os.Stdout.WriteString(strconv.Itoa(os.Getpid()) + " " + strconv.Itoa(child.Process.Pid) + "\n") //nolint:errcheck // the test waits for it
		time.Sleep(time.Minute)
	case "child":
		time.Sleep(time.Minute)
	default:
		os.Exit(m.Run())
	}
}

func TestNobodyOfAProgramIsLeft(t *testing.T) {
	cage, err := Open(Options{Name: "test", Path: os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	defer cage.Close()
	ctx, cancel := context.WithCancel(context.Background())
	said := &firstLine{line: make(chan string, 1)}
	ended := make(chan error, 1)
	go func() { ended <- cage.Run(ctx, Call{Env: []string{childEnv + "=parent"}, Stdout: said}) }()
	var line string
	select {
	case line = <-said.line:
	case err := <-ended:
		t.Fatalf("it ended: %v", err)
	}
	began := time.Now()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 2500*time.Millisecond {
		t.Errorf("it took %v to end", took)
	}
	for _, text := range strings.Fields(line) {
		pid, err := strconv.Atoi(text)
		if err != nil || !machine.Ended(pid) {
			t.Errorf("process %q still runs, %v", text, err)
		}
	}
}

type firstLine struct {
	bytes.Buffer
	line chan string
}

func (f *firstLine) Write(b []byte) (int, error) {
	n, err := f.Buffer.Write(b)
	if line, ok := strings.CutSuffix(f.String(), "\n"); ok {
		f.line <- strings.TrimSpace(line)
	}
	return n, err
}
