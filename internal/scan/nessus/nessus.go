// Package nessus runs scans on a Nessus server over its REST API and reads what Nessus, Tenable.io and Tenable.sc export:
// .nessus (XML version 2) and the dialects of CSV. It never trusts a server's certificate blindly, never calls a scan
// that was stopped a clean one, and never decides what is vulnerable.
package nessus

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// Name is the sensor's name in evidence and coverage.
const Name = "nessus"

// ErrNoHosts says that Nessus looked at nothing: nobody was there, or the scan never ran. That is not a clean result.
var ErrNoHosts = fault.NotFound("nessus scanned no host: the report names none")

// Scanner runs Nessus scans and reads its reports. Safe for concurrent use. New makes one; the zero value only reads.
type Scanner struct {
	opts   Options
	client *client // nil only reads
}

// Name is "nessus".
func (*Scanner) Name() string { return Name }

// Detect knows .nessus of both versions and the header rows of the CSV dialects.
func (*Scanner) Detect(head []byte) bool {
	head = bytes.TrimSpace(head)
	if bytes.HasPrefix(head, []byte("<")) {
		root := rootName(head)
		return root == rootV2 || root == rootV1
	}
	_, ok := dialectOf(headerNames(head))
	return ok
}

// The root elements. Version 1 ended with Nessus 4.2 (2009).
const (
	rootV2 = "NessusClientData_v2"
	rootV1 = "NessusClientData"
)

// rootName is the first element's name, behind the declaration, comments and a DTD that is not looked into.
func rootName(head []byte) string {
	for {
		head = bytes.TrimLeft(head, " \t\r\n")
		switch {
		case bytes.HasPrefix(head, []byte("<!--")):
			head = after(head, "-->")
		case bytes.HasPrefix(head, []byte("<?")):
			head = after(head, "?>")
		case bytes.HasPrefix(head, []byte("<!")):
			head = after(head, ">")
		case bytes.HasPrefix(head, []byte("<")):
			name, _, _ := strings.Cut(string(head[1:min(len(head), 60)]), ">")
			name, _, _ = strings.Cut(name, " ")
			return strings.TrimSpace(name)
		default:
			return ""
		}
	}
}

func after(text []byte, mark string) []byte {
	_, rest, _ := bytes.Cut(text, []byte(mark))
	return rest
}

// headerNames reads the first line as CSV, by whichever separator gives most columns.
func headerNames(head []byte) []string {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	var best []string
	for _, comma := range []rune{',', ';', '\t'} {
		r := csv.NewReader(bytes.NewReader(line))
		r.Comma, r.LazyQuotes = comma, true
		if row, err := r.Read(); err == nil && len(row) > len(best) {
			best = row
		}
	}
	return best
}

// Read turns a report into events, a host's as they come. A record (scan.Records) is a ReportItem or a row of a table:
//
//	severity above none, or a CVE        Observation, with every CVE that it names
//	item of a compliance check           Observation of kind compliance, passed ones too
//	what answers at a port               ServiceSeen, the first such item of the port
//	everything else                      Drop: informational when understood, else with its reason
//
// Coverage comes at the end of a .nessus file that is whole, for hosts that were scanned to the end (see policy.go); a
// table covers nothing. The errors are scan.ErrTruncated, ErrNoHosts and fault.Invalid with the line.
func (*Scanner) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	head, whole := intake.Head(raw)
	if len(head) > 0 && head[0] != '<' {
		return readTable(ctx, whole, emit)
	}
	return readXML(ctx, whole, emit)
}

var (
	_ scan.Scanner = (*Scanner)(nil)
	_ scan.Reader  = (*Scanner)(nil)
)
