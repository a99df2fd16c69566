package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// maxTickets is how many tickets may be open at one time, for everybody together.
const maxTickets = 10_000

// KeepTicket lets whoever shows the text watch a scan, once and until it expires. who is the caller's and comes back as it
// is. fault.NotFound is a scan that is not there.
func (e *Estate) KeepTicket(ctx context.Context, ticket string, scan int64, who json.RawMessage, expires time.Time) error {
	return e.quietly(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM live_ticket WHERE expires < ?`, millis(e.db.opts.Now())); err != nil {
			return err
		}
		var open int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM live_ticket`).Scan(&open); err != nil {
			return err
		}
		if open >= maxTickets {
			return fault.Unavailable("%d tickets are open: try again in half a minute", open)
		}
		res, err := tx.Exec(ctx, `INSERT INTO live_ticket (hash, scan, who, expires) SELECT CAST(? AS text), id, CAST(? AS text), CAST(? AS bigint)
			FROM scan WHERE id = ?`, ticketHash(ticket), string(who), millis(expires), scan)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fault.NotFound("there is no scan %d", scan))
		}
		return nil
	})
}

// TakeTicket gives back what KeepTicket was told and forgets it. fault.Denied is a ticket that is not there, is used,
// expired or for another scan; it is gone then, too.
func (e *Estate) TakeTicket(ctx context.Context, ticket string, scan int64) (who json.RawMessage, err error) {
	found := false
	err = e.quietly(ctx, func(tx *Tx) error {
		var text string
		var of, expires int64
		err := tx.QueryRow(ctx, `DELETE FROM live_ticket WHERE hash = ? RETURNING scan, who, expires`, ticketHash(ticket)).Scan(&of, &text, &expires)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		who, found = json.RawMessage(text), of == scan && millis(e.db.opts.Now()) <= expires
		return err
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fault.Denied("the ticket is unknown, used, expired or for another scan: ask for a new one")
	}
	return who, nil
}

// ticketHash needs no salt: tickets are random.
func ticketHash(ticket string) string {
	sum := sha256.Sum256([]byte(ticket))
	return hex.EncodeToString(sum[:])
}
