package cve

import (
	"slices"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
)

func TestIDPrintsAndSortsAsPeopleExpect(t *testing.T) {
	for in, want := range map[string]string{
		"CVE-2024-6387": "CVE-2024-6387", "cve-1999-0001": "CVE-1999-0001", "CVE-2014-10000001": "CVE-2014-10000001", "CVE-2021-44228": "CVE-2021-44228",
		"CVE-2024-00017": "CVE-2024-0017",
	} {
		id, err := ParseID(in)
		if err != nil || id.String() != want {
			t.Errorf("ParseID(%q) = %s, %v, want %s", in, id, err, want)
		}
	}
	ids := []ID{NewID(2024, 10000), NewID(1999, 1), NewID(2024, 9999), NewID(2023, 99999)}
	slices.Sort(ids)
	if got := ids[2]; got != NewID(2024, 9999) {
		t.Errorf("CVE-2024-9999 should come before CVE-2024-10000, got %s", got)
	}
}

func TestParseIDNamesTheText(t *testing.T) {
	for _, in := range []string{"", "CVE", "CVE-2024", "CVE-2024-", "CVE-20x4-1234", "CVE-2024-12a4", "GHSA-1234-5678", "CVE-1900-1234", "CVE-2024-99999999999", "CVE-2024-1234 ", strings.Repeat("9", 5000)} {
		_, err := ParseID(in)
		if fault.KindOf(err) != fault.KindInvalid || len(err.Error()) > 120 {
			t.Errorf("ParseID(%.20q): %v", in, err)
		}
	}
}

func TestScoreTakesTheNewestVersionThenTheBestProvider(t *testing.T) {
	r := Record{Metrics: []Metric{
		{Version: "2.0", Score: 10, Provider: ProviderNVD},
		{Version: "3.1", Score: 7, Provider: ProviderADP},
		{Version: "3.1", Score: 8, Provider: ProviderCNA},
		{Version: "3.0", Score: 9, Provider: ProviderNVD},
	}}
	if m, ok := r.Score(); !ok || m.Score != 8 {
		t.Errorf("score %v, %v, want the CNA's 3.1", m, ok)
	}
	if _, ok := (&Record{}).Score(); ok {
		t.Error("a record that nobody scored has no score")
	}
}

func TestSeverityBands(t *testing.T) {
	for score, want := range map[float64]string{10: "critical", 9: "critical", 8.9: "high", 7: "high", 6.9: "medium", 4: "medium", 3.9: "low", 0.1: "low", 0: "info"} {
		if got := Severity(score); got != want {
			t.Errorf("Severity(%v) = %s, want %s", score, got, want)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("CVE-2024-6387")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseID(s)
		if err != nil {
			return
		}
		if again, err := ParseID(id.String()); err != nil || again != id {
			t.Fatalf("%q prints %q", s, id)
		}
	})
}

func TestAWithdrawnRecordIsKnownByItsWordsToo(t *testing.T) {
	for _, r := range []Record{
		{Status: "Rejected"},
		{Status: "Deferred", Description: "Rejected reason: This CVE ID was unused by the CNA."},
		{Description: "** REJECT ** DO NOT USE THIS CANDIDATE NUMBER."},
	} {
		if !r.Rejected() {
			t.Errorf("%+v is not rejected", r)
		}
	}
	if r := (Record{Status: "Analyzed", Description: "A filter that rejects requests can be passed."}); r.Rejected() {
		t.Error("a record that speaks of rejecting is rejected")
	}
}
