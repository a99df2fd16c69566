package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/patchscout/patchscout/test/bench/watchers"
)

// manyWatchers is how many watch one scan.
const manyWatchers = 1000

// live has a thousand WebSockets watch one scan: of one server on SQLite, and of two on PostgreSQL.
func (b *bench) live(ctx context.Context) error {
	fmt.Printf("live (%d WebSockets watch one scan; they run on the same machine)\n", manyWatchers)
	if err := b.liveOn(ctx, &database{name: "SQLite", dir: filepath.Join(b.work, "live")}, 1); err != nil {
		return err
	}
	server, err := b.startPostgres()
	if err != nil || server == nil {
		return err
	}
	on, err := server.fresh(ctx, "live")
	if err != nil {
		return err
	}
	return b.liveOn(ctx, on, 2)
}

func (b *bench) liveOn(ctx context.Context, on *database, servers int) error {
	network, err := watchers.Listen(3, 200, 3, 400*time.Millisecond)
	if err != nil {
		return err
	}
	defer network.Close() //nolint:errcheck // its listeners end with us
	var urls []string
	for i := range servers {
		dir := on.dir
		if i > 0 {
			dir = fmt.Sprintf("%s-%d", on.dir, i) // each process has a data folder of its own
		}
		s, err := b.serve(ctx, &database{dir: dir, url: on.url}, "--auth", "off")
		if err != nil {
			return err
		}
		defer s.stop() //nolint:errcheck // what it did was measured
		urls = append(urls, s.url)
	}
	scan, err := initiate(ctx, urls[0], network)
	if err != nil {
		return err
	}
	r, err := watchers.Watch(ctx, urls, scan, manyWatchers, func() {})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s, %d server(s): ", on.name, servers)
	b.note(what+"all connected after", ms(r.Joined), "ms")
	b.note(what+"events of the scan", float64(r.Events), "")
	b.note(what+"events told live", float64(len(r.Late)), "messages")
	b.note(what+"delay p50", ms(r.Quantile(0.5)), "ms")
	b.note(what+"delay p99", ms(r.Quantile(0.99)), "ms")
	b.figure(what+"delay max", ms(r.Quantile(1)), 1000*(1+b.slack), "ms")
	b.figure(what+"lost, doubled, cut", float64(r.Lost+r.Doubled+r.Cut), 0, "")
	return nil
}

// initiate begins a scan of the network.
func initiate(ctx context.Context, server string, n *watchers.Network) (scan int64, err error) {
	body := fmt.Sprintf(`{"target_url":%q,"scan_type":"quick","config":{"scanners":["native"],"ports":%q}}`, n.Target, n.Ports)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/api/v1/scans/initiate", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return 0, err
	}
	var answer struct {
		ScanID int64 `json:"scan_id"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.ScanID == 0 {
		return 0, errors.Join(fmt.Errorf("initiate: %d %s", resp.StatusCode, text), err)
	}
	return answer.ScanID, nil
}
