package store

import (
	"context"
	"slices"

	"github.com/patchscout/patchscout/internal/finding"
)

// A migration says what has to be derived anew, of findings and of lists, and leaves it at that: deriving is not for SQL. It is
// done when the estate is opened, in steps that keep nobody waiting for long.

// derive brings the estate up to date with what a migration left. One that was interrupted is gone on with at the next opening.
func (d *database) derive(ctx context.Context) error {
	if d.name != "estate" || d.opts.ReadOnly {
		return nil
	}
	for told := false; ; told = true {
		var left bool
		err := d.attempt(ctx, false, func(tx *Tx) error {
			return tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM list_stale) OR EXISTS (SELECT 1 FROM finding WHERE lapses = '`+unknownLapses+`')`).Scan(&left)
		})
		if err != nil || !left {
			return err
		}
		if !told && d.opts.Log != nil {
			d.opts.Log.InfoContext(ctx, "working out what this version keeps of findings; a million take minutes, once")
		}
		if err := d.attempt(ctx, true, func(tx *Tx) error { return deriveStep(ctx, tx) }); err != nil {
			return err
		}
	}
}

// deriveStep does a part of it.
func deriveStep(ctx context.Context, tx *Tx) error {
	if tx.Engine() == Postgres {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(?)`, int64(lockEstate)); err != nil {
			return err
		}
	}
	learnt, err := learnLapses(ctx, tx)
	if err == nil && learnt == 0 {
		err = freshenSome(ctx, tx)
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE generation SET n = n + 1`)
	return err
}

// unknownLapses is what a migration writes of findings whose lapses follow from evidence, looks and decrees.
const unknownLapses = "?"

// learnHosts is how many hosts are looked at in a step.
const learnHosts = 20

// learnLapses works out the lapses of some hosts' findings.
func learnLapses(ctx context.Context, tx *Tx) (learnt int, err error) {
	rows, err := tx.Query(ctx, `SELECT DISTINCT host FROM finding WHERE lapses = '`+unknownLapses+`' LIMIT ?`, learnHosts)
	if err != nil {
		return 0, err
	}
	hosts, err := appendIDs(nil, rows)
	if err != nil || len(hosts) == 0 {
		return 0, err
	}
	if rows, err = tx.Query(ctx, `SELECT id FROM finding WHERE lapses = '`+unknownLapses+`' AND host IN (`+Marks(len(hosts))+`)`, anys(hosts)...); err != nil {
		return 0, err
	}
	ids, err := appendIDs(nil, rows)
	if err != nil {
		return 0, err
	}
	found, err := findingsOf(ctx, tx, hosts)
	if err != nil {
		return 0, err
	}
	looks, err := looksOf(ctx, tx, hosts)
	if err != nil {
		return 0, err
	}
	decrees, err := decreesOf(ctx, tx, hosts)
	if err != nil {
		return 0, err
	}
	slices.Sort(ids)
	for _, f := range found {
		if _, asked := slices.BinarySearch(ids, f.ID); !asked {
			continue
		}
		life := finding.Fold(f, looks[f.HostID], decrees[f.HostID]...)
		if _, err := tx.Exec(ctx, `UPDATE finding SET lapses = ? WHERE id = ?`, lapsesText(life.Lapses), f.ID); err != nil {
			return learnt, err
		}
		learnt++
	}
	return learnt, nil
}

// freshenSome brings one block of the lists up to date.
func freshenSome(ctx context.Context, tx *Tx) error {
	l, err := newLists(ctx, tx, nil)
	if err != nil {
		return err
	}
	var block int64
	if err := tx.QueryRow(ctx, `SELECT coalesce(min(finding), 0) / ? FROM list_stale`, blockSize).Scan(&block); err != nil {
		return err
	}
	if err := l.fold(ctx, block); err != nil {
		return err
	}
	return l.save(ctx, block)
}
