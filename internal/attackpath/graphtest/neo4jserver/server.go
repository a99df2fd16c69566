// Package neo4jserver starts a real Neo4j Community server for tests, from the files that scripts/setup-neo4j.sh got. It
// listens on this machine only, on a free port, and ends with the test, however that ends.
package neo4jserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"

	"github.com/patchscout/patchscout/test/testserver"
)

// The versions that the product is tested with. scripts/setup-neo4j.sh has the same.
const (
	Oldest = "5.26.0"    // long-term support; Java 17
	Newest = "2025.12.1" // Java 21
)

const startTime = 4 * time.Minute // of a machine that does much else

// Server is a running server.
type Server struct {
	URL, User, Password string
	Took                time.Duration
}

// Start runs a server until the test ends. The test is skipped, with the reason, where the machine has not what it takes.
func Start(t testing.TB, version string) Server {
	t.Helper()
	java, lib, why := find(version)
	main := "org.neo4j.server.Neo4jCommunity"
	if strings.HasPrefix(version, "5.") {
		main = "org.neo4j.server.CommunityEntryPoint"
	}
	if why != "" {
		t.Skipf("no Neo4j %s: %s", version, why)
	}
	home, begun := t.TempDir(), time.Now()
	port := testserver.FreePort(t)
	if err := configure(home, port); err != nil {
		t.Fatal(err)
	}
	ended, tail := testserver.Run(t, filepath.Join(home, "out"), java, "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(lib, "*"), main,
		"--home-dir="+home, "--config-dir="+filepath.Join(home, "conf"), "--console-mode")
	s := Server{URL: fmt.Sprintf("bolt://127.0.0.1:%d", port), User: "neo4j", Password: rand.Text()}
	if err := s.await(t.Context(), ended); err != nil {
		t.Fatalf("Neo4j %s did not start: %v\n%s", version, err, tail())
	}
	s.Took = time.Since(begun)
	return s
}

// find says where a Java that is new enough and the server's files are, or why not.
func find(version string) (java, lib, why string) {
	if runtime.GOOS == "windows" {
		return "", "", "the tests start it by a shell, which Windows has not"
	}
	lib = testserver.Cached("neo4j", version, "lib")
	if _, err := os.Stat(filepath.Join(lib, "neo4j-"+version+".jar")); err != nil {
		return "", "", "its files are not there; scripts/setup-neo4j.sh gets them (make test-neo4j)"
	}
	want := 21
	if strings.HasPrefix(version, "5.") {
		want = 17
	}
	if java = newEnough(want); java == "" {
		return "", "", fmt.Sprintf("there is no Java %d or newer", want)
	}
	return java, lib, ""
}

func newEnough(want int) string {
	list, _ := filepath.Glob("/usr/lib/jvm/*/bin/java") // the pattern is well-formed
	if path, err := exec.LookPath("java"); err == nil {
		list = append([]string{path}, list...)
	}
	if home := os.Getenv("JAVA_HOME"); home != "" {
		list = append([]string{filepath.Join(home, "bin", "java")}, list...)
	}
	for _, java := range list {
		said, _ := exec.CommandContext(context.Background(), java, "-version").CombinedOutput()
		if m := regexp.MustCompile(`version "(\d+)`).FindSubmatch(said); m != nil {
			if major, err := strconv.Atoi(string(m[1])); err == nil && major >= want {
				return java
			}
		}
	}
	return ""
}

func configure(home string, port int) error {
	if err := os.Mkdir(filepath.Join(home, "conf"), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(home, "conf", "neo4j.conf"), fmt.Appendf(nil, `server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:%d
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size=64m
dbms.usage_report.enabled=false
`, port), 0o600)
}

// await waits until the server answers, and gives it a password that nobody knows: the first thing it wants.
func (s Server) await(ctx context.Context, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	first, err := driver.NewDriverWithContext(s.URL, driver.BasicAuth("neo4j", "neo4j", ""))
	if err != nil {
		return err
	}
	defer first.Close(context.WithoutCancel(ctx)) //nolint:errcheck // a test's connection
	for {
		_, err = driver.ExecuteQuery(ctx, first, "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $new", map[string]any{"new": s.Password}, driver.EagerResultTransformer,
			driver.ExecuteQueryWithDatabase("system"))
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-ended:
			return errors.New("it ended")
		case <-time.After(300 * time.Millisecond):
		}
	}
}
