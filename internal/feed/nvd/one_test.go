package nvd_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/nvd"
)

// single is NVD's API for one CVE at a time.
type single struct {
	mu     sync.Mutex
	asked  []string // "CVE-… key"
	answer func(w http.ResponseWriter, id string)
}

func (s *single) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.URL.Query().Get("cveId")
	s.asked = append(s.asked, strings.TrimSpace(id+" "+r.Header.Get("apiKey")))
	if s.answer != nil {
		s.answer(w, id)
		return
	}
	fmt.Fprintf(w, `{"totalResults":1,"vulnerabilities":[{"cve":{"id":%q,"vulnStatus":"Analyzed"}}]}`, id)
}

func serve(t *testing.T, s *single) (url string) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL + "/rest/json/cves/2.0"
}

func TestOneGivesARecordThatTheReaderReadsAndKeepsItForADay(t *testing.T) {
	c, s := &clock{now: today}, &single{}
	api := &nvd.API{URL: serve(t, s), Key: "secret", Now: c.Now, Sleep: c.Sleep, Dir: t.TempDir()}
	id := cve.NewID(2024, 6387)
	ask := func() {
		t.Helper()
		raw, err := api.One(context.Background(), http.DefaultClient, id)
		if err != nil {
			t.Fatal(err)
		}
		var got collector
		if err := (nvd.Reader{}).Read(context.Background(), feed.File{Name: "one"}, bytes.NewReader(raw), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.records) != 1 || got.records[0].ID != id || got.records[0].Status != "Analyzed" {
			t.Errorf("records %v", got.records)
		}
	}
	ask()
	c.now = c.now.Add(23 * time.Hour)
	ask()
	if diff := cmp.Diff([]string{"CVE-2024-6387 secret"}, s.asked); diff != "" {
		t.Errorf("within a day: %s", diff)
	}
	c.now = c.now.Add(2 * time.Hour)
	ask()
	if len(s.asked) != 2 {
		t.Errorf("after a day: %v", s.asked)
	}
	answers, err := filepath.Glob(filepath.Join(api.Dir, "one", "*"))
	if err != nil || len(answers) != 1 {
		t.Errorf("kept %v, %v", answers, err)
	}
	if err := os.WriteFile(answers[0], []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	ask()
	if len(s.asked) != 3 {
		t.Errorf("a damaged answer was taken: %v", s.asked)
	}
}

func TestOneSaysWhatNVDMeans(t *testing.T) {
	id := cve.NewID(2024, 6387)
	for _, c := range []struct {
		name   string
		answer func(w http.ResponseWriter, id string)
		kind   fault.Kind
		says   string
	}{
		{"no such CVE", func(w http.ResponseWriter, _ string) { w.WriteHeader(404) }, fault.KindNotFound, "NVD has no CVE-2024-6387"},
		{"empty", func(w http.ResponseWriter, _ string) { fmt.Fprint(w, `{"totalResults":0,"vulnerabilities":[]}`) },
			fault.KindNotFound, "NVD has no CVE-2024-6387"},
		{"another", func(w http.ResponseWriter, _ string) {
			fmt.Fprint(w, `{"totalResults":1,"vulnerabilities":[{"cve":{"id":"CVE-2024-1"}}]}`)
		}, fault.KindInvalid, "cannot be used"},
		{"wrong key", func(w http.ResponseWriter, _ string) {
			w.Header().Set("message", "Invalid apiKey.")
			w.WriteHeader(404)
		}, fault.KindDenied, "does not accept the API key"},
		{"refused", func(w http.ResponseWriter, _ string) { w.WriteHeader(403) }, fault.KindUnavailable, "try again in half a minute"},
		{"too many", func(w http.ResponseWriter, _ string) { w.WriteHeader(429) }, fault.KindUnavailable, "try again in half a minute"},
		{"down", func(w http.ResponseWriter, _ string) { w.WriteHeader(503) }, fault.KindUnavailable, "try again later"},
		{"login page", func(w http.ResponseWriter, _ string) { fmt.Fprint(w, "<html>Log in") }, fault.KindInvalid, "HTML"},
		{"cut off", func(w http.ResponseWriter, _ string) { fmt.Fprint(w, `{"vulnerabilities":[{"cve":{"id"`) },
			fault.KindInvalid, "breaks off"},
	} {
		clock := &clock{now: today}
		api := &nvd.API{URL: serve(t, &single{answer: c.answer}), Key: "secret", Now: clock.Now, Sleep: clock.Sleep, Dir: t.TempDir()}
		_, err := api.One(context.Background(), http.DefaultClient, id)
		if fault.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.says) || strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("%s: %q %v", c.name, fault.KindOf(err), err)
		}
		if kept, _ := filepath.Glob(filepath.Join(api.Dir, "one", "*")); len(kept) > 0 {
			t.Errorf("%s: kept %v", c.name, kept)
		}
	}
}

func TestLimitIsSharedByAllThatUseTheFolder(t *testing.T) {
	for key, limit := range map[string]int{"": 5, "secret": 50} {
		c, s, dir := &clock{now: today}, &single{}, t.TempDir()
		url := serve(t, s)
		for i := range limit + 1 {
			api := &nvd.API{URL: url, Key: key, Now: c.Now, Sleep: c.Sleep, Dir: dir} // another process each time
			if _, err := api.One(context.Background(), http.DefaultClient, cve.NewID(2024, uint32(1000+i))); err != nil {
				t.Fatal(err)
			}
			if took := c.Now().Sub(today); i < limit && took > 0 || i == limit && took != 31*time.Second {
				t.Errorf("key %q, request %d: waited %s", key, i+1, took)
			}
		}
	}
}

func TestRefreshWaitsForTheRequestsOfASync(t *testing.T) {
	s := &service{clock: &clock{now: today}, modified: make([]time.Time, 8_001)} // five pages
	api := &nvd.API{Dir: t.TempDir()}
	if _, _, err := ask(t, s, api, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if took := s.clock.Now().Sub(today); took != 0 {
		t.Fatalf("the sync waited %s", took)
	}
	other := &nvd.API{URL: serve(t, &single{}), Now: s.clock.Now, Sleep: s.clock.Sleep, Dir: api.Dir}
	if _, err := other.One(context.Background(), http.DefaultClient, cve.NewID(2024, 6387)); err != nil {
		t.Fatal(err)
	}
	if took := s.clock.Now().Sub(today); took != 31*time.Second {
		t.Errorf("the refresh waited %s", took)
	}
}

// TestLimitIsSharedByProcesses runs this test's own program as two processes, which must not be given more than five
// requests together.
func TestLimitIsSharedByProcesses(t *testing.T) {
	if dir := os.Getenv("PATCHSCOUT_TEST_LIMIT"); dir != "" {
		askUntilTold(dir, os.Getenv("PATCHSCOUT_TEST_URL"))
		return
	}
	s, dir := &single{}, t.TempDir()
	url := serve(t, s)
	var wg sync.WaitGroup
	for range 2 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestLimitIsSharedByProcesses$")
		cmd.Env = append(os.Environ(), "PATCHSCOUT_TEST_LIMIT="+dir, "PATCHSCOUT_TEST_URL="+url)
		wg.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	if len(s.asked) != 5 {
		t.Errorf("%d requests: %v", len(s.asked), s.asked)
	}
}

// askUntilTold asks for other CVEs until it would have to wait.
func askUntilTold(dir, url string) {
	stop := fmt.Errorf("would have to wait")
	for i := range 10 {
		api := &nvd.API{URL: url, Dir: dir, Now: func() time.Time { return today },
			Sleep: func(context.Context, time.Duration) error { return stop }}
		if _, err := api.One(context.Background(), http.DefaultClient, cve.NewID(2024, uint32(os.Getpid()*100+i))); err != nil {
			return
		}
	}
}

func TestAFewAnswersAreKept(t *testing.T) {
	c, dir := &clock{now: today}, t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "one"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 5_000 {
		path := filepath.Join(dir, "one", cve.NewID(2020, uint32(i+1)).String()+".json")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		at := today.Add(-time.Duration(i+1) * time.Minute)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	api := &nvd.API{URL: serve(t, &single{}), Now: c.Now, Sleep: c.Sleep, Dir: dir}
	if _, err := api.One(context.Background(), http.DefaultClient, cve.NewID(2024, 6387)); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadDir(filepath.Join(dir, "one"))
	if err != nil || len(kept) != 5_000 {
		t.Errorf("%d answers kept, %v", len(kept), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "one", "CVE-2020-5000.json")); err == nil {
		t.Error("the oldest answer was kept")
	}
}

func TestADamagedLedgerAndAClockSetBackDoNotStopUs(t *testing.T) {
	c, dir := &clock{now: today}, t.TempDir()
	var text strings.Builder
	for range 10 {
		fmt.Fprintf(&text, "%d\nnonsense\n", today.Add(time.Hour).UnixMilli())
	}
	if err := os.WriteFile(filepath.Join(dir, "api-requests"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	api := &nvd.API{URL: serve(t, &single{}), Now: c.Now, Sleep: c.Sleep, Dir: dir}
	if _, err := api.One(context.Background(), http.DefaultClient, cve.NewID(2024, 6387)); err != nil || c.Now() != today {
		t.Errorf("waited until %s, %v", c.Now(), err)
	}
}

func TestReadRecordTakesBothShapes(t *testing.T) {
	for _, c := range []struct{ text, want, rejected string }{
		{`{"cve":{"id":"CVE-2024-0001"}}`, "CVE-2024-0001", ""},
		{`{"descriptions":[],"id":"CVE-2024-0001"}`, "CVE-2024-0001", ""},
		{`{"vulnStatus":"Analyzed"}`, "", "x.ndjson line 3, byte 25: record without a CVE id"},
		{`{"cve":{"id":"CVE-2024-0001","published":"soon"}}`, "", "x.ndjson line 3 (CVE-2024-0001) published, byte 47: malformed time"},
		{`{"id":"CVE-2024-0001"} {}`, "", "x.ndjson line 3 (CVE-2024-0001), byte 23: text after the end of the document"},
		{`[]`, "", "x.ndjson line 3, byte 0: want an object"},
	} {
		var got collector
		if err := nvd.ReadRecord("x.ndjson line 3", []byte(c.text), &got); err != nil {
			t.Fatal(err)
		}
		id := ""
		if len(got.records) > 0 {
			id = got.records[0].ID.String()
		}
		if id != c.want || strings.Join(got.rejected, "; ") != c.rejected {
			t.Errorf("%s: %q, rejected %q", c.text, id, got.rejected)
		}
	}
}
