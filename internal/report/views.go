package report

import "time"

// SavedView is a page with what was chosen on it, under a name.
type SavedView struct {
	ID        int64     `json:"id" example:"3"`
	Name      string    `json:"name" example:"What is due this week"`
	Page      string    `json:"page" example:"findings"`
	Search    string    `json:"search" example:"?decision=act&sort=due" doc:"what stands behind the page's path in its address"`
	Shared    bool      `json:"shared" example:"false" doc:"everybody sees it; which findings it shows depends on who looks"`
	By        string    `json:"by" example:"anna"`
	Mine      bool      `json:"mine" example:"true" doc:"the asker's own"`
	CreatedAt time.Time `json:"created_at"`
}

// SavedViewList is the views of one asker: the own ones and those that others share.
type SavedViewList struct {
	Views []SavedView `json:"views"`
}
