package jobtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/store"
)

// childVariable holds the order of a test binary that is to be a worker.
const childVariable = "JOBTEST_CHILD"

type order struct {
	DataDir, DatabaseURL string
	Limit                int
}

// child is a worker: its jobs of kind a run for ever. It says what happens, a word a line.
func child(impl Implementation, text string) int {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return complain(err)
	}
	ctx := context.Background()
	st, err := store.Open(ctx, store.Options{DataDir: o.DataDir, DatabaseURL: o.DatabaseURL})
	if err != nil {
		return complain(err)
	}
	handler := func(ctx context.Context, _ *job.Run) error {
		fmt.Println("begin")
		<-ctx.Done()
		if errors.Is(context.Cause(ctx), job.ErrLost) {
			fmt.Println("lost")
		}
		return nil // as if it had done its work
	}
	q, err := impl.New(ctx, st, o.DatabaseURL, Handlers{"a": handler}, job.Options{Limits: map[job.Kind]int{"a": o.Limit}, Worker: "victim"})
	if err != nil {
		return complain(err)
	}
	if err := q.Start(ctx); err != nil {
		return complain(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
	return 0
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// process is a worker that runs in a process of its own.
type process struct {
	b   *bench
	cmd *exec.Cmd

	mu    sync.Mutex
	words map[string]int
}

func (b *bench) worker(limit int) *process {
	b.Helper()
	opts := b.engine.Options()
	text, err := json.Marshal(order{DataDir: opts.DataDir, DatabaseURL: opts.DatabaseURL, Limit: limit})
	if err != nil {
		b.Fatal(err)
	}
	p := &process{b: b, words: map[string]int{}, cmd: exec.CommandContext(b.Context(), os.Args[0])}
	p.cmd.Env = append(os.Environ(), childVariable+"="+string(text))
	stderr := &bytes.Buffer{}
	p.cmd.Stderr = stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	go p.listen(stdout)
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		if b.Failed() && stderr.Len() > 0 {
			b.Log("the worker said: " + stderr.String())
		}
	})
	return p
}

func (p *process) listen(from io.Reader) {
	for lines := bufio.NewScanner(from); lines.Scan(); {
		p.mu.Lock()
		p.words[strings.TrimSpace(lines.Text())]++
		p.mu.Unlock()
	}
}

func (p *process) await(word string, times int) {
	p.b.Helper()
	p.b.await(30*time.Second, "the worker says "+word, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.words[word] >= times
	})
}

func (p *process) signal(s os.Signal) {
	p.b.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.b.Fatal(err)
	}
}

func pass(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}
