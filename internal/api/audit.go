package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// auditing is what this resource needs of the product.
type auditing interface {
	Audit(ctx context.Context, req request.Audit) (report.AuditList, error)
}

type auditInput struct {
	Cursor  string `query:"cursor" maxLength:"40" pattern:"^[0-9]*$" example:"17" doc:"next of the page before"`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100" example:"100"`
	Who     string `query:"who" maxLength:"200" example:"anna" doc:"exactly this name"`
	Action  string `query:"action" maxLength:"100" example:"user." doc:"this action, or with a final dot a group of them"`
	Subject string `query:"subject" maxLength:"200" example:"scan 7" doc:"exactly this"`
	From    string `query:"from" maxLength:"100" example:"192.0.2.7" doc:"this address"`
	Outcome string `query:"outcome" enum:"ok,denied,failed" example:"denied"`
	Since   string `query:"since" maxLength:"40" example:"2026-11-01" doc:"a day or a moment"`
	Until   string `query:"until" maxLength:"40" example:"2026-11-30T12:00:00Z" doc:"a day, which is included, or a moment"`
}

type auditList struct{ Body report.AuditList }

func (s *Server) auditOperations() {
	handle(s, operation{ID: "list-audit", Method: http.MethodGet, Path: "/audit", Tag: "audit", Role: auth.Admin,
		Summary: "Who did what, from where, newest first"},
		func(ctx context.Context, d Desk, in *auditInput) (*auditList, error) {
			list, err := d.Audit(ctx, request.Audit{Who: in.Who, Action: in.Action, Subject: in.Subject, From: in.From, Outcome: in.Outcome,
				Since: in.Since, Until: in.Until, Cursor: in.Cursor, Limit: in.Limit})
			return &auditList{list}, err
		})
}
