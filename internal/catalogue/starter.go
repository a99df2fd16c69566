package catalogue

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/match"
)

// Starter is a small catalogue of bare facts that travels inside the binary: no description, no reference, no text of
// any publisher. Its file is a zstd stream of
//
//	"PSST2"  date  number of KEV entries  {id vendor product added due ransomware}…  number of records  {length id fields}…
//
// with numbers as varints and records as in the catalogue itself, so that equal facts make equal bytes.
type Starter struct {
	Date    time.Time // of its newest fact
	KEV     []intel.KEV
	Records []*cve.Record // ascending by id
}

const starterMagic = "PSST2"

// facts is r without what a starter must not hold.
func facts(r *cve.Record) *cve.Record {
	bare := *r
	bare.Source, bare.Title, bare.Description, bare.References = "", "", "", nil
	return &bare
}

// Write writes the file. The same Starter makes the same bytes.
func (s *Starter) Write(out io.Writer) error {
	z, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(32<<20),
		zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	w := writer{buf: []byte(starterMagic)}
	w.time(s.Date)
	w.uint(uint64(len(s.KEV)))
	for _, k := range s.KEV {
		w.uint(uint64(k.CVE))
		w.string(k.Vendor)
		w.string(k.Product)
		w.time(k.Added)
		w.time(k.Due)
		w.bool(k.Ransomware)
	}
	w.uint(uint64(len(s.Records)))
	if _, err := z.Write(w.buf); err != nil {
		return errors.Join(err, z.Close())
	}
	for _, r := range s.Records {
		w := writer{}
		w.uint(uint64(r.ID))
		w.record(facts(r))
		framed := append(binary.AppendUvarint(nil, uint64(len(w.buf))), w.buf...)
		if _, err := z.Write(framed); err != nil {
			return errors.Join(err, z.Close())
		}
	}
	return z.Close()
}

// starterReader streams a starter file.
type starterReader struct {
	z       *zstd.Decoder
	in      *bufio.Reader
	date    time.Time
	kev     []intel.KEV
	records int // still to come
}

var errStarter = errors.New("starter catalogue is damaged")

func openStarter(file io.Reader) (*starterReader, error) {
	z, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
	if err != nil {
		return nil, err
	}
	s := &starterReader{z: z, in: bufio.NewReaderSize(z, 1<<16)}
	if err := s.header(); err != nil {
		z.Close()
		return nil, fmt.Errorf("%w: %w", errStarter, err)
	}
	return s, nil
}

func (s *starterReader) header() error {
	magic := make([]byte, len(starterMagic))
	if _, err := io.ReadFull(s.in, magic); err != nil || string(magic) != starterMagic {
		return errors.Join(errors.New("not a starter file"), err)
	}
	var err error
	if s.date, err = s.time(); err != nil {
		return err
	}
	n, err := binary.ReadUvarint(s.in)
	if err != nil || n > 1<<20 {
		return errors.Join(errors.New("number of KEV entries"), err)
	}
	for range n {
		k, err := s.kevEntry()
		if err != nil {
			return err
		}
		s.kev = append(s.kev, k)
	}
	n, err = binary.ReadUvarint(s.in)
	if err != nil || n > 1<<24 {
		return errors.Join(errors.New("number of records"), err)
	}
	s.records = int(n)
	return nil
}

func (s *starterReader) time() (time.Time, error) {
	n, err := binary.ReadVarint(s.in)
	if err != nil || n == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(n).UTC(), nil
}

func (s *starterReader) kevEntry() (k intel.KEV, err error) {
	id, err := binary.ReadUvarint(s.in)
	if err != nil {
		return k, err
	}
	k.CVE = cve.ID(id)
	if k.Vendor, err = s.name(); err != nil {
		return k, err
	}
	if k.Product, err = s.name(); err != nil {
		return k, err
	}
	if k.Added, err = s.time(); err != nil {
		return k, err
	}
	if k.Due, err = s.time(); err != nil {
		return k, err
	}
	known, err := s.in.ReadByte()
	k.Ransomware = known != 0
	return k, err
}

// name reads the name of a vendor or product.
func (s *starterReader) name() (string, error) {
	n, err := binary.ReadUvarint(s.in)
	if err != nil || n > 1<<10 {
		return "", errors.Join(errors.New("name in a KEV entry"), err)
	}
	text := make([]byte, n)
	_, err = io.ReadFull(s.in, text)
	return string(text), err
}

// next returns the next record, nil at the end.
func (s *starterReader) next() (*cve.Record, error) {
	if s.records == 0 {
		return nil, nil
	}
	s.records--
	n, err := binary.ReadUvarint(s.in)
	if err != nil || n > maxRecord {
		return nil, errors.Join(errStarter, err)
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(s.in, raw); err != nil {
		return nil, errors.Join(errStarter, err)
	}
	r := reader{text: string(raw)}
	rec := &cve.Record{ID: cve.ID(r.uint())}
	r.record(rec)
	if r.bad || r.text != "" {
		return nil, errStarter
	}
	return rec, nil
}

// LoadStarter fills a catalogue that has never been filled; one that has is left alone and false returned. progress
// may be nil; it is told how many of the records are in.
func LoadStarter(
	ctx context.Context, target Target, file func() (io.Reader, error), progress func(done, total int),
) (loaded bool, err error) {
	if empty, err := isEmpty(ctx, target); err != nil || !empty {
		return false, err
	}
	unlock, err := target.Lock(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	if empty, err := isEmpty(ctx, target); err != nil || !empty { // another process was quicker
		return false, err
	}
	in, err := file()
	if err != nil {
		return false, err
	}
	s, err := openStarter(in)
	if err != nil {
		return false, err
	}
	defer s.z.Close()
	err = target.Rebuild(ctx, func(w Writer) error { return s.load(ctx, w, progress) })
	return err == nil, err
}

func isEmpty(ctx context.Context, target Target) (bool, error) {
	origin, err := target.Meta(ctx, MetaOrigin)
	return origin == "", err
}

func (s *starterReader) load(ctx context.Context, w Writer, progress func(done, total int)) error {
	if err := s.lists(w); err != nil { // first, since records are ranked by it
		return err
	}
	known, err := loadStandings(w)
	if err != nil {
		return err
	}
	packs := match.NewBuilder()
	var enc Encoder
	now := time.Now()
	total := s.records
	for {
		r, err := s.next()
		if err != nil {
			return err
		}
		if r == nil {
			break
		}
		_ = packs.Add(r) // what cannot be read names no product
		row := enc.NewRow(r)
		row.Standing = Stand(r, known.facts(r.ID), now)
		if err := w.Put(row); err != nil {
			return err
		}
		if done := total - s.records; done%1000 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if progress != nil {
				progress(done, total)
			}
		}
	}
	for p, pack := range packs.Packs() {
		if err := w.PutPack(p, pack); err != nil {
			return err
		}
	}
	if err := w.Summarise("nvd", "kev"); err != nil {
		return err
	}
	if progress != nil {
		progress(total, total)
	}
	return nil
}

// lists writes what is not a record.
func (s *starterReader) lists(w Writer) error {
	stored, err := w.KEV().All()
	if err != nil {
		return err
	}
	if len(stored) == 0 { // else KEV was synced before NVD, and knows more
		for _, k := range s.kev {
			if err := w.KEV().Put(k); err != nil {
				return err
			}
		}
	}
	if err := w.SetMeta(MetaOrigin, OriginStarter); err != nil {
		return err
	}
	return w.SetMeta(MetaStarter, s.date.Format(time.RFC3339))
}
