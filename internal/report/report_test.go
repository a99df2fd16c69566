package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func ptr[T any](v T) *T { return &v }

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func day(y int, m time.Month, d int) Date { return Date{time.Date(y, m, d, 0, 0, 0, 0, time.UTC)} }

// sample has what tables trip over: an IPv6 host, hostile text, absent facts, potential findings, a silent target.
func sample() Scan {
	start, end := now.Add(-4200*time.Millisecond), now
	finding := func(id int64, host string, port uint16, service, cve string) Finding {
		return Finding{
			ID: id, HostID: 1, Site: "default", Host: host, Port: ptr(port), Protocol: "tcp", Service: Text(service),
			CVE: Text(cve), Severity: "unknown", Confidence: 80, Status: "affected", State: "open", Triage: "none",
			FirstSeen: now, LastSeen: now, DecisionAssumed: []string{}, Indicators: []Indicator{},
			Evidence: []Evidence{{Scanner: "native", ScanID: 7, Confidence: 80, Reason: "7.2p2 is below 7.4, the first fixed version"}},
		}
	}
	apache := finding(1, "192.0.2.7", 80, "Apache httpd 2.4.49", "CVE-2021-41773")
	apache.Severity, apache.CVSS, apache.KEV = "high", ptr(7.5), ptr(true)
	apache.Decision, apache.Due, apache.PriorityScore = "act", day(2026, 11, 24), ptr(0.8)
	ssh := finding(2, "2001:db8::1", 22, "OpenSSH 7.2p2", "CVE-2016-10009")
	ssh.Severity, ssh.CVSS, ssh.KEV, ssh.EPSS = "high", ptr(7.3), ptr(false), ptr(0.00043)
	ssh.Decision, ssh.Due, ssh.PriorityScore = "attend", day(2026, 12, 5), ptr(0.292)
	unscored := finding(3, "192.0.2.7", 21, "=cmd|' /C calc'!A0 \x1b[31mevil\u202e", "CVE-2099-0001")
	unscored.Decision, unscored.Likelihood, unscored.LikelihoodSource = "track", ptr(0.031), FromEstimate
	backport := finding(4, "192.0.2.7", 22, "OpenSSH 9.2p1", "CVE-2024-6387")
	backport.Confidence = 30
	second := backport
	second.ID, second.CVE, second.KEV = 5, "CVE-2023-38408", ptr(true)
	conditional := finding(6, "192.0.2.7", 8080, "Tomcat 9.0.30", "CVE-2020-9484")
	conditional.Status = "conditional"
	seen := now.AddDate(0, 0, -2)
	listed := []Indicator{
		{Kind: "ip", Value: "192.0.2.7", Port: ptr(80), Threat: "botnet_cc", Malware: "Emo\x1b[31mtet", Confidence: 90, Status: "online",
			FirstSeen: &seen, LastSeen: &seen, Tags: []string{}, Source: "feodo"},
		{Kind: "ip", Value: "192.0.2.7", Threat: "malware_download", Confidence: 50, LastSeen: &seen, Expired: true, Tags: []string{}, Source: "urlhaus"},
	}
	apache.Indicators = listed
	return Scan{
		Scan: Run{
			ID: 7, Targets: []string{"192.0.2.7", "2001:db8::1", "nosuch.example"}, Site: "default", Status: "completed",
			CreatedAt: start, StartedAt: &start, CompletedAt: &end,
			Scanners:  []Scanner{{Name: "native", Status: "ok"}},
			Problems:  []Problem{{"nosuch.example", "did not resolve: no such host"}},
			Catalogue: Catalogue{Records: 61234, Newest: day(2026, 7, 1), Starter: true, Feeds: []FeedAge{{Name: "epss"}}},
		},
		Hosts: []Host{
			{ID: 1, Site: "default", Address: "192.0.2.7", Addresses: []string{"192.0.2.7"}, Hostnames: []string{}, Status: "up",
				Services:   []Service{{Port: 22, Protocol: "tcp", Service: "ssh", CPEs: []string{}}, {Port: 80, Protocol: "tcp", CPEs: []string{}}},
				Indicators: listed},
			{ID: 2, Site: "default", Address: "2001:db8::1", Status: "up", Indicators: []Indicator{}, Services: []Service{{Port: 22, Protocol: "tcp"},
				{Port: 25, Protocol: "tcp", Service: "smtp", Product: "Postfix\x1b[2J", UnknownVersion: 13}}},
		},
		Findings: []Finding{apache, ssh, unscored, backport, second, conditional},
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (run with -update to accept):\n%s", name, diff)
	}
}

func TestScanTableAtSeveralWidths(t *testing.T) {
	for _, width := range []int{0, 80, 120} {
		var out bytes.Buffer
		if err := Table(&out, sample(), View{Terminal: Terminal{Width: width}, Now: now}); err != nil {
			t.Fatal(err)
		}
		golden(t, fmt.Sprintf("scan_%d.txt", width), out.Bytes())
		for line := range strings.Lines(out.String()) {
			if w := lipgloss.Width(strings.TrimRight(line, "\n")); width > 0 && w > width {
				t.Errorf("at %d columns a line has %d: %q", width, w, line)
			}
		}
	}
}

func TestColourIsOnlyPaintAndNothingHostilePasses(t *testing.T) {
	var plain, coloured bytes.Buffer
	view := View{Now: now}
	if err := Table(&plain, sample(), view); err != nil {
		t.Fatal(err)
	}
	view.Colour = true
	if err := Table(&coloured, sample(), view); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(plain.String(), "\x1b\u202e") {
		t.Error("plain table has control characters")
	}
	if strings.Contains(coloured.String(), "\x1b[31mevil") || strings.Contains(coloured.String(), "\u202e") {
		t.Error("a banner's own escape sequence reached the terminal")
	}
	if !strings.Contains(coloured.String(), "\x1b[") {
		t.Error("the coloured table has no colour")
	}
}

func TestCSVCannotRunInASpreadsheet(t *testing.T) {
	var out bytes.Buffer
	if err := CSV(&out, sample().Findings); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 7 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if got := rows[3][5]; !strings.HasPrefix(got, "'=cmd") {
		t.Errorf("formula %q is not defused", got)
	}
	if rows[3][10] != "" || rows[3][11] != "" {
		t.Errorf("absent CVSS and EPSS are %q and %q, want empty", rows[3][10], rows[3][11])
	}
}

func TestJSONKeepsAbsentFactsNull(t *testing.T) {
	var out bytes.Buffer
	if err := JSON(&out, sample()); err != nil {
		t.Fatal(err)
	}
	golden(t, "scan.json", out.Bytes())
	var back Scan
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Findings[2].CVSS != nil || back.Findings[2].EPSS != nil || back.Findings[0].Due != day(2026, 11, 24) {
		t.Error("the document does not read back as it was")
	}
}

func TestJSONEscapesWhatATerminalWouldObey(t *testing.T) {
	hostile := "a\u202eb\u009bc\x7fd\x1be\U000E0041f–é"
	var out bytes.Buffer
	if err := JSON(&out, map[string]string{"k": hostile}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\u202e\u009b\x7f\x1b\U000E0041") {
		t.Errorf("%q", out.String())
	}
	var back map[string]string
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back["k"] != hostile {
		t.Errorf("%q came back (%v)", back["k"], err)
	}
}

func TestSARIFHoldsConfirmedFindingsOnly(t *testing.T) {
	var out bytes.Buffer
	if err := SARIF(&out, sample(), "1.2.3", 0); err != nil {
		t.Fatal(err)
	}
	golden(t, "scan.sarif", out.Bytes())
}

func TestEmptyAndUncleanScansSaySo(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Scan)
		want string
	}{
		{"nothing open", func(s *Scan) { s.Findings, s.Hosts = nil, []Host{{Address: "127.0.0.1", Status: "up"}} }, "patchscout demo"},
		{"services without findings", func(s *Scan) { s.Findings = nil }, "No confirmed findings among these services."},
		{"silent target", func(s *Scan) {}, "not known to be clean"},
		{"failed scanner", func(s *Scan) {
			s.Scan.Problems = nil
			s.Scan.Scanners = []Scanner{{"nmap", "failed", "nmap is not installed"}}
		}, "scanner nmap: nmap is not installed"},
		{"cancelled", func(s *Scan) { s.Scan.Status, s.Scan.Reason = "failed", "cancelled" }, "was cancelled"},
		{"empty catalogue", func(s *Scan) { s.Scan.Catalogue = Catalogue{} }, "catalogue is empty"},
		{"stale feed", func(s *Scan) {
			s.Scan.Catalogue.Starter = false
			s.Scan.Catalogue.Feeds = []FeedAge{{"nvd", ptr(24.0 * 30)}, {"kev", ptr(1.0)}, {"epss", ptr(1.0)}, {"exploitdb", ptr(1.0)}}
		}, "last synced: NVD 30 days old"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := sample()
			tt.edit(&s)
			var out bytes.Buffer
			if err := Table(&out, s, View{Now: now}); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), tt.want) {
				t.Errorf("want %q in:\n%s", tt.want, out.String())
			}
		})
	}
}

func TestAHostOnWhichEverythingAnswersStaysReadable(t *testing.T) {
	h := Host{ID: 1, Address: "192.0.2.1", Status: "up"}
	for port := range uint16(1000) {
		h.Services = append(h.Services, Service{Port: port + 1, Protocol: "tcp"})
	}
	var out bytes.Buffer
	if err := HostTable(&out, []Host{h}, Terminal{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "… and 980 more") || len(out.String()) > 1000 {
		t.Errorf("%d characters: %.200s", len(out.String()), out.String())
	}
}

func TestNoCVEIsHigherThanAll(t *testing.T) {
	for percentile, want := range map[float64]float64{1: 99.9, 0.99996: 99.9, 0.5: 50, 0.1239: 12.3, 0: 0} {
		if got := shareBelow(percentile); got != want {
			t.Errorf("percentile %v is shown as %v, want %v", percentile, got, want)
		}
	}
}
