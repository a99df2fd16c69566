package nessus

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// compliance is what the cm: elements of an item say.
type compliance struct {
	result    string // passed, failed, warning, error, info
	id        string
	name      string
	audit     string // file
	benchmark string
	version   string
	profile   string
	reference string
	actual    string
	expected  string
	info      string
	failure   string // why the check could not be made
	solution  string
}

// read takes an element "compliance-…".
func (c *compliance) read(element, text string) {
	field := map[string]*string{
		"compliance-check-id": &c.id, "compliance-check-name": &c.name, "compliance-audit-file": &c.audit,
		"compliance-benchmark-name": &c.benchmark, "compliance-benchmark-version": &c.version, "compliance-benchmark-profile": &c.profile,
		"compliance-reference": &c.reference, "compliance-actual-value": &c.actual, "compliance-policy-value": &c.expected,
		"compliance-info": &c.info, "compliance-error": &c.failure, "compliance-solution": &c.solution,
	}[element]
	switch {
	case element == "compliance-result":
		c.result = complianceResult(text)
	case field != nil && *field == "":
		*field = text
	}
}

// complianceResult is the lower-case word, "" for what is none.
func complianceResult(text string) string {
	switch word := strings.ToLower(strings.TrimSpace(text)); word {
	case "passed", "failed", "warning", "error":
		return word
	case "info", "skipped", "not_applicable", "notapplicable":
		return "info"
	}
	return ""
}

var complianceLine = regexp.MustCompile(`(?s)^\s*"?([^\r\n]{1,1000}?)"?[ \t]*:[ \t]*\[(PASSED|FAILED|WARNING|ERROR|INFO|SKIPPED)\][ \t]*\r?\n?(.*)$`)

// fromText reads `"name of the check" : [FAILED]`, as the description has it in tables and before the cm: elements were
// invented.
func (c *compliance) fromText(description string) {
	m := complianceLine.FindStringSubmatch(description)
	if m == nil {
		return
	}
	if c.name == "" {
		c.name = strings.Trim(m[1], `" `)
	}
	if c.info == "" {
		c.info = strings.TrimSpace(m[3])
	}
	if c.result == "" {
		c.result = complianceResult(m[2])
	}
}

// key is the check's own id, or a hash of its name where an old Nessus gives none.
func (c *compliance) key() string {
	if pluginID.MatchString(c.id) || len(c.id) <= 128 && isHex(c.id) {
		return c.id
	}
	sum := sha256.Sum256([]byte(c.name + c.id))
	return hex.EncodeToString(sum[:16])
}

func isHex(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// benchmarkName is the benchmark with its version and profile, or the audit file.
func (c *compliance) benchmarkName() string {
	if c.benchmark == "" {
		return c.audit
	}
	name := c.benchmark
	if c.version != "" && !strings.Contains(name, c.version) {
		name += " v" + strings.TrimPrefix(c.version, "v")
	}
	if c.profile != "" && !strings.Contains(name, c.profile) {
		name += " " + strings.ReplaceAll(c.profile, "|", " ")
	}
	return name
}

// severity of a result. Nessus rates every failed check "high", which would bury the holes: a deviation from a
// recommendation is medium, unless the benchmark itself (a STIG's category) says how bad it is; what a person must look at
// (warning) or could not be checked (error) is low.
func (c *compliance) severity() string {
	switch c.result {
	case "failed":
		switch {
		case strings.Contains(c.reference+",", "CAT|I,"):
			return "high"
		case strings.Contains(c.reference+",", "CAT|III,"):
			return "low"
		}
		return "medium"
	case "warning", "error":
		return "low"
	}
	return "info"
}

// complianceEvent is the item as a finding of kind compliance. One that is information only, or names no check, is none.
func (it *item) complianceEvent(from origin) finding.Event {
	c := &it.compliance
	if c.result == "info" || c.name == "" && c.id == "" {
		return informational("compliance information")
	}
	o := it.observation(from)
	o.Check += ":" + c.key()
	o.Compliance = &finding.Compliance{Result: c.result, Benchmark: c.benchmarkName(), Reference: oneLine(c.reference)}
	o.Severity, o.Passed, o.Vector, o.Confidence = c.severity(), c.result == "passed", "", 97
	if c.name != "" {
		o.Title = oneLine(c.name)
	}
	if c.solution != "" {
		o.Remedy = c.solution
	}
	o.Output = c.output(it.output)
	return finding.Event{Observation: o}
}

func (c *compliance) output(otherwise string) string {
	var parts []string
	for _, p := range []struct{ head, text string }{{"", c.failure}, {"Actual: ", c.actual}, {"Expected: ", c.expected}, {"", c.info}} {
		if p.text != "" {
			parts = append(parts, p.head+p.text)
		}
	}
	if len(parts) == 0 {
		return otherwise
	}
	return intake.Cut(strings.Join(parts, "\n"), intake.MaxText)
}

// oneLine joins the lines of a text.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
