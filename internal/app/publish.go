package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/report"
)

// PublishRequest says which news feeds to write, and where.
type PublishRequest struct {
	Dir      string // made if missing
	BaseURL  string // where Dir is served; "" if it is not known
	Vendors  []string
	Products []string
	Searches []string
	Limit    int // entries of each
}

// maxEntries of a news feed: readers ask for all of it each time.
const maxEntries = 1_000

// CheckPublish says what is wrong with a request before anything is opened.
func CheckPublish(req PublishRequest) error {
	if req.Limit < 1 || req.Limit > maxEntries {
		return fault.InvalidOption("limit", " %d: want 1 to %d", req.Limit, maxEntries)
	}
	if info, err := os.Stat(req.Dir); err == nil && !info.IsDir() {
		return fault.Invalid("%s is not a folder", req.Dir)
	}
	if u, err := url.Parse(req.BaseURL); req.BaseURL != "" &&
		(err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		return fault.InvalidOption("base-url", ": want the http(s):// URL of the folder, without user name, query or fragment")
	}
	for _, list := range []struct {
		flag  string
		texts []string
	}{{"--vendor", req.Vendors}, {"--product", req.Products}, {"--search", req.Searches}} {
		for i, text := range list.texts {
			if slices.Contains(list.texts[:i], text) {
				return fault.Invalid("%s %s is named twice", list.flag, text)
			}
			if strings.TrimSpace(text) == "" || len(text) > 200 {
				return fault.Invalid("%s %.40q: want 1 to 200 characters", list.flag, text)
			}
		}
	}
	return nil
}

// newsFormats are what each channel is written as.
var newsFormats = []struct {
	extension string
	write     func(io.Writer, report.Syndication) error
}{{".rss", report.RSS}, {".atom", report.Atom}}

// channel is one news feed: what is in it and which date of an entry counts.
type channel struct {
	name   string // of the files, without extension
	kind   string // report.Syndication.Kind
	title  string
	about  string
	filter catalogue.Filter
	// dated is when an entry became news for this channel.
	dated func(catalogue.Hit) time.Time
	// all reads everything that passes, because the catalogue has no order by that date.
	all bool
}

func published(h catalogue.Hit) time.Time { return h.Record.Published }

func exploitedSince(h catalogue.Hit) time.Time {
	if h.Facts.KEV == nil {
		return h.Record.Published
	}
	return h.Facts.KEV.Added
}

// channels are the three that are always written and one for each vendor, product and search.
func channels(req PublishRequest) []channel {
	byDate := func(f catalogue.Filter) catalogue.Filter {
		f.Sort = catalogue.SortDate
		return f
	}
	out := []channel{
		{"exploited", "exploited", "Newly exploited vulnerabilities", "What CISA has added to its catalogue of known exploited vulnerabilities.",
			catalogue.Filter{KEV: true}, exploitedSince, true},
		{"critical", "critical", "Critical vulnerabilities", "Vulnerabilities of critical severity, newest first.",
			catalogue.Filter{Severities: []string{"critical"}}, published, false},
		{"latest", "latest", "Latest vulnerabilities", "The newest vulnerabilities.", catalogue.Filter{}, published, false},
	}
	for _, v := range req.Vendors {
		out = append(out, channel{"vendor-" + slug(v), "vendor:" + v, "Vulnerabilities in products of " + v, "Vulnerabilities in products of " + v + ", newest first.",
			catalogue.Filter{Vendor: v}, published, false})
	}
	for _, p := range req.Products {
		out = append(out, channel{"product-" + slug(p), "product:" + p, "Vulnerabilities in " + p, "Vulnerabilities in " + p + ", newest first.",
			catalogue.Filter{Product: p}, published, false})
	}
	for _, words := range req.Searches {
		out = append(out, channel{"search-" + slug(words), "search:" + words, "Vulnerabilities: " + words, "Vulnerabilities that match “" + words + "”, newest first.",
			catalogue.Filter{Words: words}, published, false})
	}
	for i := range out {
		out[i].filter = byDate(out[i].filter)
	}
	return out
}

// maxSlug is how much of a text a file name repeats.
const maxSlug = 60

// slug makes a text part of a file name that is safe everywhere. A text that cannot stand as it is gets a piece of its
// hash, so that two of them do not meet in one file.
func slug(text string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, text)
	safe = safe[:min(len(safe), maxSlug)]
	if safe == text {
		return safe
	}
	sum := sha256.Sum256([]byte(text))
	return strings.Trim(safe, "-") + "-" + hex.EncodeToString(sum[:4])
}

// Publish writes each channel as RSS and as Atom. A file whose text would stay the same is left alone.
func (a *App) Publish(ctx context.Context, req PublishRequest) (report.Publish, error) {
	doc := report.Publish{Dir: req.Dir, Files: []report.PublishedFile{}}
	if err := CheckPublish(req); err != nil {
		return doc, err
	}
	if err := os.MkdirAll(req.Dir, 0o755); err != nil {
		return doc, fault.Unavailable("make %s: %w", req.Dir, err)
	}
	for _, c := range channels(req) {
		hits, err := a.entries(ctx, c, req.Limit)
		if err != nil {
			return doc, fmt.Errorf("publish %s: %w", c.name, err)
		}
		news, err := a.toNews(ctx, c, hits, req.BaseURL)
		if err != nil {
			return doc, fmt.Errorf("publish %s: %w", c.name, err)
		}
		for _, format := range newsFormats {
			status, err := publishFile(filepath.Join(req.Dir, c.name+format.extension), func(w io.Writer) error { return format.write(w, news) })
			if err != nil {
				return doc, err
			}
			doc.Files = append(doc.Files, report.PublishedFile{Name: c.name + format.extension, Title: c.title, Entries: len(hits), Status: status})
		}
	}
	return doc, nil
}

// entries are the newest of a channel, newest first.
func (a *App) entries(ctx context.Context, c channel, limit int) ([]catalogue.Hit, error) {
	var hits []catalogue.Hit
	filter := c.filter
	for c.all || len(hits) < limit {
		filter.Limit = searchPage
		if !c.all {
			filter.Limit = min(limit-len(hits), searchPage)
		}
		page, err := a.find.Search(ctx, filter)
		if err != nil {
			return nil, err
		}
		a.indexLater(ctx, page.Note)
		hits = append(hits, page.Hits...)
		if filter.After = page.Next; page.Next == "" {
			break
		}
	}
	slices.SortStableFunc(hits, func(x, y catalogue.Hit) int {
		return cmp.Or(c.dated(y).Compare(c.dated(x)), cmp.Compare(y.Record.ID, x.Record.ID))
	})
	return hits[:min(len(hits), limit)], nil
}

const (
	// home is the page that a channel belongs to where nobody said under which address it is served.
	home = "https://nvd.nist.gov/vuln/search"
	// page is where an entry leads to, before its id.
	page = "https://nvd.nist.gov/vuln/detail/"
)

// toNews words the entries of a channel.
func (a *App) toNews(ctx context.Context, c channel, hits []catalogue.Hit, base string) (report.Syndication, error) {
	out := report.Syndication{Kind: c.kind, Title: c.title, Description: c.about + " " + report.NoticeNVD, Home: home}
	if base != "" {
		out.Home = strings.TrimSuffix(base, "/") + "/"
		out.Self = out.Home + c.name
	}
	loaded, err := a.loaded(ctx)
	if err != nil {
		return out, err
	}
	var cwes []string
	for _, h := range hits {
		cwes = append(cwes, h.Record.CWEs...)
	}
	weaknesses, err := a.store.Catalogue().Weaknesses(ctx, cwes)
	for _, h := range hits {
		in := explain.Input{
			ID: h.Record.ID, Record: h.Record, Facts: h.Facts, Verdict: a.judge(h.Record, h.Facts), Loaded: loaded, Weaknesses: weaknesses,
			Name: catalogue.DisplayName,
		}
		out.Items = append(out.Items, newsItem(c, h, in))
	}
	return out, err
}

func newsItem(c channel, h catalogue.Hit, in explain.Input) report.SyndicationItem {
	id := h.Record.ID.String()
	item := report.SyndicationItem{
		CVE: id, Title: explain.Short(in).Text, Link: page + id, Published: c.dated(h), Updated: h.Record.Modified,
		Categories: []string{in.Verdict.Severity},
	}
	if !strings.Contains(item.Title, id) {
		item.Title = id + ": " + item.Title
	}
	for _, s := range explain.CVE(in).Sentences {
		item.Summary = append(item.Summary, s.Text)
	}
	if h.Facts.KEV != nil {
		item.Categories = append(item.Categories, "known exploited")
	}
	item.Categories = append(item.Categories, h.Record.CWEs...)
	return item
}

// The states of a published file.
const (
	fileWritten   = "written"
	fileUnchanged = "unchanged"
)

// publishFile writes a file that others read, at once or not at all, and only if its text changes.
func publishFile(path string, write func(io.Writer) error) (status string, err error) {
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return "", err
	}
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text.Bytes()) {
		return fileUnchanged, nil
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".patchscout-*")
	if err != nil {
		return "", fault.Unavailable("write %s: %w", path, err)
	}
	_, err = temp.Write(text.Bytes())
	err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close()) // a web server reads it
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return "", errors.Join(fault.Unavailable("write %s: %w", path, err), os.Remove(temp.Name()))
	}
	return fileWritten, nil
}
