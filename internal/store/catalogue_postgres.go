package store

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/fault"
)

func (p *postgresSchema) lockLoader(ctx context.Context, wait time.Duration) (func(), error) {
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	unlock, err := advisoryLock(limited, p.handle(), lockCatalogue)
	if err != nil && ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded) {
		return nil, fault.Conflict("another process is loading the %s", p.schema)
	}
	return unlock, err
}

// rebuild fills a schema of its own and gives it the name in one transaction. Readers that are under way finish on the
// old tables, which go when they are done.
func (p *postgresSchema) rebuild(ctx context.Context, fn func(catalogue.Writer) error) error {
	next := p.schema + "_next"
	old := p.schema + "_old"
	for _, schema := range []string{old, next} { // what a killed process left
		if err := p.drop(ctx, schema, dropWait); err != nil {
			return err
		}
	}
	if _, err := p.handle().ExecContext(ctx, `CREATE SCHEMA `+next); err != nil {
		return err
	}
	if err := p.fillNext(ctx, next, fn); err != nil {
		_, dropErr := p.handle().ExecContext(context.WithoutCancel(ctx), `DROP SCHEMA IF EXISTS `+next+` CASCADE`)
		return errors.Join(err, dropErr)
	}
	_, err := p.handle().ExecContext(ctx, `BEGIN; ALTER SCHEMA `+p.schema+` RENAME TO `+old+`; ALTER SCHEMA `+next+
		` RENAME TO `+p.schema+`; COMMIT`)
	if err != nil {
		return fmt.Errorf("switch schemas: %w", err)
	}
	if err := p.drop(ctx, old, dropWait); err != nil && ctx.Err() == nil {
		return nil // somebody still reads it: the next load removes it
	}
	return ctx.Err()
}

// lockNotAvailable is PostgreSQL's error code for a lock that NOWAIT did not get.
const lockNotAvailable = "55P03"

// dropWait is how long readers of old tables are waited for.
const dropWait = 30 * time.Second

// drop removes a schema, if it is there. It takes the locks of all tables at once or none: waiting for one table while
// holding another would be a deadlock with a reader that came the other way round.
func (p *postgresSchema) drop(ctx context.Context, schema string, wait time.Duration) error {
	for deadline := time.Now().Add(wait); ; {
		err := p.dropNow(ctx, schema)
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != lockNotAvailable || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *postgresSchema) dropNow(ctx context.Context, schema string) error {
	tx, err := p.handle().BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	var tables sql.NullString
	err = tx.QueryRowContext(ctx, `SELECT string_agg(quote_ident(schemaname) || '.' || quote_ident(tablename), ', ' ORDER BY tablename)
		FROM pg_tables WHERE schemaname = $1`, schema).Scan(&tables)
	if err != nil {
		return err
	}
	if tables.Valid {
		if _, err := tx.ExecContext(ctx, `LOCK TABLE `+tables.String+` IN ACCESS EXCLUSIVE MODE NOWAIT`); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `DROP SCHEMA IF EXISTS `+schema+` CASCADE`); err != nil {
		return err
	}
	return tx.Commit()
}

func (p *postgresSchema) fillNext(ctx context.Context, next string, fn func(catalogue.Writer) error) error {
	db := p.server.pool(next, 2)
	defer db.Close() //nolint:errcheck // everything was committed or rolled back before
	if err := migrateUp(ctx, db, Postgres, p.schema); err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it only goes back to the pool
	sqlTx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	tx := &Tx{Tx: sqlTx, engine: Postgres}
	err = p.fillTables(ctx, conn, tx, fn)
	if err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `ANALYZE cve (id); ANALYZE cve_fact; ANALYZE cve_cwe; ANALYZE product_pack1`)
	return err
}

func (p *postgresSchema) fillTables(ctx context.Context, conn *sql.Conn, tx *Tx, fn func(catalogue.Writer) error) error {
	// Indexes are made in one piece of memory, which takes half the time of several.
	for _, statement := range append([]string{`SET LOCAL maintenance_work_mem = '256MB'`}, carryOver(p.schema+".")...) {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return withoutIndexes(ctx, tx, func() error {
		w := newCatalogueWriter(ctx, tx)
		w.building = true
		w.copyConn = conn
		return errors.Join(fn(w), w.close())
	})
}

// copyStream is a COPY under way: rows go into the pipe, a goroutine sends them.
type copyStream struct {
	pipe *io.PipeWriter
	buf  *bufio.Writer
	done chan error
	line []byte

	seen map[string]struct{}

	facts, cwes []byte // some 200 and 20 bytes a CVE
}

const copyCVE = `COPY cve (id, record, words) FROM STDIN BINARY`

var copyFacts = `COPY cve_fact (` + strings.Join(factColumns, ", ") + `) FROM STDIN`

const copyCWEs = `COPY cve_cwe (cve, cwe) FROM STDIN`

func (w *catalogueWriter) startCopy() {
	r, pipe := io.Pipe()
	w.copy = &copyStream{pipe: pipe, buf: bufio.NewWriterSize(pipe, 1<<18), done: make(chan error, 1), seen: map[string]struct{}{}}
	done := w.copy.done
	go func() {
		err := w.copyConn.Raw(func(driverConn any) error {
			_, err := driverConn.(*stdlib.Conn).Conn().PgConn().CopyFrom(w.ctx, r, copyCVE)
			return err
		})
		_ = r.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // whoever still writes must not wait for ever
		done <- err
	}()
}

func (w *catalogueWriter) copyRow(r *catalogue.Row) error {
	if w.copy == nil {
		w.startCopy()
	}
	c := w.copy
	if len(c.facts) == 0 { // the first row
		if _, err := c.buf.WriteString(copyHeader); err != nil {
			return fmt.Errorf("copy rows: %w", err)
		}
	}
	// One connection copies into one table at a time: what belongs into the others waits.
	c.facts = appendFactLine(c.facts, r)
	for _, cwe := range r.CWEs {
		c.cwes = strconv.AppendInt(c.cwes, int64(r.ID), 10)
		c.cwes = strconv.AppendInt(append(c.cwes, '\t'), int64(cwe), 10)
		c.cwes = append(c.cwes, '\n')
	}
	c.line = appendCopyRow(c.line[:0], r, words(r, c.seen))
	if _, err := c.buf.Write(c.line); err != nil {
		return fmt.Errorf("copy rows: %w", err)
	}
	return nil
}

// endCopy completes a COPY, since no other statement may run on its connection meanwhile.
func (w *catalogueWriter) endCopy() error {
	c := w.copy
	if c == nil {
		return nil
	}
	w.copy = nil
	_, err := c.buf.WriteString(copyTrailer)
	err = errors.Join(err, c.buf.Flush())
	_ = c.pipe.CloseWithError(err) // nil is the end of the data
	if err := errors.Join(err, <-c.done); err != nil {
		return err
	}
	return w.copyConn.Raw(func(driverConn any) error {
		conn := driverConn.(*stdlib.Conn).Conn().PgConn()
		if _, err := conn.CopyFrom(w.ctx, bytes.NewReader(c.facts), copyFacts); err != nil {
			return err
		}
		_, err := conn.CopyFrom(w.ctx, bytes.NewReader(c.cwes), copyCWEs)
		return err
	})
}

// The frame of COPY's binary format (PostgreSQL 15, COPY, "Binary Format"): in text a record would be twice as long, and
// both sides would spend their time on digits.
const (
	copyHeader  = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"
	copyTrailer = "\xff\xff"
)

// appendCopyRow writes a record's row.
func appendCopyRow(b []byte, r *catalogue.Row, words []weighed) []byte {
	b = binary.BigEndian.AppendUint16(b, 3)
	b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), uint64(r.ID))
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(r.Record))), r.Record...)
	size := len(b)
	b = binary.BigEndian.AppendUint32(append(b, 0, 0, 0, 0), uint32(len(words)))
	for i, w := range words { // tsvectorrecv: the word, a zero, and its places with their weights in the upper two bits
		b = append(append(b, w.word...), 0)
		b = binary.BigEndian.AppendUint16(b, 1)
		b = binary.BigEndian.AppendUint16(b, uint16(3-(w.weight-'A'))<<14|uint16(min(i+1, 16383)))
	}
	binary.BigEndian.PutUint32(b[size:], uint32(len(b)-size-4))
	return b
}

func appendCopyText(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; c {
		case '\\':
			b = append(b, `\\`...)
		case '\t':
			b = append(b, `\t`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		default:
			b = append(b, c)
		}
	}
	return b
}

// weighed is a word with the weight of the best place where it stands.
type weighed struct {
	word   string
	weight byte // A to D
}

// words lists a record's words, each once and in no order, with the same weights as the SQLite index: title A, products
// B, the beginning of the description D. They are cut as SQLite's tokenizer cuts them, so that both engines find the same.
// seen is room that may be used again.
func words(r *catalogue.Row, seen map[string]struct{}) (list []weighed) {
	clear(seen)
	for _, part := range []struct {
		text   string
		weight byte
	}{{r.Title, 'A'}, {r.Products, 'B'}, {beginning(r.Description), 'D'}} {
		for _, word := range catalogue.SplitWords(clean(part.text)) {
			if _, known := seen[word]; known || len(word) >= maxLexeme || len(list) >= maxWords {
				continue
			}
			seen[word] = struct{}{}
			list = append(list, weighed{word, part.weight})
		}
	}
	return list
}

// textVector writes a record's words as a tsvector literal.
func textVector(r *catalogue.Row) string {
	var b []byte
	for i, w := range words(r, map[string]struct{}{}) {
		// Words are letters and digits, so nothing in them needs quoting beyond the quotes.
		b = append(append(append(b, " '"...), w.word...), "':"...)
		b = append(strconv.AppendInt(b, int64(min(i+1, 16383)), 10), w.weight)
	}
	return string(bytes.TrimPrefix(b, []byte(" ")))
}

// PostgreSQL's limits: a lexeme below 2 KiB, a tsvector below 1 MiB.
const (
	maxLexeme = 255
	maxWords  = 4096
)
