package catalogue

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cve"
)

func on(day string) time.Time {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return t
}

// pathTraversal is CVE-2021-41773 as NVD, the CVE List and a vendor's own file might say it.
func pathTraversal() []Part {
	id := cve.NewID(2021, 41773)
	rule := func(criteria, end string) []cve.Node {
		return []cve.Node{{Matches: []cve.CPEMatch{{Vulnerable: true, Criteria: criteria, EndExcluding: end}}}}
	}
	return []Part{
		{feedNVD, &cve.Record{ID: id, Source: "security@apache.org", Status: "Analyzed", Published: on("2021-10-05"), Modified: on("2025-10-27"),
			Description: "A flaw was found in a change made to path normalization in Apache HTTP Server 2.4.49.",
			Metrics: []cve.Metric{
				{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Score: 9.8, Source: "nvd@nist.gov", Primary: true, Provider: cve.ProviderNVD},
				{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", Score: 7.5, Source: "134c704f-9b21-4f2e-91b3-4a467353bcc0", Provider: cve.ProviderADP},
			},
			CWEs:       []string{"CWE-22"},
			References: []cve.Reference{{URL: "https://httpd.apache.org/security/vulnerabilities_24.html", Tags: []string{"Vendor Advisory"}}},
		}},
		{feedList, &cve.Record{ID: id, Source: "apache", Published: on("2021-10-05"), Modified: on("2025-10-21"),
			Title:       "Path traversal and file disclosure vulnerability in Apache HTTP Server 2.4.49",
			Description: "A flaw was found in a change made to path normalization in Apache HTTP Server 2.4.49 (the CNA's wording).",
			Metrics: []cve.Metric{
				{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", Score: 7.5, Source: "CISA-ADP", Provider: cve.ProviderADP},
			},
			CWEs: []string{"CWE-22"}, Configurations: rule("cpe:2.3:a:apache:http_server:2.4.49:*:*:*:*:*:*:*", ""),
			References: []cve.Reference{{URL: "https://httpd.apache.org/security/vulnerabilities_24.html", Tags: []string{"vendor-advisory"}}, {URL: "https://www.openwall.com/lists/oss-security/2021/10/05/2"}},
			Affected:   []cve.Affected{{Vendor: "Apache Software Foundation", Product: "Apache HTTP Server", Versions: []string{"2.4.49"}}},
		}},
		{"acme", &cve.Record{ID: id, Modified: on("2026-01-02"), Description: "Seen at Acme.",
			Metrics:     []cve.Metric{{Version: "4.0", Score: 10, Source: "acme", Provider: cve.ProviderOther}},
			Ratings:     []cve.Rating{{Level: "critical", Source: "acme"}},
			ExploitedBy: []string{"acme"}, Configurations: rule("cpe:2.3:a:apache:http_server:*:*:*:*:*:*:*:*", "2.4.51"),
		}},
	}
}

func originOf(r *cve.Record, f cve.Field) string {
	var names []string
	for _, o := range r.Origins {
		if o.Field == f {
			names = append(names, o.Source)
		}
	}
	return strings.Join(names, "+")
}

func TestEveryFieldKnowsItsSource(t *testing.T) {
	parts := pathTraversal()
	r := Merge(parts[0].Record.ID, parts)
	for field, want := range map[cve.Field]string{
		cve.FieldStatus: "nvd", cve.FieldPublished: "nvd", cve.FieldModified: "acme", cve.FieldTitle: "cvelist", cve.FieldDescription: "nvd",
		cve.FieldCWEs: "nvd", cve.FieldConfigurations: "cvelist", cve.FieldReferences: "nvd+cvelist", cve.FieldExploited: "acme",
		cve.FieldScore: "nvd", // a newer version of CVSS by somebody else does not outrank NVD's
	} {
		if got := originOf(r, field); got != want {
			t.Errorf("%s comes from %q, want %q", field, got, want)
		}
	}
	if len(r.Metrics) != 3 {
		t.Errorf("metrics %+v: want CISA's once, though NVD repeats it", r.Metrics)
	}
	if len(r.References) != 2 || len(r.References[0].Tags) != 1 {
		t.Errorf("references %+v", r.References)
	}
	var fields []string
	for _, c := range r.Conflicts {
		fields = append(fields, string(c.Field)+" "+c.Source)
	}
	want := []string{"description cvelist", "description acme", "cvss cvelist", "cvss acme", "configurations acme"}
	slices.Sort(fields)
	slices.Sort(want)
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
}

func TestTheOrderOfSourcesDoesNotMatter(t *testing.T) {
	parts := pathTraversal()
	want := Merge(parts[0].Record.ID, parts)
	var e Encoder
	for range 20 {
		rand.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		var stored []Part
		for _, p := range parts { // as they arrive, one feed after the other
			stored = with(stored, p)
			var err error
			if stored, err = DecodeParts(want.ID, e.EncodeParts(nil, stored)); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, Merge(want.ID, stored)); diff != "" {
			t.Fatalf("another order gives another record (-want +got):\n%s", diff)
		}
	}
}

func TestAQualifiedScoreIsNeverReplacedByALesserOne(t *testing.T) {
	metric := func(version string, score float64, p cve.Provider) cve.Metric {
		return cve.Metric{Version: version, Score: score, Provider: p, Source: string(p)}
	}
	id := cve.NewID(2024, 1)
	for _, c := range []struct {
		name      string
		nvd, list []cve.Metric
		want      float64
	}{
		{"NVD before the CNA", []cve.Metric{metric("3.1", 5, cve.ProviderNVD)}, []cve.Metric{metric("3.1", 9, cve.ProviderCNA)}, 5},
		{"the CNA before CISA", []cve.Metric{metric("3.1", 5, cve.ProviderADP)}, []cve.Metric{metric("3.1", 9, cve.ProviderCNA)}, 9},
		{"the CNA where NVD is silent", nil, []cve.Metric{metric("4.0", 8, cve.ProviderCNA)}, 8},
		{"the CNA's own word before NVD's older copy of it", []cve.Metric{metric("3.1", 6, cve.ProviderCNA)}, []cve.Metric{metric("3.1", 7, cve.ProviderCNA)}, 7},
	} {
		r := Merge(id, []Part{
			{feedList, &cve.Record{ID: id, Metrics: c.list}}, {feedNVD, &cve.Record{ID: id, Metrics: c.nvd}},
		})
		if m, ok := r.Score(); !ok || m.Score != c.want {
			t.Errorf("%s: %v, want %v", c.name, m.Score, c.want)
		}
	}
}

func TestRejectionIsTheLatestWordOfThoseWhoMay(t *testing.T) {
	id := cve.NewID(2024, 2)
	for _, c := range []struct {
		name string
		nvd  string
		at   string
		list string
		on   string
		want bool
	}{
		{"the list withdrew it later", "Analyzed", "2024-01-01", "Rejected", "2024-02-01", true},
		{"NVD has not noticed that it is back", "Rejected", "2024-01-01", "", "2024-02-01", false},
		{"NVD heard later", "Rejected", "2024-03-01", "", "2024-02-01", true},
		{"at the same time", "Analyzed", "2024-02-01", "Rejected", "2024-02-01", true},
	} {
		r := Merge(id, []Part{
			{feedNVD, &cve.Record{ID: id, Status: c.nvd, Modified: on(c.at)}}, {feedList, &cve.Record{ID: id, Status: c.list, Modified: on(c.on)}},
			{"acme", &cve.Record{ID: id, Status: "Rejected", Modified: on("2026-01-01")}},
		})
		if r.Rejected() != c.want {
			t.Errorf("%s: rejected %v", c.name, r.Rejected())
		}
	}
}

func TestAMissingScoreStaysMissing(t *testing.T) {
	id := cve.NewID(2024, 3)
	r := Merge(id, []Part{{"acme", &cve.Record{ID: id, Ratings: []cve.Rating{{Level: "high", Source: "acme"}}}}})
	if _, ok := r.Score(); ok {
		t.Error("a severity in words became a score")
	}
	if got := r.Severity(); got != "high" {
		t.Errorf("severity %s", got)
	}
	if got := originOf(r, cve.FieldSeverity); got != "acme" {
		t.Errorf("severity comes from %q", got)
	}
}

func FuzzDecodeParts(f *testing.F) {
	var e Encoder
	f.Add(e.EncodeParts(nil, pathTraversal()))
	f.Add([]byte{formatParts, 2, 4, 1, 1})
	f.Fuzz(func(t *testing.T, stored []byte) {
		parts, err := DecodeParts(cve.NewID(2021, 41773), stored)
		if err != nil {
			return
		}
		Merge(cve.NewID(2021, 41773), parts)
	})
}
