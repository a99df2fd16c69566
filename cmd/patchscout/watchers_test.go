//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/test/bench/watchers"
)

// A small part of what `make bench` measures as live, within a limit that also a busy machine holds.
func TestAThousandWatchersGetEveryEventOfAScan(t *testing.T) {
	home := t.TempDir()
	network, err := watchers.Listen(4, 150, 3, 400*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
	server := serveOpen(t, home)
	resp, err := http.Post(server+"/api/v1/scans/initiate", "application/json", strings.NewReader(
		fmt.Sprintf(`{"target_url":%q,"scan_type":"quick","config":{"scanners":["native"],"ports":%q}}`, network.Target, network.Ports)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	var started struct {
		ID int64
	}
	if err != nil || json.Unmarshal(text, &started) != nil || started.ID == 0 {
		t.Fatalf("%s %v", text, err)
	}
	r, err := watchers.Watch(t.Context(), []string{server}, started.ID, 1000, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if r.Lost+r.Doubled+r.Cut > 0 || r.Events < 600 {
		t.Errorf("of %d events %d were lost and %d doubled; %d watchers were cut off", r.Events, r.Lost, r.Doubled, r.Cut)
	}
	if late := r.Quantile(0.99); len(r.Late) > 0 && late > 5*time.Second {
		t.Errorf("one in a hundred came after %s", late)
	}
	t.Logf("%d events, %d messages told live: p50 %s, p99 %s, max %s", r.Events, len(r.Late), r.Quantile(0.5), r.Quantile(0.99), r.Quantile(1))
}
