package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
)

// lists is one transaction's view of the columns. Blocks that are not up to date in the database are held here.
type lists struct {
	tx         *Tx
	words      *wordBook
	held       map[listColumn]map[int64][]byte // by block; nil is a block of zeros
	cache      *listCache
	known      map[listColumn]map[int64]*listBlock
	generation int64 // of the estate, as the transaction found it
}

func newLists(ctx context.Context, tx *Tx, cache *listCache) (*lists, error) {
	l := &lists{tx: tx, words: newWordBook(tx), held: map[listColumn]map[int64][]byte{}, cache: cache, known: map[listColumn]map[int64]*listBlock{}}
	return l, tx.QueryRow(ctx, `SELECT n FROM generation`).Scan(&l.generation)
}

// currentLists opens the columns for reading. What is stale, as after a migration that could not be followed by a write,
// is brought up to date in memory.
func (e *Estate) currentLists(ctx context.Context, tx *Tx) (*lists, error) {
	l, err := newLists(ctx, tx, e.lists)
	if err != nil {
		return nil, err
	}
	return l, l.eachStale(ctx, func(block int64) error { return l.fold(ctx, block) })
}

// freshenLists brings the columns up to date with what the transaction has written.
func freshenLists(ctx context.Context, tx *Tx) error {
	l, err := newLists(ctx, tx, nil)
	if err != nil {
		return err
	}
	err = l.eachStale(ctx, func(block int64) error {
		if err := l.fold(ctx, block); err != nil {
			return err
		}
		return l.save(ctx, block)
	})
	if err != nil {
		return fmt.Errorf("write the lists: %w", err)
	}
	return nil
}

func (l *lists) eachStale(ctx context.Context, fn func(block int64) error) error {
	rows, err := l.tx.Query(ctx, `SELECT DISTINCT finding / ? FROM list_stale ORDER BY 1`, blockSize)
	if err != nil {
		return err
	}
	blocks, err := appendIDs(nil, rows)
	if err != nil {
		return err
	}
	for _, block := range blocks {
		if err := fn(block); err != nil {
			return err
		}
	}
	return nil
}

// fold holds a block with its stale rows as the tables have them now.
func (l *lists) fold(ctx context.Context, block int64) error {
	rows, err := l.staleRows(ctx, block)
	if err != nil {
		return err
	}
	stored, err := l.stored(ctx, block)
	if err != nil {
		return err
	}
	var values blockValues
	for col := colFacets; col <= lastColumn; col++ {
		old := stored[col]
		values = blockValues{}
		if old != nil {
			if err := values.unpack(old); err != nil {
				return err
			}
		}
		for id, row := range rows {
			if col != colRisk || !facets(row[colFacets]).counts() { // what counts keeps what a run found
				values[id%blockSize] = row[col]
			}
		}
		_, _, data := values.pack()
		if bytes.Equal(data, old) {
			continue
		}
		if l.held[col] == nil {
			l.held[col] = map[int64][]byte{}
		}
		l.held[col][block] = data
	}
	return nil
}

// stored are the columns of a block as the database has them.
func (l *lists) stored(ctx context.Context, block int64) (map[listColumn][]byte, error) {
	var cols []any
	for col := colFacets; col <= lastColumn; col++ {
		cols = append(cols, int(col))
	}
	rows, err := l.tx.Query(ctx, `SELECT col, data FROM list_column WHERE block = ? AND col IN (`+Marks(len(cols))+`)`, //nolint:sqlclosecheck // eachRow closes them
		append([]any{block}, cols...)...)
	if err != nil {
		return nil, err
	}
	stored := map[listColumn][]byte{}
	return stored, eachRow(rows, func() error {
		var col listColumn
		var data []byte
		err := rows.Scan(&col, &data)
		stored[col] = data
		return err
	})
}

// save writes what is held of a block and lets it go.
func (l *lists) save(ctx context.Context, block int64) error {
	if err := l.words.save(ctx); err != nil {
		return err
	}
	changed := &bulk{table: "list_column", columns: []string{"col", "block", "lo", "hi", "stamp", "data"}, key: []string{"col", "block"}}
	for col, blocks := range l.held {
		data, is := blocks[block]
		if !is {
			continue
		}
		if data == nil {
			if _, err := l.tx.Exec(ctx, `DELETE FROM list_column WHERE col = ? AND block = ?`, int(col), block); err != nil {
				return err
			}
			continue
		}
		lo, hi := bounds(data)
		changed.add(int(col), block, lo, hi, l.generation+1, data)
	}
	l.held = map[listColumn]map[int64][]byte{}
	if err := changed.flush(ctx, l.tx); err != nil {
		return err
	}
	_, err := l.tx.Exec(ctx, `DELETE FROM list_stale WHERE finding >= ? AND finding < ?`, block*blockSize, (block+1)*blockSize)
	return err
}

// bounds are the least and the greatest number of a packed block, as the signed numbers that the database has.
func bounds(data []byte) (lo, hi int64) {
	var values blockValues
	_ = values.unpack(data) // we packed it
	least, greatest := uint64(0), uint64(0)
	for _, n := range values {
		if n != 0 && (least == 0 || n < least) {
			least = n
		}
		greatest = max(greatest, n)
	}
	return int64(least), int64(greatest) //nolint:gosec // halves of addresses wrap, and are not asked for by bounds
}

const selectListed = `SELECT f.id, f.host, h.site, f.protocol, f.port, f.component, f.weakness, f.triage, f.triage_until, f.state,
	f.first_seen, f.last_seen, f.title, f.status, f.confidence, f.severity, f.cvss, f.epss, f.kev, f.exploited, f.score,
	f.likelihood, f.decision, f.due, f.sla_due, f.rank_key, f.kind, f.remedy_key, f.remedy_name, f.fixed_in, f.assignee,
	f.labels, f.closed_at, f.closing, f.lapses, h.address, v.name, v.product
	FROM list_stale t JOIN finding f ON f.id = t.finding JOIN host h ON h.id = f.host
	LEFT JOIN service v ON v.host = f.host AND v.protocol = f.protocol AND v.port = f.port
	WHERE t.finding >= ? AND t.finding < ? AND f.id >= ? AND f.id < ?`

// stale is a finding whose columns are to be written: its numbers, and the words that have none yet.
type stale struct {
	row   listRow
	words [lastColumn + 1]string
}

// staleRows are the stale findings of a block as columns have them; one that is gone is all zeros.
func (l *lists) staleRows(ctx context.Context, block int64) (map[int64]*listRow, error) {
	from, to := block*blockSize, (block+1)*blockSize
	found := map[int64]*stale{}
	rows, err := l.tx.Query(ctx, `SELECT finding FROM list_stale WHERE finding >= ? AND finding < ?`, from, to)
	if err != nil {
		return nil, err
	}
	ids, err := appendIDs(nil, rows)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		found[id] = &stale{}
	}
	if rows, err = l.tx.Query(ctx, selectListed, from, to, from, to); err != nil {
		return nil, err
	}
	if err := eachRow(rows, func() error { return scanStale(rows, found) }); err != nil {
		return nil, err
	}
	if err := l.addSensors(ctx, from, to, found); err != nil {
		return nil, err
	}
	return l.numbered(ctx, ids, found)
}

func scanStale(rows *sql.Rows, found map[int64]*stale) error {
	var f finding.Listed
	var site, until, first, last, due, sla, closed int64
	var protocol, weakness, triage, state, status, kind, labels, closing, lapses string
	var service, product sql.NullString
	s := &stale{}
	if err := rows.Scan(&f.ID, &f.HostID, &site, &protocol, &f.Port, &s.words[colComponent], &weakness, &triage, &until, &state,
		&first, &last, &s.words[colTitle], &status, &f.Confidence, &f.Severity, &f.CVSS, &f.EPSS, &f.KEV, &f.Exploited, &f.Score,
		&f.Likelihood, &f.Decision, &due, &sla, &f.RankKey, &kind, &s.words[colRemedy], &s.words[colRemedyName],
		&s.words[colFixedIn], &s.words[colAssignee], &labels, &closed, &closing, &lapses, &f.HostAddress, &service, &product); err != nil {
		return err
	}
	f.Protocol, f.Weakness, f.State, f.Status, f.Kind = protocol, finding.Weakness(weakness), finding.State(state), finding.Status(status), finding.Kind(kind)
	f.Triage = finding.Triage{State: finding.TriageState(triage), Until: moment(until)}
	f.Closing, f.Lapses = finding.Closing(closing), lapsesOf(lapses)
	s.words[colWeakness], s.words[colService], s.words[colProduct] = weakness, service.String, product.String
	if labels != "[]" {
		s.words[colLabels] = labels
	}
	address := finding.AddressKey(f.HostAddress)
	r := &s.row
	r[colFacets] = uint64(facetsOf(&f))
	r[colHost], r[colSite], r[colPort] = uint64(f.HostID), uint64(site), uint64(f.Port) //nolint:gosec // ids are positive
	if setsAside(f.Triage.State) && until > 0 {
		r[colUntil] = dayNumber(until)
	}
	r[colRank], r[colCVSS], r[colEPSS] = finding.RankNumber(f.RankKey), finding.NumberKey(f.CVSS), finding.NumberKey(f.EPSS)
	r[colLikelihood], r[colScore] = finding.NumberKey(f.Likelihood), finding.NumberKey(f.Score)
	r[colDue], r[colSLA] = uint64(max(due, 0)), uint64(max(sla, 0))               //nolint:gosec // not negative
	r[colFirstSeen], r[colLastSeen] = uint64(max(first, 0)), uint64(max(last, 0)) //nolint:gosec // not negative
	r[colAddressHigh], r[colAddressLow] = address[0], address[1]
	if !f.State.Live() && f.Closing != finding.Passed {
		r[colClosed] = uint64(max(closed, 0)) //nolint:gosec // not negative
	}
	if n := len(f.Lapses); n > 0 {
		r[colLapsed], r[colReturned] = finding.TimeKey(f.Lapses[n-1].From), finding.TimeKey(f.Lapses[n-1].To)
	}
	found[f.ID] = s
	return nil
}

// counts says whether attack paths may lead over the finding on any day.
func (f facets) counts() bool {
	state, triage := wordOf(codesOfState, f.get(facetState)), wordOf(codesOfTriage, f.get(facetTriage))
	return finding.State(state).Live() && !setsAside(finding.TriageState(triage)) && wordOf(codesOfKind, f.get(facetKind)) == string(finding.KindVulnerability) &&
		wordOf(codesOfStatus, f.get(facetStatus)) == string(finding.Affected) && f.get(facetConfidence) >= finding.ConfirmedAt
}

// dayNumber is the day of a moment, counted from 1 so that 0 is none.
func dayNumber(ms int64) uint64 {
	return uint64(ms/(24*time.Hour).Milliseconds()) + 1 //nolint:gosec // not negative
}

// setsAside says whether a triage hides a finding until its last day: a rule's words end with the rule, whatever they are.
func setsAside(t finding.TriageState) bool {
	return t == finding.FalsePositive || t == finding.OutOfScope || t == finding.Accepted
}

func facetsOf(l *finding.Listed) (f facets) {
	f = 1
	f.set(facetState, code(codesOfState, string(l.State), facetState))
	f.set(facetTriage, code(codesOfTriage, triageState(l.Triage), facetTriage))
	f.set(facetDated, uint64(truth(setsAside(l.Triage.State) && !l.Triage.Until.IsZero()))) //nolint:gosec // 0 or 1
	f.set(facetSeverity, code(codesOfSeverity, l.Severity, facetSeverity))
	f.set(facetDecision, code(codesOfDecision, l.Decision, facetDecision))
	f.set(facetStatus, code(codesOfStatus, string(l.Status), facetStatus))
	f.set(facetKind, code(codesOfKind, string(l.Kind), facetKind))
	f.set(facetProtocol, code(codesOfProtocol, l.Protocol, facetProtocol))
	f.set(facetKEV, uint64(truth(l.KEV)))                   //nolint:gosec // 0 or 1
	f.set(facetExploited, uint64(truth(l.Exploited)))       //nolint:gosec // 0 or 1
	f.set(facetIsCVE, uint64(truth(l.Weakness.CVE() != 0))) //nolint:gosec // 0 or 1
	f.set(facetConfidence, uint64(max(l.Confidence, 0)))    //nolint:gosec // not negative
	if n := len(l.Lapses); n > 0 {
		f.set(facetLapseFixed, uint64(truth(l.Lapses[n-1].Fixed))) //nolint:gosec // 0 or 1
		f.set(facetLapses, uint64(truth(n > 1)))                   //nolint:gosec // 0 or 1
	}
	return f
}

const selectSensors = `SELECT DISTINCT e.finding, e.sensor FROM list_stale t JOIN evidence e ON e.finding = t.finding
	WHERE t.finding >= ? AND t.finding < ? AND e.finding >= ? AND e.finding < ?`

// addSensors names who gave evidence of each finding.
func (l *lists) addSensors(ctx context.Context, from, to int64, found map[int64]*stale) error {
	rows, err := l.tx.Query(ctx, selectSensors, from, to, from, to) //nolint:sqlclosecheck // eachRow closes them
	if err != nil {
		return err
	}
	sensors := map[int64][]string{}
	if err := eachRow(rows, func() error {
		var id int64
		var sensor string
		err := rows.Scan(&id, &sensor)
		sensors[id] = append(sensors[id], sensor)
		return err
	}); err != nil {
		return err
	}
	for id, names := range sensors {
		slices.Sort(names)
		if s := found[id]; s != nil {
			s.words[colSensors] = list(names)
		}
	}
	return nil
}

// numbered turns the words of rows into their numbers, in the order of the ids.
func (l *lists) numbered(ctx context.Context, ids []int64, found map[int64]*stale) (map[int64]*listRow, error) {
	var texts []string
	for _, s := range found {
		texts = append(texts, s.words[:]...)
	}
	if err := l.words.look(ctx, texts); err != nil {
		return nil, err
	}
	out := make(map[int64]*listRow, len(found))
	for _, id := range ids {
		s := found[id]
		for col, text := range s.words {
			if text == "" {
				continue
			}
			n, err := l.words.number(ctx, text, listColumn(col))
			if err != nil {
				return nil, err
			}
			s.row[col] = n
		}
		out[id] = &s.row
	}
	return out, nil
}
