package nikto

import (
	"hash/fnv"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// item is one record: a vulnerability of the JSON, an <item>, a row or a line.
type item struct {
	id, method, uri, msg, refs, osvdb string
}

// target is the web server that a document is about.
type target struct {
	host   string // as Nikto names it: a name, or the address again
	addr   netip.Addr
	port   uint16
	site   string // "https://www.example.org:443", "" when the dialect does not say
	start  time.Time
	end    time.Time
	policy string
}

// name is the host's name, "" when it is only the address again.
func (t *target) name() string {
	name := strings.ToLower(strings.Trim(t.host, "[]."))
	if _, err := netip.ParseAddr(name); err == nil || len(name) > 253 || strings.ContainsAny(name, " \t\r\n/@") {
		return ""
	}
	return name
}

// identify fills in the address of a dialect that names only the host.
func (t *target) identify(ip, port string) {
	for _, text := range []string{ip, t.host} {
		if addr, err := netip.ParseAddr(strings.Trim(strings.TrimSpace(text), "[]")); err == nil && !addr.IsUnspecified() {
			t.addr = addr.Unmap()
			break
		}
	}
	if n, err := strconv.ParseUint(strings.TrimSpace(port), 10, 16); err == nil {
		t.port = uint16(n)
	}
}

// known says whether there is a host to hang records on.
func (t *target) known() bool { return t.addr.IsValid() || t.name() != "" }

func (t *target) at() time.Time {
	if !t.end.IsZero() {
		return t.end
	}
	return t.start
}

func (t *target) seen(status, reason string) finding.Event {
	h := &finding.HostSeen{Address: t.addr, Status: status, Reason: reason, At: t.at()}
	if name := t.name(); name != "" {
		h.Names = []string{name}
	}
	return finding.Event{Host: h}
}

// failID is the id of the pseudo-item that says that Nikto could not connect, from 2.6 on. CSV and text have no ids.
const failID = "FAIL"

func (i *item) failed() bool {
	return i.id == failID || i.id == "" && strings.HasPrefix(i.msg, "Unable to connect to ")
}

// event is what an item is in the ledger: an Observation, or an informational Drop when it is a mere note.
//
// The check is `nikto:<id> <METHOD> <path>`, the path with its query, without scheme, host and fragment: Nikto's query is
// part of what it tested. Items of Nikto's own code (ids from 999000, suggested headers, and dialects without ids) say several
// things under one id and path; they get what they speak of, a header's or cookie's name, as a fourth word. Dialects
// without ids have a hash of the message without its numbers in place of the id.
func (t *target) event(i *item) finding.Event {
	path, msg := i.path(), i.message()
	ids := cves(i.msg + " " + i.refs)
	r := judge(msg)
	if r.note && len(ids) == 0 {
		return finding.Event{Drop: &finding.Drop{Reason: "note: " + r.name, Count: 1, Informational: true}}
	}
	o := &finding.Observation{Address: t.addr, Protocol: "tcp", Port: t.port, Check: i.check(path, msg), CVEs: ids,
		Title: title(msg), Output: msg, Location: t.site + path, Confidence: r.confidence, At: t.at(), Severity: r.severity,
		References: i.references(), Policy: t.policy}
	if !t.addr.IsValid() {
		o.HostName = t.name()
	}
	if t.port == 0 {
		o.Protocol = ""
	}
	return finding.Event{Observation: o}
}

var pathPrefix = regexp.MustCompile(`^(/\S*?):(?:\s+|$)`)

// path is what the item speaks of: its URI without scheme and host, else the path that its message begins with, else "/".
func (i *item) path() string {
	uri := strings.TrimSpace(i.uri)
	if scheme, rest, ok := strings.Cut(uri, "://"); ok && !strings.ContainsAny(scheme, "/?") {
		_, rest, _ = strings.Cut(rest, "/")
		uri = "/" + rest
	}
	if uri == "" {
		if m := pathPrefix.FindStringSubmatch(i.msg); m != nil {
			uri = m[1]
		}
	}
	uri, _, _ = strings.Cut(uri, "#")
	if !strings.HasPrefix(uri, "/") {
		uri = "/" + uri
	}
	return printable(uri, maxPath)
}

const maxPath = 600

// printable makes one word of hostile text: no blanks, no control characters.
func printable(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f && r <= 0xa0 || r == 0xfffd {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(s, "_"))
	return intake.Cut(s, n)
}

// message is what the item says, without the path that some dialects put before it.
func (i *item) message() string {
	msg := strings.TrimSpace(strings.ReplaceAll(i.msg, `\"`, `"`)) // some versions escape for JSON what they write elsewhere
	if m := pathPrefix.FindStringSubmatch(msg); m != nil && len(msg) > len(m[0]) {
		msg = msg[len(m[0]):]
	}
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(msg, "/:"), ": "))
}

func title(msg string) string {
	msg = strings.Join(strings.Fields(msg), " ")
	if head, _, ok := strings.Cut(msg, ". "); ok && len(head) > 20 {
		msg = head
	}
	if len(msg) > 200 {
		msg = intake.Cut(msg, 200) + "…"
	}
	return msg
}

var (
	methodName = regexp.MustCompile(`^[A-Z]{1,20}$`)
	plainID    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,20}$`)
	number     = regexp.MustCompile(`[0-9]+`)
)

func (i *item) check(path, msg string) string {
	method := strings.ToUpper(strings.TrimSpace(i.method))
	if !methodName.MatchString(method) {
		method = "GET"
	}
	id := i.id
	if !plainID.MatchString(id) {
		h := fnv.New32a()
		h.Write([]byte(number.ReplaceAllString(strings.ToLower(intake.Cut(msg, judged)), "0")))
		id = "text-" + strconv.FormatUint(uint64(h.Sum32()), 16)
	}
	check := "nikto:" + id + " " + method + " " + path
	if about := about(id, msg); about != "" {
		check += " " + about
	}
	return check
}

// speaksOf finds the name of a header, cookie or method in a message.
var speaksOf = []*regexp.Regexp{
	regexp.MustCompile(`(?i)\bheader missing: ([A-Za-z0-9_-]{1,60})`),
	regexp.MustCompile(`(?i)\bcookie ([^\s;=]{1,60}) created without the ([a-z]{1,12}) flag`),
	regexp.MustCompile(`(?i)\bthe ([A-Za-z0-9_-]{1,40})(?: HTTP)? header is (?:not|deprecated|set)`),
	regexp.MustCompile(`(?i)\bthe (?:anti-clickjacking )?([A-Za-z0-9_-]{1,40})(?: HTTP)? header is not`),
	regexp.MustCompile(`(?i)\b(X-[A-Za-z0-9_-]{1,40}|Strict-Transport-Security)(?: HTTP)? header`),
	regexp.MustCompile(`(?i)\bheader (?:found: |')([A-Za-z0-9_-]{1,60})`),
	regexp.MustCompile(`(?i)\bmethod \('?Allow'? Header\): '([A-Z]{1,20})'`),
}

// about is the fourth word of a check, "" for Nikto's database of tests, where the id says it all.
func about(id, msg string) string {
	if id != "013587" && !strings.HasPrefix(id, "999") && !strings.HasPrefix(id, "text-") {
		return ""
	}
	msg = intake.Cut(msg, judged)
	if lower := strings.ToLower(msg); !strings.Contains(lower, "header") && !strings.Contains(lower, "cookie") {
		return ""
	}
	for _, re := range speaksOf {
		if m := re.FindStringSubmatch(msg); m != nil {
			return strings.ToLower(printable(strings.Join(m[1:], "."), 100))
		}
	}
	return ""
}

var cveText = regexp.MustCompile(`(?i)\b(?:CVE|CAN)[-_ ](\d{4})-(\d{4,19})\b`)

// maxCVEs bounds what one item may name.
const maxCVEs = 200

func cves(text string) []cve.ID {
	var out []cve.ID
	if upper := strings.ToUpper(text); !strings.Contains(upper, "CVE") && !strings.Contains(upper, "CAN") {
		return nil
	}
	for _, m := range cveText.FindAllStringSubmatch(text, -1) {
		id, err := cve.ParseID("CVE-" + m[1] + "-" + m[2])
		if err == nil && !slices.Contains(out, id) && len(out) < maxCVEs {
			out = append(out, id)
		}
	}
	return out
}

// references are the addresses first; OSVDB's numbers outlived the database.
func (i *item) references() []string {
	var urls, ids []string
	for _, word := range strings.FieldsFunc(i.refs, func(r rune) bool { return r <= ' ' || r == ',' || r == ';' }) {
		word = strings.TrimSuffix(word, ":")
		switch u, err := url.Parse(word); {
		case len(urls)+len(ids) >= 50 || len(word) > 500:
		case err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
			urls = append(urls, word)
		case strings.HasPrefix(word, "OSVDB-"), plainID.MatchString(word):
			ids = append(ids, word)
		}
	}
	if n := strings.TrimLeft(i.osvdb, "0"); n != "" && number.FindString(n) == n && len(n) < 10 {
		ids = append(ids, "OSVDB-"+n)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == "OSVDB-0" || cveText.MatchString(id) || id == "000137" })
	for n, id := range ids {
		ids[n] = strings.Replace(id, "OSVDB-", "OSVDB:", 1)
	}
	return slices.Concat(urls, ids)
}

// policyOf says what Nikto looked for, from its version and command line: a look under one policy says nothing of what
// only another looks for. The host's name is part of it, because sites of several names answer at one port.
func policyOf(version, options, name string) string {
	if version == "" {
		version, options = "of an unknown version", ""
	}
	kept := relevant(options)
	slices.Sort(kept)
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	text := strings.TrimSpace("nikto " + intake.Cut(strings.TrimRight(major+"."+minor, "."), 30) + " " + strings.Join(kept, " "))
	if name != "" && !strings.Contains(text, "host="+name) {
		text += " host=" + name
	}
	if len(text) > 300 {
		h := fnv.New64a()
		h.Write([]byte(text))
		text = text[:40] + "… " + strconv.FormatUint(h.Sum64(), 16)
	}
	return strings.ToValidUTF8(text, "")
}

// notPolicy are options, in lower case, that do not change what is looked for; value says whether a value follows.
var notPolicy = map[string]bool{"h": true, "host": true, "u": true, "url": true, "p": true, "port": true, "o": true, "output": true, "f": true,
	"format": true, "ask": true, "nocheck": false, "d": true, "display": true, "nointeractive": false, "nolookup": false, "timeout": true, "maxtime": true,
	"pause": true, "s": true, "save": true, "ipv4": false, "ipv6": false, "ssl": false, "nossl": false, "vhost": true, "config": true, "nosslkeepalive": false,
	"useragent": true, "key": true, "rsacert": true}

// secret are options whose value is never shown.
var secret = map[string]bool{"i": true, "id": true, "useproxy": true, "add-header": true}

// relevant cuts a command line into the options that count, "tuning=3". Nikto joins its arguments by blanks.
func relevant(options string) []string {
	var out []string
	fields := strings.Fields(intake.Cut(options, 4<<10))
	for n := 0; n < len(fields); n++ {
		name, isOption := strings.CutPrefix(fields[n], "-")
		if !isOption {
			continue
		}
		name = strings.ToLower(strings.TrimLeft(name, "-"))
		value := ""
		if n+1 < len(fields) && !strings.HasPrefix(fields[n+1], "-") {
			value = fields[n+1]
		}
		_, ignored := notPolicy[name]
		host, isHost := strings.CutPrefix(strings.ToLower(value), "host:")
		switch {
		case ignored:
		case name == "add-header" && isHost:
			out = append(out, "host="+printable(host, 260))
		case secret[name], value == "":
			out = append(out, printable(name, 40))
		default:
			out = append(out, printable(name+"="+value, 100))
		}
	}
	return slices.Compact(out)
}

// maxtime is the value of -maxtime in a command line, 0 when it is not there. A scan that took longer was cut short by it,
// which the report does not say.
func maxtime(options string) time.Duration {
	m := maxtimeOption.FindStringSubmatch(options)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	unit := map[string]time.Duration{"": time.Second, "s": time.Second, "m": time.Minute, "h": time.Hour}[strings.ToLower(m[2])]
	return time.Duration(n) * unit
}

var maxtimeOption = regexp.MustCompile(`(?i)(?:^|\s)--?maxtime[ =](\d{1,7})([smh]?)(?:\s|$)`)

// moment reads the times of Nikto's dialects; those without a zone are taken for UTC. 1970 is Nikto's "not yet".
func moment(text string) time.Time {
	text = strings.TrimSpace(text)
	if day, zone, ok := strings.Cut(text, " (GMT"); ok { // "2026-11-22 03:56:10 (GMT-5)"
		offset, _, _ := strings.Cut(zone, ")")
		hours, _ := strconv.ParseFloat(offset, 64)
		t, err := time.ParseInLocation(time.DateTime, day, time.FixedZone("", int(max(-14, min(hours, 14))*3600)))
		if err == nil && t.Year() > 1999 {
			return t.UTC()
		}
	}
	for _, layout := range []string{"2006-01-02 15:04:05 -0700", time.DateTime, time.ANSIC, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 1999 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// siteRoot is scheme, host and port of a URL, "" when it is none.
func siteRoot(text string) string {
	u, err := url.Parse(intake.Cut(text, 2000))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Hostname() == "" {
		return ""
	}
	return u.Scheme + "://" + printable(u.Host, 300)
}
