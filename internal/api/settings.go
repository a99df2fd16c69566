package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// settings is what this resource needs of the product.
type settings interface {
	SLA(ctx context.Context) (report.SLA, error)
	ChangeSLA(ctx context.Context, req request.SLA) (report.SLA, error)
}

// slaDecision is what is set by decision; null is the configuration file's.
type slaDecision struct {
	Act    *int `json:"act,omitempty" nullable:"true" minimum:"0" maximum:"3650" example:"3"`
	Attend *int `json:"attend,omitempty" nullable:"true" minimum:"0" maximum:"3650" example:"14"`
	Plan   *int `json:"plan,omitempty" nullable:"true" minimum:"0" maximum:"3650" example:"60"`
	Track  *int `json:"track,omitempty" nullable:"true" minimum:"0" maximum:"3650" example:"0"`
}

// slaSeverity is what is set by severity; null is the configuration file's.
type slaSeverity struct {
	Critical *int `json:"critical,omitempty" nullable:"true" minimum:"0" maximum:"3650" example:"7"`
	High     *int `json:"high,omitempty" nullable:"true" minimum:"0" maximum:"3650" example:"30"`
	Medium   *int `json:"medium,omitempty" nullable:"true" minimum:"0" maximum:"3650" example:"90"`
	Low      *int `json:"low,omitempty" nullable:"true" minimum:"0" maximum:"3650" example:"0"`
	Info     *int `json:"info,omitempty" nullable:"true" minimum:"0" maximum:"3650" example:"0"`
}

type slaInput struct {
	Body struct {
		Decision slaDecision `json:"decision,omitempty" doc:"days by decision; null, or absent, is the configuration file's"`
		Severity slaSeverity `json:"severity,omitempty" doc:"days by severity; null, or absent, is the configuration file's"`
	}
}

func (in *slaInput) request() request.SLA {
	d, v := in.Body.Decision, in.Body.Severity
	return request.SLA{Decision: map[string]*int{"act": d.Act, "attend": d.Attend, "plan": d.Plan, "track": d.Track},
		Severity: map[string]*int{"critical": v.Critical, "high": v.High, "medium": v.Medium, "low": v.Low, "info": v.Info}}
}

type slaOutput struct{ Body report.SLA }

func (s *Server) settingOperations() {
	handle(s, operation{ID: "get-sla", Method: http.MethodGet, Path: "/settings/sla", Tag: "settings", Role: auth.Viewer,
		Summary: "Within how many days findings are to be dealt with", Description: "The organisation's own terms; 0 sets none."},
		func(ctx context.Context, d Desk, _ *struct{}) (*slaOutput, error) {
			doc, err := d.SLA(ctx)
			return &slaOutput{doc}, err
		})
	handle(s, operation{ID: "change-sla", Method: http.MethodPut, Path: "/settings/sla", Tag: "settings", Role: auth.Admin, Status: http.StatusOK,
		Summary: "Set within how many days findings are to be dealt with",
		Description: "What is set stands before the configuration file; null gives the file's value back, 0 sets no term. A job then works out all due dates anew, " +
			"earlier or later."},
		func(ctx context.Context, d Desk, in *slaInput) (*slaOutput, error) {
			doc, err := d.ChangeSLA(ctx, in.request())
			return &slaOutput{doc}, err
		})
}
