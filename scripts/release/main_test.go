package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/report"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// small is a release of this program, which is built in a second.
func small(t *testing.T, out string) release {
	t.Helper()
	return release{version: "1.2.3", pkg: "./scripts/release", root: "../..", out: out, at: at, targets: []target{{"linux", "amd64"}, {"windows", "amd64"}}}
}

func TestTwoReleasesAreTheSameBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds for another system")
	}
	first, second := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	for _, out := range []string{first, second} {
		if err := small(t, out).make(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	sums := [2]string{}
	for i, out := range []string{first, second} {
		b, err := os.ReadFile(filepath.Join(out, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = string(b)
	}
	if sums[0] != sums[1] || strings.Count(sums[0], "\n") != 4 {
		t.Errorf("sums\n%sand\n%s", sums[0], sums[1])
	}
	for line := range strings.Lines(sums[0]) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		content, err := os.ReadFile(filepath.Join(first, name))
		if err != nil || fmt.Sprintf("%x", sha256.Sum256(content)) != sum {
			t.Errorf("%s: its sum is wrong, %v", name, err)
		}
	}
	checkTar(t, filepath.Join(first, "patchscout_1.2.3_linux_amd64.tar.gz"))
	checkZip(t, filepath.Join(first, "patchscout_1.2.3_windows_amd64.zip"))
}

func checkTar(t *testing.T, path string) {
	t.Helper()
	packed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, strings.TrimPrefix(h.Name, "patchscout_1.2.3_linux_amd64/"))
		if !h.ModTime.Equal(at) || h.Uid != 0 || h.Uname != "" {
			t.Errorf("%s tells who packed it, or when: %+v", h.Name, h)
		}
		if program := filepath.Base(h.Name) == "patchscout"; program != (h.Mode&0o111 != 0) {
			t.Errorf("%s has mode %o", h.Name, h.Mode)
		}
		if filepath.Base(h.Name) != "patchscout" {
			continue
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(sourceFolder(t))) {
			t.Error("the program tells in which folder it was built")
		}
	}
	want := []string{"CHANGELOG.md", "LICENSE", "README.md", "THIRD-PARTY-LICENSES.txt", "patchscout", "patchscout.env.example",
		"systemd/patchscout-worker.service", "systemd/patchscout.service"}
	if !slices.Equal(names, want) {
		t.Errorf("%s has %q", path, names)
	}
}

func sourceFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func checkZip(t *testing.T, path string) {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var names []string
	for _, f := range z.File {
		names = append(names, strings.TrimPrefix(f.Name, "patchscout_1.2.3_windows_amd64/"))
	}
	if want := []string{"CHANGELOG.md", "LICENSE", "README.md", "THIRD-PARTY-LICENSES.txt", "patchscout.env.example", "patchscout.exe"}; !slices.Equal(names, want) {
		t.Errorf("%s has %q", path, names)
	}
}

func TestBillOfMaterialsIsOneThatWeReadOurselves(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Path: "github.com/patchscout/patchscout"}, Deps: []*debug.Module{
		{Path: "github.com/go-chi/chi/v5", Version: "v5.5.0"},
		{Path: "example.org/old", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/new", Version: "v2.0.0+incompatible"}},
	}}
	r := small(t, "")
	text, err := r.bom(r.targets[0], info, sha256.Sum256([]byte("the program")))
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, text); !slices.Equal(got, []string{"example.org/new v2.0.0+incompatible", "github.com/go-chi/chi/v5 v5.5.0", "stdlib 1.26.8"}) {
		t.Errorf("components %q", got)
	}
	read(t, text, 3)
}

// The bill of materials of the release is checked where there is one: make release && TEST_RELEASE=dist/release go test ./scripts/release
func TestBillsOfARelease(t *testing.T) {
	dir := os.Getenv("TEST_RELEASE")
	if dir == "" {
		t.Skip("TEST_RELEASE names no folder")
	}
	found, _ := filepath.Glob(filepath.Join(dir, "*.cdx.json"))
	if len(found) == 0 {
		t.Fatal("there is none")
	}
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		read(t, text, len(names(t, text)))
	}
}

func names(t *testing.T, text []byte) (out []string) {
	t.Helper()
	var doc bom
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	for _, c := range doc.Components {
		out = append(out, c.Name+" "+c.Version)
	}
	return out
}

// read has the product read a bill, which must drop nothing.
func read(t *testing.T, text []byte, components int) {
	t.Helper()
	for _, r := range report.All() {
		if r.Name() != "cyclonedx" {
			continue
		}
		if !r.Detect(text[:min(len(text), 4096)]) {
			t.Error("it is not recognised")
		}
		counts := map[string]int{}
		err := r.Read(context.Background(), bytes.NewReader(text), func(e finding.Event) error {
			switch {
			case e.Drop != nil && e.Drop.Informational:
				counts["informational"] += max(e.Drop.Count, 1)
			case e.Drop != nil:
				t.Errorf("dropped: %s", e.Drop.Reason)
			}
			return nil
		})
		if err != nil || counts["informational"] < components {
			t.Errorf("%v, %v", counts, err)
		}
		t.Logf("%d components: %v", components, counts)
		return
	}
	t.Error("there is no reader")
}

func TestBuildInformationIsThere(t *testing.T) {
	dir := t.TempDir()
	r := small(t, dir)
	path := filepath.Join(dir, "program")
	if err := r.build(context.Background(), target{"linux", "amd64"}, path); err != nil {
		t.Fatal(err)
	}
	if info, err := buildinfo.ReadFile(path); err != nil || info.Main.Path != "github.com/patchscout/patchscout" {
		t.Errorf("%+v, %v", info, err)
	}
}
