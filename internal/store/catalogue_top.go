package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/intel"
)

// topKeys are the orders of Top: what is sorted by (highest first), and which rows have it. The orders of lists fall as
// their keys rise.
var topKeys = map[string]struct{ expression, has string }{
	catalogue.ByEPSS:                 {`f.epss`, `f.epss IS NOT NULL`},
	catalogue.ByCVSS:                 {`f.cvss`, `f.cvss IS NOT NULL`},
	catalogue.ByModified:             {`f.modified`, `f.modified > 0`},
	catalogue.ByKEV:                  {`(SELECT k.added FROM kev k WHERE k.cve = f.id)`, `f.id IN (SELECT cve FROM kev)`},
	string(catalogue.SortDate):       {`f.published`, `f.published > 0`},
	string(catalogue.SortDecision):   {`-f.rank`, `f.rank < 9` + rankStep[1:]},
	string(catalogue.SortLikelihood): {`-f.likelihood`, `f.likelihood < 9999999`},
	string(catalogue.SortScore):      {`-f.score`, `f.score < 9999999`},
}

// Top returns the CVEs that pass every condition of a filter but its words and that have most of what an order sorts by,
// or least, at most limit. Of equal ones the more urgent come first. Those that nobody gave such a number are left out.
func (c *Catalogue) Top(ctx context.Context, f catalogue.Filter, by string, least bool, limit int) (hits []catalogue.Hit, err error) {
	key, ok := topKeys[by]
	if !ok {
		return nil, fault.Invalid("order %.40q: not one of the catalogue's", by)
	}
	direction := ` DESC`
	if least {
		direction = ``
	}
	err = c.selected(ctx, f, func(tx *Tx, q *selection) error {
		ids, _, err := selectIDs(ctx, tx, `SELECT f.id, 0 FROM cve_fact f`+q.also(key.has).where()+
			` ORDER BY `+key.expression+direction+`, f.rank, f.id DESC LIMIT ?`, append(slices.Clone(q.args), limit))
		if err != nil {
			return err
		}
		records, err := recordList(ctx, tx, ids)
		if err != nil {
			return err
		}
		hits, err = withFacts(ctx, tx, records)
		return err
	})
	return hits, err
}

// Groups counts the CVEs that pass every condition of a filter but its words by year (of publication), severity, decision,
// cwe, vendor or product: the largest groups first, of equal ones by key, years by year. A CVE stands in several groups of
// cwe, vendor and product. The groups without a key (no CWE, no score) are "".
func (c *Catalogue) Groups(ctx context.Context, f catalogue.Filter, by string) (groups []catalogue.Group, err error) {
	key, keep := groupKey(f, by)
	err = c.selected(ctx, f, func(tx *Tx, q *selection) error {
		var generation int64
		if err := tx.QueryRow(ctx, `SELECT n FROM generation`).Scan(&generation); err != nil {
			return err
		}
		if known, ok := c.store.groups.find(generation, key); ok {
			groups = known
			return nil
		}
		if groups, err = c.readGroups(ctx, tx, q, generation, by); err == nil && keep {
			c.store.groups.keep(generation, key, groups)
		}
		return err
	})
	return groups, err
}

func (c *Catalogue) readGroups(ctx context.Context, tx *Tx, q *selection, generation int64, by string) (groups []catalogue.Group, err error) {
	switch by {
	case "year":
		return groupsByYear(ctx, tx, q)
	case "severity":
		groups, err = groupsBy(ctx, tx, q, `f.severity`, `cve_fact f`, severityOf)
	case "decision":
		groups, err = groupsBy(ctx, tx, q, `f.rank / `+rankStep, `cve_fact f`, func(n int64) string { return catalogue.DecisionOf(int(n)) })
	case "cwe":
		groups, err = groupsBy(ctx, tx, q, `w.cwe`, `cve_fact f JOIN cve_cwe w ON w.cve = f.id`,
			func(n int64) string { return "CWE-" + strconv.FormatInt(n, 10) })
	case "vendor", "product":
		groups, err = c.groupsByName(ctx, tx, q, generation, by == "product")
	default:
		err = fault.Invalid("group %.40q: want year, severity, decision, cwe, vendor or product", by)
	}
	slices.SortFunc(groups, func(a, b catalogue.Group) int {
		return cmp.Or(b.CVEs-a.CVEs, cmp.Compare(a.Key, b.Key), cmp.Compare(a.Other, b.Other))
	})
	return groups, err
}

func severityOf(code int64) string {
	for _, name := range []string{"critical", "high", "medium", "low", "info"} {
		if int64(catalogue.SeverityCode(name)) == code {
			return name
		}
	}
	return "unknown"
}

func groupsBy(ctx context.Context, tx *Tx, q *selection, key, from string, name func(int64) string) (groups []catalogue.Group, err error) {
	err = each(ctx, tx, `SELECT `+key+`, count(*) FROM `+from+q.where()+` GROUP BY 1`, q.args, func(rows *sql.Rows) error {
		var k int64
		var n int
		err := rows.Scan(&k, &n)
		groups = append(groups, catalogue.Group{Key: name(k), CVEs: n})
		return err
	})
	return groups, err
}

// groupsByYear counts days, which both engines can, and adds them up.
func groupsByYear(ctx context.Context, tx *Tx, q *selection) ([]catalogue.Group, error) {
	days, err := groupsBy(ctx, tx, q, `f.published / 86400`, `cve_fact f`, func(day int64) string {
		if day == 0 {
			return ""
		}
		return strconv.Itoa(time.Unix(day*86400, 0).UTC().Year())
	})
	years := map[string]int{}
	for _, d := range days {
		years[d.Key] += d.CVEs
	}
	return sortedGroups(years), err
}

func sortedGroups(counts map[string]int) (groups []catalogue.Group) {
	for key, n := range counts {
		groups = append(groups, catalogue.Group{Key: key, CVEs: n})
	}
	slices.SortFunc(groups, func(a, b catalogue.Group) int { return cmp.Compare(a.Key, b.Key) })
	return groups
}

// groupsByName counts by the products whose rules name a CVE: a record names its products in its configurations only.
func (c *Catalogue) groupsByName(ctx context.Context, tx *Tx, q *selection, generation int64, products bool) ([]catalogue.Group, error) {
	ids, _, err := selectIDs(ctx, tx, `SELECT f.id, 0 FROM cve_fact f`+q.where(), q.args)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	named, err := c.namings(ctx, tx, generation)
	if err != nil {
		return nil, err
	}
	return named.groups(ids, products), nil
}

// AllWeaknesses returns every CWE entry, by id as text sorts.
func (c *Catalogue) AllWeaknesses(ctx context.Context) (list []intel.Weakness, err error) {
	err = c.db.view(ctx, func(tx *Tx) error {
		return each(ctx, tx, `SELECT document FROM weakness ORDER BY id, part DESC`, nil, func(rows *sql.Rows) error {
			w, err := scanDocument[intel.Weakness](rows)
			if last := len(list) - 1; last >= 0 && list[last].ID == w.ID {
				list[last] = list[last].Merge(w)
				return err
			}
			list = append(list, w)
			return err
		})
	})
	return list, err
}
