package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestViewsBelongToWhoSavedThem(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := t.Context()
		e := eng.Open(t).Estate()
		owner := func(name string) store.Viewer {
			id, err := e.AddUser(ctx, auth.User{Name: name, Role: auth.Analyst, View: auth.Everything(), Created: day1})
			if err != nil {
				t.Fatal(err)
			}
			return store.Viewer{User: id, Name: "token ci of " + name}
		}
		if _, err := e.AddUser(ctx, auth.User{Name: "root", Role: auth.Admin, View: auth.Everything(), Created: day1}); err != nil {
			t.Fatal(err)
		}
		anna, ben, anybody := owner("anna"), owner("ben"), store.Viewer{Name: "anybody"}
		save := func(by store.Viewer, name string, shared bool) int64 {
			t.Helper()
			id, err := e.AddSavedView(ctx, store.SavedView{Owner: by, Name: name, Page: "findings", Search: "?kev=true", Shared: shared, Created: day1})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		before, err := e.Generation(ctx)
		if err != nil {
			t.Fatal(err)
		}
		private, shared := save(anna, "mine", false), save(anna, "Ours", true)
		save(ben, "mine", false)
		save(anybody, "mine", false)
		if err := e.Visit(ctx, anna.User); err != nil {
			t.Fatal(err)
		}
		if after, err := e.Generation(ctx); err != nil || after != before {
			t.Errorf("saving a view threw away what is kept of lists: %d to %d, %v", before, after, err)
		}
		names := func(by store.Viewer) (out []string) {
			t.Helper()
			list, err := e.SavedViews(ctx, by)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range list {
				out = append(out, v.Owner.Name+": "+v.Name)
			}
			return out
		}
		for by, want := range map[store.Viewer][]string{anna: {"anna: mine", "anna: Ours"}, ben: {"ben: mine", "anna: Ours"}, anybody: {"anybody: mine", "anna: Ours"}} {
			if got := names(by); !slices.Equal(got, want) {
				t.Errorf("%+v sees %v, want %v", by, got, want)
			}
		}
		if _, err := e.AddSavedView(ctx, store.SavedView{Owner: anna, Name: "mine", Page: "findings"}); fault.KindOf(err) != fault.KindConflict {
			t.Errorf("the same name twice: %v", err)
		}
		if _, err := e.SavedView(ctx, ben, private); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("another's own view: %v", err)
		}
		rename := func(v *store.SavedView) error {
			v.Name = "mine"
			return nil
		}
		if _, err := e.ChangeSavedView(ctx, anna, shared, rename); fault.KindOf(err) != fault.KindConflict {
			t.Errorf("renamed to a name that is taken: %v", err)
		}
		if _, err := e.ChangeSavedView(ctx, ben, private, rename); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("changed another's own view: %v", err)
		}
		if at, err := e.LastVisit(ctx, anna.User); err != nil || time.Since(at) > time.Minute {
			t.Errorf("visited %s, %v", at, err)
		}
		if at, err := e.LastVisit(ctx, ben.User); err != nil || !at.IsZero() {
			t.Errorf("visited without: %s, %v", at, err)
		}

		if err := e.RemoveUser(ctx, anna.User); err != nil {
			t.Fatal(err)
		}
		if got := names(ben); !slices.Equal(got, []string{"ben: mine", "anna: Ours"}) {
			t.Errorf("what a user shared went with him: %v", got)
		}
		if got := names(store.Viewer{Name: "anna"}); !slices.Equal(got, []string{"anna: Ours"}) {
			t.Errorf("what a user kept for himself stayed: %v", got)
		}
		if _, err := e.AddSavedView(ctx, store.SavedView{Owner: anna, Name: "later", Page: "findings"}); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("a view of a user that is gone: %v", err)
		}
		if err := e.Visit(ctx, anna.User); err != nil {
			t.Errorf("a visit of a user that is gone: %v", err)
		}
	})
}
