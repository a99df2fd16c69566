package explain

import (
	"regexp"
	"strings"
)

// class groups CWEs by what an attacker gains through them.
type class uint8

const (
	other    class = iota
	code           // what comes from outside is run: commands, programs, objects
	memory         // code can run when everything else is lost too
	script         // runs in other users' browsers
	request        // in the name of a logged-in user
	database       // reads or changes a database
	proxy          // sends requests elsewhere
	redirect
)

// classes of CWEs. What is not listed is other.
var classes = classTable(map[class]string{
	code: "77 78 94 95 96 98 434 502 506 917 1336",
	memory: "119 120 121 122 123 124 129 131 134 190 191 193 415 416 426 427 428 494 672 680 763 787 788 822 823 824 843 " +
		"88 470 749 829 913 1321",
	script:   "79 80 87",
	request:  "352",
	database: "89",
	proxy:    "918",
	redirect: "601",
})

func classTable(groups map[class]string) map[string]class {
	table := map[string]class{}
	for c, ids := range groups {
		for id := range strings.FieldsSeq(ids) {
			table["CWE-"+id] = c
		}
	}
	return table
}

// generic CWEs say so little that the publisher's own words say more.
var generic = set("20 74 75 119 189 254 255 264 265 284 310 320 345 388 399 404 657 664 665 668 682 691 693 697 703 707 710 754 755")

func set(ids string) map[string]bool {
	out := map[string]bool{}
	for id := range strings.FieldsSeq(ids) {
		out["CWE-"+id] = true
	}
	return out
}

// flaw is the kind of weakness that an explanation speaks of.
type flaw struct {
	cwe     string // "" when none is known
	clause  phrase // what happens, in plain words; empty where we have no words for it
	name    phrase // what engineers call it
	entry   phrase // the name of the CWE entry, where there is no clause
	generic bool
	class   class
}

// findFlaw chooses the CWE that says most: one that explains the whole damage when there is, else a specific one, else
// any that can be worded.
func (w *writer) findFlaw() flaw {
	best, rank := "", -1
	for _, id := range w.record.CWEs[:min(len(w.record.CWEs), 50)] {
		if r := w.rankCWE(id); r > rank {
			best, rank = id, r
		}
	}
	if rank <= 0 {
		return flaw{}
	}
	f := flaw{cwe: best, generic: generic[best], class: classes[best]}
	if text, ok := w.lang.messages[cweKey(best)]; ok {
		clause, name, _ := strings.Cut(text, " | ")
		f.clause, f.name = known(clause, FieldCWEs), known(name, FieldCWEs)
		return f
	}
	f.entry = known(weaknessName(w.in.Weaknesses[best].Name), FieldCWEs, fieldWeakness+best)
	return f
}

func (w *writer) rankCWE(id string) int {
	c := classes[id]
	switch {
	case !w.lang.has(cweKey(id)):
		if weaknessName(w.in.Weaknesses[id].Name) == "" {
			return 0
		}
		return 1
	case generic[id]:
		return 2
	case w.vector.full() && (c == code || c == memory):
		return 4
	default:
		return 3
	}
}

// cweKey is the message of a CWE: "cwe.79".
func cweKey(id string) string { return "cwe." + strings.TrimPrefix(id, "CWE-") }

// weaknessName is an entry's name, "" for one that MITRE has given up.
func weaknessName(name string) string {
	if strings.HasPrefix(name, "DEPRECATED") {
		return ""
	}
	return cut(clean(name), maxName)
}

// runsCode finds words which say that the attacker's code runs. Script in a browser, SQL and markup are not meant.
var runsCode = regexp.MustCompile(`(?i)\b(?:execut\w*|run(?:s|ning)?|inject\w*)(?: of)? (?:an? )?(?:arbitrary|malicious|any|unauthorized|their own|attacker-controlled)` +
	`(?: (?:php|shell|system|os|operating system|native|machine|java|python|perl|ruby|asp|local|root|remote|external))*` +
	` (?:code|commands?|programs?|binar(?:y|ies)|executables?)\b` +
	`|\b(?:remote|arbitrary|local) (?:code|command) execution\b|\barbitrary (?:code|commands?) (?:to be|may be|can be) executed\b`)

// denies finds a "not" shortly before: "does not allow remote code execution".
var denies = regexp.MustCompile(`(?i)\b(?:not|no|never|without|cannot|neither|prevents?|unlikely)\b[^.;]{0,60}$`)

// saysCode is the field whose words say that code of the attacker runs, "" when none does.
func (w *writer) saysCode() string {
	fields := []struct{ name, text string }{{FieldDescription, w.record.Description}}
	if w.ownTitle() {
		fields = append(fields, struct{ name, text string }{FieldTitle, w.record.Title})
	}
	if k := w.in.Facts.KEV; k != nil {
		fields = append(fields, struct{ name, text string }{FieldKEVName, k.Name})
	}
	for _, f := range fields {
		text := clean(f.text)
		if at := runsCode.FindStringIndex(text); at != nil && !denies.MatchString(text[:at[0]]) {
			return f.name
		}
	}
	return ""
}
