package api

import (
	"context"
	"io"
	"net/http"
	"reflect"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

// ingestion is what this resource needs of the product.
type ingestion interface {
	MaxUpload() int64
	// QueueIngest takes the files of records that read hands over, which returns the name of their source, and has them
	// loaded in the background. An error of read leaves nothing behind.
	QueueIngest(ctx context.Context, read func(take func(name string, in io.Reader) error) (source string, err error)) (report.Queued, error)
	// AwaitIngest waits until they are loaded and returns the ledger.
	AwaitIngest(ctx context.Context, queued report.Queued) (report.Ingest, error)
}

type ingestFields struct {
	Source string `json:"source,omitempty" doc:"name of the source, shown beside every value" example:"acme-psirt"`
}

type ingestInput struct {
	Upload
	Source string `query:"source" maxLength:"60" doc:"name of the source, shown beside every value" example:"acme-psirt"`
	Wait   bool   `query:"wait" doc:"answer with the ledger when the records are loaded, instead of at once" example:"false"`
}

type ingestAnswer struct {
	Status   int
	Location string `header:"Location"`
	Body     any
}

func (s *Server) ingestOperations() {
	op := operation{ID: "ingest-records", Timeout: -1, Method: http.MethodPost, Path: "/ingest", Tag: "feeds", Role: auth.Admin, Status: http.StatusAccepted,
		Summary: "Load records of your own",
		Description: "NDJSON, with or without gzip: each line an NVD 2.0 record, a CVE 5 record or an object of the flat shape. They complete what NVD, " +
			"the assigner and CISA say and do not replace it. A line that cannot be used is counted and does not stop the rest."}
	handle(s, op, func(ctx context.Context, d Desk, in *ingestInput) (*ingestAnswer, error) {
		queued, err := d.QueueIngest(ctx, func(take func(string, io.Reader) error) (string, error) {
			fields, err := in.each(ctx, d.MaxUpload(), []string{"source"}, take)
			if fields["source"] != "" {
				return fields["source"], err
			}
			return in.Source, err
		})
		if err != nil {
			return nil, err
		}
		if !in.Wait {
			return &ingestAnswer{Status: http.StatusAccepted, Location: queued.Links.Job, Body: queued}, nil
		}
		ledger, err := d.AwaitIngest(ctx, queued)
		return &ingestAnswer{Status: http.StatusOK, Location: queued.Links.Job, Body: ledger}, err
	})
	s.takesFiles(op, ingestFields{}, jsonLines, "application/json", "application/octet-stream")
	schemas := s.api.OpenAPI().Components.Schemas
	s.answersWith(op, http.StatusAccepted, "application/json", schemas.Schema(reflect.TypeFor[report.Queued](), true, ""), nil)
	s.answersWith(op, http.StatusOK, "application/json", schemas.Schema(reflect.TypeFor[report.Ingest](), true, ""), nil)
}
