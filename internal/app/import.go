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

	"github.com/patchscout/patchscout/internal/assess"
	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/nmap"
	"github.com/patchscout/patchscout/internal/store"
)

// ImportRequest says which saved reports to read.
type ImportRequest struct {
	Files []string // "-" is Stdin
	Stdin io.Reader
	Tool  string // auto, nmap
	Site  string
	Full  bool // the user declares that the reports cover all TCP ports of the hosts that were up
}

// CheckImport says what is wrong with a request before anything is opened or created.
func CheckImport(req ImportRequest) error {
	if req.Tool != "" && req.Tool != "auto" && req.Tool != nmap.Name {
		return fault.Invalid("--tool %s: want auto or nmap", req.Tool)
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
func (a *App) Import(ctx context.Context, req ImportRequest) (report.Import, error) {
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

// saved is a report in memory, as the tool wrote it.
type saved struct {
	raw     []byte
	scanner scan.Scanner
	events  []finding.Event
	warning string
}

func (a *App) importFile(ctx context.Context, req ImportRequest, path string) (report.Ledger, error) {
	raw, err := readReport(req, path)
	if err != nil {
		return report.Ledger{}, reportError{path, err}
	}
	s, err := a.parse(ctx, raw, req.Tool)
	if err != nil {
		return report.Ledger{}, reportError{path, err}
	}
	if req.Full {
		s.events = append(s.events, fullCoverage(s.scanner.Name(), s.events)...)
	}
	return a.keepImport(ctx, req, path, s)
}

// readReport returns a report, unpacked. Reports beyond the size that can be kept are refused.
func readReport(req ImportRequest, path string) ([]byte, error) {
	in := req.Stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	buffered := bufio.NewReader(in)
	in = buffered
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, err
		}
		in = unpacked
	}
	raw, err := io.ReadAll(io.LimitReader(in, store.MaxBlob+1))
	if err == nil && len(raw) > store.MaxBlob {
		err = fault.Invalid("report is larger than %d MiB", store.MaxBlob>>20)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) && len(raw) > 0 {
		err = nil // a gzip that was cut short: the reader says how far the report goes
	}
	return raw, err
}

// parse reads all events before anything is stored, so that a file that is no report leaves nothing behind.
func (a *App) parse(ctx context.Context, raw []byte, tool string) (saved, error) {
	const prefix = 8 << 10
	if tool != nmap.Name && !nmap.Detect(raw[:min(len(raw), prefix)]) {
		return saved{}, fault.Invalid("not a report that this version reads (nmap XML)")
	}
	scanner, err := a.scanner(nmap.Name)
	if err != nil {
		return saved{}, err
	}
	s := saved{raw: raw, scanner: scanner}
	err = scanner.Read(ctx, bytes.NewReader(raw), func(e finding.Event) error {
		s.events = append(s.events, e)
		return nil
	})
	if errors.Is(err, scan.ErrTruncated) {
		s.warning, err = "the report was cut short: "+err.Error()+"; its complete part was read and closes nothing", nil
	}
	return s, err
}

// fullCoverage is a person's word that the report looked at every TCP port of each host that was up.
func fullCoverage(sensor string, events []finding.Event) (out []finding.Event) {
	seen := map[netip.Addr]bool{}
	for _, e := range events {
		if e.Host == nil || e.Host.Status != string(asset.Up) || !e.Host.Address.IsValid() || seen[e.Host.Address] {
			continue
		}
		seen[e.Host.Address] = true
		out = append(out, finding.Event{Coverage: &finding.Coverage{
			Sensor: sensor, Address: e.Host.Address, Protocol: "tcp", Ports: []finding.PortRange{{First: 1, Last: 65535}}, At: e.Host.At,
		}})
	}
	return out
}

func (a *App) keepImport(ctx context.Context, req ImportRequest, path string, s saved) (report.Ledger, error) {
	record, err := a.newScan(ctx, ScanRequest{Targets: []string{path}, Site: req.Site}, plan{})
	if err != nil {
		return report.Ledger{}, err
	}
	record.Kind = finding.KindImport
	run, err := a.assessor().Begin(ctx, record)
	if err != nil {
		return report.Ledger{}, err
	}
	for _, e := range s.events {
		if err := run.Emit(s.scanner.Name(), e); err != nil {
			return report.Ledger{}, err
		}
	}
	tool := finding.ScannerRun{Name: s.scanner.Name(), Status: string(scan.Completed)}
	if s.warning != "" {
		tool.Status, tool.Error = "partial", s.warning
	}
	if tool.Report, err = a.store.Estate().PutBlob(ctx, bytes.NewReader(s.raw)); err != nil {
		a.log.Warn("raw report not kept", "file", path, "error", err)
	}
	result, err := run.Finish(context.WithoutCancel(ctx), assess.End{
		Status: finding.Completed, File: path, Scanners: []finding.ScannerRun{tool},
	})
	if err != nil {
		return report.Ledger{}, err
	}
	ledger := report.Ledger{File: path, Tool: s.scanner.Name(), Dropped: []report.Dropped{}}
	if len(result.Ledgers) > 0 {
		ledger = toLedger(result.Ledgers[0])
	}
	ledger.Warning = report.Text(s.warning)
	return ledger, nil
}
