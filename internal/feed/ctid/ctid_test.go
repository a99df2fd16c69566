package ctid_test

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed/ctid"
	"github.com/patchscout/patchscout/internal/feed/feedtest"
	"github.com/patchscout/patchscout/internal/intel"
)

var update = flag.Bool("update", false, "rewrite golden files")

const name = "kev-07.28.2025_attack-16.1-enterprise.json"

func TestMappingsHaveTheirSetsDateWhereverItStands(t *testing.T) {
	text, err := os.ReadFile("testdata/mappings.json")
	if err != nil {
		t.Fatal(err)
	}
	var c feedtest.Sink
	if err := c.Read(ctid.Reader{}, name, string(text)); err != nil {
		t.Fatal(err)
	}
	c.Golden(t, "testdata/mappings.golden.json", *update)
}

func TestLongCommentsAreCut(t *testing.T) {
	var c feedtest.Sink
	err := c.Read(ctid.Reader{}, name, `{"mapping_objects":[{"capability_id":"CVE-2014-0160","attack_object_id":"T1190","comments":"`+
		strings.Repeat("ü words ", 2000)+`"}]}`)
	if err != nil || len(c.Mappings) != 1 {
		t.Fatal(err, c.Rejected)
	}
	if got := c.Mappings[0]; len(got.Comment) > 4096 || len(got.Comment) < 4000 || !strings.HasSuffix(got.Comment, " ü…") ||
		got.Kind != intel.MappingOther {
		t.Errorf("%d bytes: …%s", len(got.Comment), got.Comment[len(got.Comment)-20:])
	}
}

func TestReleasesAreReadInTheOrderOfTheirDays(t *testing.T) {
	r := ctid.Reader{}
	older, newer := "kev-12.10.2024_attack-15.1-enterprise.json", "kev-02.13.2025_attack-15.1-enterprise.json"
	if !r.Less(older, newer) || r.Less(newer, older) {
		t.Error("the month decides before the year")
	}
	for file, want := range map[string]bool{older: true, "kev-07.28.2025_attack-16.1-enterprise_stix.json": false, "kev.json": false} {
		if r.Owns(file) != want {
			t.Errorf("%s: owned %v", file, !want)
		}
	}
	for _, f := range r.Remote(time.Now()) {
		if !r.Owns(f.Name) || !strings.HasSuffix(f.URL, "/"+f.Name) {
			t.Errorf("fetches %s from %s", f.Name, f.URL)
		}
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"<html>", name + ": an HTML or XML page, not the feed (a login or error page?)"},
		{"{}", name + ": no list of mappings in it, this is no mapping file"},
		{`{"mapping_objects":[]}`, name + ": no mapping in it that can be used"},
		{`{"mapping_objects":[{"capa`, "read " + name + " at record 1: the file breaks off at byte 26"},
	} {
		err := new(feedtest.Sink).Read(ctid.Reader{}, name, c.text)
		if diff := cmp.Diff(c.want, text(err)); diff != "" || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func FuzzRead(f *testing.F) {
	f.Add(`{"metadata":{"creation_date":"07/28/2025"},"mapping_objects":[{"capability_id":"CVE-2014-0160","attack_object_id":"T1190"},{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var c feedtest.Sink
		if err := c.Read(ctid.Reader{}, name, text); err != nil && fault.KindOf(err) != fault.KindInvalid {
			t.Error(err)
		}
		for _, m := range c.Mappings {
			if m.CVE == 0 || !intel.IsTechniqueID(m.Technique) || m.Kind == "" || len(m.Comment) > 4096 {
				t.Errorf("mapping %v", m)
			}
		}
	})
}
