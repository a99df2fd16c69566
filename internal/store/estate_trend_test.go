package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// lives is an estate of findings that came, went and came back.
type lives struct {
	t     *testing.T
	e     *store.Estate
	rng   *rand.Rand
	today time.Time
	sites map[int64]string // of a finding
}

// addHost saves a host that was looked at up to 12 times within the last 60 days by two sensors, with findings that were
// seen some of these times.
func (l *lives) addHost(ctx context.Context, tx *store.EstateTx, n int, site string) error {
	rng := l.rng
	times := make([]time.Time, 1+rng.IntN(12))
	for i := range times {
		times[i] = l.today.AddDate(0, 0, -60+5*i).Add(time.Duration(rng.IntN(4*24*60)) * time.Minute).Truncate(time.Millisecond)
	}
	h := &asset.Host{Site: site, Status: asset.Up}
	for _, at := range times {
		h.Note(asset.Sighting{Site: site, Address: netip.AddrFrom4([4]byte{10, 0, byte(n / 250), byte(n % 250)}), Sensor: "native", At: at})
	}
	if err := tx.SaveHost(ctx, h); err != nil {
		return err
	}
	if err := tx.Flush(ctx); err != nil { // a decree is written at once
		return err
	}
	ports := []finding.PortRange{{First: 1, Last: 1024}}
	open := []finding.PortRange{{First: 22, Last: 22}}
	var looks []finding.Look
	for i, at := range times {
		look := finding.Look{Sensor: pick(rng, "native", "nmap"), Scan: int64(i + 1), At: at, Protocol: "tcp", Ports: ports, Open: open, Known: open}
		looks = append(looks, look)
		if err := tx.AddLook(ctx, h.ID, look); err != nil {
			return err
		}
	}
	var decrees []finding.Decree
	if rng.IntN(4) == 0 {
		d := finding.Decree{At: pick(rng, times...).Add(time.Hour), Reason: pick(rng, finding.HostRetired, finding.ByPerson), By: "anna"}
		if _, err := tx.AddDecree(ctx, site, h.ID, d); err != nil {
			return err
		}
		decrees = append(decrees, d)
	}
	for i := range 8 {
		f := &finding.Finding{Fingerprint: finding.Fingerprint{Site: site, HostID: h.ID, Protocol: "tcp", Port: 22, Weakness: finding.OfCVE(cve.NewID(2024, uint32(1000+i)))}}
		for _, look := range looks {
			src := finding.Source{Sensor: look.Sensor, Check: finding.VersionCheck}
			at := finding.Times(looks, src, f.Fingerprint)
			switch rng.IntN(5) {
			case 0, 1:
				f.Evidence = finding.Miss(f.Evidence, src, look.At, at)
			case 2: // the check itself says that it is not there
				f.Evidence = finding.See(f.Evidence, l.evidence(look, finding.Unaffected), at)
			default:
				f.Evidence = finding.See(f.Evidence, l.evidence(look, finding.Affected), at)
			}
		}
		if len(f.Evidence) == 0 {
			continue
		}
		if rng.IntN(10) == 0 {
			f.Withdrawn = l.today.AddDate(0, 0, -rng.IntN(20))
		}
		f.Derive(looks...)
		f.Life = finding.Fold(f, looks, decrees...)
		f.Triage.State = pick(rng, finding.Untriaged, finding.Untriaged, finding.Untriaged, finding.Confirmed, finding.FalsePositive)
		if err := tx.SaveFinding(ctx, f, nil); err != nil {
			return err
		}
		l.sites[f.ID] = site
	}
	return nil
}

func (l *lives) evidence(look finding.Look, s finding.Status) finding.Evidence {
	return finding.Evidence{Sensor: look.Sensor, Check: finding.VersionCheck, FirstSeen: look.At, LastSeen: look.At, FirstScan: look.Scan, LastScan: look.Scan,
		Status: s, Confidence: pick(l.rng, 80, 80, 80, 30), Reason: fmt.Sprint("version ", l.rng.IntN(2))}
}

// want counts the days by the histories that are told of each finding.
func (l *lives) want(days int, seen func(site string) bool) map[string]store.TrendDay {
	out := map[string]store.TrendDay{}
	first := l.today.AddDate(0, 0, 1-days)
	for id, site := range l.sites {
		f, err := l.e.Finding(context.Background(), auth.Everything(), id)
		if err != nil {
			l.t.Fatal(err)
		}
		if !seen(site) || !f.Confirmed() || f.Triage.Hidden(l.today) {
			continue
		}
		for i := range days {
			begin := first.AddDate(0, 0, i)
			end := begin.AddDate(0, 0, 1)
			day := out[begin.Format(time.DateOnly)]
			open := false
			for _, change := range f.History {
				if !change.At.Before(end) {
					break
				}
				today := !change.At.Before(begin)
				switch {
				case change.To.Live():
					if open = true; today {
						day.Opened++
					}
				case change.Reason == finding.Passed:
				case change.Reason == finding.NotSeen || change.Reason == finding.ServiceGone:
					if open = false; today {
						day.Fixed++
					}
				default:
					if open = false; today {
						day.Closed++
					}
				}
			}
			if open {
				day.Open++
			}
			out[begin.Format(time.DateOnly)] = day
		}
	}
	return out
}

func (l *lives) check(v auth.View, site string, days int) (opened, fixed, closed int) {
	l.t.Helper()
	want := l.want(days, func(of string) bool { return v.Sees(of) && (site == "" || of == site) })
	for range 2 { // the second time from memory
		got, err := l.e.FindingTrend(context.Background(), v, site, days)
		if err != nil {
			l.t.Fatal(err)
		}
		for i, day := range got.Days {
			w := want[day.Day.Format(time.DateOnly)]
			w.Day = day.Day
			if diff := gocmp.Diff(w, day); diff != "" {
				l.t.Fatalf("%d days of %q, %s (-histories +trend):\n%s", days, site, day.Day.Format(time.DateOnly), diff)
			}
			if i > 0 && day.Open != got.Days[i-1].Open+day.Opened-day.Fixed-day.Closed {
				l.t.Errorf("%+v does not follow from the day before", day)
			}
		}
		if n := len(got.Days); n == 0 || !got.Days[n-1].Day.Equal(l.today) || got.Days[0].Day.Before(got.Since) {
			l.t.Errorf("%d days since %s", n, got.Since)
		}
		opened, fixed, closed = 0, 0, 0
		for _, day := range got.Days {
			opened, fixed, closed = opened+day.Opened, fixed+day.Fixed, closed+day.Closed
		}
	}
	return opened, fixed, closed
}

func TestTheTrendIsWhatTheHistoriesTell(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		s := eng.Open(t)
		l := &lives{t: t, e: s.Estate(), rng: rand.New(rand.NewPCG(3, 5)), today: time.Now().UTC().Truncate(24 * time.Hour), sites: map[int64]string{}}
		for _, site := range worldSites[1:] {
			if _, _, err := l.e.CreateSite(t.Context(), asset.Site{Name: site}); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := l.e.FindingTrend(t.Context(), auth.Everything(), "", 30); err != nil || len(got.Days) > 0 || !got.Since.IsZero() {
			t.Errorf("a trend of nothing: %+v, %v", got, err)
		}
		for n := range 40 {
			update(t, l.e, func(ctx context.Context, tx *store.EstateTx) error { return l.addHost(ctx, tx, n, worldSites[n%2]) })
		}
		opened, fixed, closed := l.check(auth.Everything(), "", 90)
		if opened < 50 || fixed < 20 || closed < 5 {
			t.Errorf("too little happens: %d opened, %d fixed, %d closed", opened, fixed, closed)
		}
		l.check(auth.Everything(), "", 20)
		l.check(auth.Everything(), "branch", 90)
		l.check(auth.OfSites("branch"), "", 90)
		if got, err := l.e.FindingTrend(t.Context(), auth.OfSites("branch"), "default", 90); err != nil || len(got.Days) > 0 {
			t.Errorf("the trend of a site that is not seen: %+v, %v", got, err)
		}
		if got, err := l.e.FindingTrend(t.Context(), auth.Everything(), "dmz", 90); err != nil || len(got.Days) > 0 {
			t.Errorf("the trend of a site that nobody looked at: %+v, %v", got, err)
		}
		if counts, err := l.e.CountFindings(t.Context(), auth.Everything(), finding.Filter{Live: true, Confirmed: true}); err != nil {
			t.Error(err)
		} else if got, _ := l.e.FindingTrend(t.Context(), auth.Everything(), "", 7); got.Days[len(got.Days)-1].Open != counts.Total {
			t.Errorf("the trend ends with %+v, the list has %d", got.Days[len(got.Days)-1], counts.Total)
		}
		for id := range l.sites { // a person's word is no fix
			if err := l.e.Triage(t.Context(), id, finding.Triage{State: finding.FalsePositive, By: "anna", At: time.Now()}); err != nil {
				t.Fatal(err)
			}
			break
		}
		l.check(auth.Everything(), "", 90)

		// What a migration found there is worked out at the next opening.
		if err := store.ForgetLapses(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		eng.CloseAll()
		l.e = eng.Open(t).Estate()
		l.check(auth.Everything(), "", 90)
		if n, err := store.Underived(t.Context(), eng.Open(t)); err != nil || n > 0 {
			t.Errorf("%d are still to be worked out: %v", n, err)
		}
	})
}
