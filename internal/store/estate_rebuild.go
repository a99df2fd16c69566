package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"
)

// DeleteHost removes a host with everything that belongs to it.
func (t *EstateTx) DeleteHost(ctx context.Context, id int64) error {
	t.forget(func(table string, row []any) bool { return hostOf(table, row) == id })
	_, err := t.tx.Exec(ctx, `DELETE FROM host WHERE id = ?`, id)
	return err
}

// DeleteServices removes services.
func (t *EstateTx) DeleteServices(ctx context.Context, ids []int64) error {
	return t.deleteIDs(ctx, "service", ids)
}

// DeleteFindings removes findings with their evidence.
func (t *EstateTx) DeleteFindings(ctx context.Context, ids []int64) error {
	return t.deleteIDs(ctx, "finding", ids)
}

func (t *EstateTx) deleteIDs(ctx context.Context, table string, ids []int64) error {
	for chunk := range slices.Chunk(ids, chunkSize) {
		if _, err := t.tx.Exec(ctx, `DELETE FROM `+table+` WHERE id IN (`+Marks(len(chunk))+`)`, anys(chunk)...); err != nil {
			return err
		}
	}
	return nil
}

// Spoken says of which findings people, not rules, have said something: triage, comments, assignments, labels, closings.
// What was said of a finding that was joined into one of them counts.
func (t *EstateTx) Spoken(ctx context.Context, findings []int64) (map[int64]bool, error) {
	out := map[int64]bool{}
	for chunk := range slices.Chunk(findings, chunkSize) {
		rows, err := t.tx.Query(ctx, `SELECT item FROM change WHERE what = 'finding' AND rule = 0 AND item IN (`+Marks(len(chunk))+`)
			UNION SELECT r.new FROM change c JOIN redirect r ON r.what = c.what AND r.old = c.item
			WHERE c.what = 'finding' AND c.rule = 0 AND r.new IN (`+Marks(len(chunk))+`)`, append(anys(chunk), anys(chunk)...)...)
		if err != nil {
			return nil, err
		}
		ids, err := appendIDs(nil, rows)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			out[id] = true
		}
	}
	return out, nil
}

// DropScan removes what a scan looked at and saw at hosts, and how they answered it.
func (t *EstateTx) DropScan(ctx context.Context, scan int64, hosts []int64) error {
	for chunk := range slices.Chunk(hosts, chunkSize) {
		for _, table := range []string{"look", "sighting", "scan_host"} {
			if _, err := t.tx.Exec(ctx, `DELETE FROM `+table+` WHERE scan = ? AND host IN (`+Marks(len(chunk))+`)`,
				append([]any{scan}, anys(chunk)...)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// MoveHost gives another host what is known of looks, sightings, decrees and scans. Findings and services are moved by
// whoever merges them.
func (t *EstateTx) MoveHost(ctx context.Context, from, to int64) error {
	for _, statement := range []string{
		`UPDATE look SET host = ? WHERE host = ?`,
		`UPDATE decree SET host = ? WHERE host = ?`,
		`UPDATE scan_host SET host = ? WHERE host = ?`,
		`UPDATE sighting SET host = ? WHERE host = ?`,
	} {
		if _, err := t.tx.Exec(ctx, statement, to, from); err != nil {
			return err
		}
	}
	return nil
}

// MovePlace is MoveHost for what was seen at one place of a host.
func (t *EstateTx) MovePlace(ctx context.Context, from, to int64, place string) error {
	for _, statement := range []string{
		`UPDATE look SET host = ? WHERE host = ? AND EXISTS (SELECT 1 FROM sighting s WHERE s.host = look.host AND s.scan = look.scan
			AND s.sensor = look.sensor AND s.at = look.at AND s.place = ?) AND NOT EXISTS (SELECT 1 FROM sighting s WHERE s.host = look.host
			AND s.scan = look.scan AND s.sensor = look.sensor AND s.at = look.at AND s.place <> ?)`,
		`UPDATE scan_host SET host = ? WHERE host = ? AND place = ? AND place = ?`,
		`UPDATE sighting SET host = ? WHERE host = ? AND place = ? AND place = ?`,
	} {
		if _, err := t.tx.Exec(ctx, statement, to, from, place, place); err != nil {
			return err
		}
	}
	return nil
}

// MoveFinding gives another finding the decrees on one that is joined into it; its history is found by the redirect.
func (t *EstateTx) MoveFinding(ctx context.Context, from, to int64) error {
	_, err := t.tx.Exec(ctx, `UPDATE decree SET finding = ? WHERE finding = ?`, to, from)
	return err
}

// Flush writes what was saved until now.
func (t *EstateTx) Flush(ctx context.Context) error { return t.flush(ctx) }

// Redirect notes that an id was joined into another; ids that led to it lead to the new one.
func (t *EstateTx) Redirect(ctx context.Context, what string, from, to int64, at time.Time) error {
	if _, err := t.tx.Exec(ctx, `UPDATE redirect SET new = ? WHERE what = ? AND new = ?`, to, what, from); err != nil {
		return err
	}
	_, err := t.tx.Exec(ctx, `INSERT INTO redirect (what, old, new, at) VALUES (?, ?, ?, ?) ON CONFLICT (what, old) DO UPDATE SET new = excluded.new`,
		what, from, to, millis(at))
	return err
}

// followed is the id that an old one leads to, itself where it was never joined into another.
func followed(ctx context.Context, tx *Tx, what string, id int64) (int64, error) {
	found := id
	err := tx.QueryRow(ctx, `SELECT new FROM redirect WHERE what = ? AND old = ?`, what, id).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return id, nil
	}
	return found, err
}

// Touch removes the stored identifiers of a host that is saved anew with others.
func (t *EstateTx) Touch(ctx context.Context, host int64) error {
	_, err := t.tx.Exec(ctx, `DELETE FROM identifier WHERE host = ?`, host)
	return err
}

// forget takes back rows that wait to be written.
func (t *EstateTx) forget(gone func(table string, row []any) bool) {
	for _, b := range t.tables {
		b.rows = slices.DeleteFunc(b.rows, func(row []any) bool { return gone(b.table, row) })
		b.at = nil
		for i, row := range b.rows {
			b.index(row, i)
		}
	}
}

// hostOf is the host that a waiting row belongs to, 0 where the row does not say.
func hostOf(table string, row []any) int64 {
	column := map[string]int{"host": 0, "identifier": 0, "service": 1, "look": 1, "finding": 1, "sighting": 1}
	i, ok := column[table]
	if !ok {
		return 0
	}
	id, _ := row[i].(int64)
	return id
}
