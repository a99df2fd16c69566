package metasploit_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed/feedtest"
	"github.com/patchscout/patchscout/internal/feed/metasploit"
)

var update = flag.Bool("update", false, "rewrite golden files")

const name = "modules_metadata_base.json"

func TestEachCVEOfAModuleIsAnExploitAndBadModulesAreNamed(t *testing.T) {
	text, err := os.ReadFile("testdata/modules.json")
	if err != nil {
		t.Fatal(err)
	}
	var c feedtest.Sink
	if err := c.Read(metasploit.Reader{}, name, "\xef\xbb\xbf"+string(text)); err != nil {
		t.Fatal(err)
	}
	c.Golden(t, "testdata/modules.golden.json", *update)
}

func TestOtherFilesAreRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"<html>", name + ": an HTML or XML page, not the feed (a login or error page?)"},
		{"", name + ": the file is empty"},
		{"[]", "read " + name + " at record 0: want an object at byte 0"},
		{"{}", name + ": no module with a CVE in it, this is no list of Metasploit's modules"},
		{`{"a":{"name":"b"}}`, name + ": no module with a CVE in it, this is no list of Metasploit's modules"},
		{`{"a":{"references":["CVE-2014-0160"]},"b":{"na`, "read " + name + " at record 2: the file breaks off at byte 46"},
		{`{"a":{"references":["CVE-2014-0160"]}} {}`, "read " + name + " at record 1: text after the end of the document at byte 39"},
	} {
		err := new(feedtest.Sink).Read(metasploit.Reader{}, name, c.text)
		if err == nil || err.Error() != c.want || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"a":{"fullname":"a","rank":600,"disclosure_date":"2021-12-09","references":["CVE-2021-44228"],"path":"/modules/a.rb"},"b":[]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var c feedtest.Sink
		if err := c.Read(metasploit.Reader{}, name, text); err != nil && fault.KindOf(err) != fault.KindInvalid {
			t.Error(err)
		}
		for _, e := range c.Exploits {
			if e.CVE == 0 || e.Key == "" || strings.ContainsAny(e.Title+e.URL+e.Key, "\x00\n\x1b") {
				t.Errorf("exploit %v", e)
			}
		}
	})
}
