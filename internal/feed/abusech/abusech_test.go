package abusech_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/abusech"
	"github.com/patchscout/patchscout/internal/feed/feedtest"
	"github.com/patchscout/patchscout/internal/intel"
)

var update = flag.Bool("update", false, "rewrite golden files")

const key = "5ecret-Key"

var files = []struct {
	name string
	list abusech.Publisher
}{
	{"urlhaus_recent.csv", abusech.URLhaus(key)},
	{"threatfox_recent.csv", abusech.ThreatFox(key)},
	{"threatfox_ips.txt", abusech.ThreatFox(key)},
	{"ipblocklist.csv", abusech.Feodo()},
	{"sha256_recent.txt", abusech.MalwareBazaar(key)},
}

func TestListsBecomeIndicatorsInTheirCanonicalForm(t *testing.T) {
	for _, f := range files {
		text, err := os.ReadFile("testdata/" + f.name)
		if err != nil {
			t.Fatal(err)
		}
		var c feedtest.Sink
		if err := c.Read(f.list, f.name, string(text)); err != nil {
			t.Errorf("%s: %v", f.name, err)
		}
		c.Golden(t, "testdata/"+f.name+".golden.json", *update)
	}
}

func TestTheHeaderMayBeCommentedOrNot(t *testing.T) {
	for _, header := range []string{"id,dateadded,url,url_status\n", "# id,dateadded,url,url_status\n", "\xef\xbb\xbf\"id\", \"dateadded\", \"url\", \"url_status\"\r\n"} {
		var c feedtest.Sink
		err := c.Read(abusech.URLhaus(""), "urlhaus.csv", header+`1,2025-04-21 12:35:06,http://192.0.2.7/,online`)
		if err != nil || len(c.Indicators) != 1 || c.Indicators[0].Value != "http://192.0.2.7/" {
			t.Errorf("%q: %v, %v", header, err, c.Indicators)
		}
	}
}

func TestAnEmptyFeodoListIsFineAndOthersAreNot(t *testing.T) {
	const header = "# a comment\n\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n# END\n"
	if err := new(feedtest.Sink).Read(abusech.Feodo(), "ipblocklist.csv", header); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		list       abusech.Publisher
		name       string
		text, want string
	}{
		{abusech.Feodo(), "ipblocklist.csv", "# END\n", "ipblocklist.csv: no header with the columns first_seen_utc, dst_ip, dst_port"},
		{abusech.Feodo(), "ipblocklist.csv", "<html>", "ipblocklist.csv: an HTML or XML page, not the feed (a login or error page?)"},
		{abusech.URLhaus(key), "x.csv", "# id,dateadded,url,url_status\n", "x.csv: no indicator in it that can be used"},
		{abusech.URLhaus(key), "x.csv", "1,2,3\n", "x.csv line 1: no header with the columns dateadded, url, url_status in front of the rows"},
		{abusech.ThreatFox(key), "x.csv", `{"query_status": "unknown_auth_key"}`,
			"x.csv: an answer in JSON, not the list (is feeds.abusech.auth_key right?)"},
		{abusech.ThreatFox(key), "threatfox_ips.txt", "# nothing\n", "threatfox_ips.txt: no indicator in it that can be used"},
		{abusech.MalwareBazaar(key), "sha256_recent.txt", "not\nhashes\n", "sha256_recent.txt: no indicator in it that can be used"},
	} {
		err := new(feedtest.Sink).Read(c.list, c.name, c.text)
		if err == nil || err.Error() != c.want || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}

func TestAListWithoutItsKeySaysWhatIsMissing(t *testing.T) {
	const want = "feed threatfox: needs feeds.abusech.auth_key, free from https://auth.abuse.ch/"
	if err := abusech.ThreatFox("").Ready(); err == nil || err.Error() != want {
		t.Error(err)
	}
	for _, list := range []abusech.Publisher{abusech.ThreatFox(key), abusech.Feodo()} {
		if err := list.Ready(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheKeyIsNeitherPrintedNorPartOfWhatIsFetched(t *testing.T) {
	for _, p := range abusech.All(key) {
		shown := fmt.Sprintf("%v %+v %#v %s %v", p, p, p, p.Base(), p.Remote(time.Now()))
		if strings.Contains(shown, key) {
			t.Errorf("%s shows its key: %s", p.Feed(), shown)
		}
	}
	if got := abusech.URLhaus(key).Key(); got != key {
		t.Errorf("the key is %q", got)
	}
}

func TestFilesFindTheirList(t *testing.T) {
	for path, want := range map[string]string{
		"/ioc/urlhaus_recent.csv": "urlhaus", "/ioc/urlhaus.csv": "urlhaus", "/ioc/threatfox_full.csv": "threatfox",
		"/ioc/threatfox_ips.txt": "threatfox", "/ioc/ipblocklist.csv": "feodo", "/ioc/sha256_recent.txt": "malwarebazaar",
		"/ioc/mb_sha256_recent.txt": "malwarebazaar", "/urlhaus/recent.csv": "urlhaus", "/threatfox/full.csv": "threatfox",
		"/ioc/recent.csv": "", "/malwarebazaar/recent.csv": "", "/feodo/recent.csv": "", "/ioc/md5_recent.txt": "",
	} {
		var owners []string
		for _, p := range abusech.All("") {
			if p.(feed.PathOwner).OwnsPath(path) {
				owners = append(owners, p.Feed())
			}
		}
		if got := strings.Join(owners, " "); got != want {
			t.Errorf("%s belongs to %q, want %q", path, got, want)
		}
	}
	for _, p := range abusech.All("") {
		if name := p.Remote(time.Now())[0].Name; !p.Owns(name) || !p.(feed.PathOwner).OwnsPath("/x/"+name) {
			t.Errorf("%s does not own what it fetches, %s", p.Feed(), name)
		}
	}
	list := abusech.ThreatFox("")
	if !list.Less("threatfox_ips.txt", "threatfox_full.csv") || !list.Less("threatfox_full.csv", "recent.csv") || list.Partial("threatfox_full.csv") {
		t.Error("what was added lately is not read last")
	}
}

func FuzzRead(f *testing.F) {
	for i, file := range files {
		text, err := os.ReadFile("testdata/" + file.name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), string(text))
	}
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		file := files[int(which)%len(files)]
		var c feedtest.Sink
		if err := c.Read(file.list, file.name, text); err != nil && fault.KindOf(err) != fault.KindInvalid {
			t.Error(err)
		}
		seen := map[string]bool{}
		for _, i := range c.Indicators {
			id := fmt.Sprint(i.Kind, " ", i.Value, " ", i.Port)
			kind, value, _, err := intel.CanonicalIndicator(i.Value)
			if err != nil || kind != i.Kind || value != i.Value || seen[id] || i.Confidence < 0 || i.Confidence > 100 || i.Source != file.list.Feed() {
				t.Errorf("indicator %+v, %v", i, err)
			}
			seen[id] = true
		}
	})
}
