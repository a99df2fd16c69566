package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

var ruleColumns = []string{"id", "about", "name", "created", "who", "expires", "enabled", "source", "selects", "says", "hits"}

// What a rule is about.
const (
	aboutFinding = "finding"
	aboutHost    = "host"
)

// ruleCache keeps the rules ready for use, since every transaction of an import asks for them.
type ruleCache struct {
	mu    sync.Mutex
	state ruleState
	rules *finding.Rules
}

// ruleState changes whenever what Rules answers does: with every change of a rule and with every host that was joined.
type ruleState struct{ changes, redirects int64 }

// ruleChanges is the sequence that counts changes of rules.
const ruleChanges = "rule change"

// Rules returns all rules ready for use: those about findings, in Hosts those about hosts, in Terms what is set of terms.
func (t *EstateTx) Rules(ctx context.Context) (*finding.Rules, error) {
	var now ruleState
	err := t.tx.QueryRow(ctx, `SELECT coalesce((SELECT last FROM sequence WHERE name = ?), 0), (SELECT count(*) FROM redirect WHERE what = 'host')`,
		ruleChanges).Scan(&now.changes, &now.redirects)
	if err != nil {
		return nil, err
	}
	t.rules.mu.Lock()
	defer t.rules.mu.Unlock()
	if t.rules.rules != nil && t.rules.state == now {
		return t.rules.rules, nil
	}
	ofFindings, ofHosts, err := readRules(ctx, t.tx, auth.Everything())
	if err != nil {
		return nil, err
	}
	if err := followHosts(ctx, t.tx, ofFindings); err != nil {
		return nil, err
	}
	rules := finding.NewRules(ofFindings)
	rules.Hosts = asset.NewRules(ofHosts)
	if rules.Terms, _, err = termsSet(ctx, t.tx); err != nil {
		return nil, err
	}
	t.rules.state, t.rules.rules = now, rules
	return rules, nil
}

// followHosts lets rules about one host speak of the host that it was joined into.
func followHosts(ctx context.Context, tx *Tx, rules []finding.Rule) error {
	joined := map[int64]int64{}
	//nolint:sqlclosecheck // eachRow closes them
	rows, err := tx.Query(ctx, `SELECT old, new FROM redirect WHERE what = 'host'`)
	if err != nil {
		return err
	}
	if err := eachRow(rows, func() error {
		var old, now int64
		err := rows.Scan(&old, &now)
		joined[old] = now
		return err
	}); err != nil {
		return err
	}
	for i := range rules {
		for range len(joined) { // no longer chain than there are redirects
			next, moved := joined[rules[i].Where.Host]
			if !moved {
				break
			}
			rules[i].Where.Host = next
		}
	}
	return nil
}

// FindingRules lists the rules about findings that a view holds by id, with the number of its findings on which each has an
// effect, -1 where that is known of all sites together only.
func (e *Estate) FindingRules(ctx context.Context, v auth.View) (rules []finding.Rule, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		if rules, _, err = readRules(ctx, tx, v); err != nil {
			return err
		}
		return countHits(ctx, tx, v, rules)
	})
	return rules, err
}

// HostRules lists the rules about hosts that a view holds by id.
func (e *Estate) HostRules(ctx context.Context, v auth.View) (rules []asset.Rule, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		_, rules, err = readRules(ctx, tx, v)
		return err
	})
	return rules, err
}

// countHits replaces the stored number by the present one where the findings themselves name their rule.
func countHits(ctx context.Context, tx *Tx, v auth.View, rules []finding.Rule) error {
	from, clause, args := `finding f`, "", []any(nil)
	if !v.All() {
		from += ` JOIN host h ON h.id = f.host JOIN site s ON s.id = h.site`
		clause, args = inView("s.name", v)
	}
	//nolint:sqlclosecheck // eachRow closes them
	rows, err := tx.Query(ctx, `SELECT f.triage_rule, count(*) FROM `+from+` WHERE f.triage_rule <> 0`+clause+` GROUP BY f.triage_rule`, args...)
	if err != nil {
		return err
	}
	n := map[int64]int{}
	if err := eachRow(rows, func() error {
		var id int64
		var count int
		err := rows.Scan(&id, &count)
		n[id] = count
		return err
	}); err != nil {
		return err
	}
	for i := range rules {
		if r := &rules[i]; r.Says.Assign == "" && len(r.Says.Labels) == 0 {
			r.Hits = n[r.ID]
		} else if !v.All() {
			r.Hits = -1
		}
	}
	return nil
}

func readRules(ctx context.Context, tx *Tx, v auth.View) (ofFindings []finding.Rule, ofHosts []asset.Rule, err error) {
	c := conditions{}
	c.seeRules(tx, v)
	rows, err := tx.Query(ctx, `SELECT `+strings.Join(ruleColumns, ", ")+` FROM rule WHERE `+c.String()+` ORDER BY id`, c.args...)
	if err != nil {
		return nil, nil, err
	}
	err = eachRow(rows, func() error {
		r, selects, says, about, err := scanRule(rows)
		if err != nil {
			return err
		}
		if about == aboutHost {
			h := asset.Rule{ID: r.ID, Name: r.Name, Created: r.Created, By: r.By, Expires: r.Expires, Enabled: r.Enabled, Source: r.Source}
			ofHosts = append(ofHosts, h)
			last := &ofHosts[len(ofHosts)-1]
			return readJSON(r.ID, selects, &last.Where, says, &last.Says)
		}
		ofFindings = append(ofFindings, r)
		last := &ofFindings[len(ofFindings)-1]
		return readJSON(r.ID, selects, &last.Where, says, &last.Says)
	})
	return ofFindings, ofHosts, err
}

func scanRule(rows *sql.Rows) (r finding.Rule, selects, says, about string, err error) {
	var created, expires int64
	err = rows.Scan(&r.ID, &about, &r.Name, &created, &r.By, &expires, &r.Enabled, &r.Source, &selects, &says, &r.Hits)
	r.Created, r.Expires = moment(created), moment(expires)
	return r, selects, says, about, err
}

func readJSON(id int64, selects string, where any, says string, what any) error {
	if err := json.Unmarshal([]byte(selects), where); err != nil {
		return fmt.Errorf("rule %d: %w", id, err)
	}
	if err := json.Unmarshal([]byte(says), what); err != nil {
		return fmt.Errorf("rule %d: %w", id, err)
	}
	return nil
}

// SaveRule writes a rule about findings; one without an ID is new and gets one.
func (t *EstateTx) SaveRule(ctx context.Context, r *finding.Rule) (err error) {
	if r.ID == 0 {
		if r.ID, err = t.nextID(ctx, "rule"); err != nil {
			return err
		}
	}
	return t.saveRule(ctx, aboutFinding, *r, r.Where, r.Says)
}

// SaveHostRule writes a rule about hosts likewise.
func (t *EstateTx) SaveHostRule(ctx context.Context, r *asset.Rule) (err error) {
	if r.ID == 0 {
		if r.ID, err = t.nextID(ctx, "rule"); err != nil {
			return err
		}
	}
	return t.saveRule(ctx, aboutHost, finding.Rule{ID: r.ID, Name: r.Name, Created: r.Created, By: r.By, Expires: r.Expires, Enabled: r.Enabled,
		Source: r.Source}, r.Where, r.Says)
}

func (t *EstateTx) saveRule(ctx context.Context, about string, r finding.Rule, where, what any) error {
	selects, err := json.Marshal(where)
	if err != nil {
		return fmt.Errorf("rule %s: %w", r.Name, err)
	}
	says, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("rule %s: %w", r.Name, err)
	}
	t.byName["rule"].add(r.ID, about, r.Name, millis(r.Created), r.By, millis(r.Expires), truth(r.Enabled), r.Source, string(selects), string(says), r.Hits)
	_, err = t.nextID(ctx, ruleChanges)
	return err
}

// RemoveRule forgets a rule of either kind, fault.NotFound when there is none. Its history stays.
func (t *EstateTx) RemoveRule(ctx context.Context, id int64) error {
	res, err := t.tx.Exec(ctx, `DELETE FROM rule WHERE id = ?`, id)
	if err := oneRow(res, err, "there is no rule %d", id); err != nil {
		return err
	}
	_, err = t.nextID(ctx, ruleChanges)
	return err
}

// EnableRule turns a rule of either kind on or off, fault.NotFound when there is none.
func (t *EstateTx) EnableRule(ctx context.Context, id int64, on bool) error {
	res, err := t.tx.Exec(ctx, `UPDATE rule SET enabled = ? WHERE id = ?`, truth(on), id)
	if err := oneRow(res, err, "there is no rule %d", id); err != nil {
		return err
	}
	_, err = t.nextID(ctx, ruleChanges)
	return err
}

// SetHits keeps on how many findings rules had an effect when they were last applied.
func (t *EstateTx) SetHits(ctx context.Context, hits map[int64]int) error {
	for id, n := range hits {
		if _, err := t.tx.Exec(ctx, `UPDATE rule SET hits = ? WHERE id = ?`, n, id); err != nil {
			return err
		}
	}
	return nil
}

// RuleHosts lists, sorted, the hosts on whose findings the rules can have an effect, or had one. all says that it may be
// any host. Hosts outside of the view are left out.
func (e *Estate) RuleHosts(ctx context.Context, v auth.View, rules []finding.Rule) (hosts []int64, all bool, err error) {
	var weaknesses, ids []any
	for i := range rules {
		w := &rules[i].Where
		ids = append(ids, rules[i].ID)
		switch exact := !slices.ContainsFunc(w.Weaknesses, func(s string) bool { return strings.Contains(s, "*") }); {
		case w.Host != 0:
			hosts = append(hosts, w.Host)
		case len(w.Weaknesses) > 0 && exact:
			weaknesses = append(weaknesses, anys(w.Weaknesses)...)
		default:
			return nil, true, nil
		}
	}
	err = e.db.view(ctx, func(tx *Tx) (err error) {
		for _, q := range []struct {
			column string
			values []any
		}{{"weakness", weaknesses}, {"triage_rule <> 0 AND triage_rule", ids}} {
			for chunk := range slices.Chunk(q.values, chunkSize) {
				rows, err := tx.Query(ctx, `SELECT DISTINCT host FROM finding WHERE `+q.column+` IN (`+Marks(len(chunk))+`)`, chunk...)
				if err != nil {
					return err
				}
				if hosts, err = appendIDs(hosts, rows); err != nil {
					return err
				}
			}
		}
		hosts, err = seen(ctx, tx, v, "host", hosts)
		return err
	})
	slices.Sort(hosts)
	return slices.Compact(hosts), false, err
}

// Rule returns one rule of either kind; exactly one is not nil. fault.NotFound when there is none in the view.
func (e *Estate) Rule(ctx context.Context, v auth.View, id int64) (ofFindings *finding.Rule, ofHosts *asset.Rule, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		f, h, err := readRules(ctx, tx, v)
		if i := slices.IndexFunc(f, func(r finding.Rule) bool { return r.ID == id }); i >= 0 {
			ofFindings = &f[i]
		}
		if i := slices.IndexFunc(h, func(r asset.Rule) bool { return r.ID == id }); i >= 0 {
			ofHosts = &h[i]
		}
		if err == nil && ofFindings == nil && ofHosts == nil {
			err = fault.NotFound("there is no rule %d", id)
		}
		return err
	})
	return ofFindings, ofHosts, err
}

// RuleList lists the rules about findings by id, for whoever changes them.
func (t *EstateTx) RuleList(ctx context.Context) ([]finding.Rule, error) {
	rules, _, err := readRules(ctx, t.tx, auth.Everything())
	return rules, err
}

// HostRuleList lists the rules about hosts by id.
func (t *EstateTx) HostRuleList(ctx context.Context) ([]asset.Rule, error) {
	_, rules, err := readRules(ctx, t.tx, auth.Everything())
	return rules, err
}
