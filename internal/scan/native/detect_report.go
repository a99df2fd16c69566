package native

import (
	"bytes"

	"github.com/patchscout/patchscout/internal/scan"
)

// Detect says whether a report is of this scanner: its first line says so (scan.Reader).
func (Scanner) Detect(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	return bytes.HasPrefix(line, []byte(`{"kind":"`+kindStart+`"`)) && bytes.Contains(line, []byte(`"tool":"`+Name+`"`))
}

var _ scan.Reader = Scanner{}
