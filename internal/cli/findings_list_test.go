package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/app"
)

func TestFailOnAsksWithinTheListsOwnFilters(t *testing.T) {
	for name, c := range map[string]struct {
		v        verdict
		req      app.FindingRequest
		want     app.FindingRequest
		possible bool
	}{
		"severity": {verdict{failOn: "high"}, app.FindingRequest{Site: "lab", Cursor: "x", Sort: "due"},
			app.FindingRequest{Site: "lab", Confirmed: true, Severities: []string{"critical", "high"}}, true},
		"kev": {verdict{failOn: "kev"}, app.FindingRequest{}, app.FindingRequest{Confirmed: true, KEV: true}, true},
		"within the severities asked": {verdict{failOn: "medium"}, app.FindingRequest{Severities: []string{"high", "low"}},
			app.FindingRequest{Confirmed: true, Severities: []string{"high"}}, true},
		"nothing in common": {verdict{failOn: "critical"}, app.FindingRequest{Severities: []string{"low"}},
			app.FindingRequest{Confirmed: true, Severities: []string{}}, false},
		"less confidence": {verdict{failOn: "critical", minConfidence: 30}, app.FindingRequest{},
			app.FindingRequest{Confidence: 30, Severities: []string{"critical"}}, true},
		"more confidence": {verdict{failOn: "critical", minConfidence: 90}, app.FindingRequest{},
			app.FindingRequest{Confidence: 90, Statuses: []string{"affected"}, Severities: []string{"critical"}}, true},
	} {
		got, possible := c.v.failing(c.req)
		if diff := cmp.Diff(c.want, got); diff != "" || possible != c.possible {
			t.Errorf("%s: possible %v (-want +got):\n%s", name, possible, diff)
		}
	}
}
