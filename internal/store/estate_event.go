package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/live"
)

// How much is told of one scan. Beyond it only states, a notice and the end are.
const (
	maxSingles = live.MaxSingles // hosts, services, findings
	maxOthers  = 20_000          // progress, logs
)

// LiveChannel is where PostgreSQL tells of new events; what it says is the number of the scan.
const LiveChannel = "patchscout_live"

var _ live.Store = (*Estate)(nil)

// AppendEvents implements live.Store. Of several processes that append to one scan each waits for the others, so that numbers
// have no gaps and who reads in their order misses none. Events of a scan that is not there, that come after its end or
// that are too many are left out.
func (e *Estate) AppendEvents(ctx context.Context, events []live.Event) (kept []live.Event, err error) {
	for try := 0; ; try++ {
		kept, err = e.appendEvents(ctx, events)
		if err == nil || try == 1 || ctx.Err() != nil {
			return kept, err
		}
		// The scan may have been deleted between reading and writing, which the second try knows.
	}
}

func (e *Estate) appendEvents(ctx context.Context, events []live.Event) (kept []live.Event, err error) {
	byScan := map[int64][]live.Event{}
	for _, one := range events {
		byScan[one.Scan] = append(byScan[one.Scan], one)
	}
	scans := sortedInts(byScan) // two processes must not wait for each other
	err = e.quietly(ctx, func(tx *Tx) error {
		kept = nil
		for _, scan := range scans {
			told, err := appendTo(ctx, tx, scan, byScan[scan])
			if err != nil {
				return fmt.Errorf("events of scan %d: %w", scan, err)
			}
			kept = append(kept, told...)
		}
		return nil
	})
	return kept, err
}

func sortedInts[V any](m map[int64]V) []int64 {
	keys := make([]int64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// eventLog is a row of live_scan.
type eventLog struct {
	scan            int64
	last            int64
	at              time.Time
	singles, others int
	full            bool
	ended           time.Time
}

func appendTo(ctx context.Context, tx *Tx, scan int64, events []live.Event) ([]live.Event, error) {
	log, found, err := lockLog(ctx, tx, scan)
	if err != nil || !found {
		return nil, err
	}
	var kept []live.Event
	for _, one := range events {
		kept = append(kept, log.number(one)...)
	}
	if len(kept) == 0 {
		return nil, nil
	}
	if err := log.save(ctx, tx, kept); err != nil || tx.Engine() != Postgres {
		return kept, err
	}
	_, err = tx.Exec(ctx, `SELECT pg_notify(?, CAST(? AS text))`, LiveChannel, fmt.Sprint(scan))
	return kept, err
}

// lockLog reads where the log of a scan stands and keeps others from it until the transaction ends; found is false when
// there is no such scan.
func lockLog(ctx context.Context, tx *Tx, scan int64) (log eventLog, found bool, err error) {
	_, err = tx.Exec(ctx, `INSERT INTO live_scan (scan, last, at, singles, others, filled, ended)
		SELECT id, 0, 0, 0, 0, 0, 0 FROM scan WHERE id = ? ON CONFLICT (scan) DO NOTHING`, scan)
	if err != nil {
		return log, false, err
	}
	query := `SELECT last, at, singles, others, filled, ended FROM live_scan WHERE scan = ?`
	if tx.Engine() == Postgres {
		query += ` FOR UPDATE`
	}
	var at, ended int64
	log.scan = scan
	err = tx.QueryRow(ctx, query, scan).Scan(&log.last, &at, &log.singles, &log.others, &log.full, &ended)
	if errors.Is(err, sql.ErrNoRows) {
		return log, false, nil
	}
	log.at, log.ended = moment(at), moment(ended)
	return log, err == nil, err
}

// number gives an event its number; none comes back when it is left out, two when the first says that no more follow.
func (l *eventLog) number(one live.Event) (out []live.Event) {
	if !l.ended.IsZero() {
		return nil
	}
	switch one.Type {
	case live.Host, live.Service, live.Finding:
		if l.singles++; l.singles > maxSingles {
			return l.fill(one.At)
		}
	case live.Progress, live.Log:
		if l.others++; l.others > maxOthers {
			return nil
		}
	case live.End:
		l.ended = one.At
	}
	return []live.Event{l.next(one)}
}

// fill says once that no more single events are told.
func (l *eventLog) fill(at time.Time) []live.Event {
	l.singles = maxSingles
	if l.full {
		return nil
	}
	l.full = true
	return []live.Event{l.next(live.Event{Scan: l.scan, At: at, Type: live.Log, Data: live.Notice(
		fmt.Sprintf("more than %d hosts, services and findings: no more single ones are told", maxSingles))})}
}

func (l *eventLog) next(one live.Event) live.Event {
	l.last++
	l.at = one.At
	one.Seq, one.At = l.last, one.At.UTC().Truncate(time.Millisecond)
	return one
}

func (l *eventLog) save(ctx context.Context, tx *Tx, kept []live.Event) error {
	rows := &bulk{table: "live_event", columns: []string{"scan", "seq", "at", "type", "data"}, key: []string{"scan", "seq"}}
	for _, one := range kept {
		rows.add(l.scan, one.Seq, millis(one.At), string(one.Type), string(one.Data))
	}
	if err := rows.flush(ctx, tx); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE live_scan SET last = ?, at = ?, singles = ?, others = ?, filled = ?, ended = ? WHERE scan = ?`,
		l.last, millis(l.at), l.singles, l.others, truth(l.full), millis(l.ended), l.scan)
	return err
}

// EventsSince implements live.Store.
func (e *Estate) EventsSince(ctx context.Context, scan, seq int64, limit int) (events []live.Event, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `SELECT seq, at, type, data FROM live_event WHERE scan = ? AND seq > ? ORDER BY seq LIMIT ?`, scan, seq, limit)
		if err != nil {
			return err
		}
		return eachRow(rows, func() error {
			one := live.Event{Scan: scan}
			var at int64
			var data string
			err := rows.Scan(&one.Seq, &at, &one.Type, &data)
			one.At, one.Data = moment(at), []byte(data)
			events = append(events, one)
			return err
		})
	})
	return events, err
}

// LastEvents implements live.Store.
func (e *Estate) LastEvents(ctx context.Context, scans []int64) (last map[int64]int64, err error) {
	last = map[int64]int64{}
	err = e.db.view(ctx, func(tx *Tx) error {
		for chunk := range slices.Chunk(scans, chunkSize) {
			rows, err := tx.Query(ctx, `SELECT scan, last FROM live_scan WHERE scan IN (`+Marks(len(chunk))+`)`, anys(chunk)...) //nolint:sqlclosecheck // eachRow closes them
			if err != nil {
				return err
			}
			err = eachRow(rows, func() error {
				var scan, seq int64
				err := rows.Scan(&scan, &seq)
				last[scan] = seq
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return last, err
}

// pruneAtOnce is how many events one transaction removes at most (of one scan there may be more than that, in one).
const pruneAtOnce = 20_000

// PruneEvents removes the events of scans of which nothing was told since a moment, and tickets that nobody used. Numbers go
// on where they were.
func (e *Estate) PruneEvents(ctx context.Context, before time.Time) (removed int, err error) {
	err = e.quietly(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM live_ticket WHERE expires < ?`, millis(e.db.opts.Now()))
		return err
	})
	for more := true; more && err == nil; {
		var n int
		n, more, err = e.pruneSome(ctx, before)
		removed += n
	}
	return removed, err
}

// pruneSome removes the events of a few scans, so that others can write in between.
func (e *Estate) pruneSome(ctx context.Context, before time.Time) (removed int, more bool, err error) {
	err = e.quietly(ctx, func(tx *Tx) error {
		removed, more = 0, false
		scans, err := oldLogs(ctx, tx, before)
		if err != nil {
			return err
		}
		for _, scan := range scans {
			if removed >= pruneAtOnce {
				more = true
				return nil
			}
			res, err := tx.Exec(ctx, `DELETE FROM live_event WHERE scan = ?`, scan)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			removed += int(n)
		}
		return nil
	})
	return removed, more, err
}

func oldLogs(ctx context.Context, tx *Tx, before time.Time) (scans []int64, err error) {
	//nolint:sqlclosecheck // appendIDs closes them
	rows, err := tx.Query(ctx, `SELECT scan FROM live_scan l WHERE at < ? AND EXISTS (SELECT 1 FROM live_event e WHERE e.scan = l.scan) ORDER BY scan`,
		cmp.Or(millis(before), 1))
	if err != nil {
		return nil, err
	}
	return appendIDs(nil, rows)
}
