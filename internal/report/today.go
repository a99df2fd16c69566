package report

import "time"

// Today is what to act on now. It counts confirmed findings that are open and that nobody set aside, but for Counts, which
// also has the potential ones.
type Today struct {
	Since   *time.Time    `json:"since" doc:"the asker's last visit; null: not known"`
	Counts  FindingCounts `json:"counts"`
	Overdue int           `json:"overdue" example:"4" doc:"due before today"`
	Urgent  Urgent        `json:"urgent" doc:"what is overdue or due within three days: the findings due before the day after by"`
	DueSoon []DueDay      `json:"due_soon" doc:"today and the 13 days after it"`
	Actions []Group       `json:"actions" doc:"what to do first, and how much it solves; at most 10"`
	// NewlyExploited rests on the day on which CISA added a CVE.
	NewlyExploited []Exploited `json:"newly_exploited" doc:"CVEs that CISA added to its catalogue of known exploited vulnerabilities (KEV) in the last 90 days, newest first, at most 20"`
	Risk           TodayRisk   `json:"risk"`
	KEVKnown       bool        `json:"kev_known" example:"true" doc:"false: KEV was never loaded, so that none in newly_exploited says nothing"`
	Changes        *Changes    `json:"changes" doc:"since the last visit; null when that is not known"`
	Feeds          []FeedState `json:"feeds" doc:"those that are on or have data"`
	First          FirstSteps  `json:"first"`
}

// Urgent is what needs action now, and where.
type Urgent struct {
	Findings int  `json:"findings" example:"3"`
	Hosts    int  `json:"hosts" example:"2" doc:"that have them"`
	KEV      int  `json:"kev" example:"1" doc:"of the findings, those known to be exploited"`
	By       Date `json:"by" example:"2026-11-26" doc:"the last day on which one is due; yesterday when all are overdue, null without any"`
}

// TodayRisk are the findings that attack paths gain most from.
type TodayRisk struct {
	At       *time.Time    `json:"at" doc:"when attack paths ran last; null: never"`
	Findings []RiskFinding `json:"findings" doc:"those whose fixing takes most off the risk, the most first; at most 5"`
	Total    int           `json:"total" example:"43" doc:"open findings whose fixing takes anything off"`
}

// RiskFinding is a finding of TodayRisk.
type RiskFinding struct {
	ID          int64   `json:"id" example:"12"`
	HostID      int64   `json:"host_id" example:"5"`
	Host        string  `json:"host" example:"192.168.1.20"`
	Site        string  `json:"site" example:"default"`
	Weakness    string  `json:"weakness" example:"CVE-2024-6387"`
	Title       Text    `json:"title"`
	RiskRemoved float64 `json:"risk_removed" example:"0.35"`
}

// DueDay is how many findings are due on a day.
type DueDay struct {
	Day      Date `json:"day" example:"2026-11-24"`
	Findings int  `json:"findings" example:"7"`
}

// Exploited is a CVE that is known to be exploited, with what it touches.
type Exploited struct {
	CVE        string `json:"cve" example:"CVE-2024-6387"`
	Title      Text   `json:"title" doc:"as KEV calls it"`
	Since      Date   `json:"since" example:"2026-11-18" doc:"the day on which CISA added it to KEV"`
	Ransomware bool   `json:"ransomware" example:"false" doc:"KEV knows of its use in ransomware campaigns"`
	Findings   int    `json:"findings" example:"12"`
	Hosts      int    `json:"hosts" example:"9"`
}

// Changes are what happened since a moment. A finding that a person set aside is in none of them.
type Changes struct {
	New      int `json:"new" example:"14" doc:"open findings first seen since"`
	Fixed    int `json:"fixed" example:"31" doc:"looked for again since and not there any more; not what people closed or set aside"`
	Reopened int `json:"reopened" example:"1" doc:"open findings that had ended and were seen again since"`
	Scans    int `json:"scans" example:"2" doc:"completed since"`
	Imports  int `json:"imports" example:"3" doc:"completed since"`
	KEV      int `json:"kev" example:"1" doc:"CVEs of open findings that CISA added to KEV since, by its day"`
}

// FirstSteps say what has been done at all, for who begins.
type FirstSteps struct {
	Scans   bool `json:"scans" example:"true" doc:"something was scanned"`
	Imports bool `json:"imports" example:"false" doc:"a report was imported"`
	Feeds   bool `json:"feeds" example:"true" doc:"a feed was loaded, beyond the catalogue that comes with the program"`
}
