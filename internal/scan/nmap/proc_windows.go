package nmap

import (
	"context"
	"os/exec"
)

// runInGroup starts cmd and kills it when ctx ends. nmap for Windows starts no children.
func runInGroup(ctx context.Context, cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	ended, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-ctx.Done():
			stop(ended, func() {}, func() { cmd.Process.Kill() })
		case <-ended:
		}
	}()
	err := cmd.Wait()
	close(ended)
	<-stopped
	return err
}

func rawSockets() bool { return false }
