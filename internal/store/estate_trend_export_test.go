package store

import "context"

// ForgetLapses leaves an estate as the migration does that brought lapses.
func ForgetLapses(ctx context.Context, s *Store) error {
	if err := ForgetLists(ctx, s); err != nil {
		return err
	}
	return s.estate.update(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `UPDATE finding SET lapses = '?' WHERE state <> 'open'`)
		return err
	})
}

// Underived is how much waits to be worked out.
func Underived(ctx context.Context, s *Store) (n int, err error) {
	err = s.estate.view(ctx, func(tx *Tx) error {
		return tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM list_stale) + (SELECT count(*) FROM finding WHERE lapses = '?')`).Scan(&n)
	})
	return n, err
}
