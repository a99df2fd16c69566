package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/machine"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/scan/intake"
	"github.com/patchscout/patchscout/internal/store"
)

// Uploads wait in the database until a job reads them, on whatever machine it runs: unpacked, masked, and packed again as
// raw reports are. What is a report then stays as the raw report of its import.

// upload is a file that was sent.
type upload struct {
	name string
	head []byte // the beginning of the report
	raw  *store.BlobWriter
	hash string // when it is kept
}

// uploads are the files of one request. Close them.
type uploads struct {
	app   *App
	files []*upload
	kept  bool // their jobs are
}

// unknownUpload is how much is read of what no reader knows: a person may have named its tool in a field that follows.
const unknownUpload = 1 << 20

// takeReport reads a report to its end.
func (u *uploads) takeReport(name string, in io.Reader) error {
	return u.take(name, in, false, func(in io.Reader) (io.Reader, error) {
		unpacked, err := unpack(in)
		if err != nil {
			return nil, err
		}
		return intake.Masked(intake.Narrow(unpacked)), nil
	})
}

// takeRecords reads a file of records to its end.
func (u *uploads) takeRecords(name string, in io.Reader) error {
	return u.take(name, in, true, func(in io.Reader) (io.Reader, error) {
		unpacked, err := unpack(in)
		if b, ok := unpacked.(*bounded); ok {
			b.whole, b.left = true, maxInput
		}
		return unpacked, err
	})
}

func (u *uploads) take(name string, in io.Reader, records bool, open func(io.Reader) (io.Reader, error)) error {
	raw, err := u.app.store.Estate().NewSpool(maxReport)
	if err != nil {
		return full(err)
	}
	f := &upload{name: name, raw: raw}
	u.files = append(u.files, f)
	text, err := open(in)
	if err != nil {
		return fault.Invalid("%s: %w", name, err)
	}
	head, rest := intake.Head(text)
	f.head = bytes.Clone(head)
	var whole io.Reader = rest
	if _, err := chooseReader(auto, f.head); err != nil && !records {
		whole = io.LimitReader(rest, unknownUpload)
	}
	if _, err := io.Copy(raw, whole); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := raw.Err(); err != nil {
		return full(err)
	}
	_, err = io.Copy(io.Discard, in)
	return err
}

// full tells a disk without space from a bug. The cause names folders of the server, which are nobody's business.
func full(err error) error {
	if machine.DiskFull(err) {
		return fault.Unavailable("there is no space left for what was sent")
	}
	return err
}

// names are those of the files, for people.
func (u *uploads) names() string {
	var names []string
	for _, f := range u.files {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}

// keep stores the files.
func (u *uploads) keep(ctx context.Context) (err error) {
	for _, f := range u.files {
		if f.hash, err = f.raw.Keep(ctx); err != nil {
			return full(err)
		}
	}
	return nil
}

// close removes what nobody will read.
func (u *uploads) close(ctx context.Context) {
	for _, f := range u.files {
		_ = f.raw.Close() // a temporary file that stays does no harm
		if f.hash == "" || u.kept {
			continue
		}
		if err := u.app.store.Estate().DropBlob(context.WithoutCancel(ctx), f.hash); err != nil {
			u.app.log.Warn("an upload that will not be read could not be removed", "error", err)
		}
	}
}

// importArgs are what a job of kind import needs.
type importArgs struct {
	File  string `json:"file"`
	Blob  string `json:"blob"`
	Size  int64  `json:"size"`
	Tool  string `json:"tool"`
	Host  string `json:"host,omitempty"`
	Full  bool   `json:"full,omitempty"`
	Asker asker  `json:"asker"`
}

// QueueImports takes the reports that read hands over and has each of them read by a job. An error of read, or a file that
// is no report, leaves nothing behind.
func (a *App) QueueImports(ctx context.Context, read func(take func(name string, in io.Reader) error) (request.Import, error)) (doc report.QueuedImports, err error) {
	u := &uploads{app: a}
	defer func() {
		u.close(ctx)
		a.auditEnd(ctx, "import", u.names(), "", err)
	}()
	req, err := read(u.takeReport)
	if err != nil {
		return doc, err
	}
	if err := a.checkUpload(ctx, req, u.files); err != nil {
		return doc, err
	}
	tools, err := u.tools(req.Tool)
	if err != nil {
		return doc, err
	}
	if err := u.keep(ctx); err != nil {
		return doc, err
	}
	queued, err := a.queueUploads(ctx, req, u.files)
	if err != nil {
		return doc, err
	}
	u.kept = true
	a.wake()
	for i, q := range queued {
		self := fmt.Sprintf("/api/v1/imports/%d", q.Scan)
		doc.Imports = append(doc.Imports, report.QueuedImport{ID: q.Scan, ScanID: q.Scan, JobID: q.Job, File: u.files[i].name, Tool: tools[i],
			Status: string(finding.Pending), Links: report.QueuedLinks{Job: jobLink(q.Job), Self: report.Text(self),
				Live: report.Text(fmt.Sprintf("/ws/%d", q.Scan))}})
	}
	return doc, nil
}

func jobLink(id int64) string { return fmt.Sprintf("/api/v1/jobs/%d", id) }

func (a *App) checkUpload(ctx context.Context, req request.Import, files []*upload) error {
	if err := CheckImport(ImportRequest{Tool: req.Tool, Host: req.Host}); err != nil {
		return err
	}
	if len(files) == 0 {
		return fault.InvalidOption("file", ": no file was sent")
	}
	site := either(req.Site, asset.DefaultSite)
	if _, err := a.store.Estate().Site(ctx, a.who.View, site); err != nil {
		if fault.KindOf(err) == fault.KindNotFound {
			return fault.InvalidOption("site", ": there is no site %.63q", site)
		}
		return err
	}
	return nil
}

// tools says whose report each file is; all that are no reports are named together.
func (u *uploads) tools(tool string) (tools []string, err error) {
	var wrong []string
	for _, f := range u.files {
		reader, err := chooseReader(tool, f.head)
		if err != nil {
			wrong = append(wrong, f.name+": "+err.Error())
			continue
		}
		tools = append(tools, reader.Name())
	}
	if len(wrong) > 0 {
		return nil, fault.InvalidOption("file", ": %s", strings.Join(wrong, "; "))
	}
	return tools, nil
}

func (a *App) queueUploads(ctx context.Context, req request.Import, files []*upload) ([]store.QueuedImport, error) {
	var scans []finding.Scan
	for _, f := range files {
		s, err := a.newScan(ctx, ScanRequest{Targets: []string{f.name}, Site: req.Site}, plan{})
		if err != nil {
			return nil, err
		}
		s.Kind, s.Status = finding.KindImport, finding.Pending
		scans = append(scans, s)
	}
	return a.store.Estate().QueueImports(ctx, scans, func(i int, id int64) (job.Job, error) {
		f := files[i]
		args, err := json.Marshal(importArgs{File: f.name, Blob: f.hash, Size: f.raw.Size(), Tool: req.Tool, Host: req.Host, Full: req.Full, Asker: *askerOf(a.who)})
		return job.Job{Kind: job.Import, Scan: id, Site: scans[i].Site, Key: fmt.Sprintf("import/%d", id), By: a.who.Name, Args: args}, err
	})
}

// AwaitImports waits until uploaded reports are read and returns their ledgers, in the order of the files. What could not
// be read is an error that names it; the other files are imported all the same.
func (a *App) AwaitImports(ctx context.Context, queued report.QueuedImports) (report.Import, error) {
	doc := report.Import{Files: []report.Ledger{}}
	var wrong, done []string
	for _, q := range queued.Imports {
		j, err := a.await(ctx, q.JobID)
		if err != nil {
			return doc, err
		}
		var ledger report.Ledger
		if j.State != job.Done || json.Unmarshal(j.Result, &ledger) != nil {
			wrong = append(wrong, either(j.Error, q.File+": "+string(j.State)))
			continue
		}
		doc.Files = append(doc.Files, ledger)
		done = append(done, fmt.Sprintf("%s as %d", q.File, q.ID))
	}
	if len(wrong) == 0 {
		return doc, nil
	}
	if len(done) > 0 {
		wrong = append(wrong, "imported are "+strings.Join(done, ", "))
	}
	return doc, fault.InvalidOption("file", ": %s", strings.Join(wrong, "; "))
}

// ImportPage lists imports with their ledgers, newest first, those below an id (0 for all).
func (a *App) ImportPage(ctx context.Context, site string, before int64, limit int) (report.ImportPage, error) {
	doc := report.ImportPage{Imports: []report.Imported{}}
	if err := a.checkExist(ctx, 0, site); err != nil {
		return doc, err
	}
	scans, err := a.store.Estate().Scans(ctx, a.who.View, store.ScanFilter{Kind: finding.KindImport, Site: site, Before: before, Limit: limit + 1})
	if err != nil {
		return doc, err
	}
	if len(scans) > limit {
		scans = scans[:limit]
		doc.Next = &scans[limit-1].ID
	}
	for _, s := range scans {
		one, err := a.imported(ctx, s)
		if err != nil {
			return doc, err
		}
		doc.Imports = append(doc.Imports, one)
	}
	return doc, nil
}

// RawImport is the report that an import read, with its credentials masked. Close it.
func (a *App) RawImport(ctx context.Context, id int64) (raw io.ReadCloser, file string, err error) {
	s, err := a.store.Estate().Scan(ctx, a.who.View, id)
	if err != nil {
		return nil, "", err
	}
	i := slices.IndexFunc(s.Scanners, func(r finding.ScannerRun) bool { return r.Report != "" })
	if s.Kind != finding.KindImport || i < 0 {
		return nil, "", fault.NotFound("no raw report is kept of import %d", id)
	}
	raw, err = a.store.Estate().OpenBlob(ctx, a.who.View, s.Scanners[i].Report)
	if fault.KindOf(err) == fault.KindNotFound {
		err = fault.NotFound("the raw report of import %d is not kept any more", id)
	}
	return raw, strings.Join(s.Targets, " "), err
}
