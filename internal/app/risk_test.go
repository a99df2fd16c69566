package app

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/request"
)

func TestRiskIsShownBesideFindingsAndOnToday(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		ctx := context.Background()
		seesWeaknesses(t, a, time.Now().UTC().Add(-time.Hour), "check-0", "check-1", "check-2")
		today, err := a.Today(ctx, "")
		if err != nil || today.Risk.At != nil || today.Risk.Findings == nil || today.Risk.Total != 0 {
			t.Fatalf("before the first run: %+v, %v", today.Risk, err)
		}
		page, err := a.FindingPage(ctx, request.Findings{Limit: 10})
		if err != nil || len(page.Findings) != 3 || page.Findings[0].RiskRemoved != nil {
			t.Fatalf("%+v, %v", page, err)
		}
		figures, at := map[int64]float64{}, time.Now().UTC().Truncate(time.Millisecond)
		for i, f := range page.Findings {
			figures[f.ID] = float64(i) / 4
		}
		if err := a.store.Estate().SetRisk(ctx, at, 1, figures); err != nil {
			t.Fatal(err)
		}
		if page, err = a.FindingPage(ctx, request.Findings{Sort: "risk_removed", Limit: 2}); err != nil || len(page.Findings) != 2 || *page.Findings[0].RiskRemoved != 0.5 || *page.Findings[1].RiskRemoved != 0.25 {
			t.Fatalf("%+v, %v", page, err)
		}
		least := page.Findings[1].ID
		if page, err = a.FindingPage(ctx, request.Findings{Sort: "risk_removed", Limit: 2, Cursor: *page.Next}); err != nil || len(page.Findings) != 1 || *page.Findings[0].RiskRemoved != 0 {
			t.Errorf("the second page: %+v, %v", page, err)
		}
		if page, err = a.FindingPage(ctx, request.Findings{MinRisk: 0.3, Limit: 10}); err != nil || page.Total != 1 {
			t.Errorf("%d above 0.3, %v", page.Total, err)
		}
		if today, err = a.Today(ctx, ""); err != nil || !today.Risk.At.Equal(at) || today.Risk.Total != 2 || len(today.Risk.Findings) != 2 ||
			today.Risk.Findings[0].RiskRemoved != 0.5 || today.Risk.Findings[1].ID != least || today.Risk.Findings[0].Host != "10.0.0.1" || today.Risk.Findings[0].Title != "a weak setting" {
			t.Errorf("%+v, %v", today.Risk, err)
		}
		elsewhere := as(a, "elsewhere")
		if today, err = elsewhere.Today(ctx, ""); err != nil || today.Risk.Total != 0 || len(today.Risk.Findings) != 0 {
			t.Errorf("of another site: %+v, %v", today.Risk, err)
		}
		// What is set aside is on no path any more.
		if err := a.store.Estate().Triage(ctx, least, finding.Triage{State: finding.FalsePositive, By: "anna", At: at}); err != nil {
			t.Fatal(err)
		}
		if today, err = a.Today(ctx, ""); err != nil || today.Risk.Total != 1 {
			t.Errorf("%+v, %v", today.Risk, err)
		}
	})
}

func TestWordsBehindTagAreHostsOrTags(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		ctx := context.Background()
		seesWeaknesses(t, a, time.Now().UTC(), "check-0")
		for _, c := range []struct {
			words       []string
			flagged     bool
			hosts, tags []string
		}{
			{[]string{"10.0.0.1", "jewel"}, false, []string{"10.0.0.1"}, []string{"jewel"}},
			{[]string{"1", "10.0.0.9", "pci", "-old"}, false, []string{"1", "10.0.0.9"}, []string{"pci", "-old"}},
			{[]string{"jewel", "jewel"}, false, []string{"jewel"}, []string{"jewel"}}, // the first is always a host
			{[]string{"10.0.0.1", "jewel"}, true, []string{"10.0.0.1", "jewel"}, nil},
			{[]string{"10.0.0.1", "web9.example.org", "fe80::1"}, false, []string{"10.0.0.1", "web9.example.org", "fe80::1"}, nil},
		} {
			hosts, tags, err := a.TagWords(ctx, c.words, "", c.flagged)
			if err != nil || !slices.Equal(hosts, c.hosts) || !slices.Equal(tags, c.tags) {
				t.Errorf("%q: hosts %q, tags %q, %v", c.words, hosts, tags, err)
			}
		}
	})
}
