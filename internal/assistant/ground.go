package assistant

import (
	"regexp"
	"strings"

	"github.com/patchscout/patchscout/internal/assistant/answer"
)

var (
	cveID     = regexp.MustCompile(`(?i)\bCVE-[0-9]{4}-[0-9]{4,}`)
	severalID = regexp.MustCompile(another + `(?:(?:,|;|/)?(?: and| or)? ?` + another + `)+`)
)

// another stands for a CVE that a quoted text names, and that no source has.
const another = "another CVE"

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
		text := cveID.ReplaceAllStringFunc(l.Text, func(id string) string {
			if has[strings.ToUpper(id)] {
				return id
			}
			return another
		})
		d.Lines[i].Text = severalID.ReplaceAllString(text, "other CVEs")
	}
}
