package wording

import (
	"regexp"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// next takes the first whole sentence of a text: up to a line's end, or to a full stop with a blank after it and the
// citations behind. What may go on is left.
func next(text string) (sentence, gap, rest string, ok bool) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\n':
			return cutAt(text, i)
		case '.', '!', '?':
			end := behind(text, i+1)
			if end < 0 {
				return "", "", text, false
			}
			if end > 0 && !(text[i] == '.' && short(text[:i])) {
				return cutAt(text, end)
			}
		}
	}
	return "", "", text, false
}

func cutAt(text string, end int) (sentence, gap, rest string, ok bool) {
	rest = strings.TrimLeft(text[end:], " \t\r\n")
	if rest == "" && !strings.Contains(text[end:], "\n") {
		return "", "", text, false
	}
	return text[:end], text[end : len(text)-len(rest)], rest, true
}

// behind is where a sentence ends whose stop is before at: after marks that close and citations. 0: the stop is none; -1:
// that cannot be said yet.
func behind(text string, at int) int {
	for at < len(text) && strings.IndexByte(`*)"'`, text[at]) >= 0 {
		at++
	}
	if at == len(text) {
		return -1
	}
	end := at
	for {
		blank := end
		for blank < len(text) && text[blank] == ' ' {
			blank++
		}
		if blank == len(text) {
			return -1
		}
		if text[blank] != '[' {
			break
		}
		size := strings.IndexByte(text[blank:], ']')
		if size < 0 && len(text)-blank < 20 {
			return -1
		}
		if size < 0 || !citation.MatchString(text[blank:blank+size+1]) {
			break
		}
		end = blank + size + 1
		for end < len(text) && text[end] == '.' {
			end++
		}
		if end == len(text) {
			return -1
		}
	}
	if end == at && text[end] != ' ' && text[end] != '\n' && text[end] != '\r' && text[end] != '\t' {
		return 0
	}
	return end
}

var shortened = regexp.MustCompile(`(?i)(?:^|[\s(])(?:e\.g|i\.e|vs|etc|approx|no|nr|cf|inc|ltd|corp|al|v|ver|resp)$`)

func short(before string) bool {
	if m := shortened.FindString(before); m != "" {
		return !strings.EqualFold(strings.TrimLeft(m, " \t\n("), "no") || len(strings.TrimSpace(before)) > 2
	}
	return false
}

var (
	marker  = regexp.MustCompile(`^\s*(?:[-*•]|[0-9]{1,2}[.)])\s+`)
	ticked  = regexp.MustCompile("`([\\pL\\pN ._:+-]{1,60})`")
	leaning = regexp.MustCompile(`(^|[\s(])[*_]([^*_\s][^*_]*)[*_]($|[\s).,;:!?])`)
	stops   = regexp.MustCompile(`([.!?])\s*((?:\[[0-9, ]+\]\s*)+)[.]?$`)
	between = regexp.MustCompile(`\]\s+\[`)
)

// tidy brings a sentence into our form where that changes nothing of what it says: marks of lists, ticks round a word,
// slanted words, citations behind the full stop.
func tidy(raw string) (text string, item bool) {
	text = strings.TrimSpace(raw)
	if m := marker.FindString(text); m != "" {
		text, item = text[len(m):], true
	}
	text = ticked.ReplaceAllString(text, "$1")
	text = leaning.ReplaceAllString(text, "$1$2$3")
	text = strings.NewReplacer("\t", " ", "\u00a0", " ", "\u202f", " ", "\u2011", "-").Replace(text)
	if m := stops.FindStringSubmatchIndex(text); m != nil {
		text = text[:m[0]] + " " + strings.TrimSpace(text[m[4]:m[5]]) + text[m[2]:m[3]]
	}
	text = citation.ReplaceAllStringFunc(text, func(c string) string {
		return "[" + strings.Join(strings.FieldsFunc(c, func(r rune) bool { return r < '0' || r > '9' }), "][") + "]"
	})
	return between.ReplaceAllString(text, "]["), item
}

// repeats says whether a text goes round: three words that come four times.
func repeats(key string) bool {
	list := strings.Fields(key)
	seen := map[string]int{}
	for i := 0; i+3 <= len(list); i++ {
		k := strings.Join(list[i:i+3], " ")
		if seen[k]++; seen[k] >= 4 {
			return true
		}
	}
	return false
}
