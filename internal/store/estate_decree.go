package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

const decreeColumns = `d.id, d.finding, d.sensor, d.at, d.reason, d.who, d.note`

// Decrees returns the decrees about hosts, those about sensors of their sites included, by host, in order of time.
func (t *EstateTx) Decrees(ctx context.Context, hosts []int64) (map[int64][]finding.Decree, error) {
	return decreesOf(ctx, t.tx, hosts)
}

func decreesOf(ctx context.Context, tx *Tx, hosts []int64) (map[int64][]finding.Decree, error) {
	out := map[int64][]finding.Decree{}
	for chunk := range slices.Chunk(hosts, chunkSize) {
		rows, err := tx.Query(ctx, `SELECT h.id, `+decreeColumns+` FROM decree d JOIN host h ON h.id = d.host WHERE h.id IN (`+Marks(len(chunk))+`)
			UNION ALL SELECT h.id, `+decreeColumns+` FROM decree d JOIN host h ON h.site = d.site WHERE d.host IS NULL AND h.id IN (`+Marks(len(chunk))+`)
			ORDER BY 1, 5, 2`, append(anys(chunk), anys(chunk)...)...)
		if err != nil {
			return nil, err
		}
		if err := eachRow(rows, func() error {
			var d finding.Decree
			var host, at int64
			var of sql.NullInt64
			var reason string
			err := rows.Scan(&host, &d.ID, &of, &d.Sensor, &at, &reason, &d.By, &d.Note)
			d.Finding, d.At, d.Reason = of.Int64, moment(at), finding.Closing(reason)
			out[host] = append(out[host], d)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AddDecree keeps a decree. host is 0 for a sensor's retirement, which is the site's. Whoever adds one folds the findings
// that it speaks of anew.
func (t *EstateTx) AddDecree(ctx context.Context, site string, host int64, d finding.Decree) (id int64, err error) {
	s, found, err := t.site(ctx, site)
	if err != nil {
		return 0, err
	}
	if !found {
		return 0, fault.NotFound("site %q", site)
	}
	if id, err = t.nextID(ctx, "decree"); err != nil {
		return 0, err
	}
	_, err = t.tx.Exec(ctx, `INSERT INTO decree (id, site, host, finding, sensor, at, reason, who, note) VALUES (`+Marks(9)+`)`,
		id, s.ID, orNull(host), orNull(d.Finding), d.Sensor, millis(d.At), string(d.Reason), d.By, finding.Cut(d.Note, finding.MaxText))
	return id, err
}

func orNull(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}
