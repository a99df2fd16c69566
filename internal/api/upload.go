package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
)

// Upload is a body of files: one as it is, or several as multipart/form-data. It is read as it comes and never held in
// memory. Inputs embed it.
type Upload struct {
	FileName string `query:"filename" maxLength:"255" doc:"the name of a file that is sent as it is" example:"scan.xml"`

	body        io.Reader
	length      string
	kind        string
	disposition string
}

// Resolve implements huma.Resolver.
func (u *Upload) Resolve(ctx huma.Context) []error {
	u.body = ctx.BodyReader()
	u.length, u.kind, u.disposition = ctx.Header("Content-Length"), ctx.Header("Content-Type"), ctx.Header("Content-Disposition")
	return nil
}

const (
	maxFiles     = 100      // in one upload
	maxField     = 64 << 10 // bytes of a field beside the files
	maxFields    = 20
	formOverhead = 1 << 20 // what multipart adds, at most
)

// each calls take with each file of the upload and returns the fields beside them. limit is in bytes, for all of it.
// What is wrong with the body itself is an error with its status; the files before it were taken by then.
func (u *Upload) each(ctx context.Context, limit int64, fields []string, take func(name string, in io.Reader) error) (map[string]string, error) {
	kind, params, err := mime.ParseMediaType(u.kind)
	if u.kind == "" {
		kind, err = "application/octet-stream", nil
	}
	if err != nil || !readable(kind) {
		return nil, huma.NewError(http.StatusUnsupportedMediaType,
			fmt.Sprintf("content type %.60q: send files as multipart/form-data, or one as application/octet-stream, application/xml, application/json, text/csv or text/plain", u.kind))
	}
	var declared int64
	if _, err := fmt.Sscan(u.length, &declared); err == nil && declared > limit+formOverhead {
		return nil, tooLarge(limit)
	}
	in := &arriving{ctx: ctx, r: u.body, left: limit, limit: limit}
	if kind != "multipart/form-data" {
		return nil, take(u.name(), in)
	}
	in.left += formOverhead
	return forms(multipart.NewReader(in, params["boundary"]), fields, take)
}

// readable says whether a body of that type may be a file. What browsers send from a form without files is none.
func readable(kind string) bool {
	main, _, _ := strings.Cut(kind, "/")
	return kind == "multipart/form-data" || main == "text" || main == "application" && kind != "application/x-www-form-urlencoded"
}

func tooLarge(limit int64) error {
	return huma.NewError(http.StatusRequestEntityTooLarge, fmt.Sprintf("the upload is larger than %d MiB (server.max_upload_mb)", limit>>20))
}

// name is what the client calls a file that is sent as it is.
func (u *Upload) name() string {
	if u.FileName != "" {
		return baseName(u.FileName)
	}
	_, params, err := mime.ParseMediaType(u.disposition)
	if err != nil {
		return baseName("")
	}
	return baseName(params["filename"])
}

// baseName is a file's name without folders and without what could mislead where it is shown.
func baseName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, "?"), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, name)
	for len(name) > 200 {
		runes := []rune(name)
		name = string(runes[:len(runes)-1])
	}
	if name = strings.TrimSpace(name); name == "" || name == "." || name == ".." || name == "/" || name == "-" {
		return "upload"
	}
	return name
}

func forms(parts *multipart.Reader, known []string, take func(string, io.Reader) error) (map[string]string, error) {
	fields, files := map[string]string{}, 0
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF { //nolint:errorlint // a form that was cut short wraps it
			if files == 0 {
				return nil, huma.Error422UnprocessableEntity("file: no file in the form", &huma.ErrorDetail{Message: "no file in the form", Location: "file"})
			}
			return fields, nil
		}
		if err != nil {
			return nil, badForm(err)
		}
		if part.FileName() != "" || slices.Contains([]string{"file", "files"}, part.FormName()) {
			if files++; files > maxFiles {
				return nil, huma.Error422UnprocessableEntity(fmt.Sprintf("more than %d files in one upload", maxFiles))
			}
			err = take(baseName(rawName(part)), unframed{part})
		} else {
			err = field(part, known, fields)
		}
		if err != nil {
			return nil, err
		}
	}
}

// rawName is the name of a part's file as the client sent it.
func rawName(part *multipart.Part) string {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return part.FileName()
	}
	return params["filename"]
}

func field(part *multipart.Part, known []string, into map[string]string) error {
	name := part.FormName()
	if !slices.Contains(known, name) || len(into) >= maxFields {
		say := fmt.Sprintf("unknown field %.40q: want files, and %s", name, strings.Join(known, ", "))
		return huma.Error422UnprocessableEntity(say, &huma.ErrorDetail{Message: say, Location: "body"})
	}
	text, err := io.ReadAll(io.LimitReader(unframed{part}, maxField+1))
	if err != nil {
		return err
	}
	if len(text) > maxField || !isText(string(text)) {
		say := "it is too long, has a NUL or is no UTF-8"
		return huma.Error422UnprocessableEntity(name+": "+say, &huma.ErrorDetail{Message: say, Location: "body." + name})
	}
	into[name] = string(text)
	return nil
}

// unframed is a part's content; a part that ends without its boundary is an upload that was cut short.
type unframed struct{ part *multipart.Part }

// Read implements io.Reader.
func (u unframed) Read(p []byte) (int, error) {
	n, err := u.part.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = badForm(err)
	}
	return n, err
}

func badForm(err error) error {
	var said huma.StatusError
	if errors.As(err, &said) {
		return said
	}
	return huma.Error400BadRequest("the form is broken, or was cut short: nothing of it was kept")
}

// arriving is a body on its way: not too much of it, and its ends told apart.
type arriving struct {
	ctx   context.Context //nolint:containedctx // a reader has no other way to be told when to stop
	r     io.Reader
	left  int64
	limit int64
}

// Read implements io.Reader. Its errors have their HTTP status.
func (a *arriving) Read(p []byte) (int, error) {
	if a.r == nil {
		return 0, io.EOF
	}
	if a.ctx.Err() != nil {
		return 0, huma.NewError(http.StatusServiceUnavailable, "the server stops")
	}
	n, err := a.r.Read(p)
	if a.left -= int64(n); a.left < 0 {
		return 0, tooLarge(a.limit)
	}
	var late net.Error
	switch {
	case err == nil, errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return n, err
	case errors.As(err, &late) && late.Timeout(), errors.Is(err, os.ErrDeadlineExceeded):
		return n, huma.NewError(http.StatusRequestTimeout, "the upload is too slow: nothing of it was kept")
	}
	return n, huma.Error400BadRequest("the upload was cut short: nothing of it was kept")
}

// takesFiles says in the document what the body of an upload may be; fields are those of the form beside its files.
func (s *Server) takesFiles(op operation, fields any, kinds ...string) {
	s.amend(op, func(o *huma.Operation) {
		form := huma.SchemaFromType(s.api.OpenAPI().Components.Schemas, reflect.TypeOf(fields))
		form.Properties["file"] = &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString, Format: "binary"}, Description: "the files"}
		form.Required = []string{"file"}
		o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"multipart/form-data": {Schema: form},
		}}
		for _, kind := range kinds {
			o.RequestBody.Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
	})
}
