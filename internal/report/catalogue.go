package report

import "time"

// CatalogueState says which state of the catalogue an answer shows. Equal tags are equal states.
type CatalogueState struct {
	Tag     string
	Changed time.Time // not before the last change; zero is not known
}

// CVEList is the answer to GET /cves: the document of `cve search` with what lists by skip and limit have.
type CVEList struct {
	Search
	Total *int `json:"total"` // of all pages; null where skip was not asked for
	Skip  *int `json:"skip"`
	Limit int  `json:"limit"`
}

// IndicatorList is one page of indicators.
type IndicatorList struct {
	Items []Indicator `json:"items"`
	Next  Text        `json:"next"` // the cursor of the next page; null at the end
	Note  Text        `json:"note"` // which lists were never loaded
}

// IndicatorAnswers is what is known of values that were looked up, in their order.
type IndicatorAnswers struct {
	Answers []IndicatorAnswer `json:"answers"`
	Note    Text              `json:"note"` // which lists were never loaded
}

// IngestionRun is one run of a feed, or of records of one's own, as the catalogue remembers it.
type IngestionRun struct {
	ID int64 `json:"id"`
	FeedRun
}

// IngestionRunList is one page of runs, newest first.
type IngestionRunList struct {
	Runs []IngestionRun `json:"runs"`
	Next *int64         `json:"next"` // the cursor of the next page; null at the end
}

// MatchAnswer describes the JSON of a MatchLine.
type MatchAnswer struct {
	CPE            string       `json:"cpe"` // the line
	CPEs           []string     `json:"cpes"`
	CVEs           []MatchedCVE `json:"cves"`
	UnknownVersion int          `json:"unknown_version"`
	Error          Text         `json:"error"`
}

// MatchedCVE describes the JSON of one match of a MatchAnswer.
type MatchedCVE struct {
	ID         string   `json:"id"`
	Status     string   `json:"status"` // affected, conditional, uncertain
	MatchedCPE string   `json:"matched_cpe"`
	Needs      []string `json:"needs"`
	Confidence int      `json:"confidence"`
	Reason     string   `json:"reason"`
	FixedIn    Text     `json:"fixed_in"`
}
