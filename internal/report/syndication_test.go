package report_test

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"html"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/report"
)

// node is an element of a document, read strictly.
type node struct {
	name     xml.Name
	attrs    []xml.Attr
	children []*node
	text     string
}

func (n *node) attr(name string) string {
	for _, a := range n.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// all returns the children of a name: "title", "atom:link".
func (n *node) all(name string) (out []*node) {
	space := ""
	if rest, ok := strings.CutPrefix(name, "atom:"); ok {
		space, name = atomNS, rest
	}
	for _, c := range n.children {
		if c.name.Local == name && c.name.Space == space {
			out = append(out, c)
		}
	}
	return out
}

func parseDocument(doc []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	root := &node{}
	stack := []*node{root}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			n := &node{name: t.Name, attrs: slices.Clone(t.Attr)}
			top.children = append(top.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
	if len(root.children) != 1 {
		return nil, fmt.Errorf("%d root elements", len(root.children))
	}
	return root.children[0], nil
}

const atomNS = "http://www.w3.org/2005/Atom"

var (
	rfc822Date  = regexp.MustCompile(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$`)
	rfc3339Date = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)
	uuidURN     = regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	markup      = regexp.MustCompile(`<|&#?\w+;`)
	notOurs     = regexp.MustCompile(`<(?:[^p/]|/[^p]|p[^>]|/p[^>])`)
)

// validator collects what a feed validator would say.
type validator struct{ problems []string }

func (v *validator) must(ok bool, format string, args ...any) {
	if !ok {
		v.problems = append(v.problems, fmt.Sprintf(format, args...))
	}
}

// one is an element that must stand exactly once and hold text.
func (v *validator) one(n *node, name string) string {
	found := n.all(name)
	v.must(len(found) == 1, "%s: %d %s", n.name.Local, len(found), name)
	if len(found) == 0 {
		return ""
	}
	v.must(strings.TrimSpace(found[0].text) != "", "%s: %s is empty", n.name.Local, name)
	return found[0].text
}

func (v *validator) address(text string) {
	u, err := url.Parse(text)
	v.must(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", "no full http(s) URL: %q", text)
	v.must(!strings.ContainsFunc(text, func(r rune) bool { return r > 126 || r <= ' ' || strings.ContainsRune(`"<>\^{|}`, r) }), "not a URI: %q", text)
}

func (v *validator) only(n *node, names ...string) {
	for _, c := range n.children {
		name := c.name.Local
		if c.name.Space == atomNS {
			name = "atom:" + name
		}
		v.must(slices.Contains(names, name), "%s: unknown element %s", n.name.Local, name)
	}
}

// validRSS checks the rules of the RSS 2.0 specification and the RSS Advisory Board's profile that the W3C's validator
// checks:
//
//   - well-formed UTF-8 XML with only characters that XML 1.0 allows; root rss of version 2.0; one channel
//   - channel: title, link, description once each and not empty; only elements of the specification, those of other name
//     spaces declared
//   - link is a full URL of a known scheme; language is a code; dates are RFC 822 with four-digit years and the right day
//     of the week
//   - atom:link rel="self" with href and the type application/rss+xml (recommended)
//   - item: title or description; guid at most once, not empty, unique in the document, and with isPermaLink="false"
//     where it is not a URL; categories not empty
//   - titles without markup or entities; descriptions hold complete HTML without scripts
func validRSS(doc []byte, self bool) []string {
	v := &validator{}
	root, err := parseDocument(doc)
	if err != nil {
		return []string{err.Error()}
	}
	v.must(bytes.HasPrefix(doc, []byte(`<?xml version="1.0" encoding="UTF-8"?>`)), "no XML declaration")
	v.must(root.name.Local == "rss" && root.attr("version") == "2.0", "root %v", root.name)
	channels := root.all("channel")
	if len(channels) != 1 || len(root.children) != 1 {
		return append(v.problems, "not one channel")
	}
	c := channels[0]
	v.only(c, "title", "link", "description", "language", "pubDate", "lastBuildDate", "generator", "docs", "atom:link", "item")
	v.must(!markup.MatchString(v.one(c, "title")), "markup in the title")
	v.address(v.one(c, "link"))
	v.one(c, "description")
	v.must(v.one(c, "language") == "en", "language")
	v.rfc822(v.one(c, "pubDate"))
	v.rfc822(v.one(c, "lastBuildDate"))
	if links := c.all("atom:link"); self {
		v.must(len(links) == 1 && links[0].attr("rel") == "self" && links[0].attr("type") == "application/rss+xml", "no atom:link to itself")
		v.address(links[0].attr("href"))
	}
	seen := map[string]bool{}
	for _, item := range c.all("item") {
		v.rssItem(item, seen)
	}
	return v.problems
}

func (v *validator) rssItem(item *node, seen map[string]bool) {
	v.only(item, "title", "link", "description", "category", "guid", "pubDate")
	v.must(!markup.MatchString(v.one(item, "title")), "markup in an item's title")
	for _, l := range item.all("link") {
		v.address(l.text)
	}
	for _, d := range item.all("description") {
		v.html(d.text)
	}
	for _, c := range item.all("category") {
		v.must(strings.TrimSpace(c.text) != "", "empty category")
	}
	id := v.one(item, "guid")
	v.must(!seen[id], "guid %s twice", id)
	seen[id] = true
	v.must(uuidURN.MatchString(id) && item.all("guid")[0].attr("isPermaLink") == "false", "guid %s", id)
	v.rfc822(v.one(item, "pubDate"))
}

func (v *validator) rfc822(text string) {
	_, err := time.Parse(time.RFC1123, text) // it checks the date, not the day of the week
	t, _ := time.Parse(time.RFC1123, text)
	v.must(err == nil && rfc822Date.MatchString(text) && strings.HasPrefix(text, t.Format("Mon")), "date %q", text)
}

// html holds paragraphs of escaped text and nothing else.
func (v *validator) html(text string) {
	v.must(!notOurs.MatchString(text), "foreign markup: %.200q", text)
	v.must(strings.Count(text, "<p>") == strings.Count(text, "</p>"), "paragraphs left open")
}

// validAtom checks what RFC 4287 demands and the W3C's validator checks:
//
//   - well-formed; root feed of the Atom name space; only elements of the specification
//   - feed: exactly one id, title, updated; an author, since entries have none; at most one alternate link of a type; a
//     self link (recommended); at most one subtitle and generator
//   - entry: exactly one id, title, updated; at most one published, content; content or an alternate link
//   - ids are absolute IRIs, unique among the entries (no two with equal id and updated)
//   - dates are RFC 3339 with capital T and Z; updated not before published; the feed's updated not before its entries'
//     where it was made from them
//   - text constructs of type text hold no elements; of type html, HTML that is complete
//   - links have href and a known rel; categories have a term
func validAtom(doc []byte, self bool) []string {
	v := &validator{}
	root, err := parseDocument(doc)
	if err != nil {
		return []string{err.Error()}
	}
	v.must(root.name == xml.Name{Space: atomNS, Local: "feed"}, "root %v", root.name)
	v.only(root, "atom:id", "atom:title", "atom:subtitle", "atom:updated", "atom:author", "atom:link", "atom:generator", "atom:entry")
	v.must(uuidURN.MatchString(v.one(root, "atom:id")), "feed id")
	v.plain(root, "atom:title")
	v.must(rfc3339Date.MatchString(v.one(root, "atom:updated")), "updated")
	v.must(len(root.all("atom:author")) == 1 && v.one(root.all("atom:author")[0], "atom:name") != "", "no author")
	rels := map[string]int{}
	for _, l := range root.all("atom:link") {
		rels[l.attr("rel")]++
		v.address(l.attr("href"))
	}
	v.must(rels["alternate"] == 1 && (rels["self"] == 1) == self && len(root.all("atom:subtitle")) <= 1, "links %v", rels)
	seen := map[string]bool{}
	for _, e := range root.all("atom:entry") {
		v.atomEntry(e, seen)
	}
	return v.problems
}

func (v *validator) atomEntry(e *node, seen map[string]bool) {
	v.only(e, "atom:id", "atom:title", "atom:updated", "atom:published", "atom:link", "atom:category", "atom:content")
	id := v.one(e, "atom:id")
	v.must(uuidURN.MatchString(id) && !seen[id], "entry id %s", id)
	seen[id] = true
	v.plain(e, "atom:title")
	updated, published := v.one(e, "atom:updated"), v.one(e, "atom:published")
	v.must(rfc3339Date.MatchString(updated) && rfc3339Date.MatchString(published) && updated >= published, "dates %s %s", updated, published)
	v.must(len(e.all("atom:content")) == 1 && e.all("atom:content")[0].attr("type") == "html", "content")
	v.html(e.all("atom:content")[0].text)
	for _, l := range e.all("atom:link") {
		v.must(l.attr("rel") == "alternate", "rel")
		v.address(l.attr("href"))
	}
	for _, c := range e.all("atom:category") {
		v.must(c.attr("term") != "" && c.text == "", "category")
	}
}

func (v *validator) plain(n *node, name string) {
	v.one(n, name)
	for _, t := range n.all(name) {
		v.must(t.attr("type") == "text" && len(t.children) == 0, "%s is no text", name)
	}
}

func on(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func exploited() report.Syndication {
	return report.Syndication{
		Kind: "exploited", Title: "Newly exploited vulnerabilities", Description: "What CISA has added to its list, in plain words.",
		Home: "https://scout.example.org/cves?kev=1&sort=date", Self: "https://scout.example.org/feeds/exploited",
		Items: []report.SyndicationItem{
			{
				CVE: "CVE-2014-0160", Title: "CVE-2014-0160 OpenSSL: out-of-bounds read", Summary: []string{"OpenSSL has a flaw.", "Update it."},
				Link: "https://scout.example.org/cves/CVE-2014-0160", Published: on("2022-05-04"), Categories: []string{"exploited", "high"},
			},
			{
				CVE: "CVE-2021-44228", Title: "CVE-2021-44228 Apache Log4j2: unsafe deserialization", Summary: []string{"Log4j & “others” <have> a flaw."},
				Link: "https://scout.example.org/cves/CVE-2021-44228", Published: on("2021-12-10"), Updated: on("2023-02-01"),
				Categories: []string{"exploited", "critical", "ransomware"},
			},
		},
	}
}

func write(t *testing.T, encode func(io.Writer, report.Syndication) error, s report.Syndication) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFeedsAreAsTheyWereAgreed(t *testing.T) {
	for name, encode := range map[string]func(io.Writer, report.Syndication) error{"rss": report.RSS, "atom": report.Atom} {
		got := write(t, encode, exploited())
		path := filepath.Join("testdata", "exploited."+name)
		if flag.Lookup("update").Value.String() == "true" { // of the package's other tests
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Errorf("-golden +got:\n%s", d)
		}
	}
}

func validate(t *testing.T, s report.Syndication) {
	t.Helper()
	if p := validRSS(write(t, report.RSS, s), s.Self != ""); p != nil {
		t.Errorf("RSS: %s\n%s", strings.Join(p, "\n"), write(t, report.RSS, s))
	}
	if p := validAtom(write(t, report.Atom, s), s.Self != ""); p != nil {
		t.Errorf("Atom: %s\n%s", strings.Join(p, "\n"), write(t, report.Atom, s))
	}
}

func TestFeedsAreValid(t *testing.T) {
	validate(t, exploited())
	empty := exploited()
	empty.Items, empty.Self = nil, ""
	validate(t, empty)
	bare := exploited()
	bare.Items = []report.SyndicationItem{{CVE: "CVE-2024-0001"}, {CVE: "CVE-2024-0001", Title: "again"}, {CVE: "CVE-2024-0002", Link: "javascript:alert(1)"}}
	validate(t, bare)
	if doc := string(write(t, report.RSS, bare)); strings.Contains(doc, "javascript") || !strings.Contains(doc, "01 Jan 2024") {
		t.Error(doc)
	}
}

func TestTheSameNewsMakeTheSameBytes(t *testing.T) {
	s, turned := exploited(), exploited()
	slices.Reverse(turned.Items)
	for _, encode := range []func(io.Writer, report.Syndication) error{report.RSS, report.Atom} {
		if !bytes.Equal(write(t, encode, s), write(t, encode, turned)) {
			t.Error("the order in which items arrive changes the document")
		}
	}
}

func TestIdentitiesStayAndTellEventsApart(t *testing.T) {
	guids := func(kind, title string) []string {
		s := exploited()
		s.Kind, s.Items[0].Title = kind, title
		root, err := parseDocument(write(t, report.RSS, s))
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, i := range root.all("channel")[0].all("item") {
			out = append(out, i.all("guid")[0].text)
		}
		slices.Sort(out)
		return out
	}
	if !slices.Equal(guids("exploited", "before"), guids("exploited", "after")) {
		t.Error("another title is another item")
	}
	if !slices.Equal(guids("latest", "x"), guids("vendor:apache", "x")) {
		t.Error("the same publication is two items")
	}
	if slices.Equal(guids("latest", "x"), guids("exploited", "x")) {
		t.Error("being exploited is no news of its own")
	}
	// The identifiers are in readers' databases: they must never change.
	if got := guids("exploited", "x"); !slices.Contains(got, wellKnown) {
		t.Errorf("CVE-2021-44228 being exploited is now one of %s", got)
	}
}

func TestHostileTextStaysTextInFeeds(t *testing.T) {
	evil := "\x00\x1b]0;x\x07 <script>alert(1)</script> &lt;b&gt; &#60;i&#62; ]]> \u202e\ufffe\xff" + strings.Repeat("x", 10000)
	s := exploited()
	s.Title, s.Description, s.Kind = evil, evil, "search:"+evil
	s.Items[0] = report.SyndicationItem{CVE: evil, Title: evil, Summary: []string{evil, "\n"}, Link: "https://a.example/?q=" + evil, Published: on("2024-01-01"), Categories: []string{evil, "", "\x00"}}
	validate(t, s)
	root, err := parseDocument(write(t, report.Atom, s))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range root.all("atom:entry") {
		read := html.UnescapeString(strings.NewReplacer("<p>", "", "</p>", "").Replace(e.all("atom:content")[0].text))
		if strings.ContainsFunc(read, unicode.IsControl) {
			t.Errorf("%q", read)
		}
		if strings.Contains(read, "alert") && !strings.HasPrefix(read, "]0;x <script>alert(1)</script> &lt;b&gt;") {
			t.Errorf("the text is not what it was: %.80q", read)
		}
	}
}

func TestAFeedWithoutAPageIsRefused(t *testing.T) {
	for _, home := range []string{"", "/cves", "ftp://example.org/", "https://", "javascript:alert(1)"} {
		s := exploited()
		s.Home = home
		if err := report.RSS(io.Discard, s); err == nil {
			t.Errorf("%q is taken", home)
		}
	}
}

func FuzzSyndication(f *testing.F) {
	f.Add("Title", "Text & <b>more</b>", "https://example.org/a b?c=d#e", "CVE-2024-0001", int64(1700000000))
	f.Add("]]>&amp;<![CDATA[", "\x00\u2028\xff", "javascript:x", "", int64(-62135596800))
	f.Add("<", "&", "http://[::1]:80/%zz", "CVE-99999-1", int64(253402300799))
	f.Fuzz(func(t *testing.T, title, text, link, cve string, at int64) {
		when := time.Unix(at, 0)
		s := report.Syndication{
			Kind: "search:" + title, Title: title, Description: text, Home: "https://example.org/",
			Items: []report.SyndicationItem{
				{CVE: cve, Title: title, Summary: []string{text, title}, Link: link, Published: when, Categories: []string{text, title}},
				{CVE: text, Title: text, Summary: []string{link}, Link: title, Updated: when},
			},
		}
		validate(t, s)
	})
}

const wellKnown = "urn:uuid:8c6d2c17-2ef0-5344-92ba-89b4cd34d7bd"
