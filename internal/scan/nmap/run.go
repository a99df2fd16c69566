package nmap

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/tool"
)

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

const synScan = "-sS"

// scanType is the SYN scan for root and the connect scan for everybody else, said outright: nmap guesses by itself from
// its user id, and fails half-way in a container whose root may not open raw sockets.
func scanType() string {
	if os.Geteuid() == 0 && tool.RawSockets() {
		return synScan
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

// call runs one nmap in its cage.
func call(ctx context.Context, path string, args []string, stdin []byte, out io.Writer) error {
	env, rights := "NMAP_UNPRIVILEGED=1", tool.Plain
	if slices.Contains(args, synScan) {
		env, rights = "NMAP_PRIVILEGED=1", tool.Raw // it is not root any more when it looks
	}
	cage, err := tool.Open(tool.Options{Name: Name, Path: path, Rights: rights})
	if err != nil {
		return err
	}
	err = cage.Run(ctx, tool.Call{Args: args, Env: []string{env}, Stdin: stdin, Stdout: out})
	return errors.Join(err, cage.Close())
}
