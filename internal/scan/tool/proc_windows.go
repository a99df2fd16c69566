package tool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

const (
	nonblock       = 0
	executableBits = false
)

// searchPath is where the system's own programs are; there are no usual folders of others.
var searchPath = filepath.Join(systemRoot(), "System32") + ";" + systemRoot()

// environment is what no Windows program runs without: sockets and random numbers come from libraries below SystemRoot.
func environment(home string) []string {
	return []string{"SystemRoot=" + systemRoot(), "SystemDrive=" + filepath.VolumeName(systemRoot()), "USERPROFILE=" + home, "APPDATA=" + home,
		"LOCALAPPDATA=" + home, "TEMP=" + home, "TMP=" + home}
}

func systemRoot() string {
	dir, err := windows.GetSystemWindowsDirectory()
	if err != nil {
		return `C:\Windows`
	}
	return dir
}

// attributes start the program without running it: it belongs to its job before its first instruction. A group of its own
// can be sent Ctrl-Break.
func attributes(*User, Rights) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.CREATE_SUSPENDED | windows.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}

func identity(Options) (*User, string) {
	if windows.GetCurrentProcessToken().IsElevated() {
		return nil, "an administrator: this system cannot give up his rights"
	}
	return nil, "the user of this process"
}

// runInGroup starts cmd in a job, waits for it, and leaves nobody of the job behind: a job holds all that its processes
// start, and ends with our handle of it, so also when we are killed.
func runInGroup(ctx context.Context, cmd *exec.Cmd, opts Options) error {
	group, err := newJob(opts)
	if err != nil {
		return fmt.Errorf("make a job for %s: %w", opts.Name, err)
	}
	defer windows.CloseHandle(group) //nolint:errcheck // which ends what is left in it
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := uint32(cmd.Process.Pid) //nolint:gosec // a process's number fits
	if err := release(group, pid); err != nil {
		return errors.Join(fmt.Errorf("put %s into its job: %w", opts.Name, err), cmd.Process.Kill(), cmd.Wait())
	}
	ended, stopped := make(chan struct{}), make(chan struct{})
	kill := func() { _ = windows.TerminateJobObject(group, 1) }
	go func() {
		defer close(stopped)
		select {
		case <-ctx.Done():
			// Ctrl-Break arrives where the program shares our console; a service has none, and goes on to the end of the time.
			stop(ended, func() { _ = windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, pid) }, kill)
		case <-ended:
		}
	}()
	err = cmd.Wait()
	close(ended)
	<-stopped
	kill()
	return err
}

// newJob makes a job whose processes end with it, may not leave it, have so much memory together, and show no window when
// they crash.
func newJob(opts Options) (windows.Handle, error) {
	group, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, err
	}
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | windows.JOB_OBJECT_LIMIT_JOB_MEMORY |
		windows.JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION
	memory := opts.Memory
	if memory == 0 {
		memory = 4 << 30
	}
	limits.JobMemoryLimit = uintptr(memory)
	_, err = windows.SetInformationJobObject(group, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits))) //nolint:gosec // so the call is declared
	if err != nil {
		return 0, errors.Join(err, windows.CloseHandle(group))
	}
	return group, nil
}

// release puts a suspended process into the job and lets it run.
func release(group windows.Handle, pid uint32) error {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, pid)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(process) //nolint:errcheck // it was only put away
	if err := windows.AssignProcessToJobObject(group, process); err != nil {
		return err
	}
	return resume(pid)
}

// resume lets the threads of a process run. One that was just started has a single one, of which os/exec keeps no handle.
func resume(pid uint32) error {
	list, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(list) //nolint:errcheck // it was only read
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	resumed := 0
	for err = windows.Thread32First(list, &entry); err == nil; err = windows.Thread32Next(list, &entry) {
		if entry.OwnerProcessID != pid {
			continue
		}
		if err := resumeThread(entry.ThreadID); err != nil {
			return err
		}
		resumed++
	}
	if resumed == 0 {
		return errors.Join(os.ErrProcessDone, err)
	}
	return nil
}

func resumeThread(id uint32) error {
	thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, id)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(thread) //nolint:errcheck // it runs without us
	_, err = windows.ResumeThread(thread)
	return err
}

// RawSockets says whether this process may open the sockets of a SYN scan: Windows leaves them to administrators.
func RawSockets() bool { return windows.GetCurrentProcessToken().IsElevated() }
