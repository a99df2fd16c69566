package report

// Trend is how many findings were open day by day.
type Trend struct {
	Days  []TrendDay `json:"days" doc:"oldest first, up to today; none before since"`
	Since Date       `json:"since" example:"2026-09-01" doc:"the first day on which anything was looked at: nothing is known of those before; null when nothing was"`
}

// TrendDay is one day (UTC). Open is what was open the day before, and Opened less Fixed less Closed.
type TrendDay struct {
	Day    Date `json:"day" example:"2026-11-20"`
	Open   int  `json:"open" example:"1240" doc:"at the end of the day; today: now"`
	Opened int  `json:"opened" example:"12" doc:"first seen, or seen again after they had ended"`
	Fixed  int  `json:"fixed" example:"31" doc:"looked for again and not there any more"`
	Closed int  `json:"closed" example:"2" doc:"ended for another reason: a host or scanner was retired, the catalogue withdrew it, a person's word"`
}
