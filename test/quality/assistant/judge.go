package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/report"
)

// verdict is what is wrong with an answer; empty strings are fine.
type verdict struct {
	wrong    string // what it says
	citation string // what it cites first
	asked    bool   // a citation was asked for
}

func (t *truth) judge(ctx context.Context, q question, a report.Answer) (v verdict, err error) {
	structured := false
	for _, c := range q.checks {
		say, err := t.check(ctx, c, a)
		switch {
		case err != nil:
			return v, fmt.Errorf("question %d: %w", q.n, err)
		case c.verb == "cite":
			v.asked, v.citation = true, say
		case say != "" && v.wrong == "":
			v.wrong = say
		}
		structured = structured || slices.Contains([]string{"count", "items", "top", "counts"}, c.verb)
	}
	if structured && a.Refused && v.wrong == "" {
		v.wrong = "refused"
	}
	if structured && !v.asked {
		v.asked, v.citation = true, citesList(a)
	}
	return v, nil
}

// citesList: what counts or lists cites the page that shows it, or the records themselves.
func citesList(a report.Answer) string {
	for _, s := range a.Sources[:min(3, len(a.Sources))] {
		if s.Kind == "list" || a.Facts != nil && slices.ContainsFunc(a.Facts.Items, func(f report.Figure) bool { return f.ID == s.ID }) {
			return ""
		}
	}
	return "no list and nothing of what it names among the first three sources"
}

// check says what is wrong, by the alternative that comes nearest first.
func (t *truth) check(ctx context.Context, c check, a report.Answer) (say string, err error) {
	for i, arg := range c.args {
		wrong, err := t.checkOne(ctx, c.verb, arg, a)
		if err != nil || wrong == "" {
			return "", err
		}
		if i == 0 {
			say = wrong
		}
	}
	return say, nil
}

func (t *truth) checkOne(ctx context.Context, verb, arg string, a report.Answer) (string, error) {
	text := plain(a.Answer)
	switch verb {
	case "refused":
		return unless(a.Refused, "not refused: %s", short(text)), nil
	case "answered":
		return unless(!a.Refused && len(a.Sources) > 0, "refused, or without a source: %s", short(text)), nil
	case "not":
		return unless(!strings.Contains(strings.ToLower(text), strings.ToLower(arg)), "says %q", arg), nil
	case "says":
		for part := range strings.SplitSeq(arg, ";") {
			if !strings.Contains(strings.ToLower(text), strings.ToLower(strings.TrimSpace(part))) {
				return fmt.Sprintf("does not say %q: %s", strings.TrimSpace(part), short(text)), nil
			}
		}
		return "", nil
	case "cite":
		return cites(strings.Split(arg, " | "), a), nil
	}
	rows, err := t.rows(ctx, arg)
	if err != nil {
		return "", err
	}
	return compare(verb, arg, rows, a, text), nil
}

func compare(verb, arg string, rows [][]string, a report.Answer, text string) string {
	var names []string
	for _, r := range rows {
		names = append(names, r[0])
	}
	switch verb {
	case "count":
		return isCount(names[0], a, text)
	case "items":
		return isList(names, a, text)
	case "top":
		return isTop(names, a, text)
	case "counts":
		return isTable(rows, a)
	case "numbers":
		for _, n := range names {
			if !hasNumber(text, n) {
				return fmt.Sprintf("without the number %s: %s", n, short(text))
			}
		}
		return ""
	case "any":
		return unless(slices.ContainsFunc(names, func(n string) bool { return has(text, n) }), "names none of %s: %s", names, short(text))
	case "first":
		if !isQuery(arg) {
			names = strings.Fields(arg)
		}
		return isFirst(names, text)
	case "value":
		if !isQuery(arg) {
			names = strings.Split(arg, " | ")
		}
		return isValue(names, a, text)
	case "yes":
		return isYes(names[0] == "1", a, text)
	}
	return "unknown check " + verb
}

func isCount(want string, a report.Answer, text string) string {
	switch {
	case a.Facts == nil || a.Facts.Count == nil:
		return fmt.Sprintf("no count, want %s: %s", want, short(text))
	case strconv.Itoa(*a.Facts.Count) != want:
		return fmt.Sprintf("counts %d, want %s", *a.Facts.Count, want)
	case want != "0" && !hasNumber(text, want):
		return fmt.Sprintf("the text does not say %s: %s", want, short(text))
	}
	return ""
}

// isList compares a list as far as the answer tells it.
func isList(want []string, a report.Answer, text string) string {
	if a.Facts == nil || len(a.Facts.Items) == 0 {
		for _, w := range want {
			if !has(text, w) {
				return fmt.Sprintf("no list, and the text is without %s: %s", w, short(text))
			}
		}
		return ""
	}
	found := map[string]bool{}
	for _, item := range a.Facts.Items {
		at := slices.IndexFunc(want, func(w string) bool { return is(item, w) })
		if at < 0 && told(want, text) {
			return "" // it lists something else, and says of each where it is
		}
		if at < 0 {
			return fmt.Sprintf("lists %s (%s), which is not of the %d: %s", item.Name, item.ID, len(want), first(want, 5))
		}
		found[want[at]] = true
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(want)))
	if a.Facts.More > 0 && len(a.Facts.Items)+a.Facts.More >= len(distinct) && len(a.Facts.Items) >= min(5, len(distinct)) {
		return ""
	}
	for _, w := range distinct {
		if !found[w] {
			return fmt.Sprintf("lists %d of %d, without %s", len(found), len(distinct), w)
		}
	}
	return ""
}

var address = regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b`)

// told: the text names all of these hosts, and no other.
func told(want []string, text string) bool {
	for _, a := range address.FindAllString(text, -1) {
		if !slices.Contains(want, a) {
			return false
		}
	}
	return !slices.ContainsFunc(want, func(w string) bool { return !address.MatchString(w) || !has(text, w) })
}

func isTop(want []string, a report.Answer, text string) string {
	if a.Facts == nil || len(a.Facts.Items) == 0 {
		return isFirst(want, text)
	}
	for i, w := range want {
		if i >= len(a.Facts.Items) || !is(a.Facts.Items[i], w) {
			return fmt.Sprintf("%s is not the %d. of %s", w, i+1, first(figures(a), len(want)+1))
		}
	}
	return ""
}

func isTable(want [][]string, a report.Answer) string {
	if a.Facts == nil {
		return "no facts"
	}
	for _, row := range want {
		at := slices.IndexFunc(a.Facts.Items, func(f report.Figure) bool { return is(f, row[0]) })
		switch {
		case at < 0:
			return fmt.Sprintf("no row %s in %s", row[0], first(figures(a), 9))
		case a.Facts.Items[at].Count == nil || strconv.Itoa(*a.Facts.Items[at].Count) != row[1]:
			return fmt.Sprintf("row %s is not %s", row[0], row[1])
		}
	}
	return ""
}

// isFirst: the first is named, and none of the others before it.
func isFirst(names []string, text string) string {
	lower := strings.ToLower(text)
	at := strings.Index(lower, strings.ToLower(names[0]))
	if at < 0 {
		return fmt.Sprintf("does not name %s: %s", names[0], short(text))
	}
	for _, other := range names[1:] {
		if o := strings.Index(lower, strings.ToLower(other)); o >= 0 && o < at {
			return fmt.Sprintf("names %s before %s", other, names[0])
		}
	}
	return ""
}

func isValue(names []string, a report.Answer, text string) string {
	for _, n := range names {
		for _, form := range forms(n) {
			if has(text, form) || a.Facts != nil && strings.EqualFold(string(a.Facts.Value), form) {
				return ""
			}
		}
	}
	return fmt.Sprintf("not %s: %s", strings.Join(names, " or "), short(text))
}

// forms are the ways in which a day may be written.
func forms(text string) []string {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return []string{text}
	}
	return []string{text, day.Format("2 January 2006"), day.Format("January 2, 2006"), day.Format("2 Jan 2006")}
}

func isYes(want bool, a report.Answer, text string) string {
	if a.Facts != nil && a.Facts.Yes != nil {
		return unless(*a.Facts.Yes == want, "says %t: %s", *a.Facts.Yes, short(text))
	}
	start := strings.ToLower(text)
	return unless(!a.Refused && (want && strings.HasPrefix(start, "yes") || !want && strings.HasPrefix(start, "no")), "neither yes nor no: %s", short(text))
}

func cites(want []string, a report.Answer) string {
	for _, s := range a.Sources[:min(3, len(a.Sources))] {
		for _, w := range want {
			if s.ID == w || has(s.Title, w) || has(s.Text, w) {
				return ""
			}
		}
	}
	var got []string
	for _, s := range a.Sources[:min(3, len(a.Sources))] {
		got = append(got, s.Kind+" "+s.ID)
	}
	return fmt.Sprintf("cites %s first, not %s", got, strings.Join(want, " or "))
}

// is: an item of a list is called so.
func is(f report.Figure, name string) bool {
	for _, text := range []string{f.Name, f.ID, string(f.Value)} {
		if strings.EqualFold(text, name) || has(text, name) {
			return true
		}
	}
	return false
}

// has: a text has a name, with no letter, digit or dotted number going on before or after it.
func has(text, name string) bool {
	text, name = strings.ToLower(text), strings.ToLower(name)
	for from := 0; ; {
		at := strings.Index(text[from:], name)
		if name == "" || at < 0 {
			return false
		}
		at += from
		end := at + len(name)
		before := at == 0 || !inWord(text[at-1]) && (text[at-1] != '.' || at < 2 || !inWord(text[at-2]))
		after := end == len(text) || !inWord(text[end]) && (text[end] != '.' || end+1 == len(text) || !inWord(text[end+1]))
		if before && after {
			return true
		}
		from = at + 1
	}
}

func inWord(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' }

// hasNumber: a text has a number, with or without commas.
func hasNumber(text, n string) bool {
	return has(text, n) || has(text, thousands(n)) || n == "0" && regexp.MustCompile(`(?i)\b(no|none|nothing|neither)\b`).MatchString(text) ||
		n == "1" && regexp.MustCompile(`(?i)\bone\b`).MatchString(text)
}

func thousands(n string) string {
	for i := len(n) - 3; i > 0; i -= 3 {
		n = n[:i] + "," + n[i:]
	}
	return n
}

var markup = regexp.MustCompile(`\*\*|\[\d+\]`)

// plain is a text without its markup.
func plain(text string) string { return strings.TrimSpace(markup.ReplaceAllString(text, "")) }

func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 160 {
		text = strings.ToValidUTF8(text[:160], "") + "…"
	}
	return strconv.Quote(text)
}

func first(names []string, n int) string { return strings.Join(names[:min(n, len(names))], ", ") }

func figures(a report.Answer) (out []string) {
	for _, f := range a.Facts.Items {
		out = append(out, f.Name)
	}
	return out
}

func unless(ok bool, format string, args ...any) string {
	if ok {
		return ""
	}
	return fmt.Sprintf(format, args...)
}
