package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// Due counts what a filter selects by the day on which it is due: what was due before today, and what is on each of the
// days from today on.
func (e *Estate) Due(ctx context.Context, v auth.View, f finding.Filter, days int) (overdue int, soon []int, err error) {
	soon = make([]int, days)
	today := e.db.opts.Now().UTC().Truncate(dayLong).UnixMilli() / dayMillis
	err = e.db.view(ctx, func(tx *Tx) error {
		l, err := e.currentLists(ctx, tx)
		if err != nil {
			return err
		}
		s, _, err := e.chosen(ctx, l, v, f)
		if err != nil {
			return err
		}
		return l.eachKey(ctx, s, colDue, func(_ int64, ms uint64) {
			switch in := int64(ms)/dayMillis - today; { //nolint:gosec // as it was stored
			case ms == 0 || in >= int64(days):
			case in < 0:
				overdue++
			default:
				soon[in]++
			}
		})
	})
	return overdue, soon, err
}

// Touched is how much of what a filter selects is of a weakness.
type Touched struct{ Findings, Hosts int }

// TouchedBy counts the findings of a filter, and their hosts, by weakness; only weaknesses that are named and that touch any.
func (e *Estate) TouchedBy(ctx context.Context, v auth.View, f finding.Filter, weaknesses []string) (out map[string]Touched, err error) {
	out = map[string]Touched{}
	err = e.db.view(ctx, func(tx *Tx) error {
		l, err := e.currentLists(ctx, tx)
		if err != nil {
			return err
		}
		if err := l.words.look(ctx, weaknesses); err != nil {
			return err
		}
		names, numbers := map[uint64]string{}, &numberSet{}
		for _, name := range weaknesses {
			if w := l.words.known[name]; w.id != 0 && names[w.id] == "" {
				names[w.id] = name
				numbers.add(w.id)
			}
		}
		if numbers.empty() {
			return nil
		}
		all, _, err := e.chosen(ctx, l, v, f)
		if err != nil {
			return err
		}
		s := all.clone()
		if err := l.keep(ctx, s, numbers.condition(colWeakness)); err != nil {
			return err
		}
		return l.touched(ctx, s, names, out)
	})
	return out, err
}

func (s *findingSet) clone() *findingSet {
	return &findingSet{blocks: append([]selectedBlock(nil), s.blocks...)}
}

func (l *lists) touched(ctx context.Context, s *findingSet, names map[uint64]string, out map[string]Touched) error {
	weakness := map[int64]uint64{}
	if err := l.eachKey(ctx, s, colWeakness, func(id int64, n uint64) { weakness[id] = n }); err != nil {
		return err
	}
	type pair struct{ weakness, host uint64 }
	met := map[pair]bool{}
	return l.eachKey(ctx, s, colHost, func(id int64, host uint64) {
		at := pair{weakness[id], host}
		name := names[at.weakness]
		t := out[name]
		t.Findings++
		if !met[at] {
			met[at] = true
			t.Hosts++
		}
		out[name] = t
	})
}

// Doings are how many scans and imports of a view have completed since a moment, and whether there are any at all.
type Doings struct {
	Scans, Imports       int
	EverScanned, EverImp bool
}

// Doings counts; a zero moment counts none.
func (e *Estate) Doings(ctx context.Context, v auth.View, since time.Time) (d Doings, err error) {
	c := conditions{}
	c.see("site", v)
	from := millis(since)
	err = e.db.view(ctx, func(tx *Tx) error {
		return each(ctx, tx, `SELECT kind, sum(CASE WHEN completed >= ? AND status = 'completed' THEN 1 ELSE 0 END) FROM scan WHERE `+c.String()+` GROUP BY kind`,
			append([]any{from}, c.args...), func(rows *sql.Rows) error {
				var kind string
				var n int
				err := rows.Scan(&kind, &n)
				if since.IsZero() {
					n = 0
				}
				switch finding.ScanKind(kind) {
				case finding.KindImport:
					d.Imports, d.EverImp = n, true
				default:
					d.Scans, d.EverScanned = d.Scans+n, true
				}
				return err
			})
	})
	return d, err
}
