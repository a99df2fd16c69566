package report

import (
	"encoding/json"
	"io"
)

// JSON writes v as one indented document. Text from outside is escaped by encoding/json (control characters, invalid
// UTF-8, U+2028) and "<", ">", "&" stay readable.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
