package nmap

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/scan"
)

// meter watches nmap's XML go by and says how far it is. nmap counts each task of each group of hosts from 0 to 100;
// hosts are done when their element closes.
type meter struct {
	progress func(scan.Progress)
	total    int // hosts of all calls

	before int // hosts of earlier calls
	batch  int // hosts of this call
	done   int // host elements of this call
	group  int // how many hosts the last group had: the guess for the next
	fresh  int // host elements since the last taskprogress
	shown  float64
	rest   []byte // the unfinished tag
}

func newMeter(hosts int, progress func(scan.Progress)) *meter {
	return &meter{total: hosts, progress: progress}
}

func (m *meter) begin(hosts int) {
	m.batch, m.done, m.fresh, m.rest = hosts, 0, 0, nil
	m.group = min(hosts, 5) // nmap's first group of a scan with -sV
}

func (m *meter) end() {
	m.before += m.batch
	m.show("done", float64(min(m.before, m.total)), 0)
}

// phases weighs nmap's tasks within a group by what they usually cost, in the order in which they come.
var phases = []struct {
	name       string
	stage      string
	from, upTo float64
}{
	{"Ping", "hosts", 0, 0.05},
	{"ARP", "hosts", 0, 0.05},
	{"ND ", "hosts", 0, 0.05},
	{"DNS", "hosts", 0.05, 0.06},
	{"Service scan", "services", 0.55, 0.92},
	{"NSE", "scripts", 0.92, 1},
	{"Scan", "ports", 0.06, 0.55}, // SYN Stealth Scan, Connect Scan
}

var (
	taskProgress = regexp.MustCompile(`^<taskprogress task="([^"]{1,60})"[^>]*? percent="([0-9.]{1,8})"(?:[^>]*? remaining="(\d{1,9})")?`)
	hostEnd      = []byte("</host>")
)

// maxTag bounds what the meter keeps of an unfinished tag.
const maxTag = 4 << 10

// Write looks for the two tags that matter. It never fails: progress is not worth a scan.
func (m *meter) Write(p []byte) (int, error) {
	data := append(m.rest, p...)
	for {
		i := bytes.IndexByte(data, '<')
		if i < 0 {
			data = nil
			break
		}
		data = data[i:]
		end := bytes.IndexByte(data, '>')
		if end < 0 {
			break
		}
		m.tag(data[:end+1])
		data = data[end+1:]
	}
	m.rest = append([]byte(nil), data[:min(len(data), maxTag)]...)
	return len(p), nil
}

func (m *meter) tag(tag []byte) {
	if bytes.Equal(tag, hostEnd) {
		m.done++
		m.fresh++
		m.show("services", float64(m.before)+float64(min(m.done, m.batch)), 0)
		return
	}
	found := taskProgress.FindSubmatch(tag)
	if found == nil {
		return
	}
	if m.fresh > 0 { // a new group has begun
		m.group, m.fresh = m.fresh, 0
	}
	percent, _ := strconv.ParseFloat(string(found[2]), 64)
	remaining, _ := strconv.Atoi(string(found[3]))
	m.task(string(found[1]), min(percent, 100)/100, remaining)
}

// task shows how far a group is: the hosts done, and the group's own share as far as its phase has come.
func (m *meter) task(name string, part float64, remaining int) {
	for _, p := range phases {
		if strings.Contains(name, p.name) {
			group := float64(max(1, min(m.group, m.batch-m.done)))
			eta := time.Duration(0)
			if m.before+m.batch >= m.total && m.done+int(group) >= m.batch && p.from >= 0.5 {
				eta = time.Duration(remaining) * time.Second // nmap's own, of the last task only
			}
			m.show(p.stage, float64(m.before+m.done)+group*(p.from+part*(p.upTo-p.from)), eta)
			return
		}
	}
}

// show never goes back, and keeps 100 for the end.
func (m *meter) show(stage string, hosts float64, eta time.Duration) {
	m.shown = max(m.shown, min(100*hosts/float64(max(1, m.total)), 100))
	m.progress(scan.Progress{Scanner: Name, Stage: stage, Percent: m.shown, Done: min(m.before+m.done, m.total), Total: m.total, ETA: eta})
}
