package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// SavedView is a page with what was chosen on it. Nothing of the estate depends on it, so that writing one leaves the lists
// as they are.
type SavedView struct {
	ID      int64
	Owner   Viewer
	Name    string
	Page    string
	Search  string
	Shared  bool
	Created time.Time
}

// Viewer is whose a saved view is. User is 0 where nobody has to log in, and where the owner was removed. The name of a view's
// owner is that of the user, whatever the asker's token is called.
type Viewer struct {
	User int64
	Name string
}

// mostViews is how many one owner keeps.
const mostViews = 200

const selectSavedView = `SELECT id, coalesce(account, 0), who, name, page, search, shared, created FROM saved_view`

func scanSavedView(rows *sql.Rows) (v SavedView, err error) {
	var created int64
	err = rows.Scan(&v.ID, &v.Owner.User, &v.Owner.Name, &v.Name, &v.Page, &v.Search, &v.Shared, &created)
	v.Created = moment(created)
	return v, err
}

// own are the views of an owner.
func (c *conditions) own(by Viewer) {
	if by.User != 0 {
		c.add("account = ?", by.User)
		return
	}
	c.add("account IS NULL AND who = ?", by.Name)
}

// SavedViews lists the views of somebody and those that others share, by page and name.
func (e *Estate) SavedViews(ctx context.Context, by Viewer) (list []SavedView, err error) {
	mine := conditions{}
	mine.own(by)
	err = e.db.view(ctx, func(tx *Tx) error {
		return each(ctx, tx, selectSavedView+` WHERE shared = 1 OR `+mine.String()+` ORDER BY page, lower(name), id`, mine.args, func(rows *sql.Rows) error {
			v, err := scanSavedView(rows)
			list = append(list, v)
			return err
		})
	})
	return list, err
}

// SavedView returns one that somebody sees, fault.NotFound when there is none.
func (e *Estate) SavedView(ctx context.Context, by Viewer, id int64) (v SavedView, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		v, err = savedView(ctx, tx, by, id)
		return err
	})
	return v, err
}

func savedView(ctx context.Context, tx *Tx, by Viewer, id int64) (v SavedView, err error) {
	mine := conditions{}
	mine.own(by)
	found := false
	err = each(ctx, tx, selectSavedView+` WHERE id = ? AND (shared = 1 OR `+mine.String()+`)`, append([]any{id}, mine.args...), func(rows *sql.Rows) error {
		found = true
		v, err = scanSavedView(rows)
		return err
	})
	if err == nil && !found {
		err = fault.NotFound("there is no view %d", id)
	}
	return v, err
}

// AddSavedView keeps a new view and returns its id. fault.Conflict says that its owner has one of the name for the page, or
// as many as are kept.
func (e *Estate) AddSavedView(ctx context.Context, v SavedView) (id int64, err error) {
	err = e.quietly(ctx, func(tx *Tx) error {
		if err := stillThere(ctx, tx, v.Owner); err != nil {
			return err
		}
		mine := conditions{}
		mine.own(v.Owner)
		n := 0
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM saved_view WHERE `+mine.String(), mine.args...).Scan(&n); err != nil {
			return err
		}
		if n >= mostViews {
			return fault.Conflict("there are %d views already: remove one first", n)
		}
		if err := freeName(ctx, tx, v); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `INSERT INTO saved_view (account, who, name, page, search, shared, created) VALUES (?, coalesce((SELECT name FROM account WHERE id = ?), ?), ?, ?, ?, ?, ?) RETURNING id`,
			sql.NullInt64{Int64: v.Owner.User, Valid: v.Owner.User != 0}, v.Owner.User, v.Owner.Name, v.Name, v.Page, v.Search, truth(v.Shared), millis(v.Created)).Scan(&id)
	})
	return id, err
}

// stillThere refuses a user who was removed while he asked.
func stillThere(ctx context.Context, tx *Tx, by Viewer) error {
	n := 1
	var err error
	if by.User != 0 {
		err = tx.QueryRow(ctx, `SELECT count(*) FROM account WHERE id = ?`, by.User).Scan(&n)
	}
	if err == nil && n == 0 {
		err = fault.NotFound("there is no user %d", by.User)
	}
	return err
}

// freeName refuses a name that the owner uses for another view of the page.
func freeName(ctx context.Context, tx *Tx, v SavedView) error {
	c := conditions{}
	c.own(v.Owner)
	c.add("page = ?", v.Page)
	c.add("name = ?", v.Name)
	c.add("id <> ?", v.ID)
	n := 0
	err := tx.QueryRow(ctx, `SELECT count(*) FROM saved_view WHERE `+c.String(), c.args...).Scan(&n)
	if err == nil && n > 0 {
		err = fault.Conflict("there is a view of this name for the page already")
	}
	return err
}

// ChangeSavedView lets change have its way with a view that somebody sees and writes what became of it: name, search and
// whether it is shared.
func (e *Estate) ChangeSavedView(ctx context.Context, by Viewer, id int64, change func(*SavedView) error) (v SavedView, err error) {
	err = e.quietly(ctx, func(tx *Tx) error {
		if v, err = savedView(ctx, tx, by, id); err != nil {
			return err
		}
		if err := change(&v); err != nil {
			return err
		}
		if err := freeName(ctx, tx, v); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE saved_view SET name = ?, search = ?, shared = ? WHERE id = ?`, v.Name, v.Search, truth(v.Shared), id)
		return err
	})
	return v, err
}

// RemoveSavedView forgets a view that somebody sees, if may allows it.
func (e *Estate) RemoveSavedView(ctx context.Context, by Viewer, id int64, may func(SavedView) error) (v SavedView, err error) {
	err = e.quietly(ctx, func(tx *Tx) error {
		if v, err = savedView(ctx, tx, by, id); err != nil {
			return err
		}
		if err := may(v); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM saved_view WHERE id = ?`, id)
		return err
	})
	return v, err
}

// leaveViews removes what a user who is about to be removed keeps for himself. What he shares stays, under his name.
func leaveViews(ctx context.Context, tx *Tx, user int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM saved_view WHERE account = ? AND shared = 0`, user)
	return err
}

// Visit keeps that a user has seen the estate now; of one who was removed meanwhile it keeps nothing.
func (e *Estate) Visit(ctx context.Context, user int64) error {
	now := e.db.opts.Now()
	return e.quietly(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO visit (account, at) SELECT id, CAST(? AS BIGINT) FROM account WHERE id = ?
			ON CONFLICT (account) DO UPDATE SET at = excluded.at`, millis(now), user)
		return err
	})
}

// LastVisit is when a user has seen the estate last, zero where that is not known.
func (e *Estate) LastVisit(ctx context.Context, user int64) (at time.Time, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		var ms int64
		err := tx.QueryRow(ctx, `SELECT at FROM visit WHERE account = ?`, user).Scan(&ms)
		at = moment(ms)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return err
	})
	return at, err
}
