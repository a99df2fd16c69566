package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
)

// settingPolicy is the name of the network's policy among the settings.
const settingPolicy = "paths.policy"

// PathPolicy returns what somebody declared of the network, the zero value when nobody did. It speaks of all sites.
func (e *Estate) PathPolicy(ctx context.Context) (p attackpath.PolicySet, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		p, err = pathPolicy(ctx, tx)
		return err
	})
	return p, err
}

func pathPolicy(ctx context.Context, tx *Tx) (p attackpath.PolicySet, err error) {
	var body string
	err = tx.QueryRow(ctx, `SELECT body FROM setting WHERE name = ?`, settingPolicy).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	if err == nil {
		if err = json.Unmarshal([]byte(body), &p); err != nil {
			err = fmt.Errorf("the setting %s: %w", settingPolicy, err)
		}
	}
	return p, err
}

// SetPathPolicy replaces what is declared of the network, which is as it was left by p.By at p.At; nil declares nothing.
func (e *Estate) SetPathPolicy(ctx context.Context, p *attackpath.PolicySet) error {
	return e.Update(ctx, func(t *EstateTx) error {
		if p == nil {
			_, err := t.tx.Exec(ctx, `DELETE FROM setting WHERE name = ?`, settingPolicy)
			return err
		}
		body, err := json.Marshal(p)
		if err != nil {
			return err
		}
		_, err = t.tx.Exec(ctx, `INSERT INTO setting (name, body, at, who) VALUES (?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET body = excluded.body, at = excluded.at, who = excluded.who`, settingPolicy, string(body), millis(p.At), p.By)
		return err
	})
}

// edgeSubject is what the store must know of an edge: the finding or host that it is about, and of a host the site that
// reaches it, "" for the internet.
type edgeSubject struct {
	what, from string
	id         int64
}

func subjectOf(key attackpath.EdgeKey) edgeSubject {
	if id := key.Finding(); id != 0 {
		return edgeSubject{what: "finding", id: id}
	}
	site, host, _, _ := key.Reach()
	return edgeSubject{what: "host", from: site, id: host}
}

// inView says whether a view sees what an edge is about. What is gone is seen by who sees everything.
func (s edgeSubject) inView(ctx context.Context, tx *Tx, v auth.View) (bool, error) {
	if v.All() || s.from != "" && !v.Sees(s.from) {
		return v.All(), nil
	}
	return sees(ctx, tx, v, s.what, s.id)
}

// PathCorrections lists what people said of edges, by id, each edge by the ids that are good now. Of two words on what has
// become one the newer counts.
func (e *Estate) PathCorrections(ctx context.Context, v auth.View) (list []attackpath.Correction, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		list, err = pathCorrections(ctx, tx, v)
		return err
	})
	return list, err
}

func pathCorrections(ctx context.Context, tx *Tx, v auth.View) ([]attackpath.Correction, error) {
	all, err := readCorrections(ctx, tx)
	if err != nil {
		return nil, err
	}
	newest := map[attackpath.EdgeKey]int64{}
	for _, c := range all {
		newest[c.Edge] = c.ID // ids ascend
	}
	out := make([]attackpath.Correction, 0, len(all))
	for _, c := range all {
		if newest[c.Edge] != c.ID {
			continue
		}
		in, err := subjectOf(c.Edge).inView(ctx, tx, v)
		if err != nil {
			return nil, err
		}
		if in {
			out = append(out, c)
		}
	}
	return out, nil
}

// readCorrections lists all of them by id; ids that were joined into others are followed.
func readCorrections(ctx context.Context, tx *Tx) (list []attackpath.Correction, err error) {
	err = each(ctx, tx, `SELECT id, edge, says, chance, note, who, at FROM path_correction ORDER BY id`, nil, func(rows *sql.Rows) error {
		var c attackpath.Correction
		var chance sql.NullFloat64
		var at int64
		err := rows.Scan(&c.ID, &c.Edge, &c.Says, &chance, &c.Note, &c.By, &at)
		c.P, c.At = chance.Float64, moment(at)
		list = append(list, c)
		return err
	})
	for i := range list {
		if err == nil {
			list[i].Edge, err = followedEdge(ctx, tx, list[i].Edge)
		}
	}
	return list, err
}

// followedEdge names an edge by the ids that are good now; one that this version does not understand stays as it is.
func followedEdge(ctx context.Context, tx *Tx, key attackpath.EdgeKey) (attackpath.EdgeKey, error) {
	if key.Validate() != nil {
		return key, nil
	}
	s := subjectOf(key)
	id, err := followed(ctx, tx, s.what, s.id)
	if s.what == "finding" {
		return attackpath.FindingEdge(id), err
	}
	site, _, protocol, port := key.Reach()
	return attackpath.ReachEdge(site, id, protocol, port), err
}

// Correct keeps a person's word on an edge, in the place of an older one on it. fault.NotFound is what the view does not see.
func (e *Estate) Correct(ctx context.Context, v auth.View, c attackpath.Correction) (attackpath.Correction, error) {
	err := e.Update(ctx, func(t *EstateTx) (err error) {
		if err := c.Edge.Validate(); err != nil {
			return err
		}
		if c.Edge, err = followedEdge(ctx, t.tx, c.Edge); err != nil {
			return err
		}
		s := subjectOf(c.Edge)
		in, err := s.exists(ctx, t.tx, v)
		if err == nil && !in {
			err = fault.NotFound("there is no %s %d", s.what, s.id)
		}
		if err != nil {
			return err
		}
		if err := t.removeCorrections(ctx, func(old attackpath.Correction) bool { return old.Edge == c.Edge }); err != nil {
			return err
		}
		if c.ID, err = t.nextID(ctx, "path_correction"); err != nil {
			return err
		}
		var chance any
		if c.Says == attackpath.SaysChance {
			chance = c.P
		}
		_, err = t.tx.Exec(ctx, `INSERT INTO path_correction (id, edge, says, chance, note, who, at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			c.ID, string(c.Edge), string(c.Says), chance, c.Note, c.By, millis(c.At))
		return err
	})
	return c, err
}

// exists says whether what the edge is about is there, in the view.
func (s edgeSubject) exists(ctx context.Context, tx *Tx, v auth.View) (bool, error) {
	in, err := s.inView(ctx, tx, v)
	if err != nil || !in {
		return false, err
	}
	n := 0
	err = tx.QueryRow(ctx, `SELECT count(*) FROM `+s.what+` WHERE id = ?`, s.id).Scan(&n)
	return n > 0, err
}

// Uncorrect takes a word back and returns it, fault.NotFound when there is none in the view.
func (e *Estate) Uncorrect(ctx context.Context, v auth.View, id int64) (gone attackpath.Correction, err error) {
	err = e.Update(ctx, func(t *EstateTx) error {
		known, err := pathCorrections(ctx, t.tx, v)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(known, func(c attackpath.Correction) bool { return c.ID == id })
		if i < 0 {
			return fault.NotFound("there is no correction %d", id)
		}
		gone = known[i]
		return t.removeCorrections(ctx, func(old attackpath.Correction) bool { return old.Edge == gone.Edge })
	})
	return gone, err
}

// removeCorrections forgets all words on an edge: also older ones on what has become the same.
func (t *EstateTx) removeCorrections(ctx context.Context, which func(attackpath.Correction) bool) error {
	all, err := readCorrections(ctx, t.tx)
	if err != nil {
		return err
	}
	for _, c := range all {
		if !which(c) {
			continue
		}
		if _, err := t.tx.Exec(ctx, `DELETE FROM path_correction WHERE id = ?`, c.ID); err != nil {
			return err
		}
	}
	return nil
}
