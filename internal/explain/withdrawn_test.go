package explain_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/intel"
)

// Who withdraws a CVE and who lists it as exploited are two authorities; that they contradict each other must show.
func TestAWithdrawnCVEThatCISAListsSaysSo(t *testing.T) {
	id := cve.NewID(2021, 44228)
	e := explain.CVE(explain.Input{ID: id, Record: &cve.Record{ID: id, Status: "Rejected", Description: "Rejected reason: a duplicate."},
		Facts: intel.Facts{KEV: &intel.KEV{CVE: id, Added: time.Date(2021, 12, 10, 0, 0, 0, 0, time.UTC)}}})
	said := ""
	for _, s := range e.Sentences {
		said += s.Text + " "
		if strings.Contains(s.Text, "CISA") && !slices.Contains(s.Fields, explain.FieldKEV) {
			t.Errorf("%q does not cite KEV: %v", s.Text, s.Fields)
		}
	}
	if !strings.Contains(said, "10 December 2021") || strings.Contains(said, "Nothing needs to be done") {
		t.Error(said)
	}
	t.Log(said)
}
