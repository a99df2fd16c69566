// Package version orders version strings the way vulnerability records mean them. Records and banners come from
// thousands of vendors, so the order is one that fits most of them: numbers by value, pre-releases before the release,
// patch letters after it, trailing zeros without meaning. It never rejects a version; package managers' own orders
// (dpkg, rpm) are not this one.
package version

import (
	"bytes"
	"strings"
)

// Class bytes of a key. A key is a sequence of components closed by classEnd, so that comparing keys as bytes compares
// versions: pre-release word < end < letter or patch word < number.
const (
	classPre    = 0x10 // + rank of the word, 0..9
	classEnd    = 0x40
	classWord   = 0x60 // + letters + 0x00
	classNumber = 0x80 // + count of digits, then the digits without leading zeros
)

// Limits keep a hostile version string cheap: what is longer is cut, and compares by its beginning.
const (
	maxText   = 128
	maxDigits = 60
)

// preRanks orders what comes before a release (the usual names; "m" and single letters are decided by their place).
var preRanks = map[string]byte{
	"dev": 0, "nightly": 0, "snapshot": 1, "canary": 1, "alpha": 2, "ea": 2, "milestone": 3, "beta": 4, "preview": 5,
	"pre": 5, "prerelease": 5, "rc": 6, "cr": 6, "candidate": 6,
}

// postWords spells the names of what comes after a release in one way, so that "sp1" equals "service_pack_1".
var postWords = map[string]string{
	"p": "p", "pl": "p", "patch": "p", "patchlevel": "p", "sp": "sp", "pack": "sp", "u": "u", "update": "u",
	"upd": "u", "hf": "hf", "hotfix": "hf", "cu": "cu", "r": "r", "rev": "r", "revision": "r", "build": "build",
}

// silentWords say nothing about the order: "4.2.0.GA" is 4.2.0.
var silentWords = map[string]bool{"ga": true, "final": true, "release": true, "stable": true, "version": true, "service": true, "general": true}

// packagers end a version when they follow a separator or a package revision: what stands behind is a package's, not
// the software's ("5.7.20-log", "2.4.52-1ubuntu4.7", "1.1.1k-fips").
var packagers = map[string]bool{
	"log": true, "debian": true, "ubuntu": true, "dfsg": true, "raspbian": true, "maria": true, "mariadb": true,
	"fips": true, "suse": true, "rhel": true, "centos": true, "amzn": true, "alpine": true, "gentoo": true, "ppa": true,
	"freebsd": true, "kali": true, "nmu": true,
}

// packagersBeforeDigit are the same, but only with a number behind: "el7", "deb12u3", "fc38".
var packagersBeforeDigit = map[string]bool{"el": true, "deb": true, "fc": true, "mga": true, "amzn": true}

// token is a run of digits or of letters, and how it is joined to the one before.
type token struct {
	text   string
	number bool
	glued  bool // no separator before it
}

// Compare returns -1, 0 or +1 as a is older than, the same as, or newer than b.
func Compare(a, b string) int { return bytes.Compare(Key(a), Key(b)) }

// Key returns bytes that compare (bytes.Compare) as the versions do; equal keys are the same version:
// 1.0.1f < 1.0.1g, 7.2 < 7.2p2 < 7.2p10 < 7.2.1, 2.0rc1 < 2.0 = 2.0.0, v1.2 = 1.2, 20210101 = 2021.01.01.
// An epoch ("1:2.3") is dropped, since upstream versions, which records speak of, have none.
func Key(s string) []byte { return AppendKey(make([]byte, 0, len(s)+8), s) }

// AppendKey appends Key(s) to dst.
func AppendKey(dst []byte, s string) []byte {
	var buf [24]token
	tokens := tokenize(buf[:0], clean(s))
	start := len(dst) // trailing zeros are cut back to here at the earliest
	floor := start
	for i, t := range tokens {
		if t.number {
			dst = appendNumber(dst, t.text)
			continue
		}
		dst = trimZeros(dst, floor)
		dst = appendWord(dst, tokens, i)
		floor = len(dst)
	}
	return append(trimZeros(dst, floor), classEnd)
}

// JoinKey is the key of a version whose update stands in an attribute of its own, as NVD writes it: JoinKey("7.2", "p2")
// equals Key("7.2p2"). An update that is only a number ("153731") stays behind the version instead of lengthening it.
func JoinKey(base, update string) []byte {
	if update == "" {
		return Key(base)
	}
	update = clean(update)
	if update != "" && isDigit(update[0]) {
		update = "\xff" + update
	}
	return Key(clean(base) + "-" + update)
}

// trimZeros drops zero components at the end of dst, but none before floor: 9.6.0 = 9.6.
func trimZeros(dst []byte, floor int) []byte {
	for len(dst) > floor && dst[len(dst)-1] == classNumber {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func appendNumber(dst []byte, digits string) []byte {
	digits = strings.TrimLeft(digits, "0")
	if len(digits) > maxDigits {
		digits = digits[:maxDigits]
	}
	dst = append(dst, byte(classNumber+len(digits)))
	return append(dst, digits...)
}

func appendWord(dst []byte, tokens []token, i int) []byte {
	word := tokens[i].text
	if rank, ok := preRank(tokens, i); ok {
		return append(dst, classPre+rank)
	}
	if silentWords[word] {
		return dst
	}
	if canonical, ok := postWords[word]; ok {
		word = canonical
	}
	dst = append(dst, classWord)
	dst = append(dst, word...)
	return append(dst, 0)
}

// preRank says whether the word at i marks a pre-release. Single letters do only between digits (1.0b2, 9.0.0-M1):
// 1.0.2a is a patch letter, b.11.11 a family.
func preRank(tokens []token, i int) (byte, bool) {
	t := tokens[i]
	if rank, ok := preRanks[t.text]; ok {
		return rank, true
	}
	digitBehind := i+1 < len(tokens) && tokens[i+1].number && tokens[i+1].glued
	digitBefore := i > 0 && tokens[i-1].number
	if !digitBehind || !digitBefore {
		return 0, false
	}
	switch {
	case t.text == "a" && t.glued:
		return preRanks["alpha"], true
	case t.text == "b":
		return preRanks["beta"], true
	case t.text == "m" && !t.glued:
		return preRanks["milestone"], true
	}
	return 0, false
}

// clean lower-cases s and cuts what is no version: surrounding space, leading "v", epoch, build metadata, packaging.
func clean(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	s = lower(strings.TrimSpace(s))
	if len(s) > 1 && s[0] == 'v' && (isDigit(s[1]) || (s[1] == '.' && len(s) > 2 && isDigit(s[2]))) {
		s = strings.TrimPrefix(s[1:], ".")
	}
	if i := strings.IndexByte(s, ':'); i > 0 && allDigits(s[:i]) && i+1 < len(s) && isDigit(s[i+1]) {
		s = s[i+1:]
	}
	if i := strings.IndexByte(s, '+'); i > 0 {
		s = s[:i]
	}
	return cutPackaging(s)
}

// lower folds ASCII only: strings.ToLower would widen broken UTF-8.
func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// cutPackaging cuts from the first packager's word on, together with the package revision before it ("-1ubuntu4").
func cutPackaging(s string) string {
	for i := 0; i < len(s); {
		if !isLetter(s[i]) {
			i++
			continue
		}
		end := i
		for end < len(s) && isLetter(s[end]) {
			end++
		}
		word := s[i:end]
		if i > 0 && (packagers[word] || packagersBeforeDigit[word] && end < len(s) && isDigit(s[end])) {
			return trimRevision(s, i)
		}
		i = end
	}
	return s
}

func trimRevision(s string, word int) string {
	if dash := strings.LastIndexAny(s[:word], "-~ "); dash > 0 {
		return s[:dash]
	}
	return strings.TrimRight(s[:word], "-._ ~")
}

// tokenize splits s at everything that is neither digit nor letter. A leading date without separators (20210101) is
// split into year, month and day, so that it compares with 2021.01.01.
func tokenize(tokens []token, s string) []token {
	glued := false
	for i := 0; i < len(s); {
		start := i
		switch {
		case isDigit(s[i]):
			for i < len(s) && isDigit(s[i]) {
				i++
			}
			if len(tokens) == 0 && isDate(s[start:i]) {
				tokens = append(tokens, token{s[start : start+4], true, false}, token{s[start+4 : start+6], true, false})
				start += 6
			}
			tokens = append(tokens, token{s[start:i], true, glued})
			glued = true
		case isLetter(s[i]):
			for i < len(s) && isLetter(s[i]) {
				i++
			}
			tokens = append(tokens, token{s[start:i], false, glued})
			glued = true
		default:
			i++
			glued = false
		}
	}
	return tokens
}

// isDate recognises YYYYMMDD from 1980 to 2099.
func isDate(s string) bool {
	return len(s) == 8 && s[:4] >= "1980" && s[:4] <= "2099" && s[4:6] >= "01" && s[4:6] <= "12" && s[6:] >= "01" && s[6:] <= "31"
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isLetter counts bytes beyond ASCII as letters: they order somehow and split nothing.
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || c >= 0x80 }

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// updateWords begin what CPE calls the update attribute.
var updateWords = map[string]bool{
	"p": true, "r": true, "pl": true, "patch": true, "sp": true, "u": true, "update": true, "hf": true, "hotfix": true, "cu": true,
	"rc": true, "cr": true, "alpha": true, "beta": true, "pre": true, "preview": true, "milestone": true, "dev": true, "snapshot": true,
}

// Split parts a version that carries its update (7.2p2, 1.3.5rc3, 1.0.2-beta1, 9.11.0-P1) into the two attributes that
// NVD writes: ("7.2", "p2"). Patch letters (1.0.1f) belong to the version. update is "" when there is none, and then
// base is s without what Key ignores anyway.
func Split(s string) (base, update string) {
	s = clean(s)
	for i := 1; i < len(s); {
		if !isLetter(s[i]) || isLetter(s[i-1]) {
			i++
			continue
		}
		end := i
		for end < len(s) && isLetter(s[end]) {
			end++
		}
		if isUpdate(s, i, end) {
			return strings.TrimRight(s[:i], "-._ ~"), s[i:]
		}
		i = end
	}
	return s, ""
}

// isUpdate says whether the word s[i:end] begins an update: a known word that a number or the end follows, or a beta
// written with one letter (1.0b2). A single p, r or u needs its number.
func isUpdate(s string, i, end int) bool {
	word := s[i:end]
	rest := strings.TrimLeft(s[end:], "-._ ")
	numbered := rest != "" && isDigit(rest[0])
	gluedNumber := end < len(s) && isDigit(s[end])
	switch {
	case len(word) == 1 && (word == "a" || word == "b"):
		return isDigit(s[i-1]) && gluedNumber
	case len(word) == 1 && word == "m":
		return !isDigit(s[i-1]) && gluedNumber
	case len(word) == 1 && updateWords[word]:
		return gluedNumber
	case updateWords[word]:
		return numbered || rest == ""
	}
	return false
}
