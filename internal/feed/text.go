package feed

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/fault"
)

// Begin looks at the first bytes of a decompressed file and tells what publishers' servers and proxies send in its
// place: nothing, or a page for people. It returns a reader of the whole file without its byte order mark.
func Begin(file File, r io.Reader) (io.Reader, error) {
	br := bufio.NewReaderSize(r, 4096)
	head, err := br.Peek(512)
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, _ = br.Discard(3) // they are in the buffer
		head = head[3:]
	}
	head = bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(head) == 0 && errors.Is(err, io.EOF):
		return nil, fault.Invalid("%s: the file is empty", file.Name)
	case len(head) > 0 && head[0] == '<': // says more than the wrong checksum that such a page also has
		return nil, fault.Invalid("%s: an HTML or XML page, not the feed (a login or error page?)", file.Name)
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return nil, fault.Invalid("%s: compressed twice", file.Name)
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return nil, fault.Invalid("%s: UTF-16 text, want UTF-8", file.Name)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return nil, fault.Invalid("%s: a zip archive, want the JSON or CSV file itself or its .gz", file.Name)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, &readError{file.Name, err}
	}
	return br, nil
}

// readError keeps the kind of its cause, which the verifying reader below has already given.
type readError struct {
	name string
	err  error
}

func (e *readError) Error() string { return "read " + e.name + ": " + e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// Cut shortens text to at most limit bytes, at the end of a word if one is near, and marks that it did.
func Cut(text string, limit int) string {
	const mark = "…"
	if len(text) <= limit {
		return text
	}
	at := max(0, limit-len(mark))
	for at > 0 && !utf8.RuneStart(text[at]) {
		at--
	}
	if blank := strings.LastIndexAny(text[:at], " \n"); blank > at-40 && blank > 0 {
		at = blank
	}
	return strings.TrimRight(text[:at], " \n\r\t") + mark
}
