//go:build unix

package main

import (
	"os"
	"syscall"
	"time"
)

// cpuOfUs is what this process has worked, which a busy machine changes less than it does the time on the wall.
func cpuOfUs() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakOf is the most memory that an ended process had, in bytes.
func peakOf(ended *os.ProcessState) float64 {
	if r, ok := ended.SysUsage().(*syscall.Rusage); ok {
		return float64(r.Maxrss) * 1024 // Linux counts KiB
	}
	return 0
}
