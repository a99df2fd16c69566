package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/assistant/index"
	"github.com/patchscout/patchscout/internal/assistant/peertest"
	"github.com/patchscout/patchscout/internal/assistant/retrieve"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/config"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/store"
)

// toldNear are the findings of the estates of these tests: site, host, title.
var toldNear = [][3]string{
	{"office", "anvil.corp", "Telnet cleartext login"},
	{"office", "anvil.corp", "Directory listing of a web server"},
	{"office", "bellows.corp", "Telnet cleartext login"},
	{"office", "bellows.corp", "Printer without a password on bellows.corp at 10.4.5.6, said anna"},
	{"plant", "furnace.corp", "Self-signed certificate"},
}

// openNear has findings of two sites, and nearness counts for them only: pages and techniques take a model minutes.
func openNear(t *testing.T, change func(*config.Config)) *App {
	t.Helper()
	a := openAsked(t, change)
	a.texts.finder = a.newFinder(map[retrieve.Kind]float64{retrieve.Finding: 0.3})
	return a
}

func tellAll(t *testing.T, a *App) {
	t.Helper()
	day := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	hosts := map[string]int64{}
	for i, one := range toldNear {
		site, name, title := one[0], one[1], one[2]
		if _, _, err := a.store.Estate().CreateSite(t.Context(), asset.Site{Name: site}); err != nil && fault.KindOf(err) != fault.KindConflict {
			t.Fatal(err)
		}
		err := a.store.Estate().Update(t.Context(), func(tx *store.EstateTx) error {
			if hosts[name] == 0 {
				h := &asset.Host{Site: site, FirstSeen: day, LastSeen: day, Status: "up", Owner: "anna",
					Identifiers: []asset.Identifier{{Kind: asset.Name, Value: name, Source: "nmap", FirstSeen: day, LastSeen: day}}}
				if err := tx.SaveHost(t.Context(), h); err != nil {
					return err
				}
				hosts[name] = h.ID
			}
			f := &finding.Finding{Fingerprint: finding.Fingerprint{Site: site, HostID: hosts[name], Protocol: "tcp", Port: uint16(80 + i), Weakness: finding.Weakness(fmt.Sprint("check-", i))},
				Rating: finding.Rating{Severity: "high", Decision: "act", RankKey: "1"}}
			f.Evidence = []finding.Evidence{{Sensor: "nmap", Check: finding.VersionCheck, FirstSeen: day, LastSeen: day, FirstScan: 1, LastScan: 1,
				Status: finding.Affected, Confidence: 80, Title: title}}
			f.Derive()
			f.Life = finding.Fold(f, nil)
			return tx.SaveFinding(t.Context(), f, nil)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func fillNow(t *testing.T, a *App) error {
	t.Helper()
	fill := a.texts.finder.Filler()
	fill.Hurry = true
	_, err := a.fillVectors(t.Context(), fill)
	return err
}

// idleQueue runs nothing.
type idleQueue struct{ job.Queue }

// nearest are the titles of findings that are found, those nearest first.
func nearest(t *testing.T, a *App, question string, view auth.View) (titles []string, found retrieve.Found) {
	t.Helper()
	found, err := a.searcher().Search(t.Context(), retrieve.Query{Text: question, Kinds: []retrieve.Kind{retrieve.Finding}, View: view})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found.Passages[retrieve.Finding] {
		titles = append(titles, p.Title)
	}
	return titles, found
}

func vectorsOf(t *testing.T, a *App) (n int, state report.AssistantState) {
	t.Helper()
	state, err := a.AssistantState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(state.Index, func(p report.AssistantPart) bool { return p.Name == "vectors" })
	if at < 0 {
		return -1, state
	}
	return state.Index[at].Records, state
}

// TestRecordsAreFoundByWhatTheyMean is with a real model, and with a real ChromaDB.
func TestRecordsAreFoundByWhatTheyMean(t *testing.T) {
	for _, place := range []string{"a file", "ChromaDB"} {
		t.Run(place, func(t *testing.T) {
			model, home, chroma := peertest.MiniLM(t), t.TempDir(), ""
			if place == "ChromaDB" {
				chroma = peertest.Chroma(t)
			}
			change := func(c *config.Config) {
				c.DataDir, c.Assistant.EmbedDir, c.Assistant.ChromaURL = home, model, config.Secret(chroma)
			}
			a := openNear(t, change)
			tellAll(t, a)
			if err := fillNow(t, a); err != nil {
				t.Fatal(err)
			}
			if n, state := vectorsOf(t, a); n != 4 || state.Embeddings.Error != "" || state.Vectors.Error != "" {
				t.Errorf("%d vectors, want one for each thing that a site says; %+v", n, state)
			}
			titles, found := nearest(t, a, "remote shell that is not encrypted", auth.Everything())
			if len(titles) == 0 || titles[0] != toldNear[0][2] || found.Passages[retrieve.Finding][0].Near < 0.2 {
				t.Errorf("%q, %+v", titles, found)
			}
			for _, view := range []auth.View{auth.OfSites("office"), {}} {
				if titles, _ := nearest(t, a, "certificate signed by itself", view); slices.Contains(titles, "Self-signed certificate") {
					t.Errorf("what is of the plant is found by who may not see it: %q", titles)
				}
			}

			// After a restart everything is there.
			b := openNear(t, change)
			if n, _ := vectorsOf(t, b); n != 4 {
				t.Errorf("%d vectors after a restart", n)
			}
			m, err := b.meaning(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if x, ok := m.Vectors.(*index.Chroma); ok { // somebody removes the collection
				if err := x.Remove(t.Context()); err != nil {
					t.Fatal(err)
				}
				if titles, found := nearest(t, b, "telnet", auth.Everything()); len(titles) != 2 || len(found.Notes) > 0 {
					t.Errorf("words alone find %q, %q", titles, found.Notes)
				}
				if err := fillNow(t, b); err != nil {
					t.Fatal(err)
				}
				if n, _ := vectorsOf(t, b); n != 4 {
					t.Errorf("%d vectors after the collection was removed", n)
				}
			}
		})
	}
}

// standIn is a server of embeddings, or the proxy to one, that can be bad.
type standIn struct {
	*httptest.Server
	mu     sync.Mutex
	dims   int
	status int
	wait   time.Duration
	heard  []string
	hosts  []string
}

func newStandIn(t *testing.T) *standIn {
	s := &standIn{dims: 3}
	s.Server = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) answer(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	var question struct{ Input []string }
	_ = json.Unmarshal(raw, &question)
	s.mu.Lock()
	dims, status, wait := s.dims, s.status, s.wait
	s.heard, s.hosts = append(s.heard, question.Input...), append(s.hosts, r.Host)
	s.mu.Unlock()
	select {
	case <-time.After(wait):
	case <-r.Context().Done():
	}
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	type one struct {
		Index     int       `json:"index"`
		Embedding []float32 `json:"embedding"`
	}
	var list []one
	for i, text := range question.Input {
		v := make([]float32, dims)
		v[len(text)%dims] = 1
		list = append(list, one{i, v})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": list})
}

func (s *standIn) be(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn()
}

func (s *standIn) texts() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, s.heard = s.heard, nil
	return all
}

func TestABadServerOfEmbeddingsLeavesTheWords(t *testing.T) {
	s := newStandIn(t)
	a := openNear(t, func(c *config.Config) {
		c.Assistant.EmbedURL, c.Assistant.EmbedModel = config.Secret(s.URL+"/v1"), "tiny"
	})
	tellAll(t, a)
	if err := fillNow(t, a); err != nil {
		t.Fatal(err)
	}
	if texts := s.texts(); len(texts) != 5 { // the first tells how many dimensions there are
		t.Errorf("sent %q", texts)
	}
	if err := fillNow(t, a); err != nil || len(s.texts()) != 0 {
		t.Errorf("what is embedded is embedded again, %v", err)
	}
	if err := a.texts.finder.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.queue = idleQueue{} // as a server, which does not wait long
	for name, be := range map[string]func(){
		"slow": func() { s.wait = 20 * time.Second }, "broken": func() { s.wait, s.status = 0, http.StatusTeapot }, "other": func() { s.wait, s.status, s.dims = 0, 0, 5 },
	} {
		s.be(be)
		begun := time.Now()
		titles, found := nearest(t, a, "telnet "+name, auth.Everything())
		if len(titles) == 0 || titles[0] != toldNear[0][2] || !slices.Contains(found.Notes, retrieve.NoteEmbed) || time.Since(begun) > 5*time.Second {
			t.Errorf("%s: %q, %q after %s", name, titles, found.Notes, time.Since(begun))
		}
	}
	a.queue = nil
	s.be(func() { s.wait, s.status, s.dims = 0, http.StatusTeapot, 3 })
	tellMore(t, a)
	if err := fillNow(t, a); err == nil {
		t.Error("a server that refuses is no error")
	}
	if _, state := vectorsOf(t, a); state.Embeddings.Error == "" {
		t.Error("the settings do not say what is wrong")
	}
	s.be(func() { s.status, s.dims = 0, 5 })
	a.texts.meanings.not = time.Time{}
	if err := fillNow(t, a); err != nil { // another model by the same name: all is made anew
		t.Fatal(err)
	}
	if n, state := vectorsOf(t, a); n != 5 || state.Embeddings.Error != "" {
		t.Errorf("%d vectors, %s", n, state.Embeddings.Error)
	}
	if folders, err := os.ReadDir(a.vectorsDir()); err != nil || len(folders) != 1 {
		t.Errorf("%v, %v: want the vectors of one model", folders, err)
	}
}

func tellMore(t *testing.T, a *App) {
	t.Helper()
	before := toldNear
	toldNear = [][3]string{{"office", "tongs.corp", "Something else"}}
	defer func() { toldNear = before }()
	tellAll(t, a)
}

func TestNothingLeavesBeforeAnAdministratorAcceptedIt(t *testing.T) {
	s := newStandIn(t)
	home := filepath.Join(t.TempDir(), "data")
	change := func(host string) func(*config.Config) {
		return func(c *config.Config) {
			c.DataDir, c.Outbound.Proxy = home, config.Secret(s.URL)
			c.Assistant.EmbedURL, c.Assistant.EmbedModel = config.Secret("http://"+host+"/v1"), "tiny"
		}
	}
	a := openNear(t, change("embed.example"))
	tellAll(t, a)
	ask := func(a *App) { nearest(t, a, "who is anna on bellows.corp at 10.4.5.6 in the plant", auth.Everything()) }
	if err := fillNow(t, a); err != nil {
		t.Fatal(err)
	}
	ask(a)
	if texts := s.texts(); len(texts) > 0 {
		t.Fatalf("sent without anybody's word: %q", texts)
	}
	if _, state := vectorsOf(t, a); !state.Embeddings.Remote || state.Embeddings.Accepted == nil || *state.Embeddings.Accepted {
		t.Errorf("%+v", state.Embeddings)
	}
	yes := true
	if _, err := a.AcceptPeers(t.Context(), nil, &yes, nil); err != nil {
		t.Fatal(err)
	}
	if err := fillNow(t, a); err != nil {
		t.Fatal(err)
	}
	ask(a)
	texts := s.texts()
	if len(texts) < 6 || s.hosts[0] != "embed.example" {
		t.Errorf("sent %q to %q", texts, s.hosts)
	}
	for _, text := range texts {
		for _, ours := range []string{"bellows", "anvil", "furnace", "10.4.5.6", "plant", "office", "anna"} {
			if strings.Contains(strings.ToLower(text), ours) {
				t.Errorf("%q is sent in %q", ours, text)
			}
		}
	}
	b := openNear(t, change("other.example")) // the yes was to another address
	if err := fillNow(t, b); err != nil {
		t.Fatal(err)
	}
	ask(b)
	if texts := s.texts(); len(texts) > 0 {
		t.Errorf("sent to another address: %q", texts)
	}
}

func TestWithoutEmbeddingsNothingIsDone(t *testing.T) {
	a := openNear(t, nil)
	tellAll(t, a)
	done := make(chan struct{})
	go func() { defer close(done); a.followVectors(context.WithoutCancel(t.Context())) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("something goes on")
	}
	if _, err := os.Stat(a.vectorsDir()); err == nil {
		t.Error("there is a folder for vectors")
	}
	if n, _ := vectorsOf(t, a); n != -1 {
		t.Errorf("%d vectors are told", n)
	}
}
