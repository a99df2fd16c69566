package store

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/patchscout/patchscout/internal/fault"
)

// A backup is a tar in zstd:
//
//	head.json               format, engine, when, schema versions: what must be known before anything is read
//	estate/<table>/000001   rows (backup_rows.go), a few megabytes a part, parents before children
//	catalogue/<table>/…
//	manifest.json           the head again, and of each part its rows and SHA-256
//
// The rows are the same from both engines, so that what was backed up on one can be restored on the other. What can be
// computed from other rows in a way that differs between them (the words of the search index) is left out, and so is
// what must not outlive the server: sessions, logins under way, tickets. Key files are no part of a database.

// BackupFormat is raised when older programs could not read what is written.
const BackupFormat = 1

// BackupHead begins an archive.
type BackupHead struct {
	Format  int              `json:"format"`
	Program string           `json:"program"` // the version that wrote it
	Engine  Engine           `json:"engine"`
	Created time.Time        `json:"created"`
	Schemas map[string]int64 `json:"schemas"` // of estate, and of catalogue where it is in the archive
}

// Manifest ends an archive.
type Manifest struct {
	BackupHead
	Tables map[string]int64 `json:"tables"` // rows by "estate/finding"
	Parts  []BackupPart     `json:"parts"`
}

// BackupPart is one entry of the archive.
type BackupPart struct {
	Name   string `json:"name"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Rows is how many rows there are of one half.
func (m Manifest) Rows(half string) (n int64) {
	for name, rows := range m.Tables {
		if strings.HasPrefix(name, half+"/") {
			n += rows
		}
	}
	return n
}

// BackupOptions say what to put into an archive.
type BackupOptions struct {
	Program          string
	WithoutCatalogue bool // it can be loaded from the feeds again
}

const (
	headName     = "head.json"
	manifestName = "manifest.json"
	partSize     = 4 << 20
)

// leftOut are tables whose rows must not outlive the server that they were made on.
var leftOut = []string{"session", "login_flow", "login_failure", "live_ticket"}

// Backup writes everything that is stored, as it was at one moment of each half, while others go on to read and write.
func (s *Store) Backup(ctx context.Context, w io.Writer, o BackupOptions) (Manifest, error) {
	halves := []*database{s.estate}
	if !o.WithoutCatalogue {
		halves = append(halves, s.catalogue)
	}
	head := BackupHead{Format: BackupFormat, Program: o.Program, Engine: s.engine, Created: s.opts.Now().UTC(), Schemas: map[string]int64{}}
	for _, d := range halves {
		version, err := newest(s.engine, d.name)
		if err != nil {
			return Manifest{}, err
		}
		head.Schemas[d.name] = version // view opens no other
	}
	packer, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		return Manifest{}, err
	}
	b := &backup{tar: tar.NewWriter(packer), manifest: Manifest{BackupHead: head, Tables: map[string]int64{}, Parts: []BackupPart{}}}
	err = b.document(headName, head)
	for _, d := range halves {
		if err == nil {
			err = d.steady(ctx, func(tx *Tx) error { return b.half(ctx, tx, d.name) })
		}
	}
	if err == nil {
		err = b.document(manifestName, b.manifest)
	}
	if err == nil {
		err = b.tar.Close()
	}
	if closeErr := packer.Close(); err == nil {
		err = closeErr
	}
	return b.manifest, unavailable(ctx, s.engine, err)
}

type backup struct {
	tar      *tar.Writer
	manifest Manifest
}

func (b *backup) document(name string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return b.entry(name, text)
}

func (b *backup) entry(name string, content []byte) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(content)), ModTime: b.manifest.Created, Format: tar.FormatPAX}
	if err := b.tar.WriteHeader(header); err != nil {
		return err
	}
	_, err := b.tar.Write(content)
	return err
}

// half writes all tables of one half in one transaction.
func (b *backup) half(ctx context.Context, tx *Tx, name string) error {
	if len(b.manifest.Tables) > 0 && b.manifest.Rows(name) > 0 {
		return fault.Unavailable("the %s was replaced while it was read: try again", name) // steady calls again; the archive has it already
	}
	tables, err := tablesOf(ctx, tx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if slices.Contains(leftOut, t.name) {
			continue
		}
		if err := b.table(ctx, tx, name, t); err != nil {
			return fmt.Errorf("back up %s.%s: %w", name, t.name, err)
		}
	}
	return nil
}

func (b *backup) table(ctx context.Context, tx *Tx, half string, t keptTable) error {
	place := half + "/" + t.name
	b.manifest.Tables[place] = 0
	part, rows, number := newPart(t), int64(0), 0
	flush := func() error {
		number++
		name := fmt.Sprintf("%s/%06d", place, number)
		sum := sha256.Sum256(part.Bytes())
		b.manifest.Parts = append(b.manifest.Parts, BackupPart{Name: name, Rows: rows, SHA256: hex.EncodeToString(sum[:])})
		b.manifest.Tables[place] += rows
		err := b.entry(name, part.Bytes())
		part, rows = newPart(t), 0
		return err
	}
	values, targets := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range values {
		targets[i] = &values[i]
	}
	err := each(ctx, tx, `SELECT `+t.list()+` FROM `+quoted(t.name), nil, func(r *sql.Rows) error {
		if err := r.Scan(targets...); err != nil {
			return err
		}
		if err := appendRow(part, values); err != nil {
			return err
		}
		if rows++; part.Len() < partSize {
			return nil
		}
		return flush()
	})
	if err != nil || rows == 0 && number > 0 {
		return err
	}
	return flush()
}

func newPart(t keptTable) *bytes.Buffer {
	part := &bytes.Buffer{}
	appendHeader(part, t.names())
	return part
}
