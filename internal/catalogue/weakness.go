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
	"CWE-20": {"improper input validation", false}, "CWE-22": {"path traversal", false}, "CWE-23": {"path traversal", false},
	"CWE-24": {"path traversal", false}, "CWE-35": {"path traversal", false}, "CWE-36": {"absolute path traversal", false},
	"CWE-59": {"link following", false}, "CWE-61": {"symlink following", false}, "CWE-73": {"attacker-chosen file name", false},
	"CWE-74": {"injection", true}, "CWE-75": {"injection", true}, "CWE-77": {"command injection", true},
	"CWE-78": {"OS command injection", true}, "CWE-79": {"cross-site scripting", false}, "CWE-80": {"cross-site scripting", false},
	"CWE-87": {"cross-site scripting", false}, "CWE-88": {"argument injection", true}, "CWE-89": {"SQL injection", false},
	"CWE-90": {"LDAP injection", false}, "CWE-91": {"XML injection", false}, "CWE-93": {"line break injection", false},
	"CWE-94": {"code injection", true}, "CWE-95": {"code injection by eval", true}, "CWE-96": {"static code injection", true},
	"CWE-98": {"remote file inclusion", true}, "CWE-113": {"HTTP response splitting", false}, "CWE-116": {"improper output encoding", false},
	"CWE-117": {"log injection", false}, "CWE-119": {"memory corruption", true}, "CWE-120": {"buffer overflow", true},
	"CWE-121": {"stack buffer overflow", true}, "CWE-122": {"heap buffer overflow", true}, "CWE-123": {"write to a chosen address", true},
	"CWE-124": {"buffer underwrite", true}, "CWE-125": {"out-of-bounds read", false}, "CWE-126": {"buffer over-read", false},
	"CWE-129": {"unchecked array index", true}, "CWE-130": {"wrong length handling", false}, "CWE-131": {"wrong buffer size", true},
	"CWE-134": {"format string", true}, "CWE-184": {"incomplete deny list", false}, "CWE-185": {"faulty regular expression", false},
	"CWE-189": {"numeric error", false}, "CWE-190": {"integer overflow", true}, "CWE-191": {"integer underflow", true},
	"CWE-193": {"off-by-one", true}, "CWE-197": {"numeric truncation", false}, "CWE-200": {"information disclosure", false},
	"CWE-201": {"sensitive data sent out", false}, "CWE-203": {"observable difference", false}, "CWE-204": {"observable response difference", false},
	"CWE-208": {"timing side channel", false}, "CWE-209": {"telling error message", false}, "CWE-212": {"data not removed before sharing", false},
	"CWE-250": {"unnecessary privileges", false}, "CWE-252": {"unchecked return value", false}, "CWE-254": {"weak security feature", false},
	"CWE-255": {"credential handling", false}, "CWE-256": {"password stored in plain text", false}, "CWE-259": {"hard-coded password", false},
	"CWE-261": {"weak password encoding", false}, "CWE-264": {"faulty access control", false}, "CWE-265": {"privilege handling", false},
	"CWE-266": {"wrong privilege assignment", false}, "CWE-269": {"improper privilege management", false},
	"CWE-273": {"privileges not dropped", false}, "CWE-275": {"wrong permissions", false}, "CWE-276": {"wrong default permissions", false},
	"CWE-281": {"permissions not kept", false}, "CWE-282": {"wrong ownership", false}, "CWE-284": {"improper access control", false},
	"CWE-285": {"improper authorization", false}, "CWE-286": {"wrong user management", false}, "CWE-287": {"improper authentication", false},
	"CWE-288": {"authentication bypass by another path", false}, "CWE-290": {"authentication bypass by spoofing", false},
	"CWE-294": {"authentication bypass by replay", false}, "CWE-295": {"certificate not verified", false},
	"CWE-297": {"certificate of another host accepted", false}, "CWE-302": {"authentication bypass by altered data", false},
	"CWE-303": {"faulty authentication", false}, "CWE-304": {"skipped authentication step", false}, "CWE-305": {"authentication bypass", false},
	"CWE-306": {"missing authentication", false}, "CWE-307": {"unlimited login attempts", false}, "CWE-310": {"cryptographic issue", false},
	"CWE-311": {"missing encryption", false}, "CWE-312": {"secrets stored in plain text", false}, "CWE-319": {"secrets sent in plain text", false},
	"CWE-320": {"key management", false}, "CWE-321": {"hard-coded key", false}, "CWE-326": {"weak encryption", false},
	"CWE-327": {"broken cryptography", false}, "CWE-328": {"weak hash", false}, "CWE-330": {"predictable random values", false},
	"CWE-331": {"too little entropy", false}, "CWE-335": {"wrong random seed", false}, "CWE-338": {"weak random generator", false},
	"CWE-340": {"predictable identifiers", false}, "CWE-345": {"data authenticity not verified", false},
	"CWE-346": {"origin not verified", false}, "CWE-347": {"signature not verified", false}, "CWE-352": {"cross-site request forgery", false},
	"CWE-354": {"integrity not verified", false}, "CWE-359": {"exposure of personal data", false}, "CWE-362": {"race condition", false},
	"CWE-364": {"signal handler race condition", true}, "CWE-367": {"check-then-use race", false}, "CWE-369": {"division by zero", false},
	"CWE-377": {"insecure temporary file", false}, "CWE-384": {"session fixation", false}, "CWE-385": {"timing covert channel", false},
	"CWE-388": {"error handling", false}, "CWE-399": {"resource management", false}, "CWE-400": {"resource exhaustion", false},
	"CWE-401": {"memory leak", false}, "CWE-404": {"improper resource release", false}, "CWE-405": {"asymmetric resource use", false},
	"CWE-407": {"inefficient algorithm", false}, "CWE-409": {"decompression bomb", false}, "CWE-415": {"double free", true},
	"CWE-416": {"use after free", true}, "CWE-425": {"forced browsing", false}, "CWE-426": {"untrusted search path", true},
	"CWE-427": {"uncontrolled search path", true}, "CWE-428": {"unquoted search path", true}, "CWE-434": {"unrestricted file upload", true},
	"CWE-436": {"interpretation conflict", false}, "CWE-441": {"unintended proxy", false}, "CWE-444": {"HTTP request smuggling", false},
	"CWE-451": {"misleading interface", false}, "CWE-459": {"incomplete cleanup", false}, "CWE-470": {"attacker-chosen class", true},
	"CWE-472": {"trusted hidden parameter", false}, "CWE-476": {"null pointer dereference", false}, "CWE-494": {"download without integrity check", true},
	"CWE-502": {"unsafe deserialization", true}, "CWE-521": {"weak password rules", false}, "CWE-522": {"poorly protected credentials", false},
	"CWE-532": {"secrets in log files", false}, "CWE-538": {"secrets in reachable files", false}, "CWE-548": {"directory listing", false},
	"CWE-552": {"files reachable from outside", false}, "CWE-565": {"trusted cookie", false}, "CWE-601": {"open redirect", false},
	"CWE-602": {"checks on the client only", false}, "CWE-610": {"outside reference to a resource", false},
	"CWE-611": {"XML external entity", false}, "CWE-613": {"session that does not expire", false},
	"CWE-617": {"reachable assertion", false}, "CWE-620": {"unverified password change", false}, "CWE-639": {"authorization bypass by changed key", false},
	"CWE-640": {"weak password recovery", false}, "CWE-643": {"XPath injection", false}, "CWE-644": {"unfiltered HTTP headers", false},
	"CWE-648": {"misuse of privileged calls", false}, "CWE-662": {"faulty synchronisation", false}, "CWE-665": {"improper initialisation", false},
	"CWE-667": {"faulty locking", false}, "CWE-668": {"resource exposed to the wrong sphere", false}, "CWE-669": {"wrong transfer between spheres", false},
	"CWE-670": {"wrong control flow", false}, "CWE-672": {"use after release", true}, "CWE-674": {"unbounded recursion", false},
	"CWE-680": {"integer overflow to buffer overflow", true}, "CWE-681": {"wrong numeric conversion", false}, "CWE-682": {"wrong calculation", false},
	"CWE-693": {"protection mechanism failure", false}, "CWE-697": {"wrong comparison", false}, "CWE-703": {"unhandled exceptional condition", false},
	"CWE-704": {"wrong type conversion", false}, "CWE-706": {"wrongly resolved name", false}, "CWE-707": {"improper neutralisation", false},
	"CWE-732": {"wrong permissions on a resource", false}, "CWE-749": {"exposed dangerous function", true}, "CWE-754": {"unchecked unusual condition", false},
	"CWE-755": {"unhandled exceptional condition", false}, "CWE-763": {"release of an invalid pointer", true}, "CWE-770": {"unlimited resource allocation", false},
	"CWE-772": {"resource not released", false}, "CWE-776": {"XML entity expansion", false}, "CWE-787": {"out-of-bounds write", true},
	"CWE-788": {"access beyond a buffer", true}, "CWE-789": {"oversized memory allocation", false}, "CWE-798": {"hard-coded credentials", false},
	"CWE-821": {"wrong synchronisation", false}, "CWE-822": {"untrusted pointer dereference", true}, "CWE-823": {"out-of-range pointer offset", true},
	"CWE-824": {"uninitialised pointer", true}, "CWE-829": {"code from an untrusted sphere", true}, "CWE-834": {"excessive iteration", false},
	"CWE-835": {"infinite loop", false}, "CWE-843": {"type confusion", true}, "CWE-862": {"missing authorization", false},
	"CWE-863": {"incorrect authorization", false}, "CWE-908": {"uninitialised resource", false}, "CWE-909": {"missing initialisation", false},
	"CWE-913": {"dynamically managed code resources", true}, "CWE-915": {"mass assignment", false}, "CWE-916": {"weak password hash", false},
	"CWE-917": {"expression language injection", true}, "CWE-918": {"server-side request forgery", false},
	"CWE-922": {"insecure storage of secrets", false}, "CWE-924": {"message integrity not enforced", false},
	"CWE-926": {"exported Android component", false}, "CWE-942": {"permissive cross-domain policy", false}, "CWE-943": {"query injection", false},
	"CWE-1021": {"clickjacking", false}, "CWE-1188": {"insecure default", false}, "CWE-1236": {"spreadsheet formula injection", false},
	"CWE-1284": {"unchecked quantity", false}, "CWE-1321": {"prototype pollution", true}, "CWE-1333": {"slow regular expression", false},
	"CWE-1336": {"template injection", true}, "CWE-1391": {"weak credentials", false}, "CWE-1392": {"default credentials", false},
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
