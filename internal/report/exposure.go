package report

// Exposure is the matrix of ATT&CK techniques with the findings that lead to each.
type Exposure struct {
	Tactics    []ExposureTactic    `json:"tactics"`    // in the order of the matrix
	Techniques []ExposureTechnique `json:"techniques"` // by id
	Notices    []string            `json:"notices"`
}

// ExposureTactic is a column of the matrix.
type ExposureTactic struct {
	ID    string `json:"id" example:"TA0001"`
	Name  string `json:"name" example:"Initial Access"`
	Short string `json:"short" example:"initial-access"`
}

// ExposureTechnique is a technique with what leads to it: confirmed findings that stand. One that has sub-techniques counts
// what leads to any of them too, each finding once.
type ExposureTechnique struct {
	ID       string   `json:"id" example:"T1190"`
	Name     string   `json:"name" example:"Exploit Public-Facing Application"`
	Tactics  []string `json:"tactics" example:"[\"initial-access\"]" doc:"short names"`
	Parent   Text     `json:"parent" doc:"of a sub-technique"`
	Findings int      `json:"findings" example:"31"`
	Hosts    int      `json:"hosts" example:"12"`
	KEV      *int     `json:"kev" example:"1" doc:"how many of the findings are known to be exploited; null where CISA's list was never loaded"`
	Decision Text     `json:"decision" doc:"of the most urgent one; null where there is none"`
}
