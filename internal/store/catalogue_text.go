package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"strconv"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
)

// TextState says which texts there are.
func (c *Catalogue) TextState(ctx context.Context) (s catalogue.TextState, err error) {
	err = c.db.view(ctx, func(tx *Tx) error {
		s, err = textState(ctx, tx)
		return err
	})
	return s, err
}

// Identify gives the catalogue its identity, if it has none. It is not under the loaders' lock, so it must not count the
// generation on: on PostgreSQL a loader under way would have noted its changes under the number that was taken from it.
func (c *Catalogue) Identify(ctx context.Context) error {
	return c.db.transact(ctx, true, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING`,
			catalogue.MetaIdentity, rand.Text())
		return err
	})
}

func textState(ctx context.Context, tx *Tx) (s catalogue.TextState, err error) {
	if s.Identity, err = meta(ctx, tx, catalogue.MetaIdentity); err != nil {
		return s, err
	}
	floor, err := meta(ctx, tx, catalogue.MetaTextFloor)
	if err != nil {
		return s, err
	}
	if floor != "" {
		if s.Floor, err = strconv.ParseInt(floor, 10, 64); err != nil {
			return s, fault.Invalid("catalogue: %s is %.20q, want a number", catalogue.MetaTextFloor, floor)
		}
	}
	err = tx.QueryRow(ctx, `SELECT n, (SELECT coalesce(max(generation), 0) FROM cve_change) FROM generation`).Scan(&s.Generation, &s.Changed)
	s.Changed = max(s.Changed, s.Floor)
	return s, err
}

// Texts calls fn with the text of every CVE, in the order of id, and returns the state that they are of.
func (c *Catalogue) Texts(ctx context.Context, fn func(catalogue.Text) error) (s catalogue.TextState, err error) {
	err = c.db.view(ctx, func(tx *Tx) error {
		if s, err = textState(ctx, tx); err != nil {
			return err
		}
		return each(ctx, tx, `SELECT id, record FROM cve ORDER BY id`, nil, func(rows *sql.Rows) error {
			var id cve.ID
			var stored sql.RawBytes
			if err := rows.Scan(&id, &stored); err != nil {
				return err
			}
			r, err := catalogue.Decode(id, stored)
			if err != nil {
				return err
			}
			return fn(catalogue.TextOf(r))
		})
	})
	return s, err
}

// TextsSince returns the texts that generations after since have changed, those of CVEs that are gone as empty ones.
// It is for a since at or above the floor.
func (c *Catalogue) TextsSince(ctx context.Context, since int64) (texts []catalogue.Text, s catalogue.TextState, err error) {
	err = c.db.view(ctx, func(tx *Tx) error {
		if s, err = textState(ctx, tx); err != nil {
			return err
		}
		var ids []cve.ID
		err := each(ctx, tx, `SELECT DISTINCT cve FROM cve_change WHERE generation > ? ORDER BY cve`, []any{since}, func(rows *sql.Rows) error {
			var id cve.ID
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		})
		if err != nil {
			return err
		}
		found := make(map[cve.ID]*cve.Record, len(ids))
		if err := readRecords(ctx, tx, ids, found); err != nil {
			return err
		}
		for _, id := range ids {
			text := catalogue.Text{ID: id}
			if r := found[id]; r != nil {
				text = catalogue.TextOf(r)
			}
			texts = append(texts, text)
		}
		return nil
	})
	return texts, s, err
}

// Narrow returns the CVEs that pass every condition of a filter but its words, up to limit in no order of use; complete
// says that these are all.
func (c *Catalogue) Narrow(ctx context.Context, f catalogue.Filter, limit int) (ids []cve.ID, complete bool, err error) {
	err = c.selected(ctx, f, func(tx *Tx, q *selection) error {
		ids, _, err = selectIDs(ctx, tx, `SELECT f.id, 0 FROM cve_fact f`+q.where()+` LIMIT ?`, append(q.args, limit+1))
		return err
	})
	if len(ids) > limit {
		return ids[:limit], false, err
	}
	return ids, true, err
}

// Count says how many CVEs pass every condition of a filter but its words.
func (c *Catalogue) Count(ctx context.Context, f catalogue.Filter) (n int, err error) {
	err = c.selected(ctx, f, func(tx *Tx, q *selection) error {
		return tx.QueryRow(ctx, `SELECT count(*) FROM cve_fact f`+q.where(), q.args...).Scan(&n)
	})
	return n, err
}

// Passing returns those of ids that pass every condition of a filter but its words.
func (c *Catalogue) Passing(ctx context.Context, f catalogue.Filter, ids []cve.ID) (passing []cve.ID, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = c.selected(ctx, f, func(tx *Tx, q *selection) error {
		q.list(tx.engine, ids)
		passing, _, err = selectIDs(ctx, tx, `SELECT f.id, 0 FROM cve_fact f`+q.where(), q.args)
		return err
	})
	return passing, err
}

// selected runs fn with a filter's conditions, unless nothing can meet them.
func (c *Catalogue) selected(ctx context.Context, f catalogue.Filter, fn func(*Tx, *selection) error) error {
	f.Words, f.Sort, f.After = "", "", ""
	s, err := newSearch(f)
	if err != nil {
		return err
	}
	among, err := c.appliesTo(ctx, f.CPE)
	if err != nil {
		return err
	}
	return c.db.view(ctx, func(tx *Tx) error {
		q, err := s.selection(ctx, tx, among)
		if err != nil || q == nil {
			return err
		}
		return fn(tx, q)
	})
}

// Ordered answers a filter whose words are known to select ids, in the filter's order, which is not relevance.
func (c *Catalogue) Ordered(ctx context.Context, f catalogue.Filter, ids []cve.ID) (page catalogue.Page, err error) {
	f.Words = ""
	s, err := newSearch(f)
	if err != nil || len(ids) == 0 {
		return page, err
	}
	among, err := c.appliesTo(ctx, f.CPE)
	if err != nil {
		return page, err
	}
	err = c.db.steady(ctx, func(tx *Tx) error {
		q, err := s.selection(ctx, tx, among)
		if err != nil || q == nil {
			return err
		}
		q.list(tx.engine, ids)
		records, next, err := s.byKey(ctx, tx, q)
		if err != nil {
			return err
		}
		page.Next = next
		page.Hits, err = withFacts(ctx, tx, records)
		return err
	})
	return page, err
}

// Hits returns CVEs with what is known of their use, in the order of ids. One that is not known is left out.
func (c *Catalogue) Hits(ctx context.Context, ids []cve.ID) (hits []catalogue.Hit, err error) {
	err = c.db.steady(ctx, func(tx *Tx) error {
		records, err := recordList(ctx, tx, ids)
		if err != nil {
			return err
		}
		hits, err = withFacts(ctx, tx, records)
		return err
	})
	return hits, err
}
