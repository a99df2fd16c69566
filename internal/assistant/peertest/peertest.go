// Package peertest starts what the assistant works with for tests: a real ChromaDB server and a real sentence model, from the
// files that scripts/setup-assistant.sh got. A test is skipped, with the reason, where the machine has them not.
package peertest

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/patchscout/patchscout/test/testserver"
)

const (
	notThere  = "its files are not there; scripts/setup-assistant.sh gets them"
	startTime = 2 * time.Minute // of a machine that does much else
)

// MiniLM is the folder of all-MiniLM-L6-v2 (384 dimensions).
func MiniLM(t testing.TB) string {
	t.Helper()
	dir := testserver.Cached("minilm")
	for _, file := range []string{"model.onnx", "tokenizer.json", "config.json"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Skip("no MiniLM: " + notThere)
		}
	}
	return dir
}

// Chroma runs a ChromaDB server until the test ends and returns its address.
func Chroma(t testing.TB) string {
	t.Helper()
	server := testserver.Cached("chroma", "1.0.1", "server.node")
	node, err := exec.LookPath("node")
	switch _, errFile := os.Stat(server); {
	case runtime.GOOS == "windows":
		t.Skip("no ChromaDB: the tests start it by a shell, which Windows has not")
	case errFile != nil:
		t.Skip("no ChromaDB: " + notThere)
	case err != nil:
		t.Skip("no ChromaDB: its package wants node (scripts/setup-ui.sh)")
	}
	home := t.TempDir()
	port := testserver.FreePort(t)
	const start = `require(process.argv[1]).cli(["chroma", "run", "--path", process.argv[2], "--host", "127.0.0.1", "--port", process.argv[3]])`
	ended, tail := testserver.Run(t, filepath.Join(home, "out"), node, "-e", start, server, filepath.Join(home, "data"), fmt.Sprint(port))
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	for begun := time.Now(); time.Since(begun) < startTime; {
		if answers(t, url+"/api/v2/heartbeat") {
			return url
		}
		select {
		case <-ended:
			t.Fatalf("ChromaDB ended:\n%s", tail())
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("ChromaDB did not start:\n%s", tail())
	return ""
}

func answers(t testing.TB, url string) bool {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
