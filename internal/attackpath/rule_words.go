package attackpath

import "strings"

// said is a set of things that a text says of a weakness.
type said uint32

const (
	saysCode      said = 1 << iota // the attacker's code or commands run
	saysRoot                       // as root, SYSTEM, in the kernel
	saysPrivilege                  // more rights than before
	saysDenial                     // it stops
	saysRead                       // files, memory or secrets are read
	saysTell                       // some information is disclosed
	saysWrite                      // files are written
	saysSQL
	saysBrowser // script in a browser, forged requests, redirects
	saysBypass  // authentication is passed by
	saysKey     // built-in or default credentials
	saysAdmin   // administrator of the application
	saysLocal
	saysRemote
	saysAdjacent
	saysPhysical
	saysLowRole   // an account of an ordinary user is enough
	saysAccount   // an account is needed
	saysAdminOnly // an administrator's account is needed
	saysAnyone    // no account is needed
	saysLure      // somebody must open something
	saysClient    // it is a program by which people open what they are sent
	saysWeb       // it stands in a web application
	saysMemory    // memory is overwritten
	saysServer    // it answers requests
	saysUpload
	saysGuest   // it begins in a virtual machine
	saysBetween // it is for who stands between two that talk to each other
)

// phrases are what publishers write, in lower case. "~" ends a word that may go on, "|" parts alternatives, "*" stands for
// up to three words, none of which may be a word of gapStops.
var phrases = []struct {
	says said
	text string
}{
	{saysCode, "execut~ * code|command|commands|program|programs|binaries|executables|payload|payloads|shellcode"},
	{saysCode, "execution of * code|command|commands|program|programs|binaries|instructions"},
	{saysCode, "code|command execution"},
	{saysCode, "run|runs|running * arbitrary|malicious|attacker|unauthorized * code|command|commands|program|programs"},
	{saysCode, "code|commands to be|get * executed"},
	{saysCode, "code|command|commands|shell|template|object|eval|expression injection"},
	{saysCode, "inject * os|shell|system|operating|arbitrary * commands|command|code"},
	{saysCode, "remote file inclusion"},
	{saysCode, "execut~ * arbitrary|local|php file|files"},
	{saysCode, "exploit~ * heap|memory|object corruption"},
	{saysCode, "sandbox escape"},
	{saysCode, "object injection"},
	{saysCode, "deserialization of * untrusted"},
	{saysCode, "insecure|unsafe deserialization"},
	{saysCode, "take|takes|gain|gains|gaining|full|complete * control of|over * system|host|device|server|machine|router|appliance"},
	{saysCode, "takeover of"},
	{saysCode, "system compromise"},
	{saysCode, "webshell|backdoor"},
	{saysCode, "rce"},
	{saysCode, "arbitrary|malicious code"},
	{saysUpload, "upload~ * file|files|php|jsp|executable|script|scripts|shell"},
	{saysUpload, "file|unrestricted upload"},
	{saysUpload, "file|files|script|scripts|jsp|php can|could|may|might|to be uploaded"},
	{saysRoot, "root privilege~|access|shell|user|permission~|level"},
	{saysRoot, "as|become|gain|gains|gaining root"},
	{saysRoot, "system|localsystem|kernel|superuser|elevated privilege~|permission~"},
	{saysRoot, "gain~ system|administrator|administrative|superuser|elevated * privilege~|access|rights|permission~"},
	{saysRoot, "as|of|by nt authority"},
	{saysRoot, "as|with system user|account|authority|context"}, // not "as the operating system user running the database"
	{saysRoot, "as|with the|a|local system user|account|authority|context"},
	{saysRoot, "as|with the|a local system user|account|authority|context"},
	{saysRoot, "kernel|hypervisor|hyp mode|context|level|memory|space"},
	{saysRoot, "ring 0|kernel"},
	{saysPrivilege, "privilege|privileges escalation|elevation|vulnerability|vulnerabilities"},
	{saysPrivilege, "escalat~|elevat~|gain|gains|gaining|obtain * privilege~|rights"},
	{saysPrivilege, "escalation|elevation of privilege~"},
	{saysPrivilege, "gain|gains|gaining|obtain * privileged access"},
	{saysPrivilege, "privilege-escalation"},
	{saysDenial, "denial of service"},
	{saysDenial, "denial-of-service"},
	{saysDenial, "dos|crash|crashes|hang|reboot|panic|segfault|segmentation"},
	{saysDenial, "memory|cpu|resource|resources consumption|exhaustion|leak"},
	{saysRead, "read|reads|reading|view|access|download|retrieve|obtain|disclose|include * arbitrary|sensitive|local|any|system file|files"},
	{saysRead, "read|disclose|obtain|retrieve|leak~ * memory|password|passwords|credential|credentials|hashes|cookies|secrets|tokens"},
	{saysRead, "arbitrary file|files read|reading|disclosure|download|retrieval|access"},
	{saysRead, "file|path|directory disclosure|traversal"},
	{saysRead, "read arbitrary"},
	{saysRead, "local file inclusion"},
	{saysRead, "xml external entity|entities"},
	{saysRead, "xxe"},
	{saysRead, "plaintext|cleartext|clear-text|unencrypted password|passwords|credentials"},
	{saysRead, "passwords|password|credentials in|as plaintext|cleartext|plain|clear"},
	{saysRead, "names and passwords"},
	{saysTell, "sensitive information|data"},
	{saysTell, "information disclosure|leak|leakage|exposure"},
	{saysTell, "obtain|disclose|leak~|gain~ * information"},
	{saysWrite, "write~|overwrit~|create|creates|modify|delet~|append|truncat~|replace * arbitrary|any * file|files"},
	{saysWrite, "arbitrary file write|overwrite|creation|deletion|delete|modification|upload"},
	{saysWrite, "symlink attack"},
	{saysSQL, "sql injection"},
	{saysSQL, "sqli"},
	{saysSQL, "execut~ * sql"},
	{saysSQL, "sql commands|statements"},
	{saysBrowser, "cross|cross-site site|scripting|request|sites"},
	{saysBrowser, "xss|csrf|xsrf|clickjacking"},
	{saysBrowser, "web script"},
	{saysBrowser, "arbitrary|malicious javascript|html"},
	{saysBrowser, "open redirect"},
	{saysBrowser, "redirect users"},
	{saysBrowser, "spoof|spoofing"},
	{saysBypass, "bypass~|circumvent * authentication|authorization|login"},
	{saysBypass, "authentication|authorization bypass"},
	{saysBypass, "bypass~|circumvent * security constraint~"}, // a servlet container's rules of who may ask for what
	{saysBypass, "constraint~ can|could|may|might be bypassed"},
	{saysBypass, "authenticate|login|log as|in|without"},
	{saysBypass, "improper|missing|broken|lack|insufficient * authentication|authorization"},
	{saysBypass, "not|no require~ * authentication"},
	{saysBypass, "not require authentication"},
	{saysBypass, "unauthorized|unauthenticated access"},
	{saysKey, "hard-coded|hardcoded|hardwired * password|passwords|credential|credentials|account|key|keys"},
	{saysKey, "default|static|blank|empty * password|passwords|credential|credentials|account"},
	{saysKey, "with|has|have|having|use|uses|using|had no password"},
	{saysKey, "no password set|required|needed|protection|by"},
	{saysKey, "no password is|was set|required|needed"}, // not "if no password is provided"
	{saysKey, "undocumented|backdoor account|user"},
	{saysAdmin, "admin|administrator|administrative|management access|privilege~|rights|account|actions|control|functions|interface"},
	{saysLocal, "local user~|attacker~|privilege|access|account|authenticated|unprivileged|low-privileged|guest|adversar~"},
	{saysLocal, "allow~ local"},
	{saysLocal, "local escalation|elevation|privilege"},
	{saysLocal, "by|for|as|with a local"},
	{saysLocal, "locally"},
	{saysLocal, "attack may|needs|must be|to * local"},
	{saysLocal, "installed|malicious|crafted|local application|app|process|program"},
	{saysLocal, "unprivileged|non-root|normal|regular|standard user|users|process"},
	{saysLocal, "setuid|suid"},
	{saysLocal, "trojan horse"},
	{saysRemote, "remote attacker~|authenticated|unauthenticated|user~|code|adversar~|administrator~|command|unauthorized|server~|web|host~|privileged|execution|peer~|client~|ftp|rendering|low-privileged|exploitation|malicious|hackers|file|ssh|http|smtp|imap|pop3"},
	{saysRemote, "remotely"},
	{saysRemote, "over|via|from|through the|a network|internet"},
	{saysRemote, "network access|attacker~"},
	{saysRemote, "network-based"},
	{saysAdjacent, "adjacent network|attacker~|user~"},
	{saysAdjacent, "network-adjacent|adjacent"},
	{saysAdjacent, "local network|subnet|segment|lan"},
	{saysAdjacent, "same network|subnet|lan|segment|link"},
	{saysAdjacent, "bluetooth|bluez|802.11|wpa2|zigbee"},
	{saysAdjacent, "radio|wifi|wi-fi|bluetooth range|proximity|frames"},
	{saysPhysical, "physical~ access|proximate|proximity|attacker~|attack|presence"},
	{saysPhysical, "physical~ * access"},
	{saysPhysical, "unattended|lost|stolen workstation|device|laptop"},
	{saysPhysical, "lock screen|lockscreen"},
	{saysPhysical, "crafted|malicious usb"},
	{saysAccount, "authenticated|logged-in|logged-on|registered * user~|attacker~|remote|adversar~|client~|account~|low-privileged|local|guest"},
	{saysAccount, "remote|local|allow~|an|by|with authenticated"},
	{saysLowRole, "low|lower privileged|privilege|privileges|level|user|users"},
	{saysLowRole, "low-privileged|low-privilege"},
	{saysLowRole, "as low as"},
	{saysLowRole, "unprivileged|non-privileged|underprivileged|non-admin|non-superuser|database|schema user~|account~|role|roles|owner"},
	{saysLowRole, "unprivileged|non-privileged * database|application|system|site user~|account~"},
	{saysLowRole, "allow~ * table|object|schema|database|project|repository owner~|creator~|maintainer~"},
	{saysAccount, "holding|holds|granted * privilege|privileges|permission|permissions|role"},
	{saysAccount, "valid|user|existing|any|guest|legitimate account|credentials|accounts|login"},
	{saysLowRole, "subscriber|contributor|author|subscriber-level|contributor-level|author-level * and|or|role|roles|user~|access|privilege~|level|above"},
	{saysAccount, "requires|require|needs * authentication|login|account|credentials|privileges"},
	{saysAccount, "exploitable with authentication"},
	{saysAccount, "after|once|being authentication|authenticating|login|logged|authenticated"},
	{saysAccount, "post-authentication|post-auth"},
	{saysAccount, "with * privilege|privileges|permission|permissions|role"},
	{saysAdminOnly, "authenticated|remote|privileged|allow~|malicious|local|logged-in|by|an administrator~|administrators|admin|admins|administrative"},
	{saysAdminOnly, "administrator|admin|administrator-level|admin-level|editor|editor-level and|or|role above|higher|privileges"},
	{saysAdminOnly, "high-privileged|high-privilege"},
	{saysAdminOnly, "malicious|compromised|rogue superuser|administrator|root"},
	{saysAdminOnly, "high|highly privileged|privilege|privileges"},
	{saysAdminOnly, "with|require|requires|having|has|possess|possesses * administrator|administrative|admin|root|manage_options|superuser * privilege~|right~|access|permission~|credential~|role|account|capabilit~"},
	{saysAnyone, "unauthenticated|unauthorised|anonymous|unauthorized|pre-auth|pre-authentication|unauth"},
	{saysAnyone, "without|no * authentication|credentials|account|login|privileges|authorization"},
	{saysAnyone, "prior to|before authentication|authenticating|login"},
	{saysLure, "crafted|malicious|rogue|specially|malformed|untrusted * website|web|site|page|html|document|email|e-mail|link|archive|image|font|pdf|attachment|applet|movie|playlist|spreadsheet|presentation|workbook|swf|mp4|mp3|avi|jpeg|gif|png|tiff|bmp|media|project|torrent|file|files|video|audio|picture|zip|rar|xls|doc|docx|rtf"},
	{saysLure, "user-assisted|user-complicit"},
	{saysLure, "context-dependent"},
	{saysLure, "user interaction is required|needed|necessary"},
	{saysLure, "requires|require|requiring|with|some|minimal user interaction"},
	{saysLure, "trick~|convinc~|entic~|persuad~|lur~ * user|users|victim|victims|administrator|into|someone|target"},
	{saysLure, "visit~|open~|click~|view~|load~ * malicious|crafted|specially|website|web|link|page|file|document"},
	{saysLure, "victim|victims|phishing"},
	{saysLure, "social engineering"},
	{saysClient, "activex|user-assisted|user-complicit"},
	{saysClient, "media player"},
	{saysLure, "activex|browser|firefox|seamonkey|thunderbird|webkit|safari|chrome|flash|acrobat|powerpoint|excel|quicktime|itunes|webkitgtk"},
	{saysLure, "internet explorer"},
	{saysLure, "microsoft|ms office|word|outlook|visio|edge"},
	{saysLure, "adobe reader|flash|acrobat|shockwave"},
	{saysLure, "buffer|heap|integer|stack overflow in * player|viewer|editor|reader"},
	{saysWeb, "php|asp|jsp|cgi|wordpress|joomla|drupal|plugin|cms|typo3|magento|webapp|phpbb|mambo|struts|servlet|http|https|url|website"},
	{saysWeb, "web application|server|interface|portal|management|console|ui|admin|based"},
	{saysWeb, "web-based|web-ui|sharepoint|azure|dynamics"},
	{saysWeb, "exchange server"},
	{saysWeb, "directory|path traversal"},
	{saysWeb, "the|a|an|via|multiple parameter|parameters"},
	{saysWeb, "get|post|http request|requests|parameter"},
	{saysWeb, "server|api|endpoint|endpoints"},
	{saysWeb, "from n a through"},
	{saysWeb, "command|template injection"},
	{saysWeb, "router|routers|d-link|dlink|tenda|totolink|netgear|tp-link|zyxel|linksys|trendnet"},
	{saysServer, "server|daemon|packet|packets|request|requests|service|protocol|query|authentication|login|router|firewall|appliance"},
	{saysLocal | saysPrivilege, "uncontrolled|unquoted|untrusted * search|service path"},
	{saysLocal | saysPrivilege, "dll hijacking|preloading|planting|sideloading"},
	{saysMemory, "buffer|heap|stack|heap-based|stack-based|integer overflow"},
	{saysMemory, "heap-based|stack-based buffer overflow"},
	{saysMemory, "out-of-bounds|oob write"},
	{saysMemory, "memory corruption"},
	{saysGuest, "guest os|operating|user~|vm|virtual|privilege~|kernel"},
	{saysGuest, "hypervisor|xen|qemu"},
	{saysGuest, "virtual machine escape"},
	{saysBetween, "man-in-the-middle|machine-in-the-middle|person-in-the-middle|mitm|on-path"},
	{saysBetween, "man|machine in the middle"},
}

// gapStops are words that "*" does not stand for: with one of them in between the phrase means something else.
var gapStops = wordSet("sql javascript html script scripts xss css web not cannot hql xpath denial dos ldap xml no")

// denials before a phrase turn it round: "does not allow code execution".
var denials = wordSet("not cannot never neither prevents prevent unlikely doesn't")

func wordSet(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

const (
	maxText  = 2048 // bytes of a description that are read: nineteen in twenty have less
	maxWords = 384
	maxGap   = 3
)

// words are those of a text in lower case; a full stop is a word of its own.
func words(dst []string, text string) []string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	text = lower(text)
	start := -1
	for i := 0; i <= len(text) && len(dst) < maxWords; i++ {
		if i < len(text) && (partOfWord(text[i]) || text[i] == '.' && inNumber(text, i)) {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			dst = append(dst, bare(text[start:i]))
			start = -1
		}
		if i < len(text) && text[i] == '.' {
			dst = append(dst, ".")
		}
	}
	return dst
}

// lower makes ASCII letters small; others stand in no phrase.
func lower(text string) string {
	b := []byte(text)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

// bare takes marks off the end of a word.
func bare(word string) string {
	for word != "" && strings.IndexByte("-_'", word[len(word)-1]) >= 0 {
		word = word[:len(word)-1]
	}
	return word
}

func partOfWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '\'' || c >= 0x80
}

// inNumber says whether a full stop stands in a version, "802.11".
func inNumber(text string, i int) bool {
	digit := func(at int) bool { return at >= 0 && at < len(text) && text[at] >= '0' && text[at] <= '9' }
	return digit(i-1) && digit(i+1)
}

// hear finds what a text says.
func hear(texts ...string) (all said) {
	var room [256]string
	list := room[:0]
	for _, t := range texts {
		list = words(list, t)
		list = append(list, ".")
	}
	for at := range list {
		if !firstWords[trace(list[at])] {
			continue
		}
		for _, i := range exactly[list[at]] {
			all |= compiled[i].heard(all, list, at)
		}
		if len(list[at]) < beginningLetters {
			continue
		}
		for _, b := range beginnings[list[at][:beginningLetters]] {
			if strings.HasPrefix(list[at], b.word) {
				all |= compiled[b.phrase].heard(all, list, at)
			}
		}
	}
	return all
}

func denied(before []string) bool {
	for i := len(before) - 1; i >= 0 && i >= len(before)-3 && before[i] != "."; i-- {
		if denials[before[i]] {
			return true
		}
	}
	return false
}

// phrase is one line of phrases taken apart.
type phrase struct {
	says said
	rest []slot // behind its first word
}

// slot is a place in a phrase: one of its words, or a gap.
type slot struct {
	gap   bool
	exact []string
	begin []string
}

func (s *slot) takes(word string) bool {
	for _, w := range s.exact {
		if w == word {
			return true
		}
	}
	for _, w := range s.begin {
		if strings.HasPrefix(word, w) {
			return true
		}
	}
	return false
}

// heard is what the phrase says if it stands at a place of the text and has not been heard yet.
func (p *phrase) heard(already said, list []string, at int) said {
	if already&p.says == p.says || !follows(p.rest, list[at+1:]) || denied(list[:at]) {
		return 0
	}
	return p.says
}

func follows(rest []slot, list []string) bool {
	if len(rest) == 0 {
		return true
	}
	if !rest[0].gap {
		return len(list) > 0 && rest[0].takes(list[0]) && follows(rest[1:], list[1:])
	}
	for skip := 0; skip <= maxGap && skip <= len(list); skip++ {
		if skip > 0 && (gapStops[list[skip-1]] || list[skip-1] == ".") {
			return false
		}
		if follows(rest[1:], list[skip:]) {
			return true
		}
	}
	return false
}

var (
	compiled []phrase
	// exactly names phrases by their first word; beginnings by the first letters of one that may go on.
	exactly    = map[string][]int{}
	beginnings = map[string][]beginning{}
	// firstWords has the traces of both, so that most words of a text are passed over without a look at the maps.
	firstWords [1 << 12]bool
)

// trace tells words apart by their first three letters, roughly.
func trace(word string) (n int) {
	for i := 0; i < len(word) && i < beginningLetters; i++ {
		n = n*37 + int(word[i])
	}
	return n & (len(firstWords) - 1)
}

type beginning struct {
	word   string
	phrase int
}

const beginningLetters = 3

func init() {
	for n, line := range phrases {
		fields := strings.Fields(line.text)
		p := phrase{says: line.says}
		for _, f := range fields[1:] {
			p.rest = append(p.rest, newSlot(f))
		}
		compiled = append(compiled, p)
		first := newSlot(fields[0])
		for _, w := range first.exact {
			exactly[w] = append(exactly[w], n)
			firstWords[trace(w)] = true
		}
		for _, w := range first.begin {
			firstWords[trace(w)] = true
			beginnings[w[:beginningLetters]] = append(beginnings[w[:beginningLetters]], beginning{w, n})
		}
	}
}

func newSlot(text string) (s slot) {
	if text == "*" {
		return slot{gap: true}
	}
	for w := range strings.SplitSeq(text, "|") {
		if head, more := strings.CutSuffix(w, "~"); more {
			s.begin = append(s.begin, head)
		} else {
			s.exact = append(s.exact, w)
		}
	}
	return s
}
