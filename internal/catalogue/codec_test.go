package catalogue

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cve"
)

func sampleRecord() *cve.Record {
	return &cve.Record{
		ID: cve.NewID(2021, 44228), Source: "security@apache.org", Status: "Analyzed",
		Published: time.Date(2021, 12, 10, 10, 15, 9, 143e6, time.UTC), Modified: time.Date(2025, 4, 3, 20, 53, 22, 0, time.UTC),
		Description: "JNDI lookups in log messages load code from servers that the attacker names.",
		Metrics: []cve.Metric{
			{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", Score: 10, Source: "nvd@nist.gov", Primary: true, Provider: cve.ProviderNVD},
			{Version: "2.0", Vector: "AV:N/AC:M/Au:N/C:C/I:C/A:C", Score: 9.3, Source: "nvd@nist.gov", Primary: true, Provider: cve.ProviderNVD},
		},
		CWEs: []string{"CWE-502", "CWE-917"},
		Configurations: []cve.Node{
			{Matches: []cve.CPEMatch{
				{Vulnerable: true, Criteria: "cpe:2.3:a:apache:log4j:*:*:*:*:*:*:*:*", StartIncluding: "2.0.1", EndExcluding: "2.3.1"},
				{Vulnerable: true, Criteria: "cpe:2.3:a:apache:log4j:2.0:beta9:*:*:*:*:*:*"},
			}},
			{Operator: cve.And, Negate: true, Children: []cve.Node{
				{Matches: []cve.CPEMatch{{Vulnerable: true, Criteria: `cpe:2.3:o:siemens:6bk1602-0aa12-0tp0_firmware:*:*:*:*:*:*:*:*`, StartExcluding: "1", EndIncluding: "2.7.0"}}},
				{Matches: []cve.CPEMatch{{Criteria: `cpe:2.3:h:siemens:6bk1602-0aa12-0tp0:-:*:*:*:*:*:*:*`}}},
			}},
		},
		References: []cve.Reference{{URL: "https://logging.apache.org/log4j/2.x/security.html", Tags: []string{"Vendor Advisory"}}, {URL: "https://example.org/"}},
	}
}

func TestRecordsSurviveStorage(t *testing.T) {
	var e Encoder
	for _, r := range []*cve.Record{sampleRecord(), {ID: cve.NewID(1999, 1)}} {
		stored, digest := e.Encode(nil, r)
		got, err := Decode(r.ID, stored)
		if err != nil {
			t.Fatal(err)
		}
		if got.Title == "" {
			t.Error("a decoded record has no title")
		}
		got.Title = ""
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("stored and read back (-want +got):\n%s", diff)
		}
		if _, again := e.Encode(nil, got); again != digest {
			t.Error("the digest of the same record differs")
		}
	}
}

func TestDigestTellsEveryChange(t *testing.T) {
	var e Encoder
	_, base := e.Encode(nil, sampleRecord())
	for name, change := range map[string]func(*cve.Record){
		"status":      func(r *cve.Record) { r.Status = "Modified" },
		"description": func(r *cve.Record) { r.Description += "." },
		"score":       func(r *cve.Record) { r.Metrics[1].Score = 9.4 },
		"bound":       func(r *cve.Record) { r.Configurations[0].Matches[0].EndExcluding = "2.3.2" },
		"vulnerable":  func(r *cve.Record) { r.Configurations[0].Matches[1].Vulnerable = false },
		"negate":      func(r *cve.Record) { r.Configurations[1].Negate = false },
		"tag":         func(r *cve.Record) { r.References[1].Tags = []string{"Patch"} },
		"moved bound": func(r *cve.Record) {
			m := &r.Configurations[0].Matches[0]
			m.EndIncluding, m.EndExcluding = m.EndExcluding, ""
		},
	} {
		r := sampleRecord()
		change(r)
		if _, d := e.Encode(nil, r); d == base {
			t.Errorf("a changed %s is not noticed", name)
		}
	}
}

func TestOddScoresAreKept(t *testing.T) {
	var e Encoder
	for _, want := range []float64{0, 0.1, 3.9, 7.25, 10} {
		stored, _ := e.Encode(nil, &cve.Record{ID: cve.NewID(2024, 1), Metrics: []cve.Metric{{Version: "3.1", Score: want}}})
		got, err := Decode(cve.NewID(2024, 1), stored)
		if err != nil || math.Abs(got.Metrics[0].Score-want) > 1e-12 {
			t.Errorf("score %v came back as %v, %v", want, got, err)
		}
	}
}

// Damage on the disk must be an error: never a panic, never much memory.
func FuzzDecode(f *testing.F) {
	var e Encoder
	stored, _ := e.Encode(nil, sampleRecord())
	f.Add(stored)
	f.Add([]byte{formatNVD})
	f.Add([]byte{formatNVD, 5, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Decode(cve.NewID(2024, 1), b)
		if err != nil {
			return
		}
		again, _ := e.Encode(nil, r)
		if _, err := Decode(r.ID, again); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}

func FuzzStarter(f *testing.F) {
	s := &Starter{Date: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Records: []*cve.Record{sampleRecord()}}
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := openStarter(bytes.NewReader(b))
		if err != nil {
			return
		}
		defer in.z.Close()
		for range 100 {
			if r, err := in.next(); r == nil || err != nil {
				return
			}
		}
	})
}

func TestStarterHoldsFactsOnly(t *testing.T) {
	r := sampleRecord()
	s := &Starter{Date: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Records: []*cve.Record{r}}
	var a, b bytes.Buffer
	if err := s.Write(&a); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same facts make different files")
	}
	in, err := openStarter(&a)
	if err != nil {
		t.Fatal(err)
	}
	got, err := in.next()
	if err != nil {
		t.Fatal(err)
	}
	want := *r
	want.Source, want.Description, want.References = "", "", nil
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Errorf("the starter's record (-want +got):\n%s", diff)
	}
}
