package report

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// isTable says whether a text begins with a header of findings.
func isTable(head []byte) bool {
	if len(head) == 0 || head[0] == '<' {
		return false
	}
	first, _, whole := bytes.Cut(head, []byte("\n"))
	if !whole && len(head) >= intake.HeadSize {
		return false
	}
	header, err := intake.NewTable("generic", bytes.NewReader(first), 0).Next()
	return err == nil && findingsHeader(header)
}

// ofHosts are the columns of a list of hosts and their owners. One that has no others is for assets import: its names and
// criticalities are those of hosts, not of findings.
var ofHosts = map[string]bool{"address": true, "name": true, "site": true, "owner": true, "tags": true, "criticality": true, "exposed": true}

// findingsHeader says whether the columns are those of findings, and of no tool that has a reader of its own.
func findingsHeader(header []string) bool {
	fields := map[string]bool{}
	if !slices.ContainsFunc(header, func(name string) bool { return !ofHosts[plain(name)] }) {
		return false
	}
	for _, name := range header {
		if foreign[plain(name)] {
			return false
		}
		if field := fieldOf(name); field != "" {
			fields[field] = true
		}
	}
	return len(fields) >= 3 && sure(fields) && (placed(fields) || fields["description"])
}

// readTable reads CSV with a header; comma, semicolon and tab are told apart. A record is a row.
func readTable(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	t := intake.NewTable("generic", heedful{ctx, raw}, 0)
	header, err := t.Next()
	switch {
	case errors.Is(err, io.EOF):
		return fault.Invalid("generic report: no header row")
	case err != nil:
		return err
	case !findingsHeader(header):
		return fault.Invalid("not a generic report: the first line names no columns of findings (title, severity or cve, and host, address, component, location or url)")
	}
	columns := make([]string, len(header))
	for i, name := range header {
		columns[i] = fieldOf(name)
	}
	g := genericReport{o: newOut(emit)}
	for {
		fields, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := g.tellRow(columns, fields); err != nil {
			return err
		}
	}
}

func (g *genericReport) tellRow(columns, fields []string) error {
	r := row{fields: map[string]string{}}
	for i, value := range fields {
		switch {
		case i < len(columns):
			r.set(columns[i], value)
		case strings.TrimSpace(value) != "":
			return g.o.drop("malformed: more fields than columns")
		}
	}
	return g.tell(&r)
}
