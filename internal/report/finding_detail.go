package report

// FindingCounts is what a list of findings comes to. All but Total count confirmed findings only.
type FindingCounts struct {
	Total      int            `json:"total" example:"31" doc:"findings, confirmed and potential"`
	Confirmed  int            `json:"confirmed" example:"12"`
	KEV        int            `json:"kev" example:"1" doc:"known to be exploited"`
	BySeverity map[string]int `json:"by_severity" example:"{\"critical\":2,\"high\":10}"`
	ByDecision map[string]int `json:"by_decision" example:"{\"act\":1,\"attend\":11}"`
}

// FindingHistory is everything that happened to a finding, oldest first.
type FindingHistory struct {
	Finding int64         `json:"finding" example:"17"`
	History []HistoryLine `json:"history"`
}

// Retired says how many findings ended, or would.
type Retired struct {
	Ended   int  `json:"ended" example:"3"`
	Preview bool `json:"preview" example:"true"`
}

// Vulnerability is a finding with everything that is known of it: its evidence and history, where it is, and its CVE. The
// fields of the original design stand at the top.
type Vulnerability struct {
	Finding
	Explanation  []Sentence `json:"explanation"`   // plain words, most important first
	HostFacts    Host       `json:"host_facts"`    // with what answers on it
	ServiceFacts *Service   `json:"service_facts"` // what answers at the port; null for what has none
	CVEFacts     *CVE       `json:"cve_facts"`     // null for a check without a CVE, and for one that the catalogue does not hold
}

// ExploitList is what is published that exploits a finding's CVE.
type ExploitList struct {
	Finding  int64     `json:"finding" example:"17"`
	CVE      Text      `json:"cve"`
	Exploits []Exploit `json:"exploits"`
}

// FindingItems is a page of a scan's findings, as the original design numbers pages.
type FindingItems struct {
	Items []Finding `json:"items"`
	Total int       `json:"total" example:"1"`
	Skip  int       `json:"skip" example:"0"`
	Limit int       `json:"limit" example:"100"`
}
