// Package nmap runs nmap and reads the XML that it writes, in this run or in a file of any version from 4 on. It never
// runs a shell, never hands nmap anything but addresses that it printed itself, and never decides what is vulnerable.
package nmap

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/tool"
)

// Name is the sensor's name in evidence and coverage.
const Name = "nmap"

// MinVersion is the oldest nmap that we run: the first with --exclude-ports, IPv6 host groups and today's XML.
const MinVersion = "7.00"

// Options are what an administrator may set. The zero value works; nothing in it comes from a scan request.
type Options struct {
	Path      string        // nmap's binary, absolute; "" looks it up
	Scripts   []string      // NSE scripts by name, nil = DefaultScripts; no paths, no categories, no patterns
	Timing    int           // -T1 to -T5, 0 = 4
	HostLimit time.Duration // gives up on one host, 0 = never
}

// DefaultScripts runs beside -sV: the host key is how an SSH host is recognised when its address changes; certificate and
// title cost one request each. Scripts that ask the internet (vulners) or try attacks are the administrator's to name.
var DefaultScripts = []string{"ssh-hostkey", "ssl-cert", "http-title"}

var scriptName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Validate says what is wrong with the options (fault.Invalid).
func (o Options) Validate() error {
	switch {
	case o.Path != "" && !filepath.IsAbs(o.Path):
		return fault.Invalid("nmap path %q is not absolute", o.Path)
	case o.Timing < 0 || o.Timing > 5:
		return fault.Invalid("nmap timing %d: want 1 to 5", o.Timing)
	case o.HostLimit < 0:
		return fault.Invalid("nmap host limit %s is negative", o.HostLimit)
	case len(o.Scripts) > 100:
		return fault.Invalid("nmap: more than 100 scripts")
	}
	for _, s := range o.Scripts {
		if !scriptName.MatchString(s) || categories[s] {
			return fault.Invalid("nmap script %q: want the plain name of one script", s)
		}
	}
	return nil
}

// categories are NSE's script categories: as a name they would start hundreds of scripts, the destructive ones too.
var categories = map[string]bool{"all": true, "auth": true, "broadcast": true, "brute": true, "default": true, "discovery": true, "dos": true,
	"exploit": true, "external": true, "fuzzer": true, "intrusive": true, "malware": true, "safe": true, "version": true, "vuln": true}

// Scanner runs nmap. Safe for concurrent use. New makes one; the zero value only reads.
type Scanner struct{ opts Options }

// New checks the options; whether nmap is there is Available's question.
func New(opts Options) (*Scanner, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	return &Scanner{opts: opts}, nil
}

// Name is "nmap".
func (*Scanner) Name() string { return Name }

var versionLine = regexp.MustCompile(`(?m)^Nmap version (\d+\.\d+)`)

// Available returns nmap's version, or fault.Unavailable with what to do.
func (s *Scanner) Available(ctx context.Context) (string, error) {
	path, err := s.path()
	if err != nil {
		return "", err
	}
	version, err := tool.Version(ctx, tool.Options{Name: Name, Path: path}, []string{"--version"}, versionLine)
	switch {
	case err != nil:
		return "", err
	case !tool.AtLeast(version, MinVersion):
		return "", fault.Unavailable("nmap %s is too old: want %s or newer", version, MinVersion)
	}
	return version, nil
}

func (s *Scanner) path() (string, error) {
	return tool.Find(s.opts.Path, []string{"nmap"}, "Debian, Ubuntu: apt-get install nmap")
}

// Detect says whether a file that begins with prefix (a few KiB) is nmap's XML. masscan writes the same elements, with a
// host for every port: its own reader knows that.
func Detect(prefix []byte) bool {
	text := string(prefix[:min(len(prefix), 8192)])
	if !strings.HasPrefix(strings.TrimLeft(text, "\ufeff \t\r\n"), "<") || strings.Contains(text, `scanner="masscan"`) {
		return false
	}
	return strings.Contains(text, "<nmaprun") || strings.Contains(text, "<!DOCTYPE nmaprun")
}

// Detect says whether a report that begins with head is nmap's XML.
func (*Scanner) Detect(head []byte) bool { return Detect(head) }

var (
	_ scan.Scanner = (*Scanner)(nil)
	_ scan.Reader  = (*Scanner)(nil)
)
