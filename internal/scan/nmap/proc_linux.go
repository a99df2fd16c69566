package nmap

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithUs has the kernel kill nmap when patchscout is killed itself and can stop nothing any more.
func dieWithUs(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// limit keeps a runaway nmap from eating the machine: 4 GiB of memory, no core file, no file of its own over 16 MiB.
// A limit that cannot be set is no reason not to scan.
func limit(pid int) {
	for resource, bytes := range map[int]uint64{unix.RLIMIT_AS: 4 << 30, unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: 16 << 20} {
		_ = unix.Prlimit(pid, resource, &unix.Rlimit{Cur: bytes, Max: bytes}, nil)
	}
}

// rawSockets says whether this process may open the sockets of a SYN scan.
func rawSockets() bool {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return false
	}
	unix.Close(fd)
	packet, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	unix.Close(packet)
	return true
}
