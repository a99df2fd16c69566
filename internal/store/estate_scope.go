package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scope"
)

// ScopeRules lists the rules on what may be scanned, by id: those of the sites of a view, and those of every site.
func (e *Estate) ScopeRules(ctx context.Context, v auth.View) (rules []scope.Entry, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		rules, err = scopeRules(ctx, tx, v)
		return err
	})
	return rules, err
}

// ScopeRule returns one of them, fault.NotFound when there is none in the view.
func (e *Estate) ScopeRule(ctx context.Context, v auth.View, id int64) (rule scope.Entry, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		rule, err = scopeRule(ctx, tx, v, id)
		return err
	})
	return rule, err
}

// AddScopeRule keeps a rule and returns its id. One that says the same for the same people, site and time is not made
// twice. fault.NotFound says that there is no such site or user.
func (e *Estate) AddScopeRule(ctx context.Context, r scope.Entry) (id int64, err error) {
	err = e.Update(ctx, func(tx *EstateTx) error {
		if r.Site != "" {
			if _, err := tx.Site(ctx, r.Site); err != nil {
				return err
			}
		}
		if r.User != 0 {
			n := 0
			if err := tx.tx.QueryRow(ctx, `SELECT count(*) FROM account WHERE id = ?`, r.User).Scan(&n); err != nil {
				return err
			}
			if n == 0 {
				return fault.NotFound("there is no user %d", r.User)
			}
		}
		known, err := scopeRules(ctx, tx.tx, auth.Everything())
		if err != nil {
			return err
		}
		for _, k := range known {
			if k.Text == r.Text && k.Deny == r.Deny && k.Site == r.Site && k.Role == r.Role && k.User == r.User && k.Expires.Equal(r.Expires) {
				id = k.ID
				return nil
			}
		}
		if id, err = tx.nextID(ctx, "scope_rule"); err != nil {
			return err
		}
		_, err = tx.tx.Exec(ctx, `INSERT INTO scope_rule (id, target, deny, site, role, account, note, who, at, expires) VALUES (`+Marks(10)+`)`,
			id, r.Text, truth(r.Deny), r.Site, string(r.Role), orNull(r.User), r.Note, r.By, millis(r.At), millis(r.Expires))
		return err
	})
	return id, err
}

// RemoveScopeRule forgets a rule of a view, fault.NotFound when there is none.
func (e *Estate) RemoveScopeRule(ctx context.Context, v auth.View, id int64) error {
	return e.Update(ctx, func(tx *EstateTx) error {
		if _, err := scopeRule(ctx, tx.tx, v, id); err != nil {
			return err
		}
		_, err := tx.tx.Exec(ctx, `DELETE FROM scope_rule WHERE id = ?`, id)
		return err
	})
}

func scopeRule(ctx context.Context, tx *Tx, v auth.View, id int64) (scope.Entry, error) {
	found, err := scopeRules(ctx, tx, v, id)
	if err == nil && len(found) == 0 {
		err = fault.NotFound("there is no scope rule %d", id)
	}
	if err != nil {
		return scope.Entry{}, err
	}
	return found[0], nil
}

func scopeRules(ctx context.Context, tx *Tx, v auth.View, ids ...int64) (rules []scope.Entry, err error) {
	c := conditions{}
	c.in("r.id", anys(ids))
	if !v.All() {
		of := conditions{}
		of.see("r.site", v)
		c.add(fmt.Sprintf("(%s OR r.site = '' AND %d > 0)", of.String(), len(v.Sites())), of.args...)
	}
	//nolint:sqlclosecheck // eachRow closes them
	rows, err := tx.Query(ctx, `SELECT r.id, r.target, r.deny, r.site, r.role, r.account, u.name, r.note, r.who, r.at, r.expires
		FROM scope_rule r LEFT JOIN account u ON u.id = r.account WHERE `+c.String()+` ORDER BY r.id`, c.args...)
	if err != nil {
		return nil, err
	}
	err = eachRow(rows, func() error {
		r, err := scanScopeRule(rows)
		rules = append(rules, r)
		return err
	})
	return rules, err
}

func scanScopeRule(rows *sql.Rows) (r scope.Entry, err error) {
	var id, at, expires int64
	var target string
	var deny bool
	var account sql.NullInt64
	var name sql.NullString
	if err := rows.Scan(&id, &target, &deny, &r.Site, &r.Role, &account, &name, &r.Note, &r.By, &at, &expires); err != nil {
		return r, err
	}
	if r.Rule, err = scope.ParseRule(target); err != nil {
		return r, fmt.Errorf("scope rule %d: %w", id, err) // a rule that cannot be read must not be passed over: it may deny
	}
	r.ID, r.Deny, r.User, r.Name, r.At, r.Expires = id, deny, account.Int64, name.String, moment(at), moment(expires)
	return r, nil
}
