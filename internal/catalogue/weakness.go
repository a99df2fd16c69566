package catalogue

import (
	"strings"

	"github.com/patchscout/patchscout/internal/cve"
)

// weakness is our own short wording of a CWE. code: its full effect is that the attacker's code runs.
type weakness struct {
	name string
	code bool
}

// weaknesses words the CWEs that records name most.
var weaknesses = map[string]weakness{
	"CWE-20":   {name: "improper input validation"},
	"CWE-22":   {name: "path traversal"},
	"CWE-23":   {name: "path traversal"},
	"CWE-24":   {name: "path traversal"},
	"CWE-35":   {name: "path traversal"},
	"CWE-36":   {name: "absolute path traversal"},
	"CWE-59":   {name: "link following"},
	"CWE-61":   {name: "symlink following"},
	"CWE-73":   {name: "attacker-chosen file name"},
	"CWE-74":   {name: "injection", code: true},
	"CWE-75":   {name: "injection", code: true},
	"CWE-77":   {name: "command injection", code: true},
	"CWE-78":   {name: "OS command injection", code: true},
	"CWE-79":   {name: "cross-site scripting"},
	"CWE-80":   {name: "cross-site scripting"},
	"CWE-87":   {name: "cross-site scripting"},
	"CWE-88":   {name: "argument injection", code: true},
	"CWE-89":   {name: "SQL injection"},
	"CWE-90":   {name: "LDAP injection"},
	"CWE-91":   {name: "XML injection"},
	"CWE-93":   {name: "line break injection"},
	"CWE-94":   {name: "code injection", code: true},
	"CWE-95":   {name: "code injection by eval", code: true},
	"CWE-96":   {name: "static code injection", code: true},
	"CWE-98":   {name: "remote file inclusion", code: true},
	"CWE-113":  {name: "HTTP response splitting"},
	"CWE-116":  {name: "improper output encoding"},
	"CWE-117":  {name: "log injection"},
	"CWE-119":  {name: "memory corruption", code: true},
	"CWE-120":  {name: "buffer overflow", code: true},
	"CWE-121":  {name: "stack buffer overflow", code: true},
	"CWE-122":  {name: "heap buffer overflow", code: true},
	"CWE-123":  {name: "write to a chosen address", code: true},
	"CWE-124":  {name: "buffer underwrite", code: true},
	"CWE-125":  {name: "out-of-bounds read"},
	"CWE-126":  {name: "buffer over-read"},
	"CWE-129":  {name: "unchecked array index", code: true},
	"CWE-130":  {name: "wrong length handling"},
	"CWE-131":  {name: "wrong buffer size", code: true},
	"CWE-134":  {name: "format string", code: true},
	"CWE-184":  {name: "incomplete deny list"},
	"CWE-185":  {name: "faulty regular expression"},
	"CWE-189":  {name: "numeric error"},
	"CWE-190":  {name: "integer overflow", code: true},
	"CWE-191":  {name: "integer underflow", code: true},
	"CWE-193":  {name: "off-by-one", code: true},
	"CWE-197":  {name: "numeric truncation"},
	"CWE-200":  {name: "information disclosure"},
	"CWE-201":  {name: "sensitive data sent out"},
	"CWE-203":  {name: "observable difference"},
	"CWE-204":  {name: "observable response difference"},
	"CWE-208":  {name: "timing side channel"},
	"CWE-209":  {name: "telling error message"},
	"CWE-212":  {name: "data not removed before sharing"},
	"CWE-250":  {name: "unnecessary privileges"},
	"CWE-252":  {name: "unchecked return value"},
	"CWE-254":  {name: "weak security feature"},
	"CWE-255":  {name: "credential handling"},
	"CWE-256":  {name: "password stored in plain text"},
	"CWE-259":  {name: "hard-coded password"},
	"CWE-261":  {name: "weak password encoding"},
	"CWE-264":  {name: "faulty access control"},
	"CWE-265":  {name: "privilege handling"},
	"CWE-266":  {name: "wrong privilege assignment"},
	"CWE-269":  {name: "improper privilege management"},
	"CWE-273":  {name: "privileges not dropped"},
	"CWE-275":  {name: "wrong permissions"},
	"CWE-276":  {name: "wrong default permissions"},
	"CWE-281":  {name: "permissions not kept"},
	"CWE-282":  {name: "wrong ownership"},
	"CWE-284":  {name: "improper access control"},
	"CWE-285":  {name: "improper authorization"},
	"CWE-286":  {name: "wrong user management"},
	"CWE-287":  {name: "improper authentication"},
	"CWE-288":  {name: "authentication bypass by another path"},
	"CWE-290":  {name: "authentication bypass by spoofing"},
	"CWE-294":  {name: "authentication bypass by replay"},
	"CWE-295":  {name: "certificate not verified"},
	"CWE-297":  {name: "certificate of another host accepted"},
	"CWE-302":  {name: "authentication bypass by altered data"},
	"CWE-303":  {name: "faulty authentication"},
	"CWE-304":  {name: "skipped authentication step"},
	"CWE-305":  {name: "authentication bypass"},
	"CWE-306":  {name: "missing authentication"},
	"CWE-307":  {name: "unlimited login attempts"},
	"CWE-310":  {name: "cryptographic issue"},
	"CWE-311":  {name: "missing encryption"},
	"CWE-312":  {name: "secrets stored in plain text"},
	"CWE-319":  {name: "secrets sent in plain text"},
	"CWE-320":  {name: "key management"},
	"CWE-321":  {name: "hard-coded key"},
	"CWE-326":  {name: "weak encryption"},
	"CWE-327":  {name: "broken cryptography"},
	"CWE-328":  {name: "weak hash"},
	"CWE-330":  {name: "predictable random values"},
	"CWE-331":  {name: "too little entropy"},
	"CWE-335":  {name: "wrong random seed"},
	"CWE-338":  {name: "weak random generator"},
	"CWE-340":  {name: "predictable identifiers"},
	"CWE-345":  {name: "data authenticity not verified"},
	"CWE-346":  {name: "origin not verified"},
	"CWE-347":  {name: "signature not verified"},
	"CWE-352":  {name: "cross-site request forgery"},
	"CWE-354":  {name: "integrity not verified"},
	"CWE-359":  {name: "exposure of personal data"},
	"CWE-362":  {name: "race condition"},
	"CWE-364":  {name: "signal handler race condition", code: true},
	"CWE-367":  {name: "check-then-use race"},
	"CWE-369":  {name: "division by zero"},
	"CWE-377":  {name: "insecure temporary file"},
	"CWE-384":  {name: "session fixation"},
	"CWE-385":  {name: "timing covert channel"},
	"CWE-388":  {name: "error handling"},
	"CWE-399":  {name: "resource management"},
	"CWE-400":  {name: "resource exhaustion"},
	"CWE-401":  {name: "memory leak"},
	"CWE-404":  {name: "improper resource release"},
	"CWE-405":  {name: "asymmetric resource use"},
	"CWE-407":  {name: "inefficient algorithm"},
	"CWE-409":  {name: "decompression bomb"},
	"CWE-415":  {name: "double free", code: true},
	"CWE-416":  {name: "use after free", code: true},
	"CWE-425":  {name: "forced browsing"},
	"CWE-426":  {name: "untrusted search path", code: true},
	"CWE-427":  {name: "uncontrolled search path", code: true},
	"CWE-428":  {name: "unquoted search path", code: true},
	"CWE-434":  {name: "unrestricted file upload", code: true},
	"CWE-436":  {name: "interpretation conflict"},
	"CWE-441":  {name: "unintended proxy"},
	"CWE-444":  {name: "HTTP request smuggling"},
	"CWE-451":  {name: "misleading interface"},
	"CWE-459":  {name: "incomplete cleanup"},
	"CWE-470":  {name: "attacker-chosen class", code: true},
	"CWE-472":  {name: "trusted hidden parameter"},
	"CWE-476":  {name: "null pointer dereference"},
	"CWE-494":  {name: "download without integrity check", code: true},
	"CWE-502":  {name: "unsafe deserialization", code: true},
	"CWE-521":  {name: "weak password rules"},
	"CWE-522":  {name: "poorly protected credentials"},
	"CWE-532":  {name: "secrets in log files"},
	"CWE-538":  {name: "secrets in reachable files"},
	"CWE-548":  {name: "directory listing"},
	"CWE-552":  {name: "files reachable from outside"},
	"CWE-565":  {name: "trusted cookie"},
	"CWE-601":  {name: "open redirect"},
	"CWE-602":  {name: "checks on the client only"},
	"CWE-610":  {name: "outside reference to a resource"},
	"CWE-611":  {name: "XML external entity"},
	"CWE-613":  {name: "session that does not expire"},
	"CWE-617":  {name: "reachable assertion"},
	"CWE-620":  {name: "unverified password change"},
	"CWE-639":  {name: "authorization bypass by changed key"},
	"CWE-640":  {name: "weak password recovery"},
	"CWE-643":  {name: "XPath injection"},
	"CWE-644":  {name: "unfiltered HTTP headers"},
	"CWE-648":  {name: "misuse of privileged calls"},
	"CWE-662":  {name: "faulty synchronisation"},
	"CWE-665":  {name: "improper initialisation"},
	"CWE-667":  {name: "faulty locking"},
	"CWE-668":  {name: "resource exposed to the wrong sphere"},
	"CWE-669":  {name: "wrong transfer between spheres"},
	"CWE-670":  {name: "wrong control flow"},
	"CWE-672":  {name: "use after release", code: true},
	"CWE-674":  {name: "unbounded recursion"},
	"CWE-680":  {name: "integer overflow to buffer overflow", code: true},
	"CWE-681":  {name: "wrong numeric conversion"},
	"CWE-682":  {name: "wrong calculation"},
	"CWE-693":  {name: "protection mechanism failure"},
	"CWE-697":  {name: "wrong comparison"},
	"CWE-703":  {name: "unhandled exceptional condition"},
	"CWE-704":  {name: "wrong type conversion"},
	"CWE-706":  {name: "wrongly resolved name"},
	"CWE-707":  {name: "improper neutralisation"},
	"CWE-732":  {name: "wrong permissions on a resource"},
	"CWE-749":  {name: "exposed dangerous function", code: true},
	"CWE-754":  {name: "unchecked unusual condition"},
	"CWE-755":  {name: "unhandled exceptional condition"},
	"CWE-763":  {name: "release of an invalid pointer", code: true},
	"CWE-770":  {name: "unlimited resource allocation"},
	"CWE-772":  {name: "resource not released"},
	"CWE-776":  {name: "XML entity expansion"},
	"CWE-787":  {name: "out-of-bounds write", code: true},
	"CWE-788":  {name: "access beyond a buffer", code: true},
	"CWE-789":  {name: "oversized memory allocation"},
	"CWE-798":  {name: "hard-coded credentials"},
	"CWE-821":  {name: "wrong synchronisation"},
	"CWE-822":  {name: "untrusted pointer dereference", code: true},
	"CWE-823":  {name: "out-of-range pointer offset", code: true},
	"CWE-824":  {name: "uninitialised pointer", code: true},
	"CWE-829":  {name: "code from an untrusted sphere", code: true},
	"CWE-834":  {name: "excessive iteration"},
	"CWE-835":  {name: "infinite loop"},
	"CWE-843":  {name: "type confusion", code: true},
	"CWE-862":  {name: "missing authorization"},
	"CWE-863":  {name: "incorrect authorization"},
	"CWE-908":  {name: "uninitialised resource"},
	"CWE-909":  {name: "missing initialisation"},
	"CWE-913":  {name: "dynamically managed code resources", code: true},
	"CWE-915":  {name: "mass assignment"},
	"CWE-916":  {name: "weak password hash"},
	"CWE-917":  {name: "expression language injection", code: true},
	"CWE-918":  {name: "server-side request forgery"},
	"CWE-922":  {name: "insecure storage of secrets"},
	"CWE-924":  {name: "message integrity not enforced"},
	"CWE-926":  {name: "exported Android component"},
	"CWE-942":  {name: "permissive cross-domain policy"},
	"CWE-943":  {name: "query injection"},
	"CWE-1021": {name: "clickjacking"},
	"CWE-1188": {name: "insecure default"},
	"CWE-1236": {name: "spreadsheet formula injection"},
	"CWE-1284": {name: "unchecked quantity"},
	"CWE-1321": {name: "prototype pollution", code: true},
	"CWE-1333": {name: "slow regular expression"},
	"CWE-1336": {name: "template injection", code: true},
	"CWE-1391": {name: "weak credentials"},
	"CWE-1392": {name: "default credentials"},
}

// effectOf words what an attacker gains, from the vector that stands for the record. "" when there is none or nothing
// is gained.
func effectOf(r *cve.Record) string {
	m, ok := r.Score()
	if !ok {
		return ""
	}
	v := readVector(m.Vector)
	switch {
	case v.all('H') || v.all('P'):
		return v.takeover(runsCode(r))
	case v.c == 'N' && v.i == 'N' && v.a != 'N':
		return "denial of service"
	case v.c != 'N' && v.i == 'N' && v.a == 'N':
		return "information disclosure"
	case v.c == 'N' && v.i != 'N' && v.a == 'N':
		return "tampering"
	default:
		return ""
	}
}

func runsCode(r *cve.Record) bool {
	for _, id := range r.CWEs {
		if weaknesses[id].code {
			return true
		}
	}
	return false
}

// vector holds what is needed of a CVSS vector of any version, in the letters of version 3.
type vector struct {
	av, c, i, a byte
}

func (v vector) all(impact byte) bool { return v.c == impact && v.i == impact && v.a == impact }

func (v vector) takeover(code bool) string {
	switch {
	case code && v.av == 'N':
		return "remote code execution"
	case code:
		return "code execution"
	case v.av == 'L':
		return "privilege escalation"
	case v.c == 'H':
		return "full compromise"
	default:
		return ""
	}
}

// readVector reads the metrics it needs. What is missing counts as no impact. Version 2's "complete" is high; its
// "partial" stays P.
func readVector(text string) vector {
	v := vector{c: 'N', i: 'N', a: 'N'}
	for metric := range strings.SplitSeq(text, "/") {
		name, value, ok := strings.Cut(metric, ":")
		if !ok || value == "" {
			continue
		}
		letter := value[0]
		if letter == 'C' {
			letter = 'H'
		}
		switch name {
		case "AV":
			v.av = letter
		case "C", "VC":
			v.c = letter
		case "I", "VI":
			v.i = letter
		case "A", "VA":
			v.a = letter
		}
	}
	return v
}
