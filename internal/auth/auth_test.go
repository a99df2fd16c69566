package auth

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/telemetry"
)

func TestPasswordIsTheSameFromEveryKeyboard(t *testing.T) {
	composed, decomposed := "p\u00e4sswort-9", "pa\u0308sswort-9"
	hash, err := HashPassword(t.Context(), composed)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, "sswort") {
		t.Error(hash)
	}
	if same, outdated, err := samePassword(t.Context(), decomposed, hash); !same || outdated || err != nil {
		t.Errorf("%v %v %v", same, outdated, err)
	}
	if same, _, err := samePassword(t.Context(), "", ""); same || err != nil {
		t.Error("no password is the password of who has none")
	}
}

func TestHashesAtOnceAreBounded(t *testing.T) {
	var wg sync.WaitGroup
	most := 0
	var mu sync.Mutex
	for range 20 {
		wg.Go(func() {
			_ = inTurn(context.Background(), func() error {
				mu.Lock()
				defer mu.Unlock()
				most = max(most, len(hashes))
				return nil
			})
		})
	}
	wg.Wait()
	if most > cap(hashes) {
		t.Errorf("%d at once", most)
	}
}

func TestNewPasswordsAreGoodAndUnlike(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		p := NewPassword()
		if err := CheckNewPassword("admin", p); err != nil || seen[p] || len(p) != 23 {
			t.Errorf("%q %v", p, err)
		}
		seen[p] = true
	}
}

func TestWaitsGrowAndEnd(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	f := Failures{}
	var last time.Duration
	for i := range 60 {
		f = limitPair.next(f, now)
		wait := max(0, f.Wait.Sub(now))
		if wait < last || wait > 15*time.Minute || (i < 4) != (wait == 0) {
			t.Fatalf("failure %d waits %s after %s", i+1, wait, last)
		}
		last = wait
	}
	if f = limitPair.next(f, now.Add(25*time.Hour)); f.Count != 1 {
		t.Errorf("a day later: %+v", f)
	}
}

func TestRolesOfAProviderTakeTheGreatest(t *testing.T) {
	r := RoleRules{Admin: []string{"a"}, Analyst: []string{"b"}, Viewer: []string{"c"}}
	for _, test := range []struct {
		values string
		want   Role
	}{{"c b", Analyst}, {"x a c", Admin}, {"x", Nobody}, {"", Nobody}} {
		if got := r.Role(strings.Fields(test.values)); got != test.want {
			t.Errorf("%q: %q", test.values, got)
		}
	}
}

func FuzzUserName(f *testing.F) {
	for _, seed := range []string{"anna", "ANNA", "Ægir.Ólafsson", "ａｎｎａ", "a b", "", "a\x00b", "\u202eanna", "anna@example.org", "system"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := UserName(text)
		if err != nil {
			return
		}
		if again, err := UserName(name); err != nil || again != name {
			t.Fatalf("%q is %q, and then %q (%v)", text, name, again, err)
		}
		if name == "" || len(name) > maxName || telemetry.Plain(name) != name || strings.ContainsAny(name, " :/<>\"'") {
			t.Fatalf("%q is %q", text, name)
		}
	})
}

func FuzzEntry(f *testing.F) {
	f.Add("a", "b")
	f.Add(strings.Repeat("é\x1b", 3000), "\xff\u202e\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		e := EntryOf(Identity{Name: a, From: b}, time.Time{}, a, b, a+b, Done)
		for _, text := range []string{e.Who, e.From, e.Action, e.Subject, e.Detail} {
			if len(text) > maxDetail || !utf8.ValidString(text) || telemetry.Plain(text) != text {
				t.Fatalf("%q", text)
			}
		}
	})
}

func TestFailuresDoNotFillTheTrail(t *testing.T) {
	var m Misses
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	take := func(who, from string, outcome Outcome) (Entry, bool) {
		return m.Take(EntryOf(Identity{Name: who, From: from}, now, "login", "user anna", strings.Repeat("x", 5000), outcome), now)
	}
	kept := 0
	var last Entry
	for i := range 500 { // all of one network, which one client has for itself
		if e, ok := take("", fmt.Sprintf("2001:db8::%x", i+1), Refused); ok {
			kept, last = kept+1, e
		}
	}
	if kept != missesOfOne || !strings.HasSuffix(last.Detail, missesEnd) || len(last.Detail) > maxDetail {
		t.Errorf("%d kept, the last says %.40q… in %d bytes", kept, last.Detail[len(last.Detail)-40:], len(last.Detail))
	}
	if _, ok := take("anna", "192.0.2.1", Failed); !ok {
		t.Error("another asker's failure is not recorded")
	}
	for range 2 * missesOfAll {
		if _, ok := take("", "2001:db8::1", Done); !ok {
			t.Fatal("something that was done is not recorded")
		}
	}
	for i := range 2 * missesOfAll {
		if _, ok := take("", fmt.Sprintf("10.0.%d.%d", i/250, i%250+1), Refused); ok {
			kept++
		}
	}
	if kept != missesOfAll-1 {
		t.Errorf("%d of everybody", kept)
	}
	now = now.Add(time.Minute)
	if _, ok := take("", "2001:db8::1", Refused); !ok {
		t.Error("the next minute's is not recorded")
	}
}
