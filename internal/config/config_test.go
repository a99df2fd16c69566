package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/fault"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// isolate keeps the developer's own configuration out of a test.
func isolate(t *testing.T) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("XDG_DATA_HOME", "/data")
	t.Chdir(t.TempDir())
}

func TestFlagsWinOverEnvironmentOverFileOverDefaults(t *testing.T) {
	isolate(t)
	src := Sources{
		File:     write(t, "config.yaml", "log: {level: debug, format: json, file: from-file}\nnmap: {path: /opt/nmap}\nscan: {timeouts: {nmap: 2h}}\n"),
		EnvFile:  write(t, ".env", "# comment\nexport PATCHSCOUT_LOG_FILE='from env file'\nPATCHSCOUT_NMAP_PATH=/env/nmap\nOTHER=1\n"),
		Environ:  []string{"PATCHSCOUT_NMAP_PATH=/real/nmap", "HOME=/root", "PATCHSCOUT_SCAN_SCOPE=203.0.113.0/24, 2001:db8::1"},
		Override: map[string]string{"log.format": "text"},
	}
	got, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Log.Level, want.Log.Format, want.Log.File = "debug", "text", "from env file"
	want.Nmap.Path = "/real/nmap"
	want.Scan.Scope = []string{"203.0.113.0/24", "2001:db8::1"}
	want.Scan.Timeouts.Nmap = 2 * time.Hour
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.DataDir != "/data/patchscout" {
		t.Errorf("data folder %q does not follow XDG_DATA_HOME", got.DataDir)
	}
}

func TestMistakesAreNamedInOneSentence(t *testing.T) {
	tests := []struct {
		name string
		src  func(t *testing.T) Sources
		want string
	}{
		{"unknown key", func(t *testing.T) Sources {
			return Sources{File: write(t, "c.yaml", "feeds: {nvd: {ulr: 'https://x.test'}}\n")}
		}, `unknown key "feeds.nvd.ulr"; did you mean feeds.nvd.url?`},
		{"unknown variable", func(*testing.T) Sources {
			return Sources{Environ: []string{"PATCHSCOUT_DATADIR=/x"}}
		}, "unknown variable PATCHSCOUT_DATADIR; did you mean PATCHSCOUT_DATA_DIR?"},
		{"named file is absent", func(*testing.T) Sources { return Sources{File: "/absent.yaml"} }, "/absent.yaml"},
		{"malformed YAML", func(t *testing.T) Sources { return Sources{File: write(t, "c.yaml", "a: [")} }, "c.yaml"},
		{"malformed env file", func(t *testing.T) Sources { return Sources{EnvFile: write(t, ".env", "\nnonsense\n")} }, ".env:2"},
		{"bad boolean", func(*testing.T) Sources {
			return Sources{Environ: []string{"PATCHSCOUT_FEEDS_KEV_ENABLED=maybe"}}
		}, "PATCHSCOUT_FEEDS_KEV_ENABLED"},
		{"bad number", func(*testing.T) Sources {
			return Sources{Override: map[string]string{"log.max_files": "many"}}
		}, "max_files"},
		{"bad level", func(*testing.T) Sources { return Sources{Override: map[string]string{"log.level": "loud"}} }, "log.level"},
		{"bad database", func(*testing.T) Sources {
			return Sources{Override: map[string]string{"database_url": "mysql://root:hunter2@x/y"}}
		}, "database_url"},
		{"bad graph", func(*testing.T) Sources {
			return Sources{Override: map[string]string{"graph_url": "neo4j://neo4j:hunter2@x"}}
		}, "graph_url: want bolt://host:7687"},
		{"a graph over http", func(*testing.T) Sources { return Sources{Environ: []string{"PATCHSCOUT_GRAPH_URL=http://x:7474"}} }, "graph_url"},
		{"user name in a feed URL", func(*testing.T) Sources {
			return Sources{Override: map[string]string{"feeds.kev.url": "https://u:hunter2@x.test/"}}
		}, "feeds.kev.url"},
		{"bad schedule", func(*testing.T) Sources {
			return Sources{Override: map[string]string{"feeds.kev.schedule": "tomorrow"}}
		}, `feeds.kev.schedule: "tomorrow": want "@every 6h"`},
		{"a schedule of every second", func(*testing.T) Sources {
			return Sources{Override: map[string]string{"feeds.nvd.schedule": "@every 1s"}}
		}, "feeds.nvd.schedule"},
		{"a day that never comes", func(*testing.T) Sources {
			return Sources{Override: map[string]string{"feeds.cwe.schedule": "0 0 30 2 *"}}
		}, "feeds.cwe.schedule"},
		{"a time zone that the library does not survive", func(*testing.T) Sources {
			return Sources{Override: map[string]string{"feeds.cwe.schedule": "TZ=0"}}
		}, "feeds.cwe.schedule"},
		{"bad key of abuse.ch", func(*testing.T) Sources {
			return Sources{Override: map[string]string{"feeds.abusech.auth_key": "hunter2/../x"}}
		}, "feeds.abusech.auth_key"},
		{"a relative program", func(*testing.T) Sources { return Sources{Override: map[string]string{"nikto.path": "./nikto.pl"}} }, "nikto.path"},
		{"half of a key", func(*testing.T) Sources { return Sources{Override: map[string]string{"nessus.access_key": "hunter2"}} }, "secret_key"},
		{"a time without a unit", func(t *testing.T) Sources {
			return Sources{File: write(t, "c.yaml", "scan: {timeouts: {nmap: 2}}\n")}
		}, "scan.timeouts.nmap"},
		{"nothing side by side", func(*testing.T) Sources { return Sources{Override: map[string]string{"scan.parallel": "0"}} }, "scan.parallel"},
		{"bad proxy", func(*testing.T) Sources { return Sources{Override: map[string]string{"outbound.proxy": "socks"}} }, "outbound.proxy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			isolate(t)
			_, err := Load(tt.src(t))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one with %q", err, tt.want)
			}
			if fault.KindOf(err) != fault.KindInvalid || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %q (kind %q): want one line, invalid, without the password", err, fault.KindOf(err))
			}
		})
	}
}

func TestSecretPrintsStarsEverywhere(t *testing.T) {
	c := Config{DatabaseURL: "postgres://u:hunter2@h/d", GraphURL: "bolt://u:hunter2@h", GraphPass: "hunter2", OpenVAS: OpenVAS{Password: "hunter2"},
		Nessus: Nessus{AccessKey: "hunter2", SecretKey: "hunter2", Password: "hunter2"}, Feeds: Feeds{NVD: NVDFeed{APIKey: "hunter2"}, AbuseCH: AbuseCH{AuthKey: "hunter2"}}}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	dump := fmt.Sprintf("%v %+v %#v %s %q %x %s", c, c, c, c.DatabaseURL, c.DatabaseURL, c.DatabaseURL, text)
	if strings.Contains(dump, "hunter2") || !strings.Contains(dump, "***") {
		t.Errorf("dump shows the secret: %s", dump)
	}
}

func TestEnvFileOfTheWorkingFolderIsNotTrustedBlindly(t *testing.T) {
	isolate(t)
	t.Chdir(t.TempDir())
	load := func(text string, mode os.FileMode) error {
		if err := os.WriteFile(".env", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(".env", mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(Sources{})
		return err
	}
	if err := load("PATCHSCOUT_LOG_LEVEL=info\n", 0o600); err != nil {
		t.Errorf("our own file: %v", err)
	}
	for _, line := range []string{"NMAP_PATH=./nmap", "NMAP_SCRIPTS=http-shellshock", "NUCLEI_TEMPLATES=/tmp/t", "NESSUS_URL=https://evil.test/"} {
		if err := load("PATCHSCOUT_"+line+"\n", 0o600); fault.KindOf(err) != fault.KindDenied {
			t.Errorf("%s: %v", line, err)
		}
	}
	if err := load("PATCHSCOUT_LOG_LEVEL=info\n", 0o666); fault.KindOf(err) != fault.KindDenied {
		t.Errorf("a file that anybody can write: %v", err)
	}
}

// The example is the documentation of every variable: it must load as it stands and name each one.
func TestEnvExampleIsComplete(t *testing.T) {
	text, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	isolate(t)
	uncommented := strings.ReplaceAll(string(text), "#PATCHSCOUT_", "PATCHSCOUT_")
	values, err := parseEnvFile(".env.example", []byte(uncommented))
	if err != nil {
		t.Fatal(err)
	}
	for name := range variables() {
		if _, ok := values[name]; !ok {
			t.Errorf(".env.example lacks %s", name)
		}
	}
	if _, err := Load(Sources{EnvFile: write(t, ".env", uncommented)}); err != nil {
		t.Errorf("with every line of .env.example on: %v", err)
	}
	got, err := Load(Sources{EnvFile: write(t, ".env", string(text))})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), got); diff != "" {
		t.Errorf(".env.example as it stands changes a default:\n%s", diff)
	}
}

func FuzzEnvFile(f *testing.F) {
	f.Add([]byte("# comment\nexport PATCHSCOUT_LOG_FILE='x y'\nOTHER=1\n"))
	f.Add([]byte("PATCHSCOUT_=\"\n=\n'"))
	f.Fuzz(func(t *testing.T, text []byte) {
		values, err := parseEnvFile(".env", text)
		for name, value := range values {
			if !strings.HasPrefix(name, envPrefix) || strings.ContainsAny(value, "\n") {
				t.Errorf("%q = %q (%v)", name, value, err)
			}
		}
	})
}
