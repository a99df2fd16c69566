package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// How long requests with a key are remembered, how many of one sender, and from when on one that never ended (its process
// died) may be sent again.
const (
	OnceKept   = 24 * time.Hour
	onceMost   = 1000
	onceStalls = 15 * time.Minute
)

// Once is a request that must not be done twice.
type Once struct {
	Begun  time.Time
	Status int    // of the answer, 0 while it runs
	Digest string // of the request
	Header string // of the answer, as whoever keeps it writes it
	Kept   bool   // whether Answer is what was answered
	Answer []byte
}

// BeginOnce remembers a request that begins. Nil says that it is the first with the key, and that the caller must end it
// with EndOnce or ForgetOnce; else it returns what is known of the first.
func (e *Estate) BeginOnce(ctx context.Context, who, key string) (before *Once, err error) {
	now := e.db.opts.Now()
	err = e.quietly(ctx, func(tx *Tx) error {
		before = nil // an attempt that was taken back may have seen another
		if _, err := tx.Exec(ctx, `DELETE FROM once WHERE begun < ?`, millis(now.Add(-OnceKept))); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM once WHERE who = ? AND name = ? AND status = 0 AND begun < ?`, who, key,
			millis(now.Add(-onceStalls))); err != nil {
			return err
		}
		res, err := tx.Exec(ctx, `INSERT INTO once (who, name, begun, status, digest, header, kept, answer) VALUES (?, ?, ?, 0, '', '', 0, ?)
			ON CONFLICT (who, name) DO NOTHING`, who, key, millis(now), []byte{})
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return errors.Join(err, forgetOldest(ctx, tx, who))
		}
		before = &Once{}
		var begun int64
		err = tx.QueryRow(ctx, `SELECT begun, status, digest, header, kept, answer FROM once WHERE who = ? AND name = ?`, who, key).
			Scan(&begun, &before.Status, &before.Digest, &before.Header, &before.Kept, &before.Answer)
		before.Begun = moment(begun)
		if errors.Is(err, sql.ErrNoRows) { // it ended without an answer just now: to be sent again
			err = nil
		}
		return err
	})
	return before, err
}

// forgetOldest keeps one sender from filling the table.
func forgetOldest(ctx context.Context, tx *Tx, who string) error {
	_, err := tx.Exec(ctx, `DELETE FROM once WHERE who = ? AND status <> 0 AND name IN (
		SELECT name FROM once WHERE who = ? ORDER BY begun DESC, name LIMIT ? OFFSET ?)`, who, who, onceMost, onceMost)
	return err
}

// EndOnce keeps how a request ended.
func (e *Estate) EndOnce(ctx context.Context, who, key string, o Once) error {
	if o.Answer == nil {
		o.Answer = []byte{}
	}
	return e.quietly(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE once SET status = ?, digest = ?, header = ?, kept = ?, answer = ? WHERE who = ? AND name = ?`,
			o.Status, o.Digest, o.Header, truth(o.Kept), o.Answer, who, key)
		return err
	})
}

// ForgetOnce forgets a request that came to nothing, so that it may be sent again.
func (e *Estate) ForgetOnce(ctx context.Context, who, key string) error {
	return e.quietly(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM once WHERE who = ? AND name = ?`, who, key)
		return err
	})
}
