package nmap

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan/intake"
)

// Limits on what one script may say.
const (
	maxScripts = 5000 // of one host or port
	maxFacts   = 20000
	maxCVEs    = 2000
)

// Confidence of what scripts say, on the scale of design decision 5.
const (
	confidenceProved   = 99 // the script ran the exploit
	confidenceSaid     = 95 // a check that says VULNERABLE
	confidenceLikely   = 60 // LIKELY VULNERABLE: the check itself was not sure
	confidenceVersion  = 80 // looked up by version
	confidenceBackport = 30 // the same where the distribution backports fixes
)

// script is one <script> element: its text, and its structured output flattened into facts in document order.
type script struct {
	id     string
	output string
	facts  []fact
	tables int // outermost ones
}

// fact is one <elem>: the keys of the tables around it and which of the outermost ones (they may have no key), its own
// key, its text.
type fact struct {
	table int
	path  []string
	key   string
	value string
}

func (d *document) scriptList() ([]script, error) {
	var out []script
	err := d.Each(func(e xml.StartElement) error {
		if e.Name.Local != "script" || len(out) >= maxScripts {
			return d.Skip()
		}
		s, err := d.script(e)
		out = append(out, s)
		return err
	})
	return out, err
}

func (d *document) script(e xml.StartElement) (script, error) {
	s := script{id: intake.Cut(intake.Attr(e, "id"), 100), output: strings.TrimSpace(intake.Cut(intake.Attr(e, "output"), intake.MaxText))}
	return s, d.table(&s, nil)
}

// table reads nested <table> and <elem> up to the end of the open element.
func (d *document) table(s *script, path []string) error {
	return d.Each(func(e xml.StartElement) error {
		switch e.Name.Local {
		case "table":
			if len(path) == 0 {
				s.tables++
			}
			return d.table(s, append(slices.Clip(path), intake.Cut(intake.Attr(e, "key"), 200)))
		case "elem":
			key := intake.Cut(intake.Attr(e, "key"), 200)
			value, err := d.Text()
			if len(s.facts) < maxFacts {
				s.facts = append(s.facts, fact{table: s.tables, path: path, key: key, value: value})
			}
			return err
		}
		return d.Skip()
	})
}

// checkID is the name under which a script's word is kept: "nmap:http-vuln-cve2017-5638".
func checkID(script string) string { return Name + ":" + script }

// emitScript passes on what a script found, or counts it among the plain ones. at says where and when; backport is the
// distribution that the service names.
func (d *document) emitScript(s script, at finding.Observation, backport string, plain map[string]int) error {
	o, ok := s.result(at.At, backport)
	if !ok {
		plain["script output"]++
		return nil
	}
	o.Address, o.HostName, o.Protocol, o.Port, o.At = at.Address, at.HostName, at.Protocol, at.Port, at.At
	o.Check, o.Output = checkID(s.id), s.masked()
	return d.emit(finding.Event{Observation: &o})
}

// result is what a script found, or that it looked and did not; false when it only tells facts.
func (s *script) result(at time.Time, backport string) (finding.Observation, bool) {
	switch s.id {
	case "vulners", "http-vulners-regex":
		return s.vulners(backport)
	case "ssl-cert":
		return s.certificate(at)
	case "ssl-enum-ciphers":
		return s.ciphers()
	case "http-title", "ssh-hostkey", "banner", "http-server-header", "fingerprint-strings": // a host's own words
		return finding.Observation{}, false
	}
	if o, ok, knows := s.vulnerable(); knows {
		return o, ok
	}
	if o, ok := s.byRule(); ok {
		return o, true
	}
	return s.byName(backport)
}

var (
	cveText   = regexp.MustCompile(`(?i)\bCVE-\d{4}-\d{4,10}\b`)
	cveScript = regexp.MustCompile(`(?i)cve-?(\d{4})-?(\d{4,7})`)
	cveLine   = regexp.MustCompile(`(?m)^\s*(CVE-\d{4}-\d{4,10})\s`)
	stateText = regexp.MustCompile(`(?m)^\s*State:\s*(.+?)\s*$`)
	titleText = regexp.MustCompile(`(?m)^\s*(?:LIKELY )?VULNERABLE:\s*\n\s*(\S.*?)\s*$`)
	idsText   = regexp.MustCompile(`(?m)^\s*IDs:\s*(.+)$`)
	// unknownText is the library's word when it could not tell.
	unknownText = regexp.MustCompile(`(?m)^\s*State: UNKNOWN`)
	riskText    = regexp.MustCompile(`(?m)^\s*Risk factor: (\w+)`)
	// oldWord is how scripts spoke before nmap 6 gave them a library: "MS08-067: VULNERABLE".
	oldWord = regexp.MustCompile(`(?m)(^|[:\s])(NOT |LIKELY )?VULNERABLE\b`)
)

// vulners reads the scripts that look a version up on the web: every CVE that they list.
func (s *script) vulners(backport string) (finding.Observation, bool) {
	var ids idSet
	for _, f := range s.facts {
		if f.key == "id" { // exploits stand in the same list: their ids are no CVE ids, even where they name one
			ids.add(f.value)
		}
	}
	if len(s.facts) == 0 { // before nmap 7.60
		for _, m := range cveLine.FindAllStringSubmatch(s.output, -1) {
			ids.add(m[1])
		}
	}
	confidence := confidenceVersion
	if backport != "" {
		confidence = confidenceBackport
	}
	return finding.Observation{CVEs: ids, Confidence: confidence, Title: "Vulnerabilities of this version, by vulners"}, len(ids) > 0
}

// vulnerable reads the output of nmap's vulnerability library: for each weakness a table with title, state and ids. Of
// several in one script the CVEs are joined and the least certain state counts, because a record is one observation. When
// none holds and each was looked for and not found, the script passed. knows is false for scripts that say no state.
func (s *script) vulnerable() (o finding.Observation, ok, knows bool) {
	found := s.weaknesses()
	if len(found) == 0 {
		found = s.weaknessesInText()
	}
	var holds, not []weakness
	for _, w := range found {
		switch {
		case stateConfidence(w.state) > 0:
			holds = append(holds, w)
		case strings.HasPrefix(w.state, "NOT "):
			not = append(not, w)
		}
	}
	switch {
	case len(holds) > 0:
		return s.observation(holds), true, true
	case len(not) == 0 || len(not) < len(found): // UNKNOWN
		return o, false, len(found) > 0
	}
	o = s.observation(not)
	o.Passed, o.Confidence, o.Severity = true, confidenceSaid, ""
	return o, true, true
}

// observation joins weaknesses.
func (s *script) observation(found []weakness) finding.Observation {
	o := finding.Observation{Confidence: 100}
	var ids idSet
	for _, w := range found {
		o.Confidence = min(o.Confidence, stateConfidence(w.state))
		o.Title = cmp.Or(o.Title, intake.Cut(w.title, 300))
		for _, id := range w.ids {
			ids.add(id)
		}
		for _, ref := range w.refs {
			if len(o.References) < 20 && len(ref) < 500 && !slices.Contains(o.References, ref) {
				o.References = append(o.References, ref)
			}
		}
	}
	if m := cveScript.FindStringSubmatch(s.id); m != nil && len(ids) == 0 {
		ids.add("CVE-" + m[1] + "-" + m[2])
	}
	o.CVEs = ids
	o.Title = cmp.Or(o.Title, s.id+" says VULNERABLE")
	for _, m := range riskText.FindAllStringSubmatch(s.output, -1) {
		o.Severity = graver(o.Severity, riskSeverity(m[1]))
	}
	if len(found) == 1 {
		o.Vector = finding.VectorIn(s.output)
	}
	return o
}

// undone says that the script did not look to the end: it broke, or could not tell.
func (s *script) undone() bool {
	return strings.HasPrefix(s.output, "ERROR:") || unknownText.MatchString(s.output)
}

func stateConfidence(state string) int {
	switch {
	case strings.HasPrefix(state, "NOT "), !strings.Contains(state, "VULNERABLE"):
		return 0
	case strings.HasPrefix(state, "LIKELY "):
		return confidenceLikely
	case strings.Contains(state, "(Exploitable)"):
		return confidenceProved
	}
	return confidenceSaid
}

type weakness struct {
	key, title, state string
	ids, refs         []string
}

// weaknesses collects the tables that have a state.
func (s *script) weaknesses() []weakness {
	tables := make([]weakness, s.tables+1)
	for _, f := range s.facts {
		if len(f.path) == 0 {
			continue
		}
		w := &tables[f.table]
		w.key = f.path[0]
		switch {
		case len(f.path) == 1 && f.key == "title":
			w.title = f.value
		case len(f.path) == 1 && f.key == "state":
			w.state = f.value
		case len(f.path) == 2 && f.path[1] == "ids":
			w.ids = append(w.ids, cveText.FindAllString(f.value, -1)...)
			if cveText.FindString(f.value) == "" {
				w.refs = append(w.refs, f.value) // "BID:74733"
			}
		case len(f.path) == 2 && f.path[1] == "refs":
			w.refs = append(w.refs, f.value)
		}
	}
	var out []weakness
	for _, w := range tables {
		if w.state != "" {
			w.ids = append(w.ids, cveText.FindAllString(w.key, -1)...)
			out = append(out, w)
		}
	}
	return out
}

// weaknessesInText reads what versions before structured output printed.
func (s *script) weaknessesInText() []weakness {
	w := weakness{}
	if m := titleText.FindStringSubmatch(s.output); m != nil {
		w.title = m[1]
	}
	for _, m := range idsText.FindAllStringSubmatch(s.output, -1) {
		w.ids = append(w.ids, cveText.FindAllString(m[1], -1)...)
	}
	var out []weakness
	for _, m := range stateText.FindAllStringSubmatch(s.output, -1) {
		w.state = m[1]
		out = append(out, w)
	}
	if out != nil || !strings.Contains(s.id, "vuln") {
		return out
	}
	for _, m := range oldWord.FindAllStringSubmatch(s.output, -1) {
		out = append(out, weakness{state: m[2] + "VULNERABLE"})
	}
	return out
}

// idSet is CVE ids without duplicates, in the order named.
type idSet []cve.ID

func (ids *idSet) add(text string) {
	id, err := cve.ParseID(text)
	if err == nil && len(*ids) < maxCVEs && !slices.Contains(*ids, id) {
		*ids = append(*ids, id)
	}
}

func (ids *idSet) join(more []cve.ID) {
	for _, id := range more {
		if len(*ids) < maxCVEs && !slices.Contains(*ids, id) {
			*ids = append(*ids, id)
		}
	}
}

// keyRank prefers the host keys that an SSH client of today meets first, so that two tools name the same one.
var keyRank = []string{"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa", "ssh-dss"}

// sshKey is the fingerprint of the server's best host key, "" when ssh-hostkey did not run.
func (p *port) sshKey() string {
	best, fingerprint := len(keyRank), ""
	for _, s := range p.scripts {
		if s.id != "ssh-hostkey" {
			continue
		}
		for _, f := range s.facts {
			if f.key != "key" {
				continue
			}
			blob, _ := base64.StdEncoding.DecodeString(f.value)
			if rank := slices.Index(keyRank, keyType(blob)); rank >= 0 && rank < best {
				sum := sha256.Sum256(blob)
				best, fingerprint = rank, "SHA256:"+base64.RawStdEncoding.EncodeToString(sum[:])
			}
		}
	}
	return fingerprint
}

// keyType is the first string of an SSH key blob (RFC 4253, section 6.6): its length in four bytes, then the name.
func keyType(blob []byte) string {
	if len(blob) < 4 {
		return ""
	}
	n := binary.BigEndian.Uint32(blob)
	if n > 64 || int(n) > len(blob)-4 {
		return ""
	}
	return string(blob[4 : 4+n])
}
