package nessus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/scan"
	"github.com/patchscout/patchscout/internal/scan/scantest"
)

func job() scan.Job {
	return scan.Job{Hosts: []scan.HostTarget{{Address: netip.MustParseAddr("192.0.2.10")}, {Address: netip.MustParseAddr("2001:db8::20")}},
		Scanning: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)}
}

// perform runs the job and returns the raw report, the progress and the error.
func perform(ctx context.Context, s *Scanner, j scan.Job) (string, []scan.Progress, error) {
	var raw bytes.Buffer
	var told []scan.Progress
	err := s.Run(ctx, j, &raw, func(p scan.Progress) { told = append(told, p) })
	return raw.String(), told, err
}

func TestScanIsCreatedLaunchedWaitedForExportedAndRemoved(t *testing.T) {
	for name, set := range map[string]func(*standin){
		"API keys":       func(*standin) {},
		"session":        func(s *standin) { s.keys = false },
		"before 7":       func(s *standin) { s.old = true },
		"export of 404":  func(s *standin) { s.old = true; s.fault = bothWays },
		"byte by byte":   func(s *standin) { s.fault = slowly(s.report) },
		"busy at first":  func(s *standin) { s.fault = busy },
		"lost at times":  func(s *standin) { s.fault = lostAtTimes },
		"session expire": func(s *standin) { s.keys, s.expireAt = false, 2 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStandin(t)
			set(s)
			raw, told, err := perform(t.Context(), s.scanner(), job())
			if err != nil || raw != string(s.report) {
				t.Fatalf("%d bytes of %d, %v", len(raw), len(s.report), err)
			}
			if !s.order("POST /scans", "POST /scans/7/launch", "GET /scans/7", "POST /scans/7/export", "DELETE /scans/7") || s.is() != "deleted" {
				t.Errorf("asked %v", s.asked)
			}
			if s.settings["text_targets"] != "192.0.2.10,2001:db8::20" || s.template != "731a" || s.settings["enabled"] != false {
				t.Errorf("%s %v", s.template, s.settings)
			}
			if !slices.IsSortedFunc(told, func(a, b scan.Progress) int { return int(a.Percent*100) - int(b.Percent*100) }) || told[len(told)-1].Percent != 100 {
				t.Errorf("progress %v", told)
			}
			if events, err := scantest.Read(t, s.scanner(), []byte(raw)); err != nil || len(events) == 0 {
				t.Errorf("%d events, %v", len(events), err)
			}
			if s.expireAt > 0 && s.tokens < 2 {
				t.Errorf("%d logins", s.tokens)
			}
		})
	}
}

// bothWays names a token whose status the server does not know.
func bothWays(w http.ResponseWriter, what string, _ int) bool {
	if what != "POST /scans/7/export" {
		return false
	}
	say(w, map[string]any{"token": "e0a1", "file": 33})
	return true
}

func slowly(report []byte) func(http.ResponseWriter, string, int) bool {
	return func(w http.ResponseWriter, what string, _ int) bool {
		if !strings.HasSuffix(what, "/download") {
			return false
		}
		for i := range report {
			w.Write(report[i : i+1])
			if i%64 == 0 {
				w.(http.Flusher).Flush()
			}
		}
		return true
	}
}

func busy(w http.ResponseWriter, what string, n int) bool {
	if n > 2 || !slices.Contains([]string{"POST /scans", "GET /scans/7", "POST /scans/7/export", "POST /scans/7/launch"}, what) {
		return false
	}
	w.Header().Set("Retry-After", "1")
	refuse(w, []int{http.StatusTooManyRequests, http.StatusServiceUnavailable}[n-1], "")
	return true
}

// lostAtTimes breaks connections of requests that change nothing.
func lostAtTimes(_ http.ResponseWriter, what string, n int) bool {
	if strings.HasPrefix(what, "GET ") && n%2 == 1 {
		panic(http.ErrAbortHandler)
	}
	return false
}

func TestPolicyAndPortsReachTheServer(t *testing.T) {
	for _, policy := range []string{"4", "servers, every week", "5"} {
		s := newStandin(t)
		o := s.options()
		o.Policy, o.Folder, o.Keep = policy, 3, true
		sc, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		j := job()
		j.Ports, j.Exclude = []finding.PortRange{{First: 20, Last: 25}}, []finding.PortRange{{First: 23, Last: 23}}
		j.Hosts[0].Ports = []uint16{8443}
		_, _, err = perform(t.Context(), sc, j)
		if policy == "5" {
			if fault.KindOf(err) != fault.KindNotFound || s.is() != "" {
				t.Errorf("policy that is not there: %v", err)
			}
			continue
		}
		if err != nil || s.template != "ad62" || s.settings["policy_id"] != 4.0 || s.settings["folder_id"] != 3.0 || s.settings["portscan_range"] != "20-22,24-25,8443" {
			t.Errorf("%s %v, %v", s.template, s.settings, err)
		}
		if s.is() == "deleted" {
			t.Error("a scan that is to be kept was removed")
		}
	}
}

func TestPortsThatNobodyNamedCannotBeExcluded(t *testing.T) {
	s := newStandin(t)
	j := job()
	j.Exclude = []finding.PortRange{{First: 23, Last: 23}}
	if _, _, err := perform(t.Context(), s.scanner(), j); fault.KindOf(err) != fault.KindInvalid || s.did("POST /scans") > 0 {
		t.Errorf("%v", err)
	}
	j.Profile = scan.Full
	if _, _, err := perform(t.Context(), s.scanner(), j); err != nil || s.settings["portscan_range"] != "1-22,24-65535" {
		t.Errorf("%v, %v", s.settings, err)
	}
}

func TestScanThatDidNotEndIsFailedAndWhatItFoundIsKept(t *testing.T) {
	for _, status := range []string{"canceled", "aborted", "stopped", "empty"} {
		s := newStandin(t)
		s.ends = status
		raw, _, err := perform(t.Context(), s.scanner(), job())
		if fault.KindOf(err) != fault.KindUnavailable || !strings.Contains(err.Error(), status) || raw != string(s.report) {
			t.Errorf("%s: %d bytes, %v", status, len(raw), err)
		}
		if s.is() != "deleted" {
			t.Errorf("%s: the scan is %s", status, s.is())
		}
	}
	s := newStandin(t)
	s.ends = "aborted"
	s.fault = always("POST /scans/7/export", http.StatusInternalServerError, "no results")
	if _, _, err := perform(t.Context(), s.scanner(), job()); err == nil || !strings.Contains(err.Error(), "aborted") || !strings.Contains(err.Error(), "no results") {
		t.Errorf("%v", err)
	}
}

func always(path string, status int, message string) func(http.ResponseWriter, string, int) bool {
	return func(w http.ResponseWriter, what string, _ int) bool {
		if what != path {
			return false
		}
		refuse(w, status, message)
		return true
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		path    string
		status  int
		message string
		kind    fault.Kind
		want    string
	}{
		{"POST /scans", 412, "API is not available", fault.KindUnavailable, "import its .nessus exports"},
		{"POST /scans", 403, "Access denied", fault.KindDenied, "Access denied"},
		{"POST /scans", 400, "Invalid 'text_targets' field", fault.KindInvalid, "text_targets"},
		{"POST /scans/7/launch", 409, "A scan is already running", fault.KindConflict, "launch the scan"},
		{"POST /scans/7/launch", 412, "API is not available", fault.KindUnavailable, "import its .nessus exports"},
		{"GET /scans/7", 404, "The requested file was not found", fault.KindNotFound, "status"},
		{"POST /scans/7/export", 500, "boom\x1b[31m\n", fault.KindUnavailable, "boom?[31m"},
		{"GET /editor/scan/templates", 401, "Invalid Credentials", fault.KindDenied, "Invalid Credentials"},
	} {
		s := newStandin(t)
		s.fault = always(c.path, c.status, c.message)
		_, _, err := perform(t.Context(), s.scanner(), job())
		if err == nil || fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secretKey) {
			t.Errorf("%s %d: %v", c.path, c.status, err)
		}
		if state := s.is(); state != "" && state != "deleted" {
			t.Errorf("%s %d leaves the scan %s", c.path, c.status, state)
		}
	}
}

func TestWrongLoginIsDenied(t *testing.T) {
	s := newStandin(t)
	s.keys = false
	o := s.options()
	o.Password = "wrong battery"
	sc, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = perform(t.Context(), sc, job())
	if fault.KindOf(err) != fault.KindDenied || strings.Contains(err.Error(), "battery") || !strings.Contains(err.Error(), "log in") {
		t.Errorf("%v", err)
	}
	if _, err := sc.Available(t.Context()); fault.KindOf(err) != fault.KindDenied {
		t.Errorf("available: %v", err)
	}
}

func TestExportThatFailsOnceIsAskedForAgain(t *testing.T) {
	s := newStandin(t)
	s.fault = func(w http.ResponseWriter, what string, n int) bool {
		if what != "GET /tokens/e0a1/status" || n > 1 {
			return false
		}
		say(w, map[string]any{"status": "error", "message": "Report generation failed"})
		return true
	}
	if raw, _, err := perform(t.Context(), s.scanner(), job()); err != nil || raw != string(s.report) || s.did("POST /scans/7/export") != 2 {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
	s = newStandin(t)
	s.fault = func(w http.ResponseWriter, what string, _ int) bool {
		if what == "GET /tokens/e0a1/status" {
			say(w, map[string]any{"status": "error", "message": "Report generation failed"})
		}
		return what == "GET /tokens/e0a1/status"
	}
	_, _, err := perform(t.Context(), s.scanner(), job())
	if fault.KindOf(err) != fault.KindUnavailable || !strings.Contains(err.Error(), "Report generation failed") || s.is() != "deleted" {
		t.Errorf("%s, %v", s.is(), err)
	}
}

func TestBrokenDownloadIsFetchedAgainAndJoined(t *testing.T) {
	s := newStandin(t)
	s.fault = cutDownload(s, 2)
	if raw, _, err := perform(t.Context(), s.scanner(), job()); err != nil || raw != string(s.report) {
		t.Errorf("%d bytes of %d, %v", len(raw), len(s.report), err)
	}
	s = newStandin(t)
	s.fault = cutDownload(s, 99)
	raw, _, err := perform(t.Context(), s.scanner(), job())
	if !errors.Is(err, scan.ErrTruncated) || !strings.HasPrefix(string(s.report), raw) {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
	s = newStandin(t) // the connection ends well, the file does not
	s.report = s.report[:len(s.report)/2]
	if _, _, err := perform(t.Context(), s.scanner(), job()); !errors.Is(err, scan.ErrTruncated) {
		t.Errorf("half a file: %v", err)
	}
	s = newStandin(t)
	s.fault = func(w http.ResponseWriter, what string, n int) bool {
		if !strings.HasSuffix(what, "/download") {
			return false
		}
		w.Write(append([]byte(fmt.Sprint(n)), s.report[:2000]...))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	if _, _, err := perform(t.Context(), s.scanner(), job()); err == nil || !strings.Contains(err.Error(), "another file") {
		t.Errorf("another file: %v", err)
	}
}

// cutDownload breaks the connection in the first n downloads, each time a bit later.
func cutDownload(s *standin, n int) func(http.ResponseWriter, string, int) bool {
	return func(w http.ResponseWriter, what string, i int) bool {
		if !strings.HasSuffix(what, "/download") || i > n {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(s.report)))
		w.Write(s.report[:1000*i])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

func TestCancelStopsTheScanWithinTwoSeconds(t *testing.T) {
	for _, during := range []string{"GET /scans/7", "POST /scans/7/launch"} {
		s := newStandin(t)
		s.polls = 1 << 30
		ctx, cancel := context.WithCancel(t.Context())
		if during == "POST /scans/7/launch" {
			release := make(chan struct{})
			defer close(release)
			s.fault = func(_ http.ResponseWriter, what string, _ int) bool {
				if what == during {
					<-release // the answer never comes
				}
				return what == during
			}
		}
		cancelled := make(chan time.Time, 1)
		go func() {
			for range s.changed {
				if s.did(during) > 0 {
					cancelled <- time.Now()
					cancel()
					return
				}
			}
		}()
		_, _, err := perform(ctx, s.scanner(), job())
		took := time.Since(<-cancelled)
		if !errors.Is(err, context.Canceled) || s.did("POST /scans/7/stop") != 1 || took > 2*time.Second {
			t.Errorf("cancelled during %s: %v after %s, stopped %d times", during, err, took, s.did("POST /scans/7/stop"))
		}
		cancel()
	}
}

func TestServerThatHangsDoesNotHoldTheCancel(t *testing.T) {
	s := newStandin(t)
	release := make(chan struct{})
	defer close(release)
	s.polls = 1 << 30
	s.fault = func(_ http.ResponseWriter, what string, n int) bool {
		hangs := what == "GET /scans/7" && n > 1 || what == "POST /scans/7/stop" || strings.HasPrefix(what, "DELETE")
		if hangs {
			<-release
		}
		return hangs
	}
	j := job()
	j.Timeout = 300 * time.Millisecond
	start := time.Now()
	if _, _, err := perform(t.Context(), s.scanner(), j); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > j.Timeout+2*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}

func TestSelfSignedServerIsRefusedUntilItIsConfigured(t *testing.T) {
	s := newStandin(t)
	o := s.options()
	right := o.Fingerprint
	try := func(change func(*Options)) error {
		o := s.options()
		change(&o)
		sc, err := New(o)
		if err != nil {
			return err
		}
		_, _, err = perform(t.Context(), sc, job())
		return err
	}
	if err := try(func(o *Options) { o.Fingerprint = "" }); err == nil || !strings.Contains(err.Error(), "CA file") || !strings.Contains(err.Error(), right) {
		t.Errorf("unknown authority: %v", err)
	}
	if err := try(func(o *Options) { o.Fingerprint = strings.Repeat("00", 32) }); fault.KindOf(err) != fault.KindDenied {
		t.Errorf("another fingerprint: %v", err)
	}
	if len(s.asked) > 0 {
		t.Errorf("asked %v", s.asked)
	}
	if err := try(func(o *Options) { o.Fingerprint, o.CAFile = "", s.caFile() }); err != nil {
		t.Errorf("CA file: %v", err)
	}
	if err := try(func(o *Options) { o.Fingerprint = strings.ToUpper(right[:2] + ":" + right[2:]) }); err != nil {
		t.Errorf("fingerprint: %v", err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	s := newStandin(t)
	s.fault = func(w http.ResponseWriter, what string, _ int) bool {
		if what != "GET /editor/scan/templates" {
			return false
		}
		fmt.Fprint(w, `{"templates":[{"name":"`)
		chunk := bytes.Repeat([]byte("x"), 1<<20)
		for range maxAnswer>>20 + 1 {
			if _, err := w.Write(chunk); err != nil {
				break
			}
		}
		return true
	}
	if _, _, err := perform(t.Context(), s.scanner(), job()); fault.KindOf(err) != fault.KindInvalid || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("%v", err)
	}
}

func TestAvailableSaysTheVersionOrWhyNot(t *testing.T) {
	s := newStandin(t)
	if version, err := s.scanner().Available(t.Context()); err != nil || version != "10.8.3" {
		t.Errorf("%q, %v", version, err)
	}
	for _, c := range []struct {
		path, answer, want string
	}{
		{"GET /server/status", `{"code":503,"status":"loading","progress":40}`, "not ready"},
		{"GET /server/properties", `{"server_version":"10.8.3","license":{"name":"Nessus Essentials","features":{"scan_api":false}}}`, "Nessus Essentials: this Nessus does not let its API run scans"},
		{"GET /server/properties", `{"server_version":"10.8.3","features":{"scan_api":false}}`, "does not let its API run scans"},
		{"GET /server/properties", `{"server_version":"5.2.1"}`, "want 6 or newer"},
		{"GET /server/properties", `<html>`, "not the JSON"},
	} {
		s := newStandin(t)
		s.fault = func(w http.ResponseWriter, what string, _ int) bool {
			if what == c.path {
				fmt.Fprint(w, c.answer)
			}
			return what == c.path
		}
		if _, err := s.scanner().Available(t.Context()); fault.KindOf(err) != fault.KindUnavailable || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.answer, err, c.want)
		}
	}
	s.Close()
	if _, err := s.scanner().Available(t.Context()); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("nobody there: %v", err)
	}
	if _, err := (&Scanner{}).Available(t.Context()); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("not configured: %v", err)
	}
	if err := (&Scanner{}).Run(t.Context(), job(), &bytes.Buffer{}, nil); fault.KindOf(err) != fault.KindUnavailable {
		t.Errorf("not configured: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{URL: "https://nessus.example.org:8834", AccessKey: "a", SecretKey: "b"}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	if _, err := New(Options{}); err != nil {
		t.Error(err)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"http":               func(o *Options) { o.URL = "http://nessus.example.org" },
		"user in URL":        func(o *Options) { o.URL = "https://me:pw@nessus.example.org" },
		"no URL":             func(o *Options) { o.URL = "" },
		"half a key":         func(o *Options) { o.SecretKey = "" },
		"key with line":      func(o *Options) { o.SecretKey = "b\r\nX: y" },
		"keys and user":      func(o *Options) { o.Username, o.Password = "u", "p" },
		"nothing":            func(o *Options) { o.AccessKey, o.SecretKey = "", "" },
		"half a login":       func(o *Options) { o.AccessKey, o.SecretKey, o.Username = "", "", "u" },
		"short fingerprint":  func(o *Options) { o.Fingerprint = "aabb" },
		"two kinds of trust": func(o *Options) { o.Fingerprint, o.CAFile = strings.Repeat("a", 64), "/x" },
		"relative CA file":   func(o *Options) { o.CAFile = "x" },
		"no CA file":         func(o *Options) { o.CAFile = "/nonexistent/x.pem" },
		"empty CA file":      func(o *Options) { o.CAFile = empty },
		"template, policy":   func(o *Options) { o.Template, o.Policy = "basic", "4" },
		"negative":           func(o *Options) { o.Poll = -1 },
		"negative id":        func(o *Options) { o.Folder = -1 },
	} {
		o := good
		change(&o)
		if _, err := New(o); fault.KindOf(err) != fault.KindInvalid || strings.Contains(err.Error(), "pw@") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text := fmt.Sprintf("%v %+v", good, good); strings.Contains(text, "AccessKey:a") {
		t.Errorf("a key is shown: %s", text)
	}
}
