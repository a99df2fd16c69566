package attackpath_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/attackpath/graphtest"
)

func BenchmarkBuild(b *testing.B) {
	for _, hosts := range []int{10_000, 100_000} {
		for _, flat := range []bool{false, true} {
			b.Run(fmt.Sprintf("hosts=%d/flat=%v", hosts, flat), func(b *testing.B) {
				e := graphtest.Generate(graphtest.GenerateOptions{Hosts: hosts, Seed: 1})
				e.Assume.Flat, e.Assume.Reuse = flat, flat
				for b.Loop() {
					m, err := attackpath.Build(context.Background(), e)
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(float64(len(m.Network().Actions)), "actions")
					b.ReportMetric(float64(len(m.Network().Facts)), "facts")
				}
			})
		}
	}
}

func BenchmarkReplace(b *testing.B) {
	for _, hosts := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("hosts=%d", hosts), func(b *testing.B) {
			e := graphtest.Generate(graphtest.GenerateOptions{Hosts: hosts, Seed: 1})
			m, err := attackpath.Build(context.Background(), e)
			if err != nil {
				b.Fatal(err)
			}
			i := 0
			for b.Loop() {
				h := e.Hosts[i%hosts]
				h.Flaws = h.Flaws[:len(h.Flaws)-1]
				if _, err := m.Replace(context.Background(), []attackpath.Host{h}); err != nil {
					b.Fatal(err)
				}
				i += 97
			}
		})
	}
}

// Memory and time at 100,000 hosts are bounded, so that what multiplies is noticed here and not on somebody's server.
func TestALargeEstateStaysSmall(t *testing.T) {
	if testing.Short() {
		t.Skip("builds 100,000 hosts")
	}
	e := graphtest.Generate(graphtest.GenerateOptions{Hosts: 100_000, Seed: 1})
	e.Assume.Flat = true
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	m, err := attackpath.Build(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&after)
	n := m.Network()
	mib := float64(after.HeapAlloc-before.HeapAlloc) / (1 << 20)
	t.Logf("%d facts, %d actions, %.0f MiB, %v", len(n.Facts), len(n.Actions), mib, took)
	if len(n.Actions) > 1_000_000 || mib > 300 || took > 20*time.Second {
		t.Errorf("%d actions, %.0f MiB, %v", len(n.Actions), mib, took)
	}
	runtime.KeepAlive(e)
}
