//go:build unix

package jobtest

import "syscall"

// Signals that stop a process for a while.
const (
	canFreeze = true
	freeze    = syscall.SIGSTOP
	thaw      = syscall.SIGCONT
)
