package catalogue

import "github.com/patchscout/patchscout/internal/cve"

// Text is what is searched of a CVE. A CVE that is gone or withdrawn has no text.
type Text struct {
	ID                           cve.ID
	Title, Products, Description string
}

// Empty says that there is nothing to search.
func (t Text) Empty() bool { return t.Title == "" && t.Products == "" && t.Description == "" }

// TextOf is the text of a stored record.
func TextOf(r *cve.Record) Text {
	if r.Rejected() {
		return Text{ID: r.ID}
	}
	return Text{ID: r.ID, Title: r.Title, Products: productWords(r), Description: r.Description}
}

// TextState says which texts there are, for an index that is kept elsewhere.
type TextState struct {
	Identity   string // of the catalogue, never given to another; "" until it has one
	Generation int64  // now
	Floor      int64  // changes before and at this generation are not known one by one
	Changed    int64  // the last generation that changed a text
}

// The keys of facts about the texts.
const (
	MetaIdentity  = "identity"
	MetaTextFloor = "text_floor"
)
