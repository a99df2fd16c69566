package report

import "time"

// Initiated is the answer to who asked for a scan: it will happen, under this number.
type Initiated struct {
	ScanID    int64     `json:"scan_id" example:"42"`
	ID        int64     `json:"id" example:"42" doc:"the same as scan_id"`
	Target    string    `json:"target" example:"192.168.1.0/24" doc:"the first target"`
	Targets   []string  `json:"targets" example:"[\"192.168.1.0/24\"]"`
	Status    string    `json:"status" enum:"pending,running,completed,failed" example:"pending"`
	CreatedAt time.Time `json:"created_at"`
	Progress  float64   `json:"progress" example:"0"`
}

// ScanStatus is where a scan stands. Status has the four values of the contract: a cancelled scan is failed with reason
// "cancelled", a paused one is running with Paused.
type ScanStatus struct {
	Initiated
	ScanType    Text       `json:"scan_type" enum:"quick,standard,full,web" example:"standard" doc:"null of an import"`
	Kind        string     `json:"kind" enum:"scan,import" example:"scan"`
	Site        string     `json:"site" example:"default"`
	By          string     `json:"by" example:"anna"`
	Reason      *string    `json:"reason" example:"cancelled" doc:"why a failed scan failed"`
	Paused      bool       `json:"paused" example:"false"`
	StartedAt   *time.Time `json:"started_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Stage       string     `json:"stage" example:"nmap: services"`
	ETA         *int64     `json:"eta_s" example:"190" doc:"seconds that are left; null when that is not known"`
	Tasks       TaskCount  `json:"tasks"`
	Scanners    []Scanner  `json:"scanners"`
	Hosts       int        `json:"hosts" example:"12" doc:"that answered so far"`
	Findings    int        `json:"findings" example:"31" doc:"that it saw so far"`
	Problems    []Problem  `json:"problems" nullable:"true" doc:"targets that are not known to be clean, the first 100; null in lists and before the end"`
	New         *int       `json:"new_findings" example:"4" doc:"that the baseline scan did not see; null without a baseline, or before the end"`
}

// ScanStatusList is a page of scans, newest first. Who pages by numbers (skip and limit) finds the same scans in Items.
type ScanStatusList struct {
	Scans []ScanStatus `json:"scans"`
	Total int          `json:"total" example:"1" doc:"of all pages"`
	Next  *string      `json:"next" example:"42" doc:"the cursor of the next page, null on the last"`
	Items []ScanStatus `json:"items,omitempty" doc:"the same, where skip was given"`
	Skip  int          `json:"skip" example:"0"`
	Limit int          `json:"limit" example:"100"`
}
