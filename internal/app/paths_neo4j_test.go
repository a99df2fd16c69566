package app

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graphtest/neo4jserver"
	"github.com/patchscout/patchscout/internal/attackpath/neo4j"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/request"
)

type fakeMirror struct {
	renew func(ctx context.Context) (bool, error)
}

func (f fakeMirror) Renew(ctx context.Context, _ neo4j.Drawing) (bool, error) { return f.renew(ctx) }

func TestAGraphDatabaseThatCannotBeHadIsANoticeAndNoMore(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		built(t, a)
		plain, times := pathsOf(t, a, request.Paths{}), 0
		a.mirror = fakeMirror{func(ctx context.Context) (bool, error) {
			times++
			if deadline, bounded := ctx.Deadline(); !bounded || time.Until(deadline) > mirrorTime {
				t.Error("nothing bounds it")
			}
			return false, fault.Unavailable("graph database bolt://127.0.0.1:1: no Neo4j answers there")
		}}
		said := func(notices []string) bool {
			return slices.ContainsFunc(notices, func(n string) bool {
				return strings.Contains(n, "Neo4j was not given this network: graph database bolt://127.0.0.1:1")
			})
		}
		doc := pathsOf(t, a, request.Paths{})
		if times != 1 || !said(doc.Notices) || !reflect.DeepEqual(doc.Paths, plain.Paths) {
			t.Errorf("asked %d times: %q", times, doc.Notices)
		}
		if flat := pathsOf(t, a, request.Paths{Assume: "flat"}); times != 1 || said(flat.Notices) {
			t.Errorf("another scenario was written: %q", flat.Notices)
		}
		server := a.For(auth.Identity{Kind: auth.Session, Name: "vera", Role: auth.Viewer, View: auth.Everything()})
		if doc := pathsOf(t, server, request.Paths{}); times != 1 || !said(doc.Notices) {
			t.Errorf("a user of the server: %q, written %d times", doc.Notices, times)
		}
		a.mirror = fakeMirror{func(context.Context) (bool, error) { return true, nil }}
		if doc := pathsOf(t, a, request.Paths{}); said(doc.Notices) {
			t.Errorf("after it was written: %q", doc.Notices)
		}
	})
}

func TestTheCheckOfAConfigurationSaysThatTheGraphDatabaseCannotBeHad(t *testing.T) {
	cfg := config.Default()
	cfg.DataDir, cfg.GraphURL = t.TempDir(), "bolt://neo4j:hunter2@127.0.0.1:1"
	doc := CheckConfig(t.Context(), cfg, nil, true)
	if said := fmt.Sprint(doc.Warnings); !doc.OK || !strings.Contains(said, "graph database bolt://127.0.0.1:1: no Neo4j answers there") || strings.Contains(said, "hunter2") {
		t.Errorf("%+v", doc)
	}
	if doc := CheckConfig(t.Context(), cfg, nil, false); strings.Contains(fmt.Sprint(doc.Warnings), "Neo4j") {
		t.Errorf("it connected without being told: %q", doc.Warnings)
	}
}

func TestPathsAreInTheGraphDatabaseThatIsConfigured(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a server")
	}
	s := neo4jserver.Start(t, neo4jserver.Oldest)
	cfg := config.Default()
	cfg.DataDir, cfg.GraphURL, cfg.GraphPass = t.TempDir(), config.Secret(s.URL), config.Secret(s.Password)
	a, err := Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	built(t, a)
	for range 2 {
		if doc := pathsOf(t, a, request.Paths{}); slices.ContainsFunc(doc.Notices, func(n string) bool { return strings.Contains(n, "Neo4j") }) {
			t.Fatalf("%q", doc.Notices)
		}
	}
	m, err := a.pathModel(t.Context(), 0, attackpath.Assumptions{})
	if err != nil {
		t.Fatal(err)
	}
	if wrote, err := a.renewMirror(t.Context(), m); wrote || err != nil {
		t.Errorf("it was not there: wrote %t, %v", wrote, err)
	}
}
