package report

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/jsonstream"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// sshaudit reads ssh-audit's JSON (-j), of 2.0 to 3.x, of one target or of several, and its text. A record is the banner
// (the service), an algorithm, or a CVE. Algorithms that share a class and a level are one finding, since one line of
// configuration mends them: "ssh-audit:kex-fail".
type sshaudit struct{}

// Name is "ssh-audit".
func (sshaudit) Name() string { return "ssh-audit" }

// Detect knows the members of its JSON, and the first lines of its text.
func (sshaudit) Detect(head []byte) bool {
	if bytes.HasPrefix(plainText(head), []byte("["+exceptionMark)) {
		return true
	}
	found := outline(head)
	return has(found, "banner", "kex") || has(found, "[].banner", "[].kex") || has(found, "additional_notes", "banner", "compression") ||
		has(found, "banner.raw", "compression") || has(found, "[].additional_notes", "[].banner") || has(found, "[].banner.raw", "[].compression") ||
		bytes.HasPrefix(plainText(head), []byte("# general"))
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// plainText takes the colours of a terminal away.
func plainText(b []byte) []byte { return colours.ReplaceAll(b, nil) }

// Read emits service, algorithms and CVEs. The report does not say when it was made.
func (sshaudit) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	head, in := intake.Head(heedful{ctx, raw})
	s := &sshAudit{out: newOut(emit)}
	if len(head) > 0 && head[0] != '{' && head[0] != '[' {
		return s.text(in)
	}
	x := &exceptionless{in: in}
	d := newStream(&commaless{in: bufio.NewReader(x)})
	var err error
	elements(d.Decoder, func() {
		if t := readSSHTarget(d.Decoder); d.Err() == nil && err == nil {
			if err = s.tell(t); err != nil {
				d.Reject("ended") // err is what counts
			}
		}
	})
	if err != nil {
		return err
	}
	if err := d.end("ssh-audit"); err != nil {
		return err
	}
	switch {
	case !s.met && x.count > 0:
		return fault.Invalid("ssh-audit reached none of its targets")
	case !s.met:
		return fault.Invalid("not an ssh-audit report: it has no banner and no algorithms")
	case x.count > 0:
		return s.emit(finding.Event{Drop: &finding.Drop{Reason: "the target could not be audited", Count: x.count}})
	}
	return nil
}

// exceptionless takes out of ssh-audit's list what stands in it for a target that did not answer, colours and all, and
// counts it: "[exception] cannot connect to 192.0.2.1 port 22: [Errno 111] Connection refused". It knows texts and leaves
// them alone.
type exceptionless struct {
	in              *bufio.Reader
	count           int
	quoted, escaped bool
}

const exceptionMark = "[exception]"

func (x *exceptionless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		b, err := x.in.ReadByte()
		if err != nil {
			return n, err
		}
		switch {
		case x.quoted:
			x.quoted = b != '"' || x.escaped
			x.escaped = b == '\\' && !x.escaped
		case b == 0x1b:
			_, _ = x.in.ReadSlice('m') // a colour; what fails here fails again at the next byte
			continue
		case b == '[' && x.exception():
			continue
		default:
			x.quoted = b == '"'
		}
		p[n] = b
		n++
	}
	return n, nil
}

// exception swallows what stands up to the next element or the end of the list.
func (x *exceptionless) exception() bool {
	ahead, _ := x.in.Peek(len(exceptionMark) - 1)
	if string(ahead) != exceptionMark[1:] {
		return false
	}
	x.count++
	_, _ = x.in.Discard(len(exceptionMark) - 1) // it was peeked
	for depth := 0; ; {
		ahead, _ := x.in.Peek(3)
		switch text := string(ahead); {
		case strings.HasPrefix(text, "["):
			depth++
		case strings.HasPrefix(text, "]") && depth > 0: // "[Errno 111]"
			depth--
		case text == ", {", text == ", [", strings.HasPrefix(text, ", \x1b"), strings.TrimRight(text, "\r\n") == "]", len(ahead) == 0, ahead[0] == 0x1b:
			return true
		}
		_, _ = x.in.Discard(1) // it was peeked
	}
}

type sshAudit struct {
	*out
	met bool
}

// sshTarget is one server, held as a whole: its place stands at the end.
type sshTarget struct {
	target     string
	banner     string // raw
	software   string
	hasBanner  bool
	algorithms []sshAlgorithm
	cves       []sshCVE
	key        string // fingerprint
	keyRank    int
}

type sshAlgorithm struct {
	class, name      string
	bits             string
	fail, warn, info []string
}

type sshCVE struct{ name, description string }

// maxSSH is more algorithms, or CVEs, than any server has.
const maxSSH = 5000

func readSSHTarget(d *jsonstream.Decoder) *sshTarget {
	t := &sshTarget{keyRank: len(sshKeyRank)}
	d.Record()
	members(d, func(name string) {
		switch name {
		case "target":
			t.target = word(d)
		case "banner":
			t.hasBanner = d.Kind() == jsonstream.Object
			members(d, func(name string) {
				switch name {
				case "raw":
					t.banner = word(d)
				case "software":
					t.software = word(d)
				default:
					d.Skip()
				}
			})
		case "kex", "key", "enc", "mac":
			elements(d, func() { t.add(readSSHAlgorithm(d, name)) })
		case "cves":
			elements(d, func() {
				if c := readSSHCVE(d); len(t.cves) < maxSSH {
					t.cves = append(t.cves, c)
				}
			})
		case "fingerprints":
			elements(d, func() { t.fingerprint(d) })
		default:
			d.Skip()
		}
	})
	d.Done()
	return t
}

func (t *sshTarget) add(a sshAlgorithm) {
	if len(t.algorithms) < maxSSH {
		t.algorithms = append(t.algorithms, a)
	}
}

// readSSHAlgorithm reads "aes128-cbc" or {"algorithm","keysize","notes":{"fail":[…],"warn":[…],"info":[…]}}.
func readSSHAlgorithm(d *jsonstream.Decoder, class string) sshAlgorithm {
	a := sshAlgorithm{class: class}
	if d.Kind() != jsonstream.Object {
		a.name = word(d)
		return a
	}
	members(d, func(name string) {
		switch name {
		case "algorithm":
			a.name = word(d)
		case "keysize":
			a.bits = word(d)
		case "notes":
			members(d, func(level string) {
				switch notes := texts(d, 20); level {
				case "fail":
					a.fail = notes
				case "warn":
					a.warn = notes
				case "info":
					a.info = notes
				}
			})
		default:
			d.Skip()
		}
	})
	return a
}

func readSSHCVE(d *jsonstream.Decoder) (c sshCVE) {
	members(d, func(name string) {
		switch name {
		case "name":
			c.name = word(d)
		case "description":
			c.description = text(d, intake.MaxText)
		default:
			d.Skip()
		}
	})
	return c
}

// sshKeyRank prefers the host keys that a client of today meets first.
var sshKeyRank = []string{"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa", "ssh-dss"}

var sha256Key = regexp.MustCompile(`^(?:SHA256:)?([A-Za-z0-9+/]{43})=?$`)

// fingerprint reads {"fp","type"} of 2.x and {"hash","hash_alg","hostkey"} of 3.x.
func (t *sshTarget) fingerprint(d *jsonstream.Decoder) {
	var hash, kind string
	algorithm := "SHA256"
	members(d, func(name string) {
		switch name {
		case "fp", "hash":
			hash = word(d)
		case "type", "hostkey":
			kind = word(d)
		case "hash_alg":
			algorithm = word(d)
		default:
			d.Skip()
		}
	})
	m := sha256Key.FindStringSubmatch(hash)
	if rank := slices.Index(sshKeyRank, kind); m != nil && algorithm == "SHA256" && rank >= 0 && rank < t.keyRank {
		t.key, t.keyRank = "SHA256:"+m[1], rank
	}
}

// sshDistributions fix bugs without raising the version.
var sshDistributions = regexp.MustCompile(`(?i)\b(Ubuntu|Debian|Raspbian|FreeBSD)\b`)

func (s *sshAudit) tell(t *sshTarget) error {
	if !t.hasBanner && len(t.algorithms) == 0 && len(t.cves) == 0 {
		return nil
	}
	s.met = true
	e := place(t.target)
	if e.port == 0 {
		e.port = 22
	}
	host := finding.HostSeen{Address: e.address, SSHKey: t.key, Status: string(asset.Up)}
	if e.name() != "" {
		host.Names = []string{e.name()}
	}
	if err := s.host(host); err != nil {
		return err
	}
	at := finding.Observation{Address: e.address, HostName: e.name(), Protocol: "tcp", Port: e.port}
	backport := sshDistributions.FindString(t.banner)
	if t.hasBanner {
		if err := s.emit(finding.Event{Service: t.service(e, backport)}); err != nil {
			return err
		}
	}
	classes := t.classes()
	for i := range t.algorithms {
		if err := s.algorithm(&t.algorithms[i], at, classes); err != nil {
			return err
		}
	}
	for _, c := range t.cves {
		o := at
		o.CVEs, o.Check, o.Title, o.Output, o.Confidence = finding.CVEsIn(c.name), "ssh-audit:"+slug(c.name), c.name, c.description, 80
		if backport != "" {
			o.Confidence = 30
		}
		if len(o.CVEs) == 0 {
			o.Severity, o.Title = "", intake.Cut(c.description, 200)
		}
		if err := s.observe(o); err != nil {
			return err
		}
	}
	return nil
}

var openSSH = regexp.MustCompile(`OpenSSH_(\d+(?:\.\d+)*)(p\d+)?`)

func (t *sshTarget) service(e endpoint, backport string) *finding.ServiceSeen {
	v := &finding.ServiceSeen{Address: e.address, HostName: e.name(), Protocol: "tcp", Port: e.port, Name: "ssh", Banner: intake.Cut(t.banner, 1<<10),
		Backport: backport, SSHKey: t.key}
	if m := openSSH.FindStringSubmatch(t.banner + " " + t.software); m != nil {
		n := cpe.New('a', "openbsd", "openssh", m[1], "")
		if m[2] != "" {
			n = n.With(cpe.Update, cpe.Quote(m[2]))
		}
		v.Product, v.Version, v.CPEs = "OpenSSH", m[1]+m[2], []string{n.String()}
	}
	return v
}

// sshClasses are the classes in words.
var sshClasses = map[string]string{"kex": "key exchange", "key": "host key", "enc": "encryption", "mac": "message authentication"}

// level is how ssh-audit judges an algorithm.
func (a *sshAlgorithm) level() string {
	switch {
	case len(a.fail) > 0:
		return "fail"
	case len(a.warn) > 0:
		return "warn"
	}
	return ""
}

func (a *sshAlgorithm) line() string {
	line := a.name
	if a.bits != "" {
		line += " (" + a.bits + " bits)"
	}
	return line + ": " + strings.Join(append(slices.Clip(a.fail), a.warn...), "; ")
}

// classes lists for every class and level all algorithms, so that each of their records says the same.
func (t *sshTarget) classes() map[string]string {
	lists := map[string]string{}
	for i := range t.algorithms {
		a := &t.algorithms[i]
		if key := a.class + "-" + a.level(); a.level() != "" && len(lists[key]) < intake.MaxText {
			lists[key] += a.line() + "\n"
		}
	}
	return lists
}

func (s *sshAudit) algorithm(a *sshAlgorithm, o finding.Observation, classes map[string]string) error {
	level := a.level()
	if level == "" {
		return s.note("an algorithm of no known weakness")
	}
	key := a.class + "-" + level
	o.Check, o.Confidence, o.CWEs = "ssh-audit:"+key, 95, []int{327}
	o.Severity, o.Title, o.Output = "low", "SSH: weak "+sshClasses[a.class]+" algorithms", strings.TrimSpace(classes[key])
	if level == "fail" {
		o.Severity, o.Title = "medium", "SSH: broken "+sshClasses[a.class]+" algorithms"
	}
	o.Remedy = "Take these " + sshClasses[a.class] + " algorithms out of the server's configuration."
	o.CVEs = finding.CVEsIn(a.line())
	if len(o.CVEs) > 0 { // Terrapin
		o.Title, o.Output = "SSH: "+a.name+" is open to an attack", a.line()
	}
	return s.observe(o)
}
