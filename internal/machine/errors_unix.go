//go:build unix

package machine

import (
	"errors"
	"syscall"
)

// DiskTrouble says in words what an error of a file means for whoever writes, "" when it is none of these.
func DiskTrouble(err error) string {
	for _, e := range []struct {
		errno  syscall.Errno
		reason string
	}{
		{syscall.ENOSPC, "there is no room left on the disk"}, {syscall.EDQUOT, "the disk quota is used up"},
		{syscall.EFBIG, "a file has reached the largest size that is allowed"}, {syscall.EROFS, "the disk can only be read"},
		{syscall.EIO, "the disk does not work"}, {syscall.EMFILE, "too many files are open"}, {syscall.ENFILE, "too many files are open"},
	} {
		if errors.Is(err, e.errno) {
			return e.reason
		}
	}
	return ""
}

// DiskFull says whether a disk, or our share of it, has no room.
func DiskFull(err error) bool { return is(err, syscall.ENOSPC, syscall.EDQUOT) }

// Refused says whether the other side refused a connection: nobody listens there.
func Refused(err error) bool { return is(err, syscall.ECONNREFUSED) }

// Reset says whether the other side broke a connection off.
func Reset(err error) bool { return is(err, syscall.ECONNRESET) }

// Unreachable says whether the network reported that a host is not there.
func Unreachable(err error) bool { return is(err, syscall.EHOSTUNREACH, syscall.EHOSTDOWN) }

// TimedOut says whether the system gave a connection up.
func TimedOut(err error) bool { return is(err, syscall.ETIMEDOUT) }

// Shortage says whether a connection failed for want of something on this machine that will come back.
func Shortage(err error) bool {
	return is(err, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.EAGAIN)
}

// ReaderGone says whether the reader of a pipe went away.
func ReaderGone(err error) bool { return is(err, syscall.EPIPE) }

func is(err error, any ...syscall.Errno) bool {
	for _, errno := range any {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
