package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/native"
	"github.com/patchscout/patchscout/internal/scan/nessus"
	"github.com/patchscout/patchscout/internal/scan/nikto"
	"github.com/patchscout/patchscout/internal/scan/nmap"
	"github.com/patchscout/patchscout/internal/scan/nuclei"
	"github.com/patchscout/patchscout/internal/scan/openvas"
	formats "github.com/patchscout/patchscout/internal/scan/report"
)

// readers are all formats that an import knows. Each is sure of its own; the generic ones come last.
func readers() []scan.Reader {
	return append([]scan.Reader{
		&nmap.Scanner{}, native.Scanner{}, &nessus.Scanner{}, &openvas.Scanner{}, &nikto.Scanner{},
		&nuclei.Scanner{},
	}, formats.All()...)
}

// Tools names the formats that an import reads, for help texts.
func Tools() []string {
	var names []string
	for _, r := range readers() {
		if !slices.Contains(names, r.Name()) {
			names = append(names, r.Name())
		}
	}
	return names
}

// chooseReader finds the reader of a report by its beginning. A tool that the user named wins unless the report is surely
// another's.
func chooseReader(tool string, head []byte) (scan.Reader, error) {
	var is, wanted scan.Reader
	for _, r := range readers() {
		if r.Name() == tool && wanted == nil {
			wanted = r
		}
		if !r.Detect(head) {
			continue
		}
		if r.Name() == tool || tool == "" || tool == auto {
			return r, nil
		}
		if is == nil {
			is = r
		}
	}
	switch {
	case is != nil:
		return nil, fault.Invalid("this is a report of %s, not of %s: use --tool %s or --tool auto", is.Name(), tool, is.Name())
	case wanted != nil:
		return wanted, nil // its reader says what is wrong with it
	}
	return nil, fault.Invalid("not a report of a tool that is known here%s; known are %s", guess(head), strings.Join(Tools(), ", "))
}

// guess says what a file looks like that no reader takes.
func guess(head []byte) string {
	text := strings.ToLower(string(head[:min(len(head), 512)]))
	switch {
	case len(text) == 0:
		return " (it is empty; a run of Nuclei that found nothing is: --tool nuclei)"
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"):
		return " (it is a web page)"
	case strings.HasPrefix(text, "%pdf"):
		return " (it is a PDF)"
	case strings.HasPrefix(text, "pk\x03\x04"):
		return " (it is a ZIP archive: unpack it first)"
	case strings.HasPrefix(text, "# nmap"), strings.HasPrefix(text, "starting nmap"), strings.HasPrefix(text, "nmap scan report"):
		return " (it is nmap's normal or grepable output, which leaves out most of what it found: use the XML that -oX or -oA writes)"
	case strings.HasPrefix(text, "<"):
		return fmt.Sprintf(" (it is XML whose root is <%s>)", rootOf(string(head)))
	}
	return ""
}

// rootOf is the name of the first element of XML, as far as the beginning shows it.
func rootOf(text string) string {
	for {
		_, rest, found := strings.Cut(text, "<")
		if !found {
			return "?"
		}
		end := ">"
		switch {
		case strings.HasPrefix(rest, "?"):
			end = "?>"
		case strings.HasPrefix(rest, "!--"):
			end = "-->"
		case !strings.HasPrefix(rest, "!"):
			name := strings.FieldsFunc(rest, func(r rune) bool { return r <= ' ' || r == '>' || r == '/' })
			if len(name) == 0 {
				return "?"
			}
			return strings.ToValidUTF8(name[0][:min(len(name[0]), 40)], "?")
		}
		_, text, _ = strings.Cut(rest, end)
	}
}

// auto lets the report say what it is.
const auto = "auto"
