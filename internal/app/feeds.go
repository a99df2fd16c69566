package app

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/nvd"
	"github.com/patchscout/patchscout/internal/outbound"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/telemetry"
)

// SyncRequest is request.Sync.
type SyncRequest = request.Sync

// CheckSync says what is wrong with a request before anything is opened.
func CheckSync(cfg config.Config, req SyncRequest) error {
	for _, name := range req.Feeds {
		if !slices.Contains(FeedNames(), name) {
			return fault.InvalidOption("feed", " %.40s: want %s", name, strings.Join(FeedNames(), ", "))
		}
	}
	if len(req.Feeds) == 0 && len(cfg.EnabledFeeds()) == 0 {
		return fault.Invalid("feeds sync: all feeds are off in the configuration; name one with --feed")
	}
	if req.From == "" || isURL(req.From) {
		return nil
	}
	if info, err := os.Stat(req.From); err != nil || !info.IsDir() {
		return fault.InvalidOption("from", " %s: no such folder", req.From)
	}
	return nil
}

func isURL(s string) bool { return strings.Contains(s, "://") }

// SyncFeeds loads the feeds. One that fails keeps its old data and has its error in its run; the error is about what
// concerns all.
func (a *App) SyncFeeds(ctx context.Context, req SyncRequest, progress func(Progress)) (_ report.Sync, err error) {
	defer func() { a.auditEnd(ctx, "feeds.sync", strings.Join(req.Feeds, ", "), req.From, err) }()
	if err := a.wide("loading feeds"); err != nil {
		return report.Sync{}, err
	}
	if err := a.namedSource(req.From); err != nil {
		return report.Sync{}, err
	}
	seen, err := a.store.Catalogue().Seen(ctx)
	if err != nil {
		return report.Sync{}, err
	}
	watch := &syncProgress{report: progress}
	options, err := a.gatherOptions(ctx, req, seen, watch)
	if err != nil {
		return report.Sync{}, err
	}
	if req.Due {
		asked := req.Feeds
		if len(asked) == 0 {
			asked = options.Enabled
		}
		options.Feeds = nil
		if options.Enabled, err = a.dueFeeds(ctx, asked); err != nil || len(options.Enabled) == 0 {
			return report.Sync{Runs: []report.FeedRun{}, Unknown: []string{}, Skipped: []report.Skipped{}}, err
		}
	}
	gathered, err := feed.Gather(ctx, options)
	if req.Due && fault.KindOf(err) == fault.KindNotFound { // what is due is not there, and nothing else was asked for
		return report.Sync{Runs: []report.FeedRun{}, Unknown: notNil(gathered.Unknown), Skipped: []report.Skipped{}}, nil
	}
	if err != nil {
		return report.Sync{}, err
	}
	if err := a.starterFirst(ctx, gathered.Feeds, progress); err != nil {
		return report.Sync{}, err
	}
	watch.expect(gathered.Feeds)
	syncer := catalogue.Syncer{Target: a.store.Catalogue(), Force: req.Force, Now: a.now, Log: a.log}
	for _, p := range publishers(a.cfg) {
		syncer.Readers = append(syncer.Readers, p)
	}
	loading, endSpan := telemetry.Span(ctx, "load feeds", "feeds", len(gathered.Feeds))
	runs, err := syncer.Sync(loading, gathered.Feeds)
	endSpan(err)
	doc := report.Sync{Runs: []report.FeedRun{}, Unknown: notNil(gathered.Unknown), Skipped: []report.Skipped{}}
	for _, u := range gathered.Unready {
		doc.Skipped = append(doc.Skipped, report.Skipped{Feed: u.Feed, Reason: u.Err.Error()})
	}
	for _, r := range runs {
		doc.Runs = append(doc.Runs, toFeedRun(r))
	}
	if err != nil || !changed(runs) {
		return doc, err
	}
	if doc.Estate, err = a.rematch(ctx, watch); err != nil {
		return doc, err
	}
	watch.stage("indexing texts")
	return doc, a.followTexts(ctx)
}

// namedSource refuses to fetch from where somebody who is not at the server's own command line says, unless the configuration
// file names the same: he would make the server ask its own network, or read its own disk, for him.
func (a *App) namedSource(from string) error {
	if from == "" || a.who.Kind == auth.Local || from == a.cfg.Feeds.Mirror {
		return nil
	}
	return fault.InvalidOption("from", ": only the mirror that the server's configuration names (feeds.mirror) can be loaded from here")
}

// starterFirst loads the starter catalogue into an empty one before the CVE List comes without NVD: a catalogue that holds
// CVEs takes no starter any more, and of the rules by which services are matched NVD has the most.
func (a *App) starterFirst(ctx context.Context, gathered []feed.Gathered, progress func(Progress)) error {
	comes := func(name string) bool {
		return slices.ContainsFunc(gathered, func(g feed.Gathered) bool { return g.Feed == name && g.Err == nil && len(g.Files) > 0 })
	}
	if !comes("cvelist") || comes("nvd") {
		return nil
	}
	if progress == nil {
		progress = func(Progress) {}
	}
	return a.Prepare(ctx, progress)
}

func changed(runs []feed.Run) bool {
	return slices.ContainsFunc(runs, func(r feed.Run) bool { return r.Inserted+r.Updated > 0 })
}

// rematch asks anew what the changed catalogue says of the hosts that are known. Nil when there are none.
func (a *App) rematch(ctx context.Context, watch *syncProgress) (*report.Rematch, error) {
	watch.stage("matching known hosts anew")
	r, err := a.assessor().Rematch(ctx)
	if err != nil {
		return nil, fmt.Errorf("match known hosts anew: %w", err)
	}
	if r.Hosts == 0 {
		return nil, nil
	}
	return &report.Rematch{Hosts: r.Hosts, New: r.New, Withdrawn: r.Withdrawn, Returned: r.Returned}, nil
}

func (a *App) gatherOptions(ctx context.Context, req SyncRequest, seen map[string]string, watch *syncProgress) (feed.Options, error) {
	o := feed.Options{
		Publishers: publishers(a.cfg), Feeds: req.Feeds, Enabled: a.cfg.EnabledFeeds(), From: req.From, Seen: seen, Now: a.now, Log: a.log,
		Dir: filepath.Join(a.cfg.DataDir, "downloads"), URLs: a.feedURLs(),
		Fetched: watch.fetched, Read: watch.read,
	}
	if o.From == "" {
		o.From = a.cfg.Feeds.Mirror
	}
	since, err := a.lastGood(ctx)
	if err != nil {
		return o, err
	}
	o.Since = since
	o.Fallbacks = map[string]feed.Fallback{
		"nvd": a.nvdAPI(),
	}
	if o.Client, err = a.client(o.From); err != nil {
		return o, err
	}
	return o, nil
}

// nvdAPI is NVD's API. All processes of this data folder share its limit.
func (a *App) nvdAPI() *nvd.API {
	return &nvd.API{
		URL: a.cfg.Feeds.NVD.APIURL, Key: a.cfg.Feeds.NVD.APIKey.Reveal(), Now: a.now, Dir: filepath.Join(a.cfg.DataDir, "downloads", "nvd-api"),
	}
}

func (a *App) feedURLs() map[string]string {
	urls := map[string]string{}
	for _, f := range a.cfg.Feeds.All() {
		if f.URL != "" {
			urls[f.Name] = f.URL
		}
	}
	return urls
}

// client opens the door to the publishers and to what the administrator named, and to nothing else.
func (a *App) client(from string) (*outbound.Client, error) {
	c := outbound.Config{Hosts: []string{hostOf("https://services.nvd.nist.gov")}}
	for _, p := range publishers(a.cfg) {
		c.Hosts = append(c.Hosts, hosts(p, a.now())...)
	}
	for _, u := range a.feedURLs() {
		c.Named = append(c.Named, u)
	}
	for _, u := range []string{a.cfg.Feeds.NVD.APIURL, from} {
		if isURL(u) {
			c.Named = append(c.Named, u)
		}
	}
	return a.door(c)
}

// door opens connections by the configured proxy and certificates.
func (a *App) door(c outbound.Config) (*outbound.Client, error) {
	if p := a.cfg.Outbound.Proxy.Reveal(); p != "" {
		proxy, err := url.Parse(p)
		if err != nil {
			return nil, fault.Invalid("outbound.proxy: want http://host:port")
		}
		c.Proxy = proxy
	}
	if file := a.cfg.Outbound.CAFile; file != "" {
		pool, err := certificates(file)
		if err != nil {
			return nil, err
		}
		c.RootCAs = pool
	}
	return outbound.New(c)
}

// hosts are those that a publisher's files are fetched from.
func hosts(p feed.Publisher, now time.Time) []string {
	out := []string{hostOf(p.Base())}
	for _, r := range p.Remote(now) {
		if r.URL != "" {
			out = append(out, hostOf(r.URL))
		}
	}
	return out
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Host
}

// certificates adds a PEM bundle to the system's.
func certificates(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.Invalid("outbound.ca_file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fault.Invalid("outbound.ca_file %s: no certificate in it", file)
	}
	return pool, nil
}

// syncProgress turns bytes fetched and bytes read into one percentage: fetching is not foreseeable, so the bar is about
// reading, and a download shows by its name.
type syncProgress struct {
	mu      sync.Mutex
	report  func(Progress)
	total   int64
	done    int64
	percent float64
}

func (s *syncProgress) expect(feeds []feed.Gathered) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range feeds {
		if g.Err == nil && g.Changed() {
			s.total += g.Size()
		}
	}
}

func (s *syncProgress) fetched(file string, done, total int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if total > 0 {
		s.say("fetching " + file + " " + percent(done, total))
		return
	}
	s.say("fetching " + file)
}

func (s *syncProgress) read(name string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done += n
	if s.total > 0 {
		s.percent = max(s.percent, min(100, 100*float64(s.done)/float64(s.total)))
	}
	s.say("loading " + name)
}

func (s *syncProgress) stage(stage string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.say(stage)
}

func (s *syncProgress) say(stage string) {
	if s.report != nil {
		s.report(Progress{Percent: s.percent, Stage: stage})
	}
}

func percent(done, total int64) string { return strconv.Itoa(int(100*done/total)) + " %" }
