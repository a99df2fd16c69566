package main

import (
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/priority"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// heartbleed is CVE-2014-0160, true facts cut small.
func heartbleed() explain.Input {
	id := cve.NewID(2014, 160)
	r := &cve.Record{
		ID: id, Status: "Analyzed", Description: "The heartbeat extension of OpenSSL 1.0.1 leaks memory.", CWEs: []string{"CWE-125"},
		Metrics: []cve.Metric{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", Score: 7.5, Provider: cve.ProviderNVD}},
		Configurations: []cve.Node{{Matches: []cve.CPEMatch{
			{Vulnerable: true, Criteria: "cpe:2.3:a:openssl:openssl:*:*:*:*:*:*:*:*", StartIncluding: "1.0.1", EndExcluding: "1.0.1g"},
		}}},
	}
	facts := intel.Facts{
		KEV:  &intel.KEV{CVE: id, Added: day("2022-05-04"), Vendor: "OpenSSL", Product: "OpenSSL", Name: "OpenSSL Information Disclosure Vulnerability"},
		EPSS: &intel.EPSS{CVE: id, Score: 0.9446, Percentile: 0.9999, Date: day("2025-08-01")},
		Exploits: []intel.Exploit{
			{CVE: id, Source: "exploitdb", Verified: true, Published: day("2014-04-08")}, {CVE: id, Source: "exploitdb", Published: day("2014-04-24")},
			{CVE: id, Source: "metasploit", Rank: "normal", Published: day("2014-04-07")},
		},
	}
	return explain.Input{
		ID: id, Record: r, Facts: facts, Name: catalogue.DisplayName,
		Loaded:     map[string]time.Time{"kev": {}, "epss": {}, "exploitdb": {}, "metasploit": {}, "nuclei": {}},
		Verdict:    priority.Assess(priority.Input{Record: r, Facts: facts, Now: day("2026-11-20")}),
		Weaknesses: map[string]intel.Weakness{"CWE-125": {ID: "CWE-125", Name: "Out-of-bounds Read"}},
	}
}

func TestWhatIsTruePasses(t *testing.T) {
	for name, change := range map[string]func(*explain.Input){
		"as it is":   func(*explain.Input) {},
		"not listed": func(in *explain.Input) { in.Facts.KEV = nil },
		"not listed in a list of that day": func(in *explain.Input) {
			in.Facts.KEV, in.Loaded = nil, map[string]time.Time{"kev": day("2025-08-02"), "epss": {}}
		},
		"nobody scored": func(in *explain.Input) { in.Record.Metrics = nil },
		"a finding": func(in *explain.Input) {
			in.Due = day("2026-12-01")
			in.Verdict.Assumed, in.Verdict.Exposed = nil, true
		},
		"exposed, without a date": func(in *explain.Input) { in.Verdict.Assumed, in.Verdict.Exposed = nil, true },
		"SSVC active": func(in *explain.Input) {
			in.Facts.KEV, in.Facts.SSVC = nil, &intel.SSVC{Exploitation: "Active", At: day("2024-02-03")}
		},
		"SSVC poc": func(in *explain.Input) {
			in.Facts = intel.Facts{SSVC: &intel.SSVC{Exploitation: "poc", At: day("2024-02-03")}}
		},
		"SSVC none": func(in *explain.Input) {
			in.Facts = intel.Facts{SSVC: &intel.SSVC{Exploitation: "none", At: day("2024-02-03")}}
		},
		"nothing loaded": func(in *explain.Input) { in.Facts, in.Loaded = intel.Facts{}, nil },
		"CVSS 4, nearby": func(in *explain.Input) {
			in.Record.Metrics = []cve.Metric{{
				Version: "4.0", Vector: "CVSS:4.0/AV:A/AC:L/AT:P/PR:L/UI:P/VC:L/VI:L/VA:N/SC:H/SI:N/SA:N", Score: 5.2, Provider: cve.ProviderCNA,
			}}
		},
		"CVSS 2": func(in *explain.Input) {
			in.Record.Metrics = []cve.Metric{{Version: "2.0", Vector: "AV:N/AC:M/Au:S/C:P/I:P/A:P", Score: 6, Provider: cve.ProviderNVD}}
		},
		"in hand": func(in *explain.Input) {
			in.Record.Metrics = []cve.Metric{{Version: "3.1", Vector: "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:C/C:N/I:L/A:H", Score: 4, Source: "CISA-ADP", Provider: cve.ProviderADP}}
		},
		"withdrawn": func(in *explain.Input) { in.Record.Status = "Rejected" },
		"in words": func(in *explain.Input) {
			in.Record.Metrics, in.Record.Ratings = nil, []cve.Rating{{Level: "high", Source: "GitHub_M"}}
		},
		"a check": func(in *explain.Input) {
			score := 5.3
			*in = explain.Input{Check: &explain.Check{Source: "nikto", Title: "A header is missing."}, Loaded: in.Loaded}
			in.Verdict = priority.Verdict{
				CVSS: &score, CVSSVersion: "3.1", CVSSVector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N", CVSSSource: "derived",
				Decision: priority.Attend, Assumed: []string{"exposed"}, Exposed: true, Automatable: true,
			}
		},
	} {
		in := heartbleed()
		change(&in)
		e := explain.CVE(in)
		problems := Shape(in, e)
		for _, s := range append(e.Sentences, explain.Short(in)) {
			problems = append(problems, Check(in, s)...)
		}
		if problems != nil {
			t.Errorf("%s:\n%s", name, strings.Join(problems, "\n"))
		}
	}
}

// TestWhatIsTamperedWithFails changes one thing in a true sentence at a time.
func TestWhatIsTamperedWithFails(t *testing.T) {
	in := heartbleed()
	var all []explain.Sentence
	all = append(all, explain.CVE(in).Sentences...)
	all = append(all, explain.Short(in))
	for _, c := range []struct{ name, old, new string }{
		{"another version", "1.0.1g", "1.0.1h"},
		{"another product", "OpenSSL has a flaw", "OpenSSH has a flaw"},
		{"another product to update", "Update it", "Update LibreSSL"},
		{"a vendor that nobody names", "OpenSSL has a flaw", "Oracle OpenSSL has a flaw"},
		{"another kind of flaw", "out-of-bounds read", "SQL injection"},
		{"another date", "4 May 2022", "5 May 2022"},
		{"the date of something else", "4 May 2022", "8 April 2014"},
		{"another score", "7.5 of 10", "8.5 of 10"},
		{"another severity", "rated high", "rated critical"},
		{"another standard", "CVSS 3.1", "CVSS 4.0"},
		{"another assessor", "the US database NVD", "its publisher"},
		{"another chance", "94 %", "49 %"},
		{"another rank", "99.9 %", "100 %"},
		{"other people", "without logging in", "with an account"},
		{"from elsewhere", "can reach it over the network", "can lay hands on the device"},
		{"more than there is", "read all of its data", "run their own code on it"},
		{"more, in other words", "read all of its data", "steal all passwords"},
		{"control", "read all of its data", "take full control of it: read everything, change everything and stop it"},
		{"ransomware", "known exploited vulnerabilities", "known exploited vulnerabilities, which connects it with ransomware"},
		{"who attacks", "It is being used in attacks", "It is being used in attacks by a botnet"},
		{"another number of entries", "2 entries", "3 entries"},
		{"more verified ones", "one of them verified", "all verified"},
		{"another rank of module", "ranked normal", "ranked excellent"},
		{"a source without anything", "Metasploit has a module", "Nuclei has a module"},
		{"less time", "within 3 days", "within 1 days"},
		{"more time", "within 14 days elsewhere", "within 60 days elsewhere"},
		{"a name from nowhere", "attack code is public", "Lazarus uses it; attack code is public"},
		{"forensics", " elsewhere.", " elsewhere; also look for signs that it has already been attacked."},
		{"an unwritten claim", " elsewhere.", " elsewhere, since hackers exploit it remotely."},
	} {
		tampered, passed := 0, 0
		for _, s := range all {
			text := strings.Replace(s.Text, c.old, c.new, 1)
			if text == s.Text {
				continue
			}
			tampered++
			s.Text = text
			if Check(in, s) == nil {
				passed++
				t.Errorf("%s passes: %s", c.name, text)
			}
		}
		if tampered == 0 {
			t.Errorf("%s: no sentence holds %q", c.name, c.old)
		}
	}
}

// TestWhatIsNotCitedFails takes one field at a time away from true sentences.
func TestWhatIsNotCitedFails(t *testing.T) {
	in := heartbleed()
	for _, s := range explain.CVE(in).Sentences {
		for i, field := range s.Fields {
			less := s
			less.Fields = append(append([]string{}, s.Fields[:i]...), s.Fields[i+1:]...)
			if Check(in, less) == nil && !implied[field] {
				t.Errorf("without %s this passes: %s", field, s.Text)
			}
		}
	}
}

// implied fields make a claim stronger that another field supports alone: that there is no other damage.
var implied = map[string]bool{"cvss.vector.I": true, "cvss.vector.A": true}

func TestSlipsOfTheTemplatesAreSeen(t *testing.T) {
	for text, want := range map[string]string{
		"The the flaw is is known.":   "doubled word is",
		"It is a open door.":          "a or an",
		"It is an bad door.":          "a or an",
		"There is something  wrong.":  "marks",
		"It waits for {x}, ⟨name⟩.":   "marks",
		"it begins small.":            "small letter",
		"It does not end":             "does not end",
		"There are 1 other products.": "plural",
		"Something is wrong, .":       "marks",
		"Control \x07 characters.":    "control",
	} {
		if got := strings.Join(spelling(text), "; "); !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestTooManyOrTooFewSentencesFail(t *testing.T) {
	in := heartbleed()
	e := explain.CVE(in)
	if Shape(in, explain.Explanation{Sentences: e.Sentences[:2]}) == nil {
		t.Error("two sentences pass")
	}
	if Shape(in, explain.Explanation{Sentences: append(e.Sentences, e.Sentences...)}) == nil {
		t.Error("ten sentences pass")
	}
}
