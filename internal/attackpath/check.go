package attackpath

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed check.txt
var checkText string

// checkRule is a block of check.txt.
type checkRule struct {
	name      string
	gain      Gain
	p         float64
	technique string
	why       string
	keys      []string
	says      []phrase // with their first word
}

var checkRules = sync.OnceValue(func() []checkRule {
	rules, err := readChecks(checkText)
	if err != nil {
		panic(err) // our own file, which a test reads
	}
	return rules
})

// checkEffect is the Effect of a check without a CVE, nil for a CVE. The table decides by the check, then by its title; what
// it does not name is weighed by CWE and words only where its tool gave a weakness to weigh.
func checkEffect(f *Flawed) *Effect {
	if strings.HasPrefix(f.Weakness, "CVE-") {
		return nil
	}
	for _, look := range []func(*checkRule) (string, bool){f.keyed, titled(f)} {
		for i, rules := 0, checkRules(); i < len(rules); i++ {
			if by, ok := look(&rules[i]); ok {
				return rules[i].effect(by)
			}
		}
	}
	return uncommon(f)
}

// keyed says whether a rule names the check.
func (f *Flawed) keyed(r *checkRule) (by string, ok bool) {
	for _, key := range r.keys {
		if globs(key, f.Weakness) {
			return "the check " + shorten(f.Weakness, 60), true
		}
	}
	return "", false
}

// titled says whether a rule names what a check's title says.
func titled(f *Flawed) func(*checkRule) (string, bool) {
	list := words(nil, shorten(f.Title, 300))
	return func(r *checkRule) (string, bool) {
		for i := range r.says {
			for at := range list {
				if p := &r.says[i]; p.rest[0].takes(list[at]) && follows(p.rest[1:], list[at+1:]) {
					return "the title of " + shorten(f.Weakness, 60), true
				}
			}
		}
		return "", false
	}
}

// globs says whether a text is of the form of a pattern in which "*" stands for anything.
func globs(pattern, text string) bool {
	head, rest, more := strings.Cut(pattern, "*")
	if !more {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, head)
	for ok && rest != "" {
		var part string
		part, rest, more = strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(text, part)
		}
		_, text, ok = strings.Cut(text, part)
	}
	return ok
}

func (r *checkRule) effect(by string) *Effect {
	e := &Effect{Reach: OverNetwork, Gain: r.gain, P: r.p, Technique: r.technique, PWhy: fmt.Sprintf("no exploit is needed (%.1f)", r.p)}
	if e.Technique != "" {
		e.TechniqueSource = "rule"
	}
	e.Why = []string{fmt.Sprintf("%s: %s", r.name, r.why), "told by " + by}
	return e
}

// uncommon weighs a check that the table does not name: scanners also report weaknesses of programs under a number of their
// own. Its vector may stand for no more than a word of the tool's, so that code or an open door must be told in words or by a
// CWE.
func uncommon(f *Flawed) *Effect {
	w := weigh(f)
	if !w.is(runsCode|breaksMemory|opensDoor|inDatabase|namesFile|builtInKey|grantsMore) && !w.hears(saysCode|saysSQL|saysBypass|saysKey|saysPrivilege) || harmless(f.Severity) {
		return &Effect{Reach: OverNetwork, P: noneKnown, PWhy: "not weighed", Why: []string{"a check that no rule names, and neither a CWE nor its title tells of a way in"}}
	}
	w.scanned = true
	w.decide()
	return w.effect
}

func harmless(severity string) bool {
	return severity == "info" || severity == "low" || severity == "none"
}

// readChecks reads check.txt.
func readChecks(text string) (rules []checkRule, err error) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		body := strings.TrimSpace(line)
		switch {
		case body == "" || body[0] == '#':
		case line[0] != ' ':
			r, err := readCheckRule(body)
			if err != nil {
				return nil, fmt.Errorf("check.txt line %d: %w", n, err)
			}
			rules = append(rules, r)
		case len(rules) == 0:
			return nil, fmt.Errorf("check.txt line %d: no rule yet", n)
		default:
			if err := rules[len(rules)-1].add(body); err != nil {
				return nil, fmt.Errorf("check.txt line %d: %w", n, err)
			}
		}
	}
	return rules, nil
}

func (r *checkRule) add(body string) error {
	kind, rest, _ := strings.Cut(body, " ")
	switch kind {
	case "keys":
		r.keys = append(r.keys, strings.Fields(rest)...)
	case "says":
		var p phrase
		for word := range strings.FieldsSeq(rest) {
			p.rest = append(p.rest, newSlot(word))
		}
		if len(p.rest) == 0 || p.rest[0].gap {
			return fmt.Errorf("%q: a phrase begins with a word", rest)
		}
		r.says = append(r.says, p)
	default:
		return fmt.Errorf("%q: want keys or says", kind)
	}
	return nil
}

func readCheckRule(line string) (r checkRule, err error) {
	f := strings.Split(line, "|")
	if len(f) != 5 {
		return r, fmt.Errorf("%q: want five parts", line)
	}
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
	}
	r = checkRule{name: f[0], technique: strings.TrimPrefix(f[3], "-"), why: f[4]}
	if r.p, err = strconv.ParseFloat(f[2], 64); err != nil || r.p <= 0 || r.p > 1 {
		return r, fmt.Errorf("chance %q: want a number above 0, at most 1", f[2])
	}
	for g := Nothing; g <= WritesFiles; g++ {
		if g.String() == f[1] {
			r.gain = g
			return r, nil
		}
	}
	return r, fmt.Errorf("gain %q: not known", f[1])
}
