package finding

import (
	"strings"
	"testing"
)

func TestEquivalentChecksAreOneWeakness(t *testing.T) {
	for _, pair := range [][2]string{
		{"nessus:57582", "openvas:1.3.6.1.4.1.25623.1.0.103140"},
		{"nessus:57582", "nuclei:self-signed-ssl::/"},
		{"nmap:smb-security-mode", "nessus:57608"},
		{"nmap:http-trace", "nikto:000434 TRACE /"},
		{"zap:10035-1", "nikto:013587 GET / strict-transport-security"},
		{"nuclei:http-missing-security-headers:strict-transport-security:/shop", "testssl:HSTS"},
		{"nessus:104743", "testssl:TLS1"},
		{"nmap:redis-info", "nuclei:exposed-redis::"},
	} {
		if a, b := OfCheck(pair[0]), OfCheck(pair[1]); a != b || !a.Shared() {
			t.Errorf("%s is %s, %s is %s", pair[0], a, pair[1], b)
		}
	}
	for _, alone := range []string{"nessus:5758", "nessus:575820", "nikto:1 GET /nuclei:self-signed-ssl:", "nuclei:self-signed-ssl-x::/",
		"nikto:000434 TRACE /x", "nikto:013587 GET /shop strict-transport-security", "zap:10035-5", "testssl:TLS1_2"} {
		if w := OfCheck(alone); string(w) != alone {
			t.Errorf("%s became %s", alone, w)
		}
	}
}

func TestNoCheckStandsForTwoWeaknesses(t *testing.T) {
	seen := map[string]string{}
	for line := range strings.Lines(equivalenceText) {
		fields := strings.Fields(line)
		if strings.HasPrefix(line, "#") || len(fields) == 0 {
			continue
		}
		if len(fields) < 3 {
			t.Errorf("%s is of one tool only", fields[0])
		}
		for _, check := range fields[1:] {
			if other := seen[check]; other != "" {
				t.Errorf("%s is in %s and %s", check, other, fields[0])
			}
			seen[check] = fields[0]
		}
	}
}
