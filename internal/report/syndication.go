package report

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // name-based identifiers, RFC 9562 section 5.5; nothing is secured by it
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/fault"
)

// Syndication is a feed of news about CVEs, to be written as RSS 2.0 or Atom 1.0. Every date in it comes from the data:
// equal values make equal bytes, so that publishing again without news changes no file.
type Syndication struct {
	Kind        string // "exploited", "critical", "latest", or "vendor:apache", "product:apache:log4j", "search:words"
	Title       string
	Description string
	Home        string // the page that the feed belongs to, an absolute http(s) URL
	// Self is where the document will be found, an absolute http(s) URL without its ending: ".rss" or ".atom" is added.
	// "" where that is not known; the documents then say nothing of it.
	Self    string
	Updated time.Time // the newest change of what is in it; zero: the newest date of an item
	Items   []SyndicationItem
}

// SyndicationItem is one piece of news.
type SyndicationItem struct {
	CVE        string    // its id, which with the feed's kind is the item's identity
	Title      string    // one line
	Summary    []string  // paragraphs of plain text
	Link       string    // an absolute http(s) URL; anything else is left out
	Published  time.Time // when it became news: the day of the KEV entry in "exploited", else of publication
	Updated    time.Time // the last change that readers should hear of; zero: Published
	Categories []string
}

// The limits of a document, which no reader should notice.
const (
	maxItems      = 1000
	maxItemTitle  = 300  // runes
	maxParagraph  = 4000 // runes
	maxParagraphs = 20
	maxCategories = 20
)

// RSS writes RSS 2.0 with the atom:link and guid that validators ask for.
func RSS(w io.Writer, s Syndication) error {
	p, err := newPublication(s, ".rss")
	if err != nil {
		return err
	}
	channel := rssChannel{
		Title: rssTitle(p.title), Link: p.home, Description: html.EscapeString(p.description), Language: "en",
		Generator: syndicationGenerator, Docs: "https://www.rssboard.org/rss-specification",
		PubDate: rfc822(p.updated), LastBuildDate: rfc822(p.updated),
	}
	if p.self != "" {
		channel.Self = &xmlLink{Href: p.self, Rel: "self", Type: "application/rss+xml"}
	}
	for _, e := range p.entries {
		channel.Items = append(channel.Items, rssItem{
			Title: rssTitle(e.title), Link: e.link, Description: e.html, Categories: e.categories,
			GUID: rssGUID{Value: e.id}, PubDate: rfc822(e.published),
		})
	}
	return writeXML(w, rssDocument{Version: "2.0", Atom: atomNamespace, Channel: channel})
}

// Atom writes Atom 1.0 (RFC 4287).
func Atom(w io.Writer, s Syndication) error {
	p, err := newPublication(s, ".atom")
	if err != nil {
		return err
	}
	feed := atomFeed{
		Language: "en", ID: p.id, Title: atomText{"text", p.title}, Updated: rfc3339(p.updated),
		Subtitle: atomText{"text", p.description}, Author: atomPerson{syndicationGenerator}, Generator: syndicationGenerator,
		Links: []xmlLink{{Href: p.home, Rel: "alternate"}},
	}
	if p.self != "" {
		feed.Links = append(feed.Links, xmlLink{Href: p.self, Rel: "self", Type: "application/atom+xml"})
	}
	for _, e := range p.entries {
		entry := atomEntry{
			ID: e.id, Title: atomText{"text", e.title}, Updated: rfc3339(e.updated), Published: rfc3339(e.published),
			Content: atomText{"html", e.html},
		}
		if e.link != "" {
			entry.Links = []xmlLink{{Href: e.link, Rel: "alternate"}}
		}
		for _, c := range e.categories {
			entry.Categories = append(entry.Categories, atomCategory{c})
		}
		feed.Entries = append(feed.Entries, entry)
	}
	return writeXML(w, feed)
}

const (
	syndicationGenerator = "PatchScout"
	atomNamespace        = "http://www.w3.org/2005/Atom"
)

// publication is a Syndication that has been checked, cleaned and put in order.
type publication struct {
	id, title, description, home, self string
	updated                            time.Time
	entries                            []publicationEntry
}

type publicationEntry struct {
	id, title, link, html string
	published, updated    time.Time
	categories            []string
}

func newPublication(s Syndication, ending string) (publication, error) {
	home, ok := absolute(s.Home)
	if !ok {
		return publication{}, fault.Invalid("feed %s: its page %q is no absolute http or https URL", s.Kind, s.Home)
	}
	p := publication{
		id: nameUUID("feed/" + s.Kind + "/" + s.Self), title: line(s.Title, maxItemTitle), description: line(s.Description, maxParagraph),
		home: home, updated: s.Updated.UTC(),
	}
	p.title = cmp.Or(p.title, line(s.Kind, maxItemTitle), syndicationGenerator)
	p.description = cmp.Or(p.description, p.title)
	if s.Self != "" {
		if p.self, ok = absolute(s.Self + ending); !ok {
			return publication{}, fault.Invalid("feed %s: its address %q is no absolute http or https URL", s.Kind, s.Self)
		}
	}
	p.take(s)
	return p, nil
}

// take keeps the newest items, each once.
func (p *publication) take(s Syndication) {
	seen := map[string]bool{}
	for _, i := range s.Items {
		if e := newEntry(s.Kind, i); !seen[e.id] {
			seen[e.id] = true
			p.entries = append(p.entries, e)
		}
	}
	slices.SortStableFunc(p.entries, func(a, b publicationEntry) int {
		return cmp.Or(b.published.Compare(a.published), cmp.Compare(b.id, a.id))
	})
	p.entries = p.entries[:min(len(p.entries), maxItems)]
	if writable(s.Updated) {
		return
	}
	p.updated = time.Unix(0, 0).UTC()
	for _, e := range p.entries {
		if e.updated.After(p.updated) {
			p.updated = e.updated
		}
	}
}

func newEntry(kind string, i SyndicationItem) publicationEntry {
	e := publicationEntry{
		id: nameUUID(event(kind) + "/" + i.CVE), title: line(i.Title, maxItemTitle), html: paragraphs(i.Summary),
		published: i.Published.UTC(), updated: i.Updated.UTC(),
	}
	e.link, _ = absolute(i.Link)
	e.title = cmp.Or(e.title, line(i.CVE, maxItemTitle), syndicationGenerator)
	if !writable(i.Published) {
		e.published = yearOf(i.CVE)
	}
	if !writable(i.Updated) || e.updated.Before(e.published) {
		e.updated = e.published
	}
	for _, c := range i.Categories[:min(len(i.Categories), maxCategories)] {
		if c = line(c, maxItemTitle); c != "" && !slices.Contains(e.categories, c) {
			e.categories = append(e.categories, c)
		}
	}
	return e
}

// event is what makes a CVE news in a feed of this kind. Vendors, products and searches tell of the same publication as
// the latest, so that a reader who follows several sees it once.
func event(kind string) string {
	switch kind {
	case "exploited", "critical":
		return kind
	default:
		return "published"
	}
}

// writable says that a date is known and has the year of four digits that both formats demand.
func writable(t time.Time) bool {
	return !t.IsZero() && t.UTC().Year() >= 1970 && t.UTC().Year() <= 9999
}

// yearOf dates a CVE whose record brings no date on 1 January of its year: Atom demands one, and the clock must not set it.
func yearOf(cve string) time.Time {
	if parts := strings.Split(cve, "-"); len(parts) > 1 {
		if t, err := time.Parse("2006", parts[1]); err == nil && writable(t) {
			return t
		}
	}
	return time.Unix(0, 0).UTC()
}

// space is the name space of our identifiers, made once at random.
var space = [16]byte{0x5b, 0x0e, 0x6d, 0x2f, 0x93, 0x1c, 0x4a, 0x77, 0xa8, 0x30, 0x6c, 0x58, 0x1e, 0xd4, 0x29, 0xb1}

// nameUUID is a version 5 UUID (RFC 9562) as a URN: the same name has the same identifier on every installation. A tag
// URI would need a domain that is ours.
func nameUUID(name string) string {
	h := sha1.New() //nolint:gosec // see the import
	h.Write(space[:])
	_, _ = io.WriteString(h, name)
	u := h.Sum(nil)[:16]
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// absolute checks and normalises an http or https URL.
func absolute(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || len(text) > 2000 {
		return "", false
	}
	// A path may hold anything after decoding; String writes what is not allowed as percent signs.
	u.RawQuery = strings.ReplaceAll(url.PathEscape(u.RawQuery), "%25", "%")
	out := u.String()
	if strings.ContainsFunc(out, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>\^{|}`+"`", r) }) {
		return "", false
	}
	return out, true
}

// line makes text one line of printable characters, cut to n runes.
func line(text string, n int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(text[:min(len(text), 8*n)], ""))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return text
}

func paragraphs(list []string) string {
	var b strings.Builder
	for _, p := range list[:min(len(list), maxParagraphs)] {
		if p = line(p, maxParagraph); p != "" {
			b.WriteString("<p>" + html.EscapeString(p) + "</p>")
		}
	}
	return b.String()
}

// entity is what a reader that takes titles for HTML would decode.
var entity = regexp.MustCompile(`&(#?\w+;)`)

// rssTitle leaves nothing that could be taken for markup: RSS does not say whether titles are text or HTML, and readers
// differ.
func rssTitle(text string) string {
	text = strings.NewReplacer("<", "‹", ">", "›").Replace(text)
	return entity.ReplaceAllString(text, "＆$1")
}

// rfc822 is RSS's date with a year of four digits, as the RSS Advisory Board recommends.
func rfc822(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT") }

func rfc3339(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

func writeXML(w io.Writer, document any) error {
	b, err := xml.MarshalIndent(document, "", "  ")
	if err != nil {
		return fmt.Errorf("write feed: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, b)
	return err
}
