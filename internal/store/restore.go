package store

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/patchscout/patchscout/internal/fault"
)

// RestoreOptions say how to put back what a backup holds.
type RestoreOptions struct {
	// Force replaces data that is there. The old data is kept beside it; Restored says where.
	Force bool
}

// Restored is what a restore came to.
type Restored struct {
	Manifest Manifest
	Old      []string // where the data that was there is kept: folders, or schemas of PostgreSQL
}

// target is where an archive is unpacked: beside what is there, which stays as it is until the end.
type target interface {
	// prepare refuses when others use the data, or when there is some and force is not set.
	prepare(ctx context.Context, force bool) error
	// begin makes the tables of a half as they were at a version, without rows, and returns them.
	begin(ctx context.Context, half string, version int64) ([]keptTable, error)
	// load puts rows into a table of the half that was begun last.
	load(ctx context.Context, t keptTable, rows *rowReader) (int64, error)
	// complete brings the half up to date and checks that every row that is referred to is there. counts are its rows.
	complete(ctx context.Context, counts map[string]int64) error
	// take puts what was unpacked in the place of what was there, all at once, and says where the latter is now.
	take(ctx context.Context) ([]string, error)
	// close removes what was unpacked and not taken.
	close() error
}

// Restore puts back a backup, of either engine. Nothing of what is there changes before all of the archive has been read
// and found right; a process that is killed leaves the old data. Sessions and tokens do not come back. fault.Invalid says
// that the archive cannot be used, fault.Conflict that the data is in use or not empty.
func Restore(ctx context.Context, opts Options, from io.Reader, o RestoreOptions) (Restored, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	t, engine, err := newTarget(ctx, opts)
	if err != nil {
		return Restored{}, err
	}
	r := restore{target: t, engine: engine}
	if err = t.prepare(ctx, o.Force); err == nil {
		err = r.read(ctx, from)
	}
	done := Restored{Manifest: r.manifest}
	if err == nil {
		done.Old, err = t.take(context.WithoutCancel(ctx))
	}
	return done, unavailable(ctx, engine, errors.Join(err, t.close()))
}

func newTarget(ctx context.Context, opts Options) (target, Engine, error) {
	if opts.DatabaseURL != "" {
		t, err := newPostgresTarget(opts)
		return t, Postgres, err
	}
	t, err := newSQLiteTarget(ctx, opts)
	return t, SQLite, err
}

type restore struct {
	target   target
	engine   Engine
	manifest Manifest // as it is counted; compared with the archive's own at its end

	half   string
	tables []keptTable
	table  int // index of the table whose parts come, in tables
	number int // of its last part
}

// How far an archive may expand before it is believed to be made to fill disks: rows of scanners shrink to a tenth.
const (
	bombRatio = 300
	bombFloor = 1 << 30
)

// expansion counts what comes out of what goes in.
type expansion struct {
	in  *counter
	out io.Reader
	n   int64
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (e *expansion) Read(p []byte) (int, error) {
	n, err := e.out.Read(p)
	if e.n += int64(n); e.n > bombFloor && e.n/bombRatio > e.in.n {
		return n, fault.Invalid("the archive expands to more than a backup does")
	}
	return n, err
}

// read unpacks the archive and compares it with its manifest.
func (r *restore) read(ctx context.Context, from io.Reader) error {
	in := &counter{r: from}
	unpacker, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	defer unpacker.Close()
	out := &expansion{in: in, out: unpacker}
	archive := tar.NewReader(out)
	if err := r.head(archive); err != nil {
		return err
	}
	for {
		header, err := archive.Next()
		if err != nil {
			return damaged(err)
		}
		if header.Typeflag != tar.TypeReg || len(header.Name) > 200 {
			return fault.Invalid("the archive is no backup: %.80q is no file", header.Name)
		}
		if header.Name == manifestName {
			return r.end(ctx, archive, out)
		}
		if err := r.part(ctx, header.Name, archive); err != nil {
			return err
		}
	}
}

// damaged is what reading an archive fails with.
func damaged(err error) error {
	if fault.KindOf(err) != fault.KindInternal || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Invalid("the archive is cut off")
	}
	return fault.Invalid("the archive is damaged or no backup: %w", err)
}

func (r *restore) head(archive *tar.Reader) error {
	header, err := archive.Next()
	if err != nil {
		return damaged(err)
	}
	if header.Name != headName || header.Typeflag != tar.TypeReg {
		return fault.Invalid("the archive is no backup of patchscout: it begins with %.80q", header.Name)
	}
	var head BackupHead
	if err := document(archive, &head); err != nil {
		return err
	}
	r.manifest = Manifest{BackupHead: head, Tables: map[string]int64{}, Parts: []BackupPart{}}
	if head.Format > BackupFormat {
		return fault.Conflict("the backup was written by a newer patchscout (%.40s, format %d): update patchscout", head.Program, head.Format)
	}
	if _, ok := head.Schemas["estate"]; head.Format < 1 || !ok || head.Engine != SQLite && head.Engine != Postgres {
		return fault.Invalid("the archive is no backup of patchscout")
	}
	for half, version := range head.Schemas {
		if half != "estate" && half != "catalogue" {
			return fault.Invalid("the archive holds a %.40q, which no backup has", half)
		}
		known, err := newest(r.engine, half)
		if err != nil {
			return err
		}
		if version > known {
			return fault.Conflict("the backup was written by a newer patchscout (%.40s, schema %d of the %s, this one knows %d): update patchscout",
				head.Program, version, half, known)
		}
		if version < 1 {
			return fault.Invalid("the archive is no backup of patchscout")
		}
	}
	return nil
}

// maxDocument is the largest head or manifest: a part of 4 MiB takes some 150 bytes of it.
const maxDocument = 64 << 20

func document(archive io.Reader, into any) error {
	text, err := io.ReadAll(io.LimitReader(archive, maxDocument+1))
	if err != nil {
		return damaged(err)
	}
	if len(text) > maxDocument {
		return fault.Invalid("the archive is no backup of patchscout: its description is too long")
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fault.Invalid("the archive is damaged: its description is not JSON")
	}
	return nil
}

// part loads one part. Its name must be the next that can come: half, table and number in order.
func (r *restore) part(ctx context.Context, name string, archive io.Reader) error {
	if err := r.next(ctx, name); err != nil {
		return err
	}
	digest := sha256.New()
	content := io.TeeReader(archive, digest)
	rows, err := newRowReader(content)
	if err != nil {
		return err
	}
	t := r.tables[r.table]
	for _, c := range rows.columns {
		if _, known := t.column(c); !known {
			return fault.Invalid("the archive has a column %.60q of %s that is not known", c, t.name)
		}
	}
	n, err := r.target.load(ctx, t, rows)
	if err != nil {
		return fmt.Errorf("restore %.80s: %w", name, err)
	}
	if _, err := io.Copy(io.Discard, rows.r); err != nil {
		return damaged(err)
	}
	place := r.half + "/" + t.name
	r.manifest.Parts = append(r.manifest.Parts, BackupPart{Name: name, Rows: n, SHA256: hex.EncodeToString(digest.Sum(nil))})
	r.manifest.Tables[place] += n
	return nil
}

// next moves on to the table and number that a name says.
func (r *restore) next(ctx context.Context, name string) error {
	strange := fault.Invalid("the archive is no backup: %.80q stands in no order", name)
	parts := strings.Split(name, "/")
	if len(parts) != 3 {
		return strange
	}
	if parts[0] != r.half {
		if err := r.begin(ctx, parts[0]); err != nil {
			return err
		}
	}
	i := slices.IndexFunc(r.tables, func(t keptTable) bool { return t.name == parts[1] })
	switch {
	case i < 0:
		return fault.Invalid("the archive has a table %.60q that is not known", parts[1])
	case i != r.table:
		if _, seen := r.manifest.Tables[parts[0]+"/"+parts[1]]; seen {
			return strange
		}
		r.table, r.number = i, 0
	}
	if r.number++; parts[2] != fmt.Sprintf("%06d", r.number) {
		return strange
	}
	return nil
}

func (r *restore) begin(ctx context.Context, half string) error {
	version, known := r.manifest.Schemas[half]
	if !known || half == "estate" && r.half != "" || half == "catalogue" && r.half != "estate" {
		return fault.Invalid("the archive is no backup: %.40q stands in no order", half)
	}
	if err := r.completeHalf(ctx); err != nil {
		return err
	}
	tables, err := r.target.begin(ctx, half, version)
	if err != nil {
		return err
	}
	r.half, r.tables, r.table, r.number = half, tables, -1, 0
	return nil
}

func (r *restore) completeHalf(ctx context.Context) error {
	if r.half == "" {
		return nil
	}
	counts := map[string]int64{}
	for name, n := range r.manifest.Tables {
		if t, ours := strings.CutPrefix(name, r.half+"/"); ours {
			counts[t] = n
		}
	}
	return r.target.complete(ctx, counts)
}

// end compares what was read with what the archive says of itself.
func (r *restore) end(ctx context.Context, archive *tar.Reader, rest io.Reader) error {
	var said Manifest
	if err := document(archive, &said); err != nil {
		return err
	}
	if _, err := archive.Next(); !errors.Is(err, io.EOF) {
		return fault.Invalid("the archive goes on behind its end")
	}
	if _, err := io.Copy(io.Discard, rest); err != nil { // to the checksum of the compression
		return damaged(err)
	}
	for i, part := range r.manifest.Parts {
		if i >= len(said.Parts) || said.Parts[i] != part {
			return fault.Invalid("the archive is damaged: %.80s is not what was backed up", part.Name)
		}
	}
	if len(said.Parts) != len(r.manifest.Parts) || !maps.Equal(said.Tables, r.manifest.Tables) || !maps.Equal(said.Schemas, r.manifest.Schemas) {
		return fault.Invalid("the archive is damaged: parts of it are missing")
	}
	for half := range r.manifest.Schemas {
		if !slices.ContainsFunc(r.manifest.Parts, func(p BackupPart) bool { return strings.HasPrefix(p.Name, half+"/") }) {
			return fault.Invalid("the archive is damaged: the %s is missing", half)
		}
	}
	return r.completeHalf(ctx)
}

// byRestore is why a scan or import that was not over when it was backed up will not be.
const byRestore = "interrupted by a restore"

// afterwards are the statements that end what must not go on: whoever was let in before the restore is not any more, work
// that was under way is not done behind people's backs a second time (what a person paused stays paused), and caches that
// were made of other data with the same numbers are not used. A table that is not there is passed over.
func afterwards(half string, now, generation int64) map[string][]string {
	out := map[string][]string{"generation": {fmt.Sprintf(`UPDATE generation SET n = n + %d`, generation+1)}}
	if half == "estate" {
		for _, t := range leftOut {
			out[t] = []string{`DELETE FROM ` + t}
		}
		out["token"] = []string{fmt.Sprintf(`UPDATE token SET revoked = %d WHERE revoked = 0`, now)}
		out["job"] = []string{fmt.Sprintf(`UPDATE job SET state = 'cancelled', cancel = 1, finished = %d, error = '%s' WHERE state IN ('queued', 'running')`,
			now, byRestore)}
		out["scan"] = []string{fmt.Sprintf(`UPDATE scan SET status = 'failed', reason = '%s', completed = %d WHERE status IN ('pending', 'running')
			AND id NOT IN (SELECT scan FROM scan_control WHERE paused = 1)`, byRestore, now)}
		out["scan_control"] = []string{`UPDATE scan_control SET owner = '', wanted = ''`}
		out["estate_meta"] = []string{`DELETE FROM estate_meta WHERE key = 'identity'`} // as below
	} else {
		// The identity ends the text index of before, the floor says that no change is known one by one.
		out["meta"] = []string{`DELETE FROM meta WHERE key = 'identity'`, `DELETE FROM meta WHERE key = 'text_floor'`,
			`INSERT INTO meta (key, value) SELECT 'text_floor', CAST(n AS TEXT) FROM generation`}
	}
	return out
}

// fits turns a value into what a column takes: engines differ in whether text may be bytes.
func fits(c keptColumn, value any) (any, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil //nolint:nilnil // NULL is a value
	case string:
		switch c.kind {
		case kindBytes:
			return []byte(v), nil
		case kindText:
			return clean(v), nil
		}
	case []byte:
		switch c.kind {
		case kindBytes:
			return v, nil
		case kindText:
			return clean(string(bytes.Clone(v))), nil
		}
	case int64:
		switch c.kind {
		case kindInt:
			return v, nil
		case kindReal:
			return float64(v), nil
		}
	case float64:
		if c.kind == kindReal {
			return v, nil
		}
	}
	return nil, fault.Invalid("the archive has a value of %s that is no %s", c.name, c.kind)
}
