// Package telemetry is how the process tells what it does: its log (text or JSON lines on stderr, and a rotated file
// beside them) with the ids of requests, scans and jobs, metrics for Prometheus, traces for OpenTelemetry. It never writes
// to stdout, which belongs to results, and never lets logged text move a terminal's cursor.
package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
)

// Options says how to log. Stderr gets Format at Level; File gets JSON at Level, "" is no file.
type Options struct {
	Format    string // text, json
	Level     string // debug, info, warn, error
	File      string
	MaxSizeMB int
	MaxFiles  int
}

// Open returns the logger and a function that closes its file. The logger is safe for concurrent use.
func Open(stderr io.Writer, o Options) (*slog.Logger, func() error, error) {
	level := parseLevel(o.Level)
	console := handler(stderr, o.Format, level)
	if o.File == "" {
		return slog.New(contextual{console}), func() error { return nil }, nil
	}
	file, err := openRotating(o.File, int64(o.MaxSizeMB)<<20, o.MaxFiles)
	if err != nil {
		return nil, nil, err
	}
	return slog.New(contextual{both{console, handler(file, "json", level)}}), file.Close, nil
}

func parseLevel(s string) slog.Level {
	var level slog.Level
	if level.UnmarshalText([]byte(s)) != nil {
		return slog.LevelWarn // config has validated it; an embedder's typo must not silence errors
	}
	return level
}

// handler writes one line per record. slog's text handler quotes control characters in values but not in the message,
// and its JSON handler keeps bidirectional controls: plain covers both.
func handler(w io.Writer, format string, level slog.Level) slog.Handler {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if isSecret(a.Key) && a.Value.String() != "" {
			return slog.String(a.Key, "***")
		}
		if a.Value.Kind() == slog.KindString {
			return slog.String(a.Key, Plain(a.Value.String()))
		}
		if err, ok := a.Value.Any().(error); ok {
			return slog.String(a.Key, Plain(err.Error()))
		}
		return a
	}}
	if format == "json" {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}

// Plain makes hostile text safe for a terminal and one line long: control characters (C0, DEL, C1), bidirectional and
// invisible formatting characters and bytes that are not UTF-8 become U+FFFD. Tabs and line ends become blanks.
func Plain(s string) string {
	if isPlain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r':
			return ' '
		case Harmful(r):
			return '\uFFFD'
		}
		return r
	}, s)
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// Harmful says whether a character can change what a reader of a terminal sees of others: C0, DEL and C1 controls, and the "Trojan Source" set: bidirectional embeddings, overrides, isolates
// and marks, zero-width characters, line and paragraph separators, tags.
func Harmful(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f:
		return true
	case r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f:
		return true
	case r == 0x061c, r == 0xfeff, r >= 0xe0000 && r <= 0xe007f, r >= 0xfff9 && r <= 0xfffb:
		return true
	}
	return false
}

// both sends each record to two handlers.
type both [2]slog.Handler

func (b both) Enabled(ctx context.Context, level slog.Level) bool {
	return b[0].Enabled(ctx, level) || b[1].Enabled(ctx, level)
}

func (b both) Handle(ctx context.Context, r slog.Record) error {
	return errors.Join(b[0].Handle(ctx, r.Clone()), b[1].Handle(ctx, r.Clone()))
}

func (b both) WithAttrs(attrs []slog.Attr) slog.Handler {
	return both{b[0].WithAttrs(attrs), b[1].WithAttrs(attrs)}
}

func (b both) WithGroup(name string) slog.Handler {
	return both{b[0].WithGroup(name), b[1].WithGroup(name)}
}
