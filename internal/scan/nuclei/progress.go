package nuclei

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
)

// meter reads what Nuclei writes to its standard error: a line of statistics a second, and which targets it gave up.
type meter struct {
	progress func(scan.Progress)
	groups   int // calls of Nuclei in all

	mu      sync.Mutex
	done    int // calls that ended
	targets int // of this call
	pet     func()
	rest    []byte
	shown   float64
	last    statistics
	seen    bool
	skipped []string
}

// statistics are Nuclei's -stats-json; its numbers are strings.
type statistics struct{ percent, requests, total, errors, templates, rps int }

func (m *meter) begin(targets int, pet func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.targets, m.pet, m.rest, m.last, m.seen, m.skipped = targets, pet, nil, statistics{}, false, nil
}

// Write never fails: progress is not worth a scan.
func (m *meter) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rest = append(m.rest, p...)
	for {
		line, rest, ok := cutLine(m.rest)
		if !ok {
			break
		}
		m.line(string(line))
		m.rest = rest
	}
	if len(m.rest) > 64<<10 {
		m.rest = nil
	}
	m.rest = slices.Clone(m.rest)
	return len(p), nil
}

var givenUp = regexp.MustCompile(`(?i)Skipped (\S+) from target list as found unresponsive`)

// maxSkipped bounds what is kept: a /16 of web servers.
const maxSkipped = 65536

func (m *meter) line(line string) {
	if found := givenUp.FindStringSubmatch(line); found != nil {
		if _, addr, port := endpoint(found[1]); addr.IsValid() && port != 0 && len(m.skipped) < maxSkipped {
			m.skipped = append(m.skipped, addrPort(addr.String(), port))
		}
		return
	}
	at := strings.IndexByte(line, '{')
	if at < 0 || !strings.Contains(line, `"percent"`) && !strings.Contains(line, `"requests"`) {
		return
	}
	var raw map[string]any
	if json.Unmarshal([]byte(line[at:]), &raw) != nil {
		return
	}
	now := statistics{count(raw["percent"]), count(raw["requests"]), count(raw["total"]), count(raw["errors"]), count(raw["templates"]), count(raw["rps"])}
	if !m.seen || now.requests != m.last.requests {
		m.pet()
	}
	m.last, m.seen = now, true
	m.show()
}

func addrPort(addr string, port uint16) string {
	if strings.Contains(addr, ":") {
		addr = "[" + addr + "]"
	}
	return addr + ":" + strconv.Itoa(int(port))
}

// count reads a number that may be written as a string.
func count(v any) int {
	switch v := v.(type) {
	case string:
		f, err := strconv.ParseFloat(v, 64)
		if err == nil && f > 0 && f < 1<<50 {
			return int(f)
		}
	case float64:
		if v > 0 && v < 1<<50 {
			return int(v)
		}
	}
	return 0
}

// show never goes back, and keeps 100 for the end: Nuclei adds requests while it runs, and counts more than it planned.
func (m *meter) show() {
	percent := float64(min(m.last.percent, 99))
	m.shown = max(m.shown, min((100*float64(m.done)+percent)/float64(max(1, m.groups)), 99))
	p := scan.Progress{Scanner: Name, Stage: "web", Percent: m.shown, Done: m.last.requests, Total: max(m.last.total, m.last.requests)}
	if left := m.last.total - m.last.requests; left > 0 && m.last.rps > 0 && m.done == m.groups-1 {
		p.ETA = time.Duration(left/m.last.rps) * time.Second
	}
	m.progress(p)
}

// end judges the statistics of a run that ended well: one that asked nothing, or was never answered, saw nothing.
func (m *meter) end() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done++
	switch {
	case m.seen && m.last.requests == 0:
		return fault.Unavailable("nuclei asked nothing: no template fits, or no target is left")
	case m.seen && m.last.errors >= m.last.requests:
		return fault.Unavailable("nuclei got no answer: %d of %d requests failed", m.last.errors, m.last.requests)
	case len(m.skipped) > 0 && len(slices.Compact(slices.Sorted(slices.Values(m.skipped)))) >= m.targets:
		return fault.Unavailable("nuclei gave up all %d targets: they stopped answering", m.targets)
	}
	m.last.percent = 0
	m.show()
	return nil
}

func (m *meter) skippedTargets() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(m.skipped)))
}

func (m *meter) finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shown = 100
	m.progress(scan.Progress{Scanner: Name, Stage: "web", Percent: 100, Done: m.last.requests, Total: m.last.requests})
}
