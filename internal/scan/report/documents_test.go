package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/intake"
	"github.com/patchscout/patchscout/internal/scan/scantest"
)

// try is what every format must pass.
func try(t *testing.T, r scan.Reader, pattern string) {
	t.Run("golden", func(t *testing.T) { scantest.Golden(t, r, pattern) })
	t.Run("stops", func(t *testing.T) { scantest.Stops(t, r, pattern) })
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) < 2 {
		t.Fatalf("want two dialects at least: %v, %v", paths, err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			detectedByOne(t, r, raw)
			sameInAnyEncoding(t, r, raw)
			cutAnywhere(t, r, raw)
			notAnothers(t, r, path)
		})
	}
}

func detectedByOne(t *testing.T, r scan.Reader, raw []byte) {
	t.Helper()
	for _, other := range All() {
		head, _ := intake.Head(bytes.NewReader(raw))
		if got, want := other.Detect(head), other.Name() == r.Name(); got != want {
			t.Errorf("%s detects it: %v, want %v", other.Name(), got, want)
		}
	}
}

func sameInAnyEncoding(t *testing.T, r scan.Reader, raw []byte) {
	t.Helper()
	want, wantErr := scantest.Read(t, r, raw)
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string][]byte{
		"byte order mark": append([]byte("\xef\xbb\xbf"), raw...),
		"UTF-16":          utf16,
		"CRLF":            bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n")),
	} {
		got, err := scantest.Read(t, r, other)
		if diff := cmp.Diff(countRecords(want), countRecords(got)); diff != "" || (err == nil) != (wantErr == nil) {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func countRecords(events []finding.Event) (n int) {
	for _, e := range events {
		n += scan.Records(e)
	}
	return n
}

// cutAnywhere: what stands before the cut is told, never more than the whole has, and the cut is told too.
func cutAnywhere(t *testing.T, r scan.Reader, raw []byte) {
	t.Helper()
	whole, wholeErr := scantest.Read(t, r, raw)
	if wholeErr != nil {
		return
	}
	last := 0
	for n := 0; n < len(raw); n += max(1, len(raw)/300) {
		got, err := scantest.Read(t, r, raw[:n])
		found := countRecords(got)
		switch table := !strings.Contains("{[<", string(raw[0])); {
		case found > countRecords(whole), found < last && !table:
			t.Fatalf("cut at byte %d: %d records after %d, of %d", n, found, last, countRecords(whole))
		case found < countRecords(whole) && err == nil && table: // a table has no end that could be missing
		case found < countRecords(whole) && err == nil:
			t.Fatalf("cut at byte %d: %d of %d records and no error", n, found, countRecords(whole))
		case err != nil && !errors.Is(err, scan.ErrTruncated) && found > 0:
			t.Fatalf("cut at byte %d: %v", n, err)
		}
		last = found
	}
}

// notAnothers: a report that is given to the wrong reader is refused, never taken for a clean one.
func notAnothers(t *testing.T, r scan.Reader, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range All() {
		if other.Name() == r.Name() || other.Name() == "generic" { // which takes any table of findings that it is told to take
			continue
		}
		events, err := scantest.Read(t, other, raw)
		if len(events) > 0 || err == nil {
			t.Errorf("%s reads it: %d events, %v", other.Name(), len(events), err)
		}
	}
}

// fuzz seeds a fuzz target with the reports that match pattern.
func fuzz(f *testing.F, r scan.Reader, pattern string) {
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, err := scantest.Read(t, r, raw)
		if err != nil && !errors.Is(err, scan.ErrTruncated) && fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("an error of another kind: %v", err)
		}
		head, _ := intake.Head(bytes.NewReader(raw))
		r.Detect(head)
	})
}

// large reads a report of the size of a hundred million bytes, of a tenth in short mode.
func large(t *testing.T, r scan.Reader, l scantest.Large, perItem, extra int) {
	t.Helper()
	l.Size = 100 << 20
	if testing.Short() {
		l.Size = 10 << 20
	}
	scantest.Bounded(t, r, &l, perItem, extra)
}

func read(t *testing.T, r scan.Reader, raw string) (observations []finding.Observation, drops map[string]int, err error) {
	t.Helper()
	drops = map[string]int{}
	events, err := scantest.Read(t, r, []byte(raw))
	for _, e := range events {
		if e.Observation != nil {
			observations = append(observations, *e.Observation)
		}
		if e.Drop != nil {
			drops[e.Drop.Reason] += e.Drop.Count
		}
	}
	return observations, drops, err
}

func TestOddDocumentsAreRefusedNotClean(t *testing.T) {
	for _, r := range All() {
		for _, raw := range []string{`{}`, `[]`, `{"a":1}`, `null`, `"x"`, `[[]]`, `<a/>`, `a,b` + "\n1,2\n", "\x00\x01\x02", strings.Repeat("[", 1000)} {
			events, err := scantest.Read(t, r, []byte(raw))
			if len(events) > 0 || err == nil {
				t.Errorf("%s: %.20q: %d events, error %v", r.Name(), raw, len(events), err)
			}
		}
	}
}

// JSON's members come in any order: a report whose members are sorted by name says the same.
func TestMembersComeInAnyOrder(t *testing.T) {
	for pattern, r := range map[string]scan.Reader{
		"testdata/sarif-*.json": sarif{}, "testdata/trivy-*.json": trivy{}, "testdata/grype-*.json": grype{},
		"testdata/cyclonedx-*.json": cyclonedx{}, "testdata/openvex-*.json": openvex{}, "testdata/csaf-*.json": csaf{}, "testdata/generic-*.json": generic{},
	} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var tree any
			if err := json.Unmarshal(raw, &tree); err != nil {
				t.Fatal(path, err)
			}
			sorted, err := json.Marshal(tree)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := scantest.Read(t, r, raw)
			got, _ := scantest.Read(t, r, sorted)
			if diff := cmp.Diff(inOrder(t, want), inOrder(t, got)); diff != "" {
				t.Errorf("%s: %s", path, diff)
			}
		}
	}
}

// inOrder prints events, sorted.
func inOrder(t *testing.T, events []finding.Event) (lines []string) {
	t.Helper()
	for _, e := range events {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	slices.Sort(lines)
	return lines
}

func TestAnEmptyGenericReportIsClean(t *testing.T) {
	if got, drops, err := read(t, generic{}, `{"findings":[]}`); err != nil || len(got) > 0 || len(drops) > 0 {
		t.Error(got, drops, err)
	}
}
