package nikto

import (
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/tool"
)

// usual is how long Nikto takes for a server that answers at once; longer ones come nearer to their end without reaching it.
const usual = 2 * time.Minute

// meter watches what one Nikto prints. It has no percentage of its own: a port's share grows with time, is marked by each
// item, and is full when the port is done.
type meter struct {
	r     *runner
	began time.Time

	mu    sync.Mutex
	rest  []byte
	quit  bool   // Nikto said that it gives up
	words string // the last line
}

// gives up: its own limits, too many errors.
var givesUp = regexp.MustCompile(`(?i)ERROR: (Error limit|Host maximum execution time)|giving up|Scan terminated`)

func (m *meter) Write(p []byte) (int, error) {
	m.mu.Lock()
	m.rest = append(m.rest, p...)
	for {
		i := strings.IndexByte(string(m.rest), '\n')
		if i < 0 {
			break
		}
		m.line(string(m.rest[:i]))
		m.rest = m.rest[i+1:]
	}
	if len(m.rest) > 8<<10 {
		m.rest = nil
	}
	m.mu.Unlock()
	m.r.show()
	return len(p), nil
}

func (m *meter) line(line string) {
	if text := strings.Trim(line, "- \t\r"); text != "" && !strings.Contains(line, "host(s) tested") {
		m.words = tool.Line(text)
	}
	m.quit = m.quit || givesUp.MatchString(line)
}

func (m *meter) gaveUp() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.quit
}

func (m *meter) last() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.words == "" {
		return "it said nothing"
	}
	return m.words
}

func (m *meter) share(now time.Time) float64 {
	took := now.Sub(m.began)
	return 0.95 * float64(took) / float64(took+usual)
}

// start begins a port's share, end fills it.
func (r *runner) start() *meter {
	m := &meter{r: r, began: time.Now()}
	r.mu.Lock()
	r.running = append(r.running, m)
	r.mu.Unlock()
	r.show()
	return m
}

func (r *runner) end(m *meter) {
	r.mu.Lock()
	for i := range r.running {
		if r.running[i] == m {
			r.running = append(r.running[:i], r.running[i+1:]...)
			break
		}
	}
	r.done++
	r.mu.Unlock()
	r.show()
}

// show never goes back, and keeps 100 for the end.
func (r *runner) show() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, ports := time.Now(), float64(r.done)
	for _, m := range r.running {
		ports += m.share(now)
	}
	r.shown = max(r.shown, min(100*ports/float64(max(1, len(r.tasks))), 99))
	p := scan.Progress{Scanner: Name, Stage: "web", Percent: r.shown, Done: r.done, Total: len(r.tasks)}
	if took := now.Sub(r.began); r.done > 0 && r.done < len(r.tasks) {
		p.ETA = (took / time.Duration(r.done) * time.Duration(len(r.tasks)-r.done)).Round(time.Second)
	}
	r.progress(p)
}
