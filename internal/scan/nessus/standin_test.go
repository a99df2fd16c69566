package nessus

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/config"
)

// standin speaks the part of Nessus's REST API that a scan needs, with the faults that a test asks for. What it is told and
// in which state its scan is can be read by the test.
type standin struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	asked    []string       // "POST /scans"
	counts   map[string]int // of requests, by the same
	settings map[string]any // of the scan that was created
	template string
	state    string // of the scan: "", created, running, stopped, deleted
	token    string // of the session
	tokens   int    // how many were given
	looks    int    // at the running scan

	// fault answers a request itself and returns true; n counts the requests of that method and path from 1.
	fault func(w http.ResponseWriter, what string, n int) bool

	keys     bool // wants X-ApiKeys
	old      bool // a server before tokens for exports
	ends     string
	polls    int // looks until the scan has ended
	report   []byte
	expireAt int // look at which the session expires
	changed  chan struct{}
}

const (
	accessKey = "11aa22bb"
	secretKey = "33cc44dd"
)

func newStandin(t *testing.T) *standin {
	t.Helper()
	report, err := os.ReadFile("testdata/network-10.8.nessus")
	if err != nil {
		t.Fatal(err)
	}
	s := &standin{t: t, counts: map[string]int{}, keys: true, ends: "completed", polls: 3, report: report, changed: make(chan struct{}, 100)}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // refused certificates are wanted here
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// options reach the stand-in with its own certificate's fingerprint.
func (s *standin) options() Options {
	sum := sha256.Sum256(s.Certificate().Raw)
	o := Options{URL: s.URL, Fingerprint: hex.EncodeToString(sum[:]), Poll: 5 * time.Millisecond, AccessKey: accessKey, SecretKey: secretKey}
	if !s.keys {
		o.AccessKey, o.SecretKey, o.Username, o.Password = "", "", "scout", config.Secret("correct horse")
	}
	return o
}

func (s *standin) scanner() *Scanner {
	s.t.Helper()
	sc, err := New(s.options())
	if err != nil {
		s.t.Fatal(err)
	}
	return sc
}

func (s *standin) caFile() string {
	path := filepath.Join(s.t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func (s *standin) did(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[what]
}

func (s *standin) is() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

func (s *standin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	what := r.Method + " " + r.URL.Path
	s.asked = append(s.asked, what)
	s.counts[what]++
	n, fault := s.counts[what], s.fault
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
	if fault != nil && fault(w, what, n) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if what != "GET /server/status" && what != "POST /session" && !s.allowed(r) {
		refuse(w, http.StatusUnauthorized, "Invalid Credentials")
		return
	}
	s.answer(w, r, what)
}

func (s *standin) allowed(r *http.Request) bool {
	if s.keys {
		return r.Header.Get("X-ApiKeys") == "accessKey="+accessKey+"; secretKey="+secretKey
	}
	return s.token != "" && r.Header.Get("X-Cookie") == "token="+s.token
}

func (s *standin) answer(w http.ResponseWriter, r *http.Request, what string) {
	switch what {
	case "GET /server/status":
		say(w, map[string]any{"code": 200, "status": "ready", "progress": nil})
	case "GET /server/properties":
		say(w, map[string]any{"server_version": "10.8.3", "nessus_type": "Nessus Manager", "license": map[string]any{"name": "Nessus Manager"}})
	case "POST /session":
		s.login(w, r)
	case "GET /session":
		say(w, map[string]any{"username": "scout"})
	case "DELETE /session":
		s.token = ""
	case "GET /editor/scan/templates":
		say(w, map[string]any{"templates": []map[string]any{{"name": "advanced", "uuid": "ad62"}, {"name": "basic", "uuid": "731a"}}})
	case "GET /policies":
		say(w, map[string]any{"policies": []map[string]any{{"id": 4, "name": "Servers, every week", "template_uuid": "ad62"}}})
	case "POST /scans":
		s.create(w, r)
	case "POST /scans/7/launch":
		s.state = "running"
		say(w, map[string]any{"scan_uuid": "e1b2"})
	case "GET /scans/7":
		s.details(w)
	case "POST /scans/7/stop":
		s.state = "stopped"
	case "DELETE /scans/7":
		s.state = "deleted"
	default:
		s.exports(w, what)
	}
}

func (s *standin) login(w http.ResponseWriter, r *http.Request) {
	var who struct{ Username, Password string }
	if err := json.NewDecoder(r.Body).Decode(&who); err != nil || who.Username != "scout" || who.Password != "correct horse" {
		refuse(w, http.StatusUnauthorized, "Invalid Credentials")
		return
	}
	s.tokens++
	s.token = fmt.Sprintf("token%d", s.tokens)
	say(w, map[string]any{"token": s.token})
}

func (s *standin) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		UUID     string         `json:"uuid"`
		Settings map[string]any `json:"settings"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.UUID == "" {
		refuse(w, http.StatusBadRequest, "Invalid 'uuid' field")
		return
	}
	s.template, s.settings, s.state = in.UUID, in.Settings, "created"
	say(w, map[string]any{"scan": map[string]any{"id": 7, "uuid": "template-1"}})
}

func (s *standin) details(w http.ResponseWriter) {
	s.looks++
	if s.expireAt == s.looks {
		s.token = "expired"
	}
	status, current := "running", 100*s.looks/max(1, s.polls)
	switch {
	case s.state == "created":
		status = "empty"
	case s.looks >= s.polls:
		status = s.ends
	}
	say(w, map[string]any{"info": map[string]any{"status": status, "hostcount": 1},
		"hosts": []map[string]any{{"host_id": 2, "hostname": "192.0.2.10", "scanprogresscurrent": current, "scanprogresstotal": 100}}})
}

func (s *standin) exports(w http.ResponseWriter, what string) {
	switch what {
	case "POST /scans/7/export":
		if s.old {
			say(w, map[string]any{"file": 33})
			return
		}
		say(w, map[string]any{"token": "e0a1", "file": 33})
	case "GET /tokens/e0a1/status", "GET /scans/7/export/33/status":
		if s.old != strings.HasPrefix(what, "GET /scans") {
			refuse(w, http.StatusNotFound, "The requested file was not found")
			return
		}
		status := "loading"
		if s.counts[what] > 1 {
			status = "ready"
		}
		say(w, map[string]any{"status": status})
	case "GET /tokens/e0a1/download", "GET /scans/7/export/33/download":
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(s.report)
	default:
		refuse(w, http.StatusNotFound, "The requested file was not found")
	}
}

func say(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"error": message})
}

// order says whether the stand-in was asked for these in this order.
func (s *standin) order(want ...string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := 0
	for _, w := range want {
		i := slices.Index(s.asked[at:], w)
		if i < 0 {
			return false
		}
		at += i + 1
	}
	return true
}
