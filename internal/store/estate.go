package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
)

// Estate is the half of the data that cannot be rebuilt: sites, hosts, services, scans, findings with their evidence.
// It is safe for concurrent use.
//
// What answers people takes the view of who asks, whose zero value sees nothing. What has none is for the pipeline and for
// whoever works on a scan, and says so.
type Estate struct {
	db    *database
	rules *ruleCache
	lists *listCache
	fence *fence // nil writes whatever happens

	inventory     *inventory
	comparedCache *comparedCache
}

// fence is who must work on a scan for a write to count.
type fence struct {
	scan  int64
	owner string
}

// Fenced returns the estate for a process that works on a scan: its Update, and what is built on that, fails with
// fault.Conflict as soon as the scan has another owner. A process that froze, and was believed dead, adds nothing then.
func (e *Estate) Fenced(scan int64, owner string) *Estate {
	fenced := *e
	fenced.fence = &fence{scan: scan, owner: owner}
	return &fenced
}

// check reads who works on the scan. Owners change in transactions that exclude this one.
func (f *fence) check(ctx context.Context, tx *Tx) error {
	if f == nil {
		return nil
	}
	found, err := controls(ctx, tx, []int64{f.scan})
	if err == nil && found[f.scan].Owner != f.owner {
		err = fault.Conflict("scan %d is worked on by another process", f.scan)
	}
	return err
}

// Estate returns the estate. Nothing is opened before its first use.
func (s *Store) Estate() *Estate {
	return &Estate{db: s.estate, rules: &s.rules, lists: &s.lists, inventory: &s.inventory, comparedCache: &s.compared}
}

// lockEstate is the advisory lock that lets one PostgreSQL transaction write the estate at a time, as SQLite does by
// itself: merging reads before it writes. The transactions are short.
const lockEstate = 0x70617463_0003

// Update runs fn in one writing transaction. Keep it short: at most some 5,000 rows.
func (e *Estate) Update(ctx context.Context, fn func(*EstateTx) error) error {
	return e.db.update(ctx, func(tx *Tx) error {
		if tx.Engine() == Postgres {
			if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(?)`, int64(lockEstate)); err != nil {
				return err
			}
		}
		if err := e.fence.check(ctx, tx); err != nil {
			return err
		}
		t := newEstateTx(tx)
		t.rules, t.clock = e.rules, e.db.opts.Now
		if err := fn(t); err != nil {
			return err
		}
		if err := t.flush(ctx); err != nil {
			return err
		}
		if err := freshenLists(ctx, tx); err != nil {
			return err
		}
		return stampHosts(ctx, tx)
	})
}

// Sites lists the sites of a view by name.
func (e *Estate) Sites(ctx context.Context, v auth.View) (sites []asset.Site, err error) {
	c := conditions{}
	c.see("name", v)
	err = e.db.view(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `SELECT id, name, external, demo FROM site WHERE `+c.String()+` ORDER BY name`, c.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s asset.Site
			if err := rows.Scan(&s.ID, &s.Name, &s.External, &s.Demo); err != nil {
				return err
			}
			sites = append(sites, s)
		}
		return rows.Err()
	})
	return sites, err
}

// CreateSite adds a site, or changes what is known of the one with the name. Created says which.
func (e *Estate) CreateSite(ctx context.Context, site asset.Site) (id int64, created bool, err error) {
	if err := checkSiteName(site.Name); err != nil {
		return 0, false, err
	}
	err = e.Update(ctx, func(tx *EstateTx) error {
		known, found, err := tx.site(ctx, site.Name)
		if err != nil {
			return err
		}
		if created = !found; found {
			id = known.ID
			_, err := tx.tx.Exec(ctx, `UPDATE site SET external = ?, demo = ? WHERE id = ?`, truth(site.External), truth(site.Demo), id)
			return err
		}
		if id, err = tx.nextID(ctx, "site"); err != nil {
			return err
		}
		_, err = tx.tx.Exec(ctx, `INSERT INTO site (id, name, external, demo) VALUES (?, ?, ?, ?)`,
			id, site.Name, truth(site.External), truth(site.Demo))
		return err
	})
	return id, created, err
}

func checkSiteName(name string) error {
	if name == "" || len(name) > 63 || strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
	}) {
		return fault.Invalid("site name %q: want 1 to 63 letters, digits, '-', '_' or '.'", name)
	}
	return nil
}

// Site returns the site with a name, fault.NotFound when there is none in the view.
func (e *Estate) Site(ctx context.Context, v auth.View, name string) (site asset.Site, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		var found bool
		site, found, err = newEstateTx(tx).site(ctx, name)
		if err == nil && !(found && v.Sees(name)) {
			site, err = asset.Site{}, fault.NotFound("site %q: make it with `patchscout site add %s`", name, name)
		}
		return err
	})
	return site, err
}

// RemoveDemo removes everything marked demo and says how many hosts, findings and scans that were.
func (e *Estate) RemoveDemo(ctx context.Context) (hosts, findings, scans int64, err error) {
	err = e.Update(ctx, func(tx *EstateTx) error {
		for _, step := range []struct {
			n     *int64
			query string
		}{
			// Findings first, by themselves, for the count; deleting a host takes the rest with it.
			{&findings, `DELETE FROM finding WHERE demo = 1 OR host IN (SELECT id FROM host WHERE demo = 1)`},
			{&hosts, `DELETE FROM host WHERE demo = 1`},
			{&scans, `DELETE FROM scan WHERE demo = 1`},
			{nil, `DELETE FROM service WHERE demo = 1`},
			{nil, `DELETE FROM look WHERE scan NOT IN (SELECT id FROM scan)`},
			{nil, `DELETE FROM site WHERE demo = 1 AND name <> 'default' AND NOT EXISTS (SELECT 1 FROM host WHERE host.site = site.id)`},
			{nil, `DELETE FROM text WHERE hash NOT IN (SELECT output FROM evidence WHERE output IS NOT NULL)
				AND hash NOT IN (SELECT checks FROM look WHERE checks IS NOT NULL)`},
		} {
			res, err := tx.tx.Exec(ctx, step.query)
			if err != nil {
				return err
			}
			if step.n == nil {
				continue
			}
			if *step.n, err = res.RowsAffected(); err != nil {
				return err
			}
		}
		return nil
	})
	return hosts, findings, scans, err
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// millis and moment carry times: whole milliseconds, 0 is none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// list and unlist carry lists of strings as JSON; an empty list is nil.
func list(items []string) string {
	if len(items) == 0 {
		return "[]"
	}
	b, _ := json.Marshal(items) // a list of strings always marshals
	return string(b)
}

// numbers and unnumber carry lists of numbers likewise.
func numbers(items []int) string {
	if len(items) == 0 {
		return "[]"
	}
	b, _ := json.Marshal(items) // a list of numbers always marshals
	return string(b)
}

func unnumber(s string) (items []int) {
	if s == "" || s == "[]" {
		return nil
	}
	_ = json.Unmarshal([]byte(s), &items) // as in unlist
	return items
}

func unlist(s string) (items []string) {
	if s == "" || s == "[]" {
		return nil
	}
	_ = json.Unmarshal([]byte(s), &items) // we wrote it; a damaged list reads as empty rather than hiding its row
	return items
}
