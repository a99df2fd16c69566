package app

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

// savedScan is an nmap report of one port, with a comment.
func savedScan(comment string) string {
	return `<?xml version="1.0"?><nmaprun scanner="nmap" start="1763000000" version="7.93"><!-- ` + comment + ` -->
<host endtime="1763000010"><status state="up"/><address addr="192.0.2.7" addrtype="ipv4"/>
<ports><port protocol="tcp" portid="22"><state state="open"/><service name="ssh"/></port></ports></host>
<runstats><finished time="1763000010" exit="success"/></runstats></nmaprun>`
}

// importText imports a report from a file that is always the same.
func importText(t *testing.T, a *App, path, text string) report.Ledger {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	doc, err := a.Import(context.Background(), ImportRequest{Files: []string{path}})
	if err != nil || len(doc.Files) != 1 {
		t.Fatalf("%+v, %v", doc, err)
	}
	return doc.Files[0]
}

// rawReport is what is kept of an import's report, "" when nothing is.
func rawReport(t *testing.T, a *App, scan int64) string {
	t.Helper()
	s, err := a.store.Estate().Scan(context.Background(), auth.Everything(), scan)
	if err != nil || len(s.Scanners) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	raw, err := a.store.Estate().OpenBlob(context.Background(), auth.Everything(), s.Scanners[0].Report)
	if err != nil {
		return ""
	}
	defer raw.Close()
	text, err := io.ReadAll(raw)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRawReportsAreKeptWithoutCredentials(t *testing.T) {
	a := open(t)
	done := importText(t, a, filepath.Join(t.TempDir(), "r.xml"), savedScan("Authorization: Basic c2VjcmV0\n"))
	if kept, want := rawReport(t, a, done.ID), savedScan("Authorization: Basic ********\n"); kept != want {
		t.Errorf("kept is\n%s\nwant\n%s", kept, want)
	}
}

func TestOldRawReportsGoAndTheirFindingsStay(t *testing.T) {
	a := open(t)
	a.cfg.Reports.Newest = 2
	path := filepath.Join(t.TempDir(), "r.xml")
	var imports []report.Ledger
	for n := range 3 {
		imports = append(imports, importText(t, a, path, savedScan(fmt.Sprint("week ", n))))
	}
	for n, i := range imports {
		if kept := rawReport(t, a, i.ID) != ""; kept != (n > 0) {
			t.Errorf("the report of week %d is kept: %v", n, kept)
		}
		if i.Warning != "" {
			t.Errorf("week %d: %s", n, i.Warning)
		}
	}
}

func TestAnImportTellsThatRawReportsNearlyFillTheirQuota(t *testing.T) {
	a := open(t)
	a.cfg.Reports.MaxMB = 1
	noise := make([]byte, 1_040_000) // of which little can be packed
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = "!#$%()*+,./0123456789?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^`abcdefghijklmnopqrstuvwxyz{|}~"[rng.IntN(83)]
	}
	done := importText(t, a, filepath.Join(t.TempDir(), "r.xml"), savedScan(string(noise)))
	if !strings.Contains(string(done.Warning), "of 1 MiB (reports.max_mb)") {
		t.Errorf("warning %q", done.Warning)
	}
}
