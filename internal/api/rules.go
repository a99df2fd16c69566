package api

import (
	"bytes"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// rules is what this resource needs of the product.
type rules interface {
	Rules(ctx context.Context, all bool) ([]report.Rule, error)
	AddRule(ctx context.Context, req request.Rule) (report.Triaged, error)
	AddHostRule(ctx context.Context, req request.HostRule) (report.Triaged, error)
	EnableRule(ctx context.Context, id int64, on bool) (report.Swept, error)
	RemoveRule(ctx context.Context, id int64) (report.Swept, error)
	ApplyRules(ctx context.Context) (report.Swept, error)
	ReadRules(ctx context.Context, tool, name string, document io.Reader) (report.RuleImport, error)
}

type rulesInput struct {
	All bool `query:"all" example:"false" doc:"also those without effect, by which VEX documents say affected"`
}

type ruleInput struct {
	Body struct {
		Name      string   `json:"name,omitempty" maxLength:"255" example:"the lab" doc:"for people"`
		Weakness  []string `json:"weakness,omitempty" maxItems:"1000" maxLength:"512" example:"[\"nikto:*\"]" doc:"CVEs or checks, * allowed"`
		Host      string   `json:"host,omitempty" maxLength:"255" example:"192.168.1.20" doc:"one host, by id, address or name, wherever it moves"`
		Network   []string `json:"network,omitempty" maxItems:"1000" maxLength:"255" example:"[\"10.9.0.0/16\"]" doc:"networks, addresses or names: 10.0.0.0/8, *.lab.example.org"`
		Site      []string `json:"site,omitempty" maxItems:"100" maxLength:"63" example:"[\"default\"]" doc:"sites"`
		Tag       []string `json:"tag,omitempty" maxItems:"100" maxLength:"63" example:"[\"lab\"]" doc:"tags of the host"`
		Product   []string `json:"product,omitempty" maxItems:"1000" maxLength:"512" example:"[\"openbsd:openssh\"]" doc:"openssh, openbsd:openssh, openssl@1.1.1k, a CPE or a purl"`
		Component []string `json:"component,omitempty" maxItems:"1000" maxLength:"512" example:"[\"openssl\"]" doc:"components as findings name them, * allowed"`
		Severity  []string `json:"severity,omitempty" maxItems:"6" enum:"critical,high,medium,low,info,unknown" example:"[\"low\"]"`
		Sensor    []string `json:"sensor,omitempty" maxItems:"100" maxLength:"63" example:"[\"nmap\"]" doc:"what one of these scanners saw"`
		Port      []string `json:"port,omitempty" maxItems:"1000" maxLength:"20" example:"[\"443/tcp\"]" doc:"443, 443/tcp, 8000-8100/tcp"`
		WithLabel []string `json:"with_label,omitempty" maxItems:"100" maxLength:"63" example:"[\"web\"]" doc:"findings on which people put one of these labels"`
		State     string   `json:"state,omitempty" enum:"confirmed,false_positive,accepted,out_of_scope" example:"accepted"`
		Reason    string   `json:"reason,omitempty" maxLength:"16384" example:"a laboratory that nobody reaches" doc:"why"`
		Until     string   `json:"until,omitempty" maxLength:"10" example:"2027-06-30" doc:"the last day on which the rule holds"`
		Assign    string   `json:"assign,omitempty" maxLength:"255" example:"anna" doc:"who works on them"`
		Label     []string `json:"label,omitempty" maxItems:"50" maxLength:"63" example:"[\"lab\"]" doc:"labels to put on"`
		DryRun    bool     `json:"dry_run,omitempty" example:"false" doc:"only say how many findings it selects"`
	}
}

func (in *ruleInput) request() request.Rule {
	b := in.Body
	return request.Rule{Name: b.Name, Host: b.Host, State: b.State, Reason: b.Reason, Until: b.Until, Assign: b.Assign, Labels: b.Label, DryRun: b.DryRun,
		Where: finding.RuleWhere{Weaknesses: b.Weakness, Hosts: b.Network, Sites: b.Site, Tags: b.Tag, Products: b.Product, Components: b.Component,
			Severities: b.Severity, Sensors: b.Sensor, Ports: b.Port, Labels: b.WithLabel}}
}

type hostRuleInput struct {
	Body struct {
		Name        string   `json:"name,omitempty" maxLength:"255" example:"the web team's" doc:"for people"`
		Network     []string `json:"network,omitempty" maxItems:"1000" maxLength:"255" example:"[\"10.2.0.0/16\",\"*.shop.example.org\"]" doc:"networks, addresses, names with *"`
		Site        []string `json:"site,omitempty" maxItems:"100" maxLength:"63" example:"[\"default\"]" doc:"sites"`
		Owner       string   `json:"owner,omitempty" maxLength:"255" example:"web" doc:"who is responsible for them"`
		Tag         []string `json:"tag,omitempty" maxItems:"50" maxLength:"63" example:"[\"shop\"]" doc:"tags to put on"`
		Criticality string   `json:"criticality,omitempty" enum:"minimal,low,medium,high,critical" example:"high"`
		Exposed     string   `json:"exposed,omitempty" enum:"yes,no" example:"yes" doc:"whether they can be reached from the internet"`
		Until       string   `json:"until,omitempty" maxLength:"10" example:"2027-06-30" doc:"the last day on which the rule holds"`
	}
}

type ruleChangeInput struct {
	ByID
	Body struct {
		Enabled bool `json:"enabled" example:"false" doc:"off takes back what the rule said"`
	}
}

// ruleFileInput is a document as it is, or one file of a form.
type ruleFileInput struct {
	Tool string `query:"tool" maxLength:"63" default:"auto" example:"auto" doc:"the format, where it cannot be told"`
	Name string `query:"filename" maxLength:"255" example:"openvex.json" doc:"how the document is called in the ledger, where the form does not say"`
	// The body is read whole: a document is understood as a whole.
	RawBody []byte `contentType:"application/octet-stream"`

	kind string // Content-Type
}

type (
	rulesOutput      struct{ Body report.RuleList }
	sweptOutput      struct{ Body report.Swept }
	ruleImportOutput struct{ Body report.RuleImport }
)

func (s *Server) ruleOperations() {
	handle(s, operation{ID: "list-rules", Method: http.MethodGet, Path: "/rules", Tag: "rules", Role: auth.Viewer,
		Summary: "List the rules", Description: "What is said of all findings or hosts of a kind, those of today and of tomorrow."},
		func(ctx context.Context, d Desk, in *rulesInput) (*rulesOutput, error) {
			list, err := d.Rules(ctx, in.All)
			return &rulesOutput{report.RuleList{Rules: list}}, err
		})
	handle(s, operation{ID: "add-rule", Method: http.MethodPost, Path: "/rules", Tag: "rules", Role: auth.Analyst, Errors: named, Status: http.StatusCreated,
		Summary:     "Make a rule about findings",
		Description: "It speaks of those of today and of every one that is found later. A finding must meet all conditions, each by one of its values. A person's word on one finding wins over every rule."},
		func(ctx context.Context, d Desk, in *ruleInput) (*triagedOutput, error) {
			doc, err := d.AddRule(ctx, in.request())
			return &triagedOutput{doc}, err
		})
	handle(s, operation{ID: "add-host-rule", Method: http.MethodPost, Path: "/rules/hosts", Tag: "rules", Role: auth.Analyst, Errors: named, Status: http.StatusCreated,
		Summary: "Make a rule about hosts", Description: "It says whose they are, what they are called by and how much they matter, those of today and of tomorrow."},
		func(ctx context.Context, d Desk, in *hostRuleInput) (*triagedOutput, error) {
			b := in.Body
			doc, err := d.AddHostRule(ctx, request.HostRule{Name: b.Name, Places: b.Network, Sites: b.Site, Owner: b.Owner, Tags: b.Tag,
				Criticality: b.Criticality, Exposed: b.Exposed, Until: b.Until})
			return &triagedOutput{doc}, err
		})
	handle(s, operation{ID: "enable-rule", Method: http.MethodPatch, Path: "/rules/{id}", Tag: "rules", Role: auth.Analyst,
		Summary: "Turn a rule on or off", Description: "Off takes back what it said."},
		func(ctx context.Context, d Desk, in *ruleChangeInput) (*sweptOutput, error) {
			swept, err := d.EnableRule(ctx, in.ID, in.Body.Enabled)
			return &sweptOutput{swept}, err
		})
	handle(s, operation{ID: "remove-rule", Method: http.MethodDelete, Path: "/rules/{id}", Tag: "rules", Role: auth.Analyst, Status: http.StatusOK,
		Summary: "Forget a rule", Description: "What it said is taken back."},
		func(ctx context.Context, d Desk, in *ByID) (*sweptOutput, error) {
			swept, err := d.RemoveRule(ctx, in.ID)
			return &sweptOutput{swept}, err
		})
	handle(s, operation{ID: "apply-rules", Method: http.MethodPost, Path: "/rules/apply", Tag: "rules", Role: auth.Analyst, Status: http.StatusOK,
		Summary: "Apply all rules and terms anew", Description: "What has ended is taken back."},
		func(ctx context.Context, d Desk, _ *struct{}) (*sweptOutput, error) {
			swept, err := d.ApplyRules(ctx)
			return &sweptOutput{swept}, err
		})
	handle(s, operation{ID: "import-rules", Method: http.MethodPost, Path: "/rules/import", Tag: "rules", Role: auth.Analyst, Status: http.StatusOK,
		Summary:     "Read a VEX document as rules",
		Description: "OpenVEX, CycloneDX or CSAF, as the body itself or as the file of a form. The answer accounts for every statement.",
		MaxBody:     maxUpload, Timeout: uploadTimeout},
		func(ctx context.Context, d Desk, in *ruleFileInput) (*ruleImportOutput, error) {
			name, content, err := in.document()
			if err != nil {
				return nil, err
			}
			doc, err := d.ReadRules(ctx, in.Tool, name, content)
			return &ruleImportOutput{doc}, err
		})
}

// maxUpload bounds a document that is read whole before it is understood.
const (
	maxUpload     = 64 << 20
	uploadTimeout = 5 * time.Minute
)

// Resolve keeps what the body is.
func (in *ruleFileInput) Resolve(c huma.Context) []error {
	in.kind = c.Header("Content-Type")
	return nil
}

// document is the file, taken out of the form where it came in one, and how it is called.
func (in *ruleFileInput) document() (name string, content io.Reader, err error) {
	name = baseName(in.Name)
	kind, params, _ := mime.ParseMediaType(in.kind) // what is no media type is no form
	if kind != "multipart/form-data" {
		return name, bytes.NewReader(in.RawBody), nil
	}
	parts := multipart.NewReader(bytes.NewReader(in.RawBody), params["boundary"])
	for {
		part, err := parts.NextPart()
		if err != nil {
			return "", nil, fault.Invalid("body: the form has no file: %w", err)
		}
		if part.FileName() != "" {
			return baseName(part.FileName()), part, nil
		}
	}
}
