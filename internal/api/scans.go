package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// scans is what this resource needs of the product.
type scans interface {
	InitiateScan(ctx context.Context, req request.Scan) (report.Initiated, error)
	ScanStatus(ctx context.Context, id int64) (report.ScanStatus, error)
	ScanStatuses(ctx context.Context, req request.Scans) (list []report.ScanStatus, total int, err error)
	PauseScan(ctx context.Context, id int64) error
	ContinueScan(ctx context.Context, id int64) error
	CancelScan(ctx context.Context, id int64) (now bool, err error)
	RepeatScan(ctx context.Context, id int64) (report.Initiated, error)
	DeleteScan(ctx context.Context, id int64, apply bool) (report.Undo, error)
	ScanDocument(ctx context.Context, id int64) (report.Scan, error)
	ScanFindings(ctx context.Context, id int64, skip, limit int) (report.FindingItems, error)
	ScanTasks(ctx context.Context, id int64) (report.TaskList, error)
	ScanHostPage(ctx context.Context, id int64, skip, limit int) (report.ScanHostList, error)
}

// scanConfig has the names of the flags of patchscout scan.
type scanConfig struct {
	Scanners     []string `json:"scanners,omitempty" maxItems:"20" maxLength:"63" example:"[\"native\"]" doc:"which to use; absent: the configuration's"`
	Ports        string   `json:"ports,omitempty" maxLength:"4096" example:"22,80,8000-8100" doc:"TCP ports in place of the scan type's"`
	Exclude      []string `json:"exclude,omitempty" maxItems:"1000" maxLength:"2048" example:"[\"192.168.1.1\"]" doc:"targets to leave out"`
	ExcludePorts string   `json:"exclude_ports,omitempty" maxLength:"4096" example:"9100" doc:"ports to leave out"`
	Site         string   `json:"site,omitempty" maxLength:"63" example:"default" doc:"vantage point: the same address in two sites is two hosts"`
	TimeoutS     int      `json:"timeout_s,omitempty" minimum:"1" maximum:"86400" example:"1800" doc:"how long one run of a tool may take; absent: the configuration's"`
	Baseline     int64    `json:"baseline,omitempty" minimum:"1" example:"41" doc:"a scan whose findings are not new"`
	Targets      []string `json:"targets,omitempty" maxItems:"1000" maxLength:"2048" example:"[\"192.168.2.0/24\"]" doc:"more targets of the same scan"`
}

type initiateInput struct {
	Body struct {
		TargetURL string      `json:"target_url,omitempty" maxLength:"2048" example:"192.168.1.0/24" doc:"an address, network, range, host name or http(s) URL; needed unless config.targets names some"`
		ScanType  string      `json:"scan_type,omitempty" enum:"quick,standard,full,web" example:"standard" doc:"quick (100 ports), standard (1000, the default), full (65535), web"`
		Config    *scanConfig `json:"config,omitempty"`
	}
}

func (in *initiateInput) request() (request.Scan, error) {
	b := in.Body
	c := scanConfig{}
	if b.Config != nil {
		c = *b.Config
	}
	req := request.Scan{Exclude: c.Exclude, Scanners: c.Scanners, Profile: b.ScanType, Ports: c.Ports, ExcludePorts: c.ExcludePorts, Site: c.Site,
		Baseline: c.Baseline, Timeout: time.Duration(c.TimeoutS) * time.Second}
	if b.TargetURL != "" {
		req.Targets = append(req.Targets, b.TargetURL)
	}
	if req.Targets = append(req.Targets, c.Targets...); len(req.Targets) == 0 {
		return req, fault.InvalidOption("target-url", ": say what to scan")
	}
	return req, nil
}

type scansInput struct {
	Site   string `query:"site" maxLength:"63" example:"default" doc:"only this site"`
	Status string `query:"status" enum:"pending,running,completed,failed" example:"running"`
	Kind   string `query:"kind" enum:"scan,import" example:"scan" doc:"absent: scans and imports"`
	Cursor string `query:"cursor" maxLength:"20" pattern:"^[0-9]*$" example:"42" doc:"where the page before ended: its next"`
	Skip   int    `query:"skip" minimum:"0" maximum:"1000000" example:"0" doc:"how many of the newest to leave out; goes with no cursor"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" example:"100" doc:"how many at most"`

	numbered bool // skip was given
}

// Resolve tells how the asker pages.
func (in *scansInput) Resolve(c huma.Context) []error {
	in.numbered = c.Query("skip") != ""
	return nil
}

type deleteScanInput struct {
	ByID
	Preview bool `query:"preview" example:"true" doc:"only say what it comes to"`
}

// Numbered is a page by numbers, as the original design has it.
type Numbered struct {
	Skip  int `query:"skip" minimum:"0" maximum:"10000000" example:"0" doc:"how many to leave out"`
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100" example:"100" doc:"how many at most"`
}

type scanPageInput struct {
	ByID
	Numbered
}

type (
	initiatedOutput struct {
		Location string `header:"Location" example:"/api/v1/scans/42" doc:"where its status is"`
		Body     report.Initiated
	}
	scanStatusOutput struct{ Body report.ScanStatus }
	scansOutput      struct{ Body report.ScanStatusList }
	itemsOutput      struct{ Body report.FindingItems }
	tasksOutput      struct{ Body report.TaskList }
	scanHostsOutput  struct{ Body report.ScanHostList }
)

func (s *Server) initiated(doc report.Initiated, err error) (*initiatedOutput, error) {
	return &initiatedOutput{Location: fmt.Sprintf("%s/api/v1/scans/%d", s.opts.BasePath, doc.ScanID), Body: doc}, err
}

func (s *Server) scanOperations() {
	handle(s, operation{ID: "initiate-scan", Method: http.MethodPost, Path: "/scans/initiate", Tag: "scans", Role: auth.Analyst, Errors: named, Status: http.StatusAccepted,
		Summary: "Begin a scan", Description: "It answers at once with the scan's number; the scan runs in the background. Several targets are one scan."},
		func(ctx context.Context, d Desk, in *initiateInput) (*initiatedOutput, error) {
			req, err := in.request()
			if err != nil {
				return nil, err
			}
			return s.initiated(d.InitiateScan(ctx, req))
		})
	handle(s, operation{ID: "list-scans", Method: http.MethodGet, Path: "/scans", Tag: "scans", Role: auth.Viewer, Errors: named,
		Summary: "List scans and imports, newest first", Description: "Page by cursor, or by skip and limit."},
		listScans)
	handle(s, operation{ID: "get-scan", Method: http.MethodGet, Path: "/scans/{id}", Tag: "scans", Role: auth.Viewer,
		Summary: "Where a scan stands", Description: "A cancelled scan is failed with the reason cancelled; a paused one is running with paused."},
		func(ctx context.Context, d Desk, in *ByID) (*scanStatusOutput, error) {
			doc, err := d.ScanStatus(ctx, in.ID)
			return &scanStatusOutput{doc}, err
		})
	handle(s, operation{ID: "delete-scan", Method: http.MethodDelete, Path: "/scans/{id}", Tag: "scans", Role: auth.Analyst, Status: http.StatusOK,
		Summary:     "Cancel a scan that runs, or remove one that is over",
		Description: "Removing takes exactly its evidence back and folds the rest again; preview says what that comes to. Of a scan that runs it answers 202 and what it found is kept.",
		Also:        map[int]string{http.StatusAccepted: "the scan is being cancelled"}},
		deleteScan)
	s.scanControlOperations()
	s.scanResultOperations()
}

func listScans(ctx context.Context, d Desk, in *scansInput) (*scansOutput, error) {
	if in.Cursor != "" && in.numbered {
		return nil, fault.InvalidOption("skip", " goes with no cursor")
	}
	before := int64(0)
	if in.Cursor != "" {
		var err error
		if before, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil {
			return nil, fault.InvalidOption("cursor", " %s: want the next of a page", in.Cursor)
		}
	}
	list, total, err := d.ScanStatuses(ctx, request.Scans{Site: in.Site, Status: in.Status, Kind: in.Kind, Before: before, Skip: in.Skip, Limit: in.Limit + 1})
	doc := report.ScanStatusList{Scans: list, Total: total, Skip: in.Skip, Limit: in.Limit}
	if len(list) > in.Limit {
		doc.Scans = list[:in.Limit]
		next := strconv.FormatInt(doc.Scans[in.Limit-1].ID, 10)
		doc.Next = &next
	}
	if in.numbered {
		doc.Items = doc.Scans
	}
	return &scansOutput{doc}, err
}

type deleteScanOutput struct {
	Status int
	Body   report.Undo
}

// deleteScan cancels what runs; what is over is taken back.
func deleteScan(ctx context.Context, d Desk, in *deleteScanInput) (*deleteScanOutput, error) {
	status, err := d.ScanStatus(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if over := status.Status == "completed" || status.Status == "failed"; !over {
		if in.Preview {
			return nil, fault.Conflict("scan %d runs: without preview it is cancelled, and what it found is kept", in.ID)
		}
		_, err := d.CancelScan(ctx, in.ID)
		return &deleteScanOutput{http.StatusAccepted, report.Undo{ID: in.ID}}, err
	}
	doc, err := d.DeleteScan(ctx, in.ID, !in.Preview)
	return &deleteScanOutput{http.StatusOK, doc}, err
}

func (s *Server) scanControlOperations() {
	for _, method := range []string{http.MethodPost, http.MethodDelete} {
		handle(s, operation{ID: map[string]string{http.MethodPost: "cancel-scan", http.MethodDelete: "cancel-scan-by-delete"}[method], Method: method,
			Path: "/scans/{id}/cancel", Tag: "scans", Role: auth.Analyst, Status: http.StatusAccepted,
			Summary: "Cancel a scan", Description: "Its tools end within seconds; what it found is kept. The answer says where it stands."},
			control(func(d Desk, ctx context.Context, id int64) error { //nolint:revive // as a method expression has it
				_, err := d.CancelScan(ctx, id)
				return err
			}))
	}
	handle(s, operation{ID: "pause-scan", Method: http.MethodPost, Path: "/scans/{id}/pause", Tag: "scans", Role: auth.Analyst, Status: http.StatusAccepted,
		Summary: "Pause a scan", Description: "It pauses when its running tasks have ended, or half a minute later by repeating them when it is resumed."},
		control(Desk.PauseScan))
	handle(s, operation{ID: "resume-scan", Method: http.MethodPost, Path: "/scans/{id}/resume", Tag: "scans", Role: auth.Analyst, Status: http.StatusAccepted,
		Summary: "Continue a scan", Description: "One that was paused, or whose process died, from its last completed task."},
		control(Desk.ContinueScan))
	handle(s, operation{ID: "repeat-scan", Method: http.MethodPost, Path: "/scans/{id}/repeat", Tag: "scans", Role: auth.Analyst, Status: http.StatusAccepted,
		Summary: "Scan the same again", Description: "A new scan with the targets and the configuration of an old one."},
		func(ctx context.Context, d Desk, in *ByID) (*initiatedOutput, error) {
			return s.initiated(d.RepeatScan(ctx, in.ID))
		})
}

// control does something to a scan and answers where it stands then.
func control(do func(Desk, context.Context, int64) error) func(context.Context, Desk, *ByID) (*scanStatusOutput, error) {
	return func(ctx context.Context, d Desk, in *ByID) (*scanStatusOutput, error) {
		if err := do(d, ctx, in.ID); err != nil {
			return nil, err
		}
		doc, err := d.ScanStatus(ctx, in.ID)
		return &scanStatusOutput{doc}, err
	}
}

func (s *Server) scanResultOperations() {
	handle(s, operation{ID: "list-scan-vulnerabilities", Method: http.MethodGet, Path: "/scans/{id}/vulnerabilities", Tag: "scans", Role: auth.Viewer,
		Summary: "What a scan found, most urgent first", Description: "All findings that it saw and that nobody set aside, with their evidence."},
		func(ctx context.Context, d Desk, in *scanPageInput) (*itemsOutput, error) {
			doc, err := d.ScanFindings(ctx, in.ID, in.Skip, in.Limit)
			return &itemsOutput{doc}, err
		})
	handle(s, operation{ID: "get-scan-result", Method: http.MethodGet, Path: "/scans/{id}/result", Tag: "scans", Role: auth.Viewer,
		Summary: "The whole document of a scan", Description: "As patchscout scan --format json prints it: the scan, its hosts, its findings. It is written as it is read.",
		Streams: []string{"application/json"}, Whole: report.Scan{}},
		func(ctx context.Context, d Desk, in *ByID) (*huma.StreamResponse, error) {
			return s.scanStream(ctx, d, in.ID, "json")
		})
	handle(s, operation{ID: "list-scan-tasks", Method: http.MethodGet, Path: "/scans/{id}/tasks", Tag: "scans", Role: auth.Viewer,
		Summary: "The tasks of a scan", Description: "Each is one run of one tool on some hosts, in the order in which they were made."},
		func(ctx context.Context, d Desk, in *ByID) (*tasksOutput, error) {
			doc, err := d.ScanTasks(ctx, in.ID)
			return &tasksOutput{doc}, err
		})
	handle(s, operation{ID: "list-scan-hosts", Method: http.MethodGet, Path: "/scans/{id}/hosts", Tag: "scans", Role: auth.Viewer,
		Summary: "How the hosts of a scan answered", Description: "The silent and the unknown ones come last."},
		func(ctx context.Context, d Desk, in *scanPageInput) (*scanHostsOutput, error) {
			doc, err := d.ScanHostPage(ctx, in.ID, in.Skip, in.Limit)
			return &scanHostsOutput{doc}, err
		})
}

// scanStream answers with a scan in one of the formats of its export.
func (s *Server) scanStream(ctx context.Context, d Desk, id int64, format string) (*huma.StreamResponse, error) {
	doc, err := d.ScanDocument(ctx, id)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("scan-%d.%s", id, extension(format))
	return s.stream(download{report.StreamFormats[format], name}, func(w *streamWriter) error {
		out := report.NewStream(w, format, s.opts.Version)
		switch format {
		case "json":
			if out, err = report.NewScanStream(w, doc); err != nil {
				return err
			}
		case "sarif":
			out = report.NewSARIFStream(w, doc.Scan, s.opts.Version)
		}
		if err := d.EachFinding(ctx, request.Findings{Scan: id, State: "all"}, out.Add); err != nil {
			return err
		}
		return out.End()
	}), nil
}
