package nvd_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/nvd"
	"github.com/patchscout/patchscout/internal/outbound"
)

// clock is a time that passes only by sleeping.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// service is NVD's API with its rules: pages of at most 2,000, ranges of at most 120 days with both ends and an offset,
// 5 requests in 30 seconds or 50 with a key.
type service struct {
	clock    *clock
	modified []time.Time // of CVE-2024-1000, 1001, …
	key      string
	sent     []time.Time
	refused  int
	requests int
	stutter  int // so many of the next requests are answered 503
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests++
	now, limit := s.clock.Now(), 5
	if key := r.Header.Get("apiKey"); key != "" && key == s.key {
		limit = 50
	} else if key != "" {
		w.WriteHeader(http.StatusNotFound) // as NVD does for a wrong key
		return
	}
	recent := 0
	for _, at := range s.sent {
		if now.Sub(at) < 30*time.Second {
			recent++
		}
	}
	if recent >= limit {
		s.refused++
		w.WriteHeader(http.StatusForbidden)
		return
	}
	s.sent = append(s.sent, now)
	if s.stutter > 0 {
		s.stutter--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	s.page(w, r)
}

func (s *service) page(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size, err1 := strconv.Atoi(q.Get("resultsPerPage"))
	start, err2 := strconv.Atoi(q.Get("startIndex"))
	if err1 != nil || err2 != nil || size > 2000 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	from, to := time.Time{}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	if q.Has("lastModStartDate") || q.Has("lastModEndDate") {
		var err error
		if from, err = time.Parse(time.RFC3339, q.Get("lastModStartDate")); err == nil {
			to, err = time.Parse(time.RFC3339, q.Get("lastModEndDate"))
		}
		if err != nil || to.Sub(from) > 120*24*time.Hour {
			w.WriteHeader(http.StatusNotFound)
			return
		}
	}
	type entry struct {
		CVE map[string]string `json:"cve"`
	}
	found := []entry{}
	for i, at := range s.modified {
		if !at.Before(from) && !at.After(to) {
			found = append(found, entry{map[string]string{"id": fmt.Sprintf("CVE-2024-%d", 1000+i)}})
		}
	}
	page := found[min(start, len(found)):min(start+size, len(found))]
	json.NewEncoder(w).Encode(map[string]any{
		"resultsPerPage": len(page), "startIndex": start, "totalResults": len(found), "vulnerabilities": page,
	})
}

// ask runs the API against the service and returns the distinct CVEs that its pages hold.
func ask(t *testing.T, s *service, api *nvd.API, since time.Time) (map[cve.ID]bool, []string, error) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	client, err := outbound.New(outbound.Config{Named: []string{server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	api.URL, api.Now = server.URL+"/rest/json/cves/2.0", s.clock.Now
	f := &feed.Fetcher{Client: client, Dir: filepath.Join(t.TempDir(), "nvd [1]"), Sleep: s.clock.Sleep}
	paths, err := api.Fetch(context.Background(), f, since, s.clock.Now())
	if err != nil {
		return nil, nil, err
	}
	var c collector
	var names []string
	for _, path := range paths {
		r, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		name := filepath.Base(path)
		names = append(names, name)
		if !(nvd.Reader{}).Owns(name) || !(nvd.Reader{}).Partial(name) {
			t.Errorf("%s is not taken for a page", name)
		}
		if err := (nvd.Reader{}).Read(context.Background(), feed.File{Name: name}, r, &c); err != nil {
			t.Fatal(err)
		}
	}
	ids := map[cve.ID]bool{}
	for _, r := range c.records {
		ids[r.ID] = true
	}
	return ids, names, nil
}

var today = time.Date(2024, 7, 2, 12, 0, 0, 0, time.UTC)

func daysAgo(n int) time.Time { return today.AddDate(0, 0, -n) }

func TestAPIAsksForAllWithinItsLimits(t *testing.T) {
	for _, key := range []string{"", "secret"} {
		s := &service{clock: &clock{now: today}, key: "secret", modified: make([]time.Time, 17_001)}
		ids, names, err := ask(t, s, &nvd.API{Key: key}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if len(ids) != 17_001 || len(names) != 9 || names[8] != "nvdcve-2.0-api-000009.json" || s.refused > 0 || s.requests != 9 {
			t.Errorf("%d CVEs in %v; %d of %d requests refused", len(ids), names, s.refused, s.requests)
		}
		took := s.clock.Now().Sub(today)
		if key == "" && (took < 30*time.Second || took > 35*time.Second) || key != "" && took > 0 {
			t.Errorf("key %q: took %s", key, took)
		}
	}
}

func TestAPIAsksForChangesInRangesItAccepts(t *testing.T) {
	s := &service{clock: &clock{now: today}, modified: []time.Time{
		daysAgo(400), daysAgo(299), daysAgo(180), daysAgo(60), today.Add(-time.Minute),
	}}
	ids, names, err := ask(t, s, &nvd.API{}, daysAgo(300))
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) != 4 || ids[cve.NewID(2024, 1000)] || len(names) != 3 || s.requests != 3 {
		t.Errorf("%v in %v, %d requests", ids, names, s.requests)
	}
	if ids, names, err := ask(t, s, &nvd.API{}, daysAgo(0)); err != nil || len(ids) != 1 || len(names) != 1 {
		t.Errorf("the last hour: %v in %v, %v", ids, names, err)
	}
	s.modified = nil
	if ids, names, err := ask(t, s, &nvd.API{}, daysAgo(1)); err != nil || len(ids) != 0 || len(names) != 1 {
		t.Errorf("nothing new: %v in %v, %v", ids, names, err)
	}
}

func TestAPIWaitsWhenItIsRefused(t *testing.T) {
	s := &service{clock: &clock{now: today}, modified: make([]time.Time, 10), stutter: 2}
	for range 5 { // somebody else behind our address has used the limit up
		s.sent = append(s.sent, today)
	}
	ids, _, err := ask(t, s, &nvd.API{}, time.Time{})
	if err != nil || len(ids) != 10 || s.refused != 1 {
		t.Errorf("%d CVEs, %d refused, %v", len(ids), s.refused, err)
	}
}

func TestAPIErrorsAreNamedAndHoldNoKey(t *testing.T) {
	s := &service{clock: &clock{now: today}, key: "right"}
	_, _, err := ask(t, s, &nvd.API{Key: "wrong-key"}, time.Time{})
	if fault.KindOf(err) != fault.KindNotFound || errors.Unwrap(err) == nil {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff(1, s.requests); diff != "" {
		t.Error(diff)
	}
}
