package attackpath

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update-policy", false, "write the expected policies anew")

func TestPoliciesAreRead(t *testing.T) {
	files, err := filepath.Glob("testdata/policy/*.*")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".golden") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := ReadPolicy(filepath.Base(file), data)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(p, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			golden := file + ".golden"
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || string(got)+"\n" != string(want) {
				t.Errorf("got %s\nwant %s (%v)", got, want, err)
			}
		})
	}
}

func TestErrorsOfPoliciesNameFileLineAndField(t *testing.T) {
	many := "rules:\n" + strings.Repeat("- {from: any, to: any, action: deny}\n", MaxPolicyRules+1)
	for name, c := range map[string]struct{ file, text, want string }{
		"unknown key":       {"p.yaml", "rulez: []", `p.yaml line 1: unknown key "rulez": want rules, same, clients`},
		"unknown rule key":  {"p.yaml", "rules:\n- {from: any, to: any, action: deny, prot: tcp}", `p.yaml line 2: rules[0]: unknown key "prot"`},
		"key twice":         {"p.yaml", "rules: []\nrules: []", `p.yaml line 2: rules: is there twice`},
		"bad network":       {"p.yaml", "rules:\n- from: any\n  to: 10.0.8.1/24\n  action: deny", `p.yaml line 3: rules[0].to: "10.0.8.1/24" has bits set that belong to hosts: 10.0.8.0/24 is the network`},
		"no network":        {"p.yaml", "rules:\n- {from: branch, to: any, action: deny}", `p.yaml line 2: rules[0].from: "branch" is no network: want "internet"`},
		"no site":           {"p.yaml", "rules:\n- {from: 'site:', to: any, action: deny}", `rules[0].from: site of "site:": the name is missing`},
		"missing from":      {"p.yaml", "rules:\n- {to: any, action: deny}", `p.yaml line 2: rules[0].from: nothing is there`},
		"bad port":          {"p.yaml", "rules:\n- {from: any, to: any, action: deny, ports: [443, tcp/70000]}", `p.yaml line 2: rules[0].ports: "tcp/70000"`},
		"range upside down": {"p.yaml", "rules:\n- {from: any, to: any, action: deny, ports: 90-80}", `"90-80": want`},
		"bad protocol":      {"p.yaml", "rules:\n- {from: any, to: any, action: deny, ports: icmp/8}", `"icmp/8": want`},
		"bad action":        {"p.yaml", "rules:\n- {from: any, to: any, action: permit}", `p.yaml line 2: rules[0].action: "permit": want allow or deny`},
		"missing action":    {"p.yaml", "rules:\n- {from: any, to: any}", `p.yaml line 2: rules[0].action: ""`},
		"list for text":     {"p.yaml", "rules:\n- {from: [any], to: any, action: deny}", `rules[0].from: want text`},
		"text for list":     {"p.yaml", "rules: all", `p.yaml line 1: rules: want a list`},
		"list at the top":   {"p.yaml", "- a", `p.yaml line 1: want rules, same, clients`},
		"broken YAML":       {"p.yaml", "rules:\n  - {from: any", `p.yaml: line`},
		"two documents":     {"p.yaml", "rules: []\n---\nrules: []", `more than one document`},
		"alias":             {"p.yaml", "rules:\n- &a {from: any, to: any, action: deny}\n- *a", `p.yaml line 3: rules[1]: want from, to`},
		"alias in text":     {"p.yaml", "rules:\n- {from: &a any, to: *a, action: deny}", `aliases are not read`},
		"too many":          {"p.yaml", many, `more than 10000 rules`},
		"too large":         {"p.yaml", strings.Repeat("#", MaxPolicyBytes+1), `p.yaml: more than 1024 KiB`},
		"not UTF-8":         {"p.yaml", "rules: \xff", `p.yaml: not UTF-8`},
		"same alone":        {"p.yaml", "same: [[a/10.0.0.1]]", `p.yaml line 1: same[0]: want two hosts`},
		"same without site": {"p.yaml", "same: [[a/10.0.0.1, 10.0.0.2]]", `same[0][1]: "10.0.0.2": want "SITE/ADDRESS"`},
		"bad client":        {"p.yaml", "clients: [10.0.0.0/8, office]", `p.yaml line 1: clients[1]: "office" is no network`},
		"long note":         {"p.yaml", "rules:\n- {from: any, to: any, action: deny, note: " + strings.Repeat("x", 501) + "}", `rules[0]: note: 501 characters`},
		"unknown column":    {"p.csv", "from,to,verdict", `p.csv line 1: unknown column "verdict"`},
		"missing column":    {"p.csv", "from,to\na,b", `p.csv line 1: column action is missing`},
		"column twice":      {"p.csv", "from,to,action,to", `p.csv line 1: to: is there twice`},
		"csv action":        {"p.csv", "from,to,action\nany,any,deny\n\nany,any,permit", `p.csv line 4: action: "permit"`},
		"csv ragged":        {"p.csv", "from,to,action\nany,any", `p.csv line 2: wrong number of fields`},
		"csv quote":         {"p.csv", "from,to,action\n\"any,any,deny", `p.csv line`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadPolicy(c.file, []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestPoliciesOfUnknownSitesAreRefused(t *testing.T) {
	sites := []Site{{Name: "branch"}, {Name: "dmz"}}
	for text, want := range map[string]string{
		"rules: [{from: 'site:brnach', to: any, action: deny}]":         `rule 1 of p.yaml: from: no site "brnach"; sites are branch, dmz`,
		"rules: [{from: any, to: 'site:hq/10.0.0.0/8', action: allow}]": `rule 1 of p.yaml: to: no site "hq"`,
		"same: [[branch/10.0.0.1, hq/10.0.0.1]]":                        `same[0] of p.yaml: no site "hq"`,
		"rules: [{from: 'site:dmz', to: 'site:branch', action: allow}]": "",
	} {
		p, err := ReadPolicy("p.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(p.Validate(sites)); want == "" && got != "<nil>" || !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestAFileWithoutAnEndingIsKnownByItsLook(t *testing.T) {
	for _, text := range []string{"from,to,action\nany,any,deny", "rules: [{from: any, to: any, action: deny}]", "\ufeffrules:\n- {from: any, to: any, action: deny}"} {
		p, err := ReadPolicy("policy", []byte(text))
		if err != nil || len(p.Rules) != 1 {
			t.Errorf("%q: %d rules, %v", text, len(p.Rules), err)
		}
	}
}

// What is read can be written down and read again; hostile files end in an error and in little time.
func FuzzReadPolicy(f *testing.F) {
	for _, name := range []string{"docs.yaml", "docs.csv", "firewall.csv"} {
		data, err := os.ReadFile(filepath.Join("testdata", "policy", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, strings.HasSuffix(name, "csv"))
	}
	f.Add([]byte("a: &a [*a]"), false)
	f.Fuzz(func(t *testing.T, data []byte, table bool) {
		name := "p.yaml"
		if table {
			name = "p.csv"
		}
		p, err := ReadPolicy(name, data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), name) {
				t.Errorf("error %v does not name the file", err)
			}
			return
		}
		for i, r := range p.Rules {
			var ports []string
			for _, x := range r.Ports {
				ports = append(ports, x.String())
			}
			again, err := NewRule(r.From.String(), r.To.String(), ports, r.Allow, r.Note)
			if again.N = r.N; err != nil || r.N != i+1 || fmt.Sprint(again) != fmt.Sprint(r) {
				t.Errorf("rule %v reads %v again: %v", r, again, err)
			}
		}
	})
}

func TestRulesOfASiteThatIsGoneAreSaid(t *testing.T) {
	s := tell(t, "a")
	s.host(1, "a", "10.0.0.1", "http 80").Flaws = []Flaw{hole(11, 80, AsUser)}
	s.e.Assume.From = fromSite("a")
	s.policy("site:gone,site:a,80,deny", "site:a,site:lost,,allow", "site:a,any,22,deny")
	s.reaches("user 1")
	want := "2 rules of the policy name sites that are not there (gone, lost), and so decide nothing."
	if notices := s.build().Network().Notices; !slices.Contains(notices, want) {
		t.Errorf("%q", notices)
	}
	s.policy("site:a,site:a,80,allow")
	for _, n := range s.build().Network().Notices {
		if strings.Contains(n, "not there") {
			t.Errorf("%q", n)
		}
	}
}
