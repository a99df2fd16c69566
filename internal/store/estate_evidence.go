package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

var (
	evidenceColumns = []string{"id", "finding", "sensor", "chk", "first_seen", "last_seen", "first_scan", "last_scan", "status",
		"confidence", "reason", "criteria", "needs", "fixed_in", "title", "output", "location", "remedy", "vector",
		"policy", "severity", "cwes", "refs", "result", "benchmark", "reference"}

	lookColumns = []string{"id", "host", "sensor", "scan", "at", "protocol", "ports", "open", "known", "checks", "policy"}
)

// Evidence returns the evidence of those findings that are in the view, by finding.
func (e *Estate) Evidence(ctx context.Context, v auth.View, ids []int64) (map[int64][]finding.Evidence, error) {
	byID := map[int64]*finding.Finding{}
	for _, id := range ids {
		byID[id] = &finding.Finding{ID: id}
	}
	err := e.db.view(ctx, func(tx *Tx) error {
		in, err := seen(ctx, tx, v, "finding", ids)
		if err != nil {
			return err
		}
		return addEvidence(ctx, tx, in, byID)
	})
	out := make(map[int64][]finding.Evidence, len(byID))
	for id, f := range byID {
		out[id] = f.Evidence
	}
	return out, err
}

// addEvidence reads the evidence of findings, with its texts.
func addEvidence(ctx context.Context, tx *Tx, ids []int64, byID map[int64]*finding.Finding) error {
	for chunk := range slices.Chunk(ids, chunkSize) {
		among := padded(chunk)
		rows, err := tx.Query(ctx, `SELECT e.id, e.finding, e.sensor, e.chk, e.first_seen, e.last_seen, e.first_scan, e.last_scan, e.status,
			e.confidence, e.reason, e.criteria, e.needs, e.fixed_in, e.title, t.body, e.location, e.remedy, e.vector,
			e.policy, e.severity, e.cwes, e.refs, e.result, e.benchmark, e.reference
			FROM evidence e LEFT JOIN text t ON t.hash = e.output WHERE e.finding IN (`+Marks(len(among))+`)
			ORDER BY e.finding, e.sensor, e.chk, e.first_seen, e.id`, among...)
		if err != nil {
			return err
		}
		if err := eachRow(rows, func() error { return scanEvidence(rows, byID) }); err != nil {
			return err
		}
	}
	return nil
}

func scanEvidence(rows *sql.Rows, byID map[int64]*finding.Finding) error {
	var e finding.Evidence
	var id, first, last int64
	var status, needs, cwes, refs string
	var output sql.NullString
	err := rows.Scan(&e.ID, &id, &e.Sensor, &e.Check, &first, &last, &e.FirstScan, &e.LastScan, &status, &e.Confidence, &e.Reason,
		&e.Criteria, &needs, &e.FixedIn, &e.Title, &output, &e.Location, &e.Remedy, &e.Vector,
		&e.Policy, &e.Severity, &cwes, &refs, &e.Result, &e.Benchmark, &e.Reference)
	if err != nil {
		return err
	}
	e.FirstSeen, e.LastSeen, e.Status = moment(first), moment(last), finding.Status(status)
	e.Needs, e.Output, e.CWEs, e.References = unlist(needs), output.String, unnumber(cwes), unlist(refs)
	if f := byID[id]; f != nil {
		f.Evidence = append(f.Evidence, e)
	}
	return nil
}

func looksOf(ctx context.Context, tx *Tx, hosts []int64) (map[int64][]finding.Look, error) {
	out := map[int64][]finding.Look{}
	for chunk := range slices.Chunk(hosts, chunkSize) {
		rows, err := tx.Query(ctx, `SELECT l.host, l.sensor, l.scan, l.at, l.protocol, l.ports, l.open, l.known, t.body, l.policy
			FROM look l LEFT JOIN text t ON t.hash = l.checks WHERE l.host IN (`+Marks(len(chunk))+`) ORDER BY l.host, l.at, l.id`, anys(chunk)...)
		if err != nil {
			return nil, err
		}
		if err := eachRow(rows, func() error { return scanLook(rows, out) }); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func scanLook(rows *sql.Rows, out map[int64][]finding.Look) error {
	var l finding.Look
	var host, at int64
	var ports, open, known string
	var checks sql.NullString
	if err := rows.Scan(&host, &l.Sensor, &l.Scan, &at, &l.Protocol, &ports, &open, &known, &checks, &l.Policy); err != nil {
		return err
	}
	l.At = moment(at)
	for _, r := range []struct {
		text string
		into *[]finding.PortRange
	}{{ports, &l.Ports}, {open, &l.Open}, {known, &l.Known}} {
		parsed, err := readRanges(r.text)
		if err != nil {
			return fmt.Errorf("look at host %d: %w", host, err)
		}
		*r.into = parsed
	}
	if checks.String != "" {
		l.Checks = strings.Split(checks.String, "\n")
	}
	out[host] = append(out[host], l)
	return nil
}

// readRanges reads back what was stored, whatever it was: finding.ReadPorts refuses port 0 in a report, and what was
// taken in must not be refused on the way out.
func readRanges(s string) (list []finding.PortRange, err error) {
	if s == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, err := strconv.ParseUint(first, 10, 16)
		if err != nil {
			return nil, err
		}
		b, err := strconv.ParseUint(last, 10, 16)
		if err != nil {
			return nil, err
		}
		list = append(list, finding.PortRange{First: uint16(a), Last: uint16(b)})
	}
	return list, nil
}
