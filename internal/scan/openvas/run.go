package openvas

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

const (
	// stopWithin is for all that is left to do after ctx ended; Run promises two seconds in all.
	stopWithin = 1500 * time.Millisecond
	// salvageWithin is the part of it in which what gvmd has found so far may arrive.
	salvageWithin = 800 * time.Millisecond
	// cleanWithin is for deleting task and target after a scan that ended by itself.
	cleanWithin = 30 * time.Second
	// maxLost is how often in a row gvmd may fail to say how far it is: three minutes in which it is restarted.
	maxLost = 36
)

// Run has gvmd scan the hosts, at most 4095 in one task, and writes its reports one after the other. gvmd decides how fast
// it goes: Rate is not its to take. A task that ends as Stopped or Interrupted leaves its partial report and fails. When
// ctx ends, the task is stopped and deleted in gvmd, as far as that takes a second.
func (s *Scanner) Run(ctx context.Context, job scan.Job, raw io.Writer, progress func(scan.Progress)) error {
	if err := s.opts.Validate(); err != nil {
		return err
	}
	opts := s.opts.withDefaults()
	if job.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, job.Timeout)
		defer cancel()
	}
	m := &meter{progress: progress, total: len(job.Hosts)}
	for hosts := range slices.Chunk(job.Hosts, maxHostsOfTarget) {
		t := &task{opts: opts, job: job, hosts: hosts, meter: m}
		if err := t.run(ctx, raw); err != nil {
			return err
		}
		m.next(len(hosts))
	}
	return nil
}

// task is one scan of gvmd.
type task struct {
	opts  Options
	job   scan.Job
	hosts []scan.HostTarget
	meter *meter
	conn  *connection

	name   string
	target string // ids in gvmd
	id     string
	report string
	wrote  bool // part of the report is in raw
}

// run has the task done. Whatever happens, nothing of it stays in gvmd unless that was wished, or its report could not be
// had.
func (t *task) run(ctx context.Context, raw io.Writer) (err error) {
	if t.conn, _, err = t.opts.connect(ctx); err != nil {
		return err
	}
	defer func() { t.conn.close() }()
	t.meter.show("preparing", 0, 0)
	err = t.scan(ctx, raw)
	if ctx.Err() != nil {
		t.abandon(ctx, raw)
		return ctx.Err()
	}
	t.clean(ctx, err)
	return err
}

func (t *task) scan(ctx context.Context, raw io.Writer) error {
	if err := t.create(); err != nil {
		return err
	}
	status, err := t.wait(ctx)
	if err != nil {
		return err
	}
	t.meter.show("report", fetching, 0)
	if err := t.fetch(ctx, raw); err != nil {
		return err
	}
	if status != "Done" {
		return &interrupted{status}
	}
	return nil
}

// interrupted is a task that did not finish; its report is partial.
type interrupted struct{ status string }

func (e *interrupted) Error() string {
	return "openvas: the scan ended as " + e.status + " in gvmd: its report is partial"
}

// create makes target and task and starts it.
func (t *task) create() error {
	ports, err := t.ports()
	if err != nil {
		return err
	}
	t.name = taskName(t.job.Scanning)
	target := cmdTarget{Name: t.name, Comment: "made by PatchScout", Hosts: addresses(t.hosts), Range: ports}
	marker := "ports " + ports
	if ports == "" {
		target.PortList = &ref{t.opts.PortListID}
		marker = "port list " + t.opts.PortListID
	}
	if !slices.ContainsFunc(t.hosts, func(h scan.HostTarget) bool { return !h.Explicit }) {
		target.Alive = "Consider Alive" // the user says that they are there
	}
	r, err := t.conn.ask("create the target", target)
	if err != nil {
		return err
	}
	if t.target, err = idOf(r.ID); err != nil {
		return err
	}
	policy := policyComment + "config " + t.opts.ConfigID + " " + short(marker)
	r, err = t.conn.ask("create the task", cmdTask{Name: t.name, Comment: policy,
		Config: ref{t.opts.ConfigID}, Target: ref{t.target}, Scanner: ref{t.opts.ScannerID}})
	if err != nil {
		return err
	}
	if t.id, err = idOf(r.ID); err != nil {
		return err
	}
	r, err = t.conn.ask("start the task", cmdStart{ID: t.id})
	if err != nil {
		return err
	}
	t.report, err = idOf(r.ReportID)
	return err
}

func idOf(text string) (string, error) {
	text = strings.TrimSpace(text)
	if !uuid.MatchString(text) {
		return "", fault.Unavailable("openvas: gvmd gave no id for what it made")
	}
	return text, nil
}

// taskName is unique: gvmd refuses two targets of one name.
func taskName(at time.Time) string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // it does not fail
	if at.IsZero() {
		at = time.Now()
	}
	return "PatchScout " + at.UTC().Format(time.RFC3339) + " " + hex.EncodeToString(b[:])
}

// short keeps a policy's name readable, and unique where it is not.
func short(marker string) string {
	if len(marker) <= 120 {
		return marker
	}
	sum := sha256.Sum256([]byte(marker))
	return "ports sha256 " + hex.EncodeToString(sum[:16])
}

// addresses prints the hosts as gvmd reads them; zones are this machine's own and mean nothing to another.
func addresses(hosts []scan.HostTarget) string {
	list := make([]string, len(hosts))
	for i, h := range hosts {
		list[i] = h.Address.Unmap().WithZone("").String()
	}
	return strings.Join(list, ",")
}

// ports is gvmd's list of ports, "T:22,80-90"; "" is the configured list of gvmd as it is. Ports named with one host are
// scanned on all: a target has one list.
func (t *task) ports() (string, error) {
	tcp := t.job.Ports
	switch {
	case len(tcp) > 0:
	case t.job.Profile == scan.Full:
		tcp = []finding.PortRange{{First: 1, Last: 65535}}
	case t.job.Profile == scan.Web:
		tcp = scan.WebPorts()
	}
	var own, udp []finding.PortRange
	for _, h := range t.hosts {
		for _, p := range h.Ports {
			own = append(own, finding.PortRange{First: p, Last: p})
		}
	}
	if len(tcp) == 0 {
		if len(own) == 0 && len(t.job.Exclude) == 0 {
			return "", nil
		}
		var err error
		if tcp, udp, err = t.portList(); err != nil {
			return "", err
		}
	}
	tcp = scan.SubtractPorts(slices.Concat(tcp, own), t.job.Exclude)
	var parts []string
	if len(tcp) > 0 {
		parts = append(parts, "T:"+finding.PrintPorts(tcp))
	}
	if len(udp) > 0 {
		parts = append(parts, "U:"+finding.PrintPorts(scan.MergePorts(udp)))
	}
	if len(parts) == 0 {
		return "", fault.Invalid("openvas: every port is excluded")
	}
	return strings.Join(parts, ","), nil
}

// portList asks gvmd what is on the configured list.
func (t *task) portList() (tcp, udp []finding.PortRange, err error) {
	r, err := t.conn.ask("give the port list", cmdPortLists{ID: t.opts.PortListID, Details: 1})
	if err != nil {
		return nil, nil, err
	}
	for _, p := range r.Ranges {
		ports := finding.PortRange{First: max(1, p.Start), Last: max(p.Start, p.End)}
		if ports.Last == 0 {
			continue
		}
		if strings.EqualFold(p.Type, "udp") {
			udp = append(udp, ports)
		} else {
			tcp = append(tcp, ports)
		}
	}
	if len(tcp)+len(udp) == 0 {
		return nil, nil, fault.Unavailable("openvas: gvmd's port list %s is empty", t.opts.PortListID)
	}
	return tcp, udp, nil
}

// wait asks how far the task is until it has ended, and says how.
func (t *task) wait(ctx context.Context) (status string, err error) {
	lost := 0
	began := time.Time{}
	for {
		status, percent, err := t.state()
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case err != nil && (refused(err, 404) || lost >= maxLost):
			return "", err
		case err != nil:
			lost++
			t.reconnect(ctx)
		default:
			lost = 0
			done, err := t.judge(status)
			if done || err != nil {
				return status, err
			}
			if status == "Running" && began.IsZero() {
				began = time.Now()
			}
			t.meter.task(status, percent, began)
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(t.opts.Poll):
		}
	}
}

// state asks gvmd for the task's status and percentage, which is -1 when it does not run.
func (t *task) state() (status string, percent int, err error) {
	r, err := t.conn.ask("tell how far the task is", cmdTasks{ID: t.id})
	if err != nil {
		return "", 0, err
	}
	for _, one := range r.Tasks {
		if one.ID == t.id {
			percent, _ = strconv.Atoi(strings.TrimSpace(one.Progress))
			return strings.TrimSpace(one.Status), percent, nil
		}
	}
	return "", 0, fault.Unavailable("openvas: %w", &refusal{what: "tell how far the task is", code: 404, text: "it is not there any more"})
}

// judge says whether a status is an end. What we do not know is not.
func (t *task) judge(status string) (done bool, err error) {
	switch status {
	case "Done", "Stopped", "Interrupted":
		return true, nil
	case "Delete Requested", "Ultimate Delete Requested", "Delete Waiting", "Ultimate Delete Waiting":
		return false, fault.Unavailable("openvas: somebody deletes the task in gvmd")
	}
	return false, nil
}

// reconnect replaces a connection that may be broken; one that cannot be replaced yet stays, and says so when asked.
func (t *task) reconnect(ctx context.Context) {
	c, _, err := t.opts.connect(ctx)
	if err == nil {
		t.conn.close()
		t.conn = c
	}
}

// fetch writes the report to raw. What failed before its first byte is tried again.
func (t *task) fetch(ctx context.Context, raw io.Writer) error {
	for try := 1; ; try++ {
		n, err := t.conn.report(t.report, raw)
		t.wrote = t.wrote || n > 0
		switch {
		case err == nil:
			return nil
		case n > 0 || try >= 3 || ctx.Err() != nil:
			return &unfetched{err: err, name: t.name}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(t.opts.Poll):
		}
		t.reconnect(ctx)
	}
}

// unfetched is a finished scan whose report could not be had: it stays in gvmd.
type unfetched struct {
	err  error
	name string
}

func (e *unfetched) Error() string {
	return fmt.Sprintf("%v; the task %q keeps it in gvmd", e.err, e.name)
}

func (e *unfetched) Unwrap() error { return e.err }

// clean deletes what we made. That it fails is not the scan's failure: gvmd shows what is left under our name.
func (t *task) clean(ctx context.Context, failed error) {
	var lost *unfetched
	if t.opts.Keep || errors.As(failed, &lost) || t.target == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, cleanWithin)
	defer cancel()
	c, _, err := t.opts.connect(ctx)
	if err != nil {
		return
	}
	defer c.close()
	t.remove(c)
}

// remove deletes the task, which stops it first when it runs, and the target, which waits for that.
func (t *task) remove(c *connection) {
	if t.id != "" {
		if _, err := c.ask("delete the task", cmdDeleteTask{ID: t.id, Ultimate: 1}); err != nil && !refused(err, 404) {
			return
		}
	}
	for {
		_, err := c.ask("delete the target", cmdDeleteTarget{ID: t.target, Ultimate: 1})
		if !refused(err, 400) && !refused(err, 409) { // 400 "Target is in use", while the task is being stopped
			return
		}
		select {
		case <-c.ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// abandon stops the task after ctx ended, saves what was found so far, and deletes it, within stopWithin.
func (t *task) abandon(ctx context.Context, raw io.Writer) {
	if t.target == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	c, _, err := t.opts.connect(ctx)
	if err != nil {
		return
	}
	defer c.close()
	if t.id != "" {
		_, _ = c.ask("stop the task", cmdStop{ID: t.id}) // one that has not begun is deleted below
	}
	t.salvage(ctx, raw)
	if !t.opts.Keep {
		t.remove(c)
	}
}

// salvage writes the partial report if it comes quickly, on a connection of its own: it may have to be cut off.
func (t *task) salvage(ctx context.Context, raw io.Writer) {
	if t.report == "" || t.wrote {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, salvageWithin)
	defer cancel()
	c, _, err := t.opts.connect(ctx)
	if err != nil {
		return
	}
	defer c.close()
	_, _ = c.report(t.report, raw) // a truncated one is read as far as it goes
}

// meter turns gvmd's percentages into ours, which never fall.
type meter struct {
	progress func(scan.Progress)
	total    int
	before   int // hosts of tasks that are done
	shown    float64
}

// A task's share: what is not scanning is quick.
const (
	scanning = 0.02
	fetching = 0.95
)

func (m *meter) next(hosts int) {
	m.before += hosts
	m.show("done", 0, 0)
}

// show tells the part of the current task, 0..1, that is done.
func (m *meter) show(stage string, part float64, eta time.Duration) {
	if m.progress == nil {
		return
	}
	batch := float64(min(maxHostsOfTarget, m.total-m.before))
	percent := 100 * (float64(m.before) + part*batch) / float64(max(1, m.total))
	m.shown = max(m.shown, min(percent, 100))
	m.progress(scan.Progress{Scanner: Name, Stage: stage, Percent: m.shown, Done: m.before, Total: m.total, ETA: eta})
}

// task tells what gvmd said. Its figure is of the hosts' checks, good for an estimate once some are done.
func (m *meter) task(status string, percent int, began time.Time) {
	switch status {
	case "Running":
		part := float64(min(max(percent, 0), 100)) / 100
		var eta time.Duration
		if percent >= 5 && m.before+maxHostsOfTarget >= m.total {
			eta = time.Duration(float64(time.Since(began)) * (1 - part) / part).Round(time.Second)
		}
		m.show("scanning", scanning+part*(fetching-scanning), eta)
	case "Processing", "Stop Requested", "Stop Waiting":
		m.show("processing", 0, 0)
	default:
		m.show("queued", 0, 0)
	}
}
