package attackpath

import (
	"os"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
)

// TestRulesAgreeWithLabels holds the share of right answers above that of the published rules (Aksu et al.
// 2018: 88.8 %). LABELS names another file of the same form, with the descriptions as published for instance.
func TestRulesAgreeWithLabels(t *testing.T) {
	file := "testdata/labels.txt"
	if other := os.Getenv("LABELS"); other != "" {
		file = other
	}
	right, all := 0, 0
	for _, l := range readLabels(t, file) {
		all++
		e := EffectOf(l.flaw)
		if l.agrees(e) {
			right++
			continue
		}
		t.Logf("%s: want %s %s; reach %v, needs %v, lures %v, gain %v: %s", l.flaw.Weakness, l.access, l.gain, e.Reach, e.Needs, e.Lures, e.Gain, strings.Join(e.Why, "; "))
	}
	t.Logf("%d of %d right: %.1f %%", right, all, 100*float64(right)/float64(all))
	if all < 150 || float64(right) < 0.93*float64(all) {
		t.Errorf("%d of %d right, want 93 %% of at least 150", right, all)
	}
}

type label struct {
	flaw         Flawed
	access, gain string
}

func (l *label) agrees(e *Effect) bool {
	if !strings.ContainsRune(l.gain, rune("-surlpfw"[e.Gain])) {
		return false
	}
	if e.Gain == Nothing || l.access == "*" {
		return true
	}
	want := strings.Fields(l.access)
	lures := "n"
	if e.Lures {
		lures = "y"
	}
	for i, got := range []string{"?NAL"[e.Reach : e.Reach+1], "0ur"[e.Needs : e.Needs+1], lures} {
		if want[i] != "*" && want[i] != got {
			return false
		}
	}
	return true
}

func readLabels(t *testing.T, file string) (out []label) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "|")
		if len(f) != 7 {
			t.Fatalf("%q: want 7 columns", line)
		}
		for i := range f {
			f[i] = strings.TrimSpace(f[i])
		}
		out = append(out, label{flaw: flawed(f[0], f[1], f[2], f[3], f[4]), access: f[5], gain: f[6]})
	}
	return out
}

// flawed makes a CVE of blank-separated vectors, CWEs and products.
func flawed(id, vectors, cwes, products, words string) Flawed {
	f := Flawed{Weakness: id, Description: words, CWEs: strings.Fields(cwes)}
	for v := range strings.FieldsSeq(vectors) {
		version := "2.0"
		if rest, ok := strings.CutPrefix(v, "CVSS:"); ok {
			version, _, _ = strings.Cut(rest, "/")
		}
		f.Metrics = append(f.Metrics, cve.Metric{Version: version, Vector: v, Provider: cve.ProviderNVD})
	}
	for p := range strings.FieldsSeq(products) {
		part := strings.SplitN(p, ":", 3)
		f.Products = append(f.Products, cpe.Product{Part: part[0][0], Vendor: part[1], Product: part[2]})
	}
	return f
}
