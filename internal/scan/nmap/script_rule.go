package nmap

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// rule says what it means when a script that knows no states prints certain words.
type rule struct {
	scripts    string         // blank-separated ids
	says       *regexp.Regexp // its first group, if it has one and took part, ends the title
	title      string
	severity   string
	confidence int
	cwe        int
	cve        string
	remedy     string
}

// rules are the scripts whose plain output shows a weakness. What is in none of them is a fact, not a finding. The words
// are those of the scripts of nmap 7.93.
var rules = []rule{
	{"ftp-anon", regexp.MustCompile(`Anonymous FTP login allowed`), "Anonymous FTP login is allowed", "medium", confidenceProved, 287, "",
		"Turn anonymous FTP off, or let it read only what is public."},
	{"smb-security-mode", regexp.MustCompile(`message_signing:\s*disabled`), "SMB message signing is disabled", "medium", confidenceSaid, 345, "",
		"Require SMB message signing."},
	{"smb2-security-mode", regexp.MustCompile(`(?i)Message signing (?:enabled but not required|is disabled)`), "SMB message signing is not required", "medium", confidenceSaid, 345, "",
		"Require SMB message signing."},
	{"smb-protocols", regexp.MustCompile(`\(SMBv1\)`), "SMB version 1 is enabled", "medium", confidenceSaid, 477, "", "Turn SMB version 1 off."},
	{"http-trace", regexp.MustCompile(`TRACE is enabled`), "HTTP TRACE is enabled", "low", confidenceProved, 693, "", "Turn the TRACE method off."},
	{"http-methods", regexp.MustCompile(`Potentially risky methods: (.+)`), "Potentially risky HTTP methods:", "low", confidenceUntried, 650, "",
		"Allow only the methods that the application needs."},
	{"http-put", regexp.MustCompile(`was successfully created`), "Files can be written with HTTP PUT", "high", confidenceProved, 434, "", "Turn the PUT method off or protect it."},
	{"http-open-proxy socks-open-proxy", regexp.MustCompile(`(?i)OPEN proxy|status: open`), "Open proxy", "medium", confidenceSaid, 441, "", "Let only known clients use the proxy."},
	{"http-git", regexp.MustCompile(`(?m)^\s*Git repository found`), "A Git repository can be read over HTTP", "medium", confidenceProved, 538, "", "Keep .git out of what the web server serves."},
	{"http-passwd", regexp.MustCompile(`Directory traversal found`), "Directory traversal", "high", confidenceProved, 22, "", ""},
	{"http-cookie-flags", regexp.MustCompile(`flag not set`), "A session cookie lacks its flags", "low", confidenceSaid, 614, "", "Set Secure and HttpOnly on session cookies."},
	{"http-default-accounts", regexp.MustCompile(`(?m)^\s*\[(.+?)\] at`), "Login with a default password:", "critical", confidenceProved, 1392, "", "Change the default password."},
	{"sshv1", regexp.MustCompile(`supports SSHv1|^true$`), "SSH protocol version 1 is supported", "medium", confidenceSaid, 327, "", "Turn SSH protocol version 1 off."},
	{"sslv2", regexp.MustCompile(`SSLv2 supported`), "SSL version 2 is supported", "medium", confidenceSaid, 327, "", "Turn SSL version 2 off."},
	{"smtp-open-relay", regexp.MustCompile(`Server is an open relay`), "Open mail relay", "medium", confidenceProved, 269, "", "Relay only for known senders."},
	{"dns-recursion", regexp.MustCompile(`Recursion appears to be enabled`), "The DNS server resolves for anybody", "medium", confidenceSaid, 406, "", "Resolve only for your own networks."},
	{"dns-zone-transfer", regexp.MustCompile(`\sSOA\s`), "The DNS server hands out its zone", "medium", confidenceProved, 200, "", "Allow zone transfers only to secondary servers."},
	{"mysql-empty-password ms-sql-empty-password", regexp.MustCompile(`has empty password|Login Success`), "A database account has an empty password", "critical", confidenceProved, 258, "",
		"Give every account a password."},
	{"x11-access", regexp.MustCompile(`access is granted|^true$`), "The X server lets anybody in", "high", confidenceProved, 306, "", "Turn access control on (xhost -)."},
	{"vnc-info", regexp.MustCompile(`(?m)^\s*None \(1\)`), "VNC without authentication", "critical", confidenceSaid, 306, "", "Set a VNC password or tunnel it."},
	{"redis-info", regexp.MustCompile(`(?m)^\s*Role\s`), "Redis answers without a password", "high", confidenceProved, 306, "", "Set requirepass and listen on trusted networks only."},
	{"mongodb-databases", regexp.MustCompile(`(?m)^\s*totalSize = `), "MongoDB lists its databases without a login", "high", confidenceProved, 306, "", "Turn authorization on."},
	{"memcached-info", regexp.MustCompile(`Authentication: no`), "memcached answers without authentication", "medium", confidenceProved, 306, "", "Let only its own clients reach memcached."},
	{"ntp-monlist", regexp.MustCompile(`\S`), "The NTP server answers monlist queries", "medium", confidenceProved, 406, "CVE-2013-5211", "Upgrade ntpd to 4.2.7p26 or set disable monitor."},
	{"irc-unrealircd-backdoor", regexp.MustCompile(`trojaned version`), "UnrealIRCd with a backdoor", "critical", confidenceSaid, 0, "CVE-2010-2075", "Install UnrealIRCd anew from a clean source."},
	{"http-csrf http-dombased-xss http-stored-xss http-phpself-xss http-unsafe-output-escaping http-sql-injection http-fileupload-exploiter http-rfi-spider",
		regexp.MustCompile(`(?i)possible .*(?:vulnerabilit|sqli|injection|RFI)|Found the following|successfully (?:stored|uploaded)|unfiltered`),
		"A web form or page may be open to attack", "medium", confidenceUntried, 20, "", ""},
}

// confidenceUntried is for what a script read but did not try.
const confidenceUntried = 50

// byRule reads the scripts of the table.
func (s *script) byRule() (finding.Observation, bool) {
	if strings.HasSuffix(s.id, "-brute") {
		return s.guessedLogin()
	}
	for _, r := range rules {
		if !containsWord(r.scripts, s.id) {
			continue
		}
		m := r.says.FindStringSubmatch(s.output)
		if m == nil {
			return finding.Observation{}, false
		}
		o := finding.Observation{Title: r.title, Severity: r.severity, Confidence: r.confidence, Remedy: r.remedy}
		if len(m) > 1 && m[1] != "" {
			o.Title += " " + intake.Cut(strings.TrimSpace(m[1]), 200)
		}
		if r.cwe != 0 {
			o.CWEs = []int{r.cwe}
		}
		if r.cve != "" {
			var ids idSet
			ids.add(r.cve)
			o.CVEs = ids
		}
		return o, true
	}
	return finding.Observation{}, false
}

func containsWord(list, word string) bool {
	for w := range strings.FieldsSeq(list) {
		if w == word {
			return true
		}
	}
	return false
}

// guessedLogin reads the password guessers.
func (s *script) guessedLogin() (finding.Observation, bool) {
	if !strings.Contains(s.output, "Valid credentials") && !strings.Contains(s.output, "Login correct") {
		return finding.Observation{}, false
	}
	return finding.Observation{Title: "Login with a guessed password (" + s.id + ")", Severity: "critical", Confidence: confidenceProved,
		CWEs: []int{521}, Remedy: "Change the password."}, true
}

var (
	guessed = regexp.MustCompile(`(?m)^(\s*\S*?):(.*?)(\s+(?:- |=> )(?:Valid credentials|Login correct))`)
	account = regexp.MustCompile(`(?m)^(\s{4,}[^\s:]+):(\S.*)$`)
)

// masked is the output without the passwords that a script found.
func (s *script) masked() string {
	switch {
	case strings.HasSuffix(s.id, "-brute"), s.id == "creds-summary":
		return guessed.ReplaceAllString(s.output, "$1:***$3")
	case s.id == "http-default-accounts":
		return account.ReplaceAllString(s.output, "$1:***")
	}
	return s.output
}

// refuted says that a script's words deny what it names.
var refuted = regexp.MustCompile(`(?i)\bnot (?:be )?(?:vulnerable|affected)\b|\bpatched\b|\bno vulnerabilit`)

// echo are the scripts that print what a host serves, which may name any CVE; those about a CVE have it in their name.
var (
	echo  = regexp.MustCompile(`^(?:https?|ftp|smtp|pop3|imap|ssh|snmp|ldap|smb2?|nfs|irc|nntp|dns|whois|rss|hostmap|asn|mysql|ms-sql|finger|gopher)-`)
	about = regexp.MustCompile(`vul|cve|exploit`)
)

// byName reads any other script that names CVEs: somebody's own, or one that looks versions up elsewhere. Nobody here
// knows how it found them.
func (s *script) byName(backport string) (finding.Observation, bool) {
	if echo.MatchString(s.id) && !about.MatchString(s.id) {
		return finding.Observation{}, false
	}
	var ids idSet
	ids.join(finding.CVEsIn(s.output))
	for _, f := range s.facts {
		ids.join(finding.CVEsIn(f.value))
	}
	if len(ids) == 0 || refuted.MatchString(s.output) {
		return finding.Observation{}, false
	}
	o := finding.Observation{CVEs: ids, Confidence: confidenceUntried, Title: "CVEs named by " + s.id}
	switch {
	case s.id == "vulscan": // compares product names, versions only when told to
		o.Confidence = confidenceEvery
	case backport != "":
		o.Confidence = confidenceBackport
	}
	return o, true
}

// confidenceEvery is that of a rule for every version of a product.
const confidenceEvery = 20

// riskSeverity is the word for the library's "Risk factor".
func riskSeverity(factor string) string {
	switch strings.ToLower(factor) {
	case "critical", "high", "medium", "low":
		return strings.ToLower(factor)
	}
	return ""
}

// graver is the graver one of two words of severity.
func graver(a, b string) string {
	rank := map[string]int{"critical": 4, "high": 3, "medium": 2, "low": 1}
	if rank[b] > rank[a] {
		return b
	}
	return cmp.Or(a, b)
}
