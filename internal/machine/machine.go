// Package machine is what differs from one operating system to the next: locks on files, who owns and may use a file,
// whether a process still runs, how much room a disk has, and what makes a change of a folder last. It promises the same on
// all of them or says that it cannot; it never decides what follows from an answer.
package machine

import (
	"errors"
	"os"
)

// ErrLocked says that somebody else holds a lock.
var ErrLocked = errors.New("the file is locked by another process")

// A Lock is a lock on an open file, shared or exclusive, that ends with its process however that ends. It is advisory: it
// keeps nobody from reading or writing the file. Two Locks of one process are as strangers to each other. It is not safe
// for concurrent use.
type Lock struct {
	File *os.File
	held mode
}

type mode int

const (
	free mode = iota
	shared
	exclusive
)

// OpenLock opens the file of a lock and makes it where it is missing, closed to others. It takes no lock yet.
func OpenLock(path string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &Lock{File: file}, nil
}

// Try takes the lock, or turns one that is held into the other kind, and returns ErrLocked at once where it cannot. What
// was held may then be lost.
func (l *Lock) Try(exclusively bool) error {
	want := shared
	if exclusively {
		want = exclusive
	}
	if l.held == want {
		return nil
	}
	return l.take(want)
}

// Unlock lets go of what is held.
func (l *Lock) Unlock() error {
	if l.held == free {
		return nil
	}
	if err := l.drop(); err != nil {
		return err
	}
	l.held = free
	return nil
}

// Close lets go and closes the file.
func (l *Lock) Close() error {
	l.held = free
	return l.File.Close()
}

// Access is who besides this process's user can use a file: somebody who could do everything anyway (root, on Windows
// administrators and the system) does not count.
type Access struct {
	Read, Write bool
}
