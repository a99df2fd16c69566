package store

import (
	"fmt"
	"strings"
)

// sheet is a table as bulk writing sees it. Rows come one by one and are written so on SQLite; PostgreSQL, where every
// statement waits for the wire, is sent thousands in one, as arrays.
type sheet struct {
	name    string
	keys    int // the first columns, which are the primary key
	columns []string
	kinds   []string

	put, insert, erase map[Engine]string
}

// newSheet describes columns as "name kind", where kind is bigint, double or text; "?" behind it allows nil.
// newer, if not "", is a condition on the stored row and on excluded under which the one is replaced by the other.
func newSheet(name string, keys int, newer string, columns ...string) *sheet {
	s := &sheet{name: name, keys: keys}
	for _, c := range columns {
		column, kind, _ := strings.Cut(c, " ")
		s.columns, s.kinds = append(s.columns, column), append(s.kinds, kind)
	}
	into := `INSERT INTO ` + name + ` (` + strings.Join(s.columns, `, `) + `)`
	s.insert = map[Engine]string{
		SQLite:   into + ` VALUES (` + Marks(len(columns)) + `)`,
		Postgres: into + ` SELECT * FROM unnest(` + s.arrays(len(columns)) + `)`,
	}
	s.put = map[Engine]string{SQLite: s.insert[SQLite] + s.conflict(newer), Postgres: s.insert[Postgres] + s.conflict(newer)}
	var same, joined []string
	for _, key := range s.columns[:keys] {
		same, joined = append(same, key+` = ?`), append(joined, `t.`+key+` = gone.`+key)
	}
	s.erase = map[Engine]string{
		SQLite: `DELETE FROM ` + name + ` WHERE ` + strings.Join(same, ` AND `),
		Postgres: `DELETE FROM ` + name + ` t USING unnest(` + s.arrays(keys) + `) AS gone (` + strings.Join(s.columns[:keys], `, `) +
			`) WHERE ` + strings.Join(joined, ` AND `),
	}
	return s
}

func (s *sheet) conflict(newer string) string {
	sets := make([]string, 0, len(s.columns))
	for _, c := range s.columns[s.keys:] {
		sets = append(sets, c+` = excluded.`+c)
	}
	c := ` ON CONFLICT (` + strings.Join(s.columns[:s.keys], `, `) + `) DO UPDATE SET ` + strings.Join(sets, `, `)
	if newer != "" {
		c += ` WHERE ` + newer
	}
	return c
}

// arrays lists a parameter for each of the first n columns.
func (s *sheet) arrays(n int) string {
	casts := make([]string, n)
	for i, kind := range s.kinds[:n] {
		kind = strings.TrimSuffix(kind, "?")
		if kind == "double" {
			kind = "double precision"
		}
		casts[i] = `CAST(? AS ` + kind + `[])`
	}
	return strings.Join(casts, `, `)
}

// batchRows go to PostgreSQL at once.
const batchRows = 5000

// batch is rows of one statement that wait to be sent.
type batch struct {
	statement string
	columns   []cells
	known     map[[4]any]struct{}
	rows      int
}

// bulkPut adds or replaces a row.
func (w *catalogueWriter) bulkPut(s *sheet, row ...any) error { return w.bulk(s, s.put, row) }

// bulkInsert adds a row that is not there. On PostgreSQL that costs half.
func (w *catalogueWriter) bulkInsert(s *sheet, row ...any) error { return w.bulk(s, s.insert, row) }

// bulkDelete removes the row of a key.
func (w *catalogueWriter) bulkDelete(s *sheet, key ...any) error { return w.bulk(s, s.erase, key) }

func (w *catalogueWriter) bulk(s *sheet, statement map[Engine]string, row []any) error {
	if w.tx.engine == Postgres {
		return w.add(s, statement[Postgres], row)
	}
	return w.exec(statement[SQLite], row...)
}

func (w *catalogueWriter) add(s *sheet, statement string, row []any) error {
	var key [4]any
	copy(key[:], row[:s.keys])
	if b := w.batch; b != nil {
		_, repeated := b.known[key] // no statement may touch a row twice
		if b.statement != statement || b.rows >= batchRows || repeated {
			if err := w.endBatch(); err != nil {
				return err
			}
		}
	}
	if w.batch == nil {
		b, err := newBatch(s, statement, len(row))
		if err != nil {
			return err
		}
		w.batch = b
	}
	b := w.batch
	b.known[key] = struct{}{}
	b.rows++
	for i, value := range row {
		if !b.columns[i].add(value) {
			return fmt.Errorf("column %s of %s: a %T cannot be stored in it", s.columns[i], s.name, value)
		}
	}
	return nil
}

func newBatch(s *sheet, statement string, columns int) (*batch, error) {
	b := &batch{statement: statement, known: make(map[[4]any]struct{}, batchRows)}
	for _, kind := range s.kinds[:columns] {
		switch kind {
		case "bigint":
			b.columns = append(b.columns, &column[int64]{})
		case "bigint?":
			b.columns = append(b.columns, &column[*int64]{})
		case "double":
			b.columns = append(b.columns, &column[float64]{})
		case "double?":
			b.columns = append(b.columns, &column[*float64]{})
		case "text":
			b.columns = append(b.columns, &column[string]{})
		case "bytea":
			b.columns = append(b.columns, &column[[]byte]{})
		default:
			return nil, fmt.Errorf("table %s: column kind %q", s.name, kind)
		}
	}
	return b, nil
}

// endBatch sends what waits. Whoever reads tables or runs statements of its own calls it first.
func (w *catalogueWriter) endBatch() error {
	b := w.batch
	if b == nil {
		return nil
	}
	w.batch = nil
	args := make([]any, len(b.columns))
	for i, c := range b.columns {
		args[i] = c.values()
	}
	return w.exec(b.statement, args...)
}

// cells is one column of a batch.
type cells interface {
	add(value any) bool
	values() any
}

type column[T any] struct{ list []T }

func (c *column[T]) add(value any) bool {
	v, ok := value.(T)
	c.list = append(c.list, v)
	return ok
}

func (c *column[T]) values() any { return c.list }
