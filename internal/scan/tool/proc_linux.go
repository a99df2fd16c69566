package tool

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithUs has the kernel kill the program when patchscout is killed itself and can stop nothing any more. Go sets it
// behind the change of user, which would clear it.
func dieWithUs(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

const canKeepRawSockets = true

// keepRawSockets leaves CAP_NET_RAW, and nothing else of root's, to a program that runs as somebody else.
func keepRawSockets(attr *syscall.SysProcAttr) { attr.AmbientCaps = []uintptr{unix.CAP_NET_RAW} }

// limited keeps a runaway program from eating the machine: its memory, no core file, the size of its files. prlimit (of
// util-linux) sets them on itself and becomes the program, keeping pid and rights; we cannot set them on the program once
// it has another user, unless we have CAP_SYS_RESOURCE. A limit that cannot be set is no reason not to scan.
func limited(cmd *exec.Cmd, opts Options) (started func(pid int)) {
	limits := limitsOf(opts)
	const helper = "/usr/bin/prlimit"
	info, err := os.Stat(helper)
	if err != nil || !info.Mode().IsRegular() {
		return func(pid int) {
			for _, l := range limits {
				_ = unix.Prlimit(pid, l.resource, &unix.Rlimit{Cur: l.max, Max: l.max}, nil)
			}
		}
	}
	args := []string{helper}
	for _, l := range limits {
		args = append(args, "--"+l.name+"="+strconv.FormatUint(l.max, 10))
	}
	cmd.Args = slices.Concat(args, []string{"--", cmd.Path}, cmd.Args[1:])
	cmd.Path = helper
	return func(int) {}
}

type rlimit struct {
	resource int
	name     string
	max      uint64
}

func limitsOf(opts Options) []rlimit {
	memory, file := opts.Memory, uint64(max(opts.File, 0))
	if memory == 0 {
		memory = 4 << 30
	}
	if file == 0 {
		file = 16 << 20
	}
	return []rlimit{{unix.RLIMIT_AS, "as", memory}, {unix.RLIMIT_CORE, "core", 0}, {unix.RLIMIT_FSIZE, "fsize", file}}
}

// RawSockets says whether this process may open the sockets of a SYN scan.
func RawSockets() bool {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return false
	}
	_ = unix.Close(fd)
	packet, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	_ = unix.Close(packet)
	return true
}
