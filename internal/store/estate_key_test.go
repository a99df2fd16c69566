package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// Days are large numbers: what is said of several findings in one transaction must not become the same for all.
func TestFindingsKeepTheirOwnDueDays(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		h := oneHost("10.0.0.1")
		var found []*finding.Finding
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			if err := tx.SaveHost(ctx, h); err != nil {
				return err
			}
			for i := range 3 {
				f := &finding.Finding{Fingerprint: finding.Fingerprint{Site: h.Site, HostID: h.ID, Weakness: finding.OfCVE(cve.NewID(2024, uint32(1000+i)))}}
				found = append(found, f)
				if err := tx.SaveFinding(ctx, f, nil); err != nil {
					return err
				}
			}
			return nil
		})
		day := func(i int) time.Time { return time.Date(2027, 1, 1+i, 0, 0, 0, 0, time.UTC) }
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			for i, f := range found {
				f.SLADue = day(i)
				if err := tx.SaveWords(ctx, f); err != nil {
					return err
				}
			}
			return nil
		})
		for i, f := range found {
			if got, err := e.Finding(ctx, auth.Everything(), f.ID); err != nil || !got.SLADue.Equal(day(i)) {
				t.Errorf("finding %d is due %s, want %s (%v)", f.ID, got.SLADue, day(i), err)
			}
		}
	})
}

// What one scanner saw of a host at two times are two sightings.
func TestSightingsOfTwoTimesAreTwo(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		e := eng.Open(t).Estate()
		scan, err := e.CreateScan(context.Background(), finding.Scan{Kind: finding.KindScan, Site: "default", Created: day1})
		if err != nil {
			t.Fatal(err)
		}
		h := oneHost("10.0.0.1")
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			if err := tx.SaveHost(ctx, h); err != nil {
				return err
			}
			for i := range 2 {
				if err := tx.AddSighting(ctx, finding.Sighting{Scan: scan, HostID: h.ID, Sensor: "nmap", Place: "10.0.0.1", At: day1.Add(time.Duration(i) * time.Hour)}); err != nil {
					return err
				}
			}
			return nil
		})
		if got, err := e.ScanSightings(context.Background(), scan); err != nil || len(got[h.ID]) != 2 {
			t.Errorf("%d sightings (%v)", len(got[h.ID]), err)
		}
	})
}
