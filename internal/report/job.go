package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// JobList is a page of background jobs, newest first.
type JobList struct {
	Jobs []Job   `json:"jobs"`
	Next *string `json:"next" example:"17" doc:"the cursor of the next page, null on the last"`
}

// Job is a piece of background work.
type Job struct {
	ID          int64           `json:"id" example:"17"`
	Kind        string          `json:"kind" enum:"scan,tool,import,ingest,feeds,rematch,triage,purge,report,paths" example:"import"`
	State       string          `json:"state" enum:"queued,running,done,dead,cancelled" example:"running" doc:"dead: failed as often as it may; it can be retried"`
	Cancelling  bool            `json:"cancelling" example:"false" doc:"somebody wants the running job to end"`
	Site        Text            `json:"site" example:"default" doc:"that it concerns"`
	Lane        Text            `json:"lane" example:"branch-office" doc:"the site whose own workers run it; null: the server's"`
	Scan        *int64          `json:"scan_id" example:"42" doc:"that it belongs to"`
	By          Text            `json:"by" example:"anna"`
	Priority    int             `json:"priority" example:"0" doc:"smaller first"`
	Attempt     int             `json:"attempt" example:"1" doc:"that runs, or the last one; 0 before the first"`
	MaxAttempts int             `json:"max_attempts" example:"3"`
	Percent     float64         `json:"percent" example:"40" minimum:"0" maximum:"100"`
	Stage       Text            `json:"stage" example:"reading"`
	Error       Text            `json:"error" example:"read report.xml: line 3: unexpected end" doc:"of the last attempt"`
	Worker      Text            `json:"worker" example:"process 4711 on host7" doc:"that runs or ran it"`
	CreatedAt   time.Time       `json:"created_at" example:"2027-01-31T09:00:00Z"`
	RunAt       *time.Time      `json:"run_at" example:"2027-01-31T09:05:00Z" doc:"not before; null is at once"`
	StartedAt   *time.Time      `json:"started_at" example:"2027-01-31T09:00:01Z"`
	FinishedAt  *time.Time      `json:"finished_at" example:"2027-01-31T09:01:00Z"`
	Result      json.RawMessage `json:"result" doc:"what it came to, as its kind has it; null before its end, and in lists"`
}

// JobTable lists jobs for people, in the order given.
func JobTable(w io.Writer, jobs []Job, t Terminal) error {
	if len(jobs) == 0 {
		_, err := fmt.Fprintln(w, "No jobs.")
		return err
	}
	g := &grid{columns: []column{
		{Title: "ID", Right: true}, {Title: "KIND"}, {Title: "STATE"}, {Title: "SCAN", Right: true}, {Title: "SITE", Optional: 1}, {Title: "BY", Flex: 6},
		{Title: "CREATED"}, {Title: "ATTEMPT", Optional: 2}, {Title: "WHAT", Flex: 12},
	}}
	for _, j := range jobs {
		scan := ""
		if j.Scan != nil {
			scan = fmt.Sprint(*j.Scan)
		}
		row := plainCells(fmt.Sprint(j.ID), j.Kind, j.State, scan, string(j.Site), string(j.By), j.CreatedAt.UTC().Format("2006-01-02 15:04"),
			fmt.Sprintf("%d of %d", j.Attempt, j.MaxAttempts), j.what())
		row[2].tone = map[string]tone{"dead": toneUrgent, "running": toneMedium, "done": toneFaint, "cancelled": toneFaint}[j.State]
		g.add(row...)
	}
	return g.draw(w, t)
}

// what says in a few words where a job is.
func (j Job) what() string {
	switch {
	case j.Error != "":
		return string(j.Error)
	case j.Cancelling && j.State == "running":
		return "comes to its end"
	case j.State == "running":
		return strings.TrimSpace(fmt.Sprintf("%.0f %% %s", j.Percent, j.Stage))
	}
	return ""
}

// JobDetail writes one job for people.
func JobDetail(w io.Writer, j Job) error {
	lines := [][2]string{
		{"Job", fmt.Sprintf("%d, %s, %s", j.ID, j.Kind, j.State)}, {"Site", string(j.Site)}, {"By", string(j.By)},
		{"Attempt", fmt.Sprintf("%d of %d", j.Attempt, j.MaxAttempts)}, {"Worker", string(j.Worker)}, {"Now", j.progress()}, {"Error", string(j.Error)},
		{"Created", second(&j.CreatedAt)}, {"Not before", second(j.RunAt)}, {"Started", second(j.StartedAt)}, {"Finished", second(j.FinishedAt)},
	}
	if j.Scan != nil {
		lines = append(lines, [2]string{"Scan", fmt.Sprint(*j.Scan)})
	}
	if len(j.Result) > 0 {
		lines = append(lines, [2]string{"Result", string(j.Result)})
	}
	for _, l := range lines {
		if l[1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%-11s %s\n", l[0], Plain(l[1])); err != nil {
			return err
		}
	}
	return nil
}

func (j Job) progress() string {
	if j.State != "running" {
		return ""
	}
	return Job{State: j.State, Cancelling: j.Cancelling, Percent: j.Percent, Stage: j.Stage}.what()
}

// second is a time for people, "" for none.
func second(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 MST")
}
