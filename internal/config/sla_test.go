package config

import (
	"testing"

	"github.com/patchscout/patchscout/internal/fault"
)

func TestTermsComeFromTheFileAndTheEnvironment(t *testing.T) {
	isolate(t)
	got, err := Load(Sources{File: write(t, "c.yaml", "sla: {decision: {act: 3}, severity: {critical: 7, low: 90}}\n"),
		Environ: []string{"PATCHSCOUT_SLA_SEVERITY_LOW=120"}})
	if err != nil {
		t.Fatal(err)
	}
	if d, s := got.SLA.ByDecision(), got.SLA.BySeverity(); d["act"] != 3 || d["plan"] != 0 || s["critical"] != 7 || s["low"] != 120 {
		t.Errorf("%v %v", d, s)
	}
	if _, err := Load(Sources{Environ: []string{"PATCHSCOUT_SLA_DECISION_ACT=-1"}}); fault.KindOf(err) != fault.KindInvalid {
		t.Errorf("a negative term: %v", err)
	}
}
