package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/telemetry"
)

// JSON writes v as one indented document. Text from outside is escaped by encoding/json (C0 controls, invalid UTF-8) and
// here (C1 controls, bidirectional and invisible characters), since documents are looked at on terminals too; the values
// stay the same. "<", ">" and "&" stay readable.
func JSON(w io.Writer, v any) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(escapeHarmful(text.Bytes()))
	return err
}

// JSONLine writes v as one line, as JSON does.
func JSONLine(w io.Writer, v any) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(escapeHarmful(text.Bytes()))
	return err
}

// escapeHarmful writes harmful characters of a JSON text as \u escapes. They can only stand in strings.
func escapeHarmful(text []byte) []byte {
	var out []byte
	start := 0
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf && text[i] != 0x7f { // encoding/json has escaped C0; line ends are its own
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if telemetry.Harmful(r) {
			out = append(out, text[start:i]...)
			out = appendEscape(out, r)
			start = i + size
		}
		i += size
	}
	if start == 0 {
		return text
	}
	return append(out, text[start:]...)
}

func appendEscape(b []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return fmt.Appendf(b, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}
