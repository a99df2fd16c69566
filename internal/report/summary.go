package report

import "time"

// Summary is a scan on one page.
type Summary struct {
	Scan      Run           `json:"scan"`
	Counts    FindingCounts `json:"counts"`
	Hosts     int           `json:"hosts" example:"12" doc:"that it saw"`
	HostsUp   int           `json:"hosts_up" example:"9"`
	Services  int           `json:"services" example:"31"`
	Top       []Finding     `json:"top" doc:"the most urgent findings"`
	Remedies  []Group       `json:"remedies" doc:"what to do first, and how much it solves"`
	WorstHost []Group       `json:"hosts_first" doc:"the hosts with the most urgent findings"`
	Formats   []string      `json:"formats" example:"[\"json\",\"csv\",\"sarif\"]" doc:"of its export"`
	CreatedAt time.Time     `json:"created_at" example:"2026-11-20T08:30:00Z" doc:"when this summary was made"`
}

// Task is one tool run of a scan.
type Task struct {
	N          int        `json:"n" example:"3"`
	Scanner    string     `json:"scanner" example:"nmap"`
	Stage      string     `json:"stage" enum:"discovery,services,web" example:"services"`
	Hosts      int        `json:"hosts" example:"16"`
	Targets    []string   `json:"targets" example:"[\"192.168.1.16\"]" doc:"the first of them"`
	Status     string     `json:"status" example:"completed"`
	Attempts   int        `json:"attempts" example:"1"`
	Version    Text       `json:"version" example:"7.93" doc:"of the tool"`
	Error      Text       `json:"error"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
}

// TaskList is a scan's tasks, in the order in which they were made.
type TaskList struct {
	Tasks []Task `json:"tasks"`
	Total int    `json:"total" example:"3"`
}

// ScanHost is what a scan learned of one of its addresses or names.
type ScanHost struct {
	ID      *int64 `json:"id" doc:"of the host; null for one that did not answer"`
	Address Text   `json:"address"`
	Name    Text   `json:"name"`
	Status  string `json:"status" example:"up" doc:"up, down, unknown"`
	Reason  Text   `json:"reason"`
}

// ScanHostList is a page of them.
type ScanHostList struct {
	Hosts []ScanHost `json:"hosts"`
	Total int        `json:"total" example:"12"`
	Skip  int        `json:"skip" example:"0"`
	Limit int        `json:"limit" example:"100"`
}
