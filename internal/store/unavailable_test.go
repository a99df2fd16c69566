//go:build unix

package store_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestPostgresThatStopsIsUnavailableAndIsFoundAgain(t *testing.T) {
	if os.Getenv("TEST_POSTGRES") == "off" {
		t.Skip("TEST_POSTGRES=off")
	}
	server, err := storetest.NewServer("gone")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	s, err := store.Open(t.Context(), store.Options{DatabaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := server.Halt(); err != nil {
		t.Fatal(err)
	}
	for range 3 { // the first ones find connections of the pool that are no more
		_, _, err := s.Generations(t.Context())
		if fault.KindOf(err) != fault.KindUnavailable || !strings.Contains(err.Error(), "PostgreSQL") || strings.Contains(err.Error(), "user=") {
			t.Fatalf("without a server: %v (%q)", err, fault.KindOf(err))
		}
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Generations(t.Context()); err != nil {
		t.Errorf("with the server back: %v", err)
	}
}

func TestPostgresThatIsAwayAtTheStartIsFoundLater(t *testing.T) {
	if os.Getenv("TEST_POSTGRES") == "off" {
		t.Skip("TEST_POSTGRES=off")
	}
	server, err := storetest.NewServer("late")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	if err := server.Halt(); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{DatabaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Init(t.Context()); fault.KindOf(err) != fault.KindUnavailable {
		t.Fatalf("%v", err)
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := s.Init(t.Context()); err != nil {
		t.Error(err)
	}
}

// The largest size of a file is a limit of the whole process, so it is another one that meets it.
func TestFullDiskIsUnavailableAndLeavesNothingHalfWritten(t *testing.T) {
	if dir := os.Getenv("STORE_FULL_DISK"); dir != "" {
		fillDisk(t, dir)
		return
	}
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, before, err := s.Generations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run", "^TestFullDiskIsUnavailableAndLeavesNothingHalfWritten$", "-test.v")
	child.Env = append(os.Environ(), "STORE_FULL_DISK="+dir)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, after, err := s.Generations(t.Context())
	if err != nil || after != before+1 {
		t.Errorf("generation %d, was %d (%v): want one more, by the write that succeeded", after, before, err)
	}
}

func fillDisk(t *testing.T, dir string) {
	s, err := store.Open(t.Context(), store.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 64 << 10, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	write := func() error { return s.Fill(t.Context(), 200<<10) }
	for range 3 {
		if err := write(); fault.KindOf(err) != fault.KindUnavailable {
			t.Errorf("a write on a full disk: %v (%q)", err, fault.KindOf(err))
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := write(); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestWritersThatWaitTooLongAreToldSo(t *testing.T) {
	if testing.Short() {
		t.Skip("waits ten seconds")
	}
	e := storetest.NewSQLite(t)
	s := e.Open(t)
	if err := s.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	held, stop := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.Hold(context.Background(), func() { close(held); <-stop })
	}()
	<-held
	defer close(stop)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	other := e.Open(t)
	err := other.Fill(ctx, 1)
	if fault.KindOf(err) != fault.KindUnavailable || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v (%q)", err, fault.KindOf(err))
	}
}

// A process that freezes while it writes does not keep the others from writing: PostgreSQL ends its transaction.
func TestAFrozenWriterIsPassed(t *testing.T) {
	if os.Getenv("TEST_LONG") == "" {
		t.Skip("PostgreSQL waits ten seconds: set TEST_LONG")
	}
	eng := storetest.NewPostgres(t)
	s, other := eng.Open(t), eng.Open(t)
	if _, err := other.Estate().Sites(t.Context(), auth.Everything()); err != nil {
		t.Fatal(err)
	}
	froze, thaw, over := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		over <- s.Estate().Update(context.Background(), func(*store.EstateTx) error {
			close(froze)
			<-thaw
			return nil
		})
	}()
	<-froze
	begin := time.Now()
	if err := other.Estate().AddLedger(t.Context(), finding.Ledger{Tool: "native"}, ""); fault.KindOf(err) == fault.KindUnavailable {
		t.Error(err)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("the other one waited %s", took)
	}
	close(thaw)
	if err := <-over; fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("the frozen one: %v", err)
	}
}
