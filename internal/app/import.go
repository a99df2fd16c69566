package app

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
	"github.com/patchscout/patchscout/internal/store"
)

// ImportRequest says which saved reports to read.
type ImportRequest struct {
	Files []string // "-" is Stdin
	Stdin io.Reader
	Tool  string // auto, or a name of Tools
	Site  string
	Host  string // of records that name none themselves; "" is the file's name
	Full  bool   // the user declares that the reports cover all their tool looks for on the hosts that were up
	Demo  bool   // mark everything as demo
}

// CheckImport says what is wrong with a request before anything is opened or created.
func CheckImport(req ImportRequest) error {
	if req.Tool != "" && req.Tool != auto && !slices.Contains(Tools(), req.Tool) {
		return fault.InvalidOption("tool", " %s: want auto or one of %s", req.Tool, strings.Join(Tools(), ", "))
	}
	if req.Host != "" && asset.NameValue(req.Host) == "" {
		return fault.InvalidOption("host", " %q: want a name or an address", req.Host)
	}
	for _, path := range req.Files {
		if path == "-" {
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

// ErrReport marks a file that is no report that can be read. The other files of a request are imported all the same.
var ErrReport = errors.New("unreadable report")

// Import reads reports one after the other and answers with a ledger each. Files that cannot be read are skipped and
// named in the error, which then is ErrReport; at any other error it stops and returns the ledgers so far.
func (a *App) Import(ctx context.Context, req ImportRequest) (_ report.Import, err error) {
	defer func() {
		a.auditEnd(ctx, "import", strings.Join(req.Files, ", "), "tool "+req.Tool+", site "+req.Site, err)
	}()
	doc := report.Import{Files: []report.Ledger{}}
	if err := a.checkScan(ctx, ScanRequest{Site: req.Site}); err != nil {
		return doc, err
	}
	var unreadable error
	for _, path := range req.Files {
		ledger, err := a.importFile(ctx, req, path)
		if errors.Is(err, ErrReport) && ctx.Err() == nil {
			unreadable = also(unreadable, err)
			continue
		}
		if err != nil {
			return doc, also(unreadable, fmt.Errorf("import %s: %w", path, err))
		}
		doc.Files = append(doc.Files, ledger)
	}
	if n := len(doc.Files); n > 0 {
		if warning := a.prune(context.WithoutCancel(ctx)); warning != "" {
			doc.Files[n-1].Warning = report.Text(andAlso(string(doc.Files[n-1].Warning), warning))
		}
	}
	return doc, unreadable
}

// also puts a second error into the sentence of the first.
func also(first, second error) error {
	if first == nil {
		return second
	}
	return fmt.Errorf("%w; %w", first, second)
}

// reportError is ErrReport with the file and what is wrong with it.
type reportError struct {
	path  string
	cause error
}

func (e reportError) Error() string   { return "import " + e.path + ": " + e.cause.Error() }
func (e reportError) Unwrap() []error { return []error{ErrReport, e.cause} }

// saved is a report that was read and is not yet part of the estate.
type saved struct {
	path    string
	tool    string
	made    time.Time // when its file was written
	part    *assess.Part
	raw     *store.BlobWriter   // nil where it is kept already
	up      map[netip.Addr]bool // hosts that answered, for --full
	upNames map[string]bool
	newest  time.Time
	partial string // the report was cut short
	warning string
}

func (s *saved) close() {
	s.part.Discard()
	if s.raw != nil {
		_ = s.raw.Close() // a temporary file that stays does no harm
	}
}

// importFile reads all of a report before anything is stored, so that a file that is no report leaves nothing behind.
func (a *App) importFile(ctx context.Context, req ImportRequest, path string) (report.Ledger, error) {
	file, made, err := openReport(req, path)
	if err != nil {
		return report.Ledger{}, reportError{path, err}
	}
	defer file.Close()
	return a.importReport(ctx, req, path, file, made)
}

// importReport is importFile for a report of that name from anywhere.
func (a *App) importReport(ctx context.Context, req ImportRequest, path string, in io.Reader, made time.Time) (report.Ledger, error) {
	unpacked, err := unpack(in)
	if err != nil {
		return report.Ledger{}, reportError{path, err}
	}
	raw, err := a.store.Estate().NewBlob()
	if err != nil {
		return report.Ledger{}, err
	}
	s := &saved{path: path, made: made, raw: raw, part: assess.NewPart(""), up: map[netip.Addr]bool{}, upNames: map[string]bool{}}
	defer func() { s.close() }()
	if err := s.read(ctx, req, io.TeeReader(intake.Masked(intake.Narrow(unpacked)), raw)); err != nil {
		return report.Ledger{}, reportError{path, err}
	}
	return a.keepImport(ctx, req, s)
}

func openReport(req ImportRequest, path string) (io.ReadCloser, time.Time, error) {
	if path == "-" {
		return io.NopCloser(req.Stdin), time.Time{}, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, time.Time{}, errors.Join(err, file.Close())
	}
	return file, info.ModTime(), nil
}

// maxReport bounds what a packed file may unpack to.
const maxReport = 16 << 30

// unpack takes off gzip or zstd. A file that was cut short ends where it ends: its reader says how far the report goes.
func unpack(in io.Reader) (io.Reader, error) {
	packed := &source{Reader: in}
	buffered := bufio.NewReaderSize(packed, 64<<10)
	magic, _ := buffered.Peek(4)
	var out io.Reader = buffered
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		r, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fault.Invalid("packed with gzip, and broken: %w", err)
		}
		out = r
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		r, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
		if err != nil {
			return nil, fault.Invalid("packed with zstd, and broken: %w", err)
		}
		out = r.IOReadCloser()
	}
	return &bounded{r: out, packed: packed, left: maxReport}, nil
}

// source remembers how the packed bytes ended, to tell a connection that broke from a file that is broken.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (n int, err error) {
	n, err = s.Reader.Read(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

// bounded ends with an error beyond its limit, and without one where a packed file was cut short.
type bounded struct {
	r      io.Reader
	packed *source
	left   int64
	whole  bool // a file that was cut short is an error after all
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fault.Invalid("the report unpacks to more than %d GiB", int64(maxReport)>>30)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) && !b.whole {
		err = io.EOF
	}
	if err != nil && !errors.Is(err, io.EOF) && (b.packed.err == nil || errors.Is(b.packed.err, io.EOF)) {
		err = fault.Invalid("what is packed is broken: %w", err)
	}
	return n, err
}

// read finds out whose report it is and takes in its events.
func (s *saved) read(ctx context.Context, req ImportRequest, raw io.Reader) error {
	head, whole := intake.Head(raw)
	reader, err := chooseReader(req.Tool, head)
	if err != nil {
		return err
	}
	s.tool, s.part = reader.Name(), assess.NewPart(reader.Name())
	s.part.NameHost(nameOf(req, s.path))
	err = reader.Read(ctx, whole, s.take)
	if errors.Is(err, scan.ErrTruncated) {
		s.partial, err = "the report was cut short: "+err.Error()+"; its complete part was read and closes nothing", nil
		s.warning = s.partial
	}
	if err == nil {
		_, err = io.Copy(io.Discard, whole) // what follows the report belongs to the raw file
	}
	return err
}

// nameOf is the host of records that name none: what the user says, else the file.
func nameOf(req ImportRequest, path string) string {
	if req.Host != "" {
		return req.Host
	}
	name := strings.Join(strings.Fields(filepath.Base(path)), "_")
	if path == "-" || asset.NameValue(name) == "" {
		return "unnamed"
	}
	return name
}

func (s *saved) take(e finding.Event) error {
	switch {
	case e.Host != nil && e.Host.Status == string(asset.Up):
		s.looked(e.Host.Address, e.Host.Names, e.Host.At)
	case e.Observation != nil:
		s.looked(e.Observation.Address, []string{e.Observation.HostName}, e.Observation.At)
	}
	return s.part.Emit(e)
}

func (s *saved) looked(addr netip.Addr, names []string, at time.Time) {
	if at.After(s.newest) {
		s.newest = at
	}
	switch {
	case addr.IsValid():
		s.up[addr] = true
	case len(names) > 0:
		s.upNames[names[0]] = true
	}
}

// coverAll is a person's word that the report looked for everything that its tool looks for, on every host that was up.
func (s *saved) coverAll() error {
	cover := func(addr netip.Addr, name string) error {
		for _, protocol := range []string{"tcp", ""} {
			c := finding.Coverage{Sensor: s.tool, Address: addr, HostName: name, Policy: finding.AnyPolicy, At: s.newest}
			if protocol != "" { // with all its ports, so that a service that is gone counts as gone
				c.Protocol, c.Ports = protocol, []finding.PortRange{{First: 1, Last: 65535}}
			}
			if err := s.part.Emit(finding.Event{Coverage: &c}); err != nil {
				return err
			}
		}
		return nil
	}
	for addr := range s.up {
		if err := cover(addr, ""); err != nil {
			return err
		}
	}
	for name := range s.upNames {
		if err := cover(netip.Addr{}, name); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) keepImport(ctx context.Context, req ImportRequest, s *saved) (report.Ledger, error) {
	record, err := a.newScan(ctx, ScanRequest{Targets: []string{s.path}, Site: req.Site, Demo: req.Demo}, plan{})
	if err != nil {
		return report.Ledger{}, err
	}
	record.Kind = finding.KindImport
	run, err := a.assessor().Begin(ctx, record)
	if err != nil {
		return report.Ledger{}, err
	}
	release, err := a.attend(ctx, run.ScanID())
	if err != nil {
		return report.Ledger{}, err
	}
	defer release()
	hash, err := s.raw.Keep(ctx)
	if err != nil {
		s.warning = andAlso(s.warning, "the raw report is not kept: "+err.Error())
	}
	return a.commitImport(ctx, req, s, run, hash)
}

// commitImport makes a report that was read part of the estate, as what an import says; raw is the hash of the report.
func (a *App) commitImport(ctx context.Context, req ImportRequest, s *saved, run *assess.Run, raw string) (report.Ledger, error) {
	tool := finding.ScannerRun{Name: s.tool, Status: string(scan.Completed), Report: raw}
	if s.partial != "" {
		tool.Status, tool.Error = "partial", s.partial
	}
	if req.Full && s.partial == "" {
		if err := s.coverAll(); err != nil {
			return report.Ledger{}, err
		}
	}
	run.Adopt(s.part)
	if s.part.Nameless() && req.Host == "" {
		s.warning = andAlso(s.warning, fmt.Sprintf("the report names no host: what it found belongs to a host named %s; --host names another", nameOf(req, s.path)))
	}
	statements := s.part.Statements()
	keep, done := toItsEnd(ctx)
	defer done()
	ledger, err := s.part.Commit(keep, assess.PartEnd{Completed: tool.Status == string(scan.Completed), File: s.path, Report: tool.Report, At: s.made})
	end := assess.End{Status: finding.Completed, File: s.path, Scanners: []finding.ScannerRun{tool}}
	if kind := fault.KindOf(err); kind == fault.KindUnavailable || kind == fault.KindConflict {
		return report.Ledger{}, err // it is not over: a job reads it again
	}
	if err != nil {
		end.Status, end.Reason = finding.Failed, "not everything could be stored: "+err.Error()
	}
	if _, finishErr := run.Finish(keep, end); err == nil {
		err = finishErr
	}
	if err != nil {
		return report.Ledger{}, err
	}
	rules, err := a.KeepStatements(keep, statements)
	if err != nil {
		return report.Ledger{}, err
	}
	if rules.Statements > 0 {
		s.warning = andAlso(s.warning, rules.Sentence())
	}
	out := toLedger(ledger)
	out.ID, out.Warning = run.ScanID(), report.Text(s.warning)
	return out, nil
}

// toItsEnd is ctx for what was begun and is to be brought to its end, unless another process has taken it over.
func toItsEnd(ctx context.Context) (context.Context, func()) {
	keep, end := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); errors.Is(cause, job.ErrLost) {
			end(cause)
		}
	})
	return keep, func() {
		stop()
		end(nil)
	}
}

func andAlso(first, second string) string {
	if first == "" {
		return second
	}
	return first + "; " + second
}
