package store

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

// factColumns are the columns of cve_fact, in the order of factValues.
var factColumns = []string{
	"id", "published", "modified", "rejected", "severity", "cvss", "configured", "feeds", "nvd_modified", "nvd_hash", "techniques", "kev", "ransomware", "epss", "exploits", "estimated", "likelihood",
	"score", "rank",
}

func factValues(r *catalogue.Row) []any {
	var score any
	if r.Scored {
		score = r.Score
	}
	return append([]any{
		int64(r.ID), r.Published, r.Modified, number(r.Rejected), catalogue.SeverityCode(r.Severity), score,
		number(r.Configured), r.Feeds, r.NVDModified, r.NVDHash, int64(r.Techniques),
	}, standingValues(r.Standing)...)
}

func standingValues(s catalogue.Standing) []any {
	var epss any
	if s.EPSS != nil {
		epss = *s.EPSS
	}
	return []any{
		number(s.KEV), number(s.Ransomware), epss, int64(s.Exploits), number(s.Estimated), s.LikelihoodKey(), s.ScoreKey(),
		s.RankKey,
	}
}

var (
	insertFact = `INSERT INTO cve_fact (` + strings.Join(factColumns, ", ") + `) VALUES (` + Marks(len(factColumns)) + `)`
	upsertFact = insertFact + ` ON CONFLICT (id) DO UPDATE SET ` + assignments(factColumns[1:])
)

// assignments sets columns to what an insert would have given them.
func assignments(columns []string) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c + ` = excluded.` + c
	}
	return strings.Join(list, ", ")
}

// putFacts writes what a CVE is filtered by; fresh says that there is nothing of it yet.
func (w *catalogueWriter) putFacts(r *catalogue.Row, fresh bool) error {
	statement := insertFact
	if !fresh {
		statement = upsertFact
		if err := w.exec(`DELETE FROM cve_cwe WHERE cve = ?`, int64(r.ID)); err != nil {
			return err
		}
	}
	if err := w.exec(statement, factValues(r)...); err != nil {
		return err
	}
	for _, cwe := range r.CWEs {
		err := w.exec(`INSERT INTO cve_cwe (cve, cwe) VALUES (?, ?) ON CONFLICT (cve, cwe) DO NOTHING`, int64(r.ID), cwe)
		if err != nil {
			return err
		}
	}
	return w.changed(r.ID)
}

// changed notes a CVE whose text may differ now.
func (w *catalogueWriter) changed(id cve.ID) error {
	if w.building {
		return nil
	}
	return w.exec(`INSERT INTO cve_change (generation, cve) SELECT n + 1, CAST(? AS BIGINT) FROM generation
		WHERE true ON CONFLICT (generation, cve) DO NOTHING`, int64(id))
}

// keepChanges generations are known one by one: those of some hundred loads. An index that is older is made anew.
const keepChanges = 2000

func (w *catalogueWriter) forgetChanges() error {
	gone, err := w.count(`DELETE FROM cve_change WHERE generation <= (SELECT n - ? FROM generation)`, keepChanges)
	if err != nil || gone == 0 {
		return err
	}
	return w.exec(`INSERT INTO meta (key, value) SELECT '`+catalogue.MetaTextFloor+`', CAST(n - ? AS TEXT) FROM generation
		WHERE true ON CONFLICT (key) DO UPDATE SET value = excluded.value`, keepChanges)
}

// standingSheet updates what standingValues gives of a CVE that is stored.
var standingSheet = &sheet{
	name: "cve_fact", keys: 1,
	columns: append([]string{"id"}, factColumns[len(factColumns)-standingColumns:]...),
	kinds:   []string{"bigint", "bigint", "bigint", "double?", "bigint", "bigint", "bigint", "bigint", "bigint"},
}

// standingColumns is how many columns of cve_fact are the standing's, its last.
const standingColumns = 8

func init() {
	var plain, joined []string
	for i, c := range standingSheet.columns[1:] {
		plain = append(plain, fmt.Sprintf("%s = ?%d", c, i+2))
		joined = append(joined, c+` = new.`+c)
	}
	standingSheet.put = map[Engine]string{
		SQLite: `UPDATE cve_fact SET ` + strings.Join(plain, ", ") + ` WHERE id = ?1`,
		Postgres: `UPDATE cve_fact SET ` + strings.Join(joined, ", ") + ` FROM unnest(` + standingSheet.arrays(1+standingColumns) +
			`) AS new (` + strings.Join(standingSheet.columns, ", ") + `) WHERE cve_fact.id = new.id`,
	}
}

// Stand implements catalogue.Writer.
func (w *catalogueWriter) Stand(id cve.ID, s catalogue.Standing) error {
	return w.bulkPut(standingSheet, int64(id), int64(number(s.KEV)), int64(number(s.Ransomware)), s.EPSS, int64(s.Exploits),
		int64(number(s.Estimated)), s.LikelihoodKey(), s.ScoreKey(), s.RankKey)
}

// Records implements catalogue.Writer.
func (w *catalogueWriter) Records(ids []cve.ID, fn func(id cve.ID, stored []byte) error) error {
	if err := w.flush(); err != nil {
		return err
	}
	return eachRecord(w.ctx, w.tx, ids, fn)
}

// standByEPSS computes the keys as catalogue.Standing's do: the rank is a digit for the decision, seven for the
// likelihood, seven for the score, each falling.
const (
	epssKey     = `CAST(floor((1 - min(max(e.score, 0), 1)) * 9999998 + 0.5) AS BIGINT)`
	standByEPSS = `UPDATE cve_fact SET epss = e.score, estimated = 0, likelihood = ` + epssKey + `,
		rank = (cve_fact.rank / 100000000000000) * 100000000000000 + ` + epssKey + ` * 10000000 + cve_fact.score
		FROM epss e WHERE e.cve = cve_fact.id AND (cve_fact.epss IS NULL OR cve_fact.epss <> e.score)`
)

// StandByEPSS implements catalogue.Writer. A CVE that has lost its score is judged by the caller.
func (w *catalogueWriter) StandByEPSS() error {
	statement := standByEPSS
	if w.tx.engine == Postgres {
		statement = strings.ReplaceAll(statement, `min(max(e.score, 0), 1)`, `least(greatest(e.score, 0), 1)`)
	}
	return w.exec(statement)
}

// Unscored implements catalogue.Writer.
func (w *catalogueWriter) Unscored() ([]cve.ID, error) {
	return w.ids(`SELECT id FROM cve_fact WHERE epss IS NOT NULL AND NOT EXISTS (SELECT 1 FROM epss e WHERE e.cve = cve_fact.id) ORDER BY id`)
}

// PublishedSince implements catalogue.Writer.
func (w *catalogueWriter) PublishedSince(at int64) ([]cve.ID, error) {
	return w.ids(`SELECT id FROM cve_fact WHERE published >= ? ORDER BY id`, at)
}

func (w *catalogueWriter) ids(query string, args ...any) (ids []cve.ID, err error) {
	if err := w.flush(); err != nil {
		return nil, err
	}
	err = each(w.ctx, w.tx, query, args, func(rows *sql.Rows) error {
		var id cve.ID
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// Facts implements catalogue.Writer.
func (w *catalogueWriter) Facts(ids []cve.ID) (map[cve.ID]intel.Facts, error) {
	if err := w.flush(); err != nil {
		return nil, err
	}
	out := make(map[cve.ID]intel.Facts, len(ids))
	return out, readFacts(w.ctx, w.tx, ids, out)
}

// appendFactLine writes cve_fact's row in COPY's text format.
func appendFactLine(b []byte, r *catalogue.Row) []byte {
	for i, value := range factValues(r) {
		if i > 0 {
			b = append(b, '\t')
		}
		switch v := value.(type) {
		case nil:
			b = append(b, `\N`...)
		case int:
			b = strconv.AppendInt(b, int64(v), 10)
		case int64:
			b = strconv.AppendInt(b, v, 10)
		case float64:
			b = strconv.AppendFloat(b, v, 'g', -1, 64)
		case string:
			b = appendCopyText(b, v)
		}
	}
	return append(b, '\n')
}
