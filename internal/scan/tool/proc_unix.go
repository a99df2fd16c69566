//go:build unix

package tool

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

const (
	nonblock       = syscall.O_NONBLOCK
	executableBits = true
	searchPath     = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// environment is what programs need besides on this system.
func environment(string) []string { return nil }

// attributes put the program into a session, hence a group, of its own: it has no terminal to read keys from.
func attributes(as *User, rights Rights) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if as != nil {
		attr.Credential = &syscall.Credential{Uid: as.UID, Gid: as.GID} // no further groups
		if rights == Raw {
			keepRawSockets(attr)
		}
	}
	dieWithUs(attr)
	return attr
}

// runInGroup starts cmd as the leader of a process group, waits for it, and leaves nobody of the group behind.
//
// The goroutine keeps its thread from Start to Wait: on Linux the kernel sends the parent-death signal when the
// thread that started the child ends, and Go ends idle threads.
func runInGroup(ctx context.Context, cmd *exec.Cmd, opts Options) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begun := limited(cmd, opts)
	if err := cmd.Start(); err != nil {
		return err
	}
	begun(cmd.Process.Pid)
	ended, stopped := make(chan struct{}), make(chan struct{})
	group := -cmd.Process.Pid
	go func() {
		defer close(stopped)
		select {
		case <-ctx.Done():
			stop(ended, func() { _ = syscall.Kill(group, syscall.SIGINT) }, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
		case <-ended:
		}
	}()
	err := cmd.Wait()
	close(ended)
	<-stopped
	_ = syscall.Kill(group, syscall.SIGKILL) // nothing of ours is left in it, or it is gone
	return err
}

// identity decides as whom a program runs, and says so. Only root can change that, and only to somebody who may read and
// start the program.
func identity(opts Options) (*User, string) {
	if os.Geteuid() != 0 {
		return nil, fmt.Sprintf("the user of this process (%d)", os.Geteuid())
	}
	if opts.Rights == Caller {
		return nil, "root"
	}
	if opts.Rights == Raw && !canKeepRawSockets {
		return nil, "root: this system cannot give up everything but raw sockets"
	}
	user := opts.User
	if user == (User{}) {
		user = Nobody
	}
	for _, path := range append([]string{opts.Path, os.TempDir()}, opts.Reads...) {
		if reason := user.cannotReach(path); reason != "" {
			return nil, fmt.Sprintf("root: %d:%d %s", user.UID, user.GID, reason)
		}
	}
	return &user, fmt.Sprintf("%d:%d", user.UID, user.GID)
}

// cannotReach says why a user without groups cannot read (and enter or start, where anybody can) a path, "" if he can.
func (u User) cannotReach(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "cannot reach " + path
	}
	walk := "/"
	for _, part := range strings.Split(strings.Trim(real, "/"), "/") {
		if !u.may(walk, 0o1) {
			return "cannot enter " + walk
		}
		walk = filepath.Join(walk, part)
	}
	info, err := os.Stat(real)
	if err != nil || !u.may(real, 0o4) || info.Mode()&0o111 != 0 && !u.may(real, 0o1) {
		return "cannot read " + real
	}
	return ""
}

// may looks at the permission bits (4 read, 1 enter or start) that count for the user.
func (u User) may(path string, bit os.FileMode) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	mode := info.Mode().Perm()
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		switch {
		case st.Uid == u.UID:
			mode >>= 6
		case st.Gid == u.GID:
			mode >>= 3
		}
	}
	return mode&bit != 0
}
