//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// pages is where the original design's front end is served from.
const pages = "http://localhost:3000"

var listens = regexp.MustCompile(`http://127\.0\.0\.1:(\d+)`)

// serveOpen starts a server to which nobody has to log in and returns its address as the front end writes it.
func serveOpen(t *testing.T, home string) string {
	t.Helper()
	out := filepath.Join(home, "serve.out")
	file, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	p := &process{Cmd: exec.Command(os.Args[0], "serve", "--auth", "off", "--listen", "127.0.0.1:0")}
	p.Dir = home
	p.Env = append(os.Environ(), runAsCommand+"=1", "HOME="+home, "XDG_DATA_HOME="+home, "XDG_CONFIG_HOME="+home)
	p.Stdout, p.Stderr = file, file
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Signal(os.Interrupt)
		if err := p.Wait(); err != nil {
			said, _ := os.ReadFile(out)
			t.Errorf("the server ended with %v:\n%s", err, said)
		}
	})
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		said, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if m := listens.FindSubmatch(said); m != nil {
			return "http://localhost:" + string(m[1])
		}
	}
	t.Fatal("the server does not say where it listens")
	return ""
}

// The calls of the original design's front end, as its client sends them, against the server as it is.
func TestTheOriginalFrontEndWorksUnchanged(t *testing.T) {
	home := t.TempDir()
	loadFeeds(t, home)
	port := ftpServers(t)
	server := serveOpen(t, home)
	t.Run("go", func(t *testing.T) { frontEnd(t, server, "127.0.2.10", port) })
	t.Run("node", func(t *testing.T) {
		node, err := exec.LookPath("node")
		if err != nil {
			t.Skip("node is not installed")
		}
		cmd := exec.CommandContext(t.Context(), node, "--experimental-websocket", filepath.Join("testdata", "frontend.mjs"), server, "127.0.2.30", port)
		if out, err := cmd.CombinedOutput(); err != nil {
			if bytes.Contains(out, []byte("WebSocket is not defined")) || bytes.Contains(out, []byte("bad option")) {
				t.Skip("this node has no WebSocket")
			}
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// frontEnd is testdata/frontend.mjs where there is no node.
func frontEnd(t *testing.T, server, target, ports string) {
	var started struct {
		ScanID   int64 `json:"scan_id"`
		ID       int64
		Status   string
		Progress float64
	}
	axios(t, server, "POST", "/scans/initiate", fmt.Sprintf(`{"target_url":%q,"scan_type":"quick","config":{"scanners":["native"],"ports":%q}}`, target, ports), 202, &started)
	if started.ID != started.ScanID || started.ID == 0 {
		t.Fatalf("initiateScan: %+v", started)
	}
	kinds := watched(t, server, started.ID)
	for _, want := range []string{"progress", "host", "service", "finding"} {
		if !slices.Contains(kinds, want) {
			t.Errorf("no %s among %v", want, kinds)
		}
	}
	if kinds[0] != "state" || kinds[len(kinds)-1] != "end" {
		t.Errorf("watched %v", kinds)
	}
	var scan struct {
		Status   string
		Progress float64
	}
	if axios(t, server, "GET", fmt.Sprintf("/scans/%d", started.ID), "", 200, &scan); scan.Status != "completed" || scan.Progress != 100 {
		t.Errorf("getScan: %+v", scan)
	}
	var page struct {
		Items []struct {
			ID  int64
			CVE string
		}
		Total, Skip, Limit int
	}
	axios(t, server, "GET", fmt.Sprintf("/scans/%d/vulnerabilities?skip=0&limit=100", started.ID), "", 200, &page)
	if page.Total != len(page.Items) || page.Total == 0 || page.Limit != 100 {
		t.Fatalf("getScanVulnerabilities: %+v", page)
	}
	var details, exploits json.RawMessage
	axios(t, server, "GET", fmt.Sprintf("/vulnerabilities/%d/details", page.Items[0].ID), "", 200, &details)
	axios(t, server, "GET", fmt.Sprintf("/vulnerabilities/%d/exploits", page.Items[0].ID), "", 200, &exploits)
	if !strings.Contains(string(details), page.Items[0].CVE) {
		t.Errorf("getVulnerabilityDetails: %.500s", details)
	}
}

// axios sends what the library sends from a page, and checks that a browser would show it the answer.
func axios(t *testing.T, server, method, path, body string, status int, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json, text/plain, */*")
	r.Header.Set("Origin", pages)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status || resp.Header.Get("Access-Control-Allow-Origin") != pages {
		t.Fatalf("%s %s: %d, %v, %v\n%s", method, path, resp.StatusCode, err, resp.Header, text)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s %s: %v\n%s", method, path, err, text)
	}
}

// watched returns the types of the messages about a scan until it is over.
func watched(t *testing.T, server string, scan int64) (kinds []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, fmt.Sprintf("ws%s/ws/%d", strings.TrimPrefix(server, "http"), scan), &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {pages}}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow() //nolint:errcheck // the server has closed it
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			if code := websocket.CloseStatus(err); code != websocket.StatusNormalClosure {
				t.Errorf("closed with %d: %v", code, err)
			}
			return kinds
		}
		var m struct {
			Seq    int64
			ScanID int64 `json:"scan_id"`
			Type   string
		}
		if err := json.Unmarshal(text, &m); err != nil || m.Seq != int64(len(kinds)) || m.ScanID != scan {
			t.Errorf("message %d: %s (%v)", len(kinds), text, err)
		}
		kinds = append(kinds, m.Type)
	}
}
