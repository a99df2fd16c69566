package report

import (
	"io"
	"slices"
)

// Search is the answer to `cve search`.
type Search struct {
	Query string     `json:"query"`
	Items []CVEBrief `json:"items"`
	More  bool       `json:"more"` // there are others beyond the limit
	Next  Text       `json:"next"` // --cursor of the page after this one; null at the end
	Note  Text       `json:"note"` // what should be known of the answer: the text index is being built
}

// CVEBrief is a CVE as lists show it.
type CVEBrief struct {
	ID        string   `json:"id"`
	Title     Text     `json:"title"`
	Published Date     `json:"published"`
	Severity  string   `json:"severity"`
	CVSS      *float64 `json:"cvss"`
	EPSS      *float64 `json:"epss"`
	KEV       *bool    `json:"kev"`

	Decision         Text     `json:"decision"` // assuming that the host is exposed
	Likelihood       *float64 `json:"likelihood"`
	LikelihoodSource Text     `json:"likelihood_source"` // epss, estimated
	PriorityScore    *float64 `json:"priority_score"`
	ScorePartial     bool     `json:"score_partial"`
}

// SearchTable lists what was found.
func SearchTable(w io.Writer, s Search, cat Catalogue, v View) error {
	p := &printer{w: w, view: v}
	if len(s.Items) == 0 {
		p.text(nothingFound(s.Query))
		p.note(s.Note)
		p.catalogue(cat)
		return p.err
	}
	g := &grid{columns: []column{
		{Title: "CVE"}, {Title: "PUBLISHED", Optional: 1}, {Title: "CVSS", Right: true}, {Title: "EPSS", Right: true}, {Title: "KEV"},
		{Title: "DECISION", Optional: 2}, {Title: "TITLE", Flex: 20},
	}}
	for _, c := range s.Items {
		noEPSS, noKEV := missing, missing
		if !cat.Synced("epss") && !v.narrow() {
			noEPSS = "not synced"
		}
		g.add(cellValue{text: c.ID}, cellValue{text: c.Published.String()},
			cellValue{orMissing(number(c.CVSS, 1)), severityTone(c.Severity)},
			either(probability(c.EPSS, c.Likelihood, c.LikelihoodSource, 4), noEPSS, toneNone), kevCell(Finding{KEV: c.KEV}, noKEV),
			cellValue{orMissing(string(c.Decision)), decisionTone(string(c.Decision))}, cellValue{text: orMissing(string(c.Title))})
	}
	if p.err = g.draw(w, v.Terminal); p.err == nil && s.More {
		p.line("%s", v.paint(toneFaint, "… there are more: narrow the search, or --limit N"))
	}
	p.legend(slices.ContainsFunc(s.Items, func(c CVEBrief) bool { return estimated(c.EPSS, c.Likelihood, c.LikelihoodSource) }))
	p.note(s.Note)
	p.catalogue(cat)
	return p.err
}

func nothingFound(words string) string {
	if words == "" {
		return "Nothing found."
	}
	return "Nothing found for “" + words + "”."
}

// note says what should be known of an answer.
func (p *printer) note(note Text) {
	if note != "" {
		p.line("")
		p.text("Note: " + string(note))
	}
}
