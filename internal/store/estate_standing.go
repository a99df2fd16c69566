package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
)

// Standing returns who asks as he stands now, by the number of his session or token, which does not count as using it.
// fault.Denied says that it has ended.
func (e *Estate) Standing(ctx context.Context, who auth.Identity) (auth.Identity, error) {
	query := `SELECT u.role, u.all_sites, u.sites, '', 1, '[]' FROM session x JOIN account u ON u.id = x.account
		WHERE x.id = ? AND x.account = ? AND u.disabled = 0 AND x.idle > ? AND x.ends > ?`
	switch who.Kind {
	case auth.Session:
	case auth.Token:
		query = `SELECT u.role, u.all_sites, u.sites, x.role, x.all_sites, x.sites FROM token x JOIN account u ON u.id = x.account
			WHERE x.id = ? AND x.account = ? AND u.disabled = 0 AND x.revoked = 0 AND (x.expires = 0 OR x.expires > ?) AND ? > 0`
	default:
		return who, nil
	}
	err := e.db.view(ctx, func(tx *Tx) error {
		var role, limit auth.Role
		var all, limitAll int
		var sites, limitSites string
		now := millis(e.db.opts.Now())
		err := tx.QueryRow(ctx, query, who.Token, who.User, now, now).Scan(&role, &all, &sites, &limit, &limitAll, &limitSites)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.Denied("the session or token has ended")
		}
		if who.Role, who.View = role, viewOf(all, sites); limit != "" {
			who.Role = auth.Lesser(role, limit)
		}
		who.View = who.View.Within(viewOf(limitAll, limitSites))
		return err
	})
	return who, err
}
