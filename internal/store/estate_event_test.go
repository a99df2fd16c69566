package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/live"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func event(scan int64, kind live.Type, text string) live.Event {
	return live.Event{Scan: scan, At: day1, Type: kind, Data: live.Notice(text)}
}

func appended(t *testing.T, e *store.Estate, events ...live.Event) []live.Event {
	t.Helper()
	kept, err := e.AppendEvents(context.Background(), events)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func TestEventsAreNumberedWithoutGapsByManyProcesses(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		first := eng.Open(t).Estate()
		scans := []int64{runningScan(t, first), runningScan(t, first)}
		var wg sync.WaitGroup
		const processes, batches, each = 4, 10, 7
		for p := range processes {
			e := eng.Open(t).Estate()
			wg.Go(func() {
				for b := range batches {
					var events []live.Event
					for i := range each {
						for _, scan := range scans {
							events = append(events, event(scan, live.Finding, fmt.Sprint(p, b, i)))
						}
					}
					if _, err := e.AppendEvents(ctx, events); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for _, scan := range scans {
			got, err := first.EventsSince(ctx, scan, 0, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			texts := map[string]bool{}
			for i, one := range got {
				if one.Seq != int64(i+1) {
					t.Fatalf("event %d has the number %d", i+1, one.Seq)
				}
				texts[string(one.Data)] = true
			}
			if len(texts) != processes*batches*each {
				t.Errorf("scan %d: %d events, want %d", scan, len(texts), processes*batches*each)
			}
		}
	})
}

func TestEventsComeBackFromAnyNumber(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		s := eng.Open(t)
		e := s.Estate()
		scan := runningScan(t, e)
		_, before, err := s.Generations(ctx)
		if err != nil {
			t.Fatal(err)
		}
		kept := appended(t, e, event(scan, live.Host, "a"), event(scan, live.Service, "b"), event(scan, live.End, "c"))
		if _, after, _ := s.Generations(ctx); after != before {
			t.Errorf("telling changed the generation from %d to %d", before, after)
		}
		got, err := e.EventsSince(ctx, scan, 1, 10)
		if err != nil {
			t.Fatal(err)
		}
		same(t, kept[1:], got)
		if late := appended(t, e, event(scan, live.Log, "after the end"), event(99, live.Log, "of no scan")); len(late) != 0 {
			t.Errorf("told after the end, or of no scan: %+v", late)
		}
		last, err := e.LastEvents(ctx, []int64{scan, 99})
		if err != nil {
			t.Fatal(err)
		}
		same(t, map[int64]int64{scan: 3}, last)
	})
}

func TestOfAHugeScanOnlyTheFirstAreToldOneByOne(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		scan := runningScan(t, e)
		many := make([]live.Event, 10_500)
		for i := range many {
			many[i] = event(scan, live.Finding, "x")
		}
		appended(t, e, many...)
		kept := appended(t, e, many...)
		if len(kept) != 9_501 || kept[9_500].Type != live.Log {
			t.Errorf("%d were kept of the second half, the last a %s", len(kept), kept[len(kept)-1].Type)
		}
		kept = appended(t, e, many[0], event(scan, live.Progress, "y"), event(scan, live.End, "z"))
		if len(kept) != 2 || kept[1].Seq != 20_003 {
			t.Errorf("after that came %+v", kept)
		}
		if n, err := e.PruneEvents(ctx, day1); n != 0 || err != nil {
			t.Errorf("%d events were removed too early (%v)", n, err)
		}
		if n, err := e.PruneEvents(ctx, day1.Add(time.Hour)); n != 20_003 || err != nil {
			t.Errorf("%d old events were removed (%v)", n, err)
		}
		if last, err := e.LastEvents(ctx, []int64{scan}); last[scan] != 20_003 || err != nil {
			t.Errorf("the numbers begin again: %v (%v)", last, err)
		}
	})
}

func TestATicketIsGoodOnce(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		scan, other := runningScan(t, e), runningScan(t, e)
		soon, who := time.Now().Add(time.Minute), json.RawMessage(`{"name":"anna"}`)
		for ticket, expires := range map[string]time.Time{"one": soon, "two": soon, "old": time.Now().Add(-time.Second)} {
			if err := e.KeepTicket(ctx, ticket, scan, who, expires); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.KeepTicket(ctx, "three", 99, who, soon); fault.KindOf(err) != fault.KindNotFound {
			t.Errorf("a ticket for no scan: %v", err)
		}
		got, err := e.TakeTicket(ctx, "one", scan)
		if err != nil {
			t.Fatal(err)
		}
		same(t, who, got)
		for _, c := range []struct {
			ticket string
			scan   int64
		}{{"one", scan}, {"two", other}, {"two", scan}, {"old", scan}, {"none", scan}} {
			if _, err := e.TakeTicket(ctx, c.ticket, c.scan); fault.KindOf(err) != fault.KindDenied {
				t.Errorf("ticket %s for scan %d: %v", c.ticket, c.scan, err)
			}
		}
	})
}
