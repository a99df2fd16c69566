package feed_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/nvd"
)

// nvdText is an NVD file with one CVE of the year and number.
func nvdText(year, n int) string {
	return fmt.Sprintf(`{"vulnerabilities":[{"cve":{"id":"CVE-%04d-%04d"}}]}`, year, n)
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

func meta(text string) string {
	return fmt.Sprintf("lastModifiedDate:2024-07-01T03:00:00-04:00\r\nsize:%d\r\nzipSize:1\r\ngzSize:1\r\nsha256:%s\r\n",
		len(text), strings.ToUpper(sum(text)))
}

// write makes files below a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func gather(t *testing.T, o feed.Options) feed.Gathering {
	t.Helper()
	o.Publishers = publishers
	g, err := feed.Gather(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// names lists a gathering as "feed/name", with marks.
func names(g feed.Gathering) []string {
	var out []string
	for _, f := range g.Feeds {
		if f.Err != nil {
			out = append(out, f.Feed+" !"+string(fault.KindOf(f.Err)))
		}
		for _, file := range f.Files {
			name := f.Feed + "/" + file.Name
			if file.Partial {
				name += " partial"
			}
			if file.Unchanged {
				name += " unchanged"
			}
			out = append(out, name)
		}
	}
	return out
}

// load reads all files of one feed and returns how many records they hold.
func load(g feed.Gathered) (int, error) {
	if g.Err != nil {
		return 0, g.Err
	}
	var sink tally
	for _, p := range publishers {
		for _, f := range g.Files {
			if p.Feed() != f.Feed {
				continue
			}
			if err := feed.ReadFile(context.Background(), p, f, &sink); err != nil {
				return sink.records, err
			}
		}
	}
	return sink.records, nil
}

const epssText = "cve,epss,percentile\nCVE-2014-0160,0.9,0.9\n"

func TestFilesAreKnownByNameAnywhereBelowAFolder(t *testing.T) {
	dir := write(t, map[string]string{
		"nvdcve-2.0-2024.json":                      nvdText(2024, 6387),
		"a/b/c/nvdcve-2.0-2014.json.gz":             zipped(nvdText(2014, 160)),
		"a/b/c/nvdcve-2.0-2014.meta":                meta(nvdText(2014, 160)),
		"nvd/nvdcve-2.0-modified.json":              nvdText(2024, 1),
		"nvd/nvdcve-2.0-recent.json":                nvdText(2024, 2),
		"old/nvdcve-2.0-2024.json.gz":               zipped(nvdText(2023, 1)),
		"epss/epss_scores-current.csv":              epssText,
		"epss/epss_scores-2024-07-02.csv.gz":        zipped(epssText),
		"epss/epss_scores-2021-04-14.csv":           epssText,
		"x/known_exploited_vulnerabilities.json":    `{"vulnerabilities":[]}`,
		"x/known_exploited_vulnerabilities.json.gz": zipped(`{"vulnerabilities":[]}`),
		"README.txt":                                 "x",
		".git/nvdcve-2.0-2002.json":                  "x",
		"epss/epss_scores-2021-04-14.csv.gz.partial": "x",
	})
	os.Symlink(dir, filepath.Join(dir, "a", "loop"))
	os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "dangling.json"))
	g := gather(t, feed.Options{From: dir})
	want := []string{
		"nvd/nvdcve-2.0-2014.json", "nvd/nvdcve-2.0-2024.json", "nvd/nvdcve-2.0-recent.json partial", "nvd/nvdcve-2.0-modified.json partial",
		"kev/known_exploited_vulnerabilities.json",
		"epss/epss_scores-2021-04-14.csv", "epss/epss_scores-2024-07-02.csv", "epss/epss_scores-current.csv",
	}
	if diff := cmp.Diff(want, names(g)); diff != "" {
		t.Error(diff)
	}
	unknown := []string{
		"README.txt", "epss/epss_scores-2021-04-14.csv.gz.partial", "old/nvdcve-2.0-2024.json.gz",
		"x/known_exploited_vulnerabilities.json",
	}
	if diff := cmp.Diff(unknown, g.Unknown); diff != "" {
		t.Errorf("unknown: %s", diff)
	}
	if n, err := load(g.Feeds[0]); n != 4 || err != nil {
		t.Errorf("%d records of nvd, %v", n, err)
	}
}

func TestOnlyWhatChangedIsMarkedForLoading(t *testing.T) {
	dir := write(t, map[string]string{"nvdcve-2.0-2023.json": nvdText(2023, 1), "nvdcve-2.0-2024.json.gz": zipped(nvdText(2024, 1))})
	g := gather(t, feed.Options{From: dir})
	seen := map[string]string{}
	for _, f := range g.Feeds[0].Files {
		seen[f.Feed+"/"+f.Name] = f.Checksum
	}
	g = gather(t, feed.Options{From: dir, Seen: seen})
	if diff := cmp.Diff([]string{"nvd/nvdcve-2.0-2023.json unchanged", "nvd/nvdcve-2.0-2024.json unchanged"}, names(g)); diff != "" || g.Feeds[0].Changed() {
		t.Errorf("changed %v: %s", g.Feeds[0].Changed(), diff)
	}
	if err := os.WriteFile(filepath.Join(dir, "nvdcve-2.0-2023.json"), []byte(nvdText(2023, 2)), 0o644); err != nil {
		t.Fatal(err)
	}
	g = gather(t, feed.Options{From: dir, Seen: seen})
	if diff := cmp.Diff([]string{"nvd/nvdcve-2.0-2023.json", "nvd/nvdcve-2.0-2024.json unchanged"}, names(g)); diff != "" || !g.Feeds[0].Changed() {
		t.Errorf("changed %v: %s", g.Feeds[0].Changed(), diff)
	}
}

func TestAskedFeedsAndWhatIsNotThere(t *testing.T) {
	dir := write(t, map[string]string{"nvdcve-2.0-2024.json": nvdText(2024, 1), "epss_scores-current.csv": epssText})
	g := gather(t, feed.Options{From: dir, Feeds: []string{"kev", "nvd"}})
	if diff := cmp.Diff([]string{"nvd/nvdcve-2.0-2024.json", "kev !not_found"}, names(g)); diff != "" || len(g.Unknown) > 0 {
		t.Errorf("unknown %v: %s", g.Unknown, diff)
	}
	g = gather(t, feed.Options{From: dir, Enabled: []string{"kev", "epss"}})
	if diff := cmp.Diff([]string{"epss/epss_scores-current.csv"}, names(g)); diff != "" {
		t.Error(diff)
	}
	one := gather(t, feed.Options{From: filepath.Join(dir, "nvdcve-2.0-2024.json")})
	if diff := cmp.Diff([]string{"nvd/nvdcve-2.0-2024.json"}, names(one)); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		o    feed.Options
		kind fault.Kind
		want string
	}{
		{feed.Options{Feeds: []string{"nvdd"}}, fault.KindInvalid, `unknown feed "nvdd": want nvd, kev, epss, exploitdb`},
		{feed.Options{From: filepath.Join(dir, "nowhere")}, fault.KindNotFound, "no such file"},
		{feed.Options{From: t.TempDir()}, fault.KindNotFound, "no feed file below"},
		{feed.Options{From: os.DevNull}, fault.KindInvalid, "neither a folder nor a file"},
		{feed.Options{From: "https://user:pw@example.org/"}, fault.KindInvalid, "needs an HTTP client"},
	} {
		c.o.Publishers = publishers
		_, err := feed.Gather(context.Background(), c.o)
		if err == nil || fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s (%s)", err, c.want, c.kind)
		}
	}
}

func TestDamagedFilesFailBeforeTheirEnd(t *testing.T) {
	text := nvdText(2024, 6387)
	bomb := zipped(`{"x":"` + strings.Repeat(" ", 100<<20) + `"}`)
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"truncated gzip", map[string]string{"nvdcve-2.0-2024.json.gz": zipped(text)[:30]}, "gzip stream breaks off after 30 bytes"},
		{"gzip without its end", map[string]string{"nvdcve-2.0-2024.json.gz": zipped(text)[:len(zipped(text))-8]}, "gzip stream breaks off"},
		{"damaged gzip", map[string]string{"nvdcve-2.0-2024.json.gz": strings.Replace(zipped(text), zipped(text)[20:24], "\xff\xff\xff\xff", 1)}, "gzip stream is damaged"},
		{"wrong checksum", map[string]string{"nvdcve-2.0-2024.json.gz": zipped(text), "nvdcve-2.0-2024.meta": meta(nvdText(2024, 6388))}, "wrong checksum"},
		{"shorter than .meta", map[string]string{"nvdcve-2.0-2024.json": text, "nvdcve-2.0-2024.meta": meta(text + " ")}, "its .meta says"},
		{"longer than .meta", map[string]string{"nvdcve-2.0-2024.json": text + "  ", "nvdcve-2.0-2024.meta": meta(text)}, "unpacks to more than"},
		{"bad .meta", map[string]string{"nvdcve-2.0-2024.json": text, "nvdcve-2.0-2024.meta": "<html>"}, "this is no .meta file"},
		{"bomb", map[string]string{"nvdcve-2.0-2024.json.gz": bomb}, "unpacks to more than 200 times its size"},
		{"HTML", map[string]string{"nvdcve-2.0-2024.json": "<html>"}, "an HTML or XML page"},
		{"zip", map[string]string{"nvdcve-2.0-2024.json": "PK\x03\x04"}, "a zip archive"},
	} {
		g := gather(t, feed.Options{From: write(t, c.files)})
		_, err := load(g.Feeds[0])
		if err == nil || fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), "nvdcve-2.0-2024") {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestFileThatChangesMeanwhileIsAConflict(t *testing.T) {
	dir := write(t, map[string]string{"nvdcve-2.0-2024.json": nvdText(2024, 1)})
	g := gather(t, feed.Options{From: dir})
	if err := os.WriteFile(filepath.Join(dir, "nvdcve-2.0-2024.json"), []byte(nvdText(2024, 2)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := load(g.Feeds[0]); fault.KindOf(err) != fault.KindConflict {
		t.Errorf("error %v", err)
	}
}

func TestReadHookCountsStoredBytes(t *testing.T) {
	dir := write(t, map[string]string{"nvdcve-2.0-2024.json.gz": zipped(nvdText(2024, 1))})
	var n int64
	g := gather(t, feed.Options{From: dir, Read: func(f string, more int64) {
		if f == "nvd" {
			n += more
		}
	}})
	if _, err := load(g.Feeds[0]); err != nil || n != g.Feeds[0].Size() {
		t.Errorf("%d of %d bytes, %v", n, g.Feeds[0].Size(), err)
	}
}

func TestTallyIsBounded(t *testing.T) {
	var tally feed.Tally
	for i := range 1000 {
		tally.Reject(fmt.Sprint("line ", i), fmt.Sprint("reason ", i%30))
	}
	reasons := tally.Reasons()
	if tally.Count() != 1000 || len(reasons) != 21 || reasons[0].Reason != "other reasons" || len(reasons[0].Places) != 3 {
		t.Errorf("%d, %v", tally.Count(), reasons)
	}
	total := 0
	for _, r := range reasons {
		total += r.Count
	}
	if total != 1000 {
		t.Errorf("%d counted", total)
	}
}

func FuzzParseMeta(f *testing.F) {
	f.Add(meta("x"))
	f.Fuzz(func(t *testing.T, text string) {
		m, err := feed.ParseMeta("x.meta", strings.NewReader(text))
		if err == nil && (len(m.SHA256) != 64 || m.Size < -1) {
			t.Errorf("%+v", m)
		}
	})
}

var _ feed.Fallback = (*nvd.API)(nil)
