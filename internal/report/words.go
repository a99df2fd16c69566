package report

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/telemetry"
)

// missing is how tables show a fact that is not known.
const missing = "–"

// Plain makes text from a host or a feed safe for a terminal and one line long.
func Plain(s string) string { return telemetry.Plain(s) }

func number(v *float64, digits int) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'f', digits, 64)
}

func yesNo(v *bool) string {
	switch {
	case v == nil:
		return ""
	case *v:
		return "yes"
	}
	return "no"
}

func port(p *uint16) string {
	if p == nil {
		return ""
	}
	return strconv.Itoa(int(*p))
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func orMissing(s string) string {
	if s == "" {
		return missing
	}
	return s
}

// place is where a finding is: "22/tcp", or the component of a host.
func (f Finding) place() string {
	if f.Port == nil {
		return orMissing(string(f.Component))
	}
	return fmt.Sprintf("%d/%s", *f.Port, f.Protocol)
}

// where is host and port in one: 192.0.2.7:22, [2001:db8::1]:53/udp.
func (f Finding) where() string {
	if f.Port == nil {
		return f.Host
	}
	text := net.JoinHostPort(f.Host, port(f.Port))
	if f.Protocol != "tcp" {
		text += "/" + string(f.Protocol)
	}
	return text
}

// weakness is what people look for: the CVE, else the check.
func (f Finding) weakness() string {
	if f.CVE != "" {
		return string(f.CVE)
	}
	return string(f.Check)
}

// uri locates a finding for tools: tcp://[::1]:22.
func (f Finding) uri() string {
	if f.Port == nil {
		return "host://" + bracket(f.Host)
	}
	return string(f.Protocol) + "://" + net.JoinHostPort(f.Host, port(f.Port))
}

func bracket(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// Plural says "1 finding", "3 findings", "1,234 findings".
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Thousands(n) + " " + many
}

// Thousands prints 1234567 as 1,234,567.
func Thousands(n int) string {
	s := strconv.Itoa(n)
	start := len(s) % 3
	if n < 0 || len(s) <= 3 {
		return s
	}
	parts := []string{}
	if start > 0 {
		parts = append(parts, s[:start])
	}
	for i := start; i < len(s); i += 3 {
		parts = append(parts, s[i:i+3])
	}
	return strings.Join(parts, ",")
}

// Age says how old something is, in the unit that people would use.
func Age(d time.Duration) string {
	switch hours := int(d.Hours()); {
	case d < 0:
		return "from the future"
	case hours < 1:
		return "less than an hour old"
	case hours < 48:
		return Plural(hours, "hour", "hours") + " old"
	default:
		return Plural(hours/24, "day", "days") + " old"
	}
}
