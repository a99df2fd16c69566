package intake

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// How far Mask looks. What it decides about a byte depends on these many around it and on what it decided before, so that
// it does not matter in which pieces a report comes.
const (
	maskAhead  = 512
	maskBehind = 512
	maskPiece  = 64 << 10
	maxLong    = 64 << 10 // a header or private key without an end
)

// Masked is r with the credentials in it overwritten by as many asterisks: headers that log in, cookies, passwords in
// URLs, in JSON, in XML and in the preferences of scanners, private keys and the tokens of known services. Length, lines
// and the structure of JSON and XML stay. It holds little more than maskPiece, whatever comes.
func Masked(r io.Reader) io.Reader { return &maskReader{r: r, in: make([]byte, maskPiece)} }

// Narrow is r, as UTF-8 where it is UTF-16, in which nothing would be found to mask.
func Narrow(r io.Reader) io.Reader {
	in := bufio.NewReaderSize(r, 64<<10)
	head, _ := in.Peek(4)
	if len(head) == 4 && (head[0] == 0 || head[1] == 0 || bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff})) {
		return Text(in)
	}
	return in
}

type maskReader struct {
	r      io.Reader
	in     []byte
	window maskWindow
	out    []byte
	err    error
}

// Read implements io.Reader.
func (m *maskReader) Read(p []byte) (int, error) {
	for len(m.out) == 0 {
		if m.err != nil {
			return 0, m.err
		}
		var n int
		n, m.err = m.r.Read(m.in)
		m.out = m.window.add(m.in[:n], m.err != nil)
	}
	n := copy(p, m.out)
	m.out = m.out[n:]
	return n, nil
}

// MaskWriter is Masked for what is written. Close hands over the rest; it does not close what is below.
type MaskWriter struct {
	w      io.Writer
	window maskWindow
}

// NewMaskWriter masks what goes to w.
func NewMaskWriter(w io.Writer) *MaskWriter { return &MaskWriter{w: w} }

// Write implements io.Writer. The last bytes stay here until more is known of them.
func (m *MaskWriter) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		piece := p[done:min(done+maskPiece, len(p))]
		if _, err := m.w.Write(m.window.add(piece, false)); err != nil {
			return done, err
		}
		done += len(piece)
	}
	return len(p), nil
}

// Close implements io.Closer.
func (m *MaskWriter) Close() error {
	_, err := m.w.Write(m.window.add(nil, true))
	return err
}

// MaskText is Masked for one text.
func MaskText(text string) string {
	masked, m := []byte(text), masker{}
	if m.run(masked, 0, len(masked)); string(masked) != text {
		return string(masked)
	}
	return text
}

// maskWindow is the part of a report that is in memory: what was decided and may be looked back at, and what came since.
type maskWindow struct {
	m    masker
	buf  []byte
	done int
}

// add takes what comes next and returns what is decided by now, valid until the next call.
func (w *maskWindow) add(piece []byte, last bool) []byte {
	if drop := w.done - maskBehind; drop > 0 {
		w.buf = w.buf[:copy(w.buf, w.buf[drop:])]
		w.done = maskBehind
	}
	w.buf = append(w.buf, piece...)
	limit := len(w.buf)
	if !last {
		limit = max(limit-maskAhead, w.done)
	}
	from := w.done
	w.done = w.m.run(w.buf, from, limit)
	return w.buf[from:w.done]
}

// maskMode is what a masker is in the middle of.
type maskMode uint8

const (
	maskNothing maskMode = iota
	maskLine             // a value that ends with its line: headers
	maskQuoted           // a value that ends with its quotation mark
	maskWord             // a value that ends where a word ends
	maskToken            // letters, digits, _ and -
	maskElement          // the text of an XML element
	maskBase64           // the same, packed
	maskPEM              // the body of a private key
)

// masker goes through a text once and overwrites in place.
type masker struct {
	mode    maskMode
	style   maskStyle
	quote   quotation
	list    bool // the value is one of a JSON array
	passing bool // in a list: attributes of a cookie
	parts   bool // in a header: may have quotation marks of its own
	inner   bool // within those
	length  int  // of a header or private key so far
	setting bool // within a preference of a scanner
	secret  bool // whose name says that its value is a secret
}

// maskStyle says what of a header's value is secret.
type maskStyle uint8

const (
	maskAll   maskStyle = iota
	maskPairs           // name=value; name=value
	maskFirst           // name=value; attributes
)

// maskTriggers are the bytes at which something may begin.
var maskTriggers = func() (set [256]bool) {
	for _, c := range []byte(":=<-_A") {
		set[c] = true
	}
	return set
}()

// run decides about b[p:limit] and returns how far it came, which is limit or a little more.
func (m *masker) run(b []byte, p, limit int) int {
	for p < limit {
		if m.mode != maskNothing {
			p = m.hide(b, p)
			continue
		}
		for p < limit && !maskTriggers[b[p]] {
			p++
		}
		if p < limit {
			p = m.begin(b, p)
		}
	}
	return p
}

// begin looks whether something secret begins after the byte at p and returns where to go on.
func (m *masker) begin(b []byte, p int) int {
	switch b[p] {
	case ':':
		return m.colon(b, p)
	case '=':
		return m.equals(b, p)
	case '<':
		return m.tag(b, p)
	case '-':
		return m.dash(b, p)
	case '_':
		if isTokenStart(b, p, "ghp", "gho", "ghu", "ghs", "ghr", "github_pat") {
			m.mode = maskToken
		}
	case 'A':
		return maskAWS(b, p)
	}
	return p + 1
}

func (m *masker) colon(b []byte, p int) int {
	if bytes.HasPrefix(b[p:], []byte("://")) {
		return maskUserInfo(b, p+3)
	}
	var room [maxMaskName]byte
	name := nameBefore(b, p, &room)
	if len(name) < 6 {
		return p + 1
	}
	style, header := maskHeaders[string(name)]
	if !header && !isSecretName(name) {
		return p + 1
	}
	start, quote, list := valueAfter(b, p+1)
	if quote.mark != 0 && !opensValue(b, p, start, quote) {
		start, quote = p+1, quotation{}
	}
	switch {
	case quote.mark != 0:
		m.mode, m.style, m.quote, m.list = maskQuoted, style, quote, list
	case header && !inMarks(b, p):
		m.mode, m.style, m.quote, m.list = maskLine, style, quotation{}, false
	default: // a word in a sentence, a number, null
		return p + 1
	}
	return m.value(b, start)
}

func (m *masker) equals(b []byte, p int) int {
	var room [maxMaskName]byte
	name := nameBefore(b, p, &room)
	if len(name) < 3 || !isSecretName(name) && string(name) != "pwd" && string(name) != "accesskey" {
		return p + 1
	}
	if quote, size := quotationAt(b, p+1); quote.mark != 0 {
		if !opensValue(b, p, p+1+size, quote) {
			return p + 1
		}
		m.mode, m.style, m.quote, m.list = maskQuoted, maskAll, quote, false
		return m.value(b, p+1+size)
	}
	if at(b, p+1) == '=' || wordLength(b, p+1, 3) < 3 { // a comparison, yes or no
		return p + 1
	}
	m.mode = maskWord
	return p + 1
}

// value goes to where the secret of a value begins.
func (m *masker) value(b []byte, p int) int {
	m.inner, m.passing, m.parts, m.length = false, false, m.style != maskAll, 0
	if m.style != maskAll {
		return m.pair(b, p)
	}
	for _, scheme := range authSchemes {
		if hasFold(b[p:], scheme) {
			m.parts = scheme == "digest "
			return p + len(scheme)
		}
	}
	return p
}

// pair leaves the name of a name=value as it is.
func (m *masker) pair(b []byte, p int) int {
	p = afterBlanks(b, p)
	for i := p; i < min(p+maskAhead/4, len(b)); i++ {
		switch b[i] {
		case '=':
			return i + 1
		case ';', '\n', '\r', '"', '\'', '<', '\\', '&':
			return p
		}
	}
	return p
}

func (m *masker) tag(b []byte, p int) int {
	if bytes.HasPrefix(b[p:], []byte("</item>")) || bytes.HasPrefix(b[p:], []byte("</preference>")) {
		m.setting, m.secret = false, false
		return p + 2
	}
	end := p + 1
	for end < min(p+24, len(b)) && isNameByte(b[end]) {
		end++
	}
	name := string(b[p+1 : end])
	if (name == "request" || name == "response") && bytes.HasPrefix(b[end:], []byte(` base64="true">`)) {
		m.mode = maskBase64
		return afterCDATA(b, end+len(` base64="true">`))
	}
	if at(b, end) != '>' {
		return p + 1
	}
	switch name {
	case "item", "preference":
		m.setting, m.secret = true, false
	case "name", "fullName", "preferenceName", "preferenceType", "type":
		m.secret = m.secret || m.setting && saysSecret(b[end+1:])
	case "value", "preferenceValue", "preferenceValues", "selectedValue", "default":
		if m.secret {
			return m.element(b, end+1)
		}
	case "password", "passwd", "passphrase", "secret", "secret_key", "secretKey", "private_key", "privateKey":
		return m.element(b, end+1)
	}
	return end
}

// element is the text of an element, if it is one: "<password>" may as well stand for a password in a sentence.
func (m *masker) element(b []byte, p int) int {
	p = afterCDATA(b, p)
	switch end := bytes.IndexByte(b[min(p, len(b)):min(p+maskAhead/2, len(b))], '<'); {
	case end >= 0 && at(b, p+end+1) != '/' && !bytes.HasPrefix(b[max(0, p+end-3):], []byte("]]>")):
	case end < 0 && !bytes.HasPrefix(b[min(p, len(b)):], []byte("-----BEGIN ")):
		m.mode = maskWord
	default:
		m.mode = maskElement
	}
	return p
}

func afterCDATA(b []byte, p int) int {
	if cdata := []byte("<![CDATA["); bytes.HasPrefix(b[min(p, len(b)):], cdata) {
		return p + len(cdata)
	}
	return p
}

func (m *masker) dash(b []byte, p int) int {
	switch {
	case bytes.HasPrefix(b[p:], []byte("-----BEGIN ")):
		line := b[p+len("-----BEGIN ") : min(p+80, len(b))]
		if end := bytes.Index(line, []byte("-----")); end >= 0 && bytes.Contains(line[:end], []byte("PRIVATE KEY")) {
			p += len("-----BEGIN ") + end + len("-----")
			m.mode, m.length = maskPEM, 0
			return p
		}
	case isTokenStart(b, p, "glpat", "xoxb", "xoxp", "xoxa", "xoxs", "xoxr"):
		m.mode = maskToken
	case at(b, p+1) == 'u', at(b, p+1) == '-':
		return m.curl(b, p)
	}
	return p + 1
}

// curl finds the password of curl -u user:password.
func (m *masker) curl(b []byte, p int) int {
	size := 0
	for _, option := range []string{"-u ", "--user ", "--user=", "--proxy-user ", "--proxy-user="} {
		if bytes.HasPrefix(b[p:], []byte(option)) {
			size = len(option)
		}
	}
	if size == 0 || !afterCurl(b, p) {
		return p + 1
	}
	quote, opening := quotationAt(b, p+size)
	from := p + size + opening
	if quote.mark != 0 && endsString(b, from) {
		return p + 1
	}
	for i := from; i < min(from+maskAhead/4, len(b)) && !isSpace(b[i]) && b[i] != '"' && b[i] != '\''; i++ {
		if b[i] != ':' {
			continue
		}
		if m.mode, m.style, m.quote, m.list, m.passing = maskWord, maskAll, quote, false, false; quote.mark != 0 {
			m.mode = maskQuoted
		}
		return i + 1
	}
	return p + 1
}

func afterCurl(b []byte, p int) bool {
	line := b[max(0, p-maskBehind):p]
	line = line[bytes.LastIndexByte(line, '\n')+1:]
	return bytes.Contains(line, []byte("curl"))
}

// hide overwrites the byte at p, or a few from there, unless the secret ends; it returns where to go on.
func (m *masker) hide(b []byte, p int) int {
	switch m.mode {
	case maskLine:
		return m.hideLine(b, p)
	case maskQuoted:
		return m.hideQuoted(b, p)
	case maskPEM:
		return m.hidePEM(b, p)
	}
	c, ends := b[p], false
	switch m.mode {
	case maskElement:
		if isMarkPair(b, p) {
			return m.hideAll(b, p, 2)
		}
		ends = c == '<' || c == '"' && endsString(b, p+1) || endsCDATA(b, p)
	case maskBase64:
		ends = !isBase64(c) && !isSpace(c)
	case maskWord:
		ends = endsWord(c)
	case maskToken:
		ends = !isNameByte(c)
	}
	if ends {
		return m.end(p)
	}
	return hideByte(b, p)
}

// hideByte keeps what gives a text its lines and its elements.
func hideByte(b []byte, p int) int {
	if c := b[p]; !isSpace(c) && c != '<' {
		b[p] = '*'
	}
	return p + 1
}

// hideLine is within a header. Its line may end in JSON's or XML's way, and quotation marks may be around it or in it.
func (m *masker) hideLine(b []byte, p int) int {
	m.length++
	switch c := b[p]; {
	case c == '\n', c == '\r', c == '<', m.length > maxLong, isLineEntity(b, p), endsCDATA(b, p):
		return m.end(p)
	case c == '=' && m.parts && !m.inner:
		return p + 1
	case c == '\\':
		run := backslashes(b, p)
		switch next := at(b, p+run); {
		case next == 'n' || next == 'r':
			return m.end(p)
		case next != '"':
			return m.hideAll(b, p, run)
		case run%2 == 0: // of the text around
			return m.end(m.hideAll(b, p, run))
		}
		return m.mark(b, p, run+1)
	case c == '"':
		return m.mark(b, p, 1)
	case c == '\'' && !m.inner && (endsString(b, p+1) || bytes.IndexByte([]byte("\")\\<&"), at(b, p+1)) >= 0):
		return m.end(p)
	case c == '&':
		if quote, size := quotationAt(b, p); quote.mark != 0 {
			return m.mark(b, p, size)
		}
	}
	return m.hideValue(b, p)
}

// mark is a quotation mark in a header: of a part (response="…"), else around the whole.
func (m *masker) mark(b []byte, p, size int) int {
	opens := m.parts && !m.inner && at(b, p-1) == '=' && !endsString(b, p+size) && at(b, p+size) != '"'
	if !m.inner && !opens || m.inner && size <= m.quote.escaped {
		return m.end(p)
	}
	m.inner, m.quote.escaped = opens, size-1
	return p + size
}

// hideQuoted is within quotation marks, which may be those of a text within a text: as many backslashes as were before the
// first one are before the last.
func (m *masker) hideQuoted(b []byte, p int) int {
	c := b[p]
	switch {
	case c == '\n', c == '\r', c == '<' && (m.quote.entity || at(b, p+1) == '/'), endsCDATA(b, p),
		m.quote.entity && (c == '"' || c == '\'') && endsString(b, p+1):
		return m.end(p)
	case m.quote.entity && c == '&':
		if quote, size := quotationAt(b, p); quote == m.quote {
			return m.next(b, p, p+size)
		}
	case m.quote.entity && isMarkPair(b, p):
		return m.hideAll(b, p, 2)
	case !m.quote.entity && (c == '\\' || c == '"' || c == m.quote.mark):
		run := backslashes(b, p)
		next := at(b, p+run)
		if next == '\\' { // the run goes on
			return m.hideAll(b, p, run)
		}
		if next == '"' && run%2 == 0 && (m.quote.escaped > 0 || next != m.quote.mark && endsString(b, p+run+1)) {
			return m.end(m.hideAll(b, p, run)) // of the text around
		}
		if next != m.quote.mark {
			return m.hideAll(b, p, run+1)
		}
		if run < m.quote.escaped {
			return m.end(p)
		}
		if over := run - m.quote.escaped; over%(2*(m.quote.escaped+1)) == 0 {
			p = m.hideAll(b, p, over)
			return m.next(b, p, p+m.quote.escaped+1)
		}
		return m.hideAll(b, p, run+1)
	}
	return m.hideValue(b, p)
}

// hideValue hides one byte of a header or string; pairs are separated by ";".
func (m *masker) hideValue(b []byte, p int) int {
	switch {
	case m.passing:
		return p + 1
	case m.style == maskAll || b[p] != ';':
		return hideByte(b, p)
	case m.style == maskPairs:
		return m.pair(b, p+1)
	case m.list:
		m.passing = true
		return p + 1
	}
	return m.end(p)
}

// next is the end of a string, after which a list has another one.
func (m *masker) next(b []byte, p, after int) int {
	if m.list {
		if after = afterBlanks(b, after); at(b, after) == ',' {
			after = afterBlanks(b, after+1)
			if quote, size := quotationAt(b, after); quote == m.quote {
				return m.value(b, after+size)
			}
		}
	}
	return m.end(p)
}

func (m *masker) hideAll(b []byte, p, n int) int {
	for n = min(p+n, len(b)); p < n; {
		p = hideByte(b, p)
	}
	return p
}

func (m *masker) end(p int) int {
	m.mode = maskNothing
	return p
}

// hidePEM is within a private key, whose lines may be written as "\n" or "&#xA;".
func (m *masker) hidePEM(b []byte, p int) int {
	m.length++
	switch c := b[p]; {
	case m.length > maxLong, bytes.HasPrefix(b[p:], []byte("-----")), !isBase64(c) && !isSpace(c) && !isPEMHeader(b, p) && c != '\\' && c != '&':
		return m.end(p)
	case c == '\\':
		run := backslashes(b, p)
		if next := at(b, p+run); next != 'n' && next != 'r' && next != '/' {
			return m.end(p)
		}
		return p + run + 1
	case c == '&':
		if end := bytes.IndexByte(b[p:min(p+8, len(b))], ';'); end > 0 {
			return p + end + 1
		}
		return m.end(p)
	}
	return hideByte(b, p)
}

// maskUserInfo hides the password of what follows "://".
func maskUserInfo(b []byte, p int) int {
	colon, last := 0, 0
	for i := p; i < min(p+maskAhead/2, len(b)); i++ {
		switch c := b[i]; {
		case c == ':' && colon == 0:
			colon = i
		case c == '@':
			last = i
		case isSpace(c), bytes.IndexByte([]byte("/?#\"'<>\\`,()"), c) >= 0:
			i = len(b)
		}
	}
	if colon == 0 || last < colon {
		return p
	}
	for i := colon + 1; i < last; i++ {
		b[i] = '*'
	}
	return last
}

// maskAWS hides the rest of an access key id.
func maskAWS(b []byte, p int) int {
	const size = 20
	if p+size > len(b) || p > 0 && isNameByte(b[p-1]) || !bytes.HasPrefix(b[p:], []byte("AKIA")) && !bytes.HasPrefix(b[p:], []byte("ASIA")) {
		return p + 1
	}
	for _, c := range b[p : p+size] {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return p + 1
		}
	}
	if isNameByte(at(b, p+size)) {
		return p + 1
	}
	for i := p + 4; i < p+size; i++ {
		b[i] = '*'
	}
	return p + size
}

// maskHeaders are the headers whose values are secret, in lower case.
var maskHeaders = map[string]maskStyle{
	"authorization": maskAll, "proxy-authorization": maskAll, "x-api-key": maskAll, "x-auth-token": maskAll, "private-token": maskAll,
	"x-apikeys": maskPairs, "cookie": maskPairs, "set-cookie": maskFirst,
}

// authSchemes stay, in lower case.
var authSchemes = []string{"basic ", "bearer ", "digest ", "negotiate ", "ntlm ", "token "}

// secretNames end the names of secrets, in lower case.
var secretNames = []string{
	"password", "passwd", "passphrase", "secret", "secretkey", "secret_key", "secret-key", "apikey", "api_key", "api-key", "accesskey",
	"access_key", "access_token", "accesstoken", "auth_token", "authtoken", "refresh_token", "private_key", "privatekey",
}

func isSecretName(name []byte) bool {
	switch name[len(name)-1] {
	case 'd', 'e', 't', 'y', 'n':
		for _, n := range secretNames {
			if len(name) >= len(n) && string(name[len(name)-len(n):]) == n {
				return true
			}
		}
	}
	return false
}

// saysSecret says whether the name of a scanner's setting, up to the next tag, is that of a secret.
func saysSecret(b []byte) bool {
	b = b[:min(len(b), maskAhead/4)]
	if end := bytes.IndexByte(b, '<'); end >= 0 {
		b = b[:end]
	}
	name := strings.ToLower(string(b))
	for _, word := range []string{"password", "passphrase", "secret", "private key", "credential"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

const maxMaskName = 32

// nameBefore returns the last letters of the name before the ":" or "=" at p, in lower case; it may be in quotation marks.
func nameBefore(b []byte, p int, room *[maxMaskName]byte) []byte {
	end := p
	for end > 0 && p-end < 4 && b[end-1] == ' ' {
		end--
	}
	end -= quotationBefore(b, end)
	first, from := maxMaskName, end
	for ; first > 0 && from > 0 && isNameByte(b[from-1]); from-- {
		first--
		room[first] = lower(b[from-1])
	}
	if first < maxMaskName && from > 0 && b[from-1] == '\\' && bytes.IndexByte([]byte("nrt"), room[first]) >= 0 {
		first++ // the line before it ended in JSON's way
	}
	return room[first:]
}

// quotationBefore is the length of the quotation mark that ends at end.
func quotationBefore(b []byte, end int) int {
	if end > 6 && b[end-1] == ';' && (string(b[end-6:end]) == "&quot;" || string(b[end-5:end]) == "&#34;") {
		return len("&quot;") - bytes.IndexByte(b[end-6:end], '&')
	}
	if end == 0 || b[end-1] != '"' && b[end-1] != '\'' {
		return 0
	}
	size := 1
	for size < 16 && end-size > 0 && b[end-size-1] == '\\' {
		size++
	}
	return size
}

// inMarks says whether the name before the ":" at p ends with a quotation mark.
func inMarks(b []byte, p int) bool {
	for n := 0; n < 4 && p > 0 && b[p-1] == ' '; n++ {
		p--
	}
	return quotationBefore(b, p) > 0
}

// quotation is a quotation mark: ", \", &quot;. The zero value is none.
type quotation struct {
	mark    byte
	escaped int // backslashes before it
	entity  bool
}

// quotationAt returns the quotation mark at p and its length.
func quotationAt(b []byte, p int) (quotation, int) {
	if at(b, p) == '&' {
		for _, e := range []struct {
			text string
			mark byte
		}{{"&quot;", '"'}, {"&#34;", '"'}, {"&apos;", '\''}, {"&#39;", '\''}} {
			if bytes.HasPrefix(b[p:], []byte(e.text)) {
				return quotation{mark: e.mark, entity: true}, len(e.text)
			}
		}
		return quotation{}, 0
	}
	run := backslashes(b, p)
	if c := at(b, p+run); c == '"' || c == '\'' {
		return quotation{mark: c, escaped: run}, run + 1
	}
	return quotation{}, 0
}

// valueAfter returns where the value after a ":" begins, in which quotation marks, and whether it is the first of a list.
func valueAfter(b []byte, p int) (start int, q quotation, list bool) {
	p = afterBlanks(b, p)
	if at(b, p) == '[' {
		list, p = true, afterBlanks(b, p+1)
	}
	q, size := quotationAt(b, p)
	return min(p+size, len(b)), q, list
}

// opensValue says whether the quotation mark that ends before start, behind the ":" or "=" at p, is the first one of a value:
// it may as well be the last one of the text around ({"label":"Password:","value":…).
func opensValue(b []byte, p, start int, q quotation) bool {
	end := p
	for end > 0 && p-end < 4 && b[end-1] == ' ' {
		end--
	}
	if size := quotationBefore(b, end); size > 0 {
		name, _ := quotationAt(b, end-size)
		if name == q {
			return true
		}
	}
	return !endsString(b, start)
}

// endsString says whether what stands at p comes after a text in JSON, XML or CSV.
func endsString(b []byte, p int) bool {
	c := at(b, p)
	return isSpace(c) || bytes.IndexByte([]byte(",;:]}/>?|\x00"), c) >= 0
}

// isMarkPair says whether at p is a quotation mark as texts in JSON and CSV hold it.
func isMarkPair(b []byte, p int) bool {
	c, next := at(b, p), at(b, p+1)
	return c == '\\' && (next == '"' || next == '\\') || c == '"' && next == '"'
}

// endsCDATA says whether "]]>" stands at p.
func endsCDATA(b []byte, p int) bool {
	return b[p] == ']' && bytes.HasPrefix(b[p:], []byte("]]>"))
}

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '='
}

// isPEMHeader is what headers (RFC 1421: "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,…") have that base64 has not.
func isPEMHeader(b []byte, p int) bool {
	switch b[p] {
	case '-':
		return isNameByte(at(b, p+1))
	case ':':
		return at(b, p+1) == ' '
	case ',':
		return wordLength(b, p+1, 9) == 9
	}
	return false
}

// isTokenStart says whether one of the words ends before p, as a word of its own.
func isTokenStart(b []byte, p int, words ...string) bool {
	for _, w := range words {
		from := p - len(w)
		if from >= 0 && string(b[from:p]) == w && (from == 0 || !isNameByte(b[from-1])) {
			return wordLength(b, p+1, 16) >= 16
		}
	}
	return false
}

// wordLength is the length of the word at p, at most most.
func wordLength(b []byte, p, most int) int {
	n := 0
	for n < most && p+n < len(b) && !endsWord(b[p+n]) {
		n++
	}
	return n
}

func endsWord(c byte) bool {
	return isSpace(c) || bytes.IndexByte([]byte("&;,\"'<>)]}\\"), c) >= 0
}

// backslashes counts those at p. More than 64 are two runs.
func backslashes(b []byte, p int) int {
	n := 0
	for n < 64 && p+n < len(b) && b[p+n] == '\\' {
		n++
	}
	return n
}

// isLineEntity says whether an end of line or "<" is written as an entity at p.
func isLineEntity(b []byte, p int) bool {
	if b[p] != '&' {
		return false
	}
	for _, e := range []string{"&#10;", "&#13;", "&#xa;", "&#xd;", "&lt;"} {
		if hasFold(b[p:], e) {
			return true
		}
	}
	return false
}

// afterBlanks skips a few blanks and line ends.
func afterBlanks(b []byte, p int) int {
	for n := 0; n < 32 && p < len(b) && (b[p] == ' ' || b[p] == '\t'); n++ {
		p++
	}
	return p
}

// at is b[p], 0 beyond its ends.
func at(b []byte, p int) byte {
	if p < 0 || p >= len(b) {
		return 0
	}
	return b[p]
}

func hasFold(b []byte, lower string) bool {
	return len(b) >= len(lower) && bytes.EqualFold(b[:len(lower)], []byte(lower))
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}
