// Package nuclei runs Nuclei over the web servers that a scan found and reads its JSON lines and arrays, those of version 2
// too. It never fetches templates, never lets a target choose where to connect, and never takes silence for a clean
// result: an empty report says something only when we started the run and saw it end.
package nuclei

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/tool"
)

// Name is the sensor's name in evidence and coverage.
const Name = "nuclei"

// MinVersion is the oldest Nuclei that we run: the first with -jsonl.
const MinVersion = "2.9.0"

// Options are what an administrator may set; nothing in it comes from a scan request. The zero value only reads: running
// needs Templates.
type Options struct {
	Path        string        // Nuclei's program, absolute; "" looks it up
	Templates   string        // the folder or file of templates, absolute; Nuclei is not allowed to fetch any
	RateLimit   int           // requests a second over all, 0 = the job's rate, else 150 as Nuclei itself
	Concurrency int           // templates at one time, 0 = 25
	Timeout     time.Duration // of one request, 0 = 10 s
	Limit       time.Duration // gives up on a run, 0 = 6 h
	Stall       time.Duration // gives up when nothing was asked for so long, 0 = 10 min
	User        tool.User     // whose rights it gets when we are root, zero = nobody
}

// Validate says what is wrong with the options (fault.Invalid).
func (o Options) Validate() error {
	switch {
	case o.Path != "" && !filepath.IsAbs(o.Path):
		return fault.Invalid("nuclei path %q is not absolute", o.Path)
	case o.Templates != "" && (!filepath.IsAbs(o.Templates) || bytes.ContainsAny([]byte(o.Templates), ",\n\r")):
		return fault.Invalid("nuclei templates %q: want an absolute path without commas", o.Templates)
	case o.RateLimit < 0 || o.RateLimit > 10_000:
		return fault.Invalid("nuclei rate limit %d: want 1 to 10000", o.RateLimit)
	case o.Concurrency < 0 || o.Concurrency > 500:
		return fault.Invalid("nuclei concurrency %d: want 1 to 500", o.Concurrency)
	case o.Timeout < 0 || o.Limit < 0 || o.Stall < 0:
		return fault.Invalid("nuclei: a time-out or limit is negative")
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Concurrency == 0 {
		o.Concurrency = 25
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Limit == 0 {
		o.Limit = 6 * time.Hour
	}
	if o.Stall == 0 {
		o.Stall = 10 * time.Minute
	}
	return o
}

// Scanner runs Nuclei. Safe for concurrent use. New makes one; the zero value only reads.
type Scanner struct{ opts Options }

// New checks the options; whether Nuclei is there is Available's question.
func New(opts Options) (*Scanner, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	return &Scanner{opts: opts.withDefaults()}, nil
}

// Name is "nuclei".
func (*Scanner) Name() string { return Name }

// Stage is scan.WebStage: it takes the URLs of the web ports that were found.
func (*Scanner) Stage() scan.Stage { return scan.WebStage }

var versionLine = regexp.MustCompile(`(?i)Version:\s*v?(\d+(?:\.\d+)+)`)

// Available returns Nuclei's version, or fault.Unavailable with what to do.
func (s *Scanner) Available(ctx context.Context) (string, error) {
	path, err := s.path()
	if err != nil {
		return "", err
	}
	switch _, err := os.Stat(s.opts.Templates); {
	case s.opts.Templates == "":
		return "", fault.Unavailable("nuclei has no templates: copy nuclei-templates to this machine and set their folder in the configuration")
	case err != nil:
		return "", fault.Unavailable("look at nuclei's templates: %w", err)
	}
	version, err := tool.Version(ctx, s.tool(path), []string{"-version", "-duc"}, versionLine)
	switch {
	case err != nil:
		return "", err
	case !tool.AtLeast(version, MinVersion):
		return "", fault.Unavailable("nuclei %s is too old: want %s or newer", version, MinVersion)
	}
	return version, nil
}

func (s *Scanner) path() (string, error) {
	return tool.Find(s.opts.Path, []string{"nuclei"}, "get a release of projectdiscovery/nuclei and set its path, or put it into PATH")
}

// tool: a Go program reserves more addresses than it uses, and Nuclei with all templates loaded is large.
func (s *Scanner) tool(path string) tool.Options {
	return tool.Options{Name: Name, Path: path, User: s.opts.User, Memory: 16 << 30, File: 256 << 20, Reads: []string{s.opts.Templates}}
}

var (
	templateKey = regexp.MustCompile(`"template(-id|ID|_id)"\s*:`)
	infoKey     = regexp.MustCompile(`"info"\s*:`)
	matchedKey  = regexp.MustCompile(`"(matched|matched-at|matcher-status|matcher_name|matcher-name|host|timestamp|type)"\s*:`)
)

// Detect says whether a report that begins with head is Nuclei's. An empty file is nobody's.
func (*Scanner) Detect(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return false
	}
	if bytes.HasPrefix(head, []byte(ourLine)) {
		return true
	}
	return templateKey.Match(head) && (infoKey.Match(head) || matchedKey.Match(head))
}

var (
	_ scan.Scanner = (*Scanner)(nil)
	_ scan.Reader  = (*Scanner)(nil)
	_ scan.Staged  = (*Scanner)(nil)
)
