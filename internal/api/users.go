package api

import (
	"context"
	"net/http"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// users is what this resource needs of the product.
type users interface {
	Users(ctx context.Context, page request.Page) (report.UserList, error)
	User(ctx context.Context, id int64) (report.User, error)
	AddUser(ctx context.Context, req request.User) (report.UserMade, error)
	ChangeUser(ctx context.Context, id int64, req request.UserChange) (report.User, error)
	ResetPassword(ctx context.Context, id int64, password string) (report.PasswordMade, error)
	EndSessions(ctx context.Context, id int64) error
	RemoveUser(ctx context.Context, id int64) error
}

type pageInput struct {
	Cursor string `query:"cursor" maxLength:"40" pattern:"^[0-9]*$" example:"17" doc:"next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" example:"100"`
}

func (p pageInput) page() request.Page { return request.Page{Cursor: p.Cursor, Limit: p.Limit} }

type userID struct {
	ID int64 `path:"id" minimum:"1" example:"2"`
}

type userInput struct {
	Body struct {
		Name     string   `json:"name" minLength:"1" maxLength:"128" example:"anna" doc:"kept in lower case; any letters"`
		Password string   `json:"password,omitempty" maxLength:"1024" format:"password" example:"correct-horse-battery" doc:"without one, one is made and shown in the answer"`
		Role     string   `json:"role" enum:"viewer,analyst,admin" example:"analyst"`
		AllSites bool     `json:"all_sites,omitempty" example:"false" doc:"sees everything; so does an admin, and who is made without sites"`
		Sites    []string `json:"sites,omitempty" maxItems:"1000" example:"[\"branch-office\"]" doc:"the user sees only what belongs to these"`
		Keep     bool     `json:"keep_password,omitempty" example:"false" doc:"the password need not be changed at the first login"`
	}
}

type userChange struct {
	ID   int64 `path:"id" minimum:"1" example:"2"`
	Body struct {
		Role     *string   `json:"role,omitempty" enum:"viewer,analyst,admin" example:"viewer"`
		AllSites *bool     `json:"all_sites,omitempty" example:"true" doc:"true: sees everything"`
		Sites    *[]string `json:"sites,omitempty" maxItems:"1000" example:"[\"branch-office\"]" doc:"sees only what belongs to these; an empty list sees nothing"`
		Disabled *bool     `json:"disabled,omitempty" example:"false" doc:"true ends the user's sessions and revokes the tokens"`
	}
}

type resetInput struct {
	ID   int64 `path:"id" minimum:"1" example:"2"`
	Body struct {
		Password string `json:"password,omitempty" maxLength:"1024" format:"password" example:"correct-horse-battery" doc:"without one, one is made and shown in the answer"`
	}
}

type (
	userList   struct{ Body report.UserList }
	userAnswer struct{ Body report.User }
	userMade   struct{ Body report.UserMade }
	resetMade  struct{ Body report.PasswordMade }
)

func (s *Server) userOperations() {
	handle(s, operation{ID: "list-users", Method: http.MethodGet, Path: "/users", Tag: "users", Role: auth.Admin, Summary: "List the users"},
		func(ctx context.Context, d Desk, in *pageInput) (*userList, error) {
			list, err := d.Users(ctx, in.page())
			return &userList{list}, err
		})
	handle(s, operation{ID: "get-user", Method: http.MethodGet, Path: "/users/{id}", Tag: "users", Role: auth.Admin, Summary: "Show a user"},
		func(ctx context.Context, d Desk, in *userID) (*userAnswer, error) {
			u, err := d.User(ctx, in.ID)
			return &userAnswer{u}, err
		})
	handle(s, operation{ID: "add-user", Method: http.MethodPost, Path: "/users", Tag: "users", Role: auth.Admin, Status: http.StatusCreated, Summary: "Add a user"},
		func(ctx context.Context, d Desk, in *userInput) (*userMade, error) {
			req := request.User{Name: in.Body.Name, Password: in.Body.Password, Role: in.Body.Role, Sites: in.Body.Sites, Keep: in.Body.Keep}
			if in.Body.AllSites {
				req.Sites = nil
			}
			u, err := d.AddUser(ctx, req)
			return &userMade{u}, err
		})
	handle(s, operation{ID: "change-user", Method: http.MethodPatch, Path: "/users/{id}", Tag: "users", Role: auth.Admin, Summary: "Change what a user may and sees",
		Description: "Of what is left out nothing changes. A change ends the user's sessions. The last admin stays one."},
		func(ctx context.Context, d Desk, in *userChange) (*userAnswer, error) {
			req := request.UserChange{Role: in.Body.Role, Disabled: in.Body.Disabled, Sites: in.Body.Sites}
			if all := in.Body.AllSites; all != nil && *all {
				req.Sites = new([]string)
			} else if req.Sites != nil && *req.Sites == nil {
				*req.Sites = []string{}
			}
			u, err := d.ChangeUser(ctx, in.ID, req)
			return &userAnswer{u}, err
		})
	handle(s, operation{ID: "reset-password", Method: http.MethodPost, Path: "/users/{id}/password", Tag: "users", Role: auth.Admin, MaxBody: maxLogin,
		Summary: "Give a user another password", Description: "It has to be changed at the next login. Ends the user's sessions."},
		func(ctx context.Context, d Desk, in *resetInput) (*resetMade, error) {
			made, err := d.ResetPassword(ctx, in.ID, in.Body.Password)
			return &resetMade{made}, err
		})
	handle(s, operation{ID: "end-sessions", Method: http.MethodDelete, Path: "/users/{id}/sessions", Tag: "users", Role: auth.Admin, Summary: "End all sessions of a user"},
		func(ctx context.Context, d Desk, in *userID) (*struct{}, error) {
			return nil, d.EndSessions(ctx, in.ID)
		})
	handle(s, operation{ID: "remove-user", Method: http.MethodDelete, Path: "/users/{id}", Tag: "users", Role: auth.Admin, Summary: "Remove a user with its sessions and tokens",
		Description: "What the user did stays in the audit trail. The last admin stays."},
		func(ctx context.Context, d Desk, in *userID) (*struct{}, error) {
			return nil, d.RemoveUser(ctx, in.ID)
		})
}
