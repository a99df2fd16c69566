package nvd

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

// The API's terms: https://nvd.nist.gov/developers/start-here.
const (
	apiURL       = "https://services.nvd.nist.gov/rest/json/cves/2.0"
	apiPage      = 2000
	apiWindow    = 30 * time.Second
	apiRange     = 120 * 24 * time.Hour
	apiTime      = "2006-01-02T15:04:05.000-07:00"
	freeRequests = 5
	keyRequests  = 50

	maxAPIPages = 2_000 // 4 million CVEs
)

// API is NVD's API as a feed.Fallback: it stores the pages of changed CVEs, or of all, as files that Reader reads. It
// keeps to 5 requests in 30 seconds, 50 with a key, together with all processes that use the same Dir.
type API struct {
	URL string           // "" is NVD's own
	Key string           // sent as the header apiKey, shown nowhere
	Now func() time.Time // nil: time.Now; must agree with Sleep and Fetcher.Sleep

	// Dir keeps when requests went out, and the answers of One. "": they are kept nowhere, the limit is this value's
	// alone, and the value is not safe for concurrent use.
	Dir   string
	Sleep func(context.Context, time.Duration) error // of One; nil: real time

	sent []time.Time // when the latest requests went out, oldest first; unused with Dir
}

func (a *API) url() string {
	if a.URL == "" {
		return apiURL
	}
	return a.URL
}

func (a *API) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}

// span is a range of modification dates; the zero span is everything.
type span struct{ from, to time.Time }

// Fetch asks for what was modified since, or for all. An hour of overlap covers clocks that differ.
func (a *API) Fetch(ctx context.Context, f *feed.Fetcher, since, now time.Time) ([]string, error) {
	if err := removePages(f.Dir); err != nil {
		return nil, err
	}
	paced := *f
	paced.Before = func(ctx context.Context) error { return a.pace(ctx, f.Wait) }
	var paths []string
	for _, s := range spans(since, now) {
		var err error
		if paths, err = a.pages(ctx, &paced, s, paths); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// spans cuts the time since then into ranges that the API accepts.
func spans(since, now time.Time) []span {
	if since.IsZero() {
		return []span{{}}
	}
	var out []span
	for from := since.Add(-time.Hour); from.Before(now); from = from.Add(apiRange) {
		to := from.Add(apiRange)
		if to.After(now) {
			to = now
		}
		out = append(out, span{from, to})
	}
	return out
}

// pages stores all pages of one span.
func (a *API) pages(ctx context.Context, f *feed.Fetcher, s span, paths []string) ([]string, error) {
	for start, total := 0, 1; start < total; {
		if len(paths) >= maxAPIPages {
			return nil, fault.Invalid("the NVD API offers more than %d pages", maxAPIPages)
		}
		path, err := a.page(ctx, f, s, start, len(paths)+1)
		if err != nil {
			return nil, err
		}
		var n int
		if n, total, err = measure(path); err != nil {
			return nil, err
		}
		if n == 0 && start < total {
			return nil, fault.Invalid("the NVD API promises %d records and sends none from %d on", total, start)
		}
		if start += n; n > 0 || len(paths) == 0 { // one page stays even if empty: nothing new is an answer, too
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// page stores one page. Beyond its limit NVD answers 403 for a while, also when it counts differently than we do.
func (a *API) page(ctx context.Context, f *feed.Fetcher, s span, start, number int) (string, error) {
	base, header := a.url(), map[string]string{"apiKey": a.Key}
	query := url.Values{"resultsPerPage": {strconv.Itoa(apiPage)}, "startIndex": {strconv.Itoa(start)}}
	if !s.from.IsZero() {
		query.Set("lastModStartDate", s.from.UTC().Format(apiTime))
		query.Set("lastModEndDate", s.to.UTC().Format(apiTime))
	}
	name := fmt.Sprintf("%sapi-%06d.json", prefix, number)
	for try := 1; ; try++ {
		path, err := f.Save(ctx, base+"?"+query.Encode(), header, name)
		if fault.KindOf(err) != fault.KindDenied || try == 3 || ctx.Err() != nil {
			return path, err
		}
		if err := f.Wait(ctx, apiWindow); err != nil {
			return "", err
		}
	}
}

// pace waits until one more request is within the limit, repetitions included.
func (a *API) pace(ctx context.Context, wait func(context.Context, time.Duration) error) error {
	for {
		left, err := a.reserve(ctx)
		if err != nil || left <= 0 {
			return err
		}
		if err := wait(ctx, left); err != nil {
			return err
		}
	}
}

// reserve notes one more request, or says how long to wait before asking again.
func (a *API) reserve(ctx context.Context) (wait time.Duration, err error) {
	limit, name := freeRequests, "api-requests"
	if a.Key != "" { // which NVD counts by itself
		limit, name = keyRequests, "api-requests-key"
	}
	now := a.now()
	if a.Dir != "" {
		return ledger{filepath.Join(a.Dir, name), limit}.reserve(ctx, now)
	}
	if len(a.sent) >= limit {
		if wait := a.sent[len(a.sent)-limit].Add(window).Sub(now); wait > 0 {
			return wait, nil
		}
		a.sent = a.sent[len(a.sent)-limit+1:]
	}
	a.sent = append(a.sent, now)
	return 0, nil
}

// measure counts a page's records and reads how many there are in all.
func measure(path string) (n, total int, err error) {
	r, err := os.Open(path)
	if err != nil {
		return 0, 0, fault.Unavailable("read a page of the NVD API: %w", err)
	}
	defer r.Close()
	d := jsonstream.New(r, jsonstream.Limits{})
	total = -1
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "totalResults":
			f, _ := d.Float()
			total = int(min(max(f, 0), 1e9))
		case "vulnerabilities":
			for d.Array(); d.More(); {
				n++
				d.Skip()
			}
		default:
			d.Skip()
		}
	}
	d.End()
	if err := d.Err(); err != nil {
		return 0, 0, fault.Invalid("the NVD API's answer: %w", err)
	}
	if total < 0 {
		return 0, 0, fault.Invalid("the NVD API's answer has no totalResults")
	}
	return n, total, nil
}

// removePages takes away the pages of earlier runs: a page number means another range of dates each time.
func removePages(dir string) error {
	old, err := filepath.Glob(filepath.Join(escapeGlob(dir), prefix+"api-*"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return fault.Unavailable("remove an old page: %w", err)
		}
	}
	return nil
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
