package retrieve_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/assistant/retrieve"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// largeHouse has 2,000 hosts with 50 findings each, of 3,000 weaknesses, with words as common as those of real ones.
func largeHouse(b *testing.B, hosts int) *house {
	b.Helper()
	h := newHouse(b, storetest.NewSQLite(b))
	rng := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 4000)
	for i := range words {
		words[i] = fmt.Sprintf("w%c%c%d", 'a'+rng.IntN(26), 'a'+rng.IntN(26), i)
	}
	say := func(n int) (text string) {
		for range n {
			text += words[int(float64(len(words))*rng.Float64()*rng.Float64()*rng.Float64())] + " "
		}
		return text
	}
	titles := make([]string, 3000)
	for i := range titles {
		titles[i] = say(9)
	}
	for first := 0; first < hosts; first += 40 {
		h.update(func(ctx context.Context, tx *store.EstateTx) error {
			for i := first; i < min(first+40, hosts); i++ {
				host := &asset.Host{Site: []string{"office", "plant"}[i%2], FirstSeen: day, LastSeen: day, OS: "Linux", Status: "up", Identifiers: []asset.Identifier{
					{Kind: asset.Address, Value: fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), Source: "nmap", FirstSeen: day, LastSeen: day},
					{Kind: asset.Name, Value: fmt.Sprintf("h%d.example", i), Source: "nmap", FirstSeen: day, LastSeen: day}}}
				if err := tx.SaveHost(ctx, host); err != nil {
					return err
				}
				for j := range 50 {
					n := rng.IntN(len(titles))
					f := newFinding(host.Site, host.ID, fmt.Sprintf("CVE-2024-%d-%d", 10000+n, j), titles[n], say(40))
					if err := tx.SaveFinding(ctx, f, nil); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return h
}

// BenchmarkEstate builds the index of 100,000 findings, searches it, and follows one host that was scanned again:
// PATCHSCOUT_BENCH_HOSTS=2000 go test -bench Estate -benchtime 1x ./internal/assistant/retrieve
func BenchmarkEstate(b *testing.B) {
	hosts := 100
	if os.Getenv("PATCHSCOUT_BENCH_HOSTS") != "" {
		if _, err := fmt.Sscan(os.Getenv("PATCHSCOUT_BENCH_HOSTS"), &hosts); err != nil {
			b.Fatal(err)
		}
	}
	h := largeHouse(b, hosts)
	begun := cpuTime(b)
	h.refresh()
	b.ReportMetric(float64((cpuTime(b) - begun).Milliseconds()), "build-cpu-ms")
	size := int64(0)
	if err := eachFile(h.dir, "seg-", func(file string) error {
		info, err := os.Stat(file)
		if err == nil {
			size += info.Size()
		}
		return err
	}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(size)/(1<<20), "index-MB")

	for name, view := range map[string]auth.View{"all": auth.Everything(), "site": auth.OfSites("office")} {
		var took []time.Duration
		for i := range 300 {
			q := retrieve.Query{Text: fmt.Sprintf("%s %s on h%d.example", titleWord(h, i), titleWord(h, i+1), i%hosts), View: view}
			at := time.Now()
			if _, err := h.f.Search(b.Context(), q); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(at))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, name+"-median-ms")
		b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, name+"-p95-ms")
	}

	var took []time.Duration
	for i := range 10 {
		h.update(func(ctx context.Context, tx *store.EstateTx) error {
			list, err := tx.Findings(ctx, []int64{int64(i + 1)})
			if err != nil {
				return err
			}
			for _, f := range list {
				f.Evidence[0].Output += " again"
				if err := tx.SaveFinding(ctx, f, nil); err != nil {
					return err
				}
			}
			return nil
		})
		at := time.Now()
		if err := h.f.Follow(b.Context()); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "follow-median-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "follow-worst-ms")
}

func titleWord(h *house, i int) string {
	h.t.Helper()
	texts, err := h.e.TextsSeen(h.t.Context(), auth.Everything(), finding.TextFinding, []int64{int64(i*37 + 1)})
	if err != nil || len(texts) == 0 {
		return "overflow"
	}
	return texts[0].Title[:6]
}
