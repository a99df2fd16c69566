package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	events "github.com/patchscout/patchscout/internal/live"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store"
)

// tower is a product that can only be watched; its hub and its database are real.
type tower struct {
	Desk
	t    *testing.T
	hub  *events.Hub
	scan int64

	mu       sync.Mutex
	over     bool
	standing error
	tickets  map[string]int64
}

func (d *tower) Watch(ctx context.Context, scan, since int64, again bool) (*events.Watcher, error) {
	if scan != d.scan {
		return nil, fault.NotFound("there is no scan %d", scan)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hub.Subscribe(ctx, events.Join{Scan: scan, Since: since, State: map[string]bool{"over": d.over}, Over: d.over, Again: again})
}

func (d *tower) StillWatches(context.Context, int64) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.over, d.standing
}

func (d *tower) UseTicket(_ context.Context, ticket string, scan int64) (auth.Identity, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tickets[ticket] != scan {
		return auth.Identity{}, fault.Denied("the ticket is unknown")
	}
	delete(d.tickets, ticket)
	return auth.ForSystem(), nil
}

func (d *tower) stand(over bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over, d.standing = over, err
}

// build starts a server over a tower; who asks is in the header X-Who, "" is everybody's admin.
func build(t *testing.T, opts events.Options) (*tower, *httptest.Server) {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.Estate().CreateScan(context.Background(), finding.Scan{Kind: finding.KindScan, Site: asset.DefaultSite, Status: finding.Running})
	if err != nil {
		t.Fatal(err)
	}
	hub := events.NewHub(s.Estate(), opts)
	hub.Start()
	d := &tower{t: t, hub: hub, scan: id, tickets: map[string]int64{}}
	server := New(Options{Version: "test", Desk: func(auth.Identity) Desk { return d },
		Browser: &Browser{Listen: "127.0.0.1:0", CORSOrigins: []string{"http://localhost:3000"}},
		Authenticate: func(r *http.Request) (auth.Identity, error) {
			if r.Header.Get("X-Who") == "nobody" {
				return auth.Identity{}, nil
			}
			return auth.ForSystem(), nil
		}})
	web := httptest.NewUnstartedServer(server.Handler())
	web.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateNew { // so that a peer that does not read is noticed after little
			_ = c.(*net.TCPConn).SetWriteBuffer(64 << 10)
		}
	}
	web.Start()
	t.Cleanup(func() {
		hub.Stop()
		web.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, web
}

// impatient has open connections looked after quickly, for the time of a test.
func impatient(t *testing.T) {
	t.Helper()
	before := liveEvery
	liveEvery = liveTimes{check: 100 * time.Millisecond, ping: 100 * time.Millisecond, write: time.Second}
	t.Cleanup(func() { liveEvery = before })
}

func dial(t *testing.T, web *httptest.Server, path string, header ...string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(web.URL, "http")+path, &websocket.DialOptions{HTTPHeader: h})
	if err == nil {
		conn.SetReadLimit(1 << 20)
		t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return conn, resp, err
}

// drain reads messages until the connection ends and returns them with its close code.
func drain(t *testing.T, conn *websocket.Conn) (got []report.LiveMessage, code websocket.StatusCode) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		kind, text, err := conn.Read(ctx)
		if err != nil {
			return got, websocket.CloseStatus(err)
		}
		var m report.LiveMessage
		if err := json.Unmarshal(text, &m); err != nil || kind != websocket.MessageText {
			t.Fatalf("%s: %v", text, err)
		}
		got = append(got, m)
	}
}

func TestAScanIsWatchedByWebSocketAndByEventStreamAlike(t *testing.T) {
	d, web := build(t, events.Options{Batch: time.Millisecond})
	below, _, err := dial(t, web, fmt.Sprintf("/api/v1/scans/ws/%d", d.scan))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		d.hub.Publish(d.scan, events.Host, i)
	}
	d.hub.Publish(d.scan, events.End, map[string]string{"status": "completed"})
	late, _, err := dial(t, web, fmt.Sprintf("/ws/%d?since=0", d.scan))
	if err != nil {
		t.Fatal(err)
	}
	first, code := drain(t, below)
	second, _ := drain(t, late)
	if code != websocket.StatusNormalClosure || len(first) != 302 || len(second) != 302 {
		t.Fatalf("%d and %d messages, closed with %d", len(first), len(second), code)
	}
	for i := range first {
		if first[i].Seq != int64(i) || second[i].Seq != int64(i) || first[i].ScanID != d.scan {
			t.Fatalf("message %d is %+v and %+v", i, first[i], second[i])
		}
	}
	if first[0].Type != "state" || first[301].Type != "end" || string(first[301].Data) != `{"status":"completed"}` {
		t.Errorf("begins with %+v, ends with %+v", first[0], first[301])
	}
	resp, err := http.Get(web.URL + fmt.Sprintf("/api/v1/scans/%d/events?since=299", d.scan))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%v, %v", resp.Header, err)
	}
	for _, want := range []string{"id: 299\ndata: {\"seq\":299,", "\"type\":\"state\"", "id: 300\ndata: {\"seq\":300,", "id: 301\n", `"data":{"status":"completed"}}` + "\n\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	d.stand(true, nil)
	again, _ := http.NewRequest(http.MethodGet, web.URL+fmt.Sprintf("/api/v1/scans/%d/events", d.scan), nil)
	again.Header.Set("Last-Event-ID", "301")
	resp, err = http.DefaultClient.Do(again)
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Errorf("a browser that has everything: %v, %v", resp, err)
	}
}

func TestWhoMayWatch(t *testing.T) {
	d, web := build(t, events.Options{})
	d.tickets["good"] = d.scan
	d.tickets["other"] = d.scan + 1
	path := fmt.Sprintf("/ws/%d", d.scan)
	for _, c := range []struct {
		name, path string
		header     []string
		status     int
	}{
		{"a program", path, nil, 101},
		{"a page of the server", path, []string{"Origin", web.URL}, 101},
		{"a page of a listed origin", path, []string{"Origin", "http://localhost:3000"}, 101},
		{"a page elsewhere", path, []string{"Origin", "http://evil.example"}, 403},
		{"a sandboxed page", path, []string{"Origin", "null"}, 403},
		{"nobody", path, []string{"X-Who", "nobody"}, 401},
		{"a ticket", path + "?ticket=good", []string{"X-Who", "nobody"}, 101},
		{"the same ticket again", path + "?ticket=good", []string{"X-Who", "nobody"}, 401},
		{"a ticket for another scan", path + "?ticket=other", []string{"X-Who", "nobody"}, 401},
		{"a ticket shown by a page elsewhere", path + "?ticket=good", []string{"Origin", "http://evil.example"}, 403},
		{"a token in the address", path + "?token=x", nil, 422},
		{"another scan", "/ws/999", nil, 404},
		{"no scan", "/ws/0", nil, 422},
		{"no number", "/ws/x", nil, 422},
		{"a number that was never", path + "?since=-1", nil, 422},
	} {
		conn, resp, err := dial(t, web, c.path, c.header...)
		if resp == nil || resp.StatusCode != c.status {
			t.Errorf("%s: %v, %v; want %d", c.name, resp, err, c.status)
		}
		if conn != nil {
			_ = conn.CloseNow()
		}
	}
	resp, err := http.Get(web.URL + path)
	if err != nil || resp.StatusCode != http.StatusUpgradeRequired || resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("without a handshake: %v, %v", resp, err)
	}
}

func TestTheCloseCodeSaysWhy(t *testing.T) {
	impatient(t)
	for name, c := range map[string]struct {
		do   func(*tower, *websocket.Conn)
		want websocket.StatusCode
	}{
		"over, told":   {func(d *tower, _ *websocket.Conn) { d.hub.Publish(d.scan, events.End, nil) }, websocket.StatusNormalClosure},
		"over, untold": {func(d *tower, _ *websocket.Conn) { d.stand(true, nil) }, websocket.StatusNormalClosure},
		"logged out":   {func(d *tower, _ *websocket.Conn) { d.stand(false, fault.Denied("the session has ended")) }, closeOut},
		"removed":      {func(d *tower, _ *websocket.Conn) { d.stand(false, fault.NotFound("no such scan")) }, closeRemoved},
		"stopping":     {func(d *tower, _ *websocket.Conn) { d.hub.Dismiss() }, websocket.StatusGoingAway},
		"talking": {func(_ *tower, conn *websocket.Conn) {
			for range socketMessages + 1 {
				_ = conn.Write(context.Background(), websocket.MessageText, []byte(`{"type":"ping"}`))
			}
		}, websocket.StatusPolicyViolation},
		"shouting": {func(_ *tower, conn *websocket.Conn) {
			_ = conn.Write(context.Background(), websocket.MessageText, make([]byte, 2*socketRead))
		}, websocket.StatusMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			d, web := build(t, events.Options{Batch: time.Millisecond})
			conn, _, err := dial(t, web, fmt.Sprintf("/ws/%d", d.scan))
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := conn.Read(context.Background()); err != nil {
				t.Fatal(err)
			}
			c.do(d, conn)
			if _, code := drain(t, conn); code != c.want {
				t.Errorf("closed with %d, want %d", code, c.want)
			}
			for until := time.Now().Add(10 * time.Second); d.hub.Watchers() > 0; time.Sleep(time.Millisecond) {
				if time.Now().After(until) {
					t.Fatal("the watcher is still counted")
				}
			}
		})
	}
}

func TestADatabaseThatIsAwayForAMomentEndsNothing(t *testing.T) {
	impatient(t)
	d, web := build(t, events.Options{Batch: time.Millisecond})
	conn, _, err := dial(t, web, fmt.Sprintf("/ws/%d", d.scan))
	if err != nil {
		t.Fatal(err)
	}
	d.stand(false, errors.New("the database does not answer"))
	time.Sleep(5 * liveEvery.check)
	d.stand(false, nil)
	d.hub.Publish(d.scan, events.End, nil)
	if got, code := drain(t, conn); code != websocket.StatusNormalClosure || len(got) != 2 {
		t.Errorf("%d messages, closed with %d", len(got), code)
	}
}

func TestAPeerThatReadsNothingIsDroppedAndAHundredOthersGetEverything(t *testing.T) {
	impatient(t)
	liveEvery.write = 5 * time.Second
	d, web := build(t, events.Options{})
	deaf, err := net.Dial("tcp", strings.TrimPrefix(web.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	_ = deaf.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(deaf, "GET /ws/%d HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", d.scan)
	if line, err := bufio.NewReader(deaf).ReadString('\n'); err != nil || !strings.Contains(line, "101") {
		t.Fatalf("%q, %v", line, err)
	}
	var wg sync.WaitGroup
	const many = 60
	for range 100 {
		conn, _, err := dial(t, web, fmt.Sprintf("/ws/%d", d.scan))
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if got, code := drain(t, conn); code != websocket.StatusNormalClosure || len(got) != many+2 {
				t.Errorf("%d messages, closed with %d", len(got), code)
			}
		})
	}
	padding := strings.Repeat("x", 4<<10)
	for range many {
		d.hub.Publish(d.scan, events.Finding, padding)
	}
	d.hub.Publish(d.scan, events.End, nil)
	wg.Wait()
	for until := time.Now().Add(20 * time.Second); d.hub.Watchers() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the deaf peer is still held")
		}
	}
}

func TestTheDocumentDescribesWhatIsSent(t *testing.T) {
	d, web := build(t, events.Options{})
	_ = d
	resp, err := http.Get(web.URL + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"/ws/{scan_id}"`, `"/api/v1/scans/ws/{scan_id}"`, `"/api/v1/scans/{id}/events"`, `"text/event-stream"`, `"LiveFinding"`, `"426"`, `"101"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the document has no %s", want)
		}
	}
}
