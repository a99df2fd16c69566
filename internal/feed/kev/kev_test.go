package kev_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed/feedtest"
	"github.com/patchscout/patchscout/internal/feed/kev"
	"github.com/patchscout/patchscout/internal/intel"
)

const (
	jsonName = "known_exploited_vulnerabilities.json"
	csvName  = "known_exploited_vulnerabilities.csv"
)

var log4shell = intel.KEV{
	CVE: cve.NewID(2021, 44228), Vendor: "Apache", Product: "Log4j2", Name: "Apache Log4j2 RCE",
	Added: time.Date(2021, 12, 10, 0, 0, 0, 0, time.UTC), Due: time.Date(2021, 12, 24, 0, 0, 0, 0, time.UTC),
	Ransomware: true, RequiredAction: "Update, or take it off the network.",
}

var heartbleed = intel.KEV{
	CVE: cve.NewID(2014, 160), Vendor: "OpenSSL", Product: "OpenSSL", Name: "OpenSSL, \"Heartbleed\"",
	Added: time.Date(2022, 5, 4, 0, 0, 0, 0, time.UTC),
}

func TestBothFormsHoldTheSame(t *testing.T) {
	want := []intel.KEV{log4shell, heartbleed}
	for name, text := range map[string]string{
		jsonName: `{"title":"x","catalogVersion":"2024.07.01","count":2,"vulnerabilities":[
			{"cveID":"CVE-2021-44228","vendorProject":"Apache","product":"Log4j2","vulnerabilityName":"Apache Log4j2 RCE",
			 "dateAdded":"2021-12-10","shortDescription":"x","requiredAction":"Update, or take it off the network.",
			 "dueDate":"2021-12-24","knownRansomwareCampaignUse":"Known","notes":"","cwes":["CWE-20"]},
			{"cveID":"CVE-2014-0160","vendorProject":"OpenSSL","product":"OpenSSL ","vulnerabilityName":"OpenSSL, \"Heartbleed\"",
			 "dateAdded":"2022-05-04","dueDate":"","knownRansomwareCampaignUse":"Unknown"}]}`,
		csvName: "\xef\xbb\xbf\"cveID\",\"vendorProject\",\"product\",\"vulnerabilityName\",\"dateAdded\",\"shortDescription\"," +
			"\"requiredAction\",\"dueDate\",\"knownRansomwareCampaignUse\",\"notes\",\"cwes\"\r\n" +
			"CVE-2021-44228,Apache,Log4j2,Apache Log4j2 RCE,2021-12-10,x,\"Update, or take it\r\noff the network.\",2021-12-24,Known,,CWE-20\r\n" +
			"\r\nCVE-2014-0160,OpenSSL,OpenSSL,\"OpenSSL, \"\"Heartbleed\"\"\",2022-05-04,,,,Unknown,,\r\n",
	} {
		var c feedtest.Sink
		if err := c.Read(kev.Reader{}, name, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range c.KEVs { // the line break in the CSV becomes two blanks
			c.KEVs[i].RequiredAction = strings.ReplaceAll(c.KEVs[i].RequiredAction, "  ", " ")
		}
		if diff := cmp.Diff(want, c.KEVs); diff != "" || len(c.Rejected) > 0 {
			t.Errorf("%s: %s, rejected %v", name, diff, c.Rejected)
		}
	}
}

func TestBadEntriesAreRejectedAndNamed(t *testing.T) {
	var c feedtest.Sink
	err := c.Read(kev.Reader{}, jsonName, `{"vulnerabilities":[{"cveID":"none","dateAdded":"2022-05-04"},
		{"cveID":"CVE-2014-0160","dateAdded":"4 May"},{"cveID":"CVE-2014-0160","dateAdded":["2022-05-04"]},
		{"cveID":"CVE-2014-0160","dateAdded":"2022-05-04"}]}`)
	want := []string{
		jsonName + " record 1 cveID, byte 61: malformed CVE id",
		jsonName + " record 2 (CVE-2014-0160) dateAdded, byte 110: malformed date",
		jsonName + " record 3 (CVE-2014-0160), byte 148: want a string",
	}
	if diff := cmp.Diff(want, c.Rejected); err != nil || len(c.KEVs) != 1 || diff != "" {
		t.Errorf("%v, %d entries: %s", err, len(c.KEVs), diff)
	}
	c = feedtest.Sink{}
	err = c.Read(kev.Reader{}, csvName, "cveID,dateAdded,dueDate\nCVE-2014-0160,2022-05-04,soon\nCVE-2014-0160,2022-05-04\n\"CVE\"x,1\n")
	want = []string{csvName + " line 2 dueDate: malformed date", csvName + " line 4: text behind a quoted field"}
	if diff := cmp.Diff(want, c.Rejected); err != nil || len(c.KEVs) != 1 || diff != "" {
		t.Errorf("%v, %d entries: %s", err, len(c.KEVs), diff)
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{jsonName, "<html>", jsonName + ": an HTML or XML page, not the feed (a login or error page?)"},
		{jsonName, "{}", jsonName + ": no list of vulnerabilities in it, this is no KEV catalogue"},
		{jsonName, `{"vulnerabilities":[{"cveID"`, "read " + jsonName + " at record 1: the file breaks off at byte 28"},
		{jsonName, `{"vulnerabilities":[]}`, jsonName + ": no entry in it that can be used"},
		{jsonName, `{"vulnerabilities":[{"cveID":"none","dateAdded":"2022-05-04"}]}`, jsonName + ": no entry in it that can be used"},
		{csvName, "cveID,dateAdded\n", csvName + ": no entry in it that can be used"},
		{csvName, "id,file\n", csvName + " line 1: no columns cveID and dateAdded, this is no KEV catalogue"},
		{csvName, "cveID,dateAdded\n\"CVE-2014", "read " + csvName + " at line 2: the file breaks off within a quoted field"},
	} {
		err := new(feedtest.Sink).Read(kev.Reader{}, c.name, c.text)
		if err == nil || err.Error() != c.want || fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(false, `{"vulnerabilities":[{"cveID":"CVE-2014-0160","dateAdded":"2022-05-04"},{}]}`)
	f.Add(true, "cveID,dateAdded,product\r\nCVE-2014-0160,2022-05-04,\"a \"\"b\"\"\"\r\n")
	f.Fuzz(func(t *testing.T, isCSV bool, text string) {
		var c feedtest.Sink
		name := jsonName
		if isCSV {
			name = csvName
		}
		if err := c.Read(kev.Reader{}, name, text); err != nil && fault.KindOf(err) != fault.KindInvalid {
			t.Error(err)
		}
		for _, k := range c.KEVs {
			if k.CVE == 0 || k.Added.IsZero() && k.Added.Year() != 1 {
				t.Errorf("entry without id or date: %v", k)
			}
		}
	})
}
