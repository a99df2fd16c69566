package store

import (
	"context"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

var changeColumns = []string{"id", "what", "item", "at", "who", "kind", "was", "became", "note", "rule"}

// AddChange adds to the history.
func (t *EstateTx) AddChange(ctx context.Context, c finding.Change) error {
	id, err := t.nextID(ctx, "change")
	if err != nil {
		return err
	}
	const most = 1 << 10
	t.byName["change"].add(id, string(c.What), c.Item, millis(c.At), c.By, string(c.Kind), finding.Cut(c.From, most), finding.Cut(c.To, most),
		finding.Cut(c.Note, finding.MaxText), c.Rule)
	return nil
}

// Changes returns the history of a finding, a host or a rule in the order in which it was written, with that of those
// that were joined into it; nothing of what is not in the view.
func (e *Estate) Changes(ctx context.Context, v auth.View, what finding.Subject, item int64) (out []finding.Change, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		if in, err := seesHistory(ctx, tx, v, what, item); err != nil || !in {
			return err
		}
		rows, err := tx.Query(ctx, `WITH RECURSIVE known (item) AS (SELECT CAST(? AS BIGINT) UNION SELECT r.old FROM redirect r JOIN known k ON r.new = k.item WHERE r.what = ?)
			SELECT c.id, c.item, c.at, c.who, c.kind, c.was, c.became, c.note, c.rule FROM change c JOIN known k ON k.item = c.item WHERE c.what = ? ORDER BY c.id`,
			item, string(what), string(what))
		if err != nil {
			return err
		}
		return eachRow(rows, func() error {
			c := finding.Change{What: what}
			var at int64
			var kind string
			err := rows.Scan(&c.ID, &c.Item, &at, &c.By, &kind, &c.From, &c.To, &c.Note, &c.Rule)
			c.At, c.Kind = moment(at), finding.ChangeKind(kind)
			out = append(out, c)
			return err
		})
	})
	return out, err
}
