package report

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
)

var csvHeader = []string{
	"id", "site", "host", "port", "protocol", "service", "cve", "check", "title", "severity", "cvss", "epss", "kev",
	"decision", "due", "forensics", "priority_score", "likelihood", "confidence", "status", "state", "triage",
	"first_seen", "last_seen", "reason", "likelihood_source", "indicators", "risk_removed",
}

// CSV writes one row per finding (RFC 4180). Absent facts are empty cells.
func CSV(w io.Writer, findings []Finding) error {
	out := newCSVStream(w)
	for _, f := range findings {
		if err := out.Add(f); err != nil {
			return err
		}
	}
	return out.End()
}

// csvStream is CSV, a finding at a time.
type csvStream struct{ out *csv.Writer }

func newCSVStream(w io.Writer) *csvStream {
	s := &csvStream{csv.NewWriter(w)}
	_ = s.out.Write(csvHeader) // End tells what went wrong
	return s
}

func (s *csvStream) Add(f Finding) error {
	row := csvRow(f)
	for i := range row {
		row[i] = cell(row[i])
	}
	return s.out.Write(row)
}

func (s *csvStream) End() error {
	s.out.Flush()
	return s.out.Error()
}

func csvRow(f Finding) []string {
	return []string{
		strconv.FormatInt(f.ID, 10), f.Site, f.Host, port(f.Port), string(f.Protocol), string(f.Service),
		string(f.CVE), string(f.Check), string(f.Title), f.Severity, number(f.CVSS, 1), number(f.EPSS, 5), yesNo(f.KEV),
		string(f.Decision), strings.TrimPrefix(f.Due.String(), missing), strconv.FormatBool(f.Forensics),
		number(f.PriorityScore, 3), number(f.Likelihood, 5), strconv.Itoa(f.Confidence), f.Status, f.State, f.Triage,
		stamp(f.FirstSeen), stamp(f.LastSeen), firstReason(f), string(f.LikelihoodSource), listedBy(f), f.risk(),
	}
}

// cell keeps a spreadsheet from running what a host said: a value that a spreadsheet reads as a formula gets a leading
// apostrophe (OWASP, CSV injection), control characters go.
func cell(s string) string {
	s = Plain(s)
	if s != "" && strings.ContainsRune("=+-@|%", rune(s[0])) {
		return "'" + s
	}
	return s
}

// listedBy names the sources of indicators that hold: "feodo threatfox".
func listedBy(f Finding) string {
	var sources []string
	for _, i := range f.Indicators {
		if !i.Expired && !slices.Contains(sources, i.Source) {
			sources = append(sources, i.Source)
		}
	}
	return strings.Join(sources, " ")
}

func firstReason(f Finding) string {
	for _, e := range f.Evidence {
		if e.Reason != "" {
			return string(e.Reason)
		}
	}
	return ""
}
