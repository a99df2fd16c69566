package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/intel"
)

// readAssessments adds SSVC and mappings to facts.
func readAssessments(ctx context.Context, tx *Tx, ids []cve.ID, out map[cve.ID]intel.Facts) error {
	err := eachID(ctx, tx, selectSSVC+` WHERE cve IN (%s)`, ids, func(rows *sql.Rows) error {
		v, err := scanSSVC(rows)
		f := out[v.CVE]
		f.SSVC = &v
		out[v.CVE] = f
		return err
	})
	if err != nil {
		return err
	}
	return eachID(ctx, tx, selectMapping+` WHERE cve IN (%s) ORDER BY cve, technique, kind, source`, ids, func(rows *sql.Rows) error {
		v, err := scanMapping(rows)
		f := out[v.CVE]
		f.Mappings = append(f.Mappings, v)
		out[v.CVE] = f
		return err
	})
}

// Technique returns one technique, a revoked one under its own id; fault.NotFound if there is none.
func (c *Catalogue) Technique(ctx context.Context, id string) (intel.Technique, error) {
	var found []intel.Technique
	err := c.db.view(ctx, func(tx *Tx) (err error) {
		found, err = techniques(ctx, tx, `SELECT document FROM technique WHERE id = ? ORDER BY domain LIMIT 1`, clean(strings.ToUpper(id)))
		return err
	})
	if err == nil && len(found) == 0 {
		err = fault.NotFound("technique %.40q is not in the catalogue", id)
	}
	if err != nil {
		return intel.Technique{}, err
	}
	return found[0], nil
}

func techniques(ctx context.Context, tx *Tx, query string, args ...any) (list []intel.Technique, err error) {
	err = each(ctx, tx, query, args, func(rows *sql.Rows) error {
		t, err := scanDocument[intel.Technique](rows)
		list = append(list, t)
		return err
	})
	return list, err
}

// Techniques returns one page of techniques in the order of id, and where the next begins, "" at the end.
func (c *Catalogue) Techniques(ctx context.Context, f catalogue.TechniqueFilter) (page []intel.Technique, next string, err error) {
	q := &selection{}
	q.words(f.Words)
	q.named(`tactics`, f.Tactic)
	q.named(`platforms`, f.Platform)
	if f.Domain != "" {
		q.and(`domain = ?`, clean(f.Domain))
	}
	if !f.Revoked {
		q.and(`revoked = 0`)
	}
	if f.After != "" {
		id, domain, ok := strings.Cut(f.After, "/")
		if !ok {
			return nil, "", badCursor(f.After)
		}
		q.and(`(id, domain) > (?, ?)`, clean(id), clean(domain))
	}
	limit := pageSize(f.Limit)
	err = c.db.view(ctx, func(tx *Tx) (err error) {
		page, err = techniques(ctx, tx, `SELECT document FROM technique`+q.in(tx.engine)+` ORDER BY id, domain LIMIT ?`,
			append(q.args, limit+1)...)
		return err
	})
	if len(page) > limit {
		page = page[:limit]
		next = page[limit-1].ID + "/" + page[limit-1].Domain
	}
	return page, next, err
}

func pageSize(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, largestPage)
}

func badCursor(after string) error { return fault.Invalid("cursor %.40q: not one of ours", after) }

// words demands that each word occurs in the column of that name.
func (c *selection) words(text string) {
	for _, word := range strings.Fields(text) {
		c.and(`instr(words, ?) > 0`, lower(word))
	}
}

// named demands a name in a column that barred wrote.
func (c *selection) named(column, name string) {
	if name != "" {
		c.and(`instr(`+column+`, ?) > 0`, barred([]string{name}))
	}
}

// in is where, in the words of an engine.
func (c *selection) in(engine Engine) string {
	if engine == Postgres {
		return strings.ReplaceAll(c.where(), `instr(`, `strpos(`)
	}
	return c.where()
}

// Tactics returns the tactics of all domains in the order of their matrices.
func (c *Catalogue) Tactics(ctx context.Context) (list []intel.Tactic, err error) {
	err = c.db.view(ctx, func(tx *Tx) error {
		return each(ctx, tx, selectTactic+` ORDER BY domain, place, id`, nil, func(rows *sql.Rows) error {
			t, err := scanTactic(rows)
			list = append(list, t)
			return err
		})
	})
	return list, err
}

// Mappings returns what is published of the CVEs that a technique or one of its sub-techniques is used with, by CVE.
func (c *Catalogue) Mappings(ctx context.Context, technique string) (list []intel.Mapping, err error) {
	id := clean(strings.ToUpper(technique))
	err = c.db.view(ctx, func(tx *Tx) error {
		// "/" is the byte after ".".
		return each(ctx, tx, selectMapping+` WHERE technique = ? OR technique > ? AND technique < ? ORDER BY cve, technique, kind, source`,
			[]any{id, id + ".", id + "/"}, func(rows *sql.Rows) error {
				m, err := scanMapping(rows)
				list = append(list, m)
				return err
			})
	})
	return list, err
}

// Weaknesses returns CWE entries by id ("CWE-79"). Ids that are not known are absent.
func (c *Catalogue) Weaknesses(ctx context.Context, ids []string) (map[string]intel.Weakness, error) {
	out := make(map[string]intel.Weakness, len(ids))
	err := c.db.view(ctx, func(tx *Tx) error {
		return eachText(ctx, tx, `SELECT document FROM weakness WHERE id %s ORDER BY id, part DESC`, nil, ids, func(rows *sql.Rows) error {
			w, err := scanDocument[intel.Weakness](rows)
			out[w.ID] = out[w.ID].Merge(w)
			return err
		})
	})
	return out, err
}

// eachText runs query for all values in pieces. %s in it, the last of its parameters, stands for "is one of them".
func eachText(ctx context.Context, tx *Tx, query string, first []any, values []string, fn func(*sql.Rows) error) error {
	for part := range slices.Chunk(values, idChunk) {
		cleaned, args := make([]string, len(part)), slices.Clone(first)
		for i, v := range part {
			cleaned[i] = clean(v)
			args = append(args, cleaned[i])
		}
		among := `IN (` + Marks(len(part)) + `)`
		if tx.engine == Postgres { // which plans anew for each of many parameters
			among, args = `= ANY (CAST(? AS text[]))`, append(slices.Clone(first), cleaned)
		}
		if err := each(ctx, tx, fmt.Sprintf(query, among), args, fn); err != nil {
			return err
		}
	}
	return nil
}

// EPSSHistory returns what EPSS said of a CVE on each day that was read and on which it was scored, oldest first.
// Percentile is that of the current day and 0 on all others, of which it is not kept.
func (c *Catalogue) EPSSHistory(ctx context.Context, id cve.ID) (list []intel.EPSS, err error) {
	err = c.db.view(ctx, func(tx *Tx) error {
		changes, err := epssChanges(ctx, tx, id)
		if err != nil {
			return err
		}
		if list, err = epssSeries(ctx, tx, id, changes); err != nil || len(list) == 0 {
			return err
		}
		return each(ctx, tx, selectEPSS+` WHERE cve = ?`, []any{int64(id)}, func(rows *sql.Rows) error {
			_, now, err := scanEPSS(rows)
			if last := &list[len(list)-1]; last.Date.Equal(now.Date) {
				*last = now
			}
			return err
		})
	})
	return list, err
}

func epssChanges(ctx context.Context, tx *Tx, id cve.ID) (list []catalogue.EPSSChange, err error) {
	query := `SELECT day, score FROM epss_history WHERE cve = ? ORDER BY day`
	err = each(ctx, tx, query, []any{int64(id)}, func(rows *sql.Rows) error {
		var score sql.NullFloat64
		c := catalogue.EPSSChange{CVE: id}
		err := rows.Scan(&c.Day, &score)
		c.Score, c.Scored = score.Float64, score.Valid
		list = append(list, c)
		return err
	})
	return list, err
}

// epssSeries carries each change on to the days that follow it.
func epssSeries(ctx context.Context, tx *Tx, id cve.ID, changes []catalogue.EPSSChange) (list []intel.EPSS, err error) {
	var now catalogue.EPSSChange
	err = each(ctx, tx, `SELECT day, model FROM epss_day ORDER BY day`, nil, func(rows *sql.Rows) error {
		var day int64
		var model string
		if err := rows.Scan(&day, &model); err != nil {
			return err
		}
		for len(changes) > 0 && changes[0].Day <= day {
			now, changes = changes[0], changes[1:]
		}
		if now.Scored {
			list = append(list, intel.EPSS{CVE: id, Score: now.Score, Date: fromUnix(day), Model: model})
		}
		return nil
	})
	return list, err
}

// Indicators looks up values of one kind, as intel.CanonicalIndicator writes them: what each source says of each, in the
// order of source and port. Values that nobody lists are absent. Expired ones are returned: see Indicator.Expires.
func (c *Catalogue) Indicators(ctx context.Context, kind string, values []string) (map[string][]intel.Indicator, error) {
	out := map[string][]intel.Indicator{}
	unique := slices.Compact(slices.Sorted(slices.Values(values)))
	err := c.db.view(ctx, func(tx *Tx) error {
		return eachText(ctx, tx, selectIndicator+` WHERE kind = ? AND value %s ORDER BY value, source, port`, []any{clean(kind)}, unique,
			func(rows *sql.Rows) error {
				v, err := scanIndicator(rows)
				out[v.Value] = append(out[v.Value], v)
				return err
			})
	})
	return out, err
}

// urlSchemes are those of the URLs that the lists hold.
var urlSchemes = []string{"http://", "https://", "ftp://"}

// maxURLs of one host are returned: a site where everybody puts files has thousands.
const maxURLs = 20

// urlsOn walks the primary key once for each beginning. Behind "scheme://host" stands "/" or ":port", and ";" is the byte
// after ":"; what else lies between, longer addresses mostly, is left out afterwards. On SQLite a CROSS JOIN keeps the
// order, without which every URL would be held against every host.
const urlsOn = selectColumns + ` FROM (%s) AS h CROSS JOIN indicator
	WHERE kind = 'url' AND indicator.value >= h.host || '/' AND indicator.value < h.host || ';'
	ORDER BY last_seen DESC, first_seen DESC, indicator.value, port, source`

var hostList = map[Engine]string{
	SQLite:   `SELECT value AS host FROM json_each(?)`,
	Postgres: `SELECT v AS host FROM json_array_elements_text(CAST(? AS json)) AS v`,
}

// URLsOn looks up URLs that point at hosts, as intel.HostOf names these: of each host those seen last, the last one first,
// at most 20. Hosts of which no URL is listed are absent. Expired ones are returned: see Indicator.Expires.
func (c *Catalogue) URLsOn(ctx context.Context, hosts []string) (map[string][]intel.Indicator, error) {
	out := map[string][]intel.Indicator{}
	err := c.db.view(ctx, func(tx *Tx) error {
		for part := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(hosts))), idChunk) {
			text, _ := json.Marshal(urlStarts(part)) // texts always marshal
			err := each(ctx, tx, fmt.Sprintf(urlsOn, hostList[tx.engine]), []any{string(text)}, func(rows *sql.Rows) error {
				v, err := scanIndicator(rows)
				_, host, _ := intel.HostOf(v.Value)
				if _, asked := slices.BinarySearch(part, host); asked && len(out[host]) < maxURLs {
					out[host] = append(out[host], v)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// urlStarts are the beginnings of all URLs that point at hosts.
func urlStarts(hosts []string) []string {
	var out []string
	for _, host := range hosts {
		host = clean(host)
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		for _, scheme := range urlSchemes {
			out = append(out, scheme+host)
		}
	}
	return out
}

// ListIndicators returns one page of indicators in the order of kind, value, port and source, and where the next begins,
// "" at the end.
func (c *Catalogue) ListIndicators(ctx context.Context, f catalogue.IndicatorFilter) (page []intel.Indicator, next string, err error) {
	q := &selection{}
	q.words(f.Words)
	for column, value := range map[string]string{`kind`: f.Kind, `source`: f.Source, `threat`: f.Threat} {
		if value != "" {
			q.and(column+` = ?`, clean(value))
		}
	}
	if f.Active {
		now := f.Now
		if now.IsZero() {
			now = time.Now()
		}
		q.and(`(expires = 0 OR expires > ?)`, now.Unix())
	}
	if f.After != "" {
		if err := q.afterIndicator(f.After); err != nil {
			return nil, "", err
		}
	}
	limit := pageSize(f.Limit)
	err = c.db.view(ctx, func(tx *Tx) error {
		return each(ctx, tx, selectIndicator+q.in(tx.engine)+` ORDER BY kind, value, port, source LIMIT ?`, append(q.args, limit+1),
			func(rows *sql.Rows) error {
				v, err := scanIndicator(rows)
				page = append(page, v)
				return err
			})
	})
	if len(page) > limit {
		page = page[:limit]
		last := page[limit-1]
		next = fmt.Sprintf("%s %s %d %s", last.Kind, last.Source, last.Port, last.Value)
	}
	return page, next, err
}

// afterIndicator reads "kind source port value"; only a value may hold blanks.
func (c *selection) afterIndicator(after string) error {
	part := strings.SplitN(after, " ", 4)
	if len(part) != 4 {
		return badCursor(after)
	}
	port, err := strconv.Atoi(part[2])
	if err != nil || port < 0 || port > 1<<16 {
		return badCursor(after)
	}
	c.and(`(kind, value, port, source) > (?, ?, ?, ?)`, clean(part[0]), clean(part[3]), port, clean(part[1]))
	return nil
}

// feedOrder is every feed that the catalogue has a place for, in the order in which people are told of them, with the
// names of ingested files behind them.
func feedOrder(ctx context.Context, tx *Tx) ([]string, error) {
	names := slices.Clone(feedNames)
	err := each(ctx, tx, `SELECT DISTINCT feed FROM run`, nil, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		if !slices.Contains(feedNames, name) {
			names = append(names, name)
		}
		return err
	})
	slices.Sort(names[len(feedNames):])
	return names, err
}
