//go:build unix && !linux

package nmap

import "syscall"

// dieWithUs needs Linux; elsewhere an nmap whose patchscout was killed outright ends with its scan.
func dieWithUs(*syscall.SysProcAttr) {}

func limit(int) {}

func rawSockets() bool { return true }
