package store

import (
	"strings"
	"unicode/utf8"
)

// clean makes hostile text storable: PostgreSQL refuses NUL and broken UTF-8, and both engines must keep the same.
func clean(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	return s
}
