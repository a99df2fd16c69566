package store

import (
	"context"
	"time"
)

// Retention says which raw reports are kept (design decision 15). Zero fields set no limit.
type Retention struct {
	Newest int           // scans or imports of each tool and set of targets
	Age    time.Duration // since they were read
	Bytes  int64         // of all together, packed
}

// Pruned is what Prune did and what is left.
type Pruned struct {
	Removed int
	Kept    int
	Bytes   int64 // that are left, packed
}

// rawReport is a kept report as Prune weighs it.
type rawReport struct {
	hash    string
	at      int64
	bytes   int64
	running bool
	newest  bool // one of the newest of its tool and targets
}

// Prune removes the raw reports that Retention does not keep: what was read from them stays, and they cannot be read
// again. Those of scans that are still running stay.
func (e *Estate) Prune(ctx context.Context, r Retention) (done Pruned, err error) {
	reports, err := e.rawReports(ctx, r.Newest)
	if err != nil {
		return done, err
	}
	oldest := int64(0)
	if r.Age > 0 {
		oldest = millis(e.db.opts.Now().Add(-r.Age))
	}
	for _, one := range reports { // the newest first
		keep := one.running || one.newest && one.at >= oldest && (r.Bytes == 0 || done.Bytes+one.bytes <= r.Bytes)
		if keep {
			done.Kept++
			done.Bytes += one.bytes
			continue
		}
		if err := e.dropBlob(ctx, one.hash); err != nil {
			return done, err
		}
		done.Removed++
	}
	return done, nil
}

func (e *Estate) rawReports(ctx context.Context, newest int) (reports []rawReport, err error) {
	scans := map[string]map[int64]bool{} // of a tool and targets; a scan has a report for each of its tasks
	err = e.db.view(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `SELECT b.hash, b.at, b.size, s.status, s.site, s.kind, s.targets, l.tool, l.scan,
			length(b.stored) + coalesce((SELECT sum(length(p.stored)) FROM blob_part p WHERE p.hash = b.hash), 0)
			FROM blob b LEFT JOIN ledger l ON l.report = b.hash LEFT JOIN scan s ON s.id = l.scan ORDER BY l.id DESC, b.hash`)
		if err != nil {
			return err
		}
		at := map[string]int{} // hash -> place in reports
		return eachRow(rows, func() error {
			var one rawReport
			var size int64
			var status, site, kind, targets, tool *string
			var scan *int64
			if err := rows.Scan(&one.hash, &one.at, &size, &status, &site, &kind, &targets, &tool, &scan, &one.bytes); err != nil {
				return err
			}
			if status == nil { // one that is being written, or of a task that has no ledger yet, or of a scan that was removed
				one.running = one.at > millis(e.db.opts.Now().Add(-24*time.Hour))
			} else {
				one.running = *status == "running" || *status == "pending"
				key := *site + "\x00" + *kind + "\x00" + *targets + "\x00" + *tool
				if scans[key] == nil {
					scans[key] = map[int64]bool{}
				}
				scans[key][*scan] = true
				one.newest = newest == 0 || len(scans[key]) <= newest
			}
			if i, known := at[one.hash]; known { // kept for several imports of one file
				reports[i].newest, reports[i].running = reports[i].newest || one.newest, reports[i].running || one.running
				return nil
			}
			at[one.hash] = len(reports)
			reports = append(reports, one)
			return nil
		})
	})
	return reports, err
}

func (e *Estate) dropBlob(ctx context.Context, hash string) error {
	return e.Update(ctx, func(tx *EstateTx) error {
		if _, err := tx.tx.Exec(ctx, `UPDATE ledger SET report = NULL WHERE report = ?`, hash); err != nil {
			return err
		}
		_, err := tx.tx.Exec(ctx, `DELETE FROM blob WHERE hash = ?`, hash)
		return err
	})
}
