package store_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// What is asked in words narrows as a reader of all rows would, on both engines.
func TestSetsAndRangesAskedInWordsAreWhatAPlainReaderFinds(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx, w := context.Background(), newWorld(t, eng.Open(t).Estate(), 5, 20, 40)
		half, much, day := 5.0, 0.4, day1
		hosts := slices.Sorted(maps.Keys(w.hosts))[:3]
		some := []int64{w.rows[0].ID, w.rows[7].ID, w.rows[9].ID, 1 << 40}
		for name, c := range map[string]struct {
			further finding.Further
			passes  func(f *reference) bool
		}{
			"findings by number":    {finding.Further{IDs: some}, func(f *reference) bool { return slices.Contains(some, f.ID) }},
			"no finding":            {finding.Further{IDs: []int64{}}, func(*reference) bool { return false }},
			"hosts":                 {finding.Further{Hosts: hosts}, func(f *reference) bool { return slices.Contains(hosts, f.HostID) }},
			"no host":               {finding.Further{Hosts: []int64{}}, func(*reference) bool { return false }},
			"weaknesses":            {finding.Further{Weaknesses: []string{"CVE-2024-1003", "CVE-2024-1004", "CVE-1999-9999"}}, func(f *reference) bool { return f.Weakness == "CVE-2024-1003" || f.Weakness == "CVE-2024-1004" }},
			"ranges of ports":       {finding.Further{PortRanges: [][2]uint16{{1, 79}, {8000, 8100}}}, func(f *reference) bool { return f.Port == 22 || f.Port == 8080 }},
			"CVSS at most":          {finding.Further{MaxCVSS: &half}, func(f *reference) bool { return f.CVSS != nil && *f.CVSS <= half }},
			"EPSS at most":          {finding.Further{MaxEPSS: &much}, func(f *reference) bool { return f.EPSS != nil && *f.EPSS <= much }},
			"due on a day or later": {finding.Further{DueAfter: day}, func(f *reference) bool { return !f.Due.IsZero() && !f.Due.Before(day) }},
			"closed before":         {finding.Further{ClosedBefore: day}, func(f *reference) bool { return !f.ended().IsZero() && f.ended().Before(day) }},
		} {
			filter := finding.Filter{ShowHidden: true, Further: &c.further}
			want := 0
			for i := range w.rows {
				if c.passes(&w.rows[i]) {
					want++
				}
			}
			counts, err := w.e.CountFindings(ctx, auth.Everything(), filter)
			if err != nil || counts.Total != want {
				t.Errorf("%s: %d findings, want %d (%v)", name, counts.Total, want, err)
			}
		}
	})
}

func TestTalliesAndPlacesAreWhatAPlainReaderFinds(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx, w := context.Background(), newWorld(t, eng.Open(t).Estate(), 6, 20, 40)
		all := finding.Filter{ShowHidden: true}
		want := map[string]map[string]int{"port": {}, "scanner": {}, "cwe": {}}
		places := map[int64]finding.Place{}
		for i := range w.rows {
			f := &w.rows[i]
			name := "no port"
			if f.Port != 0 {
				name = fmt.Sprintf("%d/%s", f.Port, f.Protocol)
			}
			want["port"][name]++
			for _, e := range f.Evidence {
				want["scanner"][e.Sensor]++
			}
			for _, n := range f.CWEs {
				want["cwe"][fmt.Sprintf("CWE-%d", n)]++
			}
			places[f.ID] = finding.Place{ID: f.ID, Host: f.HostID, Protocol: f.Protocol, Port: f.Port, Component: f.Component, Fix: f.RemedyKey != "" || f.FixedIn != ""}
		}
		for by, counts := range want {
			got, err := w.e.FindingTally(ctx, auth.Everything(), all, by)
			if err != nil || !maps.Equal(got, counts) {
				t.Errorf("by %s: %v, want %v (%v)", by, got, counts, err)
			}
		}
		if _, err := w.e.FindingTally(ctx, auth.Everything(), all, "weather"); err == nil {
			t.Error("counted by weather")
		}
		got := map[int64]finding.Place{}
		if err := w.e.FindingPlaces(ctx, auth.Everything(), all, func(p finding.Place) { got[p.ID] = p }); err != nil || !maps.Equal(got, places) {
			t.Errorf("%d places, want %d (%v)", len(got), len(places), err)
		}
		one := auth.OfSites("branch")
		n := 0
		if err := w.e.FindingPlaces(ctx, one, all, func(p finding.Place) {
			if n++; w.hosts[p.Host].Site != "branch" {
				t.Errorf("%+v is not in the view", p)
			}
		}); err != nil || n == 0 || n == len(places) {
			t.Errorf("%d places in one site (%v)", n, err)
		}
	})
}
