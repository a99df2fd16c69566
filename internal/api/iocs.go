package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/report"
)

// iocs is what this resource needs of the product.
type iocs interface {
	// ListIndicators lists indicators; value "" is any.
	ListIndicators(ctx context.Context, f catalogue.IndicatorFilter, value string) (report.IndicatorList, error)
	LookUpAll(ctx context.Context, values []string) (report.IndicatorAnswers, error)
}

type iocQuery struct {
	Conditional
	Kind   string `query:"kind" enum:"url,domain,ip,hash" doc:"only of this kind" example:"ip"`
	Value  string `query:"value" maxLength:"4096" doc:"only this address, domain, URL or hash, also as it is made harmless for mails" example:"192.0.2.1"`
	Source string `query:"source" maxLength:"60" doc:"only of this list" example:"threatfox"`
	Threat string `query:"threat" maxLength:"100" doc:"only this kind of threat" example:"botnet_cc"`
	Query  string `query:"query" maxLength:"500" doc:"words in value, threat, malware or tags" example:"emotet"`
	Active bool   `query:"active" doc:"only those that have not expired" example:"true"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"how many" example:"50"`
	Cursor string `query:"cursor" maxLength:"5000" doc:"the page after this one: next of the answer before, with the same filter"`
}

type lookupInput struct {
	Body struct {
		Values []string `json:"values" minItems:"1" maxItems:"1000" doc:"addresses (with or without a port), domains, URLs and hashes" example:"[\"192.0.2.1\",\"hxxp://evil[.]example/a.exe\"]"`
	}
}

type lookupAnswer struct{ Body report.IndicatorAnswers }

func (s *Server) iocOperations() {
	handleKept(s, operation{ID: "list-iocs", Method: http.MethodGet, Path: "/iocs", Tag: "iocs", Role: auth.Viewer,
		Summary: "List indicators of compromise", Description: "In the order of kind and value. Expired ones are listed too, and say so."},
		func(ctx context.Context, d Desk, in *iocQuery) (*fresh[report.IndicatorList], error) {
			// What expires does so at a minute, not at midnight.
			in.asked += s.opts.Now().UTC().Format("&15:04")
			in.IfModifiedSince = ""
			return keep(ctx, s, d, &in.Conditional, func() (report.IndicatorList, error) {
				return d.ListIndicators(ctx, catalogue.IndicatorFilter{Kind: in.Kind, Source: in.Source, Threat: in.Threat, Words: in.Query,
					Active: in.Active, Limit: in.Limit, After: in.Cursor}, in.Value)
			})
		})
	handle(s, operation{ID: "lookup-iocs", Method: http.MethodPost, Path: "/iocs/lookup", Tag: "iocs", Role: auth.Viewer, Reads: true, Status: http.StatusOK,
		MaxBody: 4 << 20, Summary: "What is known of addresses, domains, URLs and hashes",
		Description: "A URL is looked up itself and by its host, an address or domain itself and with the listed URLs that lead there. A value that is no indicator is answered as such."},
		func(ctx context.Context, d Desk, in *lookupInput) (*lookupAnswer, error) {
			doc, err := d.LookUpAll(ctx, in.Body.Values)
			return &lookupAnswer{doc}, err
		})
}
