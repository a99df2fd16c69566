package store

import (
	"context"
	"fmt"
	"testing"
)

func TestAKeptStatementAnswersAnewEachTime(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // nothing is pending
	read := func(query string, args ...any) (got string) {
		t.Helper()
		if err := s.estate.view(ctx, func(tx *Tx) error { return tx.QueryRow(ctx, query, args...).Scan(&got) }); err != nil {
			t.Fatal(err)
		}
		return got
	}
	for i := range 3 * maxStatements { // more than are kept, and each twice
		query := fmt.Sprintf(`SELECT ? || '%d'`, i/2)
		if got, want := read(query, "n"), fmt.Sprint("n", i/2); got != want {
			t.Fatalf("%s: %q, want %q", query, got, want)
		}
	}
	const names = `SELECT group_concat(name) FROM site`
	before := read(names)
	if err := s.estate.update(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO site (name, external, demo) VALUES ('branch', 0, 0)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if after := read(names); after == before {
		t.Errorf("still %s", after)
	}
}

// The rows of a statement are read while the same one is asked again, and a reader may stop before the end.
func TestAKeptStatementIsNotSharedWhileItIsRead(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // nothing is pending
	const numbers = `SELECT value FROM json_each(?)`
	for range 3 {
		sum := 0
		if err := s.estate.view(ctx, func(tx *Tx) error {
			rows, err := tx.Query(ctx, numbers, `[1,2,3]`) //nolint:sqlclosecheck // eachRow closes them
			if err != nil {
				return err
			}
			return eachRow(rows, func() error {
				var outer, inner int
				if err := rows.Scan(&outer); err != nil {
					return err
				}
				err := tx.QueryRow(ctx, numbers, `[10,20]`).Scan(&inner) // which reads one of two
				sum += outer * inner
				return err
			})
		}); err != nil {
			t.Fatal(err)
		}
		if sum != 60 {
			t.Errorf("the sum is %d, want 60", sum)
		}
	}
}
