package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

const (
	changedCVEs = 500
	scoredCVEs  = 270_000
)

// daily loads a day's change. What it makes of the databases is what the rest of the run works on; a kept SQLite stays as
// it is, a copy takes its place.
func (b *bench) daily(ctx context.Context) error {
	lite, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	day := filepath.Join(b.work, "day")
	if err := makeDay(ctx, b.feeds, day); err != nil {
		return err
	}
	fmt.Printf("daily change (%d CVEs in NVD's modified file, a new EPSS day of %d)\n", changedCVEs, scoredCVEs)
	copied := &database{name: lite.name, dir: filepath.Join(b.work, "sqlite-day")}
	if err := os.CopyFS(copied.dir, os.DirFS(lite.dir)); err != nil {
		return err
	}
	b.lite = copied
	u, err := b.load(ctx, b.lite, day)
	if err != nil {
		return err
	}
	if err := loadedDay(u.stdout); err != nil {
		return err
	}
	b.figure("into SQLite", u.wall.Seconds(), 15, "s")
	b.note("into SQLite", u.cpu.Seconds(), "CPU s")
	b.note("into SQLite, peak memory", u.peak/mega, "MB")
	return b.dailyPostgres(ctx, day)
}

func (b *bench) dailyPostgres(ctx context.Context, day string) error {
	server, err := b.loadedPostgres(ctx)
	if err != nil || server == nil {
		return err
	}
	u, err := server.load(ctx, b, day)
	if err != nil {
		return err
	}
	if err := loadedDay(u.stdout); err != nil {
		return err
	}
	b.note("into PostgreSQL (no limit is set)", u.wall.Seconds(), "s")
	b.note("into PostgreSQL, patchscout", u.cpu.Seconds(), "CPU s")
	b.note("into PostgreSQL, the server", u.server.Seconds(), "CPU s")
	return nil
}

// loadedDay checks that the day was really taken in.
func loadedDay(document []byte) error {
	var doc syncDocument
	if err := json.Unmarshal(document, &doc); err != nil {
		return err
	}
	want := map[string]int{"nvd": changedCVEs, "epss": scoredCVEs}
	for _, r := range doc.Runs {
		// A score may have stayed what it was.
		if r.Inserted+r.Updated < want[r.Feed]*9/10 {
			return fmt.Errorf("%s: %d of %d were taken in", r.Feed, r.Inserted+r.Updated, want[r.Feed])
		}
		delete(want, r.Feed)
	}
	if len(want) > 0 {
		return fmt.Errorf("not loaded: %v", want)
	}
	return nil
}

// makeDay writes the files that NVD and FIRST would have published the day after those below feeds.
func makeDay(ctx context.Context, feeds, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := writeModified(feeds, dir); err != nil {
		return fmt.Errorf("make NVD's modified file: %w", err)
	}
	if err := writeScores(ctx, feeds, dir); err != nil {
		return fmt.Errorf("make an EPSS day: %w", err)
	}
	return nil
}

// envelope is an NVD 2.0 file.
type envelope struct {
	ResultsPerPage  int    `json:"resultsPerPage"`
	StartIndex      int    `json:"startIndex"`
	TotalResults    int    `json:"totalResults"`
	Format          string `json:"format"`
	Version         string `json:"version"`
	Timestamp       string `json:"timestamp"`
	Vulnerabilities []item `json:"vulnerabilities"`
}

type item struct {
	CVE map[string]json.RawMessage `json:"cve"`
}

// writeModified takes CVEs evenly from the newest two years.
func writeModified(feeds, dir string) error {
	files, err := nvdFiles(feeds)
	if err != nil {
		return err
	}
	var all []item
	var out envelope
	for _, path := range files[max(0, len(files)-2):] {
		text, err := gunzip(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		out.Vulnerabilities = nil
		if err := json.Unmarshal(text, &out); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, out.Vulnerabilities...)
	}
	if len(all) < changedCVEs {
		return fmt.Errorf("only %d CVEs in the newest two files", len(all))
	}
	now := time.Now().UTC()
	out.Vulnerabilities = every(all, changedCVEs)
	for _, v := range out.Vulnerabilities {
		if err := revise(v.CVE, now); err != nil {
			return err
		}
	}
	out.Timestamp = now.Format(nvdTime)
	out.ResultsPerPage, out.StartIndex, out.TotalResults = changedCVEs, 0, changedCVEs
	return writeWithMeta(dir, "nvdcve-2.0-modified", out, now)
}

const nvdTime = "2006-01-02T15:04:05.000"

// The two scores between which a revised CVE goes over.
const (
	scoreCritical = `{"version":"3.1","vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","baseScore":9.8,"baseSeverity":"CRITICAL"}`
	scoreHigh     = `{"version":"3.1","vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N","baseScore":7.5,"baseSeverity":"HIGH"}`
)

// revise gives a CVE a new date, a longer description and another score.
func revise(record map[string]json.RawMessage, now time.Time) (err error) {
	var descriptions []map[string]string
	if err := json.Unmarshal(record["descriptions"], &descriptions); err != nil {
		return err
	}
	for _, d := range descriptions {
		d["value"] += " The affected versions were revised."
	}
	score := scoreCritical
	if bytes.Contains(record["metrics"], []byte("C:H/I:H/A:H")) {
		score = scoreHigh
	}
	if record["descriptions"], err = json.Marshal(descriptions); err != nil {
		return err
	}
	record["metrics"] = json.RawMessage(`{"cvssMetricV31":[{"source":"nvd@nist.gov","type":"Primary","cvssData":` + score + `}]}`)
	record["lastModified"] = json.RawMessage(`"` + now.Format(nvdTime) + `"`)
	return nil
}

func writeWithMeta(dir, name string, document any, now time.Time) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	zipped, err := writeZipped(filepath.Join(dir, name+".json.gz"), text)
	if err != nil {
		return err
	}
	meta := fmt.Sprintf("lastModifiedDate:%s\r\nsize:%d\r\nzipSize:%d\r\ngzSize:%d\r\nsha256:%X\r\n",
		now.Format(time.RFC3339), len(text), zipped, zipped, sha256.Sum256(text))
	return os.WriteFile(filepath.Join(dir, name+".meta"), []byte(meta), 0o600)
}

func writeZipped(path string, text []byte) (size int, err error) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write(text); err != nil {
		return 0, err
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	return zipped.Len(), os.WriteFile(path, zipped.Bytes(), 0o600)
}

var (
	cveID    = regexp.MustCompile(`"id"\s*:\s*"(CVE-[0-9]{4}-[0-9]{4,9})"`)
	epssFile = regexp.MustCompile(`^epss_scores-([0-9]{4}-[0-9]{2}-[0-9]{2})\.csv\.gz$`)
	scoreRow = regexp.MustCompile(`(?m)^(CVE-[0-9]{4}-[0-9]{4,9}),`)
)

// writeScores writes the day after the newest below feeds, with scores that are the same in each run.
func writeScores(ctx context.Context, feeds, dir string) error {
	newest, day, err := newestScores(feeds)
	if err != nil {
		return err
	}
	ids, err := scoredIDs(ctx, feeds, newest)
	if err != nil {
		return err
	}
	day = day.AddDate(0, 0, 1)
	var text bytes.Buffer
	fmt.Fprintf(&text, "#model_version:v1.0.0,score_date:%s\ncve,epss,percentile\n", day.Format("2006-01-02T15:04:05-0700"))
	scores := inventScores(len(ids))
	sorted := slices.Sorted(slices.Values(scores))
	for i, id := range ids {
		place, _ := slices.BinarySearch(sorted, scores[i])
		fmt.Fprintf(&text, "%s,%.5f,%.5f\n", id, scores[i], float64(place)/float64(len(sorted)))
	}
	_, err = writeZipped(filepath.Join(dir, "epss_scores-"+day.Format(time.DateOnly)+".csv.gz"), text.Bytes())
	return err
}

// scoredIDs are all that were scored the day before, since FIRST drops none, and as many more of NVD's as are wanted.
func scoredIDs(ctx context.Context, feeds, newest string) ([]string, error) {
	text, err := gunzip(newest)
	if err != nil {
		return nil, err
	}
	scored := map[string]bool{}
	for _, m := range scoreRow.FindAllSubmatch(text, -1) {
		scored[string(m[1])] = true
	}
	known, err := mentioned(ctx, feeds, cveID)
	if err != nil {
		return nil, err
	}
	known = slices.DeleteFunc(known, func(id string) bool { return scored[id] })
	if len(known)+len(scored) < scoredCVEs {
		return nil, fmt.Errorf("only %d CVEs in the files", len(known)+len(scored))
	}
	ids := slices.AppendSeq(every(known, max(0, scoredCVEs-len(scored))), maps.Keys(scored))
	slices.Sort(ids)
	return ids, nil
}

// inventScores has most near the bottom and a thin tail up to one, as the real ones are.
func inventScores(n int) []float64 {
	random := rand.New(rand.NewPCG(3, 270_000))
	scores := make([]float64, n)
	for i := range scores {
		scores[i] = math.Pow(10, -4+4*math.Pow(random.Float64(), 3))
	}
	return scores
}

// newestScores finds the EPSS file of the newest day.
func newestScores(dir string) (newest string, day time.Time, err error) {
	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		m := epssFile.FindStringSubmatch(filepath.Base(path))
		if err != nil || m == nil {
			return err
		}
		at, err := time.Parse(time.DateOnly, m[1])
		if at.After(day) {
			newest, day = path, at
		}
		return err
	})
	if err == nil && newest == "" {
		err = fmt.Errorf("no epss_scores-YYYY-MM-DD.csv.gz below %s", dir)
	}
	return newest, day, err
}
