package store_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// textsOf reads all texts of a kind, and the state that they are of.
func textsOf(t *testing.T, e *store.Estate, kind finding.TextKind) (texts []finding.Text, state finding.TextState) {
	t.Helper()
	err := e.Texts(t.Context(), kind, func(s finding.TextState, list iter.Seq2[finding.Text, error]) error {
		state = s
		return gather(&texts, list)
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts, state
}

func gather(into *[]finding.Text, list iter.Seq2[finding.Text, error]) error {
	for text, err := range list {
		if err != nil {
			return err
		}
		*into = append(*into, text)
	}
	return nil
}

func textsSince(t *testing.T, e *store.Estate, kind finding.TextKind, since int64) (changed, gone []int64) {
	t.Helper()
	var texts []finding.Text
	err := e.TextsSince(t.Context(), kind, since, func(_ finding.TextState, refs []finding.TextRef, list iter.Seq2[finding.Text, error]) error {
		for _, r := range refs {
			gone = append(gone, r.ID)
		}
		return gather(&texts, list)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		changed = append(changed, text.ID)
	}
	return changed, gone
}

func TestTextsThatChangedAreThoseOfChangedHosts(t *testing.T) {
	storetest.Run(t, func(t *testing.T, engine *storetest.Engine) {
		e := engine.Open(t).Estate()
		var hosts []*asset.Host
		var found []*finding.Finding
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			for i := range 3 {
				host := oneHost(fmt.Sprintf("10.0.0.%d", i+1))
				if err := tx.SaveHost(ctx, host); err != nil {
					return err
				}
				hosts = append(hosts, host)
				for j := range 2 {
					f := oneFinding(host.ID, 22, fmt.Sprintf("CVE-2024-100%d", j), "1")
					if err := tx.SaveFinding(ctx, f, nil); err != nil {
						return err
					}
					found = append(found, f)
				}
			}
			return nil
		})
		all, state := textsOf(t, e, finding.TextFinding)
		if len(all) != 6 || state.Changed == 0 || state.Changed > state.Generation || state.Identity != "" {
			t.Fatalf("%d texts, %+v", len(all), state)
		}
		if one := all[0]; one.Like != "CVE-2024-1000" || !strings.Contains(one.Names, "10.0.0.1") || !strings.Contains(one.Body, "SSH-2.0-OpenSSH_7.2p2") || !one.At.Equal(day1) {
			t.Errorf("%+v", one)
		}
		if texts, _ := textsOf(t, e, finding.TextHost); len(texts) != 3 || !strings.Contains(texts[0].Names, "debian_linux") {
			t.Errorf("hosts: %+v", texts)
		}
		if err := e.IdentifyTexts(t.Context()); err != nil {
			t.Fatal(err)
		}
		now := func() finding.TextState {
			s, err := e.TextState(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		if s := now(); s.Identity == "" || s.Changed != state.Changed {
			t.Errorf("%+v after %+v: an identity and nothing else", s, state)
		}

		// A decision or a score is no text.
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			found[0].Rating.Decision, found[0].LastSeen = "track", day1.Add(time.Hour)
			return tx.SaveFinding(ctx, found[0], nil)
		})
		if changed, gone := textsSince(t, e, finding.TextFinding, state.Generation); len(changed)+len(gone) != 0 || now().Changed != state.Changed {
			t.Errorf("%v changed, %v gone, though no text did", changed, gone)
		}

		since := now().Generation
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			found[2].Evidence[0].Output = "SSH-2.0-OpenSSH_9.9"
			return tx.SaveFinding(ctx, found[2], nil)
		})
		if changed, gone := textsSince(t, e, finding.TextFinding, since); !slices.Equal(changed, []int64{found[2].ID, found[3].ID}) || len(gone) != 0 {
			t.Errorf("%v changed, %v gone: want those of the second host", changed, gone)
		}
		if now().Changed <= since {
			t.Errorf("%+v does not say that texts changed after %d", now(), since)
		}

		since = now().Generation
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error { return tx.DeleteHost(ctx, hosts[0].ID) })
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			return tx.DeleteFindings(ctx, []int64{found[5].ID})
		})
		if changed, gone := textsSince(t, e, finding.TextFinding, since); len(changed) != 0 && !slices.Equal(changed, []int64{found[4].ID}) ||
			!slices.Equal(gone, []int64{found[0].ID, found[1].ID, found[5].ID}) {
			t.Errorf("%v changed, %v gone", changed, gone)
		}
		if _, gone := textsSince(t, e, finding.TextHost, since); !slices.Equal(gone, []int64{hosts[0].ID}) {
			t.Errorf("hosts %v gone", gone)
		}
	})
}

func TestTextsAreThoseOfTheView(t *testing.T) {
	storetest.Run(t, func(t *testing.T, engine *storetest.Engine) {
		e := engine.Open(t).Estate()
		if _, _, err := e.CreateSite(t.Context(), asset.Site{Name: "plant"}); err != nil {
			t.Fatal(err)
		}
		host, f := oneHost("10.0.0.1"), (*finding.Finding)(nil)
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			if err := tx.SaveHost(ctx, host); err != nil {
				return err
			}
			f = oneFinding(host.ID, 22, "CVE-2024-1000", "1")
			return tx.SaveFinding(ctx, f, nil)
		})
		for _, c := range []struct {
			view auth.View
			sees int
		}{{auth.Everything(), 1}, {auth.OfSites("default"), 1}, {auth.OfSites("plant"), 0}, {auth.View{}, 0}} {
			for kind, id := range map[finding.TextKind]int64{finding.TextFinding: f.ID, finding.TextHost: host.ID} {
				if texts, err := e.TextsSeen(t.Context(), c.view, kind, []int64{id, 99}); err != nil || len(texts) != c.sees {
					t.Errorf("%v sees %d of kind %s, %v", c.view.Sites(), len(texts), kind, err)
				}
			}
			if ids, err := e.SiteNumbers(t.Context(), c.view); err != nil || len(ids) > 2 || c.sees == 1 && len(ids) == 0 {
				t.Errorf("%v has sites %v, %v", c.view.Sites(), ids, err)
			}
		}
	})
}
