package epss_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed/epss"
	"github.com/patchscout/patchscout/internal/feed/feedtest"
	"github.com/patchscout/patchscout/internal/intel"
)

const current = "epss_scores-current.csv"

func TestDateComesFromTheCommentElseTheName(t *testing.T) {
	const rows = "cve,epss,percentile\nCVE-2021-44228,0.97565,0.99999\nCVE-2014-0160,5e-05,0\n"
	day := time.Date(2024, 7, 2, 0, 0, 0, 0, time.UTC)
	scores := func(date time.Time, model string) []intel.EPSS {
		return []intel.EPSS{
			{CVE: cve.NewID(2021, 44228), Score: 0.97565, Percentile: 0.99999, Date: date, Model: model},
			{CVE: cve.NewID(2014, 160), Score: 0.00005, Percentile: 0, Date: date, Model: model},
		}
	}
	for _, c := range []struct {
		name, text string
		want       []intel.EPSS
	}{
		{current, "#model_version:v2023.03.01,score_date:2024-07-02T00:00:00+0000\n" + rows, scores(day, "v2023.03.01")},
		{current, "\xef\xbb\xbf#model_version:v2025.03.14,score_date:2024-07-02T12:55:00Z\r\n" +
			strings.ReplaceAll(rows, "\n", "\r\n"), scores(day, "v2025.03.14")},
		{"epss_scores-2024-07-02.csv", rows, scores(day, "")},
		{"epss_scores-2024-07-01.csv", "# score_date:2024-07-02\n" + rows, scores(day, "")},
		{current, strings.TrimSuffix(rows, "\n"), scores(time.Time{}, "")},
		{current, "cve,epss\nCVE-2014-0160,0.5\n", []intel.EPSS{{CVE: cve.NewID(2014, 160), Score: 0.5}}},
	} {
		var got feedtest.Sink
		if err := got.Read(epss.Reader{}, c.name, c.text); err != nil {
			t.Errorf("%.60q: %v", c.text, err)
		}
		if diff := cmp.Diff(c.want, got.Scores); diff != "" || len(got.Rejected) > 0 {
			t.Errorf("%.60q: %s, rejected %v", c.text, diff, got.Rejected)
		}
	}
}

func TestBadRowsAreRejectedAndNamed(t *testing.T) {
	var c feedtest.Sink
	err := c.Read(epss.Reader{}, current, "#score_date:2024-07-02\ncve,epss,percentile\nCVE-1,0.1,0.1\nCVE-2014-0160,1.5,0.1\n"+
		"CVE-2014-0160,NaN,0.1\nCVE-2014-0160,0.1,-1\nCVE-2014-0160,0.1\x00,0.2\nCVE-2014-0160\nCVE-2014-0160,"+
		strings.Repeat("9", 70_000)+",0\n\nCVE-2014-0160,0.1,0.2\n")
	want := []string{
		current + " line 3 cve: malformed CVE id",
		current + " line 4 epss: not a number from 0 to 1",
		current + " line 5 epss: not a number from 0 to 1",
		current + " line 6 percentile: not a number from 0 to 1",
		current + " line 7: NUL byte",
		current + " line 8 epss: not a number from 0 to 1",
		current + " line 9: field 2 is longer than 65536 bytes",
	}
	if diff := cmp.Diff(want, c.Rejected); err != nil || len(c.Scores) != 1 || diff != "" {
		t.Errorf("%v, %d scores: %s", err, len(c.Scores), diff)
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", current + ": the file is empty"},
		{"<html>", current + ": an HTML or XML page, not the feed (a login or error page?)"},
		{"id,file\n1,2\n", current + ` line 1: want the columns cve,epss,percentile, have "id,file"`},
		{"cve,epss,percentile\n", current + ": no scores in it"},
		{"cve,epss,percentile\nCVE-2014-0160,much,1\n", current + ": no scores in it"},
		{"#score_date:tomorrow\ncve,epss,percentile\n", current + ` line 1 score_date: malformed date "tomorrow"`},
		{"#only comments\n", current + " line 2: no header line cve,epss,percentile: EOF"},
		{"cve,epss,percentile\n" + strings.Repeat("x", 2<<20), "read " + current + " at line 2: a row of more than 1048576 bytes"},
	} {
		err := new(feedtest.Sink).Read(epss.Reader{}, current, c.text)
		if err == nil || err.Error() != c.want || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%.40q: %v, want %s", c.text, err, c.want)
		}
	}
}

func TestDaysLoadInOrder(t *testing.T) {
	names := []string{current, "epss_scores-2024-07-02.csv", "epss_scores-2021-04-14.csv"}
	slices.SortFunc(names, func(a, b string) int {
		if (epss.Reader{}).Less(a, b) {
			return -1
		}
		return 1
	})
	if diff := cmp.Diff([]string{"epss_scores-2021-04-14.csv", "epss_scores-2024-07-02.csv", current}, names); diff != "" {
		t.Error(diff)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("#model_version:v2023.03.01,score_date:2024-07-02T00:00:00+0000\ncve,epss,percentile\nCVE-2021-44228,0.97565,1\n")
	f.Add("cve,epss\r\n\"CVE-2014-0160\",5e-05\r\n\"x\ny\",\"\"\"\"\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		var c feedtest.Sink
		if err := c.Read(epss.Reader{}, current, text); err != nil && fault.KindOf(err) != fault.KindInvalid {
			t.Error(err)
		}
		for _, s := range c.Scores {
			if s.CVE == 0 || !(s.Score >= 0 && s.Score <= 1 && s.Percentile >= 0 && s.Percentile <= 1) {
				t.Errorf("score %v", s)
			}
		}
	})
}
