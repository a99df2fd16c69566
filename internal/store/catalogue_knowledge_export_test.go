package store

import (
	"context"
	"database/sql"

	"github.com/patchscout/patchscout/internal/catalogue"
)

// EPSSRows reads the table of changes as it is stored, so that tests see rows that no query needs.
func (c *Catalogue) EPSSRows(ctx context.Context) (list []catalogue.EPSSChange, err error) {
	err = c.db.view(ctx, func(tx *Tx) error {
		return each(ctx, tx, `SELECT cve, day, score FROM epss_history ORDER BY cve, day`, nil, func(rows *sql.Rows) error {
			var c catalogue.EPSSChange
			var score sql.NullFloat64
			err := rows.Scan(&c.CVE, &c.Day, &score)
			c.Score, c.Scored = score.Float64, score.Valid
			list = append(list, c)
			return err
		})
	})
	return list, err
}
