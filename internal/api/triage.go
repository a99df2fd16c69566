package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// triage is what this resource needs of the product.
type triage interface {
	Triage(ctx context.Context, req request.Triage) (report.Triaged, error)
	CloseFindings(ctx context.Context, req request.Close) (report.Triaged, error)
	Remerge(ctx context.Context, apply bool) (report.Remerge, error)
	RetireSensor(ctx context.Context, sensor, site, reason string, preview bool) (ended int, err error)
}

// maxTriage is how many findings one request changes: what is done within seconds. A rule says it of any number.
const maxTriage = 20_000

// Selection is which findings a request is about: ids, or a filter with the number of findings that it selects.
type Selection struct {
	IDs     []int64        `json:"ids,omitempty" minItems:"1" maxItems:"5000" example:"[17]" doc:"findings by their numbers"`
	Filter  *FindingFilter `json:"filter,omitempty" doc:"instead of ids: everything that the list with this filter shows"`
	Confirm *int           `json:"confirm,omitempty" minimum:"0" example:"1" doc:"how many findings the filter selects (dry_run tells): with another number nothing is changed; needed for more than one"`
	DryRun  bool           `json:"dry_run,omitempty" example:"false" doc:"only say how many findings it would be"`
}

func (s Selection) check() error {
	if (len(s.IDs) > 0) == (s.Filter != nil) {
		return fault.InvalidOption("ids", ": name findings by ids, or select them with filter; not both")
	}
	return nil
}

func (s Selection) filter() *request.Findings {
	if s.Filter == nil {
		return nil
	}
	req := s.Filter.request()
	return &req
}

// confirmed answers the product's question before more than one finding is changed: Expect has compared the numbers.
func (s Selection) confirmed(int) bool { return s.Confirm != nil }

// triage makes the request of a word about the selection.
func (s Selection) triage(req request.Triage) request.Triage {
	req.IDs, req.Filter, req.DryRun, req.Expect, req.Confirm, req.Most = s.IDs, s.filter(), s.DryRun, s.Confirm, s.confirmed, maxTriage
	return req
}

type triageInput struct {
	Body struct {
		Selection
		State    string   `json:"state,omitempty" enum:"none,confirmed,false_positive,accepted,out_of_scope" example:"accepted" doc:"none takes back what was said"`
		Until    string   `json:"until,omitempty" maxLength:"10" example:"2027-01-31" doc:"last day of the state: the day after, the finding is in the list again"`
		Reason   string   `json:"reason,omitempty" maxLength:"16384" example:"replaced in January" doc:"why"`
		Scope    string   `json:"scope,omitempty" enum:"finding,host,everywhere" example:"finding" doc:"finding (default), host (this weakness on this host, whatever the port), everywhere"`
		OnlySite string   `json:"only_site,omitempty" maxLength:"63" example:"default" doc:"of scope everywhere: only in this site"`
		Assign   *string  `json:"assign,omitempty" maxLength:"255" example:"anna" doc:"who works on it, an empty text for nobody"`
		Label    []string `json:"label,omitempty" maxItems:"50" maxLength:"64" example:"[\"web\",\"-old\"]" doc:"labels to put on; -LABEL takes one off"`
		Comment  string   `json:"comment,omitempty" maxLength:"16384" example:"seen by hand" doc:"for the history"`
	}
}

type closeInput struct {
	Body struct {
		Selection
		Reason string `json:"reason" minLength:"1" maxLength:"16384" example:"the host is switched off" doc:"why"`
	}
}

type labelInput struct {
	Body struct {
		Selection
		Label []string `json:"label" minItems:"1" maxItems:"50" maxLength:"64" example:"[\"web\",\"-old\"]" doc:"labels to put on; -LABEL takes one off"`
	}
}

type assignInput struct {
	Body struct {
		Selection
		To string `json:"to" maxLength:"255" example:"anna" doc:"who works on them, an empty text for nobody"`
	}
}

type commentInput struct {
	Body struct {
		Selection
		Comment string `json:"comment" minLength:"1" maxLength:"16384" example:"seen by hand" doc:"for the history"`
	}
}

type remergeInput struct {
	Body struct {
		Apply bool `json:"apply,omitempty" example:"false" doc:"do it; without, only say what would change"`
	}
}

type retireInput struct {
	Body struct {
		Sensor string `json:"sensor" minLength:"1" maxLength:"63" example:"nikto" doc:"the scanner that is used no more"`
		Site   string `json:"site,omitempty" maxLength:"63" example:"default" doc:"only in this site"`
		Reason string `json:"reason,omitempty" maxLength:"16384" example:"replaced by nuclei" doc:"why"`
		Apply  bool   `json:"apply,omitempty" example:"false" doc:"do it; without, only say how many findings would end"`
	}
}

type (
	triagedOutput struct{ Body report.Triaged }
	remergeOutput struct{ Body report.Remerge }
	retiredOutput struct{ Body report.Retired }
)

func (s *Server) triageOperations() {
	const bulk = "Of findings by their ids, or of all that a filter selects: then confirm must be their number."
	handle(s, operation{ID: "triage-findings", Method: http.MethodPost, Path: "/findings/triage", Tag: "findings", Role: auth.Analyst, Errors: named, Status: http.StatusOK,
		Summary: "Say what you think of findings", Description: "It survives every rescan, and no rule overrides it. " + bulk},
		func(ctx context.Context, d Desk, in *triageInput) (*triagedOutput, error) {
			b := in.Body
			return say(ctx, d, b.Selection, request.Triage{State: b.State, Until: b.Until, Reason: b.Reason, Scope: b.Scope, Site: b.OnlySite,
				Assign: b.Assign, Labels: b.Label, Comment: b.Comment})
		})
	handle(s, operation{ID: "close-findings", Method: http.MethodPost, Path: "/findings/close", Tag: "findings", Role: auth.Analyst, Errors: named, Status: http.StatusOK,
		Summary: "Close findings until they are seen again", Description: "By your word, with a reason. " + bulk},
		func(ctx context.Context, d Desk, in *closeInput) (*triagedOutput, error) {
			b := in.Body
			if err := b.check(); err != nil {
				return nil, err
			}
			doc, err := d.CloseFindings(ctx, request.Close{IDs: b.IDs, Filter: b.filter(), Reason: b.Reason, DryRun: b.DryRun,
				Expect: b.Confirm, Confirm: b.confirmed, Most: maxTriage})
			return &triagedOutput{doc}, orSelected(err, doc, b.Selection)
		})
	handle(s, operation{ID: "label-findings", Method: http.MethodPost, Path: "/findings/label", Tag: "findings", Role: auth.Analyst, Errors: named, Status: http.StatusOK,
		Summary: "Put labels on findings and take them off", Description: bulk},
		func(ctx context.Context, d Desk, in *labelInput) (*triagedOutput, error) {
			return say(ctx, d, in.Body.Selection, request.Triage{Labels: in.Body.Label})
		})
	handle(s, operation{ID: "assign-findings", Method: http.MethodPost, Path: "/findings/assign", Tag: "findings", Role: auth.Analyst, Errors: named, Status: http.StatusOK,
		Summary: "Say who works on findings", Description: bulk},
		func(ctx context.Context, d Desk, in *assignInput) (*triagedOutput, error) {
			return say(ctx, d, in.Body.Selection, request.Triage{Assign: &in.Body.To})
		})
	handle(s, operation{ID: "comment-findings", Method: http.MethodPost, Path: "/findings/comment", Tag: "findings", Role: auth.Analyst, Errors: named, Status: http.StatusOK,
		Summary: "Add a comment to findings' histories", Description: bulk},
		func(ctx context.Context, d Desk, in *commentInput) (*triagedOutput, error) {
			return say(ctx, d, in.Body.Selection, request.Triage{Comment: in.Body.Comment})
		})
	s.upkeepOperations()
}

// upkeepOperations change many findings by one word about how they were found.
func (s *Server) upkeepOperations() {
	handle(s, operation{ID: "remerge-findings", Method: http.MethodPost, Path: "/findings/remerge", Tag: "findings", Role: auth.Admin, Status: http.StatusOK,
		Summary: "Apply today's rules of merging and rating to everything stored", Description: "Without apply it only says what would change."},
		func(ctx context.Context, d Desk, in *remergeInput) (*remergeOutput, error) {
			doc, err := d.Remerge(ctx, in.Body.Apply)
			return &remergeOutput{doc}, err
		})
	handle(s, operation{ID: "retire-sensor", Method: http.MethodPost, Path: "/sensors/retire", Tag: "findings", Role: auth.Analyst, Status: http.StatusOK,
		Summary: "Say that a scanner is used no more", Description: "What only it saw ends, and reopens when it is seen again. Without apply it only says how many findings that are.",
		Errors: []int{http.StatusNotFound}},
		func(ctx context.Context, d Desk, in *retireInput) (*retiredOutput, error) {
			b := in.Body
			ended, err := d.RetireSensor(ctx, b.Sensor, b.Site, b.Reason, !b.Apply)
			return &retiredOutput{report.Retired{Ended: ended, Preview: !b.Apply}}, err
		})
}

func say(ctx context.Context, d Desk, s Selection, req request.Triage) (*triagedOutput, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	doc, err := d.Triage(ctx, s.triage(req))
	return &triagedOutput{doc}, orSelected(err, doc, s)
}

// orSelected tells who gave no number what number to give.
func orSelected(err error, doc report.Triaged, s Selection) error {
	if fault.KindOf(err) == fault.KindConflict && s.Filter != nil && s.Confirm == nil && doc.Selected > 1 && doc.Changed == 0 {
		return fault.Conflict("the filter selects %s: nothing was changed; say confirm: %d to change them",
			report.Plural(doc.Selected, "finding", "findings"), doc.Selected)
	}
	return err
}
