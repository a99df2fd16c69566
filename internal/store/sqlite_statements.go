package store

import (
	"context"
	"database/sql/driver"
	"errors"
)

// maxStatements is how many compiled statements a connection keeps. A server asks some hundred different ones; each is
// some ten thousand bytes.
const maxStatements = 128

// remembering is a connection of SQLite that keeps what it has compiled: a server asks the same few statements over and
// over, and to compile one takes longer than to run it. It belongs to one goroutine at a time, as database/sql grants.
type remembering struct {
	sqliteConn
	kept map[string]*statement
	uses int64
}

// sqliteConn is what a connection of the driver can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// statement is a compiled one.
type statement struct {
	driver.Stmt
	ask  driver.StmtQueryContext
	busy bool // its rows are being read
	used int64
}

// remember wraps a connection; one that cannot be wrapped stays as it is.
func remember(conn driver.Conn) driver.Conn {
	c, ok := conn.(sqliteConn)
	if !ok {
		return conn
	}
	return &remembering{sqliteConn: c, kept: map[string]*statement{}}
}

// QueryContext runs the kept statement unless somebody is reading its rows.
func (c *remembering) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil || s.busy {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := s.ask.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &keptRows{Rows: rows, of: s}, nil
}

// statement is nil for what the driver cannot keep.
func (c *remembering) statement(ctx context.Context, query string) (*statement, error) {
	c.uses++
	if s := c.kept[query]; s != nil {
		s.used = c.uses
		return s, nil
	}
	if err := c.makeRoom(); err != nil {
		return nil, err
	}
	compiled, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	ask, ok := compiled.(driver.StmtQueryContext)
	if !ok {
		return nil, compiled.Close()
	}
	s := &statement{Stmt: compiled, ask: ask, used: c.uses}
	c.kept[query] = s
	return s, nil
}

// makeRoom lets go of the statement that was not asked for the longest.
func (c *remembering) makeRoom() error {
	if len(c.kept) < maxStatements {
		return nil
	}
	oldest := ""
	for query, s := range c.kept {
		if !s.busy && (oldest == "" || s.used < c.kept[oldest].used) {
			oldest = query
		}
	}
	s := c.kept[oldest]
	if s == nil {
		return nil
	}
	delete(c.kept, oldest)
	return s.Close()
}

func (c *remembering) Close() error {
	var errs []error
	for _, s := range c.kept {
		errs = append(errs, s.Close())
	}
	c.kept = nil
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}

// keptRows gives its statement back when it is closed.
type keptRows struct {
	driver.Rows
	of *statement
}

func (r *keptRows) Close() error {
	r.of.busy = false
	return r.Rows.Close()
}
