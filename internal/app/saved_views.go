package app

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/store"
)

// viewer is whose the asker's views are: the user's, by whatever token; where nobody logs in, the name's.
func (a *App) viewer() store.Viewer { return store.Viewer{User: a.who.User, Name: a.who.Name} }

// SavedViews lists the asker's views and those that others share.
func (a *App) SavedViews(ctx context.Context) (report.SavedViewList, error) {
	doc := report.SavedViewList{Views: []report.SavedView{}}
	list, err := a.store.Estate().SavedViews(ctx, a.viewer())
	for _, v := range list {
		doc.Views = append(doc.Views, a.toSavedView(v))
	}
	return doc, err
}

func (a *App) toSavedView(v store.SavedView) report.SavedView {
	return report.SavedView{ID: v.ID, Name: v.Name, Page: v.Page, Search: v.Search, Shared: v.Shared, By: v.Owner.Name, Mine: a.owns(v), CreatedAt: v.Created}
}

func (a *App) owns(v store.SavedView) bool {
	me := a.viewer()
	return v.Owner.User == me.User && (me.User != 0 || v.Owner.Name == me.Name)
}

// SaveView keeps a view.
func (a *App) SaveView(ctx context.Context, req request.SavedView) (_ report.SavedView, err error) {
	v := store.SavedView{Owner: a.viewer(), Name: strings.TrimSpace(req.Name), Page: req.Page, Search: req.Search, Shared: req.Shared, Created: a.now().UTC()}
	defer func() { a.auditView(ctx, "view.add", v, err) }()
	if v.Shared && !a.who.Role.Allows(auth.Analyst) {
		return report.SavedView{}, errShare(a.who)
	}
	if err := checkView(v); err != nil {
		return report.SavedView{}, err
	}
	if v.ID, err = a.store.Estate().AddSavedView(ctx, v); err != nil {
		return report.SavedView{}, err
	}
	kept, err := a.store.Estate().SavedView(ctx, v.Owner, v.ID)
	return a.toSavedView(kept), err
}

func errShare(who auth.Identity) error {
	return fault.Denied("to share a view takes the role %s; %s has %s", auth.Analyst, who.Name, who.Role)
}

// maxSearch is how long what was chosen on a page may be, in bytes.
const maxSearch = 4096

func checkView(v store.SavedView) error {
	switch {
	case v.Name == "" || len(v.Name) > 400:
		return fault.InvalidOption("name", ": want 1 to 100 characters")
	case strings.ContainsFunc(v.Name, unicode.IsControl):
		return fault.InvalidOption("name", ": want no control characters")
	case v.Page == "" || len(v.Page) > 63:
		return fault.InvalidOption("page", " %.40q: want the name of a page, as findings", v.Page)
	case len(v.Search) > maxSearch || strings.ContainsFunc(v.Search, unicode.IsControl):
		return fault.InvalidOption("search", ": want at most %d bytes, and no control characters", maxSearch)
	}
	return nil
}

// ChangeView changes one of the asker's views; an admin may change what others share.
func (a *App) ChangeView(ctx context.Context, id int64, req request.SavedViewChange) (_ report.SavedView, err error) {
	told := store.SavedView{ID: id}
	defer func() { a.auditView(ctx, "view.change", told, err) }()
	kept, err := a.store.Estate().ChangeSavedView(ctx, a.viewer(), id, func(v *store.SavedView) error {
		told = *v
		if err := a.mayChangeView(*v); err != nil {
			return err
		}
		if req.Name != nil {
			v.Name = strings.TrimSpace(*req.Name)
		}
		if req.Search != nil {
			v.Search = *req.Search
		}
		if req.Shared != nil && *req.Shared != v.Shared {
			if *req.Shared && !a.who.Role.Allows(auth.Analyst) {
				return errShare(a.who)
			}
			v.Shared = *req.Shared
		}
		told.Name, told.Shared = v.Name, told.Shared || v.Shared
		return checkView(*v)
	})
	if err != nil {
		return report.SavedView{}, err
	}
	return a.toSavedView(kept), nil
}

// mayChangeView: one's own, and for an admin every one that he sees.
func (a *App) mayChangeView(v store.SavedView) error {
	if a.owns(v) || a.who.Role.Allows(auth.Admin) {
		return nil
	}
	return fault.Denied("view %d is %s's: save one of your own", v.ID, v.Owner.Name)
}

// RemoveView forgets one of the asker's views; an admin may remove what others share.
func (a *App) RemoveView(ctx context.Context, id int64) (err error) {
	told := store.SavedView{ID: id}
	defer func() { a.auditView(ctx, "view.remove", told, err) }()
	_, err = a.store.Estate().RemoveSavedView(ctx, a.viewer(), id, func(v store.SavedView) error {
		told = v
		return a.mayChangeView(v)
	})
	return err
}

// auditView tells what was done to a view. What somebody keeps for himself is his: only its number is told.
func (a *App) auditView(ctx context.Context, action string, v store.SavedView, err error) {
	detail := ""
	switch {
	case v.Shared:
		detail = fmt.Sprintf("shared, %q of %s", v.Name, v.Page)
	case v.Page != "":
		detail = "private"
	}
	a.auditEnd(ctx, action, numbered("view", v.ID), detail, err)
}
