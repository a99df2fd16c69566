package report

import (
	"io"
)

// Ingest is the document of `feeds ingest`.
type Ingest struct {
	Source   string         `json:"source"`
	Files    []string       `json:"files"`
	Run      FeedRun        `json:"run"`
	Rejected []RejectedLine `json:"rejected"` // the first lines that could not be used; run.reasons counts all
	Estate   *Rematch       `json:"estate"`
}

// RejectedLine is a line that could not be used.
type RejectedLine struct {
	Place  string `json:"place"`
	Reason string `json:"reason"`
}

// IngestTable says what became of the records.
func IngestTable(w io.Writer, doc Ingest, v View) error {
	p := &printer{w: w, view: v}
	r := doc.Run
	if r.Error != "" {
		p.text("Nothing was loaded: " + string(r.Error))
	} else {
		p.line("%s", v.paint(toneTitle, Plural(r.Seen, "record", "records")+" from source "+Plain(doc.Source)))
	}
	for _, row := range []struct {
		n    int
		what string
	}{{r.Inserted, "inserted"}, {r.Updated, "updated"}, {r.Unchanged, "unchanged"}, {max(r.Rejected, len(doc.Rejected)), "failed"}} {
		p.line("  %9s  %s", Thousands(row.n), row.what)
	}
	for _, line := range doc.Rejected {
		p.item("  ", line.Place+": "+line.Reason)
	}
	if more := r.Rejected - len(doc.Rejected); more > 0 && len(doc.Rejected) > 0 {
		p.item("  ", "… and "+Thousands(more)+" more")
	}
	p.rematch(doc.Estate)
	return p.err
}
