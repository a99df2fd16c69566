package feed_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/outbound"
)

// list is a publisher of one file whose name says little and whose URL holds a key.
type list struct{ key, url string }

func (list) Feed() string              { return "list" }
func (list) Owns(name string) bool     { return name == "recent.csv" || name == "list.csv" }
func (list) OwnsPath(file string) bool { return path.Base(path.Dir(file)) == "list" }
func (list) Partial(string) bool       { return false }
func (list) Less(a, b string) bool     { return a < b }
func (l list) Base() string            { return l.url + "/exports/" }
func (l list) Key() string             { return l.key }
func (l list) Remote(time.Time) []feed.Remote {
	return []feed.Remote{{Name: "list.csv", URL: l.remote()}}
}
func (l list) remote() string                                            { return l.url + "/exports/" + feed.KeyMark + "/recent.csv" }
func (list) Read(context.Context, feed.File, io.Reader, feed.Sink) error { return nil }

func (l list) Ready() error {
	if l.key == "" {
		return fault.Invalid("needs a key")
	}
	return nil
}

const secretKey = "5ecret-Key_0f-0urs"

// gatherList asks for the list with a client of the product, in a fresh download folder.
func gatherList(t *testing.T, l list, o feed.Options) (feed.Gathering, string) {
	t.Helper()
	client, err := outbound.New(outbound.Config{Named: []string{l.url}})
	if err != nil {
		t.Fatal(err)
	}
	o.Publishers, o.Client, o.Dir = []feed.Publisher{l}, client, t.TempDir()
	o.Sleep = func(context.Context, time.Duration) error { return nil }
	g, err := feed.Gather(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return g, o.Dir
}

func TestTheKeyIsSentAndShownNowhere(t *testing.T) {
	var asked []string
	answer := func(w http.ResponseWriter) { io.WriteString(w, "a,b\n1,2\n") }
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		answer(w)
	}))
	l := list{key: secretKey, url: srv.URL}
	g, dir := gatherList(t, l, feed.Options{})
	if got := g.Feeds[0]; got.Err != nil || got.Files[0].Name != "list.csv" {
		t.Fatalf("%+v", got)
	}
	if diff := cmp.Diff([]string{"/exports/" + secretKey + "/recent.csv"}, asked); diff != "" {
		t.Error(diff)
	}
	noKey(t, fmt.Sprintf("%+v", g.Feeds[0].Files), g.Feeds[0].Source, folderText(t, dir))

	answers := map[string]func(http.ResponseWriter){
		"404":       func(w http.ResponseWriter) { w.WriteHeader(404) },
		"403":       func(w http.ResponseWriter) { w.WriteHeader(403) },
		"500":       func(w http.ResponseWriter) { w.WriteHeader(500) },
		"a page":    func(w http.ResponseWriter) { io.WriteString(w, "<html>") },
		"cut short": func(w http.ResponseWriter) { w.Header().Set("Content-Length", "100"); io.WriteString(w, "a,b\n") },
		"moved": func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://elsewhere.example/"+secretKey)
			w.WriteHeader(302)
		},
	}
	for name, a := range answers {
		answer = a
		g, dir := gatherList(t, l, feed.Options{})
		if g.Feeds[0].Err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		noKey(t, g.Feeds[0].Err.Error(), folderText(t, dir))
	}
	srv.Close()
	g, _ = gatherList(t, l, feed.Options{})
	noKey(t, g.Feeds[0].Err.Error())
	if fault.KindOf(g.Feeds[0].Err) != fault.KindUnavailable || errors.Unwrap(g.Feeds[0].Err) == nil {
		t.Errorf("nobody there: %v", g.Feeds[0].Err)
	}
}

func noKey(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(text, secretKey) {
			t.Errorf("the key is shown: %s", text)
		}
	}
}

// folderText is what all files below a folder hold.
func folderText(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		fmt.Fprintln(&all, name, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestAFeedWithoutItsKeyIsLeftOutUnlessAskedFor(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/mirror/list.csv" {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, "a,b\n1,2\n")
	}))
	defer srv.Close()
	l := list{url: srv.URL}
	g, _ := gatherList(t, l, feed.Options{})
	if len(g.Feeds) != 0 || len(g.Unready) != 1 || g.Unready[0].Err.Error() != "needs a key" {
		t.Errorf("not asked for: %+v", g)
	}
	g, _ = gatherList(t, l, feed.Options{Feeds: []string{"list"}})
	if len(g.Feeds) != 1 || g.Feeds[0].Err == nil || g.Feeds[0].Err.Error() != "needs a key" {
		t.Errorf("asked for: %+v", g)
	}
	g, _ = gatherList(t, l, feed.Options{From: srv.URL + "/mirror/"})
	if len(g.Feeds) != 1 || g.Feeds[0].Err != nil {
		t.Errorf("a mirror: %+v", g)
	}
	g, _ = gatherList(t, l, feed.Options{URLs: map[string]string{"list": srv.URL + "/mirror/list.csv"}})
	if len(g.Feeds) != 1 || g.Feeds[0].Err != nil {
		t.Errorf("a configured URL: %+v", g)
	}
}

func TestAConfiguredURLIsAskedAsAMirrorIs(t *testing.T) {
	srv := httptest.NewServer(http.FileServer(http.Dir(write(t, map[string]string{
		"zipped/list.csv.gz": zipped("a,b\n"), "other/recent.csv": "c,d\n",
	}))))
	defer srv.Close()
	for url, want := range map[string]string{
		"/zipped/": "list.csv", "/zipped/list.csv.gz": "list.csv", "/other/recent.csv": "recent.csv", "/other": "recent.csv",
	} {
		g, _ := gatherList(t, list{url: srv.URL}, feed.Options{URLs: map[string]string{"list": srv.URL + url}})
		if got := g.Feeds[0]; got.Err != nil || len(got.Files) != 1 || got.Files[0].Name != want {
			t.Errorf("%s: %+v", url, got)
		}
	}
}

func TestTheFolderDecidesWhereNamesSayTooLittle(t *testing.T) {
	dir := write(t, map[string]string{"list/recent.csv.gz": zipped("a\n"), "recent.csv": "b\n", "x/list.csv": "c\n"})
	g, err := feed.Gather(context.Background(), feed.Options{Publishers: []feed.Publisher{list{}}, From: dir})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"list/recent.csv"}, names(g)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"recent.csv", "x/list.csv"}, g.Unknown); diff != "" {
		t.Error(diff)
	}
	g, err = feed.Gather(context.Background(), feed.Options{Publishers: []feed.Publisher{list{}}, From: filepath.Join(dir, "list")})
	if err != nil || len(g.Feeds) != 1 {
		t.Errorf("the folder itself: %+v, %v", g, err)
	}
}
