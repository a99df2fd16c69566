package tool

import (
	"context"
	"os/exec"
	"syscall"
)

const (
	nonblock       = 0
	executableBits = false
)

func attributes(*User, Rights) *syscall.SysProcAttr { return nil }

func identity(Options) (*User, string) { return nil, "the user of this process" }

// runInGroup starts cmd and kills it when ctx ends. Windows has no process groups: a program's children end by
// themselves.
func runInGroup(ctx context.Context, cmd *exec.Cmd, _ Options) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	ended, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-ctx.Done():
			stop(ended, func() {}, func() { _ = cmd.Process.Kill() })
		case <-ended:
		}
	}()
	err := cmd.Wait()
	close(ended)
	<-stopped
	return err
}

// RawSockets says whether this process may open the sockets of a SYN scan.
func RawSockets() bool { return false }
