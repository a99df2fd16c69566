package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// keepers runs a story with a keeper on each engine and a clock that the story sets.
func keepers(t *testing.T, story func(t *testing.T, k *auth.Keeper, e *store.Estate, now *time.Time)) {
	t.Helper()
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		now := day1
		clock := func() time.Time { return now }
		opts := eng.Options()
		opts.Now = clock
		s, err := store.Open(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		story(t, &auth.Keeper{Rows: s.Estate(), Now: clock, Idle: time.Hour, Longest: 24 * time.Hour}, s.Estate(), &now)
	})
}

const pass = "correct horse battery"

func addUser(t *testing.T, e *store.Estate, name string, role auth.Role, view auth.View) auth.User {
	t.Helper()
	hash, err := auth.HashPassword(t.Context(), pass)
	if err != nil {
		t.Fatal(err)
	}
	u := auth.User{Name: name, Password: hash, Role: role, View: view, Created: day1}
	if u.ID, err = e.AddUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	return u
}

func login(t *testing.T, k *auth.Keeper, name, password string) auth.Login {
	t.Helper()
	l, err := k.Login(t.Context(), name, password, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFirstAdminIsMadeOnceByManyProcesses(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		var made atomic.Int32
		var wg sync.WaitGroup
		for range 4 {
			e := eng.Open(t).Estate()
			wg.Go(func() {
				k := &auth.Keeper{Rows: e, Now: time.Now, Idle: time.Hour, Longest: time.Hour}
				password, err := k.FirstAdmin(context.Background())
				if err != nil {
					t.Error(err)
				}
				if password == "" {
					return
				}
				made.Add(1)
				l, err := k.Login(context.Background(), "Admin", password, "127.0.0.1")
				if err != nil || !l.User.MustChange || l.User.Role != auth.Admin {
					t.Errorf("%+v %v", l.User, err)
				}
			})
		}
		wg.Wait()
		if made.Load() != 1 {
			t.Errorf("%d passwords were shown", made.Load())
		}
	})
}

func TestSessionsEndByIdlenessByAgeAndByChanges(t *testing.T) {
	keepers(t, func(t *testing.T, k *auth.Keeper, e *store.Estate, now *time.Time) {
		ctx := t.Context()
		root := addUser(t, e, "root", auth.Admin, auth.Everything())
		u := addUser(t, e, "anna", auth.Analyst, auth.OfSites("a", "b"))
		good := func(secret string) bool {
			t.Helper()
			id, err := k.BySession(ctx, secret, "192.0.2.1")
			if err != nil && !auth.NotLetIn(err) {
				t.Fatal(err)
			}
			return err == nil && id.Name != ""
		}
		l := login(t, k, "ANNA", pass)
		id, err := k.BySession(ctx, l.Secret, "192.0.2.9")
		if err != nil || id.Role != auth.Analyst || !slices.Equal(id.View.Sites(), []string{"a", "b"}) || id.From != "192.0.2.9" || id.Kind != auth.Session {
			t.Fatalf("%+v %v", id, err)
		}
		for range 10 { // used all along, it lasts
			*now = now.Add(50 * time.Minute)
			if !good(l.Secret) {
				t.Fatal("a session that is used ended")
			}
		}
		*now = now.Add(61 * time.Minute)
		if good(l.Secret) {
			t.Error("an idle session goes on")
		}
		l = login(t, k, "anna", pass)
		for range 30 {
			*now = now.Add(50 * time.Minute)
			good(l.Secret)
		}
		if good(l.Secret) {
			t.Error("a session lasts longer than a day")
		}
		for what, change := range map[string]func() error{
			"another role": func() error {
				_, err := e.ChangeUser(ctx, u.ID, func(u *auth.User) error { u.Role = auth.Viewer; return nil })
				return err
			},
			"other sites": func() error {
				_, err := e.ChangeUser(ctx, u.ID, func(u *auth.User) error { u.View = auth.OfSites("c"); return nil })
				return err
			},
			"logging out": func() error { return e.EndSessions(ctx, u.ID) },
			"a password":  func() error { hash, _ := auth.HashPassword(ctx, pass); return e.SetPassword(ctx, u.ID, hash, false) },
			"restoring":   func() error { return e.EndAllLogins(ctx) },
		} {
			l, other := login(t, k, "anna", pass), login(t, k, "root", pass)
			if err := change(); err != nil {
				t.Fatal(what, err)
			}
			if good(l.Secret) {
				t.Errorf("after %s the session goes on", what)
			}
			if good(other.Secret) != (what != "restoring") {
				t.Errorf("after %s somebody else's session: %v", what, good(other.Secret))
			}
		}
		if good("") || good(strings.Repeat("A", 43)) {
			t.Error("an unknown session is good")
		}
		if _, err := e.ChangeUser(ctx, root.ID, func(u *auth.User) error { u.Disabled = true; return nil }); fault.KindOf(err) != fault.KindConflict {
			t.Errorf("the last admin was disabled: %v", err)
		}
		if _, err := e.ChangeUser(ctx, root.ID, func(u *auth.User) error { u.Role = auth.Viewer; return nil }); fault.KindOf(err) != fault.KindConflict {
			t.Errorf("the last admin was degraded: %v", err)
		}
		if err := e.RemoveUser(ctx, root.ID); fault.KindOf(err) != fault.KindConflict {
			t.Errorf("the last admin was removed: %v", err)
		}
	})
}

func TestTwoAdminsThatRemoveEachOtherLeaveOne(t *testing.T) {
	keepers(t, func(t *testing.T, _ *auth.Keeper, e *store.Estate, _ *time.Time) {
		a, b := addUser(t, e, "a", auth.Admin, auth.Everything()), addUser(t, e, "b", auth.Admin, auth.Everything())
		var wg sync.WaitGroup
		var gone atomic.Int32
		for _, id := range []int64{a.ID, b.ID} {
			wg.Go(func() {
				if e.RemoveUser(context.Background(), id) == nil {
					gone.Add(1)
				}
			})
		}
		wg.Wait()
		if gone.Load() != 1 {
			t.Errorf("%d of two admins were removed", gone.Load())
		}
	})
}

func TestWhoGuessesWaitsAndTheOwnerDoesNot(t *testing.T) {
	keepers(t, func(t *testing.T, k *auth.Keeper, e *store.Estate, now *time.Time) {
		ctx := t.Context()
		addUser(t, e, "anna", auth.Viewer, auth.Everything())
		login(t, k, "anna", pass) // from here she comes
		guess := func(name, from string) error {
			_, err := k.Login(ctx, name, "wrong password", from)
			return err
		}
		for i := range 5 {
			if err := guess("anna", "198.51.100.7"); !errors.Is(err, auth.ErrCredentials) {
				t.Fatalf("guess %d: %v", i, err)
			}
		}
		var wait auth.Throttled
		if err := guess("anna", "198.51.100.7"); !errors.As(err, &wait) || wait.Wait > time.Second {
			t.Fatalf("a sixth guess: %v", err)
		}
		longest := time.Duration(0)
		for range 40 { // as fast as is allowed
			*now = now.Add(wait.Wait + time.Millisecond)
			_ = guess("anna", "198.51.100.7")
			if err := guess("anna", "198.51.100.7"); !errors.As(err, &wait) {
				t.Fatalf("no wait: %v", err)
			}
			longest = max(longest, wait.Wait)
		}
		if longest < 14*time.Minute || longest > 15*time.Minute {
			t.Errorf("the longest wait is %s", longest)
		}
		if _, err := k.Login(ctx, "anna", pass, "192.0.2.1"); err != nil {
			t.Errorf("guesses from elsewhere keep the owner out: %v", err)
		}
		if _, err := k.Login(ctx, "anna", pass, "198.51.100.7"); !errors.As(err, &wait) {
			t.Errorf("the right password must wait too: %v", err)
		}
		*now = now.Add(25 * time.Hour)
		if _, err := k.Login(ctx, "anna", pass, "198.51.100.7"); err != nil {
			t.Errorf("locked out for good: %v", err)
		}
		for i := range 30 { // names that nobody has, from one address
			if err := guess("nobody"+string(rune('a'+i)), "203.0.113.9"); !errors.Is(err, auth.ErrCredentials) {
				t.Fatalf("name %d: %v", i, err)
			}
		}
		if err := guess("somebody", "203.0.113.9"); !errors.As(err, &wait) {
			t.Errorf("an address that guesses names: %v", err)
		}
	})
}

func TestGuessesAtOnceAreCountedOneByOne(t *testing.T) {
	keepers(t, func(t *testing.T, k *auth.Keeper, e *store.Estate, _ *time.Time) {
		addUser(t, e, "anna", auth.Viewer, auth.Everything())
		var tried atomic.Int32
		var wg sync.WaitGroup
		for range 30 {
			wg.Go(func() {
				if _, err := k.Login(context.Background(), "anna", "wrong password", "198.51.100.7"); errors.Is(err, auth.ErrCredentials) {
					tried.Add(1)
				}
			})
		}
		wg.Wait()
		if n := tried.Load(); n != 5 {
			t.Errorf("%d of 30 guesses at once were looked at", n)
		}
	})
}

func TestLoginThatRacesWithAChangeHasNoSession(t *testing.T) {
	keepers(t, func(t *testing.T, k *auth.Keeper, e *store.Estate, _ *time.Time) {
		u := addUser(t, e, "anna", auth.Analyst, auth.Everything())
		hash, err := auth.HashPassword(t.Context(), "another password")
		if err != nil {
			t.Fatal(err)
		}
		if err := e.SetPassword(t.Context(), u.ID, hash, false); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Begin(t.Context(), u, ""); !errors.Is(err, auth.ErrCredentials) { // u was checked before the change
			t.Errorf("a session of the old password: %v", err)
		}
		// Two good logins at once are two sessions.
		var wg sync.WaitGroup
		secrets := make([]string, 2)
		for i := range secrets {
			wg.Go(func() {
				l, err := k.Login(context.Background(), "anna", "another password", "192.0.2.1")
				if err != nil {
					t.Error(err)
				}
				secrets[i] = l.Secret
			})
		}
		wg.Wait()
		for _, s := range secrets {
			if _, err := k.BySession(t.Context(), s, ""); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestTokenMayNeverDoMoreThanItsOwner(t *testing.T) {
	keepers(t, func(t *testing.T, k *auth.Keeper, e *store.Estate, now *time.Time) {
		ctx := t.Context()
		addUser(t, e, "root", auth.Admin, auth.Everything())
		u := addUser(t, e, "anna", auth.Analyst, auth.OfSites("a", "b"))
		secret, hash := auth.NewToken()
		id, err := e.AddToken(ctx, auth.APIToken{Hash: hash, User: u.ID, Name: "ci", Role: auth.Analyst, View: auth.OfSites("b", "c"), Scopes: []string{"findings:read"},
			Created: *now, By: "anna", Expires: now.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		who, err := k.ByToken(ctx, secret, "192.0.2.4")
		if err != nil || who.Role != auth.Analyst || !slices.Equal(who.View.Sites(), []string{"b"}) || who.Name != "token ci of anna" || who.Scopes[0] != "findings:read" {
			t.Fatalf("%+v %v", who, err)
		}
		if _, err := e.ChangeUser(ctx, u.ID, func(u *auth.User) error { u.Role = auth.Viewer; return nil }); err != nil {
			t.Fatal(err)
		}
		if who, err = k.ByToken(ctx, secret, "192.0.2.4"); err != nil || who.Role != auth.Viewer {
			t.Errorf("the owner is a viewer now, the token %s (%v)", who.Role, err)
		}
		tokens, err := e.Tokens(ctx, store.TokenFilter{ID: id})
		if err != nil || tokens[0].Used.IsZero() || tokens[0].From != "192.0.2.4" || tokens[0].Owner != "anna" {
			t.Errorf("%+v %v", tokens, err)
		}
		if strings.Contains(string(tokens[0].Hash), secret) {
			t.Error("the token is kept")
		}
		*now = now.Add(2 * time.Hour)
		if _, err := k.ByToken(ctx, secret, ""); !auth.NotLetIn(err) {
			t.Errorf("an expired token: %v", err)
		}
		*now = now.Add(-2 * time.Hour)
		if _, err := e.ChangeUser(ctx, u.ID, func(u *auth.User) error { u.Disabled = true; return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := k.ByToken(ctx, secret, ""); !auth.NotLetIn(err) {
			t.Errorf("a token of who is disabled: %v", err)
		}
		for _, bad := range []string{"", "ps_", secret + "x", strings.ToUpper(secret), "ps_" + strings.Repeat("A", 43)} {
			if _, err := k.ByToken(ctx, bad, ""); !auth.NotLetIn(err) {
				t.Errorf("%q: %v", bad, err)
			}
		}
	})
}

func TestTokensOfAUserAreBounded(t *testing.T) {
	keepers(t, func(t *testing.T, _ *auth.Keeper, e *store.Estate, now *time.Time) {
		u, other := addUser(t, e, "anna", auth.Viewer, auth.Everything()), addUser(t, e, "ben", auth.Viewer, auth.Everything())
		add := func(user int64) (int64, error) {
			_, hash := auth.NewToken()
			return e.AddToken(t.Context(), auth.APIToken{Hash: hash, User: user, Name: "ci", Role: auth.Viewer, View: auth.Everything(), Created: *now, By: "anna"})
		}
		var last int64
		for range 200 {
			id, err := add(u.ID)
			if err != nil {
				t.Fatal(err)
			}
			last = id
		}
		if _, err := add(u.ID); fault.KindOf(err) != fault.KindConflict {
			t.Errorf("one more: %v", err)
		}
		if _, err := add(other.ID); err != nil {
			t.Errorf("another user's: %v", err)
		}
		if err := e.RevokeToken(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		if _, err := add(u.ID); err != nil {
			t.Errorf("after one was revoked: %v", err)
		}
	})
}

func TestWorkersTokenIsOfItsSiteOnly(t *testing.T) {
	keepers(t, func(t *testing.T, k *auth.Keeper, e *store.Estate, now *time.Time) {
		ctx := t.Context()
		secret, hash := auth.NewToken()
		id, err := e.AddToken(ctx, auth.APIToken{Hash: hash, Name: "w", Role: auth.Worker, Site: "branch", Created: *now, By: "local:root"})
		if err != nil {
			t.Fatal(err)
		}
		who, err := k.ByToken(ctx, secret, "")
		if err != nil || who.Role != auth.Worker || who.Site != "branch" || who.View.All() || len(who.View.Sites()) > 0 {
			t.Errorf("%+v %v", who, err)
		}
		if sites, err := e.WorkerSites(ctx); err != nil || !slices.Equal(sites, []string{"branch"}) {
			t.Errorf("%v %v", sites, err)
		}
		if err := e.RevokeToken(ctx, id); err != nil {
			t.Fatal(err)
		}
		if _, err := k.ByToken(ctx, secret, ""); !auth.NotLetIn(err) {
			t.Error(err)
		}
		if sites, err := e.WorkerSites(ctx); err != nil || len(sites) > 0 {
			t.Errorf("%v %v", sites, err)
		}
	})
}

func TestAuditTrailIsFilteredPagedAndPurged(t *testing.T) {
	keepers(t, func(t *testing.T, _ *auth.Keeper, e *store.Estate, now *time.Time) {
		ctx := t.Context()
		for i, action := range []string{"user.add", "user.remove", "users", "scan.start", "user.add"} {
			who := auth.Identity{Kind: auth.Session, Name: []string{"anna", "root"}[i%2], User: 7, From: "192.0.2.1"}
			if err := e.AddAudit(ctx, auth.EntryOf(who, now.Add(time.Duration(i)*time.Hour), action, "x\x1b[2J\nfake", strings.Repeat("é", 5000), auth.Done)); err != nil {
				t.Fatal(err)
			}
		}
		count := func(f auth.AuditFilter) (ids []int64) {
			t.Helper()
			entries, err := e.Audit(ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range entries {
				if strings.ContainsAny(x.Subject, "\x1b\n") || len(x.Detail) > 2000 || x.User != 7 {
					t.Errorf("%+v", x)
				}
				ids = append(ids, x.ID)
			}
			return ids
		}
		for _, test := range []struct {
			filter auth.AuditFilter
			want   []int64
		}{
			{auth.AuditFilter{}, []int64{5, 4, 3, 2, 1}},
			{auth.AuditFilter{Limit: 2}, []int64{5, 4}},
			{auth.AuditFilter{Limit: 2, Before: 4}, []int64{3, 2}},
			{auth.AuditFilter{Action: "user."}, []int64{5, 2, 1}},
			{auth.AuditFilter{Action: "scan.start", Who: "root"}, []int64{4}},
			{auth.AuditFilter{Outcome: auth.Refused}, nil},
			{auth.AuditFilter{Since: now.Add(time.Hour), Until: now.Add(3 * time.Hour)}, []int64{3, 2}},
		} {
			if got := count(test.filter); !slices.Equal(got, test.want) {
				t.Errorf("%+v: %v, want %v", test.filter, got, test.want)
			}
		}
		if n, err := e.PurgeLogins(ctx, now.Add(90*time.Minute)); err != nil || n != 2 {
			t.Errorf("%d purged, %v", n, err)
		}
	})
}

func TestLoginWithAProviderIsUsedOnce(t *testing.T) {
	keepers(t, func(t *testing.T, _ *auth.Keeper, e *store.Estate, now *time.Time) {
		f := store.Flow{State: auth.Digest("s"), Browser: auth.Digest("b"), Nonce: "n", Verifier: "v", Target: "/x", Ends: now.Add(time.Minute)}
		if err := e.AddFlow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		got, err := e.TakeFlow(t.Context(), f.State)
		if err != nil || got.Nonce != "n" || got.Verifier != "v" || got.Target != "/x" || !got.Ends.Equal(f.Ends) {
			t.Errorf("%+v %v", got, err)
		}
		if _, err := e.TakeFlow(t.Context(), f.State); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("taken twice: %v", err)
		}
	})
}
