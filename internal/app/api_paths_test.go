package app

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/report"
)

func TestAttackPathsByTheAPI(t *testing.T) {
	c := known(t)
	var list report.FindingList
	c.want(200, "GET", "/api/v1/findings?limit=1", nil, &list)
	finding, host, scan := list.Findings[0].ID, list.Findings[0].HostID, list.Findings[0].Evidence[0].ScanID
	var whole, seen report.Paths
	first := c.want(200, "GET", "/api/v1/attack-paths?fixes=true", nil, &whole)
	c.want(200, "GET", fmt.Sprintf("/api/v1/attack-paths/%d", scan), nil, &seen)
	if whole.Totals.Hosts == 0 || whole.Scan != nil || seen.Scan == nil || *seen.Scan != scan || len(whole.Notices) == 0 {
		t.Errorf("the estate: %+v, scan %d: %+v", whole.Totals, scan, seen.Totals)
	}
	if again := c.do("GET", "/api/v1/attack-paths?fixes=true", nil, "If-None-Match", first.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("the same once more: %d", again.status)
	}
	for _, path := range []string{"attack-paths/critical", fmt.Sprintf("attack-paths/%d/critical", scan), "attack-paths/fixes", "attack-paths/map", "attack-paths/policy", "attack-paths/corrections",
		fmt.Sprintf("attack-paths/hosts/%d?direction=backward", host), "attack-paths/export?format=navigator", fmt.Sprintf("attack-paths?to=%d&from=internet&assume=flat", host)} {
		c.want(200, "GET", "/api/v1/"+path, nil, nil)
	}
	c.want(200, "POST", "/api/v1/attack-paths/what-if", map[string]any{"findings": []int64{finding}, "rules": []map[string]any{{"from": "internet", "to": "any", "allow": false}}}, nil)
	c.want(422, "POST", "/api/v1/attack-paths/what-if", map[string]any{"rules": []map[string]any{{"from": "nowhere", "to": "any", "allow": false}}}, nil)
	for _, path := range []string{"attack-paths/999999", "attack-paths/999999/critical", "attack-paths/hosts/999999", "attack-paths?to=10.99.99.98", "attack-paths?from=site:nowhere"} {
		c.want(404, "GET", "/api/v1/"+path, nil, nil)
	}
	var said report.PathCorrection
	c.want(201, "POST", "/api/v1/attack-paths/corrections", map[string]any{"edge": fmt.Sprintf("finding:%d", finding), "says": "never", "note": "behind a proxy"}, &said)
	if again := c.do("GET", "/api/v1/attack-paths?fixes=true", nil, "If-None-Match", first.header.Get("ETag")); again.status != http.StatusOK {
		t.Errorf("after somebody corrected a step: %d", again.status)
	}
	c.want(204, "DELETE", fmt.Sprintf("/api/v1/attack-paths/corrections/%d", said.ID), nil, nil)
	c.want(404, "DELETE", fmt.Sprintf("/api/v1/attack-paths/corrections/%d", said.ID), nil, nil)

	c.who = auth.Identity{Kind: auth.Session, Name: "eve", User: 3, Role: auth.Analyst, View: auth.OfSites("elsewhere")}
	for _, path := range []string{fmt.Sprintf("attack-paths/%d", scan), fmt.Sprintf("attack-paths/hosts/%d", host), fmt.Sprintf("attack-paths?to=%d", host), fmt.Sprintf("attack-paths/export?scan=%d", scan)} {
		c.want(404, "GET", "/api/v1/"+path, nil, nil)
	}
	c.want(404, "POST", "/api/v1/attack-paths/corrections", map[string]any{"edge": fmt.Sprintf("finding:%d", finding), "says": "never"}, nil)
	for _, path := range []string{"attack-paths", "attack-paths/map", "attack-paths/fixes", "attack-paths/export?format=dot"} {
		if got := c.do("GET", "/api/v1/"+path, nil, "If-None-Match", first.header.Get("ETag")); got.status != 200 || bytes.Contains(got.body, []byte("192.0.2.")) {
			t.Errorf("%s for who sees another site: %d %s", path, got.status, got.body)
		}
	}
}
