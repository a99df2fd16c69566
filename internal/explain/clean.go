package explain

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what is taken over from a record, in runes.
const (
	maxQuote = 260
	// shortQuote is when a first sentence says too little ("A vulnerability was found in X 1.0.") to stand alone.
	shortQuote = 90
	maxName    = 80
	maxInput   = 8 << 10 // bytes of a text that are looked at
)

// clean makes one line of text: valid UTF-8 without control, formatting and private characters, blanks folded, double
// quotation marks single so that a quotation ends where it ends.
func clean(text string) string {
	if len(text) > maxInput {
		text = text[:maxInput]
	}
	text = strings.ToValidUTF8(text, "")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == '“' || r == '”' || r == '„' || r == '"':
			return '\''
		case r == '⟨' || r == '⟩' || r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		default:
			return r
		}
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// cut shortens text to n runes at the end of a word and marks it.
func cut(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	end, count := 0, 0
	for end = range text {
		if count == n {
			break
		}
		count++
	}
	text = text[:end]
	if at := strings.LastIndexByte(text, ' '); at > len(text)/2 {
		text = text[:at]
	}
	return strings.TrimRight(text, " ,;:([-") + "…"
}

// telling finds sentences that speak of a weakness; advisories often begin by saying what the product is good for.
var telling = regexp.MustCompile(`(?i)vulnerab|attack|allow|exploit|overflow|inject|flaw|issue|bypass|denial|disclos|leak|execut|could|crash|improper|missing|incorrect|XSS|privilege`)

// backward finds sentences that make no sense without the one before.
var backward = regexp.MustCompile(`^(?:This|That|These|Those|It|They|Such|The (?:user|issue|problem|flaw|vulnerability))\b`)

// tellingAt is where the first sentence begins that speaks of a weakness, 0 when none does.
func tellingAt(text string) int {
	for at := 0; at < len(text); {
		sentence := text[at:]
		end := strings.Index(sentence, ". ")
		if end < 0 {
			end = len(sentence) - 2
		}
		if telling.MatchString(sentence[:end+1]) && !backward.MatchString(sentence) {
			return at
		}
		at += max(end, 0) + 2
	}
	return 0
}

// quotable is the first sentence of a publisher's text, or the first ones, cut; "" when nothing is left of it.
func quotable(text string) string {
	text, _ = untagged(clean(text))
	text, _, _ = strings.Cut(text, " This CVE ID is unique from") // Microsoft's, behind a name without a full stop
	for at := 0; ; {
		dot := strings.Index(text[at:], ". ")
		if dot < 0 {
			break
		}
		at += dot + 1
		if at > shortQuote && !abbreviation(text[:at]) {
			text = text[:at]
			break
		}
	}
	if !strings.ContainsFunc(text, unicode.IsLetter) {
		return ""
	}
	return cut(text, maxQuote)
}

// untagged takes off the notes that assigners put before a description, "** DISPUTED **", and says which it was.
func untagged(text string) (rest, note string) {
	for strings.HasPrefix(text, "**") {
		tag, after, ok := strings.Cut(text[2:], "**")
		if !ok || len(tag) > 60 {
			break
		}
		switch tag = strings.ToUpper(strings.TrimSpace(tag)); {
		case tag == "DISPUTED":
			note = ".disputed"
		case note == "" && strings.HasPrefix(tag, "UNSUPPORTED WHEN ASSIGNED"):
			note = ".unsupported"
		}
		text = strings.TrimSpace(after)
	}
	return text, note
}

// abbreviation says that a text does not end a sentence with its full stop.
func abbreviation(text string) bool {
	word := text[strings.LastIndexByte(text, ' ')+1 : len(text)-1]
	switch strings.ToLower(strings.TrimLeft(word, "(")) {
	case "e.g", "i.e", "vs", "inc", "ltd", "co", "corp", "no", "v", "ver", "st", "etc", "cf", "approx", "aka":
		return true
	}
	return len(word) == 1 // an initial
}

func rejectReason(description string) string {
	text := clean(description)
	for _, mark := range []string{"Rejected reason:", "** REJECT **", "DO NOT USE THIS CANDIDATE NUMBER.", "Do not use."} {
		text = strings.TrimSpace(strings.TrimPrefix(text, mark))
	}
	for _, mark := range []string{"Reason:", "Reasons:"} {
		if at := strings.Index(text, mark); at >= 0 {
			return strings.TrimSpace(text[at+len(mark):])
		}
	}
	return text
}
