package scan

import (
	"math"
	"time"
)

// etaFrom is how much of its part a scanner must have done before its pace says anything of the rest.
const etaFrom = 0.03

// meter turns what the tasks say into one percentage that never falls, and an estimate of what is left. A scanner's part
// is counted in hosts, all of which are known from the beginning: a web scanner's part moves when the earlier stages are
// through with a host, whether it then has web servers or not.
type meter struct {
	now   func() time.Time
	slots int
	parts []*part
	shown float64
}

// part is one scanner's.
type part struct {
	weight  float64
	stage   Stage
	hosts   float64 // all
	before  float64 // done by earlier processes, which say nothing of the pace
	done    float64
	running map[*Task]*turn
	since   time.Time // when something of it began to run; zero while nothing does
	active  time.Duration
	own     time.Duration // the tool's own estimate, of its only task
}

// turn is a running task: how many hosts it is of its scanner's part, how many of them are done.
type turn struct{ share, done float64 }

func (m *meter) begin(ci int, t *Task, share float64) {
	p := m.parts[ci]
	if len(p.running) == 0 {
		p.since = m.now()
	}
	p.running[t] = &turn{share: share}
}

// move notes how far (0..1) a running task is, with the tool's own estimate. Of others it hears nothing.
func (m *meter) move(ci int, t *Task, far float64, own time.Duration) {
	p := m.parts[ci]
	if turn := p.running[t]; turn != nil && !math.IsNaN(far) {
		turn.done = max(turn.done, turn.share*min(max(far, 0), 1))
		p.own = own
	}
}

// end takes a task away; its share counts as done, unless it is to be repeated.
func (m *meter) end(ci int, t *Task, done bool) {
	p := m.parts[ci]
	turn := p.running[t]
	delete(p.running, t)
	p.own = 0
	if done {
		p.done += turn.share
	}
	if len(p.running) == 0 {
		p.active += m.now().Sub(p.since)
		p.since = time.Time{}
	}
}

func (p *part) soFar() float64 {
	sum := p.done
	for _, turn := range p.running {
		sum += turn.done
	}
	return min(sum, p.hosts)
}

// percent never falls, and keeps 100 for the end.
func (m *meter) percent() float64 {
	sum, weights := 0.0, 0.0
	for _, p := range m.parts {
		if p.weight > 0 && p.hosts > 0 {
			sum += p.weight * p.soFar() / p.hosts
			weights += p.weight
		}
	}
	if weights > 0 {
		m.shown = max(m.shown, min(100*sum/weights, 99.9))
	}
	return m.shown
}

// eta is what is left at the pace so far, stage by stage, since one waits for the other; within a stage the slowest
// scanner counts, or all of them where the slots are too few. 0 as long as a scanner that has work has shown no pace.
func (m *meter) eta() time.Duration {
	total := time.Duration(0)
	for stage := Discovery; stage <= WebStage; stage++ {
		slowest, sum := time.Duration(0), time.Duration(0)
		for _, p := range m.parts {
			if p.stage != stage || p.weight == 0 {
				continue
			}
			left, known := p.left(m.now())
			if !known {
				return 0
			}
			slowest, sum = max(slowest, left), sum+left
		}
		total += max(slowest, sum/time.Duration(m.slots))
	}
	return total
}

func (p *part) left(now time.Time) (time.Duration, bool) {
	left := p.hosts - p.soFar()
	if left < 1e-9 {
		return 0, true
	}
	if p.own > 0 && len(p.running) == 1 && left <= p.share()+1e-9 {
		return p.own, true
	}
	active := p.active
	if !p.since.IsZero() {
		active += now.Sub(p.since)
	}
	here := p.soFar() - p.before
	if here < etaFrom*p.hosts || active < time.Second {
		return 0, false
	}
	return time.Duration(float64(active) * left / here), true
}

// share is what is not done by tasks that are over.
func (p *part) share() float64 { return p.hosts - p.done }
