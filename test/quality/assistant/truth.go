package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	_ "modernc.org/sqlite" // the databases are read beside the product, not through it
)

// truth answers from the databases themselves.
type truth struct {
	db  *sql.DB
	now time.Time
}

// views spare the questions what they have in common: o is what counts by default (open, confirmed, not set aside), f all
// findings, h hosts, s what answers, c the catalogue.
var views = []string{
	`create temp view f as select f.*, h.address, p.name as site, h.os, h.owner, h.criticality, h.tags,
		v.name as service, v.product as product, v.version as version,
		case when f.weakness like 'CVE-%' then f.weakness else f.title end as called,
		(f.triage in ('none','confirmed') and f.status='affected' and f.confidence>=70 and f.withdrawn=0) as shown,
		(f.state in ('open','reopened') and f.triage in ('none','confirmed') and f.status='affected' and f.confidence>=70 and f.withdrawn=0) as counts
		from finding f join host h on h.id=f.host join site p on p.id=h.site left join service v on v.host=f.host and v.protocol=f.protocol and v.port=f.port`,
	`create temp view o as select * from f where counts`,
	`create temp view h as select h.id, h.address, h.status, h.os, h.owner, h.criticality, h.tags, h.first_seen, h.last_seen, p.name as site from host h join site p on p.id=h.site`,
	// A port that was closed when its host was looked at last answers no more.
	`create temp view s as select v.*, h.address, h.os, h.tags, h.owner, h.site from service v join h on h.id=v.host
		where v.last_seen >= (select max(last_seen) from service w where w.host=v.host) - 3600000`,
	`create temp view c as select 'CVE-' || (id>>32) || '-' || printf('%04d', id & 4294967295) as cve, * from cve_fact`,
}

func openTruth(ctx context.Context, dir string) (*truth, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "estate.db")+"?mode=ro")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // temporary views are of a connection
	t := &truth{db: db, now: time.Now()}
	if _, err := db.ExecContext(ctx, "attach database ? as catalogue", "file:"+filepath.Join(dir, "catalogue.db")+"?mode=ro"); err != nil {
		return nil, err
	}
	for _, v := range views {
		if _, err := db.ExecContext(ctx, v); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *truth) close() { _ = t.db.Close() }

func isQuery(text string) bool { return strings.HasPrefix(text, "select ") }

// rows runs a query, and has each row as text. What is not a query is its own row.
func (t *truth) rows(ctx context.Context, query string) (out [][]string, err error) {
	if !isQuery(query) {
		return [][]string{{query}}, nil
	}
	month := time.Date(t.now.Year(), t.now.Month(), 1, 0, 0, 0, 0, t.now.Location())
	query = strings.NewReplacer(":now", strconv.FormatInt(t.now.UnixMilli(), 10), ":month", strconv.FormatInt(month.UnixMilli(), 10)).Replace(query)
	rows, err := t.db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		text := make([]string, len(row))
		for i, v := range row {
			text[i] = v.String
		}
		out = append(out, text)
	}
	return out, rows.Err()
}

// knows says whether the catalogue has a record of one of the CVEs.
func (t *truth) knows(ctx context.Context, ids []string) (bool, error) {
	n := 0
	for _, text := range ids {
		id, err := cve.ParseID(text)
		if err != nil {
			return false, err
		}
		var has int
		if err := t.db.QueryRowContext(ctx, "select count(*) from cve_fact where id = ?", int64(id)).Scan(&has); err != nil {
			return false, err
		}
		n += has
	}
	return n > 0, nil
}
