package nmap

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// environment is all that nmap sees of ours: its messages in English, no home to read settings from, no NMAPDIR.
var environment = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/nonexistent", "LANG=C", "LC_ALL=C", "TZ=UTC"}

// killAfter is how long nmap may take to end by itself after SIGINT; Run promises two seconds in all.
const killAfter = 1200 * time.Millisecond

// batch is one call of nmap: hosts of one family that are asked in one way.
type batch struct {
	hosts []scan.HostTarget
	six   bool
	pn    bool                // -Pn
	ports []finding.PortRange // nil = the profile's own
}

// Run calls nmap once per family and way of asking, one after the other; their documents follow each other in raw. It
// returns fault.Unavailable with nmap's own words when nmap fails.
//
// Hosts that the user named himself are scanned with -Pn: he says that they are there, and the ping of a firewalled
// host is often dropped. Addresses out of networks and ranges are asked first, because scanning a thousand ports of
// each empty address takes hours.
func (s *Scanner) Run(ctx context.Context, job scan.Job, raw io.Writer, progress func(scan.Progress)) error {
	if err := s.opts.Validate(); err != nil {
		return err
	}
	path, err := s.path()
	if err != nil {
		return err
	}
	if job.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, job.Timeout)
		defer cancel()
	}
	m := newMeter(len(job.Hosts), progress)
	for _, b := range batches(job) {
		args, err := s.args(job, b)
		if err != nil {
			return err
		}
		m.begin(len(b.hosts))
		if err := call(ctx, path, args, targets(b.hosts), io.MultiWriter(raw, m)); err != nil {
			return err
		}
		m.end()
	}
	return nil
}

// batches groups the job's hosts. Hosts with ports of their own come again with those only when the profile's ports
// are nmap's to choose: -p and --top-ports exclude each other.
func batches(job scan.Job) []batch {
	var out []batch
	add := func(six, pn bool, ports []finding.PortRange, h scan.HostTarget) {
		for i := range out {
			if out[i].six == six && out[i].pn == pn && finding.PrintPorts(out[i].ports) == finding.PrintPorts(ports) {
				out[i].hosts = append(out[i].hosts, h)
				return
			}
		}
		out = append(out, batch{hosts: []scan.HostTarget{h}, six: six, pn: pn, ports: ports})
	}
	ports := job.Ports
	if len(ports) == 0 && job.Profile == scan.Web {
		ports = scan.WebPorts()
	}
	for _, h := range job.Hosts {
		own := ports
		for _, p := range h.Ports {
			own = append(own[:len(own):len(own)], finding.PortRange{First: p, Last: p})
		}
		own = scan.MergePorts(own)
		if len(ports) == 0 && len(own) > 0 && job.Profile != scan.Full {
			add(h.Address.Is6(), h.Explicit, nil, h)
		}
		if len(ports) == 0 && job.Profile == scan.Full {
			own = nil // all ports are the profile's
		}
		add(h.Address.Is6(), h.Explicit, own, h)
	}
	return out
}

// args builds the command line. Nothing in it comes from outside as text: numbers are printed, names were checked.
func (s *Scanner) args(job scan.Job, b batch) ([]string, error) {
	args := []string{"-sV", "-n", "-oX", "-", "--stats-every", "1s", "-iL", "-", "-T" + strconv.Itoa(orDefault(s.opts.Timing, 4))}
	args = append(args, scanType())
	if b.six {
		args = append(args, "-6")
	}
	if b.pn {
		args = append(args, "-Pn")
	}
	switch {
	case len(b.ports) > 0:
		left := scan.SubtractPorts(b.ports, job.Exclude)
		if len(left) == 0 {
			return nil, fault.Invalid("nmap: every port is excluded")
		}
		args = append(args, "-p", "T:"+finding.PrintPorts(left))
	case job.Profile == scan.Quick:
		args = append(args, "--top-ports", "100", "--version-intensity", "5")
	case job.Profile == scan.Full:
		args = append(args, "-p", "T:1-65535")
	default:
		args = append(args, "--top-ports", "1000")
	}
	if len(job.Exclude) > 0 && len(b.ports) == 0 {
		args = append(args, "--exclude-ports", finding.PrintPorts(scan.MergePorts(job.Exclude)))
	}
	if job.Rate > 0 {
		args = append(args, "--max-rate", strconv.Itoa(job.Rate))
	}
	if s.opts.HostLimit > 0 {
		args = append(args, "--host-timeout", strconv.FormatInt(s.opts.HostLimit.Milliseconds(), 10)+"ms")
	}
	scripts := s.opts.Scripts
	if scripts == nil {
		scripts = DefaultScripts
	}
	if len(scripts) > 0 {
		args = append(args, "--script", strings.Join(scripts, ","))
	}
	return args, nil
}

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// scanType is the SYN scan for root and the connect scan for everybody else, said outright: nmap guesses by itself from
// its user id, and fails half-way in a container whose root may not open raw sockets.
func scanType() string {
	if os.Geteuid() == 0 && rawSockets() {
		return "-sS"
	}
	return "-sT"
}

// targets prints the addresses, one a line.
func targets(hosts []scan.HostTarget) []byte {
	var b bytes.Buffer
	for _, h := range hosts {
		b.WriteString(printAddr(h.Address))
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func printAddr(addr netip.Addr) string { return addr.Unmap().String() }

// call runs one nmap in a process group of its own. When ctx ends, the group gets SIGINT and then SIGKILL. When we die,
// the kernel kills nmap (proc_linux.go).
func call(ctx context.Context, path string, args []string, stdin []byte, out io.Writer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.Dir = environment, "/"
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Stdout = &writeErr{w: out}
	words := &tail{}
	cmd.Stderr = words
	cmd.WaitDelay = killAfter // a grandchild that holds the pipe open does not hold us
	err := runInGroup(ctx, cmd)
	switch {
	case cmd.Stdout.(*writeErr).err != nil:
		return fmt.Errorf("write nmap's report: %w", cmd.Stdout.(*writeErr).err)
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fault.Unavailable("nmap: %w%s", err, words.said())
	}
	return nil
}

// writeErr remembers the report writer's error, which exec would report as nmap's.
type writeErr struct {
	w   io.Writer
	err error
}

func (w *writeErr) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

// tail keeps the last 4 KiB of what nmap complained about.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 4096 {
		t.b = append([]byte(nil), t.b[len(t.b)-4096:]...)
	}
	return len(p), nil
}

// said is the complaint in one printable line.
func (t *tail) said() string {
	text := strings.Join(strings.Fields(strings.ReplaceAll(string(t.b), "QUITTING!", "")), " ")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return '?'
		}
		return r
	}, text)
	if text == "" {
		return ""
	}
	return ": " + intake.Cut(text, 500)
}

// stop ends a process group: asked first, so that nmap closes its report, then killed. Both
// may be called of a group that is gone.
func stop(ended <-chan struct{}, interrupt, kill func()) {
	interrupt()
	select {
	case <-ended:
	case <-time.After(killAfter):
	}
	kill() // also when nmap itself has ended: whatever it left in its group goes with it
}
