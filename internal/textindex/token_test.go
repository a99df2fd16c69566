package textindex_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/textindex"
)

func TestTokens(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		" .-_/ ":                        "",
		"Remote Code Execution":         "remote code execution",
		"see CVE-2021-44228, cve-1-2":   "see cve-2021-44228 cve 1 2 +cve12",
		"CVE-2024-6387.patch":           "cve-2024-6387 patch",
		"before 2.4.49.":                "before 2.4.49 +2.4",
		"2.4.x and 1.0.1f":              "2.4.x +2.4 and 1.0.1f +1.0",
		"7.4":                           "7.4",
		"mod_proxy.so":                  "mod proxy so +modproxyso",
		"log4j-core-2.14.1":             "log4j core 2.14.1 +2.14",
		"log4j-core":                    "log4j core +log4jcore",
		"/etc/passwd":                   "etc passwd",
		"FrontPage":                     "frontpage +front +page",
		"MySQL phpMyAdmin JavaScript":   "mysql +sql phpmyadmin +php +admin javascript +java +script",
		"C++ c# Notepad++ a+b":          "c +c++ c +c# notepad +notepad++ a b",
		"use-after-free":                "use after free +useafterfree",
		"naïve Å ﬁle Ｗｉｄｅ":              "naive a file wide",
		"İstanbul ΣΑΣ":                  "istanbul σασ",
		"overflows boxes crashes":       "overflow box crash",
		"vulnerabilities address virus": "vulnerability address virus",
		"bus dos xss 3ds analysis":      "bus dos xss 3ds analysis",
		"don't":                         "don t",
		"\xff\xfeok\xc3":                "ok",
		"漏洞 версия":                     "漏洞 версия",
		"\u0301\u0301":                  "",
		strings.Repeat("a", 100):        strings.Repeat("a", 64),
		strings.Repeat("a.", 9):         "a a a a a a a a +aaaaaaaa a",
	} {
		var got []string
		for token := range textindex.Tokens(text) {
			term := token.Term
			if token.Extra {
				term = "+" + term
			}
			got = append(got, term)
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%q: %s, want %s", text, s, want)
		}
	}
}

func TestTokensPointAtTheirText(t *testing.T) {
	text := "The naïve mod_proxy 2.4.49 in C++"
	var got []string
	for token := range textindex.Tokens(text) {
		got = append(got, text[token.Start:token.End])
	}
	if s := strings.Join(got, "|"); s != "The|naïve|mod|proxy|mod_proxy|2.4.49|2.4.49|in|C|C++" {
		t.Error(s)
	}
}

func FuzzTokens(f *testing.F) {
	for _, text := range []string{"mod_proxy 2.4.49", "CVE-2021-44228", "naïve\u0301 ﬁ", "\xff.\xfe", "FrontPage-C++#", "a.b_c-d.1.2.x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for token := range textindex.Tokens(text) {
			if token.Term == "" || len(token.Term) > 64 || utf8.ValidString(text) && !utf8.ValidString(token.Term) {
				t.Fatalf("term %q of %q", token.Term, text)
			}
			if token.Start < 0 || token.Start >= token.End || token.End > len(text) || !token.Extra && token.Start < last {
				t.Fatalf("term %q at %d to %d of %q", token.Term, token.Start, token.End, text)
			}
			if !token.Extra {
				last = token.Start
			}
			// What is found by its own term must be: a word is the same in a document and in a question.
			found := false
			for again := range textindex.Tokens(text[token.Start:token.End]) {
				found = found || again.Term == token.Term
			}
			if !found {
				t.Fatalf("%q of %q is not among the words of %q", token.Term, text, text[token.Start:token.End])
			}
		}
	})
}
