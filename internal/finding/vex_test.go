package finding

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
)

func vexSays(status VEXStatus, at time.Time, products ...string) Statement {
	return Statement{CVE: cve.NewID(2016, 10009), Products: products, Status: status, Reason: "vulnerable_code_not_present", Author: "Example Inc.", At: at}
}

// effect is what the stored rules say of the finding of facts().
func effect(rules []Rule) TriageState {
	f := weak("CVE-2016-10009")
	NewRules(rules).Apply(f, facts(), noon.AddDate(0, 1, 0))
	return f.Triage.State
}

func TestAVEXStatementSetsAFindingAside(t *testing.T) {
	rules, refused := RulesFromStatements([]Statement{vexSays(VEXNotAffected, noon, "cpe:2.3:a:openbsd:openssh:7.2:p2:*:*:*:*:*:*", "openssh")}, noon)
	if len(rules) != 1 || len(refused) != 0 || effect(rules) != FalsePositive {
		t.Fatalf("%+v %+v", rules, refused)
	}
	r := rules[0]
	if r.Source != "vex:Example Inc." || r.Says.Reason != "vulnerable_code_not_present" || !r.Enabled || r.Validate(noon) != nil {
		t.Errorf("%+v", r)
	}
	f := weak("CVE-2016-10010")
	if NewRules(rules).Apply(f, facts(), noon) {
		t.Error("another CVE")
	}
}

func TestFixedSpeaksOfTheVersionThatItNames(t *testing.T) {
	rules, refused := RulesFromStatements([]Statement{vexSays(VEXFixed, noon, "openssh@7.2p2")}, noon)
	if effect(rules) != FalsePositive || len(refused) != 0 {
		t.Errorf("the very version: %+v", rules)
	}
	rules, _ = RulesFromStatements([]Statement{vexSays(VEXFixed, noon, "openssh@7.4")}, noon)
	if effect(rules) == FalsePositive {
		t.Error("another version holds the fix, not this one")
	}
	rules, refused = RulesFromStatements([]Statement{vexSays(VEXFixed, noon, "openssh")}, noon)
	if len(rules) != 0 || len(refused) != 1 || refused[0].Reason != RefusedNoVersion {
		t.Errorf("%+v %+v", rules, refused)
	}
}

func TestStatementsThatCannotBeRulesAreRefused(t *testing.T) {
	noCVE, odd := vexSays(VEXNotAffected, noon, "openssh"), vexSays("perhaps", noon, "openssh")
	noCVE.CVE = 0
	all := []Statement{vexSays(VEXNotAffected, noon), noCVE, odd, vexSays(VEXNotAffected, noon, "pkg:nonsense"), vexSays(VEXNotAffected, noon, "cpe:2.3:x", "openssh")}
	rules, refused := RulesFromStatements(all, noon)
	var reasons []string
	for _, r := range refused {
		reasons = append(reasons, r.Reason)
	}
	want := []string{RefusedNoProduct, RefusedNoCVE, RefusedStatus, RefusedProduct, RefusedProduct}
	if !slices.Equal(reasons, want) || len(rules) != 1 {
		t.Errorf("%q, %d rules", reasons, len(rules))
	}
	if RefuseStatement(all[4]) != "" || RefuseStatement(all[0]) != RefusedNoProduct {
		t.Error("a statement counts as refused when none of its products is a rule")
	}
}

func TestTheNewestStatementCountsWhateverTheOrder(t *testing.T) {
	statements := []Statement{
		vexSays(VEXNotAffected, noon, "openssh"),
		vexSays(VEXPending, noon.AddDate(0, 0, 1), "openssh"),
		vexSays(VEXFixed, noon.AddDate(0, 0, 2), "openssh@9.9"),
		vexSays(VEXNotAffected, noon.AddDate(0, 0, 3), "openssh"),
		vexSays(VEXAffected, noon.AddDate(0, 0, 4), "openssh"),
	}
	now := noon.AddDate(0, 0, 5)
	for range 50 {
		rand.Shuffle(len(statements), func(i, j int) { statements[i], statements[j] = statements[j], statements[i] })
		var stored []Rule
		for _, s := range statements {
			stored = keep(stored, MergeStatements(stored, []Statement{s}, now))
		}
		if got := effect(stored); got == FalsePositive {
			t.Fatalf("an older document won: %+v", stored)
		}
		again := MergeStatements(stored, statements, now.AddDate(0, 0, 1))
		if len(again.Add) != 0 || len(again.Remove) != 0 || again.Kept != len(stored) {
			t.Fatalf("the same documents changed %+v", again)
		}
		stored = keep(stored, MergeStatements(stored, []Statement{vexSays(VEXNotAffected, now, "openssh")}, now))
		if effect(stored) != FalsePositive {
			t.Fatal("the newest word")
		}
	}
}

func TestADocumentWithoutADateChangesNothingTheSecondTime(t *testing.T) {
	undated := []Statement{vexSays(VEXNotAffected, time.Time{}, "openssh")}
	stored := keep(nil, MergeStatements(nil, undated, noon))
	if again := MergeStatements(stored, undated, noon.AddDate(0, 0, 1)); len(again.Add)+len(again.Remove) != 0 {
		t.Errorf("%+v", again)
	}
	undated[0].Status = VEXAffected
	if stored = keep(stored, MergeStatements(stored, undated, noon.AddDate(0, 0, 2))); effect(stored) == FalsePositive {
		t.Error("what it says now counts")
	}
}

func TestAStatementOnAPartOfAnImageSaysNothingOfThatPartElsewhere(t *testing.T) {
	s := vexSays(VEXNotAffected, noon, "pkg:oci/shop@sha256%3Aabc?repository_url=registry.example.org/shop&tag=1.4")
	s.Parts = []string{"pkg:deb/debian/openssl@3.0.11", "openssl@3.0.11"}
	rules, refused := RulesFromStatements([]Statement{s}, noon)
	if len(rules) != 1 || len(refused) != 0 || !slices.Equal(rules[0].Where.Products, []string{"pkg:deb/debian/openssl@3.0.11"}) {
		t.Fatalf("%+v %+v", rules, refused)
	}
	for name, want := range map[string]bool{"registry.example.org/shop:1.4": true, "registry.example.org/shop@sha256:abc": true,
		"registry.example.org/shop:1.5": false, "registry.example.org/other:1.4": false, "www.example.org": false} {
		f, h := weak("CVE-2016-10009"), facts()
		f.Protocol, f.Port, f.Component = "", 0, "openssl@3.0.11"
		h.Host = host("10.1.2.3", name)
		if got := NewRules(rules).Apply(f, h, noon); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAnotherAuthorsWordStands(t *testing.T) {
	other := vexSays(VEXAffected, noon.AddDate(0, 0, 1), "openssh")
	other.Author = "Somebody Else"
	stored := keep(nil, MergeStatements(nil, []Statement{vexSays(VEXNotAffected, noon, "openssh")}, noon))
	stored = keep(stored, MergeStatements(stored, []Statement{other}, noon.AddDate(0, 0, 2)))
	if effect(stored) != FalsePositive || len(stored) != 2 {
		t.Errorf("%+v", stored)
	}
}

func keep(stored []Rule, c VEXChange) []Rule {
	stored = slices.DeleteFunc(slices.Clone(stored), func(r Rule) bool { return slices.Contains(c.Remove, r.ID) })
	for _, r := range c.Add {
		for _, s := range stored {
			r.ID = max(r.ID, s.ID)
		}
		r.ID++
		stored = append(stored, r)
	}
	return stored
}

func FuzzProduct(f *testing.F) {
	for _, s := range []string{"pkg:deb/debian/openssl@1?x#y", "cpe:2.3:a:b:c:1", "@a/b@1", "a:b@c", "pkg:", "openssl 1.1"} {
		f.Add(s, "openssl@1.1")
	}
	f.Fuzz(func(t *testing.T, product, component string) {
		rule := says(1, RuleWhere{Products: []string{product}}, FalsePositive)
		finding := weak("CVE-2016-10009")
		finding.Protocol, finding.Port, finding.Component = "", 0, component
		_ = rule.Validate(noon)
		NewRules([]Rule{rule}).Apply(finding, facts(), noon)
	})
}
