package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// findings is what this resource needs of the product.
type findings interface {
	FindingPage(ctx context.Context, req request.Findings) (report.FindingList, error)
	FindingGroups(ctx context.Context, req request.Findings, by string) (report.GroupList, error)
	FindingCounts(ctx context.Context, req request.Findings) (report.FindingCounts, error)
	EachFinding(ctx context.Context, req request.Findings, fn func(report.Finding) error) error
	Finding(ctx context.Context, id int64) (report.Finding, report.Catalogue, error)
}

// FindingFilter has the names of the flags of patchscout findings, in a query and in a body.
type FindingFilter struct {
	Scan        int64    `query:"scan" json:"scan,omitempty" minimum:"1" example:"42" doc:"only what this scan saw"`
	Host        string   `query:"host" json:"host,omitempty" maxLength:"255" example:"192.168.1.20" doc:"only this address, name or host id"`
	Site        string   `query:"site" json:"site,omitempty" maxLength:"63" example:"default" doc:"only this site"`
	State       string   `query:"state" json:"state,omitempty" enum:"open,reopened,fixed,closed,all" example:"open" doc:"open and reopened when absent"`
	Triage      []string `query:"triage" json:"triage,omitempty" maxItems:"5" enum:"none,confirmed,false_positive,accepted,out_of_scope" example:"confirmed"`
	Hidden      bool     `query:"hidden" json:"hidden,omitempty" example:"false" doc:"also what was set aside: false positives, accepted, out of scope"`
	Severity    []string `query:"severity" json:"severity,omitempty" maxItems:"6" enum:"critical,high,medium,low,info,unknown" example:"critical,high"`
	Decision    []string `query:"decision" json:"decision,omitempty" maxItems:"4" enum:"act,attend,plan,track" example:"act"`
	KEV         bool     `query:"kev" json:"kev,omitempty" example:"false" doc:"only what CISA knows to be exploited"`
	Exploited   bool     `query:"exploited" json:"exploited,omitempty" example:"false" doc:"only what some source says is exploited"`
	Status      []string `query:"status" json:"status,omitempty" maxItems:"4" enum:"affected,conditional,uncertain,unaffected" example:"affected"`
	Kind        []string `query:"kind" json:"kind,omitempty" maxItems:"2" enum:"vulnerability,compliance" example:"vulnerability"`
	Confidence  int      `query:"confidence" json:"confidence,omitempty" minimum:"0" maximum:"100" example:"70" doc:"at least this confidence"`
	Confirmed   bool     `query:"confirmed" json:"confirmed,omitempty" example:"true" doc:"only confirmed ones: affected, confidence 70 and more"`
	Potential   bool     `query:"potential" json:"potential,omitempty" example:"false" doc:"only the others"`
	MinCVSS     float64  `query:"min_cvss" json:"min_cvss,omitempty" minimum:"0" maximum:"10" example:"7" doc:"at least this score"`
	MinEPSS     float64  `query:"min_epss" json:"min_epss,omitempty" minimum:"0" maximum:"1" example:"0.1" doc:"at least this probability"`
	MinRisk     float64  `query:"min_risk" json:"min_risk,omitempty" minimum:"0" example:"0.05" doc:"fixing it takes at least this off the risk of attack paths"`
	CVE         string   `query:"cve" json:"cve,omitempty" maxLength:"512" example:"CVE-2024-6387" doc:"only this CVE or check"`
	Remedy      string   `query:"remedy" json:"remedy,omitempty" maxLength:"512" example:"upgrade:openbsd:openssh" doc:"only what this action fixes: a key of the groups by remedy"`
	Scanner     string   `query:"scanner" json:"scanner,omitempty" maxLength:"63" example:"nmap" doc:"only what this scanner gave evidence of"`
	Port        []string `query:"port" json:"port,omitempty" maxItems:"100" maxLength:"5" pattern:"^[0-9]{1,5}$" example:"22,443" doc:"only these ports"`
	Protocol    []string `query:"protocol" json:"protocol,omitempty" maxItems:"4" enum:"tcp,udp,sctp,host" example:"tcp" doc:"host is what has no port"`
	Component   string   `query:"component" json:"component,omitempty" maxLength:"512" example:"openssl" doc:"only this package"`
	Product     string   `query:"product" json:"product,omitempty" maxLength:"255" example:"openssh" doc:"words in the service's product or the package"`
	Search      string   `query:"search" json:"search,omitempty" maxLength:"500" example:"signal handler" doc:"words in title, CVE, package, service or host; all of them"`
	Assignee    string   `query:"assignee" json:"assignee,omitempty" maxLength:"255" example:"anna" doc:"only what this person works on; nobody: without one"`
	Label       []string `query:"label" json:"label,omitempty" maxItems:"20" maxLength:"63" example:"web" doc:"only with these labels, all of them"`
	Owner       string   `query:"owner" json:"owner,omitempty" maxLength:"255" example:"web" doc:"only hosts of this owner; nobody: without one"`
	Tag         []string `query:"tag" json:"tag,omitempty" maxItems:"20" maxLength:"63" example:"dmz" doc:"only hosts with these tags, all of them"`
	Criticality []string `query:"criticality" json:"criticality,omitempty" maxItems:"6" enum:"minimal,low,medium,high,critical,none" example:"high" doc:"only hosts of this criticality"`

	DueBefore       string `query:"due_before" json:"due_before,omitempty" maxLength:"40" example:"2026-12-04" doc:"due before this day"`
	Overdue         bool   `query:"overdue" json:"overdue,omitempty" example:"false" doc:"open and due before today"`
	SLABefore       string `query:"sla_before" json:"sla_before,omitempty" maxLength:"40" example:"2026-12-04" doc:"due before this day by your own terms"`
	SLAOverdue      bool   `query:"sla_overdue" json:"sla_overdue,omitempty" example:"false" doc:"open and due before today by your own terms"`
	FirstSeenAfter  string `query:"first_seen_after" json:"first_seen_after,omitempty" maxLength:"40" example:"2026-11-01" doc:"first seen on this day or later"`
	FirstSeenBefore string `query:"first_seen_before" json:"first_seen_before,omitempty" maxLength:"40" example:"2026-11-20" doc:"first seen before this day"`
	LastSeenAfter   string `query:"last_seen_after" json:"last_seen_after,omitempty" maxLength:"40" example:"2026-11-01" doc:"last seen on this day or later"`
	LastSeenBefore  string `query:"last_seen_before" json:"last_seen_before,omitempty" maxLength:"40" example:"2026-11-20" doc:"last seen before this day"`
	ClosedAfter     string `query:"closed_after" json:"closed_after,omitempty" maxLength:"40" example:"2026-11-01" doc:"not open any more since this day or later (see state)"`
	ReturnedAfter   string `query:"returned_after" json:"returned_after,omitempty" maxLength:"40" example:"2026-11-01" doc:"ended, and seen again on this day or later"`
}

func (f FindingFilter) request() request.Findings {
	return request.Findings{
		Scan: f.Scan, Host: f.Host, Site: f.Site, State: f.State, Triage: f.Triage, Hidden: f.Hidden, Severities: f.Severity, Decisions: f.Decision,
		KEV: f.KEV, Exploited: f.Exploited, Statuses: f.Status, Kinds: f.Kind, Confidence: f.Confidence, Confirmed: f.Confirmed, Potential: f.Potential,
		MinCVSS: f.MinCVSS, MinEPSS: f.MinEPSS, MinRisk: f.MinRisk, Weakness: f.CVE, Remedy: f.Remedy, Scanner: f.Scanner, Ports: f.Port, Protocols: f.Protocol,
		Component: f.Component, Product: f.Product, Text: f.Search, Assignee: f.Assignee, Labels: f.Label, Owner: f.Owner, Tags: f.Tag,
		Criticality: f.Criticality, DueBefore: f.DueBefore, Overdue: f.Overdue, SLABefore: f.SLABefore, SLAOverdue: f.SLAOverdue,
		FirstSeenAfter: f.FirstSeenAfter, FirstSeenBefore: f.FirstSeenBefore, LastSeenAfter: f.LastSeenAfter, LastSeenBefore: f.LastSeenBefore, ClosedAfter: f.ClosedAfter, ReturnedAfter: f.ReturnedAfter,
	}
}

// Page is where in a list to read.
type Page struct {
	Cursor string `query:"cursor" maxLength:"500" example:"AK76jMuiAqSADnJhbms6YXNj" doc:"where the page before ended: its next"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" example:"100" doc:"how many at most"`
}

type findingsInput struct {
	FindingFilter
	Page
	Sort string `query:"sort" maxLength:"20" pattern:"^[a-z_]+(:(asc|desc))?$" example:"cvss:desc" doc:"rank (default), severity, cvss, epss, likelihood, score, due, sla, first_seen, last_seen, host, risk_removed; cvss:asc turns it round"` //nolint:lll // one field
}

func (in *findingsInput) request() request.Findings {
	req := in.FindingFilter.request()
	req.Sort, req.Cursor, req.Limit = in.Sort, in.Cursor, in.Limit
	return req
}

type groupsInput struct {
	FindingFilter
	Page
	By string `query:"by" required:"true" enum:"remedy,host,cve,product,site,assignee,owner" example:"remedy" doc:"what the findings of a group have in common"`
}

type findingCountsInput struct{ FindingFilter }

type exportInput struct {
	FindingFilter
	Sort   string `query:"sort" maxLength:"20" pattern:"^[a-z_]+(:(asc|desc))?$" example:"cvss:desc" doc:"as of the list"`
	Format string `query:"format" enum:"csv,json,sarif,ndjson" default:"json" example:"csv" doc:"sarif has the confirmed findings only"`
}

// byID is ByID of operations that ask for nothing else.
type byID = ByID

// ByID names one of what an operation is about. It is exported, as everything that inputs embed, since huma sees no other.
type ByID struct {
	ID int64 `path:"id" minimum:"1" example:"17" doc:"its number"`
}

type (
	findingsOutput      struct{ Body report.FindingList }
	groupsOutput        struct{ Body report.GroupList }
	findingCountsOutput struct{ Body report.FindingCounts }
	findingOutput       struct{ Body report.Finding }
	historyOutput       struct{ Body report.FindingHistory }
)

// named are the answers to a filter that names a scan, site or host that does not exist, or a host that may be several.
var named = []int{http.StatusNotFound, http.StatusConflict}

func (s *Server) findingOperations() {
	handle(s, operation{ID: "list-findings", Method: http.MethodGet, Path: "/findings", Tag: "findings", Role: auth.Viewer, Errors: named,
		Summary:     "List findings, most urgent first",
		Description: "Every filter narrows; of several values of one filter (joined by commas) any will do, but for labels and tags. Without a filter: what is open and nobody set aside."},
		func(ctx context.Context, d Desk, in *findingsInput) (*findingsOutput, error) {
			list, err := d.FindingPage(ctx, in.request())
			return &findingsOutput{list}, err
		})
	handle(s, operation{ID: "list-finding-groups", Method: http.MethodGet, Path: "/findings/groups", Tag: "findings", Role: auth.Viewer, Errors: named,
		Summary: "List findings in groups", Description: "By remedy: what to do, and how much it solves. The most urgent group comes first."},
		func(ctx context.Context, d Desk, in *groupsInput) (*groupsOutput, error) {
			req := in.FindingFilter.request()
			req.Cursor, req.Limit = in.Cursor, in.Limit
			doc, err := d.FindingGroups(ctx, req, in.By)
			return &groupsOutput{doc}, err
		})
	handle(s, operation{ID: "count-findings", Method: http.MethodGet, Path: "/findings/counts", Tag: "findings", Role: auth.Viewer, Errors: named,
		Summary: "Count findings", Description: "What the list with the same filter comes to, altogether and by severity and decision."},
		func(ctx context.Context, d Desk, in *findingCountsInput) (*findingCountsOutput, error) {
			counts, err := d.FindingCounts(ctx, in.request())
			return &findingCountsOutput{counts}, err
		})
	handle(s, operation{ID: "export-findings", Method: http.MethodGet, Path: "/findings/export", Tag: "findings", Role: auth.Viewer, Errors: named,
		Summary: "Export findings", Description: "The whole list with its evidence, written as it is read: a million findings need no more memory than one.",
		Streams: []string{"text/csv", "application/json", "application/sarif+json", "application/x-ndjson"}, Whole: report.FindingList{}},
		s.exportFindings)
	handle(s, operation{ID: "get-finding", Method: http.MethodGet, Path: "/findings/{id}", Tag: "findings", Role: auth.Viewer,
		Summary: "One finding with all its evidence", Description: "An old number of a finding that was joined with another leads to that one."},
		func(ctx context.Context, d Desk, in *ByID) (*findingOutput, error) {
			f, _, err := d.Finding(ctx, in.ID)
			return &findingOutput{f}, err
		})
	handle(s, operation{ID: "get-finding-history", Method: http.MethodGet, Path: "/findings/{id}/history", Tag: "findings", Role: auth.Viewer,
		Summary: "What happened to a finding, oldest first", Description: "Its states, and what people and rules said of it, with who and why."},
		func(ctx context.Context, d Desk, in *ByID) (*historyOutput, error) {
			f, _, err := d.Finding(ctx, in.ID)
			return &historyOutput{report.FindingHistory{Finding: f.ID, History: f.History}}, err
		})
}

func (s *Server) exportFindings(ctx context.Context, d Desk, in *exportInput) (*huma.StreamResponse, error) {
	req := in.FindingFilter.request()
	req.Sort = in.Sort
	return s.stream(download{report.StreamFormats[in.Format], "findings." + extension(in.Format)}, func(w *streamWriter) error {
		out := report.NewStream(w, in.Format, s.opts.Version)
		if err := d.EachFinding(ctx, req, out.Add); err != nil {
			return err
		}
		return out.End()
	}), nil
}

// extension is how a file of a format is called.
func extension(format string) string {
	if format == "sarif" {
		return "sarif.json"
	}
	return strings.ToLower(format)
}
