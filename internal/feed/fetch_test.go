package feed_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/nvd"
	"github.com/patchscout/patchscout/internal/outbound"
)

// site is a publisher's server: files with ETag and Range as real ones have, and faults to order.
type site struct {
	*httptest.Server
	mu     sync.Mutex
	files  map[string]string
	faults map[string][]func(http.ResponseWriter, *http.Request) // taken from the front, one a request
	log    []string                                              // "GET path range status-relevant headers"
}

func newSite(t *testing.T, files map[string]string) *site {
	s := &site{files: files, faults: map[string][]func(http.ResponseWriter, *http.Request){}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := r.URL.Path
	for _, h := range []string{"Range", "If-None-Match"} {
		if v := r.Header.Get(h); v != "" {
			line += " " + h + ":" + v
		}
	}
	s.log = append(s.log, line)
	if queue := s.faults[r.URL.Path]; len(queue) > 0 {
		s.faults[r.URL.Path] = queue[1:]
		if queue[0] != nil {
			queue[0](w, r)
			return
		}
	}
	text, ok := s.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", `"`+sum(text)[:8]+`"`)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
}

func (s *site) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.log
	s.log = nil
	return out
}

// status answers with a code.
func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// breakOff sends the first n bytes of a text under its full length.
func breakOff(text string, n int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"`+sum(text)[:8]+`"`)
		w.Header().Set("Content-Length", fmt.Sprint(len(text)))
		io.WriteString(w, text[:n])
	}
}

func answer(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
}

// nvdSite publishes the NVD files of 2002 and 2003.
func nvdSite(t *testing.T) *site {
	files := map[string]string{}
	for year := 2002; year <= 2003; year++ {
		base := fmt.Sprintf("/nvdcve-2.0-%d", year)
		files[base+".json.gz"] = zipped(nvdText(year, 1))
		files[base+".meta"] = meta(nvdText(year, 1))
	}
	files["/nvdcve-2.0-modified.json.gz"] = zipped(nvdText(2003, 2))
	files["/nvdcve-2.0-modified.meta"] = meta(nvdText(2003, 2))
	return newSite(t, files)
}

func options(t *testing.T, s *site, feeds ...string) feed.Options {
	t.Helper()
	client, err := outbound.New(outbound.Config{Named: []string{s.URL}})
	if err != nil {
		t.Fatal(err)
	}
	urls := map[string]string{}
	for _, name := range feeds {
		urls[name] = s.URL
	}
	return feed.Options{
		Feeds: feeds, Client: client, Dir: t.TempDir(), URLs: urls,
		Now:   func() time.Time { return time.Date(2003, 6, 1, 0, 0, 0, 0, time.UTC) },
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
}

func TestSecondFetchAsksOnlyForChecksums(t *testing.T) {
	s := nvdSite(t)
	o := options(t, s, "nvd")
	g := gather(t, o)
	want := []string{"nvd/nvdcve-2.0-2002.json", "nvd/nvdcve-2.0-2003.json", "nvd/nvdcve-2.0-modified.json partial"}
	if diff := cmp.Diff(want, names(g)); diff != "" {
		t.Fatalf("%s: %v", diff, g.Feeds[0].Err)
	}
	if n, err := load(g.Feeds[0]); n != 3 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
	s.requests()
	gather(t, o)
	if diff := cmp.Diff([]string{"/nvdcve-2.0-2002.meta", "/nvdcve-2.0-2003.meta", "/nvdcve-2.0-modified.meta"}, s.requests()); diff != "" {
		t.Errorf("second: %s", diff)
	}
	s.files["/nvdcve-2.0-2003.json.gz"] = zipped(nvdText(2003, 7))
	s.files["/nvdcve-2.0-2003.meta"] = meta(nvdText(2003, 7))
	again := gather(t, o)
	if again.Feeds[0].Files[1].Checksum == g.Feeds[0].Files[1].Checksum || again.Feeds[0].Files[0].Checksum != g.Feeds[0].Files[0].Checksum {
		t.Error("the changed file, and only that, has a new checksum")
	}
}

func TestFileWithoutMetaIsAskedConditionally(t *testing.T) {
	s := newSite(t, map[string]string{"/epss_scores-current.csv.gz": zipped(epssText)})
	o := options(t, s, "epss")
	gather(t, o)
	s.requests()
	g := gather(t, o)
	etag := `"` + sum(zipped(epssText))[:8] + `"`
	if diff := cmp.Diff([]string{"/epss_scores-current.csv.gz If-None-Match:" + etag}, s.requests()); diff != "" {
		t.Error(diff)
	}
	if n, err := load(g.Feeds[0]); n != 1 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
	// A stored file that somebody damaged is no reason to believe a 304.
	path := g.Feeds[0].Files[0].Path
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := load(gather(t, o).Feeds[0]); n != 1 || err != nil {
		t.Errorf("after damage: %d records, %v", n, err)
	}
}

func TestBrokenTransferIsResumed(t *testing.T) {
	text := zipped("cve,epss,percentile\nCVE-2014-0160,0.9,0.9\n" + strings.Repeat("#", 10))
	const name = "/epss_scores-current.csv.gz"
	s := newSite(t, map[string]string{name: text})
	s.faults[name] = []func(http.ResponseWriter, *http.Request){status(503), breakOff(text, 20), status(502), breakOff(text, 30)}
	// The fourth fault ignores the range and starts over: the whole file is the truth then.
	g := gather(t, options(t, s, "epss"))
	if n, err := load(g.Feeds[0]); n != 1 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
	want := []string{name, name, name + " Range:bytes=20-", name + " Range:bytes=20-", name + " Range:bytes=30-"}
	if diff := cmp.Diff(want, s.requests()); diff != "" {
		t.Error(diff)
	}
}

func TestTransferIsResumedByTheNextRun(t *testing.T) {
	text := zipped(epssText)
	const name = "/epss_scores-current.csv.gz"
	s := newSite(t, map[string]string{name: text})
	s.faults[name] = []func(http.ResponseWriter, *http.Request){breakOff(text, 20), status(500), status(500), status(500), status(500)}
	o := options(t, s, "epss")
	g := gather(t, o)
	if fault.KindOf(g.Feeds[0].Err) != fault.KindUnavailable {
		t.Errorf("error %v", g.Feeds[0].Err)
	}
	s.requests()
	if n, err := load(gather(t, o).Feeds[0]); n != 1 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
	if diff := cmp.Diff([]string{name + " Range:bytes=20-"}, s.requests()); diff != "" {
		t.Error(diff)
	}
	// Had the file changed in between, If-Range would have brought the whole.
	newer := zipped(epssText + "CVE-2021-44228,0.9,0.9\n")
	s.files[name] = newer
	s.faults[name] = []func(http.ResponseWriter, *http.Request){breakOff(newer, 10)}
	s.files[name] = zipped(epssText + "CVE-2021-44228,0.9,0.9\nCVE-2024-6387,0.5,0.9\n")
	if n, err := load(gather(t, o).Feeds[0]); n != 3 || err != nil {
		t.Errorf("after a change: %d records, %v", n, err)
	}
}

func TestWhatIsNotTheFileIsRefusedAndTheOldOneStays(t *testing.T) {
	const name = "/nvdcve-2.0-2003.json.gz"
	wrong := zipped(nvdText(2003, 9))
	for _, c := range []struct {
		what  string
		serve func(http.ResponseWriter, *http.Request)
		kind  fault.Kind
		want  string
	}{
		{"HTML", answer("<!DOCTYPE html><title>Log in</title>"), fault.KindInvalid, "an HTML or XML page"},
		{"wrong checksum", answer(wrong), fault.KindInvalid, "wrong checksum"},
		{"bomb", answer(zipped(strings.Repeat(" ", 100<<20))), fault.KindInvalid, "unpacks to more than"},
		{"truncated", answer(zipped(nvdText(2003, 8))[:30]), fault.KindInvalid, "breaks off"},
		{"not found", status(404), fault.KindNotFound, "no such file (404)"},
		{"forbidden", status(403), fault.KindDenied, "403"},
		{"broken server", status(500), fault.KindUnavailable, "500"},
		{"redirect away", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://localhost:1/", http.StatusFound)
		}, fault.KindDenied, "redirected to another host"},
	} {
		s := nvdSite(t)
		o := options(t, s, "nvd")
		old := gather(t, o).Feeds[0]
		s.files["/nvdcve-2.0-2003.meta"] = meta(nvdText(2003, 8))
		s.faults[name] = slices.Repeat([]func(http.ResponseWriter, *http.Request){c.serve}, 20)
		o.Now = func() time.Time { return time.Date(2004, 6, 1, 0, 0, 0, 0, time.UTC) } // 2003 is no longer optional
		err := gather(t, o).Feeds[0].Err
		if err == nil || fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.what, err, c.want)
		}
		if n, err := load(old); n != 3 || err != nil {
			t.Errorf("%s: of the old files %d records are left, %v", c.what, n, err)
		}
		s.faults[name] = nil
		s.files[name] = zipped(nvdText(2003, 8))
		if n, err := load(gather(t, o).Feeds[0]); n != 3 || err != nil {
			t.Errorf("%s: afterwards %d records, %v", c.what, n, err)
		}
	}
}

func TestMetaAndFileThatDisagreeForAMomentAreAskedAgain(t *testing.T) {
	s := nvdSite(t)
	s.faults["/nvdcve-2.0-2003.meta"] = []func(http.ResponseWriter, *http.Request){answer(meta(nvdText(2003, 5)))}
	if n, err := load(gather(t, options(t, s, "nvd")).Feeds[0]); n != 3 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestFileCutShortWithoutAWordIsAskedAgain(t *testing.T) {
	const name = "/epss_scores-current.csv.gz"
	s := newSite(t, map[string]string{name: zipped(epssText)})
	s.faults[name] = []func(http.ResponseWriter, *http.Request){answer(zipped(epssText)[:40])}
	if n, err := load(gather(t, options(t, s, "epss")).Feeds[0]); n != 1 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestRetryAfterIsObeyedWithinReason(t *testing.T) {
	s := newSite(t, map[string]string{"/epss_scores-current.csv.gz": zipped(epssText)})
	after := func(value string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(429)
		}
	}
	s.faults["/epss_scores-current.csv.gz"] = []func(http.ResponseWriter, *http.Request){after("7"), after("86400"), after("nonsense")}
	o := options(t, s, "epss")
	var waits []time.Duration
	o.Sleep = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
	if err := gather(t, o).Feeds[0].Err; err != nil {
		t.Fatal(err)
	}
	if len(waits) != 3 || waits[0] != 7*time.Second || waits[1] != 90*time.Second || waits[2] < 2*time.Second || waits[2] > 6*time.Second {
		t.Errorf("waits %v", waits)
	}
}

func TestMirrorMayKeepFoldersOrNot(t *testing.T) {
	files := map[string]string{
		"/m/nvd/nvdcve-2.0-2003.json":                nvdText(2003, 1),
		"/m/epss/epss_scores-current.csv.gz":         zipped(epssText),
		"/m/known_exploited_vulnerabilities.json.gz": zipped(`{"vulnerabilities":[{"cveID":"CVE-2014-0160","dateAdded":"2022-05-04"}]}`),
	}
	s := newSite(t, files)
	o := options(t, s)
	o.From = s.URL + "/m"
	g := gather(t, o)
	want := []string{"nvd/nvdcve-2.0-2003.json", "kev/known_exploited_vulnerabilities.json", "epss/epss_scores-current.csv"}
	if diff := cmp.Diff(want, names(g)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"nvdcve-2.0-2002.json.gz"}, g.Feeds[0].Missing); diff != "" {
		t.Errorf("missing: %s", diff)
	}
	for _, f := range g.Feeds {
		if n, err := load(f); n != 1 || err != nil {
			t.Errorf("%s: %d records, %v", f.Feed, n, err)
		}
	}
	o.Feeds = []string{"exploitdb"}
	if diff := cmp.Diff([]string{"exploitdb !not_found"}, names(gather(t, o))); diff != "" {
		t.Error(diff)
	}
}

func TestMirrorsListingShowsFilesOfOtherNames(t *testing.T) {
	s := newSite(t, map[string]string{
		"/m/epss/": `<ul><li><a class="x" href="epss_scores-2021-04-14.csv.gz">…</a><li><a href="/etc/epss_scores-x.csv">…</a>` +
			`<li><a href="epss_scores-2024-07-02.csv">…</a><li><a href="README">…</a></ul>`,
		"/m/epss/epss_scores-2021-04-14.csv.gz": zipped(epssText),
		"/m/epss/epss_scores-2024-07-02.csv":    epssText,
	})
	o := options(t, s)
	o.From = s.URL + "/m/"
	g := gather(t, o)
	if diff := cmp.Diff([]string{"epss/epss_scores-2021-04-14.csv", "epss/epss_scores-2024-07-02.csv"}, names(g)); diff != "" {
		t.Error(diff)
	}
	if len(g.Feeds) != 1 || len(g.Feeds[0].Missing) > 0 {
		t.Errorf("%+v", g.Feeds)
	}
}

func TestCancelledFetchStopsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := newSite(t, nil)
	s.faults["/epss_scores-current.csv.gz"] = []func(http.ResponseWriter, *http.Request){status(503)}
	o := options(t, s, "epss")
	o.Publishers = publishers
	o.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
	if _, err := feed.Gather(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestNothingIsLeftHalfWay(t *testing.T) {
	s := nvdSite(t)
	o := options(t, s, "nvd")
	gather(t, o)
	left, err := filepath.Glob(filepath.Join(o.Dir, "nvd", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range left {
		if !strings.HasSuffix(path, ".json.gz") && !strings.HasSuffix(path, ".json.gz.state.json") {
			t.Errorf("left: %s", path)
		}
	}
}

func TestAPIStepsInWhenTheFilesCannotBeHad(t *testing.T) {
	s := nvdSite(t)
	s.faults["/nvdcve-2.0-2002.json.gz"] = slices.Repeat([]func(http.ResponseWriter, *http.Request){status(503)}, 20)
	s.files["/api"] = `{"totalResults":1,` + nvdText(2024, 6387)[1:]
	o := options(t, s, "nvd")
	o.Fallbacks = map[string]feed.Fallback{"nvd": &nvd.API{URL: s.URL + "/api", Now: o.Now}}
	g := gather(t, o)
	if diff := cmp.Diff([]string{"nvd/nvdcve-2.0-api-000001.json partial"}, names(g)); diff != "" {
		t.Fatalf("%s: %v", diff, g.Feeds[0].Err)
	}
	if n, err := load(g.Feeds[0]); n != 1 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
	delete(s.files, "/api")
	err := gather(t, o).Feeds[0].Err
	if err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "by its API") {
		t.Errorf("error %v", err)
	}
}

func TestDeadServerIsTriedAgainThenUnavailable(t *testing.T) {
	s := newSite(t, nil)
	o := options(t, s, "kev")
	s.Close()
	waits := 0
	o.Sleep = func(context.Context, time.Duration) error { waits++; return nil }
	err := gather(t, o).Feeds[0].Err
	if fault.KindOf(err) != fault.KindUnavailable || waits != 1 || !strings.Contains(err.Error(), s.URL) {
		t.Errorf("%v after %d waits", err, waits)
	}
}

func TestNobodyThereIsToldSoon(t *testing.T) {
	for _, cause := range []error{syscall.ECONNREFUSED, &net.DNSError{Err: "no such host", Name: "feeds.example", IsNotFound: true}} {
		tries := 0
		f := feed.Fetcher{
			Dir:   t.TempDir(),
			Sleep: func(context.Context, time.Duration) error { return nil },
			Client: doer(func(*http.Request) (*http.Response, error) {
				tries++
				return nil, fault.Unavailable("connect: %w", cause)
			}),
		}
		_, err := f.Fetch(t.Context(), "https://feeds.example/a.json", nil)
		if fault.KindOf(err) != fault.KindUnavailable || !errors.Is(err, cause) || tries != 2 {
			t.Errorf("%v after %d tries", err, tries)
		}
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestFeedURLMayNameTheFileItself(t *testing.T) {
	s := newSite(t, map[string]string{"/x/epss_scores-current.csv.gz": zipped(epssText)})
	o := options(t, s, "epss")
	o.URLs["epss"] += "/x/epss_scores-current.csv.gz"
	if n, err := load(gather(t, o).Feeds[0]); n != 1 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestFullDiskIsSaidAndNotTriedAgain(t *testing.T) {
	s := newSite(t, map[string]string{"/epss_scores-current.csv.gz": zipped(epssText)})
	o := options(t, s, "epss")
	dir := filepath.Join(o.Dir, "epss", "epss_scores-current.csv.gz.part") // a folder where the file should be
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	err := gather(t, o).Feeds[0].Err
	if fault.KindOf(err) != fault.KindUnavailable || len(s.requests()) != 1 {
		t.Errorf("error %v", err)
	}
}
