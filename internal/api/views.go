package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// savedViews is what this resource needs of the product.
type savedViews interface {
	SavedViews(ctx context.Context) (report.SavedViewList, error)
	SaveView(ctx context.Context, req request.SavedView) (report.SavedView, error)
	ChangeView(ctx context.Context, id int64, req request.SavedViewChange) (report.SavedView, error)
	RemoveView(ctx context.Context, id int64) error
}

type savedViewInput struct {
	Body struct {
		Name   string `json:"name" minLength:"1" maxLength:"100" example:"What is due this week" doc:"for people"`
		Page   string `json:"page" minLength:"1" maxLength:"63" pattern:"^[a-z][a-z0-9/-]*$" example:"findings" doc:"the page that it is of"`
		Search string `json:"search" maxLength:"4096" example:"?decision=act&sort=due" doc:"what stands behind the page's path in its address"`
		Shared bool   `json:"shared,omitempty" example:"false" doc:"show it to everybody: takes an analyst"`
	}
}

type savedViewChange struct {
	ByID
	Body struct {
		Name   *string `json:"name,omitempty" minLength:"1" maxLength:"100" example:"What is due next week"`
		Search *string `json:"search,omitempty" maxLength:"4096" example:"?decision=act&sort=due"`
		Shared *bool   `json:"shared,omitempty" example:"true" doc:"true takes an analyst"`
	}
}

type (
	savedViewList   struct{ Body report.SavedViewList }
	savedViewOutput struct{ Body report.SavedView }
)

func (s *Server) viewOperations() {
	handle(s, operation{ID: "list-views", Method: http.MethodGet, Path: "/views", Tag: "views", Role: auth.Viewer,
		Summary: "List the saved views", Description: "The asker's own and those that others share, by page and name. What a view shows depends on who looks."},
		func(ctx context.Context, d Desk, _ *struct{}) (*savedViewList, error) {
			list, err := d.SavedViews(ctx)
			return &savedViewList{list}, err
		})
	handle(s, operation{ID: "save-view", Method: http.MethodPost, Path: "/views", Tag: "views", Role: auth.Viewer, Status: http.StatusCreated,
		Summary: "Save a view", Description: "A name is used once for each page of one's own. To share it takes an analyst."},
		func(ctx context.Context, d Desk, in *savedViewInput) (*savedViewOutput, error) {
			b := in.Body
			v, err := d.SaveView(ctx, request.SavedView{Name: b.Name, Page: b.Page, Search: b.Search, Shared: b.Shared})
			return &savedViewOutput{v}, err
		})
	handle(s, operation{ID: "change-view", Method: http.MethodPatch, Path: "/views/{id}", Tag: "views", Role: auth.Viewer,
		Summary: "Change a saved view", Description: "One's own; an admin may change what others share. Of what is left out nothing changes."},
		func(ctx context.Context, d Desk, in *savedViewChange) (*savedViewOutput, error) {
			v, err := d.ChangeView(ctx, in.ID, request.SavedViewChange{Name: in.Body.Name, Search: in.Body.Search, Shared: in.Body.Shared})
			return &savedViewOutput{v}, err
		})
	handle(s, operation{ID: "remove-view", Method: http.MethodDelete, Path: "/views/{id}", Tag: "views", Role: auth.Viewer,
		Summary: "Forget a saved view", Description: "One's own; an admin may remove what others share."},
		func(ctx context.Context, d Desk, in *ByID) (*struct{}, error) {
			return nil, d.RemoveView(ctx, in.ID)
		})
}
