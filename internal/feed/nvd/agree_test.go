package nvd_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/nvd"
)

// document is NVD's shape for encoding/json, as its schema 2.0 says.
type document struct {
	Vulnerabilities []struct {
		CVE struct {
			ID, SourceIdentifier, Published, LastModified, VulnStatus string
			Descriptions                                              []struct{ Lang, Value string }
			Metrics                                                   map[string][]struct {
				Source, Type string
				CVSSData     struct {
					Version, VectorString string
					BaseScore             *float64
				}
			}
			Weaknesses []struct {
				Description []struct{ Value string }
			}
			Configurations []struct {
				Operator string
				Negate   bool
				Nodes    []struct {
					Operator string
					Negate   bool
					CPEMatch []struct {
						Vulnerable                                                                                       bool
						Criteria, VersionStartIncluding, VersionStartExcluding, VersionEndIncluding, VersionEndExcluding string
					}
				}
			}
			References []struct {
				URL  string
				Tags []string
			}
		}
	}
}

// TestReadAgreesWithEncodingJSON compares every record of $FEEDS/nvd with what the standard library reads. By hand.
func TestReadAgreesWithEncodingJSON(t *testing.T) {
	dir := os.Getenv("FEEDS")
	if dir == "" {
		t.Skip("FEEDS names no folder of feeds")
	}
	names, err := filepath.Glob(filepath.Join(dir, "nvd", "nvdcve-2.0-*.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		var doc document
		unzip(t, name, func(z *gzip.Reader) error { return json.NewDecoder(z).Decode(&doc) })
		var want [][]string
		for _, v := range doc.Vulnerabilities {
			c := v.CVE
			facts := []string{c.ID, c.SourceIdentifier, millis(c.Published), millis(c.LastModified), c.VulnStatus}
			for _, d := range c.Descriptions {
				if d.Lang == "en" {
					facts = append(facts, printable(d.Value))
					break
				}
			}
			var more []string
			for _, ms := range c.Metrics {
				for _, m := range ms {
					if m.CVSSData.BaseScore != nil {
						more = append(more, line(m.Source, m.Type == "Primary", m.CVSSData.Version, m.CVSSData.VectorString, *m.CVSSData.BaseScore))
					}
				}
			}
			for _, w := range c.Weaknesses {
				for _, d := range w.Description {
					if strings.HasPrefix(d.Value, "CWE-") && !slices.Contains(more, d.Value) {
						more = append(more, d.Value)
					}
				}
			}
			for _, r := range c.References {
				if u := printable(r.URL); !slices.Contains(more, u) {
					more = append(more, u)
				}
				for _, tag := range r.Tags {
					if tag = r.URL + " " + tag; !slices.Contains(more, tag) {
						more = append(more, tag)
					}
				}
			}
			for _, config := range c.Configurations {
				for _, n := range config.Nodes {
					for _, m := range n.CPEMatch {
						more = append(more, line(m.Criteria, m.Vulnerable, m.VersionStartIncluding, m.VersionStartExcluding,
							m.VersionEndIncluding, m.VersionEndExcluding))
					}
				}
			}
			slices.Sort(more)
			want = append(want, append(facts, more...))
		}
		var c collector
		unzip(t, name, func(z *gzip.Reader) error {
			return nvd.Reader{}.Read(context.Background(), feed.File{Name: filepath.Base(name)}, z, &c)
		})
		if len(c.records) != len(want) {
			t.Fatalf("%s: %d records, want %d", name, len(c.records), len(want))
		}
		for i, r := range c.records {
			const layout = "2006-01-02T15:04:05.000"
			facts := []string{r.ID.String(), r.Source, r.Published.Format(layout), r.Modified.Format(layout), r.Status}
			if r.Description != "" {
				facts = append(facts, r.Description)
			}
			var more []string
			for _, m := range r.Metrics {
				more = append(more, line(m.Source, m.Primary, m.Version, m.Vector, m.Score))
			}
			more = append(more, r.CWEs...)
			for _, ref := range r.References {
				more = append(more, ref.URL)
				for _, tag := range ref.Tags {
					more = append(more, ref.URL+" "+tag)
				}
			}
			for _, n := range r.Configurations {
				parts := append(slices.Clone(n.Children), n)
				for _, part := range parts {
					for _, m := range part.Matches {
						more = append(more, line(m.Criteria, m.Vulnerable, m.StartIncluding, m.StartExcluding, m.EndIncluding, m.EndExcluding))
					}
				}
			}
			slices.Sort(more)
			if diff := cmp.Diff(want[i], append(facts, more...)); diff != "" {
				t.Errorf("%s %s: %s", filepath.Base(name), r.ID, diff)
			}
		}
	}
}

// millis writes out the milliseconds that some sources leave away.
func millis(text string) string {
	if len(text) == len("2006-01-02T15:04:05") {
		text += ".000"
	}
	return text
}

func line(values ...any) string {
	b, _ := json.Marshal(values)
	return string(b)
}

// printable leaves control characters out as the reader does.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r >= 0x7f && r <= 0x9f {
			return -1
		}
		return r
	}, s)
}

func unzip(t *testing.T, name string, read func(*gzip.Reader) error) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := read(z); err != nil {
		t.Fatal(err)
	}
}
