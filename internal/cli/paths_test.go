package cli

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/request"
)

func TestWhatIfIsRead(t *testing.T) {
	q := pathQuestion{whatIf: []string{"finding:12", "cve-2021-41773", "host:2001:db8::7", "nuclei:redis-unauth", "host:db"}, deny: []string{"internet > 10.0.0.0/24 tcp/443, udp/53"},
		allow: []string{"site:branch>any"}}
	got, err := q.tried()
	want := request.WhatIf{Findings: []int64{12}, Weaknesses: []string{"CVE-2021-41773", "nuclei:redis-unauth"}, Hosts: []string{"2001:db8::7", "db"},
		Rules: []request.PathRule{{From: "internet", To: "10.0.0.0/24", Ports: []string{"tcp/443", "udp/53"}}, {From: "site:branch", To: "any", Ports: []string{}, Allow: true}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for _, bad := range []pathQuestion{{whatIf: []string{"finding:x"}}, {whatIf: []string{"finding:0"}}, {whatIf: []string{"host:"}}, {whatIf: []string{"everything"}}, {whatIf: []string{""}},
		{deny: []string{"internet"}}, {deny: []string{"> any"}}, {allow: []string{"internet >"}}} {
		if _, err := bad.tried(); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%v %v %v: %v", bad.whatIf, bad.deny, bad.allow, err)
		}
	}
}

func TestACorrectionIsAWordOrAChance(t *testing.T) {
	for text, want := range map[string]float64{"0.3": 0.3, "30%": 0.3, "30 %": 0.3, "1": 1, "1e-3": 0.001} {
		says, chance, err := parseSays(text)
		if err != nil || says != "chance" || chance == nil || *chance != want {
			t.Errorf("%q: %s %v %v", text, says, chance, err)
		}
	}
	for _, word := range []string{"never", "always"} {
		if says, chance, err := parseSays(word); says != word || chance != nil || err != nil {
			t.Errorf("%s: %s %v %v", word, says, chance, err)
		}
	}
	for _, bad := range []string{"", "0", "-0.1", "1.1", "101%", "NaN", "inf", "perhaps", "0%"} {
		if _, _, err := parseSays(bad); fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestAnAnswerThatLacksSomethingHasItsOwnExitCode(t *testing.T) {
	var code exitWith
	if err := incomplete(nil, false); !errors.As(err, &code) || code.code != exitIncomplete || incomplete(nil, true) != nil {
		t.Errorf("%v", err)
	}
}
