package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// Tx is one transaction on either engine. Statements are written with `?`; on PostgreSQL they are numbered $1, $2, …
// A Tx belongs to one goroutine and ends with the function that received it.
type Tx struct {
	*sql.Tx
	engine Engine
}

// Engine says which SQL to speak where the two differ.
func (t *Tx) Engine() Engine { return t.engine }

// Exec runs a statement that returns no rows.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.ExecContext(ctx, t.bind(query), args...)
}

// Query runs a statement that returns rows. The caller closes them and checks Err.
func (t *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.QueryContext(ctx, t.bind(query), args...)
}

// QueryRow runs a statement that returns at most one row.
func (t *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return t.QueryRowContext(ctx, t.bind(query), args...)
}

// Prepare readies a statement for many executions in this transaction: the fast way to write many rows on both engines
// (multi-row VALUES with numbered parameters are quadratic on modernc). The caller closes it.
func (t *Tx) Prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	return t.PrepareContext(ctx, t.bind(query))
}

func (t *Tx) bind(query string) string {
	if t.engine != Postgres {
		return query
	}
	return numbered(query)
}

// numbered rewrites each ? outside of quotes to $1, $2, ….
func numbered(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	n, quote := 0, byte(0)
	for i := range len(query) {
		c := query[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '?':
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Marks returns n question marks joined by commas, for IN (…). n must be at least 1.
func Marks(n int) string {
	return strings.Repeat("?,", n-1) + "?"
}
