package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// Difference is what became of a finding between two scans.
type Difference int

// The differences.
const (
	DifferentNew Difference = iota
	DifferentFixed
	DifferentUnchanged
	DifferentNotLooked
	differences
)

// Compared are how many findings of each difference there are.
type Compared [differences]int

// comparison is the findings of two scans, by what became of them. Nobody changes it.
type comparison [differences][]int64

// comparedCache keeps the comparisons that were asked for last, as long as nobody writes. The zero value is ready for use.
type comparedCache struct {
	mu         sync.Mutex
	generation int64
	kept       map[[2]int64]*comparison
}

// maxCompared is how many are kept: of scans with a hundred thousand findings each takes a megabyte.
const maxCompared = 16

func (c *comparedCache) find(generation int64, scans [2]int64) *comparison {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation != generation {
		return nil
	}
	return c.kept[scans]
}

func (c *comparedCache) keep(generation int64, scans [2]int64, found *comparison) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation < c.generation {
		return
	}
	if generation > c.generation || c.kept == nil || len(c.kept) >= maxCompared {
		c.generation, c.kept = generation, map[[2]int64]*comparison{}
	}
	c.kept[scans] = found
}

// Compare lists, of the findings of a view that an earlier or a later scan saw and that nobody set aside, those of one
// difference in the order of the filter, of which only the cursor and the limit count besides.
func (e *Estate) Compare(ctx context.Context, v auth.View, earlier, later int64, what Difference, filter finding.Filter) (
	page []finding.Listed, counts Compared, err error,
) {
	err = e.db.view(ctx, func(tx *Tx) error {
		l, err := e.currentLists(ctx, tx)
		if err != nil {
			return err
		}
		found, err := e.compared(ctx, l, earlier, later)
		if err != nil {
			return err
		}
		shown, _, err := e.chosen(ctx, l, v, finding.Filter{})
		if err != nil {
			return err
		}
		var wanted *findingSet
		for d := range differences {
			s := &findingSet{blocks: slices.Clone(shown.blocks)}
			s.only(found[d])
			for _, block := range s.alive() {
				counts[d] += s.blocks[block].n
			}
			if d == what {
				wanted = s
			}
		}
		ids, err := l.page(ctx, wanted, filter)
		if err == nil {
			page, err = e.withEvidenceByID(ctx, l, v, ids)
		}
		return err
	})
	return page, counts, err
}

func (e *Estate) compared(ctx context.Context, l *lists, earlier, later int64) (*comparison, error) {
	scans := [2]int64{earlier, later}
	if found := e.comparedCache.find(l.generation, scans); found != nil {
		return found, nil
	}
	before, err := sawIn(ctx, l.tx, earlier)
	if err != nil {
		return nil, err
	}
	after, err := sawIn(ctx, l.tx, later)
	if err != nil {
		return nil, err
	}
	found := &comparison{}
	var missed []int64
	for id := range before.seen {
		if after.seen[id] != nil {
			found[DifferentUnchanged] = append(found[DifferentUnchanged], id)
		} else {
			missed = append(missed, id)
		}
	}
	for id := range after.seen {
		if before.seen[id] == nil {
			found[DifferentNew] = append(found[DifferentNew], id)
		}
	}
	if err := found.judge(ctx, l, missed, before, after, later); err != nil {
		return nil, err
	}
	e.comparedCache.keep(l.generation, scans, found)
	return found, nil
}

// judge parts the findings that the later scan did not see into those that it looked for and the others, as the life
// cycle does. What the catalogue took back is neither.
func (c *comparison) judge(ctx context.Context, l *lists, missed []int64, before, after *scanSaw, later int64) error {
	slices.Sort(missed)
	places, closed, err := l.placesOf(ctx, missed)
	if err != nil {
		return err
	}
	withdrawn, err := withdrawnOf(ctx, l.tx, closed)
	if err != nil {
		return err
	}
	looks, err := scanLooks(ctx, l.tx, later)
	if err != nil {
		return err
	}
	for _, id := range missed {
		at, known := places[id]
		switch {
		case !known || withdrawn[id]:
		case lookedAgain(at, before.seen[id], after.denied[id], looks[at.HostID]):
			c[DifferentFixed] = append(c[DifferentFixed], id)
		default:
			c[DifferentNotLooked] = append(c[DifferentNotLooked], id)
		}
	}
	return nil
}

// The times of a life that has two moments only.
var (
	momentBefore = time.UnixMilli(1)
	momentAfter  = time.UnixMilli(2)
)

// lookedAgain folds the life of a finding that the earlier scan saw with what the later one looked at, and says whether
// it ends as fixed. looks are the later scan's at the host.
func lookedAgain(at finding.Fingerprint, saw, denied []finding.Source, looks []finding.Look) bool {
	f := finding.Finding{Fingerprint: at}
	for _, src := range saw {
		f.Evidence = append(f.Evidence, finding.Evidence{Sensor: src.Sensor, Check: src.Check, Policy: src.Policy, Status: finding.Affected,
			FirstSeen: momentBefore, LastSeen: momentBefore, FirstScan: 1, LastScan: 1})
	}
	for _, src := range denied {
		f.Evidence = append(f.Evidence, finding.Evidence{Sensor: src.Sensor, Check: src.Check, Policy: src.Policy, Status: finding.Unaffected,
			FirstSeen: momentAfter, LastSeen: momentAfter, FirstScan: 2, LastScan: 2})
	}
	return finding.Fold(&f, looks).State == finding.Fixed
}

// scanLooks are what a scan looked at, by host, all at one moment. Looks name the same thousands of checks, which are read
// once.
func scanLooks(ctx context.Context, tx *Tx, scan int64) (map[int64][]finding.Look, error) {
	const of = ` FROM look l WHERE l.scan = ? ORDER BY l.host, l.at, l.id`
	looks := map[int64][]finding.Look{}
	if err := each(ctx, tx, `SELECT l.host, l.sensor, l.scan, l.at, l.protocol, l.ports, l.open, l.known, NULL, l.policy`+of, []any{scan},
		func(rows *sql.Rows) error { return scanLook(rows, looks) }); err != nil {
		return nil, err
	}
	checks, hashes := map[int64][]string{}, map[string][]string{}
	if err := each(ctx, tx, `SELECT l.host, l.checks`+of, []any{scan}, func(rows *sql.Rows) error {
		var host int64
		var hash []byte
		err := rows.Scan(&host, &hash)
		checks[host] = append(checks[host], string(hash))
		hashes[string(hash)] = nil
		return err
	}); err != nil {
		return nil, err
	}
	for hash := range hashes {
		var body string
		if hash == "" {
			continue
		}
		if err := tx.QueryRow(ctx, `SELECT body FROM text WHERE hash = ?`, []byte(hash)).Scan(&body); err != nil {
			return nil, err
		}
		hashes[hash] = strings.Split(body, "\n")
	}
	for host, list := range looks {
		for i := range list {
			list[i].At, list[i].Scan, list[i].Checks = momentAfter, 2, hashes[checks[host][i]]
		}
	}
	return looks, nil
}

// placesOf says where findings are, without the component, and which of them are closed otherwise than fixed.
func (l *lists) placesOf(ctx context.Context, ids []int64) (places map[int64]finding.Fingerprint, closed []int64, err error) {
	s, err := l.everything(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.only(ids)
	out := make(map[int64]finding.Fingerprint, len(ids))
	g := &grouping{lists: l}
	put := func(change func(f *finding.Fingerprint, n uint64)) func(int64, int, uint64) {
		return func(block int64, i int, n uint64) {
			id := block*blockSize + int64(i)
			f := out[id]
			change(&f, n)
			out[id] = f
		}
	}
	if err := g.each(ctx, s, colHost, put(func(f *finding.Fingerprint, n uint64) { f.HostID = int64(n) })); err != nil { //nolint:gosec // an id
		return nil, nil, err
	}
	if err := g.each(ctx, s, colPort, put(func(f *finding.Fingerprint, n uint64) { f.Port = uint16(n) })); err != nil { //nolint:gosec // a port
		return nil, nil, err
	}
	over := code(codesOfState, string(finding.Closed), facetState)
	err = g.each(ctx, s, colFacets, func(block int64, i int, n uint64) {
		id := block*blockSize + int64(i)
		f := out[id]
		f.Protocol = wordOf(codesOfProtocol, facets(n).get(facetProtocol))
		if out[id] = f; facets(n).get(facetState) == over {
			closed = append(closed, id)
		}
	})
	return out, closed, err
}

// withdrawnOf are those findings of some that the catalogue took back.
func withdrawnOf(ctx context.Context, tx *Tx, ids []int64) (map[int64]bool, error) {
	out := map[int64]bool{}
	for chunk := range slices.Chunk(ids, chunkSize) {
		among := padded(chunk)
		if err := each(ctx, tx, `SELECT id FROM finding WHERE id IN (`+Marks(len(among))+`) AND withdrawn <> 0`, among, func(rows *sql.Rows) error {
			var id int64
			err := rows.Scan(&id)
			out[id] = true
			return err
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// scanSaw is what a scan saw of findings: by which checks it saw them, and by which it looked and saw that they are not
// there.
type scanSaw struct{ seen, denied map[int64][]finding.Source }

// sawSighting is a finding in a report of a scan.
type sawSighting struct {
	finding int64
	src     finding.Source
	at      int64
}

func sawIn(ctx context.Context, tx *Tx, scan int64) (*scanSaw, error) {
	s := &scanSaw{seen: map[int64][]finding.Source{}, denied: map[int64][]finding.Source{}}
	if err := each(ctx, tx, `SELECT finding, sensor, chk, policy, status FROM evidence WHERE first_scan = ?
		UNION SELECT finding, sensor, chk, policy, status FROM evidence WHERE last_scan = ?`, []any{scan, scan}, func(rows *sql.Rows) error {
		var id int64
		var src finding.Source
		var status string
		err := rows.Scan(&id, &src.Sensor, &src.Check, &src.Policy, &status)
		s.note(id, src, finding.Status(status) == finding.Unaffected)
		return err
	}); err != nil {
		return nil, err
	}
	told, err := sightedIn(ctx, tx, scan)
	if err != nil {
		return nil, err
	}
	denied, err := deniedBy(ctx, tx, told)
	for _, one := range told {
		s.note(one.finding, one.src, denied(one))
	}
	return s, err
}

func (s *scanSaw) note(id int64, src finding.Source, denied bool) {
	into := s.seen
	if denied {
		into = s.denied
	}
	if !slices.Contains(into[id], src) {
		into[id] = append(into[id], src)
	}
}

func sightedIn(ctx context.Context, tx *Tx, scan int64) (told []sawSighting, err error) {
	err = each(ctx, tx, `SELECT sensor, at, seen FROM sighting WHERE scan = ?`, []any{scan}, func(rows *sql.Rows) error {
		var sensor string
		var at int64
		var stored sql.RawBytes
		if err := rows.Scan(&sensor, &at, &stored); err != nil {
			return err
		}
		list, err := readSeen(stored)
		for _, one := range list.Seen {
			if i := one[1]; i >= 0 && int(i) < len(list.Checks) {
				told = append(told, sawSighting{one[0], finding.Source{Sensor: sensor, Check: list.Checks[i][0], Policy: list.Checks[i][1]}, at})
			}
		}
		return err
	})
	return told, err
}

// deniedBy says of which sightings the check said that the weakness is not there.
func deniedBy(ctx context.Context, tx *Tx, told []sawSighting) (func(sawSighting) bool, error) {
	type row struct {
		src         finding.Source
		first, last int64
	}
	rowsOf := map[int64][]row{}
	ids := make([]int64, 0, len(told))
	for _, one := range told {
		ids = append(ids, one.finding)
	}
	slices.Sort(ids)
	for chunk := range slices.Chunk(slices.Compact(ids), chunkSize) {
		among := padded(chunk)
		query := fmt.Sprintf(`SELECT finding, sensor, chk, policy, first_seen, last_seen FROM evidence WHERE status = 'unaffected' AND finding IN (%s)`, Marks(len(among)))
		if err := each(ctx, tx, query, among, func(rows *sql.Rows) error {
			var id int64
			var r row
			err := rows.Scan(&id, &r.src.Sensor, &r.src.Check, &r.src.Policy, &r.first, &r.last)
			rowsOf[id] = append(rowsOf[id], r)
			return err
		}); err != nil {
			return nil, err
		}
	}
	return func(one sawSighting) bool {
		return slices.ContainsFunc(rowsOf[one.finding], func(r row) bool { return r.src == one.src && r.first <= one.at && one.at <= r.last })
	}, nil
}

// ScanBefore returns the newest completed scan before one of the same kind, site and targets, 0 when there is none in the
// view.
func (e *Estate) ScanBefore(ctx context.Context, v auth.View, s finding.Scan) (id int64, err error) {
	c := conditions{}
	c.see("site", v)
	c.add("id < ? AND kind = ? AND site = ? AND targets = ? AND status = ?", s.ID, string(s.Kind), s.Site, list(s.Targets), string(finding.Completed))
	err = e.db.view(ctx, func(tx *Tx) error {
		return tx.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM scan WHERE `+c.String(), c.args...).Scan(&id)
	})
	return id, err
}

// ScanLooked says when a scan looked, by its reports: an old report may be imported late. Zero where it saw nothing.
func (e *Estate) ScanLooked(ctx context.Context, scan int64) (at time.Time, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		var look, sighting int64
		err := tx.QueryRow(ctx, `SELECT coalesce((SELECT max(at) FROM look WHERE scan = ?), 0), coalesce((SELECT max(at) FROM sighting WHERE scan = ?), 0)`,
			scan, scan).Scan(&look, &sighting)
		at = moment(max(look, sighting))
		return err
	})
	return at, err
}
