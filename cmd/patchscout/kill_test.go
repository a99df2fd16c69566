//go:build unix

package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/store/storetest"
)

const (
	killHosts    = 60
	killFindings = 50 // of each host
)

// writeNessus writes a report of killHosts hosts with killFindings findings each, from records that name two CVEs.
func writeNessus(t *testing.T, path string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("<NessusClientData_v2><Policy><policyName>Weekly</policyName></Policy><Report name=\"weekly\">\n")
	for host := range killHosts {
		fmt.Fprintf(&b, `<ReportHost name="10.0.7.%d"><HostProperties><tag name="HOST_END_TIMESTAMP">%d</tag></HostProperties>`+
			`<ReportItem port="0" svc_name="general" protocol="tcp" severity="0" pluginID="19506" pluginName="Nessus Scan Information"/>`+"\n", host, 1763000000+host)
		for i := range killFindings / 2 {
			fmt.Fprintf(&b, `<ReportItem port="%d" svc_name="www" protocol="tcp" severity="3" pluginID="%d" pluginName="Made up %[2]d"><cve>CVE-2021-%d</cve><cve>CVE-2022-%[3]d</cve>`+
				`<description>made up for a test</description><plugin_output>host %[4]d, plugin %[2]d%[5]s</plugin_output></ReportItem>`+"\n",
				443+host%2*8000, 50000+i, 100000+i, host, strings.Repeat(" more", 100))
		}
		b.WriteString("</ReportHost>\n")
	}
	b.WriteString("</Report></NessusClientData_v2>\n")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// killed is a data folder, and perhaps a database, in which imports are killed.
type killed struct {
	home string
	url  string // "": SQLite
}

func (k killed) args(args ...string) []string {
	if k.url != "" {
		args = append([]string{"--database-url", k.url}, args...)
	}
	return args
}

// document runs a command to its end and reads its answer.
func (k killed) document(t *testing.T, into any, args ...string) {
	t.Helper()
	p, code := run(t, k.home, k.args(append(args, "--format", "json")...)...)
	if err := json.Unmarshal(p.stdout.Bytes(), into); err != nil || code != 0 {
		t.Fatalf("%v: %v, exit code %d, %s", args, err, code, p.stderr.String())
	}
}

// findings are all findings as text, in an order of their own, without the numbers that another run gives otherwise.
func (k killed) findings(t *testing.T) (all []string) {
	t.Helper()
	var doc struct{ Findings []map[string]any }
	k.document(t, &doc, "findings", "--state", "all", "--limit", "0")
	for _, f := range doc.Findings {
		delete(f, "id")
		delete(f, "host_id")
		delete(f, "due") // counts from the day of the import
		for _, e := range f["evidence"].([]any) {
			delete(e.(map[string]any), "scan_id")
		}
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	slices.Sort(all)
	return all
}

// sums is the part of a ledger that does not depend on what was known before.
type sums struct {
	Records, Expanded, Hosts, Findings, Informational, Dropped, CVEs int
}

type killLedger struct {
	Records, Expanded, Hosts, CVEs int
	Findings                       struct{ New, Merged, Informational int }
	Dropped                        []struct{ Count int }
}

func (l killLedger) sums() sums {
	s := sums{Records: l.Records, Expanded: l.Expanded, Hosts: l.Hosts, CVEs: l.CVEs, Findings: l.Findings.New + l.Findings.Merged, Informational: l.Findings.Informational}
	for _, d := range l.Dropped {
		s.Dropped += d.Count
	}
	return s
}

// whole imports to the end.
func (k killed) whole(t *testing.T, file string) killLedger {
	t.Helper()
	var doc struct{ Files []killLedger }
	k.document(t, &doc, "import", file)
	if len(doc.Files) != 1 {
		t.Fatalf("%d ledgers", len(doc.Files))
	}
	return doc.Files[0]
}

// Imports that are killed at any moment, again and again, and then one that is not, come to what one undisturbed import
// comes to: nothing is lost and nothing is there twice.
func TestKilledImportsLoseNothingAndDoubleNothing(t *testing.T) {
	rounds, onServer := 1, 1
	if os.Getenv("TEST_LONG") != "" {
		rounds, onServer = 10, 2
	}
	file := filepath.Join(t.TempDir(), "weekly.nessus")
	writeNessus(t, file)
	base := t.TempDir()
	if p, code := run(t, base, "init"); code != 0 {
		t.Fatal(p.stderr.String())
	}
	rng := rand.New(rand.NewPCG(4, 50))
	t.Run("sqlite", func(t *testing.T) {
		killRounds(t, rng, file, rounds, func() killed {
			home := t.TempDir()
			if err := os.CopyFS(home, os.DirFS(base)); err != nil {
				t.Fatal(err)
			}
			return killed{home: home}
		})
	})
	t.Run("postgres", func(t *testing.T) {
		killRounds(t, rng, file, onServer, func() killed {
			k := killed{home: t.TempDir(), url: storetest.Postgres(t)}
			if p, code := run(t, k.home, k.args("init")...); code != 0 {
				t.Fatal(p.stderr.String())
			}
			return k
		})
	})
}

const killsPerRound = 5

// killRounds kills in one empty place after the other, so that there is always something new to write.
func killRounds(t *testing.T, rng *rand.Rand, file string, rounds int, empty func() killed) {
	calm := empty()
	begin := time.Now()
	want := calm.whole(t, file)
	whole := time.Since(begin)
	if want.Findings.New != killHosts*killFindings || want.Findings.Merged != 0 {
		t.Fatalf("the undisturbed import: %+v", want)
	}
	findings := calm.findings(t)
	broken := 0
	for range rounds {
		k := empty()
		for range killsPerRound {
			p := start(t, k.home, k.args("import", file)...)
			time.Sleep(time.Duration((0.25 + 0.75*rng.Float64()) * float64(whole))) // the moment of death is what is tested
			_ = p.Process.Kill()
			_ = p.Wait()
		}
		broken += k.checkKilled(t)
		if got := k.whole(t, file); got.sums() != want.sums() {
			t.Errorf("the ledger is %+v, want %+v", got.sums(), want.sums())
		}
		if got := k.findings(t); !slices.Equal(got, findings) {
			t.Errorf("%d findings, want %d; the first that differs:\n%s", len(got), len(findings), firstOther(got, findings))
		}
		if k.url == "" {
			checkIntegrity(t, filepath.Join(k.home, "patchscout", "estate.db"))
		}
	}
	t.Logf("%d of %d imports were killed while they wrote", broken, rounds*killsPerRound)
}

// checkKilled: an import that was killed says so, and can be taken back. It returns how many there are.
func (k killed) checkKilled(t *testing.T) (broken int) {
	t.Helper()
	var doc struct {
		Imports []struct {
			ID             int64
			Status, Reason string
		}
	}
	k.document(t, &doc, "imports")
	for _, i := range doc.Imports {
		if i.Status == "completed" {
			continue
		}
		broken++
		if !strings.HasPrefix(i.Reason, "interrupted") {
			t.Errorf("a killed import is %s, for the reason %q", i.Status, i.Reason)
		}
	}
	return broken
}

func firstOther(got, want []string) string {
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			return fmt.Sprintf("want %s\n got %s", want[i], slices.Concat(got, []string{"nothing"})[min(i, len(got))])
		}
	}
	return "one more"
}

func checkIntegrity(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity: %q, %v", verdict, err)
	}
	var table string
	if err := db.QueryRow(`SELECT "table" FROM pragma_foreign_key_check`).Scan(&table); err != sql.ErrNoRows {
		t.Errorf("foreign keys of %q: %v", table, err)
	}
}
