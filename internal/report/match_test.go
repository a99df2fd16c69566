package report

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/match"
)

func TestMatchLineHasTheContractsShape(t *testing.T) {
	line := MatchLine{
		Line: `cpe:/a:x:"y"`, CPEs: []string{"cpe:2.3:a:x:\\\"y\\\":*:*:*:*:*:*:*:*"}, UnknownVersion: 3,
		CVEs: []match.Match{{
			CVE: cve.NewID(2016, 10009), Status: match.Affected, Subject: "cpe:2.3:a:x:y:1:*:*:*:*:*:*:*",
			FixedIn: "7.4", Confidence: 80, Reason: "7.2p2 is below 7.4, the first fixed version",
		}},
	}
	got := string(line.AppendJSON(nil))
	want := `{"cpe":"cpe:/a:x:\"y\"","cpes":["cpe:2.3:a:x:\\\"y\\\":*:*:*:*:*:*:*:*"],"cves":[{"id":"CVE-2016-10009",` +
		`"status":"affected","matched_cpe":"cpe:2.3:a:x:y:1:*:*:*:*:*:*:*","needs":[],"confidence":80,` +
		`"reason":"7.2p2 is below 7.4, the first fixed version","fixed_in":"7.4"}],"unknown_version":3,"error":null}` + "\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzMatchLineIsJSON(f *testing.F) {
	f.Add("cpe:2.3:a:openbsd:openssh:7.2:p2:*:*:*:*:*:*", "")
	f.Add("\x00\xff\u2028\"\\\x7f\u0085", "x\ny")
	f.Fuzz(func(t *testing.T, line, fault string) {
		text := MatchLine{Line: line, Error: fault}.AppendJSON(nil)
		var back struct {
			CPE   string  `json:"cpe"`
			Error *string `json:"error"`
		}
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if utf8.ValidString(line) && back.CPE != line {
			t.Fatalf("%q came back as %q", line, back.CPE)
		}
	})
}
