package scan

import (
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// DefaultHosts is how many addresses a task has when a choice does not say.
const DefaultHosts = 64

// maxWebPorts is how many web servers one task of a web scanner has: Nikto needs some ten minutes for each.
const maxWebPorts = 4

// Choice is a scanner that was chosen for a scan, and the limits under which it runs.
type Choice struct {
	Scanner  Scanner
	Hosts    int           // addresses of one task, 0 = DefaultHosts, or one for scanners of WebStage
	Parallel int           // tasks at one time, 0 = 1
	Remote   bool          // it works on another machine: Options.Parallel does not count it
	Timeout  time.Duration // of one task, 0 = none
	// Room, when set, is asked again and again instead of Parallel: of a scanner that several machines run, some of which
	// come and go.
	Room   func() int
	Stop   time.Duration // how long it may take to stop, 0 = two seconds
	Weight float64       // what a host costs, compared with others', for the progress; 0 = 1
	// Added says that nobody asked for it: it finds the web servers for scanners of WebStage, on ports that are usual for
	// those, and only of hosts that were not named by a URL.
	Added bool
}

// room is how many tasks may run at one time.
func (c Choice) room() int {
	if c.Room != nil {
		return max(1, c.Room())
	}
	return max(1, c.Parallel)
}

func (c Choice) stage() Stage {
	if s, ok := c.Scanner.(Staged); ok {
		return s.Stage()
	}
	return Services
}

// TaskStatus is how far a task is.
type TaskStatus string

// The statuses of tasks.
const (
	TaskPending   TaskStatus = "pending"
	TaskRunning   TaskStatus = "running"
	TaskDone      TaskStatus = "done"
	TaskFailed    TaskStatus = "failed"
	TaskCancelled TaskStatus = "cancelled"
)

// Task is one scanner's turn at a few hosts: short enough that losing one to a crash costs minutes.
type Task struct {
	N        int // from 1, in the order in which they were made
	Scanner  string
	Stage    Stage
	Hosts    []HostTarget // as pinned when the scan began
	Status   TaskStatus
	Attempts int
	Started  time.Time // of the last attempt
	Finished time.Time
	Version  string // of the tool
	Error    string
	// Ended and Report are set when the tool has ended and before what it said is committed: a process that dies in
	// between leaves a report that is read again, and a tool that need not run again.
	Ended   Status
	Report  string         // SHA-256 of the raw report, "" when there is none
	Dropped map[string]int // records that named hosts nobody asked for
	Found   Found
	Skipped []Skipped // of Hosts, those that were left out
}

// Over says that nothing more will come of the task.
func (t *Task) Over() bool { return t.Status != TaskPending && t.Status != TaskRunning }

// Found is what the stages after a task build on.
type Found struct {
	Up  []netip.Addr `json:"up,omitempty"` // that answered
	Web []FoundPort  `json:"web,omitempty"`
}

// Skipped is a host that a task left out.
type Skipped struct {
	Address netip.Addr `json:"a"`
	Name    string     `json:"name,omitempty"`
	Reason  string     `json:"why"` // for people: "outside of the configured scan scope"
}

// Plan cuts a job into tasks, stage by stage. It runs nothing and keeps nothing; equal plans that hear of equal tasks cut
// equally, so that a scan can be continued from its tasks alone. Not for concurrent use.
//
//	discovery of a host ended -> services of it, if it is up -> its web servers, one host a task
type Plan struct {
	Job     Job
	Choices []Choice // by stage, else in the order given
	Tasks   []*Task

	byName  map[string]int // of Choices
	places  places
	decided [][]bool   // by choice and host: its task is cut, or it needs none
	spared  []int      // by choice: hosts that need no task
	open    [3][]int16 // by stage and host: tasks that are not over
	waiting [3]int     // by stage: tasks that are not over
	up      []bool     // by host
	looked  []bool     // by host: a discovery task that completed had it
	web     []map[uint16]bool
	off     []bool         // by choice: not available, nothing is cut for it
	pieces  map[[2]int]int // choice, host -> web tasks
}

// NewPlan checks what is asked. Nothing is cut before the first Cut. Errors are fault.Invalid.
func NewPlan(job Job, choices []Choice) (*Plan, error) {
	var scanners []Scanner
	for _, c := range choices {
		scanners = append(scanners, c.Scanner)
	}
	if err := checkJob(scanners, job); err != nil {
		return nil, err
	}
	n := len(job.Hosts)
	p := &Plan{Job: job, Choices: slices.Clone(choices), byName: map[string]int{}, places: placesOf(job.Hosts), spared: make([]int, len(choices)),
		up: make([]bool, n), looked: make([]bool, n), web: make([]map[uint16]bool, n), off: make([]bool, len(choices)), pieces: map[[2]int]int{}}
	slices.SortStableFunc(p.Choices, func(a, b Choice) int { return int(a.stage()) - int(b.stage()) })
	for i, c := range p.Choices {
		p.byName[c.Scanner.Name()] = i
		p.decided = append(p.decided, make([]bool, n))
	}
	for stage := range p.open {
		p.open[stage] = make([]int16, n)
	}
	return p, nil
}

// Restore takes the tasks that an earlier process made of the same job. Those of scanners that were not chosen and of
// hosts that are not in the job are an error.
func (p *Plan) Restore(tasks []*Task) error {
	for _, t := range tasks {
		ci, ok := p.byName[t.Scanner]
		if !ok {
			return fault.Invalid("task %d is of scanner %s, which the scan does not have", t.N, t.Scanner)
		}
		for _, h := range t.Hosts {
			if _, ok := p.places.exact[h.Address]; !ok {
				return fault.Invalid("task %d is of %s, which the scan does not have", t.N, h.Address)
			}
		}
		p.add(ci, t)
		if t.Over() {
			p.Ended(t)
		}
	}
	return nil
}

// Off says that a scanner cannot run: nothing more is cut for it, and nobody waits for it.
func (p *Plan) Off(scanner string) {
	if ci, ok := p.byName[scanner]; ok {
		p.off[ci] = true
	}
}

// add notes a task that is not over.
func (p *Plan) add(ci int, t *Task) {
	p.Tasks = append(p.Tasks, t)
	p.waiting[t.Stage]++
	for _, h := range t.Hosts {
		i := p.places.exact[h.Address]
		p.decided[ci][i] = true
		p.open[t.Stage][i]++
		if t.Stage == WebStage {
			p.pieces[[2]int{ci, i}]++
		}
	}
}

// Ended takes what a task found. Call it once, when the task is over.
func (p *Plan) Ended(t *Task) {
	p.waiting[t.Stage]--
	for _, h := range t.Hosts {
		i := p.places.exact[h.Address]
		p.open[t.Stage][i]--
		p.looked[i] = p.looked[i] || t.Stage == Discovery && t.Status == TaskDone
	}
	for _, addr := range t.Found.Up {
		if i, ok := p.places.exact[addr]; ok {
			p.up[i] = true
		}
	}
	for _, f := range t.Found.Web {
		i, ok := p.places.exact[f.Address]
		if !ok {
			continue
		}
		if p.web[i] == nil {
			p.web[i] = map[uint16]bool{}
		}
		p.web[i][f.Port] = p.web[i][f.Port] || f.TLS
	}
}

// Cut returns the tasks that can be made now, pending. They are part of the plan from then on.
func (p *Plan) Cut() []*Task {
	before := len(p.Tasks)
	for ci, c := range p.Choices {
		if p.off[ci] {
			continue
		}
		if ready := p.ready(ci, c.stage()); c.stage() == WebStage {
			p.cutWeb(ci, ready)
		} else {
			p.cutHosts(ci, c, ready)
		}
	}
	return p.Tasks[before:]
}

// ready lists the hosts whose turn has come. Hosts that need no task are decided by the way.
func (p *Plan) ready(ci int, stage Stage) (hosts []int) {
	for i := range p.Job.Hosts {
		if p.decided[ci][i] || !p.earlierOver(stage, i) {
			continue
		}
		if p.needs(ci, stage, i) {
			hosts = append(hosts, i)
			continue
		}
		p.decided[ci][i] = true
		p.spared[ci]++
	}
	return hosts
}

// earlierOver says whether every earlier stage is through with a host.
func (p *Plan) earlierOver(stage Stage, host int) bool {
	for ci, c := range p.Choices {
		if s := c.stage(); s < stage && (!p.off[ci] && !p.decided[ci][host] || p.open[s][host] > 0) {
			return false
		}
	}
	return true
}

// needs says whether a host is worth a task. One of which discovery knows nothing, since it failed, is.
func (p *Plan) needs(ci int, stage Stage, host int) bool {
	h := p.Job.Hosts[host]
	switch stage {
	case Services:
		return (!p.Choices[ci].Added || len(h.URLs) == 0) && (h.Explicit || p.up[host] || !p.looked[host])
	case WebStage:
		return len(p.webPorts(host)) > 0
	}
	return true
}

func (p *Plan) webPorts(host int) []WebPort {
	return webPortsOf(p.Job.Hosts[host], p.web[host], p.Job.Exclude)
}

// cutHosts makes tasks of several hosts: full ones, and the rest when no more can come.
func (p *Plan) cutHosts(ci int, c Choice, ready []int) {
	size := c.Hosts
	if size <= 0 {
		size = DefaultHosts
	}
	last := true
	for i := range p.Job.Hosts {
		last = last && (p.decided[ci][i] || p.earlierOver(c.stage(), i))
	}
	for chunk := range slices.Chunk(ready, size) {
		if len(chunk) < size && !last {
			return
		}
		hosts := make([]HostTarget, len(chunk))
		for i, h := range chunk {
			hosts[i] = p.Job.Hosts[h]
		}
		p.add(ci, p.task(c, hosts))
	}
}

// cutWeb makes tasks of what is ready: nobody waits for other hosts' web servers.
func (p *Plan) cutWeb(ci int, ready []int) {
	c := p.Choices[ci]
	for chunk := range slices.Chunk(ready, max(1, c.Hosts)) {
		var hosts []HostTarget
		for _, i := range chunk {
			h := p.Job.Hosts[i]
			h.Web = p.webPorts(i)
			hosts = append(hosts, h)
		}
		if c.Hosts > 1 {
			p.add(ci, p.task(c, hosts))
			continue
		}
		for ports := range slices.Chunk(hosts[0].Web, maxWebPorts) {
			h := hosts[0]
			h.Web = ports
			p.add(ci, p.task(c, []HostTarget{h}))
		}
	}
}

func (p *Plan) task(c Choice, hosts []HostTarget) *Task {
	return &Task{N: len(p.Tasks) + 1, Scanner: c.Scanner.Name(), Stage: c.stage(), Hosts: hosts, Status: TaskPending}
}

// job is what a task's scanner is asked to do.
func (p *Plan) job(t *Task, c Choice) Job {
	job := p.Job
	job.Timeout, job.Task = c.Timeout, t.N
	if c.Added && len(job.Ports) == 0 {
		job.Profile = Web
	}
	if job.Rate > 0 { // which is meant over everything that runs side by side
		side := 0
		for _, o := range p.Choices {
			side += o.room()
		}
		job.Rate = max(1, job.Rate/side)
	}
	job.Hosts = nil
	for _, h := range t.Hosts {
		if !slices.ContainsFunc(t.Skipped, func(s Skipped) bool { return s.Address == h.Address }) {
			job.Hosts = append(job.Hosts, h)
		}
	}
	return job
}

// share is how many hosts of its scanner's part a task is.
func (p *Plan) share(ci int, t *Task) float64 {
	if t.Stage != WebStage {
		return float64(len(t.Hosts))
	}
	sum := 0.0
	for _, h := range t.Hosts {
		sum += 1 / float64(max(1, p.pieces[[2]int{ci, p.places.exact[h.Address]}]))
	}
	return sum
}

// silent lists the hosts that no task got an answer from.
func (p *Plan) silent() (out []HostTarget) {
	up := slices.Clone(p.up)
	for i, h := range p.Job.Hosts {
		if !up[i] {
			out = append(out, h)
		}
	}
	return out
}

// HostsByPorts is how many addresses a task should have when each has a number of ports looked at, so that tasks of any
// profile take about as long: 256 addresses of 1,000 ports are one to two minutes at the native scanner's pace.
func HostsByPorts(job Job) int {
	ports := 0
	for _, r := range job.Ports {
		ports += int(r.Last) - int(r.First) + 1
	}
	switch {
	case ports > 0:
	case job.Profile == Full:
		ports = math.MaxUint16
	case job.Profile == Quick:
		ports = 100
	default:
		ports = 1000
	}
	return min(max(256_000/ports, 16), 256)
}
