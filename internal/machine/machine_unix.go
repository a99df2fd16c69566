//go:build unix

package machine

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// take uses flock: a killed process leaves no lock behind.
func (l *Lock) take(want mode) error {
	how := syscall.LOCK_SH
	if want == exclusive {
		how = syscall.LOCK_EX
	}
	for {
		err := syscall.Flock(int(l.File.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			l.held = want
			return nil
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			l.held = free // the kernel has let go of it before it asked for the other kind
			return ErrLocked
		default:
			return err
		}
	}
}

func (l *Lock) drop() error { return syscall.Flock(int(l.File.Fd()), syscall.LOCK_UN) }

// Me is this process's user, as an owner is written.
func Me() string { return strconv.Itoa(os.Geteuid()) }

// Owner is the user to whom a file belongs, and whether that is this process's own; root says whether it is the one who
// may do everything. "" is not known.
func Owner(_ string, info fs.FileInfo) (name string, mine, root bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", false, false
	}
	return strconv.FormatUint(uint64(st.Uid), 10), int(st.Uid) == os.Geteuid(), st.Uid == 0
}

// Others is what the group and everybody else may do with a file.
func Others(_ string, info fs.FileInfo) (Access, error) {
	perm := info.Mode().Perm()
	return Access{Read: perm&0o055 != 0, Write: perm&0o022 != 0}, nil
}

// World is what everybody may do with a file who is not even in its group.
func World(_ string, info fs.FileInfo) (Access, error) {
	perm := info.Mode().Perm()
	return Access{Read: perm&0o005 != 0, Write: perm&0o002 != 0}, nil
}

// CloseFolder takes a folder away from everybody else.
func CloseFolder(path string) error { return os.Chmod(path, 0o700) }

// Ended says whether there is surely no process of this number.
func Ended(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	return errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// Room is how many bytes this process's user may still write on the disk that holds path.
func Room(path string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil //nolint:gosec,unconvert // its type differs by system, and it is positive
}

// Links is how many names a file has.
func Links(path string) (int, error) {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return 0, err
	}
	return int(st.Nlink), nil //nolint:unconvert // its type differs by system
}

// SameFileOpens says whether os.SameFile opens the files, which keeps others from replacing them meanwhile.
const SameFileOpens = false

// Sync writes a closed file, or what a folder lists, to the disk.
func Sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Rename gives a file another name, taking it from whatever has it. Sync its folder to make it last.
func Rename(from, to string) error { return os.Rename(from, to) }

// ReadFile reads a file that Rename may be replacing.
func ReadFile(path string) ([]byte, error) { return os.ReadFile(path) }

// InUse says whether an error means that a file cannot be removed or replaced because somebody has it open. Here nobody
// is in the way.
func InUse(error) bool { return false }
