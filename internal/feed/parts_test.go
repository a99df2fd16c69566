package feed_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/cvelist"
	"github.com/patchscout/patchscout/internal/feed/feedtest"
)

func cveRecord(number int) string {
	return fmt.Sprintf(`{"dataVersion":"5.1","cveMetadata":{"cveId":"CVE-2024-%04d","state":"PUBLISHED"},"containers":{}}`, number)
}

// zipOf packs files given as name, content, name, content, …
func zipOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// gatherCVEs gathers the feed cvelist below a folder and reads all of it.
func gatherCVEs(t testing.TB, dir string, seen map[string]string) ([]feed.File, feedtest.Sink, error) {
	t.Helper()
	var s feedtest.Sink
	g, err := feed.Gather(context.Background(), feed.Options{Publishers: []feed.Publisher{cvelist.Reader{}}, From: dir, Seen: seen})
	if err != nil {
		return nil, s, err
	}
	for _, f := range g.Feeds[0].Files {
		if err := feed.ReadFile(context.Background(), cvelist.Reader{}, f, &s); err != nil {
			return g.Feeds[0].Files, s, err
		}
	}
	return g.Feeds[0].Files, s, g.Feeds[0].Err
}

func ids(records []*cve.Record) []string {
	var out []string
	for _, r := range records {
		out = append(out, r.ID.String())
	}
	slices.Sort(out)
	return out
}

func TestArchiveIsReadFileByFileAndABadOneHarmsNoOther(t *testing.T) {
	dir := t.TempDir()
	text := zipOf(t, "cvelistV5-main/README.md", "x", "cvelistV5-main/cves/2024/1xxx/CVE-2024-1001.json", cveRecord(1001),
		"cvelistV5-main/cves/2024/1xxx/CVE-2024-1002.json", cveRecord(1002),
		"cvelistV5-main/cves/2024/1xxx/CVE-2024-1003.json", `{"cveMetadata":`,
		"cvelistV5-main/cves/2024/1xxx/CVE-2024-1004.json", strings.Repeat(" ", 33<<20),
		"cvelistV5-main/cves/2024/1xxx/CVE-2024-1005.json", cveRecord(1005), "cvelistV5-main/cves/delta.json", "[]")
	name := []byte("CVE-2024-1002.json")
	text[bytes.Index(text, name)+len(name)+3] ^= 0xff // within its compressed bytes
	writeFile(t, filepath.Join(dir, "cvelistV5-main.zip"), text)
	files, s, err := gatherCVEs(t, dir, nil)
	if err != nil || len(files) != 1 || !files[0].Partial {
		t.Fatalf("%+v, %v", files, err)
	}
	if diff := cmp.Diff([]string{"CVE-2024-1001", "CVE-2024-1005"}, ids(s.CVEs)); diff != "" {
		t.Error(diff)
	}
	const at = "cvelistV5-main.zip: cvelistV5-main/cves/2024/1xxx/CVE-2024-100"
	want := []string{
		at + "2.json: file in the archive is damaged", at + "3.json, byte 15: the file breaks off",
		at + "4.json: file in the archive is too long",
	}
	if diff := cmp.Diff(want, s.Rejected); diff != "" {
		t.Error(diff)
	}
}

func TestArchiveWithinAnArchiveIsReadAsReleasesAre(t *testing.T) {
	dir := t.TempDir()
	inner := zipOf(t, "cves/2024/1xxx/CVE-2024-1001.json", cveRecord(1001), "cves/2024/1xxx/CVE-2024-1002.json", cveRecord(1002))
	writeFile(t, filepath.Join(dir, "2024-06-10_all_CVEs_at_midnight.zip.zip"), zipOf(t, "cves.zip", string(inner)))
	delta := zipOf(t, "deltaCves/CVE-2024-1003.json", cveRecord(1003), "again.zip",
		string(zipOf(t, "more.zip", string(inner))))
	writeFile(t, filepath.Join(dir, "2024-06-10_delta_CVEs_at_1200Z.zip"), delta)
	files, s, err := gatherCVEs(t, dir, nil)
	if err != nil || len(files) != 2 {
		t.Fatalf("%+v, %v", files, err)
	}
	if diff := cmp.Diff([]string{"CVE-2024-1001", "CVE-2024-1002", "CVE-2024-1003"}, ids(s.CVEs)); diff != "" {
		t.Errorf("three deep is too deep: %s", diff)
	}
}

func TestWhatIsNoArchiveIsRefused(t *testing.T) {
	good := zipOf(t, "CVE-2024-1001.json", cveRecord(1001))
	bomb := zipOf(t, "CVE-2024-1001.json", cveRecord(1001), "x.zip", strings.Repeat("\x00", 80<<20))
	encrypted := zipOf(t, "CVE-2024-1001.json", cveRecord(1001))
	at := bytes.Index(encrypted, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint16(encrypted[at+8:], 1)
	for _, c := range []struct {
		name, says string
		text       []byte
	}{
		{"cut off", "damaged or breaks off", good[:len(good)-10]},
		{"a page", "HTML", []byte("<!DOCTYPE html><html>Log in")},
		{"empty", "empty", nil},
		{"an archive of nothing", "no CVE record", zipOf(t)},
		{"encrypted", "no CVE record", encrypted},
		{"a bomb", "", bomb},
	} {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, "cvelistV5-main.zip"), c.text)
		_, s, err := gatherCVEs(t, dir, nil)
		if c.says == "" {
			if err != nil || len(s.CVEs) != 1 || len(s.Rejected) != 1 {
				t.Errorf("%s: %v, %v", c.name, s.Rejected, err)
			}
			continue
		}
		if fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAnArchiveUnderAnotherNameIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "cve5.ndjson"), zipOf(t, "CVE-2024-1001.json", cveRecord(1001)))
	if _, _, err := gatherCVEs(t, dir, nil); err == nil || !strings.Contains(err.Error(), "a zip archive, want") {
		t.Error(err)
	}
}

func TestACheckoutIsGatheredAsAFewFilesThatKnowWhatChanged(t *testing.T) {
	dir := t.TempDir()
	path := func(n int) string {
		return filepath.Join(dir, "cves", "2024", fmt.Sprintf("%dxxx", n/1000), fmt.Sprintf("CVE-2024-%04d.json", n))
	}
	for n := 1001; n < 4000; n += 500 {
		writeFile(t, path(n), []byte(cveRecord(n)))
	}
	writeFile(t, path(1002), []byte("<html>"))
	writeFile(t, filepath.Join(dir, "cves", "deltaLog.json"), []byte("[]"))
	files, s, err := gatherCVEs(t, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	seen := map[string]string{}
	for _, f := range files {
		names = append(names, f.Name)
		seen["cvelist/"+f.Name] = f.Checksum
	}
	if diff := cmp.Diff([]string{"CVE-2024-1xxx.json", "CVE-2024-2xxx.json", "CVE-2024-3xxx.json"}, names); diff != "" {
		t.Error(diff)
	}
	if len(s.CVEs) != 6 || len(s.Rejected) != 1 || !strings.HasPrefix(s.Rejected[0], "CVE-2024-1xxx.json: CVE-2024-1002.json") {
		t.Errorf("%v, rejected %v", ids(s.CVEs), s.Rejected)
	}
	later := time.Now().Add(time.Second)
	if err := os.Chtimes(path(2001), later, later); err != nil {
		t.Fatal(err)
	}
	files, _, err = gatherCVEs(t, dir, seen)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Unchanged == (f.Name == "CVE-2024-2xxx.json") {
			t.Errorf("%s: unchanged %v", f.Name, f.Unchanged)
		}
	}
}

func TestArchiveIsFetchedUnderItsOwnName(t *testing.T) {
	good := zipOf(t, "cvelistV5-main/cves/CVE-2024-1001.json", cveRecord(1001))
	answers := map[string][]byte{"good": good, "page": []byte("<html>"), "text": []byte("not found"), "cut": good[:len(good)/2]}
	for name, text := range answers {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/cvelistV5-main.zip" {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_, _ = w.Write(text)
		}))
		g, err := feed.Gather(context.Background(), feed.Options{
			Publishers: []feed.Publisher{cvelist.Reader{}}, Client: http.DefaultClient, Dir: t.TempDir(),
			URLs: map[string]string{"cvelist": server.URL}, Sleep: func(context.Context, time.Duration) error { return nil },
		})
		server.Close()
		if err != nil {
			t.Fatal(err)
		}
		got := g.Feeds[0]
		if name != "good" {
			if fault.KindOf(got.Err) != fault.KindInvalid {
				t.Errorf("%s: %v", name, got.Err)
			}
			continue
		}
		var s feedtest.Sink
		if got.Err != nil || feed.ReadFile(context.Background(), cvelist.Reader{}, got.Files[0], &s) != nil || len(s.CVEs) != 1 {
			t.Errorf("%s: %v, %v", name, got.Err, s.Rejected)
		}
	}
}

func TestJSONLinesKnowTheirNumbers(t *testing.T) {
	lines := feed.NewJSONLines(feed.File{Name: "x"}, strings.NewReader("a\r\n\n "+strings.Repeat("b", 300_000)+" \n"+
		strings.Repeat("c", 400_001)+"\nlast"), 400_000)
	var got []string
	for {
		line, err := lines.Next()
		var bad *feed.RowError
		switch {
		case err == io.EOF:
			want := []string{"x line 1 a 1", "x line 3 b 300000", "x line 4 line is too long", "x line 5 l 4"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			return
		case errors.As(err, &bad):
			got = append(got, lines.Place()+" "+bad.Reason)
		case err != nil:
			t.Fatal(err)
		default:
			got = append(got, fmt.Sprintf("%s %c %d", lines.Place(), line[0], len(line)))
		}
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(zipOf(f, "CVE-2024-1001.json", cveRecord(1001)))
	f.Add(zipOf(f, "a.zip", string(zipOf(f, "CVE-2024-1001.json", cveRecord(1001)))))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "cvelistV5-x.zip")
		writeFile(t, path, text)
		file, err := feed.Local(context.Background(), "cvelist", path, nil)
		if err != nil {
			t.Fatal(err)
		}
		var s feedtest.Sink
		if err := feed.ReadFile(context.Background(), cvelist.Reader{}, file, &s); err != nil && fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("error of kind %q: %v", fault.KindOf(err), err)
		}
	})
}
