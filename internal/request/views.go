package request

// SavedView is a view as somebody keeps it.
type SavedView struct {
	Name   string
	Page   string
	Search string
	Shared bool
}

// SavedViewChange is what somebody changes of a view. Of what is nil nothing is said.
type SavedViewChange struct {
	Name   *string
	Search *string
	Shared *bool
}

// Marks asks for places in a list of findings.
type Marks struct {
	Findings
	Every int
}

// Trend selects a trend.
type Trend struct {
	Days int
	Site string // "" is all that the asker sees
}
