package app

import (
	"bytes"
	"compress/gzip"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/app/demo"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
)

func open(t *testing.T) *App {
	t.Helper()
	cfg := config.Default()
	cfg.DataDir = filepath.Join(t.TempDir(), "data")
	a, err := Open(context.Background(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func TestSilentTargetsAreProblemsAndAnsweringOnesAreNot(t *testing.T) {
	hosts := []finding.ScanHost{
		{Address: "192.0.2.1", Status: "up"},
		{Address: "192.0.2.2", Status: "unknown", Reason: "did not answer"},
		{Name: "gone.example", Status: "unknown", Reason: "did not resolve: no such host"},
		{Address: "198.51.100.1", Name: "both.example", Status: "unknown", Reason: "did not answer"},
		{Address: "198.51.100.2", Name: "both.example", Status: "up"},
		{Address: "203.0.113.1", Status: "unknown", Reason: "did not answer"},
		{Address: "203.0.113.2", Status: "unknown", Reason: "did not answer"},
	}
	targets := []string{"192.0.2.1", "192.0.2.2", "192.0.2.0/30", "http://gone.example/", "both.example", "203.0.113.0/30"}
	want := []report.Problem{
		{Target: "192.0.2.2", Reason: "did not answer"},
		{Target: "http://gone.example/", Reason: "did not resolve: no such host"},
		{Target: "203.0.113.0/30", Reason: "none of its addresses answered (4)"},
	}
	if diff := cmp.Diff(want, problems(targets, hosts)); diff != "" {
		t.Error(diff)
	}
}

func TestSeedCanBeRepeatedAndRemoved(t *testing.T) {
	a, ctx := open(t), context.Background()
	for range 2 {
		if _, err := a.Seed(ctx); err != nil {
			t.Fatal(err)
		}
		hosts, err := a.Assets(ctx, AssetRequest{})
		if err != nil || len(hosts) != len(seedHosts) {
			t.Fatalf("%d hosts, %v", len(hosts), err)
		}
	}
	if _, err := a.RemoveSeed(ctx); err != nil {
		t.Fatal(err)
	}
	hosts, err := a.Assets(ctx, AssetRequest{})
	scans, scansErr := a.Scans(ctx, 0)
	if err != nil || scansErr != nil || len(hosts)+len(scans) != 0 {
		t.Errorf("left: %d hosts, %d scans (%v, %v)", len(hosts), len(scans), err, scansErr)
	}
}

const nmapXML = `<?xml version="1.0"?><nmaprun scanner="nmap" args="nmap" start="1763000000" version="7.93" xmloutputversion="1.05">
<scaninfo type="connect" protocol="tcp" numservices="1" services="22"/>
<host starttime="1763000000" endtime="1763000010"><status state="up" reason="syn-ack"/><address addr="192.0.2.7" addrtype="ipv4"/>
<ports><port protocol="tcp" portid="22"><state state="open" reason="syn-ack"/><service name="ssh" method="table" conf="3"/></port></ports></host>
<runstats><finished time="1763000010" exit="success"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>`

func TestImportReadsGzipAndBalances(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(nmapXML)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "scan.xml.gz")
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	a := open(t)
	doc, err := a.Import(context.Background(), ImportRequest{Files: []string{path}, Full: true})
	if err != nil || len(doc.Files) != 1 {
		t.Fatalf("%+v, %v", doc, err)
	}
	if l := doc.Files[0]; !l.Balanced() || l.HostsUp != 1 || l.Services != 1 {
		t.Errorf("ledger %+v", l)
	}
}

func TestBadImportLeavesNothingBehind(t *testing.T) {
	a := open(t)
	for name, text := range map[string]string{
		"html": "<html>", "empty": "", "bomb": `<!DOCTYPE n [<!ENTITY a "aaaa">]><nmaprun>&a;</nmaprun>`,
	} {
		_, err := a.Import(context.Background(), ImportRequest{Files: []string{"-"}, Stdin: strings.NewReader(text)})
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	scans, err := a.Scans(context.Background(), 0)
	if err != nil || len(scans) != 0 {
		t.Errorf("%d scans were kept of files that are no reports (%v)", len(scans), err)
	}
}

func TestOutOfScopeTargetsAreRefused(t *testing.T) {
	a := open(t)
	a.cfg.Scan.Scope = []string{"192.0.2.0/24"}
	_, err := a.Scan(context.Background(), ScanRequest{Targets: []string{"127.0.0.1"}, Ports: "1"}, nil)
	if fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), "127.0.0.1 may not be scanned") {
		t.Errorf("error %v", err)
	}
	scans, err := a.Scans(context.Background(), 0)
	if err != nil || len(scans) != 0 {
		t.Errorf("a refused scan was kept: %v %v", scans, err)
	}
}

func TestSimulatedReportsAgreeWithTheScanAndGoWithTheDemo(t *testing.T) {
	a, ctx := open(t), context.Background()
	if err := a.Prepare(ctx, func(Progress) {}); err != nil {
		t.Fatal(err)
	}
	result, err := a.Demo(ctx, DemoRequest{Simulate: demo.Simulators(), Started: func([]demo.Server) {}})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range result.Simulated {
		if !strings.HasPrefix(l.File, "simulated ") || l.Findings.New+l.Findings.Merged != l.Records || len(l.Dropped) != 0 || l.Warning != "" {
			t.Errorf("%+v", l)
		}
	}
	found := map[string]int{}
	for _, f := range result.Agreed {
		found[either(string(f.CVE), string(f.Title))] += len(Witnesses(f))
	}
	cleartext := "FTP Supports Cleartext Authentication (simulated)"
	if found["CVE-2011-2523"] < 3 || found["CVE-2015-3306"] < 3 || found[cleartext] != 4 || len(found) != 3 {
		t.Errorf("agreed: %v", found)
	}
	scans, err := a.Scans(ctx, 0)
	if err != nil || len(scans) < 3 {
		t.Fatalf("%d scans, %v", len(scans), err)
	}
	for _, s := range scans {
		if !s.Demo {
			t.Errorf("scan %d of %v is not marked as demo", s.ID, s.Targets)
		}
	}
	if _, err := a.RemoveSeed(ctx); err != nil {
		t.Fatal(err)
	}
	if left, err := a.Findings(ctx, FindingRequest{State: "all", Hidden: true}); err != nil || left.Total != 0 {
		t.Errorf("%d findings are left, %v", left.Total, err)
	}
}

func TestDemoFindsEveryServer(t *testing.T) {
	a := open(t)
	var servers int
	result, err := a.Demo(context.Background(), DemoRequest{Started: func(s []demo.Server) { servers = len(s) }})
	if err != nil {
		t.Fatal(err)
	}
	doc := result.Document
	if len(doc.Hosts) != 1 || len(doc.Hosts[0].Services) != servers || !doc.Scan.Demo || result.Incomplete {
		t.Errorf("%d servers, document %+v", servers, doc.Hosts)
	}
	for _, s := range doc.Hosts[0].Services {
		if len(s.CPEs) == 0 || s.Version == "" {
			t.Errorf("port %d was not identified: %+v", s.Port, s)
		}
	}
}
