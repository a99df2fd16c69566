package finding

import "time"

// TextKind is a kind of records of the estate whose texts are searched.
type TextKind string

// The kinds.
const (
	TextFinding TextKind = "finding"
	TextHost    TextKind = "host"
	TextScan    TextKind = "scan"
)

// TextKinds are all of them.
var TextKinds = []TextKind{TextFinding, TextHost, TextScan}

// Text is what is searched of one record. Words of Names find it best: what runs there and what it is called; Body is what
// was said of it, cut.
type Text struct {
	Kind     TextKind
	ID, Site int64
	Title    string
	Names    string
	Body     string
	At       time.Time // last seen, or of a scan when it began
	Like     string    // what others of its kind that say the same share: the weakness of a finding
}

// TextRef names a record that an index holds no more, in the site that it was of.
type TextRef struct{ ID, Site int64 }

// TextState says which texts there are, for an index that is kept elsewhere.
type TextState struct {
	Identity   string // of the estate, never given to another; "" until it has one
	Generation int64  // now
	Changed    int64  // the last generation that changed a text; at most Generation
}
