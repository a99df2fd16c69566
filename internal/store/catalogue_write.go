package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/match"
)

// catalogueWriter implements catalogue.Writer over a transaction. Statements are prepared once and run row by row in
// key order; that is the fastest way on modernc, whose cost of a multi-row VALUES grows with the square of its rows.
type catalogueWriter struct {
	ctx   context.Context // a Writer lives as long as one call
	tx    *Tx
	ready map[string]*sql.Stmt
	// building: rows with ids above last are known to be new, so their words need no removal first.
	building bool
	last     cve.ID
	copy     *copyStream // PostgreSQL only, while building
	copyConn *sql.Conn
	batch    *batch // PostgreSQL only: rows that wait to be sent together
}

// newCatalogueWriter: a statement under a context that can be cancelled costs a goroutine each, so rows are written
// without; whoever feeds the writer watches the context between rows.
func newCatalogueWriter(ctx context.Context, tx *Tx) *catalogueWriter {
	return &catalogueWriter{ctx: context.WithoutCancel(ctx), tx: tx, ready: map[string]*sql.Stmt{}}
}

func (w *catalogueWriter) close() error {
	errs := []error{w.endBatch(), w.endCopy()}
	for _, s := range w.ready {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

func (w *catalogueWriter) stmt(query string) (*sql.Stmt, error) {
	if err := w.flush(); err != nil {
		return nil, err
	}
	if s := w.ready[query]; s != nil {
		return s, nil
	}
	s, err := w.tx.Prepare(w.ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare %.40q: %w", query, err)
	}
	w.ready[query] = s
	return s, nil
}

func (w *catalogueWriter) exec(query string, args ...any) error {
	s, err := w.stmt(query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(w.ctx, args...)
	return err
}

// count runs a statement and says how many rows it changed.
func (w *catalogueWriter) count(query string, args ...any) (int64, error) {
	s, err := w.stmt(query)
	if err != nil {
		return 0, err
	}
	done, err := s.ExecContext(w.ctx, args...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// blob reads one value, nil if there is no row.
func (w *catalogueWriter) blob(query string, args ...any) (b []byte, err error) {
	s, err := w.stmt(query)
	if err != nil {
		return nil, err
	}
	err = s.QueryRowContext(w.ctx, args...).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return b, err
}

// Record implements catalogue.Writer.
func (w *catalogueWriter) Record(id cve.ID) ([]byte, error) {
	return w.blob(`SELECT record FROM cve WHERE id = ?`, int64(id))
}

const (
	putCVESQLite   = `INSERT INTO cve (id, record) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record`
	putCVEPostgres = `INSERT INTO cve (id, record, words) VALUES (?, ?, ?::text::tsvector)
		ON CONFLICT (id) DO UPDATE SET record = excluded.record, words = excluded.words`
)

// Put implements catalogue.Writer.
func (w *catalogueWriter) Put(r *catalogue.Row) error {
	ascending := w.building && r.ID > w.last
	if ascending {
		w.last = r.ID
	}
	if w.tx.engine == Postgres {
		if ascending {
			return w.copyRow(r)
		}
		if err := w.exec(putCVEPostgres, int64(r.ID), r.Record, textVector(r)); err != nil {
			return err
		}
		return w.putFacts(r, false)
	}
	if err := w.exec(putCVESQLite, int64(r.ID), r.Record); err != nil {
		return err
	}
	if !ascending {
		if err := w.exec(`DELETE FROM cve_text WHERE rowid = ?`, int64(r.ID)); err != nil {
			return err
		}
	}
	err := w.exec(`INSERT INTO cve_text (rowid, title, products, description) VALUES (?, ?, ?, ?)`,
		int64(r.ID), r.Title, r.Products, beginning(r.Description))
	if err != nil {
		return err
	}
	return w.putFacts(r, ascending)
}

// standIn is how much of a description the databases' own full-text search holds. It only stands in for the text index
// (catalogue/find), and whole descriptions took it a quarter of the time of a full load. What CVE this is about stands
// at the beginning.
const standIn = 60

// beginning cuts a text behind a word.
func beginning(text string) string {
	if len(text) <= standIn {
		return text
	}
	if end := strings.LastIndexByte(text[:standIn], ' '); end > 0 {
		return text[:end]
	}
	return text[:standIn] // tokenizers skip half a rune
}

// Delete implements catalogue.Writer.
func (w *catalogueWriter) Delete(id cve.ID) error {
	tables := []string{`DELETE FROM cve WHERE id = ?`, `DELETE FROM cve_fact WHERE id = ?`, `DELETE FROM cve_cwe WHERE cve = ?`}
	if w.tx.engine == SQLite {
		tables = append(tables, `DELETE FROM cve_text WHERE rowid = ?`)
	}
	for _, statement := range tables {
		if err := w.exec(statement, int64(id)); err != nil {
			return err
		}
	}
	return w.changed(id)
}

// Pack implements catalogue.Writer.
func (w *catalogueWriter) Pack(p cpe.Product) ([]byte, error) {
	return w.blob(`SELECT pack FROM product_pack1 WHERE part = ? AND vendor = ? AND product = ?`, string(p.Part), p.Vendor, p.Product)
}

var packSheet = newSheet("product_pack1", 3, "", "part text", "vendor text", "product text", "cves bigint", "pack bytea")

// PutPack implements catalogue.Writer.
func (w *catalogueWriter) PutPack(p cpe.Product, pack match.Pack) error {
	if pack.CVEs == 0 {
		return w.bulkDelete(packSheet, string(p.Part), p.Vendor, p.Product)
	}
	return w.bulkPut(packSheet, string(p.Part), p.Vendor, p.Product, int64(pack.CVEs), pack.Bytes)
}

// SetMeta implements catalogue.Writer.
func (w *catalogueWriter) SetMeta(key, value string) error {
	return w.exec(`INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
}

// keepRuns is how many runs of a feed are remembered.
const keepRuns = 200

// Finish implements catalogue.Writer.
func (w *catalogueWriter) Finish(run feed.Run) error {
	reasons, err := json.Marshal(run.Reasons)
	if err != nil {
		return err
	}
	err = w.exec(`INSERT INTO run (id, feed, source, status, seen, inserted, updated, unchanged, rejected, reasons, started, finished, error)
		SELECT coalesce(max(id), 0) + 1, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT),
			CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS TEXT) FROM run`,
		run.Feed, clean(run.Source), string(run.Status), run.Seen, run.Inserted, run.Updated, run.Unchanged, run.Rejected,
		clean(string(reasons)), run.Started.Unix(), run.Finished.Unix(), clean(run.Error))
	if err != nil {
		return err
	}
	if err := w.exec(`DELETE FROM run WHERE feed = ? AND id <= (SELECT max(id) FROM run) - ?`, run.Feed, keepRuns); err != nil {
		return err
	}
	if run.Status != feed.StatusOK {
		return nil
	}
	if err := w.forgetChanges(); err != nil {
		return err
	}
	for _, f := range run.Files {
		err := w.exec(`INSERT INTO feed_file (feed, name, checksum, size, loaded) VALUES (?, ?, ?, ?, ?) ON CONFLICT (feed, name)
			DO UPDATE SET checksum = excluded.checksum, size = excluded.size, loaded = excluded.loaded`,
			run.Feed, f.Name, f.Checksum, f.Size, run.Finished.Unix())
		if err != nil {
			return err
		}
	}
	return w.Summarise(run.Feed)
}

// Summarise implements catalogue.Writer.
func (w *catalogueWriter) Summarise(feeds ...string) error {
	for _, name := range feeds {
		if err := w.summarise(name); err != nil {
			return err
		}
	}
	return nil
}

// summaries count what a feed holds and date its newest record. They are kept as facts, because counting 300,000 rows
// costs more than all the rest of a status.
var summaries = map[string]string{
	"kev":       `SELECT count(*), coalesce(max(added), 0) FROM kev`,
	"epss":      `SELECT count(*), coalesce(max(day), 0) FROM epss`,
	"exploitdb": `SELECT count(*), coalesce(max(published), 0) FROM exploit WHERE source = 'exploitdb'`,

	"metasploit":    `SELECT count(*), coalesce(max(published), 0) FROM exploit WHERE source = 'metasploit'`,
	"nuclei":        `SELECT count(*), coalesce(max(published), 0) FROM exploit WHERE source = 'nuclei'`,
	"attack":        `SELECT count(*), coalesce(max(modified), 0) FROM technique`,
	"ctid":          `SELECT count(*), coalesce(max(day), 0) FROM mapping WHERE source = 'ctid'`,
	"cwe":           `SELECT count(DISTINCT id), 0 FROM weakness`,
	"urlhaus":       sightings("urlhaus"),
	"threatfox":     sightings("threatfox"),
	"feodo":         sightings("feodo"),
	"malwarebazaar": sightings("malwarebazaar"),
}

func sightings(source string) string {
	return `SELECT count(*), coalesce(max(last_seen), 0) FROM indicator WHERE source = '` + source + `'`
}

// everything is the summary of all CVEs, whoever speaks of them.
const everything = "everything"

func (w *catalogueWriter) summarise(name string) error {
	if query, ok := summaries[name]; ok {
		return w.sum(name, query)
	}
	if err := w.sum(everything, `SELECT count(*), coalesce(max(modified), 0) FROM cve_fact`); err != nil {
		return err
	}
	if name == "nvd" { // whose own dates are kept
		return w.sum(name, `SELECT count(*), coalesce(max(nvd_modified), 0) FROM cve_fact WHERE nvd_hash <> 0`)
	}
	return w.sum(name, `SELECT count(*), coalesce(max(modified), 0) FROM cve_fact WHERE ' ' || feeds || ' ' LIKE ? ESCAPE '!'`,
		"% "+strings.ReplaceAll(name, "_", "!_")+" %")
}

func (w *catalogueWriter) sum(name, query string, args ...any) error {
	s, err := w.stmt(query)
	if err != nil {
		return err
	}
	var records, newest int64
	if err := s.QueryRowContext(w.ctx, args...).Scan(&records, &newest); err != nil {
		return err
	}
	return w.SetMeta("summary:"+name, strconv.FormatInt(records, 10)+" "+strconv.FormatInt(newest, 10))
}

// KEV implements catalogue.Writer.
func (w *catalogueWriter) KEV() catalogue.Table[cve.ID, intel.KEV] { return kevTable{w} }

// EPSS implements catalogue.Writer.
func (w *catalogueWriter) EPSS() catalogue.Table[cve.ID, intel.EPSS] { return epssTable{w} }

// Exploits implements catalogue.Writer.
func (w *catalogueWriter) Exploits() catalogue.Table[catalogue.ExploitKey, intel.Exploit] {
	return exploitTable{w}
}

// tableRows reads a list as a map.
func tableRows[K comparable, V any](w *catalogueWriter, query string, scan func(*sql.Rows) (K, V, error)) (map[K]V, error) {
	out := map[K]V{}
	if err := w.flush(); err != nil {
		return nil, err
	}
	err := each(w.ctx, w.tx, query, nil, func(rows *sql.Rows) error {
		k, v, err := scan(rows)
		out[k] = v
		return err
	})
	return out, err
}

type kevTable struct{ *catalogueWriter }

const selectKEV = `SELECT cve, vendor, product, name, added, due, ransomware, action FROM kev`

func scanKEV(rows *sql.Rows) (cve.ID, intel.KEV, error) {
	var k intel.KEV
	var added int64
	var due sql.NullInt64
	err := rows.Scan(&k.CVE, &k.Vendor, &k.Product, &k.Name, &added, &due, &k.Ransomware, &k.RequiredAction)
	k.Added = fromUnix(added)
	if due.Valid {
		k.Due = fromUnix(due.Int64)
	}
	return k.CVE, k, err
}

func (t kevTable) All() (map[cve.ID]intel.KEV, error) {
	return tableRows(t.catalogueWriter, selectKEV, scanKEV)
}

func (t kevTable) Put(k intel.KEV) error {
	return t.exec(`INSERT INTO kev (cve, vendor, product, name, added, due, ransomware, action) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (cve) DO UPDATE SET vendor = excluded.vendor, product = excluded.product, name = excluded.name,
		added = excluded.added, due = excluded.due, ransomware = excluded.ransomware, action = excluded.action`,
		int64(k.CVE), clean(k.Vendor), clean(k.Product), clean(k.Name), toUnix(k.Added), nullUnix(k.Due), number(k.Ransomware),
		clean(k.RequiredAction))
}

func (t kevTable) Delete(id cve.ID) error { return t.exec(`DELETE FROM kev WHERE cve = ?`, int64(id)) }

type epssTable struct{ *catalogueWriter }

const selectEPSS = `SELECT cve, score, percentile, day, model FROM epss`

func scanEPSS(rows *sql.Rows) (cve.ID, intel.EPSS, error) {
	var e intel.EPSS
	var day int64
	err := rows.Scan(&e.CVE, &e.Score, &e.Percentile, &day, &e.Model)
	e.Date = fromUnix(day)
	return e.CVE, e, err
}

func (t epssTable) All() (map[cve.ID]intel.EPSS, error) {
	return tableRows(t.catalogueWriter, selectEPSS, scanEPSS)
}

var epssSheet = newSheet("epss", 1, "", "cve bigint", "score double", "percentile double", "day bigint", "model text")

func (t epssTable) Put(e intel.EPSS) error {
	return t.bulkPut(epssSheet, epssRow(e)...)
}

func epssRow(e intel.EPSS) []any {
	return []any{int64(e.CVE), e.Score, e.Percentile, toUnix(e.Date), clean(e.Model)}
}

func (t epssTable) Delete(id cve.ID) error { return t.bulkDelete(epssSheet, int64(id)) }

type exploitTable struct{ *catalogueWriter }

const selectExploit = `SELECT cve, source, key, title, kind, verified, rank, published, url FROM exploit`

func scanExploit(rows *sql.Rows) (catalogue.ExploitKey, intel.Exploit, error) {
	var x intel.Exploit
	var published sql.NullInt64
	err := rows.Scan(&x.CVE, &x.Source, &x.Key, &x.Title, &x.Kind, &x.Verified, &x.Rank, &published, &x.URL)
	if published.Valid {
		x.Published = fromUnix(published.Int64)
	}
	return catalogue.ExploitKey{CVE: x.CVE, Source: x.Source, Key: x.Key}, x, err
}

func (t exploitTable) All() (map[catalogue.ExploitKey]intel.Exploit, error) {
	return tableRows(t.catalogueWriter, selectExploit, scanExploit)
}

var exploitSheet = newSheet("exploit", 3, "", "cve bigint", "source text", "key text", "title text", "kind text", "verified bigint",
	"rank text", "published bigint?", "url text")

func (t exploitTable) Put(x intel.Exploit) error {
	var published *int64
	if !x.Published.IsZero() {
		n := x.Published.Unix()
		published = &n
	}
	return t.bulkPut(exploitSheet, int64(x.CVE), clean(x.Source), clean(x.Key), clean(x.Title), clean(x.Kind), int64(number(x.Verified)),
		clean(x.Rank), published, clean(x.URL))
}

func (t exploitTable) Delete(k catalogue.ExploitKey) error {
	return t.bulkDelete(exploitSheet, int64(k.CVE), k.Source, k.Key)
}

func fromUnix(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

func toUnix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func nullUnix(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}

// number is how both engines store a truth value.
func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
