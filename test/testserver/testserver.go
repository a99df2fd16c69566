// Package testserver runs other people's servers for tests, from the files that the project's scripts got. They listen on
// this machine only and end with the test, however that ends.
package testserver

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Cached is a path below the folder that the scripts get files into.
func Cached(elements ...string) string {
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	return filepath.Join(append([]string{cache, "patchscout"}, elements...)...)
}

// FreePort is a port of 127.0.0.1 on which nobody listens.
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Run starts a server below a shell that ends it when its input is closed: that happens too when the test is killed. What it
// says goes to the file log, whose end tail returns; ended is closed when it is no more.
func Run(t testing.TB, log string, command ...string) (ended <-chan struct{}, tail func() string) {
	t.Helper()
	const keep = `exec 3<&0; "$@" </dev/null & pid=$!; (cat <&3 >/dev/null; kill $pid 2>/dev/null) & wait $pid; exec 3<&-`
	// No context ends it: that would kill the shell and leave the server.
	child := exec.CommandContext(context.Background(), "sh", append([]string{"-c", keep, "sh"}, command...)...)
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close() // the child has it
	child.Stdout, child.Stderr = out, out
	input, err := child.StdinPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = child.Wait() // what the server ends with says nothing of what was tested
	}()
	t.Cleanup(func() {
		input.Close()
		<-done
	})
	return done, func() string { return end(log) }
}

func end(log string) string {
	text, err := os.ReadFile(log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-3000):])
}
