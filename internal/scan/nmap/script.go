package nmap

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"regexp"
	"slices"
	"strings"

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

// emitScript passes on what a script found, or counts it among the plain ones. at says where; backport is the
// distribution that the service names.
func (d *document) emitScript(s script, at finding.Observation, backport string, plain map[string]int) error {
	o, ok := s.vulners(backport)
	if !ok {
		o, ok = s.vulnerable()
	}
	if !ok {
		plain["script output"]++
		return nil
	}
	at.Check, at.Title, at.Output = checkID(s.id), o.Title, s.output
	at.CVEs, at.Confidence = o.CVEs, o.Confidence
	return d.emit(finding.Event{Observation: &at})
}

var (
	cveText   = regexp.MustCompile(`(?i)\bCVE-\d{4}-\d{4,10}\b`)
	cveScript = regexp.MustCompile(`(?i)cve-?(\d{4})-?(\d{4,7})`)
	cveLine   = regexp.MustCompile(`(?m)^\s*(CVE-\d{4}-\d{4,10})\s`)
	stateText = regexp.MustCompile(`(?m)^\s*State:\s*(.+?)\s*$`)
	titleText = regexp.MustCompile(`(?m)^\s*(?:LIKELY )?VULNERABLE:\s*\n\s*(\S.*?)\s*$`)
	idsText   = regexp.MustCompile(`(?m)^\s*IDs:\s*(.+)$`)
	// oldWord is how scripts spoke before nmap 6 gave them a library: "MS08-067: VULNERABLE".
	oldWord = regexp.MustCompile(`(?m)(^|[:\s])(NOT |LIKELY )?VULNERABLE\b`)
)

// vulners reads the scripts that look a version up on the web: every CVE that they list.
func (s *script) vulners(backport string) (finding.Observation, bool) {
	if s.id != "vulners" {
		return finding.Observation{}, false
	}
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
// several in one script the CVEs are joined and the least certain state counts, because a record is one observation.
func (s *script) vulnerable() (finding.Observation, bool) {
	found := s.weaknesses()
	if len(found) == 0 {
		found = s.weaknessesInText()
	}
	var o finding.Observation
	var ids idSet
	for _, w := range found {
		confidence := stateConfidence(w.state)
		if confidence == 0 {
			continue
		}
		if o.Confidence == 0 || confidence < o.Confidence {
			o.Confidence = confidence
		}
		if o.Title == "" {
			o.Title = intake.Cut(w.title, 300)
		}
		for _, id := range w.ids {
			ids.add(id)
		}
	}
	if o.Confidence == 0 {
		return o, false
	}
	if m := cveScript.FindStringSubmatch(s.id); m != nil && len(ids) == 0 {
		ids.add("CVE-" + m[1] + "-" + m[2])
	}
	if o.Title == "" {
		o.Title = s.id + " says VULNERABLE"
	}
	o.CVEs = ids
	return o, true
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
	ids               []string
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
