package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
)

// LastLooks is when a scan or an imported report last looked at each host of a view; a host at which none ever looked is not in
// it.
func (e *Estate) LastLooks(ctx context.Context, v auth.View) (map[int64]time.Time, error) {
	c := conditions{}
	c.see("s.name", v)
	out := map[int64]time.Time{}
	err := e.db.view(ctx, func(tx *Tx) error {
		return each(ctx, tx, `SELECT l.host, max(l.at) FROM look l JOIN host h ON h.id = l.host JOIN site s ON s.id = h.site
			WHERE `+c.String()+` GROUP BY l.host`, c.args, func(rows *sql.Rows) error {
			var host, at int64
			err := rows.Scan(&host, &at)
			out[host] = time.UnixMilli(at).UTC()
			return err
		})
	})
	return out, err
}

// ComponentsOnHosts lists, host by host, the packages that findings are about which stand: what the inventory of software has.
func (e *Estate) ComponentsOnHosts(ctx context.Context, v auth.View) (map[int64][]string, error) {
	out := map[int64][]string{}
	err := e.db.view(ctx, func(tx *Tx) error {
		l, err := e.currentLists(ctx, tx)
		if err != nil {
			return err
		}
		t, err := e.softwareTally(ctx, l)
		if err != nil {
			return err
		}
		sites := t.roll.seenSites(v, "")
		for _, p := range t.parts {
			host := t.roll.hosts[p.host]
			if !sites[host.site] {
				continue
			}
			name := t.names[p.component]
			text := name[0]
			if name[1] != "" {
				text += "@" + name[1]
			}
			out[host.id] = append(out[host.id], text)
		}
		return nil
	})
	return out, err
}
