package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is text that must not be shown: it prints as *** wherever Go prints values, dumps and JSON included.
type Secret string

const masked = "***"

// Reveal returns the secret itself, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// String prints ***, or nothing when no secret is set.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// Format covers every verb of package fmt, %#v, %x and %q included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText covers JSON, XML and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue covers slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
