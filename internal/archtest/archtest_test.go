package archtest

import (
	"os/exec"
	"strings"
	"testing"
)

func TestImportsRunDownhill(t *testing.T) {
	// -e: a package that does not build is another test's concern, its imports still count.
	cmd := exec.Command("go", "list", "-e", "-f", `{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}{{"\n"}}{{end}}`, "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		from, to, _ := strings.Cut(strings.TrimSpace(line), " ")
		if say := Check(from, to); say != "" {
			t.Error(say)
		}
	}
}

func TestRulesSayWhatGoesUphill(t *testing.T) {
	tests := []struct{ from, to, want string }{
		{"internal/cve", "internal/fault", ""},
		{"internal/cve", "internal/match", "imports run downhill"},
		{"internal/match", "internal/priority", "stands above or beside"},
		{"internal/scan/nmap", "internal/scan", ""},
		{"internal/scan", "internal/scan/nmap", "stands above or beside"},
		{"internal/scan/nmap", "internal/scan/native", "sibling"},
		{"internal/catalogue", "internal/feed", ""},
		{"internal/assess", "internal/store", "only internal/app may"},
		{"internal/cli", "internal/store", "only internal/app may"},
		{"internal/app", "internal/store", ""},
		{"internal/cli", "internal/report", ""},
		{"internal/report", "internal/app", "only internal/cli"},
		{"internal/novel", "internal/fault", "no floor"},
		{"internal/app", "test/bench", "tests only"},
		{"cmd/patchscout", "internal/cli", ""},
	}
	for _, tt := range tests {
		got := Check(module+tt.from, module+tt.to)
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("Check(%s, %s) = %q, want %q", tt.from, tt.to, got, tt.want)
		}
	}
	if Check("example.com/other", module+"internal/store") != "" {
		t.Error("another module's import is not ours to judge")
	}
}
