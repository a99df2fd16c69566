package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/patchscout/patchscout/internal/auth"
)

// Remedied is what ends a finding, as finding.RemedyOf says it.
type Remedied struct{ Key, Name, FixedIn string }

// Remedies returns what ends those findings that are in the view.
func (e *Estate) Remedies(ctx context.Context, v auth.View, ids []int64) (map[int64]Remedied, error) {
	out := make(map[int64]Remedied, len(ids))
	err := e.db.view(ctx, func(tx *Tx) error {
		in, err := seen(ctx, tx, v, "finding", ids)
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(in, chunkSize) {
			among := padded(chunk)
			var id int64
			var r Remedied
			if err := each(ctx, tx, `SELECT id, remedy_key, remedy_name, fixed_in FROM finding WHERE id IN (`+Marks(len(among))+`)`, among, func(rows *sql.Rows) error {
				if err := rows.Scan(&id, &r.Key, &r.Name, &r.FixedIn); err != nil {
					return err
				}
				out[id] = r
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}
