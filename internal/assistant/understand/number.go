package understand

import (
	"strconv"
	"strings"
)

// spelled are the numbers that people write as words.
var spelled = map[string]float64{
	"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "dozen": 12, "thirteen": 13,
	"fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
	"eighty": 80, "ninety": 90, "hundred": 100, "half": 0.5, "couple": 2,
}

// isNumber says whether s is a plain number: 12, 9.3, 0.5, .5. Three parts are a version.
func isNumber(s string) bool {
	head, tail, dot := strings.Cut(s, ".")
	return len(s) <= 12 && (head == "" && dot || digits(head)) && (!dot || digits(tail))
}

func number(s string) float64 {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return n
}

// numeric is the number that a token is.
func (t token) numeric() (float64, bool) {
	if t.kind == numberToken {
		return t.number, true
	}
	if t.kind == wordToken {
		n, ok := spelled[t.word]
		return n, ok
	}
	return 0, false
}

// percent says whether the number was written as one of hundred.
func (t token) percent() bool { return strings.HasSuffix(t.value, "%") }

// fraction is a number of 0..1, from "0.5", "50%" or "50".
func (t token) fraction() (float64, bool) {
	n, ok := t.numeric()
	if ok && (t.percent() || n > 1) {
		n /= 100
	}
	return n, ok && n >= 0 && n <= 1
}
