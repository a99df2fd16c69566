package scantest

import (
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

// Large is a report that is made while it is read: Head, items until Size bytes are reached, Tail. It is an io.Reader.
type Large struct {
	Head string
	Item func(n int) string // the n-th, from 0, with what separates it from the one before
	Tail string
	Size int

	Items int // how many were made

	rest  string
	given int
	state int
}

// Read implements io.Reader.
func (l *Large) Read(p []byte) (int, error) {
	if l.rest == "" {
		switch {
		case l.state == 0:
			l.rest, l.state = l.Head, 1
		case l.state == 1 && l.given < l.Size:
			l.rest = l.Item(l.Items)
			l.Items++
		case l.state == 1:
			l.rest, l.state = l.Tail, 2
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	l.given += n
	return n, nil
}

// maxHeap is what reading a report may take, whatever its size.
const maxHeap = 100 << 20

// Bounded reads a large report and checks that every item of it, and extra records besides, is in the ledger, that it took
// no more than 100 MB of memory, and tells how fast it went.
func Bounded(t *testing.T, s Reader, l *Large, perItem, extra int) {
	t.Helper()
	runtime.GC()
	w := &watched{r: l}
	records, start := 0, time.Now()
	err := s.Read(t.Context(), w, func(e finding.Event) error {
		records += scan.Records(e)
		return nil
	})
	w.look()
	if err != nil {
		t.Fatal(err)
	}
	if want := l.Items*perItem + extra; records != want {
		t.Errorf("%d records of %d", records, want)
	}
	if w.peak > maxHeap {
		t.Errorf("reading %d MB took %d MB of memory", l.given>>20, w.peak>>20)
	}
	seconds := time.Since(start).Seconds()
	t.Logf("%d MB, %d records, %.0f MB/s, at most %d MB of memory", l.given>>20, records, float64(l.given)/1e6/seconds, w.peak>>20)
}

// watched looks at the memory in use after every megabyte.
type watched struct {
	r    io.Reader
	n    int
	peak uint64
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if w.n += n; w.n > 1<<20 {
		w.n = 0
		w.look()
	}
	return n, err
}

func (w *watched) look() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.peak = max(w.peak, m.HeapAlloc)
}
