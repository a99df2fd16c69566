package config

import (
	"strings"
	"testing"
)

func TestRawReportsAreKeptWithinLimits(t *testing.T) {
	isolate(t)
	got, err := Load(Sources{File: write(t, "c.yaml", "reports: {newest: 10}\n"), Environ: []string{"PATCHSCOUT_REPORTS_MAX_MB=0"}})
	if want := (Reports{Newest: 10, Days: 180}); err != nil || got.Reports != want {
		t.Errorf("%+v, %v; want %+v", got.Reports, err, want)
	}
	if _, err := Load(Sources{File: write(t, "c.yaml", "reports: {days: -1}\n")}); err == nil || !strings.Contains(err.Error(), "reports.days -1") {
		t.Errorf("a negative time: %v", err)
	}
}
