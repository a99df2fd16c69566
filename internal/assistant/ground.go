package assistant

import (
	"regexp"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/answer"
)

var cveID = regexp.MustCompile(`(?i)\bCVE-[0-9]{4}-[0-9]{4,}`)

// ground takes the CVEs out of a draft that none of its sources has: a service may call itself by one, and a record may be
// about something else.
func ground(d *answer.Draft) {
	var known strings.Builder
	for _, s := range d.Sources {
		known.WriteString(strings.ToUpper(s.ID + "\n" + s.Title + "\n" + s.Text + "\n"))
	}
	has := map[string]bool{}
	for _, id := range cveID.FindAllString(known.String(), -1) {
		has[id] = true
	}
	for i, l := range d.Lines {
		d.Lines[i].Text = cveID.ReplaceAllStringFunc(l.Text, func(id string) string {
			if has[strings.ToUpper(id)] {
				return id
			}
			return "(a CVE id that no record here has)"
		})
	}
}
