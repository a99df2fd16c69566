package cli

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/report"
)

// bar is a progress bar on stderr, drawn on a terminal only. All methods are safe for concurrent use, and on a bar
// that is not drawn.
type bar struct {
	mu   sync.Mutex
	draw *progressbar.ProgressBar
	done bool
}

// steps is how finely the bar moves: a thousandth.
const steps = 1000

func (e *environment) bar(cfg config.Config, title string) *bar {
	file, ok := e.stderr.(*os.File)
	if !ok || !cfg.Progress || !term.IsTerminal(int(file.Fd())) {
		return &bar{}
	}
	return &bar{draw: newBar(file, title)}
}

func newBar(w io.Writer, title string) *progressbar.ProgressBar {
	return progressbar.NewOptions(steps,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(title),
		progressbar.OptionSetWidth(24),
		progressbar.OptionThrottle(80*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "=", SaucerHead: ">", SaucerPadding: " ", BarStart: "[", BarEnd: "]"}),
	)
}

// set moves the bar to percent (0..100) and says what is going on.
func (b *bar) set(percent float64, what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.draw == nil || b.done {
		return
	}
	b.draw.Describe(report.Plain(what))
	_ = b.draw.Set(int(min(max(percent, 0), 100) * steps / 100 * 0.999)) // full would end it; a bar that cannot be drawn is no error
}

// finish takes the bar away, so that the result begins on a clean line.
func (b *bar) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.draw == nil || b.done {
		return
	}
	b.done = true
	_ = b.draw.Clear()
	_ = b.draw.Close()
}
