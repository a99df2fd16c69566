package report

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func TestZAP(t *testing.T) { try(t, zap{}, "testdata/zap-*"+raw) }
func FuzzZAP(f *testing.F) { fuzz(f, zap{}, "testdata/zap-*"+raw) }

func TestZAPLarge(t *testing.T) {
	large(t, zap{}, scantest.Large{
		Head: `<OWASPZAPReport version="2.15.0" generated="Tue, 2 Jul 2024 08:15:00"><site name="http://192.0.2.7" host="192.0.2.7" port="80" ssl="false"><alerts>`,
		Item: func(n int) string {
			return fmt.Sprintf(`<alertitem><pluginid>%d</pluginid><name>One of many</name><riskcode>2</riskcode><confidence>2</confidence><desc>&lt;p&gt;What it says, at some length, about itself.&lt;/p&gt;</desc>`+
				`<instances><instance><uri>http://192.0.2.7/%d</uri><method>GET</method><requestheader>GET / and what follows it</requestheader></instance></instances><cweid>79</cweid></alertitem>`, n, n)
		},
		Tail: `</alerts></site></OWASPZAPReport>`,
	}, 1, 0)
}

// raw ends a pattern of reports of several kinds (.xml, .json, .txt, .csv), without their golden files.
const raw = "[mosx][lntv]"

// tryTables is try for CSV, in which a cut between two rows, or within the text of the last field, cannot be seen.
func tryTables(t *testing.T, r scan.Reader, pattern string) {
	t.Run("golden", func(t *testing.T) { scantest.Golden(t, r, pattern) })
	t.Run("stops", func(t *testing.T) { scantest.Stops(t, r, pattern) })
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no report: %v", err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		detectedByOne(t, r, raw)
		sameInAnyEncoding(t, r, raw)
		notAnothers(t, r, path)
		whole, _ := scantest.Read(t, r, raw)
		for n := range raw {
			events, err := scantest.Read(t, r, raw[:n])
			if got := countRecords(events); got > countRecords(whole) || got == 0 && err == nil {
				t.Fatalf("%s, cut at byte %d: %d of %d records, %v", path, n, got, countRecords(whole), err)
			}
		}
	}
}
