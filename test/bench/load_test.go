package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// TestMain is also the second process of measure.
func TestMain(m *testing.M) {
	if os.Getenv(childMarker) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// built is the command as users have it.
func built(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "patchscout")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../../cmd/patchscout").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// What `make bench` measures for a minute over a million findings, for seconds over a few. The limit is wide enough for
// a machine that does much else.
func TestServerAnswersUnderLoad(t *testing.T) {
	b := &bench{patchscout: built(t), findings: 20_000, slack: 20, work: t.TempDir()}
	on, err := b.filled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.loadOn(t.Context(), on); err != nil {
		t.Fatal(err)
	}
	if b.missed > 0 {
		t.Errorf("%d figures are beyond their limits", b.missed)
	}
}

func TestTheDriverCountsWhatWaitsForAServerThatStandsStill(t *testing.T) {
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if asked.Add(1) <= 50 {
			time.Sleep(300 * time.Millisecond)
		}
	}))
	defer s.Close()
	d := newDriver(s.URL, "", 1, func(*rand.Rand) question { return question{"list", "/"} })
	begin := time.Now()
	answers, _ := d.run(context.Background(), 100, time.Second, nil)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("100 questions at 100 a second took %v: the driver waited for answers", took)
	}
	times, statuses := quick(answers, "")
	if len(answers) != 100 || statuses[200] != 100 {
		t.Errorf("%d answers, %v", len(answers), statuses)
	}
	if half := quantile(times, 0.6); half < 250*time.Millisecond {
		t.Errorf("six of ten took up to %v, and half of them waited 300 ms", half)
	}
}

func TestACursorIsReadFromTheEndOfAList(t *testing.T) {
	for body, want := range map[string]string{
		`{"findings":[{"title":"\"next\":\"no\""}],"total":3,"next":"AbC-_9"}`: "AbC-_9",
		`{"findings":[],"total":0,"next":null}`:                                "",
	} {
		if got := cursorOf([]byte(body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
