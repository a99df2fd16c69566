package understand

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// stretch is a piece of the calendar, with how people call it.
type stretch struct {
	from, to time.Time // to is the first moment after it
	words    string
}

var months = map[string]time.Month{
	"january": 1, "february": 2, "march": 3, "april": 4, "may": 5, "june": 6, "july": 7, "august": 8, "september": 9, "october": 10, "november": 11, "december": 12,
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10, "nov": 11, "dec": 12,
}

var weekdays = map[string]time.Weekday{
	"monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6, "sunday": 0,
}

// calendar reads times as they are meant on one day, in one zone.
type calendar struct {
	tokens []token
	now    time.Time
}

func (c calendar) today() time.Time {
	return time.Date(c.now.Year(), c.now.Month(), c.now.Day(), 0, 0, 0, 0, c.now.Location())
}

func (c calendar) word(i int) string {
	if i < 0 || i >= len(c.tokens) {
		return ""
	}
	return c.tokens[i].word
}

// skip passes "the".
func (c calendar) skip(i int) int {
	for c.word(i) == "the" || c.word(i) == "of" || c.word(i) == "in" && c.word(i+1) != "" {
		i++
	}
	return i
}

// period reads a stretch of time that begins at token i, and says where it ends.
func (c calendar) period(i int) (Period, int, bool) {
	for _, read := range []func(int) (Period, int, bool){c.openEnded, c.between, c.age, c.rolling, c.plain} {
		if p, end, ok := read(i); ok {
			return p, end, true
		}
	}
	return Period{}, i, false
}

// openEnded reads "since Monday", "before May 2024", "until yesterday", "after 2024-05-01".
func (c calendar) openEnded(i int) (Period, int, bool) {
	word := c.word(i)
	at := i + 1
	if word == "up" && c.word(i+1) == "to" || word == "as" && c.word(i+1) == "of" || word == "starting" || word == "beginning" {
		at = i + 2
	}
	if word == "prior" && c.word(i+1) == "to" || word == "later" && c.word(i+1) == "than" || word == "earlier" && c.word(i+1) == "than" {
		at = i + 2
	}
	s, end, ok := c.point(c.skip(at))
	if !ok {
		return Period{}, i, false
	}
	switch word {
	case "since", "starting", "beginning", "as":
		return Period{From: s.from, Words: "since " + s.words}, end, true
	case "from":
		if next := c.word(end); next == "to" || next == "until" || next == "till" || next == "through" {
			return Period{}, i, false
		}
		if len(s.words) == 4 || s.to.Sub(s.from) > 48*time.Hour { // from 2021: made then
			return Period{From: s.from, To: s.to, Words: "in " + s.words}, end, true
		}
		return Period{From: s.from, Words: "since " + s.words}, end, true
	case "after", "later":
		return Period{From: s.to, Words: "after " + s.words}, end, true
	case "before", "prior", "earlier":
		return Period{To: s.from, Words: "before " + s.words}, end, true
	case "until", "till", "by", "up":
		if _, weekday := weekdays[c.word(end-1)]; weekday { // by Friday: the one that comes
			s = c.day(s.from.AddDate(0, 0, 7))
		}
		return Period{To: s.to, Words: "until " + s.words}, end, true
	}
	return Period{}, i, false
}

// between reads "between May and July 2024", "from 2024-05-01 to 2024-06-01".
func (c calendar) between(i int) (Period, int, bool) {
	if w := c.word(i); w != "between" && w != "from" {
		return Period{}, i, false
	}
	a, end, ok := c.point(c.skip(i + 1))
	if !ok {
		return Period{}, i, false
	}
	if w := c.word(end); w != "and" && w != "to" && w != "until" && w != "till" && w != "through" {
		return Period{}, i, false
	}
	b, end, ok := c.point(c.skip(end + 1))
	if !ok {
		return Period{}, i, false
	}
	if a.from.After(b.from) && a.from.AddDate(-1, 0, 0).Before(b.from) { // November and February 2024
		a.from = a.from.AddDate(-1, 0, 0)
	}
	return Period{From: a.from, To: b.to, Words: "between " + a.words + " and " + b.words}, end, true
}

// age reads "older than 30 days", "for more than two weeks", "less than a week old".
func (c calendar) age(i int) (Period, int, bool) {
	older := true
	at := i
	if c.word(at) == "for" {
		at++
	}
	switch w := c.word(at); {
	case (w == "older" || w == "longer" || w == "more") && c.word(at+1) == "than", w == "at" && c.word(at+1) == "least":
		at += 2
	case (w == "newer" || w == "younger" || w == "less" || w == "fewer") && c.word(at+1) == "than", w == "at" && c.word(at+1) == "most":
		older, at = false, at+2
	case w == "over" && at > i:
		at++
	case at > i:
	default:
		return Period{}, i, false
	}
	back, words, end, ok := c.span(at)
	if !ok {
		return Period{}, i, false
	}
	if at == i+1 && c.word(i) == "for" { // not seen for 30 days
		return Period{From: back(c.now), Words: "the last " + words}, end, true
	}
	if w := c.word(end); w == "ago" || w == "old" {
		end++
	}
	limit := back(c.now)
	if older {
		return Period{To: limit, Words: "more than " + words + " ago"}, end, true
	}
	return Period{From: limit, Words: "less than " + words + " ago"}, end, true
}

// rolling reads "the last 7 days", "past week", "next two weeks", "within 14 days".
func (c calendar) rolling(i int) (Period, int, bool) {
	at := i
	rolls := false
	for w := c.word(at); w == "in" || w == "over" || w == "during" || w == "within" || w == "for" || w == "the" || w == "these" || w == "those"; w = c.word(at) {
		rolls = rolls || w == "within" || w == "over" || w == "during" || w == "in" && c.word(at+1) == "the"
		at++
	}
	which := c.word(at)
	switch which {
	case "last", "past", "previous", "recent", "preceding":
		at++
	case "next", "coming", "following", "upcoming":
		at++
	default:
		if c.word(at-1) != "within" || at == i {
			return Period{}, i, false
		}
		which = "within"
	}
	one := c.unit(c.word(at)) != ""
	if one && !(which == "past" || rolls && which != "next" && c.word(at-2) == "the") && which != "within" && which != "coming" {
		return Period{}, i, false // last week: of the calendar
	}
	back, words, end, ok := c.span(at)
	if !ok {
		return Period{}, i, false
	}
	if n := some[c.word(at)]; n > 0 { // "the past weeks" are several
		back, words = c.backBy(n, singular(c.word(at))), plural(n, singular(c.word(at)))
	}
	words = strings.TrimPrefix(words, "1 ")
	switch which {
	case "next", "coming", "following", "upcoming":
		return Period{From: c.now, To: c.forward(back), Words: "the next " + words}, end, true
	}
	from := back(c.now)
	if c.today().Sub(from) > 0 && !strings.Contains(words, "hour") {
		from = time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, from.Location())
	}
	return Period{From: from, To: time.Time{}, Words: "the last " + words}, end, true
}

// some is how many are meant by "the past weeks".
var some = map[string]int{"days": 7, "weeks": 4, "months": 3, "years": 3}

func (c calendar) forward(back func(time.Time) time.Time) time.Time {
	return c.now.Add(c.now.Sub(back(c.now)))
}

// plain reads a stretch that stands for itself: "today", "last month", "in 2021", "in May", "Q3", "on 2024-05-01".
func (c calendar) plain(i int) (Period, int, bool) {
	at := i
	said := false
	for w := c.word(at); w == "in" || w == "on" || w == "during" || w == "of" || w == "the" || w == "for" || w == "within" || w == "at" || w == "year"; w = c.word(at) {
		said = said || w == "in" || w == "during" || w == "year" || w == "of" || w == "on" || w == "for"
		at++
	}
	s, end, ok := c.point(at)
	if !ok || !said && c.bare(at, end) {
		return Period{}, i, false
	}
	return Period{From: s.from, To: s.to, Words: s.words}, end, true
}

// bare says whether what stands there is too little to be a time without "in" before it: "may", "march", "sat".
func (c calendar) bare(at, end int) bool {
	_, month := months[c.word(at)]
	return end == at+1 && month
}

// point reads a day, week, month, quarter or year.
func (c calendar) point(i int) (stretch, int, bool) {
	for _, read := range []func(int) (stretch, int, bool){c.ago, c.relative, c.date, c.month, c.quarter, c.weekday, c.year} {
		if s, end, ok := read(i); ok {
			return s, end, true
		}
	}
	return stretch{}, i, false
}

func (c calendar) day(t time.Time) stretch {
	return stretch{t, t.AddDate(0, 0, 1), t.Format("2 January 2006")}
}

func (c calendar) ago(i int) (stretch, int, bool) {
	back, words, end, ok := c.span(i)
	if !ok || c.word(end) != "ago" {
		return stretch{}, i, false
	}
	at := back(c.now)
	if !strings.Contains(words, "hour") && !strings.Contains(words, "minute") {
		at = time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location())
	}
	return stretch{at, at.AddDate(0, 0, 1), words + " ago"}, end + 1, true
}

func (c calendar) relative(i int) (stretch, int, bool) {
	switch c.word(i) {
	case "today", "tonight":
		return stretch{c.today(), c.today().AddDate(0, 0, 1), "today"}, i + 1, true
	case "yesterday":
		return stretch{c.today().AddDate(0, 0, -1), c.today(), "yesterday"}, i + 1, true
	case "tomorrow":
		return stretch{c.today().AddDate(0, 0, 1), c.today().AddDate(0, 0, 2), "tomorrow"}, i + 1, true
	case "this", "last", "previous", "next", "current":
		return c.calendarUnit(i)
	case "beginning", "start":
		if at := c.skip(i + 1); at > i {
			if s, end, ok := c.point(at); ok {
				return stretch{s.from, s.from.AddDate(0, 0, 1), "the beginning of " + s.words}, end, true
			}
			if unit := c.unit(c.word(at)); unit != "" {
				s := c.whole(unit, 0)
				return stretch{s.from, s.from.AddDate(0, 0, 1), "the beginning of this " + unit}, at + 1, true
			}
		}
	case "end":
		at := c.skip(i + 1)
		if unit := c.unit(c.word(at)); unit != "" {
			s := c.whole(unit, 0)
			return stretch{s.to.AddDate(0, 0, -1), s.to, "the end of this " + unit}, at + 1, true
		}
		if s, end, ok := c.point(at); ok {
			return stretch{s.to.AddDate(0, 0, -1), s.to, "the end of " + s.words}, end, true
		}
	}
	return stretch{}, i, false
}

// calendarUnit reads "this week", "last month", "next quarter".
func (c calendar) calendarUnit(i int) (stretch, int, bool) {
	which, at := c.word(i), i+1
	if c.word(at) == "calendar" {
		at++
	}
	if day, ok := weekdays[c.word(at)]; ok && which != "this" {
		s, end, _ := c.weekday(at)
		if which == "next" {
			return c.day(s.from.AddDate(0, 0, 7)), end, true
		}
		_ = day
		return s, end, true
	}
	if month, ok := months[c.word(at)]; ok && which == "last" {
		year := c.now.Year()
		if month >= c.now.Month() {
			year--
		}
		return c.ofMonth(year, month), at + 1, true
	}
	unit := c.unit(c.word(at))
	if unit == "" || unit == "hour" || unit == "minute" {
		return stretch{}, i, false
	}
	step := map[string]int{"last": -1, "previous": -1, "next": 1}[which]
	s := c.whole(unit, step)
	s.words = map[int]string{-1: "last ", 0: "this ", 1: "next "}[step] + unit
	return s, at + 1, true
}

// whole is the unit of the calendar that today is in, moved by some.
func (c calendar) whole(unit string, step int) stretch {
	day := c.today()
	switch unit {
	case "day":
		return c.day(day.AddDate(0, 0, step))
	case "week":
		monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7+7*step)
		return stretch{monday, monday.AddDate(0, 0, 7), "week"}
	case "month":
		first := time.Date(day.Year(), day.Month()+time.Month(step), 1, 0, 0, 0, 0, day.Location())
		return stretch{first, first.AddDate(0, 1, 0), "month"}
	case "quarter":
		first := time.Date(day.Year(), (day.Month()-1)/3*3+1+time.Month(3*step), 1, 0, 0, 0, 0, day.Location())
		return stretch{first, first.AddDate(0, 3, 0), "quarter"}
	}
	first := time.Date(day.Year()+step, 1, 1, 0, 0, 0, 0, day.Location())
	return stretch{first, first.AddDate(1, 0, 0), "year"}
}

func (c calendar) unit(w string) string {
	switch strings.TrimSuffix(w, "s") {
	case "day", "week", "month", "quarter", "year", "hour", "minute":
		return strings.TrimSuffix(w, "s")
	case "hr":
		return "hour"
	}
	if w == "d" {
		return "day"
	}
	return ""
}

// span reads "7 days", "two weeks", "a month", "week", "30d", and gives the way back in time.
func (c calendar) span(i int) (back func(time.Time) time.Time, words string, end int, ok bool) {
	if i < 0 || i >= len(c.tokens) {
		return nil, "", i, false
	}
	n, at := 1, i
	switch count, numeric := c.tokens[i].numeric(); {
	case numeric && count >= 1 && count <= 10000 && count == float64(int(count)):
		n, at = int(count), i+1
	case numeric:
		return nil, "", i, false
	case c.word(i) == "a" || c.word(i) == "an" || c.word(i) == "one":
		at = i + 1
		if c.word(at) == "couple" || c.word(at) == "dozen" {
			n, at = int(spelled[c.word(at)]), at+1
		}
		if c.word(at) == "few" {
			n, at = 3, at+1
		}
	case c.word(i) == "few" || c.word(i) == "several":
		n, at = 3, i+1
	default:
		if short, unit, found := shortSpan(c.word(i)); found {
			return c.backBy(short, unit), plural(short, unit), i + 1, true
		}
	}
	if c.word(at) == "of" {
		at++
	}
	unit := c.unit(c.word(at))
	if unit == "" {
		return nil, "", i, false
	}
	return c.backBy(n, unit), plural(n, unit), at + 1, true
}

// shortSpan reads "30d", "2w", "24h".
func shortSpan(w string) (int, string, bool) {
	if len(w) < 2 || len(w) > 5 {
		return 0, "", false
	}
	n, err := strconv.Atoi(w[:len(w)-1])
	unit := map[byte]string{'d': "day", 'w': "week", 'h': "hour", 'y': "year"}[w[len(w)-1]]
	return n, unit, err == nil && n > 0 && unit != ""
}

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

func (c calendar) backBy(n int, unit string) func(time.Time) time.Time {
	return func(t time.Time) time.Time {
		switch unit {
		case "minute":
			return t.Add(-time.Duration(n) * time.Minute)
		case "hour":
			return t.Add(-time.Duration(n) * time.Hour)
		case "day":
			return t.AddDate(0, 0, -n)
		case "week":
			return t.AddDate(0, 0, -7*n)
		case "month":
			return t.AddDate(0, -n, 0)
		case "quarter":
			return t.AddDate(0, -3*n, 0)
		}
		return t.AddDate(-n, 0, 0)
	}
}

var dayLayouts = []string{"2006-01-02", "2006/01/02", "2006.01.02", "02.01.2006", "2.1.2006", "01/02/2006", "1/2/2006"}

func isDay(s string) bool {
	_, ok := readDay(s)
	return ok
}

// readDay reads a day in digits: ISO, European with dots, US with slashes unless the first number can only be a day.
func readDay(s string) (time.Time, bool) {
	if len(s) < 8 || len(s) > 10 || strings.Count(s, "-")+strings.Count(s, "/")+strings.Count(s, ".") != 2 {
		return time.Time{}, false
	}
	for _, layout := range append(dayLayouts, "02/01/2006", "2/1/2006", "02-01-2006") {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1980 && t.Year() < 2100 {
			return t, true
		}
	}
	return time.Time{}, false
}

// date reads "2024-05-01", "3 May 2024", "May 3rd, 2024", "3rd of May".
func (c calendar) date(i int) (stretch, int, bool) {
	if i >= len(c.tokens) {
		return stretch{}, i, false
	}
	if t, ok := readDay(c.word(i)); ok {
		return c.day(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, c.now.Location())), i + 1, true
	}
	at := i
	var day int
	var month time.Month
	if day = dayOfMonth(c.word(at)); day > 0 {
		at = c.skip(at + 1)
		month = months[c.word(at)]
		at++
	} else if month = months[c.word(at)]; month > 0 {
		at = c.skip(at + 1)
		day = dayOfMonth(c.word(at))
		at++
	}
	if day == 0 || month == 0 {
		return stretch{}, i, false
	}
	year := c.now.Year()
	if isYear(c.word(at)) {
		year, _ = strconv.Atoi(c.word(at))
		at++
	} else if time.Date(year, month, day, 0, 0, 0, 0, c.now.Location()).After(c.now) {
		year--
	}
	return c.day(time.Date(year, month, day, 0, 0, 0, 0, c.now.Location())), at, true
}

func dayOfMonth(w string) int {
	for _, suffix := range []string{"st", "nd", "rd", "th"} {
		w = strings.TrimSuffix(w, suffix)
	}
	n, err := strconv.Atoi(w)
	if err != nil || n < 1 || n > 31 || len(w) > 2 {
		return 0
	}
	return n
}

// month reads "May", "May 2024", "2024-05".
func (c calendar) month(i int) (stretch, int, bool) {
	w := c.word(i)
	if y, m, ok := strings.Cut(w, "-"); ok && isYear(y) && len(m) == 2 && digits(m) {
		year, _ := strconv.Atoi(y)
		if month, _ := strconv.Atoi(m); month >= 1 && month <= 12 {
			return c.ofMonth(year, time.Month(month)), i + 1, true
		}
	}
	month, ok := months[w]
	if !ok {
		return stretch{}, i, false
	}
	at := i + 1
	if c.word(at) == "of" {
		at++
	}
	if isYear(c.word(at)) {
		year, _ := strconv.Atoi(c.word(at))
		return c.ofMonth(year, month), at + 1, true
	}
	year := c.now.Year()
	if month > c.now.Month() {
		year--
	}
	return c.ofMonth(year, month), i + 1, true
}

func (c calendar) ofMonth(year int, month time.Month) stretch {
	first := time.Date(year, month, 1, 0, 0, 0, 0, c.now.Location())
	return stretch{first, first.AddDate(0, 1, 0), first.Format("January 2006")}
}

// quarter reads "Q3", "Q3 2024", "third quarter of 2024".
func (c calendar) quarter(i int) (stretch, int, bool) {
	w, at := c.word(i), i+1
	n := map[string]int{"q1": 1, "q2": 2, "q3": 3, "q4": 4}[w]
	if n == 0 && c.word(at) == "quarter" {
		n = map[string]int{"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}[w]
		at++
	}
	if n == 0 {
		return stretch{}, i, false
	}
	if c.word(at) == "of" && isYear(c.word(at+1)) {
		at++
	}
	year := c.now.Year()
	if isYear(c.word(at)) {
		year, _ = strconv.Atoi(c.word(at))
		at++
	}
	first := time.Date(year, time.Month(3*n-2), 1, 0, 0, 0, 0, c.now.Location())
	return stretch{first, first.AddDate(0, 3, 0), fmt.Sprintf("Q%d %d", n, year)}, at, true
}

// weekday reads "Monday": the last one, today not counted.
func (c calendar) weekday(i int) (stretch, int, bool) {
	day, ok := weekdays[strings.TrimSuffix(c.word(i), "s")]
	if !ok {
		return stretch{}, i, false
	}
	back := (int(c.today().Weekday())-int(day)+6)%7 + 1
	return c.day(c.today().AddDate(0, 0, -back)), i + 1, true
}

// year reads "2021", and "last year's" elsewhere.
func (c calendar) year(i int) (stretch, int, bool) {
	if !isYear(c.word(i)) || c.tokens[i].kind != numberToken {
		return stretch{}, i, false
	}
	year, _ := strconv.Atoi(c.word(i))
	if year < 1988 || year > c.now.Year()+5 {
		return stretch{}, i, false
	}
	first := time.Date(year, 1, 1, 0, 0, 0, 0, c.now.Location())
	return stretch{first, first.AddDate(1, 0, 0), c.word(i)}, i + 1, true
}
