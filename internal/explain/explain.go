// Package explain says in three to six plain sentences what a CVE is, who can use it, what they gain, whether it is
// being used and what to do by when. Every sentence names the fields that it rests on. Values in, values out: it never
// fetches, and never says what no field supports; what is missing is said to be missing.
package explain

import (
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/priority"
)

// Input is everything that an explanation may rest on. All text in it is taken to be hostile.
type Input struct {
	ID      cve.ID           // needed where Record is nil
	Record  *cve.Record      // nil for a CVE that the catalogue holds no record of, and for a check
	Facts   intel.Facts      // what is known of its use
	Verdict priority.Verdict // the zero Verdict is none yet

	// Check is the check of a scanner that found something without a CVE, else nil. Record is nil then.
	Check *Check

	// Loaded names the feeds that have been loaded, with the date of their data (zero where it is not known): "kev",
	// "exploitdb", "metasploit", "nuclei", "cvelist" and "epss" matter. "No source reports attacks" is only said of these.
	Loaded map[string]time.Time

	// Weaknesses are CWE entries by id ("CWE-79"), for those that the texts do not word; may be nil.
	Weaknesses map[string]intel.Weakness

	// Name writes a CPE's "vendor:product" as people do (catalogue.DisplayName); nil capitalises the words.
	Name func(vendorProduct string) string

	// Due is the date by which a finding must be dealt with; zero where there is no finding, then the sentence gives days.
	Due time.Time
}

// Check is a scanner's check.
type Check struct {
	Source string // the scanner: "nikto"
	Key    string // its own name of the check
	Title  string
}

// Explanation is the sentences in reading order: three to six, of a withdrawn CVE two or three.
type Explanation struct {
	Sentences []Sentence
}

// Sentence is one sentence, ending in a full stop: one line of valid UTF-8 without control characters. It is text, not
// markup: whoever shows it as HTML, XML or Markdown escapes it as any other text.
type Sentence struct {
	Topic  Topic    `json:"topic"`
	Text   string   `json:"text"`
	Fields []string `json:"fields"` // the Field constants that it rests on, sorted
}

// Topic says what a sentence is about.
type Topic string

// The topics, in the order in which they are spoken of. There may be none or several sentences of a topic.
const (
	What   Topic = "what"   // what it is
	Attack Topic = "attack" // who can use it, and what they gain
	Rating Topic = "rating" // how bad it is, and how likely
	Use    Topic = "use"    // whether it is being used
	Do     Topic = "do"     // what to do, and by when
)

// The fields that sentences rest on. A field whose value is missing is named too when the sentence says so. Metrics of
// the CVSS vector are named "cvss.vector.AV" and so on, CWE entries of Input.Weaknesses "weakness.CWE-79", feeds that
// were loaded "feeds.kev".
const (
	FieldID             = "id"
	FieldStatus         = "status"
	FieldTitle          = "title"
	FieldDescription    = "description"
	FieldCWEs           = "cwes"
	FieldConfigurations = "configurations"
	FieldAffected       = "affected"
	FieldReferences     = "references"
	FieldRatings        = "ratings"
	FieldExploitedBy    = "exploited_by"
	FieldCheck          = "check"

	FieldCVSS        = "cvss" // whether there is a score at all
	FieldCVSSScore   = "cvss.score"
	FieldCVSSVersion = "cvss.version"
	FieldCVSSSource  = "cvss.source"
	fieldVector      = "cvss.vector." // + the metric

	FieldEPSS       = "epss" // whether there is a value at all
	FieldEPSSScore  = "epss.score"
	FieldPercentile = "epss.percentile"
	FieldEPSSDate   = "epss.date"
	FieldLikelihood = "likelihood"

	FieldKEV        = "kev" // whether there is an entry at all
	FieldKEVProduct = "kev.product"
	FieldKEVName    = "kev.name"
	FieldKEVAdded   = "kev.added"
	FieldRansomware = "kev.ransomware"
	FieldKEVAction  = "kev.required_action"

	FieldExploitation = "ssvc.exploitation"
	FieldSSVCDate     = "ssvc.at"
	FieldExploits     = "exploits"

	FieldDecision  = "decision"
	FieldElsewhere = "decision.not_exposed" // what the decision is on a system that the internet cannot reach
	FieldForensics = "forensics"
	FieldExposed   = "exposed"
	FieldAssumed   = "assumed"
	FieldDue       = "due"

	fieldFeeds    = "feeds."    // + the feed
	fieldWeakness = "weakness." // + the CWE id
)

// CVE explains in English. It is a pure function and safe for concurrent use.
func CVE(in Input) Explanation { return English.CVE(in) }

// Short is the CVE in one line without a full stop, for titles and notifications, in English.
func Short(in Input) Sentence { return English.Short(in) }

// CVE explains in language l.
func (l *Language) CVE(in Input) Explanation {
	w := newWriter(l, in)
	if w.record.Rejected() {
		w.rejected()
	} else {
		w.what()
		w.attack()
		w.rating()
		w.use()
		w.do()
	}
	return Explanation{Sentences: w.sentences}
}

// writer collects the sentences of one explanation.
type writer struct {
	lang      *Language
	in        Input
	record    *cve.Record // never nil
	product   product
	flaw      flaw
	vector    vector
	sentences []Sentence
}

func newWriter(l *Language, in Input) *writer {
	w := &writer{lang: l, in: in, record: in.Record}
	if w.record == nil {
		w.record = &cve.Record{ID: in.ID}
	}
	if w.in.ID == 0 {
		w.in.ID = w.record.ID
	}
	w.vector = readVector(w.metric().Vector)
	w.product = w.findProduct()
	w.flaw = w.findFlaw()
	return w
}

// say ends p as a sentence and adds it.
func (w *writer) say(topic Topic, p phrase) {
	w.sentences = append(w.sentences, Sentence{Topic: topic, Text: p.sentence(), Fields: p.sorted()})
}

func (w *writer) id() phrase {
	if w.in.ID == 0 {
		return known("this", FieldID)
	}
	return known(w.in.ID.String(), FieldID)
}

// withdrawal is what says that a CVE was withdrawn: its status, else the words in the place of its description.
func (w *writer) withdrawal() string {
	if w.record.Status == cve.StatusRejected {
		return FieldStatus
	}
	return FieldDescription
}

// rejected speaks of a CVE that was withdrawn.
func (w *writer) rejected() {
	w.say(What, w.text("rejected", with("id", w.id())).on(w.withdrawal()))
	if reason := quotable(rejectReason(w.record.Description)); reason != "" {
		w.say(What, w.text("rejected.reason", with("text", known(reason, FieldDescription))))
	}
	if kev := w.in.Facts.KEV; kev != nil { // who withdraws it and who lists it are not the same
		w.say(Use, w.text("rejected.kev", with("date", w.optional("rejected.kev.date", kev.Added, FieldKEVAdded))).on(FieldKEV))
		w.say(Do, w.text("rejected.check").on(w.withdrawal(), FieldKEV))
		return
	}
	w.say(Do, w.text("rejected.do").on(w.withdrawal()))
}
