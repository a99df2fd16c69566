package machine

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

// The numbers are the system's own: syscall's ENOSPC, ECONNREFUSED and so on are names that it never gives.

// DiskTrouble says in words what an error of a file means for whoever writes, "" when it is none of these.
func DiskTrouble(err error) string {
	for _, e := range []struct {
		errno  syscall.Errno
		reason string
	}{
		{windows.ERROR_DISK_FULL, "there is no room left on the disk"}, {windows.ERROR_HANDLE_DISK_FULL, "there is no room left on the disk"},
		{windows.ERROR_DISK_QUOTA_EXCEEDED, "the disk quota is used up"},
		{windows.ERROR_FILE_SYSTEM_LIMITATION, "a file has reached the largest size that is allowed"},
		{windows.ERROR_WRITE_PROTECT, "the disk can only be read"}, {windows.ERROR_IO_DEVICE, "the disk does not work"},
		{windows.ERROR_CRC, "the disk does not work"}, {windows.ERROR_TOO_MANY_OPEN_FILES, "too many files are open"},
	} {
		if errors.Is(err, e.errno) {
			return e.reason
		}
	}
	return ""
}

// DiskFull says whether a disk, or our share of it, has no room.
func DiskFull(err error) bool {
	return is(err, windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED)
}

// Refused says whether the other side refused a connection: nobody listens there.
func Refused(err error) bool {
	return is(err, windows.WSAECONNREFUSED, windows.ERROR_CONNECTION_REFUSED)
}

// Reset says whether the other side broke a connection off.
func Reset(err error) bool {
	return is(err, windows.WSAECONNRESET, windows.ERROR_NETNAME_DELETED)
}

// Unreachable says whether the network reported that a host is not there.
func Unreachable(err error) bool {
	return is(err, windows.WSAEHOSTUNREACH, windows.WSAEHOSTDOWN, windows.ERROR_HOST_UNREACHABLE)
}

// TimedOut says whether the system gave a connection up.
func TimedOut(err error) bool { return is(err, windows.WSAETIMEDOUT, windows.ERROR_SEM_TIMEOUT) }

// Shortage says whether a connection failed for want of something on this machine that will come back.
func Shortage(err error) bool {
	return is(err, windows.WSAEMFILE, windows.WSAENOBUFS, windows.WSAEADDRNOTAVAIL, windows.WSAEADDRINUSE, windows.ERROR_NOT_ENOUGH_MEMORY)
}

// ReaderGone says whether the reader of a pipe went away.
func ReaderGone(err error) bool { return is(err, windows.ERROR_BROKEN_PIPE, windows.ERROR_NO_DATA) }

func is(err error, any ...syscall.Errno) bool {
	for _, errno := range any {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
