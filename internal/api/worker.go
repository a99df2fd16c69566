package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/worker"
)

// workers is what this resource needs of the product. A worker may only speak of jobs of its own site that it holds.
type workers interface {
	Workers(ctx context.Context) ([]report.Worker, error)
	GreetWorker(ctx context.Context, h worker.Hello) (worker.Welcome, error)
	DismissWorker(ctx context.Context, name string) error
	LeaseTool(ctx context.Context, ask worker.Ask) (*worker.Lease, error)
	BeatTool(ctx context.Context, id int64, p worker.Pulse) (worker.PulseAnswer, error)
	TakeToolReport(ctx context.Context, id, fence int64, digest []byte, raw io.Reader) error
	FinishTool(ctx context.Context, id int64, d worker.Done) error
	HandBackTool(ctx context.Context, id, fence int64) error
}

type workerList struct{ Body report.WorkerList }

type helloInput struct{ Body worker.Hello }

type welcome struct{ Body worker.Welcome }

type farewellInput struct{ Body worker.Farewell }

type leaseInput struct{ Body worker.Ask }

type leased struct{ Body worker.Leased }

type beatInput struct {
	ID   int64 `path:"id" minimum:"1" example:"12" doc:"of the job"`
	Body worker.Pulse
}

type beaten struct{ Body worker.PulseAnswer }

type finishInput struct {
	ID   int64 `path:"id" minimum:"1" example:"12" doc:"of the job"`
	Body worker.Done
}

type handBackInput struct {
	ID   int64 `path:"id" minimum:"1" example:"12" doc:"of the job"`
	Body worker.Fence
}

// toolReportInput is read while it comes, and never held as a whole.
type toolReportInput struct {
	ID     int64  `path:"id" minimum:"1" example:"12" doc:"of the job"`
	Fence  int64  `query:"fence" required:"true" minimum:"1" example:"3"`
	Digest string `header:"Content-Digest" required:"true" maxLength:"200" example:"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:" doc:"RFC 9530: SHA-256 of the body"`

	raw    io.Reader
	length int64
}

// Resolve implements huma.Resolver.
func (in *toolReportInput) Resolve(c huma.Context) []error {
	in.raw = c.BodyReader()
	in.length, _ = strconv.ParseInt(c.Header("Content-Length"), 10, 64) // none is counted while it comes
	return nil
}

// sum is the digest in it.
func (in *toolReportInput) sum() ([]byte, error) {
	for part := range strings.SplitSeq(in.Digest, ",") {
		text, ok := strings.CutPrefix(strings.TrimSpace(part), "sha-256=:")
		if !ok {
			continue
		}
		if sum, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(text, ":")); err == nil {
			return sum, nil
		}
	}
	return nil, fault.Invalid("Content-Digest: want sha-256=:…: as in RFC 9530")
}

const (
	workerPath = "/api/v1/worker/" // whose requests come every second
	tagWorkers = "workers"
	sayWorkers = "For `patchscout worker --server`, which runs the tools of one site: see docs/workers.md."
)

func (s *Server) workerOperations() {
	handle(s, operation{ID: "list-workers", Method: http.MethodGet, Path: "/workers", Tag: tagWorkers, Role: auth.Viewer,
		Summary: "List who runs tools", Description: "The workers of the sites, and the server's own processes (site null), with their scanners and when they were last seen."},
		func(ctx context.Context, d Desk, _ *struct{}) (*workerList, error) {
			list, err := d.Workers(ctx)
			return &workerList{report.WorkerList{Workers: list}}, err
		})
	handle(s, operation{ID: "greet-worker", Method: http.MethodPost, Path: "/worker/hello", Tag: tagWorkers, Role: auth.Worker,
		Summary: "Say what a worker can do", Description: sayWorkers},
		func(ctx context.Context, d Desk, in *helloInput) (*welcome, error) {
			w, err := d.GreetWorker(ctx, in.Body)
			return &welcome{w}, err
		})
	handle(s, operation{ID: "dismiss-worker", Method: http.MethodPost, Path: "/worker/goodbye", Tag: tagWorkers, Role: auth.Worker,
		Summary: "Say that a worker ends", Description: sayWorkers},
		func(ctx context.Context, d Desk, in *farewellInput) (*struct{}, error) {
			return nil, d.DismissWorker(ctx, in.Body.Worker)
		})
	s.toolOperations()
}

// toolOperations are those that come again and again while tools run: they are no changes that anybody made, so the audit
// trail has the scans and not these.
func (s *Server) toolOperations() {
	handle(s, operation{ID: "lease-tool", Method: http.MethodPost, Path: "/worker/lease", Tag: tagWorkers, Role: auth.Worker, Reads: true,
		Summary: "Lease a job", Description: "Waits for one as long as wait_ms says. " + sayWorkers},
		func(ctx context.Context, d Desk, in *leaseInput) (*leased, error) {
			l, err := d.LeaseTool(ctx, in.Body)
			return &leased{worker.Leased{Job: l}}, err
		})
	handle(s, operation{ID: "beat-tool", Method: http.MethodPost, Path: "/worker/jobs/{id}/beat", Tag: tagWorkers, Role: auth.Worker, Reads: true,
		Summary: "Say that a job is worked on", Description: sayWorkers},
		func(ctx context.Context, d Desk, in *beatInput) (*beaten, error) {
			answer, err := d.BeatTool(ctx, in.ID, in.Body)
			return &beaten{answer}, err
		})
	s.reportOfTool()
	handle(s, operation{ID: "finish-tool", Method: http.MethodPost, Path: "/worker/jobs/{id}/finish", Tag: tagWorkers, Role: auth.Worker, Reads: true,
		Summary: "End a job with how the tool did", Description: sayWorkers},
		func(ctx context.Context, d Desk, in *finishInput) (*struct{}, error) {
			return nil, d.FinishTool(ctx, in.ID, in.Body)
		})
	handle(s, operation{ID: "hand-back-tool", Method: http.MethodPost, Path: "/worker/jobs/{id}/hand-back", Tag: tagWorkers, Role: auth.Worker, Reads: true,
		Summary: "Give a job back", Description: sayWorkers},
		func(ctx context.Context, d Desk, in *handBackInput) (*struct{}, error) {
			return nil, d.HandBackTool(ctx, in.ID, in.Body.Fence)
		})
}

func (s *Server) reportOfTool() {
	op := operation{ID: "put-tool-report", Method: http.MethodPut, Path: "/worker/jobs/{id}/report", Tag: tagWorkers, Role: auth.Worker, Reads: true,
		MaxBody: -1, Timeout: -1, Summary: "Send the raw report of a job", Description: "As the tool wrote it, before the job is finished. " + sayWorkers}
	handle(s, op, func(ctx context.Context, d Desk, in *toolReportInput) (*struct{}, error) {
		if in.length > scan.DefaultMaxRaw {
			return nil, huma.NewError(http.StatusRequestEntityTooLarge, fmt.Sprintf("raw report is larger than %d MiB", scan.DefaultMaxRaw>>20))
		}
		sum, err := in.sum()
		if err != nil {
			return nil, err
		}
		return nil, d.TakeToolReport(ctx, in.ID, in.Fence, sum, in.raw)
	})
	s.documented(op).RequestBody = &huma.RequestBody{Required: true, Description: "the raw report", Content: map[string]*huma.MediaType{
		"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
}
