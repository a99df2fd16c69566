package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/cvelist"
	"github.com/patchscout/patchscout/internal/feed/ndjson"
	"github.com/patchscout/patchscout/internal/feed/nvd"
	"github.com/patchscout/patchscout/internal/report"
)

// IngestRequest says which files of records to load, and under which name.
type IngestRequest struct {
	Files  []string // "-" is Stdin
	Stdin  io.Reader
	Source string
}

// CheckIngest says what is wrong with a request before anything is opened.
func CheckIngest(req IngestRequest) error {
	if err := catalogue.CheckSource(req.Source); err != nil {
		return fault.InvalidOption("source", ": %w", err)
	}
	if req.Source == refreshRun || slices.Contains(FeedNames(), req.Source) {
		return fault.InvalidOption("source", " %s: that is the name of a feed; choose another for your own records", req.Source)
	}
	stdin := 0
	for _, path := range req.Files {
		if path == "-" {
			if stdin++; stdin > 1 {
				return fault.Invalid("standard input is named twice")
			}
			continue
		}
		if info, err := os.Stat(path); err != nil {
			return fault.Invalid("%s: no such file", path)
		} else if info.IsDir() {
			return fault.Invalid("%s is a folder", path)
		}
	}
	return nil
}

// Ingest loads files of records of any shape that docs/ndjson.md names. Lines that cannot be used are counted and
// listed, the first maxPlaces of them with their places.
func (a *App) Ingest(ctx context.Context, req IngestRequest, progress func(Progress)) (_ report.Ingest, err error) {
	defer func() { a.auditEnd(ctx, "ingest", "", "", err) }()
	doc := report.Ingest{Source: req.Source, Files: notNil(req.Files), Rejected: []report.RejectedLine{}}
	if err := a.wide("loading records"); err != nil {
		return doc, err
	}
	if err := CheckIngest(req); err != nil {
		return doc, err
	}
	watch := &syncProgress{report: progress}
	gathered, remove, err := a.gatherFiles(ctx, req, watch)
	defer remove()
	if err != nil {
		return doc, err
	}
	return a.ingest(ctx, doc, gathered, watch)
}

// ingest loads files of records and completes the document.
func (a *App) ingest(ctx context.Context, doc report.Ingest, gathered feed.Gathered, watch *syncProgress) (report.Ingest, error) {
	reader := &sourceReader{Reader: recordReader(doc.Source), now: a.now}
	watch.expect([]feed.Gathered{gathered})
	syncer := catalogue.Syncer{Target: a.store.Catalogue(), Readers: []feed.Reader{reader}, Now: a.now, Log: a.log}
	runs, err := syncer.Sync(ctx, []feed.Gathered{gathered})
	if err != nil {
		return doc, err
	}
	doc.Run = toFeedRun(runs[0])
	doc.Rejected = append(doc.Rejected, reader.rejected...)
	if changed(runs) {
		if doc.Estate, err = a.rematch(ctx, watch); err != nil {
			return doc, err
		}
	}
	return doc, a.followTexts(ctx)
}

// recordReader reads every shape of a record that this build knows.
func recordReader(source string) ndjson.Reader {
	return ndjson.Reader{Name: source, Shapes: []ndjson.Shape{
		{Is: cvelist.IsRecord, Read: cvelist.ReadRecord}, {Is: nvd.IsRecord, Read: nvd.ReadRecord},
	}}
}

// gatherFiles describes the files as those of one feed. remove takes away what was stored of standard input.
func (a *App) gatherFiles(ctx context.Context, req IngestRequest, watch *syncProgress) (
	out feed.Gathered, remove func(), err error,
) {
	out = feed.Gathered{Feed: req.Source, Source: strings.Join(req.Files, ", ")}
	var kept []string
	remove = func() {
		for _, path := range kept {
			_ = os.Remove(path) // a temporary file that stays does no harm
		}
	}
	for i, path := range req.Files {
		if slices.Contains(req.Files[:i], path) {
			continue
		}
		if path == "-" {
			if path, err = keepInput(req.Stdin); err != nil {
				return out, remove, err
			}
			kept = append(kept, path)
		}
		f, err := feed.Local(ctx, req.Source, path, func(n int64) { watch.read(req.Source, n) })
		if err != nil {
			return out, remove, err
		}
		f.Checksum = "" // what was loaded since may have changed what this file says: read it again
		f.Name = placeName(req.Files[i], f.Name)
		out.Files = append(out.Files, f)
	}
	return out, remove, nil
}

// placeName is how messages name a file: as the user did.
func placeName(asked, name string) string {
	if asked == "-" {
		return "standard input"
	}
	if strings.HasSuffix(asked, ".gz") {
		return strings.TrimSuffix(asked, ".gz")
	}
	return either(asked, name)
}

// maxInput bounds what is taken from standard input.
const maxInput = 8 << 30

// keepInput stores standard input in a temporary file: it is hashed before it is read.
func keepInput(r io.Reader) (path string, err error) {
	file, err := os.CreateTemp("", "patchscout-ingest-*")
	if err != nil {
		return "", fmt.Errorf("keep standard input: %w", err)
	}
	n, err := io.Copy(file, io.LimitReader(r, maxInput+1))
	if err == nil && n > maxInput {
		err = fault.Invalid("standard input is larger than %d GiB", maxInput>>30)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return filepath.Clean(file.Name()), nil
}

// maxPlaces is how many lines that could not be used are listed.
const maxPlaces = 20

// sourceReader is a Reader of records that remembers the first lines that could not be used. For one sync at a time.
type sourceReader struct {
	ndjson.Reader
	now      func() time.Time
	rejected []report.RejectedLine
}

// Read streams the file's records into the sink.
func (r *sourceReader) Read(ctx context.Context, file feed.File, body io.Reader, sink feed.Sink) error {
	return r.Reader.Read(ctx, file, body, feed.Timely(file, r.now(), &placing{Sink: sink, reader: r}))
}

// placing notes the places of what is rejected.
type placing struct {
	feed.Sink
	reader *sourceReader
}

// Reject implements feed.Sink.
func (p *placing) Reject(place, reason string) {
	if len(p.reader.rejected) < maxPlaces {
		p.reader.rejected = append(p.reader.rejected, report.RejectedLine{Place: place, Reason: reason})
	}
	p.Sink.Reject(place, reason)
}
