package report

// Comparison says what a scan found otherwise than one before it.
type Comparison struct {
	Scan     int64          `json:"scan" example:"42" doc:"the later one"`
	With     *int64         `json:"with" example:"41" doc:"the earlier one; null where none before looked at the same targets"`
	Counts   *CompareCounts `json:"counts" doc:"null without an earlier one"`
	What     string         `json:"what" enum:"new,fixed,unchanged,not_looked" example:"new" doc:"which findings follow"`
	Findings []Finding      `json:"findings"`
	Next     *string        `json:"next" example:"AK76jMuiAqSADnJhbms6YXNj" doc:"the cursor of the next page; null at the end"`
}

// CompareCounts are how many findings of two scans came, went and stayed.
type CompareCounts struct {
	New       int `json:"new" example:"3" doc:"the later scan saw them, the earlier one did not"`
	Fixed     int `json:"fixed" example:"5" doc:"the later scan looked there again and they are gone"`
	Unchanged int `json:"unchanged" example:"20" doc:"both saw them"`
	NotLooked int `json:"not_looked" example:"2" doc:"the later scan did not see them, and did not look there to the end: they may still be there"`
}
