package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
)

// FindingsByID returns findings without their evidence, by id; ids that do not exist are absent.
func (t *EstateTx) FindingsByID(ctx context.Context, ids []int64) ([]*finding.Finding, error) {
	return bareFindings(ctx, t.tx, "f.id", ids)
}

// HostFindings returns the findings of hosts for whoever applies rules: of their evidence only each sensor once, so they
// must not be saved but by SaveWords.
func (t *EstateTx) HostFindings(ctx context.Context, hosts []int64) ([]*finding.Finding, error) {
	found, err := bareFindings(ctx, t.tx, "f.host", hosts)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*finding.Finding, len(found))
	for _, f := range found {
		byID[f.ID] = f
	}
	for chunk := range slices.Chunk(hosts, chunkSize) {
		rows, err := t.tx.Query(ctx, `SELECT DISTINCT e.finding, e.sensor FROM evidence e JOIN finding f ON f.id = e.finding
			WHERE f.host IN (`+Marks(len(chunk))+`)`, anys(chunk)...)
		if err != nil {
			return nil, err
		}
		if err := eachRow(rows, func() error {
			var id int64
			var e finding.Evidence
			err := rows.Scan(&id, &e.Sensor)
			if f := byID[id]; f != nil {
				f.Evidence = append(f.Evidence, e)
			}
			return err
		}); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func bareFindings(ctx context.Context, tx *Tx, column string, values []int64) (out []*finding.Finding, err error) {
	for chunk := range slices.Chunk(values, chunkSize) {
		//nolint:sqlclosecheck // eachRow closes them
		rows, err := tx.Query(ctx, selectFinding+` FROM finding f JOIN host h ON h.id = f.host JOIN site s ON s.id = h.site
			WHERE `+column+` IN (`+Marks(len(chunk))+`) ORDER BY f.id`, anys(chunk)...)
		if err != nil {
			return nil, err
		}
		if err := eachRow(rows, func() error {
			var s findingScan
			if err := rows.Scan(s.into()...); err != nil {
				return err
			}
			f := s.finding()
			out = append(out, &f)
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SaveWords writes what people and rules say of a finding, and its due day by the organisation's terms; nothing else of it.
// Findings of which the same is said are written at once.
func (t *EstateTx) SaveWords(_ context.Context, f *finding.Finding) error {
	t.words.add(f)
	return nil
}

// sayings collects what is said of findings, and the findings of which it is said.
type sayings struct {
	order []string
	byKey map[string]*saying
}

type saying struct {
	values []any
	ids    []int64
}

func (w *sayings) add(f *finding.Finding) {
	values := []any{triageState(f.Triage), millis(f.Triage.Until), f.Triage.By, millis(f.Triage.At), finding.Cut(f.Triage.Note, finding.MaxText), f.Triage.Rule,
		f.Assignee, list(f.Labels), ownText(f.Own), millis(f.SLADue)}
	key := keyOf(values)
	if w.byKey == nil {
		w.byKey = map[string]*saying{}
	}
	one := w.byKey[key]
	if one == nil {
		one = &saying{values: values}
		w.byKey[key] = one
		w.order = append(w.order, key)
	}
	one.ids = append(one.ids, f.ID)
}

func (w *sayings) flush(ctx context.Context, tx *Tx) error {
	for _, key := range w.order {
		one := w.byKey[key]
		for chunk := range slices.Chunk(one.ids, chunkSize) {
			if _, err := tx.Exec(ctx, `UPDATE finding SET triage = ?, triage_until = ?, triage_by = ?, triage_at = ?, triage_note = ?, triage_rule = ?,
				assignee = ?, labels = ?, own = ?, sla_due = ? WHERE id IN (`+Marks(len(chunk))+`)`, append(slices.Clone(one.values), anys(chunk)...)...); err != nil {
				return fmt.Errorf("write triage: %w", err)
			}
		}
	}
	*w = sayings{}
	return nil
}

// Triage keeps a person's word on a finding, fault.NotFound when there is none. Whoever calls it has seen the finding.
func (e *Estate) Triage(ctx context.Context, id int64, said finding.Triage) error {
	return e.Update(ctx, func(tx *EstateTx) error {
		found, err := tx.FindingsByID(ctx, []int64{id})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fault.NotFound("there is no finding %d", id)
		}
		found[0].Triage = said
		return tx.SaveWords(ctx, found[0])
	})
}

// ownText and ownOf carry what people said themselves; nothing is "".
func ownText(o finding.Own) string {
	if o.Assignee == "" && o.AssignedAt.IsZero() && len(o.Labels) == 0 && len(o.Without) == 0 {
		return ""
	}
	b, _ := json.Marshal(o) // texts, lists of them and a time always marshal
	return string(b)
}

func ownOf(s string) (o finding.Own) {
	if s == "" {
		return o
	}
	_ = json.Unmarshal([]byte(s), &o) // as in unlist
	return o
}

// SensorHosts lists, sorted, the hosts of a site on which a sensor saw a finding; site "" is every site of the view.
func (e *Estate) SensorHosts(ctx context.Context, v auth.View, site, sensor string) (hosts []int64, err error) {
	c := conditions{}
	c.see("s.name", v)
	c.add("e.sensor = ?", sensor)
	if site != "" {
		c.add("s.name = ?", site)
	}
	err = e.db.view(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `SELECT DISTINCT f.host FROM evidence e JOIN finding f ON f.id = e.finding JOIN host h ON h.id = f.host
			JOIN site s ON s.id = h.site WHERE `+c.String()+` ORDER BY f.host`, c.args...)
		if err == nil {
			hosts, err = appendIDs(nil, rows)
		}
		return err
	})
	return hosts, err
}

// Sensors lists the names of all sensors that ever saw a finding of the view.
func (e *Estate) Sensors(ctx context.Context, v auth.View) (names []string, err error) {
	query, args := `SELECT DISTINCT sensor FROM evidence ORDER BY sensor`, []any(nil)
	if !v.All() {
		c := conditions{}
		c.see("s.name", v)
		query, args = `SELECT DISTINCT e.sensor FROM evidence e JOIN finding f ON f.id = e.finding JOIN host h ON h.id = f.host
			JOIN site s ON s.id = h.site WHERE `+c.String()+` ORDER BY e.sensor`, c.args
	}
	err = e.db.view(ctx, func(tx *Tx) error {
		//nolint:sqlclosecheck // eachRow closes them
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		return eachRow(rows, func() error {
			var name string
			err := rows.Scan(&name)
			names = append(names, name)
			return err
		})
	})
	return names, err
}

// Terms returns the organisation's terms by which due days were computed last, "" when they never were.
func (t *EstateTx) Terms(ctx context.Context) (body string, err error) {
	err = t.tx.QueryRow(ctx, `SELECT coalesce((SELECT body FROM terms WHERE id = 1), '')`).Scan(&body)
	return body, err
}

// SetTerms keeps them.
func (t *EstateTx) SetTerms(ctx context.Context, body string) error {
	_, err := t.tx.Exec(ctx, `INSERT INTO terms (id, body) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body`, body)
	return err
}
