package nuclei_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed/feedtest"
	"github.com/patchscout/patchscout/internal/feed/nuclei"
)

var update = flag.Bool("update", false, "rewrite golden files")

const name = "cves.json"

func TestTemplatesForCVEsAreExploitsWithoutDate(t *testing.T) {
	text, err := os.ReadFile("testdata/cves.json")
	if err != nil {
		t.Fatal(err)
	}
	var c feedtest.Sink
	if err := c.Read(nuclei.Reader{}, name, "\xef\xbb\xbf"+strings.ReplaceAll(string(text), "\n", "\r\n")); err != nil {
		t.Fatal(err)
	}
	c.Golden(t, "testdata/cves.golden.json", *update)
}

func TestALineThatIsTooLongHarmsNoOther(t *testing.T) {
	var c feedtest.Sink
	err := c.Read(nuclei.Reader{}, name, `{"ID":"`+strings.Repeat("x", 300<<10)+"\"}\n"+`{"ID":"CVE-2014-0160"}`)
	if err != nil || len(c.Exploits) != 1 || len(c.Rejected) != 1 || c.Rejected[0] != name+" line 1: line is too long" {
		t.Errorf("%v, %v, %v", err, c.Exploits, c.Rejected)
	}
}

func TestTheFolderTellsTheListFromOthersOfItsName(t *testing.T) {
	for path, want := range map[string]bool{
		"/feeds/nuclei/cves.json": true, "/src/nuclei-templates/cves.json": true, "/feeds/cves.json": false, "/nuclei/x/cves.json": false,
		"/nuclei/other.json": false,
	} {
		if got := (nuclei.Reader{}).OwnsPath(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	const none = name + ": no template for a CVE in it, this is no list of Nuclei's templates"
	for text, want := range map[string]string{
		"<html>": name + ": an HTML or XML page, not the feed (a login or error page?)", "": name + ": the file is empty",
		"{}": none, "[]\n[]": none, `{"ID":"CNVD-2021-1"}`: none,
	} {
		err := new(feedtest.Sink).Read(nuclei.Reader{}, name, text)
		if err == nil || err.Error() != want || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"ID":"CVE-2021-44228","Info":{"Name":"x"},"file_path":"a.yaml"}` + "\n{}\n{")
	f.Fuzz(func(t *testing.T, text string) {
		var c feedtest.Sink
		if err := c.Read(nuclei.Reader{}, name, text); err != nil && fault.KindOf(err) != fault.KindInvalid {
			t.Error(err)
		}
		for _, e := range c.Exploits {
			if e.CVE == 0 || e.Key == "" || strings.ContainsAny(e.Title+e.URL+e.Key, "\x00\n\x1b") {
				t.Errorf("exploit %v", e)
			}
		}
	})
}
