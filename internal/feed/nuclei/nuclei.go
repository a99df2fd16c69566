// Package nuclei reads the list of Nuclei templates that test for a CVE. It never reads or runs a template, and reads no
// scan results.
package nuclei

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
)

const (
	baseURL   = "https://raw.githubusercontent.com/projectdiscovery/nuclei-templates/main/"
	listFile  = "cves.json"
	sourceURL = "https://github.com/projectdiscovery/nuclei-templates/blob/main/"

	maxLine = 256 << 10 // the longest has some 4 KiB
)

// Reader reads the list. The zero value is ready and safe for concurrent use.
type Reader struct{}

// Feed is "nuclei".
func (Reader) Feed() string { return "nuclei" }

// Base is the project's main branch.
func (Reader) Base() string { return baseURL }

// Remote is the one list.
func (Reader) Remote(time.Time) []feed.Remote { return []feed.Remote{{Name: listFile}} }

// Owns knows the list by its name.
func (Reader) Owns(name string) bool { return name == listFile }

// OwnsPath wants the folder "nuclei" as well: others call a list of CVEs the same.
func (Reader) OwnsPath(file string) bool {
	folder := path.Base(path.Dir(file))
	return path.Base(file) == listFile && (folder == "nuclei" || folder == "nuclei-templates")
}

// Partial is false: the file is the whole list.
func (Reader) Partial(string) bool { return false }

// Less orders by name.
func (Reader) Less(a, b string) bool { return a < b }

// line is a template as the list describes it. What else stands there, a severity and a score, is NVD's.
type line struct {
	ID   string
	Info struct {
		Name string
	}
	Path string `json:"file_path"`
}

// Read streams the templates for CVEs into sink.Exploit; those that test for something else are left out. The list gives
// no dates. See feed.Reader.
func (Reader) Read(ctx context.Context, file feed.File, r io.Reader, sink feed.Sink) error {
	body, err := feed.Begin(file, r)
	if err != nil {
		return err
	}
	lines := feed.NewJSONLines(file, body, maxLine)
	good := 0
	for n := 0; ; n++ {
		if n&0xff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		text, err := lines.Next()
		var bad *feed.RowError
		switch {
		case err == io.EOF: //nolint:errorlint // a wrapped one is a failure, not the end
			if good == 0 {
				return fault.Invalid("%s: no template for a CVE in it, this is no list of Nuclei's templates", file.Name)
			}
			return nil
		case errors.As(err, &bad):
			sink.Reject(lines.Place(), bad.Reason)
			continue
		case err != nil:
			return err
		}
		e, field, reason := exploit(text)
		switch {
		case reason != "":
			sink.Reject(strings.TrimSpace(lines.Place()+" "+field), reason)
		case e.CVE != 0:
			good++
			if err := sink.Exploit(e); err != nil {
				return err
			}
		}
	}
}

// exploit reads one line. Without a reason it is good, and its CVE zero when the template tests for something else.
func exploit(text []byte) (e intel.Exploit, field, reason string) {
	var l line
	if json.Unmarshal(text, &l) != nil {
		return e, "", "not a template as JSON"
	}
	name := feed.Clean(l.ID)
	if name == "" {
		return e, "ID", "no name"
	}
	if len(name) < 4 || !strings.EqualFold(name[:4], "CVE-") {
		return e, "", ""
	}
	id, err := cve.ParseID(name)
	if err != nil {
		return e, "ID", "malformed CVE id"
	}
	e = intel.Exploit{CVE: id, Source: "nuclei", Key: feed.Clean(l.Path), Title: feed.Clean(l.Info.Name), Kind: "template"}
	if e.Key == "" {
		e.Key = name
	}
	e.URL = templateURL(e.Key)
	return e, "", ""
}

// templateURL is the template's source, "" for a path that is none of the project's.
func templateURL(file string) string {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-."
	if !strings.HasSuffix(file, ".yaml") || strings.Trim(file, allowed) != "" || strings.Contains(file, "..") || file[0] == '/' {
		return ""
	}
	return sourceURL + file
}
