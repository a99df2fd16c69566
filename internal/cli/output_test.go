package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/patchscout/patchscout/internal/report"
)

func TestFailedOutputLeavesTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.json")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken half-way")
	err := writeFile(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, "new, but not all of it")
		return broken
	})
	text, _ := os.ReadFile(path)
	if !errors.Is(err, broken) || string(text) != "old" {
		t.Errorf("error %v, file %q", err, text)
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".patchscout-*"))
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := writeFile(path, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "new" {
		t.Errorf("file %q", text)
	}
}

func TestFailOnLooksAtConfirmedFindings(t *testing.T) {
	yes := true
	critical := report.Finding{Severity: "critical", Confidence: 80, Status: "affected"}
	potential := report.Finding{Severity: "critical", Confidence: 30, Status: "affected", KEV: &yes}
	unknown := report.Finding{Severity: "unknown", Confidence: 80, Status: "affected", KEV: &yes}
	tests := []struct {
		failOn        string
		minConfidence int
		finding       report.Finding
		want          bool
	}{
		{"", 0, critical, false},
		{"critical", 0, critical, true},
		{"low", 0, critical, true},
		{"critical", 0, potential, false},
		{"critical", 20, potential, true},
		{"kev", 0, potential, false},
		{"kev", 0, unknown, true},
		{"low", 0, unknown, false},
		{"kev", 0, critical, false},
	}
	for _, tt := range tests {
		v := verdict{failOn: tt.failOn, minConfidence: tt.minConfidence}
		if got := v.fails([]report.Finding{tt.finding}); got != tt.want {
			t.Errorf("--fail-on %s --min-confidence %d on %+v: %t", tt.failOn, tt.minConfidence, tt.finding, got)
		}
	}
}
