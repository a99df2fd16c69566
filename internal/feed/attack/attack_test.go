package attack_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed/attack"
	"github.com/patchscout/patchscout/internal/feed/feedtest"
	"github.com/patchscout/patchscout/internal/intel"
)

var update = flag.Bool("update", false, "rewrite golden files")

const name = "enterprise-attack.json"

func read(t *testing.T, text string) *feedtest.Sink {
	t.Helper()
	var c feedtest.Sink
	if err := c.Read(attack.Reader{}, name, text); err != nil {
		t.Fatal(err)
	}
	return &c
}

func TestRelationshipsAreResolvedAndWhatIsRevokedNamesItsSuccessor(t *testing.T) {
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	read(t, string(text)).Golden(t, "testdata/enterprise-attack.golden.json", *update)
}

func TestTheOrderOfABundleDoesNotMatter(t *testing.T) {
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var bundle struct{ Objects []json.RawMessage }
	if err := json.Unmarshal(text, &bundle); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(bundle.Objects)
	turned, err := json.Marshal(map[string]any{"objects": bundle.Objects})
	if err != nil {
		t.Fatal(err)
	}
	c := read(t, string(turned))
	c.Rejected = read(t, string(text)).Rejected // places differ
	c.Golden(t, "testdata/enterprise-attack.golden.json", false)
}

const pattern = `{"type":"attack-pattern","id":"attack-pattern--%d","name":"x","external_references":[{"source_name":"mitre-attack","external_id":"T%d"}],"description":"%s"}`
const tactic = `{"type":"x-mitre-tactic","id":"x-mitre-tactic--1","x_mitre_shortname":"x","external_references":[{"source_name":"mitre-attack","external_id":"TA0001"}]}`

func TestTextsAndListsAreCut(t *testing.T) {
	objects := []string{fmt.Sprintf(pattern, 1, 1190, strings.Repeat("word ", 10_000)), tactic}
	for i := range 1200 {
		objects = append(objects,
			fmt.Sprintf(`{"type":"malware","id":"malware--%d","name":"m","external_references":[{"source_name":"mitre-attack","external_id":"S%04d"}]}`, i, i),
			fmt.Sprintf(`{"type":"relationship","relationship_type":"uses","source_ref":"malware--%d","target_ref":"attack-pattern--1","description":"%s"}`,
				i, strings.Repeat("n", 2000)))
	}
	got := read(t, `{"objects":[`+strings.Join(objects, ",")+`]}`).Techniques[0]
	if len(got.Description) > 16<<10 || !strings.HasSuffix(got.Description, "word…") {
		t.Errorf("description of %d bytes", len(got.Description))
	}
	if n := len(got.Software); n != 1000 || len(got.Software[0].Note) > 600 || got.Software[999].ID != "S0999" {
		t.Errorf("%d pieces of software, note of %d bytes", n, len(got.Software[0].Note))
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	const none = name + ": no techniques and tactics in it, this is no ATT&CK bundle"
	for _, c := range []struct{ text, want string }{
		{"<html>", name + ": an HTML or XML page, not the feed (a login or error page?)"},
		{"{}", none},
		{`{"objects":[]}`, none},
		{`{"objects":[` + fmt.Sprintf(pattern, 1, 1190, "") + `]}`, none},
		{`{"objects":[` + tactic + `,{"type`, "read " + name + " at record 2: the file breaks off at byte 171"},
	} {
		err := new(feedtest.Sink).Read(attack.Reader{}, name, c.text)
		if err == nil || err.Error() != c.want || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}

func TestEachDomainHasItsBundle(t *testing.T) {
	r := attack.Reader{}
	for _, f := range r.Remote(time.Now()) {
		if !r.Owns(f.Name) || !strings.HasSuffix(f.URL, "/"+f.Name) {
			t.Errorf("fetches %s from %s", f.Name, f.URL)
		}
	}
	if r.Owns("attack-pattern.json") || r.Owns("pre-attack.json") {
		t.Error("owns another's file")
	}
}

func FuzzRead(f *testing.F) {
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(`{"objects":[` + fmt.Sprintf(pattern, 1, 1190, "a") + `,` + tactic + `]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var c feedtest.Sink
		if err := c.Read(attack.Reader{}, name, text); err != nil && fault.KindOf(err) != fault.KindInvalid {
			t.Error(err)
		}
		for _, v := range c.Techniques {
			if !intel.IsTechniqueID(v.ID) || len(v.Description) > 16<<10 || (v.Revoked || v.Deprecated) && v.Groups != nil {
				t.Errorf("technique %+v", v)
			}
		}
	})
}
