package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

// EstateTx is one writing transaction on the estate, for whoever merges what a report says. Rows that are saved become
// visible to the transaction's own reads only when it has ended, so read first, then save. It belongs to one goroutine.
type EstateTx struct {
	tx     *Tx
	tables []*bulk // in the order of flushing: what is referred to comes first
	byName map[string]*bulk
	last   map[string]int64 // of each sequence
	known  map[int64]finding.Evidence
	texts  map[[32]byte]bool
	sites  map[string]asset.Site
	rules  *ruleCache
	clock  func() time.Time
	words  sayings
}

func newEstateTx(tx *Tx) *EstateTx {
	t := &EstateTx{tx: tx, byName: map[string]*bulk{}, last: map[string]int64{}, known: map[int64]finding.Evidence{},
		texts: map[[32]byte]bool{}, sites: map[string]asset.Site{}}
	for _, b := range []*bulk{
		{table: "text", columns: []string{"hash", "body"}, key: []string{"hash"}},
		{table: "host", columns: hostColumns, key: []string{"id"}},
		{table: "identifier", columns: identifierColumns, key: []string{"host", "kind", "value", "source"}},
		{table: "service", columns: serviceColumns, key: []string{"id"}},
		{table: "scan_host", columns: scanHostColumns, key: []string{"scan", "place"}},
		{table: "look", columns: lookColumns, key: []string{"id"}},
		{table: "finding", columns: findingColumns, key: []string{"id"}},
		{table: "evidence", columns: evidenceColumns, key: []string{"id"}},
		{table: "sighting", columns: sightingColumns, key: []string{"scan", "host", "sensor", "at", "place"}},
		{table: "rule", columns: ruleColumns, key: []string{"id"}},
		{table: "change", columns: changeColumns, key: []string{"id"}},
	} {
		t.tables = append(t.tables, b)
		t.byName[b.table] = b
	}
	return t
}

// flush writes what was saved and the sequences' new state.
func (t *EstateTx) flush(ctx context.Context) error {
	for _, b := range t.tables {
		if err := b.flush(ctx, t.tx); err != nil {
			return err
		}
	}
	if err := t.words.flush(ctx, t.tx); err != nil {
		return err
	}
	for name, last := range t.last {
		if _, err := t.tx.Exec(ctx, `INSERT INTO sequence (name, last) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET last = excluded.last`, name, last); err != nil {
			return err
		}
	}
	return nil
}

// nextID gives the next public number of a table.
func (t *EstateTx) nextID(ctx context.Context, name string) (int64, error) {
	last, read := t.last[name]
	if !read {
		err := t.tx.QueryRow(ctx, `SELECT last FROM sequence WHERE name = ?`, name).Scan(&last)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return 0, err
		}
	}
	t.last[name] = last + 1
	return last + 1, nil
}

// Site returns the site with a name, fault.NotFound when there is none.
func (t *EstateTx) Site(ctx context.Context, name string) (asset.Site, error) {
	s, found, err := t.site(ctx, name)
	if err == nil && !found {
		err = fault.NotFound("site %q", name)
	}
	return s, err
}

func (t *EstateTx) site(ctx context.Context, name string) (asset.Site, bool, error) {
	if s, ok := t.sites[name]; ok {
		return s, true, nil
	}
	s := asset.Site{Name: name}
	err := t.tx.QueryRow(ctx, `SELECT id, external, demo FROM site WHERE name = ?`, name).Scan(&s.ID, &s.External, &s.Demo)
	if errors.Is(err, sql.ErrNoRows) {
		return s, false, nil
	}
	if err == nil {
		t.sites[name] = s
	}
	return s, err == nil, err
}

// text keeps a long text once and returns its hash, nil for "".
func (t *EstateTx) text(body string) []byte {
	if body == "" {
		return nil
	}
	hash := sha256.Sum256([]byte(body))
	if !t.texts[hash] {
		t.texts[hash] = true
		t.byName["text"].add(hash[:], body)
	}
	return hash[:]
}

// HostsHolding returns the hosts of a site that have any of the identifiers, with all their own.
func (t *EstateTx) HostsHolding(ctx context.Context, site string, ids []asset.Identifier) ([]*asset.Host, error) {
	if _, found, err := t.site(ctx, site); err != nil || !found {
		if err == nil {
			err = fault.NotFound("site %q", site)
		}
		return nil, err
	}
	var values []any
	seen := map[string]bool{}
	for _, id := range ids {
		if !seen[id.Value] {
			seen[id.Value] = true
			values = append(values, id.Value)
		}
	}
	var hostIDs []int64
	for chunk := range slices.Chunk(values, chunkSize) {
		rows, err := t.tx.Query(ctx, `SELECT DISTINCT i.host FROM identifier i JOIN host h ON h.id = i.host
			WHERE i.value IN (`+Marks(len(chunk))+`) AND h.site = ?`, append(slices.Clone(chunk), t.sites[site].ID)...)
		if err != nil {
			return nil, err
		}
		if hostIDs, err = appendIDs(hostIDs, rows); err != nil {
			return nil, err
		}
	}
	slices.Sort(hostIDs)
	return hostsByID(ctx, t.tx, slices.Compact(hostIDs))
}

// HostsByID returns the hosts that exist of a sorted list of ids.
func (t *EstateTx) HostsByID(ctx context.Context, ids []int64) ([]*asset.Host, error) {
	return hostsByID(ctx, t.tx, ids)
}

// SaveHost writes a host and its identifiers; one without an ID is new and gets one.
func (t *EstateTx) SaveHost(ctx context.Context, h *asset.Host) (err error) {
	site, found, err := t.site(ctx, h.Site)
	if err != nil {
		return err
	}
	if !found {
		return fault.NotFound("site %q", h.Site)
	}
	if h.ID == 0 {
		if h.ID, err = t.nextID(ctx, "host"); err != nil {
			return err
		}
	}
	t.byName["host"].add(hostRow(h, site.ID)...)
	for _, id := range h.Identifiers {
		t.byName["identifier"].add(h.ID, string(id.Kind), id.Value, id.Source, millis(id.FirstSeen), millis(id.LastSeen))
	}
	return nil
}

// Services returns the services of hosts.
func (t *EstateTx) Services(ctx context.Context, hosts []int64) ([]*asset.Service, error) {
	return servicesOf(ctx, t.tx, hosts)
}

// SaveService writes a service; one without an ID is new and gets one.
func (t *EstateTx) SaveService(ctx context.Context, s *asset.Service) (err error) {
	if s.ID == 0 {
		if s.ID, err = t.nextID(ctx, "service"); err != nil {
			return err
		}
	}
	row, err := serviceRow(s)
	if err != nil {
		return err
	}
	t.byName["service"].add(row...)
	return nil
}

// Looks returns the looks at hosts, by host, in order of time.
func (t *EstateTx) Looks(ctx context.Context, hosts []int64) (map[int64][]finding.Look, error) {
	return looksOf(ctx, t.tx, hosts)
}

// AddLook records that a sensor looked at a host.
func (t *EstateTx) AddLook(ctx context.Context, host int64, l finding.Look) error {
	id, err := t.nextID(ctx, "look")
	if err != nil {
		return err
	}
	t.byName["look"].add(id, host, l.Sensor, l.Scan, millis(l.At), l.Protocol, finding.PrintPorts(l.Ports),
		finding.PrintPorts(l.Open), finding.PrintPorts(l.Known),
		t.text(strings.Join(l.Checks, "\n")), l.Policy)
	return nil
}

// Findings returns all findings of hosts, whatever their state, with their evidence.
func (t *EstateTx) Findings(ctx context.Context, hosts []int64) ([]*finding.Finding, error) {
	found, err := findingsOf(ctx, t.tx, hosts)
	return t.remember(found), err
}

// FindingsAt returns those findings of a host that are at one of the places, with their evidence.
func (t *EstateTx) FindingsAt(ctx context.Context, host int64, places []finding.Fingerprint) ([]*finding.Finding, error) {
	found, err := findingsAt(ctx, t.tx, host, places)
	return t.remember(found), err
}

// remember notes evidence as it is stored, so that what stays the same is not written.
func (t *EstateTx) remember(found []*finding.Finding) []*finding.Finding {
	for _, f := range found {
		for _, e := range f.Evidence {
			t.known[e.ID] = e
		}
	}
	return found
}

// SaveFinding writes a finding and the rows of its evidence that are new or changed. One without an ID is new and gets
// one. Rows that were read with the finding and that it no longer has must be named in gone.
func (t *EstateTx) SaveFinding(ctx context.Context, f *finding.Finding, gone []int64) (err error) {
	if f.ID == 0 {
		if f.ID, err = t.nextID(ctx, "finding"); err != nil {
			return err
		}
	}
	t.byName["finding"].add(findingRow(f)...)
	for i := range f.Evidence {
		if err := t.saveEvidence(ctx, f.ID, &f.Evidence[i]); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(gone, chunkSize) {
		if _, err := t.tx.Exec(ctx, `DELETE FROM evidence WHERE id IN (`+Marks(len(chunk))+`)`, anys(chunk)...); err != nil {
			return err
		}
	}
	return nil
}

func (t *EstateTx) saveEvidence(ctx context.Context, findingID int64, e *finding.Evidence) (err error) {
	if e.ID == 0 {
		if e.ID, err = t.nextID(ctx, "evidence"); err != nil {
			return err
		}
	} else if old, ok := t.known[e.ID]; ok && sameRow(old, *e) {
		return nil
	}
	t.byName["evidence"].add(e.ID, findingID, e.Sensor, e.Check, millis(e.FirstSeen), millis(e.LastSeen), e.FirstScan, e.LastScan,
		string(e.Status), e.Confidence, e.Reason, e.Criteria, list(e.Needs), e.FixedIn, e.Title, t.text(e.Output), e.Location,
		e.Remedy, e.Vector, e.Policy, e.Severity, numbers(e.CWEs), list(e.References), e.Result, e.Benchmark, e.Reference)
	return nil
}

// sameRow: the content of a stored row never changes, only its interval does, unless it was replaced as a whole.
func sameRow(a, b finding.Evidence) bool {
	return a.FirstSeen.Equal(b.FirstSeen) && a.LastSeen.Equal(b.LastSeen) && a.FirstScan == b.FirstScan &&
		a.LastScan == b.LastScan && a.Confidence == b.Confidence && a.Status == b.Status && a.Reason == b.Reason &&
		a.Output == b.Output && a.Criteria == b.Criteria && a.FixedIn == b.FixedIn && a.Location == b.Location &&
		a.Title == b.Title && a.Remedy == b.Remedy && a.Vector == b.Vector && slices.Equal(a.Needs, b.Needs) &&
		a.Policy == b.Policy && a.Severity == b.Severity && slices.Equal(a.CWEs, b.CWEs) && slices.Equal(a.References, b.References) &&
		a.Compliance == b.Compliance
}

// chunkSize is how many values one IN list holds, far below both engines' limits.
const chunkSize = 500

func anys[T any](items []T) []any {
	out := make([]any, len(items))
	for i, v := range items {
		out[i] = v
	}
	return out
}

func appendIDs(ids []int64, rows *sql.Rows) ([]int64, error) {
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// bulk collects rows of one table and writes them at once: on SQLite by a prepared statement, on PostgreSQL many rows to
// a statement, since there each statement is a round trip. A row whose key exists replaces the stored one.
type bulk struct {
	table   string
	columns []string
	key     []string
	rows    [][]any
	at      map[string]int // row by key, since one statement must not touch a row twice
}

// add takes a row; a later one with the same key replaces it.
func (b *bulk) add(row ...any) {
	if i, twice := b.at[b.keyOf(row)]; twice {
		b.rows[i] = row
		return
	}
	b.index(row, len(b.rows))
	b.rows = append(b.rows, row)
}

func (b *bulk) index(row []any, i int) {
	if b.at == nil {
		b.at = map[string]int{}
	}
	b.at[b.keyOf(row)] = i
}

func (b *bulk) keyOf(row []any) string {
	if len(b.key) > 1 {
		return keyOf(row[:len(b.key)])
	}
	return fmt.Sprint(row[:len(b.key)]...)
}

// keyOf is the same for the same values only. Numbers are not quoted: as runes, all large ones look alike.
func keyOf(values []any) string {
	var key []byte
	for _, v := range values {
		switch v := v.(type) {
		case string:
			key = strconv.AppendQuote(key, v)
		case int64:
			key = strconv.AppendInt(key, v, 10)
		case int:
			key = strconv.AppendInt(key, int64(v), 10)
		default:
			key = fmt.Appendf(key, "%T %#v", v, v)
		}
		key = append(key, ' ')
	}
	return string(key)
}

func (b *bulk) flush(ctx context.Context, tx *Tx) error {
	perStatement := 1
	if tx.Engine() == Postgres {
		perStatement = min(1000, 60000/len(b.columns)) // the protocol counts parameters in 16 bits
	}
	var prepared *sql.Stmt
	size := 0
	for chunk := range slices.Chunk(b.rows, perStatement) {
		if prepared == nil || len(chunk) != size {
			if prepared != nil {
				_ = prepared.Close()
			}
			stmt, err := tx.Prepare(ctx, b.statement(len(chunk)))
			if err != nil {
				return fmt.Errorf("write %s: %w", b.table, err)
			}
			prepared, size = stmt, len(chunk)
		}
		if _, err := prepared.ExecContext(ctx, slices.Concat(chunk...)...); err != nil {
			return errors.Join(fmt.Errorf("write %s: %w", b.table, err), prepared.Close())
		}
	}
	b.rows, b.at = nil, nil
	if prepared == nil {
		return nil
	}
	return prepared.Close()
}

func (b *bulk) statement(rows int) string {
	one := "(" + Marks(len(b.columns)) + ")"
	var set []string
	for _, c := range b.columns {
		if !slices.Contains(b.key, c) {
			set = append(set, c+" = excluded."+c)
		}
	}
	action := "UPDATE SET " + strings.Join(set, ", ")
	if b.table == "text" {
		action = "NOTHING" // the same hash is the same text
	}
	return "INSERT INTO " + b.table + " (" + strings.Join(b.columns, ", ") + ") VALUES " +
		strings.Repeat(one+", ", rows-1) + one + " ON CONFLICT (" + strings.Join(b.key, ", ") + ") DO " + action
}
