package app

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	replies "github.com/patchscout/patchscout/internal/assistant/answer"
	"github.com/patchscout/patchscout/internal/assistant/understand"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/report"
)

// estateOfQuestions is the demo estate with a catalogue.
func estateOfQuestions(t *testing.T) *App {
	t.Helper()
	a := open(t)
	ctx := context.Background()
	if err := a.Prepare(ctx, func(Progress) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Seed(ctx); err != nil {
		t.Fatal(err)
	}
	return a
}

func replyTo(t *testing.T, a *App, q understand.Question) *replies.Draft {
	t.Helper()
	d, err := replies.Answer(context.Background(), &replies.Asked{Question: q, Desk: a, View: a.who.View, Now: a.now(), Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	checkCitations(t, d)
	return d
}

var namedCVE = regexp.MustCompile(`CVE-\d{4}-\d+`)

// checkCitations: what an answer names is in its sources.
func checkCitations(t *testing.T, d *replies.Draft) {
	t.Helper()
	sources := ""
	for _, s := range d.Sources {
		sources += s.ID + " " + s.Title + " " + s.Text + "\n"
	}
	for _, id := range namedCVE.FindAllString(d.Text(), -1) {
		if !strings.Contains(sources, id) {
			t.Errorf("%s is in no source of:\n%s", id, d.Text())
		}
	}
	for _, l := range d.Lines {
		for _, n := range l.Cites {
			if n < 1 || n > len(d.Sources) {
				t.Errorf("source %d of %d: %s", n, len(d.Sources), l.Text)
			}
		}
	}
}

func TestCountsOfQuestionsAreThoseOfTheFindingsThemselves(t *testing.T) {
	a := estateOfQuestions(t)
	all, err := a.Findings(context.Background(), FindingRequest{})
	if err != nil {
		t.Fatal(err)
	}
	is, low, high, epss := true, 4.0, 7.0, 0.5
	host := func(text, kind string) []understand.HostName { return []understand.HostName{{Text: text, Kind: kind}} }
	for name, tt := range map[string]struct {
		q    understand.Question
		fits func(report.Finding) bool
	}{
		"all":        {understand.Question{}, func(report.Finding) bool { return true }},
		"severities": {understand.Question{Severities: []string{"critical", "high"}}, func(f report.Finding) bool { return f.Severity == "critical" || f.Severity == "high" }},
		"a host":     {understand.Question{Hosts: host("192.0.2.10", "address")}, func(f report.Finding) bool { return f.Host == "192.0.2.10" }},
		"a name":     {understand.Question{Hosts: host("www.demo.example", "name")}, func(f report.Finding) bool { return f.Host == "192.0.2.10" }},
		"a network": {understand.Question{Hosts: host("192.0.2.0/27", "network")}, func(f report.Finding) bool {
			return f.Host == "192.0.2.10" || f.Host == "192.0.2.20" || f.Host == "192.0.2.30"
		}},
		"two hosts":       {understand.Question{Hosts: append(host("192.0.2.10", "address"), host("192.0.2.30", "address")...)}, func(f report.Finding) bool { return f.Host == "192.0.2.10" || f.Host == "192.0.2.30" }},
		"a site":          {understand.Question{Sites: []string{"demo-dmz"}}, func(f report.Finding) bool { return f.Site == "demo-dmz" }},
		"jewels":          {understand.Question{Jewels: true}, func(f report.Finding) bool { return f.Host == "2001:db8::40" }},
		"a port":          {understand.Question{Ports: []understand.Port{{From: 22, To: 22}}}, func(f report.Finding) bool { return f.Port != nil && *f.Port == 22 }},
		"a range":         {understand.Question{Ports: []understand.Port{{From: 20, To: 80}}}, func(f report.Finding) bool { return f.Port != nil && *f.Port >= 20 && *f.Port <= 80 }},
		"a product":       {understand.Question{Products: []understand.ProductName{{Text: "openssh", Vendor: "openbsd", Product: "openssh"}}}, func(f report.Finding) bool { return strings.HasPrefix(string(f.Service), "OpenSSH") }},
		"by another name": {understand.Question{Products: []understand.ProductName{{Text: "apache web server", Vendor: "apache", Product: "http_server"}}}, func(f report.Finding) bool { return strings.HasPrefix(string(f.Service), "Apache httpd") }},
		"a version":       {understand.Question{Products: []understand.ProductName{{Text: "openssh", Version: "9", Relation: "<"}}}, func(f report.Finding) bool { return strings.HasPrefix(string(f.Service), "OpenSSH 7") }},
		"cvss":            {understand.Question{MinCVSS: &low, MaxCVSS: &high}, func(f report.Finding) bool { return f.CVSS != nil && *f.CVSS >= 4 && *f.CVSS <= 7 }},
		"epss":            {understand.Question{MaxEPSS: &epss}, func(f report.Finding) bool { return f.EPSS != nil && *f.EPSS <= 0.5 }},
		"both": {understand.Question{Severities: []string{"high"}, Sites: []string{"demo"}, Ports: []understand.Port{{From: 80}}},
			func(f report.Finding) bool {
				return f.Severity == "high" && f.Site == "demo" && f.Port != nil && *f.Port == 80
			}},
		"potential":  {understand.Question{Potential: true}, nil},
		"not a site": {understand.Question{Sites: []string{"demo"}, Negated: true}, func(f report.Finding) bool { return f.Site != "demo" }},
		"exposed":    {understand.Question{Exposed: &is}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tt.q.Subject, tt.q.Measure = understand.Findings, understand.Count
			d := replyTo(t, a, tt.q)
			if d.Refused || d.Facts.Count == nil {
				t.Fatalf("refused: %s", d.Text())
			}
			if tt.fits == nil {
				return
			}
			want := 0
			for _, f := range all.Findings {
				if f.Confirmed(0) && tt.fits(f) {
					want++
				}
			}
			if *d.Facts.Count != want || want == 0 && name != "epss" {
				t.Errorf("%d, want %d: %s", *d.Facts.Count, want, d.Text())
			}
			if len(d.Sources) == 0 || d.Sources[0].Kind != "list" {
				t.Errorf("the first source is not the list: %+v", d.Sources)
			}
		})
	}
}

func TestHostsAreFoundByWhatRunsThere(t *testing.T) {
	a := estateOfQuestions(t)
	ssh := []understand.ProductName{{Text: "openssh", Vendor: "openbsd", Product: "openssh"}}
	old := []understand.ProductName{{Text: "openssh", Vendor: "openbsd", Product: "openssh", Version: "9.0", Relation: "<"}}
	for name, tt := range map[string]struct {
		q    understand.Question
		want []string
	}{
		"with":       {understand.Question{Products: ssh}, []string{"192.0.2.10", "192.0.2.30"}},
		"older":      {understand.Question{Products: old}, []string{"192.0.2.10"}},
		"without":    {understand.Question{Products: ssh, Negated: true}, []string{"192.0.2.20", "2001:db8::40"}},
		"port":       {understand.Question{Ports: []understand.Port{{From: 445}}}, []string{"192.0.2.20"}},
		"os":         {understand.Question{OS: "linux", Sites: []string{"demo-dmz"}}, []string{"192.0.2.30"}},
		"nobody has": {understand.Question{Products: []understand.ProductName{{Text: "nginx"}}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			tt.q.Subject, tt.q.Measure = understand.Hosts, understand.List
			d := replyTo(t, a, tt.q)
			var got []string
			for _, f := range d.Facts.Items {
				got = append(got, f.Name)
			}
			slices.Sort(got)
			if d.Refused || !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v: %s", got, tt.want, d.Text())
			}
		})
	}
}

func TestWhatCannotBeKnownIsRefusedWithWhatIsMissing(t *testing.T) {
	a := estateOfQuestions(t)
	for name, tt := range map[string]struct {
		q    understand.Question
		says string
	}{
		"a host":     {understand.Question{Subject: understand.Findings, Measure: understand.Count, Hosts: []understand.HostName{{Text: "192.0.2.11", Kind: "address"}}}, "there is no host 192.0.2.11"},
		"a site":     {understand.Question{Subject: understand.Hosts, Measure: understand.List, Sites: []string{"moon"}}, "there is no site moon"},
		"a finding":  {understand.Question{Subject: understand.Findings, Measure: understand.Fact, Findings: []int64{999999}}, "there is no finding 999999"},
		"a scan":     {understand.Question{Subject: understand.Scans, Measure: understand.Fact, Scans: []int64{999}}, "there is no scan 999"},
		"a grouping": {understand.Question{Subject: understand.Findings, Measure: understand.Group, GroupBy: "moon"}, "cannot be counted by moon"},
		"me":         {understand.Question{Subject: understand.Findings, Measure: understand.List, Assignee: "me"}, "nobody is signed in"},
		"an order":   {understand.Question{Subject: understand.Hosts, Act: "scan"}, "patchscout scan"},
		"a guess":    {understand.Question{Subject: understand.Nothing, Outside: "forecast"}, "nobody can know"},
	} {
		t.Run(name, func(t *testing.T) {
			d := replyTo(t, a, tt.q)
			if !d.Refused || !strings.Contains(d.Text(), tt.says) || len(d.Missing) == 0 {
				t.Errorf("refused %t, missing %v: %s", d.Refused, d.Missing, d.Text())
			}
		})
	}
	id, err := cve.ParseID("CVE-2099-10001")
	if err != nil {
		t.Fatal(err)
	}
	d := replyTo(t, a, understand.Question{Subject: understand.Findings, Measure: understand.Whether, CVEs: []cve.ID{id}})
	if !d.Refused || strings.Contains(d.Text(), "2099") {
		t.Errorf("a CVE that is not there: %s", d.Text())
	}
	if d := replyTo(t, open(t), understand.Question{Subject: understand.Findings, Measure: understand.Count}); !d.Refused {
		t.Errorf("nothing was ever scanned: %s", d.Text())
	}
}

func TestAnswersObeyTheAskersSites(t *testing.T) {
	a := estateOfQuestions(t)
	who := a.who
	who.View = auth.OfSites("demo-dmz")
	b := a.For(who)
	d := replyTo(t, b, understand.Question{Subject: understand.Hosts, Measure: understand.List})
	if len(d.Facts.Items) != 1 || d.Facts.Items[0].Name != "192.0.2.30" {
		t.Errorf("another site shows: %s", d.Text())
	}
	d = replyTo(t, b, understand.Question{Subject: understand.Findings, Measure: understand.Count, Hosts: []understand.HostName{{Text: "192.0.2.10", Kind: "address"}}})
	if !d.Refused || !strings.Contains(d.Text(), "there is no host 192.0.2.10") {
		t.Errorf("a host of another site: %s", d.Text())
	}
}

func TestEverySubjectAndMeasureIsAnsweredOrRefused(t *testing.T) {
	a := estateOfQuestions(t)
	list, err := a.Findings(context.Background(), FindingRequest{Limit: 1})
	if err != nil || len(list.Findings) == 0 {
		t.Fatal(err)
	}
	two, yes := 2, true
	for _, s := range []understand.Subject{understand.Findings, understand.Hosts, understand.Services, understand.Software, understand.Sites, understand.Scans, understand.Imports,
		understand.Paths, understand.Fixes} {
		for _, m := range []understand.Measure{understand.Count, understand.List, understand.Group, understand.Fact, understand.Whether, understand.Explain, understand.Why,
			understand.Compare, understand.Change, understand.Trend, understand.First, understand.Reach, understand.Suppose, understand.How, understand.Overview} {
			for i, q := range []understand.Question{
				{}, {Severities: []string{"critical"}}, {Hosts: []understand.HostName{{Text: "192.0.2.20", Kind: "address"}}}, {Sites: []string{"demo"}},
				{Products: []understand.ProductName{{Text: "samba"}}}, {Findings: []int64{list.Findings[0].ID}}, {Owner: "nobody"}, {GroupBy: "host"},
				{GroupBy: "cve", AtLeast: &two}, {AtLeast: &two, AtMost: &two}, {Share: true, Severities: []string{"critical"}}, {Fixable: &yes}, {Titled: []string{"default passwords"}},
				{Systems: []string{"linux", "windows"}, OS: "linux"}, {Owners: []string{"anna", "nobody"}, Owner: "anna"}, {Severities: []string{"critical", "high"}}, {GroupBy: "port"}, {GroupBy: "scanner"},
				{Products: []understand.ProductName{{Text: "samba", Version: "9", Relation: "<"}}, Sites: []string{"demo"}},
			} {
				q.Subject, q.Measure = s, m
				d := replyTo(t, a, q)
				if len(d.Lines) == 0 || strings.Contains(d.Text(), "%!") || strings.Contains(d.Text(), "  ") {
					t.Errorf("%s %s %d: %q", m, s, i, d.Text())
				}
			}
		}
	}
}

func TestThingsOfTheAnswerBeforeArePointedAt(t *testing.T) {
	a := estateOfQuestions(t)
	first := replyTo(t, a, understand.Question{Subject: understand.Findings, Measure: understand.List})
	shown := []understand.Thing{}
	for _, s := range first.Sources {
		if s.Kind != "list" {
			shown = append(shown, understand.Thing{Kind: s.Kind, ID: s.ID, Name: s.Title})
		}
	}
	d, err := replies.Answer(context.Background(), &replies.Asked{Desk: a, View: a.who.View, Now: a.now(), Context: understand.Context{Shown: shown},
		Question: understand.Question{Subject: understand.Findings, Measure: understand.Why, Those: true, Ordinal: 2}})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Sources) == 0 || d.Sources[0].Kind != "finding" || d.Sources[0].ID != shown[1].ID {
		t.Errorf("the second one is finding %s: %s", shown[1].ID, d.Text())
	}
	if _, err := strconv.Atoi(shown[1].ID); err != nil {
		t.Error(err)
	}
}
