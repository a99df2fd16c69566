// Package nikto runs Nikto and reads the reports of its versions 2.1.5 to 2.6: XML, JSON, CSV, the text report and what it
// prints. It never lets Nikto choose where to connect, and never takes a scan that could not connect for a clean server.
//
// Which of Nikto's items are findings, and how severe, is said in record.go.
package nikto

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/tool"
)

// Name is the sensor's name in evidence and coverage.
const Name = "nikto"

// MinVersion is the oldest Nikto that we run.
const MinVersion = "2.1.6"

// Options are what an administrator may set. The zero value works; nothing in it comes from a scan request.
type Options struct {
	Path        string        // Nikto's program, absolute; "" looks up nikto, nikto.pl
	Tuning      string        // kinds of tests, Nikto's -Tuning: digits and letters, "x" before those to leave out; "" = all
	Plugins     []string      // by name, none = Nikto's own choice
	Pause       time.Duration // between requests, 0 = none
	Timeout     time.Duration // of one request, 0 = 10 s
	TargetLimit time.Duration // gives up on one web port, 0 = 1 h
	Parallel    int           // web ports at one time, 0 = 2
	User        tool.User     // whose rights it gets when we are root, zero = nobody
}

var (
	tuning     = regexp.MustCompile(`^[0-9a-fx]{1,20}$`)
	pluginName = regexp.MustCompile(`^[a-z0-9_]{1,40}$`)
)

// Validate says what is wrong with the options (fault.Invalid).
func (o Options) Validate() error {
	switch {
	case o.Path != "" && !filepath.IsAbs(o.Path):
		return fault.Invalid("nikto path %q is not absolute", o.Path)
	case o.Tuning != "" && !tuning.MatchString(o.Tuning):
		return fault.Invalid("nikto tuning %q: want digits, the letters a to f, and x", o.Tuning)
	case o.Pause < 0 || o.Timeout < 0 || o.TargetLimit < 0:
		return fault.Invalid("nikto: a pause, time-out or limit is negative")
	case o.Parallel < 0 || o.Parallel > 16:
		return fault.Invalid("nikto parallel %d: want 1 to 16", o.Parallel)
	case len(o.Plugins) > 100:
		return fault.Invalid("nikto: more than 100 plugins")
	}
	for _, p := range o.Plugins {
		if !pluginName.MatchString(p) {
			return fault.Invalid("nikto plugin %q: want the plain name of one plugin", p)
		}
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.TargetLimit == 0 {
		o.TargetLimit = time.Hour
	}
	if o.Parallel == 0 {
		o.Parallel = 2
	}
	return o
}

// Scanner runs Nikto. Safe for concurrent use. New makes one; the zero value only reads.
type Scanner struct {
	opts   Options
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// New checks the options; whether Nikto is there is Available's question.
func New(opts Options) (*Scanner, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	return &Scanner{opts: opts.withDefaults(), lookup: net.DefaultResolver.LookupNetIP}, nil
}

// Name is "nikto".
func (*Scanner) Name() string { return Name }

// Stage is scan.WebStage: it looks at the web ports that were found.
func (*Scanner) Stage() scan.Stage { return scan.WebStage }

// versionLine matches "Nikto 2.5.0 (LW 2.5)" and the table of 2.1.6.
var versionLine = regexp.MustCompile(`(?m)^Nikto(?: main)?\s+v?(\d+(?:\.\d+)+)`)

// Available returns Nikto's version, or fault.Unavailable with what to do.
func (s *Scanner) Available(ctx context.Context) (string, error) {
	path, err := s.path()
	if err != nil {
		return "", err
	}
	version, err := tool.Version(ctx, s.tool(path), []string{"-Version"}, versionLine)
	switch {
	case err != nil:
		return "", err
	case !tool.AtLeast(version, MinVersion):
		return "", fault.Unavailable("nikto %s is too old: want %s or newer", version, MinVersion)
	}
	return version, nil
}

func (s *Scanner) path() (string, error) {
	return tool.Find(s.opts.Path, []string{"nikto", "nikto.pl"},
		"Debian (non-free), Ubuntu: apt-get install nikto; or set nikto's path to program/nikto.pl of a copy of its repository")
}

// maxReport bounds the file that Nikto writes about one web port.
const maxReport = 64 << 20

func (s *Scanner) tool(path string) tool.Options {
	return tool.Options{Name: Name, Path: path, User: s.opts.User, File: maxReport, Reads: []string{filepath.Dir(resolved(path))}}
}

// resolved follows links: Nikto finds its data beside the program itself.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

var (
	jsonBanner = regexp.MustCompile(`"(server_)?banner"\s*:`)
	jsonPort   = regexp.MustCompile(`"port"\s*:`)
)

// Detect says whether a report that begins with head is Nikto's.
func (*Scanner) Detect(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case len(head) == 0:
		return false
	case head[0] == '<':
		return bytes.Contains(head, []byte("<niktoscan")) || bytes.Contains(head, []byte("<!DOCTYPE niktoscan"))
	case head[0] == '{', head[0] == '[':
		return bytes.Contains(head, []byte(`"vulnerabilities"`)) && jsonBanner.Match(head) && jsonPort.Match(head) &&
			bytes.Contains(head, []byte(`"host"`))
	case head[0] == '"':
		return bytes.HasPrefix(head, []byte(`"Nikto - v`))
	}
	return bytes.HasPrefix(head, []byte("- Nikto v"))
}

var (
	_ scan.Scanner = (*Scanner)(nil)
	_ scan.Reader  = (*Scanner)(nil)
	_ scan.Staged  = (*Scanner)(nil)
)
