package storetest

import "syscall"

// diesWithUs makes the server end when this test process does, even when that is killed or panics. The signal is
// SIGQUIT, PostgreSQL's immediate shutdown. It is tied to the thread that starts the server; see start.
func diesWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT} }
