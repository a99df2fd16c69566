package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestEachValueIsTracedToItsPlace(t *testing.T) {
	isolate(t)
	file := write(t, "config.yaml", "scan: {scope: [10.0.0.0/8, '!10.0.0.1']}\nlog: {level: debug}\n")
	dotenv := write(t, ".env", "PATCHSCOUT_FEEDS_NVD_API_KEY=hunter2\nPATCHSCOUT_SCAN_TIMEOUTS_NMAP=2h\n")
	_, settings, err := Explain(Sources{File: file, EnvFile: dotenv, Environ: []string{"PATCHSCOUT_LOG_LEVEL=info"},
		Override: map[string]string{"server.listen": "127.0.0.1:9000"}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Setting{}
	for _, s := range settings {
		if s.From != "" {
			got[s.Key] = s
		}
	}
	want := map[string]Setting{
		"scan.scope":         {"scan.scope", "10.0.0.0/8,!10.0.0.1", file},
		"log.level":          {"log.level", "info", "PATCHSCOUT_LOG_LEVEL"},
		"feeds.nvd.api_key":  {"feeds.nvd.api_key", "***", dotenv + ": PATCHSCOUT_FEEDS_NVD_API_KEY"},
		"scan.timeouts.nmap": {"scan.timeouts.nmap", "2h0m0s", dotenv + ": PATCHSCOUT_SCAN_TIMEOUTS_NMAP"},
		"server.listen":      {"server.listen", "127.0.0.1:9000", "--listen"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsShownCanBeLoadedAgain(t *testing.T) {
	isolate(t)
	c := Default()
	c.Scan.Scope, c.Feeds.EPSS.Schedule, c.Server.BasePath, c.Telemetry.Sample = []string{"!10.0.0.1"}, "30 4 * * 1-5", "/scout", 0.25
	got, err := Load(Sources{File: write(t, "config.yaml", c.YAML())})
	if err != nil {
		t.Fatalf("%v in\n%s", err, c.YAML())
	}
	if diff := cmp.Diff(c, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	c.Nessus.Password = "hunter2"
	if text := c.YAML(); strings.Contains(text, "hunter2") || !strings.Contains(text, "password: '***'") {
		t.Errorf("the password is shown:\n%s", text)
	}
}

func TestAllMistakesAreTold(t *testing.T) {
	c := Default()
	c.Log.Level, c.Server.Metrics, c.Server.Timeout, c.Telemetry.Sample = "loud", "perhaps", 0, 2
	var got []string
	for _, err := range c.Mistakes() {
		got = append(got, err.Error())
	}
	want := []string{`log.level "loud": want debug, info, warn or error`, `server.metrics "perhaps": want on, off or open`, "telemetry.sample 2: want 0 to 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
