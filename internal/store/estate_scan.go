package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

const scanColumns = `id, kind, site, targets, profile, status, reason, asked_by, created, started, completed, scanners, catalogue,
	generation, hosts, silent, services, findings, demo`

// CreateScan keeps a new scan or import and returns its id.
func (e *Estate) CreateScan(ctx context.Context, s finding.Scan) (id int64, err error) {
	err = e.Update(ctx, func(tx *EstateTx) error {
		id, err = tx.insertScan(ctx, s)
		return err
	})
	return id, err
}

func (t *EstateTx) insertScan(ctx context.Context, s finding.Scan) (id int64, err error) {
	if s.ID, err = t.nextID(ctx, "scan"); err != nil {
		return 0, err
	}
	row, err := scanRow(s)
	if err != nil {
		return 0, err
	}
	_, err = t.tx.Exec(ctx, `INSERT INTO scan (`+scanColumns+`) VALUES (`+Marks(len(row))+`)`, row...)
	return s.ID, err
}

// UpdateScan writes how far a scan is.
func (e *Estate) UpdateScan(ctx context.Context, s finding.Scan) error {
	return e.Update(ctx, func(tx *EstateTx) error {
		row, err := scanRow(s)
		if err != nil {
			return err
		}
		columns := strings.Split(strings.Join(strings.Fields(scanColumns), ""), ",")
		res, err := tx.tx.Exec(ctx, `UPDATE scan SET `+strings.Join(columns[1:], " = ?, ")+` = ? WHERE id = ?`, append(row[1:], s.ID)...)
		return oneRow(res, err, "scan %d", s.ID)
	})
}

func scanRow(s finding.Scan) ([]any, error) {
	scanners, err := json.Marshal(s.Scanners)
	if err != nil {
		return nil, fmt.Errorf("scan %d: %w", s.ID, err)
	}
	return []any{s.ID, string(s.Kind), s.Site, list(s.Targets), s.Profile, string(s.Status), s.Reason, s.By, millis(s.Created),
		millis(s.Started), millis(s.Completed), string(scanners), string(s.Catalogue), s.Generation, s.Totals.Hosts, s.Totals.Silent,
		s.Totals.Services, s.Totals.Findings, truth(s.Demo)}, nil
}

// ScanFilter selects scans; the zero value selects all. Lists come newest first.
type ScanFilter struct {
	Site   string
	Kind   finding.ScanKind
	Status finding.ScanStatus
	Before int64 // the last id of the page before; 0 begins with the newest
	Skip   int
	Limit  int
}

// Scans lists scans and imports of a view, the newest first.
func (e *Estate) Scans(ctx context.Context, v auth.View, f ScanFilter) ([]finding.Scan, error) {
	c := f.conditions(v)
	if f.Before != 0 {
		c.add("id < ?", f.Before)
	}
	tail := limit(f.Limit)
	if f.Skip > 0 && f.Limit > 0 {
		tail += fmt.Sprintf(" OFFSET %d", f.Skip)
	}
	return e.scans(ctx, c, tail)
}

// CountScans counts what the filter selects, on all its pages.
func (e *Estate) CountScans(ctx context.Context, v auth.View, f ScanFilter) (n int, err error) {
	c := f.conditions(v)
	err = e.db.view(ctx, func(tx *Tx) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM scan WHERE `+c.String(), c.args...).Scan(&n)
	})
	return n, err
}

func (f ScanFilter) conditions(v auth.View) (c conditions) {
	c.see("site", v)
	if f.Site != "" {
		c.add("site = ?", f.Site)
	}
	if f.Kind != "" {
		c.add("kind = ?", string(f.Kind))
	}
	if f.Status != "" {
		c.add("status = ?", string(f.Status))
	}
	return c
}

// Scan returns one scan, fault.NotFound when there is none in the view.
func (e *Estate) Scan(ctx context.Context, v auth.View, id int64) (finding.Scan, error) {
	c := conditions{}
	c.see("site", v)
	c.add("id = ?", id)
	found, err := e.scans(ctx, c, "")
	if err == nil && len(found) == 0 {
		err = fault.NotFound("there is no scan %d", id)
	}
	if err != nil {
		return finding.Scan{}, err
	}
	return found[0], nil
}

func (e *Estate) scans(ctx context.Context, c conditions, tail string) (scans []finding.Scan, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+scanColumns+` FROM scan WHERE `+c.String()+` ORDER BY id DESC`+tail, c.args...)
		if err != nil {
			return err
		}
		return eachRow(rows, func() error {
			s, err := scanScan(rows)
			scans = append(scans, s)
			return err
		})
	})
	return scans, err
}

func scanScan(rows *sql.Rows) (s finding.Scan, err error) {
	var kind, targets, status, scanners, catalogue string
	var created, started, completed int64
	err = rows.Scan(&s.ID, &kind, &s.Site, &targets, &s.Profile, &status, &s.Reason, &s.By, &created, &started, &completed, &scanners,
		&catalogue, &s.Generation, &s.Totals.Hosts, &s.Totals.Silent, &s.Totals.Services, &s.Totals.Findings, &s.Demo)
	if err != nil {
		return s, err
	}
	s.Kind, s.Status, s.Targets = finding.ScanKind(kind), finding.ScanStatus(status), unlist(targets)
	s.Created, s.Started, s.Completed = moment(created), moment(started), moment(completed)
	if catalogue != "" {
		s.Catalogue = json.RawMessage(catalogue)
	}
	if err := json.Unmarshal([]byte(scanners), &s.Scanners); err != nil {
		return s, fmt.Errorf("scan %d: %w", s.ID, err)
	}
	return s, nil
}

var scanHostColumns = []string{"scan", "place", "address", "name", "host", "status", "reason", "ports"}

// AddScanHost records how a host answered a scan and at which ports, at most once per host in a transaction; it adds to
// what earlier transactions said.
func (t *EstateTx) AddScanHost(ctx context.Context, scan int64, h finding.ScanHost) error {
	old := finding.ScanHost{}
	var ports string
	place := cmp.Or(h.Address, h.Name)
	err := t.tx.QueryRow(ctx, `SELECT name, coalesce(host, 0), status, reason, ports FROM scan_host WHERE scan = ? AND place = ?`,
		scan, place).Scan(&old.Name, &old.HostID, &old.Status, &old.Reason, &ports)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err == nil {
		old.Ports = unlist(ports)
		h.Join(old)
	}
	var host any
	if h.HostID != 0 {
		host = h.HostID
	}
	t.byName["scan_host"].add(scan, place, h.Address, h.Name, host, h.Status, h.Reason, list(h.Ports))
	return nil
}

// ScanHosts lists how the hosts of a scan answered, by host id, the silent and unknown ones last; none when
// the scan is not in the view.
func (e *Estate) ScanHosts(ctx context.Context, v auth.View, scan int64) (hosts []finding.ScanHost, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		if in, err := sees(ctx, tx, v, "scan", scan); err != nil || !in {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT host, address, name, status, reason, ports FROM scan_host WHERE scan = ?
			ORDER BY CASE WHEN host IS NULL THEN 1 ELSE 0 END, host, address, name`, scan)
		if err != nil {
			return err
		}
		return eachRow(rows, func() error {
			var h finding.ScanHost
			var id sql.NullInt64
			var ports string
			err := rows.Scan(&id, &h.Address, &h.Name, &h.Status, &h.Reason, &ports)
			h.HostID, h.Ports = id.Int64, unlist(ports)
			hosts = append(hosts, h)
			return err
		})
	})
	return hosts, err
}

// CountScanFindings counts the findings that a scan saw, for the pipeline.
func (e *Estate) CountScanFindings(ctx context.Context, scan int64) (n int, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		ids, err := seenBy(ctx, tx, scan)
		n = len(ids)
		return err
	})
	return n, err
}

// AddLedger keeps the ledger of one raw report that a scan or import read. report is its blob, "" when it is not kept.
func (e *Estate) AddLedger(ctx context.Context, l finding.Ledger, report string) error {
	dropped, err := json.Marshal(l.Dropped)
	if err != nil {
		return err
	}
	return e.Update(ctx, func(tx *EstateTx) error {
		id, err := tx.nextID(ctx, "ledger")
		if err != nil {
			return err
		}
		_, err = tx.tx.Exec(ctx, `INSERT INTO ledger (id, scan, file, tool, report, records, expanded, hosts, hosts_up, services, new, merged,
			informational, dropped, cves, matched, unknown, at) VALUES (`+Marks(18)+`)`, id, l.Scan, l.File, l.Tool, report, l.Records, l.Expanded,
			l.Hosts, l.HostsUp, l.Services, l.New, l.Merged, l.Informational, string(dropped), l.CVEs, l.Matched, l.Unknown, millis(e.db.opts.Now()))
		return err
	})
}

// Ledgers lists the ledgers of a scan or import, in the order in which they were made; none when it is not in the
// view.
func (e *Estate) Ledgers(ctx context.Context, v auth.View, scan int64) (ledgers []finding.Ledger, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		if in, err := sees(ctx, tx, v, "scan", scan); err != nil || !in {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT scan, file, tool, records, expanded, hosts, hosts_up, services, new, merged, informational, dropped,
			cves, matched, unknown FROM ledger WHERE scan = ? ORDER BY id`, scan)
		if err != nil {
			return err
		}
		return eachRow(rows, func() error {
			var l finding.Ledger
			var dropped string
			err := rows.Scan(&l.Scan, &l.File, &l.Tool, &l.Records, &l.Expanded, &l.Hosts, &l.HostsUp, &l.Services, &l.New, &l.Merged,
				&l.Informational, &dropped, &l.CVEs, &l.Matched, &l.Unknown)
			if err == nil {
				err = json.Unmarshal([]byte(dropped), &l.Dropped)
			}
			ledgers = append(ledgers, l)
			return err
		})
	})
	return ledgers, err
}
