// Package openvas runs scans on a Greenbone Vulnerability Manager (gvmd) over GMP and reads its reports, in XML of any
// dialect and in CSV, from this run or from a file. It never stores a credential, never speaks to a server whose
// certificate it cannot verify, and never lets a scan that did not finish count as a look at anything.
package openvas

import (
	"bytes"
	"encoding/hex"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
)

// Name is the sensor's name in evidence and coverage.
const Name = "openvas"

// What every gvmd has since OpenVAS 4 (its feed's objects keep their ids).
const (
	FullAndFast      = "daba56c8-73ec-11df-a475-002264764cea" // scan configuration
	AllIANATCP       = "33d0cd82-57c6-11e1-8ed1-406186ea4fc5" // port list: all TCP ports that IANA has assigned
	OpenVASScanner   = "08b69003-5fc2-4037-a479-93b440211c73"
	xmlReportFormat  = "a994b278-1f62-11e1-96ac-406186ea4fc5"
	defaultPoll      = 5 * time.Second
	defaultTimeout   = time.Minute
	maxAnswer        = 4 << 20 // bytes of one answer that is not a report
	defaultPort      = "9390"
	maxHostsOfTarget = 4095 // gvmd's own default, --max-ips-per-target
)

// Options are what an administrator may set. The zero value looks for a local gvmd without logging in, which is enough to
// read reports; nothing in it comes from a scan request.
type Options struct {
	Socket  string // gvmd's unix socket, absolute; "" tries the usual places
	Address string // host:port of a gvmd that listens on TLS, port 9390 if left out; instead of Socket

	Username string
	Password config.Secret

	ConfigID   string // scan configuration, "" = FullAndFast
	PortListID string // ports of the quick and standard profile, "" = AllIANATCP
	ScannerID  string // "" = OpenVASScanner

	// The server's certificate must be signed by one of CAFile (PEM) or, without it, by one that the system trusts, and
	// name Address' host; or its SHA-256 must be Fingerprint (hex, ":" allowed): gvmd makes its own by default.
	CAFile      string
	Fingerprint string
	ClientCert  string // PEM, with ClientKey, when gvmd wants one
	ClientKey   string

	Poll    time.Duration // between two questions how far the task is, 0 = 5 s
	Timeout time.Duration // gvmd's silence within an answer, 0 = 1 min; ten times that before a report begins
	Keep    bool          // leave task, target and report in gvmd
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Validate says what is wrong with the options (fault.Invalid).
func (o Options) Validate() error {
	switch {
	case o.Socket != "" && o.Address != "":
		return fault.Invalid("openvas: socket and address are both set: want one of them")
	case o.Password != "" && o.Username == "":
		return fault.Invalid("openvas: a password without a username")
	case len(o.Username) > 1000 || len(o.Password) > 1000:
		return fault.Invalid("openvas: the username or password is longer than 1000 bytes")
	case (o.ClientCert == "") != (o.ClientKey == ""):
		return fault.Invalid("openvas: a client certificate needs its key, and the key its certificate")
	case o.Address == "" && (o.CAFile != "" || o.Fingerprint != "" || o.ClientCert != ""):
		return fault.Invalid("openvas: certificates are for an address, which is not set")
	case o.CAFile != "" && o.Fingerprint != "":
		return fault.Invalid("openvas: CA file and fingerprint are both set: want one of them")
	case o.Poll < 0 || o.Timeout < 0:
		return fault.Invalid("openvas: a negative time")
	}
	if err := o.validatePaths(); err != nil {
		return err
	}
	for name, id := range map[string]string{"scan configuration": o.ConfigID, "port list": o.PortListID, "scanner": o.ScannerID} {
		if id != "" && !uuid.MatchString(id) {
			return fault.Invalid("openvas: the id of the %s is not a UUID", name)
		}
	}
	if _, err := fingerprint(o.Fingerprint); err != nil {
		return err
	}
	_, _, err := o.hostPort()
	return err
}

func (o Options) validatePaths() error {
	for name, path := range map[string]string{"socket": o.Socket, "CA file": o.CAFile,
		"client certificate": o.ClientCert, "client key": o.ClientKey} {
		if path != "" && !filepath.IsAbs(path) {
			return fault.Invalid("openvas: the path of the %s is not absolute", name)
		}
	}
	return nil
}

// hostPort splits Address; both are "" when it is not set.
func (o Options) hostPort() (host, port string, err error) {
	if o.Address == "" {
		return "", "", nil
	}
	host, port, err = net.SplitHostPort(o.Address)
	if err != nil {
		host, port = strings.Trim(o.Address, "[]"), defaultPort
	}
	t, err := scan.ParseTarget(net.JoinHostPort(host, port))
	if err != nil || t.Port == 0 || t.Kind != scan.KindName && t.Kind != scan.KindAddress {
		return "", "", fault.Invalid("openvas: the address %q is not host:port", o.Address)
	}
	return host, port, nil
}

// fingerprint reads a SHA-256 in hex; nil for "".
func fingerprint(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	text = strings.TrimPrefix(strings.ToUpper(text), "SHA256:")
	sum, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(sum) != 32 {
		return nil, fault.Invalid("openvas: the fingerprint is not a SHA-256 in hex")
	}
	return sum, nil
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		field *string
		value string
	}{{&o.ConfigID, FullAndFast}, {&o.PortListID, AllIANATCP}, {&o.ScannerID, OpenVASScanner}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if o.Poll == 0 {
		o.Poll = defaultPoll
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	return o
}

// Scanner runs scans on gvmd. Safe for concurrent use. New makes one; the zero value only reads.
type Scanner struct{ opts Options }

// New checks the options; whether gvmd is there is Available's question.
func New(opts Options) (*Scanner, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	return &Scanner{opts: opts.withDefaults()}, nil
}

// Name is "openvas".
func (*Scanner) Name() string { return Name }

var (
	xmlRoot = regexp.MustCompile(`(?s)^(?:<\?[^>]*\?>|<!--.*?-->|<!DOCTYPE[^>\[]*>|\s)*` +
		`<(report|results?|get_reports_response|get_results_response|create_report)([\s>][^>]*)`)
	reportAttr = regexp.MustCompile(`\s(format_id|extension|content_type)=`)
)

// Detect says whether a report that begins with head is Greenbone's. A <report> of other tools has neither its
// attributes nor the protocol's version.
func (*Scanner) Detect(head []byte) bool {
	if m := xmlRoot.FindSubmatch(head); m != nil {
		switch string(m[1]) {
		case "report":
			return reportAttr.Match(m[2]) || greenbone(head)
		case "result", "results":
			return greenbone(head)
		}
		return true
	}
	first, _, _ := bytes.Cut(head, []byte("\n"))
	first = bytes.ToLower(first)
	return !bytes.HasPrefix(first, []byte("<")) && (bytes.Contains(first, []byte("nvt oid")) || bytes.Contains(first, []byte("nvt name")))
}

func greenbone(head []byte) bool {
	for _, sign := range []string{"<gmp>", "<omp>", "<scan_run_status>", "<nvt oid=", "<nvt oid ="} {
		if bytes.Contains(head, []byte(sign)) {
			return true
		}
	}
	return false
}

var (
	_ scan.Scanner = (*Scanner)(nil)
	_ scan.Reader  = (*Scanner)(nil)
)
