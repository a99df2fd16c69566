package report

// FindingMarks are places in a list of findings, so that a table can begin anywhere in it.
type FindingMarks struct {
	Total int    `json:"total" example:"1000000" doc:"findings of the list"`
	Every int    `json:"every" example:"1000" doc:"findings from one mark to the next"`
	Marks []Text `json:"marks" doc:"mark i is the cursor with which the list begins at row i * every; the first is null, the beginning"`
}
