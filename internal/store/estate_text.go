package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
)

// The texts of the estate are read for an index that is kept elsewhere: by the pipeline without a view, by who asks with one.

const estateIdentity = "identity"

// TextState says which texts there are.
func (e *Estate) TextState(ctx context.Context) (s finding.TextState, err error) {
	err = e.db.view(ctx, func(tx *Tx) error {
		s, err = estateTextState(ctx, tx)
		return err
	})
	return s, err
}

// estateTextState reads the state. What a write that ended has not dated yet may be of this generation.
func estateTextState(ctx context.Context, tx *Tx) (s finding.TextState, err error) {
	err = tx.QueryRow(ctx, `SELECT value FROM estate_meta WHERE key = ?`, estateIdentity).Scan(&s.Identity)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return s, err
	}
	pending, other := 0, int64(0)
	err = tx.QueryRow(ctx, `SELECT n, (SELECT coalesce(max(stamp), 0) FROM host_stamp), (SELECT coalesce(max(stamp), 0) FROM text_change),
		CASE WHEN EXISTS (SELECT 1 FROM host_stamp WHERE stamp = 0) OR EXISTS (SELECT 1 FROM text_change WHERE stamp = 0) THEN 1 ELSE 0 END FROM generation`).
		Scan(&s.Generation, &s.Changed, &other, &pending)
	s.Changed = min(max(s.Changed, other), s.Generation)
	if pending == 1 {
		s.Changed = s.Generation
	}
	return s, err
}

// IdentifyTexts gives the estate its identity, if it has none.
func (e *Estate) IdentifyTexts(ctx context.Context) error {
	return e.quietly(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO estate_meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING`, estateIdentity, rand.Text())
		return err
	})
}

// Texts hands all texts of a kind to fn, with the state that they are of.
func (e *Estate) Texts(ctx context.Context, kind finding.TextKind, fn func(finding.TextState, iter.Seq2[finding.Text, error]) error) error {
	return e.db.view(ctx, func(tx *Tx) error {
		s, err := estateTextState(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT id FROM `+textTable(kind)+` ORDER BY id`) //nolint:sqlclosecheck // appendIDs closes them
		if err != nil {
			return err
		}
		ids, err := appendIDs(nil, rows)
		if err != nil {
			return err
		}
		return fn(s, (&textReader{tx: tx, kind: kind, view: auth.Everything()}).each(ctx, ids))
	})
}

// TextsSince hands to fn the texts of a kind that changed after a generation, and which are gone.
func (e *Estate) TextsSince(ctx context.Context, kind finding.TextKind, since int64,
	fn func(finding.TextState, []finding.TextRef, iter.Seq2[finding.Text, error]) error) error {
	return e.db.view(ctx, func(tx *Tx) error {
		s, err := estateTextState(ctx, tx)
		if err != nil {
			return err
		}
		var gone []finding.TextRef
		err = each(ctx, tx, `SELECT id, site FROM text_change WHERE kind = ? AND (stamp > ? OR stamp = 0) ORDER BY id`, []any{string(kind), since},
			func(rows *sql.Rows) error {
				var r finding.TextRef
				err := rows.Scan(&r.ID, &r.Site)
				gone = append(gone, r)
				return err
			})
		if err != nil {
			return err
		}
		var ids []int64
		if kind == finding.TextScan { // there are few: what changed may be there or gone
			for _, g := range gone {
				ids = append(ids, g.ID)
			}
		} else if ids, err = changedHosts(ctx, tx, &hostRoll{generation: since}); err != nil {
			return err
		}
		return fn(s, gone, (&textReader{tx: tx, kind: kind, view: auth.Everything()}).each(ctx, slices.Compact(ids)))
	})
}

// textTable is where the numbers are that texts of a kind are read by: findings come with their hosts.
func textTable(kind finding.TextKind) string {
	if kind == finding.TextScan {
		return "scan"
	}
	return "host"
}

// TextsSeen returns those texts of a kind that exist and are in the view, in the order of ids.
func (e *Estate) TextsSeen(ctx context.Context, v auth.View, kind finding.TextKind, ids []int64) (texts []finding.Text, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found := make(map[int64]finding.Text, len(ids))
	err = e.db.view(ctx, func(tx *Tx) error {
		r := &textReader{tx: tx, kind: kind, view: v}
		for chunk := range slices.Chunk(ids, chunkSize) {
			list, err := r.seen(ctx, chunk)
			if err != nil {
				return err
			}
			for _, t := range list {
				found[t.ID] = t
			}
		}
		return nil
	})
	for _, id := range ids {
		if t, ok := found[id]; ok {
			texts = append(texts, t)
		}
	}
	return texts, err
}

// SiteNumbers are the numbers of the sites of a view.
func (e *Estate) SiteNumbers(ctx context.Context, v auth.View) (ids []int64, err error) {
	c := conditions{}
	c.see("name", v)
	err = e.db.view(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `SELECT id FROM site WHERE `+c.String()+` ORDER BY id`, c.args...) //nolint:sqlclosecheck // appendIDs closes them
		if err == nil {
			ids, err = appendIDs(nil, rows)
		}
		return err
	})
	return ids, err
}

// Hosts whose texts are read at a time: few, since one may have thousands of findings.
const textHosts = 64

// What of a text is indexed, in bytes.
const (
	maxEvidenceText = 1 << 10
	maxNamesText    = 8 << 10
	maxBodyText     = 16 << 10
	maxTitleText    = 500
)

// textReader reads texts in one transaction.
type textReader struct {
	tx   *Tx
	kind finding.TextKind
	view auth.View
}

// each reads the texts of hosts, or scans, a few at a time.
func (r *textReader) each(ctx context.Context, ids []int64) iter.Seq2[finding.Text, error] {
	return func(yield func(finding.Text, error) bool) {
		for chunk := range slices.Chunk(ids, textHosts) {
			texts, err := r.some(ctx, chunk)
			if err != nil {
				yield(finding.Text{}, err)
				return
			}
			for _, t := range texts {
				if !yield(t, nil) {
					return
				}
			}
		}
	}
}

func (r *textReader) some(ctx context.Context, ids []int64) ([]finding.Text, error) {
	switch r.kind {
	case finding.TextScan:
		return r.scans(ctx, ids)
	case finding.TextHost:
		return r.hosts(ctx, ids)
	}
	return r.findings(ctx, "f.host", ids)
}

func (r *textReader) seen(ctx context.Context, ids []int64) ([]finding.Text, error) {
	if r.kind == finding.TextFinding {
		return r.findings(ctx, "f.id", ids)
	}
	return r.some(ctx, ids)
}

// among are ids as a condition on a column, with who may see what.
func (r *textReader) among(column, site string, ids []int64) conditions {
	c, args := conditions{}, padded(ids)
	c.add(column+" IN ("+Marks(len(args))+")", args...)
	c.see(site, r.view)
	return c
}

// textHost is what texts say of a host.
type textHost struct {
	names    []string // addresses and names, each once
	services map[string]string
}

// callHosts reads what hosts are called and what answers there.
func (r *textReader) callHosts(ctx context.Context, ids []int64) (map[int64]*textHost, error) {
	hosts := map[int64]*textHost{}
	for chunk := range slices.Chunk(ids, chunkSize) {
		args := padded(chunk)
		for _, id := range chunk {
			hosts[id] = &textHost{services: map[string]string{}}
		}
		err := each(ctx, r.tx, `SELECT host, value FROM identifier WHERE host IN (`+Marks(len(args))+`) ORDER BY host, kind, value`, args, func(rows *sql.Rows) error {
			var id int64
			var value string
			err := rows.Scan(&id, &value)
			if h := hosts[id]; !slices.Contains(h.names[max(len(h.names)-1, 0):], value) {
				h.names = append(h.names, value)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		err = each(ctx, r.tx, `SELECT host, protocol, port, name, product, version, cpes FROM service WHERE host IN (`+Marks(len(args))+`) ORDER BY host, protocol, port`, args,
			func(rows *sql.Rows) error {
				var id, port int64
				var protocol, name, product, version, cpes string
				err := rows.Scan(&id, &protocol, &port, &name, &product, &version, &cpes)
				hosts[id].services[textPlace(protocol, port)] = joined(name, product, version, saidByCPEs(cpes))
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	return hosts, nil
}

func textPlace(protocol string, port int64) string {
	return protocol + " " + strconv.FormatInt(port, 10)
}

// saidByCPEs are the vendors, products and versions of a list of CPE names: what a service runs on is often only there.
func saidByCPEs(cpes string) string {
	var out []string
	for _, name := range unlist(cpes) {
		parts := strings.Split(name, ":")
		if len(parts) < 6 || parts[0] != "cpe" {
			continue
		}
		for _, part := range parts[3:6] {
			if part = strings.ReplaceAll(part, "\\", ""); part != "*" && part != "-" && !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return strings.Join(out, " ")
}

// joined joins texts that are not empty.
func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), " ")
}

// cutText bounds a text.
func cutText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// findings reads those whose column is among ids.
func (r *textReader) findings(ctx context.Context, column string, ids []int64) (texts []finding.Text, err error) {
	type row struct {
		finding.Text
		host                                                      int64
		protocol, component, weakness, location, remedy, evidence string
		port                                                      int64
	}
	var found []row
	var of []int64
	c := r.among(column, "s.name", ids)
	err = each(ctx, r.tx, `SELECT f.id, h.site, f.host, f.protocol, f.port, f.component, f.weakness, f.title, f.location, f.remedy_name, f.last_seen,
		coalesce((SELECT substr(t.body, 1, `+fmt.Sprint(maxEvidenceText)+`) FROM evidence e JOIN text t ON t.hash = e.output WHERE e.finding = f.id
			ORDER BY e.last_seen DESC, e.id DESC LIMIT 1), '')
		FROM finding f JOIN host h ON h.id = f.host JOIN site s ON s.id = h.site WHERE `+c.String()+` ORDER BY f.id`, c.args, func(rows *sql.Rows) error {
		one, seen := row{}, int64(0)
		err := rows.Scan(&one.ID, &one.Site, &one.host, &one.protocol, &one.port, &one.component, &one.weakness, &one.Title, &one.location, &one.remedy, &seen, &one.evidence)
		one.Kind, one.At, one.Like = finding.TextFinding, moment(seen), one.weakness
		found, of = append(found, one), append(of, one.host)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(of)
	hosts, err := r.callHosts(ctx, slices.Compact(of))
	if err != nil {
		return nil, err
	}
	for _, one := range found {
		h := hosts[one.host]
		one.Title = cutText(one.Title, maxTitleText)
		service := ""
		if one.port > 0 {
			service = joined(h.services[textPlace(one.protocol, one.port)], one.protocol, strconv.FormatInt(one.port, 10))
		}
		one.Names = cutText(joined(one.weakness, one.component, service, strings.Join(h.names, " ")), maxNamesText)
		one.Body = cutText(joined(one.location, one.remedy, one.evidence), maxEvidenceText+maxTitleText)
		texts = append(texts, one.Text)
	}
	return texts, nil
}

// hosts reads those among ids, with what runs there: services, and components that findings are of.
func (r *textReader) hosts(ctx context.Context, ids []int64) (texts []finding.Text, err error) {
	var of []int64
	c := r.among("h.id", "s.name", ids)
	err = each(ctx, r.tx, `SELECT h.id, h.site, s.name, h.address, h.os, h.cpes, h.owner, h.criticality, h.tags, h.last_seen
		FROM host h JOIN site s ON s.id = h.site WHERE `+c.String()+` ORDER BY h.id`, c.args, func(rows *sql.Rows) error {
		t, seen := finding.Text{Kind: finding.TextHost}, int64(0)
		var site, os, cpes, owner, criticality, tags string
		err := rows.Scan(&t.ID, &t.Site, &site, &t.Title, &os, &cpes, &owner, &criticality, &tags, &seen)
		t.At, t.Names = moment(seen), joined(os, saidByCPEs(cpes), owner, criticality, strings.Join(unlist(tags), " "), site)
		texts, of = append(texts, t), append(of, t.ID)
		return err
	})
	if err != nil || len(of) == 0 {
		return nil, err
	}
	hosts, err := r.callHosts(ctx, of)
	if err != nil {
		return nil, err
	}
	components, err := r.components(ctx, of)
	for i := range texts {
		t, h := &texts[i], hosts[texts[i].ID]
		if t.Title == "" && len(h.names) > 0 {
			t.Title = h.names[0]
		}
		t.Names = cutText(joined(strings.Join(h.names, " "), t.Names), maxNamesText)
		for at, service := range h.services {
			components[t.ID] = append(components[t.ID], joined(at, service))
		}
		slices.Sort(components[t.ID])
		t.Body = cutText(strings.Join(components[t.ID], "; "), maxBodyText)
	}
	return texts, err
}

func (r *textReader) components(ctx context.Context, hosts []int64) (map[int64][]string, error) {
	out := map[int64][]string{}
	for chunk := range slices.Chunk(hosts, chunkSize) {
		args := padded(chunk)
		err := each(ctx, r.tx, `SELECT DISTINCT host, component FROM finding WHERE host IN (`+Marks(len(args))+`) AND component <> ''`, args, func(rows *sql.Rows) error {
			var id int64
			var component string
			err := rows.Scan(&id, &component)
			out[id] = append(out[id], component)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *textReader) scans(ctx context.Context, ids []int64) (texts []finding.Text, err error) {
	c := r.among("n.id", "n.site", ids)
	err = each(ctx, r.tx, `SELECT n.id, coalesce(s.id, 0), n.kind, n.site, n.targets, n.profile, n.status, n.reason, n.asked_by, n.created, n.scanners
		FROM scan n LEFT JOIN site s ON s.name = n.site WHERE `+c.String()+` ORDER BY n.id`, c.args, func(rows *sql.Rows) error {
		t, at := finding.Text{Kind: finding.TextScan}, int64(0)
		var kind, site, targets, profile, status, reason, by, scanners string
		err := rows.Scan(&t.ID, &t.Site, &kind, &site, &targets, &profile, &status, &reason, &by, &at, &scanners)
		if err != nil {
			return err
		}
		aims := unlist(targets)
		t.At, t.Title = moment(at), cutText(fmt.Sprintf("%s %d: %s", kind, t.ID, strings.Join(aims, ", ")), maxTitleText)
		var said []finding.ScannerRun
		if err := json.Unmarshal([]byte(scanners), &said); err != nil {
			return fmt.Errorf("scan %d: %w", t.ID, err)
		}
		var tools []string
		for _, one := range said {
			tools = append(tools, one.Name)
		}
		t.Names = cutText(joined(kind, site, strings.Join(tools, " "), strings.Join(aims, " ")), maxNamesText)
		t.Body = cutText(joined(status, profile, reason, by), maxBodyText)
		texts = append(texts, t)
		return nil
	})
	return texts, err
}
