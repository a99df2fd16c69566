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
	} {
		if a, b := OfCheck(pair[0]), OfCheck(pair[1]); a != b || !a.Shared() {
			t.Errorf("%s is %s, %s is %s", pair[0], a, pair[1], b)
		}
	}
	for _, alone := range []string{"nessus:5758", "nessus:575820", "nikto:1 GET /nuclei:self-signed-ssl:", "nuclei:self-signed-ssl-x::/"} {
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
