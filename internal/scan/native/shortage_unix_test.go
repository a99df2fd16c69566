//go:build unix

package native

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
)

// TestShortageOfDescriptors runs itself with room for few descriptors: every open port is still found.
func TestShortageOfDescriptorsIsNotSilence(t *testing.T) {
	if os.Getenv("PATCHSCOUT_TEST_FEW_FILES") == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestShortageOfDescriptorsIsNotSilence$", "-test.v")
		cmd.Env = append(os.Environ(), "PATCHSCOUT_TEST_FEW_FILES=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	var want []uint16
	for range 30 {
		want = append(want, listen(t, say("220 (vsFTPd 3.0.3)\r\n")))
	}
	// The servers above hold 30; their side of each connection counts here too.
	files := 64
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: uint64(files), Max: uint64(files)}); err != nil {
		t.Skip(err)
	}
	hog := shortOfFiles(t, 3)
	defer hog()
	r := runJob(t, jobFor(want...))
	for _, p := range want {
		if r.services[p].Product != "vsftpd" {
			t.Errorf("port %d: %+v", p, r.services[p])
		}
	}
}

// shortOfFiles opens files until only left are free, and gives them back after a second.
func shortOfFiles(t *testing.T, left int) (release func()) {
	var held []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		held = append(held, f)
	}
	for range min(left, len(held)) {
		held[len(held)-1].Close()
		held = held[:len(held)-1]
	}
	t.Logf("%d descriptors held", len(held))
	done := make(chan struct{})
	go func() {
		defer close(done)
		time.Sleep(time.Second)
		for _, f := range held {
			f.Close()
		}
	}()
	return func() { <-done }
}

// A full accept queue drops what comes, as a filter does.
func TestAPortThatSaysNothingIsNotCovered(t *testing.T) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	quiet, refused := uint16(name.(*syscall.SockaddrInet4).Port), closedPort(t)
	full := false
	for range 10 {
		c, err := net.DialTimeout("tcp4", fmt.Sprintf("127.0.0.1:%d", quiet), 200*time.Millisecond)
		if full = err != nil; full {
			break
		}
		defer c.Close()
	}
	if !full {
		t.Skip("this system takes every connection")
	}
	r := runJob(t, jobFor(quiet, refused))
	if len(r.coverage) != 1 || finding.Contains(r.coverage[0].Ports, quiet) || !finding.Contains(r.coverage[0].Ports, refused) {
		t.Errorf("covered %+v", r.coverage)
	}
}
