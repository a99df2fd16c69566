package native

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/finding"
)

// formatVersion is the version of the report. It rises when a field changes its meaning; new fields may come without.
const formatVersion = 1

// The kinds of lines. A report is one "start", then lines of all hosts in the order in which things were found, then one
// "end". Of one host: a "host" when it first answers, a "service" for each open port, a "done" when all of its ports were
// asked and all of its services were looked at. A host that never answered has only a "done". A report without "end" was
// interrupted; a host without "done" was not scanned to its end and is covered for nothing.
const (
	kindStart   = "start"
	kindHost    = "host"
	kindService = "service"
	kindDone    = "done"
	kindEnd     = "end"
)

// record is one line of the report: a JSON object. Which fields are set depends on Kind.
type record struct {
	Kind string    `json:"kind"`
	At   time.Time `json:"at"` // UTC

	// start, end
	Format  int    `json:"format,omitempty"`
	Tool    string `json:"tool,omitempty"`
	Profile string `json:"profile,omitempty"`
	Hosts   int    `json:"hosts,omitempty"`

	// host, done
	Address string   `json:"address,omitempty"`
	Names   []string `json:"names,omitempty"`
	Status  string   `json:"status,omitempty"` // up, down, unknown
	Reason  string   `json:"reason,omitempty"`
	OS      string   `json:"os,omitempty"`
	SSHKey  string   `json:"ssh_key,omitempty"` // also in service
	Ports   string   `json:"ports,omitempty"`   // done: what answered and was looked at to the end, "1-1024,3306"
	Open    int      `json:"open,omitempty"`
	Silent  int      `json:"silent,omitempty"` // attempts without an answer
	Unsent  int      `json:"unsent,omitempty"` // ports that could not be asked from here

	// service
	Port     uint16   `json:"port,omitempty"`
	Name     string   `json:"name,omitempty"`
	Product  string   `json:"product,omitempty"`
	Version  string   `json:"version,omitempty"` // in start: the scanner's
	Extra    string   `json:"extra,omitempty"`
	CPEs     []string `json:"cpes,omitempty"` // in done: the operating system's
	TLS      bool     `json:"tls,omitempty"`
	Banner   string   `json:"banner,omitempty"` // bytes that are no printable text stand as \xNN
	Backport string   `json:"backport,omitempty"`
	Guessed  bool     `json:"guessed,omitempty"` // named after its port number alone
}

// report writes records as they come. Safe for concurrent use.
type report struct {
	mu   sync.Mutex
	w    io.Writer
	fail func(error) // told once, when the report cannot be written
	dead bool
}

func (r *report) write(rec record) {
	line, err := json.Marshal(rec)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead {
		return
	}
	if err == nil {
		_, err = r.w.Write(append(line, '\n'))
	}
	if err != nil {
		r.dead = true
		r.fail(fmt.Errorf("write report: %w", err))
	}
}

// record turns what was recognised into its line.
func (s *service) record(addr netip.Addr, port uint16) record {
	return record{Kind: kindService, At: now(), Address: addr.String(), Port: port, Name: s.Name,
		Product: clip(s.Product, 128), Version: clip(s.Version, 128), Extra: clip(s.Extra, 512), CPEs: s.CPEs, TLS: s.TLS,
		Banner: clip(printable(s.Banner), maxBanner), Backport: s.Backport, Guessed: s.Guessed, SSHKey: s.SSHKey}
}

func (r record) service(addr netip.Addr) *finding.ServiceSeen {
	return &finding.ServiceSeen{Address: addr, Protocol: "tcp", Port: r.Port, Name: r.Name, Product: r.Product,
		Version: r.Version, Extra: r.Extra, CPEs: r.CPEs, TLS: r.TLS, Banner: r.Banner, Backport: r.Backport,
		Guessed: r.Guessed, SSHKey: r.SSHKey, At: r.At}
}

func (r record) host(addr netip.Addr) finding.HostSeen {
	return finding.HostSeen{Address: addr, Names: r.Names, SSHKey: r.SSHKey, Status: r.Status, Reason: r.Reason, OS: r.OS,
		CPEs: r.CPEs, At: r.At}
}

// maxBanner is how much of what a service said is kept as evidence.
const maxBanner = 1024

// printable keeps text and line ends; every other byte becomes \xNN, so that evidence can be read and never rings,
// moves or colours.
func printable(b []byte) string {
	var out strings.Builder
	for len(b) > 0 && out.Len() < maxBanner {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1, r != '\n' && r != '\t' && r != '\r' && !unicode.IsPrint(r):
			for _, c := range b[:n] {
				fmt.Fprintf(&out, `\x%02x`, c)
			}
		case r != '\r':
			out.WriteRune(r)
		}
		b = b[n:]
	}
	return strings.TrimRight(out.String(), "\n")
}

// line is printable for a value that must stay on one line.
func line(s string) string {
	return strings.Join(strings.Fields(printable([]byte(clip(s, maxBanner)))), " ")
}

// clip cuts s to at most n bytes, between runes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
