package nmap

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/finding"
)

// judgement gathers what is wrong with one thing: a script's result is one record, so that an expired certificate of a
// short key is one finding which says both.
type judgement struct {
	problems []string
	severity string
	cwes     []int
}

func (j *judgement) add(problem, severity string, cwe int) {
	j.problems = append(j.problems, problem)
	j.severity = graver(j.severity, severity)
	if !slices.Contains(j.cwes, cwe) {
		j.cwes = append(j.cwes, cwe)
	}
}

func (j *judgement) observation(what, remedy string) (finding.Observation, bool) {
	return finding.Observation{Title: what + ": " + strings.Join(j.problems, ", "), Severity: j.severity, CWEs: j.cwes,
		Confidence: confidenceSaid, Remedy: remedy}, len(j.problems) > 0
}

// certificate reads ssl-cert: the report's own time says whether it had expired.
func (s *script) certificate(at time.Time) (finding.Observation, bool) {
	if s.id != "ssl-cert" {
		return finding.Observation{}, false
	}
	c := s.certFacts()
	var j judgement
	if !at.IsZero() && !c.notAfter.IsZero() && at.After(c.notAfter) {
		j.add("expired on "+c.notAfter.Format(time.DateOnly), "medium", 298)
	}
	if !at.IsZero() && at.Before(c.notBefore) {
		j.add("not valid before "+c.notBefore.Format(time.DateOnly), "medium", 298)
	}
	selfSigned := c.subject != "" && c.subject == c.issuer
	if selfSigned {
		j.add("self-signed", "low", 295)
	}
	switch weak := c.keyType == "ec" && c.bits < 224 || c.keyType != "ec" && c.bits < 2048; {
	case c.bits == 0 || !weak:
	case c.bits < 1024 && c.keyType != "ec":
		j.add(fmt.Sprintf("key of %d bits", c.bits), "high", 326)
	default:
		j.add(fmt.Sprintf("key of %d bits", c.bits), "medium", 326)
	}
	switch algorithm := strings.ToLower(c.signature); {
	case selfSigned: // nobody trusts its signature anyway
	case strings.Contains(algorithm, "md5"), strings.Contains(algorithm, "md2"), strings.Contains(algorithm, "md4"):
		j.add("signed with "+c.signature, "medium", 328)
	case strings.Contains(algorithm, "sha1"):
		j.add("signed with "+c.signature, "low", 328)
	}
	return j.observation("TLS certificate", "Install a certificate of a trusted authority with a key of today's length.")
}

type certFacts struct {
	subject, issuer, keyType, signature string
	bits                                int
	notBefore, notAfter                 time.Time
}

var (
	certLine = regexp.MustCompile(`(?m)^\s*(Subject|Issuer|Public Key type|Public Key bits|Signature Algorithm|Not valid before|Not valid after): *(\S.*?)\s*$`)
	plain    = regexp.MustCompile(`^[A-Za-z0-9.-]{1,40}$`)
)

// certFacts reads the printed text, which all versions share, and the structure for what short output leaves out.
func (s *script) certFacts() (c certFacts) {
	set := func(name, value string) {
		switch name {
		case "Subject":
			c.subject = value
		case "Issuer":
			c.issuer = value
		case "Public Key type":
			c.keyType = strings.ToLower(value)
		case "Public Key bits":
			c.bits, _ = strconv.Atoi(value)
		case "Signature Algorithm":
			if plain.MatchString(value) {
				c.signature = value
			}
		case "Not valid before":
			c.notBefore = certTime(value)
		case "Not valid after":
			c.notAfter = certTime(value)
		}
	}
	for _, m := range certLine.FindAllStringSubmatch(s.output, 20) {
		set(m[1], m[2])
	}
	var subject, issuer []string
	for _, f := range s.facts {
		switch table := strings.Join(f.path, "/"); {
		case table == "subject":
			subject = append(subject, f.key+"="+f.value)
		case table == "issuer":
			issuer = append(issuer, f.key+"="+f.value)
		case table == "pubkey" && f.key == "type":
			set("Public Key type", f.value)
		case table == "pubkey" && f.key == "bits":
			set("Public Key bits", f.value)
		case table == "" && f.key == "sig_algo":
			set("Signature Algorithm", f.value)
		case table == "validity" && f.key == "notBefore":
			set("Not valid before", f.value)
		case table == "validity" && f.key == "notAfter":
			set("Not valid after", f.value)
		}
	}
	if len(subject) > 0 { // the printed names leave parts out
		c.subject, c.issuer = joinSorted(subject), joinSorted(issuer)
	}
	return c
}

func joinSorted(parts []string) string {
	slices.Sort(parts)
	return strings.Join(parts, "\x00")
}

// certTime reads the ways in which versions of nmap write a time; the zone, where it is missing, is UTC.
func certTime(text string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04:05-07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

var (
	oldProtocol = regexp.MustCompile(`(?m)^\s*(SSLv2|SSLv3|TLSv1\.0|TLSv1\.1):`)
	leastGrade  = regexp.MustCompile(`(?m)^\s*least strength: (\w+)`)
	tlsWarning  = regexp.MustCompile(`(?i)^(64-bit block cipher|Broken cipher|Weak cipher|Insecure certificate|Export key exchange|Anonymous key exchange|Ciphersuite uses|Forward Secrecy not|Key exchange|CBC-mode|Certificate RSA)`)
)

// ciphers reads ssl-enum-ciphers: protocols that are no longer to be used, and ciphers of grade C or worse ("weak" before
// nmap 7 gave grades).
func (s *script) ciphers() (finding.Observation, bool) {
	if s.id != "ssl-enum-ciphers" {
		return finding.Observation{}, false
	}
	var j judgement
	protocols := map[string]bool{}
	offers := func(name string) {
		if protocols[name] {
			return
		}
		protocols[name] = true
		severity := "low" // deprecated by RFC 8996
		if strings.HasPrefix(name, "SSL") {
			severity = "medium" // RFC 6176, RFC 7568
		}
		j.add(name+" is offered", severity, 327)
	}
	for _, m := range oldProtocol.FindAllStringSubmatch(s.output, 20) {
		offers(m[1])
	}
	grade := ""
	if m := leastGrade.FindStringSubmatch(s.output); m != nil {
		grade = m[1]
	}
	warned := map[string]bool{}
	for _, f := range s.facts {
		switch {
		case len(f.path) > 0 && oldProtocol.MatchString(f.path[0]+":"):
			offers(f.path[0])
		case len(f.path) == 0 && f.key == "least strength":
			grade = f.value
		}
		if len(f.path) > 0 && f.path[len(f.path)-1] == "warnings" {
			warned[f.value] = true
		}
	}
	for line := range strings.SplitSeq(s.output, "\n") {
		warned[strings.TrimSpace(line)] = true
	}
	severity := map[string]string{"C": "low", "D": "medium", "E": "medium", "F": "high", "weak": "medium", "broken": "high"}[grade]
	if severity != "" {
		j.add("ciphers of grade "+grade, severity, 326)
	}
	j.warnings(warned)
	o, found := j.observation("TLS protocols and ciphers", "Offer TLS 1.2 and 1.3 with ciphers of grade A only.")
	var ids idSet
	for line := range warned {
		if tlsWarning.MatchString(line) {
			for _, id := range cveText.FindAllString(line, -1) {
				ids.add(id)
			}
		}
	}
	o.CVEs = ids
	return o, found
}

// warnings adds nmap's own, in its order of the alphabet, as far as they fit a title.
func (j *judgement) warnings(lines map[string]bool) {
	var list []string
	for line := range lines {
		if tlsWarning.MatchString(line) && len(line) < 120 {
			list = append(list, line)
		}
	}
	slices.Sort(list)
	for _, line := range list[:min(len(list), 4)] {
		j.add(line, "low", 326)
	}
}
