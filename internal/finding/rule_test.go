package finding

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func host(address string, names ...string) *asset.Host {
	h := &asset.Host{ID: 1, Site: asset.DefaultSite}
	h.Note(asset.Sighting{Site: h.Site, Address: netip.MustParseAddr(address), Names: names, Sensor: "native", At: noon})
	return h
}

func facts() HostFacts {
	return HostFacts{Host: host("10.1.2.3", "www.example.org"), Services: []*asset.Service{
		{HostID: 1, Protocol: "tcp", Port: 22, Product: "OpenSSH", Version: "7.2p2", CPEs: []string{"cpe:2.3:a:openbsd:openssh:7.2:p2:*:*:*:*:*:*"}}}}
}

func weak(w Weakness) *Finding {
	return &Finding{ID: 7, Fingerprint: Fingerprint{Site: asset.DefaultSite, HostID: 1, Protocol: "tcp", Port: 22, Weakness: w},
		Evidence: []Evidence{{Sensor: "nmap", Check: VersionCheck}}, Rating: Rating{Severity: "high"}, Life: Life{State: Open}}
}

func says(id int64, where RuleWhere, state TriageState) Rule {
	return Rule{ID: id, Created: noon.Add(time.Duration(id) * time.Minute), By: "local:anna", Enabled: true, Source: SourcePerson,
		Where: where, Says: RuleSays{State: state, Reason: fmt.Sprintf("rule %d", id)}}
}

func TestARuleSelectsWhatItNames(t *testing.T) {
	for name, c := range map[string]struct {
		where RuleWhere
		want  bool
	}{
		"the CVE":                     {RuleWhere{Weaknesses: []string{"CVE-2016-10009"}}, true},
		"another CVE":                 {RuleWhere{Weaknesses: []string{"CVE-2016-10010"}}, false},
		"a pattern":                   {RuleWhere{Weaknesses: []string{"CVE-2016-*"}}, true},
		"a check's pattern":           {RuleWhere{Weaknesses: []string{"nikto:*"}}, false},
		"its network":                 {RuleWhere{Hosts: []string{"10.0.0.0/8"}}, true},
		"another network":             {RuleWhere{Hosts: []string{"10.2.0.0/16"}}, false},
		"its name":                    {RuleWhere{Hosts: []string{"*.Example.org"}}, true},
		"the host's id":               {RuleWhere{Host: 1}, true},
		"another host's id":           {RuleWhere{Host: 2}, false},
		"its site":                    {RuleWhere{Sites: []string{"default"}}, true},
		"another site":                {RuleWhere{Sites: []string{"lab"}}, false},
		"severity":                    {RuleWhere{Severities: []string{"low", "high"}}, true},
		"sensor":                      {RuleWhere{Sensors: []string{"nmap"}}, true},
		"another sensor":              {RuleWhere{Sensors: []string{"nessus"}}, false},
		"port":                        {RuleWhere{Ports: []string{"20-30/tcp"}}, true},
		"port of another protocol":    {RuleWhere{Ports: []string{"22/udp"}}, false},
		"product":                     {RuleWhere{Products: []string{"openssh"}}, true},
		"vendor and product":          {RuleWhere{Products: []string{"openbsd:openssh"}}, true},
		"product in its version":      {RuleWhere{Products: []string{"OpenSSH@7.2p2"}}, true},
		"product in another version":  {RuleWhere{Products: []string{"openssh@7.4"}}, false},
		"CPE":                         {RuleWhere{Products: []string{"cpe:2.3:a:openbsd:openssh:*:*:*:*:*:*:*:*"}}, true},
		"CPE of its version":          {RuleWhere{Products: []string{"cpe:/a:openbsd:openssh:7.2:p2"}}, true},
		"CPE of another version":      {RuleWhere{Products: []string{"cpe:2.3:a:openbsd:openssh:7.4:*:*:*:*:*:*:*"}}, false},
		"a package is no service":     {RuleWhere{Products: []string{"pkg:deb/debian/openssh@7.2p2"}}, false},
		"all of several":              {RuleWhere{Weaknesses: []string{"CVE-2016-10009"}, Severities: []string{"high"}, Ports: []string{"22"}}, true},
		"one of several does not fit": {RuleWhere{Weaknesses: []string{"CVE-2016-10009"}, Severities: []string{"low"}}, false},
		"a label that nobody put on":  {RuleWhere{Labels: []string{"x"}}, false},
		"a tag that the host lacks":   {RuleWhere{Tags: []string{"x"}}, false},
	} {
		rule := says(1, c.where, FalsePositive)
		if err := rule.Validate(noon); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f := weak("CVE-2016-10009")
		if changed := NewRules([]Rule{rule}).Apply(f, facts(), noon); changed != c.want || (f.Triage.Rule == 1) != c.want {
			t.Errorf("%s: changed %v, triage %+v", name, changed, f.Triage)
		}
	}
}

func TestAPackageIsFoundByPURLAndName(t *testing.T) {
	for _, c := range []struct {
		component, product string
		want               bool
	}{
		{"pkg:deb/debian/openssl@3.0.11-1~deb12u2?arch=amd64", "pkg:deb/debian/openssl@3.0.11-1~deb12u2", true},
		{"pkg:deb/debian/openssl@3.0.11-1%7Edeb12u2", "pkg:deb/debian/openssl@3.0.11-1~deb12u2?distro=debian-12", true},
		{"pkg:deb/debian/openssl@3.0.11", "pkg:deb/debian/openssl", true},
		{"pkg:deb/debian/openssl@3.0.11", "pkg:rpm/redhat/openssl", false},
		{"pkg:deb/debian/openssl@3.0.11", "pkg:deb/ubuntu/openssl", false},
		{"pkg:deb/debian/openssl@3.0.11", "pkg:deb/debian/openssl@3.0.12", false},
		{"pkg:deb/debian/openssl", "pkg:deb/debian/openssl@3.0.12", false},
		{"pkg:npm/%40angular/core@17.0.0", "pkg:npm/%40angular/core@17.0.0", true},
		{"pkg:npm/%40angular/core@17.0.0", "core", true},
		{"@angular/core@17.0.0", "pkg:npm/%40angular/core@17.0.0", true},
		{"openssl@1.1.1k", "openssl", true},
		{"openssl 1.1.1k", "OpenSSL@1.1.1k", true},
		{"openssl@1.1.1k", "openssl@1.1.1l", false},
		{"openssl@1.1.1k", "pkg:deb/debian/openssl@1.1.1k", true},
		{"openssl@1.1.1k", "pkg:deb/debian/openssl", false},
		{"openssl@1:1.1.1k", "pkg:deb/debian/openssl@1.1.1k?epoch=1", true},
		{"org.apache.logging.log4j:log4j-core@2.14.1", "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1", true},
		{"@angular/core@17.0.0", "@angular/core", true},
	} {
		f := weak("CVE-2023-5363")
		f.Protocol, f.Port, f.Component = "", 0, c.component
		rule := says(1, RuleWhere{Products: []string{c.product}}, FalsePositive)
		if err := rule.Validate(noon); err != nil {
			t.Fatal(err)
		}
		if got := NewRules([]Rule{rule}).Apply(f, facts(), noon); got != c.want {
			t.Errorf("%s as %s: %v", c.component, c.product, got)
		}
	}
}

func TestTheMostSpecificRuleWinsWhateverTheOrder(t *testing.T) {
	everywhere := says(1, RuleWhere{Weaknesses: []string{"CVE-2016-10009"}}, FalsePositive)
	onHost := says(2, RuleWhere{Weaknesses: []string{"CVE-2016-10009"}, Host: 1}, Confirmed)
	network := says(3, RuleWhere{Hosts: []string{"10.0.0.0/8"}}, OutOfScope)
	narrower := says(4, RuleWhere{Hosts: []string{"10.1.0.0/16"}}, OutOfScope)
	newer := says(5, RuleWhere{Hosts: []string{"10.1.0.0/16"}}, FalsePositive)
	vex := says(6, RuleWhere{Weaknesses: []string{"CVE-2016-10009"}, Host: 1}, FalsePositive)
	vex.Source = SourceVEX + "Example"
	for _, c := range []struct {
		rules []Rule
		want  int64
	}{
		{[]Rule{everywhere, onHost, network, narrower, newer, vex}, 2},
		{[]Rule{everywhere, network, narrower, newer, vex}, 1},
		{[]Rule{network, narrower, newer, vex}, 5},
		{[]Rule{network, narrower, vex}, 4},
		{[]Rule{network, vex}, 3},
		{[]Rule{vex}, 6},
	} {
		for range 20 {
			rand.Shuffle(len(c.rules), func(i, j int) { c.rules[i], c.rules[j] = c.rules[j], c.rules[i] })
			f := weak("CVE-2016-10009")
			NewRules(c.rules).Apply(f, facts(), noon)
			if f.Triage.Rule != c.want {
				t.Fatalf("rule %d won, want %d", f.Triage.Rule, c.want)
			}
		}
	}
}

// TestOnlyTheRulesOfTodayCount: whatever was applied before, in whatever order, the last set decides alone.
func TestOnlyTheRulesOfTodayCount(t *testing.T) {
	pool := make([]Rule, 0, 40)
	for id := range int64(40) {
		where := RuleWhere{Weaknesses: [][]string{{"CVE-2016-10009"}, {"CVE-*"}, nil}[rand.IntN(3)], Severities: [][]string{nil, {"high"}}[rand.IntN(2)],
			Hosts: [][]string{{"10.0.0.0/8"}, {"10.1.2.3"}, nil}[rand.IntN(3)], Sites: []string{"default"}}
		r := says(id+1, where, TriageStates[1+rand.IntN(4)])
		r.Says.Labels = []string{fmt.Sprint("l", rand.IntN(5))}
		if rand.IntN(2) == 0 {
			r.Says.Assign = fmt.Sprint("who", rand.IntN(3))
		}
		if r.Says.State == Accepted || rand.IntN(3) == 0 {
			r.Expires = noon.AddDate(0, 0, rand.IntN(4)-1)
		}
		r.Enabled = rand.IntN(4) > 0
		pool = append(pool, r)
	}
	pick := func() []Rule {
		out := slices.Clone(pool)
		rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		return out[:rand.IntN(len(out))]
	}
	for range 300 {
		last := pick()
		direct, detour := weak("CVE-2016-10009"), weak("CVE-2016-10009")
		own := Own{Labels: []string{"mine"}, Without: []string{"l3"}}
		direct.Own, detour.Own = own, own
		for range 5 {
			NewRules(pick()).Apply(detour, facts(), noon.AddDate(0, 0, rand.IntN(3)))
		}
		NewRules(last).Apply(detour, facts(), noon)
		rand.Shuffle(len(last), func(i, j int) { last[i], last[j] = last[j], last[i] })
		NewRules(last).Apply(direct, facts(), noon)
		if blank(direct.Triage) && blank(detour.Triage) {
			detour.Triage = direct.Triage
		}
		if !reflect.DeepEqual(direct, detour) {
			t.Fatalf("%+v %v %v\n%+v %v %v", direct.Triage, direct.Assignee, direct.Labels, detour.Triage, detour.Assignee, detour.Labels)
		}
		if slices.Contains(direct.Labels, "l3") || !slices.Contains(direct.Labels, "mine") {
			t.Fatalf("labels %v", direct.Labels)
		}
		if NewRules(last).Apply(direct, facts(), noon) {
			t.Fatal("applying twice changed something")
		}
	}
}

func TestAPersonsWordOnOneFindingWinsOverRules(t *testing.T) {
	rule := says(1, RuleWhere{Weaknesses: []string{"CVE-2016-10009"}}, FalsePositive)
	rule.Says.Assign, rule.Says.Labels = "team", []string{"auto"}
	f := weak("CVE-2016-10009")
	f.Triage = Triage{State: Confirmed, By: "local:bob", At: noon}
	f.Own.Assign("carol", noon)
	f.Own.Relabel([]string{"mine"}, []string{"auto"})
	NewRules([]Rule{rule}).Apply(f, facts(), noon)
	if f.Triage.State != Confirmed || f.Assignee != "carol" || !slices.Equal(f.Labels, []string{"mine"}) {
		t.Errorf("%+v %s %v", f.Triage, f.Assignee, f.Labels)
	}
	f.Triage = Triage{State: Untriaged, By: "local:bob", At: noon}
	NewRules([]Rule{rule}).Apply(f, facts(), noon)
	if f.Triage.Rule != 1 {
		t.Errorf("a word that was taken back leaves the finding to the rules: %+v", f.Triage)
	}
}

func TestWhatARuleSaidIsTakenBackWhenItEnds(t *testing.T) {
	rule := says(1, RuleWhere{Weaknesses: []string{"CVE-2016-10009"}}, FalsePositive)
	rule.Says.Assign, rule.Says.Labels, rule.Expires = "team", []string{"auto"}, day(noon)
	disabled := rule
	disabled.Enabled = false
	for name, end := range map[string]func(f *Finding) bool{
		"expired":  func(f *Finding) bool { return NewRules([]Rule{rule}).Apply(f, facts(), noon.AddDate(0, 0, 1)) },
		"disabled": func(f *Finding) bool { return NewRules([]Rule{disabled}).Apply(f, facts(), noon) },
		"removed":  func(f *Finding) bool { return (*Rules)(nil).Apply(f, facts(), noon) },
	} {
		f := weak("CVE-2016-10009")
		NewRules([]Rule{rule}).Apply(f, facts(), noon)
		if f.Triage.Rule != 1 || f.Assignee != "team" || !f.Triage.Hidden(noon) {
			t.Fatalf("%s: %+v", name, f.Triage)
		}
		if f.Triage.Hidden(noon.AddDate(0, 0, 1)) {
			t.Errorf("%s: the day after its last the finding is in the list, applied anew or not", name)
		}
		if !end(f) || f.Triage != (Triage{State: Untriaged}) || f.Assignee != "" || f.Labels != nil {
			t.Errorf("%s: %+v %q %v", name, f.Triage, f.Assignee, f.Labels)
		}
	}
}

func TestRulesThatSayNothingOrAllAreRefused(t *testing.T) {
	for name, r := range map[string]Rule{
		"about everything":        says(1, RuleWhere{}, FalsePositive),
		"no effect":               says(1, RuleWhere{Host: 1}, ""),
		"accepted for ever":       says(1, RuleWhere{Host: 1}, Accepted),
		"over":                    {Enabled: true, Expires: day(noon).AddDate(0, 0, -1), Where: RuleWhere{Host: 1}, Says: RuleSays{State: OutOfScope, Reason: "x"}},
		"without reason":          {Enabled: true, Where: RuleWhere{Host: 1}, Says: RuleSays{State: OutOfScope}},
		"a network that is none":  says(1, RuleWhere{Hosts: []string{"10.0.0.0/99"}}, OutOfScope),
		"a severity that is none": says(1, RuleWhere{Severities: []string{"bad"}}, OutOfScope),
		"a port that is none":     says(1, RuleWhere{Ports: []string{"ssh"}}, OutOfScope),
	} {
		if err := r.Validate(noon); err == nil {
			t.Errorf("%s: fine", name)
		}
	}
}

func TestDueDaysAreTheEarliestTermAndNeverLater(t *testing.T) {
	terms := Terms{Decision: map[string]int{"act": 3, "plan": 60}, Severity: map[string]int{"high": 30}}
	f := weak("CVE-2016-10009")
	f.FirstSeen, f.Decision, f.DecisionSince = noon, "plan", noon.AddDate(0, 0, 5)
	due := terms.Next(f, time.Time{})
	if want := day(noon).AddDate(0, 0, 35); !due.Equal(want) {
		t.Fatalf("due %s, want %s", due, want)
	}
	f.Decision, f.DecisionSince = "act", noon.AddDate(0, 0, 6)
	due = terms.Next(f, due)
	if want := day(noon).AddDate(0, 0, 9); !due.Equal(want) {
		t.Fatalf("escalated: due %s, want %s", due, want)
	}
	f.Decision, f.DecisionSince = "plan", noon.AddDate(0, 0, 7)
	if later := terms.Next(f, due); !later.Equal(due) {
		t.Errorf("a milder decision moved the day from %s to %s", due, later)
	}
	f.SLADue = due
	if f.Overdue(due.Add(23*time.Hour)) || !f.Overdue(due.AddDate(0, 0, 1)) {
		t.Error("overdue is the day after")
	}
	f.Triage = Triage{State: Accepted, Until: due.AddDate(0, 0, 30)}
	if f.Overdue(due.AddDate(0, 0, 1)) {
		t.Error("an accepted risk is not overdue")
	}
	if (Terms{}).Due(f) != (time.Time{}) {
		t.Error("no terms, no day")
	}
}

func TestTheHistoryShowsEverythingInOrder(t *testing.T) {
	f := weak("CVE-2016-10009")
	f.Evidence[0].FirstSeen, f.Evidence[0].LastSeen, f.Evidence[0].Status = noon, noon, Affected
	life := Fold(f, nil, Decree{At: noon.Add(2 * time.Hour), Reason: ByPerson, By: "local:anna", Finding: 7})
	got := History([]Change{{ID: 1, At: noon.Add(time.Hour), By: "local:anna", Kind: ChangeComment, Note: "patched"}}, life.History)
	var kinds []string
	for _, c := range got {
		kinds = append(kinds, string(c.Kind)+" "+c.To)
	}
	if want := []string{"state open", "comment ", "state closed"}; !slices.Equal(kinds, want) {
		t.Errorf("%q", kinds)
	}
}

func TestWordsOnTwoFindingsThatAreOne(t *testing.T) {
	person, rule := weak("x:1"), weak("x:1")
	person.Triage = Triage{State: Confirmed, By: "local:anna", At: noon}
	rule.Triage = Triage{State: FalsePositive, Rule: 3, At: noon.AddDate(1, 0, 0)}
	person.Own = Own{Labels: []string{"a"}, Without: []string{"b"}}
	rule.Own = Own{Labels: []string{"b"}, Assignee: "bob", AssignedAt: noon}
	ab, ownAB := JoinWords(person, rule)
	ba, ownBA := JoinWords(rule, person)
	if ab != ba || !reflect.DeepEqual(ownAB, ownBA) || ab.State != Confirmed || ownAB.Assignee != "bob" || !slices.Equal(ownAB.Labels, []string{"a", "b"}) || ownAB.Without != nil {
		t.Errorf("%+v %+v / %+v %+v", ab, ownAB, ba, ownBA)
	}
}
