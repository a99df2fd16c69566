package nikto

import (
	"slices"
	"strings"

	"github.com/patchscout/patchscout/internal/scan/intake"
)

// rule rates messages. Nikto itself has no severities.
type rule struct {
	name       string
	severity   string
	confidence int
	note       bool     // holds no weakness
	words      []string // one of them is in the message: lower case, blanks at the ends where it must be a word
}

// rules are tried in order. Confidence: 95 where the answer itself is the fact (a header is not there), 80 where Nikto
// recognised a version or a page, 70 where its test drew the answer that it waits for, 50 where it says "may" or "might".
var rules = []*rule{
	{name: "banner, technology or setting", note: true, words: []string{"uncommon header", "server banner changed", "server banner has changed",
		"retrieved via header", "retrieved x-powered-by header", "retrieved access-control", "retrieved x-aspnet", "retrieved dav header",
		"allowed http methods", "junk http methods", "no cgi directories", "cgi directories 'found'", "file identifies this", "root page / redirects",
		"multiple index files", "ssl certificate subject", "ssl certificate cn", "ssl certificate san", "ssl certificate issuer", "ssl ciphers:", "ssl info",
		"uses a wildcard certificate", "using a wildcard certificate", "entry which should be manually viewed", "entries which should be manually viewed",
		"multiple ip addresses found", "link header found", "alt-svc header was found"}},
	{name: "default credentials", severity: "high", confidence: 95, words: []string{"default account found", "default password", "default user", "', pw '"}},
	{name: "takes over the server", severity: "high", confidence: 70, words: []string{"command execution", "code execution", "execute commands",
		"execute arbitrary", "execute code", "execute system", "run arbitrary", "run commands", "remote file inclusion", "remote source inclusion", "file inclusion",
		" rfi ", "remote shell", "sql injection", "shellshock", "backdoor", "web shell", "webshell", "allows anyone to upload", "arbitrary file upload",
		"bypass authentication", "bypasses authentication", "authentication bypass", "without authentication"}},
	{name: "writes to the server", severity: "medium", confidence: 70, words: []string{"'put' method", "'delete' method", "'delete' may", "webdav enabled",
		"file upload", "upload files", "denial of service", " dos ", "buffer overflow"}},
	{name: "reads files or runs scripts", severity: "medium", confidence: 70, words: []string{"cross site scripting", "cross-site scripting", "xss)", " xss",
		"directory traversal", "retrieve any file", "retrieve arbitrary", "retrieve remote file", "read any file", "read arbitrary", "remote file retrieval",
		"view any file", "view arbitrary", "source code", "password file", "passwords file", "/etc/passwd", "credentials", "private key", "database backup",
		"database dump", "backup file", ".git/", ".svn/", ".env "}},
	{name: "out of date", severity: "medium", confidence: 80, words: []string{"appears to be outdated", "is outdated", "out of date", "end of life", " eol ",
		"no longer supported", "upgrade to"}},
	{name: "missing header or flag", severity: "info", confidence: 95, words: []string{"security header missing", "header is not present", "header is not set",
		"header is not defined", "header is deprecated", "created without the httponly", "created without the secure", "created without the samesite",
		"strict-transport-security"}},
	{name: "discloses information", severity: "low", confidence: 80, words: []string{"directory indexing", "leak inodes", "leaks inodes", "phpinfo", "server-status",
		"server-info", " reveal", " disclose", " listing", "trace method", "trace is active", "internal ip"}},
	{name: "worth a look", severity: "info", confidence: 80, words: []string{"might be interesting", "may be interesting", "robots.txt",
		"returned a non-forbidden", "content-encoding header", "breach attack", "default file", "default page", "default install", "readme", "documentation",
		"license file", "login page", "login section", "admin login"}},
	{name: "certificate", severity: "low", confidence: 95, words: []string{"does not match certificate", "certificate expired", "certificate has expired", "self signed",
		"self-signed"}},
	{name: "a guess", severity: "low", confidence: 50, words: []string{" may ", " might ", " could ", " possible ", " possibly ", " potential ", " potentially "}},
}

// otherwise rates what no rule knows: Nikto recognised a page.
var otherwise = &rule{name: "recognised", severity: "low", confidence: 75}

// judged is how much of a message is looked at: longer ones quote pages.
const judged = 500

func judge(msg string) *rule {
	msg = " " + strings.ToLower(intake.Cut(msg, judged)) + " "
	for _, r := range rules {
		if slices.ContainsFunc(r.words, func(w string) bool { return strings.Contains(msg, w) }) {
			return r
		}
	}
	return otherwise
}
