package jobtest

import "syscall"

// There is no signal that stops a process for a while.
const (
	canFreeze = false
	freeze    = syscall.Signal(0)
	thaw      = syscall.Signal(0)
)
