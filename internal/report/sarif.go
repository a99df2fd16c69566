package report

import (
	"io"
	"strings"
)

const (
	sarifSchema      = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	sarifInformation = "https://github.com/patchscout/patchscout"
)

// The part of SARIF 2.1.0 (OASIS, section 3) that carries findings of a network scan.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations,omitempty"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string         `json:"id"`
		ShortDescription sarifText      `json:"shortDescription"`
		HelpURI          string         `json:"helpUri,omitempty"`
		Properties       map[string]any `json:"properties,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		StartTime     string              `json:"startTimeUtc,omitempty"`
		EndTime       string              `json:"endTimeUtc,omitempty"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Properties   map[string]any    `json:"properties"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
	}
	sarifLogical struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	}
)

// SARIF writes a scan's confirmed findings as SARIF 2.1.0: one rule per CVE or check, one result per finding. Potential
// findings are left out: SARIF readers count and fail on results, and these are not results.
func SARIF(w io.Writer, s Scan, toolVersion string, minConfidence int) error {
	run := sarifRun{Results: []sarifResult{}, Invocations: []sarifInvocation{invocation(s.Scan)}}
	run.Tool.Driver = sarifDriver{
		Name: "PatchScout", Version: toolVersion, Rules: []sarifRule{},
		InformationURI: sarifInformation,
	}
	rules := map[string]int{}
	confirmed, _ := Split(s.Findings, minConfidence)
	for _, f := range confirmed {
		id := f.weakness()
		if _, ok := rules[id]; !ok {
			rules[id] = len(run.Tool.Driver.Rules)
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule(id, f))
		}
		run.Results = append(run.Results, result(rules[id], f))
	}
	return JSON(w, sarifLog{
		Schema:  sarifSchema,
		Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func rule(id string, f Finding) sarifRule {
	r := sarifRule{ID: id, ShortDescription: sarifText{orID(f.Title, id)}, Properties: map[string]any{"tags": []string{"security"}}}
	if f.CVE != "" {
		r.HelpURI = "https://nvd.nist.gov/vuln/detail/" + string(f.CVE)
	}
	if f.CVSS != nil { // what code hosting sites sort by
		r.Properties["security-severity"] = number(f.CVSS, 1)
	}
	return r
}

func orID(title Text, id string) string {
	if title == "" {
		return id
	}
	return Plain(string(title))
}

func result(index int, f Finding) sarifResult {
	r := sarifResult{
		RuleID: f.weakness(), RuleIndex: index, Level: level(f.Severity),
		Message:      sarifText{Plain(message(f))},
		Fingerprints: map[string]string{"patchscout/v1": strings.Join([]string{f.Site, f.uri(), f.weakness()}, "|")},
		Properties: map[string]any{
			"confidence": f.Confidence, "decision": f.Decision, "due": f.Due, "kev": f.KEV, "epss": f.EPSS,
			"priority_score": f.PriorityScore, "risk_removed": f.RiskRemoved, "state": f.State,
		},
	}
	location := sarifLocation{Logical: []sarifLogical{{Name: f.Host, Kind: "resource"}}}
	location.Physical.Artifact.URI = f.uri()
	r.Locations = []sarifLocation{location}
	return r
}

// message reads "OpenSSH 7.2p2 on 192.0.2.7 (22/tcp) is affected by CVE-2024-6387: reason".
func message(f Finding) string {
	what := string(f.Service)
	if what == "" {
		what = "The service"
	}
	text := what + " on " + f.Host + " (" + f.place() + ") is affected by " + f.weakness()
	if reason := firstReason(f); reason != "" {
		text += ": " + reason
	}
	return text
}

func level(severity string) string {
	switch severity {
	case "critical", "high":
		return "error"
	case "low", "info":
		return "note"
	}
	return "warning"
}

func invocation(r Run) sarifInvocation {
	inv := sarifInvocation{Successful: r.Status == "completed" && len(r.Problems) == 0}
	if r.StartedAt != nil {
		inv.StartTime = stamp(*r.StartedAt)
	}
	if r.CompletedAt != nil {
		inv.EndTime = stamp(*r.CompletedAt)
	}
	for _, s := range r.Scanners {
		if s.Error != "" {
			inv.Notifications = append(inv.Notifications, sarifNotification{"error", sarifText{Plain(s.Name + ": " + string(s.Error))}})
		}
	}
	for _, p := range r.Problems {
		inv.Notifications = append(inv.Notifications, sarifNotification{"error", sarifText{Plain(p.Target + ": " + p.Reason)}})
	}
	return inv
}
