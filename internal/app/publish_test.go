package app

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestSlugIsASafeFileNameAndTellsTextsApart(t *testing.T) {
	safe := regexp.MustCompile(`^[a-z0-9_-]{1,80}$`)
	seen := map[string]string{}
	for _, text := range []string{
		"apache", "Apache", "http_server", "../../etc/passwd", "..", "a/b", "a b", "con", "x\x00y", "日本", "-rf", strings.Repeat("long ", 100),
	} {
		name := slug(text)
		if !safe.MatchString(name) {
			t.Errorf("slug(%q) = %q", text, name)
		}
		if other, taken := seen[name]; taken {
			t.Errorf("%q and %q are both %q", text, other, name)
		}
		seen[name] = text
	}
	if slug("http_server") != "http_server" {
		t.Errorf("a CPE product is its own name, have %q", slug("http_server"))
	}
}

func TestPublishedFileIsReplacedAtOnceOrLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "latest.rss")
	publish := func(text string) string {
		t.Helper()
		status, err := publishFile(path, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	if got := publish("one"); got != fileWritten {
		t.Error(got)
	}
	before, err := os.Stat(path)
	if err != nil || before.Mode().Perm() != 0o644 {
		t.Fatalf("%v %v", before.Mode(), err)
	}
	if got := publish("one"); got != fileUnchanged {
		t.Error(got)
	}
	if after, _ := os.Stat(path); !os.SameFile(before, after) {
		t.Error("an unchanged file was replaced")
	}
	if got := publish("two"); got != fileWritten {
		t.Error(got)
	}
	if _, err := publishFile(path, func(io.Writer) error { return io.ErrUnexpectedEOF }); err == nil {
		t.Error("no error")
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if text, _ := os.ReadFile(path); err != nil || string(text) != "two" || len(entries) != 1 {
		t.Errorf("%q, %d files, %v", text, len(entries), err)
	}
}
