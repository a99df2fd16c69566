package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// lockAt is where the locked byte is: far behind the end of every file, since a lock keeps others from reading and writing
// the bytes that it covers.
const lockAt = 1 << 30 // times 4 GiB

func lockRange() *windows.Overlapped { return &windows.Overlapped{OffsetHigh: lockAt} }

// take uses LockFileEx. The system lets go of it when the process ends, however that ends.
func (l *Lock) take(want mode) error {
	if l.held == shared { // our own shared lock would be in the way of the exclusive one
		if err := l.Unlock(); err != nil {
			return err
		}
	}
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if want == exclusive {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err := windows.LockFileEx(windows.Handle(l.File.Fd()), flags, 0, 1, 0, lockRange())
	switch {
	case errors.Is(err, windows.ERROR_LOCK_VIOLATION), errors.Is(err, windows.ERROR_IO_PENDING):
		return ErrLocked
	case err != nil:
		return err
	}
	was := l.held
	l.held = want
	if was == exclusive { // both are held: the first unlocking ends the exclusive one
		return l.drop()
	}
	return nil
}

func (l *Lock) drop() error {
	return windows.UnlockFileEx(windows.Handle(l.File.Fd()), 0, 1, 0, lockRange())
}

// Me is this process's user, as an owner is written.
func Me() string {
	me, err := self()
	if err != nil {
		return ""
	}
	return nameOf(me)
}

func self() (*windows.SID, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	return user.User.Sid, nil
}

func nameOf(sid *windows.SID) string {
	account, domain, _, err := sid.LookupAccount("")
	if err != nil {
		return sid.String()
	}
	return domain + `\` + account
}

// Owner is the user to whom a file belongs, and whether that is this process's own; root says whether it is one who may do
// everything. What an administrator makes belongs to all administrators, if the system is set so: then it is his own.
func Owner(path string, _ fs.FileInfo) (name string, mine, root bool) {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return unknown, false, false
	}
	owner, _, err := sd.Owner()
	if err != nil || owner == nil {
		return unknown, false, false
	}
	me, err := self()
	if err != nil {
		return unknown, false, false
	}
	root = almighty(owner)
	mine = owner.Equals(me)
	if !mine && owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) {
		member, err := windows.Token(0).IsMember(owner)
		mine = err == nil && member
	}
	return nameOf(owner), mine, root
}

// unknown is an owner that cannot be read: not we.
const unknown = "unknown"

// trustedInstaller owns the system's own files; it has no well-known number.
const trustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

// almighty are those who can take every file anyway.
func almighty(sid *windows.SID) bool {
	return sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) || sid.IsWellKnown(windows.WinLocalSystemSid) ||
		sid.String() == trustedInstaller
}

// What an entry of an access list must grant to count as reading and as writing. FILE_WRITE_DATA is adding a file to a
// folder, FILE_APPEND_DATA a folder; FILE_DELETE_CHILD has no name in the windows package (winnt.h).
const (
	reads  = windows.FILE_READ_DATA | windows.GENERIC_READ | windows.GENERIC_ALL
	writes = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER |
		windows.GENERIC_WRITE | windows.GENERIC_ALL | fileDeleteChild
	fileDeleteChild = 0x40
)

// Others is what the access list grants to anybody but us, administrators and the system. Denials are not taken off: what
// is granted to somebody counts.
func Others(path string, _ fs.FileInfo) (Access, error) {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return Access{}, fmt.Errorf("read the access list of %s: %w", path, err)
	}
	list, _, err := sd.DACL()
	if errors.Is(err, windows.ERROR_OBJECT_NOT_FOUND) || err == nil && list == nil {
		return Access{Read: true, Write: true}, nil // no list: everybody may everything
	}
	if err != nil {
		return Access{}, fmt.Errorf("read the access list of %s: %w", path, err)
	}
	me, err := self()
	if err != nil {
		return Access{}, err
	}
	var out Access
	for i := range uint32(list.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(list, i, &ace); err != nil {
			return Access{}, fmt.Errorf("read the access list of %s: %w", path, err)
		}
		out.add(ace, me)
	}
	return out, nil
}

func (a *Access) add(ace *windows.ACCESS_ALLOWED_ACE, me *windows.SID) {
	if ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 || ace.Header.AceType == windows.ACCESS_DENIED_ACE_TYPE {
		return
	}
	if ace.Header.AceType == windows.ACCESS_ALLOWED_ACE_TYPE {
		sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart)) //nolint:gosec // so the structure is declared (winnt.h)
		if sid.Equals(me) || almighty(sid) || sid.IsWellKnown(windows.WinCreatorOwnerRightsSid) {
			return
		}
	}
	// Entries of other kinds (with conditions) begin alike; whom they mean is not looked at.
	a.Read = a.Read || ace.Mask&reads != 0
	a.Write = a.Write || ace.Mask&writes != 0
}

// World is the same as Others: there is no group of a file.
func World(path string, info fs.FileInfo) (Access, error) { return Others(path, info) }

// CloseFolder gives a folder, and what is made in it from now on, to us, administrators and the system alone.
func CloseFolder(path string) error {
	me, err := self()
	if err != nil {
		return err
	}
	// P: nothing is inherited from above; OI, CI: files and folders in it inherit; FA: full access; BA, SY: the built-in
	// administrators and the system.
	sd, err := windows.SecurityDescriptorFromString("D:P(A;OICI;FA;;;" + me.String() + ")(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)")
	if err != nil {
		return err
	}
	list, _, err := sd.DACL()
	if err != nil {
		return err
	}
	return windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
}

// Ended says whether there is surely no process of this number.
func Ended(pid int) bool {
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid)) //nolint:gosec // a process's number fits
	if err != nil {
		return errors.Is(err, windows.ERROR_INVALID_PARAMETER) // there is none; another's is refused otherwise
	}
	defer windows.CloseHandle(process)                    //nolint:errcheck // it was only looked at
	event, err := windows.WaitForSingleObject(process, 0) // signalled once the process has ended and is still held by others
	return err == nil && event == windows.WAIT_OBJECT_0
}

// Room is how many bytes this process's user may still write on the disk that holds path.
func Room(path string) (uint64, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	var mine uint64
	if err := windows.GetDiskFreeSpaceEx(name, &mine, nil, nil); err != nil {
		return 0, err
	}
	return mine, nil
}

// Links is how many names a file has.
func Links(path string) (n int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info); err != nil {
		return 0, err
	}
	return int(info.NumberOfLinks), nil
}

// SameFileOpens says whether os.SameFile opens the files, which keeps others from replacing them meanwhile.
const SameFileOpens = true

// Sync writes a closed file to the disk. A folder cannot be written by itself: its journal has what was made in it when the
// file is synced, and Rename waits for the disk.
func Sync(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// othersFor is how long to wait for others: a reader, an indexer or a virus scanner has a file open for an instant, and so
// does who is just replacing it.
const othersFor = 5 * time.Second

// waiting does something again as long as others are in its way.
func waiting(do func() error) error {
	for end, pause := time.Now().Add(othersFor), time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		err := do()
		if !InUse(err) || time.Now().After(end) {
			return err
		}
		time.Sleep(pause)
	}
}

// Rename gives a file another name, taking it from whatever has it, and returns when that is on the disk. It cannot take
// the name of a file that somebody keeps open: InUse.
func Rename(from, to string) error {
	a, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	b, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	err = waiting(func() error {
		return windows.MoveFileEx(a, b, windows.MOVEFILE_REPLACE_EXISTING|windows.MOVEFILE_WRITE_THROUGH)
	})
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// ReadFile reads a file that Rename may be replacing.
func ReadFile(path string) (b []byte, err error) {
	err = waiting(func() error {
		b, err = os.ReadFile(path)
		return err
	})
	return b, err
}

// InUse says whether an error means that a file cannot be removed or replaced because somebody has it open.
func InUse(err error) bool {
	return is(err, windows.ERROR_SHARING_VIOLATION, windows.ERROR_ACCESS_DENIED, windows.ERROR_LOCK_VIOLATION, windows.ERROR_USER_MAPPED_FILE)
}
