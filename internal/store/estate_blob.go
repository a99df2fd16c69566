package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
)

// MaxBlob is the largest raw report that is kept, before compression.
const MaxBlob = 1 << 30

// blobPart is how much of a packed report one row holds, and one transaction writes.
const blobPart = 4 << 20

// BlobWriter takes a raw report as it is read and keeps it when that turns out to be right. It needs disk, not memory: what
// is written waits, packed, in a temporary file. It belongs to one goroutine.
type BlobWriter struct {
	estate *Estate
	file   *os.File
	packer *zstd.Encoder
	digest hash.Hash
	size   int64
	limit  int64
	err    error // the report cannot be kept; what is written then is thrown away
}

// NewBlob begins a raw report of at most MaxBlob. Close it in any case.
func (e *Estate) NewBlob() (*BlobWriter, error) { return e.newBlob("", MaxBlob) }

// NewSpool begins what waits in the database to be read once: an upload. What waits to be kept is in the data folder.
func (e *Estate) NewSpool(limit int64) (*BlobWriter, error) {
	dir := e.db.opts.DataDir
	if _, err := os.Stat(dir); dir != "" && errors.Is(err, fs.ErrNotExist) { // with PostgreSQL nobody else makes it
		if err := makeFolder(dir); err != nil {
			return nil, e.notKept(err)
		}
	}
	return e.newBlob(dir, limit)
}

// notKept says that a disk is full where that is why.
func (e *Estate) notKept(err error) error {
	return unavailable(context.Background(), e.db.side.engine(), fmt.Errorf("keep a raw report: %w", err))
}

func (e *Estate) newBlob(dir string, limit int64) (*BlobWriter, error) {
	file, err := os.CreateTemp(dir, "patchscout-blob-*")
	if err != nil {
		return nil, e.notKept(err)
	}
	_ = os.Remove(file.Name()) // where it cannot go now, Close removes it
	packer, err := zstd.NewWriter(file, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &BlobWriter{estate: e, file: file, packer: packer, digest: sha256.New(), limit: limit}, nil
}

// Write never fails, so that a report that cannot be kept can still be read; Keep tells.
func (w *BlobWriter) Write(p []byte) (int, error) {
	if w.size += int64(len(p)); w.size > w.limit && w.err == nil {
		w.err = fault.Invalid("raw report is larger than %d MiB and is not kept", w.limit>>20)
	}
	if w.err == nil {
		w.digest.Write(p) // a hash never fails
		_, w.err = w.packer.Write(p)
	}
	return len(p), nil
}

// Err says why what was written cannot be kept, nil if it can.
func (w *BlobWriter) Err() error { return w.err }

// Size is how much was written, before packing.
func (w *BlobWriter) Size() int64 { return w.size }

// Keep stores what was written and returns the SHA-256 by which OpenBlob finds it. The same bytes are kept once.
func (w *BlobWriter) Keep(ctx context.Context) (string, error) {
	if w.err == nil {
		w.err = w.packer.Close()
	}
	if w.err == nil {
		_, w.err = w.file.Seek(0, io.SeekStart)
	}
	if w.err != nil {
		return "", w.estate.notKept(w.err)
	}
	hash := hex.EncodeToString(w.digest.Sum(nil))
	known, err := w.estate.beginBlob(ctx, hash)
	if err != nil || known {
		return hash, err
	}
	part := make([]byte, blobPart)
	for n := 0; ; n++ {
		size, err := io.ReadFull(w.file, part)
		if size > 0 {
			if err := w.estate.addBlobPart(ctx, hash, n, part[:size]); err != nil {
				return "", err
			}
		}
		switch {
		case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF): //nolint:errorlint // ReadFull returns EOF bare
			return hash, w.estate.endBlob(ctx, hash, w.size)
		case err != nil:
			return "", w.estate.notKept(err)
		}
	}
}

// Close removes the temporary file.
func (w *BlobWriter) Close() error {
	if w.err != nil {
		_ = w.packer.Close() // its file goes away
	}
	err := w.file.Close()
	_ = os.Remove(w.file.Name()) // it is gone already where that is possible
	return err
}

// unfinished is the size of a blob of which not all parts are there: whoever wrote it was stopped.
const unfinished = -1

func (e *Estate) beginBlob(ctx context.Context, hash string) (known bool, err error) {
	err = e.Update(ctx, func(tx *EstateTx) error {
		var size int64
		err := tx.tx.QueryRow(ctx, `SELECT size FROM blob WHERE hash = ?`, hash).Scan(&size)
		if known = err == nil && size != unfinished; known {
			return nil
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if _, err := tx.tx.Exec(ctx, `DELETE FROM blob_part WHERE hash = ?`, hash); err != nil {
			return err
		}
		_, err = tx.tx.Exec(ctx, `INSERT INTO blob (hash, size, stored, at) VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING`,
			hash, unfinished, []byte{}, millis(e.db.opts.Now()))
		return err
	})
	return known, err
}

func (e *Estate) addBlobPart(ctx context.Context, hash string, n int, part []byte) error {
	return e.Update(ctx, func(tx *EstateTx) error {
		_, err := tx.tx.Exec(ctx, `INSERT INTO blob_part (hash, n, stored) VALUES (?, ?, ?) ON CONFLICT (hash, n) DO UPDATE SET stored = excluded.stored`,
			hash, n, part)
		return err
	})
}

func (e *Estate) endBlob(ctx context.Context, hash string, size int64) error {
	return e.Update(ctx, func(tx *EstateTx) error {
		_, err := tx.tx.Exec(ctx, `UPDATE blob SET size = ? WHERE hash = ?`, size, hash)
		return err
	})
}

// PutBlob keeps a raw report and returns the SHA-256 by which OpenBlob finds it.
func (e *Estate) PutBlob(ctx context.Context, raw io.Reader) (hash string, err error) {
	w, err := e.NewBlob()
	if err != nil {
		return "", err
	}
	defer func() { _ = w.Close() }() // a temporary file that stays does no harm
	if _, err := io.Copy(w, raw); err != nil {
		return "", fmt.Errorf("keep a raw report: %w", err)
	}
	return w.Keep(ctx)
}

// OpenBlob returns a raw report as the tool wrote it; fault.NotFound when it is not kept (any more), or of no scan in the view.
// Close it.
func (e *Estate) OpenBlob(ctx context.Context, v auth.View, hash string) (io.ReadCloser, error) {
	var size int64
	var first []byte
	err := e.db.view(ctx, func(tx *Tx) error {
		c := conditions{}
		c.add("hash = ?", hash)
		c.seeReports(v)
		return tx.QueryRow(ctx, `SELECT size, stored FROM blob WHERE `+c.String(), c.args...).Scan(&size, &first)
	})
	if errors.Is(err, sql.ErrNoRows) || err == nil && size == unfinished {
		return nil, fault.NotFound("raw report %s", hash)
	}
	if err != nil {
		return nil, err
	}
	unpacker, err := zstd.NewReader(&blobParts{estate: e, ctx: ctx, hash: hash, part: first}, zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return nil, err
	}
	return unpacker.IOReadCloser(), nil
}

// blobParts reads the parts of a packed report one after the other; an early version kept all in the first.
type blobParts struct {
	estate *Estate
	ctx    context.Context //nolint:containedctx // a reader has no other way to be told when to stop
	hash   string
	part   []byte
	n      int
}

// Read implements io.Reader.
func (b *blobParts) Read(p []byte) (int, error) {
	for len(b.part) == 0 {
		err := b.estate.db.view(b.ctx, func(tx *Tx) error {
			return tx.QueryRow(b.ctx, `SELECT stored FROM blob_part WHERE hash = ? AND n = ?`, b.hash, b.n).Scan(&b.part)
		})
		if errors.Is(err, sql.ErrNoRows) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		b.n++
	}
	n := copy(p, b.part)
	b.part = b.part[n:]
	return n, nil
}
