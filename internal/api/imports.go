package api

import (
	"context"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// imports is what this resource needs of the product.
type imports interface {
	// MaxUpload is how large an upload may be, in bytes.
	MaxUpload() int64
	// QueueImports takes the reports that read hands over and has them read in the background. An error of read leaves
	// nothing behind.
	QueueImports(ctx context.Context, read func(take func(name string, in io.Reader) error) (request.Import, error)) (report.QueuedImports, error)
	// AwaitImports waits until they are read and returns their ledgers.
	AwaitImports(ctx context.Context, queued report.QueuedImports) (report.Import, error)
	ImportPage(ctx context.Context, site string, before int64, limit int) (report.ImportPage, error)
	Imported(ctx context.Context, id int64) (report.Imported, error)
	UndoImport(ctx context.Context, id int64, apply bool) (report.Undo, error)
	// RawImport is the report that an import read, with its credentials masked. Close it.
	RawImport(ctx context.Context, id int64) (raw io.ReadCloser, file string, err error)
}

// importFields are the fields of the form beside the files; each may be a parameter as well.
type importFields struct {
	Tool string `json:"tool,omitempty" doc:"which tool wrote the files" example:"auto"`
	Site string `json:"site,omitempty" doc:"vantage point that the reports were made from" example:"default"`
	Host string `json:"host,omitempty" doc:"the host of records that name none" example:"build-server"`
	Full string `json:"full,omitempty" enum:"true,false" doc:"the reports cover all that their tool looks for on their hosts: close what they do not show" example:"false"`
}

type importInput struct {
	Upload
	Tool string `query:"tool" maxLength:"40" doc:"auto, or the tool that wrote the files" example:"auto"`
	Site string `query:"site" maxLength:"63" doc:"vantage point that the reports were made from" example:"default"`
	Host string `query:"host" maxLength:"255" doc:"the host of records that name none, as in reports on code; without it the file's name" example:"build-server"`
	Full bool   `query:"full" doc:"the reports cover all that their tool looks for on their hosts: close what they do not show" example:"false"`
	Wait bool   `query:"wait" doc:"answer with the ledger when the reports are read, instead of at once" example:"false"`
}

// request joins the form's fields and the parameters; the form goes before them.
func (in *importInput) request(fields map[string]string) (r request.Import, err error) {
	r = request.Import{Tool: in.Tool, Site: in.Site, Host: in.Host, Full: in.Full}
	for name, into := range map[string]*string{"tool": &r.Tool, "site": &r.Site, "host": &r.Host} {
		if text := fields[name]; text != "" {
			*into = text
		}
	}
	if text := fields["full"]; text != "" {
		if r.Full, err = strconv.ParseBool(text); err != nil {
			return r, fault.InvalidOption("full", " %.20q: want true or false", text)
		}
	}
	return r, nil
}

type importAnswer struct {
	Status   int
	Location string `header:"Location"`
	Body     any
}

type importQuery struct {
	Site   string `query:"site" maxLength:"63" doc:"only of this site" example:"default"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"how many" example:"50"`
	Cursor int64  `query:"cursor" minimum:"1" doc:"the page after this one: next of the answer before"`
}

type importPage struct{ Body report.ImportPage }

type importDoc struct{ Body report.Imported }

type undoInput struct {
	ByID
	Preview bool `query:"preview" doc:"only say what that comes to" example:"true"`
}

type undoAnswer struct{ Body report.Undo }

func (s *Server) importOperations() {
	s.importUpload()
	handle(s, operation{ID: "list-imports", Errors: []int{http.StatusNotFound}, Method: http.MethodGet, Path: "/imports", Tag: "imports", Role: auth.Viewer,
		Summary: "List imports", Description: "With their ledgers, newest first."},
		func(ctx context.Context, d Desk, in *importQuery) (*importPage, error) {
			page, err := d.ImportPage(ctx, in.Site, in.Cursor, in.Limit)
			return &importPage{page}, err
		})
	handle(s, operation{ID: "get-import", Method: http.MethodGet, Path: "/imports/{id}", Tag: "imports", Role: auth.Viewer,
		Summary: "An import and its ledger", Description: "What became of every record of one report."},
		func(ctx context.Context, d Desk, in *ByID) (*importDoc, error) {
			doc, err := d.Imported(ctx, in.ID)
			return &importDoc{doc}, err
		})
	handle(s, operation{ID: "undo-import", Method: http.MethodDelete, Path: "/imports/{id}", Tag: "imports", Role: auth.Analyst, Status: http.StatusOK,
		Summary: "Take back what one import said", Description: "Exactly its evidence, coverage and words; the life of every finding is folded anew from what the others said."},
		func(ctx context.Context, d Desk, in *undoInput) (*undoAnswer, error) {
			doc, err := d.UndoImport(ctx, in.ID, !in.Preview)
			return &undoAnswer{doc}, err
		})
	raw := operation{ID: "get-raw-import", Timeout: -1, Method: http.MethodGet, Path: "/imports/{id}/raw", Tag: "imports", Role: auth.Analyst, Status: http.StatusOK,
		Summary: "The report as it was read", Description: "With its credentials masked, as text to save. 404 when it is not kept any more."}
	handle(s, raw, func(ctx context.Context, d Desk, in *ByID) (*streamed, error) {
		file, name, err := d.RawImport(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return &streamed{func(c huma.Context) { s.rawText(c, file, name) }}, nil
	})
	s.answersWith(raw, http.StatusOK, "text/plain", &huma.Schema{Type: huma.TypeString}, "<nmaprun scanner=\"nmap\">…")
}

func (s *Server) importUpload() {
	op := operation{ID: "import-reports", Errors: []int{http.StatusNotFound}, Timeout: -1, Method: http.MethodPost, Path: "/imports", Tag: "imports", Role: auth.Analyst, Status: http.StatusAccepted,
		Summary: "Import reports of scanners",
		Description: "One report as it is, or several as multipart/form-data, also packed with gzip or zstd. They are read in the background; " +
			"wait=true answers with the ledger. An upload that is cut short, or in which a file is no report, leaves nothing behind."}
	handle(s, op, func(ctx context.Context, d Desk, in *importInput) (*importAnswer, error) {
		queued, err := d.QueueImports(ctx, func(take func(string, io.Reader) error) (request.Import, error) {
			fields, err := in.each(ctx, d.MaxUpload(), []string{"tool", "site", "host", "full"}, take)
			if err != nil {
				return request.Import{}, err
			}
			return in.request(fields)
		})
		if err != nil {
			return nil, err
		}
		if !in.Wait {
			return &importAnswer{Status: http.StatusAccepted, Location: string(queued.Imports[0].Links.Self), Body: queued}, nil
		}
		ledgers, err := d.AwaitImports(ctx, queued)
		return &importAnswer{Status: http.StatusOK, Location: string(queued.Imports[0].Links.Self), Body: ledgers}, err
	})
	s.takesFiles(op, importFields{}, "application/octet-stream", "application/xml", "application/json", "text/csv", "text/plain")
	schemas := s.api.OpenAPI().Components.Schemas
	s.answersWith(op, http.StatusAccepted, "application/json", schemas.Schema(reflect.TypeFor[report.QueuedImports](), true, ""), nil)
	s.answersWith(op, http.StatusOK, "application/json", schemas.Schema(reflect.TypeFor[report.Import](), true, ""), nil)
}

// rawText sends what a tool wrote so that no browser takes it for anything but text (design decision 16).
func (s *Server) rawText(c huma.Context, file io.ReadCloser, name string) {
	defer file.Close()
	c.SetHeader("Content-Type", "text/plain; charset=utf-8")
	c.SetHeader("X-Content-Type-Options", "nosniff")
	c.SetHeader("Content-Security-Policy", "default-src 'none'; sandbox")
	c.SetHeader("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": baseName(name) + ".txt"}))
	c.SetHeader("Cache-Control", "private, no-store")
	c.SetStatus(http.StatusOK)
	if _, err := io.Copy(c.BodyWriter(), file); err != nil {
		if c.Context().Err() == nil {
			s.opts.Log.WarnContext(c.Context(), "a raw report was cut short", "error", err)
		}
		panic(http.ErrAbortHandler) // so that nobody takes a part for the whole
	}
}
