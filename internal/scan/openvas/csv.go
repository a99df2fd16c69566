package openvas

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// maxField keeps the longest list of CVEs that a check of the feed has (a kernel update names over a thousand).
const maxField = 1 << 20

// readCSV reads the "CSV Results" report of any version. It covers nothing: it does not say whether the scan ended, nor
// which hosts were looked at.
func readCSV(s *sink, raw *bufio.Reader) error {
	t := intake.NewTable(Name, raw, 0)
	t.Keep(maxField)
	if err := t.Header(); err != nil {
		return err
	}
	if !t.Has("NVT OID") && !t.Has("NVT Name") || !t.Has("IP") && !t.Has("Host") && !t.Has("Hostname") {
		return fault.Invalid("openvas report: the header has no columns \"IP\" and \"NVT OID\"")
	}
	if !t.Ended() {
		return fmt.Errorf("openvas %w within the header", scan.ErrTruncated)
	}
	short := false // the row before had too few fields: malformed, unless it was the last
	for {
		row, err := t.Next()
		switch {
		case err == io.EOF && short:
			return fmt.Errorf("openvas %w in line %d", scan.ErrTruncated, t.Line())
		case err == io.EOF:
			return nil
		case err != nil && short && !errors.Is(err, scan.ErrTruncated):
			return errors.Join(s.drop(reasonShort, false), err)
		case err != nil:
			return err
		}
		if short {
			if err := s.drop(reasonShort, false); err != nil {
				return err
			}
		}
		if short = len(row) < t.Columns(); short {
			continue
		}
		r := rowResult(t)
		if err := s.record(&r, r.at, ""); err != nil {
			return err
		}
	}
}

const reasonShort = "malformed: a row with fewer fields than the header"

func rowResult(t *intake.Table) result {
	r := result{host: t.Get("IP", "Host", "Host IP"), hostname: t.Get("Hostname", "Host Name"), port: rowPort(t),
		oid: t.Get("NVT OID"), name: text(t.Get("NVT Name", "Name")), threat: t.Get("Severity", "Threat"), severity: numberOf(t.Get("CVSS")),
		qod: t.Get("QoD"), solution: text(t.Get("Solution")), summary: text(t.Get("Summary")),
		description: text(t.Get("Specific Result", "Result", "Description")), at: timeOf(t.Get("Timestamp"))}
	if !r.severity.known { // some dialects put the figure there
		r.severity = numberOf(r.threat)
	}
	r.rate(t.Get("CVSS Vector", "CVSS Base Vector"))
	r.citeOther(t.Get("Other References"))
	r.cves = cvesIn(t.Get("CVEs", "CVE"))
	r.citeList("bid", t.Get("BIDs", "BID"))
	r.citeList("cert", t.Get("CERTs", "CERT"))
	return r
}

// text takes back the apostrophe that gvmd puts before what a spreadsheet would take for a formula.
func text(field string) string {
	if len(field) > 1 && field[0] == '\'' && strings.IndexByte("=+-@", field[1]) >= 0 {
		return field[1:]
	}
	return field
}

func rowPort(t *intake.Table) string {
	port, protocol := t.Get("Port"), t.Get("Port Protocol", "Protocol")
	switch {
	case port == "" || strings.Contains(port, "/"):
		return port
	case protocol == "":
		protocol = "tcp"
	}
	return port + "/" + protocol
}
