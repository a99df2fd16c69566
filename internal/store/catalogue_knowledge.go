package store

import (
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// listTable is a table, or one owner's rows of it, that a feed's list is kept in.
type listTable[K comparable, V any] struct {
	*catalogueWriter
	sheet *sheet
	query string
	owner []any // parameters of query
	scan  func(*sql.Rows) (V, error)
	key   func(V) K
	cells func(V) ([]any, error)
	erase func(K) []any
}

func (t listTable[K, V]) All() (map[K]V, error) {
	out := map[K]V{}
	if err := t.flush(); err != nil {
		return nil, err
	}
	err := each(t.ctx, t.tx, t.query, t.owner, func(rows *sql.Rows) error {
		v, err := t.scan(rows)
		out[t.key(v)] = v
		return err
	})
	return out, err
}

func (t listTable[K, V]) Put(v V) error {
	row, err := t.cells(v)
	if err != nil {
		return err
	}
	return t.bulkPut(t.sheet, row...)
}

func (t listTable[K, V]) Delete(k K) error { return t.bulkDelete(t.sheet, t.erase(k)...) }

// flush sends what waits on the connection, so that a query may run on it.
func (w *catalogueWriter) flush() error {
	if err := w.endBatch(); err != nil {
		return err
	}
	return w.endCopy()
}

// Of two assessments of the same time the greater stands, so that their order does not matter.
var ssvcSheet = newSheet("ssvc", 1, `(excluded.at, excluded.exploitation, excluded.automatable, excluded.impact, excluded.source) >
	(ssvc.at, ssvc.exploitation, ssvc.automatable, ssvc.impact, ssvc.source)`,
	"cve bigint", "exploitation text", "automatable text", "impact text", "source text", "at bigint")

const selectSSVC = `SELECT cve, exploitation, automatable, impact, source, at FROM ssvc`

func scanSSVC(rows *sql.Rows) (v intel.SSVC, err error) {
	var at int64
	err = rows.Scan(&v.CVE, &v.Exploitation, &v.Automatable, &v.TechnicalImpact, &v.Source, &at)
	v.At = fromUnix(at)
	return v, err
}

// SSVC implements catalogue.Writer.
func (w *catalogueWriter) SSVC() catalogue.Table[cve.ID, intel.SSVC] {
	return listTable[cve.ID, intel.SSVC]{
		catalogueWriter: w, sheet: ssvcSheet, query: selectSSVC, scan: scanSSVC,
		key: func(v intel.SSVC) cve.ID { return v.CVE },
		cells: func(v intel.SSVC) ([]any, error) {
			return []any{int64(v.CVE), clean(v.Exploitation), clean(v.Automatable), clean(v.TechnicalImpact), clean(v.Source),
				toUnix(v.At)}, nil
		},
		erase: func(id cve.ID) []any { return []any{int64(id)} },
	}
}

var techniqueSheet = newSheet("technique", 2, "", "id text", "domain text", "tactics text", "platforms text", "revoked bigint",
	"modified bigint", "words text", "document text")

// Techniques implements catalogue.Writer.
func (w *catalogueWriter) Techniques(domain string) catalogue.Table[string, intel.Technique] {
	return listTable[string, intel.Technique]{
		catalogueWriter: w, sheet: techniqueSheet, query: `SELECT document FROM technique WHERE domain = ?`, owner: []any{domain},
		scan: scanDocument[intel.Technique],
		key:  func(v intel.Technique) string { return v.ID },
		cells: func(v intel.Technique) ([]any, error) {
			document, err := json.Marshal(v)
			return []any{clean(v.ID), domain, barred(v.Tactics), barred(v.Platforms), int64(number(v.Revoked || v.Deprecated)),
				toUnix(v.Modified), lower(v.ID, v.Name, v.Description), string(document)}, err
		},
		erase: func(id string) []any { return []any{id, domain} },
	}
}

func scanDocument[V any](rows *sql.Rows) (v V, err error) {
	var document sql.RawBytes
	if err := rows.Scan(&document); err != nil {
		return v, err
	}
	return v, json.Unmarshal(document, &v)
}

// barred writes names so that one can be found between bars.
func barred(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return lower("|" + strings.Join(names, "|") + "|")
}

// lower is texts to search in: both engines compare bytes then.
func lower(texts ...string) string { return clean(strings.ToLower(strings.Join(texts, "\n"))) }

var tacticSheet = newSheet("tactic", 2, "", "domain text", "id text", "short text", "name text", "place bigint")

const selectTactic = `SELECT domain, id, short, name, place FROM tactic`

func scanTactic(rows *sql.Rows) (v intel.Tactic, err error) {
	return v, rows.Scan(&v.Domain, &v.ID, &v.Short, &v.Name, &v.Order)
}

// Tactics implements catalogue.Writer.
func (w *catalogueWriter) Tactics(domain string) catalogue.Table[string, intel.Tactic] {
	return listTable[string, intel.Tactic]{
		catalogueWriter: w, sheet: tacticSheet, query: selectTactic + ` WHERE domain = ?`, owner: []any{domain}, scan: scanTactic,
		key: func(v intel.Tactic) string { return v.ID },
		cells: func(v intel.Tactic) ([]any, error) {
			return []any{domain, clean(v.ID), clean(v.Short), clean(v.Name), int64(v.Order)}, nil
		},
		erase: func(id string) []any { return []any{domain, id} },
	}
}

var mappingSheet = newSheet("mapping", 4, "", "cve bigint", "technique text", "kind text", "source text", "comment text", "day bigint")

const selectMapping = `SELECT cve, technique, kind, source, comment, day FROM mapping`

func scanMapping(rows *sql.Rows) (v intel.Mapping, err error) {
	var day int64
	err = rows.Scan(&v.CVE, &v.Technique, &v.Kind, &v.Source, &v.Comment, &day)
	v.Date = fromUnix(day)
	return v, err
}

// Mappings implements catalogue.Writer.
func (w *catalogueWriter) Mappings(source string) catalogue.Table[catalogue.MappingKey, intel.Mapping] {
	return listTable[catalogue.MappingKey, intel.Mapping]{
		catalogueWriter: w, sheet: mappingSheet, query: selectMapping + ` WHERE source = ?`, owner: []any{source}, scan: scanMapping,
		key: func(v intel.Mapping) catalogue.MappingKey {
			return catalogue.MappingKey{CVE: v.CVE, Technique: v.Technique, Kind: v.Kind}
		},
		cells: func(v intel.Mapping) ([]any, error) {
			return []any{int64(v.CVE), clean(v.Technique), clean(v.Kind), source, clean(v.Comment), toUnix(v.Date)}, nil
		},
		erase: func(k catalogue.MappingKey) []any { return []any{int64(k.CVE), k.Technique, k.Kind, source} },
	}
}

var weaknessSheet = newSheet("weakness", 2, "", "id text", "part text", "document text")

// Weaknesses implements catalogue.Writer.
func (w *catalogueWriter) Weaknesses(part catalogue.WeaknessPart) catalogue.Table[string, intel.Weakness] {
	return listTable[string, intel.Weakness]{
		catalogueWriter: w, sheet: weaknessSheet, query: `SELECT document FROM weakness WHERE part = ?`, owner: []any{string(part)},
		scan: scanDocument[intel.Weakness],
		key:  func(v intel.Weakness) string { return v.ID },
		cells: func(v intel.Weakness) ([]any, error) {
			document, err := json.Marshal(v)
			return []any{clean(v.ID), string(part), string(document)}, err
		},
		erase: func(id string) []any { return []any{id, string(part)} },
	}
}

var indicatorSheet = newSheet("indicator", 4, "", "kind text", "value text", "port bigint", "source text", "threat text", "malware text",
	"confidence bigint", "status text", "first_seen bigint", "last_seen bigint", "expires bigint", "tags text", "reference text",
	"words text")

const (
	selectColumns = `SELECT kind, indicator.value, port, source, threat, malware, confidence, status, first_seen, last_seen, expires, tags,
	reference`
	selectIndicator = selectColumns + ` FROM indicator`
)

func scanIndicator(rows *sql.Rows) (v intel.Indicator, err error) {
	var first, last, expires int64
	var tags string
	err = rows.Scan(&v.Kind, &v.Value, &v.Port, &v.Source, &v.Threat, &v.Malware, &v.Confidence, &v.Status, &first, &last, &expires,
		&tags, &v.Reference)
	v.FirstSeen, v.LastSeen, v.Expires = fromUnix(first), fromUnix(last), fromUnix(expires)
	if tags != "" {
		v.Tags = strings.Split(tags, "\n")
	}
	return v, err
}

// Indicators implements catalogue.Writer.
func (w *catalogueWriter) Indicators(source string) catalogue.Table[catalogue.IndicatorKey, intel.Indicator] {
	return listTable[catalogue.IndicatorKey, intel.Indicator]{
		catalogueWriter: w, sheet: indicatorSheet, query: selectIndicator + ` WHERE source = ?`, owner: []any{source},
		scan: scanIndicator,
		key: func(v intel.Indicator) catalogue.IndicatorKey {
			return catalogue.IndicatorKey{Kind: v.Kind, Value: v.Value, Port: v.Port}
		},
		cells: func(v intel.Indicator) ([]any, error) {
			tags := strings.Join(v.Tags, "\n")
			return []any{v.Kind, clean(v.Value), int64(v.Port), source, clean(v.Threat), clean(v.Malware), int64(v.Confidence),
				clean(v.Status), toUnix(v.FirstSeen), toUnix(v.LastSeen), toUnix(v.Expires), clean(tags), clean(v.Reference),
				lower(v.Value, v.Threat, v.Malware, tags)}, nil
		},
		erase: func(k catalogue.IndicatorKey) []any { return []any{k.Kind, k.Value, int64(k.Port), source} },
	}
}

// EPSSHistory implements catalogue.Writer.
func (w *catalogueWriter) EPSSHistory() catalogue.EPSSHistory { return epssHistory{w} }

type epssHistory struct{ *catalogueWriter }

var epssHistorySheet = newSheet("epss_history", 2, "", "cve bigint", "day bigint", "score double?")

func (h epssHistory) Current() (list []intel.EPSS, err error) {
	if err := h.flush(); err != nil {
		return nil, err
	}
	models := map[string]string{} // 270,000 rows name the same one
	err = each(h.ctx, h.tx, selectEPSS+` ORDER BY cve`, nil, func(rows *sql.Rows) error {
		var e intel.EPSS
		var day int64
		var model sql.RawBytes
		err := rows.Scan(&e.CVE, &e.Score, &e.Percentile, &day, &model)
		e.Date = fromUnix(day)
		var known bool
		if e.Model, known = models[string(model)]; !known {
			e.Model = string(model)
			models[e.Model] = e.Model
		}
		list = append(list, e)
		return err
	})
	return list, err
}

func (h epssHistory) Days() (days []catalogue.EPSSDay, err error) {
	if err := h.flush(); err != nil {
		return nil, err
	}
	err = each(h.ctx, h.tx, `SELECT day, model FROM epss_day ORDER BY day`, nil, func(rows *sql.Rows) error {
		var d catalogue.EPSSDay
		err := rows.Scan(&d.Day, &d.Model)
		days = append(days, d)
		return err
	})
	return days, err
}

// The latest row of each CVE up to a day. SQLite takes the other columns of a maximum from its row.
var lastRows = map[Engine]string{
	SQLite:   `SELECT cve, score, max(day) FROM epss_history WHERE day <= ? GROUP BY cve ORDER BY cve`,
	Postgres: `SELECT DISTINCT ON (cve) cve, score, day FROM epss_history WHERE day <= ? ORDER BY cve, day DESC`,
}

func (h epssHistory) Scores(day int64) (list []catalogue.EPSSScore, err error) {
	if err := h.flush(); err != nil {
		return nil, err
	}
	err = each(h.ctx, h.tx, lastRows[h.tx.engine], []any{day}, func(rows *sql.Rows) error {
		var s catalogue.EPSSScore
		var score sql.NullFloat64
		var since int64
		err := rows.Scan(&s.CVE, &score, &since)
		if s.Score = score.Float64; score.Valid {
			list = append(list, s)
		}
		return err
	})
	return list, err
}

func (h epssHistory) AddDay(d catalogue.EPSSDay) error {
	return h.exec(`INSERT INTO epss_day (day, model) VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET model = excluded.model`,
		d.Day, clean(d.Model))
}

func (h epssHistory) Put(c catalogue.EPSSChange) error {
	var score *float64
	if c.Scored {
		score = &c.Score
	}
	if c.New {
		return h.bulkInsert(epssHistorySheet, int64(c.CVE), c.Day, score)
	}
	return h.bulkPut(epssHistorySheet, int64(c.CVE), c.Day, score)
}

func (h epssHistory) SetCurrent(rows []intel.EPSS) error {
	if err := h.exec(`DELETE FROM epss`); err != nil {
		return err
	}
	for _, e := range rows {
		if err := h.bulkInsert(epssSheet, epssRow(e)...); err != nil {
			return err
		}
	}
	return nil
}

func (h epssHistory) Delete(id cve.ID, day int64) error {
	return h.bulkDelete(epssHistorySheet, int64(id), day)
}

func (h epssHistory) Fold(first int64) error {
	for _, statement := range []string{
		`INSERT INTO epss_history (cve, day, score)
			SELECT h.cve, CAST(? AS BIGINT), h.score FROM epss_history h
			JOIN (SELECT cve, max(day) AS day FROM epss_history WHERE day < ? GROUP BY cve) last ON last.cve = h.cve AND last.day = h.day
			WHERE h.score IS NOT NULL ON CONFLICT (cve, day) DO NOTHING`,
		`DELETE FROM epss_history WHERE day < ? OR day = ? AND score IS NULL`,
		`DELETE FROM epss_day WHERE day < ?`,
	} {
		args := slices.Repeat([]any{first}, strings.Count(statement, "?"))
		if err := h.exec(statement, args...); err != nil {
			return err
		}
	}
	return nil
}
