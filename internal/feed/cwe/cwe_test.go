package cwe_test

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed/cwe"
	"github.com/patchscout/patchscout/internal/feed/feedtest"
)

var update = flag.Bool("update", false, "rewrite golden files")

const (
	name  = "cwe_weaknesses.json"
	capec = "stix-capec.json"
)

// read reads a file of testdata as the one of a name.
func read(t *testing.T, as, file string) *feedtest.Sink {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var c feedtest.Sink
	if err := c.Read(cwe.Reader{}, as, string(text)); err != nil {
		t.Fatal(err)
	}
	return &c
}

func TestWeaknessesHaveTheirParentsAndPatterns(t *testing.T) {
	read(t, name, "weaknesses.json").Golden(t, "testdata/weaknesses.golden.json", *update)
}

func TestTheAPIAndItsCopiesSayTheSame(t *testing.T) {
	api, copied := read(t, name, "api.json"), read(t, name, "weaknesses.json")
	if diff := cmp.Diff(copied.Weaknesses[:1], api.Weaknesses); diff != "" {
		t.Error(diff)
	}
}

func TestCAPECAddsPatternsAndTechniques(t *testing.T) {
	bundle, patterns := read(t, capec, "capec.json"), read(t, "attack-pattern.json", "capec.json")
	bundle.Golden(t, "testdata/capec.golden.json", *update)
	if diff := cmp.Diff(bundle.Weaknesses, patterns.Weaknesses); diff != "" {
		t.Error(diff)
	}
}

func TestTheFolderTellsCAPECFromATTACK(t *testing.T) {
	for path, want := range map[string]bool{
		"/feeds/capec/attack-pattern.json": true, "/feeds/attack/attack-pattern.json": false, "/feeds/x/stix-capec.json": true,
		"/feeds/cwe_weaknesses.json": true, "/feeds/capec/malware.json": false,
	} {
		if got := (cwe.Reader{}).OwnsPath(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	const page = ": an HTML or XML page, not the feed (a login or error page?)"
	for _, c := range []struct{ name, text, want string }{
		{name, "<html>", name + page},
		{name, "{}", name + ": no weakness in it that can be used"},
		{name, `{"Weaknesses":[]}`, name + ": no weakness in it that can be used"},
		{name, `{"Note":"\"Weaknesses\""}`, "cwe_weaknesses.json: no weakness in it that can be used"},
		{name, `{"Weaknesses":[{"ID":"79","Name":"XSS"}`, "read " + name + " at record 1: the file breaks off at byte 39"},
		{name, "[]", "read " + name + " at record 0: want an object at byte 0"},
		{capec, "<html>", capec + page},
		{capec, `{"objects":[]}`, capec + ": no attack pattern that names a weakness, this is no CAPEC bundle"},
		{capec, `{"objects":[{"ty`, "read " + capec + " at record 1: the file breaks off at byte 16"},
	} {
		err := new(feedtest.Sink).Read(cwe.Reader{}, c.name, c.text)
		if err == nil || err.Error() != c.want || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, file := range []string{"weaknesses.json", "api.json", "capec.json"} {
		text, err := os.ReadFile("testdata/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file == "capec.json", string(text))
	}
	f.Fuzz(func(t *testing.T, isCAPEC bool, text string) {
		var c feedtest.Sink
		as := name
		if isCAPEC {
			as = capec
		}
		if err := c.Read(cwe.Reader{}, as, text); err != nil && fault.KindOf(err) != fault.KindInvalid {
			t.Error(err)
		}
		for _, w := range c.Weaknesses {
			if w.ID == "" || len(w.Description) > 8<<10 || !isCAPEC && w.Name == "" {
				t.Errorf("weakness %+v", w)
			}
		}
	})
}
