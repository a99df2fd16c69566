//go:build unix && !linux

package storetest

import "syscall"

// diesWithUs is known to Linux only; elsewhere a killed test process leaves its server behind.
func diesWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
