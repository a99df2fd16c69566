package intel_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/intel"
)

func TestOneIndicatorHasOneSpelling(t *testing.T) {
	for _, c := range []struct {
		text, kind, value string
		port              int
	}{
		{"192.0.2.7", intel.IndicatorIP, "192.0.2.7", 0},
		{" 192[.]0[.]2[.]7 ", intel.IndicatorIP, "192.0.2.7", 0},
		{"192.0.2.7:4444", intel.IndicatorIP, "192.0.2.7", 4444},
		{"::ffff:192.0.2.7", intel.IndicatorIP, "192.0.2.7", 0},
		{"2001:DB8:0::1", intel.IndicatorIP, "2001:db8::1", 0},
		{"[2001:db8::1]:443", intel.IndicatorIP, "2001:db8::1", 443},
		{"fe80::1%eth0", intel.IndicatorIP, "fe80::1", 0},
		{"Example.COM.", intel.IndicatorDomain, "example.com", 0},
		{"c2.example[.]com:8080", intel.IndicatorDomain, "c2.example.com", 8080},
		{"bücher.example", intel.IndicatorDomain, "xn--bcher-kva.example", 0},
		{"BÜCHER。example", intel.IndicatorDomain, "xn--bcher-kva.example", 0},
		{"a_b.example", intel.IndicatorDomain, "a_b.example", 0},
		{"HTTP://Example.com:80", intel.IndicatorURL, "http://example.com/", 0},
		{"hxxps://Example[.]com/A%2fb?Q=[.]#x", intel.IndicatorURL, "https://example.com/A%2fb?Q=[.]", 0},
		{"hxxp[:]//example.com", intel.IndicatorURL, "http://example.com/", 0},
		{"https://example.com:8443?x", intel.IndicatorURL, "https://example.com:8443/?x", 0},
		{"http://user@Example.com/", intel.IndicatorURL, "http://user@example.com/", 0},
		{"http://[2001:DB8::1]:80/i", intel.IndicatorURL, "http://[2001:db8::1]/i", 0},
		{"ftp://192.0.2.7:2121/x", intel.IndicatorURL, "ftp://192.0.2.7:2121/x", 0},
		{"D41D8CD98F00B204E9800998ECF8427E", intel.IndicatorHash, "d41d8cd98f00b204e9800998ecf8427e", 0},
		{strings.Repeat("aB", 20), intel.IndicatorHash, strings.Repeat("ab", 20), 0},
		{strings.Repeat("0", 64), intel.IndicatorHash, strings.Repeat("0", 64), 0},
	} {
		kind, value, port, err := intel.CanonicalIndicator(c.text)
		if err != nil || kind != c.kind || value != c.value || port != c.port {
			t.Errorf("%q: %s %q %d, %v; want %s %q %d", c.text, kind, value, port, err, c.kind, c.value, c.port)
		}
	}
}

func TestWhatIsNoIndicatorIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "  ", "localhost", "10.0.0", "10.0.0.300", "192.0.2.7:0", "192.0.2.7:99999", "a..b", "-a.example", "a b.example",
		"http://", "http:///x", "[2001:db8::1", "[2001:db8::1]x", "exa\x00mple.com", "\xff.example", "e\u202ex.example",
		strings.Repeat("a", 64) + ".example", "http://" + strings.Repeat("a.", 200) + "example/", strings.Repeat("x", 9000),
		strings.Repeat("g", 32), "192.0.2.0/24",
	} {
		kind, value, _, err := intel.CanonicalIndicator(text)
		if fault.KindOf(err) != fault.KindInvalid {
			t.Errorf("%q: %s %q, %v", text, kind, value, err)
		}
	}
}

func TestAURLNamesItsHost(t *testing.T) {
	type host struct {
		kind, value string
		port        int
	}
	for url, want := range map[string]host{
		"http://example.com:8080/x":    {intel.IndicatorDomain, "example.com", 8080},
		"https://user@example.com/x@y": {intel.IndicatorDomain, "example.com", 443},
		"http://[2001:db8::1]/":        {intel.IndicatorIP, "2001:db8::1", 80},
		"http://192.0.2.7/%zz?a=%":     {intel.IndicatorIP, "192.0.2.7", 80}, // as malware is really named
		"gopher://192.0.2.7/":          {intel.IndicatorIP, "192.0.2.7", 0},
		"example.com":                  {},
		"http://%zz/":                  {},
	} {
		if kind, value, port := intel.HostOf(url); (host{kind, value, port}) != want {
			t.Errorf("%s: %s %q %d", url, kind, value, port)
		}
	}
}

func TestPartsOfAWeaknessMergeInAnyOrder(t *testing.T) {
	entry := intel.Weakness{ID: "CWE-22", Name: "Path Traversal", Parents: []string{"CWE-706"}, CAPECs: []string{"CAPEC-126", "CAPEC-64"}}
	pattern := intel.Weakness{ID: "CWE-22", CAPECs: []string{"CAPEC-64"}, Techniques: []string{"T1083"}}
	want := intel.Weakness{
		ID: "CWE-22", Name: "Path Traversal", Parents: []string{"CWE-706"}, CAPECs: []string{"CAPEC-64", "CAPEC-126"}, Techniques: []string{"T1083"},
	}
	if diff := cmp.Diff(want, entry.Merge(pattern)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, pattern.Merge(entry)); diff != "" {
		t.Error(diff)
	}
}

func FuzzCanonicalIndicator(f *testing.F) {
	for _, text := range []string{
		"hxxps://Example[.]com:443/a#b", "[::ffff:192.0.2.7]:80", "bücher.example:1", "d41d8cd98f00b204e9800998ecf8427e", "http://u:p@[fe80::1%25eth0]/",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		kind, value, port, err := intel.CanonicalIndicator(text)
		if err != nil {
			if fault.KindOf(err) != fault.KindInvalid {
				t.Error(err)
			}
			return
		}
		again, same, _, err := intel.CanonicalIndicator(value)
		if err != nil || again != kind || same != value {
			t.Errorf("%q is %s %q, which is %s %q, %v", text, kind, value, again, same, err)
		}
		if _, err := netip.ParseAddr(value); (err == nil) != (kind == intel.IndicatorIP) || port < 0 || port > 65535 {
			t.Errorf("%q is %s %q %d", text, kind, value, port)
		}
	})
}
