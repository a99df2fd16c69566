package api

import (
	"context"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// maxPolicy bounds a file of rules, which is read whole.
const maxPolicy = 1 << 20

// policyInput is the file as it is.
type policyInput struct {
	Name    string `query:"filename" maxLength:"255" example:"policy.yaml" doc:"how the file is called; its end says what it is, and without one the content type"`
	RawBody []byte `contentType:"text/yaml"`

	kind string // Content-Type
}

// Resolve keeps what the body is.
func (in *policyInput) Resolve(c huma.Context) []error {
	in.kind = c.Header("Content-Type")
	return nil
}

// file is how the rules are called: by the client, else by what they are.
func (in *policyInput) file() string {
	if in.Name != "" {
		return baseName(in.Name)
	}
	switch kind, _, _ := mime.ParseMediaType(in.kind); kind {
	case "text/csv":
		return "policy.csv"
	case "application/json": // which is YAML too
		return "policy.json"
	case "text/yaml", "application/yaml":
		return "policy.yaml"
	}
	return "policy" // told by its look
}

type correctionInput struct {
	Body struct {
		Edge   string   `json:"edge" minLength:"1" maxLength:"512" example:"finding:17" doc:"as a step of a path names it: finding:17, reach:branch>7:tcp/443"`
		Says   string   `json:"says" enum:"never,always,chance" example:"chance" doc:"never: it does not work; always: it does whenever its needs are met; chance: it works with the one given"`
		Chance *float64 `json:"chance,omitempty" exclusiveMinimum:"0" maximum:"1" example:"0.3" doc:"of says: chance"`
		Note   string   `json:"note,omitempty" maxLength:"16384" example:"behind a proxy that refuses it" doc:"why"`
	}
}

type (
	policyOutput      struct{ Body report.PathPolicy }
	correctionsOutput struct{ Body report.PathCorrections }
	correctionOutput  struct{ Body report.PathCorrection }
)

// exampleRules is a policy as one would send it.
var exampleRules = map[string]string{
	"text/yaml":        "rules:\n  - {from: internet, to: 10.0.1.0/24, ports: [tcp/443], action: allow, note: the shop}\n  - {from: 'site:branch', to: 'site:default', action: deny}\n",
	"text/csv":         "from,to,ports,action,note\ninternet,10.0.1.0/24,tcp/443,allow,the shop\nsite:branch,site:default,,deny,\n",
	"application/json": `{"rules":[{"from":"internet","to":"10.0.1.0/24","ports":["tcp/443"],"action":"allow","note":"the shop"}]}`,
}

func (s *Server) pathPolicyOperations() {
	handle(s, operation{ID: "get-attack-path-policy", Method: http.MethodGet, Path: "/attack-paths/policy", Tag: "attack-paths", Role: auth.Viewer,
		Summary: "What was declared of the network", Description: "The rules in the order in which they are asked: the first that says anything of a connection decides."},
		func(ctx context.Context, d Desk, _ *struct{}) (*policyOutput, error) {
			doc, err := d.PathPolicy(ctx)
			return &policyOutput{doc}, err
		})
	set := operation{ID: "set-attack-path-policy", Method: http.MethodPut, Path: "/attack-paths/policy", Tag: "attack-paths", Role: auth.Admin, Status: http.StatusOK,
		MaxBody: maxPolicy, Summary: "Declare what the network lets through",
		Description: "The file itself, YAML or CSV, in the place of the one before. What is wrong in it is told with its line, and then nothing is changed."}
	handle(s, set, func(ctx context.Context, d Desk, in *policyInput) (*policyOutput, error) {
		doc, err := d.SetPathPolicy(ctx, in.file(), in.RawBody)
		return &policyOutput{doc}, err
	})
	s.amend(set, func(o *huma.Operation) {
		o.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
		for kind, rules := range exampleRules {
			o.RequestBody.Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}, Example: rules}
		}
	})
	handle(s, operation{ID: "clear-attack-path-policy", Method: http.MethodDelete, Path: "/attack-paths/policy", Tag: "attack-paths", Role: auth.Admin, Status: http.StatusNoContent,
		Summary: "Forget what was declared of the network", Description: "What sites and addresses suggest is assumed again, and said so."},
		func(ctx context.Context, d Desk, _ *struct{}) (*struct{}, error) {
			return nil, d.ClearPathPolicy(ctx)
		})
}

func (s *Server) pathCorrectionOperations() {
	handle(s, operation{ID: "list-attack-path-corrections", Method: http.MethodGet, Path: "/attack-paths/corrections", Tag: "attack-paths", Role: auth.Viewer,
		Summary: "What people said of single steps", Description: "Each names an edge for good, so it outlives rescans."},
		func(ctx context.Context, d Desk, _ *struct{}) (*correctionsOutput, error) {
			doc, err := d.PathCorrections(ctx)
			return &correctionsOutput{doc}, err
		})
	handle(s, operation{ID: "correct-attack-path", Method: http.MethodPost, Path: "/attack-paths/corrections", Tag: "attack-paths", Role: auth.Analyst, Status: http.StatusCreated,
		Errors: []int{http.StatusNotFound}, Summary: "Say of a step that it never or always works, or with which chance",
		Description: "It takes the place of what was said of the same edge before, and is remembered."},
		func(ctx context.Context, d Desk, in *correctionInput) (*correctionOutput, error) {
			b := in.Body
			doc, err := d.CorrectPath(ctx, request.PathCorrection{Edge: b.Edge, Says: b.Says, Chance: b.Chance, Note: b.Note})
			return &correctionOutput{doc}, err
		})
	handle(s, operation{ID: "uncorrect-attack-path", Method: http.MethodDelete, Path: "/attack-paths/corrections/{id}", Tag: "attack-paths", Role: auth.Analyst,
		Status: http.StatusNoContent, Summary: "Take back what was said of a step"},
		func(ctx context.Context, d Desk, in *ByID) (*struct{}, error) {
			return nil, d.UncorrectPath(ctx, in.ID)
		})
}
