package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// What people read of the estate is cut to the view of who asks, in the statement that reads it: what is outside of it is
// neither listed nor counted, and an id of it is answered like one that does not exist.

// see leaves only rows whose site, by name, is in the view.
func (c *conditions) see(column string, v auth.View) {
	switch sites := v.Sites(); {
	case v.All():
	case len(sites) == 0:
		c.add("1 = 0")
	default:
		c.add(column+" IN ("+Marks(len(sites))+")", anys(sites)...)
	}
}

// inView is see as a part of a statement that has conditions already: " AND …", or nothing where all is seen.
func inView(column string, v auth.View) (clause string, args []any) {
	if v.All() {
		return "", nil
	}
	c := conditions{}
	c.see(column, v)
	return " AND " + c.String(), c.args
}

// siteName is the name of a site in statements that begin with ids: no index finds it, so that no planner begins with the site
// and walks through all that belongs to it.
const siteName = `(s.name || '')`

// ofSite finds those of some ids that belong to some sites.
var ofSite = map[string]string{
	"host":    `SELECT x.id FROM host x JOIN site s ON s.id = x.site WHERE x.id IN (%s)`,
	"finding": `SELECT x.id FROM finding x JOIN host h ON h.id = x.host JOIN site s ON s.id = h.site WHERE x.id IN (%s)`,
	"scan":    `SELECT x.id FROM scan x JOIN site s ON s.name = x.site WHERE x.id IN (%s)`,
}

// seen leaves, in their order, the ids of hosts, findings or scans that are in the view. Of a view of everything it asks
// nothing and leaves all, also ids that do not exist.
func seen(ctx context.Context, tx *Tx, v auth.View, what string, ids []int64) ([]int64, error) {
	if v.All() || len(ids) == 0 {
		return ids, nil
	}
	clause, args := inView(siteName, v)
	var found []int64
	for chunk := range slices.Chunk(ids, chunkSize) {
		rows, err := tx.Query(ctx, fmt.Sprintf(ofSite[what], Marks(len(chunk)))+clause, append(anys(chunk), args...)...) //nolint:sqlclosecheck // appendIDs closes them
		if err != nil {
			return nil, err
		}
		if found, err = appendIDs(found, rows); err != nil {
			return nil, err
		}
	}
	slices.Sort(found)
	out := make([]int64, 0, len(found))
	for _, id := range ids {
		if _, in := slices.BinarySearch(found, id); in {
			out = append(out, id)
		}
	}
	return out, nil
}

// sees says whether one of them is in the view.
func sees(ctx context.Context, tx *Tx, v auth.View, what string, id int64) (bool, error) {
	found, err := seen(ctx, tx, v, what, []int64{id})
	return len(found) > 0, err
}

// seeRules leaves rules that are bound to a site of the view, or to a host in one, and those that are bound to neither.
func (c *conditions) seeRules(tx *Tx, v auth.View) {
	if v.All() {
		return
	}
	bound, host := `SELECT value FROM json_each(selects, '$.sites')`, `json_extract(selects, '$.host')`
	if tx.Engine() == Postgres {
		bound = `SELECT value FROM jsonb_array_elements_text(coalesce(selects::jsonb -> 'sites', '[]')) AS e (value)`
		host = `CAST(selects::jsonb ->> 'host' AS BIGINT)`
	}
	bySite, byHost := conditions{}, conditions{}
	bySite.see("value", v)
	byHost.see("s.name", v)
	c.add(`CASE WHEN EXISTS (`+bound+`) THEN EXISTS (`+bound+` WHERE `+bySite.String()+`)
		WHEN coalesce(`+host+`, 0) <> 0 THEN EXISTS (SELECT 1 FROM host h JOIN site s ON s.id = h.site
			WHERE h.id = coalesce((SELECT r.new FROM redirect r WHERE r.what = 'host' AND r.old = `+host+`), `+host+`) AND `+byHost.String()+`)
		ELSE 1 = 1 END`, append(bySite.args, byHost.args...)...)
}

// seeReports leaves raw reports of scans in the view.
func (c *conditions) seeReports(v auth.View) {
	if v.All() {
		return
	}
	ofScan := conditions{}
	ofScan.see("s.site", v)
	c.add(`(EXISTS (SELECT 1 FROM ledger l JOIN scan s ON s.id = l.scan WHERE l.report = blob.hash AND `+ofScan.String()+`)
		OR EXISTS (SELECT 1 FROM task t JOIN scan s ON s.id = t.scan WHERE t.report = blob.hash AND `+ofScan.String()+`))`,
		append(anys(ofScan.args), ofScan.args...)...)
}

// seesHistory says whether who sees v may read the history of a finding, host or rule; that of sensors, and of what is
// gone, is of all sites.
func seesHistory(ctx context.Context, tx *Tx, v auth.View, what finding.Subject, item int64) (bool, error) {
	switch what {
	case finding.OfFinding, finding.OfHost:
		return sees(ctx, tx, v, string(what), item)
	case finding.OfRule:
		c := conditions{}
		c.add("id = ?", item)
		c.seeRules(tx, v)
		n := 0
		err := tx.QueryRow(ctx, `SELECT count(*) FROM rule WHERE `+c.String(), c.args...).Scan(&n)
		return v.All() || n > 0, err
	}
	return v.All(), nil
}
