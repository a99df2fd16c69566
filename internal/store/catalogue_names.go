package store

import (
	"context"
	"database/sql"

	"github.com/patchscout/patchscout/internal/cpe"
)

// ProductName is a product of the catalogue, as CPE names it, and in how many CVEs.
type ProductName struct {
	Vendor  string
	Product string
	CVEs    int
}

// ProductNames lists the products that rules name.
func (c *Catalogue) ProductNames(ctx context.Context) (list []ProductName, err error) {
	err = c.db.view(ctx, func(tx *Tx) error {
		list = make([]ProductName, 0, 1<<16)
		return each(ctx, tx, `SELECT vendor, product, sum(cves) FROM product_pack1 GROUP BY vendor, product`, nil, func(rows *sql.Rows) error {
			var p ProductName
			err := rows.Scan(&p.Vendor, &p.Product, &p.CVEs)
			p.Vendor, p.Product = cpe.Unquote(p.Vendor), cpe.Unquote(p.Product)
			list = append(list, p)
			return err
		})
	})
	return list, err
}
