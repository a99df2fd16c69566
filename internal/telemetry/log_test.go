package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHostileTextCannotReachTheTerminal(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log, closeLog, err := Open(&out, Options{Format: format, Level: "info"})
		if err != nil {
			t.Fatal(err)
		}
		hostile := "220 \x1b[2Jowned\r\n\u202eevil\x9b31m\x00"
		log.With("host", hostile).Info("banner "+hostile, "banner", hostile, "err", errors.New(hostile))
		if err := closeLog(); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"\x1b", "\u202e", "\x00", "\u009b", "\r"} {
			if strings.Contains(out.String(), bad) {
				t.Errorf("%s log lets %q through: %q", format, bad, out.String())
			}
		}
		if strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%s log: want one line, got %q", format, out.String())
		}
	}
}

func TestLogFileRotatesAndKeepsTheNewest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logs", "p.log")
	file, err := openRotating(path, 100, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if _, err := file.Write([]byte(strings.Repeat(string(rune('0'+i)), 59) + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for name, first := range map[string]string{path: "9", path + ".1": "8", path + ".2": "7"} {
		text, err := os.ReadFile(name)
		if err != nil || !strings.HasPrefix(string(text), first) {
			t.Errorf("%s begins with %.1q (%v), want %s", filepath.Base(name), text, err, first)
		}
	}
	if _, err := os.Stat(path + ".3"); err == nil {
		t.Error("a third old file was kept, want two")
	}
}

func TestLogFileIsJSONBesideTextOnStderr(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.log")
	var out bytes.Buffer
	log, closeLog, err := Open(&out, Options{Format: "text", Level: "warn", File: path, MaxSizeMB: 1, MaxFiles: 1})
	if err != nil {
		t.Fatal(err)
	}
	log.Info("quiet")
	log.Warn("feed failed", "feed", "nvd")
	if err := closeLog(); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	var line struct{ Msg, Feed string }
	if err := json.Unmarshal(text, &line); err != nil || line.Msg != "feed failed" || line.Feed != "nvd" {
		t.Errorf("file has %q (%v)", text, err)
	}
	if !strings.Contains(out.String(), "feed=nvd") || strings.Contains(out.String(), "quiet") {
		t.Errorf("stderr has %q", out.String())
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("OpenSSH_9.2p1")
	f.Add("\x1b]0;title\a \xff\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		got := Plain(s)
		for _, r := range got {
			if Harmful(r) {
				t.Fatalf("%q keeps %U", got, r)
			}
		}
		if Plain(got) != got {
			t.Fatalf("%q is not stable", got)
		}
	})
}
