package report

import "time"

// SLA is the organisation's own terms: within how many days findings are to be dealt with. 0 sets no term.
type SLA struct {
	Decision SLADecision `json:"decision"`
	Severity SLASeverity `json:"severity"`
	Source   string      `json:"source" enum:"file,settings" example:"settings" doc:"file: all of it is the configuration file's; settings: something was set here"`
	// File is what the configuration file says, which holds again for what is set to null.
	File      SLATerms   `json:"file"`
	ChangedAt *time.Time `json:"changed_at" doc:"null where nothing was set here"`
	By        Text       `json:"by"`
	JobID     *int64     `json:"job_id" example:"17" doc:"works the due dates out again; null where nothing changed"`
}

// SLATerms are terms by decision and by severity.
type SLATerms struct {
	Decision SLADecision `json:"decision"`
	Severity SLASeverity `json:"severity"`
}

// SLADecision is the days by decision; 0 sets no term.
type SLADecision struct {
	Act    int `json:"act" example:"3"`
	Attend int `json:"attend" example:"14"`
	Plan   int `json:"plan" example:"60"`
	Track  int `json:"track" example:"0"`
}

// SLASeverity is the days by severity; 0 sets no term.
type SLASeverity struct {
	Critical int `json:"critical" example:"7"`
	High     int `json:"high" example:"30"`
	Medium   int `json:"medium" example:"90"`
	Low      int `json:"low" example:"0"`
	Info     int `json:"info" example:"0"`
}
