package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/scope"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestScopeRulesAreKeptAndSeenBySite(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		for _, name := range []string{"lab", "office"} {
			if _, _, err := e.CreateSite(ctx, asset.Site{Name: name}); err != nil {
				t.Fatal(err)
			}
		}
		entry := func(text, site string) scope.Entry {
			rule, err := scope.ParseRule(text)
			if err != nil {
				t.Fatal(err)
			}
			return scope.Entry{Rule: rule, Site: site, Role: auth.Analyst, Note: "agreed", By: "admin", At: day1, Expires: day1.Truncate(24 * time.Hour)}
		}
		add := func(text, site string) int64 {
			id, err := e.AddScopeRule(ctx, entry(text, site))
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		all, lab, office := add("192.0.2.0/24", ""), add("!10.1.0.0/16", "lab"), add("*.example.org", "office")
		if again := add("192.0.2.0/24", ""); again != all {
			t.Errorf("the same rule was made twice: %d", again)
		}
		if _, err := e.AddScopeRule(ctx, entry("192.0.2.1", "nowhere")); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("a site that does not exist: %v", err)
		}
		unknown := entry("192.0.2.1", "")
		unknown.User = 99
		if _, err := e.AddScopeRule(ctx, unknown); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("a user who does not exist: %v", err)
		}
		list, err := e.ScopeRules(ctx, auth.Everything())
		if err != nil || len(list) != 3 {
			t.Fatalf("%+v, %v", list, err)
		}
		want := entry("!10.1.0.0/16", "lab")
		want.ID = lab
		if list[1] != want {
			t.Errorf("kept %+v, want %+v", list[1], want)
		}
		if list, _ := e.ScopeRules(ctx, auth.OfSites("lab")); len(list) != 2 || list[0].ID != all || list[1].ID != lab {
			t.Errorf("of lab: %+v", list)
		}
		if list, _ := e.ScopeRules(ctx, auth.View{}); len(list) != 0 {
			t.Errorf("of nobody: %+v", list)
		}
		theirs, absent := e.RemoveScopeRule(ctx, auth.OfSites("lab"), office), e.RemoveScopeRule(ctx, auth.Everything(), 99)
		if fault.KindOf(theirs) != fault.KindNotFound || fault.KindOf(absent) != fault.KindNotFound {
			t.Errorf("%v, %v", theirs, absent)
		}
		if err := e.RemoveScopeRule(ctx, auth.OfSites("lab"), lab); err != nil {
			t.Error(err)
		}
		if list, _ := e.ScopeRules(ctx, auth.Everything()); len(list) != 2 {
			t.Errorf("left %+v", list)
		}
	})
}
