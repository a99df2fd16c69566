package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
)

// Alive is how long a process that works on a scan is believed to live without a beat. It beats every few seconds.
const Alive = 30 * time.Second

// Wanted is what somebody asked of a running scan.
type Wanted string

// What can be wanted.
const (
	WantNothing Wanted = ""
	WantPause   Wanted = "pause"
	WantCancel  Wanted = "cancel"
)

// Control is who works on a scan and how far it is.
type Control struct {
	Owner  string    // the process that works on it, "" is none
	Beat   time.Time // when that was last alive
	Wanted Wanted
	Paused bool
	ScanProgress
}

// ScanProgress is how far a scan is.
type ScanProgress struct {
	Percent     float64 // 0..100
	Stage       string
	ETA         time.Duration // 0 is not known
	Done, Total int           // tasks
}

// Works says whether a process works on the scan.
func (c Control) Works(now time.Time) bool { return c.Owner != "" && now.Sub(c.Beat) < Alive }

const controlColumns = `owner, beat, wanted, paused, percent, stage, eta, done, total`

// BeginWork says that a process works on a scan that it has just created. job is what Claim gives to whoever continues it;
// nil is an import, which nobody can continue.
func (e *Estate) BeginWork(ctx context.Context, scanID int64, owner string, job json.RawMessage) error {
	return e.Update(ctx, func(tx *EstateTx) error {
		if job != nil {
			if _, err := tx.tx.Exec(ctx, `INSERT INTO scan_job (scan, job) VALUES (?, ?)`, scanID, string(job)); err != nil {
				return err
			}
		}
		_, err := tx.tx.Exec(ctx, `INSERT INTO scan_control (scan, `+controlColumns+`) VALUES (`+Marks(10)+`)`,
			scanID, owner, millis(e.db.opts.Now()), "", 0, 0.0, "", 0, 0, 0)
		return err
	})
}

// Claim makes a process the owner of a scan that nobody works on and that is not over, and returns its job; then nothing
// is wanted of it any more. fault.Conflict says who works on it, or that it is over; fault.NotFound that there is no such
// scan.
func (e *Estate) Claim(ctx context.Context, scanID int64, owner string) (job json.RawMessage, err error) {
	return e.claim(ctx, scanID, owner, false)
}

// ClaimRunning is Claim of a scan that is not paused: somebody may have paused it since it was queued.
func (e *Estate) ClaimRunning(ctx context.Context, scanID int64, owner string) (job json.RawMessage, err error) {
	return e.claim(ctx, scanID, owner, true)
}

func (e *Estate) claim(ctx context.Context, scanID int64, owner string, running bool) (job json.RawMessage, err error) {
	err = e.Update(ctx, func(tx *EstateTx) error {
		c, err := e.claimable(ctx, tx.tx, scanID)
		if err != nil {
			return err
		}
		now := e.db.opts.Now()
		if c.Works(now) && c.Owner != owner {
			return fault.Conflict("scan %d is being worked on by %s", scanID, ownerName(c.Owner))
		}
		if running && c.Paused {
			return fault.Conflict("scan %d is paused", scanID)
		}
		var text string
		err = tx.tx.QueryRow(ctx, `SELECT job FROM scan_job WHERE scan = ?`, scanID).Scan(&text)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.Conflict("scan %d is an import, which cannot be continued: import the file again", scanID)
		}
		if err != nil {
			return err
		}
		job = json.RawMessage(text)
		_, err = tx.tx.Exec(ctx, `UPDATE scan_control SET owner = ?, beat = ?, wanted = '', paused = 0 WHERE scan = ?`, owner, millis(now), scanID)
		return err
	})
	return job, err
}

// claimable returns who works on a scan that is not over.
func (e *Estate) claimable(ctx context.Context, tx *Tx, scanID int64) (Control, error) {
	var status string
	err := tx.QueryRow(ctx, `SELECT status FROM scan WHERE id = ?`, scanID).Scan(&status)
	if errors.Is(err, sql.ErrNoRows) {
		return Control{}, fault.NotFound("there is no scan %d", scanID)
	}
	if err != nil {
		return Control{}, err
	}
	if finding.ScanStatus(status) != finding.Running && finding.ScanStatus(status) != finding.Pending {
		return Control{}, fault.Conflict("scan %d is over (%s)", scanID, status)
	}
	found, err := controls(ctx, tx, []int64{scanID})
	if c, ok := found[scanID]; ok || err != nil {
		return c, err
	}
	return Control{}, fault.Conflict("scan %d cannot be continued: it has no tasks", scanID)
}

// ownerName leaves out what makes an owner unlike all others: "process 4711 on host7".
func ownerName(owner string) string {
	name, _, _ := strings.Cut(owner, "#")
	return name
}

// Beat says that the owner is alive and how far it is, and returns what is wanted of it. fault.Conflict says that the scan
// has another owner by now, which means to stop at once.
func (e *Estate) Beat(ctx context.Context, scanID int64, owner string, p ScanProgress) (wanted Wanted, err error) {
	err = e.quietly(ctx, func(tx *Tx) error {
		res, err := tx.Exec(ctx, `UPDATE scan_control SET beat = ?, percent = ?, stage = ?, eta = ?, done = ?, total = ? WHERE scan = ? AND owner = ?`,
			millis(e.db.opts.Now()), p.Percent, p.Stage, p.ETA.Milliseconds(), p.Done, p.Total, scanID, owner)
		if err := owned(res, err, scanID); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT wanted FROM scan_control WHERE scan = ?`, scanID).Scan(&wanted)
	})
	return wanted, err
}

// quietly writes without a new generation: what it writes is in no list that is kept.
func (e *Estate) quietly(ctx context.Context, fn func(*Tx) error) error {
	return e.db.transact(ctx, true, fn)
}

func owned(res sql.Result, err error, scanID int64) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fault.Conflict("scan %d is worked on by another process", scanID))
	}
	return nil
}

// Want asks the process that works on a scan to pause or cancel it. It says whether there is one. Whoever calls it has seen
// the scan.
func (e *Estate) Want(ctx context.Context, scanID int64, what Wanted) (works bool, err error) {
	err = e.Update(ctx, func(tx *EstateTx) error {
		found, err := controls(ctx, tx.tx, []int64{scanID})
		if err != nil {
			return err
		}
		if works = found[scanID].Works(e.db.opts.Now()); !works {
			return nil
		}
		_, err = tx.tx.Exec(ctx, `UPDATE scan_control SET wanted = ? WHERE scan = ?`, string(what), scanID)
		return err
	})
	return works, err
}

// Release says that the owner no longer works on the scan.
func (e *Estate) Release(ctx context.Context, scanID int64, owner string, paused bool) error {
	return e.Update(ctx, func(tx *EstateTx) error {
		res, err := tx.tx.Exec(ctx, `UPDATE scan_control SET owner = '', wanted = '', paused = ? WHERE scan = ? AND owner = ?`,
			truth(paused), scanID, owner)
		return owned(res, err, scanID)
	})
}

// Controls returns what is known of who works on those scans that are in the view, by scan. Scans and imports of before
// tasks have none.
func (e *Estate) Controls(ctx context.Context, v auth.View, scans []int64) (found map[int64]Control, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		if scans, err = seen(ctx, tx, v, "scan", scans); err != nil {
			return err
		}
		found, err = controls(ctx, tx, scans)
		return err
	})
	return found, err
}

func controls(ctx context.Context, tx *Tx, scans []int64) (map[int64]Control, error) {
	found := map[int64]Control{}
	for _, id := range scans {
		var c Control
		var beat, eta int64
		err := tx.QueryRow(ctx, `SELECT `+controlColumns+` FROM scan_control WHERE scan = ?`, id).Scan(&c.Owner, &beat, &c.Wanted, &c.Paused,
			&c.Percent, &c.Stage, &eta, &c.Done, &c.Total)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		c.Beat, c.ETA = moment(beat), time.Duration(eta)*time.Millisecond
		found[id] = c
	}
	return found, nil
}

const taskColumns = `n, scanner, stage, hosts, status, attempts, started, finished, version, error, ended, report, dropped, found, skipped`

// SaveTasks writes tasks as they stand, all or none. fault.Conflict says that the scan has another owner by now.
func (e *Estate) SaveTasks(ctx context.Context, scanID int64, owner string, tasks []*scan.Task) error {
	rows := make([][]any, len(tasks))
	for i, t := range tasks {
		row, err := taskRow(t)
		if err != nil {
			return fmt.Errorf("task %d: %w", t.N, err)
		}
		rows[i] = append([]any{scanID}, row...)
	}
	return e.Update(ctx, func(tx *EstateTx) error {
		res, err := tx.tx.Exec(ctx, `UPDATE scan_control SET beat = ? WHERE scan = ? AND owner = ?`, millis(e.db.opts.Now()), scanID, owner)
		if err := owned(res, err, scanID); err != nil {
			return err
		}
		insert, err := tx.tx.Prepare(ctx, `INSERT INTO task (scan, `+taskColumns+`) VALUES (`+Marks(16)+`) ON CONFLICT (scan, n) DO UPDATE SET
			status = excluded.status, attempts = excluded.attempts, started = excluded.started, finished = excluded.finished,
			version = excluded.version, error = excluded.error, ended = excluded.ended, report = excluded.report, dropped = excluded.dropped,
			found = excluded.found, skipped = excluded.skipped`)
		if err != nil {
			return err
		}
		defer insert.Close() //nolint:errcheck // it ends with the transaction
		for _, row := range rows {
			if _, err := insert.ExecContext(ctx, row...); err != nil {
				return err
			}
		}
		return nil
	})
}

// taskHost is a host of a task as it is kept.
type taskHost struct {
	Address  netip.Addr `json:"a"`
	Names    []string   `json:"names,omitempty"`
	URLs     []string   `json:"urls,omitempty"`
	Ports    []uint16   `json:"ports,omitempty"`
	Explicit bool       `json:"explicit,omitempty"`
	Web      []taskWeb  `json:"web,omitempty"`
}

type taskWeb struct {
	Port uint16 `json:"p"`
	TLS  bool   `json:"tls,omitempty"`
	Name string `json:"name,omitempty"`
	Path string `json:"path,omitempty"`
}

func taskRow(t *scan.Task) ([]any, error) {
	hosts := make([]taskHost, len(t.Hosts))
	for i, h := range t.Hosts {
		hosts[i] = taskHost{Address: h.Address, Names: h.Names, URLs: h.URLs, Ports: h.Ports, Explicit: h.Explicit}
		for _, w := range h.Web {
			hosts[i].Web = append(hosts[i].Web, taskWeb(w))
		}
	}
	row := []any{t.N, t.Scanner, int(t.Stage), nil, string(t.Status), t.Attempts, millis(t.Started), millis(t.Finished), t.Version, t.Error,
		string(t.Ended), t.Report}
	for _, v := range []any{t.Dropped, t.Found, t.Skipped} {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		row = append(row, string(text))
	}
	text, err := json.Marshal(hosts)
	row[3] = string(text)
	return row, err
}

// Tasks lists the tasks of a scan in the order in which they were made; none when it is not in the view.
func (e *Estate) Tasks(ctx context.Context, v auth.View, scanID int64) (tasks []*scan.Task, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		if in, err := sees(ctx, tx, v, "scan", scanID); err != nil || !in {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT `+taskColumns+` FROM task WHERE scan = ? ORDER BY n`, scanID)
		if err != nil {
			return err
		}
		return eachRow(rows, func() error {
			t, err := scanTask(rows)
			tasks = append(tasks, t)
			return err
		})
	})
	return tasks, err
}

func scanTask(rows *sql.Rows) (*scan.Task, error) {
	t := &scan.Task{}
	var hosts, dropped, found, skipped string
	var started, finished int64
	err := rows.Scan(&t.N, &t.Scanner, &t.Stage, &hosts, &t.Status, &t.Attempts, &started, &finished, &t.Version, &t.Error, &t.Ended, &t.Report,
		&dropped, &found, &skipped)
	if err != nil {
		return nil, err
	}
	t.Started, t.Finished = moment(started), moment(finished)
	var kept []taskHost
	err = cmp.Or(json.Unmarshal([]byte(hosts), &kept), json.Unmarshal([]byte(dropped), &t.Dropped), json.Unmarshal([]byte(found), &t.Found),
		json.Unmarshal([]byte(skipped), &t.Skipped))
	if err != nil {
		return nil, fmt.Errorf("task %d: %w", t.N, err)
	}
	for _, k := range kept {
		h := scan.HostTarget{Address: k.Address, Names: k.Names, URLs: k.URLs, Ports: k.Ports, Explicit: k.Explicit}
		for _, w := range k.Web {
			h.Web = append(h.Web, scan.WebPort(w))
		}
		t.Hosts = append(t.Hosts, h)
	}
	return t, nil
}

// TaskCommitted says whether what a task said is kept: there are more ledgers of its report than other tasks of the scan
// that ended with the same report (two that say the same to the last byte are as good as each other).
func (e *Estate) TaskCommitted(ctx context.Context, scanID int64, t *scan.Task) (committed bool, err error) {
	if t.Report == "" {
		return false, nil
	}
	var ledgers, others int
	err = e.db.view(ctx, func(tx *Tx) error {
		return tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM ledger WHERE scan = ? AND tool = ? AND report = ?),
			(SELECT count(*) FROM task WHERE scan = ? AND scanner = ? AND report = ? AND n <> ? AND status IN ('done', 'failed', 'cancelled'))`,
			scanID, t.Scanner, t.Report, scanID, t.Scanner, t.Report, t.N).Scan(&ledgers, &others)
	})
	return ledgers > others, err
}
