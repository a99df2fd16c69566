package feed

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
)

// Fallback is another way to a feed, asked when its files cannot be had. It stores files that the feed's Reader reads
// through f and returns their paths. since is when the last good run began; zero asks for everything.
type Fallback interface {
	Fetch(ctx context.Context, f *Fetcher, since, now time.Time) (paths []string, err error)
}

// gatherRemote fetches the asked feeds from their publishers, or all of them from below one URL.
func gatherRemote(ctx context.Context, o Options) (Gathering, error) {
	if o.Client == nil || o.Dir == "" {
		return Gathering{}, fault.Invalid("fetching feeds needs an HTTP client and a download folder")
	}
	if o.From != "" {
		if u, err := url.Parse(o.From); err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return Gathering{}, fault.Invalid("the feeds' URL: want http(s)://host/path of a folder, without user name, password or query")
		}
	}
	var g Gathering
	for _, p := range o.asked() {
		err := o.ready(p)
		if err != nil && len(o.Feeds) == 0 {
			g.Unready = append(g.Unready, Unready{p.Feed(), err})
			continue
		}
		gathered := Gathered{Feed: p.Feed(), Source: o.bases(p)[0], Err: err}
		if err == nil {
			gathered = o.fetchFeed(ctx, p)
		}
		if err := ctx.Err(); err != nil {
			return Gathering{}, err
		}
		// As with a folder: what is not there was not offered, unless it was asked for by name.
		if o.From != "" && len(o.Feeds) == 0 && fault.KindOf(gathered.Err) == fault.KindNotFound {
			continue
		}
		g.Feeds = append(g.Feeds, gathered)
	}
	if len(g.Feeds) == 0 && o.From != "" {
		return g, fault.NotFound("no feed file below %s", o.From)
	}
	return g, nil
}

// elsewhere says that the feed is asked for at a mirror or a configured URL, not at its publisher's.
func (o Options) elsewhere(p Publisher) bool { return o.From != "" || o.URLs[p.Feed()] != "" }

// ready says why a feed cannot be fetched from its publisher, if that is so.
func (o Options) ready(p Publisher) error {
	r, ok := p.(Readier)
	if !ok || o.elsewhere(p) {
		return nil
	}
	return r.Ready()
}

// fetchFeed fetches one feed, by its Fallback if its files cannot be had.
func (o Options) fetchFeed(ctx context.Context, p Publisher) Gathered {
	f := &Fetcher{
		Client: o.Client, Dir: filepath.Join(o.Dir, p.Feed()), Fetched: o.Fetched, Sleep: o.Sleep, Log: o.Log,
	}
	if holder, ok := p.(KeyHolder); ok {
		f.Key = holder.Key()
	}
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	g := Gathered{Feed: p.Feed(), Source: o.bases(p)[0]}
	g.Files, g.Missing, g.Err = o.fetchFiles(ctx, f, p, now())
	fallback := o.Fallbacks[p.Feed()]
	if g.Err == nil || ctx.Err() != nil || fallback == nil || o.From != "" {
		return g
	}
	f.log().Warn("feed files cannot be had, asking another way", "feed", p.Feed(), "error", g.Err)
	paths, err := fallback.Fetch(ctx, f, o.Since[p.Feed()], now())
	if err != nil {
		g.Err = fault.Unavailable("%w; and by its API: %w", g.Err, err)
		return g
	}
	g.Missing = nil
	g.Files, g.Err = o.files(ctx, p, paths)
	return g
}

// bases are the URLs to look below, best first. A mirror keeps a folder for each feed, or all in one.
func (o Options) bases(p Publisher) []string {
	if o.From != "" {
		base := strings.TrimSuffix(o.From, "/") + "/"
		return []string{base + p.Feed() + "/", base}
	}
	if base := o.URLs[p.Feed()]; base != "" {
		base = strings.TrimSuffix(base, o.namedFile(p))
		return []string{strings.TrimSuffix(base, "/") + "/"}
	}
	return []string{p.Base()}
}

// namedFile is the last part of a feed's configured URL when that names one of its files instead of their folder.
func (o Options) namedFile(p Publisher) string {
	url := o.URLs[p.Feed()]
	name := url[strings.LastIndexByte(url, '/')+1:]
	if o.From != "" || name == "" || !p.Owns(plainName(name)) {
		return ""
	}
	return name
}

// remotes lists what to fetch: what the publisher offers, or the one file that the configured URL names if that has
// another name than any of these.
func (o Options) remotes(p Publisher, now time.Time) []Remote {
	remotes := p.Remote(now)
	named := o.namedFile(p)
	if named == "" || slices.ContainsFunc(remotes, func(r Remote) bool { return plainName(r.Name) == plainName(named) }) {
		return remotes
	}
	return []Remote{{Name: named}}
}

// fetchFiles fetches all that a publisher offers. missing are the files that a mirror does not have.
func (o Options) fetchFiles(ctx context.Context, f *Fetcher, p Publisher, now time.Time) (
	files []File, missing []string, err error,
) {
	files, missing, err = o.fetchAll(ctx, f, p, o.bases(p), o.remotes(p, now))
	if o.elsewhere(p) && fault.KindOf(err) == fault.KindNotFound {
		if base, remotes := o.listed(ctx, f, o.bases(p), p); base != "" {
			return o.fetchAll(ctx, f, p, []string{base}, remotes)
		}
	}
	return files, missing, err
}

func (o Options) fetchAll(ctx context.Context, f *Fetcher, p Publisher, bases []string, remotes []Remote) (
	files []File, missing []string, err error,
) {
	for _, r := range remotes {
		if o.elsewhere(p) {
			r.URL = ""
		}
		path, meta, base, err := o.fetchOne(ctx, f, p, bases, r)
		switch {
		case fault.KindOf(err) == fault.KindNotFound && (r.Optional || o.From != ""):
			if !r.Optional {
				missing = append(missing, r.Name)
			}
			continue
		case err != nil:
			return nil, nil, err
		}
		bases = []string{base} // the others are there as well, or nowhere
		file, err := o.file(ctx, p, path, meta)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		return nil, missing, fault.NotFound("no file of the feed %s below %s", p.Feed(), bases[0])
	}
	slices.SortStableFunc(files, func(a, b File) int {
		switch {
		case p.Less(a.Name, b.Name):
			return -1
		case p.Less(b.Name, a.Name):
			return 1
		default:
			return 0
		}
	})
	return files, missing, nil
}

const maxListing = 1 << 20

var link = regexp.MustCompile(`(?i)<a[^>]*\shref="([A-Za-z0-9._-]{1,100})"`)

// listed looks for files of other names (the EPSS of single days) in the listing that web servers make of a folder.
func (o Options) listed(ctx context.Context, f *Fetcher, bases []string, p Publisher) (base string, remotes []Remote) {
	for _, base := range bases {
		page, err := f.Text(ctx, base, maxListing)
		if err != nil {
			continue
		}
		seen := map[string]bool{}
		for _, m := range link.FindAllStringSubmatch(page, maxUnknown) {
			if name := m[1]; !seen[plainName(name)] && p.Owns(plainName(name)) {
				seen[plainName(name)] = true
				remotes = append(remotes, Remote{Name: name})
			}
		}
		if len(remotes) > 0 {
			return base, remotes
		}
	}
	return "", nil
}

// fetchOne tries each base, and away from the publisher also the name with or without .gz.
func (o Options) fetchOne(ctx context.Context, f *Fetcher, p Publisher, bases []string, r Remote) (
	path string, meta *Meta, base string, err error,
) {
	if r.URL != "" {
		path, err = f.FetchAs(ctx, r.URL, r.Name, nil)
		return path, nil, bases[0], err
	}
	names := []string{r.Name}
	if o.elsewhere(p) {
		if plain, zipped := strings.CutSuffix(r.Name, ".gz"); zipped {
			names = append(names, plain)
		} else {
			names = append(names, r.Name+".gz")
		}
	}
	for _, base = range bases {
		for _, name := range names {
			path, meta, err = o.fetchVerified(ctx, f, base, name, r.Meta)
			if fault.KindOf(err) != fault.KindNotFound {
				return path, meta, base, err
			}
		}
	}
	return "", nil, "", err
}

// fetchVerified fetches a file and the .meta that it must agree with. The two are published one after the other, and a
// proxy may cut a file short without a word: what is not as it should be is asked for once more.
func (o Options) fetchVerified(ctx context.Context, f *Fetcher, base, name, metaName string) (string, *Meta, error) {
	var meta *Meta
	for try := 1; ; try++ {
		if metaName != "" {
			m, err := f.meta(ctx, base+metaName)
			switch {
			case err == nil:
				meta = &m
			case fault.KindOf(err) != fault.KindNotFound || o.From == "":
				return "", nil, err
			}
		}
		path, err := f.Fetch(ctx, base+name, meta)
		if try == 2 || fault.KindOf(err) != fault.KindInvalid {
			return path, meta, err
		}
		f.log().Info("the file is not what it should be, fetching it again", "file", name, "error", err)
	}
}

func (f *Fetcher) meta(ctx context.Context, from string) (Meta, error) {
	text, err := f.Text(ctx, from, maxMetaBytes)
	if err != nil {
		return Meta{}, err
	}
	return ParseMeta(from, strings.NewReader(text))
}

// Save stores what a URL answers under a name in the folder, without asking whether it changed: for pages of an API.
// The header may hold a key, which no message shows.
func (f *Fetcher) Save(ctx context.Context, from string, header map[string]string, name string) (string, error) {
	shown, _, _ := strings.Cut(from, "?")
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return "", disk("make", f.Dir, err)
	}
	d := download{Fetcher: f, url: shown, name: name, path: filepath.Join(f.Dir, name)}
	err := f.retry(ctx, shown, func() (time.Duration, error) {
		resp, err := f.get(ctx, from, header)
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != 200 {
			return retryAfter(resp), statusError(shown, resp.StatusCode)
		}
		if err := d.body(resp, 0, state{URL: shown}); err != nil {
			return 0, err
		}
		return 0, d.finish(ctx, state{URL: shown})
	})
	return d.path, err
}
