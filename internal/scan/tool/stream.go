package tool

import (
	"io"
	"strings"
	"sync"
	"time"
)

// output remembers the writer's own error, which exec would report as the program's, and ends the program on it: nobody
// hears it any more.
type output struct {
	w      io.Writer
	giveUp func()

	mu  sync.Mutex
	err error
}

func (o *output) Write(p []byte) (int, error) {
	if o.w == nil {
		return len(p), nil
	}
	n, err := o.w.Write(p)
	if err != nil {
		o.mu.Lock()
		o.err = err
		o.mu.Unlock()
		o.giveUp()
	}
	return n, err
}

func (o *output) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// bounded keeps the first bytes of both streams and swallows the rest.
type bounded struct {
	mu   sync.Mutex
	left int
	b    []byte
}

func (b *bounded) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(p), b.left)
	b.b = append(b.b, p[:n]...)
	b.left -= n
	return len(p), nil
}

func (b *bounded) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b
}

// words keeps the end of what a program complained about.
type words struct {
	mu sync.Mutex
	b  []byte
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b = append(w.b, p...)
	if len(w.b) > maxWords {
		w.b = append([]byte(nil), w.b[len(w.b)-maxWords:]...)
	}
	return len(p), nil
}

// said is the complaint in one printable line.
func (w *words) said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := Line(strings.ReplaceAll(string(w.b), "QUITTING!", ""))
	if text == "" {
		return ""
	}
	return ": " + text
}

// Line is what a program said as one printable line of at most 500 bytes, its end: that is where the reason is.
func Line(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfffd {
			return '?'
		}
		return r
	}, text)
	if len(text) > 500 {
		text = strings.ToValidUTF8(text[len(text)-500:], "")
	}
	return text
}

// stop ends a process group: asked first, so that the program closes its report, then killed. Both may be called of a
// group that is gone.
func stop(ended <-chan struct{}, interrupt, kill func()) {
	interrupt()
	select {
	case <-ended:
	case <-time.After(killAfter):
	}
	kill() // also when the program itself has ended: whatever it left in its group goes with it
}
