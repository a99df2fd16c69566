package store

import (
	"archive/tar"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Dump is every row of both halves as text, sorted, by table.
func (s *Store) Dump(ctx context.Context) (map[string][]string, error) {
	out := map[string][]string{}
	for _, d := range []*database{s.estate, s.catalogue} {
		err := d.view(ctx, func(tx *Tx) error {
			tables, err := tablesOf(ctx, tx)
			if err != nil {
				return err
			}
			for _, t := range tables {
				names := t.names()
				slices.Sort(names)
				values, targets := make([]any, len(names)), make([]any, len(names))
				for i := range values {
					targets[i] = &values[i]
				}
				place := d.name + "/" + t.name
				out[place] = []string{}
				err := each(ctx, tx, `SELECT `+quotedList(names)+` FROM `+quoted(t.name), nil, func(r *sql.Rows) error {
					if err := r.Scan(targets...); err != nil {
						return err
					}
					out[place] = append(out[place], fmt.Sprintf("%q", values))
					return nil
				})
				if err != nil {
					return err
				}
				slices.Sort(out[place])
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Exec runs a statement on the estate.
func (s *Store) Exec(ctx context.Context, query string, args ...any) error {
	return s.estate.update(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	})
}

// AddTwo adds a site and a text in one transaction.
func (s *Store) AddTwo(ctx context.Context, n int) error {
	return s.estate.update(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO site (id, name, external, demo) VALUES (?, ?, 0, 0)`, 1000+n, fmt.Sprint("s", n)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO text (hash, body) VALUES (?, 'x')`, []byte(fmt.Sprint(n)))
		return err
	})
}

// ArchiveEntry is one of a made-up archive.
type ArchiveEntry struct {
	Header tar.Header
	Body   []byte
}

// Archive packs entries as a backup is packed.
func Archive(entries ...ArchiveEntry) []byte {
	var out bytes.Buffer
	packer, _ := zstd.NewWriter(&out)
	w := tar.NewWriter(packer)
	for _, e := range entries {
		e.Header.Size = int64(len(e.Body))
		if e.Header.Typeflag == 0 {
			e.Header.Typeflag = tar.TypeReg
		}
		if e.Header.Typeflag != tar.TypeReg {
			e.Header.Size = 0
		}
		_ = w.WriteHeader(&e.Header)
		_, _ = w.Write(e.Body)
	}
	_ = w.Close()
	_ = packer.Close()
	return out.Bytes()
}

// Unarchive is the reverse.
func Unarchive(archive []byte) (entries []ArchiveEntry) {
	unpacker, _ := zstd.NewReader(bytes.NewReader(archive))
	defer unpacker.Close()
	r := tar.NewReader(unpacker)
	for {
		h, err := r.Next()
		if err != nil {
			return entries
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(r)
		entries = append(entries, ArchiveEntry{*h, body.Bytes()})
	}
}

// Part is the content of one part.
func Part(columns []string, rows ...[]any) []byte {
	var b bytes.Buffer
	appendHeader(&b, columns)
	for _, row := range rows {
		_ = appendRow(&b, row)
	}
	return b.Bytes()
}

// JSON is v.
func JSON(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}

// ReadPart reads a part to its end, for fuzzing.
func ReadPart(part []byte) (n int, err error) {
	r, err := newRowReader(bytes.NewReader(part))
	if err != nil {
		return 0, err
	}
	values := make([]any, len(r.columns))
	for {
		if err := r.row(values); err != nil {
			return n, err
		}
		n++
	}
}
