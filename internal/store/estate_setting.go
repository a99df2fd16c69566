package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
)

// Set is when a setting was set, and by whom; the zero value is one that was never set.
type Set struct {
	At time.Time
	By string
}

// settingTerms is the name of the organisation's terms among the settings.
const settingTerms = "terms"

// OverrideTerms keeps terms that stand before the configured ones as far as they say something; without a word those hold again.
func (t *EstateTx) OverrideTerms(ctx context.Context, set finding.Terms, by Set) error {
	if _, err := t.nextID(ctx, ruleChanges); err != nil { // whoever rates findings reads them with the rules
		return err
	}
	if len(set.Decision)+len(set.Severity) == 0 {
		_, err := t.tx.Exec(ctx, `DELETE FROM setting WHERE name = ?`, settingTerms)
		return err
	}
	body, err := json.Marshal(set)
	if err != nil {
		return err
	}
	_, err = t.tx.Exec(ctx, `INSERT INTO setting (name, body, at, who) VALUES (?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET body = excluded.body, at = excluded.at, who = excluded.who`, settingTerms, string(body), millis(by.At), by.By)
	return err
}

// TermsOverride returns what OverrideTerms kept last.
func (e *Estate) TermsOverride(ctx context.Context) (set finding.Terms, by Set, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		set, by, err = termsSet(ctx, tx)
		return err
	})
	return set, by, err
}

func termsSet(ctx context.Context, tx *Tx) (set finding.Terms, by Set, err error) {
	var body string
	var at int64
	err = tx.QueryRow(ctx, `SELECT body, at, who FROM setting WHERE name = ?`, settingTerms).Scan(&body, &at, &by.By)
	if errors.Is(err, sql.ErrNoRows) {
		return set, by, nil
	}
	if err != nil {
		return set, by, err
	}
	if err := json.Unmarshal([]byte(body), &set); err != nil {
		return set, by, fmt.Errorf("the setting %s: %w", settingTerms, err)
	}
	by.At = moment(at)
	return set, by, nil
}

// NobodyEver says whether nobody has ever logged in.
func (e *Estate) NobodyEver(ctx context.Context) (nobody bool, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		n := 0
		err := tx.QueryRow(ctx, `SELECT count(*) FROM account WHERE login > 0`).Scan(&n)
		nobody = n == 0
		return err
	})
	return nobody, err
}
