package answer

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/report"
)

// How much an answer lists.
const (
	fewItems  = 10
	manyItems = 50
)

// quote is a word of somebody else within a sentence: names of hosts, sites, products and people.
func quote(text string) string { return quoted(text, 80) }

// bold is a name that an answer is about.
func bold(text string) string { return "**" + quote(text) + "**" }

// number is a count as an answer begins with it: "**1,204**", "**No**".
func number(n int) string {
	if n == 0 {
		return "**No**"
	}
	return "**" + report.Thousands(n) + "**"
}

// have is the verb after a count.
func have(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// and joins words: "a, b and c".
func and(words []string) string { return series(words, "and") }

func or(words []string) string { return series(words, "or") }

func series(words []string, last string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " " + last + " " + words[n-1]
	}
}

// few joins the first words and says how many there are beside.
func few(words []string, most int) string {
	if len(words) <= most {
		return and(words)
	}
	return strings.Join(words[:most], ", ") + fmt.Sprintf(" and %d more", len(words)-most)
}

// day is a day as answers write it.
func day(t time.Time) string { return t.Format("2006-01-02") }

// moment is a time in the asker's zone.
func (q *Asked) moment(t time.Time) string { return t.In(q.Now.Location()).Format("2006-01-02 15:04") }

// ago says how long ago something was.
func (q *Asked) ago(t time.Time) string {
	switch d := q.Now.Sub(t); {
	case d < time.Hour:
		return "less than an hour ago"
	case d < 48*time.Hour:
		return report.Plural(int(d.Hours()), "hour", "hours") + " ago"
	default:
		return report.Plural(int(d.Hours()/24), "day", "days") + " ago"
	}
}

// lasted is a duration in two units at most.
func lasted(d time.Duration) string {
	switch {
	case d < time.Second:
		return "less than a second"
	case d < time.Minute:
		return report.Plural(int(d.Seconds()), "second", "seconds")
	case d < time.Hour:
		return and2(report.Plural(int(d.Minutes()), "minute", "minutes"), int(d.Seconds())%60, "second", "seconds")
	default:
		return and2(report.Plural(int(d.Hours()), "hour", "hours"), int(d.Minutes())%60, "minute", "minutes")
	}
}

func and2(first string, n int, one, many string) string {
	if n == 0 {
		return first
	}
	return first + " " + report.Plural(n, one, many)
}

// wholeItems is how long a list may be that is told as a whole though nobody said all: a list that stops short of a few more
// sends the reader elsewhere for nothing.
const wholeItems = 25

// fit is how many of total items the asker gets.
func (q *Asked) fit(total int) int {
	if q.Limit == 0 && total <= wholeItems {
		return total
	}
	return min(q.limit(), total)
}

// limit is how many items the asker gets where it is not known how many there are.
func (q *Asked) limit() int {
	switch {
	case q.Limit > 0:
		return min(q.Limit, manyItems)
	case q.All:
		return manyItems
	default:
		return fewItems
	}
}

// page is an address of the product's pages with its search.
func page(path string, search url.Values) string {
	for key, values := range search {
		if len(values) == 0 || values[0] == "" {
			search.Del(key)
		}
	}
	if len(search) == 0 {
		return path
	}
	return path + "?" + search.Encode()
}

// shell quotes an argument of a command for a shell, where it needs that.
func shell(word string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:,@=+", c)
	}
	if word != "" && strings.IndexFunc(word, func(c rune) bool { return !plain(c) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// cut is one line of foreign text for a source.
func cut(text string) string { return quoted(text, 300) }

// host makes a source of a host.
func hostSource(h *report.AskHost) report.Source {
	at := h.LastSeen
	return report.Source{Kind: "host", ID: strconv.FormatInt(h.ID, 10), Title: quote(hostCalled(h.Host)), Text: hostLine(h), URL: fmt.Sprintf("/assets/%d", h.ID),
		API: report.Text(fmt.Sprintf("/api/v1/assets/%d", h.ID)), At: &at}
}

// hostCalled is a host as people know it.
func hostCalled(h report.Host) string {
	if name := h.Name(); name != "" {
		return name
	}
	return "host " + strconv.FormatInt(h.ID, 10)
}

func hostLine(h *report.AskHost) string {
	parts := []string{"site " + h.Site}
	if len(h.Hostnames) > 0 && string(h.Address) != "" {
		parts = append(parts, h.Hostnames[0])
	}
	if h.OS != "" {
		parts = append(parts, string(h.OS))
	}
	parts = append(parts, h.Status, report.Plural(openOf(h), "open finding", "open findings"))
	return cut(strings.Join(parts, ", "))
}

// openOf is how many confirmed findings of a host stand.
func openOf(h *report.AskHost) int {
	f := h.Findings
	return f.Critical + f.High + f.Medium + f.Low + f.Info + f.Unknown
}

// findingSource makes a source of a finding.
func findingSource(f *report.Finding) report.Source {
	at := f.LastSeen
	s := report.Source{Kind: "finding", ID: strconv.FormatInt(f.ID, 10), Title: quoted(weaknessOf(f)+" on "+placeOf(f), 160), URL: fmt.Sprintf("/findings/%d", f.ID),
		API: report.Text(fmt.Sprintf("/api/v1/findings/%d", f.ID)), At: &at}
	parts := []string{f.Severity}
	if f.Title != "" {
		parts = append(parts, string(f.Title))
	}
	if f.Decision != "" {
		parts = append(parts, "decision "+string(f.Decision))
	}
	parts = append(parts, f.State)
	if len(f.Evidence) > 0 {
		s.From = report.Text(quote(f.Evidence[0].Scanner))
		if f.Evidence[0].Reason != "" {
			parts = append(parts, string(f.Evidence[0].Reason))
		}
	}
	s.Text = cut(strings.Join(parts, "; "))
	return s
}

// weaknessOf is the CVE of a finding, else what it is called.
func weaknessOf(f *report.Finding) string {
	switch {
	case f.CVE != "":
		return string(f.CVE)
	case f.Title != "":
		return string(f.Title)
	default:
		return string(f.Check)
	}
}

// placeOf is where a finding is: "10.0.0.5:443", "10.0.0.5 (openssl@1.1.1)".
func placeOf(f *report.Finding) string {
	switch {
	case f.Port != nil && *f.Port != 0:
		if strings.Contains(f.Host, ":") {
			return fmt.Sprintf("(%s):%d", f.Host, *f.Port)
		}
		return fmt.Sprintf("%s:%d", f.Host, *f.Port)
	case f.Component != "":
		return fmt.Sprintf("%s (%s)", f.Host, f.Component)
	default:
		return f.Host
	}
}

// findingLine is a finding as an item of a list.
func findingLine(f *report.Finding) string {
	parts := []string{f.Severity}
	if f.CVSS != nil {
		parts = append(parts, fmt.Sprintf("CVSS %.1f", *f.CVSS))
	}
	if f.Decision != "" {
		parts = append(parts, string(f.Decision))
	}
	if f.KEV != nil && *f.KEV {
		parts = append(parts, "known exploited")
	}
	if !f.Due.IsZero() {
		parts = append(parts, "due "+f.Due.String())
	}
	text := bold(weaknessOf(f)) + " on " + quote(placeOf(f))
	if f.Service != "" {
		text += " (" + quoted(string(f.Service), 60) + ")"
	}
	return text + ": " + strings.Join(parts, ", ")
}

// refuse says that there is no answer, what is missing for one, and what can be done or asked instead.
func (d *Draft) refuse(cites []int, because, instead string) {
	d.Refused = true
	d.Missing = append(d.Missing, because)
	text := "I don't know, because " + strings.TrimRight(because, ".") + "."
	if instead != "" {
		text += " " + instead
	}
	d.Lines = append(d.Lines, Line{Text: text, Cites: cites})
}

// shellURL writes a value for an address.
func shellURL(text string) string { return url.QueryEscape(text) }
