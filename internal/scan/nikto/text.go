package nikto

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/patchscout/patchscout/internal/scan/intake"
)

// maxLine is more than any line of Nikto's.
const maxLine = 1 << 20

// noItem are lines that Nikto prints besides its items.
var noItem = regexp.MustCompile(`^(Server|Platform|SSL Info|Message|Virtual Host|Cipher|Via Proxy|Multiple IPs|End Time|Scan terminated|` +
	`ERROR|WARNING|Requires|Using Proxy|Root page /? ?redirects to|Proxy|Target Hostname|Site Link|No CGI Directories)\b|` +
	`^\d+ (requests|items checked|host\(s\) tested|error\(s\))`)

var (
	idWord     = regexp.MustCompile(`^\[([A-Za-z0-9_-]{1,20})\]\s+`)
	osvdbWord  = regexp.MustCompile(`^OSVDB-(\d{1,9}):\s+`)
	methodWord = regexp.MustCompile(`^([A-Z]{2,20})\s+`)
	seeAlso    = regexp.MustCompile(`\sSee:?\s+((?:https?://|CVE-|OSVDB|CWE-)\S+(?:[ ,]+(?:https?://|CVE-)\S+)*?):?\s*$`)
)

// readText reads the text report ("+ GET /path: message See: reference:") and what Nikto prints ("+ [999957] /path: …").
func (d *document) readText(piece io.Reader) error {
	in, s := bufio.NewReaderSize(intake.Text(piece), 64<<10), (*site)(nil)
	for {
		line, err := readLine(in)
		if line = strings.TrimSpace(line); line != "" {
			if e := d.line(&s, line); e != nil {
				return e
			}
		}
		switch {
		case err == nil:
		case err == io.EOF && s != nil: //nolint:errorlint // bufio returns it bare
			return d.finish(s, false)
		case err == io.EOF: //nolint:errorlint // bufio returns it bare
			return nil
		default:
			return fmt.Errorf("read nikto report: %w", err)
		}
	}
}

// readLine cuts lines that nobody wrote.
func readLine(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		part, err := in.ReadSlice('\n')
		if b.Len() < maxLine {
			b.Write(part)
		}
		if err != bufio.ErrBufferFull { //nolint:errorlint // bufio returns it bare
			return intake.Cut(b.String(), maxLine), err
		}
	}
}

func (d *document) line(s **site, line string) error {
	text, isItem := strings.CutPrefix(line, "+ ")
	if !isItem {
		return nil
	}
	key, value, _ := strings.Cut(text, ":")
	value = strings.TrimSpace(value)
	switch key {
	case "Target IP", "Target Host":
		if err := d.leave(s); err != nil {
			return err
		}
		*s = &site{target: target{host: value}}
		(*s).identify(value, "")
		return nil
	}
	if *s == nil {
		if noItem.MatchString(text) {
			return nil
		}
		*s = &site{}
	}
	switch {
	case key == "Target Hostname":
		(*s).host = value
	case key == "Target Port":
		(*s).identify("", value)
	case key == "Start Time":
		(*s).start = moment(value)
	case noItem.MatchString(text):
	default:
		return d.item(*s, itemOf(text))
	}
	return nil
}

func (d *document) leave(s **site) error {
	if *s == nil {
		return nil
	}
	left := *s
	*s = nil
	return d.finish(left, false)
}

// itemOf takes a line apart.
func itemOf(text string) *item {
	i := &item{}
	if m := idWord.FindStringSubmatch(text); m != nil {
		i.id, text = m[1], text[len(m[0]):]
	}
	if m := osvdbWord.FindStringSubmatch(text); m != nil {
		i.osvdb, text = m[1], text[len(m[0]):]
	}
	if m := methodWord.FindStringSubmatch(text); m != nil {
		i.method, text = m[1], text[len(m[0]):]
	}
	if at := strings.LastIndex(text, " See"); at >= 0 {
		if m := seeAlso.FindStringSubmatchIndex(text[at:]); m != nil {
			i.refs, text = text[at+m[2]:at+m[3]], text[:at]
		}
	}
	i.msg = text
	return i
}
