package app

import (
	"errors"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/report"
)

func TestALoadThatGotNothingIsNotDone(t *testing.T) {
	failed := report.FeedRun{Feed: "kev", Status: "failed", Error: "no such host"}
	for _, test := range []struct {
		name string
		runs []report.FeedRun
		ok   bool
	}{
		{"nothing to do", nil, true}, {"one of two", []report.FeedRun{failed, {Feed: "nvd", Status: "unchanged"}}, true},
		{"all", []report.FeedRun{failed, {Feed: "nvd", Status: "failed"}}, false},
	} {
		err := allFailed(test.runs)
		if (err == nil) != test.ok || err != nil && (!errors.Is(err, job.ErrFatal) || !strings.Contains(err.Error(), "kev: no such host")) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
