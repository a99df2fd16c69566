package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/report"
)

func streamed(t *testing.T, s report.Stream, findings []report.Finding) {
	t.Helper()
	for _, f := range findings {
		if err := s.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
}

func parsed(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

var streamFindings = []report.Finding{
	{ID: 1, Site: "default", Host: "192.0.2.1", CVE: "CVE-2024-6387", Title: "a \u202e title", Severity: "high", Confidence: 95, Status: "affected",
		Evidence: []report.Evidence{{Scanner: "native", Reason: "=1+1"}}},
	{ID: 2, Site: "default", Host: "192.0.2.1", CVE: "CVE-2024-6387", Severity: "high", Confidence: 95, Status: "affected"},
	{ID: 3, Site: "default", Host: "192.0.2.2", Check: "nikto:1", Severity: "low", Confidence: 30, Status: "uncertain"},
}

func TestAStreamIsWhatTheWholeDocumentIs(t *testing.T) {
	for n := range len(streamFindings) + 1 {
		findings := streamFindings[:n]
		var got, want bytes.Buffer
		streamed(t, report.NewStream(&got, "csv", "1"), findings)
		if err := report.CSV(&want, findings); err != nil || got.String() != want.String() {
			t.Errorf("%d findings, csv: %v %s", n, err, cmp.Diff(want.String(), got.String()))
		}
		got.Reset()
		want.Reset()
		streamed(t, report.NewStream(&got, "json", "1"), findings)
		if err := report.JSON(&want, report.FindingList{Findings: append([]report.Finding{}, findings...), Total: n}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(parsed(t, want.Bytes()), parsed(t, got.Bytes())); diff != "" {
			t.Errorf("%d findings, json: %s", n, diff)
		}
		run := report.Run{Status: "completed"}
		got.Reset()
		want.Reset()
		streamed(t, report.NewSARIFStream(&got, run, "1"), findings)
		if err := report.SARIF(&want, report.Scan{Scan: run, Findings: findings}, "1", 0); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(parsed(t, want.Bytes()), parsed(t, got.Bytes())); diff != "" {
			t.Errorf("%d findings, sarif: %s", n, diff)
		}
		got.Reset()
		want.Reset()
		doc := report.Scan{Scan: run, Hosts: []report.Host{}, Findings: append([]report.Finding{}, findings...)}
		s, err := report.NewScanStream(&got, doc)
		if err != nil {
			t.Fatal(err)
		}
		streamed(t, s, findings)
		if err := report.JSON(&want, doc); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(parsed(t, want.Bytes()), parsed(t, got.Bytes())); diff != "" {
			t.Errorf("%d findings, scan: %s", n, diff)
		}
	}
}

func TestLinesAreAFindingEachAndHideNoText(t *testing.T) {
	var got bytes.Buffer
	streamed(t, report.NewStream(&got, "ndjson", "1"), streamFindings)
	if lines := strings.Split(strings.TrimSpace(got.String()), "\n"); len(lines) != len(streamFindings) {
		t.Errorf("%d lines", len(lines))
	}
	if strings.ContainsRune(got.String(), '\u202e') {
		t.Error("a character that turns text round is written as it is")
	}
}
