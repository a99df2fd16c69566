package finding

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/cve"
)

// MaxExtracted is how many ids are taken out of one text: more than any record names, fewer than a hostile one can.
const MaxExtracted = 4096

// CVEsIn lists the CVE ids that a text names, each once, in the order of their first mention. It reads what tools and
// people write: any case, typographic dashes, an underscore, a colon or a blank after CVE ("CVE 2021-44228"), none at all
// ("http-vuln-cve2017-5638"), a shortened list ("CVE-2021-44228/45046") and the CAN- ids of before 2005. It takes nothing for an
// id that only might be one: "CVE 2021 44228", "2021-44228", a year before 1999, a sequence that is zero or has three
// digits or a needless leading zero, a placeholder ("CVE-2021-12xx").
func CVEsIn(text string) []cve.ID {
	var ids []cve.ID
	for i := 0; i+4 < len(text) && len(ids) < MaxExtracted; {
		if text[i]|0x20 != 'c' || wordBefore(text, i) {
			i++
			continue
		}
		id, end := cveAt(text, i)
		if id == 0 {
			i++
			continue
		}
		begin := i
		for ; id != 0 && len(ids) < MaxExtracted; id, end = cveListed(text, begin, end, id) {
			if len(ids) < 16 && !slices.Contains(ids, id) || len(ids) >= 16 && !slices.Contains(ids[len(ids)-16:], id) {
				ids = append(ids, id)
			}
			i = end
		}
	}
	return unique(ids)
}

// unique drops repetitions that were too far apart to be noticed at once, and keeps the order.
func unique(ids []cve.ID) []cve.ID {
	if len(ids) <= 16 {
		return ids
	}
	seen := make(map[cve.ID]bool, len(ids))
	return slices.DeleteFunc(ids, func(id cve.ID) bool {
		twice := seen[id]
		seen[id] = true
		return twice
	})
}

// wordBefore says whether a letter or digit stands before i, unless it is that of a line break that was escaped ("\nCVE-").
func wordBefore(text string, i int) bool {
	if i == 0 || !alphanumeric(text[i-1]) {
		return false
	}
	return i < 2 || text[i-2] != '\\' || !strings.ContainsRune("nrt", rune(text[i-1]))
}

func alphanumeric(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' }

// cveAt reads the id that begins at i, 0 for none, and where it ends.
func cveAt(text string, i int) (id cve.ID, end int) {
	old := strings.EqualFold(text[i:min(len(text), i+4)], "CAN-")
	if !old && !strings.EqualFold(text[i:i+3], "CVE") {
		return 0, 0
	}
	i = afterMarks(text, i+3, 3, true)
	year, n := number(text, i)
	if n != 4 || year < 1999 || year > 2099 || old && year > 2005 {
		return 0, 0
	}
	i += n
	second := afterMarks(text, i, 1, false)
	if second == i {
		return 0, 0
	}
	seq, end := sequence(text, second)
	if seq == 0 {
		return 0, 0
	}
	return cve.NewID(year, seq), end
}

// sequence reads the number of an id: four to seven digits (the CVE Program has issued no longer ones), not zero.
func sequence(text string, i int) (seq uint32, end int) {
	seq, n := number(text, i)
	end = i + n
	switch {
	case n < 4 || n > 7 || seq == 0, n > 4 && text[i] == '0':
		return 0, 0
	case end < len(text) && text[end]|0x20 == 'x': // CVE-2021-12xx is no id yet
		return 0, 0
	}
	return seq, end
}

// cveListed reads the next of "CVE-2021-44228/45046", which is of the same year; 0 for none. Within a path or URL a slash
// is just that, and a number that may be a year is none.
func cveListed(text string, begin, end int, before cve.ID) (cve.ID, int) {
	if end >= len(text) || text[end] != '/' || begin > 0 && (text[begin-1] == '/' || text[begin-1] == '=') {
		return 0, end
	}
	seq, next := sequence(text, end+1)
	year := uint32(before.Year()) //nolint:gosec // four digits
	switch {
	case seq == 0, next-end == 5 && seq >= 1980 && seq <= 2099:
		return 0, end
	case next < len(text) && (alphanumeric(text[next]) || strings.IndexByte("-_.:%", text[next]) >= 0 && !endsThere(text, next)):
		return 0, end
	}
	return cve.NewID(year, seq), next
}

// endsThere says whether the mark at i ends a sentence or a list's item.
func endsThere(text string, i int) bool { return i+1 == len(text) || !alphanumeric(text[i+1]) }

// number reads at most ten digits.
func number(text string, i int) (value uint32, digits int) {
	for ; i+digits < len(text) && digits < 10; digits++ {
		c := text[i+digits]
		if c < '0' || c > '9' {
			break
		}
		if digits < 9 { // longer ones are none of ours
			value = value*10 + uint32(c-'0')
		}
	}
	return value, digits
}

// afterMarks skips at most n dashes and underscores, with blanks also colons and blanks.
func afterMarks(text string, i, n int, blanks bool) int {
	for ; n > 0 && i < len(text); n-- {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !isDash(r) && (!blanks || r != ' ' && r != ':' && r != '\u00a0') {
			break
		}
		i += size
	}
	return i
}

// isDash knows the hyphens, dashes and minus signs that word processors and PDF make of "-".
func isDash(r rune) bool {
	switch r {
	case '-', '_', '\u00ad', '\u2043', '\u2212', '\ufe58', '\ufe63', '\uff0d':
		return true
	}
	return r >= '\u2010' && r <= '\u2015'
}

// maxCWE is above every number that CWE has given (1434 in 2026).
const maxCWE = 9999

// CWEsIn lists the CWE numbers that a text names, each once, in order: "CWE-79", "cwe 79", "CWE:79", "cwe-079", "CWE_79" and
// "CWE79". NVD's CWE-noinfo and CWE-Other are none.
func CWEsIn(text string) []int {
	var out []int
	for i := 0; i+3 < len(text) && len(out) < MaxExtracted; i++ {
		if text[i]|0x20 != 'c' || !strings.EqualFold(text[i:i+3], "CWE") || wordBefore(text, i) {
			continue
		}
		at := afterMarks(text, i+3, 3, true)
		n, digits := number(text, at)
		end := at + digits
		if digits == 0 || digits > 5 || n == 0 || n > maxCWE || end < len(text) && text[end] == '.' && !endsThere(text, end) {
			continue
		}
		if !slices.Contains(out, int(n)) {
			out = append(out, int(n))
		}
	}
	return out
}

// CWEOf reads the number of a CWE as tools write it in a field of its own: "CWE-79", "79", "079"; 0 for none.
func CWEOf(field string) int {
	field = strings.TrimSpace(field)
	if n, err := strconv.ParseUint(field, 10, 16); err == nil && n <= maxCWE {
		return int(n)
	}
	if found := CWEsIn(field); len(found) > 0 {
		return found[0]
	}
	return 0
}

// vectorText is a run of CVSS metrics, with its prefix where it has one ("CVSS:3.1/", Nessus's "CVSS2#").
var vectorText = regexp.MustCompile(`(?i)(?:CVSS:?(?:v|v:)?([2-4](?:\.[01])?)[/#])?((?:[A-Z]{1,3}:[A-Z]{1,6}/){5,40}[A-Z]{1,3}:[A-Z]{1,6})`)

// baseMetrics are the metrics that a base vector must have, in the standards' order, with their values.
var baseMetrics = map[string][][2]string{
	"2": {{"AV", "LAN"}, {"AC", "HML"}, {"Au", "MSN"}, {"C", "NPC"}, {"I", "NPC"}, {"A", "NPC"}},
	"3": {{"AV", "NALP"}, {"AC", "LH"}, {"PR", "NLH"}, {"UI", "NR"}, {"S", "UC"}, {"C", "HLN"}, {"I", "HLN"}, {"A", "HLN"}},
	"4": {{"AV", "NALP"}, {"AC", "LH"}, {"AT", "NP"}, {"PR", "NLH"}, {"UI", "NPA"}, {"VC", "HLN"}, {"VI", "HLN"}, {"VA", "HLN"},
		{"SC", "HLN"}, {"SI", "HLN"}, {"SA", "HLN"}},
}

// VectorIn is the CVSS base vector of the newest version that a text holds in full, the first of several of one version;
// "" for none. It is written as the standards do: with its prefix from 3.0 on (3.1 where the text has none), without one for
// 2.0, base metrics only, in order.
func VectorIn(text string) string {
	if len(text) < len("AV:N/AC:L/Au:N/C:N/I:N/A:N") || !strings.Contains(text, "AV:") && !strings.Contains(text, "av:") {
		return ""
	}
	best, newest := "", ""
	for _, m := range vectorText.FindAllStringSubmatch(text, 64) {
		if vector, version := baseVector(m[1], m[2]); version > newest {
			best, newest = vector, version
		}
	}
	return best
}

// baseVector makes a canonical vector of metrics, "" if they are not complete. version is what the prefix said.
func baseVector(version, text string) (vector, of string) {
	values := map[string]string{}
	for part := range strings.SplitSeq(strings.ToUpper(text), "/") {
		name, value, _ := strings.Cut(part, ":")
		if _, twice := values[name]; !twice {
			values[name] = value
		}
	}
	if version == "" {
		version = guessVersion(values)
	}
	var b strings.Builder
	for _, metric := range baseMetrics[version[:1]] {
		value := values[strings.ToUpper(metric[0])]
		if len(value) != 1 || !strings.Contains(metric[1], value) {
			return "", ""
		}
		b.WriteString("/" + metric[0] + ":" + value)
	}
	switch version {
	case "3":
		version = "3.1"
	case "4":
		version = "4.0"
	}
	if version[0] == '2' {
		return b.String()[1:], "2.0"
	}
	return "CVSS:" + version + b.String(), version
}

// guessVersion tells versions apart by metrics that only one of them has.
func guessVersion(values map[string]string) string {
	switch {
	case values["AU"] != "":
		return "2"
	case values["VC"] != "":
		return "4"
	}
	return "3"
}

// PackageOf is how findings name the package of a package URL, name and version apart: so that what several tools say of
// one package is of one component. ok is false for what is no package URL.
//
//	pkg:deb/debian/openssl@3.0.11-1?arch=amd64&epoch=1    openssl                                1:3.0.11-1
//	pkg:npm/%40angular/core@16.2.0                        @angular/core                          16.2.0
//	pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1  org.apache.logging.log4j:log4j-core    2.14.1
//	pkg:golang/github.com/gin-gonic/gin@v1.9.0            github.com/gin-gonic/gin               1.9.0
func PackageOf(purl string) (name, version string, ok bool) {
	rest, found := strings.CutPrefix(strings.TrimSpace(purl), "pkg:")
	if !found || len(purl) > maxLine {
		return "", "", false
	}
	rest, _, _ = strings.Cut(strings.TrimLeft(rest, "/"), "#")
	rest, qualifiers, _ := strings.Cut(rest, "?")
	kind, rest, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(rest, '@'); i > 0 && !strings.Contains(rest[i:], "/") {
		rest, version = rest[:i], unescape(rest[i+1:])
	}
	space, name := "", strings.Trim(rest, "/")
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		space, name = unescape(name[:i]), name[i+1:]
	}
	if name = unescape(name); name == "" || kind == "" {
		return "", "", false
	}
	name, version = ofKind(strings.ToLower(kind), space, name, version, qualifiers)
	return name, version, true
}

// ofKind joins the parts of a package URL as the ecosystem writes them.
func ofKind(kind, space, name, version, qualifiers string) (string, string) {
	switch kind {
	case "deb", "rpm", "apk", "alpm", "qpkg", "opkg": // the space is the distribution
		for q := range strings.SplitSeq(qualifiers, "&") {
			epoch, isEpoch := strings.CutPrefix(q, "epoch=")
			if isEpoch && epoch != "0" && epoch != "" && version != "" && !strings.Contains(version, ":") {
				version = epoch + ":" + version
			}
		}
		return name, version
	case "maven":
		if space != "" {
			name = space + ":" + name
		}
		return name, version
	case "golang":
		version = strings.TrimPrefix(version, "v")
	case "pypi":
		name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	}
	if space != "" {
		name = space + "/" + name
	}
	return name, version
}

// unescape resolves %40 and the like; what is none stays as it is.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil && n >= ' ' {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return strings.ToValidUTF8(b.String(), "�")
}

// Component is the component of a finding in a package, as all readers write it: "name@version", the name alone where no
// version is known. A package URL, where the report has one, speaks for the name and the version.
func Component(purl, name, version string) string {
	if n, v, ok := PackageOf(purl); ok {
		name, version = n, cmp.Or(v, version)
	}
	if name = strings.TrimSpace(name); name == "" || strings.TrimSpace(version) == "" {
		return name
	}
	return name + "@" + strings.TrimSpace(version)
}

// SplitComponent is the name and the version of what Component wrote; the version is "" where it is not known. A name may
// begin with an "@" of its own.
func SplitComponent(component string) (name, version string) {
	if at := strings.LastIndexByte(component, '@'); at > 0 && at < len(component)-1 {
		return component[:at], component[at+1:]
	}
	return component, ""
}
