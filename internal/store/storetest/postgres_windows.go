package storetest

import (
	"errors"
	"testing"
)

// ErrNotInstalled says why there is no PostgreSQL: these servers listen on a socket in a folder, under an account of their
// own, and are stopped by signals.
var ErrNotInstalled = errors.New("PostgreSQL's tests run on Unix only")

// Main runs the package's tests.
func Main(m *testing.M) int { return m.Run() }

// Postgres skips the test.
func Postgres(t testing.TB) string {
	t.Helper()
	t.Skip(ErrNotInstalled)
	return ""
}

// Serve returns ErrNotInstalled.
func Serve(string) (url string, pid int, stop func(), err error) {
	return "", 0, nil, ErrNotInstalled
}

// Server is a PostgreSQL of one test's own; there is none here.
type Server struct{ URL string }

// NewServer returns ErrNotInstalled.
func NewServer(string) (*Server, error) { return nil, ErrNotInstalled }

// Halt returns ErrNotInstalled.
func (*Server) Halt() error { return ErrNotInstalled }

// Resume returns ErrNotInstalled.
func (*Server) Resume() error { return ErrNotInstalled }

// Stop does nothing: nothing was started.
func (*Server) Stop() {}
