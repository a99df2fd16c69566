package machine

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func openLock(t *testing.T, path string) *Lock {
	t.Helper()
	l, err := OpenLock(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestLocksKeepOthersAwayAndLetGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	a, b := openLock(t, path), openLock(t, path)
	step := func(what string, got, want error) {
		t.Helper()
		if !errors.Is(got, want) {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
	step("a shares", a.Try(false), nil)
	step("b shares too", b.Try(false), nil)
	step("b alone", b.Try(true), ErrLocked)
	step("b lets go", b.Unlock(), nil)
	step("a alone", a.Try(true), nil)
	step("a again", a.Try(true), nil)
	step("b shares beside a alone", b.Try(false), ErrLocked)
	step("a shares again", a.Try(false), nil)
	step("b shares beside a", b.Try(false), nil)
	step("a lets go", a.Unlock(), nil)
	step("a lets go twice", a.Unlock(), nil)
	step("b alone at last", b.Try(true), nil)
	step("b closes", b.Close(), nil)
	step("a after b closed", a.Try(true), nil)
	// A lock keeps nobody from the file's content.
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatalf("write a locked file: %v", err)
	}
}

func TestOnlyWeMayUseAFolderThatWasClosed(t *testing.T) {
	dir := t.TempDir()
	if err := CloseFolder(dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, file} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if others, err := Others(path, info); err != nil || others != (Access{}) {
			t.Errorf("%s: others have %+v, %v", path, others, err)
		}
		if owner, mine, _ := Owner(path, info); !mine {
			t.Errorf("%s belongs to %s, not to %s", path, owner, Me())
		}
	}
}

func TestAnEndedProcessHasEnded(t *testing.T) {
	if Ended(os.Getpid()) {
		t.Error("this process has ended, it says")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if pid := cmd.Process.Pid; !Ended(pid) {
		t.Errorf("process %d, which has ended, runs, it says", pid)
	}
}

func TestRoomIsSomething(t *testing.T) {
	if n, err := Room(t.TempDir()); err != nil || n == 0 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestRenameTakesTheNameOver(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	for _, path := range []string{from, to} {
		if err := os.WriteFile(path, []byte(path), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Sync(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(Rename(from, to), Sync(dir)); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(to); err != nil || string(b) != from {
		t.Errorf("%q, %v", b, err)
	}
	if err := Rename(from, to); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if n, err := Links(to); err != nil || n != 1 {
		t.Errorf("%d names, %v", n, err)
	}
}
