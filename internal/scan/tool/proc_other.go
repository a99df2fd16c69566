//go:build unix && !linux

package tool

import (
	"os/exec"
	"syscall"
)

// dieWithUs needs Linux; elsewhere a program whose patchscout was killed outright ends with its scan.
func dieWithUs(*syscall.SysProcAttr) {}

const canKeepRawSockets = false

func keepRawSockets(*syscall.SysProcAttr) {}

func limited(*exec.Cmd, Options) func(int) { return func(int) {} }

// RawSockets says whether this process may open the sockets of a SYN scan: it is asked of root only, who may.
func RawSockets() bool { return true }
