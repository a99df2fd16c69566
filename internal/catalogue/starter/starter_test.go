package starter

import (
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
)

func TestEmbeddedStarterIsSmall(t *testing.T) {
	if len(file) == 0 || len(file) > 8<<20 {
		t.Errorf("starter.zst has %d bytes, want at most 8 MiB: make starter FEEDS=dir", len(file))
	}
}

func TestChooserKeepsListedProductsAndKEV(t *testing.T) {
	c, err := NewChooser()
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)
	record := func(n uint32, criteria string) *cve.Record {
		return &cve.Record{ID: cve.NewID(2024, n), Modified: day, Description: "text",
			Configurations: []cve.Node{{Matches: []cve.CPEMatch{{Vulnerable: true, Criteria: criteria}}}}}
	}
	if err := c.KEV(intel.KEV{CVE: cve.NewID(2024, 1), Vendor: "Acme", Name: "text", Added: day.AddDate(0, 0, 3), RequiredAction: "text"}); err != nil {
		t.Fatal(err)
	}
	newer := record(2, "cpe:2.3:a:openbsd:openssh:9.7:p1:*:*:*:*:*:*")
	newer.Modified = day.AddDate(0, 0, 1)
	for _, r := range []*cve.Record{
		record(1, "cpe:2.3:a:acme:widget:1.0:*:*:*:*:*:*:*"), // in KEV
		newer, // listed
		record(2, "cpe:2.3:a:acme:widget:1.0:*:*:*:*:*:*:*"),              // older, of another product now
		record(3, "cpe:2.3:a:igor_sysoev:nginx:0.7.64:*:*:*:*:*:*:*"),     // listed under another spelling
		record(4, "cpe:2.3:h:hp:integrated_lights-out_5:-:*:*:*:*:*:*:*"), // of a listed family
		record(5, "cpe:2.3:a:acme:widget:1.0:*:*:*:*:*:*:*"),
		{ID: cve.NewID(2024, 6), Status: "Rejected"},
	} {
		if err := c.CVE(r); err != nil {
			t.Fatal(err)
		}
	}
	s := c.Starter()
	var got []string
	for _, r := range s.Records {
		got = append(got, r.ID.String())
	}
	if len(got) != 4 || got[0] != "CVE-2024-0001" || got[3] != "CVE-2024-0004" || s.Records[1] != newer {
		t.Errorf("chosen: %v", got)
	}
	if k := s.KEV[0]; k.Name != "" || k.RequiredAction != "" || k.Vendor != "Acme" || !k.Added.Equal(day.AddDate(0, 0, 3)) {
		t.Errorf("KEV entry keeps text or loses a name: %+v", k)
	}
	if !s.Date.Equal(day.AddDate(0, 0, 3)) {
		t.Errorf("date %s, want that of the newest fact", s.Date)
	}
}
