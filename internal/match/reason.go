package match

import (
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/cpe"
	"github.com/patchscout/patchscout/internal/cve"
)

// hit is a rule that fits, weighed. Its words are made only for the hit that wins.
type hit struct {
	cve        cve.ID
	pack       *pack
	rule       rule
	grade      grade
	status     Status
	confidence int
	needs      []string
	edition    string
}

// run is one subject against one pack. Attributes and conditions repeat over many rules, so each is settled once.
type run struct {
	pack     *pack
	query    query
	host     *inventory
	fits     map[uint32]attributeFit
	verdicts map[uint32]verdict
}

// weigh settles the attributes and the platform for a rule whose version fits. ok is false when they contradict.
func (w *run) weigh(r rule, g grade) (h hit, ok bool) {
	fit := w.attributes(r.attrs)
	if !fit.ok {
		return h, false
	}
	h = hit{cve: w.pack.cves[r.cve], pack: w.pack, rule: r, grade: g, status: Affected, confidence: confidenceVersion, edition: fit.edition}
	if fit.edition != "" {
		h.confidence = confidenceEdition
	}
	if r.flags&flagDerived != 0 {
		h.confidence = min(h.confidence, confidenceDerived)
	}
	platform := w.platform(r.residual)
	if fit.targetOS != "" {
		platform = both(w.host.shows(fit.targetOS), platform)
	}
	if platform.truth == isFalse {
		return h, false
	}
	if h.needs = platform.needs; platform.truth == isUnknown {
		h.status, h.confidence = Conditional, min(h.confidence, confidencePlatform)
	}
	switch g {
	case maybe:
		h.status, h.confidence = Uncertain, min(h.confidence, confidenceUpdate)
	case every:
		h.status, h.confidence = Uncertain, min(h.confidence, confidenceEveryRule)
	}
	return h, true
}

func (w *run) attributes(index uint32) attributeFit {
	if index == 0 {
		return attributeFit{ok: true}
	}
	fit, known := w.fits[index]
	if !known {
		fit = w.query.attributes(w.pack.strings[index])
		if w.fits == nil {
			w.fits = map[uint32]attributeFit{}
		}
		w.fits[index] = fit
	}
	return fit
}

// platform evaluates what a rule asks of the host.
func (w *run) platform(index uint32) verdict {
	if index == 0 {
		return verdict{truth: isTrue}
	}
	v, known := w.verdicts[index]
	if !known {
		if e := w.pack.condition(index); e != nil {
			v = w.host.eval(e)
		}
		if w.verdicts == nil {
			w.verdicts = map[uint32]verdict{}
		}
		w.verdicts[index] = v
	}
	return v
}

// rank orders statuses, the surest highest.
func (s Status) rank() int {
	switch s {
	case Affected:
		return 3
	case Conditional:
		return 2
	case Uncertain:
		return 1
	}
	return 0
}

// surer says whether h is a better proof than o. Ties go to the rule that says what to update to, then to the first by
// criteria, so that the answer does not depend on the order of rules.
func (h *hit) surer(o *hit) bool {
	if a, b := h.status.rank(), o.status.rank(); a != b {
		return a > b
	}
	if h.confidence != o.confidence {
		return h.confidence > o.confidence
	}
	if a, b := h.fixedIn() != "", o.fixedIn() != ""; a != b {
		return a
	}
	return false
}

func (h *hit) fixedIn() string {
	if h.rule.flags&flagEndExcl == 0 {
		return ""
	}
	return h.pack.edges[h.rule.b-1].text
}

// phrasebook words hits of one subject. Many hits share their rule's text, so each is worded once.
type phrasebook struct {
	query   query
	subject string
	terse   bool
	phrases map[phraseKey]phrase
	last    phrase // the one before, under lastKey
	lastKey phraseKey
}

// phraseKey is all that the words of a hit depend on.
type phraseKey struct {
	pack                          *pack
	update, attrs, residual, a, b uint32
	flags, kind                   uint8
	grade                         grade
}

type phrase struct {
	criteria, reason string
	needs            []string
}

// match words the hit that won.
func (w *phrasebook) match(h *hit, s Subject) Match {
	r := h.rule
	key := phraseKey{h.pack, r.update, r.attrs, r.residual, r.a, r.b, r.flags, r.kind, h.grade}
	p, known := w.last, w.lastKey == key
	if !known {
		p, known = w.phrases[key]
	}
	if !known {
		p = phrase{reason: h.reason(w.query), needs: cutNeeds(h.needs)}
		if !w.terse {
			p.criteria = h.pack.criteria(r)
		}
		if s.Backport != "" && h.confidence > confidenceBackport {
			p.reason += "; " + s.Backport + " backports fixes without changing this version, so the package may be patched"
		}
		if w.phrases == nil {
			w.phrases = map[phraseKey]phrase{}
		}
		w.phrases[key] = p
	}
	w.last, w.lastKey = p, key
	m := Match{CVE: h.cve, Status: h.status, Subject: w.subject, Criteria: p.criteria, Needs: p.needs, Confidence: h.confidence, Reason: p.reason, FixedIn: h.fixedIn()}
	if s.Backport != "" {
		m.Confidence = min(m.Confidence, confidenceBackport)
	}
	return m
}

func cutNeeds(needs []string) []string {
	if len(needs) <= maxNeeds {
		return needs
	}
	return append(needs[:maxNeeds:maxNeeds], "and "+strconv.Itoa(len(needs)-maxNeeds)+" more")
}

func (h *hit) reason(q query) string {
	var b strings.Builder
	b.WriteString(h.versionReason(q))
	if h.grade == maybe {
		b.WriteString(", but only with the right update, and the observation names none")
	}
	if h.edition != "" {
		b.WriteString("; the rule is for " + h.edition + ", which the observation does not say")
	}
	if h.rule.flags&flagDerived != 0 {
		b.WriteString("; its assigner names the product in words, without a CPE name")
	}
	if len(h.needs) > 0 {
		b.WriteString("; applies only on " + plainNeed(h.needs[0]))
		if len(h.needs) > 1 {
			b.WriteString(" or the other platforms named")
		}
		b.WriteString(", which is not known of this host")
	}
	return b.String()
}

// plainNeed shortens a condition for a sentence: "microsoft windows 7".
func plainNeed(need string) string {
	name, err := cpe.Parse(need)
	if err != nil {
		return need
	}
	words := []string{name.Text(cpe.Vendor), name.Text(cpe.ProductName), name.Text(cpe.Version), name.Text(cpe.Update)}
	return strings.ReplaceAll(strings.Join(strings.Fields(strings.Join(words, " ")), " "), "_", " ")
}

func (h *hit) versionReason(q query) string {
	switch h.rule.kind {
	case kindRange:
		return q.text + " " + h.pack.boundsOf(h.rule).relation(updateText(h))
	case kindNA:
		return "the record names this product without a version"
	case kindEvery:
		return "the record names every version without a range"
	case kindPattern:
		return q.text + " fits the record's " + cpe.Unquote(h.pack.strings[h.rule.a])
	}
	return q.text + " is named by the record"
}

func updateText(h *hit) string {
	if attr := h.pack.strings[h.rule.update]; attr != "" && attr != cpe.NA {
		return " " + cpe.Unquote(attr)
	}
	return ""
}

// relation words a range for a sentence that begins with the version: "is below 7.4, the first fixed version".
func (b bounds) relation(update string) string {
	end := b.end + update
	switch {
	case b.end == "" && b.startExcl:
		return "is above " + b.start + ", and the record names no fixed version"
	case b.end == "":
		return "is not below " + b.start + ", and the record names no fixed version"
	case b.start == "" && b.endExcl:
		return "is below " + end + ", the first fixed version"
	case b.start == "":
		return "is not above " + end + ", the last affected version"
	case b.endExcl:
		return "lies between " + b.start + " and " + end + ", the first fixed version"
	}
	return "lies between " + b.start + " and " + end + ", the last affected version"
}

// String prints a range for a condition: "from 5.0, below 5.3".
func (b bounds) String() string {
	var parts []string
	switch {
	case b.start != "" && b.startExcl:
		parts = append(parts, "above "+b.start)
	case b.start != "":
		parts = append(parts, "from "+b.start)
	}
	switch {
	case b.end != "" && b.endExcl:
		parts = append(parts, "below "+b.end)
	case b.end != "":
		parts = append(parts, "up to "+b.end)
	}
	return strings.Join(parts, ", ")
}
