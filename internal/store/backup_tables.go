package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// keptTable is one that is backed up.
type keptTable struct {
	name    string
	columns []keptColumn
	parents []string // that its rows refer to
}

// keptColumn is one whose values are backed up.
type keptColumn struct{ name, kind string }

// The kinds of columns, the same on both engines.
const (
	kindInt   = "integer"
	kindReal  = "real"
	kindText  = "text"
	kindBytes = "bytes"
)

func (t keptTable) names() (names []string) {
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	return names
}

func (t keptTable) list() string { return quotedList(t.names()) }

func (t keptTable) column(name string) (keptColumn, bool) {
	i := slices.IndexFunc(t.columns, func(c keptColumn) bool { return c.name == name })
	if i < 0 {
		return keptColumn{}, false
	}
	return t.columns[i], true
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quotedList(names []string) string {
	quotes := make([]string, len(names))
	for i, name := range names {
		quotes[i] = quoted(name)
	}
	return strings.Join(quotes, ", ")
}

// tablesOf lists the tables of a half with those before others that these refer to.
func tablesOf(ctx context.Context, tx *Tx) ([]keptTable, error) {
	read := sqliteTables
	if tx.engine == Postgres {
		read = postgresTables
	}
	tables, err := read(ctx, tx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(tables, func(a, b keptTable) int { return cmp.Compare(a.name, b.name) })
	return parentsFirst(tables), nil
}

func parentsFirst(tables []keptTable) (sorted []keptTable) {
	done := map[string]bool{}
	for len(sorted) < len(tables) {
		before := len(sorted)
		for _, t := range tables {
			waits := slices.ContainsFunc(t.parents, func(p string) bool { return p != t.name && !done[p] })
			if !done[t.name] && !waits {
				done[t.name] = true
				sorted = append(sorted, t)
			}
		}
		if len(sorted) == before {
			return tables // a circle, which our schemas do not have
		}
	}
	return sorted
}

// sqliteTables leaves out the index of words, which is made anew, and SQLite's and goose's own tables.
func sqliteTables(ctx context.Context, tx *Tx) (tables []keptTable, err error) {
	var names []string
	err = each(ctx, tx, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE 'cve\_text%' ESCAPE '\'
		AND name <> '`+versionTable+`'`, nil, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		t := keptTable{name: name}
		err := each(ctx, tx, `SELECT name, type FROM pragma_table_info(?)`, []any{name}, func(rows *sql.Rows) error {
			var c keptColumn
			if err := rows.Scan(&c.name, &c.kind); err != nil {
				return err
			}
			if c.kind, err = sqliteKind(c.kind); err != nil {
				return fmt.Errorf("%s.%s: %w", name, c.name, err)
			}
			t.columns = append(t.columns, c)
			return nil
		})
		if err != nil {
			return nil, err
		}
		err = each(ctx, tx, `SELECT DISTINCT "table" FROM pragma_foreign_key_list(?)`, []any{name}, func(rows *sql.Rows) error {
			var parent string
			err := rows.Scan(&parent)
			t.parents = append(t.parents, parent)
			return err
		})
		if err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return tables, nil
}

func sqliteKind(declared string) (string, error) {
	switch strings.ToUpper(declared) {
	case "INTEGER", "BIGINT", "SMALLINT", "INT":
		return kindInt, nil
	case "DOUBLE PRECISION", "REAL":
		return kindReal, nil
	case "TEXT":
		return kindText, nil
	case "BLOB":
		return kindBytes, nil
	}
	return "", fmt.Errorf("columns of type %q are not backed up", declared)
}

// postgresTables leaves out columns of words, which are made anew.
func postgresTables(ctx context.Context, tx *Tx) (tables []keptTable, err error) {
	index := map[string]int{}
	err = each(ctx, tx, `SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
		JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE'
		WHERE c.table_schema = current_schema() AND c.table_name <> '`+versionTable+`' ORDER BY c.table_name, c.ordinal_position`, nil,
		func(rows *sql.Rows) error {
			var name, kind string
			var c keptColumn
			if err := rows.Scan(&name, &c.name, &kind); err != nil {
				return err
			}
			i, known := index[name]
			if !known {
				i = len(tables)
				index[name] = i
				tables = append(tables, keptTable{name: name})
			}
			if kind == "tsvector" {
				return nil
			}
			if c.kind, err = postgresKind(kind); err != nil {
				return fmt.Errorf("%s.%s: %w", name, c.name, err)
			}
			tables[i].columns = append(tables[i].columns, c)
			return nil
		})
	if err != nil {
		return nil, err
	}
	return tables, each(ctx, tx, `SELECT child.relname, parent.relname FROM pg_constraint k JOIN pg_class child ON child.oid = k.conrelid
		JOIN pg_class parent ON parent.oid = k.confrelid JOIN pg_namespace n ON n.oid = child.relnamespace
		WHERE k.contype = 'f' AND n.nspname = current_schema()`, nil, func(rows *sql.Rows) error {
		var child, parent string
		if err := rows.Scan(&child, &parent); err != nil {
			return err
		}
		if i, known := index[child]; known {
			tables[i].parents = append(tables[i].parents, parent)
		}
		return nil
	})
}

func postgresKind(name string) (string, error) {
	switch name {
	case "bigint", "integer", "smallint":
		return kindInt, nil
	case "double precision", "real":
		return kindReal, nil
	case "text":
		return kindText, nil
	case "bytea":
		return kindBytes, nil
	}
	return "", fmt.Errorf("columns of type %q are not backed up", name)
}
