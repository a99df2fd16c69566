package app

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

func TestWhoMaySeeShareAndChangeViews(t *testing.T) {
	d := openDoor(t, nil)
	root, anna, ben, vera := d.user("root", auth.Admin, false), d.user("anna", auth.Analyst, false), d.user("ben", auth.Analyst, false), d.user("vera", auth.Viewer, false)
	hers := []string{"Authorization", "Bearer " + d.token(anna, auth.Analyst)}
	as := func(u auth.User) []string { return d.session(u) }
	save := func(body string, want int, headers ...string) (v report.SavedView) {
		t.Helper()
		resp, text := d.ask("POST", "/api/v1/views", body, headers...)
		if resp.StatusCode != want {
			t.Fatalf("%s: %d %s", body, resp.StatusCode, text)
		}
		_ = json.Unmarshal([]byte(text), &v)
		return v
	}
	private := save(`{"name":"my plans","page":"findings","search":"?kev=true"}`, 201, hers...)
	shared := save(`{"name":"ours","page":"findings","search":"?decision=act","shared":true}`, 201, as(anna)...)
	if private.By != "anna" || !private.Mine || private.Shared || shared.Search != "?decision=act" {
		t.Errorf("%+v, %+v", private, shared)
	}
	save(`{"name":"ours","page":"findings","search":""}`, 409, as(anna)...)
	save(`{"name":"my plans","page":"findings","search":""}`, 409, as(anna)...)
	save(`{"name":"mine","page":"findings","search":"","shared":true}`, 403, as(vera)...)
	save(`{"name":"mine","page":"findings","search":""}`, 201, as(vera)...)
	save(`{"name":"long","page":"findings","search":"`+strings.Repeat("x", 4097)+`"}`, 422, as(vera)...)
	save(`{"name":"a\u0007b","page":"findings","search":""}`, 422, as(vera)...)
	save(`{"name":"x","page":"https://example.org/","search":""}`, 422, as(vera)...)

	for _, step := range []struct {
		who    auth.User
		method string
		id     int64
		body   string
		want   int
	}{
		{ben, "PATCH", private.ID, `{"name":"his"}`, 404}, {root, "PATCH", private.ID, `{"name":"his"}`, 404}, {ben, "DELETE", private.ID, "", 404},
		{ben, "PATCH", shared.ID, `{"name":"his"}`, 403}, {ben, "DELETE", shared.ID, "", 403}, {vera, "DELETE", shared.ID, "", 403},
		{root, "PATCH", shared.ID, `{"name":"Ours, all of us"}`, 200}, {anna, "PATCH", shared.ID, `{"search":"?decision=attend"}`, 200},
		{anna, "PATCH", shared.ID, `{"shared":false}`, 200}, {ben, "PATCH", shared.ID, `{"name":"his"}`, 404}, {anna, "PATCH", shared.ID, `{"shared":true}`, 200},
		{vera, "PATCH", 3, `{"shared":true}`, 403}, {root, "DELETE", 987654321, "", 404},
	} {
		resp, text := d.ask(step.method, fmt.Sprintf("/api/v1/views/%d", step.id), step.body, as(step.who)...)
		if resp.StatusCode != step.want {
			t.Errorf("%s %s %d %s: %d %s", step.who.Name, step.method, step.id, step.body, resp.StatusCode, text)
		}
	}
	for name, want := range map[string][]string{"anna": {"my plans", "Ours, all of us"}, "ben": {"Ours, all of us"}, "vera": {"mine", "Ours, all of us"}} {
		who := map[string]auth.User{"anna": anna, "ben": ben, "vera": vera}[name]
		_, text := d.ask("GET", "/api/v1/views", "", as(who)...)
		var list report.SavedViewList
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range list.Views {
			got = append(got, v.Name)
			if v.Mine != (v.By == name) {
				t.Errorf("%s sees %+v", name, v)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s sees %v, want %v", name, got, want)
		}
	}
	if resp, text := d.ask("DELETE", fmt.Sprintf("/api/v1/views/%d", shared.ID), "", as(root)...); resp.StatusCode != 204 {
		t.Errorf("an admin removes what another shares: %d %s", resp.StatusCode, text)
	}

	told := map[string]bool{}
	for _, e := range d.trail() {
		if strings.HasPrefix(e.Action, "view.") {
			told[fmt.Sprintf("%s %s %s %s %s", e.Who, e.Action, e.Subject, e.Outcome, e.Detail)] = true
		}
		if strings.Contains(e.Detail, "my plans") {
			t.Errorf("the trail tells what somebody keeps for himself: %+v", e)
		}
	}
	of := func(id int64) string { return fmt.Sprintf("view %d", id) }
	for _, want := range []string{
		"anna view.add " + of(shared.ID) + ` ok shared, "ours" of findings`,
		"root view.change " + of(shared.ID) + ` ok shared, "Ours, all of us" of findings`,
		"root view.remove " + of(shared.ID) + ` ok shared, "Ours, all of us" of findings`,
	} {
		if !told[want] {
			t.Errorf("the trail does not tell %q: %v", want, told)
		}
	}
}

// Where nobody has to log in, views are everybody's own; they are still there, and apart, when people log in.
func TestViewsWhereNobodyLogsIn(t *testing.T) {
	onBoth(t, func(t *testing.T, a *App) {
		c := serving(t, a)
		c.who = auth.Identity{Kind: auth.Off, Name: "anybody", Role: auth.Admin, View: auth.Everything()}
		var v report.SavedView
		c.want(201, "POST", "/api/v1/views", map[string]any{"name": "mine", "page": "findings", "search": "?kev=true"}, &v)
		c.want(200, "PATCH", fmt.Sprintf("/api/v1/views/%d", v.ID), map[string]any{"name": "yours"}, &v)
		var list report.SavedViewList
		c.want(200, "GET", "/api/v1/views", nil, &list)
		if len(list.Views) != 1 || !list.Views[0].Mine || list.Views[0].Name != "yours" || list.Views[0].By != "anybody" {
			t.Errorf("%+v", list)
		}
		c.who = auth.Identity{Kind: auth.Session, Name: "anybody", User: 7, Role: auth.Admin, View: auth.Everything()}
		c.want(200, "GET", "/api/v1/views", nil, &list)
		if len(list.Views) != 0 {
			t.Errorf("somebody who logged in sees %+v", list)
		}
	})
}
