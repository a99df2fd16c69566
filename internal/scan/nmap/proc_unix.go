//go:build unix

package nmap

import (
	"context"
	"os/exec"
	"runtime"
	"syscall"
)

// runInGroup starts cmd as the leader of a process group, waits for it, and leaves nobody of the group behind.
//
// The goroutine keeps its thread from Start to Wait: on Linux the kernel sends the parent-death signal when the
// thread that started the child ends, and Go ends idle threads.
func runInGroup(ctx context.Context, cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a group of its own, and no terminal to read keys from
	dieWithUs(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		return err
	}
	limit(cmd.Process.Pid)
	ended, stopped := make(chan struct{}), make(chan struct{})
	group := -cmd.Process.Pid
	go func() {
		defer close(stopped)
		select {
		case <-ctx.Done():
			stop(ended, func() { syscall.Kill(group, syscall.SIGINT) }, func() { syscall.Kill(group, syscall.SIGKILL) })
		case <-ended:
		}
	}()
	err := cmd.Wait()
	close(ended)
	<-stopped
	syscall.Kill(group, syscall.SIGKILL) // nothing of ours is left in it, or it is gone
	return err
}
