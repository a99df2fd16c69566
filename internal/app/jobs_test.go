package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/api"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
)

// someJobs are: an import of site a by anna, a scan's tool of site b, the feeds by the system, a triage over all by anna.
func someJobs(t *testing.T, a *App) []job.Job {
	t.Helper()
	kept, err := a.store.Jobs().Enqueue(context.Background(),
		job.Job{Kind: job.Import, Site: "a", By: "anna", Args: json.RawMessage(`{"file":"x"}`)}, job.Job{Kind: job.Tool, Site: "b", Scan: 7, By: "ben"},
		job.Job{Kind: job.Feeds, By: "system"}, job.Job{Kind: job.Triage, By: "anna"})
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func TestJobsAreSeenBySiteAndByWhoAsked(t *testing.T) {
	a, ctx := open(t), context.Background()
	kept := someJobs(t, a)
	for name, c := range map[string]struct {
		who  auth.Identity
		want []int
	}{
		"an administrator": {auth.ForCommand("root"), []int{3, 2, 1, 0}},
		"anna of site a":   {auth.Identity{Name: "anna", Role: auth.Analyst, View: auth.OfSites("a")}, []int{3, 0}},
		"ben of site b":    {auth.Identity{Name: "ben", Role: auth.Viewer, View: auth.OfSites("b")}, []int{1}},
		"nobody":           {auth.Identity{}, nil},
	} {
		seen := a.For(c.who)
		doc, err := seen.Jobs(ctx, request.Jobs{})
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, j := range doc.Jobs {
			got = append(got, slices.IndexFunc(kept, func(k job.Job) bool { return k.ID == j.ID }))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s sees %v, want %v", name, got, c.want)
		}
		for i, k := range kept {
			if _, err := seen.Job(ctx, k.ID); (err == nil) != slices.Contains(c.want, i) || err != nil && fault.KindOf(err) != fault.KindNotFound {
				t.Errorf("%s asks for job %d: %v", name, i, err)
			}
		}
	}
}

func TestJobsAreCancelledAndRetriedByWhoMay(t *testing.T) {
	a, ctx := open(t), context.Background()
	kept := someJobs(t, a)
	anna := a.For(auth.Identity{Name: "anna", Role: auth.Analyst, View: auth.OfSites("a")})
	if j, err := anna.CancelJob(ctx, kept[0].ID); err != nil || j.State != "cancelled" || j.FinishedAt == nil {
		t.Errorf("anna cancels her import: %+v %v", j, err)
	}
	if j, err := anna.RetryJob(ctx, kept[0].ID); err != nil || j.State != "queued" {
		t.Errorf("anna retries her import: %+v %v", j, err)
	}
	if _, err := anna.CancelJob(ctx, kept[1].ID); fault.KindOf(err) != fault.KindNotFound {
		t.Errorf("anna cancels what she does not see: %v", err)
	}
	all := a.For(auth.Identity{Name: "carl", Role: auth.Analyst, View: auth.Everything()})
	if _, err := all.CancelJob(ctx, kept[2].ID); fault.KindOf(err) != fault.KindDenied {
		t.Errorf("an analyst cancels the feeds: %v", err)
	}
	if _, err := all.RetryJob(ctx, kept[1].ID); fault.KindOf(err) != fault.KindConflict {
		t.Errorf("retrying what waits: %v", err)
	}
	if j, err := a.CancelJob(ctx, kept[2].ID); err != nil || j.State != "cancelled" {
		t.Errorf("the administrator cancels the feeds: %+v %v", j, err)
	}
}

func TestJobsOverTheAPI(t *testing.T) {
	a := open(t)
	kept := someJobs(t, a)
	who := auth.Identity{Kind: auth.Session, Name: "root", Role: auth.Admin, View: auth.Everything()}
	server := api.New(api.Options{Version: "test", Desk: func(who auth.Identity) api.Desk { return a.For(who) },
		Authenticate: func(*http.Request) (auth.Identity, error) { return who, nil }})
	web := httptest.NewServer(server.Handler())
	t.Cleanup(web.Close)
	ask := func(method, path string, into any) int {
		t.Helper()
		r, err := http.NewRequestWithContext(context.Background(), method, web.URL+"/api/v1"+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close() //nolint:errcheck // read to its end
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if into != nil {
			if err := json.Unmarshal(body, into); err != nil {
				t.Fatalf("%s %s: %s: %v", method, path, body, err)
			}
		}
		return resp.StatusCode
	}
	var seen []int64
	for path := "/jobs?limit=3"; path != ""; {
		var page report.JobList
		if status := ask("GET", path, &page); status != http.StatusOK {
			t.Fatal(status)
		}
		for _, j := range page.Jobs {
			seen = append(seen, j.ID)
		}
		path = ""
		if page.Next != nil {
			path = "/jobs?limit=3&cursor=" + *page.Next
		}
	}
	if len(seen) != 4 || !slices.IsSortedFunc(seen, func(x, y int64) int { return int(y - x) }) {
		t.Errorf("pages of %v", seen)
	}
	var filtered report.JobList
	if ask("GET", "/jobs?kind=tool,feeds&state=queued&scan=7", &filtered); len(filtered.Jobs) != 1 || filtered.Jobs[0].ID != kept[1].ID {
		t.Errorf("filtered: %+v", filtered)
	}
	for path, want := range map[string]int{"/jobs?kind=nap": 422, "/jobs?state=asleep": 422, "/jobs?cursor=x": 422, "/jobs?cursor=999999999999999999": 200, "/jobs/0": 422, "/jobs/999": 404} {
		if got := ask("GET", path, nil); got != want {
			t.Errorf("%s answers %d, want %d", path, got, want)
		}
	}
	var j report.Job
	id := fmt.Sprintf("/jobs/%d", kept[1].ID)
	if status := ask("POST", id+"/retry", nil); status != http.StatusConflict {
		t.Errorf("retrying what waits answers %d", status)
	}
	if status := ask("POST", id+"/cancel", &j); status != http.StatusAccepted || j.State != "cancelled" {
		t.Errorf("cancel: %d %+v", status, j)
	}
	if status := ask("POST", id+"/retry", &j); status != http.StatusAccepted || j.State != "queued" {
		t.Errorf("retry: %d %+v", status, j)
	}
	who.Role = auth.Viewer
	if status := ask("POST", id+"/cancel", nil); status != http.StatusForbidden {
		t.Errorf("a viewer's cancel answers %d", status)
	}
}

func TestTheServersOwnJobsComeWhenTheyAreDue(t *testing.T) {
	a, ctx := open(t), context.Background()
	now := time.Date(2027, 2, 1, 12, 0, 0, 0, time.Local)
	a.now = func() time.Time { return now }
	s := a.scheduler()
	kinds := func(wait time.Duration) string {
		t.Helper()
		now = now.Add(wait)
		if err := s.Look(ctx); err != nil {
			t.Fatal(err)
		}
		doc, err := a.Jobs(ctx, request.Jobs{})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, j := range doc.Jobs {
			out = append(out, j.Kind)
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	if got := kinds(0); got != "" {
		t.Errorf("at once: %s", got)
	}
	if got := kinds(11 * time.Minute); got != "feeds" { // none was ever loaded
		t.Errorf("after minutes: %s", got)
	}
	if got := kinds(24 * time.Hour); got != "feeds purge triage" { // of each one that is not over
		t.Errorf("after a day: %s", got)
	}
	if got := kinds(24 * time.Hour); got != "feeds purge triage" {
		t.Errorf("while they wait: %s", got)
	}
}
